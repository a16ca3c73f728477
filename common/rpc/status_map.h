// absl::Status ⇄ grpc::Status with google.rpc.Status details: one ErrorInfo (domain "gonghui"),
// BadRequest for a field, LocalizedMessage for Chinese, RetryInfo when overloaded or
// limited. Internal
// messages are replaced, the cause goes to the log.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "common/base/status.h"
#include "grpcpp/support/status.h"

namespace gonghui::rpc {

// What a caller is told. Fits into 8 KiB of trailers: long texts are cut, then metadata is left
// out.
grpc::Status ToGrpc(const absl::Status& status, std::string_view trace_id);

// The same error as the server made it; for errors of the transport itself the reason that fits
// the code.
absl::Status FromGrpc(const grpc::Status& status);

// True when callers see a fixed text instead of the status's own message: a defect of ours.
bool IsHidden(const absl::Status& status);

// The reason in the ErrorInfo; statuses that were not made by gonghui::Error get the one that fits
// their code.
Reason ReasonForCallers(const absl::Status& status);

}  // namespace gonghui::rpc
