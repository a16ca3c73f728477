// absl::Status ⇄ grpc::Status with google.rpc.Status details: one ErrorInfo (domain "gonghui"),
// BadRequest for a field, LocalizedMessage for Chinese, RetryInfo when overloaded. Internal
// messages are replaced, the cause goes to the log.
#pragma once

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace gonghui::rpc {

grpc::Status ToGrpc(const absl::Status& status, std::string_view trace_id);
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace gonghui::rpc
