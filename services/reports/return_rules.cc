#include "services/reports/return_rules.h"

#include <algorithm>
#include <utility>

#include "common/base/money.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::reports {
namespace {

// Cells of different decimals are compared in millionths of a unit.
using Millionths = __int128;
constexpr int kScale = 6;

Millionths Scaled(int64_t value, int decimals) {
  Millionths scaled = value;
  for (int i = decimals; i < kScale; ++i) scaled *= 10;
  return scaled;
}

bool Holds(Millionths left, std::string_view relation, Millionths right) {
  if (relation == "=") return left == right;
  if (relation == "<=") return left <= right;
  if (relation == ">=") return left >= right;
  return relation == "<" ? left < right : left > right;
}

struct Words {
  std::string en;
  std::string zh;
};

class Checker {
 public:
  Checker(const Form& form, const RuleInput& input) : form_(form), input_(input) {}

  v1::ValidateReturnResponse Run() {
    CheckRequired();
    CheckSigns();
    CheckParts();
    for (int i = 0; i < form_.message().rules_size(); ++i) {
      const v1::FormRule& rule = form_.message().rules(i);
      if (rule.has_range()) {
        CheckRange(rule);
      } else {
        CheckRelation(rule, form_.checks()[static_cast<size_t>(i)]);
      }
    }
    auto& violations = *response_.mutable_violations();
    std::stable_sort(violations.begin(), violations.end(),
                     [](const auto& a, const auto& b) { return a.severity() < b.severity(); });
    response_.set_submittable(
        std::all_of(violations.begin(), violations.end(), [](const v1::RuleViolation& violation) {
          return violation.severity() == v1::RULE_SEVERITY_WARN && violation.excused();
        }));
    return std::move(response_);
  }

 private:
  std::optional<int64_t> ValueOf(std::string_view code) const {
    const auto found = input_.values.find(code);
    if (found == input_.values.end()) return std::nullopt;
    return found->second;
  }

  void Add(std::string_view rule, v1::RuleSeverity severity, const std::vector<std::string>& cells,
           Words words) {
    v1::RuleViolation& violation = *response_.add_violations();
    violation.set_rule(std::string(rule));
    violation.set_severity(severity);
    violation.set_message(std::move(words.en));
    violation.set_message_zh(std::move(words.zh));
    for (const std::string& cell : cells) {
      violation.add_cells(cell);
      if (severity == v1::RULE_SEVERITY_WARN && input_.reasons.contains(cell)) {
        violation.set_excused(true);
      }
    }
  }

  void Skip(const v1::FormRule& rule, Words words) {
    v1::SkippedRule& skipped = *response_.add_skipped();
    skipped.set_rule(rule.name());
    skipped.set_message(std::move(words.en));
    skipped.set_message_zh(std::move(words.zh));
  }

  void CheckRequired() {
    std::vector<std::string> blank;
    std::string codes;
    for (const FormPlace& place : form_.places()) {
      if (!place.cell->required() || ValueOf(place.code()).has_value()) continue;
      blank.push_back(place.code());
      StrAppend(&codes, codes.empty() ? "" : ", ", place.code());
    }
    if (blank.empty()) return;
    Add("required", v1::RULE_SEVERITY_BLOCK, blank,
        {StrCat("these cells may not be blank: ", codes, "; where there is none, write 0"),
         StrCat("以下单元格必填：", codes, "；没有的请填 0")});
  }

  void CheckSigns() {
    for (const FormPlace& place : form_.places()) {
      const auto value = ValueOf(place.code());
      if (place.cell->negative() || !value.has_value() || *value >= 0) continue;
      Add("sign", v1::RULE_SEVERITY_BLOCK, {place.code()},
          {StrCat(place.code(), " = ", FormatCell(*place.row, *value), " is below zero"),
           StrCat(place.code(), " = ", FormatCell(*place.row, *value), "，不能为负数")});
    }
  }

