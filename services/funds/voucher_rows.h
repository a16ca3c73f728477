// Posted vouchers and sums as they are stored.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/sql/sql.h"
#include "gonghui/funds/v1/ledger.pb.h"
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
};
// By month and number.
absl::StatusOr<std::vector<v1::Voucher>> LoadVouchers(sql::Tx& tx, const std::string& tenant,
                                                      const std::string& book,
                                                      const VoucherRange& range);

struct AccountSums {
  int64_t debit_fen = 0;
  int64_t credit_fen = 0;
};
// Account -> sums of its entries up to the end of a day; empty: of all.
absl::StatusOr<std::map<std::string, AccountSums>> SumAccounts(sql::Tx& tx,
                                                               const std::string& tenant,
                                                               const std::string& book,
                                                               const std::string& on_date);

}  // namespace gonghui::funds
