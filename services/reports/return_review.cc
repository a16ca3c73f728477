#include "services/reports/return_review.h"

#include <algorithm>
#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/update.h"
#include "services/reports/return_facts.h"
#include "services/reports/rollups.h"

namespace gonghui::reports {
namespace {

// The organisation at which a grant must be held to approve at a level (from 1): so many levels
// above the unit, at most the root.
const std::string& Above(const ReturnKey& key, int64_t level) {
  return key.path[std::min(static_cast<size_t>(level), key.path.size() - 1)];
}

absl::Status CheckFourEyes(const rpc::Call& call, const StoredReturn& stored) {
  const std::vector<std::string_view> approved = Split(stored.approved_by, '\n');
  const bool submitted = stored.submitted_by == call.actor.subject;
  const bool approves =
      std::find(approved.begin(), approved.end(), call.actor.subject) != approved.end();
  if (!submitted && !approves) return absl::OkStatus();
  return FailedPrecondition(
      common::v1::REASON_RULE_VIOLATED,
      submitted ? "You submitted this return: somebody else must approve it."
                : "You approved this return at the level before: somebody else must approve it.",
      submitted ? "该报表由您提交，须由他人审核。" : "您已在上一级审核过该报表，须由他人审核。");
}

absl::Status CheckRemarks(const Form& form, const v1::ReviewReturnRequest& request) {
  if (request.approve() && !request.cell_remarks().empty()) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           "remarks on cells go with sending back: leave them or do not approve",
                           "对单元格的意见只用于退回：请去掉意见或不要通过")
        .At("cell_remarks");
  }
  if (!request.approve() && request.remark().empty() && request.cell_remarks().empty()) {
    return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                           "say why the return is sent back: a remark, or remarks on cells",
                           "请说明退回原因：填写意见或对单元格的意见")
        .At("remark");
  }
  for (int i = 0; i < request.cell_remarks_size(); ++i) {
    if (form.Find(request.cell_remarks(i).code()) != nullptr) continue;
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           StrCat("the form '", form.name(), "' has no cell '",
                                  request.cell_remarks(i).code(), "': GetForm shows its cells"),
                           StrCat("报表“", form.name(), "”没有单元格“",
                                  request.cell_remarks(i).code(), "”：请用 GetForm 查看"))
        .At(StrCat("cell_remarks[", i, "].code"));
  }
  return absl::OkStatus();
}

void SendBack(const v1::ReviewReturnRequest& request, StoredReturn& stored, ReturnEdit& edit) {
  for (const v1::CellRemark& remark : request.cell_remarks()) {
    edit.SetRemark(remark.code(), remark.remark());
  }
  edit.SetState(v1::RETURN_STATE_SENT_BACK, request.remark());
  stored.approvals = 0;
  stored.approved_by.clear();
}

}  // namespace

absl::StatusOr<v1::Return> ReturnReview::Review(rpc::Call& call,
                                                const v1::ReviewReturnRequest& request) {
  ASSIGN_OR_RETURN(const ReturnKey key,
                   ResolveReturn(call, *options_.forms, *options_.tree, request.name()));
  RETURN_IF_ERROR(call.CheckScope(Above(key, 1)));
  RETURN_IF_ERROR(CheckRemarks(*key.form, request));
  return rpc::WriteOnce<v1::Return>(
      *options_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Return> {
        ASSIGN_OR_RETURN(StoredReturn stored, LoadReturn(tx, key));
        RETURN_IF_ERROR(CheckState(stored.state,
                                   {v1::RETURN_STATE_SUBMITTED, v1::RETURN_STATE_ENDORSED},
                                   "review it", "审核"));
        RETURN_IF_ERROR(rpc::CheckEtag(request.etag(), stored.version));
        RETURN_IF_ERROR(call.CheckScope(Above(key, stored.approvals + 1)));
        ReturnEdit edit(call, key, stored);
        if (!request.approve()) {
          SendBack(request, stored, edit);
        } else {
          RETURN_IF_ERROR(CheckFourEyes(call, stored));
          ++stored.approvals;
          StrAppend(&stored.approved_by, stored.approved_by.empty() ? "" : "\n",
                    call.actor.subject);
          const bool last = stored.approvals >= key.form->message().approvals();
          edit.SetState(last ? v1::RETURN_STATE_APPROVED : v1::RETURN_STATE_ENDORSED,
                        request.remark());
          if (last) RETURN_IF_ERROR(PostReturn(tx, key, stored, *options_.rollups));
        }
        RETURN_IF_ERROR(edit.Save(tx));
        return ToProto(key, stored, call.Today(), true);
      });
}

absl::StatusOr<v1::Return> ReturnReview::Lock(rpc::Call& call,
                                              const v1::LockReturnRequest& request) {
  ASSIGN_OR_RETURN(const ReturnKey key,
                   ResolveReturn(call, *options_.forms, *options_.tree, request.name()));
  RETURN_IF_ERROR(call.CheckScope(Above(key, 1)));
  return rpc::WriteOnce<v1::Return>(
      *options_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Return> {
        ASSIGN_OR_RETURN(StoredReturn stored, LoadReturn(tx, key));
        RETURN_IF_ERROR(CheckState(stored.state, {v1::RETURN_STATE_APPROVED}, "lock it", "锁定"));
        RETURN_IF_ERROR(rpc::CheckEtag(request.etag(), stored.version));
        ReturnEdit edit(call, key, stored);
        edit.SetState(v1::RETURN_STATE_LOCKED, "");
        RETURN_IF_ERROR(edit.Save(tx));
        return ToProto(key, stored, call.Today(), true);
      });
}

absl::StatusOr<v1::Return> ReturnReview::Reopen(rpc::Call& call,
                                                const v1::ReopenReturnRequest& request) {
  ASSIGN_OR_RETURN(const ReturnKey key,
                   ResolveReturn(call, *options_.forms, *options_.tree, request.name()));
  RETURN_IF_ERROR(call.CheckScope(Above(key, 1)));
  return rpc::WriteOnce<v1::Return>(
      *options_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Return> {
        ASSIGN_OR_RETURN(StoredReturn stored, LoadReturn(tx, key));
        RETURN_IF_ERROR(CheckState(stored.state,
                                   {v1::RETURN_STATE_SUBMITTED, v1::RETURN_STATE_ENDORSED,
                                    v1::RETURN_STATE_APPROVED, v1::RETURN_STATE_LOCKED},
                                   "open it again", "重新打开"));
        RETURN_IF_ERROR(rpc::CheckEtag(request.etag(), stored.version));
        if (stored.state == v1::RETURN_STATE_LOCKED) RETURN_IF_ERROR(call.CheckScope(""));
        ReturnEdit edit(call, key, stored);
        edit.SetState(v1::RETURN_STATE_DRAFT, request.reason());
        stored.approvals = 0;
        stored.approved_by.clear();
        RETURN_IF_ERROR(edit.Save(tx));
        return ToProto(key, stored, call.Today(), true);
      });
}

}  // namespace gonghui::reports
