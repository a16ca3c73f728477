// Money that comes in by a channel: batches of receipts, matched and resolved before they are
// confirmed.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "gonghui/funds/v1/levy.pb.h"
#include "services/funds/levies.h"
#include "services/funds/levy_receipt_rows.h"

namespace gonghui::funds {

// Thread-safe.
class LevyReceipts {
 public:
  explicit LevyReceipts(const Levies& levies) : levies_(levies) {}

  absl::StatusOr<v1::ImportLevyReceiptsResponse> Import(
      rpc::Call& call, const v1::ImportLevyReceiptsRequest& request);
  absl::StatusOr<v1::ListLevyReceiptsResponse> List(rpc::Call& call,
                                                    const v1::ListLevyReceiptsRequest& request);
  absl::StatusOr<v1::ResolveLevyReceiptsResponse> Resolve(
      rpc::Call& call, const v1::ResolveLevyReceiptsRequest& request);
  absl::StatusOr<v1::LevyBatch> Undo(rpc::Call& call, const v1::UndoLevyBatchRequest& request);
  absl::StatusOr<v1::ListLevyBatchesResponse> ListBatches(
      rpc::Call& call, const v1::ListLevyBatchesRequest& request);

 private:
  absl::StatusOr<std::vector<ReceiptRow>> ReadRows(const v1::ImportLevyReceiptsRequest& request,
                                                   v1::ImportLevyReceiptsResponse& failed) const;

  const Levies levies_;
};

}  // namespace gonghui::funds
