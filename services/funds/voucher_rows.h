// Posted vouchers and sums as they are stored.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/sql/sql.h"
#include "gonghui/funds/v1/ledger.pb.h"
#include "services/funds/dimensions.h"
#include "services/funds/postings.h"

namespace gonghui::funds {

// NOT_FOUND when the book has no such voucher.
absl::StatusOr<v1::Voucher> LoadVoucher(sql::Tx& tx, const std::string& tenant,
                                        const std::string& book, const VoucherKey& key);

// Which vouchers of a book to read.
struct VoucherRange {
  std::string from_date;  // ISO, inclusive; empty: from the first.
  std::string to_date;    // ISO, inclusive; empty: to the last.
  VoucherKey after;       // Exclusive.
  int limit = 0;
  std::string account;  // With an entry on it or its details; empty: any.
  std::string text;     // In the memo.
  int64_t least_fen = 0;
};
// By month and number.
absl::StatusOr<std::vector<v1::Voucher>> LoadVouchers(sql::Tx& tx, const std::string& tenant,
                                                      const std::string& book,
                                                      const VoucherRange& range);

// Sums of the entries of an account with the same dimensions.
struct Slice {
  std::string account;
  DimensionMap dimensions;
  int64_t debit_fen = 0;
  int64_t credit_fen = 0;
};
// Days are ISO; an empty one sets no bound.
struct SliceRange {
  std::string from_date;
  std::string to_date;
  int64_t known_us = 0;  // Only what was posted by this moment; 0: all.
};
// By account and dimensions.
absl::StatusOr<std::vector<Slice>> SumSlices(sql::Tx& tx, const std::string& tenant,
                                             const std::string& book, const SliceRange& range);

// Which entries of an account to read.
struct EntryRange {
  std::string account;  // With its details.
  std::string from_date;
  std::string to_date;
  DimensionMap dimensions;  // Entries must have these.
  VoucherKey after;         // Exclusive, with the line.
  int64_t after_line = 0;
  int limit = 0;
};
struct EntryRow {
  VoucherKey key;
  int64_t line = 0;
  v1::AccountEntry entry;  // Without the balance.
};
absl::StatusOr<std::vector<EntryRow>> LoadEntries(sql::Tx& tx, const std::string& tenant,
                                                  const std::string& book, const EntryRange& range);

}  // namespace gonghui::funds
