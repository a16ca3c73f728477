// Confirmed receipts: shared among the levels and posted, or held until the unit has a union.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "gonghui/feed/v1/feed.pb.h"
#include "gonghui/funds/v1/levy.pb.h"
#include "services/funds/levies.h"
#include "services/funds/levy_receipt_rows.h"
#include "services/funds/levy_sharing.h"

namespace gonghui::funds {

// Thread-safe.
class LevyConfirmations {
 public:
  explicit LevyConfirmations(const Levies& levies) : levies_(levies) {}

  absl::StatusOr<v1::ConfirmLevyReceiptsResponse> Confirm(
      rpc::Call& call, const v1::ConfirmLevyReceiptsRequest& request);
  absl::StatusOr<v1::SettlePreparatoryFundsResponse> Settle(
      rpc::Call& call, const v1::SettlePreparatoryFundsRequest& request);
  absl::StatusOr<v1::PreviewSharingResponse> Preview(rpc::Call& call,
                                                     const v1::PreviewSharingRequest& request);
  absl::StatusOr<v1::ListLevySharesResponse> ListShares(rpc::Call& call,
                                                        const v1::ListLevySharesRequest& request);

 private:
  using TreePtr = std::shared_ptr<const tree::OrganizationTree>;
  absl::StatusOr<Shared> ShareOf(const tree::OrganizationTree& tree, const ReceiptRow& row) const;
  // Confirms the rows of a batch; writes nothing where `event` is nullptr.
  absl::Status ConfirmRows(const rpc::Call& call, sql::Tx& tx, const TreePtr& tree,
                           const std::string& batch, feed::v1::Event* event,
                           v1::ConfirmLevyReceiptsResponse& response) const;
  absl::Status SettleRows(const rpc::Call& call, sql::Tx& tx, const TreePtr& tree,
                          const v1::SettlePreparatoryFundsRequest& request,
                          std::vector<ReceiptRow> rows, feed::v1::Event& event,
                          v1::SettlePreparatoryFundsResponse& response) const;

  const Levies levies_;
};

}  // namespace gonghui::funds
