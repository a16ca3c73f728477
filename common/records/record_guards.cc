#include "common/records/record_guards.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::records {
namespace {

using common::v1::Kind;

constexpr int64_t kMost = 100'000;  // Records of one kind in one organisation.
constexpr std::string_view kSeparator = "\x1f";

constexpr std::string_view kCreate = "create";

bool IsLocked(const Kind& kind, const Row& row) {
  return std::any_of(kind.states().begin(), kind.states().end(), [&](const auto& state) {
    return state.locked() && state.name() == row.state;
  });
}

absl::Status Locked(std::string_view state, std::string path) {
  return FailedPrecondition(
             common::v1::REASON_STATE_FORBIDS,
             StrCat("in state '", state,
                    "' it stays as it was laid before others; only a step leads on"),
             StrCat("已进入状态“", state, "”，内容锁定，不能修改或撤销，只能办理下一步骤"))
      .With("state", std::string(state))
      .At(std::move(path));
}

}  // namespace

absl::Status CheckUpper(const rpc::Call& call, const tree::OrganizationTree& tree, const Kind& kind,
                        const common::v1::RecordStep& step, const std::string& organization,
                        std::string path) {
  const common::v1::Transition* transition = TransitionOf(kind, step);
  if (transition == nullptr || !transition->by_upper()) return absl::OkStatus();
  const std::vector<std::string> above = tree.Path(organization, step.on_date());
  const std::string& upper = above.size() > 1 ? above[1] : organization;
  const absl::Status scope = call.CheckScope(upper);
  if (scope.code() != absl::StatusCode::kPermissionDenied) return scope;
  return PermissionDenied(ReasonOf(scope),
                          StrCat("step '", step.transition(), "' is for the upper organisation ",
                                 upper, " to take, which your rights do not cover; ask it"),
                          StrCat("“", transition->label().zh(), "”应由上级组织 ", upper,
                                 " 办理，您无此权限，请报上级"))
      .With("organization", upper)
      .At(std::move(path));
}

absl::Status CheckDuties(const rpc::Call& call, const Kind& kind,
                         const common::v1::RecordStep& step,
                         const std::vector<common::v1::RecordStep>& earlier,
                         const std::string& creator, std::string path) {
  const common::v1::Transition* transition = TransitionOf(kind, step);
  if (transition == nullptr) return absl::OkStatus();
  for (const std::string& other : transition->other_than()) {
    bool same = other == kCreate && creator == call.actor.subject;
    for (const auto& taken : earlier) {
      same = same || (taken.transition() == other && taken.actor() == call.actor.subject);
    }
    if (!same) continue;
    return FailedPrecondition(common::v1::REASON_DUTIES_NOT_SEPARATED,
                              StrCat("you took step '", other, "' of this record, so step '",
                                     step.transition(), "' is for somebody else"),
                              StrCat("您已办理“", other, "”，不相容职务应当分离，“",
                                     transition->label().zh(), "”须由他人办理"))
        .With("step", other)
        .At(std::move(path));
  }
  return absl::OkStatus();
}

absl::Status CheckUnlocked(const Kind& kind, const Row& row, std::string path) {
  return IsLocked(kind, row) ? Locked(row.state, std::move(path)) : absl::OkStatus();
}

absl::Status CheckUnlockedAbove(const Kind& kind, const Parent& parent, std::string_view prefix) {
  if (!kind.states().empty() || parent.row == nullptr || !IsLocked(*parent.kind, *parent.row)) {
    return absl::OkStatus();
  }
  const auto* field = FieldOfType(kind, common::v1::FIELD_TYPE_RECORD);
  return Locked(parent.row->state, StrCat(prefix, "fields.", field->name()));
}

absl::Status CheckStepFields(const Kind& kind, const Row& before, const Row& after,
                             std::string_view transition) {
  if (!IsLocked(kind, before)) return absl::OkStatus();
  common::v1::RecordStep step;
  step.set_transition(std::string(transition));
  step.set_from_state(before.state);
  const common::v1::Transition* taken = TransitionOf(kind, step);
  for (const auto& field : kind.fields()) {
    const std::string_view old = ValueOf(kind, before, field.name());
    if (field.has_computed() || old.empty() || old == ValueOf(kind, after, field.name())) continue;
    const bool needed = taken != nullptr &&
                        std::count(taken->needs().begin(), taken->needs().end(), field.name()) > 0;
    if (!needed) return Locked(before.state, StrCat("fields.", field.name()));
  }
  return absl::OkStatus();
}

bool StandingPersons::IsOver(const Kind& kind, const Row& row, const Parent& parent) const {
  if (row.cancelled) return true;
  for (const auto& state : kind.states()) {
    if (state.name() == row.state) return state.final();
  }
  return parent.row != nullptr && IsOver(*parent.kind, *parent.row, {});
}

bool StandingPersons::Concerns(const Row& row, const Parent& parent) const {
  return !kind_.one_per_person_in().empty() && !row.subject.empty() && !IsOver(kind_, row, parent);
}

