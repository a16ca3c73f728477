#include "services/funds/bank_reconciliations.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/time/civil_time.h"
#include "common/base/money.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "services/funds/bank_line_rows.h"
#include "services/funds/voucher_rows.h"

namespace gonghui::funds {
namespace {

constexpr int kMostShown = 1000;  // Items of a class.

constexpr sql::Query kFindConfirmed{
    "funds.find_bank_reconciliation",
    "SELECT content FROM bank_reconciliations WHERE tenant = $1 AND account_id = $2 "
    "AND month = $3"};
constexpr sql::Query kInsertConfirmed{
    "funds.insert_bank_reconciliation",
    "INSERT INTO bank_reconciliations (tenant, account_id, month, content) "
    "VALUES ($1, $2, $3, $4)"};
constexpr sql::Query kStated{
    "funds.find_stated_bank_balance",
    "SELECT on_date, balance_fen FROM bank_balances WHERE tenant = $1 AND account_id = $2 "
    "AND on_date <= $3 ORDER BY on_date DESC LIMIT 1"};
constexpr sql::Query kSumLines{
    "funds.sum_bank_lines",
    "SELECT CAST(COALESCE(SUM(amount_fen), 0) AS BIGINT) FROM bank_lines WHERE tenant = $1 "
    "AND account_id = $2 AND on_date > $3 AND on_date <= $4"};
constexpr sql::Query kOpenLines{
    "funds.list_bank_lines_open_at",
    "SELECT " BANK_LINE_COLUMNS
    " FROM bank_lines WHERE tenant = $1 AND account_id = $2 AND on_date <= $3 "
    "AND (matched_on = '' OR matched_on > $3) ORDER BY on_date, reference"};
constexpr sql::Query kFirstLine{
    "funds.find_first_bank_line",
    "SELECT MIN(on_date) FROM bank_lines WHERE tenant = $1 AND account_id = $2"};
constexpr sql::Query kEnteredBy{
    "funds.find_bank_line_entered_by",
    "SELECT 1 FROM bank_lines WHERE tenant = $1 AND account_id = $2 AND on_date >= $3 "
    "AND on_date <= $4 AND imported_by = $5 UNION ALL SELECT 1 FROM bank_balances "
    "WHERE tenant = $1 AND account_id = $2 AND on_date >= $3 AND on_date <= $4 "
    "AND stated_by = $5 LIMIT 1"};
constexpr sql::Query kMadeBy{
    "funds.list_bank_entries_made_by",
    "SELECT DISTINCT e.dimensions FROM vouchers AS v JOIN entries AS e ON e.tenant = v.tenant "
    "AND e.book_id = v.book_id AND e.month = v.month AND e.number = v.number "
    "WHERE v.tenant = $1 AND v.book_id = $2 AND v.month = $3 AND v.maker = $4 "
    "AND SUBSTR(e.account, 1, LENGTH($5)) = $5"};

absl::StatusOr<Period> ParseMonth(const std::string& text) {
  auto month = ParsePeriod(text);
  if (month.ok()) return month;
  return InvalidArgument(common::v1::REASON_PERIOD_INVALID,
                         StrCat("'", text, "' is no month; write it like 2024-05"),
                         StrCat("“", text, "”不是月份；请写成 2024-05"))
      .At("month");
}

std::string MonthAfter(const std::string& month) {
  const auto first = ParseDate(month + "-01");
  if (!first.ok()) return "";
  return FormatDate(absl::CivilDay(absl::CivilMonth(*first) + 1)).substr(0, 7);
}

// The last day of the month so many months before that of `day`: what is of that day or earlier is
// older.
std::string MonthsBefore(const std::string& day, int64_t months) {
  const auto parsed = ParseDate(day);
  if (!parsed.ok()) return "";
  return FormatDate(absl::CivilDay(absl::CivilMonth(*parsed) - months + 1) - 1);
}

absl::Status AddTo(int64_t fen, v1::OutstandingItems& items) {
  ASSIGN_OR_RETURN(const int64_t sum, AddChecked(items.amount_fen(), fen));
  items.set_amount_fen(sum);
  items.set_count(items.count() + 1);
  return absl::OkStatus();
}

absl::Status AddLine(const v1::BankLine& line, v1::OutstandingItems& items) {
  if (items.lines_size() < kMostShown) *items.add_lines() = line;
  return AddTo(line.amount_fen(), items);
}

absl::Status AddEntry(const v1::BankEntry& entry, v1::OutstandingItems& items) {
  if (items.entries_size() < kMostShown) *items.add_entries() = entry;
  return AddTo(entry.amount_fen(), items);
}

// Leaves out vouchers and their reversals that are both open: they cancel each other.
void DropReversed(std::vector<BankEntryRow>& entries) {
  std::set<std::pair<std::string, int64_t>> open;
  for (const BankEntryRow& entry : entries) open.emplace(entry.key.Id(), entry.line);
  std::erase_if(entries, [&](const BankEntryRow& entry) {
    const std::string& other = entry.reverses.empty() ? entry.reversed_by : entry.reverses;
    return !other.empty() && open.contains({other, entry.line});
  });
}

absl::StatusOr<int64_t> BookBalance(sql::Tx& tx, const std::string& tenant,
                                    const BankAccountRow& account, const std::string& last_day) {
  ASSIGN_OR_RETURN(const std::vector<Slice> slices,
                   SumSlices(tx, tenant, account.book,
                             {.from_date = account.opened_on,
                              .to_date = std::min(last_day, account.last_day())}));
  int64_t balance = 0;
  for (const Slice& slice : slices) {
    if (!slice.account.starts_with(account.account) ||
        !HasAll(slice.dimensions, account.dimensions())) {
      continue;
    }
    ASSIGN_OR_RETURN(balance, AddChecked(balance, slice.debit_fen - slice.credit_fen));
  }
  return balance;
}

absl::Status SetBankBalance(sql::Tx& tx, const std::string& tenant, const BankAccountRow& account,
                            const std::string& last_day, v1::Reconciliation& result) {
  ASSIGN_OR_RETURN(const sql::Rows stated, tx.Run(kStated, {tenant, account.id, last_day}));
  const std::string since = stated.empty() ? "" : stated[0].Get<std::string>(0);
  ASSIGN_OR_RETURN(const sql::Rows lines, tx.Run(kSumLines, {tenant, account.id, since, last_day}));
  ASSIGN_OR_RETURN(const int64_t balance, AddChecked(stated.empty() ? 0 : stated[0].Get<int64_t>(1),
                                                     lines[0].Get<int64_t>(0)));
  result.set_bank_balance_fen(balance);
  result.set_stated(since == last_day);
  return absl::OkStatus();
}

absl::Status OutOfOrder(const BankAccountRow& account, const std::string& month,
                        const std::string& next) {
  return FailedPrecondition(
             common::v1::REASON_STATE_FORBIDS,
             StrCat("months are confirmed in order, each once: the next of bank account '",
                    account.id, "' is ", next, ", not ", month),
             StrCat("对账按月依次确认，每月一次：银行账户“", account.id, "”下一个待确认月份为 ",
                    next, "，不是 ", month))
      .With("next", next)
      .With("allowed", next)
      .At("month");
}

absl::Status CheckOrder(sql::Tx& tx, const rpc::Call& call, const BankAccountRow& account,
                        const Period& month) {
  if (month.last_day >= call.Today()) {
    return FailedPrecondition(common::v1::REASON_PERIOD_NOT_OVER,
                              StrCat(month.text, " is not over; confirm it after its last day"),
                              StrCat(month.text, " 尚未结束，请在月末之后确认"))
        .At("month");
  }
  std::string next = MonthAfter(account.reconciled_through);
  if (next.empty()) {
    ASSIGN_OR_RETURN(const sql::Rows first, tx.Run(kFirstLine, {call.federation, account.id}));
    next = first[0].IsNull(0) ? month.text : first[0].Get<std::string>(0).substr(0, 7);
  }
  return next == month.text ? absl::OkStatus() : OutOfOrder(account, month.text, next);
}

// 内部会计控制规范——货币资金: who keeps the money or the books does not reconcile them.
absl::Status CheckPerson(sql::Tx& tx, const rpc::Call& call, const BankAccountRow& account,
                         const Period& month) {
  const std::string& caller = call.actor.subject;
  ASSIGN_OR_RETURN(
      const sql::Rows entered,
      tx.Run(kEnteredBy, {call.federation, account.id, month.first_day, month.last_day, caller}));
  ASSIGN_OR_RETURN(const sql::Rows made, tx.Run(kMadeBy, {call.federation, account.book, month.text,
                                                          caller, account.account}));
  bool own = !entered.empty();
  for (size_t i = 0; i < made.size(); ++i) {
    own = own || HasAll(ParseDimensions(made[i].Get<std::string_view>(0)), account.dimensions());
  }
  if (!own) return absl::OkStatus();
  return FailedPrecondition(
             common::v1::REASON_DUTIES_NOT_SEPARATED,
             "who entered statement lines or wrote vouchers of the account in the month does not "
             "confirm its reconciliation; ask somebody else",
             "当月录入该账户流水或填制凭证的人员不得确认对账，请由他人办理")
      .At("name");
}

absl::Status CheckAgreement(const v1::Reconciliation& result) {
  if (!result.stated()) {
    return FailedPrecondition(
               common::v1::REASON_STATE_FORBIDS,
               StrCat("the bank's balance at the end of ", result.month(),
                      " is not known; import it with ImportBankLines (balances)"),
               StrCat("尚无银行 ", result.month(), " 月末余额；请随对账单流水一并导入"))
        .With("allowed", "ImportBankLines")
        .At("month");
  }
  if (result.agrees()) return absl::OkStatus();
  const std::string book = FormatYuan(result.adjusted_book_fen());
  const std::string bank = FormatYuan(result.adjusted_bank_fen());
  return FailedPrecondition(
             common::v1::REASON_STATE_FORBIDS,
             StrCat("the adjusted balances differ: ", book, " by the book, ", bank,
                    " by the bank; look for missing lines or a wrong closing balance"),
             StrCat("调节后余额不符：账面 ", book, " 元，银行 ", bank,
                    " 元；请核对是否漏导流水或月末余额有误"))
      .With("adjusted_book_fen", StrCat(result.adjusted_book_fen()))
      .With("adjusted_bank_fen", StrCat(result.adjusted_bank_fen()))
      .With("allowed", "ImportBankLines, PostVoucher")
      .At("month");
}

}  // namespace

absl::StatusOr<v1::Reconciliation> BankReconciliations::Compute(sql::Tx& tx, const rpc::Call& call,
                                                                const BankAccountRow& account,
                                                                const Period& month) const {
  const std::string& tenant = call.federation;
  const std::string& end = month.last_day;
  v1::Reconciliation result;
  result.set_name(BankAccountName(tenant, account.id));
  result.set_month(month.text);
  result.set_book(account.book);
  ASSIGN_OR_RETURN(const int64_t months,
                   BankLimit(banking_, call, account, "bank_outstanding_months", end));
  result.set_overdue_months(static_cast<int32_t>(months));
  const std::string overdue_by = MonthsBefore(end, months);
  ASSIGN_OR_RETURN(const int64_t book, BookBalance(tx, tenant, account, end));
  result.set_book_balance_fen(book);
  RETURN_IF_ERROR(SetBankBalance(tx, tenant, account, end, result));
  RETURN_IF_ERROR(tx.Stream(
      kOpenLines, {tenant, account.id, end}, [&](const sql::Rows::Row& row) -> absl::Status {
        const v1::BankLine line = BankLineView(tenant, account, ToBankLine(row));
        RETURN_IF_ERROR(AddLine(line, line.amount_fen() > 0 ? *result.mutable_bank_received()
                                                            : *result.mutable_bank_paid()));
        return line.on_date() <= overdue_by ? AddLine(line, *result.mutable_overdue())
                                            : absl::OkStatus();
      }));
  ASSIGN_OR_RETURN(std::vector<BankEntryRow> entries,
                   OpenEntries(tx, tenant, account, account.opened_on, end, end));
  DropReversed(entries);
  for (const BankEntryRow& row : entries) {
    const v1::BankEntry entry = BankEntryView(tenant, account, row);
    RETURN_IF_ERROR(AddEntry(
        entry, row.fen > 0 ? *result.mutable_book_received() : *result.mutable_book_paid()));
    if (row.on_date <= overdue_by) RETURN_IF_ERROR(AddEntry(entry, *result.mutable_overdue()));
  }
  const auto adjusted = [](int64_t balance, const v1::OutstandingItems& in,
                           const v1::OutstandingItems& out) -> absl::StatusOr<int64_t> {
    ASSIGN_OR_RETURN(const int64_t with, AddChecked(balance, in.amount_fen()));
    return AddChecked(with, out.amount_fen());
  };
  ASSIGN_OR_RETURN(const int64_t adjusted_book,
                   adjusted(book, result.bank_received(), result.bank_paid()));
  ASSIGN_OR_RETURN(const int64_t adjusted_bank,
                   adjusted(result.bank_balance_fen(), result.book_received(), result.book_paid()));
  result.set_adjusted_book_fen(adjusted_book);
  result.set_adjusted_bank_fen(adjusted_bank);
  result.set_agrees(adjusted_book == adjusted_bank);
  return result;
}

absl::StatusOr<v1::Reconciliation> BankReconciliations::Get(
    rpc::Call& call, const v1::GetReconciliationRequest& request) {
  ASSIGN_OR_RETURN(const Period month, ParseMonth(request.month()));
  const std::string id(LeafOf(request.name()));
  v1::Reconciliation result;
  RETURN_IF_ERROR(banking_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    result.Clear();
    ASSIGN_OR_RETURN(const BankAccountRow account, FindBankAccount(tx, call, id, "name"));
    ASSIGN_OR_RETURN(const sql::Rows confirmed,
                     tx.Run(kFindConfirmed, {call.federation, id, month.text}));
    if (confirmed.empty()) {
      ASSIGN_OR_RETURN(result, Compute(tx, call, account, month));
      return absl::OkStatus();
    }
    return result.ParseFromString(confirmed[0].Get<sql::Bytes>(0).data)
               ? absl::OkStatus()
               : absl::Status(Internal("stored reconciliation unreadable"));
  }));
  return result;
}

