// Why grants allow or refuse.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/auth/grants.h"

namespace gonghui::auth {

// What decides on one grant.
enum class Verdict {
  kAllows,
  kNotInForce,           // Begins later, or has ended.
  kRoleLacksPermission,  // Or there is no such role.
  kElsewhere,            // Does not cover the organisation.
};

// What the grant does for the permission at the organisation; empty: at the whole federation. Check
// allows exactly where a grant of the actor has the verdict kAllows.
absl::StatusOr<Verdict> Judge(const common::v1::Grant& grant, const Roles& roles,
                              const OrganizationScope& scope, std::string_view federation,
                              std::string_view permission, std::string_view organization,
                              std::string_view today);

// The built-in roles that hold a permission, in the order of their file.
std::vector<std::string> RolesHolding(std::string_view permission);

}  // namespace gonghui::auth
