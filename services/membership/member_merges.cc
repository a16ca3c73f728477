#include "services/membership/member_merges.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "common/base/id.h"
#include "common/base/resource_name.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/update.h"
#include "nlohmann/json.hpp"
#include "services/membership/member_merge_cards.h"

namespace gonghui::membership {
namespace {

using nlohmann::json;

constexpr sql::Query kInsert{
    "membership.insert_member_merge",
    "INSERT INTO member_merges (tenant, merge_id, survivor, absorbed, undo, conflicts, "
    "survivor_version, absorbed_version, actor, create_time_us, unmerge_time_us, version) VALUES "
    "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 1)"};
constexpr sql::Query kFind{
    "membership.find_member_merge",
    "SELECT survivor, absorbed, undo, conflicts, survivor_version, absorbed_version, actor, "
    "create_time_us, unmerge_time_us, version FROM member_merges WHERE tenant=$1 AND merge_id=$2"};
constexpr sql::Query kUnmerged{
    "membership.unmerge_members",
    "UPDATE member_merges SET unmerge_time_us=$3, version=version+1 WHERE tenant=$1 AND "
    "merge_id=$2 AND unmerge_time_us=0"};
// The two records may exchange their numbers: none stands twice in between.
constexpr sql::Query kFreeIndex{"membership.free_id_index",
                                "UPDATE members SET id_index=$3 WHERE tenant=$1 AND member_id=$2"};
constexpr sql::Query kMoveWork{
    "membership.move_employments",
    "UPDATE employments SET member_id=$3 WHERE tenant=$1 AND member_id=$2"};
constexpr sql::Query kMoveOneWork{
    "membership.move_employment",
    "UPDATE employments SET member_id=$3 WHERE tenant=$1 AND member_id=$2 AND employment_id=$4"};
constexpr sql::Query kListWork{
    "membership.list_employment_ids",
    "SELECT employment_id FROM employments WHERE tenant=$1 AND member_id=$2"};
constexpr sql::Query kDropRetentions{
    "membership.drop_retentions",
    "DELETE FROM member_retentions WHERE tenant=$1 AND member_id=$2 AND seq>$3"};

constexpr std::string_view kMemberships = "memberships";
constexpr std::string_view kNumber = "id_number";
// Fields that each record has one value of. Sex and birth date belong to the number.
constexpr std::string_view kFields[] = {"full_name", "phone",       "employment",
                                        "education", "skill_level", "political_status",
                                        "job",       "worker_group"};

const google::protobuf::FieldDescriptor* FieldOf(std::string_view name) {
  return v1::Member::descriptor()->FindFieldByName(std::string(name));
}

std::string Value(const v1::Member& member, std::string_view field) {
  return member.GetReflection()->GetString(member, FieldOf(field));
}

json ToJson(const MemberRow& row, const std::vector<PastMembership>& past, size_t retentions) {
  json memberships = json::array();
  for (const PastMembership& m : past) {
    memberships.push_back({m.organization, m.joined_on, m.left_on, m.leave_reason});
  }
  return {{"member", absl::BytesToHexString(row.member.SerializeAsString())},
          {"id_index", row.id_index},
          {"leave_reason", row.leave_reason},
          {"retain_reason", row.retain_reason},
          {"past", memberships},
          {"retentions", retentions}};
}

void FromJson(const json& from, MemberEdit& edit) {
  MemberRow& row = edit.row();
  row.member.ParseFromString(absl::HexStringToBytes(from.at("member").get<std::string>()));
  row.id_index = from.at("id_index");
  row.leave_reason = from.at("leave_reason");
  row.retain_reason = from.at("retain_reason");
  edit.past().clear();
  for (const json& m : from.at("past")) {
    edit.past().push_back({m.at(0), m.at(1), m.at(2), m.at(3)});
  }
}

bool Overlap(const std::vector<PastMembership>& in_order) {
  for (size_t i = 1; i < in_order.size(); ++i) {
    const std::string& left_on = in_order[i - 1].left_on;
    if (left_on.empty() || left_on > in_order[i].joined_on) return true;
  }
  return false;
}

std::string MergeName(std::string_view federation, std::string_view id) {
  return StrCat("federations/", federation, "/memberMerges/", id);
}

Error UnknownMerge(std::string_view id) {
  return NotFound(common::v1::REASON_NOT_FOUND, StrCat("there is no merger '", id, "'"),
                  StrCat("没有合并记录“", id, "”"))
      .At("name");
}

v1::MemberEvent Happened(v1::MemberEventKind kind, const rpc::Call& call, const v1::Member& member,
                         const std::string& related) {
  v1::MemberEvent event;
  event.set_kind(kind);
  event.set_on_date(call.Today());
  event.set_organization(member.organization());
  event.set_related(related);
  return event;
}

}  // namespace

// A merger worked out on copies.
struct MemberMerges::Plan {
  MemberEdit survivor;
  MemberEdit absorbed;
  std::vector<Retention> survivor_retentions;
  std::vector<Retention> absorbed_retentions;
  v1::MemberMerge merge;        // The conflicts.
  std::set<std::string> taken;  // Conflicting fields whose absorbed value holds.
  bool carries_retentions = false;
};

struct MemberMerges::Stored {
  v1::MemberMerge merge;
  json undo;
  int64_t survivor_version;
  int64_t absorbed_version;
  int64_t version;
};

absl::StatusOr<MemberMerges::Plan> MemberMerges::MakePlan(
    sql::Tx& tx, const rpc::Call& call, const v1::MergeMembersRequest& request) const {
  const std::string survivor_id(LeafOf(request.survivor()));
  const std::string absorbed_id(LeafOf(request.absorbed()));
  ASSIGN_OR_RETURN(MemberEdit survivor,
                   MemberEdit::Begin(tx, register_, call.federation, survivor_id, "survivor"));
  ASSIGN_OR_RETURN(MemberEdit absorbed,
                   MemberEdit::Begin(tx, register_, call.federation, absorbed_id, "absorbed"));
  for (const MemberEdit* edit : {&survivor, &absorbed}) {
    RETURN_IF_ERROR(call.CheckScope(edit->member().organization()));
    if (edit->member().state() == kMerged) return edit->ExpectState("active");
  }
  Plan plan{.survivor = std::move(survivor), .absorbed = std::move(absorbed)};
  ASSIGN_OR_RETURN(plan.survivor_retentions, FindRetentions(tx, call.federation, survivor_id));
  ASSIGN_OR_RETURN(plan.absorbed_retentions, FindRetentions(tx, call.federation, absorbed_id));
  const v1::Member mine = MaskedView(call.federation, plan.survivor.row());
  const v1::Member theirs = MaskedView(call.federation, plan.absorbed.row());
  const auto conflict = [&](std::string_view field, const std::string& a, const std::string& b) {
    v1::MergeConflict& added = *plan.merge.add_conflicts();
    added.set_field(std::string(field));
    added.set_survivor(a);
    added.set_absorbed(b);
  };
  conflict(kNumber, mine.id_number(), theirs.id_number());
  for (std::string_view field : kFields) {
    const std::string a = Value(plan.survivor.member(), field);
    const std::string b = Value(plan.absorbed.member(), field);
    if (!a.empty() && !b.empty() && a != b)
      conflict(field, Value(mine, field), Value(theirs, field));
    if (a.empty() && !b.empty()) plan.taken.insert(std::string(field));
  }
  std::vector<PastMembership> all = MembershipsOf(plan.survivor.row(), plan.survivor.past());
  const std::vector<PastMembership> more = MembershipsOf(plan.absorbed.row(), plan.absorbed.past());
  all.insert(all.end(), more.begin(), more.end());
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.joined_on < b.joined_on; });
  if (Overlap(all)) {
    const auto last = [](const v1::Member& m) {
      return StrCat(m.organization(), " ", m.joined_on(), "/", m.left_on());
    };
    conflict(kMemberships, last(mine), last(theirs));
  }
  return plan;
}

