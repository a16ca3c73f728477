#include "common/records/record_change.h"

#include <algorithm>
#include <utility>

#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/records/record_caps.h"
#include "common/records/record_counts.h"
#include "common/records/record_guards.h"
#include "common/records/record_values.h"
#include "common/rpc/update.h"

namespace gonghui::records {
namespace {

using common::v1::Kind;
using common::v1::KindField;

constexpr std::string_view kParent = "parent.";

absl::Status Missing(std::string_view name) {
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("there is no record ", name, "; ListRecords shows those there are"),
                  StrCat("没有记录 ", name, "，可用 ListRecords 查询"))
      .With("name", std::string(name))
      .At("name");
}

// True when the rule takes something from the record's parent.
bool ReadsParent(const common::v1::FactRule& rule) {
  const auto is_parents = [](std::string_view name) { return name.starts_with(kParent); };
  return is_parents(rule.on()) || is_parents(rule.until()) || is_parents(rule.amount()) ||
         is_parents(rule.subject()) ||
         std::any_of(rule.when().begin(), rule.when().end(),
                     [&](const auto& condition) { return is_parents(condition.field()); }) ||
         std::any_of(rule.dimensions().begin(), rule.dimensions().end(),
                     [&](const auto& dimension) { return is_parents(dimension.value().field()); });
}

bool RefersTo(const Kind& child, const Kind& parent) {
  const KindField* field = FieldOfType(child, common::v1::FIELD_TYPE_RECORD);
  return field != nullptr && field->refers_to() == parent.name();
}

absl::StatusOr<std::vector<common::v1::Fact>> ChangedFacts(const Kind& kind,
                                                           const catalog::FactSource& before,
                                                           const catalog::FactSource& after) {
  ASSIGN_OR_RETURN(const auto old_facts, catalog::FactsOf(kind, before));
  ASSIGN_OR_RETURN(const auto new_facts, catalog::FactsOf(kind, after));
  return catalog::FactChanges(old_facts, new_facts);
}

}  // namespace

absl::StatusOr<Target> FindTarget(const Records::Options& options, rpc::Call& call,
                                  std::string_view name) {
  const std::string pattern = StrCat("federations/{federation}/", options.collection, "/{record}");
  auto ids = ParseName(pattern, name);
  if (!ids.ok()) return AtField(ids.status(), "name");
  std::optional<Row> row;
  Target target;
  RETURN_IF_ERROR(options.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(row, FindRow(tx, call.federation, (*ids)["record"]));
    if (!row.has_value()) return absl::OkStatus();
    ASSIGN_OR_RETURN(target.steps, FindSteps(tx, call.federation, row->id));
    return absl::OkStatus();
  }));
  if (!row.has_value()) return Missing(name);
  RETURN_IF_ERROR(call.CheckScope(row->organization));
  target.kind = options.catalog->FindKind(row->kind);
  if (target.kind == nullptr) {
    return Internal(StrCat("kind ", row->kind, " has gone from the catalogue but has records"));
  }
  target.row = *std::move(row);
  return target;
}

absl::StatusOr<RecordChange> RecordChange::Open(const Records::Options& options, rpc::Call& call,
                                                std::string_view name) {
  ASSIGN_OR_RETURN(const Target target, FindTarget(options, call, name));
  RecordChange change(options, call);
  change.kind_ = target.kind;
  change.id_ = target.row.id;
  ASSIGN_OR_RETURN(change.tree_, options.tree->Get(call.federation, target.row.organization));
  return change;
}

absl::Status RecordChange::Begin(sql::Tx& tx, std::string_view etag) {
  ASSIGN_OR_RETURN(std::optional<Row> row, FindRow(tx, call_.federation, id_));
  if (!row.has_value()) return Missing(NameOf(options_, call_, id_));
  RETURN_IF_ERROR(rpc::CheckEtag(etag, row->version));
  if (row->cancelled) {
    return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                              "the record was cancelled and stays as it is; create another",
                              "该记录已撤销，不能再改，请重新录入")
        .With("state", "cancelled")
        .With("allowed", "");
  }
  before_ = *std::move(row);
  after_ = before_;
  steps_.clear();
  return absl::OkStatus();
}

common::v1::Record RecordChange::AsRecord() const {
  return ToRecord(*kind_, before_, NameOf(options_, call_, id_));
}

absl::Status RecordChange::CheckOpen(std::string path) const {
  return CheckUnlocked(*kind_, before_, std::move(path));
}

absl::Status RecordChange::SeeOrganizations(const common::v1::Record& record) {
  return records::SeeOrganizations(options_, call_, *kind_, record, tree_);
}

absl::Status RecordChange::Read(const common::v1::Record& record, std::string prefix) {
  prefix_ = prefix;
  Faults faults;
  ChecksFor(options_, call_, *kind_, *tree_, std::move(prefix))
      .Read(record, &before_, after_, faults);
  return faults.empty() ? absl::OkStatus() : faults.front();
}

