#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "common/host/host.h"

namespace gonghui::activities {

// Migrates the database, loads the catalogue and serves gonghui.activities.v1.ActivityService.
absl::StatusOr<std::unique_ptr<Hosted>> OpenActivities(const Host& host);

}  // namespace gonghui::activities
