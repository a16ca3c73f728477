// Payers and obligations as they lie in the database, and what an obligation comes to on a day.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/sql/sql.h"
#include "gonghui/funds/v1/levy.pb.h"
#include "services/funds/levy_rules.h"

namespace gonghui::funds {

using UnitPeriod = std::pair<std::string, std::string>;

struct ObligationRow {
  v1::LevyObligation view;  // But for what depends on a day.
  std::string first_day;
  std::string last_day;
};

// Confirmed money of one day.
struct Paid {
  std::string on_date;
  int64_t fen = 0;
};
using PaidByObligation = std::map<UnitPeriod, std::vector<Paid>>;  // By day.

#define OBLIGATION_COLUMNS                                                     \
  "unit, period, organization, item, first_day, last_day, payroll_fen, rate, " \
  "relief_fen, relief_reason, deferred_to, due_on, payable_fen, received_fen"
ObligationRow ToObligation(const sql::Rows::Row& row);
v1::LevyPayer ToPayer(const std::string& tenant, const sql::Rows::Row& row);
#define PAYER_COLUMNS "unit, organization, display_name, founded_on"

absl::StatusOr<std::map<std::string, v1::LevyPayer>> FindPayers(sql::Tx& tx,
                                                                const std::string& tenant,
                                                                const std::set<std::string>& units);
absl::StatusOr<std::map<UnitPeriod, ObligationRow>> FindObligations(
    sql::Tx& tx, const std::string& tenant, const std::set<UnitPeriod>& keys);
absl::StatusOr<PaidByObligation> FindPaid(sql::Tx& tx, const std::string& tenant,
                                          const std::set<UnitPeriod>& keys);
// Inserts or replaces them.
absl::Status WriteObligations(sql::Tx& tx, const std::string& tenant,
                              const std::vector<ObligationRow>& rows);
absl::Status WritePayers(sql::Tx& tx, const std::string& tenant,
                         const std::vector<v1::LevyPayer>& payers);

// What days of receipts, a due day and a place make of it.
struct Position {
  int64_t received_fen = 0;
  int64_t outstanding_fen = 0;
  int64_t overdue_days = 0;  // 0: not overdue, or nothing outstanding.
  int64_t late_fee_fen = 0;
};
// `fee` may be nullptr: none.
Position PositionAt(const ObligationRow& row, const std::vector<Paid>& paid, std::string_view as_of,
                    const v1::LevyLateFee* fee);
// Days from one ISO date to another.
int64_t DaysBetween(std::string_view from, std::string_view to);
std::string DaysAfter(std::string_view day, int64_t days);

// The month or quarter that the days are, "2020-05" or "2020Q2"; empty where they are neither.
std::string PeriodOfDays(std::string_view first_day, std::string_view last_day);
// Its first and last day; PERIOD_INVALID at `field` unless it is a month or a quarter.
struct LevyPeriod {
  std::string key;
  std::string first_day;
  std::string last_day;
};
absl::StatusOr<LevyPeriod> ParseLevyPeriod(std::string_view text, std::string_view field);

std::string PayerName(std::string_view tenant, std::string_view unit);
std::string ObligationName(std::string_view tenant, const v1::LevyObligation& view);

}  // namespace gonghui::funds
