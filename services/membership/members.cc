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
#include "services/membership/codes.h"
#include "services/membership/member_rules.h"
#include "services/membership/open_organizations.h"
#include "services/membership/organization_rules.h"

namespace gonghui::membership {
namespace {

using common::v1::Fact;

constexpr std::string_view kMemberName = "federations/{federation}/members/{member}";

Error UnknownMember(const std::string& id, std::string_view field) {
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("there is no member '", id, "'; ListMembers finds members"),
                  StrCat("没有会员“", id, "”，可用 ListMembers 查找"))
      .With("member", id)
      .At(std::string(field));
}

Error TooEarly(std::string_view field, const std::string& date, std::string_view than,
               const std::string& limit) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat(date, " lies before ", limit, ", the ", than, "; correct it"),
                         StrCat(date, " 早于 ", limit, "，请更正"))
      .With("date", date)
      .With("limit", limit)
      .At(std::string(field));
}

absl::Status ExpectState(const MemberRow& row, std::string_view state) {
  if (row.member.state() == state) return absl::OkStatus();
  const bool left = row.member.state() == "left";
  return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                            left ? "the member has left; JoinMember takes the person back in"
                                 : "the member is active; LeaveMember ends the membership first",
                            left ? "该会员已离会，可办理重新入会（JoinMember）"
                                 : "该会员在册，请先办理离会（LeaveMember）")
      .With("state", row.member.state())
      .With("allowed", left ? "JoinMember" : "LeaveMember, UpdateMember")
      .At("name");
}

absl::Status CheckStateFilter(const std::string& state) {
  if (state == "active" || state == "left" || state == "all") return absl::OkStatus();
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat("'", state, "' is no state; use active, left or all"),
                         StrCat("“", state, "”不是状态，可用 active、left、all"))
      .With("value", state)
      .At("state");
}

}  // namespace

std::string MemberCacheKey(std::string_view federation, std::string_view id) {
  return StrCat("member/", federation, "/", id, "/masked");
}

Members::Members(const Host& host, const catalog::Catalog& catalog, cache::Cache& cache)
    : db_(*host.db),
      tree_(*host.tree),
      cache_(cache),
      catalog_(catalog),
      kind_(*catalog.FindKind("member")),
      store_{*host.personal} {}

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
  if (!tree_.IsFresh(call.federation)) return std::nullopt;
  const std::optional<std::string> cached =
      cache_.Peek(MemberCacheKey(call.federation, LeafOf(request.name())));
  v1::Member member;
  if (!cached.has_value() || !member.ParseFromString(*cached)) return std::nullopt;
  if (absl::Status allowed = call.CheckScope(member.organization()); !allowed.ok()) return allowed;
  return member;
}

absl::StatusOr<v1::Member> Members::Get(rpc::Call& call, const v1::GetMemberRequest& request) {
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
    std::string number = ToUpper(Strip(request.id_number()));
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
    return outside || (state != "all" && row.member.state() != state);
  });
  return found;
}

