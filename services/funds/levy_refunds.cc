#include "services/funds/levy_refunds.h"

#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_format.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "common/sql/insert.h"
#include "services/funds/levy_facts.h"
#include "services/funds/levy_pages.h"
#include "services/funds/levy_postings.h"
#include "services/funds/levy_sharing.h"

namespace gonghui::funds {
namespace {

constexpr int64_t kMostAtOnce = 1000;

// Small payers of one organisation without the instalment: unit, paid, and what of it is theirs
// already.
constexpr sql::Query kDue{
    "funds.list_levy_refunds_due",
    "SELECT p.unit, p.paid, CAST(COALESCE((SELECT SUM(s.amount_fen) FROM levy_shares AS s "
    "JOIN levy_receipts AS r ON r.tenant = s.tenant AND r.receipt_id = s.receipt_id "
    "WHERE s.tenant = $1 AND s.level = $6 AND r.unit = p.unit AND r.state = 3 "
    "AND r.received_on BETWEEN $3 AND $4), 0) AS BIGINT) FROM (SELECT unit, "
    "CAST(SUM(paid_fen) AS BIGINT) AS paid FROM levy_receipts WHERE tenant = $1 "
    "AND organization = $2 AND state = 3 AND received_on BETWEEN $3 AND $4 GROUP BY unit "
    "HAVING SUM(paid_fen) < $5) AS p WHERE NOT EXISTS (SELECT 1 FROM levy_refunds AS f "
    "WHERE f.tenant = $1 AND f.unit = p.unit AND f.year = $7 AND f.instalment = $8) "
    "ORDER BY p.unit LIMIT $9"};

const sql::Insert& PutRefunds() {
  static const auto& insert =
      *new sql::Insert("funds.insert_levy_refunds", "levy_refunds",
                       {"tenant", "unit", "year", "instalment", "payer", "organization", "paid_fen",
                        "refund_fen", "on_date", "rule", "voucher"});
  return insert;
}

std::string RefundName(std::string_view tenant, const v1::LevyRefund& refund) {
  return StrCat("federations/", tenant, "/levyRefunds/", refund.unit(), ".", refund.year(), ".",
                refund.instalment());
}

absl::Status OutOfRange(std::string_view what, std::string_view what_zh, std::string_view field) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID, std::string(what), std::string(what_zh))
      .At(std::string(field));
}

}  // namespace

absl::StatusOr<std::vector<v1::LevyRefund>> LevyRefunds::FindDue(
    const rpc::Call& call, sql::Tx& tx, const v1::RefundSmallPayersRequest& request,
    const v1::RefundRule& rule, const std::vector<std::string>& below) const {
  const int instalment = request.instalment() == 0 ? 1 : request.instalment();
  const std::vector<int32_t> parts(rule.instalments().begin(), rule.instalments().end());
  std::vector<v1::LevyRefund> refunds;
  for (const std::string& organization : below) {
    const int64_t room = kMostAtOnce - static_cast<int64_t>(refunds.size());
    if (room <= 0) break;
    ASSIGN_OR_RETURN(
        const sql::Rows rows,
        tx.Run(kDue, {call.federation, organization, absl::StrFormat("%04d-01-01", request.year()),
                      absl::StrFormat("%04d-12-31", request.year()), rule.below_fen(),
                      rule.kept_level(), int64_t{request.year()}, int64_t{instalment}, room}));
    for (size_t i = 0; i < rows.size(); ++i) {
      v1::LevyRefund refund;
      refund.set_unit(rows[i].Get<std::string>(0));
      refund.set_organization(organization);
      refund.set_year(request.year());
      refund.set_instalment(instalment);
      refund.set_paid_fen(rows[i].Get<int64_t>(1));
      refund.set_rule(rule.name());
      const int64_t whole = refund.paid_fen() - rows[i].Get<int64_t>(2);
      refund.set_refund_fen(
          SplitAmount(whole, parts, parts.size() - 1)[static_cast<size_t>(instalment) - 1]);
      if (refund.refund_fen() > 0) refunds.push_back(std::move(refund));
    }
  }
  return refunds;
}

