#include "services/funds/bank_service.h"

namespace gonghui::funds {

BankService::BankService(const Host& host, const catalog::Catalog* catalog, const Charts* charts)
    : banking_{host.db, host.tree, catalog, charts},
      accounts_(banking_),
      lines_(banking_),
      matching_(banking_),
      reconciliations_(banking_),
      service_("gonghui.funds.v1.BankService", *host.pipeline) {
  service_.Handle("ListBankAccounts", &accounts_, &BankAccounts::List);
  service_.Handle("ImportBankLines", &lines_, &BankLines::Import);
  service_.Handle("ListBankLines", &lines_, &BankLines::List);
  service_.Handle("MatchBankLines", &matching_, &BankMatching::MatchAll);
  service_.Handle("MatchBankLine", &matching_, &BankMatching::Match);
  service_.Handle("UnmatchBankLine", &matching_, &BankMatching::Unmatch);
  service_.Handle("GetReconciliation", &reconciliations_, &BankReconciliations::Get);
  service_.Handle("ConfirmReconciliation", &reconciliations_, &BankReconciliations::Confirm);
}

}  // namespace gonghui::funds
