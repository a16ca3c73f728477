// Declarations of what counts: records or the returns of a form.
#pragma once

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "gonghui/reports/v1/return.pb.h"
#include "services/reports/return_rows.h"

namespace gonghui::reports {

// Thread-safe.
class Coverages {
 public:
  explicit Coverages(ReturnOptions options) : options_(options) {}

  absl::StatusOr<v1::Coverage> Declare(rpc::Call& call, const v1::DeclareCoverageRequest& request);
  absl::StatusOr<v1::Coverage> Withdraw(rpc::Call& call,
                                        const v1::WithdrawCoverageRequest& request);
  absl::StatusOr<v1::ListCoveragesResponse> List(rpc::Call& call,
                                                 const v1::ListCoveragesRequest& request);

 private:
  const ReturnOptions options_;
};

}  // namespace gonghui::reports
