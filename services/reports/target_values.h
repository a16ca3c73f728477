// Decimal texts of targets and appraisals as whole numbers, and back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gonghui/reports/v1/report.pb.h"

namespace gonghui::reports {

// Decimal places between a measure's smallest unit (Figure.value) and the unit that it is written
// in: 6 for 万元, 4 for a ratio in percent, 0 for counts.
int ValueScale(const v1::Measure& measure);

// "1200.5" in units of 10^-scale. FIELD_INVALID at `field` for anything below zero, above 10^15
// smallest units, or with more than `scale` decimals.
absl::StatusOr<int64_t> ReadDecimal(std::string_view text, int scale, std::string_view field);

// Two decimals: (4973) -> "49.73".
std::string HundredthsText(int64_t hundredths);

// True where the figures of units below sum to that of the unit: a target can be split exactly.
bool IsAdditive(v1::MeasureKind kind);

// Parts of `whole` in proportion to `weights` (none below zero, at least one above) that sum to it
// exactly: largest remainder, the first of equal ones. In the weights' order.
std::vector<int64_t> ShareOut(int64_t whole, const std::vector<int64_t>& weights);

}  // namespace gonghui::reports
