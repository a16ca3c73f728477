// Which entry of the book a line of a bank statement is: found by amount and day, or told.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "gonghui/funds/v1/bank.pb.h"
#include "services/funds/bank_accounts.h"
#include "services/funds/bank_line_rows.h"

namespace gonghui::funds {

// What pairing lines and entries came to.
struct BankPairs {
  std::vector<BankMatch> matched;    // One entry each.
  std::vector<BankMatch> ambiguous;  // With the entries that the line might be, at most 10.
  int unmatched = 0;                 // Lines without such an entry.
};
// Pairs each line with the entry of its amount that is nearest in days, at most `days` away, where
// neither of the two has another as near; as often as that finds something. Both come by day.
BankPairs PairByAmount(const std::vector<BankLineRow>& lines,
                       const std::vector<BankEntryRow>& entries, int64_t days);

// Thread-safe.
class BankMatching {
 public:
  explicit BankMatching(const Banking& banking) : banking_(banking) {}

  absl::StatusOr<v1::MatchBankLinesResponse> MatchAll(rpc::Call& call,
                                                      const v1::MatchBankLinesRequest& request);
  absl::StatusOr<v1::BankLine> Match(rpc::Call& call, const v1::MatchBankLineRequest& request);
  absl::StatusOr<v1::BankLine> Unmatch(rpc::Call& call, const v1::UnmatchBankLineRequest& request);

 private:
  absl::StatusOr<BankPairs> Pair(sql::Tx& tx, const rpc::Call& call, const BankAccountRow& account,
                                 const v1::MatchBankLinesRequest& request) const;

  const Banking banking_;
};

}  // namespace gonghui::funds
