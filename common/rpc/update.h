// Update masks and etags.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace gonghui::rpc {

// Splits a comma-separated mask; each path must name a field of `message`, not output_only, not
// immutable, not "name" or "etag" (map entries: "fields.x"). "*" means every changeable field.
// REASON_UPDATE_MASK_INVALID otherwise.
absl::StatusOr<std::vector<std::string>> ReadMask(std::string_view mask,
                                                  const google::protobuf::Message& message);
// Copies the masked fields of `from` into `to`; an absent map entry or empty value clears.
void MergeMasked(const std::vector<std::string>& paths, const google::protobuf::Message& from,
                 google::protobuf::Message& to);

// Etag of a row version, quoted.
std::string MakeEtag(int64_t version);
// OK when `given` is empty or equals the row's etag; REASON_ETAG_MISMATCH otherwise.
absl::Status CheckEtag(std::string_view given, int64_t version);

}  // namespace gonghui::rpc
