#include "services/funds/controls.h"

#include <set>
#include <utility>

#include "common/base/money.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::funds {
namespace {

constexpr sql::Query kReadFund{
    "funds.read_restricted_fund",
    "SELECT book_id, fund, display_name, purposes, payer, valid_from, valid_to, received_fen, "
    "spent_fen, held_fen FROM restricted_funds WHERE tenant = $1 AND book_id = $2 AND fund = $3"};
constexpr sql::Query kListFunds{
    "funds.list_restricted_funds",
    "SELECT book_id, fund, display_name, purposes, payer, valid_from, valid_to, received_fen, "
    "spent_fen, held_fen FROM restricted_funds WHERE tenant = $1 AND book_id = $2 AND fund > $3 "
    "ORDER BY fund LIMIT $4"};
constexpr sql::Query kWriteFund{
    "funds.write_restricted_fund",
    "UPDATE restricted_funds SET received_fen = $4, spent_fen = $5, held_fen = $6 "
    "WHERE tenant = $1 AND book_id = $2 AND fund = $3"};
constexpr sql::Query kReadLines{
    "funds.read_budget_lines",
    "SELECT book_id, year, item, fund, unit, amount_fen, block, used_fen, held_fen "
    "FROM budget_lines WHERE tenant = $1 AND book_id = $2 AND year = $3 "
    "ORDER BY item, fund, unit"};
constexpr sql::Query kWriteLine{
    "funds.write_budget_line",
    "UPDATE budget_lines SET used_fen = $7, held_fen = $8 WHERE tenant = $1 AND book_id = $2 "
    "AND year = $3 AND item = $4 AND fund = $5 AND unit = $6"};

int YearOf(const v1::Voucher& voucher) { return std::stoi(voucher.on_date().substr(0, 4)); }

v1::Fund ReadFund(const sql::Rows::Row& row) {
  v1::Fund fund;
  fund.set_code(row.Get<std::string>(1));
  fund.set_display_name(row.Get<std::string>(2));
  for (const std::string_view account : Split(row.Get<std::string_view>(3), ',')) {
    if (!account.empty()) fund.add_purposes(std::string(account));
  }
  fund.set_payer(row.Get<std::string>(4));
  fund.set_valid_from(row.Get<std::string>(5));
  fund.set_valid_to(row.Get<std::string>(6));
  fund.set_received_fen(row.Get<int64_t>(7));
  fund.set_spent_fen(row.Get<int64_t>(8));
  fund.set_held_fen(row.Get<int64_t>(9));
  fund.set_available_fen(fund.received_fen() - fund.spent_fen() - fund.held_fen());
  return fund;
}

v1::BudgetLine ReadLine(const sql::Rows::Row& row) {
  v1::BudgetLine line;
  line.set_item(row.Get<std::string>(2));
  line.set_fund(row.Get<std::string>(3));
  line.set_unit(row.Get<std::string>(4));
  line.set_amount_fen(row.Get<int64_t>(5));
  line.set_block(row.Get<bool>(6));
  line.set_used_fen(row.Get<int64_t>(7));
  line.set_held_fen(row.Get<int64_t>(8));
  line.set_available_fen(line.amount_fen() - line.used_fen() - line.held_fen());
  return line;
}

bool Matches(const v1::BudgetLine& line, const v1::Entry& entry, const DimensionMap& dimensions) {
  return entry.account().starts_with(line.item()) &&
         (line.fund().empty() || line.fund() == ValueOf(dimensions, kFundKey)) &&
         (line.unit().empty() || line.unit() == ValueOf(dimensions, kUnitKey));
}

// What the entry takes from a line of income or expenditure.
int64_t TakenBy(const v1::Entry& entry) {
  const int64_t debit = entry.debit_fen() - entry.credit_fen();
  return IsIncome(entry.account()) ? -debit : debit;
}

absl::Status NoSuchFund(const OpenBook& book, std::string_view fund, std::string_view at) {
  return InvalidArgument(common::v1::REASON_DIMENSION_INVALID,
                         StrCat("Book '", book.id, "' has no restricted fund '", fund,
                                "'; register it, or use one that ListFunds shows."),
                         StrCat("账套“", book.id, "”没有专项资金“", fund,
                                "”；请先登记，或从 ListFunds 中选用。"))
      .With("fund", std::string(fund))
      .At(StrCat(at, ".dimensions"));
}

absl::Status Restricted(const v1::Fund& fund, std::string_view rule, std::string_view why,
                        std::string_view why_zh, std::string_view at) {
  return FailedPrecondition(common::v1::REASON_FUND_RESTRICTED,
                            StrCat("Restricted fund '", fund.code(), "' ", why),
                            StrCat("专项资金“", fund.code(), "”", why_zh))
      .With("fund", fund.code())
      .With("rule", std::string(rule))
      .At(std::string(at));
}

std::string NameOf(const v1::BudgetLine& line) {
  return StrCat(line.item(), line.fund().empty() ? "" : "/", line.fund(),
                line.unit().empty() ? "" : "/", line.unit());
}

}  // namespace

