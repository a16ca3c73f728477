#include "services/funds/vouchers.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "common/base/money.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/page.h"
#include "common/rpc/request_batch.h"
#include "services/funds/admission.h"
#include "services/funds/cash_facts.h"
#include "services/funds/postings.h"
#include "services/funds/voucher_rows.h"

namespace gonghui::funds {
namespace {

constexpr std::string_view kBookName = "federations/{federation}/books/{book}";
constexpr std::string_view kVoucherName =
    "federations/{federation}/books/{book}/vouchers/{voucher}";
constexpr std::string_view kInRequest = "voucher.";  // Where PostVoucher holds the voucher.

feed::v1::Event Posted(std::vector<std::string> names) {
  feed::v1::Event event;
  event.set_type("gonghui.funds.v1.VouchersPosted");
  for (std::string& name : names) event.add_resources(std::move(name));
  return event;
}

absl::Status WrongBook(const std::string& book) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat("The voucher names book '", book,
                                "' and parent names another; leave voucher.book empty."),
                         StrCat("凭证所填账套“", book, "”与 parent 不一致；请不填 voucher.book。"))
      .With("book", book)
      .At("voucher.book");
}

absl::Status BookRequired() {
  return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                         "In a batch each voucher names its book; fill 'book'.",
                         "批量记账时每张凭证须填账套编号，请填写。")
      .At("book");
}

absl::Status SourceTwice(const v1::Voucher& voucher) {
  return InvalidArgument(common::v1::REASON_DUPLICATE_IN_REQUEST,
                         StrCat("Book '", voucher.book(), "' gets two vouchers with the source '",
                                voucher.source(), "' in this request; keep one."),
                         StrCat("本次请求中账套“", voucher.book(), "”有两张来源为“",
                                voucher.source(), "”的凭证，请只保留一张。"))
      .With("source", voucher.source())
      .At("source");
}

absl::Status CheckReversal(const v1::Voucher& voucher, std::string_view on_date) {
  if (!voucher.reverses().empty()) {
    return FailedPrecondition(
               common::v1::REASON_STATE_FORBIDS,
               StrCat("Voucher ", voucher.name(),
                      " is itself a reversal; post a new voucher instead of reversing it."),
               StrCat("凭证 ", voucher.name(), " 本身是冲销凭证；请另行填制凭证。"))
        .With("voucher", voucher.name());
  }
  if (on_date >= voucher.on_date()) return absl::OkStatus();
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat("A reversal cannot be dated before its voucher (",
                                voucher.on_date(), "); give that day or a later one."),
                         StrCat("冲销日期不能早于原凭证日期（", voucher.on_date(), "）。"))
      .With("on_date", voucher.on_date())
      .At("on_date");
}

// Faults that lie in one of the vouchers, not in the database or the time left.
bool IsOfOneVoucher(const absl::Status& status) {
  return absl::IsInternal(status) || absl::IsAlreadyExists(status) ||
         absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status);
}

// The same request may have been committed meanwhile, or by this very attempt.
bool MayBePosted(const absl::Status& status) {
  return absl::IsAlreadyExists(status) || ReasonOf(status) == common::v1::REASON_OUTCOME_UNKNOWN;
}

std::vector<Draft*> Pointers(std::vector<Draft>& drafts) {
  std::vector<Draft*> pointers;
  pointers.reserve(drafts.size());
  for (Draft& draft : drafts) pointers.push_back(&draft);
  return pointers;
}

// Checks the vouchers of one batch; keeps the books found.
class BatchCheck {
 public:
  BatchCheck(const rpc::Call& call, Books& books) : call_(call), books_(books) {}

  Draft Check(const v1::Voucher& voucher) {
    Draft draft;
    draft.voucher = &voucher;
    draft.by_person = true;
    draft.call = &call_;
    draft.status = Fill(voucher, draft);
    return draft;
  }

 private:
  absl::Status Fill(const v1::Voucher& voucher, Draft& draft) {
    if (voucher.book().empty()) return BookRequired();
    BookPtr& book = found_[voucher.book()];
    if (book == nullptr || voucher.on_date() < book->opened_on) {
      ASSIGN_OR_RETURN(book, books_.FindForCaller(call_, voucher.book(), voucher.on_date()));
    }
    draft.book = book;
    RETURN_IF_ERROR(CheckVoucher(*book, voucher, ""));
    if (voucher.source().empty()) return absl::OkStatus();
    const bool first = sources_.emplace(voucher.book(), voucher.source()).second;
    return first ? absl::OkStatus() : SourceTwice(voucher);
  }