absl::Status RecordChange::Step(sql::Tx& tx, const std::string& transition,
                                const std::string& on_date, const std::string& remark) {
  const RecordChecks checks = ChecksFor(options_, call_, *kind_, *tree_, "");
  ASSIGN_OR_RETURN(auto step, checks.Step(transition, on_date, "transition", "on_date", after_));
  RETURN_IF_ERROR(CheckStepFields(*kind_, before_, after_, transition));
  RETURN_IF_ERROR(CheckUpper(call_, *tree_, *kind_, step, after_.organization, "transition"));
  ASSIGN_OR_RETURN(const auto earlier, FindSteps(tx, call_.federation, id_));
  RETURN_IF_ERROR(CheckDuties(call_, *kind_, step, earlier, before_.created_by, "transition"));
  step.set_remark(remark);
  steps_.push_back(std::move(step));
  return absl::OkStatus();
}

absl::Status RecordChange::Cancel(sql::Tx& tx, const std::string& remark) {
  RETURN_IF_ERROR(CheckOpen("name"));
  ASSIGN_OR_RETURN(const auto children, FindChildren(tx, call_.federation, id_, "", 1));
  if (!children.empty()) {
    const std::string child = NameOf(options_, call_, children[0].id);
    return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                              StrCat("other records refer to this one, for example ", child,
                                     "; cancel them first"),
                              StrCat("还有记录引用本记录，例如 ", child, "，请先撤销它们"))
        .With("state", before_.state)
        .With("child", child);
  }
  after_.cancelled = true;
  after_.due_date.clear();
  common::v1::RecordStep step;
  step.set_transition("cancel");
  step.set_from_state(before_.state);
  step.set_to_state(before_.state);
  step.set_on_date(call_.Today());
  step.set_remark(remark);
  steps_.push_back(std::move(step));
  return absl::OkStatus();
}

absl::StatusOr<common::v1::Record> RecordChange::Save(sql::Tx& tx, std::string_view event_type) {
  RETURN_IF_ERROR(FindParents(tx));
  std::vector<Row> children;
  if (SumsOverAny(*kind_)) {
    ASSIGN_OR_RETURN(children, AllChildren(tx, call_.federation, id_));
  }
  const auto before =
      ToSource(*options_.catalog, *kind_, before_, ParentWith(parent_before_), *tree_);
  const auto after = Values(*options_.catalog, *tree_)
                         .Compute(*kind_, ParentWith(parent_after_), children, after_);
  const RecordChecks checks = ChecksFor(options_, call_, *kind_, *tree_, prefix_);
  if (!after_.cancelled) checks.SetClock(after, Since(), after_);
  if (after_ == before_ && steps_.empty()) return AsRecord();
  for (const auto& parent : {parent_before_, parent_after_}) {
    RETURN_IF_ERROR(CheckUnlockedAbove(*kind_, ParentWith(parent), prefix_));
  }
  RETURN_IF_ERROR(CheckKey(tx));
  Faults warnings;
  if (!after_.cancelled) {
    Faults faults;
    checks.CheckSteps(steps_, after, faults);
    checks.CheckRules(after, faults);
    if (!faults.empty()) return faults.front();
    RETURN_IF_ERROR(CheckCaps(tx, after, warnings));
  }
  RETURN_IF_ERROR(CheckGuards(tx));
  after_.version = before_.version + 1;
  after_.actor = call_.actor.subject;
  after_.update_time_us = call_.clock->NowMicros();
  RETURN_IF_ERROR(UpdateRow(tx, call_.federation, after_));
  if (!steps_.empty()) {
    for (auto& step : steps_) {
      step.set_actor(after_.actor);
      step.set_create_time_us(after_.update_time_us);
    }
    ASSIGN_OR_RETURN(const auto earlier, FindSteps(tx, call_.federation, id_));
    const StepsOf added = {&id_, &steps_, static_cast<int64_t>(earlier.size())};
    RETURN_IF_ERROR(InsertSteps(tx, call_.federation, {&added, 1}));
  }
  feed::v1::Event event = NewEvent(options_, event_type);
  const std::string name = NameOf(options_, call_, id_);
  event.add_resources(name);
  ASSIGN_OR_RETURN(auto changes, ChangedFacts(*kind_, before, after));
  AddFacts(name, std::move(changes), event);
  if (before.fields != after.fields) RETURN_IF_ERROR(AddChildFacts(tx, event));
  RETURN_IF_ERROR(CallHook(options_, call_, tx, *kind_, {{&after_, &before, &after}}, event));
  RETURN_IF_ERROR(CountAbove(tx, event));
  RETURN_IF_ERROR(feed::Append(tx, call_, std::move(event)));
  common::v1::Record record = ToRecord(*kind_, after_, name);
  if (!after_.cancelled) {
    AddWarnings(ChecksFor(options_, call_, *kind_, *tree_, "").Warnings(after), record);
    AddWarnings(warnings, record);
  }
  return record;
}

