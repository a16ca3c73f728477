#include "services/funds/bank_line_rows.h"

#include <algorithm>
#include <utility>

#include "common/base/id.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/sql/insert.h"

namespace gonghui::funds {
namespace {

constexpr sql::Query kFindLine{
    "funds.find_bank_line",
    "SELECT " BANK_LINE_COLUMNS
    " FROM bank_lines WHERE tenant = $1 AND account_id = $2 AND line_id = $3"};
constexpr sql::Query kSetMatched{
    "funds.set_bank_line_matched",
    "UPDATE bank_lines SET matched_on = $4, matched_by = $5, unmatched_by = $6, "
    "unmatch_reason = $7 WHERE tenant = $1 AND account_id = $2 AND line_id = $3"};
constexpr sql::Query kDropMatches{
    "funds.delete_bank_matches",
    "DELETE FROM bank_matches WHERE tenant = $1 AND account_id = $2 AND line_id = $3"};

#define BANK_ENTRY_COLUMNS                                                             \
  "e.month, e.number, e.line, e.on_date, e.memo, v.memo, e.debit_fen - e.credit_fen, " \
  "v.reverses, v.reversed_by, COALESCE(m.line_id, ''), e.dimensions"
#define BANK_ENTRY_TABLES                                                                   \
  " FROM entries AS e JOIN vouchers AS v ON v.tenant = e.tenant AND v.book_id = e.book_id " \
  "AND v.month = e.month AND v.number = e.number LEFT JOIN bank_matches AS m "              \
  "ON m.tenant = e.tenant AND m.book_id = e.book_id AND m.month = e.month "                 \
  "AND m.number = e.number AND m.line = e.line "
constexpr sql::Query kOpenEntries{
    "funds.list_open_bank_entries",
    "SELECT " BANK_ENTRY_COLUMNS BANK_ENTRY_TABLES
    "WHERE e.tenant = $1 AND e.book_id = $2 AND e.month >= $3 AND e.month <= $4 "
    "AND e.on_date >= $5 AND e.on_date <= $6 AND SUBSTR(e.account, 1, LENGTH($7)) = $7 "
    "AND (m.matched_on IS NULL OR m.matched_on > $8) "
    "ORDER BY e.on_date, e.month, e.number, e.line"};
constexpr sql::Query kVoucherEntries{
    "funds.list_bank_entries_of_voucher",
    "SELECT " BANK_ENTRY_COLUMNS BANK_ENTRY_TABLES
    "WHERE e.tenant = $1 AND e.book_id = $2 AND e.month = $3 AND e.number = $4 "
    "AND SUBSTR(e.account, 1, LENGTH($5)) = $5 ORDER BY e.line"};
constexpr sql::Query kLineEntries{
    "funds.list_bank_entries_of_line",
    "SELECT " BANK_ENTRY_COLUMNS
    " FROM bank_matches AS m JOIN entries AS e ON e.tenant = m.tenant AND e.book_id = m.book_id "
    "AND e.month = m.month AND e.number = m.number AND e.line = m.line JOIN vouchers AS v "
    "ON v.tenant = e.tenant AND v.book_id = e.book_id AND v.month = e.month "
    "AND v.number = e.number WHERE m.tenant = $1 AND m.account_id = $2 AND m.line_id = $3 "
    "ORDER BY e.month, e.number, e.line"};
constexpr size_t kDimensionsColumn = 10;

const sql::Insert& PutLines() {
  static const auto& insert =
      *new sql::Insert("funds.insert_bank_lines", "bank_lines",
                       {"tenant", "account_id", "line_id", "reference", "on_date", "amount_fen",
                        "memo", "counterparty", "imported_by", "matched_on", "matched_by",
                        "unmatched_by", "unmatch_reason"});
  return insert;
}

const sql::Insert& PutMatches() {
  static const auto& insert = *new sql::Insert(
      "funds.insert_bank_matches", "bank_matches",
      {"tenant", "book_id", "month", "number", "line", "account_id", "line_id", "matched_on"});
  return insert;
}

BankEntryRow ToEntry(const sql::Rows::Row& row) {
  BankEntryRow entry;
  entry.key = {row.Get<std::string>(0), row.Get<int64_t>(1)};
  entry.line = row.Get<int64_t>(2);
  entry.on_date = row.Get<std::string>(3);
  entry.memo = row.Get<std::string>(4);
  if (entry.memo.empty()) entry.memo = row.Get<std::string>(5);
  entry.fen = row.Get<int64_t>(6);
  entry.reverses = row.Get<std::string>(7);
  entry.reversed_by = row.Get<std::string>(8);
  entry.matched = row.Get<std::string>(9);
  return entry;
}

bool IsOf(const BankAccountRow& account, const sql::Rows::Row& row) {
  return HasAll(ParseDimensions(row.Get<std::string_view>(kDimensionsColumn)),
                account.dimensions());
}

}  // namespace

BankLineRow ToBankLine(const sql::Rows::Row& row) {
  BankLineRow line;
  line.id = row.Get<std::string>(0);
  line.view.set_reference(row.Get<std::string>(1));
  line.view.set_on_date(row.Get<std::string>(2));
  line.view.set_amount_fen(row.Get<int64_t>(3));
  line.view.set_memo(row.Get<std::string>(4));
  line.view.set_counterparty(row.Get<std::string>(5));
  line.view.set_imported_by(row.Get<std::string>(6));
  line.view.set_matched_on(row.Get<std::string>(7));
  line.view.set_matched_by(row.Get<std::string>(8));
  line.view.set_unmatched_by(row.Get<std::string>(9));
  line.view.set_unmatch_reason(row.Get<std::string>(10));
  return line;
}

std::string BankLineId(std::string_view reference) { return ContentId(reference); }

v1::BankLine BankLineView(std::string_view tenant, const BankAccountRow& account,
                          const BankLineRow& row, absl::Span<const BankEntryRow> entries) {
  v1::BankLine view = row.view;
  view.set_name(StrCat(BankAccountName(tenant, account.id), "/lines/", row.id));
  view.set_state(view.matched_on().empty() ? v1::BANK_LINE_STATE_OPEN
                                           : v1::BANK_LINE_STATE_MATCHED);
  for (const BankEntryRow& entry : entries) {
    *view.add_entries() = BankEntryView(tenant, account, entry);
  }
  return view;
}

v1::BankEntry BankEntryView(std::string_view tenant, const BankAccountRow& account,
                            const BankEntryRow& row) {
  v1::BankEntry view;
  view.set_voucher(VoucherName(tenant, account.book, row.key.Id()));
  view.set_line(static_cast<int32_t>(row.line));
  view.set_on_date(row.on_date);
  view.set_memo(row.memo);
  view.set_amount_fen(row.fen);
  return view;
}

absl::StatusOr<BankLineRow> FindBankLine(sql::Tx& tx, const std::string& tenant,
                                         const BankAccountRow& account, const std::string& id) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFindLine, {tenant, account.id, id}));
  if (!rows.empty()) return ToBankLine(rows[0]);
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("bank account '", account.id, "' has no line '", id,
                         "'; ListBankLines shows them"),
                  StrCat("银行账户“", account.id, "”没有流水“", id, "”；请用 ListBankLines 查看"))
      .With("line", id)
      .At("name");
}

