#include "services/funds/voucher_rows.h"

#include <utility>

#include "common/base/date.h"
#include "common/base/money.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::funds {
namespace {

constexpr sql::Query kGetVoucher{
    "funds.get_voucher",
    "SELECT month, number, on_date, memo, source, reverses, reversed_by, create_time_us "
    "FROM vouchers WHERE tenant = $1 AND book_id = $2 AND month = $3 AND number = $4"};
constexpr sql::Query kListVouchers{
    "funds.list_vouchers",
    "SELECT month, number, on_date, memo, source, reverses, reversed_by, create_time_us "
    "FROM vouchers WHERE tenant = $1 AND book_id = $2 AND (month, number) > ($3, $4) "
    "AND month >= $5 AND month <= $6 AND on_date >= $7 AND on_date <= $8 "
    "ORDER BY month, number LIMIT $9"};
constexpr sql::Query kListEntries{
    "funds.list_entries",
    "SELECT month, number, account, debit_fen, credit_fen, memo FROM entries "
    "WHERE tenant = $1 AND book_id = $2 AND (month, number) >= ($3, $4) "
    "AND (month, number) <= ($5, $6) ORDER BY month, number, line"};
constexpr sql::Query kSumMonths{
    "funds.sum_months",
    "SELECT account, CAST(SUM(debit_fen) AS BIGINT), CAST(SUM(credit_fen) AS BIGINT) "
    "FROM account_months WHERE tenant = $1 AND book_id = $2 AND month < $3 GROUP BY account"};
constexpr sql::Query kSumDays{
    "funds.sum_days",
    "SELECT account, CAST(SUM(debit_fen) AS BIGINT), CAST(SUM(credit_fen) AS BIGINT) "
    "FROM entries WHERE tenant = $1 AND book_id = $2 AND month = $3 AND on_date <= $4 "
    "GROUP BY account"};
constexpr std::string_view kAfterLastMonth = "9999-99";

v1::Voucher ReadVoucher(const std::string& tenant, const std::string& book,
                        const sql::Rows::Row& row) {
  const VoucherKey key{row.Get<std::string>(0), row.Get<int64_t>(1)};
  v1::Voucher voucher;
  voucher.set_name(VoucherName(tenant, book, key.Id()));
  voucher.set_book(book);
  voucher.set_number(key.number);
  voucher.set_on_date(row.Get<std::string>(2));
  voucher.set_memo(row.Get<std::string>(3));
  voucher.set_source(row.Get<std::string>(4));
  const std::string reverses = row.Get<std::string>(5);
  const std::string reversed_by = row.Get<std::string>(6);
  if (!reverses.empty()) voucher.set_reverses(VoucherName(tenant, book, reverses));
  if (!reversed_by.empty()) voucher.set_reversed_by(VoucherName(tenant, book, reversed_by));
  voucher.set_create_time_us(row.Get<int64_t>(7));
  return voucher;
}

// Reads the entries of vouchers given in order of key.
absl::Status AddEntries(sql::Tx& tx, const std::string& tenant, const std::string& book,
                        const sql::Rows& rows, std::vector<v1::Voucher>& vouchers) {
  if (rows.empty()) return absl::OkStatus();
  const sql::Rows::Row last = rows[rows.size() - 1];
  size_t at = 0;
  return tx.Stream(kListEntries,
                   {tenant, book, rows[0].Get<std::string>(0), rows[0].Get<int64_t>(1),
                    last.Get<std::string>(0), last.Get<int64_t>(1)},
                   [&](const sql::Rows::Row& row) -> absl::Status {
                     const std::pair key(row.Get<std::string_view>(0), row.Get<int64_t>(1));
                     const auto key_at = [&] {
                       return std::pair(rows[at].Get<std::string_view>(0),
                                        rows[at].Get<int64_t>(1));
                     };
                     while (at + 1 < rows.size() && key_at() < key) ++at;
                     if (key_at() != key)
                       return absl::OkStatus();  // Of a voucher outside the range's dates.
                     v1::Entry& entry = *vouchers[at].add_entries();
                     entry.set_account(row.Get<std::string>(2));
                     entry.set_debit_fen(row.Get<int64_t>(3));
                     entry.set_credit_fen(row.Get<int64_t>(4));
                     entry.set_memo(row.Get<std::string>(5));
                     return absl::OkStatus();
                   });
}

absl::StatusOr<std::vector<v1::Voucher>> ReadAll(sql::Tx& tx, const std::string& tenant,
                                                 const std::string& book, const sql::Rows& rows) {
  std::vector<v1::Voucher> vouchers;
  vouchers.reserve(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) vouchers.push_back(ReadVoucher(tenant, book, rows[i]));
  RETURN_IF_ERROR(AddEntries(tx, tenant, book, rows, vouchers));
  return vouchers;
}

absl::Status AddSums(const sql::Rows& rows, std::map<std::string, AccountSums>& sums) {
  for (size_t i = 0; i < rows.size(); ++i) {
    AccountSums& account = sums[rows[i].Get<std::string>(0)];
    ASSIGN_OR_RETURN(account.debit_fen, AddChecked(account.debit_fen, rows[i].Get<int64_t>(1)));
    ASSIGN_OR_RETURN(account.credit_fen, AddChecked(account.credit_fen, rows[i].Get<int64_t>(2)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::Voucher> LoadVoucher(sql::Tx& tx, const std::string& tenant,
                                        const std::string& book, const VoucherKey& key) {
  ASSIGN_OR_RETURN(const sql::Rows rows,
                   tx.Run(kGetVoucher, {tenant, book, key.month, key.number}));
  if (rows.empty()) return NoSuchVoucher(key.Id());
  ASSIGN_OR_RETURN(std::vector<v1::Voucher> vouchers, ReadAll(tx, tenant, book, rows));
  return std::move(vouchers.front());
}

absl::StatusOr<std::vector<v1::Voucher>> LoadVouchers(sql::Tx& tx, const std::string& tenant,
                                                      const std::string& book,
                                                      const VoucherRange& range) {
  const std::string to = range.to_date.empty() ? std::string(kForever) : range.to_date;
  ASSIGN_OR_RETURN(const sql::Rows rows,
                   tx.Run(kListVouchers, {tenant, book, range.after.month, range.after.number,
                                          range.from_date.substr(0, 7), to.substr(0, 7),
                                          range.from_date, to, int64_t{range.limit}}));
  return ReadAll(tx, tenant, book, rows);
}

absl::StatusOr<std::map<std::string, AccountSums>> SumAccounts(sql::Tx& tx,
                                                               const std::string& tenant,
                                                               const std::string& book,
                                                               const std::string& on_date) {
  std::map<std::string, AccountSums> sums;
  const std::string before = on_date.empty() ? std::string(kAfterLastMonth) : on_date.substr(0, 7);
  ASSIGN_OR_RETURN(const sql::Rows months, tx.Run(kSumMonths, {tenant, book, before}));
  RETURN_IF_ERROR(AddSums(months, sums));
  if (on_date.empty()) return sums;
  ASSIGN_OR_RETURN(const sql::Rows days, tx.Run(kSumDays, {tenant, book, before, on_date}));
  RETURN_IF_ERROR(AddSums(days, sums));
  return sums;
}

}  // namespace gonghui::funds
