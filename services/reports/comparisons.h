// One figure beside that of another period: 同比 and 环比.
#pragma once

#include <optional>

#include "services/reports/evaluation.h"
#include "services/reports/measures.h"

namespace gonghui::reports {

// What stands beside a figure, and which part of it.
struct Base {
  Period period;
  DimensionFilter filter;
};
// The base of a figure of this period and filter (without split). A figure of one month stands
// beside that of a month. Nothing where there is no such period: before a year to date, or before
// several months chosen one by one.
std::optional<Base> BaseOf(const Periods& periods, v1::Comparison comparison, const Period& period,
                           const DimensionFilter& filter);

// (value - base) / |base| in percent, of ratios the difference in percentage points (or in their
// unit), rounded half away from zero to two decimals. No change where the base is zero, has no
// facts, or either is null; rounded last, from exact parts.
v1::ComparedFigure Compare(v1::Comparison comparison, const v1::Measure& measure,
                           const Period& base_period, const Outcome& outcome, const Outcome& base);

}  // namespace gonghui::reports
