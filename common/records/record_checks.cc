#include "common/records/record_checks.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/time/civil_time.h"
#include "common/base/date.h"
#include "common/base/money.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/records/record_clocks.h"
#include "common/records/record_values.h"

namespace gonghui::records {
namespace {

using common::v1::KindField;

constexpr std::string_view kAgain = ".again";
constexpr size_t kNamedCodes = 5;       // Codes that an error names.
constexpr size_t kResidentDigits = 14;  // Whatever begins with so many digits is meant as one.
constexpr size_t kShortestPaper = 5;    // Passports, permits, service cards.
constexpr size_t kLongestPaper = 32;
constexpr size_t kLongestUnitCode = 64;

absl::Status Required(const std::string& path, std::string_view label_zh) {
  return InvalidArgument(
             common::v1::REASON_FIELD_REQUIRED, StrCat("'", path, "' is empty: fill it"),
             StrCat("“", label_zh.empty() ? std::string_view(path) : label_zh, "”为空，请填写"))
      .At(path);
}

absl::Status Invalid(const std::string& path, std::string_view what, std::string_view what_zh) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID, StrCat("'", path, "' ", what),
                         StrCat("“", path, "”", what_zh))
      .At(path);
}

const common::v1::State* FindState(const common::v1::Kind& kind, std::string_view name) {
  for (const auto& state : kind.states()) {
    if (state.name() == name) return &state;
  }
  return nullptr;
}

// Filled later than the record: it may name what did not exist yet on the record's date.
bool FilledAtAStep(const common::v1::Kind& kind, const KindField& field) {
  return std::any_of(kind.transitions().begin(), kind.transitions().end(), [&](const auto& step) {
    return std::count(step.needs().begin(), step.needs().end(), field.name()) > 0;
  });
}

// The date of the last step into the present state.
std::string EnteredLast(const Row& row) {
  const auto again = row.entered.find(StrCat(row.state, kAgain));
  if (again != row.entered.end()) return again->second;
  const auto first = row.entered.find(row.state);
  return first == row.entered.end() ? row.on_date : first->second;
}

bool BeginsWithDigits(std::string_view text, size_t count) {
  return text.size() >= count && std::all_of(text.begin(), text.begin() + count,
                                             [](char c) { return absl::ascii_isdigit(c); });
}

bool IsPaperNumber(std::string_view text) {
  return text.size() >= kShortestPaper && text.size() <= kLongestPaper &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(c) || c == '(' || c == ')' || c == '-';
         });
}

}  // namespace

absl::Status AtField(const absl::Status& status, const std::string& path) {
  return Error(status.code(), ReasonOf(status),
               StrCat("'", path, "': ", std::string(status.message())),
               StrCat("“", path, "”：", MessageZhOf(status)))
      .At(path);
}

const common::v1::Transition* TransitionOf(const common::v1::Kind& kind,
                                           const common::v1::RecordStep& step) {
  for (const auto& transition : kind.transitions()) {
    const auto& from = transition.from();
    if (transition.name() == step.transition() &&
        std::count(from.begin(), from.end(), step.from_state()) > 0) {
      return &transition;
    }
  }
  return nullptr;
}

std::string RecordChecks::PathOf(const KindField& field) const {
  return StrCat(options_.prefix, "fields.", field.name());
}

std::string RecordChecks::PathOf(std::string_view name) const {
  const KindField* field = options_.catalog->FindField(kind_, name);
  return field != nullptr ? PathOf(*field) : StrCat(options_.prefix, name);
}

