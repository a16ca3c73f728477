#include "services/funds/holds.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "common/base/id.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/page.h"
#include "services/funds/admission.h"
#include "services/funds/book_states.h"
#include "services/funds/cash_facts.h"
#include "services/funds/controls.h"
#include "services/funds/postings.h"

namespace gonghui::funds {

// Where a hold stands.
struct Holds::Place {
  BookPtr book;
  std::string id;
};

namespace {

constexpr std::string_view kBookName = "federations/{federation}/books/{book}";
constexpr std::string_view kHoldName = "federations/{federation}/books/{book}/holds/{hold}";
constexpr std::string_view kInRequest = "hold.voucher.";
constexpr absl::Duration kUsualTime = absl::Hours(24 * 30);
constexpr absl::Duration kLongestTime = absl::Hours(24 * 366);
constexpr int kEndedAtOnce = 200;

constexpr sql::Query kInsertHold{
    "funds.insert_hold",
    "INSERT INTO holds (tenant, book_id, hold_id, state, source, expire_time_us, content) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7)"};
constexpr sql::Query kUpdateHold{"funds.update_hold",
                                 "UPDATE holds SET state = $4, content = $5 WHERE tenant = $1 AND "
                                 "book_id = $2 AND hold_id = $3"};
constexpr sql::Query kGetHold{
    "funds.get_hold",
    "SELECT content FROM holds WHERE tenant = $1 AND book_id = $2 AND hold_id = $3"};
constexpr sql::Query kListHolds{
    "funds.list_holds",
    "SELECT content FROM holds WHERE tenant = $1 AND book_id = $2 AND hold_id < $3 "
    "AND ($4 = 0 OR state = $4) ORDER BY hold_id DESC LIMIT $5"};
constexpr sql::Query kHeldSource{
    "funds.held_source",
    "SELECT hold_id FROM holds WHERE tenant = $1 AND book_id = $2 AND source = $3 "
    "AND source <> '' AND state IN (1, 2)"};
// Over all federations: who holds what does not matter here.
constexpr sql::Query kExpired{
    "funds.expired_holds",
    "SELECT tenant, book_id, hold_id FROM holds WHERE expire_time_us <= $1 AND state IN (1, 2) "
    "ORDER BY expire_time_us LIMIT $2"};

bool IsWaiting(const v1::Hold& hold) {
  return hold.state() == v1::HOLD_STATE_RESERVED || hold.state() == v1::HOLD_STATE_CHECKED;
}

absl::Status Ended(const v1::Hold& hold) {
  std::string state = v1::HoldState_Name(hold.state()).substr(sizeof("HOLD_STATE_") - 1);
  return FailedPrecondition(
             common::v1::REASON_HOLD_ENDED,
             StrCat("Hold ", hold.name(), " has ended (", state, "); reserve the voucher anew."),
             StrCat("待记账凭证 ", hold.name(), " 已结束（", state, "），请重新提交。"))
      .With("hold", hold.name())
      .With("state", state);
}

absl::Status SamePerson(std::string_view step, std::string_view step_zh) {
  return FailedPrecondition(
      common::v1::REASON_DUTIES_NOT_SEPARATED,
      StrCat("You took an earlier step of this voucher; somebody else must ", step, " it."),
      StrCat("您已办理过此凭证的前一环节，须由他人", step_zh, "。"));
}

absl::Status NotChecked(const v1::Hold& hold, int people) {
  return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                            StrCat("In a book of ", people, " people a hold is checked before it ",
                                   "is confirmed; have ", hold.name(), " checked first."),
                            StrCat("本账套凭证须先复核再记账，请先复核 ", hold.name(), "。"))
      .With("hold", hold.name());
}

absl::StatusOr<v1::Hold> Load(sql::Tx& tx, const std::string& tenant, const std::string& book,
                              const std::string& id) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kGetHold, {tenant, book, id}));
  v1::Hold hold;
  if (!rows.empty() && hold.ParseFromString(rows[0].Get<sql::Bytes>(0).data)) return hold;
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("There is no hold '", id, "'; ListHolds shows the holds."),
                  StrCat("没有待记账凭证“", id, "”；请用 ListHolds 查看。"))
      .With("hold", id);
}

absl::Status Save(sql::Tx& tx, const std::string& tenant, const std::string& book,
                  const v1::Hold& hold) {
  return tx
      .Run(kUpdateHold, {tenant, book, std::string(LeafOf(hold.name())), int64_t{hold.state()},
                         sql::Bytes{hold.SerializeAsString()}})
      .status();
}