namespace {

// Which conflicts the request leaves open; adds what it takes to `taken`.
std::vector<std::string> Decide(const v1::MergeMembersRequest& request,
                                const v1::MemberMerge& merge, std::set<std::string>& taken) {
  const std::set<std::string> take(request.take_absorbed().begin(), request.take_absorbed().end());
  const std::set<std::string> keep(request.keep_survivor().begin(), request.keep_survivor().end());
  std::vector<std::string> open;
  for (const v1::MergeConflict& conflict : merge.conflicts()) {
    if (take.contains(conflict.field())) {
      taken.insert(conflict.field());
    } else if (!keep.contains(conflict.field()) && !keep.contains("*")) {
      open.push_back(conflict.field());
    }
  }
  return open;
}

bool Conflicts(const v1::MemberMerge& merge, std::string_view field) {
  return std::any_of(merge.conflicts().begin(), merge.conflicts().end(),
                     [&](const auto& conflict) { return conflict.field() == field; });
}

// The memberships of both, or of the one that holds.
std::vector<PastMembership> Combine(const MemberEdit& survivor,
                                    const std::vector<PastMembership>& survivor_past,
                                    const MemberEdit& absorbed,
                                    const std::vector<PastMembership>& absorbed_past, bool overlap,
                                    bool take) {
  std::vector<PastMembership> all = MembershipsOf(survivor.row(), survivor_past);
  std::vector<PastMembership> theirs = MembershipsOf(absorbed.row(), absorbed_past);
  if (overlap) return take ? theirs : all;
  all.insert(all.end(), theirs.begin(), theirs.end());
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.joined_on < b.joined_on; });
  return all;
}