void RecordChecks::Read(const common::v1::Record& record, const Row* before, Row& row,
                        Faults& faults) const {
  row.kind = kind_.name();
  row.organization = record.organization();
  row.number = std::string(Strip(record.number()));
  row.title = std::string(Strip(record.title()));
  if (kind_.number_required() && row.number.empty()) {
    faults.push_back(Required(PathOf("number"), "编号"));
  }
  if (kind_.title_required() && row.title.empty()) {
    faults.push_back(Required(PathOf("title"), kind_.title_label().zh()));
  }
  ReadDates(record, before, row, faults);
  if (row.organization.empty()) {
    faults.push_back(Required(PathOf("organization"), "组织"));
  } else if (!row.on_date.empty()) {
    const absl::Status organization =
        CheckOrganization(PathOf("organization"), row.organization, row.on_date, true);
    if (!organization.ok()) faults.push_back(organization);
  }
  ReadFields(record, before, row, faults);
}

void RecordChecks::ReadDates(const common::v1::Record& record, const Row* before, Row& row,
                             Faults& faults) const {
  const auto read = [&](std::string_view name, const std::string& text, std::string& out) {
    const auto date = NormalizeDate(text);
    out = date.ok() ? *date : "";
    if (!date.ok()) faults.push_back(AtField(date.status(), PathOf(name)));
  };
  row.on_date.clear();
  row.ends_on.clear();
  if (record.on_date().empty()) {
    faults.push_back(Required(PathOf("on_date"), kind_.on_date_label().zh()));
  } else {
    read("on_date", record.on_date(), row.on_date);
  }
  if (!record.ends_on().empty()) read("ends_on", record.ends_on(), row.ends_on);
  if (!row.ends_on.empty() && row.ends_on < row.on_date) {
    faults.push_back(Invalid(PathOf("ends_on"), "lies before on_date", "早于开始日期"));
  }
  if (before == nullptr) return;
  for (const auto& [state, date] : before->entered) {
    if (date >= row.on_date) continue;
    faults.push_back(Invalid(PathOf("on_date"),
                             StrCat("lies after ", date, ", when state '", state, "' was entered"),
                             StrCat("晚于进入状态“", state, "”的日期 ", date)));
  }
}

void RecordChecks::ReadFields(const common::v1::Record& record, const Row* before, Row& row,
                              Faults& faults) const {
  row.fields.clear();
  row.subject.clear();
  row.person_mask.clear();
  for (const KindField& field : kind_.fields()) {
    if (field.has_computed()) continue;
    const auto given = record.fields().find(field.name());
    std::string_view text = given == record.fields().end() ? "" : Strip(given->second);
    if (text.empty()) text = field.default_value();
    if (text.empty()) {
      if (field.required()) faults.push_back(Required(PathOf(field), field.label().zh()));
      continue;
    }
    if (field.type() == common::v1::FIELD_TYPE_PERSON) {
      if (before != nullptr && text == before->person_mask) {
        row.subject = before->subject;
        row.person_mask = before->person_mask;
      } else if (const absl::Status person = ReadPerson(PathOf(field), text, row); !person.ok()) {
        faults.push_back(person);
      }
      continue;
    }
    if (field.pii() && before != nullptr) {
      const auto old = before->fields.find(field.name());
      if (old != before->fields.end() && text == Masked(old->second)) text = old->second;
    }
    auto value = ReadField(field, text, row);
    if (value.ok()) {
      row.fields[field.name()] = *std::move(value);
    } else {
      faults.push_back(value.status());
    }
  }
  std::set<std::string> unknown;
  for (const auto& [name, value] : record.fields()) {
    if (options_.catalog->FindField(kind_, name) == nullptr) unknown.insert(name);
  }
  for (const std::string& name : unknown) {
    faults.push_back(InvalidArgument(common::v1::REASON_FIELD_UNKNOWN,
                                     StrCat("kind '", kind_.name(), "' has no field '", name,
                                            "'; ListKinds shows its fields"),
                                     StrCat("“", kind_.label().zh(), "”没有字段“", name, "”"))
                         .With("field", name)
                         .At(StrCat(options_.prefix, "fields.", name)));
  }
}