// `posted` is the hold's voucher, where it is confirmed.
absl::Status Tell(sql::Tx& tx, const rpc::Call& call, const v1::Hold& hold,
                  absl::Span<Draft* const> posted = {}) {
  feed::v1::Event event;
  event.set_type("gonghui.funds.v1.HoldChanged");
  event.add_resources(hold.name());
  if (!hold.posted().empty()) event.add_resources(hold.posted());
  AddCashFacts(call.federation, posted, event);
  return feed::Append(tx, call, std::move(event));
}

Draft DraftOf(const BookPtr& book, const v1::Hold& hold) {
  Draft draft;
  draft.book = book;
  draft.voucher = &hold.voucher();
  return draft;
}

// Gives back what the hold took from funds and budget lines.
absl::Status GiveBack(sql::Tx& tx, const std::string& tenant, const BookPtr& book,
                      const v1::Hold& hold) {
  std::vector<DimensionMap> dimensions;
  for (const v1::Entry& entry : hold.voucher().entries()) {
    dimensions.push_back(DimensionsOf(entry));
  }
  const BookMonth key{book->id, ""};
  ASSIGN_OR_RETURN(const BookStates states, ReadStates(tx, tenant, {&key, 1}));
  const Spending spending{book.get(), &hold.voucher(), dimensions, states.at(book->id).controlled};
  Controls controls(tx, tenant);
  RETURN_IF_ERROR(controls.Read({&spending, 1}));
  controls.GiveBack(spending);
  RETURN_IF_ERROR(controls.Write());
  return WriteStates(tx, tenant, states);
}

absl::Status CheckTime(const rpc::Call& call, v1::Hold& hold) {
  const int64_t now = call.clock->NowMicros();
  if (hold.expire_time_us() == 0) {
    hold.set_expire_time_us(now + absl::ToInt64Microseconds(kUsualTime));
  }
  if (hold.expire_time_us() > now &&
      hold.expire_time_us() <= now + absl::ToInt64Microseconds(kLongestTime)) {
    return absl::OkStatus();
  }
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         "A hold expires in the future, at most a year ahead.",
                         "有效期须晚于当前时间且不超过一年。")
      .At("hold.expire_time_us");
}

absl::Status CheckSource(sql::Tx& tx, const std::string& tenant, const std::string& book,
                         Draft& draft) {
  const std::string& source = draft.voucher->source();
  if (source.empty()) return absl::OkStatus();
  Draft* const drafts[] = {&draft};
  RETURN_IF_ERROR(FindPosted(tx, tenant, drafts, kInRequest));
  RETURN_IF_ERROR(draft.status);
  ASSIGN_OR_RETURN(const sql::Rows held, tx.Run(kHeldSource, {tenant, book, source}));
  if (held.empty() && !draft.existing) return absl::OkStatus();
  return AlreadyExists(common::v1::REASON_ALREADY_EXISTS,
                       StrCat("A voucher with the source '", source, "' is ",
                              draft.existing ? "posted" : "held", " already in book '", book, "'."),
                       StrCat("账套“", book, "”中来源为“", source, "”的凭证已",
                              draft.existing ? "记账" : "提交", "。"))
      .With("source", source)
      .At("hold.voucher.source");
}

}  // namespace

absl::StatusOr<Holds::Place> Holds::Find(rpc::Call& call, const std::string& name) const {
  ASSIGN_OR_RETURN(const auto parts, ParseName(kHoldName, name));
  ASSIGN_OR_RETURN(BookPtr book, books_->FindForCaller(call, parts.at("book")));
  return Place{std::move(book), parts.at("hold")};
}