void TakeMemberships(std::vector<PastMembership> all, MemberEdit& survivor,
                     const MemberRow& absorbed) {
  MemberRow& row = survivor.row();
  const PastMembership& last = all.back();
  const v1::Member& theirs = absorbed.member;
  if (last.organization == theirs.organization() && last.joined_on == theirs.joined_on() &&
      last.left_on == theirs.left_on()) {
    row.member.set_retained_from(theirs.retained_from());
    row.retain_reason = absorbed.retain_reason;
  }
  const auto since = [](const v1::Member& m) {
    return m.seniority_from().empty() ? m.joined_on() : m.seniority_from();
  };
  row.member.set_seniority_from(std::min(since(row.member), since(theirs)));
  row.member.set_organization(last.organization);
  row.member.set_joined_on(last.joined_on);
  row.member.set_left_on(last.left_on);
  row.member.set_state(last.left_on.empty() ? "active" : "left");
  row.leave_reason = last.leave_reason;
  all.pop_back();
  survivor.past() = std::move(all);
}

void TakeFields(const std::set<std::string>& taken, MemberRow& survivor, MemberRow& absorbed) {
  v1::Member& mine = survivor.member;
  v1::Member& theirs = absorbed.member;
  if (taken.contains(std::string(kNumber))) {
    // They change places, so that each number still leads to one of the two.
    std::swap(survivor.id_index, absorbed.id_index);
    std::swap(*mine.mutable_id_type(), *theirs.mutable_id_type());
    std::swap(*mine.mutable_id_number(), *theirs.mutable_id_number());
    std::swap(*mine.mutable_sex(), *theirs.mutable_sex());
    std::swap(*mine.mutable_birth_date(), *theirs.mutable_birth_date());
  }
  for (std::string_view field : kFields) {
    if (taken.contains(std::string(field))) {
      mine.GetReflection()->SetString(&mine, FieldOf(field), Value(theirs, field));
    }
  }
  mine.set_migrant_worker(mine.migrant_worker() || theirs.migrant_worker());
  std::set<std::string> tags(mine.group_tags().begin(), mine.group_tags().end());
  tags.insert(theirs.group_tags().begin(), theirs.group_tags().end());
  mine.mutable_group_tags()->Assign(tags.begin(), tags.end());
}

}  // namespace

