// The membership service: federations, the organisation tree, members and registers.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/embedded.h"
#include "common/host/host.h"

namespace gonghui::membership {

// The migrations of its database (common/sql/migrate.h).
std::vector<EmbeddedFile> MembershipSchema();

absl::StatusOr<std::unique_ptr<Hosted>> OpenMembership(const Host& host);

}  // namespace gonghui::membership
