// The vouchers of levies and dues. All of them are posted here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "gonghui/feed/v1/feed.pb.h"
#include "gonghui/funds/v1/levy.pb.h"
#include "services/funds/books.h"
#include "services/funds/levy_sharing.h"

namespace gonghui::funds {

struct LevyEntry {
  std::string account;
  int64_t fen = 0;  // 0: left out.
  bool debit = false;
  std::string counterparty;  // Organisation of the other level; empty: none, or above the root.
};

struct LevyVoucher {
  std::string organization;  // Whose book.
  std::string on_date;
  std::string memo;
  std::string source;  // Name of the resource that causes it.
  std::vector<LevyEntry> entries;
  std::string channel = {};  // By which the money came in; empty: none.
};

// Posts them in this transaction, opening books where there are none, and adds their facts to the
// event. Names in their order. Errors are those of CheckVoucher and Post.
absl::StatusOr<std::vector<std::string>> PostLevyVouchers(const rpc::Call& call, sql::Tx& tx,
                                                          Books& books,
                                                          const std::vector<LevyVoucher>& vouchers,
                                                          feed::v1::Event& event);

// The credit entries of a receipt's shares in the book of the organisation that holds it: its own
// is income, the rest it owes to other levels. Parts for one organisation are one entry.
std::vector<LevyEntry> ShareEntries(const v1::LevyAccounts& accounts,
                                    const std::vector<LevelShare>& shares);

}  // namespace gonghui::funds