absl::StatusOr<std::string> RecordChecks::ReadField(const KindField& field, std::string_view text,
                                                    const Row& row) const {
  const std::string path = PathOf(field);
  switch (field.type()) {
    case common::v1::FIELD_TYPE_DATE: {
      auto date = NormalizeDate(text);
      if (!date.ok()) return AtField(date.status(), path);
      return date;
    }
    case common::v1::FIELD_TYPE_INTEGER:
    case common::v1::FIELD_TYPE_MONEY:
      return ReadNumber(field, text);
    case common::v1::FIELD_TYPE_CODE:
      return ReadCode(field, text, row);
    case common::v1::FIELD_TYPE_BOOLEAN: {
      const std::string folded = ToLower(text);
      if (folded == "true" || folded == "是" || folded == "1") return "true";
      if (folded == "false" || folded == "否" || folded == "0") return "false";
      return Invalid(path, "must be true or false", "应为“是”或“否”");
    }
    case common::v1::FIELD_TYPE_ORGANIZATION:
      RETURN_IF_ERROR(CheckOrganization(path, std::string(text),
                                        FilledAtAStep(kind_, field) ? "" : row.on_date, false));
      return std::string(text);
    case common::v1::FIELD_TYPE_UNIT:
    case common::v1::FIELD_TYPE_RECORD:
      if (text.size() <= kLongestUnitCode) return std::string(text);
      return Invalid(path, StrCat("is longer than ", kLongestUnitCode, " characters"),
                     StrCat("超过 ", kLongestUnitCode, " 个字符"));
    default:
      return std::string(text);
  }
}

absl::Status RecordChecks::ReadPerson(const std::string& path, std::string_view text,
                                      Row& row) const {
  auto number = crypto::NormalizeIdNumber(text);
  if (!number.ok()) {
    if (BeginsWithDigits(text, kResidentDigits)) return AtField(number.status(), path);
    if (!IsPaperNumber(text)) {
      return Error(absl::StatusCode::kInvalidArgument, common::v1::REASON_ID_NUMBER_INVALID,
                   StrCat("'", path, "' must be a resident identity number of 18 digits, or ",
                          kShortestPaper, " to ", kLongestPaper,
                          " letters and digits of another paper"),
                   StrCat("“", path, "”应为 18 位居民身份证号，或其他证件号码"))
          .At(path);
    }
    number = ToUpper(text);
  }
  row.subject = options_.personal->Index(options_.federation, *number);
  row.person_mask = crypto::MaskIdNumber(*number);
  return absl::OkStatus();
}

absl::StatusOr<std::string> RecordChecks::ReadCode(const KindField& field, std::string_view text,
                                                   const Row& row) const {
  const auto& list = *options_.catalog->FindCodes(field.codes());
  const auto in_force = [&](const common::v1::Code& code) {
    return (code.valid_from().empty() || code.valid_from() <= row.on_date) &&
           (code.valid_to().empty() || row.on_date < code.valid_to());
  };
  const auto* code = options_.catalog->FindCode(field.codes(), text);
  if (code != nullptr && (in_force(*code) || row.on_date.empty())) return code->code();
  if (code == nullptr && list.open()) return std::string(text);
  std::string allowed;
  std::string allowed_zh;
  size_t named = 0;
  for (const auto& other : list.codes()) {
    if (!in_force(other)) continue;
    if (++named > kNamedCodes) break;
    StrAppend(&allowed, named > 1 ? ", " : "", other.code());
    StrAppend(&allowed_zh, named > 1 ? "、" : "", other.label().zh());
  }
  const bool more = named > kNamedCodes;
  return InvalidArgument(
             common::v1::REASON_CODE_UNKNOWN,
             StrCat("'", PathOf(field), "' is not in the code list '", field.codes(),
                    "'; take one of ", allowed, more ? " … (see ListKinds)" : ""),
             StrCat("“", field.label().zh(), "”不在代码表中，可填：", allowed_zh, more ? "等" : ""))
      .With("codes", field.codes())
      .At(PathOf(field));
}

