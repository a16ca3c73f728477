#include "services/reports/target_completions.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "common/base/status.h"
#include "services/reports/target_progress.h"
#include "services/reports/target_rows.h"

namespace gonghui::reports {

std::string TargetCompletions::PeriodOf(const Period& period, const v1::Measure& measure,
                                        Aspect aspect) const {
  if (aspect == Aspect::kTarget) return period.text;
  const std::string year = YearOf(period.last_month);
  const std::vector<const v1::Measure*> parts = measures_.PartsOf(measure);
  const bool balance = std::all_of(parts.begin(), parts.end(),
                                   [](const v1::Measure* part) { return IsBalance(part->kind()); });
  return balance || period.first_month == year + "-01" ? year : "";
}

absl::StatusOr<std::string> TargetCompletions::Of(const FigureScope& scope,
                                                  const v1::Measure& measure,
                                                  const DimensionFilter& filter,
                                                  const v1::Figure& figure, Aspect aspect) const {
  if (!IsOfTarget(aspect) || !figure.has_value()) return "";
  v1::Target about;
  about.set_organization(scope.organization);
  about.set_measure(measure.name());
  about.set_dimensions(FormatDimensions(filter.shown));
  about.set_period(PeriodOf(scope.period, measure, aspect));
  if (about.period().empty()) return "";
  ASSIGN_OR_RETURN(const std::optional<v1::Target> target,
                   TargetAt(tx_, scope.tenant, TargetId(about), known_us_));
  if (!target.has_value() || target->direction() == v1::TARGET_DIRECTION_AT_MOST) return "";
  const std::optional<int64_t> completion = CompletionOf(*target, figure);
  return completion.has_value() ? TrimmedDecimal(*completion, 2) : std::string();
}

}  // namespace gonghui::reports
