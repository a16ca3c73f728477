#include "services/funds/bank_lines.h"

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "common/base/date.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/page.h"
#include "common/rpc/validate.h"
#include "services/funds/bank_line_rows.h"
#include "services/funds/levies.h"

namespace gonghui::funds {
namespace {

constexpr sql::Query kList{
    "funds.list_bank_lines",
    "SELECT " BANK_LINE_COLUMNS
    " FROM bank_lines WHERE tenant = $1 AND account_id = $2 AND (on_date, reference) > ($3, $4) "
    "AND on_date >= $5 AND on_date <= $6 "
    "AND (CAST($7 AS BIGINT) = 0 OR (matched_on = '') = (CAST($7 AS BIGINT) = 1)) "
    "AND (CAST($8 AS BIGINT) = 0 OR amount_fen = $8) ORDER BY on_date, reference LIMIT $9"};
constexpr sql::Query kFindBalance{
    "funds.find_bank_balance",
    "SELECT balance_fen FROM bank_balances WHERE tenant = $1 AND account_id = $2 AND on_date = $3"};
constexpr sql::Query kPutBalance{
    "funds.put_bank_balance",
    "INSERT INTO bank_balances (tenant, account_id, on_date, balance_fen, stated_by) "
    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant, account_id, on_date) DO UPDATE SET "
    "balance_fen = excluded.balance_fen, stated_by = excluded.stated_by"};

absl::Status MonthReconciled(const BankAccountRow& account, std::string_view day,
                             std::string_view field) {
  return FailedPrecondition(
             common::v1::REASON_PERIOD_CLOSED,
             StrCat("bank account '", account.id, "' is reconciled through ",
                    account.reconciled_through, ", so that nothing more of ", day, " comes in"),
             StrCat("银行账户“", account.id, "”已对账至 ", account.reconciled_through,
                    "，不再接收 ", day, " 的数据"))
      .With("reconciled_through", account.reconciled_through)
      .At(std::string(field));
}

absl::Status CheckDay(const rpc::Call& call, const BankAccountRow& account, const std::string& day,
                      std::string_view field) {
  if (day >= account.opened_on && day <= call.Today()) return absl::OkStatus();
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat(day, " does not lie between the account's opening on ",
                                account.opened_on, " and today"),
                         StrCat(day, " 不在开户日 ", account.opened_on, " 至今日之间"))
      .At(std::string(field));
}

absl::Status CheckLine(const rpc::Call& call, const BankAccountRow& account,
                       const v1::BankLine& line) {
  RETURN_IF_ERROR(rpc::Validate(line));
  const int64_t fen = line.amount_fen();
  if (fen == 0 || fen > kLargestAmount || fen < -kLargestAmount) {
    return InvalidArgument(common::v1::REASON_AMOUNT_INVALID,
                           StrCat("an amount is a whole number of fen other than 0, at most ",
                                  kLargestAmount, " either way; this one is ", fen),
                           StrCat("金额应为不等于 0 的整数（分），绝对值不超过 ", kLargestAmount,
                                  "；此处为 ", fen))
        .With("fen", StrCat(fen))
        .At("amount_fen");
  }
  return CheckDay(call, account, line.on_date(), "on_date");
}

bool SameContent(const v1::BankLine& a, const v1::BankLine& b) {
  return a.on_date() == b.on_date() && a.amount_fen() == b.amount_fen() && a.memo() == b.memo() &&
         a.counterparty() == b.counterparty();
}

absl::Status ReferenceTaken(const v1::BankLine& line) {
  return AlreadyExists(common::v1::REASON_ALREADY_EXISTS,
                       StrCat("the account has a line with the reference '", line.reference(),
                              "' and another day, amount or text; correct the reference"),
                       StrCat("该账户已有流水号“", line.reference(),
                              "”的流水，且日期、金额或摘要不同；请更正流水号"))
      .With("reference", line.reference())
      .At("reference");
}

// Splits the lines into known ones, which are counted, new ones and faults.
absl::Status TakeLines(sql::Tx& tx, const rpc::Call& call, const BankAccountRow& account,
                       const v1::ImportBankLinesRequest& request,
                       v1::ImportBankLinesResponse& response, std::vector<BankLineRow>& added) {
  std::vector<std::string> ids;
  for (const v1::BankLine& line : request.lines()) ids.push_back(BankLineId(line.reference()));
  ASSIGN_OR_RETURN(const auto stored, FindBankLines(tx, call.federation, account, ids));
  std::set<std::string_view> references;
  for (int i = 0; i < request.lines_size(); ++i) {
    const v1::BankLine& given = request.lines(i);
    const std::string& id = ids[static_cast<size_t>(i)];
    absl::Status fault = CheckLine(call, account, given);
    if (fault.ok() && !references.insert(given.reference()).second) {
      fault = Twice(given.reference(), "reference");
    }
    const auto known = stored.find(id);
    if (fault.ok() && known != stored.end()) {
      if (SameContent(known->second.view, given)) {
        response.set_known(response.known() + 1);
        continue;
      }
      fault = ReferenceTaken(given);
    }
    if (fault.ok() && account.IsReconciled(given.on_date())) {
      fault = MonthReconciled(account, given.on_date(), "on_date");
    }
    if (!fault.ok()) {
      *response.add_failures() = ToItemFailure(i, fault);
      continue;
    }
    BankLineRow& row = added.emplace_back();
    row.id = id;
    row.view.set_reference(given.reference());
    row.view.set_on_date(given.on_date());
    row.view.set_amount_fen(given.amount_fen());
    row.view.set_memo(given.memo());
    row.view.set_counterparty(given.counterparty());
    row.view.set_imported_by(call.actor.subject);
  }
  response.set_added(response.failures().empty() ? static_cast<int32_t>(added.size()) : 0);
  return absl::OkStatus();
}

