#include "services/funds/levy_confirmations.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "common/base/resource_name.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "services/funds/levy_facts.h"
#include "services/funds/levy_pages.h"
#include "services/funds/levy_postings.h"
#include "services/funds/levy_rows.h"
#include "services/funds/levy_share_rows.h"

namespace gonghui::funds {
namespace {

constexpr int64_t kMostAtOnce = 1000;

constexpr sql::Query kMatched{
    "funds.list_matched_levy_receipts",
    "SELECT " RECEIPT_COLUMNS
    " FROM levy_receipts WHERE tenant = $1 AND batch_id = $2 AND state = 1 "
    "ORDER BY serial_no, receipt_id LIMIT $3"};
constexpr sql::Query kHeld{"funds.list_held_levy_receipts",
                           "SELECT " RECEIPT_COLUMNS
                           " FROM levy_receipts WHERE tenant = $1 AND unit = $2 AND state = 4 "
                           "ORDER BY received_on, receipt_id LIMIT $3"};
constexpr sql::Query kSettleReminders{
    "funds.settle_levy_reminders",
    "UPDATE levy_reminders SET state = 5, changed_on = $4 WHERE tenant = $1 AND unit = $2 "
    "AND period = $3 AND state < 5"};

std::string MemoOf(const LevyRules& rules, const ReceiptRow& row) {
  std::string memo = "收";
  for (const v1::LevyChannel& channel : rules.message().channels()) {
    if (channel.code() != row.view.channel()) continue;
    memo += channel.label().zh();
    break;
  }
  const auto item = rules.FindItem(row.view.item(), "");
  if (item.ok()) memo += (*item)->label().zh();
  return StrCat(memo, " ", row.period, " ", row.view.serial());
}

// A receipt that is confirmed again after a reversal causes another voucher.
std::string SourceOf(const std::string& tenant, const ReceiptRow& row) {
  const std::string name = ReceiptName(tenant, row.id);
  return row.view.voucher().empty() ? name : StrCat(name, "/after/", LeafOf(row.view.voucher()));
}

// The obligations that receipts pay: their facts before and after.
class Paying {
 public:
  Paying(const rpc::Call& call, sql::Tx& tx, const LevyRules& rules)
      : call_(call), tx_(tx), rules_(rules) {}

  absl::Status Load(const std::vector<ReceiptRow>& rows) {
    for (const ReceiptRow& row : rows) keys_.emplace(row.view.unit(), row.period);
    ASSIGN_OR_RETURN(obligations_, FindObligations(tx_, call_.federation, keys_));
    ASSIGN_OR_RETURN(paid_, FindPaid(tx_, call_.federation, keys_));
    for (const auto& [key, row] : obligations_) {
      before_[key] = ObligationFacts(rules_, row, paid_[key]);
    }
    return absl::OkStatus();
  }

  void Add(const ReceiptRow& row) {
    const UnitPeriod key(row.view.unit(), row.period);
    const auto owed = obligations_.find(key);
    if (owed == obligations_.end()) return;
    v1::LevyObligation& view = owed->second.view;
    view.set_received_fen(view.received_fen() + row.view.paid_fen());
    std::vector<Paid>& paid = paid_[key];
    paid.push_back({row.view.received_on(), row.view.paid_fen()});
    std::stable_sort(paid.begin(), paid.end(),
                     [](const Paid& a, const Paid& b) { return a.on_date < b.on_date; });
  }

  absl::Status Write(feed::v1::Event& event) {
    std::vector<ObligationRow> rows;
    std::vector<sql::Args> settled;
    for (const auto& [key, row] : obligations_) {
      AddFacts(ObligationName(call_.federation, row.view), before_[key],
               ObligationFacts(rules_, row, paid_[key]), event);
      rows.push_back(row);
      if (row.view.received_fen() >= row.view.payable_fen() && !paid_[key].empty()) {
        settled.push_back({call_.federation, key.first, key.second, paid_[key].back().on_date});
      }
    }
    RETURN_IF_ERROR(WriteObligations(tx_, call_.federation, rows));
    return tx_.RunMany(kSettleReminders, settled).status();
  }

