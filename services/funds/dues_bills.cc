#include "services/funds/dues_bills.h"

#include <set>

#include "common/base/date.h"
#include "common/base/id.h"
#include "common/base/money.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/page.h"
#include "common/rpc/validate.h"
#include "common/sql/insert.h"
#include "services/funds/levy_facts.h"
#include "services/funds/levy_postings.h"

namespace gonghui::funds {
namespace {

constexpr int64_t kMostOfStatement = 1000;

#define BILL_COLUMNS \
  "organization, month, member, wage_fen, standing, reason, payable_fen, paid_fen"
constexpr sql::Query kFind{"funds.find_dues_bill",
                           "SELECT " BILL_COLUMNS
                           " FROM dues_bills WHERE tenant = $1 AND organization = $2 "
                           "AND month = $3 AND member = $4"};
constexpr sql::Query kList{
    "funds.list_dues_bills",
    "SELECT " BILL_COLUMNS
    " FROM dues_bills WHERE tenant = $1 AND organization = $2 AND month = $3 AND member > $4 "
    "AND (CAST($5 AS BIGINT) = 0 OR payable_fen > paid_fen) ORDER BY member LIMIT $6"};
constexpr sql::Query kOfMember{
    "funds.list_dues_bills_of_member",
    "SELECT " BILL_COLUMNS
    " FROM dues_bills WHERE tenant = $1 AND organization = $2 AND member = $3 AND month >= $4 "
    "AND month <= $5 ORDER BY month LIMIT $6"};
constexpr sql::Query kOfUnit{
    "funds.sum_dues_bills",
    "SELECT month, COUNT(*), CAST(SUM(CASE WHEN standing = 1 THEN 1 ELSE 0 END) AS BIGINT), "
    "CAST(SUM(CASE WHEN payable_fen > paid_fen THEN 1 ELSE 0 END) AS BIGINT), "
    "CAST(SUM(payable_fen) AS BIGINT), CAST(SUM(paid_fen) AS BIGINT) FROM dues_bills "
    "WHERE tenant = $1 AND organization = $2 AND month >= $3 AND month <= $4 GROUP BY month "
    "ORDER BY month"};

const sql::Insert& PutBills() {
  static const auto& insert = *new sql::Insert(
      "funds.put_dues_bills", "dues_bills",
      {"tenant", "organization", "month", "member", "wage_fen", "standing", "reason", "payable_fen",
       "paid_fen"},
      "ON CONFLICT (tenant, organization, month, member) DO UPDATE SET "
      "wage_fen = excluded.wage_fen, standing = excluded.standing, reason = excluded.reason, "
      "payable_fen = excluded.payable_fen, paid_fen = excluded.paid_fen");
  return insert;
}

const sql::Insert& PutPayments() {
  static const auto& insert = *new sql::Insert("funds.insert_dues_payments", "dues_payments",
                                               {"tenant", "payment_id", "organization", "month",
                                                "member", "amount_fen", "paid_on", "voucher"});
  return insert;
}

v1::DuesBill ToBill(const sql::Rows::Row& row) {
  v1::DuesBill bill;
  bill.set_organization(row.Get<std::string>(0));
  bill.set_month(row.Get<std::string>(1));
  bill.set_member(row.Get<std::string>(2));
  bill.set_wage_fen(row.Get<int64_t>(3));
  bill.set_standing(static_cast<v1::DuesStanding>(row.Get<int>(4)));
  bill.set_reason(row.Get<std::string>(5));
  bill.set_payable_fen(row.Get<int64_t>(6));
  bill.set_paid_fen(row.Get<int64_t>(7));
  bill.set_outstanding_fen(bill.payable_fen() - bill.paid_fen());
  return bill;
}

// Without the wage, which is the member's own affair.
v1::DuesBill Shown(v1::DuesBill bill) {
  bill.clear_wage_fen();
  return bill;
}

std::string BillName(std::string_view tenant, const v1::DuesBill& bill) {
  return StrCat("federations/", tenant, "/duesBills/", bill.organization(), ".", bill.month(), ".",
                bill.member());
}

// The month's last day; PERIOD_INVALID at `field` where the text is no month.
absl::StatusOr<Period> ParseMonth(const std::string& text, std::string_view field) {
  absl::StatusOr<Period> period = ParsePeriod(text);
  if (period.ok() && period->first_month == text) return period;
  return InvalidArgument(common::v1::REASON_PERIOD_INVALID,
                         StrCat("'", text, "' is no month; write it like 2020-05"),
                         StrCat("“", text, "”不是月份，写法如 2020-05"))
      .With("month", text)
      .At(std::string(field));
}

std::vector<common::v1::Fact> BillFacts(const v1::DuesBill& bill) {
  const auto month = ParsePeriod(bill.month());
  std::vector<common::v1::Fact> facts;
  if (!month.ok()) return facts;
  if (bill.payable_fen() > 0) {
    facts.push_back(
        NewFact("dues_receivable", bill.organization(), month->last_day, bill.payable_fen()));
  }
  if (bill.paid_fen() > 0) {
    facts.push_back(NewFact("dues_settled", bill.organization(), month->last_day, bill.paid_fen()));
  }
  return facts;
}

template <typename Bills>
absl::Status WriteBills(sql::Tx& tx, const rpc::Call& call, const Bills& before, const Bills& after,
                        feed::v1::Event& event) {
  std::vector<sql::Args> rows;
  for (const auto& [key, bill] : after) {
    const auto old = before.find(key);
    const bool known = old != before.end();
    if (known && old->second.SerializeAsString() == bill.SerializeAsString()) continue;
    AddFacts(BillName(call.federation, bill),
             known ? BillFacts(old->second) : std::vector<common::v1::Fact>(), BillFacts(bill),
             event);
    rows.push_back({call.federation, bill.organization(), bill.month(), bill.member(),
                    bill.wage_fen(), int64_t{bill.standing()}, bill.reason(), bill.payable_fen(),
                    bill.paid_fen()});
  }
  return PutBills().Run(tx, std::move(rows));
}

template <typename Keys>
absl::StatusOr<std::map<std::pair<std::string, std::string>, v1::DuesBill>> FindBills(
    sql::Tx& tx, const rpc::Call& call, const std::string& organization, const Keys& keys) {
  std::vector<sql::Args> args;
  for (const auto& [month, member] : keys) {
    args.push_back({call.federation, organization, month, member});
  }
  std::map<std::pair<std::string, std::string>, v1::DuesBill> bills;
  RETURN_IF_ERROR(tx.ReadMany(kFind, args, [&](const sql::Rows::Row& row) {
    v1::DuesBill bill = ToBill(row);
    std::pair<std::string, std::string> key(bill.month(), bill.member());
    bills.emplace(std::move(key), std::move(bill));
  }));
  return bills;
}

absl::Status PaidMore(const v1::DuesBill& before) {
  return FailedPrecondition(
             common::v1::REASON_STATE_FORBIDS,
             StrCat("more is paid already (", FormatYuan(before.paid_fen()),
                    " yuan) than the bill would come to; correct the wage"),
             StrCat("已缴 ", FormatYuan(before.paid_fen()), " 元，多于重新核定的金额，请核对工资"))
      .With("allowed", "a bill of at least what is paid")
      .At("wage_fen");
}

absl::Status TooMuch(const v1::DuesBill& bill) {
  return InvalidArgument(
             common::v1::REASON_AMOUNT_INVALID,
             StrCat("the bill has ", FormatYuan(bill.outstanding_fen()),
                    " yuan outstanding; pay that or less"),
             StrCat("该月尚欠 ", FormatYuan(bill.outstanding_fen()), " 元，缴纳金额不得超过"))
      .With("outstanding_fen", StrCat(bill.outstanding_fen()))
      .At("amount_fen");
}

}  // namespace

absl::StatusOr<int64_t> DuesOf(const v1::DuesFormula& formula, int64_t wage_fen) {
  return MulDivRound(wage_fen - wage_fen % formula.step_fen(), formula.rate(), 10'000);
}

absl::StatusOr<DuesBills::Bills> DuesBills::MakeBills(const v1::BillDuesRequest& request,
                                                      const std::string& month,
                                                      const v1::DuesFormula& formula,
                                                      const Bills& before,
                                                      v1::BillDuesResponse& response) const {
  Bills bills;
  const auto make = [&](const v1::DuesBill& given) -> absl::Status {
    RETURN_IF_ERROR(rpc::Validate(given));
    RETURN_IF_ERROR(CheckFen(given.wage_fen(), "wage_fen"));
    v1::DuesBill bill = given;
    if (bill.standing() == v1::DUES_STANDING_UNSPECIFIED) {
      bill.set_standing(v1::DUES_STANDING_PAYING);
    }
    if (bill.standing() == v1::DUES_STANDING_WAIVED && bill.reason().empty()) {
      return Missing("reason");
    }
    bill.set_organization(request.organization());
    bill.set_month(month);
    bill.set_payable_fen(0);
    if (bill.standing() == v1::DUES_STANDING_PAYING) {
      ASSIGN_OR_RETURN(const int64_t payable, DuesOf(formula, bill.wage_fen()));
      bill.set_payable_fen(payable);
    }
    bill.set_paid_fen(0);
    const auto old = before.find({month, bill.member()});
    if (old != before.end()) {
      bill.set_paid_fen(old->second.paid_fen());
      if (bill.paid_fen() > bill.payable_fen()) return PaidMore(old->second);
    }
    bill.set_outstanding_fen(bill.payable_fen() - bill.paid_fen());
    response.set_payable_fen(response.payable_fen() + bill.payable_fen());
    const std::string member = bill.member();
    if (!bills.emplace(Key(month, member), std::move(bill)).second) return Twice(member, "member");
    return absl::OkStatus();
  };
  for (int i = 0; i < request.bills_size(); ++i) {
    const absl::Status fault = make(request.bills(i));
    if (!fault.ok()) *response.add_failures() = ToItemFailure(i, fault);
  }
  response.set_billed(static_cast<int32_t>(bills.size()));
  response.set_citation(formula.valid().citation());
  return bills;
}

absl::StatusOr<v1::BillDuesResponse> DuesBills::Bill(rpc::Call& call,
                                                     const v1::BillDuesRequest& request) {
  using Response = v1::BillDuesResponse;
  ASSIGN_OR_RETURN(const Period month, ParseMonth(request.month(), "month"));
  ASSIGN_OR_RETURN(const auto tree, levies_.tree->Get(call.federation, request.organization()));
  const Path path = tree->Path(request.organization(), month.last_day);
  if (path.empty()) {
    return NotFound(common::v1::REASON_REFERENCE_NOT_FOUND,
                    StrCat("there is no organisation '", request.organization(), "'"),
                    StrCat("没有工会“", request.organization(), "”"))
        .At("organization");
  }
  const v1::DuesFormula* formula = levies_.rules->Dues(path, month.last_day);
  if (formula == nullptr) return NoRow("dues", request.organization(), month.last_day);
  std::set<Key> keys;
  for (const v1::DuesBill& bill : request.bills()) {
    keys.emplace(month.first_month, bill.member());
  }
  Response seen;
  RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    seen.Clear();
    ASSIGN_OR_RETURN(const Bills before, FindBills(tx, call, request.organization(), keys));
    return MakeBills(request, month.first_month, *formula, before, seen).status();
  }));
  if (!seen.failures().empty()) {
    seen.set_billed(0);
    seen.set_payable_fen(0);
    return seen;
  }
  if (request.validate_only()) return seen;
  return rpc::WriteOnce<Response>(
      *levies_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Response> {
        Response response;
        ASSIGN_OR_RETURN(const Bills before, FindBills(tx, call, request.organization(), keys));
        ASSIGN_OR_RETURN(const Bills after,
                         MakeBills(request, month.first_month, *formula, before, response));
        if (!response.failures().empty()) return PaidMore(before.begin()->second);
        feed::v1::Event event;
        event.set_type("gonghui.funds.v1.DuesBilled");
        event.add_resources(StrCat("federations/", call.federation, "/duesBills/",
                                   request.organization(), ".", month.first_month));
        RETURN_IF_ERROR(WriteBills(tx, call, before, after, event));
        RETURN_IF_ERROR(feed::Append(tx, call, event));
        return response;
      });
}

