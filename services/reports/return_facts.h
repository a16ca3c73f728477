// What an approved return states, as facts.
#pragma once

#include "absl/status/status.h"
#include "common/sql/sql.h"
#include "services/reports/return_rows.h"
#include "services/reports/rollups.h"

namespace gonghui::reports {

// Stores what turns the facts of the return into those of its present cells, dated the period's
// last day; whether they count, the coverage says. Of a whole and its parts, the parts and the rest
// become facts. A balance takes the place of the one before; where a later return stated it too,
// its balance stays as stated. Blank cells state nothing; beside filled cells of the same measure
// they count as nothing. Numbers of persons are facts without subject.
absl::Status PostReturn(sql::Tx& tx, const ReturnKey& key, const StoredReturn& stored,
                        Rollups& rollups);

}  // namespace gonghui::reports
