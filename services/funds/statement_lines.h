// The lines of a statement, from sums of entries and a form of the catalogue.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gonghui/funds/v1/chart.pb.h"
#include "gonghui/funds/v1/statement.pb.h"
#include "services/funds/voucher_rows.h"

namespace gonghui::funds {

// What a statement is of.
struct StatementPeriod {
  std::string text;  // "2024-05" or "2024".
  bool yearly = false;
  std::string year;       // "2024".
  std::string first_day;  // Of the month, or of the year.
  std::string last_day;
};
// PERIOD_INVALID.
absl::StatusOr<StatementPeriod> ParseStatementPeriod(std::string_view text);

// Sums of entries by what a column takes: opening, closing, period, year, last_year, or a line in
// the column of last year: last_opening.
using Takings = std::map<std::string, std::vector<Slice>, std::less<>>;
// Whether balances of all entries are taken, or movements without what carries a period forward.
bool IsBalance(std::string_view takes);
// First and last day; an empty first day: from the beginning.
std::pair<std::string, std::string> DaysOf(std::string_view takes, const StatementPeriod& period);
// What the form's columns and lines take in such a period.
std::vector<std::string> TakingsOf(const v1::Form& form, const StatementPeriod& period);

// Title, columns, lines and checks. REASON_AMOUNT_INVALID where a sum is out of range.
absl::StatusOr<v1::Statement> MakeStatement(const v1::Form& form, const StatementPeriod& period,
                                            const Takings& takings);

// Whether all lines, sums and checks of the catalogue's forms name what is there.
absl::Status CheckForms(const v1::ChartCatalog& catalog);

}  // namespace gonghui::funds
