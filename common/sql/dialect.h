// The common part of the two engines' SQL (sql.h), as a check.
#pragma once

#include "absl/status/status.h"
#include "common/sql/sql.h"

namespace gonghui::sql {

// INTERNAL with the forbidden construct when the statement would not mean the same on both engines.
// Called when a statement is prepared, and by the tests for every statement in the sources.
absl::Status CheckDialect(const Query& query);

}  // namespace gonghui::sql