absl::StatusOr<std::string> RecordChecks::ReadNumber(const KindField& field,
                                                     std::string_view text) const {
  const std::string path = PathOf(field);
  const bool money = field.type() == common::v1::FIELD_TYPE_MONEY;
  const auto shown = [&](int64_t value) { return money ? FormatYuan(value) : StrCat(value); };
  int64_t value = 0;
  if (money) {
    const auto fen = ParseYuan(text);
    if (!fen.ok()) return AtField(fen.status(), path);
    value = *fen;
  } else if (!ParseInteger(text, &value)) {
    return Invalid(path, "must be a whole number", "应为整数");
  }
  if (field.min() < field.max() && (value < field.min() || value > field.max())) {
    return Invalid(path,
                   StrCat("must lie between ", shown(field.min()), " and ", shown(field.max())),
                   StrCat("应在 ", shown(field.min()), " 与 ", shown(field.max()), " 之间"));
  }
  return shown(value);
}

absl::Status RecordChecks::CheckOrganization(const std::string& path, const std::string& id,
                                             const std::string& on_date, bool open) const {
  if (on_date.empty() && options_.tree->Exists(id)) return absl::OkStatus();
  const auto* version = options_.tree->Find(id, on_date);
  if (version != nullptr) {
    if (!open || version->state != "closed") return absl::OkStatus();
    return FailedPrecondition(
               common::v1::REASON_ORGANIZATION_CLOSED,
               StrCat("organisation '", id, "' is closed since ", version->valid_from,
                      "; take an earlier date or its successor"),
               StrCat("组织“", id, "”已于 ", version->valid_from, " 撤销，请改日期或承接单位"))
        .With("organization", id)
        .At(path);
  }
  std::string founded;
  for (const auto& known : options_.tree->Versions(id)) {
    const bool believed = known.recorded_to_us == tree::kNow;
    if (believed && (founded.empty() || known.valid_from < founded)) founded = known.valid_from;
  }
  if (!founded.empty()) {
    return Invalid(path, StrCat("names an organisation founded on ", founded, ", after ", on_date),
                   StrCat("所指组织成立于 ", founded, "，晚于 ", on_date));
  }
  return NotFound(common::v1::REASON_REFERENCE_NOT_FOUND,
                  StrCat("there is no organisation '", id, "'; create it first or correct the id"),
                  StrCat("没有组织“", id, "”，请先建立或更正编码"))
      .With("organization", id)
      .At(path);
}

void RecordChecks::Begin(Row& row) const {
  if (kind_.states().empty()) return;
  row.state = kind_.states(0).name();
}

void RecordChecks::SetClock(const catalog::FactSource& source, std::string_view since,
                            Row& row) const {
  const auto* state = FindState(kind_, row.state);
  if (state == nullptr) return;
  const bool runs_on = since.empty() && catalog::ValueOf(source, state->limit_from()).empty();
  if (runs_on && !state->final()) return;
  row.due_date = DueDate(*options_.catalog, *options_.tree, *state, source, since);
}

absl::StatusOr<const common::v1::Transition*> RecordChecks::FindStep(std::string_view transition,
                                                                     const std::string& state,
                                                                     std::string path) const {
  bool known = false;
  std::string allowed;
  for (const auto& step : kind_.transitions()) {
    known = known || step.name() == transition;
    if (std::count(step.from().begin(), step.from().end(), state) == 0) continue;
    if (step.name() == transition) return &step;
    StrAppend(&allowed, allowed.empty() ? "" : ", ", step.name());
  }
  const auto code =
      known ? absl::StatusCode::kFailedPrecondition : absl::StatusCode::kInvalidArgument;
  const auto reason =
      known ? common::v1::REASON_STATE_FORBIDS : common::v1::REASON_TRANSITION_UNKNOWN;
  return Error(code, reason,
               StrCat("no step '", transition, "' leads on from state '", state,
                      "'; allowed: ", allowed.empty() ? "none" : allowed),
               StrCat("状态“", state, "”不能办理“", transition, "”，可办理：",
                      allowed.empty() ? "无" : allowed))
      .With("state", state)
      .With("allowed", allowed)
      .At(std::move(path));
}

