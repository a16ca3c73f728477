// AIP-122 resource names.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace gonghui {

// Matches "federations/demo/members/7" against "federations/{federation}/members/{member}" and
// returns {federation: demo, member: 7}. Ids are [A-Za-z0-9._~-]{1,128}. REASON_FIELD_INVALID
// otherwise.
absl::StatusOr<std::map<std::string, std::string>> ParseName(std::string_view pattern,
                                                             std::string_view name);

// The federation of any name or parent ("federations/demo/…" -> "demo"); empty when there is none.
std::string_view FederationOf(std::string_view name);

// The last segment of a name.
std::string_view LeafOf(std::string_view name);

}  // namespace gonghui