absl::Status StandingPersons::Load(sql::Tx& tx, const std::set<std::string>& subjects,
                                   Purpose purpose) {
  standing_.clear();
  std::set<std::string> names;
  for (const std::string& subject : subjects) names.insert(StrCat("person:", subject));
  if (purpose == Purpose::kWrite) RETURN_IF_ERROR(LockNames(tx, call_.federation, names));
  ASSIGN_OR_RETURN(const auto rows, FindRowsOfPersons(tx, call_.federation, subjects));
  const auto& kinds = kind_.one_per_person_in();
  for (const Row& row : rows) {
    if (std::find(kinds.begin(), kinds.end(), row.kind) == kinds.end()) continue;
    const Kind* kind = options_.catalog->FindKind(row.kind);
    std::optional<Row> above;
    if (kind->states().empty() && !row.parent_id.empty()) {
      ASSIGN_OR_RETURN(above, FindRow(tx, call_.federation, row.parent_id));
    }
    Parent parent;
    if (above.has_value()) parent = {options_.catalog->FindKind(above->kind), &*above};
    if (!IsOver(*kind, row, parent)) standing_.emplace(row.subject, row.id);
  }
  return absl::OkStatus();
}

absl::Status StandingPersons::Take(const Row& row, std::string_view prefix) {
  const auto [it, added] = standing_.emplace(row.subject, row.id);
  if (added || it->second == row.id) return absl::OkStatus();
  const auto* field = FieldOfType(kind_, common::v1::FIELD_TYPE_PERSON);
  const std::string name = NameOf(options_, call_, it->second);
  return AlreadyExists(
             common::v1::REASON_ALREADY_EXISTS,
             StrCat("this person stands in another record already, ", name,
                    "; a person is in one at a time: end that one first or correct the number"),
             StrCat("此人已在另一条未结束的记录中：", name,
                    "，一人只能在一处，请先办结或更正证件号码"))
      .With("existing", name)
      .At(StrCat(prefix, "fields.", field->name()));
}

std::string NumberSeries::ScopeOf(const Row& row) const {
  std::string scope;
  for (int i = 0; i + 1 < kind_.key_size(); ++i) {
    StrAppend(&scope, ValueOf(kind_, row, kind_.key(i)), kSeparator);
  }
  return scope;
}

int64_t NumberSeries::NumberOf(const Row& row) const {
  int64_t number = 0;
  return ParseInteger(ValueOf(kind_, row, kind_.gap_free()), &number) ? number : 0;
}

absl::Status NumberSeries::Load(sql::Tx& tx, const std::set<std::string>& organizations,
                                Purpose purpose) {
  last_.clear();
  std::set<std::string> names;
  for (const std::string& id : organizations) names.insert(StrCat(kind_.name(), ":", id));
  if (purpose == Purpose::kWrite) RETURN_IF_ERROR(LockNames(tx, call_.federation, names));
  for (const std::string& id : organizations) {
    ListQuery query;
    query.kind = kind_.name();
    query.organizations = {id};
    query.limit = kMost;
    ASSIGN_OR_RETURN(const auto rows, ListRows(tx, call_.federation, query));
    for (const Row& row : rows) {
      if (row.cancelled) continue;
      int64_t& last = last_[ScopeOf(row)];
      last = std::max(last, NumberOf(row));
    }
  }
  return absl::OkStatus();
}

absl::Status NumberSeries::Take(Row& row, std::string_view prefix) {
  const auto [it, is_first] = last_.try_emplace(ScopeOf(row), 0);
  const int64_t given = NumberOf(row);
  const int64_t next = it->second + 1;
  if (given == 0) row.fields[kind_.gap_free()] = StrCat(next);
  if (given != 0 && given != next && !is_first) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           StrCat("'", kind_.gap_free(), "' must be ", next,
                                  ", the next of its series; enter the missing ones first or "
                                  "leave it empty"),
                           StrCat("序号应为 ", next, "，不得跳号，请先补录或留空"))
        .With("next", StrCat(next))
        .At(StrCat(prefix, "fields.", kind_.gap_free()));
  }
  it->second = given == 0 ? next : given;
  row.natural_key = NaturalKeyOf(kind_, row);
  return absl::OkStatus();
}

absl::Status NumberSeries::CheckLast(const Row& row) const {
  const auto last = last_.find(ScopeOf(row));
  if (last == last_.end() || last->second <= NumberOf(row)) return absl::OkStatus();
  return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                            StrCat("number ", NumberOf(row),
                                   " is not the last of its series, which has run up to ",
                                   last->second, "; cancel the later ones first"),
                            StrCat("第 ", NumberOf(row), " 号之后已有第 ", last->second,
                                   " 号，撤销会造成缺号，请先撤销后面的记录"))
      .With("last", StrCat(last->second))
      .At("name");
}

}  // namespace gonghui::records
