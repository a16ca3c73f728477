#include "common/catalog/catalog_checks.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "common/base/date.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::catalog {
namespace {

using common::v1::FieldType;
using common::v1::Kind;
using common::v1::KindField;

constexpr std::string_view kParent = "parent.";
constexpr std::string_view kEntered = "entered.";
constexpr std::string_view kAgain = ".again";
constexpr std::string_view kAlert = "alert.";
constexpr std::string_view kOverdue = "overdue.";
constexpr std::string_view kLimit = "limit.";
constexpr std::array<std::string_view, 5> kRelations = {"<=", "<", "=", ">=", ">"};
constexpr std::array<std::string_view, 4> kPeriods = {"", "year", "quarter", "month"};
constexpr std::string_view kCreate = "create";
// Columns of every record, whose names no field may take.
constexpr std::array<std::string_view, 7> kColumns = {"number",  "organization", "title",  "state",
                                                      "on_date", "ends_on",      "subject"};
// What rules can read of every record: the columns and what is derived from them. `subject` and
// `unit` stand for the field of that type; a field of the kind hides a derived one of its name.
// `began_by` and `ended_by` say "reorganisation" where a membership or an organisation's life goes
// on elsewhere or otherwise; else they are empty.
constexpr std::array<std::pair<std::string_view, FieldType>, 13> kBuiltIn = {{
    {"number", common::v1::FIELD_TYPE_TEXT},
    {"organization", common::v1::FIELD_TYPE_ORGANIZATION},
    {"title", common::v1::FIELD_TYPE_TEXT},
    {"state", common::v1::FIELD_TYPE_TEXT},
    {"on_date", common::v1::FIELD_TYPE_DATE},
    {"ends_on", common::v1::FIELD_TYPE_DATE},
    {"tier", common::v1::FIELD_TYPE_TEXT},
    {"year", common::v1::FIELD_TYPE_TEXT},
    {"month", common::v1::FIELD_TYPE_TEXT},
    {"subject", common::v1::FIELD_TYPE_PERSON},
    {"unit", common::v1::FIELD_TYPE_UNIT},
    {"began_by", common::v1::FIELD_TYPE_TEXT},
    {"ended_by", common::v1::FIELD_TYPE_TEXT},
}};

bool IsRecord(const Kind& kind) { return kind.noun().empty() || kind.noun() == "record"; }

int CountOf(const Kind& kind, FieldType type) {
  return static_cast<int>(std::count_if(kind.fields().begin(), kind.fields().end(),
                                        [&](const KindField& f) { return f.type() == type; }));
}

// The type of what rules read of a code of a checklist; nullopt for other names.
std::optional<FieldType> CodePart(std::string_view name) {
  if (name == "points") return common::v1::FIELD_TYPE_INTEGER;
  if (name == "must_pass") return common::v1::FIELD_TYPE_BOOLEAN;
  if (name == "group" || name == "code") return common::v1::FIELD_TYPE_TEXT;
  return std::nullopt;
}

bool IsNumber(std::optional<FieldType> type) {
  return type == common::v1::FIELD_TYPE_INTEGER || type == common::v1::FIELD_TYPE_MONEY;
}

// Whole numbers and dates stand for themselves; names begin with a letter.
bool IsLiteral(std::string_view name) {
  return !name.empty() && !absl::ascii_islower(static_cast<unsigned char>(name.front()));
}

// Checks one kind; each function returns the first fault.
class KindCheck {
 public:
  KindCheck(const Catalog& catalog, const Kind& kind, std::string_view where)
      : catalog_(catalog), kind_(kind), where_(where) {}

  absl::Status All() {
    RETURN_IF_ERROR(Fields());
    RETURN_IF_ERROR(States());
    for (const auto& rule : kind_.facts()) RETURN_IF_ERROR(Fact(rule));
    for (const auto& rule : kind_.postings()) RETURN_IF_ERROR(Posting(rule));
    for (const auto& rule : kind_.rules()) RETURN_IF_ERROR(Rule(rule));
    for (const auto& cap : kind_.caps()) RETURN_IF_ERROR(Cap(cap));
    return absl::OkStatus();
  }

