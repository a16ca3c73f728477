#include "services/reports/forms.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "common/base/money.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/catalog/catalog_checks.h"
#include "common/catalog/yaml_message.h"

namespace gonghui::reports {
namespace {

constexpr int kDecimalsMost = 6;
constexpr std::string_view kRelations[] = {"<=", ">=", "=", "<", ">"};

// Whether `group` is about a part of what `whole` is about.
bool IsWithin(const DimensionMap& group, const DimensionMap& whole) {
  return group.size() > whole.size() &&
         std::all_of(whole.begin(), whole.end(), [&](const auto& term) {
           const auto found = group.find(term.first);
           return found != group.end() && found->second == term.second;
         });
}

// Whether no record can belong to both.
bool AreApart(const DimensionMap& a, const DimensionMap& b) {
  return std::any_of(a.begin(), a.end(), [&](const auto& term) {
    const auto found = b.find(term.first);
    return found != b.end() && found->second != term.second;
  });
}

// "102 + form:103 - 5"; false where it is not of that form.
bool ReadSide(std::string_view text, std::vector<CheckTerm>& terms) {
  int64_t sign = 1;
  while (true) {
    const size_t end = text.find_first_of("+-");
    const std::string_view word = Strip(text.substr(0, end));
    if (word.empty()) return false;
    CheckTerm term;
    term.sign = sign;
    const size_t colon = word.find(':');
    if (colon != std::string_view::npos) term.form = Strip(word.substr(0, colon));
    term.code = Strip(colon == std::string_view::npos ? word : word.substr(colon + 1));
    terms.push_back(std::move(term));
    if (end == std::string_view::npos) return true;
    sign = text[end] == '+' ? 1 : -1;
    text.remove_prefix(end + 1);
  }
}

bool ReadCheck(std::string_view text, Check& check) {
  for (const std::string_view relation : kRelations) {
    const size_t at = text.find(relation);
    if (at == std::string_view::npos) continue;
    check.relation = relation;
    return ReadSide(text.substr(0, at), check.left) &&
           ReadSide(text.substr(at + relation.size()), check.right);
  }
  return false;
}

}  // namespace

absl::Status FormUnknown(std::string_view name, std::string_view field) {
  return InvalidArgument(
             common::v1::REASON_FORM_UNKNOWN,
             StrCat("there is no form '", name, "' for that time: ListForms shows the known ones"),
             StrCat("该时期没有报表“", name, "”：请用 ListForms 查看已有报表"))
      .With("form", std::string(name))
      .At(std::string(field));
}

std::string FormatCell(const v1::FormRow& row, int64_t value) {
  std::string text = FormatScaled(value, row.decimals(), row.decimals());
  if (row.decimals() == 0) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

absl::Status Form::Fault(std::string_view what, std::string_view what_zh) const {
  return InvalidArgument(
      common::v1::REASON_FIELD_INVALID,
      StrCat("form '", name(), "' of ", message_->valid_from(), ": ", what,
             "; correct the catalogue"),
      StrCat("报表“", name(), "”（", message_->valid_from(), "起）：", what_zh, "，请改正目录"));
}

absl::StatusOr<Form> Form::Make(v1::Form message, const Measures& measures) {
  Form form;
  form.message_ = std::make_unique<v1::Form>(std::move(message));
  const v1::Form& made = *form.message_;
  if (!catalog::IsSnake(made.name()))
    return form.Fault("the name is not lower_snake", "名称不合规");
  if (!ParseDate(made.valid_from()).ok()) {
    return form.Fault("valid_from is no date", "valid_from 不是日期");
  }
  if (made.citation().empty()) return form.Fault("it cites no document", "缺少依据文件");
  if (made.period() == v1::FORM_PERIOD_UNSPECIFIED ||
      (made.period() == v1::FORM_PERIOD_CATALOGUE) == made.period_suffix().empty()) {
    return form.Fault("the period is not set, or a suffix stands with the wrong one",
                      "缺少报告期类型，或后缀与类型不符");
  }
  if (made.extent() == v1::FORM_EXTENT_UNSPECIFIED) {
    return form.Fault("the extent is not set", "缺少统计范围");
  }
  if (made.approvals() < 1 || made.approvals() > 2) {
    return form.Fault("approvals are 1 or 2", "审批级数应为 1 或 2");
  }
  if (made.filers().empty() || made.columns().empty()) {
    return form.Fault("it has no filers or no columns", "缺少填报单位或列");
  }
  for (int i = 0; i < made.rows_size(); ++i) RETURN_IF_ERROR(form.AddRow(i, measures));
  RETURN_IF_ERROR(form.FindParts());
  RETURN_IF_ERROR(form.ReadRules());
  return form;
}

absl::Status Form::AddRow(int index, const Measures& measures) {
  v1::FormRow& row = *message_->mutable_rows(index);
  if (row.code().empty() != row.cells().empty()) {
    return Fault(StrCat("row '", row.label().en(), "' has cells without code, or a code without"),
                 StrCat("行“", row.label().zh(), "”的代码与单元格不配"));
  }
  if (row.decimals() < 0 || row.decimals() > kDecimalsMost) {
    return Fault(StrCat("row ", row.code(), ": decimals are 0-6"),
                 StrCat("行 ", row.code(), " 的小数位应为 0 至 6"));
  }
  const bool single = message_->columns_size() == 1;
  for (v1::FormCell& cell : *row.mutable_cells()) {
    if (cell.column().empty() && single) cell.set_column(message_->columns(0).key());
    FormPlace place;
    place.row = &row;
    place.cell = &cell;
    place.row_index = index;
    place.column_index = -1;
    for (int i = 0; i < message_->columns_size(); ++i) {
      if (message_->columns(i).key() == cell.column()) place.column_index = i;
    }
    // Rows of which only one column is filled go by their own code.
    cell.set_code(row.cells_size() == 1 ? row.code() : StrCat(row.code(), ".", cell.column()));
    const std::string where = StrCat("cell ", cell.code());
    const std::string where_zh = StrCat("单元格 ", cell.code());
    if (place.column_index < 0) {
      return Fault(StrCat(where, " is in an unknown column"), StrCat(where_zh, " 的列不存在"));
    }
    if (!by_code_.emplace(cell.code(), places_.size()).second) {
      return Fault(StrCat(where, " stands twice"), StrCat(where_zh, " 重复"));
    }
    if (!cell.measure().empty()) {
      place.measure = measures.FindCounted(cell.measure());
      place.dimensions = ParseDimensions(cell.dimensions());
      if (place.measure == nullptr) {
        return Fault(StrCat(where, ": '", cell.measure(), "' is no measure that is counted"),
                     StrCat(where_zh, "：“", cell.measure(), "”不是可计数的指标"));
      }
      if (CellDimensions(*place.measure, place.dimensions) != place.dimensions ||
          FormatDimensions(place.dimensions) != cell.dimensions()) {
        return Fault(StrCat(where, ": '", cell.measure(), "' has no dimensions '",
                            cell.dimensions(), "', or they are not sorted"),
                     StrCat(where_zh, "：指标没有维度“", cell.dimensions(), "”，或未按序书写"));
      }
    }
    places_.push_back(std::move(place));
  }
  return absl::OkStatus();
}

absl::Status Form::FindParts() {
  parts_.resize(places_.size());
  for (size_t part = 0; part < places_.size(); ++part) {
    if (places_[part].measure == nullptr) continue;
    size_t nearest = places_.size();
    for (size_t whole = 0; whole < places_.size(); ++whole) {
      if (whole == part || places_[whole].measure != places_[part].measure) continue;
      if (places_[part].factor() != places_[whole].factor() ||
          places_[part].row->decimals() != places_[whole].row->decimals()) {
        return Fault(StrCat("cells ", places_[part].code(), " and ", places_[whole].code(),
                            " state one measure in different units"),
                     StrCat("单元格 ", places_[part].code(), " 与 ", places_[whole].code(),
                            " 同一指标的单位不同"));
      }
      const DimensionMap& a = places_[part].dimensions;
      const DimensionMap& b = places_[whole].dimensions;
      if (IsWithin(a, b)) {
        if (nearest == places_.size() || IsWithin(b, places_[nearest].dimensions)) nearest = whole;
      } else if (!IsWithin(b, a) && !AreApart(a, b)) {
        return Fault(StrCat("cells ", places_[part].code(), " and ", places_[whole].code(),
                            " overlap: neither holds the other, so they cannot become facts"),
                     StrCat("单元格 ", places_[part].code(), " 与 ", places_[whole].code(),
                            " 相互交叉，不能形成指标事实"));
      }
    }
    if (nearest < places_.size()) parts_[nearest].push_back(part);
  }
  return absl::OkStatus();
}

absl::Status Form::ReadRules() {
  std::set<std::string> names;
  for (const v1::FormRule& rule : message_->rules()) {
    const auto fault = [&](std::string_view what, std::string_view what_zh) {
      return Fault(StrCat("rule '", rule.name(), "' ", what),
                   StrCat("规则“", rule.name(), "”", what_zh));
    };
    if (!catalog::IsSnake(rule.name()) || !names.insert(rule.name()).second) {
      return fault("has no name, or one that stands twice", "名称缺失或重复");
    }
    if (rule.severity() == v1::RULE_SEVERITY_UNSPECIFIED) {
      return fault("has no severity", "缺少严重程度");
    }
    Check& check = checks_.emplace_back();
    if (rule.has_range()) {
      if (!rule.check().empty() || Find(rule.range().cell()) == nullptr ||
          rule.range().from_percent() >= rule.range().to_percent()) {
        return fault("has a range with an unknown cell or without width, or a check besides",
                     "的区间有误，或同时写了 check");
      }
      continue;
    }
    if (!ReadCheck(rule.check(), check)) {
      return fault("has a check that is not like '102 = 103 + 104'", "的 check 写法有误");
    }
    for (std::vector<CheckTerm>* side : {&check.left, &check.right}) {
      for (CheckTerm& term : *side) {
        if (!term.form.empty() || Find(term.code) != nullptr) continue;
        if (!ParseInteger(term.code, &term.number)) {
          return fault(StrCat("names the unknown cell '", term.code, "'"),
                       StrCat("引用了不存在的单元格“", term.code, "”"));
        }
        term.code.clear();
      }
    }
  }
  return absl::OkStatus();
}

const FormPlace* Form::Find(std::string_view code) const {
  const auto found = by_code_.find(code);
  return found == by_code_.end() ? nullptr : &places_[found->second];
}

std::vector<CheckTerm> Form::TermsOutside() const {
  std::vector<CheckTerm> terms;
  for (const Check& check : checks_) {
    for (const auto* side : {&check.left, &check.right}) {
      std::copy_if(side->begin(), side->end(), std::back_inserter(terms),
                   [](const CheckTerm& term) { return !term.form.empty(); });
    }
  }
  return terms;
}

const v1::FormFiler* Form::FilerOf(std::string_view kind) const {
  for (const v1::FormFiler& filer : message_->filers()) {
    if (std::find(filer.kinds().begin(), filer.kinds().end(), kind) != filer.kinds().end()) {
      return &filer;
    }
  }
  return nullptr;
}

bool Form::IsPeriod(const Period& period, const Measures& measures) const {
  const std::string_view rest = std::string_view(period.text).substr(4);
  switch (message_->period()) {
    case v1::FORM_PERIOD_MONTH:
      return rest.size() == 3 && rest[0] == '-';
    case v1::FORM_PERIOD_QUARTER:
      return rest.size() == 2 && rest[0] == 'Q';
    case v1::FORM_PERIOD_HALF_YEAR:
      return rest.size() == 2 && rest[0] == 'H';
    case v1::FORM_PERIOD_YEAR:
      return rest.empty();
    case v1::FORM_PERIOD_CATALOGUE:
      return rest == message_->period_suffix();
    default:
      return false;
  }
}

absl::StatusOr<Forms> Forms::Load(const std::vector<EmbeddedFile>& files,
                                  const Measures& measures) {
  Forms forms;
  forms.measures_ = &measures;
  v1::FormCatalog catalog;
  for (const EmbeddedFile& file : files) {
    if (file.name != kFormsFile) continue;
    RETURN_IF_ERROR(catalog::ParseYaml(file.name, file.text, catalog));
  }
  forms.version_ = catalog.version();
  for (v1::Form& message : *catalog.mutable_forms()) {
    const std::string name = message.name();
    const std::string valid_from = message.valid_from();
    ASSIGN_OR_RETURN(Form form, Form::Make(std::move(message), measures));
    if (form.message().period() == v1::FORM_PERIOD_CATALOGUE) {
      RETURN_IF_ERROR(measures.periods()
                          .Parse(StrCat("2020", form.message().period_suffix()), "period_suffix")
                          .status());
    }
    if (!forms.forms_[name].emplace(valid_from, std::move(form)).second) {
      return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                             StrCat("form '", name, "' of ", valid_from, " stands twice"),
                             StrCat("报表“", name, "”（", valid_from, "起）重复"));
    }
  }
  for (const auto& [name, entries] : forms.forms_) {
    for (const auto& [valid_from, form] : entries) {
      for (const CheckTerm& term : form.TermsOutside()) {
        const auto other = forms.forms_.find(term.form);
        const bool known = other != forms.forms_.end() &&
                           other->second.rbegin()->second.Find(term.code) != nullptr;
        if (known) continue;
        return InvalidArgument(
            common::v1::REASON_FIELD_INVALID,
            StrCat("form '", name, "': a rule names the unknown cell ", term.form, ":", term.code),
            StrCat("报表“", name, "”：规则引用了不存在的 ", term.form, ":", term.code));
      }
    }
  }
  return forms;
}

const Form* Forms::Find(std::string_view name, std::string_view on_date) const {
  const auto found = forms_.find(name);
  if (found == forms_.end()) return nullptr;
  const auto after = found->second.upper_bound(on_date);
  return after == found->second.begin() ? nullptr : &std::prev(after)->second;
}

std::vector<const Form*> Forms::InForce(std::string_view on_date) const {
  std::vector<const Form*> all;
  for (const auto& [name, entries] : forms_) {
    if (const Form* form = Find(name, on_date); form != nullptr) all.push_back(form);
  }
  return all;
}

absl::StatusOr<v1::ListFormsResponse> Forms::ListForms(rpc::Call& call,
                                                       const v1::ListFormsRequest& request) const {
  v1::ListFormsResponse response;
  response.set_version(version_);
  for (const auto& [name, entries] : forms_) {
    for (const auto& [valid_from, form] : entries) {
      v1::Form& listed = *response.add_forms();
      listed = form.message();
      listed.clear_columns();
      listed.clear_rows();
      listed.clear_rules();
    }
  }
  return response;
}

absl::StatusOr<v1::Form> Forms::GetForm(rpc::Call& call, const v1::GetFormRequest& request) const {
  const std::string name = request.name().substr(request.name().find('/') + 1);
  const Form* form = Find(name, request.on_date().empty() ? call.Today() : request.on_date());
  if (form == nullptr) return FormUnknown(name, "name");
  return form->message();
}

}  // namespace gonghui::reports
