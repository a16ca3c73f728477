// The funds service: books and vouchers, benefit records.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/embedded.h"
#include "common/host/host.h"

namespace gonghui::funds {

// The migrations of its database (common/sql/migrate.h).
std::vector<EmbeddedFile> FundsSchema();

// Migrates the database, loads charts and catalogue. Fails on a fault in either.
absl::StatusOr<std::unique_ptr<Hosted>> OpenFunds(const Host& host);

}  // namespace gonghui::funds
