// The databases' schemas without their services: what a start would change, and changing it alone.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace gonghui {

// What Migrate would do to the databases (area -> URL), a line each: how many scripts are applied,
// which are not, which a newer program applied. Databases of SQLite that are not there are not
// made.
absl::StatusOr<std::string> PlanMigrations(const std::map<std::string, std::string>& databases);

// Applies what is missing, database after database; each script all of it or nothing. Two that run
// at once take turns.
absl::Status MigrateAll(const std::map<std::string, std::string>& databases);

// Migrates, then spreads each database over the nodes of its Citus cluster
// (common/sql/schema/900_citus.postgres.sql). The URLs are those of coordinators.
absl::Status DistributeAll(const std::map<std::string, std::string>& databases);

}  // namespace gonghui