  const rpc::Call& call_;
  Books& books_;
  std::map<std::string_view, BookPtr> found_;
  std::set<std::pair<std::string_view, std::string_view>> sources_;
};

// What a batch came to. Names are given for posted vouchers only.
v1::BatchPostVouchersResponse Outcome(std::string_view tenant, const std::vector<Draft>& drafts) {
  v1::BatchPostVouchersResponse response;
  for (size_t i = 0; i < drafts.size(); ++i) {
    const Draft& draft = drafts[i];
    std::string& name = *response.add_names();
    if (!draft.status.ok()) {
      *response.add_failures() = ToItemFailure(static_cast<int>(i), draft.status);
    } else if (draft.key.number > 0) {
      name = VoucherName(tenant, draft.book->id, draft.key.Id());
      response.set_posted(response.posted() + (draft.existing ? 0 : 1));
    }
  }
  return response;
}

}  // namespace

// One call of PostVoucher on its way.
struct Vouchers::Waiting {
  PostCall* call = nullptr;
  Draft draft;
  v1::Voucher answer;
  bool answered = false;  // From a stored response, or refused inside the transaction.

  const std::string& federation() const { return call->call->federation; }
  rpc::KeyedRequest request() const {
    return {call->call, call->request->request_id(), call->request};
  }
  void Answer(absl::StatusOr<v1::Voucher> result) {
    call->result = std::move(result);
    answered = true;
  }
  // Forgets an earlier attempt.
  void Restart() {
    draft.status = absl::OkStatus();
    draft.existing = answered = false;
    draft.key = {};
    draft.reversed_by.clear();
    draft.warnings.clear();
  }
};

absl::Status Vouchers::Prepare(Waiting& waiting) {
  const v1::PostVoucherRequest& request = *waiting.call->request;
  const v1::Voucher& voucher = request.voucher();
  ASSIGN_OR_RETURN(const auto name, ParseName(kBookName, request.parent()));
  const std::string& id = name.at("book");
  if (!voucher.book().empty() && voucher.book() != id) return WrongBook(voucher.book());
  ASSIGN_OR_RETURN(waiting.draft.book,
                   books_->FindForCaller(*waiting.call->call, id, voucher.on_date()));
  waiting.draft.voucher = &voucher;
  waiting.draft.by_person = true;
  waiting.draft.call = waiting.call->call;
  return CheckVoucher(*waiting.draft.book, voucher, kInRequest);
}

void Vouchers::PostWaiting(absl::Span<PostCall> calls) {
  std::vector<Waiting> waiting(calls.size());
  std::vector<Waiting*> pending;
  for (size_t i = 0; i < calls.size(); ++i) {
    waiting[i].call = &calls[i];
    if (absl::Status status = Prepare(waiting[i]); status.ok()) {
      pending.push_back(&waiting[i]);
    } else {
      calls[i].result = std::move(status);
    }
  }
  // Transactions take the rows of federations in the same order.
  std::stable_sort(pending.begin(), pending.end(), [](const Waiting* a, const Waiting* b) {
    return a->federation() < b->federation();
  });
  while (!pending.empty()) {
    // What repeats a request_id or a source waits for the round that answers the first.
    std::set<std::tuple<std::string_view, std::string_view, std::string_view>> seen;
    std::vector<Waiting*> round;
    std::vector<Waiting*> later;
    for (Waiting* w : pending) {
      const std::string& source = w->draft.voucher->source();
      const bool first =
          seen.emplace(w->federation(), w->call->call->actor.subject, w->request().request_id)
              .second &&
          (source.empty() || seen.emplace(w->call->request->parent(), "", source).second);
      (first ? round : later).push_back(w);
    }
    PostRound(round);
    pending = std::move(later);
  }
}

void Vouchers::PostRound(absl::Span<Waiting* const> round) {
  absl::Status status = PostTogether(round, Look::kAtSourced);
  if (MayBePosted(status)) status = PostTogether(round, Look::kAtAll);
  if (status.ok()) return;
  if (round.size() > 1 && IsOfOneVoucher(status)) {
    for (size_t i = 0; i < round.size(); ++i) PostRound(round.subspan(i, 1));
    return;
  }
  for (Waiting* w : round) w->Answer(status);
}