absl::StatusOr<v1::Reconciliation> BankReconciliations::Confirm(
    rpc::Call& call, const v1::ConfirmReconciliationRequest& request) {
  ASSIGN_OR_RETURN(const Period month, ParseMonth(request.month()));
  const std::string id(LeafOf(request.name()));
  return rpc::WriteOnce<v1::Reconciliation>(
      *banking_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Reconciliation> {
        ASSIGN_OR_RETURN(BankAccountRow account, LockBankAccount(tx, call, id, "name"));
        RETURN_IF_ERROR(CheckOrder(tx, call, account, month));
        RETURN_IF_ERROR(CheckPerson(tx, call, account, month));
        ASSIGN_OR_RETURN(v1::Reconciliation result, Compute(tx, call, account, month));
        RETURN_IF_ERROR(CheckAgreement(result));
        result.set_confirmed(true);
        result.set_confirmed_by(call.actor.subject);
        result.set_confirm_time_us(call.clock->NowMicros());
        account.reconciled_through = month.text;
        RETURN_IF_ERROR(SetReconciled(tx, call.federation, account));
        RETURN_IF_ERROR(tx.Run(kInsertConfirmed, {call.federation, id, month.text,
                                                  sql::Bytes{result.SerializeAsString()}})
                            .status());
        feed::v1::Event event;
        event.set_type("gonghui.funds.v1.BankReconciliationConfirmed");
        event.add_resources(result.name());
        RETURN_IF_ERROR(feed::Append(tx, call, event));
        return result;
      });
}

}  // namespace gonghui::funds
