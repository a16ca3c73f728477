#include "common/auth/grants.h"

#include <algorithm>

#include "common/auth/catalog.embedded.h"
#include "common/auth/grant_rules.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/catalog/yaml_message.h"
#include "google/protobuf/stubs/logging.h"

namespace gonghui::auth {
namespace {

using common::v1::Grant;

Error PermissionMissing(std::string_view permission) {
  return PermissionDenied(common::v1::REASON_PERMISSION_MISSING,
                          StrCat("None of your grants in force holds the permission ", permission,
                                 "; ask an administrator for a role that does"),
                          StrCat("您当前的授权不含权限", permission, "；请向管理员申请相应角色"))
      .With("permission", std::string(permission));
}

Error OutOfScope(std::string_view permission, std::string_view organization) {
  const bool whole = organization.empty();
  return PermissionDenied(
             common::v1::REASON_OUT_OF_SCOPE,
             StrCat("You hold ", permission, ", but not at ",
                    whole ? "the whole federation; name an organisation of yours"
                          : StrCat("organisation ", organization, "; ask for a grant there")),
             whole ? StrCat("您持有权限", permission, "，但范围不含整个联合会；请指定您负责的组织")
                   : StrCat("您持有权限", permission, "，但范围不含组织", organization,
                            "；请申请该组织的授权"))
      .With("permission", std::string(permission))
      .With("organization", std::string(organization));
}

}  // namespace

// ISO dates compare as text.
bool IsInForce(const Grant& grant, std::string_view today) {
  return (grant.from().empty() || grant.from() <= today) &&
         (grant.until().empty() || today < grant.until());
}

absl::StatusOr<bool> CoversBelow(const Grant& grant, const OrganizationScope& scope,
                                 std::string_view federation, std::string_view organization) {
  if (organization.empty()) {
    ASSIGN_OR_RETURN(const std::string root, scope.RootOf(federation));
    return !root.empty() && root == grant.organization();
  }
  absl::StatusOr<bool> below = scope.IsAtOrBelow(federation, organization, grant.organization());
  if (absl::IsNotFound(below.status())) return false;
  return below;
}

absl::StatusOr<Roles> Roles::FromYaml(std::string_view yaml) {
  common::v1::RoleCatalog catalog;
  RETURN_IF_ERROR(catalog::ParseYaml("roles.yaml", yaml, catalog));
  Roles roles;
  for (const common::v1::Role& role : catalog.roles()) {
    const auto [at, is_new] = roles.permissions_.try_emplace(
        role.name(), role.permissions().begin(), role.permissions().end());
    if (!is_new || role.name().empty()) {
      return InvalidArgument(common::v1::REASON_DUPLICATE_IN_REQUEST,
                             StrCat("roles.yaml: the role name \"", role.name(),
                                    "\" is empty or stands twice; give each role its own"),
                             StrCat("roles.yaml：角色名“", role.name(), "”为空或重复；请改名"));
    }
  }
  return roles;
}

const Roles& Roles::Builtin() {
  static const Roles& roles = *[] {
    const std::vector<EmbeddedFile>& files = embedded::common_auth_catalog();
    GOOGLE_CHECK_EQ(files.size(), 1u);
    absl::StatusOr<Roles> read = FromYaml(files[0].text);
    GOOGLE_CHECK(read.ok()) << read.status().ToString();
    return new Roles(*std::move(read));
  }();
  return roles;
}

bool Roles::Permits(std::string_view role, std::string_view permission) const {
  const auto found = permissions_.find(role);
  if (found == permissions_.end()) return false;
  return std::any_of(found->second.begin(), found->second.end(), [&](const std::string& held) {
    return held.ends_with('*')
               ? permission.starts_with(std::string_view(held).substr(0, held.size() - 1))
               : permission == held;
  });
}

absl::Status CheckPermission(const Actor& actor, const Roles& roles, std::string_view permission,
                             std::string_view today) {
  for (const Grant& grant : actor.grants) {
    if (IsInForce(grant, today) && roles.Permits(grant.role(), permission)) {
      return absl::OkStatus();
    }
  }
  return PermissionMissing(permission);
}

absl::Status Check(const Actor& actor, const Roles& roles, const OrganizationScope& scope,
                   std::string_view federation, std::string_view permission,
                   std::string_view organization, std::string_view today) {
  // What needs no tree first: the tree may have to be fetched.
  std::vector<const Grant*> reaching_below;
  bool permitted = false;
  for (const Grant& grant : actor.grants) {
    if (!IsInForce(grant, today) || !roles.Permits(grant.role(), permission)) continue;
    permitted = true;
    if (grant.organization() == kEverywhere) return absl::OkStatus();
    if (grant.organization().empty()) continue;
    if (grant.organization() == organization) return absl::OkStatus();
    if (grant.below()) reaching_below.push_back(&grant);
  }
  if (!permitted) return PermissionMissing(permission);
  for (const Grant* grant : reaching_below) {
    ASSIGN_OR_RETURN(const bool covers, CoversBelow(*grant, scope, federation, organization));
    if (covers) return absl::OkStatus();
  }
  return OutOfScope(permission, organization);
}

}  // namespace gonghui::auth
