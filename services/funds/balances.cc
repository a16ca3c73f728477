#include "services/funds/balances.h"

#include <map>
#include <utility>

#include "common/base/china_time.h"
#include "common/base/date.h"
#include "common/base/money.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/page.h"
#include "services/funds/postings.h"
#include "services/funds/voucher_rows.h"

namespace gonghui::funds {
namespace {

constexpr std::string_view kBookName = "federations/{federation}/books/{book}";

template <typename Request>
DimensionMap WantedBy(const Request& request) {
  return {request.dimensions().begin(), request.dimensions().end()};
}

struct Sum {
  int64_t debit = 0;
  int64_t credit = 0;
};

// By account and the values of the dimensions asked for.
using Groups = std::map<std::pair<std::string, std::vector<std::string>>, Sum>;

absl::StatusOr<Groups> Group(const std::vector<Slice>& slices,
                             const v1::ListBalancesRequest& request) {
  const DimensionMap wanted = WantedBy(request);
  Groups groups;
  for (const Slice& slice : slices) {
    if (!HasAll(slice.dimensions, wanted)) continue;
    std::vector<std::string> values;
    for (const std::string& key : request.by()) {
      values.emplace_back(ValueOf(slice.dimensions, key));
    }
    Sum& sum = groups[{slice.account, std::move(values)}];
    ASSIGN_OR_RETURN(sum.debit, AddChecked(sum.debit, slice.debit_fen));
    ASSIGN_OR_RETURN(sum.credit, AddChecked(sum.credit, slice.credit_fen));
  }
  return groups;
}

// What stands in the account before the first entry asked for.
absl::StatusOr<int64_t> OpeningOf(sql::Tx& tx, const std::string& tenant, const std::string& book,
                                  const v1::ListEntriesRequest& request) {
  if (request.from_date().empty()) return 0;
  ASSIGN_OR_RETURN(const absl::CivilDay from, ParseDate(request.from_date()));
  ASSIGN_OR_RETURN(const std::vector<Slice> slices,
                   SumSlices(tx, tenant, book, {.to_date = FormatDate(from - 1)}));
  int64_t opening = 0;
  for (const Slice& slice : slices) {
    if (!slice.account.starts_with(request.account()) ||
        !HasAll(slice.dimensions, WantedBy(request))) {
      continue;
    }
    ASSIGN_OR_RETURN(opening, AddChecked(opening, slice.debit_fen - slice.credit_fen));
  }
  return opening;
}

}  // namespace

absl::StatusOr<v1::ListBalancesResponse> Balances::List(rpc::Call& call,
                                                        const v1::ListBalancesRequest& request) {
  ASSIGN_OR_RETURN(const auto name, ParseName(kBookName, request.parent()));
  ASSIGN_OR_RETURN(const BookPtr book, books_->FindForCaller(call, name.at("book")));
  SliceRange range{request.from_date(), request.on_date(), 0};
  if (!request.known_on().empty()) {
    ASSIGN_OR_RETURN(const absl::CivilDay day, ParseDate(request.known_on()));
    range.known_us = DayBeginsMicros(day + 1) - 1;
  }
  std::vector<Slice> slices;
  RETURN_IF_ERROR(host_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(slices, SumSlices(tx, call.federation, book->id, range));
    return absl::OkStatus();
  }));
  ASSIGN_OR_RETURN(const Groups groups, Group(slices, request));
  v1::ListBalancesResponse response;
  for (const auto& [key, sum] : groups) {
    ASSIGN_OR_RETURN(const v1::Account* listed, book->chart->Resolve(key.first));
    v1::Balance& balance = *response.add_balances();
    balance.set_account(key.first);
    balance.set_display_name(listed->display_name());
    for (int i = 0; i < request.by_size(); ++i) {
      (*balance.mutable_dimensions())[request.by(i)] = key.second[static_cast<size_t>(i)];
    }
    balance.set_debit_fen(sum.debit);
    balance.set_credit_fen(sum.credit);
    ASSIGN_OR_RETURN(const int64_t net, AddChecked(sum.debit, -sum.credit));
    balance.set_balance_fen(listed->side() == "credit" ? -net : net);
    ASSIGN_OR_RETURN(const int64_t debit, AddChecked(response.debit_fen(), sum.debit));
    ASSIGN_OR_RETURN(const int64_t credit, AddChecked(response.credit_fen(), sum.credit));
    response.set_debit_fen(debit);
    response.set_credit_fen(credit);
  }
  return response;
}

absl::StatusOr<v1::ListEntriesResponse> Balances::ListEntries(
    rpc::Call& call, const v1::ListEntriesRequest& request) {
  ASSIGN_OR_RETURN(const auto name, ParseName(kBookName, request.parent()));
  ASSIGN_OR_RETURN(const BookPtr book, books_->FindForCaller(call, name.at("book")));
  ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  // Voucher, line and balance at the end of the page before.
  ASSIGN_OR_RETURN(const auto last, rpc::ReadPageToken(request, request.page_token(), 3));
  EntryRange range{.account = request.account(),
                   .from_date = request.from_date(),
                   .to_date = request.to_date(),
                   .dimensions = WantedBy(request),
                   .limit = page_size + 1};
  int64_t balance = 0;
  if (!last.empty()) {
    ASSIGN_OR_RETURN(range.after, VoucherKey::FromId(last[0]));
    if (!ParseInteger(last[1], &range.after_line) || !ParseInteger(last[2], &balance)) {
      return Internal("page token without numbers");
    }
  }
  std::vector<EntryRow> rows;
  RETURN_IF_ERROR(host_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    if (last.empty()) {
      ASSIGN_OR_RETURN(balance, OpeningOf(tx, call.federation, book->id, request));
    }
    ASSIGN_OR_RETURN(rows, LoadEntries(tx, call.federation, book->id, range));
    return absl::OkStatus();
  }));
  v1::ListEntriesResponse response;
  response.set_opening_fen(balance);
  const size_t count = std::min(rows.size(), static_cast<size_t>(page_size));
  for (size_t i = 0; i < count; ++i) {
    const v1::Entry& entry = rows[i].entry.entry();
    ASSIGN_OR_RETURN(balance, AddChecked(balance, entry.debit_fen() - entry.credit_fen()));
    rows[i].entry.set_balance_fen(balance);
    *response.add_entries() = std::move(rows[i].entry);
  }
  if (rows.size() > count) {
    const EntryRow& end = rows[count - 1];
    response.set_next_page_token(
        rpc::MakePageToken(request, {end.key.Id(), StrCat(end.line), StrCat(balance)}));
  }
  return response;
}

}  // namespace gonghui::funds
