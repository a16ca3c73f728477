// Vouchers that were posted before books had chains.
#pragma once

#include "absl/status/status.h"
#include "common/sql/sql.h"

namespace gonghui::funds {

// Chains the vouchers of books that were never posted in since, by month and number, each book in
// one transaction. Nearly nothing where there are none. Before the service takes calls.
absl::Status ChainOldVouchers(sql::Database& db);

}  // namespace gonghui::funds
