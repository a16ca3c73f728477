// Keeps the cells right when the organisation tree or the catalogue changes.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "common/sql/sql.h"
#include "common/tree/tree_cache.h"
#include "services/reports/measures.h"

namespace gonghui::reports {

// Compares where every organisation with facts is rolled up with where the tree puts it, and shifts
// the facts of those that differ, also for changes dated back. `changed`: the caller knows of a
// change, so the tree is read anew; UNAVAILABLE when it cannot be.
absl::Status Reorganise(sql::Tx& tx, const std::string& tenant, const Measures& measures,
                        tree::TreeCache& tree, bool changed);

// Makes all cells of a federation anew from its facts.
absl::Status Rebuild(sql::Tx& tx, const std::string& tenant, const Measures& measures,
                     const tree::TreeCache& tree);

}  // namespace gonghui::reports
