// Moving memberships between organisations, agreed by both sides.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/host/host.h"
#include "gonghui/membership/v1/transfer.pb.h"
#include "services/membership/member_edit.h"

namespace gonghui::membership {

// Thread-safe.
class Transfers {
 public:
  Transfers(const Host& host, const catalog::Catalog& catalog, cache::Cache& cache)
      : db_(*host.db),
        tree_(*host.tree),
        cache_(cache),
        catalog_(catalog),
        register_(catalog, *host.personal) {}

  absl::StatusOr<v1::Transfer> Start(rpc::Call& call, const v1::StartTransferRequest& request);
  absl::StatusOr<v1::Transfer> Accept(rpc::Call& call, const v1::AcceptTransferRequest& request);
  absl::StatusOr<v1::Transfer> Reject(rpc::Call& call, const v1::RejectTransferRequest& request);
  absl::StatusOr<v1::Transfer> Cancel(rpc::Call& call, const v1::CancelTransferRequest& request);
  absl::StatusOr<v1::Transfer> Get(rpc::Call& call, const v1::GetTransferRequest& request);
  absl::StatusOr<v1::ListTransfersResponse> List(rpc::Call& call,
                                                 const v1::ListTransfersRequest& request);

  // Starts a transfer that was checked as Start checks it, within a transaction; `edit` is the
  // person's. Appends no event.
  absl::StatusOr<v1::Transfer> StartOne(sql::Tx& tx, const rpc::Call& call, const MemberEdit& edit,
                                        const v1::StartTransferRequest& request) const;

 private:
  absl::StatusOr<MemberRow> FindPerson(const rpc::Call& call,
                                       const v1::StartTransferRequest& request) const;
  absl::StatusOr<v1::Transfer> Read(const rpc::Call& call, const std::string& name) const;
  // Ends a pending transfer: checks, lets `effect` act, writes.
  template <typename Request>
  absl::StatusOr<v1::Transfer> End(
      rpc::Call& call, const Request& request, v1::TransferState state,
      const std::function<absl::Status(sql::Tx&, v1::Transfer&, feed::v1::Event&)>& effect);

  sql::Database& db_;
  tree::TreeCache& tree_;
  cache::Cache& cache_;
  const catalog::Catalog& catalog_;
  const MemberRegister register_;
};

}  // namespace gonghui::membership
