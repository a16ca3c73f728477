// Who may do what where.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gonghui/common/v1/auth.pb.h"

namespace gonghui::auth {

// The role of the platform's own services among themselves.
inline constexpr std::string_view kServiceRole = "service";

// The verified identity of a caller.
struct Actor {
  std::string subject;     // Never empty for a verified caller.
  std::string federation;  // The one the token is for; "*" for service accounts.
  std::vector<common::v1::Grant> grants = {};
};

// Answers whether an organisation lies at or below another today. Implemented over the organisation
// tree.
class OrganizationScope {
 public:
  virtual ~OrganizationScope() = default;
  virtual absl::StatusOr<bool> IsAtOrBelow(std::string_view federation,
                                           std::string_view organization,
                                           std::string_view ancestor) const = 0;
  // Id of the organisation without parent; empty while the federation has none.
  virtual absl::StatusOr<std::string> RootOf(std::string_view federation) const = 0;
};

// Roles and what they permit. Immutable.
class Roles {
 public:
  static absl::StatusOr<Roles> FromYaml(std::string_view yaml);
  static const Roles& Builtin();  // common/auth/roles.yaml, embedded.

  bool Permits(std::string_view role, std::string_view permission) const;

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> permissions_;
};

// OK when a grant of the actor, in force on `today`, holds `permission` anywhere;
// PERMISSION_MISSING otherwise.
absl::Status CheckPermission(const Actor& actor, const Roles& roles, std::string_view permission,
                             std::string_view today);

// OK when a grant of the actor, in force on `today`, holds `permission` and covers `organization`.
// The empty organisation stands for the whole federation: covered by a grant at "*", or at the root
// with `below`. Errors: PERMISSION_MISSING, OUT_OF_SCOPE.
absl::Status Check(const Actor& actor, const Roles& roles, const OrganizationScope& scope,
                   std::string_view federation, std::string_view permission,
                   std::string_view organization, std::string_view today);

}  // namespace gonghui::auth
