// Returns from the first cell to their submission, and their history.
#pragma once

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "gonghui/reports/v1/return.pb.h"
#include "services/reports/return_rows.h"

namespace gonghui::reports {

// Thread-safe.
class Returns {
 public:
  explicit Returns(ReturnOptions options) : options_(options) {}

  absl::StatusOr<v1::Return> Get(rpc::Call& call, const v1::GetReturnRequest& request);
  absl::StatusOr<v1::ListReturnsResponse> List(rpc::Call& call,
                                               const v1::ListReturnsRequest& request);
  absl::StatusOr<v1::Return> Update(rpc::Call& call, const v1::UpdateReturnRequest& request);
  absl::StatusOr<v1::ValidateReturnResponse> Validate(rpc::Call& call,
                                                      const v1::ValidateReturnRequest& request);
  absl::StatusOr<v1::Return> Submit(rpc::Call& call, const v1::SubmitReturnRequest& request);
  absl::StatusOr<v1::ListReturnChangesResponse> ListChanges(
      rpc::Call& call, const v1::ListReturnChangesRequest& request);

 private:
  // The return of a name, after a check of the caller's right at its organisation.
  absl::StatusOr<ReturnKey> Resolve(const rpc::Call& call, std::string_view name) const;

  const ReturnOptions options_;
};

// A draft, one that was sent back, or a new one: otherwise STATE_FORBIDS.
absl::Status CheckEditable(v1::ReturnState state);

// Whether a cell can hold the value: 10^15 smallest units either way.
bool IsCellValue(int64_t value);

}  // namespace gonghui::reports