absl::Status LevyRefunds::Pay(const rpc::Call& call, sql::Tx& tx,
                              const v1::RefundSmallPayersRequest& request,
                              const v1::RefundRule& rule,
                              std::vector<v1::LevyRefund>& refunds) const {
  const std::string& bank = levies_.rules->accounts().bank();
  feed::v1::Event event;
  event.set_type("gonghui.funds.v1.SmallPayersRefunded");
  std::vector<LevyVoucher> vouchers;
  for (const v1::LevyRefund& refund : refunds) {
    const std::string name = RefundName(call.federation, refund);
    const std::string memo = StrCat("小额缴费返还 ", refund.year(), " ", refund.unit());
    vouchers.push_back({request.organization(),
                        request.on_date(),
                        memo,
                        name,
                        {{rule.expense_account(), refund.refund_fen(), true, refund.organization()},
                         {bank, refund.refund_fen(), false, ""}}});
    // Where the unit's union refunds itself, the money does not move.
    if (refund.organization() != request.organization()) {
      vouchers.push_back(
          {refund.organization(),
           request.on_date(),
           memo,
           name,
           {{bank, refund.refund_fen(), true, ""},
            {rule.income_account(), refund.refund_fen(), false, request.organization()}}});
    }
    event.add_resources(name);
    AddFacts(
        name, {},
        {NewFact("fund_refunded", refund.organization(), request.on_date(), refund.refund_fen())},
        event);
  }
  ASSIGN_OR_RETURN(const auto names, PostLevyVouchers(call, tx, *levies_.books, vouchers, event));
  std::vector<sql::Args> rows;
  size_t next = 0;
  for (v1::LevyRefund& refund : refunds) {
    refund.set_voucher(names[next]);
    next += refund.organization() == request.organization() ? 1 : 2;
    rows.push_back({call.federation, refund.unit(), int64_t{refund.year()},
                    int64_t{refund.instalment()}, request.organization(), refund.organization(),
                    refund.paid_fen(), refund.refund_fen(), request.on_date(), refund.rule(),
                    refund.voucher()});
  }
  RETURN_IF_ERROR(PutRefunds().Run(tx, std::move(rows)));
  return feed::Append(tx, call, event);
}

absl::StatusOr<v1::RefundSmallPayersResponse> LevyRefunds::Refund(
    rpc::Call& call, const v1::RefundSmallPayersRequest& request) {
  using Response = v1::RefundSmallPayersResponse;
  if (request.year() < 1900 || request.year() > 9999) {
    return OutOfRange("the year is written like 2023", "年度写法如 2023", "year");
  }
  const std::string last_day = absl::StrFormat("%04d-12-31", request.year());
  if (request.on_date() <= last_day) {
    return FailedPrecondition(common::v1::REASON_PERIOD_NOT_OVER,
                              StrCat("the year ends on ", last_day, "; give a later day"),
                              StrCat("年度至 ", last_day, " 结束，请填之后的日期"))
        .At("on_date");
  }
  ASSIGN_OR_RETURN(const auto below, Below(*levies_.tree, call, request.organization()));
  ASSIGN_OR_RETURN(const auto tree, levies_.tree->Get(call.federation));
  const v1::RefundRule* rule =
      levies_.rules->Refund(tree->Path(request.organization(), last_day), last_day);
  if (rule == nullptr) return NoRow("refunds", request.organization(), last_day);
  if (request.instalment() < 0 || request.instalment() > rule->instalments_size()) {
    return OutOfRange(StrCat("the rule has ", rule->instalments_size(), " instalments"),
                      StrCat("该规则共 ", rule->instalments_size(), " 期"), "instalment");
  }
  const auto answer = [&](const std::vector<v1::LevyRefund>& refunds) {
    Response response;
    response.set_citation(rule->valid().citation());
    for (const v1::LevyRefund& refund : refunds) {
      response.set_refund_fen(response.refund_fen() + refund.refund_fen());
      *response.add_refunds() = refund;
    }
    return response;
  };
  if (request.validate_only()) {
    std::vector<v1::LevyRefund> refunds;
    RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
      ASSIGN_OR_RETURN(refunds, FindDue(call, tx, request, *rule, below));
      return absl::OkStatus();
    }));
    return answer(refunds);
  }
  return rpc::WriteOnce<Response>(*levies_.db, call, request,
                                  [&](sql::Tx& tx) -> absl::StatusOr<Response> {
                                    ASSIGN_OR_RETURN(std::vector<v1::LevyRefund> refunds,
                                                     FindDue(call, tx, request, *rule, below));
                                    if (!refunds.empty())
                                      RETURN_IF_ERROR(Pay(call, tx, request, *rule, refunds));
                                    return answer(refunds);
                                  });
}

}  // namespace gonghui::funds