  // Facts of the whole are those of its parts and the rest: there must be a rest of zero or more.
  void CheckParts() {
    for (size_t i = 0; i < form_.places().size(); ++i) {
      const FormPlace& whole = form_.places()[i];
      std::vector<std::string> cells = {whole.code()};
      int64_t sum = 0;
      std::string terms;
      for (const size_t part : form_.PartsOf(i)) {
        const FormPlace& place = form_.places()[part];
        const auto value = ValueOf(place.code());
        if (!value.has_value()) continue;
        sum += *value;
        cells.push_back(place.code());
        StrAppend(&terms, terms.empty() ? "" : " + ", place.code());
      }
      if (cells.size() == 1) continue;
      const auto value = ValueOf(whole.code());
      if (value.has_value() && sum <= *value) continue;
      const std::string stated = value.has_value() ? FormatCell(*whole.row, *value) : "";
      const std::string parts = FormatCell(*whole.row, sum);
      Add("parts", v1::RULE_SEVERITY_BLOCK, cells,
          {StrCat(terms, " = ", parts, " is more than the whole ", whole.code(), " = ",
                  stated.empty() ? "blank" : stated),
           StrCat(terms, " = ", parts, "，大于合计 ", whole.code(), " = ",
                  stated.empty() ? "空" : stated)});
    }
  }

  // The sum of one side of a check.
  struct Side {
    Millionths sum = 0;
    std::string words;    // Its terms with their values.
    bool filled = false;  // Whether any cell of it is.
    bool blank = true;    // Whether all its terms are blank cells.
  };

  // Nothing where it cannot be told, with the rule among those skipped.
  std::optional<Side> Sum(const v1::FormRule& rule, const std::vector<CheckTerm>& terms,
                          std::vector<std::string>& cells) {
    Side side;
    for (const CheckTerm& term : terms) {
      const std::string_view mark = term.sign < 0 ? "- " : "+ ";
      StrAppend(&side.words, side.words.empty() ? "" : " ",
                side.words.empty() && term.sign > 0 ? "" : mark);
      if (term.code.empty()) {
        side.blank = false;
        side.sum += Scaled(term.sign * term.number, 0);
        StrAppend(&side.words, term.number);
        continue;
      }
      if (term.form.empty()) cells.push_back(term.code);
      const auto other = input_.others.find(term.form);
      if (!term.form.empty() && other == input_.others.end()) {
        Skip(rule, {StrCat("no return of ", term.form, " of this unit ends with the same day"),
                    StrCat("本单位没有同期的报表 ", term.form)});
        return std::nullopt;
      }
      const Form& form = term.form.empty() ? form_ : *other->second.form;
      const CellValues& values = term.form.empty() ? input_.values : other->second.values;
      const FormPlace* place = form.Find(term.code);
      if (place == nullptr) {
        Skip(rule, {StrCat("the entry of ", term.form, " of that time has no cell ", term.code),
                    StrCat("同期的报表 ", term.form, " 没有单元格 ", term.code)});
        return std::nullopt;
      }
      const auto value = values.find(term.code);
      const bool known = value != values.end();
      StrAppend(&side.words, term.form, term.form.empty() ? "" : ":", term.code, " (",
                known ? FormatCell(*place->row, value->second) : "-", ")");
      if (!known) continue;
      side.filled = true;
      side.blank = false;
      side.sum += term.sign * Scaled(value->second, place->row->decimals());
    }
    return side;
  }

  void CheckRelation(const v1::FormRule& rule, const Check& check) {
    std::vector<std::string> cells;
    const std::optional<Side> left = Sum(rule, check.left, cells);
    if (!left.has_value()) return;
    const std::optional<Side> right = Sum(rule, check.right, cells);
    if (!right.has_value() || (!left->filled && !right->filled)) return;
    const std::string words = StrCat(left->words, " ", check.relation, " ", right->words);
    if (check.relation != "=" && (left->blank || right->blank)) {
      return Skip(rule, {StrCat(words, ": one side is blank"), StrCat(words, "：一方为空")});
    }
    if (Holds(left->sum, check.relation, right->sum)) return;
    Add(rule.name(), rule.severity(), cells,
        {StrCat(rule.label().en(), ": ", words, " does not hold"),
         StrCat(rule.label().zh(), "：", words, " 不成立")});
  }

