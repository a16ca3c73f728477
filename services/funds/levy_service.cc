#include "services/funds/levy_service.h"

#include <utility>

namespace gonghui::funds {

LevyService::LevyService(const Host& host, LevyRules rules, Books* books)
    : rules_(std::move(rules)),
      levies_{host.db, host.tree, &rules_, books},
      payers_(levies_),
      obligations_(levies_),
      reminders_(levies_),
      receipts_(levies_),
      confirmations_(levies_),
      reversals_(levies_),
      remittances_(levies_),
      refunds_(levies_),
      papers_(levies_),
      dues_(levies_),
      levy_service_("gonghui.funds.v1.LevyService", *host.pipeline),
      dues_service_("gonghui.funds.v1.DuesService", *host.pipeline) {
  ServeLevies();
  ServeDues();
}

void LevyService::ServeLevies() {
  rpc::Service& s = levy_service_;
  s.Handle("SetLevyPayers", &payers_, &LevyPayers::Set);
  s.Handle("ListLevyPayers", &payers_, &LevyPayers::List);
  s.Handle("AssessLevies", &obligations_, &LevyObligations::AssessAll);
  s.Handle("ListLevyObligations", &obligations_, &LevyObligations::List);
  s.Handle("GetLevyAgeing", &obligations_, &LevyObligations::Age);
  s.Handle("GetLevyStatement", &obligations_, &LevyObligations::Statement);
  s.Handle("RemindLevyPayers", &reminders_, &LevyReminders::Remind);
  s.Handle("AdvanceLevyReminder", &reminders_, &LevyReminders::Advance);
  s.Handle("ListLevyReminders", &reminders_, &LevyReminders::List);
  s.Handle("ImportLevyReceipts", &receipts_, &LevyReceipts::Import);
  s.Handle("ListLevyReceipts", &receipts_, &LevyReceipts::List);
  s.Handle("ResolveLevyReceipts", &receipts_, &LevyReceipts::Resolve);
  s.Handle("UndoLevyBatch", &receipts_, &LevyReceipts::Undo);
  s.Handle("ListLevyBatches", &receipts_, &LevyReceipts::ListBatches);
  s.Handle("ConfirmLevyReceipts", &confirmations_, &LevyConfirmations::Confirm);
  s.Handle("ReverseLevyReceipt", &reversals_, &LevyReversals::Reverse);
  s.Handle("SettlePreparatoryFunds", &confirmations_, &LevyConfirmations::Settle);
  s.Handle("PreviewSharing", &confirmations_, &LevyConfirmations::Preview);
  s.Handle("ListLevyShares", &confirmations_, &LevyConfirmations::ListShares);
  s.Handle("CreateRemittances", &remittances_, &Remittances::Create);
  s.Handle("ReceiveRemittance", &remittances_, &Remittances::Receive);
  s.Handle("GetRemittance", &remittances_, &Remittances::Get);
  s.Handle("ListRemittances", &remittances_, &Remittances::List);
  s.Handle("RefundSmallPayers", &refunds_, &LevyRefunds::Refund);
  s.Handle("IssuePaperReceipts", &papers_, &PaperReceipts::Issue);
  s.Handle("AdvancePaperReceipt", &papers_, &PaperReceipts::Advance);
  s.Handle("ListPaperReceipts", &papers_, &PaperReceipts::List);
}

void LevyService::ServeDues() {
  rpc::Service& s = dues_service_;
  s.Handle("BillDues", &dues_, &DuesBills::Bill);
  s.Handle("PayDues", &dues_, &DuesBills::Pay);
  s.Handle("ListDuesBills", &dues_, &DuesBills::List);
  s.Handle("GetMemberDuesStatement", &dues_, &DuesBills::MemberStatement);
  s.Handle("GetUnitDuesStatement", &dues_, &DuesBills::UnitStatement);
}

}  // namespace gonghui::funds