std::vector<v1::DuesPayment> DuesBills::MakePayments(const v1::PayDuesRequest& request,
                                                     Bills& bills,
                                                     v1::PayDuesResponse& response) const {
  std::vector<v1::DuesPayment> payments;
  std::set<Key> seen;
  const auto pay = [&](const v1::DuesPayment& given) -> absl::Status {
    RETURN_IF_ERROR(rpc::Validate(given));
    RETURN_IF_ERROR(CheckFen(given.amount_fen(), "amount_fen"));
    if (!seen.emplace(given.month(), given.member()).second) return Twice(given.member(), "member");
    const auto found = bills.find({given.month(), given.member()});
    if (found == bills.end()) {
      return NotFound(common::v1::REASON_REFERENCE_NOT_FOUND,
                      StrCat("the member is not billed for ", given.month(), "; bill it first"),
                      StrCat("该会员 ", given.month(), " 未核定会费，请先核定"))
          .At("member");
    }
    v1::DuesBill& bill = found->second;
    v1::DuesPayment payment = given;
    if (payment.amount_fen() == 0) payment.set_amount_fen(bill.outstanding_fen());
    if (payment.amount_fen() > bill.outstanding_fen() || payment.amount_fen() == 0) {
      return TooMuch(bill);
    }
    bill.set_paid_fen(bill.paid_fen() + payment.amount_fen());
    bill.set_outstanding_fen(bill.payable_fen() - bill.paid_fen());
    response.set_amount_fen(response.amount_fen() + payment.amount_fen());
    payments.push_back(std::move(payment));
    return absl::OkStatus();
  };
  for (int i = 0; i < request.payments_size(); ++i) {
    const absl::Status fault = pay(request.payments(i));
    if (!fault.ok()) *response.add_failures() = ToItemFailure(i, fault);
  }
  response.set_paid(static_cast<int32_t>(payments.size()));
  return payments;
}