 private:
  const rpc::Call& call_;
  sql::Tx& tx_;
  const LevyRules& rules_;
  std::set<UnitPeriod> keys_;
  std::map<UnitPeriod, ObligationRow> obligations_;
  PaidByObligation paid_;
  std::map<UnitPeriod, std::vector<common::v1::Fact>> before_;
};

}  // namespace

absl::StatusOr<Shared> LevyConfirmations::ShareOf(const tree::OrganizationTree& tree,
                                                  const ReceiptRow& row) const {
  const v1::LevyReceipt& r = row.view;
  const Standing payer(*levies_.rules, tree, r.organization(), r.received_on());
  return Share(*levies_.rules, payer, r.collector(),
               {r.item(), r.channel(), r.period_from(), r.received_on(), r.paid_fen()});
}

absl::Status LevyConfirmations::ConfirmRows(const rpc::Call& call, sql::Tx& tx, const TreePtr& tree,
                                            const std::string& batch, feed::v1::Event* event,
                                            v1::ConfirmLevyReceiptsResponse& response) const {
  const v1::LevyAccounts& accounts = levies_.rules->accounts();
  ASSIGN_OR_RETURN(const sql::Rows found, tx.Run(kMatched, {call.federation, batch, kMostAtOnce}));
  std::vector<ReceiptRow> rows;
  std::vector<LevyVoucher> vouchers;
  std::vector<ShareRow> shares;
  for (size_t i = 0; i < found.size(); ++i) {
    ReceiptRow& row = rows.emplace_back(ToReceipt(found[i]));
    v1::LevyReceipt& r = row.view;
    LevyVoucher& voucher = vouchers.emplace_back();
    voucher = {r.collector(),
               r.received_on(),
               MemoOf(*levies_.rules, row),
               SourceOf(call.federation, row),
               {},
               r.channel()};
    voucher.entries.push_back({accounts.bank(), r.paid_fen(), true, ""});
    response.set_amount_fen(response.amount_fen() + r.paid_fen());
    ASSIGN_OR_RETURN(const v1::LevyItem* item, levies_.rules->FindItem(r.item(), ""));
    if (item->held()) {
      r.set_state(v1::LEVY_RECEIPT_STATE_HELD);
      response.set_held_fen(response.held_fen() + r.paid_fen());
      voucher.entries.push_back({accounts.held(), r.paid_fen(), false, ""});
      continue;
    }
    ASSIGN_OR_RETURN(const Shared shared, ShareOf(*tree, row));
    r.set_state(v1::LEVY_RECEIPT_STATE_CONFIRMED);
    r.set_rule(shared.rule->name());
    AddToLevels(shared.levels, *response.mutable_levels());
    for (ShareRow& part : RowsOf(row.id, r.received_on(), shared)) {
      shares.push_back(std::move(part));
    }
    for (LevyEntry& entry : ShareEntries(accounts, shared.levels)) {
      voucher.entries.push_back(std::move(entry));
    }
  }
  response.set_confirmed(static_cast<int32_t>(rows.size()));
  if (event == nullptr || rows.empty()) return absl::OkStatus();
  Paying paying(call, tx, *levies_.rules);
  RETURN_IF_ERROR(paying.Load(rows));
  ASSIGN_OR_RETURN(const auto names, PostLevyVouchers(call, tx, *levies_.books, vouchers, *event));
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i].view.set_voucher(names[i]);
    paying.Add(rows[i]);
    const std::string name = ReceiptName(call.federation, rows[i].id);
    event->add_resources(name);
    AddFacts(name, {}, ReceiptFacts(*levies_.rules, rows[i]), *event);
  }
  RETURN_IF_ERROR(UpdateReceipts(tx, call.federation, rows));
  RETURN_IF_ERROR(InsertShares(tx, call.federation, shares));
  return paying.Write(*event);
}

