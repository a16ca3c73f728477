#include "services/membership/member_filters.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/base/id.h"
#include "common/base/resource_name.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/page.h"
#include "services/membership/codes.h"
#include "services/membership/member_changes.h"

namespace gonghui::membership {
namespace {

constexpr int64_t kMostAtOnce = 1000;
constexpr size_t kPreview = 50;
constexpr int kMostFailures = 100;
constexpr size_t kJobStep = 500;  // Members of one transaction of a job.

#define FILTER_COLUMNS "filter_id, organization, title, content, actor, create_time_us"

constexpr sql::Query kInsert{"membership.insert_member_filter",
                             "INSERT INTO member_filters (tenant, " FILTER_COLUMNS
                             ") VALUES ($1, $2, $3, $4, $5, $6, $7)"};
constexpr sql::Query kFind{"membership.find_member_filter",
                           "SELECT " FILTER_COLUMNS
                           " FROM member_filters WHERE tenant=$1 AND filter_id=$2"};
constexpr sql::Query kListAt{"membership.list_member_filters",
                             "SELECT " FILTER_COLUMNS
                             " FROM member_filters WHERE tenant=$1 AND organization=$2"};
constexpr sql::Query kDelete{"membership.delete_member_filter",
                             "DELETE FROM member_filters WHERE tenant=$1 AND filter_id=$2"};

v1::SavedMemberFilter ToFilter(const std::string& federation, const sql::Rows::Row& row) {
  v1::SavedMemberFilter saved;
  saved.set_name(StrCat("federations/", federation, "/memberFilters/", row.Get<std::string>(0)));
  saved.set_organization(row.Get<std::string>(1));
  saved.set_title(row.Get<std::string>(2));
  saved.mutable_filter()->ParseFromString(row.Get<sql::Bytes>(3).data);
  saved.set_actor(row.Get<std::string>(4));
  saved.set_create_time_us(row.Get<int64_t>(5));
  return saved;
}

absl::StatusOr<v1::SavedMemberFilter> Find(sql::Tx& tx, const std::string& federation,
                                           const std::string& name, std::string_view field) {
  const std::string id(LeafOf(name));
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFind, {federation, id}));
  if (!rows.empty()) return ToFilter(federation, rows[0]);
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("there is no saved filter '", id, "'; ListMemberFilters shows them"),
                  StrCat("没有已存筛选“", id, "”，可用 ListMemberFilters 查看"))
      .At(std::string(field));
}

absl::StatusOr<v1::SavedMemberFilter> Read(sql::Database& db, const rpc::Call& call,
                                           const std::string& name, std::string_view field) {
  absl::StatusOr<v1::SavedMemberFilter> found = absl::UnknownError("not read");
  RETURN_IF_ERROR(db.ReadOnly(call.deadline, [&](sql::Tx& tx) {
    found = Find(tx, call.federation, name, field);
    return found.status();
  }));
  return found;
}

absl::Status AppendEvent(sql::Tx& tx, const rpc::Call& call, std::string_view type,
                         const std::string& name) {
  feed::v1::Event event;
  event.set_type(StrCat("gonghui.membership.v1.", type));
  event.add_resources(name);
  return feed::Append(tx, call, std::move(event));
}

}  // namespace

absl::StatusOr<v1::MemberFilter> ReadSavedFilter(sql::Database& db, const rpc::Call& call,
                                                 const std::string& name) {
  ASSIGN_OR_RETURN(v1::SavedMemberFilter saved, Read(db, call, name, "saved_filter"));
  return saved.filter();
}

absl::StatusOr<v1::SavedMemberFilter> MemberFilters::Create(
    rpc::Call& call, const v1::CreateMemberFilterRequest& request) {
  v1::SavedMemberFilter saved = request.filter();
  if (!saved.filter().name_query().empty()) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           "a saved filter holds no name: it would be personal data; leave "
                           "name_query empty",
                           "已存筛选不能含姓名（属个人信息），请将 name_query 留空")
        .At("filter.filter.name_query");
  }
  RETURN_IF_ERROR(MemberSelection::Make(catalog_, saved.filter(), "filter.filter.", {}).status());
  ASSIGN_OR_RETURN(const auto tree, tree_.Get(call.federation, saved.organization()));
  if (!tree->Exists(saved.organization())) {
    return InvalidArgument(common::v1::REASON_REFERENCE_NOT_FOUND,
                           StrCat("there is no organisation '", saved.organization(), "'"),
                           StrCat("没有工会“", saved.organization(), "”"))
        .At("filter.organization");
  }
  const std::string id = NewId(call.clock->Now());
  return rpc::WriteOnce<v1::SavedMemberFilter>(
      db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::SavedMemberFilter> {
        RETURN_IF_ERROR(tx.Run(kInsert, {call.federation, id, saved.organization(), saved.title(),
                                         sql::Bytes{saved.filter().SerializeAsString()},
                                         call.actor.subject, call.clock->NowMicros()})
                            .status());
        ASSIGN_OR_RETURN(v1::SavedMemberFilter made, Find(tx, call.federation, id, "name"));
        RETURN_IF_ERROR(AppendEvent(tx, call, "MemberFilterCreated", made.name()));
        return made;
      });
}

