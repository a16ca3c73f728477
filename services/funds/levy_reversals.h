// Confirmed receipts taken back.
#pragma once

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "gonghui/feed/v1/feed.pb.h"
#include "gonghui/funds/v1/levy.pb.h"
#include "services/funds/levies.h"
#include "services/funds/levy_receipt_rows.h"

namespace gonghui::funds {

// Thread-safe.
class LevyReversals {
 public:
  explicit LevyReversals(const Levies& levies) : levies_(levies) {}

  absl::StatusOr<v1::LevyReceipt> Reverse(rpc::Call& call,
                                          const v1::ReverseLevyReceiptRequest& request);

 private:
  // Takes the receipt out of its obligation and the figures.
  absl::Status TakeBack(const rpc::Call& call, sql::Tx& tx, ReceiptRow& receipt,
                        feed::v1::Event& event) const;

  const Levies levies_;
};

}  // namespace gonghui::funds