  void CheckRange(const v1::FormRule& rule) {
    const v1::FormRange& range = rule.range();
    const auto now = ValueOf(range.cell());
    if (!now.has_value()) return;
    if (!input_.year_before.has_value()) {
      return Skip(rule, {"there is no return of the same period a year ago", "没有上年同期报表"});
    }
    const auto before = input_.year_before->find(range.cell());
    if (before == input_.year_before->end() || before->second == 0) {
      return Skip(rule, {StrCat(range.cell(), " was blank or zero a year ago"),
                         StrCat(range.cell(), " 上年同期为空或为零")});
    }
    const Millionths base = before->second < 0 ? -before->second : before->second;
    const Millionths change = Millionths{*now} - before->second;
    if (change * 100 >= base * range.from_percent() && change * 100 <= base * range.to_percent()) {
      return;
    }
    const v1::FormRow& row = *form_.Find(range.cell())->row;
    const std::string was = FormatCell(row, before->second);
    const std::string is = FormatCell(row, *now);
    // Tenths of a percent, towards zero: only shown.
    const std::string percent =
        StrCat(change > 0 ? "+" : "",
               FormatScaled(static_cast<int64_t>(change * 1000 / base), 1, 1), " %");
    const std::string bounds = StrCat(range.from_percent(), " % … +", range.to_percent(), " %");
    Add(rule.name(), rule.severity(), {range.cell()},
        {StrCat(rule.label().en(), ": ", range.cell(), " was ", was, " a year ago and is ", is,
                " (", percent, "), outside ", bounds),
         StrCat(rule.label().zh(), "：", range.cell(), " 上年同期 ", was, "，本期 ", is, "（",
                percent, "），超出 ", bounds)});
  }

  const Form& form_;
  const RuleInput& input_;
  v1::ValidateReturnResponse response_;
};

}  // namespace

std::set<std::string> OtherFormsOf(const Form& form) {
  std::set<std::string> names;
  for (const CheckTerm& term : form.TermsOutside()) names.insert(term.form);
  return names;
}

v1::ValidateReturnResponse CheckRules(const Form& form, const RuleInput& input) {
  return Checker(form, input).Run();
}

absl::Status RuleStatus(const v1::ValidateReturnResponse& checked) {
  constexpr int kShownMost = 20;  // Errors travel in headers, which are short.
  if (checked.submittable()) return absl::OkStatus();
  std::string en;
  std::string zh;
  std::string cells;
  int count = 0;
  for (const v1::RuleViolation& violation : checked.violations()) {
    if (violation.excused()) continue;
    if (++count > kShownMost) continue;
    const bool reason = violation.severity() == v1::RULE_SEVERITY_WARN;
    StrAppend(&en, "\n  ", violation.message(), reason ? "; give a reason at the cell" : "");
    StrAppend(&zh, "\n  ", violation.message_zh(), reason ? "；请在单元格说明原因" : "");
    for (const std::string& cell : violation.cells()) {
      StrAppend(&cells, cells.empty() ? "" : ",", cell);
    }
  }
  return FailedPrecondition(
             common::v1::REASON_CELL_INVALID,
             StrCat("The return cannot be submitted, ", count,
                    " rules are violated (ValidateReturn lists them all):", en),
             StrCat("报表不能提交，违反 ", count, " 条规则（用 ValidateReturn 查看全部）：", zh))
      .With("violations", StrCat(count))
      .With("cells", cells);
}

}  // namespace gonghui::reports
