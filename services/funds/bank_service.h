// BankService, with what serves it.
#pragma once

#include "common/host/host.h"
#include "common/rpc/service.h"
#include "services/funds/bank_accounts.h"
#include "services/funds/bank_lines.h"
#include "services/funds/bank_matching.h"
#include "services/funds/bank_reconciliations.h"

namespace gonghui::funds {

class BankService {
 public:
  // What the pointers show outlives it.
  BankService(const Host& host, const catalog::Catalog* catalog, const Charts* charts);

  const BankAccounts& accounts() const { return accounts_; }
  rpc::Service* service() { return &service_; }

 private:
  const Banking banking_;
  BankAccounts accounts_;
  BankLines lines_;
  BankMatching matching_;
  BankReconciliations reconciliations_;
  rpc::Service service_;
};

}  // namespace gonghui::funds
