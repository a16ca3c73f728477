// Page sizes and page tokens.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace gonghui::rpc {

// 0 -> 50, above 1000 -> 1000, negative -> FIELD_INVALID at page_size.
absl::StatusOr<int> PageSize(int requested, int standard = 50, int most = 1000);

// Keyset tokens: the sort key of the last row, bound to the query by a hash of the request without
// page_size and page_token, so that a token cannot be used with other arguments. Opaque base64url
// text.
std::string MakePageToken(const google::protobuf::Message& request,
                          const std::vector<std::string>& last_key);
// Empty token -> empty vector (first page). REASON_PAGE_TOKEN_INVALID otherwise.
absl::StatusOr<std::vector<std::string>> ReadPageToken(const google::protobuf::Message& request,
                                                       std::string_view token, size_t key_size);

// REASON_PAGE_TOKEN_INVALID, for a key whose parts are not what this query puts into its tokens.
absl::Status DamagedPageToken();

}  // namespace gonghui::rpc
