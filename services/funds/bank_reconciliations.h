// The monthly statement that reconciles a bank account with its ledger account.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/base/date.h"
#include "common/rpc/call.h"
#include "gonghui/funds/v1/bank.pb.h"
#include "services/funds/bank_accounts.h"

namespace gonghui::funds {

// Thread-safe.
class BankReconciliations {
 public:
  explicit BankReconciliations(const Banking& banking) : banking_(banking) {}

  absl::StatusOr<v1::Reconciliation> Get(rpc::Call& call,
                                         const v1::GetReconciliationRequest& request);
  absl::StatusOr<v1::Reconciliation> Confirm(rpc::Call& call,
                                             const v1::ConfirmReconciliationRequest& request);

 private:
  // As things stand.
  absl::StatusOr<v1::Reconciliation> Compute(sql::Tx& tx, const rpc::Call& call,
                                             const BankAccountRow& account,
                                             const Period& month) const;

  const Banking banking_;
};

}  // namespace gonghui::funds