absl::Status DuesBills::WritePayments(const rpc::Call& call, sql::Tx& tx,
                                      const v1::PayDuesRequest& request,
                                      const std::vector<v1::DuesPayment>& payments,
                                      const Bills& before, const Bills& after,
                                      v1::PayDuesResponse& response) const {
  const v1::LevyAccounts& accounts = levies_.rules->accounts();
  const std::string id = NewId(call.clock->Now());
  const std::string name = StrCat("federations/", call.federation, "/duesPayments/", id);
  const LevyVoucher voucher{request.organization(),
                            request.paid_on(),
                            StrCat("收会员会费 ", payments.size(), " 笔"),
                            name,
                            {{accounts.bank(), response.amount_fen(), true, ""},
                             {accounts.dues(), response.amount_fen(), false, ""}}};
  feed::v1::Event event;
  event.set_type("gonghui.funds.v1.DuesPaid");
  event.add_resources(name);
  ASSIGN_OR_RETURN(const auto names, PostLevyVouchers(call, tx, *levies_.books, {voucher}, event));
  response.set_voucher(names[0]);
  std::vector<sql::Args> rows;
  for (const v1::DuesPayment& payment : payments) {
    rows.push_back({call.federation, id, request.organization(), payment.month(), payment.member(),
                    payment.amount_fen(), request.paid_on(), names[0]});
  }
  RETURN_IF_ERROR(PutPayments().Run(tx, std::move(rows)));
  RETURN_IF_ERROR(WriteBills(tx, call, before, after, event));
  AddFacts(
      name, {},
      {NewFact("dues_received", request.organization(), request.paid_on(), response.amount_fen())},
      event);
  return feed::Append(tx, call, event);
}

