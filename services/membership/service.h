// The membership service: federations, the organisation tree, members and registers.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "common/host/host.h"

namespace gonghui::membership {

absl::StatusOr<std::unique_ptr<Hosted>> OpenMembership(const Host& host);

}  // namespace gonghui::membership
