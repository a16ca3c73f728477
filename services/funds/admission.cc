#include "services/funds/admission.h"

#include <set>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::funds {
namespace {

constexpr std::string_view kPostSoftClosed = "funds.months.post_soft_closed";

constexpr sql::Query kFindAttachment{
    "funds.find_attachment",
    "SELECT digest FROM attachments WHERE tenant = $1 AND book_id = $2 AND digest = $3"};

absl::Status Closed(const Draft& draft, const BookState& state, bool hard, std::string_view at) {
  const std::string& through = hard ? state.hard_closed_through : state.soft_closed_through;
  return FailedPrecondition(
             common::v1::REASON_PERIOD_CLOSED,
             StrCat("Book '", draft.book->id, "' is closed through ", through,
                    ", and the voucher is of ", draft.voucher->on_date(),
                    "; date it later and name the month in 'restates'",
                    hard ? "." : ", or have the month reopened."),
             StrCat("账套“", draft.book->id, "”已结账至 ", through, "，凭证日期为 ",
                    draft.voucher->on_date(), "；请记入未结账月份并在 restates 中注明所更正的月份",
                    hard ? "。" : "，或请先反结账。"))
      .With("closed_through", through)
      .With("book", draft.book->id)
      .At(StrCat(at, "on_date"));
}

absl::Status NeedsPeople(const Draft& draft, const BookState& state) {
  return FailedPrecondition(
             common::v1::REASON_DUTIES_NOT_SEPARATED,
             StrCat("Vouchers of book '", draft.book->id, "' need ", state.people,
                    " people; reserve it with CreateHold and have others check and confirm it."),
             StrCat("账套“", draft.book->id, "”的凭证须由 ", state.people,
                    " 人分别办理；请用 CreateHold 提交，由他人复核、记账。"))
      .With("book", draft.book->id);
}

absl::Status NotClosedYet(const Draft& draft, std::string_view at) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat("Month ", draft.voucher->restates(),
                                " is not closed; post into it instead of restating it."),
                         StrCat("月份 ", draft.voucher->restates(), " 尚未结账；请直接记入该月。"))
      .With("restates", draft.voucher->restates())
      .At(StrCat(at, "restates"));
}

absl::Status NoSuchAttachment(const std::string& digest, std::string_view at) {
  return InvalidArgument(common::v1::REASON_REFERENCE_NOT_FOUND,
                         StrCat("The book holds no attachment ", digest,
                                "; store it with CreateAttachment first."),
                         StrCat("账套中没有附件 ", digest, "；请先上传附件。"))
      .With("digest", digest)
      .At(std::string(at));
}

absl::Status CheckState(const Draft& draft, const BookState& state, std::string_view at) {
  const std::string_view month = MonthOf(*draft.voucher);
  const std::string& restates = draft.voucher->restates();
  if (draft.by_person && state.people > 1) return NeedsPeople(draft, state);
  if (!restates.empty() && restates > state.soft_closed_through) return NotClosedYet(draft, at);
  if (month <= state.hard_closed_through) return Closed(draft, state, true, at);
  if (month <= state.soft_closed_through && !draft.closing &&
      !draft.call->CheckScope(kPostSoftClosed, draft.book->organization).ok()) {
    return Closed(draft, state, false, at);
  }
  return absl::OkStatus();
}

absl::Status CheckAttachments(sql::Tx& tx, const std::string& tenant,
                              absl::Span<Draft* const> drafts, std::string_view at) {
  std::vector<sql::Args> keys;
  for (const Draft* draft : drafts) {
    if (!IsToPost(*draft)) continue;
    for (const v1::Attachment& attachment : draft->voucher->attachments()) {
      keys.push_back({tenant, draft->book->id, attachment.digest()});
    }
  }
  if (keys.empty()) return absl::OkStatus();
  std::set<std::string> known;
  RETURN_IF_ERROR(tx.ReadMany(kFindAttachment, keys, [&](const sql::Rows::Row& row) {
    known.insert(row.Get<std::string>(0));
  }));
  for (Draft* draft : drafts) {
    for (int i = 0; i < draft->voucher->attachments_size() && draft->status.ok(); ++i) {
      const std::string& digest = draft->voucher->attachments(i).digest();
      if (known.contains(digest)) continue;
      draft->status = NoSuchAttachment(digest, StrCat(at, "attachments[", i, "].digest"));
    }
  }
  return absl::OkStatus();
}

Spending SpendingOf(const Draft& draft, const BookStates& states) {
  return {draft.book.get(), draft.voucher, draft.dimensions,
          states.find(draft.book->id)->second.controlled};
}

absl::Status TakeControls(sql::Tx& tx, const std::string& tenant, const BookStates& states,
                          absl::Span<Draft* const> drafts, std::string_view at, Controls::As as) {
  std::vector<Spending> spendings;
  std::vector<Draft*> spenders;
  for (Draft* draft : drafts) {
    if (!IsToPost(*draft) || draft->closing) continue;
    Spending spending = SpendingOf(*draft, states);
    const auto has_fund = [](const DimensionMap& map) { return map.contains(kFundKey); };
    if (!spending.controlled &&
        std::none_of(draft->dimensions.begin(), draft->dimensions.end(), has_fund)) {
      continue;
    }
    spendings.push_back(spending);
    spenders.push_back(draft);
  }
  if (spendings.empty()) return absl::OkStatus();
  Controls controls(tx, tenant);
  RETURN_IF_ERROR(controls.Read(spendings));
  for (size_t i = 0; i < spendings.size(); ++i) {
    spenders[i]->status = controls.Take(spendings[i], as, at, spenders[i]->warnings);
  }
  return controls.Write();
}

}  // namespace

absl::StatusOr<BookStates> Admit(sql::Tx& tx, const std::string& tenant,
                                 absl::Span<Draft* const> drafts, std::string_view at,
                                 Controls::As as) {
  std::set<BookMonth> months;
  for (Draft* draft : drafts) {
    if (!IsToPost(*draft)) continue;
    draft->status = CompleteDimensions(*draft, at);
    if (draft->status.ok()) {
      months.insert({draft->book->id, std::string(MonthOf(*draft->voucher))});
    }
  }
  const std::vector<BookMonth> keys(months.begin(), months.end());
  ASSIGN_OR_RETURN(BookStates states, ReadStates(tx, tenant, keys));
  for (Draft* draft : drafts) {
    if (!IsToPost(*draft)) continue;
    const auto it = states.find(draft->book->id);
    if (it == states.end()) return Internal("a book without state");
    draft->status = CheckState(*draft, it->second, at);
  }
  RETURN_IF_ERROR(CheckAttachments(tx, tenant, drafts, at));
  RETURN_IF_ERROR(TakeControls(tx, tenant, states, drafts, at, as));
  return states;
}

}  // namespace gonghui::funds
