// The reports service: follows every source's feed and answers figures.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/embedded.h"
#include "common/host/host.h"

namespace gonghui::reports {

// The migrations of its database (common/sql/migrate.h).
std::vector<EmbeddedFile> ReportsSchema();

absl::StatusOr<std::unique_ptr<Hosted>> OpenReports(const Host& host);

// Takes over, on the calling thread, everything the sources have committed. `reports` comes from
// OpenReports.
absl::Status CatchUp(Hosted& reports);

}  // namespace gonghui::reports
