#include "services/membership/members.h"

#include <algorithm>
#include <utility>

#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/page.h"
#include "common/rpc/update.h"
#include "services/membership/as_of.h"
#include "services/membership/codes.h"
#include "services/membership/member_changes.h"
#include "services/membership/member_rules.h"
#include "services/membership/member_selection.h"
#include "services/membership/open_organizations.h"
#include "services/membership/organization_rules.h"

namespace gonghui::membership {
namespace {

using common::v1::Fact;

constexpr std::string_view kMemberName = "federations/{federation}/members/{member}";

absl::Status CheckStateFilter(const std::string& state) {
  for (std::string_view known : {"active", "retained", "left", "all"}) {
    if (state == known) return absl::OkStatus();
  }
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat("'", state, "' is no state; use active, retained, left or all"),
                         StrCat("“", state, "”不是状态，可用 active、retained、left、all"))
      .With("value", state)
      .At("state");
}

}  // namespace

Members::Members(const Host& host, const catalog::Catalog& catalog, cache::Cache& cache,
                 AccessLog& log)
    : db_(*host.db),
      tree_(*host.tree),
      cache_(cache),
      log_(log),
      catalog_(catalog),
      register_(catalog, *host.personal),
      kind_(*register_.kind),
      store_(register_.store) {}

absl::StatusOr<MemberRow> Members::Read(const rpc::Call& call, const std::string& id,
                                        std::string_view field) const {
  std::optional<MemberRow> row;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(row, store_.Find(tx, call.federation, id));
    return absl::OkStatus();
  }));
  if (!row.has_value()) return UnknownMember(id, field);
  return *std::move(row);
}

std::optional<absl::StatusOr<v1::Member>> Members::Peek(rpc::Call& call,
                                                        const v1::GetMemberRequest& request) {
  if (!request.as_of().empty() || !tree_.IsFresh(call.federation)) return std::nullopt;
  const std::optional<std::string> cached =
      cache_.Peek(MemberCacheKey(call.federation, LeafOf(request.name())));
  v1::Member member;
  if (!cached.has_value() || !member.ParseFromString(*cached)) return std::nullopt;
  if (absl::Status allowed = call.CheckScope(member.organization()); !allowed.ok()) return allowed;
  const absl::Status noted = log_.Note(call, v1::ACCESS_KIND_READ, LeafOf(request.name()));
  if (!noted.ok()) return noted;
  return member;
}

absl::StatusOr<v1::Member> Members::Get(rpc::Call& call, const v1::GetMemberRequest& request) {
  ASSIGN_OR_RETURN(v1::Member member,
                   request.as_of().empty() ? GetPresent(call, request) : GetAsOf(call, request));
  RETURN_IF_ERROR(log_.Note(call, v1::ACCESS_KIND_READ, LeafOf(member.name())));
  return member;
}

absl::StatusOr<v1::Member> Members::GetPresent(rpc::Call& call,
                                               const v1::GetMemberRequest& request) {
  const std::string id(LeafOf(request.name()));
  const std::string key = MemberCacheKey(call.federation, id);
  // Peek answers beside a fresh tree only; a grant that needs no tree would never freshen it.
  tree_.Get(call.federation).status().IgnoreError();
  v1::Member member;
  const cache::Lookup cached = cache_.Get(key);
  if (!cached.value.has_value() || !member.ParseFromString(*cached.value)) {
    ASSIGN_OR_RETURN(const MemberRow row, Read(call, id, "name"));
    member = MaskedView(call.federation, row);
    cache_.Put(key, row.version, member.SerializeAsString(), cached.ticket);
  }
  RETURN_IF_ERROR(call.CheckScope(member.organization()));
  return member;
}

absl::StatusOr<std::vector<MemberRow>> Members::FindByNumber(const rpc::Call& call,
                                                             const v1::ListMembersRequest& request,
                                                             const std::string& state) const {
  // The paper is not named, so each kind of paper is tried.
  std::vector<std::string> indexes;
  for (const common::v1::Code& paper : catalog_.FindCodes("id_type")->codes()) {
    std::string number = crypto::NormalizePaperNumber(request.id_number());
    if (paper.code() == "resident_id") {
      absl::StatusOr<std::string> normal = crypto::NormalizeIdNumber(request.id_number());
      if (!normal.ok()) continue;
      number = *std::move(normal);
    }
    indexes.push_back(store_.IndexOf(call.federation, paper.code(), number));
  }
  std::vector<MemberRow> found;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(found, store_.FindPersons(tx, call.federation, indexes));
    return absl::OkStatus();
  }));
  ASSIGN_OR_RETURN(const auto tree, tree_.Get(call.federation));
  std::erase_if(found, [&](const MemberRow& row) {
    const bool outside =
        !request.organization().empty() &&
        !tree->IsAtOrBelow(row.member.organization(), request.organization(), call.Today());
    return outside || (state != "all" && StateOf(row.member) != state);
  });
  return found;
}

