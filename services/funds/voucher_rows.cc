#include "services/funds/voucher_rows.h"

#include <algorithm>
#include <map>
#include <utility>

#include "common/base/date.h"
#include "common/base/money.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::funds {
namespace {

constexpr sql::Query kGetVoucher{
    "funds.get_voucher",
    "SELECT month, number, on_date, memo, source, reverses, reversed_by, create_time_us, sequence, "
    "hash, attachments, restates, closing, maker, checker, poster FROM vouchers "
    "WHERE tenant = $1 AND book_id = $2 AND month = $3 AND number = $4"};
constexpr sql::Query kListVouchers{
    "funds.list_vouchers",
    "SELECT month, number, on_date, memo, source, reverses, reversed_by, create_time_us, sequence, "
    "hash, attachments, restates, closing, maker, checker, poster FROM vouchers "
    "WHERE tenant = $1 AND book_id = $2 AND (month, number) > ($3, $4) "
    "AND month >= $5 AND month <= $6 AND on_date >= $7 AND on_date <= $8 "
    "ORDER BY month, number LIMIT $9"};
constexpr sql::Query kFindVouchers{
    "funds.find_vouchers",
    "SELECT month, number, on_date, memo, source, reverses, reversed_by, create_time_us, sequence, "
    "hash, attachments, restates, closing, maker, checker, poster FROM vouchers v "
    "WHERE tenant = $1 AND book_id = $2 AND (month, number) > ($3, $4) "
    "AND month >= $5 AND month <= $6 AND on_date >= $7 AND on_date <= $8 "
    "AND ($10 = '' OR REPLACE(memo, $10, '') <> memo) "
    "AND EXISTS (SELECT 1 FROM entries e WHERE e.tenant = v.tenant AND e.book_id = v.book_id "
    "AND e.month = v.month AND e.number = v.number "
    "AND SUBSTR(e.account, 1, LENGTH($11)) = $11 "
    "AND (ABS(e.debit_fen) >= $12 OR ABS(e.credit_fen) >= $12)) "
    "ORDER BY month, number LIMIT $9"};
constexpr sql::Query kListEntries{
    "funds.list_entries",
    "SELECT month, number, account, debit_fen, credit_fen, memo, dimensions FROM entries "
    "WHERE tenant = $1 AND book_id = $2 AND (month, number) >= ($3, $4) "
    "AND (month, number) <= ($5, $6) ORDER BY month, number, line"};
constexpr sql::Query kAccountEntries{
    "funds.list_account_entries",
    "SELECT e.month, e.number, e.line, e.on_date, e.account, e.debit_fen, e.credit_fen, e.memo, "
    "e.dimensions, v.memo FROM entries e JOIN vouchers v ON v.tenant = e.tenant "
    "AND v.book_id = e.book_id AND v.month = e.month AND v.number = e.number "
    "WHERE e.tenant = $1 AND e.book_id = $2 AND (e.month, e.number, e.line) > ($3, $4, $5) "
    "AND e.month >= $6 AND e.month <= $7 AND e.on_date >= $8 AND e.on_date <= $9 "
    "AND SUBSTR(e.account, 1, LENGTH($10)) = $10 ORDER BY e.month, e.number, e.line LIMIT $11"};
constexpr sql::Query kSumMonths{
    "funds.sum_months",
    "SELECT account, dimensions, CAST(SUM(debit_fen) AS BIGINT), CAST(SUM(credit_fen) AS BIGINT) "
    "FROM account_sums WHERE tenant = $1 AND book_id = $2 AND month >= $3 AND month < $4 "
    "GROUP BY account, dimensions"};
constexpr sql::Query kSumDays{
    "funds.sum_days",
    "SELECT account, dimensions, CAST(SUM(debit_fen) AS BIGINT), CAST(SUM(credit_fen) AS BIGINT) "
    "FROM entries WHERE tenant = $1 AND book_id = $2 AND month = $3 AND on_date >= $4 "
    "AND on_date <= $5 GROUP BY account, dimensions"};
constexpr sql::Query kSumLater{
    "funds.sum_later",
    "SELECT e.account, e.dimensions, CAST(SUM(e.debit_fen) AS BIGINT), "
    "CAST(SUM(e.credit_fen) AS BIGINT) FROM vouchers v JOIN entries e ON e.tenant = v.tenant "
    "AND e.book_id = v.book_id AND e.month = v.month AND e.number = v.number "
    "WHERE v.tenant = $1 AND v.book_id = $2 AND v.sequence > $3 AND v.sequence > 0 "
    "AND e.on_date >= $4 AND e.on_date <= $5 GROUP BY e.account, e.dimensions"};
constexpr sql::Query kPostedAt{
    "funds.voucher_posted_at",
    "SELECT create_time_us FROM vouchers WHERE tenant = $1 AND book_id = $2 AND sequence = $3 "
    "AND sequence > 0"};
constexpr sql::Query kLastSequence{
    "funds.last_sequence", "SELECT sequence FROM book_states WHERE tenant = $1 AND book_id = $2"};
constexpr std::string_view kAfterLastMonth = "9999-99";
constexpr int kScan = 1000;  // Entries read at a time when a list keeps only some.

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
  voucher.set_sequence(row.Get<int64_t>(8));
  voucher.set_hash(row.Get<std::string>(9));
  for (const std::string_view digest : Split(row.Get<std::string_view>(10), ',')) {
    if (!digest.empty()) voucher.add_attachments()->set_digest(std::string(digest));
  }
  voucher.set_restates(row.Get<std::string>(11));
  voucher.set_closing(row.Get<bool>(12));
  voucher.set_maker(row.Get<std::string>(13));
  voucher.set_checker(row.Get<std::string>(14));
  voucher.set_poster(row.Get<std::string>(15));
  return voucher;
}