absl::Status Controls::Read(absl::Span<const Spending> spendings) {
  std::set<std::pair<std::string, std::string>> funds;
  std::set<std::pair<std::string, int>> years;
  for (const Spending& spending : spendings) {
    for (const DimensionMap& dimensions : spending.dimensions) {
      const std::string fund(ValueOf(dimensions, kFundKey));
      if (!fund.empty()) funds.emplace(spending.book->id, fund);
    }
    if (spending.controlled) years.emplace(spending.book->id, YearOf(*spending.voucher));
  }
  std::vector<sql::Args> keys;
  for (const auto& [book, fund] : funds) keys.push_back({tenant_, book, fund});
  if (!keys.empty()) {
    RETURN_IF_ERROR(tx_.ReadMany(kReadFund, keys, [&](const sql::Rows::Row& row) {
      v1::Fund fund = ReadFund(row);
      const std::pair key(row.Get<std::string>(0), fund.code());
      funds_[key].fund = std::move(fund);
    }));
  }
  keys.clear();
  for (const auto& [book, year] : years) keys.push_back({tenant_, book, int64_t{year}});
  if (keys.empty()) return absl::OkStatus();
  return tx_.ReadMany(kReadLines, keys, [&](const sql::Rows::Row& row) {
    lines_[{row.Get<std::string>(0), row.Get<int>(1)}].push_back({ReadLine(row), false});
  });
}

absl::Status Controls::CheckFund(const Spending& spending, int index, const v1::Fund& fund,
                                 std::string_view at) const {
  const v1::Voucher& voucher = *spending.voucher;
  const v1::Entry& entry = voucher.entries(index);
  if (entry.debit_fen() <= 0) return absl::OkStatus();
  if (!fund.purposes().empty() && !IsUnder(entry.account(), fund.purposes())) {
    std::string allowed;
    for (const std::string& account : fund.purposes()) {
      StrAppend(&allowed, allowed.empty() ? "" : ", ", account);
    }
    return Restricted(
        fund, "purpose",
        StrCat("may be spent on accounts ", allowed, " only, not on ", entry.account(), "."),
        StrCat("只能用于科目 ", allowed, "，不能用于 ", entry.account(), "。"),
        StrCat(at, ".account"));
  }
  if (voucher.on_date() < fund.valid_from() ||
      (!fund.valid_to().empty() && voucher.on_date() > fund.valid_to())) {
    return Restricted(fund, "period",
                      StrCat("may be spent from ", fund.valid_from(), " to ",
                             fund.valid_to().empty() ? "no end" : fund.valid_to(), ", not on ",
                             voucher.on_date(), "."),
                      StrCat("使用期限为 ", fund.valid_from(), " 至 ",
                             fund.valid_to().empty() ? "长期" : fund.valid_to(), "，凭证日期为 ",
                             voucher.on_date(), "。"),
                      StrCat(at, ".dimensions"));
  }
  const std::string_view unit = ValueOf(spending.dimensions[static_cast<size_t>(index)], kUnitKey);
  if (!fund.payer().empty() &&
      fund.payer() != (unit.empty() ? spending.book->organization : unit)) {
    return Restricted(fund, "payer", StrCat("is paid by '", fund.payer(), "' only."),
                      StrCat("只能由“", fund.payer(), "”支付。"), StrCat(at, ".dimensions"));
  }
  return absl::OkStatus();
}

template <typename Use>
void Controls::ForLines(const Spending& spending, Use use) {
  if (!spending.controlled) return;
  const auto it = lines_.find({spending.book->id, YearOf(*spending.voucher)});
  if (it == lines_.end()) return;
  for (LineRow& row : it->second) {
    int64_t amount = 0;
    for (int i = 0; i < spending.voucher->entries_size(); ++i) {
      const v1::Entry& entry = spending.voucher->entries(i);
      if (Matches(row.line, entry, spending.dimensions[static_cast<size_t>(i)])) {
        amount += TakenBy(entry);
      }
    }
    if (amount != 0) use(row, amount);
  }
}

void Controls::Add(const Spending& spending, As as, int sign) {
  for (int i = 0; i < spending.voucher->entries_size(); ++i) {
    const v1::Entry& entry = spending.voucher->entries(i);
    const std::string_view code = ValueOf(spending.dimensions[static_cast<size_t>(i)], kFundKey);
    if (code.empty() || IsAsset(entry.account())) continue;
    const auto it = funds_.find({spending.book->id, std::string(code)});
    if (it == funds_.end()) continue;
    v1::Fund& fund = it->second.fund;
    if (as == As::kHeld) {
      fund.set_held_fen(fund.held_fen() + sign * entry.debit_fen());
    } else {
      fund.set_received_fen(fund.received_fen() + sign * entry.credit_fen());
      fund.set_spent_fen(fund.spent_fen() + sign * entry.debit_fen());
    }
    fund.set_available_fen(fund.received_fen() - fund.spent_fen() - fund.held_fen());
    it->second.changed = true;
  }
  ForLines(spending, [&](LineRow& row, int64_t amount) {
    v1::BudgetLine& line = row.line;
    if (as == As::kHeld) {
      line.set_held_fen(line.held_fen() + sign * amount);
    } else {
      line.set_used_fen(line.used_fen() + sign * amount);
    }
    line.set_available_fen(line.amount_fen() - line.used_fen() - line.held_fen());
    row.changed = true;
  });
}