absl::StatusOr<v1::ListMembersResponse> Members::List(rpc::Call& call,
                                                      const v1::ListMembersRequest& request) {
  ASSIGN_OR_RETURN(v1::ListMembersResponse response, Select(call, request));
  for (const v1::Member& member : response.members()) {
    RETURN_IF_ERROR(log_.Note(call, v1::ACCESS_KIND_LIST, LeafOf(member.name())));
  }
  return response;
}

absl::StatusOr<v1::ListMembersResponse> Members::Select(
    rpc::Call& call, const v1::ListMembersRequest& request) const {
  const std::string state = request.state().empty() ? "active" : request.state();
  RETURN_IF_ERROR(CheckStateFilter(state));
  ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(std::vector<std::string> after,
                   rpc::ReadPageToken(request, request.page_token(), 2));
  after.resize(2);
  const size_t limit = static_cast<size_t>(page_size) + 1;
  if (!request.as_of().empty()) return ListAsOf(call, request, state, after, limit);
  if (request.has_filter() || !request.saved_filter().empty()) {
    return ListFiltered(call, request, after, limit);
  }
  ASSIGN_OR_RETURN(const auto tree, tree_.Get(call.federation, request.organization()));
  std::vector<std::string> organizations = {""};  // One query over all.
  if (!request.organization().empty() && request.organization() != tree->Root()) {
    organizations = tree->Subtree(request.organization(), call.Today());
    std::sort(organizations.begin(), organizations.end());
  }
  std::vector<MemberRow> rows;
  if (!request.id_number().empty()) {
    ASSIGN_OR_RETURN(rows, FindByNumber(call, request, state));
  } else {
    RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
      rows.clear();
      for (const std::string& organization : organizations) {
        if (rows.size() >= limit) break;
        if (!organization.empty() && organization < after[0]) continue;
        ASSIGN_OR_RETURN(std::vector<MemberRow> some,
                         store_.List(tx, call.federation, organization, state, after[0], after[1],
                                     static_cast<int64_t>(limit - rows.size())));
        std::move(some.begin(), some.end(), std::back_inserter(rows));
      }
      return absl::OkStatus();
    }));
  }
  v1::ListMembersResponse response;
  if (rows.size() >= limit) {
    rows.resize(limit - 1);
    response.set_next_page_token(
        rpc::MakePageToken(request, {rows.back().member.organization(), rows.back().id}));
  }
  for (const MemberRow& row : rows) *response.add_members() = MaskedView(call.federation, row);
  return response;
}

template <typename Request>
absl::StatusOr<v1::Member> Members::Apply(rpc::Call& call, const Request& request,
                                          const Change& change) {
  RETURN_IF_ERROR(ParseName(kMemberName, change.name).status());
  const std::string id(LeafOf(change.name));
  ASSIGN_OR_RETURN(const MemberRow seen, Read(call, id, change.name_field));
  if (change.check_scope) RETURN_IF_ERROR(call.CheckScope(seen.member.organization()));
  auto changed = rpc::WriteOnce<v1::Member>(
      db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Member> {
        ASSIGN_OR_RETURN(MemberEdit edit,
                         MemberEdit::Begin(tx, register_, call.federation, id, change.name_field));
        if (edit.member().organization() != seen.member.organization()) {
          return Aborted(common::v1::REASON_CONFLICT,
                         "the member moved to another organisation at the same moment; try again",
                         "该会员同时转到了其他工会，请重试");
        }
        RETURN_IF_ERROR(rpc::CheckEtag(change.etag, edit.row().version));
        ASSIGN_OR_RETURN(v1::MemberEvent happened, change.edit(tx, edit));
        feed::v1::Event event;
        event.set_type(change.event);
        RETURN_IF_ERROR(edit.Write(tx, call, std::move(happened), event));
        RETURN_IF_ERROR(feed::Append(tx, call, std::move(event)));
        return MaskedView(call.federation, edit.row());
      });
  // Also after an error, and for what another call wrote: an answer lost at COMMIT may have been a
  // success.
  const absl::Status raised = RaiseMember(db_, cache_, call, id);
  if (changed.ok()) RETURN_IF_ERROR(raised);
  return changed;
}

