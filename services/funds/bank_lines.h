// Lines of bank statements: taking them in, listing them.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "gonghui/funds/v1/bank.pb.h"
#include "services/funds/bank_accounts.h"

namespace gonghui::funds {

// Thread-safe.
class BankLines {
 public:
  explicit BankLines(const Banking& banking) : banking_(banking) {}

  absl::StatusOr<v1::ImportBankLinesResponse> Import(rpc::Call& call,
                                                     const v1::ImportBankLinesRequest& request);
  absl::StatusOr<v1::ListBankLinesResponse> List(rpc::Call& call,
                                                 const v1::ListBankLinesRequest& request);

 private:
  const Banking banking_;
};

}  // namespace gonghui::funds
