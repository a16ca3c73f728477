// Forms and returns as files: the layout that ExportForm writes is the one that ImportReturn reads.
#pragma once

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "gonghui/reports/v1/return.pb.h"
#include "services/reports/return_rows.h"

namespace gonghui::reports {

// Thread-safe.
class ReturnFiles {
 public:
  explicit ReturnFiles(ReturnOptions options) : options_(options) {}

  absl::StatusOr<v1::ImportReturnResponse> Import(rpc::Call& call,
                                                  const v1::ImportReturnRequest& request);
  absl::StatusOr<v1::ExportFormResponse> Export(rpc::Call& call,
                                                const v1::ExportFormRequest& request);

 private:
  const ReturnOptions options_;
};

}  // namespace gonghui::reports
