#include "services/funds/months.h"

#include <algorithm>
#include <map>
#include <utility>

#include "common/base/date.h"
#include "common/base/money.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "services/funds/book_states.h"
#include "services/funds/postings.h"
#include "services/funds/voucher_rows.h"

namespace gonghui::funds {
namespace {

constexpr std::string_view kBookName = "federations/{federation}/books/{book}";
constexpr int kMostMonths = 120;  // Closed by one call.

constexpr sql::Query kClosingVouchers{
    "funds.closing_vouchers",
    "SELECT number FROM vouchers WHERE tenant = $1 AND book_id = $2 AND month = $3 "
    "AND closing AND reverses = '' AND reversed_by = '' ORDER BY number"};

absl::StatusOr<absl::CivilMonth> ParseMonth(std::string_view month, std::string_view at) {
  const auto day = ParseDate(StrCat(month, "-01"));
  if (day.ok()) return absl::CivilMonth(*day);
  return InvalidArgument(common::v1::REASON_PERIOD_INVALID,
                         StrCat("'", month, "' is no month; write it like 2024-05."),
                         StrCat("“", month, "”不是月份；请写成 2024-05。"))
      .At(std::string(at));
}

std::string MonthText(absl::CivilMonth month) {
  return FormatDate(absl::CivilDay(month)).substr(0, 7);
}

std::string LastDayOf(absl::CivilMonth month) { return FormatDate(absl::CivilDay(month + 1) - 1); }

absl::Status StateForbids(const OpenBook& book, std::string english, std::string chinese) {
  return FailedPrecondition(common::v1::REASON_STATE_FORBIDS, std::move(english),
                            std::move(chinese))
      .With("book", book.id)
      .At("month");
}

// Net amounts, debits less credits, whether carried forward before or not.
using Nets = std::map<std::pair<std::string, DimensionMap>, int64_t>;

// Carries one rule's balances to its account.
class Carrying {
 public:
  Carrying(const v1::CarryForward& rule, Nets& nets) : rule_(rule), nets_(nets) {}

  absl::StatusOr<v1::Voucher> Run(const std::string& on_date) {
    std::map<DimensionMap, int64_t> carried;
    for (auto& [key, net] : nets_) {
      const auto& [account, dimensions] = key;
      if (net == 0 || !IsUnder(account, rule_.from()) || !HoldsFor(dimensions, rule_.when())) {
        continue;
      }
      AddEntry(account, dimensions, -net);
      int64_t& sum = carried[Kept(dimensions)];
      ASSIGN_OR_RETURN(sum, AddChecked(sum, net));
      net = 0;
    }
    for (const auto& [dimensions, net] : carried) {
      if (net == 0) continue;
      AddEntry(rule_.to(), dimensions, net);
      nets_[{rule_.to(), dimensions}] += net;
    }
    voucher_.set_on_date(on_date);
    voucher_.set_memo(StrCat(rule_.memo().zh(), " ", on_date.substr(0, 7)));
    return std::move(voucher_);
  }

 private:
  DimensionMap Kept(const DimensionMap& dimensions) const {
    DimensionMap kept;
    for (const std::string& key : rule_.keep()) {
      if (const auto it = dimensions.find(key); it != dimensions.end()) kept.insert(*it);
    }
    return kept;
  }
  void AddEntry(const std::string& account, const DimensionMap& dimensions, int64_t net) {
    v1::Entry& entry = *voucher_.add_entries();
    entry.set_account(account);
    net > 0 ? entry.set_debit_fen(net) : entry.set_credit_fen(-net);
    for (const auto& [key, value] : dimensions) (*entry.mutable_dimensions())[key] = value;
    (*entry.mutable_dimensions())[std::string(kClosingKey)] = rule_.name();
  }