 private:
  absl::Status Bad(std::string_view what, std::string_view what_zh) const {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID, StrCat(where_, ": ", what),
                           StrCat(where_, "：", what_zh));
  }
  absl::Status Unknown(std::string_view part, std::string_view what, std::string_view name) const {
    return Bad(StrCat(part, ": no ", what, " '", name, "'"), StrCat(part, "：没有“", name, "”"));
  }

  absl::Status Fields() {
    std::set<std::string_view> names;
    for (const KindField& field : kind_.fields()) {
      if (!IsSnake(field.name())) {
        return Bad(StrCat("field '", field.name(), "' must be lower_snake"), "字段名应为小写");
      }
      if (!names.insert(field.name()).second) {
        return Bad(StrCat("field '", field.name(), "' stands twice"),
                   StrCat("字段“", field.name(), "”重复"));
      }
      RETURN_IF_ERROR(Field(field));
    }
    for (FieldType type : {common::v1::FIELD_TYPE_RECORD, common::v1::FIELD_TYPE_PERSON}) {
      if (IsRecord(kind_) && CountOf(kind_, type) > 1) {
        return Bad(StrCat("two fields of type ", FieldType_Name(type), ", one is allowed"),
                   StrCat("类型 ", FieldType_Name(type), " 的字段只能有一个"));
      }
    }
    for (const std::string& key : kind_.key()) {
      if (!TypeOf(kind_, key)) return Unknown("key", "field", key);
    }
    for (const std::string& name : kind_.one_per_person_in()) {
      const Kind* other = catalog_.FindKind(name);
      if (other == nullptr) return Unknown("one_per_person_in", "kind", name);
      if (CountOf(*other, common::v1::FIELD_TYPE_PERSON) == 0) {
        return Bad(StrCat("one_per_person_in: kind '", name, "' has no person"),
                   StrCat("“", name, "”没有证件号码字段"));
      }
    }
    return GapFree();
  }

  absl::Status GapFree() const {
    if (kind_.gap_free().empty()) return absl::OkStatus();
    const auto& key = kind_.key();
    if (key.empty() || key[key.size() - 1] != kind_.gap_free() ||
        std::count(key.begin(), key.end(), "organization") == 0 ||
        TypeOf(kind_, kind_.gap_free()) != common::v1::FIELD_TYPE_INTEGER) {
      return Bad("gap_free must be an integer, the last of a key that holds organization",
                 "gap_free 应为整数、居键之末，且键含 organization");
    }
    return absl::OkStatus();
  }

  absl::Status Field(const KindField& field) const {
    const std::string part = StrCat("field '", field.name(), "'");
    if (IsRecord(kind_) && std::count(kColumns.begin(), kColumns.end(), field.name()) > 0) {
      return Bad(StrCat(part, " has the name of a built-in column"), "字段名与内置列相同");
    }
    if ((field.type() == common::v1::FIELD_TYPE_CODE) != !field.codes().empty()) {
      return Bad(StrCat(part, ": 'codes' goes with type code"), "codes 只用于类型 code");
    }
    if (!field.codes().empty()) {
      const auto* codes = catalog_.FindCodes(field.codes());
      if (codes == nullptr) return Unknown(part, "code list", field.codes());
      if (!field.default_value().empty() && !codes->open() &&
          catalog_.FindCode(field.codes(), field.default_value()) == nullptr) {
        return Unknown(part, "code", field.default_value());
      }
    }
    if ((field.type() == common::v1::FIELD_TYPE_RECORD) != !field.refers_to().empty()) {
      return Bad(StrCat(part, ": 'refers_to' goes with type record"),
                 "refers_to 只用于类型 record");
    }
    if (field.notice() && field.type() == common::v1::FIELD_TYPE_PERSON) {
      return Bad(StrCat(part, ": identity numbers are never shown in a notice"),
                 "证件号码不得公示");
    }
    if (field.has_computed()) RETURN_IF_ERROR(Computed(part, field));
    return field.refers_to().empty() ? absl::OkStatus() : Reference(part, field.refers_to());
  }

