// How far units have come with their targets.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "gonghui/reports/v1/target.pb.h"
#include "services/reports/figure_reader.h"
#include "services/reports/target_rows.h"

namespace gonghui::reports {

// A day within a period, and how much of the period is over then.
struct PeriodDay {
  Period period;
  std::string day;      // ISO, within the period.
  int64_t elapsed = 0;  // Hundredths of a percent: days up to and with `day`.

  bool IsOver() const { return day == period.last_day; }
  // FIELD_INVALID at `as_of` for a day before the period; later ones stand for its last day.
  static absl::StatusOr<PeriodDay> Make(const Period& period, const std::string& as_of);
};

// The figure of a target's organisation, measure and dimensions for the months of the period up to
// that of the day.
absl::StatusOr<v1::Figure> ReadAchieved(FigureReader& reader, const Measures& measures,
                                        const std::string& tenant, const v1::Target& target,
                                        const PeriodDay& when);

// The figure in hundredths of a percent of the target; nothing where either tells nothing.
std::optional<int64_t> CompletionOf(const v1::Target& target, const v1::Figure& achieved);

// Completion and standing of a target whose `achieved` is set.
void SetStanding(const v1::Measure& measure, const PeriodDay& when, int64_t tolerance_hundredths,
                 v1::TargetProgress& progress);

// Thread-safe.
class TargetsProgress {
 public:
  explicit TargetsProgress(TargetOptions options) : options_(options) {}

  // PERIOD_INVALID, FIELD_INVALID at `as_of`, OUT_OF_SCOPE for children that the caller may not
  // see.
  absl::StatusOr<v1::GetProgressResponse> Get(rpc::Call& call,
                                              const v1::GetProgressRequest& request);

 private:
  const TargetOptions options_;
};

}  // namespace gonghui::reports