absl::Status MemberMerges::Carry(sql::Tx& tx, const rpc::Call& call, const std::string& name,
                                 Plan& plan, json& undo, feed::v1::Event& event) const {
  const std::string survivor_id = plan.survivor.id();
  const std::string absorbed_id = plan.absorbed.id();
  RETURN_IF_ERROR(tx.Run(kMoveWork, {call.federation, absorbed_id, survivor_id}).status());
  if (plan.carries_retentions) {
    for (const Retention& retention : plan.absorbed_retentions) {
      RETURN_IF_ERROR(AddRetention(tx, call.federation, survivor_id, retention));
    }
  }
  MemberRow& gone = plan.absorbed.row();
  gone.member.set_state(std::string(kMerged));
  gone.member.set_merged_into(survivor_id);
  gone.member.clear_organization();
  plan.absorbed.past().clear();
  RETURN_IF_ERROR(
      tx.Run(kFreeIndex, {call.federation, absorbed_id, StrCat("merging/", absorbed_id)}).status());
  RETURN_IF_ERROR(plan.survivor.Write(
      tx, call, Happened(v1::MEMBER_EVENT_KIND_MERGED, call, plan.survivor.member(), name), event));
  ASSIGN_OR_RETURN(undo["cards"],
                   CarryCards(tx, call, *register_.card_kind, plan.survivor, absorbed_id, event));
  return plan.absorbed.Write(
      tx, call, Happened(v1::MEMBER_EVENT_KIND_MERGED, call, plan.survivor.member(), name), event);
}

absl::StatusOr<v1::MemberMerge> MemberMerges::Merge(rpc::Call& call,
                                                    const v1::MergeMembersRequest& request) {
  if (request.survivor() == request.absorbed()) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           "survivor and absorbed are the same member; name two",
                           "合并双方是同一会员，请填写两个会员")
        .At("absorbed");
  }
  std::optional<v1::MemberMerge> checked;
  const std::string id = NewId(call.clock->Now());
  const std::string name = MergeName(call.federation, id);
  auto merged = rpc::WriteOnce<v1::MemberMerge>(
      db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::MemberMerge> {
        checked.reset();
        ASSIGN_OR_RETURN(Plan plan, MakePlan(tx, call, request));
        const std::vector<std::string> open = Decide(request, plan.merge, plan.taken);
        plan.merge.set_survivor(request.survivor());
        plan.merge.set_absorbed(request.absorbed());
        plan.merge.set_actor(call.actor.subject);
        json undo = {{"survivor", ToJson(plan.survivor.row(), plan.survivor.past(),
                                         plan.survivor_retentions.size())},
                     {"absorbed", ToJson(plan.absorbed.row(), plan.absorbed.past(),
                                         plan.absorbed_retentions.size())}};
        const bool overlap = Conflicts(plan.merge, kMemberships);
        const bool take = plan.taken.contains(std::string(kMemberships));
        plan.carries_retentions = !overlap || take;
        std::vector<PastMembership> all =
            Combine(plan.survivor, plan.survivor.past(), plan.absorbed, plan.absorbed.past(),
                    overlap, take);
        TakeMemberships(std::move(all), plan.survivor, plan.absorbed.row());
        TakeFields(plan.taken, plan.survivor.row(), plan.absorbed.row());
        if (request.validate_only()) {
          *plan.merge.mutable_merged() = MaskedView(call.federation, plan.survivor.row());
          checked = std::move(plan.merge);
          return absl::CancelledError("nothing is written on purpose");
        }
        if (!open.empty()) {
          Error error = FailedPrecondition(
              common::v1::REASON_STATE_FORBIDS,
              StrCat("the records differ in '", open[0],
                     "' and other fields named in the metadata; say for each which value holds, "
                     "in keep_survivor or take_absorbed"),
              StrCat("两份记录的“", open[0],
                     "”等内容不一致（见元数据），请在 keep_survivor 或 take_absorbed 中逐项选定"));
          std::string fields;
          for (const std::string& field : open) {
            StrAppend(&fields, fields.empty() ? "" : ",", field);
          }
          return std::move(error).With("conflicts", fields).At("take_absorbed");
        }
        ASSIGN_OR_RETURN(const sql::Rows work,
                         tx.Run(kListWork, {call.federation, plan.absorbed.id()}));
        undo["employments"] = json::array();
        for (size_t i = 0; i < work.size(); ++i) {
          undo["employments"].push_back(work[i].Get<std::string>(0));
        }
        feed::v1::Event event;
        event.set_type("gonghui.membership.v1.MembersMerged");
        event.add_resources(name);
        RETURN_IF_ERROR(Carry(tx, call, name, plan, undo, event));
        RETURN_IF_ERROR(
            tx.Run(kInsert, {call.federation, id, plan.survivor.id(), plan.absorbed.id(),
                             sql::Bytes{personal_.Encrypt(undo.dump(), name)},
                             sql::Bytes{personal_.Encrypt(plan.merge.SerializeAsString(), name)},
                             plan.survivor.row().version, plan.absorbed.row().version,
                             call.actor.subject, call.clock->NowMicros()})
                .status());
        RETURN_IF_ERROR(feed::Append(tx, call, std::move(event)));
        ASSIGN_OR_RETURN(const Stored stored, Find(tx, call.federation, id));
        return View(call.federation, stored, plan.survivor.row());
      });
  if (checked.has_value()) return *std::move(checked);
  for (const std::string* member : {&request.survivor(), &request.absorbed()}) {
    const absl::Status raised = RaiseMember(db_, cache_, call, std::string(LeafOf(*member)));
    if (merged.ok()) RETURN_IF_ERROR(raised);
  }
  return merged;
}