  absl::Status Computed(const std::string& part, const KindField& field) const {
    if (!IsNumber(field.type()) || field.required() || !IsRecord(kind_)) {
      return Bad(StrCat(part, ": only integers and money of records are computed, never required"),
                 "只有记录的整数、金额字段可以计算，且不能必填");
    }
    if (field.computed().terms().empty()) return Bad(StrCat(part, ": no terms"), "缺少算式");
    for (const auto& term : field.computed().terms()) RETURN_IF_ERROR(Term(part, term));
    for (const std::string& divisor : field.computed().divisors()) {
      RETURN_IF_ERROR(Operand(part, divisor));
    }
    return OperandIfAny(part, {field.computed().at_least(), field.computed().at_most()});
  }

  absl::Status OperandIfAny(const std::string& part, const std::vector<std::string>& names) const {
    for (const std::string& name : names) {
      if (!name.empty()) RETURN_IF_ERROR(Operand(part, name));
    }
    return absl::OkStatus();
  }

  absl::Status Term(const std::string& part, const common::v1::Term& term) const {
    if (!term.children().empty()) {
      const Kind* child = catalog_.FindKind(term.children());
      if (child == nullptr || ParentOf(*child) != &kind_ || child == &kind_) {
        return Unknown(part, "kind that refers to this one", term.children());
      }
      return KindCheck(catalog_, *child, where_).Value(part, term);
    }
    if (!term.codes().empty()) {
      if (catalog_.FindCodes(term.codes()) == nullptr) {
        return Unknown(part, "code list", term.codes());
      }
      for (const auto& condition : term.when()) {
        RETURN_IF_ERROR(OfCode(part, condition.field()));
        if (!condition.same_as().empty()) RETURN_IF_ERROR(OfCode(part, condition.same_as()));
      }
      for (const std::string& factor : term.by()) RETURN_IF_ERROR(OfCode(part, factor));
      return term.value().empty() ? absl::OkStatus() : OfCode(part, term.value());
    }
    return Value(part, term);
  }

  // A summand taken from a record of this kind.
  absl::Status Value(const std::string& part, const common::v1::Term& term) const {
    RETURN_IF_ERROR(Conditions(part, term.when()));
    RETURN_IF_ERROR(OperandIfAny(part, {term.by().begin(), term.by().end()}));
    if (term.since().empty()) return OperandIfAny(part, {term.value()});
    RETURN_IF_ERROR(OfType(part, term.since(), {common::v1::FIELD_TYPE_DATE}));
    if (term.value().empty()) return Bad(StrCat(part, ": since when until when?"), "缺少止期");
    return OfType(part, term.value(), {common::v1::FIELD_TYPE_DATE});
  }

  // What a code's condition reads: a part of the code, or of the record after "parent.".
  absl::Status OfCode(const std::string& part, std::string_view name) const {
    if (CodePart(name)) return absl::OkStatus();
    const bool known =
        name.starts_with(kParent) && TypeOf(kind_, name.substr(kParent.size())).has_value();
    return known ? absl::OkStatus() : Unknown(part, "part of a code", name);
  }

  // A number: literal, limit or field.
  absl::Status Operand(const std::string& part, std::string_view name) const {
    if (IsLiteral(name)) return absl::OkStatus();
    const auto type = TypeOf(kind_, name);
    if (!type) return Unknown(part, "field or limit", name);
    if (IsNumber(type)) return absl::OkStatus();
    return Bad(StrCat(part, ": '", name, "' is no number"), StrCat("“", name, "”不是数字"));
  }

  absl::Status Reference(const std::string& part, const std::string& refers_to) const {
    const Kind* target = catalog_.FindKind(refers_to);
    if (target == nullptr || !IsRecord(*target)) return Unknown(part, "kind of records", refers_to);
    return absl::OkStatus();
  }

