// Returns after their submission: approved, sent back, locked, opened again.
#pragma once

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "gonghui/reports/v1/return.pb.h"
#include "services/reports/return_rows.h"

namespace gonghui::reports {

// Thread-safe.
class ReturnReview {
 public:
  explicit ReturnReview(ReturnOptions options) : options_(options) {}

  absl::StatusOr<v1::Return> Review(rpc::Call& call, const v1::ReviewReturnRequest& request);
  absl::StatusOr<v1::Return> Lock(rpc::Call& call, const v1::LockReturnRequest& request);
  absl::StatusOr<v1::Return> Reopen(rpc::Call& call, const v1::ReopenReturnRequest& request);

 private:
  const ReturnOptions options_;
};

}  // namespace gonghui::reports