absl::StatusOr<std::map<std::string, BankLineRow>> FindBankLines(
    sql::Tx& tx, const std::string& tenant, const BankAccountRow& account,
    const std::vector<std::string>& ids) {
  std::vector<sql::Args> keys;
  keys.reserve(ids.size());
  for (const std::string& id : ids) keys.push_back({tenant, account.id, id});
  std::map<std::string, BankLineRow> lines;
  RETURN_IF_ERROR(tx.ReadMany(kFindLine, keys, [&](const sql::Rows::Row& row) {
    BankLineRow line = ToBankLine(row);
    std::string id = line.id;
    lines.emplace(std::move(id), std::move(line));
  }));
  return lines;
}

absl::Status InsertBankLines(sql::Tx& tx, const std::string& tenant, const BankAccountRow& account,
                             const std::vector<BankLineRow>& rows) {
  std::vector<sql::Args> args;
  args.reserve(rows.size());
  for (const BankLineRow& row : rows) {
    const v1::BankLine& line = row.view;
    args.push_back({tenant, account.id, row.id, line.reference(), line.on_date(), line.amount_fen(),
                    line.memo(), line.counterparty(), line.imported_by(), std::string(),
                    std::string(), std::string(), std::string()});
  }
  return PutLines().Run(tx, std::move(args));
}

