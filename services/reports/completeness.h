// Who owes a return: by unit, in numbers, and whom to remind.
#pragma once

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "gonghui/reports/v1/return.pb.h"
#include "services/reports/return_rows.h"

namespace gonghui::reports {

// Thread-safe.
class Completeness {
 public:
  explicit Completeness(ReturnOptions options) : options_(options) {}

  absl::StatusOr<v1::GetCompletenessResponse> Get(rpc::Call& call,
                                                  const v1::GetCompletenessRequest& request);
  absl::StatusOr<v1::ListRemindersResponse> ListReminders(rpc::Call& call,
                                                          const v1::ListRemindersRequest& request);

 private:
  const ReturnOptions options_;
};

}  // namespace gonghui::reports
