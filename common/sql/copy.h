// Whole copies of a database: taken while it is used, put back into an empty one.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace gonghui::sql {

// Writes what is committed at one instant to `file`, which must not exist; writers go on meanwhile.
// SQLite: a database file. PostgreSQL: an archive of pg_dump, which must be installed (package
// postgresql-client). The file is on the disk when this returns, readable by its owner alone.
absl::Status CopyOut(const std::string& url, const std::string& file);

// Puts a copy into the database of the URL, all of it or nothing; the engine must be the copy's.
// STATE_FORBIDS: the database holds tables already, or is a file that exists.
absl::Status CopyIn(const std::string& file, const std::string& url);

// STATE_FORBIDS as CopyIn's, without a copy.
absl::Status CheckEmpty(const std::string& url);

// "sqlite" or "postgres" of a URL; FIELD_INVALID.
absl::StatusOr<std::string> EngineOf(const std::string& url);

}  // namespace gonghui::sql