absl::StatusOr<v1::PayDuesResponse> DuesBills::Pay(rpc::Call& call,
                                                   const v1::PayDuesRequest& request) {
  using Response = v1::PayDuesResponse;
  std::set<Key> keys;
  for (const v1::DuesPayment& p : request.payments()) keys.emplace(p.month(), p.member());
  const bool dry = request.validate_only();
  Response seen;
  const auto pay = [&](sql::Tx& tx, bool write, Response& response) -> absl::Status {
    ASSIGN_OR_RETURN(const Bills before, FindBills(tx, call, request.organization(), keys));
    Bills after = before;
    const std::vector<v1::DuesPayment> payments = MakePayments(request, after, response);
    if (!response.failures().empty()) {
      response.set_paid(0);
      response.set_amount_fen(0);
      return absl::OkStatus();
    }
    return write ? WritePayments(call, tx, request, payments, before, after, response)
                 : absl::OkStatus();
  };
  if (dry) {
    RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
      seen.Clear();
      return pay(tx, false, seen);
    }));
    return seen;
  }
  // What fails is not stored: the same request may be sent again when it is corrected elsewhere.
  absl::StatusOr<Response> written = rpc::WriteOnce<Response>(
      *levies_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Response> {
        Response response;
        RETURN_IF_ERROR(pay(tx, true, response));
        if (response.failures().empty()) return response;
        seen = std::move(response);
        return absl::CancelledError();
      });
  if (absl::IsCancelled(written.status()) && !seen.failures().empty()) return seen;
  return written;
}

