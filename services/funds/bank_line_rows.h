// Lines of bank statements and the entries that they may be, as they lie in the database.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/sql/sql.h"
#include "gonghui/funds/v1/bank.pb.h"
#include "services/funds/bank_accounts.h"
#include "services/funds/postings.h"

namespace gonghui::funds {

struct BankLineRow {
  std::string id;
  v1::BankLine view;  // Without name and entries.
};

// An entry of the account in the book.
struct BankEntryRow {
  VoucherKey key;
  int64_t line = 0;
  std::string on_date;
  std::string memo;  // Of the entry, else of the voucher.
  int64_t fen = 0;   // Debit less credit.
  std::string reverses;
  std::string reversed_by;
  std::string matched;  // Id of the line that it is; empty: none.
};

// The columns of a line from the first on.
#define BANK_LINE_COLUMNS                                                                  \
  "line_id, reference, on_date, amount_fen, memo, counterparty, imported_by, matched_on, " \
  "matched_by, unmatched_by, unmatch_reason"
BankLineRow ToBankLine(const sql::Rows::Row& row);

// The same reference gives the same id.
std::string BankLineId(std::string_view reference);
v1::BankLine BankLineView(std::string_view tenant, const BankAccountRow& account,
                          const BankLineRow& row, absl::Span<const BankEntryRow> entries = {});
v1::BankEntry BankEntryView(std::string_view tenant, const BankAccountRow& account,
                            const BankEntryRow& row);

// NOT_FOUND at name.
absl::StatusOr<BankLineRow> FindBankLine(sql::Tx& tx, const std::string& tenant,
                                         const BankAccountRow& account, const std::string& id);
// Known ones, by id.
absl::StatusOr<std::map<std::string, BankLineRow>> FindBankLines(
    sql::Tx& tx, const std::string& tenant, const BankAccountRow& account,
    const std::vector<std::string>& ids);
absl::Status InsertBankLines(sql::Tx& tx, const std::string& tenant, const BankAccountRow& account,
                             const std::vector<BankLineRow>& rows);

// The entries of matched lines, by line.
absl::StatusOr<std::map<std::string, std::vector<BankEntryRow>>> EntriesOfLines(
    sql::Tx& tx, const std::string& tenant, const BankAccountRow& account,
    const std::vector<std::string>& ids);
// The account's entries from day to day that no match of `matched_by` or before counts for, by day.
absl::StatusOr<std::vector<BankEntryRow>> OpenEntries(sql::Tx& tx, const std::string& tenant,
                                                      const BankAccountRow& account,
                                                      const std::string& from,
                                                      const std::string& to,
                                                      const std::string& matched_by);
// Those of one voucher.
absl::StatusOr<std::vector<BankEntryRow>> EntriesOfVoucher(sql::Tx& tx, const std::string& tenant,
                                                           const BankAccountRow& account,
                                                           const VoucherKey& key);

// A line and the entries that it is.
struct BankMatch {
  BankLineRow line;
  std::vector<BankEntryRow> entries;
};
// Writes the matches; sets matched_on and matched_by of their lines.
absl::Status WriteMatches(sql::Tx& tx, const rpc::Call& call, const BankAccountRow& account,
                          std::vector<BankMatch>& matches);
// Opens the line again.
absl::Status DropMatch(sql::Tx& tx, const std::string& tenant, const BankAccountRow& account,
                       BankLineRow& line);

}  // namespace gonghui::funds