  absl::Status States() const {
    std::set<std::string_view> names;
    for (const auto& state : kind_.states()) {
      if (!IsSnake(state.name()) || !names.insert(state.name()).second) {
        return Bad(StrCat("state '", state.name(), "' is no name or stands twice"),
                   StrCat("状态“", state.name(), "”无效或重复"));
      }
      if (state.limit_days() < 0) return Bad("limit_days is negative", "limit_days 为负");
      RETURN_IF_ERROR(Clock(state));
    }
    if (std::count_if(kind_.states().begin(), kind_.states().end(),
                      [](const auto& state) { return state.notice(); }) > 1) {
      return Bad("two states are public notices, one is allowed", "公示状态只能有一个");
    }
    std::set<std::pair<std::string_view, std::string_view>> steps;
    for (const auto& step : kind_.transitions()) {
      const std::string part = StrCat("transition '", step.name(), "'");
      if (!IsSnake(step.name())) return Bad(StrCat(part, " must be lower_snake"), "步骤名应为小写");
      if (step.from().empty()) return Bad(StrCat(part, ": 'from' is empty"), "缺少起始状态");
      for (const std::string& from : step.from()) {
        if (!names.contains(from)) return Unknown(part, "state", from);
        if (!steps.emplace(step.name(), from).second) {
          return Bad(StrCat(part, " leaves '", from, "' twice"), StrCat(part, " 重复"));
        }
      }
      if (!names.contains(step.to())) return Unknown(part, "state", step.to());
      RETURN_IF_ERROR(Step(part, step));
    }
    return absl::OkStatus();
  }

  absl::Status Step(const std::string& part, const common::v1::Transition& step) const {
    for (const std::string& name : step.needs()) {
      if (!TypeOf(kind_, name)) return Unknown(part, "field", name);
    }
    for (const std::string& other : step.other_than()) {
      const bool known =
          other == kCreate || std::any_of(kind_.transitions().begin(), kind_.transitions().end(),
                                          [&](const auto& t) { return t.name() == other; });
      if (!known) return Unknown(part, "step", other);
    }
    for (const auto& rule : step.rules()) RETURN_IF_ERROR(Rule(rule));
    return absl::OkStatus();
  }

  absl::Status Clock(const common::v1::State& state) const {
    const std::string part = StrCat("state '", state.name(), "'");
    RETURN_IF_ERROR(OfType(part, state.limit_from(), {common::v1::FIELD_TYPE_DATE}));
    if (!state.limit().empty()) {
      const std::string limit = StrCat(kLimit, state.limit());
      if (!TypeOf(kind_, limit)) return Unknown(part, "limit", state.limit());
    }
    return absl::OkStatus();
  }

  // "alert.STATE" or "overdue.STATE": the state has a clock and, for the former, warns.
  absl::Status ClockNamed(const std::string& part, std::string_view name) const {
    const bool alert = name.starts_with(kAlert);
    const std::string_view wanted = name.substr(alert ? kAlert.size() : kOverdue.size());
    for (const auto& state : kind_.states()) {
      const bool has_clock =
          state.limit_days() > 0 || !state.limit().empty() || !state.limit_from().empty();
      if (state.name() != wanted || state.final() || !has_clock) continue;
      if (!alert || state.alert_months_size() > 0) return absl::OkStatus();
    }
    return Unknown(part, alert ? "state that warns" : "state with a clock", wanted);
  }

  absl::Status Fact(const common::v1::FactRule& rule) const {
    const std::string part = StrCat("fact '", rule.measure(), "'");
    if (!IsSnake(rule.measure())) return Bad(StrCat(part, ": bad measure name"), "指标名无效");
    for (const std::string& state : {rule.in_state(), rule.until_state()}) {
      if (!state.empty() && !HasState(state)) return Unknown(part, "state", state);
    }
    for (const std::string& date : {rule.on(), rule.until()}) {
      if (date.starts_with(kAlert) || date.starts_with(kOverdue)) {
        RETURN_IF_ERROR(ClockNamed(part, date));
      } else {
        RETURN_IF_ERROR(OfType(part, date, {common::v1::FIELD_TYPE_DATE}));
      }
    }
    RETURN_IF_ERROR(OfType(part, rule.amount(),
                           {common::v1::FIELD_TYPE_INTEGER, common::v1::FIELD_TYPE_MONEY}));
    RETURN_IF_ERROR(Counted(part, rule.subject()));
    RETURN_IF_ERROR(Dimensions(part, rule.dimensions()));
    return Conditions(part, rule.when());
  }

