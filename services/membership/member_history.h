// What became of memberships.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/host/host.h"
#include "gonghui/membership/v1/member_history.pb.h"
#include "services/membership/member_edit.h"

namespace gonghui::membership {

// Thread-safe.
class MemberHistory {
 public:
  MemberHistory(const Host& host, const catalog::Catalog& catalog)
      : db_(*host.db), tree_(*host.tree), register_(catalog, *host.personal) {}

  absl::StatusOr<v1::ListMemberEventsResponse> ListEvents(
      rpc::Call& call, const v1::ListMemberEventsRequest& request);
  absl::StatusOr<v1::MemberFlow> GetFlow(rpc::Call& call, const v1::GetMemberFlowRequest& request);

 private:
  sql::Database& db_;
  tree::TreeCache& tree_;
  const MemberRegister register_;
};

}  // namespace gonghui::membership
