#include "common/auth/explanation.h"

#include "common/auth/catalog.embedded.h"
#include "common/auth/grant_rules.h"
#include "common/base/status.h"
#include "common/catalog/yaml_message.h"

namespace gonghui::auth {

absl::StatusOr<Verdict> Judge(const common::v1::Grant& grant, const Roles& roles,
                              const OrganizationScope& scope, std::string_view federation,
                              std::string_view permission, std::string_view organization,
                              std::string_view today) {
  if (!IsInForce(grant, today)) return Verdict::kNotInForce;
  if (!roles.Permits(grant.role(), permission)) return Verdict::kRoleLacksPermission;
  if (grant.organization() == kEverywhere) return Verdict::kAllows;
  if (grant.organization().empty()) return Verdict::kElsewhere;
  if (grant.organization() == organization) return Verdict::kAllows;
  if (!grant.below()) return Verdict::kElsewhere;
  ASSIGN_OR_RETURN(const bool covers, CoversBelow(grant, scope, federation, organization));
  return covers ? Verdict::kAllows : Verdict::kElsewhere;
}

std::vector<std::string> RolesHolding(std::string_view permission) {
  common::v1::RoleCatalog catalog;
  std::vector<std::string> holding;
  // Roles::Builtin has checked the file.
  for (const EmbeddedFile& file : embedded::common_auth_catalog()) {
    if (!catalog::ParseYaml("roles.yaml", file.text, catalog).ok()) continue;
    for (const common::v1::Role& role : catalog.roles()) {
      if (Roles::Builtin().Permits(role.name(), permission)) holding.push_back(role.name());
    }
  }
  return holding;
}

}  // namespace gonghui::auth