absl::StatusOr<v1::SavedMemberFilter> MemberFilters::Get(
    rpc::Call& call, const v1::GetMemberFilterRequest& request) {
  return Read(db_, call, request.name(), "name");
}

absl::StatusOr<v1::ListMemberFiltersResponse> MemberFilters::List(
    rpc::Call& call, const v1::ListMemberFiltersRequest& request) {
  ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const std::vector<std::string> after,
                   rpc::ReadPageToken(request, request.page_token(), 1));
  size_t first = 0;
  if (!after.empty() && !ParseInteger(after[0], &first)) return rpc::DamagedPageToken();
  ASSIGN_OR_RETURN(const auto tree, tree_.Get(call.federation, request.organization()));
  const std::string& organization =
      request.organization().empty() ? tree->Root() : request.organization();
  std::vector<sql::Args> keys;
  for (const std::string& place : tree->Path(organization, call.Today())) {
    keys.push_back({call.federation, place});
  }
  std::vector<v1::SavedMemberFilter> all;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) {
    all.clear();
    return tx.ReadMany(kListAt, keys, [&](const sql::Rows::Row& row) {
      all.push_back(ToFilter(call.federation, row));
    });
  }));
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return std::tie(a.title(), a.name()) < std::tie(b.title(), b.name());
  });
  v1::ListMemberFiltersResponse response;
  const size_t end = std::min(all.size(), first + static_cast<size_t>(page_size));
  for (size_t i = first; i < end; ++i) *response.add_filters() = std::move(all[i]);
  if (end < all.size()) response.set_next_page_token(rpc::MakePageToken(request, {StrCat(end)}));
  return response;
}

absl::StatusOr<v1::SavedMemberFilter> MemberFilters::Delete(
    rpc::Call& call, const v1::DeleteMemberFilterRequest& request) {
  absl::StatusOr<v1::SavedMemberFilter> seen = Read(db_, call, request.name(), "name");
  if (seen.ok()) RETURN_IF_ERROR(call.CheckScope(seen->organization()));
  return rpc::WriteOnce<v1::SavedMemberFilter>(
      db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::SavedMemberFilter> {
        ASSIGN_OR_RETURN(v1::SavedMemberFilter saved,
                         Find(tx, call.federation, request.name(), "name"));
        RETURN_IF_ERROR(
            tx.Run(kDelete, {call.federation, std::string(LeafOf(request.name()))}).status());
        RETURN_IF_ERROR(AppendEvent(tx, call, "MemberFilterDeleted", saved.name()));
        return saved;
      });
}

absl::StatusOr<MemberSelection> MemberFilters::Select(
    const rpc::Call& call, const v1::ChangeMembersRequest& request) const {
  v1::MemberFilter filter = request.filter();
  if (!request.saved_filter().empty()) {
    ASSIGN_OR_RETURN(filter, ReadSavedFilter(db_, call, request.saved_filter()));
  }
  return MemberSelection::Make(catalog_, filter, "filter.", {"active", "retained"});
}

absl::StatusOr<std::vector<std::string>> MemberFilters::Below(
    const rpc::Call& call, const std::string& organization) const {
  ASSIGN_OR_RETURN(const auto tree, tree_.Get(call.federation, organization));
  std::vector<std::string> below = tree->Subtree(organization, call.Today());
  std::sort(below.begin(), below.end());
  return below;
}