absl::Status RecordChange::FindParents(sql::Tx& tx) {
  parent_before_.reset();
  parent_after_.reset();
  const KindField* field = FieldOfType(*kind_, common::v1::FIELD_TYPE_RECORD);
  if (field == nullptr) return absl::OkStatus();
  if (!before_.parent_id.empty()) {
    ASSIGN_OR_RETURN(parent_before_, FindRow(tx, call_.federation, before_.parent_id));
  }
  const std::string number(ValueOf(*kind_, after_, field->name()));
  if (number == ValueOf(*kind_, before_, field->name())) {
    parent_after_ = parent_before_;
    return absl::OkStatus();
  }
  after_.parent_id.clear();
  if (number.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(auto found,
                   FindReferred(tx, call_.federation,
                                *options_.catalog->FindKind(field->refers_to()), {number}));
  if (found.empty()) return ParentMissing(*field, number, prefix_);
  parent_after_ = std::move(found.begin()->second);
  after_.parent_id = parent_after_->id;
  return absl::OkStatus();
}

absl::Status RecordChange::CheckKey(sql::Tx& tx) {
  after_.natural_key = NaturalKeyOf(*kind_, after_);
  if (after_.cancelled) {
    // Frees the key for a corrected record.
    after_.natural_key = StrCat(before_.natural_key, "#cancelled#", id_);
    return absl::OkStatus();
  }
  if (after_.natural_key == before_.natural_key) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto taken,
                   FindRowsByKey(tx, call_.federation, kind_->name(), {after_.natural_key}));
  if (taken.empty()) return absl::OkStatus();
  return KeyTaken(*kind_, NameOf(options_, call_, taken.begin()->second.id), prefix_);
}

std::string RecordChange::Since() const {
  if (!steps_.empty()) return steps_.back().on_date();
  return after_.entered.empty() ? after_.on_date : "";
}

absl::Status RecordChange::CheckGuards(sql::Tx& tx) const {
  StandingPersons persons(options_, call_, *kind_);
  const bool stood =
      after_.subject == before_.subject && persons.Concerns(before_, ParentWith(parent_before_));
  if (!stood && persons.Concerns(after_, ParentWith(parent_after_))) {
    RETURN_IF_ERROR(persons.Load(tx, {after_.subject}, Purpose::kWrite));
    RETURN_IF_ERROR(persons.Take(after_, prefix_));
  }
  if (kind_->gap_free().empty()) return absl::OkStatus();
  if (after_.cancelled) {
    NumberSeries series(options_, call_, *kind_);
    RETURN_IF_ERROR(series.Load(tx, {after_.organization}, Purpose::kWrite));
    return series.CheckLast(before_);
  }
  if (after_.natural_key == before_.natural_key) return absl::OkStatus();
  return InvalidArgument(
             common::v1::REASON_UPDATE_MASK_INVALID,
             "a record's place in its series never changes; cancel it and create another",
             "记录的序号不能修改，请撤销后重新录入")
      .At(StrCat(prefix_, "fields.", kind_->gap_free()));
}

absl::Status RecordChange::CheckCaps(sql::Tx& tx, const catalog::FactSource& after,
                                     Faults& warnings) const {
  Caps caps(options_, call_, *kind_, *tree_);
  RETURN_IF_ERROR(caps.Load(tx, {{&after_, &after}}, Purpose::kWrite));
  Faults faults;
  RETURN_IF_ERROR(caps.Take(tx, {&after_, &after}, prefix_, faults, warnings));
  return faults.empty() ? absl::OkStatus() : faults.front();
}

absl::Status RecordChange::CountAbove(sql::Tx& tx, feed::v1::Event& event) const {
  const Recounting recounting(options_, call_, *tree_);
  if (before_.parent_id != after_.parent_id) {
    RETURN_IF_ERROR(recounting.Follow(tx, *kind_, before_.parent_id, after_, prefix_, event));
  }
  return recounting.Follow(tx, *kind_, after_.parent_id, after_, prefix_, event);
}

bool RecordChange::IsReadByChildren() const {
  for (const Kind* kind : options_.catalog->Kinds()) {
    if (RefersTo(*kind, *kind_) &&
        std::any_of(kind->facts().begin(), kind->facts().end(), ReadsParent)) {
      return true;
    }
  }
  return false;
}

absl::Status RecordChange::AddChildFacts(sql::Tx& tx, feed::v1::Event& event) const {
  if (!IsReadByChildren()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto children, AllChildren(tx, call_.federation, id_));
  for (const Row& child : children) {
    const Kind* kind = options_.catalog->FindKind(child.kind);
    if (kind == nullptr) continue;
    const auto before = ToSource(*options_.catalog, *kind, child, {kind_, &before_}, *tree_);
    const auto after = ToSource(*options_.catalog, *kind, child, {kind_, &after_}, *tree_);
    ASSIGN_OR_RETURN(auto changes, ChangedFacts(*kind, before, after));
    AddFacts(NameOf(options_, call_, child.id), std::move(changes), event);
  }
  return absl::OkStatus();
}

Parent RecordChange::ParentWith(const std::optional<Row>& row) const {
  if (!row.has_value()) return {};
  return {options_.catalog->FindKind(row->kind), &*row};
}

}  // namespace gonghui::records
