#include "services/funds/levy_matching.h"

#include "common/base/text.h"

namespace gonghui::funds {
namespace {

constexpr sql::Query kTickets{
    "funds.find_levy_tickets",
    "SELECT channel, ticket, receipt_id FROM levy_receipts WHERE tenant = $1 AND channel = $2 "
    "AND ticket = $3 AND ticket <> '' AND state IN (1, 3, 4)"};
// Of receipts that are matched or confirmed.
constexpr sql::Query kPaid{
    "funds.sum_matched_levy_receipts",
    "SELECT unit, period, CAST(SUM(paid_fen) AS BIGINT) FROM levy_receipts WHERE tenant = $1 "
    "AND unit = $2 AND period = $3 AND state IN (1, 3, 4) GROUP BY unit, period"};

}  // namespace

absl::Status LevyMatching::Load(sql::Tx& tx, const std::vector<ReceiptRow>& rows) {
  std::set<std::string> units;
  std::set<UnitPeriod> keys;
  std::vector<sql::Args> tickets;
  std::vector<sql::Args> sums;
  for (const ReceiptRow& row : rows) {
    units.insert(row.view.unit());
    if (keys.emplace(row.view.unit(), row.period).second) {
      sums.push_back({call_.federation, row.view.unit(), row.period});
    }
    if (!row.view.ticket().empty()) {
      tickets.push_back({call_.federation, row.view.channel(), row.view.ticket()});
    }
  }
  ASSIGN_OR_RETURN(payers_, FindPayers(tx, call_.federation, units));
  ASSIGN_OR_RETURN(obligations_, FindObligations(tx, call_.federation, keys));
  paid_.clear();
  RETURN_IF_ERROR(tx.ReadMany(kPaid, sums, [&](const sql::Rows::Row& row) {
    paid_[{row.Get<std::string>(0), row.Get<std::string>(1)}] = row.Get<int64_t>(2);
  }));
  tickets_.clear();
  return tx.ReadMany(kTickets, tickets, [&](const sql::Rows::Row& row) {
    tickets_.try_emplace({row.Get<std::string>(0), row.Get<std::string>(1)},
                         row.Get<std::string>(2));
  });
}

const v1::LevyPayer* LevyMatching::PayerOf(const ReceiptRow& row) const {
  const auto payer = payers_.find(row.view.unit());
  if (payer == payers_.end() || !below_.contains(payer->second.organization())) return nullptr;
  return &payer->second;
}

void LevyMatching::Add(const ObligationRow& obligation) {
  obligations_.insert_or_assign({obligation.view.unit(), obligation.view.period()}, obligation);
}

v1::LevyException LevyMatching::ExceptionOf(ReceiptRow& row, bool accept) {
  const UnitPeriod key(row.view.unit(), row.period);
  const auto owed = obligations_.find(key);
  if (owed == obligations_.end()) return v1::LEVY_EXCEPTION_NO_PAYROLL;
  if (row.view.item().empty()) row.view.set_item(owed->second.view.item());
  if (accept) return v1::LEVY_EXCEPTION_UNSPECIFIED;
  if (row.view.item() != owed->second.view.item()) return v1::LEVY_EXCEPTION_ITEM_DIFFERS;
  const auto ticket = tickets_.find({row.view.channel(), row.view.ticket()});
  if (ticket != tickets_.end() && ticket->second != row.id) {
    return v1::LEVY_EXCEPTION_DUPLICATE_TICKET;
  }
  if (row.view.paid_fen() != owed->second.view.payable_fen() - paid_[key]) {
    return v1::LEVY_EXCEPTION_AMOUNT_DIFFERS;
  }
  return v1::LEVY_EXCEPTION_UNSPECIFIED;
}

absl::Status LevyMatching::Match(ReceiptRow& row, bool accept) {
  v1::LevyReceipt& r = row.view;
  r.set_state(v1::LEVY_RECEIPT_STATE_EXCEPTION);
  const v1::LevyPayer* payer = PayerOf(row);
  if (payer == nullptr) {
    r.set_exception(v1::LEVY_EXCEPTION_UNKNOWN_UNIT);
    return absl::OkStatus();
  }
  r.set_organization(payer->organization());
  const Standing standing(*levies_.rules, *tree_, payer->organization(), r.received_on());
  ASSIGN_OR_RETURN(const std::string collector,
                   CollectorOf(*levies_.rules, standing, r.channel(), r.received_on(), "channel"));
  RETURN_IF_ERROR(call_.CheckScope(collector));
  r.set_collector(collector);
  r.set_exception(ExceptionOf(row, accept));
  if (r.exception() != v1::LEVY_EXCEPTION_UNSPECIFIED) return absl::OkStatus();
  r.set_state(v1::LEVY_RECEIPT_STATE_MATCHED);
  paid_[{r.unit(), row.period}] += r.paid_fen();
  if (!r.ticket().empty()) tickets_.try_emplace({r.channel(), r.ticket()}, row.id);
  return absl::OkStatus();
}

}  // namespace gonghui::funds
