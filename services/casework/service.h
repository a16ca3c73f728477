#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "common/host/host.h"

namespace gonghui::casework {

// Migrates the database, loads the catalogue and serves gonghui.casework.v1.CaseService.
absl::StatusOr<std::unique_ptr<Hosted>> OpenCasework(const Host& host);

}  // namespace gonghui::casework
