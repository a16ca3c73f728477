// Schema migrations: numbered scripts, each applied once, with checksums.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/embedded.h"
#include "common/sql/sql.h"

namespace gonghui::sql {

// Scripts are embedded files: "001_init.sql" runs on both engines, "002_x.postgres.sql" and
// "002_x.sqlite.sql" only on theirs. Applies what is missing in order of name, each in one
// transaction with its row in schema_migrations(name, checksum, applied_us). An applied script
// whose checksum changed is an error.
//
// Scripts only add, so that the program of the release before runs beside this one: what a newer
// program applied is no concern of it. A script that takes something away ("040_x.contract.sql"),
// a release later, keeps out every program that does not know it.
absl::Status Migrate(Database& db, std::vector<EmbeddedFile> migrations, int64_t now_us);

// What Migrate would do, without doing it; the same errors.
struct MigrationPlan {
  int applied = 0;                   // Scripts.
  std::vector<std::string> pending;  // In order.
  std::vector<std::string> newer;    // Applied by a newer program.
};
absl::StatusOr<MigrationPlan> PlanMigration(Database& db, std::vector<EmbeddedFile> migrations);

}  // namespace gonghui::sql