absl::StatusOr<v1::MemberChange> MemberFilters::Normal(const rpc::Call& call,
                                                       const v1::MemberChange& change) const {
  v1::MemberChange normal = change;
  switch (change.change_case()) {
    case v1::MemberChange::kAddTag:
      RETURN_IF_ERROR(
          ToCode(catalog_, "worker_group", "change.add_tag", *normal.mutable_add_tag()));
      return normal;
    case v1::MemberChange::kRemoveTag:
      RETURN_IF_ERROR(
          ToCode(catalog_, "worker_group", "change.remove_tag", *normal.mutable_remove_tag()));
      return normal;
    case v1::MemberChange::kRetain:
      RETURN_IF_ERROR(CheckRetaining(call, catalog_, "change.retain.",
                                     *normal.mutable_retain()->mutable_reason(),
                                     change.retain().retained_from()));
      return normal;
    case v1::MemberChange::kLeave:
      RETURN_IF_ERROR(CheckLeaving(catalog_, "change.leave.",
                                   *normal.mutable_leave()->mutable_reason(),
                                   change.leave().document()));
      return normal;
    case v1::MemberChange::kTransfer:
      RETURN_IF_ERROR(ToCode(catalog_, "transfer_reason", "change.transfer.reason",
                             *normal.mutable_transfer()->mutable_reason()));
      return normal;
    default:
      return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                             "say what happens to the members: a tag, retain, leave or transfer",
                             "请指明对会员做什么：标签、保留、离会或转会")
          .At("change");
  }
}

absl::StatusOr<bool> MemberFilters::ChangeOne(sql::Tx& tx, const rpc::Call& call,
                                              const std::string& id, const v1::MemberChange& change,
                                              feed::v1::Event& event) const {
  ASSIGN_OR_RETURN(MemberEdit edit, MemberEdit::Begin(tx, register_, call.federation, id, "name"));
  v1::MemberEvent happened;
  switch (change.change_case()) {
    case v1::MemberChange::kAddTag:
    case v1::MemberChange::kRemoveTag: {
      const bool add = change.change_case() == v1::MemberChange::kAddTag;
      if (!SetTag(edit, add ? change.add_tag() : change.remove_tag(), add)) return false;
      happened = Corrected(call, edit.member(), {"group_tags"});
      break;
    }
    case v1::MemberChange::kRetain: {
      ASSIGN_OR_RETURN(happened, RetainMember(tx, call, edit, change.retain().retained_from(),
                                              change.retain().reason()));
      break;
    }
    case v1::MemberChange::kLeave: {
      ASSIGN_OR_RETURN(happened, EndMembership(edit, change.leave().left_on(),
                                               change.leave().reason(), change.leave().document()));
      break;
    }
    default: {
      v1::StartTransferRequest start;
      start.set_side(v1::TRANSFER_SIDE_SOURCE);
      start.set_target(change.transfer().target());
      start.set_effective_on(change.transfer().effective_on());
      start.set_reason(change.transfer().reason());
      ASSIGN_OR_RETURN(const v1::Transfer started, transfers_.StartOne(tx, call, edit, start));
      event.add_resources(started.name());
      return true;
    }
  }
  RETURN_IF_ERROR(edit.Write(tx, call, std::move(happened), event));
  return true;
}

absl::Status MemberFilters::ChangeSome(sql::Tx& tx, const rpc::Call& call,
                                       absl::Span<const MemberRow> rows,
                                       const v1::MemberChange& change,
                                       v1::ChangeMembersResponse& response) const {
  feed::v1::Event event;
  event.set_type("gonghui.membership.v1.MembersChanged");
  for (const MemberRow& row : rows) {
    const absl::StatusOr<bool> changed = ChangeOne(tx, call, row.id, change, event);
    if (changed.ok()) {
      response.set_changed(response.changed() + static_cast<int64_t>(*changed));
      continue;
    }
    // What a check refused has written nothing; anything else fails the whole.
    const absl::StatusCode code = changed.status().code();
    const bool refused =
        code == absl::StatusCode::kInvalidArgument || code == absl::StatusCode::kFailedPrecondition;
    if (!refused) return changed.status();
    if (response.failures_size() >= kMostFailures) continue;
    v1::MemberFailure& failure = *response.add_failures();
    failure.set_member(MemberName(call.federation, row.id));
    failure.set_reason(ReasonOf(changed.status()));
    failure.set_message(std::string(FromAbsl(changed.status().message())));
    failure.set_message_zh(MessageZhOf(changed.status()));
  }
  if (event.resources().empty()) return absl::OkStatus();
  return feed::Append(tx, call, std::move(event));
}

