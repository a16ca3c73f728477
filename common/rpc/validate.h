// Checks a request against its field options by reflection.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace gonghui::rpc {

// First violation of required, max_len, pattern, resource_type, max_items or date, with the field's
// path; also text that is not UTF-8 or holds NUL. Output-only fields are not looked at. Of
// a request with an update_mask, the resource may lack required fields.
absl::Status Validate(const google::protobuf::Message& message);

// The value at a path of singular fields ("record.organization"); empty when unset.
std::string FieldAt(const google::protobuf::Message& message, std::string_view path);

// The message as one line for logs, with pii and secret fields replaced by "*".
std::string Redacted(const google::protobuf::Message& message);

}  // namespace gonghui::rpc