absl::StatusOr<MemberMerges::Stored> MemberMerges::Find(sql::Tx& tx, const std::string& federation,
                                                        const std::string& id) const {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFind, {federation, id}));
  if (rows.empty()) return UnknownMerge(id);
  const sql::Rows::Row row = rows[0];
  const std::string name = MergeName(federation, id);
  Stored stored;
  ASSIGN_OR_RETURN(const std::string undo, personal_.Decrypt(row.Get<sql::Bytes>(2).data, name));
  ASSIGN_OR_RETURN(const std::string answered,
                   personal_.Decrypt(row.Get<sql::Bytes>(3).data, name));
  stored.undo = json::parse(undo, nullptr, false);
  if (stored.undo.is_discarded() || !stored.merge.ParseFromString(answered)) {
    return Internal("a merger cannot be read");
  }
  stored.merge.set_name(name);
  stored.merge.set_survivor(MemberName(federation, row.Get<std::string>(0)));
  stored.merge.set_absorbed(MemberName(federation, row.Get<std::string>(1)));
  stored.survivor_version = row.Get<int64_t>(4);
  stored.absorbed_version = row.Get<int64_t>(5);
  stored.merge.set_actor(row.Get<std::string>(6));
  stored.merge.set_create_time_us(row.Get<int64_t>(7));
  stored.merge.set_unmerge_time_us(row.Get<int64_t>(8));
  stored.merge.set_unmerged(stored.merge.unmerge_time_us() > 0);
  stored.version = row.Get<int64_t>(9);
  stored.merge.set_etag(rpc::MakeEtag(stored.version));
  return stored;
}

v1::MemberMerge MemberMerges::View(const std::string& federation, const Stored& stored,
                                   const MemberRow& survivor) const {
  v1::MemberMerge view = stored.merge;
  *view.mutable_merged() = MaskedView(federation, survivor);
  return view;
}

absl::StatusOr<v1::MemberMerge> MemberMerges::Get(rpc::Call& call,
                                                  const v1::GetMemberMergeRequest& request) {
  v1::MemberMerge view;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const Stored stored,
                     Find(tx, call.federation, std::string(LeafOf(request.name()))));
    const std::string survivor(LeafOf(stored.merge.survivor()));
    ASSIGN_OR_RETURN(const MemberEdit edit,
                     MemberEdit::Begin(tx, register_, call.federation, survivor, "name"));
    view = View(call.federation, stored, edit.row());
    return absl::OkStatus();
  }));
  RETURN_IF_ERROR(call.CheckScope(view.merged().organization()));
  return view;
}