absl::Status Controls::Take(const Spending& spending, As as, std::string_view at,
                            std::vector<v1::PostingWarning>& warnings) {
  std::map<std::string, int> spent;  // Funds debited, with the entry.
  for (int i = 0; i < spending.voucher->entries_size(); ++i) {
    const v1::Entry& entry = spending.voucher->entries(i);
    const std::string code(ValueOf(spending.dimensions[static_cast<size_t>(i)], kFundKey));
    if (code.empty()) continue;
    const std::string place = StrCat(at, "entries[", i, "]");
    const auto it = funds_.find({spending.book->id, code});
    if (it == funds_.end()) return NoSuchFund(*spending.book, code, place);
    if (IsAsset(entry.account())) continue;
    RETURN_IF_ERROR(CheckFund(spending, i, it->second.fund, place));
    spent.emplace(code, i);
  }
  Add(spending, as, 1);
  absl::Status refused;
  for (const auto& [code, entry] : spent) {
    const v1::Fund& fund = funds_.at({spending.book->id, code}).fund;
    if (fund.available_fen() >= 0) continue;
    refused = Restricted(fund, "balance",
                         StrCat("lacks ", FormatYuan(-fund.available_fen()), " yuan for this."),
                         StrCat("余额不足，还差 ", FormatYuan(-fund.available_fen()), " 元。"),
                         StrCat(at, "entries[", entry, "].debit_fen"));
    break;
  }
  ForLines(spending, [&](LineRow& row, int64_t amount) {
    const v1::BudgetLine& line = row.line;
    if (!refused.ok() || amount < 0 || line.available_fen() >= 0) return;
    const std::string over = FormatYuan(-line.available_fen());
    const std::string english =
        StrCat("Budget line ", NameOf(line), " of ", FormatYuan(line.amount_fen()),
               " yuan is exceeded by ", over, "; have the budget adjusted first.");
    const std::string chinese =
        StrCat("预算项目 ", NameOf(line), "（", FormatYuan(line.amount_fen()), " 元）超支 ", over,
               " 元；请先调整预算。");
    if (line.block() && !IsIncome(line.item())) {
      refused = FailedPrecondition(common::v1::REASON_BUDGET_EXCEEDED, english, chinese)
                    .With("item", line.item())
                    .With("available_fen", StrCat(line.available_fen() + amount))
                    .At(StrCat(at, "entries"));
    } else if (!IsIncome(line.item())) {
      v1::PostingWarning& warning = warnings.emplace_back();
      warning.set_reason("BUDGET_EXCEEDED");
      warning.set_message(english);
      warning.set_message_zh(chinese);
    }
  });
  if (!refused.ok()) Add(spending, as, -1);
  return refused;
}

void Controls::GiveBack(const Spending& spending) { Add(spending, As::kHeld, -1); }

absl::Status Controls::Write() {
  std::vector<sql::Args> funds;
  for (const auto& [key, row] : funds_) {
    if (!row.changed) continue;
    funds.push_back({tenant_, key.first, key.second, row.fund.received_fen(), row.fund.spent_fen(),
                     row.fund.held_fen()});
  }
  std::vector<sql::Args> lines;
  for (const auto& [key, rows] : lines_) {
    for (const LineRow& row : rows) {
      if (!row.changed) continue;
      lines.push_back({tenant_, key.first, int64_t{key.second}, row.line.item(), row.line.fund(),
                       row.line.unit(), row.line.used_fen(), row.line.held_fen()});
    }
  }
  if (!funds.empty()) RETURN_IF_ERROR(tx_.RunLater(kWriteFund, funds));
  return lines.empty() ? absl::OkStatus() : tx_.RunLater(kWriteLine, lines);
}

absl::StatusOr<std::vector<v1::Fund>> ListFunds(sql::Tx& tx, const std::string& tenant,
                                                const std::string& book, const std::string& after,
                                                int limit) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kListFunds, {tenant, book, after, int64_t{limit}}));
  std::vector<v1::Fund> funds;
  for (size_t i = 0; i < rows.size(); ++i) funds.push_back(ReadFund(rows[i]));
  return funds;
}

absl::StatusOr<std::vector<v1::BudgetLine>> ListLines(sql::Tx& tx, const std::string& tenant,
                                                      const std::string& book, int year) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kReadLines, {tenant, book, int64_t{year}}));
  std::vector<v1::BudgetLine> lines;
  for (size_t i = 0; i < rows.size(); ++i) lines.push_back(ReadLine(rows[i]));
  return lines;
}

}  // namespace gonghui::funds
