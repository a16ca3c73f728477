// What one grant does, for those who check and those who explain.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/auth/grants.h"

namespace gonghui::auth {

inline constexpr std::string_view kEverywhere = "*";

bool IsInForce(const common::v1::Grant& grant, std::string_view today);

// Whether a grant that reaches below its own organisation reaches this one. An organisation that
// the tree does not know is covered by nobody.
absl::StatusOr<bool> CoversBelow(const common::v1::Grant& grant, const OrganizationScope& scope,
                                 std::string_view federation, std::string_view organization);

}  // namespace gonghui::auth
