#include "common/catalog/catalog_checks.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

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
constexpr std::array<std::string_view, 5> kRelations = {"<=", "<", "=", ">=", ">"};
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
    return field.refers_to().empty() ? absl::OkStatus() : Reference(part, field.refers_to());
  }

  absl::Status Reference(const std::string& part, const std::string& refers_to) const {
    const Kind* target = catalog_.FindKind(refers_to);
    if (target == nullptr || !IsRecord(*target)) return Unknown(part, "kind of records", refers_to);
    if (target->key_size() > 1 || (target->key_size() == 1 && target->key(0) != "number")) {
      return Bad(StrCat(part, ": kind '", refers_to, "' must have the key [number]"),
                 StrCat("被引用的“", refers_to, "”应以编号为键"));
    }
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
      for (const std::string& name : step.needs()) {
        if (!TypeOf(kind_, name)) return Unknown(part, "field", name);
      }
    }
    return absl::OkStatus();
  }

  absl::Status Fact(const common::v1::FactRule& rule) const {
    const std::string part = StrCat("fact '", rule.measure(), "'");
    if (!IsSnake(rule.measure())) return Bad(StrCat(part, ": bad measure name"), "指标名无效");
    for (const std::string& state : {rule.in_state(), rule.until_state()}) {
      if (!state.empty() && !HasState(state)) return Unknown(part, "state", state);
    }
    for (const std::string& date : {rule.on(), rule.until()}) {
      RETURN_IF_ERROR(OfType(part, date, {common::v1::FIELD_TYPE_DATE}));
    }
    RETURN_IF_ERROR(OfType(part, rule.amount(),
                           {common::v1::FIELD_TYPE_INTEGER, common::v1::FIELD_TYPE_MONEY}));
    RETURN_IF_ERROR(Counted(part, rule.subject()));
    std::set<std::string_view> keys;
    for (const auto& dimension : rule.dimensions()) {
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
    return Conditions(part, rule.when());
  }

  absl::Status Posting(const common::v1::PostingRule& rule) const {
    const std::string part = "posting";
    if (!rule.in_state().empty() && !HasState(rule.in_state())) {
      return Unknown(part, "state", rule.in_state());
    }
    if (rule.entries_size() < 2) return Bad("posting: fewer than two entries", "分录不足两条");
    for (const auto& entry : rule.entries()) {
      if (entry.account().empty()) return Bad("posting: an entry has no account", "分录缺少科目");
      if (entry.amount().empty()) return Bad("posting: an entry has no amount", "分录缺少金额");
      RETURN_IF_ERROR(OfType(part, entry.amount(), {common::v1::FIELD_TYPE_MONEY}));
    }
    RETURN_IF_ERROR(OfType(part, rule.on(), {common::v1::FIELD_TYPE_DATE}));
    return Conditions(part, rule.when());
  }

  absl::Status Rule(const common::v1::RecordRule& rule) const {
    const std::string part = StrCat("rule '", rule.name(), "'");
    if (!TypeOf(kind_, rule.left())) return Unknown(part, "field", rule.left());
    if (std::find(kRelations.begin(), kRelations.end(), rule.relation()) == kRelations.end()) {
      return Unknown(part, "relation", rule.relation());
    }
    if (rule.right().empty()) return Bad(StrCat(part, ": 'right' is empty"), "缺少右边");
    // Names begin with a letter; numbers and dates stand for themselves.
    if (absl::ascii_islower(rule.right().front()) && !TypeOf(kind_, rule.right())) {
      return Unknown(part, "field", rule.right());
    }
    if (rule.message().zh().empty() || rule.message().en().empty()) {
      return Bad(StrCat(part, ": 'message' is empty"), "缺少说明");
    }
    for (const std::string& date : {rule.valid_from(), rule.valid_to()}) {
      if (!date.empty()) RETURN_IF_ERROR(ParseDate(date).status());
    }
    return Conditions(part, rule.when());
  }

  absl::Status Conditions(
      const std::string& part,
      const google::protobuf::RepeatedPtrField<common::v1::Condition>& conditions) const {
    for (const auto& condition : conditions) {
      if (!TypeOf(kind_, condition.field())) return Unknown(part, "field", condition.field());
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
      return parent == nullptr || name.starts_with(kParent) ? std::nullopt : TypeOf(*parent, name);
    }
    if (const KindField* field = catalog_.FindField(kind, name)) return field->type();
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
