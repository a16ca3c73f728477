#include "services/funds/levy_rows.h"

#include <algorithm>
#include <limits>

#include "common/base/date.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/sql/insert.h"

namespace gonghui::funds {
namespace {

constexpr int64_t kFeeUnits = 100'000;  // LevyLateFee.per_day.

constexpr sql::Query kFindPayer{"funds.find_levy_payer",
                                "SELECT " PAYER_COLUMNS
                                " FROM levy_payers WHERE tenant = $1 AND unit = $2"};
constexpr sql::Query kFindObligation{
    "funds.find_levy_obligation",
    "SELECT " OBLIGATION_COLUMNS
    " FROM levy_obligations WHERE tenant = $1 AND unit = $2 AND period = $3"};
constexpr sql::Query kFindPaid{
    "funds.find_levy_paid",
    "SELECT unit, period, received_on, CAST(SUM(paid_fen) AS BIGINT) FROM levy_receipts "
    "WHERE tenant = $1 AND unit = $2 AND period = $3 AND state IN (3, 4) "
    "GROUP BY unit, period, received_on ORDER BY received_on"};

const sql::Insert& PutPayers() {
  static const auto& insert = *new sql::Insert(
      "funds.put_levy_payers", "levy_payers",
      {"tenant", "unit", "organization", "display_name", "founded_on"},
      "ON CONFLICT (tenant, unit) DO UPDATE SET organization = excluded.organization, "
      "display_name = excluded.display_name, founded_on = excluded.founded_on");
  return insert;
}

const sql::Insert& PutObligations() {
  static const auto& insert = *new sql::Insert(
      "funds.put_levy_obligations", "levy_obligations",
      {"tenant", "unit", "period", "organization", "item", "first_day", "last_day", "payroll_fen",
       "rate", "relief_fen", "relief_reason", "deferred_to", "due_on", "payable_fen",
       "received_fen"},
      "ON CONFLICT (tenant, unit, period) DO UPDATE SET organization = excluded.organization, "
      "item = excluded.item, payroll_fen = excluded.payroll_fen, rate = excluded.rate, "
      "relief_fen = excluded.relief_fen, relief_reason = excluded.relief_reason, "
      "deferred_to = excluded.deferred_to, due_on = excluded.due_on, "
      "payable_fen = excluded.payable_fen, received_fen = excluded.received_fen");
  return insert;
}

std::vector<sql::Args> KeysOf(const std::string& tenant, const std::set<UnitPeriod>& keys) {
  std::vector<sql::Args> args;
  args.reserve(keys.size());
  for (const auto& [unit, period] : keys) args.push_back({tenant, unit, period});
  return args;
}

int64_t Clamped(__int128 value) {
  return static_cast<int64_t>(std::min<__int128>(value, std::numeric_limits<int64_t>::max()));
}

}  // namespace

ObligationRow ToObligation(const sql::Rows::Row& row) {
  ObligationRow out;
  out.view.set_unit(row.Get<std::string>(0));
  out.view.set_period(row.Get<std::string>(1));
  out.view.set_organization(row.Get<std::string>(2));
  out.view.set_item(row.Get<std::string>(3));
  out.first_day = row.Get<std::string>(4);
  out.last_day = row.Get<std::string>(5);
  out.view.set_payroll_fen(row.Get<int64_t>(6));
  out.view.set_rate(row.Get<int>(7));
  out.view.set_relief_fen(row.Get<int64_t>(8));
  out.view.set_relief_reason(row.Get<std::string>(9));
  out.view.set_deferred_to(row.Get<std::string>(10));
  out.view.set_due_on(row.Get<std::string>(11));
  out.view.set_payable_fen(row.Get<int64_t>(12));
  out.view.set_received_fen(row.Get<int64_t>(13));
  return out;
}

v1::LevyPayer ToPayer(const std::string& tenant, const sql::Rows::Row& row) {
  v1::LevyPayer payer;
  payer.set_unit(row.Get<std::string>(0));
  payer.set_name(PayerName(tenant, payer.unit()));
  payer.set_organization(row.Get<std::string>(1));
  payer.set_display_name(row.Get<std::string>(2));
  payer.set_founded_on(row.Get<std::string>(3));
  return payer;
}

absl::StatusOr<std::map<std::string, v1::LevyPayer>> FindPayers(
    sql::Tx& tx, const std::string& tenant, const std::set<std::string>& units) {
  std::vector<sql::Args> keys;
  for (const std::string& unit : units) keys.push_back({tenant, unit});
  std::map<std::string, v1::LevyPayer> payers;
  RETURN_IF_ERROR(tx.ReadMany(kFindPayer, keys, [&](const sql::Rows::Row& row) {
    v1::LevyPayer payer = ToPayer(tenant, row);
    payers.emplace(payer.unit(), std::move(payer));
  }));
  return payers;
}

absl::StatusOr<std::map<UnitPeriod, ObligationRow>> FindObligations(
    sql::Tx& tx, const std::string& tenant, const std::set<UnitPeriod>& keys) {
  std::map<UnitPeriod, ObligationRow> rows;
  RETURN_IF_ERROR(
      tx.ReadMany(kFindObligation, KeysOf(tenant, keys), [&](const sql::Rows::Row& row) {
        ObligationRow found = ToObligation(row);
        UnitPeriod key(found.view.unit(), found.view.period());
        rows.emplace(std::move(key), std::move(found));
      }));
  return rows;
}

absl::StatusOr<PaidByObligation> FindPaid(sql::Tx& tx, const std::string& tenant,
                                          const std::set<UnitPeriod>& keys) {
  PaidByObligation paid;
  RETURN_IF_ERROR(tx.ReadMany(kFindPaid, KeysOf(tenant, keys), [&](const sql::Rows::Row& row) {
    paid[{row.Get<std::string>(0), row.Get<std::string>(1)}].push_back(
        {row.Get<std::string>(2), row.Get<int64_t>(3)});
  }));
  return paid;
}

absl::Status WriteObligations(sql::Tx& tx, const std::string& tenant,
                              const std::vector<ObligationRow>& rows) {
  std::vector<sql::Args> args;
  args.reserve(rows.size());
  for (const ObligationRow& row : rows) {
    const v1::LevyObligation& o = row.view;
    args.push_back({tenant, o.unit(), o.period(), o.organization(), o.item(), row.first_day,
                    row.last_day, o.payroll_fen(), int64_t{o.rate()}, o.relief_fen(),
                    o.relief_reason(), o.deferred_to(), o.due_on(), o.payable_fen(),
                    o.received_fen()});
  }
  return PutObligations().Run(tx, std::move(args));
}

absl::Status WritePayers(sql::Tx& tx, const std::string& tenant,
                         const std::vector<v1::LevyPayer>& payers) {
  std::vector<sql::Args> args;
  for (const v1::LevyPayer& payer : payers) {
    args.push_back(
        {tenant, payer.unit(), payer.organization(), payer.display_name(), payer.founded_on()});
  }
  return PutPayers().Run(tx, std::move(args));
}

int64_t DaysBetween(std::string_view from, std::string_view to) {
  const auto first = ParseDate(from);
  const auto last = ParseDate(to);
  return first.ok() && last.ok() ? *last - *first : 0;
}

std::string DaysAfter(std::string_view day, int64_t days) {
  const auto parsed = ParseDate(day);
  return parsed.ok() ? FormatDate(*parsed + days) : std::string(day);
}

Position PositionAt(const ObligationRow& row, const std::vector<Paid>& paid, std::string_view as_of,
                    const v1::LevyLateFee* fee) {
  Position position;
  const std::string& due = row.view.due_on();
  __int128 fen_days = 0;
  int64_t owed = row.view.payable_fen();
  for (const Paid& part : paid) {
    if (part.on_date > as_of) continue;
    position.received_fen += part.fen;
    const int64_t settles = std::min(owed, part.fen);
    owed -= settles;
    if (part.on_date > due) fen_days += __int128{settles} * DaysBetween(due, part.on_date);
  }
  position.outstanding_fen = owed;
  if (as_of > due && owed > 0) {
    position.overdue_days = DaysBetween(due, as_of);
    fen_days += __int128{owed} * position.overdue_days;
  }
  if (fee != nullptr && fee->per_day() > 0) {
    const int64_t sum = Clamped((fen_days * fee->per_day() + kFeeUnits / 2) / kFeeUnits);
    position.late_fee_fen = fee->capped() ? std::min(sum, row.view.payable_fen()) : sum;
  }
  return position;
}

std::string PeriodOfDays(std::string_view first_day, std::string_view last_day) {
  const std::string month(first_day.substr(0, 7));
  for (const std::string& text :
       {month, StrCat(first_day.substr(0, 4), "Q1"), StrCat(first_day.substr(0, 4), "Q2"),
        StrCat(first_day.substr(0, 4), "Q3"), StrCat(first_day.substr(0, 4), "Q4")}) {
    const auto period = ParsePeriod(text);
    if (period.ok() && period->first_day == first_day && period->last_day == last_day) return text;
  }
  return "";
}

absl::StatusOr<LevyPeriod> ParseLevyPeriod(std::string_view text, std::string_view field) {
  const auto period = ParsePeriod(text);
  LevyPeriod out;
  if (period.ok()) {
    out = {PeriodOfDays(period->first_day, period->last_day), period->first_day, period->last_day};
  }
  if (!out.key.empty()) return out;
  return InvalidArgument(common::v1::REASON_PERIOD_INVALID,
                         StrCat("'", text, "' is no month (2020-05) or quarter (2020Q2)"),
                         StrCat("“", text, "”不是月份（2020-05）或季度（2020Q2）"))
      .With("period", std::string(text))
      .At(std::string(field));
}

std::string PayerName(std::string_view tenant, std::string_view unit) {
  return StrCat("federations/", tenant, "/levyPayers/", unit);
}

std::string ObligationName(std::string_view tenant, const v1::LevyObligation& view) {
  return StrCat("federations/", tenant, "/levyObligations/", view.unit(), ".", view.period());
}

}  // namespace gonghui::funds
