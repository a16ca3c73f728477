// LevyService and DuesService, with what serves them.
#pragma once

#include <vector>

#include "common/host/host.h"
#include "common/rpc/service.h"
#include "services/funds/dues_bills.h"
#include "services/funds/levies.h"
#include "services/funds/levy_confirmations.h"
#include "services/funds/levy_obligations.h"
#include "services/funds/levy_papers.h"
#include "services/funds/levy_payers.h"
#include "services/funds/levy_receipts.h"
#include "services/funds/levy_refunds.h"
#include "services/funds/levy_reminders.h"
#include "services/funds/levy_remittances.h"
#include "services/funds/levy_reversals.h"

namespace gonghui::funds {

inline constexpr std::string_view kLevyFile = "levy.yaml";

class LevyService {
 public:
  // What the pointers show outlives it.
  LevyService(const Host& host, LevyRules rules, Books* books);

  std::vector<rpc::Service*> services() { return {&levy_service_, &dues_service_}; }

 private:
  void ServeLevies();
  void ServeDues();

  const LevyRules rules_;
  const Levies levies_;
  LevyPayers payers_;
  LevyObligations obligations_;
  LevyReminders reminders_;
  LevyReceipts receipts_;
  LevyConfirmations confirmations_;
  LevyReversals reversals_;
  Remittances remittances_;
  LevyRefunds refunds_;
  PaperReceipts papers_;
  DuesBills dues_;
  rpc::Service levy_service_;
  rpc::Service dues_service_;
};

}  // namespace gonghui::funds