absl::StatusOr<v1::Hold> Holds::Create(rpc::Call& call, const v1::CreateHoldRequest& request) {
  ASSIGN_OR_RETURN(const auto name, ParseName(kBookName, request.parent()));
  const v1::Voucher& asked = request.hold().voucher();
  ASSIGN_OR_RETURN(const BookPtr book,
                   books_->FindForCaller(call, name.at("book"), asked.on_date()));
  RETURN_IF_ERROR(CheckVoucher(*book, asked, kInRequest));
  v1::Hold hold;
  *hold.mutable_voucher() = asked;
  hold.set_expire_time_us(request.hold().expire_time_us());
  RETURN_IF_ERROR(CheckTime(call, hold));
  const std::string id = NewId(call.clock->Now());
  hold.set_name(StrCat(request.parent(), "/holds/", id));
  hold.set_state(v1::HOLD_STATE_RESERVED);
  hold.set_maker(call.actor.subject);
  hold.set_create_time_us(call.clock->NowMicros());
  hold.set_update_time_us(hold.create_time_us());
  return rpc::WriteOnce<v1::Hold>(
      *host_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Hold> {
        const std::string& tenant = call.federation;
        Draft draft = DraftOf(book, hold);
        draft.call = &call;
        RETURN_IF_ERROR(CheckSource(tx, tenant, book->id, draft));
        Draft* const drafts[] = {&draft};
        ASSIGN_OR_RETURN(const BookStates states,
                         Admit(tx, tenant, drafts, kInRequest, Controls::As::kHeld));
        RETURN_IF_ERROR(draft.status);
        // As it will be posted, with defaults, so that the amounts come back where they were taken.
        v1::Hold held = hold;
        ShowDimensions(draft, *held.mutable_voucher());
        RETURN_IF_ERROR(WriteStates(tx, tenant, states));
        RETURN_IF_ERROR(
            tx.Run(kInsertHold, {tenant, book->id, id, int64_t{held.state()}, asked.source(),
                                 held.expire_time_us(), sql::Bytes{held.SerializeAsString()}})
                .status());
        RETURN_IF_ERROR(Tell(tx, call, held));
        return held;
      });
}

absl::StatusOr<v1::Hold> Holds::Check(rpc::Call& call, const v1::CheckHoldRequest& request) {
  ASSIGN_OR_RETURN(const Place place, Find(call, request.name()));
  return rpc::WriteOnce<v1::Hold>(
      *host_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Hold> {
        ASSIGN_OR_RETURN(v1::Hold hold, Load(tx, call.federation, place.book->id, place.id));
        if (hold.state() != v1::HOLD_STATE_RESERVED ||
            hold.expire_time_us() <= call.clock->NowMicros()) {
          return Ended(hold);
        }
        if (hold.maker() == call.actor.subject) return SamePerson("check", "复核");
        hold.set_state(v1::HOLD_STATE_CHECKED);
        hold.set_checker(call.actor.subject);
        hold.set_update_time_us(call.clock->NowMicros());
        RETURN_IF_ERROR(Save(tx, call.federation, place.book->id, hold));
        RETURN_IF_ERROR(Tell(tx, call, hold));
        return hold;
      });
}

absl::StatusOr<v1::Hold> Holds::Confirm(rpc::Call& call, const v1::ConfirmHoldRequest& request) {
  ASSIGN_OR_RETURN(const Place place, Find(call, request.name()));
  return rpc::WriteOnce<v1::Hold>(
      *host_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Hold> {
        const std::string& tenant = call.federation;
        const std::string& caller = call.actor.subject;
        ASSIGN_OR_RETURN(v1::Hold hold, Load(tx, tenant, place.book->id, place.id));
        if (!IsWaiting(hold) || hold.expire_time_us() <= call.clock->NowMicros()) {
          return Ended(hold);
        }
        const BookMonth key{place.book->id, ""};
        ASSIGN_OR_RETURN(const BookStates states, ReadStates(tx, tenant, {&key, 1}));
        const int people = states.at(place.book->id).people;
        if (people > 2 && hold.state() != v1::HOLD_STATE_CHECKED) return NotChecked(hold, people);
        if ((people > 1 && hold.maker() == caller) || (people > 2 && hold.checker() == caller)) {
          return SamePerson("confirm", "记账");
        }
        RETURN_IF_ERROR(GiveBack(tx, tenant, place.book, hold));
        v1::Hold confirmed = hold;
        if (!request.on_date().empty()) {
          confirmed.mutable_voucher()->set_on_date(request.on_date());
          RETURN_IF_ERROR(CheckVoucher(*place.book, confirmed.voucher(), ""));
        }
        Draft draft = DraftOf(place.book, confirmed);
        draft.maker = hold.maker();
        // Who confirms an unchecked voucher of a book of two has checked it.
        draft.checker = hold.checker().empty() && people == 2 ? caller : hold.checker();
        Draft* const drafts[] = {&draft};
        RETURN_IF_ERROR(Post(tx, call, drafts));
        const v1::Voucher posted = ToVoucher(tenant, draft);
        *confirmed.mutable_voucher() = posted;
        confirmed.set_posted(posted.name());
        confirmed.set_state(v1::HOLD_STATE_CONFIRMED);
        confirmed.set_checker(draft.checker);
        confirmed.set_poster(caller);
        confirmed.set_update_time_us(call.clock->NowMicros());
        RETURN_IF_ERROR(Save(tx, tenant, place.book->id, confirmed));
        RETURN_IF_ERROR(Tell(tx, call, confirmed, drafts));
        return confirmed;
      });
}

