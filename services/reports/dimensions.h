// Dimensions as text, "key=value;key=value", and what a query asks of them.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/base/date.h"
#include "gonghui/common/v1/fact.pb.h"
#include "services/reports/measures.h"

namespace gonghui::reports {

using DimensionMap = std::map<std::string, std::string, std::less<>>;

// "key=value;key=value", sorted by key; empty for none.
std::string FormatDimensions(const DimensionMap& dimensions);
// The inverse, for what FormatDimensions wrote.
DimensionMap ParseDimensions(std::string_view text);
// A fact's dimensions as stored. Separators within a value become "_".
DimensionMap DimensionsOf(const common::v1::Fact& fact);
// Only the keys by which the measure's cells are kept apart.
DimensionMap CellDimensions(const v1::Measure& measure, const DimensionMap& dimensions);

// What a query asks of one measure's dimensions.
struct DimensionFilter {
  std::map<std::string, std::set<std::string>, std::less<>> allowed;  // Key -> any of these values.
  std::set<std::string> split;   // Keys with "*": a figure for each value. May hold "month".
  std::set<std::string> months;  // Months that stand for the period; empty: the whole period.
  DimensionMap shown;            // What the answer repeats: everything asked but the split keys.

  bool Admits(const DimensionMap& dimensions) const;
};

// Reads "k=v", "k=a,b" (any of), "k=*" (split) joined by ";". A value that is the dimension's
// total, and a key declared as a remark, restrict nothing. Errors at field `dimensions`:
// DIMENSION_UNKNOWN (names the known keys), FIELD_INVALID, PERIOD_INVALID for a month outside the
// period, NOT_ADDITIVE for several months of a balance.
absl::StatusOr<DimensionFilter> ParseFilter(const Measures& measures, const v1::Measure& measure,
                                            const Period& period, std::string_view text);

}  // namespace gonghui::reports
