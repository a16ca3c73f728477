#include "services/funds/levy_reversals.h"

#include <optional>
#include <set>
#include <utility>

#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "services/funds/levy_facts.h"
#include "services/funds/levy_rows.h"
#include "services/funds/vouchers.h"

namespace gonghui::funds {
namespace {

constexpr std::string_view kVoucherName =
    "federations/{federation}/books/{book}/vouchers/{voucher}";
constexpr sql::Query kCountRemitted{
    "funds.count_remitted_levy_shares",
    "SELECT COUNT(*) FROM levy_shares WHERE tenant = $1 AND receipt_id = $2 "
    "AND remittance_id <> ''"};
constexpr sql::Query kDropShares{"funds.delete_levy_shares",
                                 "DELETE FROM levy_shares WHERE tenant = $1 AND receipt_id = $2"};

absl::Status NotConfirmed(const v1::LevyReceipt& receipt) {
  return FailedPrecondition(
             common::v1::REASON_STATE_FORBIDS,
             StrCat("receipt ", receipt.serial(), " is not confirmed: there is nothing to reverse"),
             StrCat("收款 ", receipt.serial(), " 尚未确认，无须冲销"))
      .With("allowed", "ResolveLevyReceipts")
      .At("name");
}

absl::Status Settled(const ReceiptRow& receipt) {
  return FailedPrecondition(
             common::v1::REASON_STATE_FORBIDS,
             StrCat("the preparatory funds of receipt ", receipt.view.serial(), " were settled on ",
                    receipt.settled_on, "; refund them by vouchers"),
             StrCat("收款 ", receipt.view.serial(), " 的建会筹备金已于 ", receipt.settled_on,
                    " 转为经费；请以凭证办理退付"))
      .At("name");
}

absl::Status Remitted(const v1::LevyReceipt& receipt, int64_t shares) {
  return FailedPrecondition(
             common::v1::REASON_STATE_FORBIDS,
             StrCat(shares, " shares of receipt ", receipt.serial(),
                    " are remitted to other levels; have them sent back by vouchers"),
             StrCat("收款 ", receipt.serial(), " 已有 ", shares,
                    " 份分成上解或下拨；请先以凭证办理退回"))
      .With("shares", StrCat(shares))
      .At("name");
}

absl::Status CheckReversible(sql::Tx& tx, const std::string& tenant, const ReceiptRow& receipt) {
  const v1::LevyReceiptState state = receipt.view.state();
  if (state != v1::LEVY_RECEIPT_STATE_CONFIRMED && state != v1::LEVY_RECEIPT_STATE_HELD) {
    return NotConfirmed(receipt.view);
  }
  if (!receipt.settled_on.empty()) return Settled(receipt);
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kCountRemitted, {tenant, receipt.id}));
  const auto remitted = rows[0].Get<int64_t>(0);
  return remitted == 0 ? absl::OkStatus() : Remitted(receipt.view, remitted);
}

}  // namespace

absl::Status LevyReversals::TakeBack(const rpc::Call& call, sql::Tx& tx, ReceiptRow& receipt,
                                     feed::v1::Event& event) const {
  const std::set<UnitPeriod> keys = {{receipt.view.unit(), receipt.period}};
  ASSIGN_OR_RETURN(auto obligations, FindObligations(tx, call.federation, keys));
  ASSIGN_OR_RETURN(PaidByObligation before, FindPaid(tx, call.federation, keys));
  AddFacts(ReceiptName(call.federation, receipt.id), ReceiptFacts(*levies_.rules, receipt), {},
           event);
  receipt.view.set_state(v1::LEVY_RECEIPT_STATE_EXCEPTION);
  receipt.view.set_exception(v1::LEVY_EXCEPTION_REVERSED);
  receipt.view.clear_rule();
  RETURN_IF_ERROR(UpdateReceipts(tx, call.federation, {receipt}));
  const sql::Args dropped = {call.federation, receipt.id};
  RETURN_IF_ERROR(tx.RunLater(kDropShares, {&dropped, 1}));
  if (obligations.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(PaidByObligation after, FindPaid(tx, call.federation, keys));
  auto& [key, owed] = *obligations.begin();
  const auto facts = ObligationFacts(*levies_.rules, owed, before[key]);
  owed.view.set_received_fen(owed.view.received_fen() - receipt.view.paid_fen());
  AddFacts(ObligationName(call.federation, owed.view), facts,
           ObligationFacts(*levies_.rules, owed, after[key]), event);
  return WriteObligations(tx, call.federation, {owed});
}

absl::StatusOr<v1::LevyReceipt> LevyReversals::Reverse(
    rpc::Call& call, const v1::ReverseLevyReceiptRequest& request) {
  const std::string id(LeafOf(request.name()));
  return rpc::WriteOnce<v1::LevyReceipt>(
      *levies_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::LevyReceipt> {
        ASSIGN_OR_RETURN(std::optional<ReceiptRow> receipt, FindReceipt(tx, call.federation, id));
        if (!receipt.has_value()) return NoSuchReceipt(id, "name");
        RETURN_IF_ERROR(call.CheckScope(receipt->owner));
        RETURN_IF_ERROR(call.CheckScope(receipt->view.collector()));
        RETURN_IF_ERROR(CheckReversible(tx, call.federation, *receipt));
        ASSIGN_OR_RETURN(const auto voucher, ParseName(kVoucherName, receipt->view.voucher()));
        ASSIGN_OR_RETURN(const BookPtr book,
                         levies_.books->FindForCaller(call, voucher.at("book")));
        ASSIGN_OR_RETURN(const VoucherKey key, VoucherKey::FromId(voucher.at("voucher")));
        feed::v1::Event event;
        ASSIGN_OR_RETURN(const v1::Voucher red,
                         PostReversal(tx, call, book, key, request.on_date(), request.reason(),
                                      /*by_person=*/false, event));
        event.set_type("gonghui.funds.v1.LevyReceiptReversed");
        event.add_resources(request.name());
        event.add_resources(red.name());
        receipt->view.set_voucher(red.name());
        RETURN_IF_ERROR(TakeBack(call, tx, *receipt, event));
        RETURN_IF_ERROR(feed::Append(tx, call, event));
        return ReceiptView(call.federation, *receipt);
      });
}

}  // namespace gonghui::funds
