// Schema migrations: numbered scripts, each applied once, with checksums.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "common/base/embedded.h"
#include "common/sql/sql.h"

namespace gonghui::sql {

// Scripts are embedded files: "001_init.sql" runs on both engines, "002_x.postgres.sql" and
// "002_x.sqlite.sql" only on theirs. Applies what is missing in order of name, each in one
// transaction with its row in schema_migrations(name, checksum, applied_us). An applied script
// whose checksum changed, or an applied name that is unknown, is an error.
absl::Status Migrate(Database& db, std::vector<EmbeddedFile> migrations, int64_t now_us);

}  // namespace gonghui::sql
