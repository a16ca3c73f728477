// The register of numbered receipt forms: series without gaps, each number used once, in order.
#pragma once

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "gonghui/funds/v1/levy.pb.h"
#include "services/funds/levies.h"

namespace gonghui::funds {

// Thread-safe.
class PaperReceipts {
 public:
  explicit PaperReceipts(const Levies& levies) : levies_(levies) {}

  absl::StatusOr<v1::IssuePaperReceiptsResponse> Issue(
      rpc::Call& call, const v1::IssuePaperReceiptsRequest& request);
  absl::StatusOr<v1::PaperReceipt> Advance(rpc::Call& call,
                                           const v1::AdvancePaperReceiptRequest& request);
  absl::StatusOr<v1::ListPaperReceiptsResponse> List(rpc::Call& call,
                                                     const v1::ListPaperReceiptsRequest& request);

 private:
  const Levies levies_;
};

}  // namespace gonghui::funds