  absl::Status Dimensions(
      const std::string& part,
      const google::protobuf::RepeatedPtrField<common::v1::DimensionRule>& dimensions) const {
    std::set<std::string_view> keys;
    for (const auto& dimension : dimensions) {
      if (!IsSnake(dimension.key()) || !keys.insert(dimension.key()).second) {
        return Bad(StrCat(part, ": dimension '", dimension.key(), "' is no name or stands twice"),
                   StrCat("维度“", dimension.key(), "”无效或重复"));
      }
      const auto& value = dimension.value();
      if (value.field().empty() == value.constant().empty()) {
        return Bad(StrCat(part, ": dimension '", dimension.key(), "' wants field or constant"),
                   StrCat("维度“", dimension.key(), "”应为字段或常量之一"));
      }
      RETURN_IF_ERROR(Counted(part, value.field()));
    }
    return absl::OkStatus();
  }

  absl::Status Posting(const common::v1::PostingRule& rule) const {
    const std::string part = "posting";
    if (!rule.in_state().empty() && !HasState(rule.in_state())) {
      return Unknown(part, "state", rule.in_state());
    }
    if (rule.entries_size() < 2) return Bad("posting: fewer than two entries", "分录不足两条");
    for (const auto& entry : rule.entries()) {
      if (entry.account().empty() == entry.account_from().empty()) {
        return Bad("posting: an entry wants account or account_from", "分录应有科目或科目来源之一");
      }
      if (entry.amount().empty()) return Bad("posting: an entry has no amount", "分录缺少金额");
      RETURN_IF_ERROR(OfType(part, entry.amount(), {common::v1::FIELD_TYPE_MONEY}));
      RETURN_IF_ERROR(Counted(part, entry.account_from()));
      RETURN_IF_ERROR(Dimensions(part, entry.dimensions()));
    }
    RETURN_IF_ERROR(OfType(part, rule.organization(), {common::v1::FIELD_TYPE_ORGANIZATION}));
    RETURN_IF_ERROR(OfType(part, rule.on(), {common::v1::FIELD_TYPE_DATE}));
    return Conditions(part, rule.when());
  }

  absl::Status Rule(const common::v1::RecordRule& rule) const {
    const std::string part = StrCat("rule '", rule.name(), "'");
    if (!TypeOf(kind_, rule.left())) return Unknown(part, "field", rule.left());
    if (rule.message().zh().empty() || rule.message().en().empty()) {
      return Bad(StrCat(part, ": 'message' is empty"), "缺少说明");
    }
    for (const std::string& date : {rule.valid_from(), rule.valid_to()}) {
      if (!date.empty()) RETURN_IF_ERROR(ParseDate(date).status());
    }
    RETURN_IF_ERROR(Conditions(part, rule.when()));
    if (!rule.relation().empty()) return Relation(part, rule);
    if (rule.when().empty() || !rule.right().empty()) {
      return Bad(StrCat(part, ": without relation it wants 'when' and no 'right'"),
                 "没有关系的规则应有 when 而无 right");
    }
    return absl::OkStatus();
  }