absl::StatusOr<v1::Hold> Holds::Release(rpc::Call& call, const v1::ReleaseHoldRequest& request) {
  ASSIGN_OR_RETURN(const Place place, Find(call, request.name()));
  return rpc::WriteOnce<v1::Hold>(
      *host_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Hold> {
        ASSIGN_OR_RETURN(v1::Hold hold, Load(tx, call.federation, place.book->id, place.id));
        if (!IsWaiting(hold)) return Ended(hold);
        RETURN_IF_ERROR(GiveBack(tx, call.federation, place.book, hold));
        hold.set_state(v1::HOLD_STATE_RELEASED);
        hold.set_released_by(call.actor.subject);
        hold.set_reason(request.reason());
        hold.set_update_time_us(call.clock->NowMicros());
        RETURN_IF_ERROR(Save(tx, call.federation, place.book->id, hold));
        RETURN_IF_ERROR(Tell(tx, call, hold));
        return hold;
      });
}

absl::StatusOr<v1::Hold> Holds::Get(rpc::Call& call, const v1::GetHoldRequest& request) {
  ASSIGN_OR_RETURN(const Place place, Find(call, request.name()));
  v1::Hold hold;
  RETURN_IF_ERROR(host_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(hold, Load(tx, call.federation, place.book->id, place.id));
    return absl::OkStatus();
  }));
  return hold;
}

absl::StatusOr<v1::ListHoldsResponse> Holds::List(rpc::Call& call,
                                                  const v1::ListHoldsRequest& request) {
  ASSIGN_OR_RETURN(const auto name, ParseName(kBookName, request.parent()));
  ASSIGN_OR_RETURN(const BookPtr book, books_->FindForCaller(call, name.at("book")));
  ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const auto last, rpc::ReadPageToken(request, request.page_token(), 1));
  const std::string before = last.empty() ? "~" : last[0];
  v1::ListHoldsResponse response;
  RETURN_IF_ERROR(host_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    ASSIGN_OR_RETURN(const sql::Rows rows,
                     tx.Run(kListHolds, {call.federation, book->id, before,
                                         int64_t{request.state()}, int64_t{page_size} + 1}));
    const size_t count = std::min(rows.size(), static_cast<size_t>(page_size));
    for (size_t i = 0; i < count; ++i) {
      if (!response.add_holds()->ParseFromString(rows[i].Get<sql::Bytes>(0).data)) {
        return Internal("stored hold unreadable");
      }
    }
    if (rows.size() > count) {
      const std::string& end = response.holds(response.holds_size() - 1).name();
      response.set_next_page_token(rpc::MakePageToken(request, {std::string(LeafOf(end))}));
    }
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<int> Holds::EndExpired(absl::Time deadline) {
  const int64_t now = host_.clock->NowMicros();
  std::vector<std::pair<std::string, std::pair<std::string, std::string>>> expired;
  RETURN_IF_ERROR(host_.db->ReadOnly(deadline, [&](sql::Tx& tx) -> absl::Status {
    expired.clear();
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kExpired, {now, int64_t{kEndedAtOnce}}));
    for (size_t i = 0; i < rows.size(); ++i) {
      expired.push_back({rows[i].Get<std::string>(0),
                         {rows[i].Get<std::string>(1), rows[i].Get<std::string>(2)}});
    }
    return absl::OkStatus();
  }));
  for (const auto& [tenant, key] : expired) {
    rpc::Call call;
    call.federation = tenant;
    call.clock = host_.clock;
    call.deadline = deadline;
    ASSIGN_OR_RETURN(const BookPtr book, books_->Find(call, key.first));
    const std::string& id = key.second;
    RETURN_IF_ERROR(host_.db->ReadWrite(deadline, [&](sql::Tx& tx) -> absl::Status {
      ASSIGN_OR_RETURN(v1::Hold hold, Load(tx, call.federation, book->id, id));
      if (!IsWaiting(hold)) return absl::OkStatus();
      RETURN_IF_ERROR(GiveBack(tx, call.federation, book, hold));
      hold.set_state(v1::HOLD_STATE_EXPIRED);
      hold.set_update_time_us(now);
      RETURN_IF_ERROR(Save(tx, call.federation, book->id, hold));
      return Tell(tx, call, hold);
    }));
  }
  return static_cast<int>(expired.size());
}

}  // namespace gonghui::funds
