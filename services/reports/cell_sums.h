// Writes cells: what facts add up to, for their organisation and for every ancestor.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/sql/sql.h"
#include "services/reports/columns.h"
#include "services/reports/coverage.h"
#include "services/reports/placements.h"

namespace gonghui::reports {

// Where changes of cells are written: while a federation is rebuilt, what is taken over goes into
// the cells that answer and into those on their way.
enum class CellTables { kCells, kRebuilt, kBoth };

// Adds each row to its cell: tenant, organization, measure, subject, dims, month, value, records.
// No two rows name the same cell; they are fastest in the order of the keys.
absl::Status AddToCells(sql::Tx& tx, CellTables tables, std::vector<sql::Args> rows);

// Adds the facts to their cells, as far as their sources count. An ancestor is visited once for
// each sum of the columns, not for each fact.
absl::Status RollUp(sql::Tx& tx, const std::string& tenant, const FactColumns& facts,
                    Placements& placements, const Coverage& coverage, CellTables tables);

}  // namespace gonghui::reports
