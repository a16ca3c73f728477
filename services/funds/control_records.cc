#include "services/funds/control_records.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "common/base/money.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/catalog/fact_rules.h"
#include "common/records/record_counts.h"
#include "common/rpc/page.h"
#include "gonghui/funds/v1/hold.pb.h"
#include "services/funds/book_states.h"
#include "services/funds/controls.h"
#include "services/funds/voucher_rows.h"

namespace gonghui::funds {
namespace {

constexpr std::string_view kBookName = "federations/{federation}/books/{book}";

constexpr sql::Query kDeleteLines{
    "funds.delete_budget_lines",
    "DELETE FROM budget_lines WHERE tenant = $1 AND book_id = $2 AND year = $3"};
constexpr sql::Query kInsertLine{
    "funds.insert_budget_line",
    "INSERT INTO budget_lines (tenant, book_id, year, item, fund, unit, amount_fen, block, "
    "used_fen, held_fen) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
    "ON CONFLICT (tenant, book_id, year, item, fund, unit) DO UPDATE SET "
    "amount_fen = budget_lines.amount_fen + excluded.amount_fen, "
    "block = budget_lines.block OR excluded.block"};
constexpr sql::Query kInsertFund{
    "funds.insert_restricted_fund",
    "INSERT INTO restricted_funds (tenant, book_id, fund, display_name, purposes, payer, "
    "valid_from, valid_to, received_fen, spent_fen, held_fen) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0) ON CONFLICT (tenant, book_id, fund) "
    "DO UPDATE SET display_name = excluded.display_name, purposes = excluded.purposes, "
    "payer = excluded.payer, valid_from = excluded.valid_from, valid_to = excluded.valid_to"};
constexpr sql::Query kEndFund{
    "funds.end_restricted_fund",
    "UPDATE restricted_funds SET valid_to = $4 WHERE tenant = $1 AND book_id = $2 AND fund = $3"};
constexpr sql::Query kWaitingHolds{
    "funds.waiting_holds",
    "SELECT content FROM holds WHERE tenant = $1 AND book_id = $2 AND state IN (1, 2)"};

bool Entered(const records::Change& change, std::string_view state) {
  return change.after->entered.contains(state) &&
         (change.before == nullptr || !change.before->entered.contains(state));
}

std::string Field(const catalog::FactSource& source, std::string_view name) {
  return std::string(catalog::ValueOf(source, name));
}

std::string Field(const records::Row& row, std::string_view name) {
  const auto it = row.fields.find(name);
  return it == row.fields.end() ? "" : it->second;
}

// From now on, postings of the book are held against its controls. Whoever posts at this moment is
// repeated.
absl::Status SetControlled(sql::Tx& tx, const std::string& tenant, const std::string& book) {
  const BookMonth key{book, ""};
  ASSIGN_OR_RETURN(BookStates states, ReadStates(tx, tenant, {&key, 1}));
  states.at(book).controlled = true;
  return WriteStates(tx, tenant, states);
}

struct Line {
  v1::BudgetLine line;
  void Add(std::string_view account, const DimensionMap& dimensions, int64_t debit, bool held) {
    if (!account.starts_with(line.item()) || dimensions.contains(kClosingKey) ||
        (!line.fund().empty() && line.fund() != ValueOf(dimensions, kFundKey)) ||
        (!line.unit().empty() && line.unit() != ValueOf(dimensions, kUnitKey))) {
      return;
    }
    const int64_t taken = IsIncome(account) ? -debit : debit;
    held ? line.set_held_fen(line.held_fen() + taken) : line.set_used_fen(line.used_fen() + taken);
  }
};

// Adds what is spent and held in the year.
absl::Status AddUse(sql::Tx& tx, const std::string& tenant, const std::string& book,
                    const std::string& year, std::vector<Line>& lines) {
  ASSIGN_OR_RETURN(
      const std::vector<Slice> slices,
      SumSlices(tx, tenant, book, {.from_date = year + "-01-01", .to_date = year + "-12-31"}));
  for (const Slice& slice : slices) {
    for (Line& line : lines) {
      line.Add(slice.account, slice.dimensions, slice.debit_fen - slice.credit_fen, false);
    }
  }
  ASSIGN_OR_RETURN(const sql::Rows holds, tx.Run(kWaitingHolds, {tenant, book}));
  for (size_t i = 0; i < holds.size(); ++i) {
    v1::Hold hold;
    if (!hold.ParseFromString(holds[i].Get<sql::Bytes>(0).data)) {
      return Internal("stored hold unreadable");
    }
    if (!hold.voucher().on_date().starts_with(year)) continue;
    for (const v1::Entry& entry : hold.voucher().entries()) {
      for (Line& line : lines) {
        line.Add(entry.account(), DimensionsOf(entry), entry.debit_fen() - entry.credit_fen(),
                 true);
      }
    }
  }
  return absl::OkStatus();
}

absl::Status TakeBudget(const rpc::Call& call, sql::Tx& tx, const records::Change& change) {
  ASSIGN_OR_RETURN(const v1::Book book, BookOfRecord(call, tx, *change.after));
  const std::string& tenant = call.federation;
  const std::string year = Field(*change.after, "year");
  const std::string id(LeafOf(change.record->name()));
  ASSIGN_OR_RETURN(const std::vector<records::Row> rows, records::AllChildren(tx, tenant, id));
  std::vector<Line> lines;
  for (const records::Row& row : rows) {
    v1::BudgetLine line;
    line.set_item(Field(row, "item"));
    line.set_fund(Field(row, "fund"));
    line.set_unit(Field(row, "unit"));
    line.set_block(Field(row, "control") == "block");
    ASSIGN_OR_RETURN(const int64_t fen, ParseYuan(Field(row, "amount")));
    line.set_amount_fen(fen);
    lines.push_back({std::move(line)});
  }
  RETURN_IF_ERROR(AddUse(tx, tenant, book.id(), year, lines));
  int64_t number = 0;
  if (!ParseInteger(year, &number)) return Internal("a budget without year");
  RETURN_IF_ERROR(tx.Run(kDeleteLines, {tenant, book.id(), number}).status());
  std::vector<sql::Args> values;
  for (const Line& line : lines) {
    values.push_back({tenant, book.id(), number, line.line.item(), line.line.fund(),
                      line.line.unit(), line.line.amount_fen(), line.line.block(),
                      line.line.used_fen(), line.line.held_fen()});
  }
  RETURN_IF_ERROR(tx.RunMany(kInsertLine, values).status());
  return SetControlled(tx, tenant, book.id());
}

absl::Status TakeFund(const rpc::Call& call, sql::Tx& tx, const records::Change& change) {
  const catalog::FactSource& fund = *change.after;
  ASSIGN_OR_RETURN(const v1::Book book, BookOfRecord(call, tx, fund));
  RETURN_IF_ERROR(
      tx.Run(kInsertFund, {call.federation, book.id(), Field(fund, "code"), change.record->title(),
                           Field(fund, "purposes"), Field(fund, "payer"), Field(fund, "valid_from"),
                           Field(fund, "valid_to")})
          .status());
  return SetControlled(tx, call.federation, book.id());
}

}  // namespace

absl::StatusOr<v1::Book> BookOfRecord(const rpc::Call& call, sql::Tx& tx,
                                      const catalog::FactSource& source) {
  const std::string id = Field(source, "book");
  absl::StatusOr<v1::Book> book = Books::Read(tx, call, id);
  if (book.ok() && book->organization() == source.organization) return book;
  if (!book.ok() && !absl::IsNotFound(book.status())) return book;
  return InvalidArgument(
             common::v1::REASON_REFERENCE_NOT_FOUND,
             StrCat("Organisation '", source.organization, "' keeps no book '", id,
                    "'; open it with CreateBook first."),
             StrCat("组织“", source.organization, "”没有账套“", id, "”；请先建立账套。"))
      .With("book", id)
      .At("fields.book");
}

absl::Status ControlRecords::OnChange(const rpc::Call& call, sql::Tx& tx,
                                      absl::Span<const records::Change> changes) const {
  for (const records::Change& change : changes) {
    if (change.kind->name() == "budget" && Entered(change, "executing")) {
      RETURN_IF_ERROR(TakeBudget(call, tx, change));
    } else if (change.kind->name() == "restricted_fund" && Entered(change, "active")) {
      RETURN_IF_ERROR(TakeFund(call, tx, change));
    } else if (change.kind->name() == "restricted_fund" && Entered(change, "closed")) {
      RETURN_IF_ERROR(
          tx.Run(kEndFund, {call.federation, Field(*change.after, "book"),
                            Field(*change.after, "code"), change.after->entered.at("closed")})
              .status());
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::ListFundsResponse> ControlRecords::ListFunds(
    rpc::Call& call, const v1::ListFundsRequest& request) {
  ASSIGN_OR_RETURN(const auto name, ParseName(kBookName, request.parent()));
  ASSIGN_OR_RETURN(const BookPtr book, books_->FindForCaller(call, name.at("book")));
  ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const auto last, rpc::ReadPageToken(request, request.page_token(), 1));
  std::vector<v1::Fund> funds;
  RETURN_IF_ERROR(host_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(funds, funds::ListFunds(tx, call.federation, book->id,
                                             last.empty() ? "" : last[0], page_size + 1));
    return absl::OkStatus();
  }));
  v1::ListFundsResponse response;
  const size_t count = std::min(funds.size(), static_cast<size_t>(page_size));
  for (size_t i = 0; i < count; ++i) *response.add_funds() = std::move(funds[i]);
  if (funds.size() > count) {
    const std::string& end = response.funds(response.funds_size() - 1).code();
    response.set_next_page_token(rpc::MakePageToken(request, {end}));
  }
  return response;
}

absl::StatusOr<v1::ListBudgetLinesResponse> ControlRecords::ListBudgetLines(
    rpc::Call& call, const v1::ListBudgetLinesRequest& request) {
  ASSIGN_OR_RETURN(const auto name, ParseName(kBookName, request.parent()));
  ASSIGN_OR_RETURN(const BookPtr book, books_->FindForCaller(call, name.at("book")));
  ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const auto last, rpc::ReadPageToken(request, request.page_token(), 1));
  std::vector<v1::BudgetLine> lines;
  RETURN_IF_ERROR(host_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(lines, ListLines(tx, call.federation, book->id, request.year()));
    return absl::OkStatus();
  }));
  // A budget is read whole; pages are cut from it by place.
  int64_t begin = 0;
  if (!last.empty() && !ParseInteger(last[0], &begin)) return Internal("page token without number");
  v1::ListBudgetLinesResponse response;
  const size_t end = std::min(lines.size(), static_cast<size_t>(begin + page_size));
  for (size_t i = static_cast<size_t>(begin); i < end; ++i) {
    *response.add_lines() = std::move(lines[i]);
  }
  if (end < lines.size()) response.set_next_page_token(rpc::MakePageToken(request, {StrCat(end)}));
  return response;
}

}  // namespace gonghui::funds
