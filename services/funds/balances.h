// Balances and account ledgers of books.
#pragma once

#include "absl/status/statusor.h"
#include "common/host/host.h"
#include "gonghui/funds/v1/ledger.pb.h"
#include "services/funds/books.h"

namespace gonghui::funds {

// Thread-safe.
class Balances {
 public:
  Balances(const Host& host, Books* books) : host_(host), books_(books) {}

  absl::StatusOr<v1::ListBalancesResponse> List(rpc::Call& call,
                                                const v1::ListBalancesRequest& request);
  absl::StatusOr<v1::ListEntriesResponse> ListEntries(rpc::Call& call,
                                                      const v1::ListEntriesRequest& request);

 private:
  const Host host_;
  Books* const books_;
};

}  // namespace gonghui::funds
