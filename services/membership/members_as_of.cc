// Lists of members: on some day of the past, and by a filter.

#include <algorithm>

#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/page.h"
#include "services/membership/as_of.h"
#include "services/membership/member_filters.h"
#include "services/membership/member_selection.h"
#include "services/membership/members.h"

namespace gonghui::membership {

absl::StatusOr<v1::Member> Members::GetAsOf(rpc::Call& call,
                                            const v1::GetMemberRequest& request) const {
  const std::string id(LeafOf(request.name()));
  std::optional<MemberRow> row;
  std::vector<PastMembership> past;
  std::vector<Retention> retentions;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(row, store_.Find(tx, call.federation, id));
    ASSIGN_OR_RETURN(past, store_.FindPast(tx, call.federation, id));
    ASSIGN_OR_RETURN(retentions, FindRetentions(tx, call.federation, id));
    return absl::OkStatus();
  }));
  if (!row.has_value()) return UnknownMember(id, "name");
  const std::optional<v1::Member> then =
      MemberAsOf(call.federation, *row, past, retentions, request.as_of());
  // Who may see the member is judged where the person was, and before the first joining where the
  // person is.
  RETURN_IF_ERROR(
      call.CheckScope(then.has_value() ? then->organization() : row->member.organization()));
  if (then.has_value()) return *then;
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("the person was no member yet on ", request.as_of(),
                         "; ListMemberEvents tells when they joined"),
                  StrCat("此人在 ", request.as_of(), " 尚未入会，可用 ListMemberEvents 查看经历"))
      .With("as_of", request.as_of())
      .At("as_of");
}

absl::StatusOr<v1::ListMembersResponse> Members::ListAsOf(rpc::Call& call,
                                                          const v1::ListMembersRequest& request,
                                                          const std::string& state,
                                                          const std::vector<std::string>& after,
                                                          size_t limit) const {
  const bool filtered = request.has_filter() || !request.saved_filter().empty();
  if (state == "left" || !request.id_number().empty() || filtered) {
    return AsOfStandsAlone();
  }
  const std::string& day = request.as_of();
  ASSIGN_OR_RETURN(const auto tree, tree_.Get(call.federation, request.organization()));
  std::vector<std::string> organizations =
      tree->Subtree(request.organization().empty() ? tree->Root() : request.organization(), day);
  std::sort(organizations.begin(), organizations.end());
  v1::ListMembersResponse response;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    ListPlace place{after[0], after[1]};
    std::vector<ListedMember> members;
    ASSIGN_OR_RETURN(const bool more, ListMembersOn(tx, store_, call.federation, organizations, day,
                                                    state, limit - 1, place, members));
    for (ListedMember& member : members) *response.add_members() = std::move(member.view);
    if (more) {
      response.set_next_page_token(rpc::MakePageToken(request, {place.organization, place.id}));
    }
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<v1::ListMembersResponse> Members::ListFiltered(rpc::Call& call,
                                                              const v1::ListMembersRequest& request,
                                                              const std::vector<std::string>& after,
                                                              size_t limit) const {
  v1::MemberFilter filter = request.filter();
  if (!request.saved_filter().empty()) {
    ASSIGN_OR_RETURN(filter, ReadSavedFilter(db_, call, request.saved_filter()));
  }
  if (!filter.states().empty() && !request.state().empty()) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           "the filter names states; leave state empty",
                           "筛选中已有状态，请将 state 留空")
        .At("state");
  }
  std::vector<std::string> states = {request.state().empty() ? "active" : request.state()};
  if (request.state() == "all") states = {"active", "retained", "left"};
  ASSIGN_OR_RETURN(const MemberSelection selection,
                   MemberSelection::Make(catalog_, filter, "filter.", states));
  ASSIGN_OR_RETURN(const auto tree, tree_.Get(call.federation, request.organization()));
  std::vector<std::string> organizations = tree->Subtree(
      request.organization().empty() ? tree->Root() : request.organization(), call.Today());
  std::sort(organizations.begin(), organizations.end());
  std::vector<MemberRow> rows;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(rows, selection.Page(tx, store_, call.federation, organizations, after[0],
                                          after[1], limit));
    return absl::OkStatus();
  }));
  v1::ListMembersResponse response;
  if (rows.size() == limit) {
    rows.pop_back();
    response.set_next_page_token(
        rpc::MakePageToken(request, {rows.back().member.organization(), rows.back().id}));
  }
  for (const MemberRow& row : rows) *response.add_members() = MaskedView(call.federation, row);
  return response;
}

}  // namespace gonghui::membership