absl::StatusOr<v1::ConfirmLevyReceiptsResponse> LevyConfirmations::Confirm(
    rpc::Call& call, const v1::ConfirmLevyReceiptsRequest& request) {
  using Response = v1::ConfirmLevyReceiptsResponse;
  const std::string id(LeafOf(request.name()));
  ASSIGN_OR_RETURN(const TreePtr tree, levies_.tree->Get(call.federation));
  Response seen;
  v1::LevyBatch batch;
  RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    seen.Clear();
    ASSIGN_OR_RETURN(batch, FindBatch(tx, call.federation, id, "name"));
    if (!request.validate_only()) return absl::OkStatus();
    return ConfirmRows(call, tx, tree, id, nullptr, seen);
  }));
  RETURN_IF_ERROR(call.CheckScope(batch.organization()));
  if (request.validate_only()) {
    seen.set_matched(batch.matched());
    seen.set_exceptions(batch.exceptions());
    return seen;
  }
  return rpc::WriteOnce<Response>(
      *levies_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Response> {
        Response response;
        feed::v1::Event event;
        event.set_type("gonghui.funds.v1.LevyReceiptsConfirmed");
        RETURN_IF_ERROR(ConfirmRows(call, tx, tree, id, &event, response));
        if (response.confirmed() > 0) RETURN_IF_ERROR(feed::Append(tx, call, event));
        ASSIGN_OR_RETURN(const v1::LevyBatch now, FindBatch(tx, call.federation, id, "name"));
        response.set_matched(now.matched());
        response.set_exceptions(now.exceptions());
        return response;
      });
}

absl::Status LevyConfirmations::SettleRows(const rpc::Call& call, sql::Tx& tx, const TreePtr& tree,
                                           const v1::SettlePreparatoryFundsRequest& request,
                                           std::vector<ReceiptRow> rows, feed::v1::Event& event,
                                           v1::SettlePreparatoryFundsResponse& response) const {
  const v1::LevyAccounts& accounts = levies_.rules->accounts();
  std::vector<LevyVoucher> vouchers;
  std::vector<ShareRow> shares;
  for (ReceiptRow& row : rows) {
    const std::vector<common::v1::Fact> before = ReceiptFacts(*levies_.rules, row);
    v1::LevyReceipt& r = row.view;
    const Standing payer(*levies_.rules, *tree, request.organization(), request.on_date());
    ASSIGN_OR_RETURN(const Shared shared, Share(*levies_.rules, payer, r.collector(),
                                                {r.item(), r.channel(), r.period_from(),
                                                 r.received_on(), r.paid_fen()}));
    r.set_state(v1::LEVY_RECEIPT_STATE_CONFIRMED);
    r.set_organization(request.organization());
    r.set_rule(shared.rule->name());
    row.settled_on = request.on_date();
    const std::string name = ReceiptName(call.federation, row.id);
    LevyVoucher& voucher = vouchers.emplace_back();
    voucher = {r.collector(),
               request.on_date(),
               StrCat("建会筹备金转经费 ", row.period, " ", r.serial()),
               StrCat(name, "/settled"),
               {}};
    voucher.entries.push_back({accounts.held(), r.paid_fen(), true, ""});
    for (LevyEntry& entry : ShareEntries(accounts, shared.levels)) {
      voucher.entries.push_back(std::move(entry));
    }
    for (ShareRow& part : RowsOf(row.id, request.on_date(), shared)) {
      shares.push_back(std::move(part));
    }
    response.set_amount_fen(response.amount_fen() + r.paid_fen());
    AddToLevels(shared.levels, *response.mutable_levels());
    event.add_resources(name);
    AddFacts(name, before, ReceiptFacts(*levies_.rules, row), event);
  }
  response.set_receipts(static_cast<int32_t>(rows.size()));
  RETURN_IF_ERROR(PostLevyVouchers(call, tx, *levies_.books, vouchers, event).status());
  RETURN_IF_ERROR(UpdateReceipts(tx, call.federation, rows));
  return InsertShares(tx, call.federation, shares);
}