absl::StatusOr<std::map<std::string, std::vector<BankEntryRow>>> EntriesOfLines(
    sql::Tx& tx, const std::string& tenant, const BankAccountRow& account,
    const std::vector<std::string>& ids) {
  std::vector<sql::Args> keys;
  keys.reserve(ids.size());
  for (const std::string& id : ids) keys.push_back({tenant, account.id, id});
  std::map<std::string, std::vector<BankEntryRow>> entries;
  RETURN_IF_ERROR(tx.ReadMany(kLineEntries, keys, [&](const sql::Rows::Row& row) {
    BankEntryRow entry = ToEntry(row);
    entries[entry.matched].push_back(std::move(entry));
  }));
  return entries;
}

absl::StatusOr<std::vector<BankEntryRow>> OpenEntries(sql::Tx& tx, const std::string& tenant,
                                                      const BankAccountRow& account,
                                                      const std::string& from,
                                                      const std::string& to,
                                                      const std::string& matched_by) {
  const std::string first = std::max(from, account.opened_on);
  const std::string last = std::min(to, account.last_day());
  std::vector<BankEntryRow> entries;
  RETURN_IF_ERROR(tx.Stream(kOpenEntries,
                            {tenant, account.book, first.substr(0, 7), last.substr(0, 7), first,
                             last, account.account, matched_by},
                            [&](const sql::Rows::Row& row) -> absl::Status {
                              if (IsOf(account, row)) entries.push_back(ToEntry(row));
                              return absl::OkStatus();
                            }));
  return entries;
}

absl::StatusOr<std::vector<BankEntryRow>> EntriesOfVoucher(sql::Tx& tx, const std::string& tenant,
                                                           const BankAccountRow& account,
                                                           const VoucherKey& key) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kVoucherEntries, {tenant, account.book, key.month,
                                                                  key.number, account.account}));
  std::vector<BankEntryRow> entries;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!IsOf(account, rows[i])) continue;
    BankEntryRow entry = ToEntry(rows[i]);
    if (entry.on_date < account.opened_on || entry.on_date > account.last_day()) continue;
    entries.push_back(std::move(entry));
  }
  return entries;
}

absl::Status WriteMatches(sql::Tx& tx, const rpc::Call& call, const BankAccountRow& account,
                          std::vector<BankMatch>& matches) {
  std::vector<sql::Args> rows;
  std::vector<sql::Args> lines;
  for (BankMatch& match : matches) {
    v1::BankLine& line = match.line.view;
    // A confirmed month stays as it was: it knows nothing of a match that is made later.
    std::string counts_from = std::max(line.on_date(), account.FirstOpenDay());
    for (const BankEntryRow& entry : match.entries) {
      counts_from = std::max(counts_from, entry.on_date);
    }
    line.set_matched_on(counts_from);
    line.set_matched_by(call.actor.subject);
    lines.push_back({call.federation, account.id, match.line.id, line.matched_on(),
                     line.matched_by(), line.unmatched_by(), line.unmatch_reason()});
    for (const BankEntryRow& entry : match.entries) {
      rows.push_back({call.federation, account.book, entry.key.month, entry.key.number, entry.line,
                      account.id, match.line.id, line.matched_on()});
    }
  }
  RETURN_IF_ERROR(PutMatches().Run(tx, std::move(rows)));
  return tx.RunMany(kSetMatched, lines).status();
}

absl::Status DropMatch(sql::Tx& tx, const std::string& tenant, const BankAccountRow& account,
                       BankLineRow& line) {
  line.view.clear_matched_on();
  line.view.clear_matched_by();
  RETURN_IF_ERROR(tx.Run(kDropMatches, {tenant, account.id, line.id}).status());
  return tx
      .Run(kSetMatched, {tenant, account.id, line.id, std::string(), std::string(),
                         line.view.unmatched_by(), line.view.unmatch_reason()})
      .status();
}

}  // namespace gonghui::funds
