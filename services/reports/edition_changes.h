// What differs between two editions of one period, and why.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/sql/sql.h"
#include "gonghui/reports/v1/edition.pb.h"
#include "services/reports/edition_content.h"
#include "services/reports/measures.h"
#include "services/reports/standpoint.h"

namespace gonghui::reports {

// The edition before.
struct EditionBase {
  EditionFigures figures;
  std::map<std::string, int64_t> followed;  // Later facts of a source were unknown to it.
  v1::MeasureCatalog definitions;
};

// Every figure that differs, by key. The causes are found by making the old figure again from the
// facts, one step at a time: the facts that the base knew, by the tree of today; the same by the
// measure of today; then with the facts of records that it did not know; then with all. So their
// deltas always sum to the difference. `standpoint` knows all organisations. Memory: the facts of
// one measure below the organisations whose figures differ.
absl::StatusOr<std::vector<v1::EditionChange>> ChangesBetween(sql::Tx& tx, const Measures& measures,
                                                              const FigureScope& scope,
                                                              const EditionBase& base,
                                                              const EditionFigures& now,
                                                              Standpoint& standpoint);

}  // namespace gonghui::reports