absl::StatusOr<v1::SettlePreparatoryFundsResponse> LevyConfirmations::Settle(
    rpc::Call& call, const v1::SettlePreparatoryFundsRequest& request) {
  using Response = v1::SettlePreparatoryFundsResponse;
  const std::string unit(LeafOf(request.name()));
  if (request.on_date() < request.founded_on()) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           "funds are shared once the union is founded; give that day or a later "
                           "one",
                           "建会后方可转经费，请填建会当日或之后的日期")
        .With("founded_on", request.founded_on())
        .At("on_date");
  }
  RETURN_IF_ERROR(call.CheckScope(request.organization()));
  ASSIGN_OR_RETURN(const TreePtr tree, levies_.tree->Get(call.federation, request.organization()));
  if (tree->Path(request.organization(), request.on_date()).empty()) {
    return NotFound(common::v1::REASON_REFERENCE_NOT_FOUND,
                    StrCat("there is no organisation '", request.organization(), "'"),
                    StrCat("没有工会“", request.organization(), "”"))
        .At("organization");
  }
  v1::LevyPayer payer;
  RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const auto payers, FindPayers(tx, call.federation, {unit}));
    if (payers.empty()) return NoSuchPayer(unit, "name");
    payer = payers.begin()->second;
    return absl::OkStatus();
  }));
  RETURN_IF_ERROR(call.CheckScope(payer.organization()));
  return rpc::WriteOnce<Response>(
      *levies_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Response> {
        ASSIGN_OR_RETURN(const sql::Rows found,
                         tx.Run(kHeld, {call.federation, unit, kMostAtOnce + 1}));
        std::vector<ReceiptRow> rows;
        for (size_t i = 0; i < found.size() && rows.size() < kMostAtOnce; ++i) {
          rows.push_back(ToReceipt(found[i]));
          // Whoever settles posts into the books that hold the money.
          RETURN_IF_ERROR(call.CheckScope(rows.back().view.collector()));
        }
        Response response;
        response.set_left(static_cast<int64_t>(found.size() - rows.size()));
        feed::v1::Event event;
        event.set_type("gonghui.funds.v1.PreparatoryFundsSettled");
        event.add_resources(PayerName(call.federation, unit));
        v1::LevyPayer founded = payer;
        founded.set_organization(request.organization());
        founded.set_founded_on(request.founded_on());
        RETURN_IF_ERROR(WritePayers(tx, call.federation, {founded}));
        RETURN_IF_ERROR(SettleRows(call, tx, tree, request, std::move(rows), event, response));
        RETURN_IF_ERROR(feed::Append(tx, call, event));
        return response;
      });
}

absl::StatusOr<v1::PreviewSharingResponse> LevyConfirmations::Preview(
    rpc::Call& call, const v1::PreviewSharingRequest& request) {
  RETURN_IF_ERROR(CheckFen(request.amount_fen(), "amount_fen", true));
  ASSIGN_OR_RETURN(const LevyPeriod period, ParseLevyPeriod(request.period(), "period"));
  std::string item = levies_.rules->OwedItem(true).code();
  if (!request.item().empty()) {
    ASSIGN_OR_RETURN(const v1::LevyItem* found, levies_.rules->FindItem(request.item(), "item"));
    item = found->code();
  }
  ASSIGN_OR_RETURN(const TreePtr tree, levies_.tree->Get(call.federation, request.organization()));
  const Standing payer(*levies_.rules, *tree, request.organization(), request.received_on());
  if (payer.path().empty()) {
    return NotFound(common::v1::REASON_NOT_FOUND,
                    StrCat("there is no organisation '", request.organization(), "'"),
                    StrCat("没有工会“", request.organization(), "”"))
        .At("organization");
  }
  v1::PreviewSharingResponse response;
  ASSIGN_OR_RETURN(
      *response.mutable_collector(),
      CollectorOf(*levies_.rules, payer, request.channel(), request.received_on(), "channel"));
  ASSIGN_OR_RETURN(const Shared shared, Share(*levies_.rules, payer, response.collector(),
                                              {item, request.channel(), period.first_day,
                                               request.received_on(), request.amount_fen()}));
  response.set_rule(shared.rule->name());
  response.set_citation(shared.rule->valid().citation());
  for (const ShareRow& row : RowsOf("", request.received_on(), shared)) {
    *response.add_shares() = ShareView(call.federation, row);
    response.mutable_shares()->rbegin()->clear_receipt();
  }
  return response;
}

absl::StatusOr<v1::ListLevySharesResponse> LevyConfirmations::ListShares(
    rpc::Call& call, const v1::ListLevySharesRequest& request) {
  const std::string id(LeafOf(request.name()));
  v1::ListLevySharesResponse response;
  std::string owner;
  RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    ASSIGN_OR_RETURN(const std::optional<ReceiptRow> receipt, FindReceipt(tx, call.federation, id));
    if (!receipt.has_value()) return NoSuchReceipt(id, "name");
    owner = receipt->owner;
    ASSIGN_OR_RETURN(const auto shares, FindShares(tx, call.federation, {id}));
    for (const ShareRow& row : shares) *response.add_shares() = ShareView(call.federation, row);
    return absl::OkStatus();
  }));
  RETURN_IF_ERROR(call.CheckScope(owner));
  return response;
}

}  // namespace gonghui::funds
