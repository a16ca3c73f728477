// How periods are written, and which of them stand beside each other.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/date.h"
#include "gonghui/reports/v1/report.pb.h"

namespace gonghui::reports {

// The calendar's periods (common/base/date.h) and the kinds of the catalogue. Immutable.
class Periods {
 public:
  // Errors name the kind at fault: a suffix that is not one to four capital letters or stands
  // twice, months beyond 1-12, no citation.
  static absl::StatusOr<Periods> Load(std::vector<v1::PeriodKind> kinds);

  // PERIOD_INVALID at `field`; the message says how to write periods.
  absl::StatusOr<Period> Parse(std::string_view text, std::string_view field) const;
  // The same period of the year before (同比). Nothing before the year 1.
  std::optional<Period> YearBefore(const Period& period) const;
  // The period of the same kind just before (环比): of 2020Q1 it is 2019Q4. Nothing for a year to
  // date, and for kinds that do not follow each other without a gap.
  std::optional<Period> JustBefore(const Period& period) const;

 private:
  std::optional<Period> Read(std::string_view text) const;

  std::vector<v1::PeriodKind> kinds_;
};

}  // namespace gonghui::reports