absl::StatusOr<v1::ChangeMembersResponse> MemberFilters::Change(
    rpc::Call& call, const v1::ChangeMembersRequest& request) {
  using Response = v1::ChangeMembersResponse;
  // A job that this request started answers it again, whatever the filter selects by now.
  v1::ChangeMembersRequest as_job = request;
  if (!request.request_id().empty()) as_job.set_request_id(StrCat(request.request_id(), "/job"));
  std::optional<std::string> started;
  ASSIGN_OR_RETURN(const MemberSelection selection, Select(call, request));
  ASSIGN_OR_RETURN(const v1::MemberChange change, Normal(call, request.change()));
  ASSIGN_OR_RETURN(const std::vector<std::string> organizations,
                   Below(call, request.organization()));
  Response answer;
  std::vector<MemberRow> rows;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    answer.Clear();
    if (!as_job.request_id().empty()) {
      ASSIGN_OR_RETURN(started, rpc::FindResponse(tx, call, as_job.request_id(), as_job));
    }
    ASSIGN_OR_RETURN(rows, selection.Page(tx, register_.store, call.federation, organizations, "",
                                          "", kMostAtOnce + 1));
    answer.set_selected(static_cast<int64_t>(rows.size()));
    if (answer.selected() <= kMostAtOnce) return absl::OkStatus();
    ASSIGN_OR_RETURN(const int64_t all,
                     selection.Count(tx, register_.store, call.federation, organizations));
    answer.set_selected(all);
    return absl::OkStatus();
  }));
  if (request.validate_only()) {
    for (const MemberRow& row : rows) {
      if (static_cast<size_t>(answer.members_size()) == kPreview) break;
      *answer.add_members() = MaskedView(call.federation, row);
    }
    return answer;
  }
  if (started.has_value() || answer.selected() > kMostAtOnce) {
    if (!started.has_value()) RETURN_IF_ERROR(CheckExpected(request, answer.selected()));
    ASSIGN_OR_RETURN(*answer.mutable_job(), jobs_.Start(call, request.organization(), as_job));
    return answer;
  }
  auto changed =
      rpc::WriteOnce<Response>(db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Response> {
        Response response;
        ASSIGN_OR_RETURN(rows, selection.Page(tx, register_.store, call.federation, organizations,
                                              "", "", kMostAtOnce));
        response.set_selected(static_cast<int64_t>(rows.size()));
        RETURN_IF_ERROR(CheckExpected(request, response.selected()));
        RETURN_IF_ERROR(ChangeSome(tx, call, rows, change, response));
        return response;
      });
  for (const MemberRow& row : rows) {
    const absl::Status raised = RaiseMember(db_, cache_, call, row.id);
    if (changed.ok()) RETURN_IF_ERROR(raised);
  }
  return changed;
}

absl::StatusOr<v1::ChangeMembersResponse> MemberFilters::ChangeMany(
    rpc::JobRun& run, const v1::ChangeMembersRequest& request) {
  rpc::Call call;
  call.clock = &clock_;
  call.federation = run.federation();
  call.actor.subject = run.caller();
  call.actor.federation = run.federation();
  ASSIGN_OR_RETURN(const MemberSelection selection, Select(call, request));
  ASSIGN_OR_RETURN(const v1::MemberChange change, Normal(call, request.change()));
  ASSIGN_OR_RETURN(const std::vector<std::string> organizations,
                   Below(call, request.organization()));
  // The checkpoint: how far it came, and what it did so far.
  rpc::JobProgress progress = run.progress();
  v1::ChangeMembersResponse done;
  std::string organization, id;
  if (!progress.checkpoint.empty()) {
    const std::vector<std::string_view> parts = Split(progress.checkpoint, '\n');
    organization = parts[0];
    id = parts[1];
    done.ParseFromString(progress.checkpoint.substr(organization.size() + id.size() + 2));
  }
  if (progress.total == 0) {
    RETURN_IF_ERROR(db_.ReadOnly(absl::InfiniteFuture(), [&](sql::Tx& tx) -> absl::Status {
      ASSIGN_OR_RETURN(progress.total,
                       selection.Count(tx, register_.store, call.federation, organizations));
      return absl::OkStatus();
    }));
  }
  done.set_selected(progress.total);
  for (bool more = true; more;) {
    std::vector<MemberRow> rows;
    v1::ChangeMembersResponse response;
    RETURN_IF_ERROR(run.Save(progress, [&](sql::Tx& tx) -> absl::Status {
      response = done;
      ASSIGN_OR_RETURN(rows, selection.Page(tx, register_.store, call.federation, organizations,
                                            organization, id, kJobStep));
      RETURN_IF_ERROR(ChangeSome(tx, call, rows, change, response));
      if (rows.empty()) return absl::OkStatus();
      progress.done =
          std::min(progress.total, run.progress().done + static_cast<int64_t>(rows.size()));
      progress.checkpoint = StrCat(rows.back().member.organization(), "\n", rows.back().id, "\n",
                                   response.SerializeAsString());
      return absl::OkStatus();
    }));
    for (const MemberRow& row : rows) RETURN_IF_ERROR(RaiseMember(db_, cache_, call, row.id));
    done = std::move(response);
    more = rows.size() == kJobStep;
    if (rows.empty()) break;
    organization = rows.back().member.organization();
    id = rows.back().id;
  }
  return done;
}

}  // namespace gonghui::membership