// Looking a request up costs a good part of posting it, and nearly all requests are new. A repeated
// one fails where its answer is stored, and the next attempt looks at all. A voucher with a source
// is looked up at once: as posted already it could be refused before its answer is stored.
absl::Status Vouchers::PostTogether(absl::Span<Waiting* const> round, Look look) {
  absl::Time deadline = absl::InfinitePast();
  std::vector<Waiting*> looked_up;
  std::vector<rpc::KeyedRequest> requests;
  for (Waiting* w : round) {
    deadline = std::max(deadline, w->call->call->deadline);
    if (look == Look::kAtSourced && w->draft.voucher->source().empty()) continue;
    looked_up.push_back(w);
    requests.push_back(w->request());
  }
  return host_.db->ReadWrite(deadline, [&](sql::Tx& tx) -> absl::Status {
    for (Waiting* w : round) w->Restart();
    ASSIGN_OR_RETURN(const auto stored, rpc::FindResponses(tx, requests));
    for (size_t i = 0; i < stored.size(); ++i) {
      if (!stored[i].ok()) looked_up[i]->Answer(stored[i].status());
      if (!stored[i].ok() || !stored[i]->has_value()) continue;
      v1::Voucher voucher;
      if (!voucher.ParseFromString(**stored[i])) return Internal("stored voucher unreadable");
      looked_up[i]->Answer(std::move(voucher));
    }
    for (size_t begin = 0; begin < round.size();) {
      size_t end = begin;
      while (end < round.size() && round[end]->federation() == round[begin]->federation()) ++end;
      RETURN_IF_ERROR(PostGroup(tx, round.subspan(begin, end - begin)));
      begin = end;
    }
    return absl::OkStatus();
  });
}

// Posts the calls of one federation that have no answer yet.
absl::Status Vouchers::PostGroup(sql::Tx& tx, absl::Span<Waiting* const> group) {
  const rpc::Call& call = *group.front()->call->call;
  std::vector<Draft*> drafts;
  for (Waiting* w : group) {
    if (!w->answered) drafts.push_back(&w->draft);
  }
  RETURN_IF_ERROR(FindPosted(tx, call.federation, drafts, kInRequest));
  RETURN_IF_ERROR(PostEach(tx, call, drafts, kInRequest));
  std::vector<std::string> posted;
  std::vector<rpc::KeyedRequest> requests;
  std::vector<const google::protobuf::Message*> responses;
  for (Waiting* w : group) {
    if (w->answered) continue;
    if (!w->draft.status.ok()) {
      w->Answer(w->draft.status);
      continue;
    }
    w->answer = ToVoucher(call.federation, w->draft);
    if (!w->draft.existing) posted.push_back(w->answer.name());
    requests.push_back(w->request());
    responses.push_back(&w->answer);
  }
  if (requests.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(rpc::StoreResponses(tx, requests, responses));
  for (Waiting* w : group) {
    if (!w->answered) w->Answer(std::move(w->answer));
  }
  if (posted.empty()) return absl::OkStatus();
  feed::v1::Event event = Posted(std::move(posted));
  AddCashFacts(call.federation, drafts, event);
  return feed::Append(tx, call, event);
}

// What posting would come to: it is done and taken back.
absl::StatusOr<v1::BatchPostVouchersResponse> Vouchers::TryBatch(rpc::Call& call,
                                                                 std::vector<Draft> checked) {
  std::vector<Draft> drafts;
  bool tried = false;
  const absl::Status status = host_.db->ReadWrite(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    drafts = checked;
    const std::vector<Draft*> pointers = Pointers(drafts);
    RETURN_IF_ERROR(FindPosted(tx, call.federation, pointers, ""));
    RETURN_IF_ERROR(Admit(tx, call.federation, pointers, "").status());
    tried = true;
    return absl::CancelledError("only tried");
  });
  if (!tried) return status;
  return Outcome(call.federation, drafts);
}

absl::StatusOr<v1::BatchPostVouchersResponse> Vouchers::BatchPost(
    rpc::Call& call, const v1::BatchPostVouchersRequest& request) {
  std::vector<Draft> checked;
  BatchCheck check(call, *books_);
  for (const v1::Voucher& voucher : request.vouchers()) checked.push_back(check.Check(voucher));
  if (request.validate_only()) return TryBatch(call, std::move(checked));
  // A refused batch leaves nothing behind, not even its answer: it may be sent again.
  std::optional<v1::BatchPostVouchersResponse> refused;
  auto posted = rpc::WriteOnce<v1::BatchPostVouchersResponse>(
      *host_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::BatchPostVouchersResponse> {
        refused.reset();
        std::vector<Draft> drafts = checked;
        const std::vector<Draft*> pointers = Pointers(drafts);
        RETURN_IF_ERROR(FindPosted(tx, call.federation, pointers, ""));
        RETURN_IF_ERROR(PostEach(tx, call, pointers, ""));
        auto outcome = Outcome(call.federation, drafts);
        if (!request.partial() && outcome.failures_size() > 0) {
          for (std::string& name : *outcome.mutable_names()) name.clear();
          outcome.set_posted(0);
          refused = std::move(outcome);
          return absl::CancelledError("refused");
        }
        std::vector<std::string> names;
        for (size_t i = 0; i < drafts.size(); ++i) {
          const bool fresh = drafts[i].status.ok() && !drafts[i].existing;
          if (fresh) names.push_back(outcome.names(static_cast<int>(i)));
        }
        if (names.empty()) return outcome;
        feed::v1::Event event = Posted(std::move(names));
        AddCashFacts(call.federation, pointers, event);
        RETURN_IF_ERROR(feed::Append(tx, call, event));
        return outcome;
      });
  if (!posted.ok() && refused.has_value()) return *std::move(refused);
  return posted;
}

