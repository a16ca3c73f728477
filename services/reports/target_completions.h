// How much of its targets a unit has reached, as work summaries say it.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "common/sql/sql.h"
#include "services/reports/dimensions.h"
#include "services/reports/evaluation.h"
#include "services/reports/measures.h"
#include "services/reports/summary_citation.h"

namespace gonghui::reports {

// Used within one transaction.
class TargetCompletions {
 public:
  // Targets count as they stood at `known_us`.
  TargetCompletions(sql::Tx& tx, const Measures& measures, int64_t known_us)
      : tx_(tx), measures_(measures), known_us_(known_us) {}

  // The figure of scope, measure and filter in percent of the unit's target for the aspect,
  // "49.73". Empty for other aspects; where there is no such target; for a target of at most so
  // much, which is not reached but kept; and of the year's target where the figure is not of the
  // year so far.
  absl::StatusOr<std::string> Of(const FigureScope& scope, const v1::Measure& measure,
                                 const DimensionFilter& filter, const v1::Figure& figure,
                                 Aspect aspect) const;

 private:
  // The period whose target the aspect speaks of; empty where the figure cannot be held against it.
  std::string PeriodOf(const Period& period, const v1::Measure& measure, Aspect aspect) const;

  sql::Tx& tx_;
  const Measures& measures_;
  const int64_t known_us_;
};

}  // namespace gonghui::reports