absl::StatusOr<v1::Member> Members::Update(rpc::Call& call,
                                           const v1::UpdateMemberRequest& request) {
  const v1::Member& wanted = request.member();
  ASSIGN_OR_RETURN(const std::vector<std::string> paths,
                   rpc::ReadMask(request.update_mask(), wanted));
  const auto changes = [&](std::string_view field) {
    return std::find(paths.begin(), paths.end(), field) != paths.end();
  };
  return Apply(
      call, request,
      {.name = wanted.name(),
       .name_field = "member.name",
       .etag = wanted.etag(),
       .check_scope = true,
       .event = "gonghui.membership.v1.MemberUpdated",
       .edit = [&](sql::Tx& tx, MemberEdit& edit) -> absl::StatusOr<v1::MemberEvent> {
         if (edit.member().state() == kMerged) RETURN_IF_ERROR(edit.ExpectState("active"));
         MemberRow& row = edit.row();
         const std::vector<PastMembership>& past = edit.past();
         v1::Member& member = row.member;
         v1::MemberEvent happened = Corrected(call, member, paths);
         if (changes("id_number")) {  // Derived anew, unless given beside it.
           member.clear_sex();
           member.clear_birth_date();
         }
         rpc::MergeMasked(paths, wanted, member);
         RETURN_IF_ERROR(NormalizeMember(catalog_, "member.", member));
         if (!past.empty() && CarriesOn(past.back().leave_reason) &&
             member.joined_on() != past.back().left_on) {
           return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                                     "a reorganisation or transfer carried the member here on that "
                                     "day; its date cannot be changed by itself",
                                     "该会员因组织调整或转会于该日接转至此，不能单独更改日期")
               .At("member.joined_on");
         }
         if (!past.empty() && member.joined_on() < past.back().left_on) {
           return DateBefore("member.joined_on", member.joined_on(), "end of the last membership",
                             past.back().left_on);
         }
         if (!member.left_on().empty() && member.left_on() < member.joined_on()) {
           return DateBefore("member.joined_on", member.left_on(), "day of joining",
                             member.joined_on());
         }
         std::string index = store_.IndexOf(call.federation, member.id_type(), member.id_number());
         if (index == row.id_index) return happened;
         row.id_index = std::move(index);
         ASSIGN_OR_RETURN(const std::vector<MemberRow> taken,
                          store_.FindPersons(tx, call.federation, {row.id_index}));
         if (taken.empty()) return happened;
         return AlreadyExists(common::v1::REASON_ALREADY_EXISTS,
                              "another member has this identity number; correct it",
                              "该证件号码已登记在另一会员名下，请更正")
             .At("member.id_number");
       }});
}

absl::StatusOr<v1::Member> Members::Leave(rpc::Call& call, const v1::LeaveMemberRequest& request) {
  std::string reason = request.reason();
  RETURN_IF_ERROR(CheckLeaving(catalog_, "", reason, request.document()));
  return Apply(call, request,
               {.name = request.name(),
                .name_field = "name",
                .etag = request.etag(),
                .check_scope = true,
                .event = "gonghui.membership.v1.MemberLeft",
                .edit = [&](sql::Tx&, MemberEdit& edit) {
                  return EndMembership(edit, request.left_on(), reason, request.document());
                }});
}

absl::StatusOr<v1::Member> Members::Join(rpc::Call& call, const v1::JoinMemberRequest& request) {
  return Apply(call, request,
               {.name = request.name(),
                .name_field = "name",
                .etag = request.etag(),
                .check_scope = false,  // Whoever takes members in at the new organisation may.
                .event = "gonghui.membership.v1.MemberJoined",
                .edit = [&](sql::Tx& tx, MemberEdit& edit) -> absl::StatusOr<v1::MemberEvent> {
                  RETURN_IF_ERROR(CheckRejoin(tx, call.federation, edit, request.organization(),
                                              request.joined_on(), ""));
                  edit.Join(request.organization(), request.joined_on());
                  return Happened(v1::MEMBER_EVENT_KIND_JOINED, request.joined_on(), edit.member());
                }});
}

absl::StatusOr<v1::Member> Members::Retain(rpc::Call& call,
                                           const v1::RetainMemberRequest& request) {
  std::string reason = request.reason();
  RETURN_IF_ERROR(CheckRetaining(call, catalog_, "", reason, request.retained_from()));
  return Apply(call, request,
               {.name = request.name(),
                .name_field = "name",
                .etag = request.etag(),
                .check_scope = true,
                .event = "gonghui.membership.v1.MemberRetained",
                .edit = [&](sql::Tx& tx, MemberEdit& edit) {
                  return RetainMember(tx, call, edit, request.retained_from(), reason);
                }});
}

absl::StatusOr<v1::Member> Members::Resume(rpc::Call& call,
                                           const v1::ResumeMemberRequest& request) {
  RETURN_IF_ERROR(NotInFuture(call, "resumed_on", request.resumed_on()));
  return Apply(call, request,
               {.name = request.name(),
                .name_field = "name",
                .etag = request.etag(),
                .check_scope = true,
                .event = "gonghui.membership.v1.MemberResumed",
                .edit = [&](sql::Tx&, MemberEdit& edit) -> absl::StatusOr<v1::MemberEvent> {
                  RETURN_IF_ERROR(edit.ExpectState("active"));
                  const std::string from = edit.member().retained_from();
                  if (from.empty()) {
                    return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                                              "the membership is not retained; RetainMember does "
                                              "that",
                                              "该会员未保留会籍，可用保留（RetainMember）办理")
                        .With("state", "active")
                        .With("allowed", "RetainMember, LeaveMember")
                        .At("name");
                  }
                  if (request.resumed_on() < from) {
                    return DateBefore("resumed_on", request.resumed_on(), "day of retention", from);
                  }
                  edit.Resume(request.resumed_on());
                  return Happened(v1::MEMBER_EVENT_KIND_RESUMED, request.resumed_on(),
                                  edit.member());
                }});
}

}  // namespace gonghui::membership