absl::StatusOr<v1::Voucher> PostReversal(sql::Tx& tx, const rpc::Call& call, const BookPtr& book,
                                         const VoucherKey& key, std::string_view on_date,
                                         std::string_view reason, bool by_person,
                                         feed::v1::Event& event) {
  ASSIGN_OR_RETURN(const v1::Voucher voucher, LoadVoucher(tx, call.federation, book->id, key));
  RETURN_IF_ERROR(CheckReversal(voucher, on_date));
  const v1::Voucher red = RedLetter(voucher, on_date, reason);
  Draft draft;
  draft.book = book;
  draft.voucher = &red;
  draft.reverses = key.Id();
  draft.by_person = by_person;
  Draft* const drafts[] = {&draft};
  RETURN_IF_ERROR(Post(tx, call, drafts));
  AddCashFacts(call.federation, drafts, event);
  return ToVoucher(call.federation, draft);
}

absl::StatusOr<v1::Voucher> Vouchers::Reverse(rpc::Call& call,
                                              const v1::ReverseVoucherRequest& request) {
  ASSIGN_OR_RETURN(const auto name, ParseName(kVoucherName, request.name()));
  ASSIGN_OR_RETURN(const BookPtr book, books_->FindForCaller(call, name.at("book")));
  ASSIGN_OR_RETURN(const VoucherKey key, VoucherKey::FromId(name.at("voucher")));
  return rpc::WriteOnce<v1::Voucher>(
      *host_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Voucher> {
        feed::v1::Event event;
        ASSIGN_OR_RETURN(v1::Voucher posted,
                         PostReversal(tx, call, book, key, request.on_date(), request.reason(),
                                      /*by_person=*/true, event));
        event.MergeFrom(Posted({posted.name(), posted.reverses()}));
        RETURN_IF_ERROR(feed::Append(tx, call, event));
        return posted;
      });
}

absl::StatusOr<v1::Voucher> Vouchers::Get(rpc::Call& call, const v1::GetVoucherRequest& request) {
  ASSIGN_OR_RETURN(const auto name, ParseName(kVoucherName, request.name()));
  ASSIGN_OR_RETURN(const BookPtr book, books_->FindForCaller(call, name.at("book")));
  ASSIGN_OR_RETURN(const VoucherKey key, VoucherKey::FromId(name.at("voucher")));
  v1::Voucher voucher;
  RETURN_IF_ERROR(host_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(voucher, LoadVoucher(tx, call.federation, book->id, key));
    return absl::OkStatus();
  }));
  return voucher;
}

absl::StatusOr<v1::ListVouchersResponse> Vouchers::List(rpc::Call& call,
                                                        const v1::ListVouchersRequest& request) {
  ASSIGN_OR_RETURN(const auto name, ParseName(kBookName, request.parent()));
  ASSIGN_OR_RETURN(const BookPtr book, books_->FindForCaller(call, name.at("book")));
  ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const auto last, rpc::ReadPageToken(request, request.page_token(), 1));
  VoucherRange range{request.from_date(), request.to_date(),  {}, page_size + 1, request.account(),
                     request.text(),      request.least_fen()};
  if (!last.empty()) {
    ASSIGN_OR_RETURN(range.after, VoucherKey::FromId(last[0]));
  }
  std::vector<v1::Voucher> vouchers;
  RETURN_IF_ERROR(host_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(vouchers, LoadVouchers(tx, call.federation, book->id, range));
    return absl::OkStatus();
  }));
  v1::ListVouchersResponse response;
  if (vouchers.size() > static_cast<size_t>(page_size)) {
    vouchers.resize(page_size);
    const std::string id(LeafOf(vouchers.back().name()));
    response.set_next_page_token(rpc::MakePageToken(request, {id}));
  }
  for (v1::Voucher& voucher : vouchers) *response.add_vouchers() = std::move(voucher);
  return response;
}

}  // namespace gonghui::funds