absl::StatusOr<v1::ListDuesBillsResponse> DuesBills::List(rpc::Call& call,
                                                          const v1::ListDuesBillsRequest& request) {
  ASSIGN_OR_RETURN(const Period month, ParseMonth(request.month(), "month"));
  ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const auto after, rpc::ReadPageToken(request, request.page_token(), 1));
  v1::ListDuesBillsResponse response;
  RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    ASSIGN_OR_RETURN(const sql::Rows rows,
                     tx.Run(kList, {call.federation, request.organization(), month.first_month,
                                    after.empty() ? "" : after[0], int64_t{request.outstanding()},
                                    int64_t{size} + 1}));
    for (size_t i = 0; i < rows.size(); ++i) {
      if (i == static_cast<size_t>(size)) {
        response.set_next_page_token(
            rpc::MakePageToken(request, {rows[i - 1].Get<std::string>(2)}));
        break;
      }
      *response.add_bills() = Shown(ToBill(rows[i]));
    }
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<v1::GetMemberDuesStatementResponse> DuesBills::MemberStatement(
    rpc::Call& call, const v1::GetMemberDuesStatementRequest& request) {
  std::string from;
  std::string to(kForever);
  if (!request.from_month().empty()) {
    ASSIGN_OR_RETURN(const Period month, ParseMonth(request.from_month(), "from_month"));
    from = month.first_month;
  }
  if (!request.to_month().empty()) {
    ASSIGN_OR_RETURN(const Period month, ParseMonth(request.to_month(), "to_month"));
    to = month.first_month;
  }
  v1::GetMemberDuesStatementResponse response;
  RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    ASSIGN_OR_RETURN(const sql::Rows rows,
                     tx.Run(kOfMember, {call.federation, request.organization(), request.member(),
                                        from, to, kMostOfStatement}));
    for (size_t i = 0; i < rows.size(); ++i) {
      v1::DuesBill bill = ToBill(rows[i]);
      response.set_payable_fen(response.payable_fen() + bill.payable_fen());
      response.set_paid_fen(response.paid_fen() + bill.paid_fen());
      response.set_outstanding_fen(response.outstanding_fen() + bill.outstanding_fen());
      *response.add_bills() = Shown(std::move(bill));
    }
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<v1::GetUnitDuesStatementResponse> DuesBills::UnitStatement(
    rpc::Call& call, const v1::GetUnitDuesStatementRequest& request) {
  ASSIGN_OR_RETURN(const Period from, ParseMonth(request.from_month(), "from_month"));
  ASSIGN_OR_RETURN(const Period to, ParseMonth(request.to_month(), "to_month"));
  v1::GetUnitDuesStatementResponse response;
  RETURN_IF_ERROR(levies_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kOfUnit, {call.federation, request.organization(),
                                                            from.first_month, to.first_month}));
    for (size_t i = 0; i < rows.size(); ++i) {
      v1::DuesMonth& month = *response.add_months();
      month.set_month(rows[i].Get<std::string>(0));
      month.set_members(rows[i].Get<int64_t>(1));
      month.set_paying(rows[i].Get<int64_t>(2));
      month.set_in_arrears(rows[i].Get<int64_t>(3));
      month.set_payable_fen(rows[i].Get<int64_t>(4));
      month.set_paid_fen(rows[i].Get<int64_t>(5));
      month.set_outstanding_fen(month.payable_fen() - month.paid_fen());
      response.set_payable_fen(response.payable_fen() + month.payable_fen());
      response.set_paid_fen(response.paid_fen() + month.paid_fen());
      response.set_outstanding_fen(response.outstanding_fen() + month.outstanding_fen());
    }
    return absl::OkStatus();
  }));
  return response;
}

}  // namespace gonghui::funds
