// Civil dates and reporting periods.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"

namespace gonghui {

inline constexpr std::string_view kForever = "9999-12-31";  // End of an open validity.

// Strict ISO "2020-05-13"; REASON_FIELD_INVALID otherwise.
absl::StatusOr<absl::CivilDay> ParseDate(std::string_view text);
std::string FormatDate(absl::CivilDay day);

// Accepts what spreadsheets hold: 20240105, 2024-01-05, 2024/1/5, 2024.1.5, 2024年1月5日. Returns
// ISO.
absl::StatusOr<std::string> NormalizeDate(std::string_view text);

// A reporting period: a whole number of calendar months.
struct Period {
  std::string text;         // As written: 2020, 2020H1, 2020Q2, 2020-05, 2020-05YTD.
  std::string first_day;    // ISO, inclusive.
  std::string last_day;     // ISO, inclusive.
  std::string first_month;  // "2020-01".
  std::string last_month;   // "2020-06".
};

// Parses 2020, 2020H1, 2020H2, 2020Q1..Q4, 2020-01..12 and 2020-05YTD (January to May),
// case-insensitive. REASON_PERIOD_INVALID otherwise.
absl::StatusOr<Period> ParsePeriod(std::string_view text);
// The period of `months` (1 or more) months from a month on, under the name `text`. Years 1-9999.
Period PeriodOf(std::string_view text, absl::CivilMonth first, int months);
// Its months, "2020-01" and on.
std::vector<std::string> MonthsOf(const Period& period);

}  // namespace gonghui
