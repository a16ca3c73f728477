#include "common/rpc/call.h"

#include "common/rpc/service.h"

namespace gonghui::rpc {
namespace {

// Where no tree is known, only grants at "*" and at the very organisation cover it.
class NoTree final : public auth::OrganizationScope {
 public:
  absl::StatusOr<bool> IsAtOrBelow(std::string_view, std::string_view organization,
                                   std::string_view ancestor) const override {
    return organization == ancestor;
  }
  absl::StatusOr<std::string> RootOf(std::string_view) const override { return ""; }
};

}  // namespace

absl::Status Call::CheckScope(std::string_view organization) const {
  return CheckScope(method->policy.permission(), organization);
}

absl::Status Call::CheckScope(std::string_view permission, std::string_view organization) const {
  static const NoTree& no_tree = *new NoTree;
  return auth::Check(actor, roles == nullptr ? auth::Roles::Builtin() : *roles,
                     scope == nullptr ? no_tree : *scope, federation, permission, organization,
                     Today());
}

}  // namespace gonghui::rpc