  const v1::CarryForward& rule_;
  Nets& nets_;
  v1::Voucher voucher_;
};

bool AppliesTo(const v1::CarryForward& rule, const OpenBook& book, bool december) {
  const auto& charts = rule.charts();
  const std::string& chart = book.chart->message().name();
  return (!rule.yearly() || december) &&
         (charts.empty() || std::find(charts.begin(), charts.end(), chart) != charts.end());
}

// Posts what closes or reopens a month.
absl::Status PostClosing(sql::Tx& tx, const rpc::Call& call, const BookPtr& book,
                         const std::deque<v1::Voucher>& vouchers,
                         const std::vector<std::string>& reverses,
                         v1::CloseMonthResponse& response) {
  std::deque<Draft> drafts;
  std::vector<Draft*> pointers;
  for (const v1::Voucher& voucher : vouchers) {
    Draft& draft = drafts.emplace_back();
    draft.book = book;
    draft.voucher = &voucher;
    draft.closing = true;
    if (!reverses.empty()) draft.reverses = reverses[pointers.size()];
    pointers.push_back(&draft);
  }
  RETURN_IF_ERROR(Post(tx, call, pointers));
  for (const Draft& draft : drafts) {
    *response.add_vouchers() = ToVoucher(call.federation, draft);
  }
  return absl::OkStatus();
}

absl::Status AppendEvent(sql::Tx& tx, const rpc::Call& call, std::string_view type,
                         const OpenBook& book, const v1::CloseMonthResponse& response) {
  feed::v1::Event event;
  event.set_type(StrCat("gonghui.funds.v1.", type));
  event.add_resources(StrCat("federations/", call.federation, "/books/", book.id));
  for (const v1::Voucher& voucher : response.vouchers()) event.add_resources(voucher.name());
  return feed::Append(tx, call, std::move(event));
}

// The months to close, up to `last`; none where it is closed already.
absl::StatusOr<std::vector<absl::CivilMonth>> OpenUntil(const OpenBook& book,
                                                        const BookState& state,
                                                        absl::CivilMonth last) {
  ASSIGN_OR_RETURN(const absl::CivilDay opened, ParseDate(book.opened_on));
  absl::CivilMonth next(opened);
  if (!state.soft_closed_through.empty()) {
    ASSIGN_OR_RETURN(const absl::CivilMonth closed, ParseMonth(state.soft_closed_through, "month"));
    next = std::max(next, closed + 1);
  }
  std::vector<absl::CivilMonth> months;
  for (; next <= last; ++next) months.push_back(next);
  if (months.size() <= kMostMonths) return months;
  const std::string first = MonthText(months[kMostMonths - 1]);
  return StateForbids(
      book, StrCat("More than ", kMostMonths, " months are open; close ", first, " first."),
      StrCat("未结账月份超过 ", kMostMonths, " 个；请先结 ", first, "。"));
}

}  // namespace

absl::StatusOr<std::vector<v1::Voucher>> Months::CarryForward(sql::Tx& tx,
                                                              const std::string& tenant,
                                                              const OpenBook& book,
                                                              const std::string& month) const {
  ASSIGN_OR_RETURN(const absl::CivilMonth civil, ParseMonth(month, "month"));
  const std::string last_day = LastDayOf(civil);
  ASSIGN_OR_RETURN(std::vector<Slice> slices,
                   SumSlices(tx, tenant, book.id, {.to_date = last_day}));
  Nets nets;
  for (Slice& slice : slices) {
    slice.dimensions.erase(std::string(kClosingKey));
    int64_t& net = nets[{std::move(slice.account), std::move(slice.dimensions)}];
    ASSIGN_OR_RETURN(net, AddChecked(net, slice.debit_fen - slice.credit_fen));
  }
  std::vector<v1::Voucher> vouchers;
  for (const v1::CarryForward& rule : charts_->catalog().carry_forward()) {
    if (!AppliesTo(rule, book, civil.month() == 12)) continue;
    ASSIGN_OR_RETURN(v1::Voucher voucher, Carrying(rule, nets).Run(last_day));
    if (voucher.entries_size() > 0) vouchers.push_back(std::move(voucher));
  }
  return vouchers;
}

absl::StatusOr<v1::CloseMonthResponse> Months::CloseIn(rpc::Call& call, sql::Tx& tx,
                                                       const BookPtr& book,
                                                       const v1::CloseMonthRequest& request) const {
  ASSIGN_OR_RETURN(const absl::CivilMonth last, ParseMonth(request.month(), "month"));
  const BookMonth key{book->id, ""};
  ASSIGN_OR_RETURN(BookStates states, ReadStates(tx, call.federation, {&key, 1}));
  const BookState before = states.at(book->id);
  if (request.month() <= before.hard_closed_through ||
      (!request.hard() && request.month() <= before.soft_closed_through)) {
    return StateForbids(
        *book,
        StrCat("Book '", book->id, "' is closed through ", before.soft_closed_through, " already."),
        StrCat("账套“", book->id, "”已结账至 ", before.soft_closed_through, "。"));
  }
  ASSIGN_OR_RETURN(std::vector<absl::CivilMonth> months, OpenUntil(*book, before, last));
  // Vouchers that came into a soft-closed month since are carried forward before it closes for
  // good.
  if (months.empty()) months.push_back(last);
  v1::CloseMonthResponse response;
  for (const absl::CivilMonth month : months) {
    ASSIGN_OR_RETURN(std::vector<v1::Voucher> carried,
                     CarryForward(tx, call.federation, *book, MonthText(month)));
    const std::deque<v1::Voucher> vouchers(std::make_move_iterator(carried.begin()),
                                           std::make_move_iterator(carried.end()));
    RETURN_IF_ERROR(PostClosing(tx, call, book, vouchers, {}, response));
  }
  ASSIGN_OR_RETURN(states, ReadStates(tx, call.federation, {&key, 1}));
  BookState& state = states.at(book->id);
  state.soft_closed_through = std::max(state.soft_closed_through, request.month());
  if (request.hard()) state.hard_closed_through = request.month();
  RETURN_IF_ERROR(WriteStates(tx, call.federation, states));
  RETURN_IF_ERROR(AppendEvent(tx, call, "MonthClosed", *book, response));
  ASSIGN_OR_RETURN(*response.mutable_book(), books_->Read(tx, call, book->id));
  return response;
}

absl::StatusOr<v1::CloseMonthResponse> Months::ReopenIn(
    rpc::Call& call, sql::Tx& tx, const BookPtr& book,
    const v1::ReopenMonthRequest& request) const {
  const BookMonth key{book->id, ""};
  ASSIGN_OR_RETURN(BookStates states, ReadStates(tx, call.federation, {&key, 1}));
  const BookState before = states.at(book->id);
  if (request.month() <= before.hard_closed_through) {
    return StateForbids(
        *book,
        StrCat("Book '", book->id, "' is closed for good through ", before.hard_closed_through,
               "; post into an open month and name the month in 'restates'."),
        StrCat("账套“", book->id, "”已终结账至 ", before.hard_closed_through,
               "；请记入未结账月份并在 restates 中注明所更正的月份。"));
  }
  if (request.month() != before.soft_closed_through) {
    return StateForbids(*book,
                        StrCat("Only the last closed month of book '", book->id,
                               "' can be opened again: '", before.soft_closed_through, "'."),
                        StrCat("账套“", book->id, "”只能反结最后一个已结账月份：“",
                               before.soft_closed_through, "”。"));
  }
  ASSIGN_OR_RETURN(const sql::Rows rows,
                   tx.Run(kClosingVouchers, {call.federation, book->id, request.month()}));
  std::deque<v1::Voucher> red;
  std::vector<std::string> reverses;
  for (size_t i = 0; i < rows.size(); ++i) {
    const VoucherKey posted{request.month(), rows[i].Get<int64_t>(0)};
    ASSIGN_OR_RETURN(const v1::Voucher voucher, LoadVoucher(tx, call.federation, book->id, posted));
    red.push_back(RedLetter(voucher, voucher.on_date(), request.reason()));
    reverses.push_back(posted.Id());
  }
  v1::CloseMonthResponse response;
  RETURN_IF_ERROR(PostClosing(tx, call, book, red, reverses, response));
  ASSIGN_OR_RETURN(const absl::CivilMonth month, ParseMonth(request.month(), "month"));
  ASSIGN_OR_RETURN(states, ReadStates(tx, call.federation, {&key, 1}));
  BookState& state = states.at(book->id);
  state.soft_closed_through = MonthText(month - 1);
  if (state.soft_closed_through < book->opened_on.substr(0, 7)) state.soft_closed_through.clear();
  RETURN_IF_ERROR(WriteStates(tx, call.federation, states));
  RETURN_IF_ERROR(AppendEvent(tx, call, "MonthReopened", *book, response));
  ASSIGN_OR_RETURN(*response.mutable_book(), books_->Read(tx, call, book->id));
  return response;
}

absl::StatusOr<v1::CloseMonthResponse> Months::Close(rpc::Call& call,
                                                     const v1::CloseMonthRequest& request) {
  ASSIGN_OR_RETURN(const auto name, ParseName(kBookName, request.name()));
  ASSIGN_OR_RETURN(const BookPtr book, books_->FindForCaller(call, name.at("book")));
  ASSIGN_OR_RETURN(const absl::CivilMonth month, ParseMonth(request.month(), "month"));
  if (LastDayOf(month) > call.Today() && !request.validate_only()) {
    return FailedPrecondition(common::v1::REASON_PERIOD_NOT_OVER,
                              StrCat("Month ", request.month(), " is not over yet."),
                              StrCat("月份 ", request.month(), " 尚未结束，不能结账。"))
        .At("month");
  }
  if (!request.validate_only()) {
    return rpc::WriteOnce<v1::CloseMonthResponse>(
        *host_.db, call, request, [&](sql::Tx& tx) { return CloseIn(call, tx, book, request); });
  }
  // Done and taken back.
  absl::StatusOr<v1::CloseMonthResponse> tried;
  const absl::Status status = host_.db->ReadWrite(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    tried = CloseIn(call, tx, book, request);
    return absl::CancelledError("only tried");
  });
  return absl::IsCancelled(status) ? tried : status;
}

absl::StatusOr<v1::CloseMonthResponse> Months::Reopen(rpc::Call& call,
                                                      const v1::ReopenMonthRequest& request) {
  ASSIGN_OR_RETURN(const auto name, ParseName(kBookName, request.name()));
  ASSIGN_OR_RETURN(const BookPtr book, books_->FindForCaller(call, name.at("book")));
  return rpc::WriteOnce<v1::CloseMonthResponse>(
      *host_.db, call, request, [&](sql::Tx& tx) { return ReopenIn(call, tx, book, request); });
}

}  // namespace gonghui::funds