// Columns account, debit, credit, memo, dimensions from `at` on.
void ReadEntry(const sql::Rows::Row& row, size_t at, v1::Entry& entry) {
  entry.set_account(row.Get<std::string>(at));
  entry.set_debit_fen(row.Get<int64_t>(at + 1));
  entry.set_credit_fen(row.Get<int64_t>(at + 2));
  entry.set_memo(row.Get<std::string>(at + 3));
  for (auto& [key, value] : ParseDimensions(row.Get<std::string_view>(at + 4))) {
    (*entry.mutable_dimensions())[key] = value;
  }
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
                     // Others are of a voucher outside the range's dates.
                     if (key_at() == key) ReadEntry(row, 2, *vouchers[at].add_entries());
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

// By account and text of the dimensions.
using Sums = std::map<std::pair<std::string, std::string>, Slice>;

absl::Status AddSums(const sql::Rows& rows, int64_t sign, Sums& sums) {
  for (size_t i = 0; i < rows.size(); ++i) {
    Slice& slice = sums[{rows[i].Get<std::string>(0), rows[i].Get<std::string>(1)}];
    ASSIGN_OR_RETURN(slice.debit_fen, AddChecked(slice.debit_fen, sign * rows[i].Get<int64_t>(2)));
    ASSIGN_OR_RETURN(slice.credit_fen,
                     AddChecked(slice.credit_fen, sign * rows[i].Get<int64_t>(3)));
  }
  return absl::OkStatus();
}

// The last place in the chain that was posted by then. Vouchers are posted in the order of their
// places.
absl::StatusOr<int64_t> SequenceAt(sql::Tx& tx, const std::string& tenant, const std::string& book,
                                   int64_t known_us) {
  ASSIGN_OR_RETURN(const sql::Rows state, tx.Run(kLastSequence, {tenant, book}));
  int64_t low = 0;
  int64_t high = state.empty() ? 0 : state[0].Get<int64_t>(0);
  while (low < high) {
    const int64_t middle = low + (high - low + 1) / 2;
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kPostedAt, {tenant, book, middle}));
    if (!rows.empty() && rows[0].Get<int64_t>(0) <= known_us) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
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
  sql::Args args = {tenant,
                    book,
                    range.after.month,
                    range.after.number,
                    range.from_date.substr(0, 7),
                    to.substr(0, 7),
                    range.from_date,
                    to,
                    int64_t{range.limit}};
  const bool filtered = !range.account.empty() || !range.text.empty() || range.least_fen > 0;
  if (filtered) {
    args.insert(args.end(), {range.text, range.account, range.least_fen});
  }
  ASSIGN_OR_RETURN(const sql::Rows rows,
                   tx.Run(filtered ? kFindVouchers : kListVouchers, std::move(args)));
  return ReadAll(tx, tenant, book, rows);
}