absl::StatusOr<v1::ListMembersResponse> Members::List(rpc::Call& call,
                                                      const v1::ListMembersRequest& request) {
  const std::string state = request.state().empty() ? "active" : request.state();
  RETURN_IF_ERROR(CheckStateFilter(state));
  ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(std::vector<std::string> after,
                   rpc::ReadPageToken(request, request.page_token(), 2));
  after.resize(2);
  const size_t limit = static_cast<size_t>(page_size) + 1;
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
  int64_t written_version = 0;
  auto changed = rpc::WriteOnce<v1::Member>(
      db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Member> {
        ASSIGN_OR_RETURN(std::optional<MemberRow> row, store_.Find(tx, call.federation, id));
        if (!row.has_value()) return UnknownMember(id, change.name_field);
        if (row->member.organization() != seen.member.organization()) {
          return Aborted(common::v1::REASON_CONFLICT,
                         "the member moved to another organisation at the same moment; try again",
                         "该会员同时转到了其他工会，请重试");
        }
        RETURN_IF_ERROR(rpc::CheckEtag(change.etag, row->version));
        ASSIGN_OR_RETURN(std::vector<PastMembership> past,
                         store_.FindPast(tx, call.federation, id));
        ASSIGN_OR_RETURN(const std::vector<Fact> before, MemberFacts(kind_, *row, past));
        RETURN_IF_ERROR(change.edit(tx, *row, past));
        ++row->version;
        RETURN_IF_ERROR(store_.Update(tx, call.federation, *row));
        ASSIGN_OR_RETURN(const std::vector<Fact> after, MemberFacts(kind_, *row, past));
        feed::v1::Event event;
        event.set_type(change.event);
        event.add_resources(MemberName(call.federation, id));
        const std::vector<Fact> difference = catalog::FactChanges(before, after);
        if (!difference.empty()) {
          common::v1::RecordFacts& record = *event.add_facts();
          record.set_record(event.resources(0));
          record.mutable_facts()->Assign(difference.begin(), difference.end());
        }
        RETURN_IF_ERROR(feed::Append(tx, call, std::move(event)));
        written_version = row->version;
        return MaskedView(call.federation, *row);
      });
  // Another call made the change that is answered, and may have died before it raised.
  if (changed.ok() && changed->etag() != rpc::MakeEtag(written_version)) {
    ASSIGN_OR_RETURN(const MemberRow row, Read(call, id, change.name_field));
    written_version = row.version;
  }
  // Also after an error: an answer lost at COMMIT may have been a success.
  if (written_version > 0) {
    const absl::Status raised =
        cache_.Raise(MemberCacheKey(call.federation, id), written_version, call.deadline);
    if (changed.ok()) RETURN_IF_ERROR(raised);
  }
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
       .edit = [&](sql::Tx& tx, MemberRow& row, std::vector<PastMembership>& past) -> absl::Status {
         v1::Member& member = row.member;
         if (changes("id_number")) {  // Derived anew, unless given beside it.
           member.clear_sex();
           member.clear_birth_date();
         }
         rpc::MergeMasked(paths, wanted, member);
         RETURN_IF_ERROR(NormalizeMember(catalog_, "member.", member));
         if (!past.empty() && past.back().leave_reason == kReorganisation &&
             member.joined_on() != past.back().left_on) {
           return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                                     "a reorganisation carried the member here on that day; take "
                                     "it back to change the date",
                                     "该会员因组织调整于该日随转至此，如需改日期请先撤回该次调整")
               .At("member.joined_on");
         }
         if (!past.empty() && member.joined_on() < past.back().left_on) {
           return TooEarly("member.joined_on", member.joined_on(), "end of the last membership",
                           past.back().left_on);
         }
         if (!member.left_on().empty() && member.left_on() < member.joined_on()) {
           return TooEarly("member.joined_on", member.left_on(), "day of joining",
                           member.joined_on());
         }
         std::string index = store_.IndexOf(call.federation, member.id_type(), member.id_number());
         if (index == row.id_index) return absl::OkStatus();
         row.id_index = std::move(index);
         ASSIGN_OR_RETURN(const std::vector<MemberRow> taken,
                          store_.FindPersons(tx, call.federation, {row.id_index}));
         if (taken.empty()) return absl::OkStatus();
         return AlreadyExists(common::v1::REASON_ALREADY_EXISTS,
                              "another member has this identity number; correct it",
                              "该证件号码已登记在另一会员名下，请更正")
             .At("member.id_number");
       }});
}

absl::StatusOr<v1::Member> Members::Leave(rpc::Call& call, const v1::LeaveMemberRequest& request) {
  std::string reason = request.reason();
  RETURN_IF_ERROR(ToCode(catalog_, "leave_reason", "reason", reason));
  if (reason == kReorganisation) {
    return InvalidArgument(
               common::v1::REASON_FIELD_INVALID,
               "members carried on by a reorganisation do not leave; use MergeOrganizations or "
               "SplitOrganization",
               "组织调整随转不是离会，请用合并（MergeOrganizations）或拆分（SplitOrganization）")
        .At("reason");
  }
  return Apply(
      call, request,
      {.name = request.name(),
       .name_field = "name",
       .etag = request.etag(),
       .check_scope = true,
       .event = "gonghui.membership.v1.MemberLeft",
       .edit = [&](sql::Tx&, MemberRow& row, std::vector<PastMembership>&) -> absl::Status {
         RETURN_IF_ERROR(ExpectState(row, "active"));
         if (request.left_on() < row.member.joined_on()) {
           return TooEarly("left_on", request.left_on(), "day of joining", row.member.joined_on());
         }
         row.member.set_left_on(request.left_on());
         row.member.set_state("left");
         row.leave_reason = reason;
         return absl::OkStatus();
       }});
}

absl::StatusOr<v1::Member> Members::Join(rpc::Call& call, const v1::JoinMemberRequest& request) {
  return Apply(
      call, request,
      {.name = request.name(),
       .name_field = "name",
       .etag = request.etag(),
       .check_scope = false,  // Whoever takes members in at the new organisation may.
       .event = "gonghui.membership.v1.MemberJoined",
       .edit = [&](sql::Tx& tx, MemberRow& row, std::vector<PastMembership>& past) -> absl::Status {
         RETURN_IF_ERROR(ExpectState(row, "left"));
         if (request.joined_on() < row.member.left_on()) {
           return TooEarly("joined_on", request.joined_on(), "end of the last membership",
                           row.member.left_on());
         }
         absl::Status open;
         OpenOrganizations organizations(tx, call.federation);
         RETURN_IF_ERROR(organizations.Check(request.organization(), "organization", open));
         RETURN_IF_ERROR(open);
         v1::Member& member = row.member;
         past.push_back(
             {member.organization(), member.joined_on(), member.left_on(), row.leave_reason});
         RETURN_IF_ERROR(
             store_.InsertPast(tx, call.federation, row, static_cast<int64_t>(past.size())));
         member.set_organization(request.organization());
         member.set_joined_on(request.joined_on());
         member.clear_left_on();
         member.set_state("active");
         row.leave_reason.clear();
         return absl::OkStatus();
       }});
}

}  // namespace gonghui::membership