absl::StatusOr<v1::MemberMerge> MemberMerges::Unmerge(rpc::Call& call,
                                                      const v1::UnmergeMembersRequest& request) {
  v1::GetMemberMergeRequest get;
  get.set_name(request.name());
  ASSIGN_OR_RETURN(const v1::MemberMerge seen, Get(call, get));
  const std::string id(LeafOf(request.name()));
  const std::string survivor_id(LeafOf(seen.survivor()));
  const std::string absorbed_id(LeafOf(seen.absorbed()));
  auto unmerged = rpc::WriteOnce<v1::MemberMerge>(
      db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::MemberMerge> {
        ASSIGN_OR_RETURN(const Stored stored, Find(tx, call.federation, id));
        RETURN_IF_ERROR(rpc::CheckEtag(request.etag(), stored.version));
        if (stored.merge.unmerged()) {
          return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                                    "the merger was taken back already", "该合并已撤回")
              .At("name");
        }
        ASSIGN_OR_RETURN(MemberEdit survivor,
                         MemberEdit::Begin(tx, register_, call.federation, survivor_id, "name"));
        ASSIGN_OR_RETURN(MemberEdit absorbed,
                         MemberEdit::Begin(tx, register_, call.federation, absorbed_id, "name"));
        if (survivor.row().version != stored.survivor_version ||
            absorbed.row().version != stored.absorbed_version) {
          return FailedPrecondition(common::v1::REASON_REVERT_BLOCKED,
                                    "the member was changed since the merger; take those changes "
                                    "back first (ListMemberEvents shows them)",
                                    "合并后该会员又有变动，请先撤回这些变动（见 ListMemberEvents）")
              .With("member", stored.merge.survivor())
              .At("name");
        }
        FromJson(stored.undo.at("survivor"), survivor);
        FromJson(stored.undo.at("absorbed"), absorbed);
        for (const json& work : stored.undo.at("employments")) {
          RETURN_IF_ERROR(tx.Run(kMoveOneWork, {call.federation, survivor_id, absorbed_id,
                                                work.get<std::string>()})
                              .status());
        }
        RETURN_IF_ERROR(
            tx.Run(kDropRetentions, {call.federation, survivor_id,
                                     stored.undo.at("survivor").at("retentions").get<int64_t>()})
                .status());
        RETURN_IF_ERROR(
            tx.Run(kFreeIndex, {call.federation, absorbed_id, StrCat("merging/", absorbed_id)})
                .status());
        feed::v1::Event event;
        event.set_type("gonghui.membership.v1.MembersUnmerged");
        event.add_resources(request.name());
        if (stored.undo.contains("cards")) {
          RETURN_IF_ERROR(GiveCardsBack(tx, call.federation, *register_.card_kind,
                                        stored.undo.at("cards"), event));
        }
        for (MemberEdit* edit : {&survivor, &absorbed}) {
          RETURN_IF_ERROR(edit->Write(
              tx, call,
              Happened(v1::MEMBER_EVENT_KIND_UNMERGED, call, edit->member(), request.name()),
              event));
        }
        RETURN_IF_ERROR(tx.Run(kUnmerged, {call.federation, id, call.clock->NowMicros()}).status());
        RETURN_IF_ERROR(feed::Append(tx, call, std::move(event)));
        ASSIGN_OR_RETURN(const Stored now, Find(tx, call.federation, id));
        return View(call.federation, now, survivor.row());
      });
  for (const std::string* member : {&survivor_id, &absorbed_id}) {
    const absl::Status raised = RaiseMember(db_, cache_, call, *member);
    if (unmerged.ok()) RETURN_IF_ERROR(raised);
  }
  return unmerged;
}

}  // namespace gonghui::membership
