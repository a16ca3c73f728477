// Closing the months of a book: what is carried forward, and what the book takes afterwards.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/host/host.h"
#include "gonghui/funds/v1/ledger.pb.h"
#include "services/funds/books.h"
#include "services/funds/charts.h"

namespace gonghui::funds {

// Thread-safe.
class Months {
 public:
  Months(const Host& host, Books* books, const Charts* charts)
      : host_(host), books_(books), charts_(charts) {}

  // Months before it that are open are closed along, each with its own vouchers.
  absl::StatusOr<v1::CloseMonthResponse> Close(rpc::Call& call,
                                               const v1::CloseMonthRequest& request);
  absl::StatusOr<v1::CloseMonthResponse> Reopen(rpc::Call& call,
                                                const v1::ReopenMonthRequest& request);

 private:
  absl::StatusOr<v1::CloseMonthResponse> CloseIn(rpc::Call& call, sql::Tx& tx, const BookPtr& book,
                                                 const v1::CloseMonthRequest& request) const;
  absl::StatusOr<v1::CloseMonthResponse> ReopenIn(rpc::Call& call, sql::Tx& tx, const BookPtr& book,
                                                  const v1::ReopenMonthRequest& request) const;
  // The vouchers that carry the month forward, from what is posted until its end.
  absl::StatusOr<std::vector<v1::Voucher>> CarryForward(sql::Tx& tx, const std::string& tenant,
                                                        const OpenBook& book,
                                                        const std::string& month) const;

  const Host host_;
  Books* const books_;
  const Charts* const charts_;
};

}  // namespace gonghui::funds