absl::StatusOr<std::vector<Slice>> SumSlices(sql::Tx& tx, const std::string& tenant,
                                             const std::string& book, const SliceRange& range) {
  Sums sums;
  const std::string to = range.to_date.empty() ? std::string(kForever) : range.to_date;
  const std::string to_month =
      range.to_date.empty() ? std::string(kAfterLastMonth) : to.substr(0, 7);
  const std::string& from = range.from_date;
  // Whole months come from the sums, the days of a month that is cut from its entries.
  const bool cut = from.size() == 10 && !from.ends_with("-01");
  std::string from_month = from.substr(0, 7);
  if (cut) {
    ASSIGN_OR_RETURN(const absl::CivilDay day, ParseDate(from));
    from_month = FormatDate(absl::CivilDay(absl::CivilMonth(day) + 1)).substr(0, 7);
  }
  ASSIGN_OR_RETURN(const sql::Rows months,
                   tx.Run(kSumMonths, {tenant, book, from_month, to_month}));
  RETURN_IF_ERROR(AddSums(months, 1, sums));
  if (cut && from < to_month) {
    ASSIGN_OR_RETURN(const sql::Rows days,
                     tx.Run(kSumDays, {tenant, book, from.substr(0, 7), from, to}));
    RETURN_IF_ERROR(AddSums(days, 1, sums));
  }
  if (!range.to_date.empty()) {
    ASSIGN_OR_RETURN(const sql::Rows days, tx.Run(kSumDays, {tenant, book, to_month, from, to}));
    RETURN_IF_ERROR(AddSums(days, 1, sums));
  }
  if (range.known_us > 0) {
    ASSIGN_OR_RETURN(const int64_t last, SequenceAt(tx, tenant, book, range.known_us));
    ASSIGN_OR_RETURN(const sql::Rows later, tx.Run(kSumLater, {tenant, book, last, from, to}));
    RETURN_IF_ERROR(AddSums(later, -1, sums));
  }
  std::vector<Slice> slices;
  slices.reserve(sums.size());
  for (auto& [key, slice] : sums) {
    slice.account = key.first;
    slice.dimensions = ParseDimensions(key.second);
    slices.push_back(std::move(slice));
  }
  return slices;
}

absl::StatusOr<std::vector<EntryRow>> LoadEntries(sql::Tx& tx, const std::string& tenant,
                                                  const std::string& book,
                                                  const EntryRange& range) {
  const std::string to = range.to_date.empty() ? std::string(kForever) : range.to_date;
  std::vector<EntryRow> entries;
  VoucherKey after = range.after;
  int64_t after_line = range.after_line;
  while (true) {
    ASSIGN_OR_RETURN(const sql::Rows rows,
                     tx.Run(kAccountEntries, {tenant, book, after.month, after.number, after_line,
                                              range.from_date.substr(0, 7), to.substr(0, 7),
                                              range.from_date, to, range.account, int64_t{kScan}}));
    for (size_t i = 0; i < rows.size(); ++i) {
      after = {rows[i].Get<std::string>(0), rows[i].Get<int64_t>(1)};
      after_line = rows[i].Get<int64_t>(2);
      if (!HasAll(ParseDimensions(rows[i].Get<std::string_view>(8)), range.dimensions)) continue;
      EntryRow& row = entries.emplace_back(EntryRow{after, after_line, {}});
      row.entry.set_voucher(VoucherName(tenant, book, after.Id()));
      row.entry.set_on_date(rows[i].Get<std::string>(3));
      ReadEntry(rows[i], 4, *row.entry.mutable_entry());
      const std::string& memo = row.entry.entry().memo();
      row.entry.set_memo(memo.empty() ? rows[i].Get<std::string>(9) : memo);
      if (entries.size() == static_cast<size_t>(range.limit)) return entries;
    }
    if (rows.size() < kScan) return entries;
  }
}

}  // namespace gonghui::funds