  absl::Status Cap(const common::v1::Cap& cap) const {
    const std::string part = StrCat("cap '", cap.name(), "'");
    if (!IsSnake(cap.name())) return Bad(StrCat(part, " must be lower_snake"), "名称应为小写");
    if (cap.message().zh().empty() || cap.message().en().empty()) {
      return Bad(StrCat(part, ": 'message' is empty"), "缺少说明");
    }
    if (cap.at_most().empty() && cap.at_least().empty()) {
      return Bad(StrCat(part, ": neither at_most nor at_least"), "缺少上限或下限");
    }
    if (std::find(kPeriods.begin(), kPeriods.end(), cap.within()) == kPeriods.end()) {
      return Unknown(part, "part of the calendar", cap.within());
    }
    for (const std::string& date : {cap.valid_from(), cap.valid_to()}) {
      if (!date.empty()) RETURN_IF_ERROR(ParseDate(date).status());
    }
    RETURN_IF_ERROR(Conditions(part, cap.when()));
    RETURN_IF_ERROR(OperandIfAny(part, {cap.at_most(), cap.at_least()}));
    RETURN_IF_ERROR(OfType(part, cap.on(), {common::v1::FIELD_TYPE_DATE}));
    std::vector<std::string> kinds(cap.kinds().begin(), cap.kinds().end());
    if (kinds.empty()) kinds.push_back(kind_.name());
    for (const std::string& name : kinds) {
      const Kind* kind = catalog_.FindKind(name);
      if (kind == nullptr || !IsRecord(*kind)) return Unknown(part, "kind of records", name);
      RETURN_IF_ERROR(KindCheck(catalog_, *kind, where_).CountedByCap(part, cap));
    }
    return absl::OkStatus();
  }

  // What a cap reads of the records that count; of this kind are some of them.
  absl::Status CountedByCap(const std::string& part, const common::v1::Cap& cap) const {
    RETURN_IF_ERROR(Conditions(part, cap.of()));
    for (const std::string& name : cap.per()) {
      if (!TypeOf(kind_, name)) return Unknown(part, StrCat("field of ", kind_.name()), name);
    }
    const std::string on = cap.within().empty() ? "" : cap.on();
    for (const std::string& date : {on, cap.since(), cap.until()}) {
      RETURN_IF_ERROR(OfType(part, date, {common::v1::FIELD_TYPE_DATE}));
    }
    for (const std::string& number : {cap.amount(), cap.above()}) {
      RETURN_IF_ERROR(
          OfType(part, number, {common::v1::FIELD_TYPE_INTEGER, common::v1::FIELD_TYPE_MONEY}));
    }
    return absl::OkStatus();
  }

  absl::Status Relation(const std::string& part, const common::v1::RecordRule& rule) const {
    if (std::find(kRelations.begin(), kRelations.end(), rule.relation()) == kRelations.end()) {
      return Unknown(part, "relation", rule.relation());
    }
    if (rule.right().empty()) return Bad(StrCat(part, ": 'right' is empty"), "缺少右边");
    if (!IsLiteral(rule.right()) && !TypeOf(kind_, rule.right())) {
      return Unknown(part, "field", rule.right());
    }
    return rule.plus().empty() ? absl::OkStatus() : Operand(part, rule.plus());
  }

  absl::Status Conditions(
      const std::string& part,
      const google::protobuf::RepeatedPtrField<common::v1::Condition>& conditions) const {
    for (const auto& condition : conditions) {
      if (!TypeOf(kind_, condition.field())) return Unknown(part, "field", condition.field());
      if (!condition.same_as().empty() && !TypeOf(kind_, condition.same_as())) {
        return Unknown(part, "field", condition.same_as());
      }
      for (const std::string& value : condition.in()) {
        const KindField* field = FieldOf(condition.field());
        if (field != nullptr && !field->codes().empty() &&
            !catalog_.FindCodes(field->codes())->open() && !HasCode(field->codes(), value)) {
          return Unknown(part, "code", value);
        }
        if (condition.field() == "state" && !HasState(value)) return Unknown(part, "state", value);
      }
    }
    return absl::OkStatus();
  }

  // The field, if named, exists and has one of the types.
  absl::Status OfType(const std::string& part, const std::string& name,
                      const std::set<FieldType>& types) const {
    if (name.empty()) return absl::OkStatus();
    const auto type = TypeOf(kind_, name);
    if (!type) return Unknown(part, "field", name);
    if (types.contains(*type)) return absl::OkStatus();
    return Bad(StrCat(part, ": field '", name, "' has the wrong type"),
               StrCat("字段“", name, "”类型不符"));
  }