absl::StatusOr<common::v1::RecordStep> RecordChecks::Step(std::string_view transition,
                                                          std::string_view on_date,
                                                          std::string path, std::string date_path,
                                                          Row& row) const {
  ASSIGN_OR_RETURN(const common::v1::Transition* step,
                   FindStep(transition, row.state, std::move(path)));
  const std::string since = EnteredLast(row);
  if (on_date < since) {
    return Invalid(date_path, StrCat("lies before ", since, ", when state '", row.state, "' began"),
                   StrCat("早于进入状态“", row.state, "”的日期 ", since));
  }
  for (const std::string& name : step->needs()) {
    if (ValueOf(kind_, row, name).empty()) return Required(PathOf(name), "");
  }
  common::v1::RecordStep taken;
  taken.set_transition(step->name());
  taken.set_from_state(row.state);
  taken.set_to_state(step->to());
  taken.set_on_date(std::string(on_date));
  if (!row.entered.try_emplace(step->to(), on_date).second) {
    row.entered[StrCat(step->to(), kAgain)] = on_date;
  }
  row.state = step->to();
  return taken;
}

void RecordChecks::JudgeRules(const RuleList& rules, const catalog::FactSource& source, bool warn,
                              Faults& faults) const {
  const std::string_view on_date = catalog::ValueOf(source, "on_date");
  const Values values(*options_.catalog, *options_.tree);
  for (const auto& rule : rules) {
    const bool in_force = (rule.valid_from().empty() || rule.valid_from() <= on_date) &&
                          (rule.valid_to().empty() || on_date < rule.valid_to());
    if (rule.warn() != warn || !in_force || !catalog::Holds(rule.when(), source)) continue;
    if (rule.relation().empty() || values.Breaks(rule, source)) {
      faults.push_back(Broken(rule, source));
    }
  }
}

void RecordChecks::CheckRules(const catalog::FactSource& source, Faults& faults) const {
  JudgeRules(kind_.rules(), source, /*warn=*/false, faults);
}

void RecordChecks::CheckSteps(const std::vector<common::v1::RecordStep>& steps,
                              const catalog::FactSource& source, Faults& faults) const {
  for (const auto& step : steps) {
    const common::v1::Transition* taken = TransitionOf(kind_, step);
    if (taken != nullptr) JudgeRules(taken->rules(), source, /*warn=*/false, faults);
  }
}

Faults RecordChecks::Warnings(const catalog::FactSource& source) const {
  Faults warnings;
  JudgeRules(kind_.rules(), source, /*warn=*/true, warnings);
  return warnings;
}

absl::Status RecordChecks::Broken(const common::v1::RecordRule& rule,
                                  const catalog::FactSource& source) const {
  const std::string citation = rule.citation().empty() ? "" : StrCat(" (", rule.citation(), ")");
  const KindField* field = options_.catalog->FindField(kind_, rule.left());
  // What the other side comes to, so that nobody has to work it out; texts may be personal.
  std::string allowed;
  if (!rule.relation().empty()) {
    allowed = Values(*options_.catalog, *options_.tree).RightOf(rule, source);
    int64_t number = 0;
    const bool is_number = ParseInteger(allowed, &number);
    if (!is_number && !ParseDate(allowed).ok()) allowed.clear();
    if (is_number && field != nullptr && field->type() == common::v1::FIELD_TYPE_MONEY) {
      allowed = FormatYuan(number);
    }
  }
  std::string times;
  if (rule.left_times() > 1) times = StrCat(" × ", rule.left_times());
  const std::string demand =
      allowed.empty() ? ""
                      : StrCat(" [", rule.left(), times, " ", rule.relation(), " ", allowed, "]");
  return InvalidArgument(common::v1::REASON_RULE_VIOLATED,
                         StrCat(rule.message().en(), demand, citation),
                         StrCat(rule.message().zh(), demand, citation))
      .With("rule", rule.name())
      .With("allowed", allowed)
      .At(PathOf(rule.left()));
}

}  // namespace gonghui::records
