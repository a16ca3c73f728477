// Refunds of a year's funds to small payers.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "gonghui/funds/v1/levy.pb.h"
#include "services/funds/levies.h"

namespace gonghui::funds {

// Thread-safe.
class LevyRefunds {
 public:
  explicit LevyRefunds(const Levies& levies) : levies_(levies) {}

  absl::StatusOr<v1::RefundSmallPayersResponse> Refund(rpc::Call& call,
                                                       const v1::RefundSmallPayersRequest& request);

 private:
  // Who is due the instalment and has not got it, with the amounts.
  absl::StatusOr<std::vector<v1::LevyRefund>> FindDue(const rpc::Call& call, sql::Tx& tx,
                                                      const v1::RefundSmallPayersRequest& request,
                                                      const v1::RefundRule& rule,
                                                      const std::vector<std::string>& below) const;
  absl::Status Pay(const rpc::Call& call, sql::Tx& tx, const v1::RefundSmallPayersRequest& request,
                   const v1::RefundRule& rule, std::vector<v1::LevyRefund>& refunds) const;

  const Levies levies_;
};

}  // namespace gonghui::funds