  // The field, if named, exists and may stand in a fact: personal text may not.
  absl::Status Counted(const std::string& part, const std::string& name) const {
    if (name.empty()) return absl::OkStatus();
    if (!TypeOf(kind_, name)) return Unknown(part, "field", name);
    const KindField* field = FieldOf(name);
    if (field == nullptr || !field->pii() || field->type() == common::v1::FIELD_TYPE_PERSON) {
      return absl::OkStatus();
    }
    return Bad(StrCat(part, ": field '", name, "' is personal data"),
               StrCat("字段“", name, "”是个人信息"));
  }

  // The catalogue field of this kind or, after "parent.", of the kind pointed to.
  const KindField* FieldOf(std::string_view name) const {
    if (!name.starts_with(kParent)) return catalog_.FindField(kind_, name);
    const Kind* parent = ParentOf(kind_);
    return parent == nullptr ? nullptr : catalog_.FindField(*parent, name.substr(kParent.size()));
  }

  std::optional<FieldType> TypeOf(const Kind& kind, std::string_view name) const {
    if (name.starts_with(kParent)) {
      const Kind* parent = ParentOf(kind);
      name.remove_prefix(kParent.size());
      const bool own = name.starts_with(kParent) || name.starts_with(kEntered) ||
                       name.starts_with(kLimit) || name.starts_with(kAlert) ||
                       name.starts_with(kOverdue);  // Only of the record itself.
      return parent == nullptr || own ? std::nullopt : TypeOf(*parent, name);
    }
    if (const KindField* field = catalog_.FindField(kind, name)) return field->type();
    if (name.starts_with(kEntered)) {
      name.remove_prefix(kEntered.size());
      if (name.ends_with(kAgain)) name.remove_suffix(kAgain.size());
      const bool known = std::any_of(kind.states().begin(), kind.states().end(),
                                     [&](const auto& state) { return state.name() == name; });
      return known ? std::optional(common::v1::FIELD_TYPE_DATE) : std::nullopt;
    }
    if (name.starts_with(kLimit)) {
      const auto* limit = catalog_.FindLimit(name.substr(kLimit.size()));
      const bool known = limit != nullptr && (limit->by().empty() || TypeOf(kind, limit->by()));
      return known ? std::optional(common::v1::FIELD_TYPE_INTEGER) : std::nullopt;
    }
    if (const size_t dot = name.find('.'); dot != name.npos) {
      const KindField* field = catalog_.FindField(kind, name.substr(0, dot));
      return field == nullptr || field->codes().empty() ? std::nullopt
                                                        : CodePart(name.substr(dot + 1));
    }
    for (const auto& [built_in, type] : kBuiltIn) {
      if (built_in != name) continue;
      const bool stands_for_one = name == "subject" || name == "unit";
      if (stands_for_one && IsRecord(kind) && CountOf(kind, type) == 0) return std::nullopt;
      return type;
    }
    return std::nullopt;
  }

  const Kind* ParentOf(const Kind& kind) const {
    for (const KindField& field : kind.fields()) {
      if (!field.refers_to().empty()) return catalog_.FindKind(field.refers_to());
    }
    return nullptr;
  }

  bool HasState(std::string_view name) const {
    return std::any_of(kind_.states().begin(), kind_.states().end(),
                       [&](const auto& state) { return state.name() == name; });
  }
  // Exactly as stored: labels and aliases are not accepted in rules.
  bool HasCode(const std::string& list, const std::string& value) const {
    const auto* code = catalog_.FindCode(list, value);
    return code != nullptr && code->code() == value;
  }

  const Catalog& catalog_;
  const Kind& kind_;
  const std::string_view where_;
};

}  // namespace

bool IsSnake(std::string_view name) {
  if (name.empty() || !absl::ascii_islower(name.front())) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_';
  });
}

absl::Status CheckKind(const Catalog& catalog, const Kind& kind, std::string_view where) {
  return KindCheck(catalog, kind, where).All();
}

}  // namespace gonghui::catalog
