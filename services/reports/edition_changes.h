// What differs between two editions of one period, and why.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
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
  // Later facts of a source were unknown to it.
  std::map<std::string, int64_t, std::less<>> followed;
  v1::MeasureCatalog definitions;

  bool Knows(std::string_view source, int64_t sequence) const {
    const auto last = followed.find(source);
    return last != followed.end() && sequence <= last->second;
  }
};

// The edition on its way.
struct EditionNow {
  EditionFigures figures;
  std::set<std::string> organizations;  // Those that it has figures of.
};

// Every figure whose value or text differs, by key; where a counted figure is missing it is 0. The
// causes are found by making the old figure again from the facts, one step at a time: the facts
// that the base knew, by the tree of today; the same by the measure of today; then with the facts
// of records that it did not know; then with all. So their deltas always sum to the difference.
// `standpoint` knows all organisations. Memory: the facts of one measure below the organisations
// whose figures differ, and the records that came after the base.
absl::StatusOr<std::vector<v1::EditionChange>> ChangesBetween(sql::Tx& tx, const Measures& measures,
                                                              const FigureScope& scope,
                                                              const EditionBase& base,
                                                              const EditionNow& now,
                                                              Standpoint& standpoint);

}  // namespace gonghui::reports
