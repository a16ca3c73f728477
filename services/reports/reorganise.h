// Keeps the cells right when the organisation tree or a declaration changes.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "common/sql/sql.h"
#include "common/tree/tree_cache.h"
#include "services/reports/coverage.h"
#include "services/reports/measures.h"

namespace gonghui::reports {

// Compares where every organisation with facts is rolled up with where the tree puts it now, and
// shifts the facts of those that differ, also for changes dated back. UNAVAILABLE when the tree
// cannot be read.
absl::Status Reorganise(sql::Tx& tx, const std::string& tenant, const Measures& measures,
                        tree::TreeCache& tree);

// Shifts the cells of what lies or lay below the declaration's organisation from one coverage to
// another that differs in this declaration only.
absl::Status Recover(sql::Tx& tx, const std::string& tenant, const Measures& measures,
                     const CoverageRule& changed, const Coverage& before, const Coverage& after);

}  // namespace gonghui::reports