// The balances that are new or other than before.
absl::StatusOr<std::vector<sql::Args>> TakeBalances(sql::Tx& tx, const rpc::Call& call,
                                                    const BankAccountRow& account,
                                                    const v1::ImportBankLinesRequest& request) {
  std::vector<sql::Args> rows;
  std::set<std::string_view> days;
  for (int i = 0; i < request.balances_size(); ++i) {
    const v1::BankBalance& given = request.balances(i);
    const std::string field = StrCat("balances[", i, "].on_date");
    RETURN_IF_ERROR(CheckDay(call, account, given.on_date(), field));
    if (!days.insert(given.on_date()).second) return Twice(given.on_date(), field);
    ASSIGN_OR_RETURN(const sql::Rows stored,
                     tx.Run(kFindBalance, {call.federation, account.id, given.on_date()}));
    if (!stored.empty() && stored[0].Get<int64_t>(0) == given.balance_fen()) continue;
    if (account.IsReconciled(given.on_date())) {
      return MonthReconciled(account, given.on_date(), field);
    }
    rows.push_back(
        {call.federation, account.id, given.on_date(), given.balance_fen(), call.actor.subject});
  }
  return rows;
}

}  // namespace

absl::StatusOr<v1::ImportBankLinesResponse> BankLines::Import(
    rpc::Call& call, const v1::ImportBankLinesRequest& request) {
  using Response = v1::ImportBankLinesResponse;
  if (request.lines().empty() && request.balances().empty()) return Missing("lines");
  const std::string id(LeafOf(request.parent()));
  if (request.validate_only()) {
    Response seen;
    RETURN_IF_ERROR(banking_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
      seen.Clear();
      ASSIGN_OR_RETURN(const BankAccountRow account, FindBankAccount(tx, call, id, "parent"));
      std::vector<BankLineRow> added;
      RETURN_IF_ERROR(TakeLines(tx, call, account, request, seen, added));
      return TakeBalances(tx, call, account, request).status();
    }));
    return seen;
  }
  // A refused file leaves nothing behind, not even its answer: it may be sent again.
  std::optional<Response> refused;
  auto taken = rpc::WriteOnce<Response>(
      *banking_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Response> {
        refused.reset();
        ASSIGN_OR_RETURN(const BankAccountRow account, LockBankAccount(tx, call, id, "parent"));
        Response response;
        std::vector<BankLineRow> added;
        RETURN_IF_ERROR(TakeLines(tx, call, account, request, response, added));
        ASSIGN_OR_RETURN(const auto balances, TakeBalances(tx, call, account, request));
        if (!response.failures().empty()) {
          response.clear_known();
          refused = std::move(response);
          return absl::CancelledError("refused");
        }
        if (added.empty() && balances.empty()) return response;
        RETURN_IF_ERROR(InsertBankLines(tx, call.federation, account, added));
        RETURN_IF_ERROR(tx.RunMany(kPutBalance, balances).status());
        feed::v1::Event event;
        event.set_type("gonghui.funds.v1.BankLinesImported");
        event.add_resources(BankAccountName(call.federation, account.id));
        RETURN_IF_ERROR(feed::Append(tx, call, event));
        return response;
      });
  if (!taken.ok() && refused.has_value()) return *std::move(refused);
  return taken;
}

absl::StatusOr<v1::ListBankLinesResponse> BankLines::List(rpc::Call& call,
                                                          const v1::ListBankLinesRequest& request) {
  ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const auto after, rpc::ReadPageToken(request, request.page_token(), 2));
  const std::string to = request.to_date().empty() ? std::string(kForever) : request.to_date();
  const std::string id(LeafOf(request.parent()));
  v1::ListBankLinesResponse response;
  RETURN_IF_ERROR(banking_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    ASSIGN_OR_RETURN(const BankAccountRow account, FindBankAccount(tx, call, id, "parent"));
    ASSIGN_OR_RETURN(
        const sql::Rows rows,
        tx.Run(kList, {call.federation, account.id, after.empty() ? "" : after[0],
                       after.empty() ? "" : after[1], request.from_date(), to,
                       int64_t{request.state()}, request.amount_fen(), int64_t{size} + 1}));
    std::vector<BankLineRow> lines;
    std::vector<std::string> matched;
    for (size_t i = 0; i < rows.size() && i < static_cast<size_t>(size); ++i) {
      lines.push_back(ToBankLine(rows[i]));
      if (!lines.back().view.matched_on().empty()) matched.push_back(lines.back().id);
    }
    if (rows.size() > lines.size()) {
      const v1::BankLine& last = lines.back().view;
      response.set_next_page_token(rpc::MakePageToken(request, {last.on_date(), last.reference()}));
    }
    ASSIGN_OR_RETURN(auto entries, EntriesOfLines(tx, call.federation, account, matched));
    for (const BankLineRow& line : lines) {
      *response.add_lines() = BankLineView(call.federation, account, line, entries[line.id]);
    }
    return absl::OkStatus();
  }));
  return response;
}

}  // namespace gonghui::funds
