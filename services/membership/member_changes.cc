#include "services/membership/member_changes.h"

#include <algorithm>
#include <set>
#include <utility>

#include "common/base/text.h"
#include "services/membership/codes.h"
#include "services/membership/organization_rules.h"

namespace gonghui::membership {

v1::MemberEvent Happened(v1::MemberEventKind kind, const std::string& on_date,
                         const v1::Member& member, const std::string& reason) {
  v1::MemberEvent event;
  event.set_kind(kind);
  event.set_on_date(on_date);
  event.set_organization(member.organization());
  event.set_reason(reason);
  return event;
}

v1::MemberEvent Corrected(const rpc::Call& call, const v1::Member& member,
                          const std::vector<std::string>& fields) {
  v1::MemberEvent event = Happened(v1::MEMBER_EVENT_KIND_CORRECTED, call.Today(), member, "");
  event.mutable_fields()->Assign(fields.begin(), fields.end());
  return event;
}

absl::Status CheckLeaving(const catalog::Catalog& catalog, std::string_view at, std::string& reason,
                          const std::string& document) {
  RETURN_IF_ERROR(ToCode(catalog, "leave_reason", StrCat(at, "reason"), reason));
  if (reason == kReorganisation) {
    return InvalidArgument(
               common::v1::REASON_FIELD_INVALID,
               "members carried on by a reorganisation do not leave; use MergeOrganizations or "
               "SplitOrganization",
               "组织调整随转不是离会，请用合并（MergeOrganizations）或拆分（SplitOrganization）")
        .At(StrCat(at, "reason"));
  }
  if (reason == kTransfer) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           "members who are transferred do not leave; use StartTransfer",
                           "转会接转不是离会，请用转会（StartTransfer）")
        .At(StrCat(at, "reason"));
  }
  if (catalog.FindCode("leave_document", reason) != nullptr && Strip(document).empty()) {
    return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                           StrCat("leaving for '", reason,
                                  "' needs the number of the resolution or certificate; fill it"),
                           StrCat("离会原因“", reason, "”须填写决议或证明文号"))
        .With("reason", reason)
        .At(StrCat(at, "document"));
  }
  return absl::OkStatus();
}

absl::Status CheckRetaining(const rpc::Call& call, const catalog::Catalog& catalog,
                            std::string_view at, std::string& reason, const std::string& day) {
  RETURN_IF_ERROR(ToCode(catalog, "retain_reason", StrCat(at, "reason"), reason));
  return NotInFuture(call, StrCat(at, "retained_from"), day);
}

absl::Status CheckExpected(const v1::ChangeMembersRequest& request, int64_t selected) {
  if (request.expected() == 0 || request.expected() == selected) return absl::OkStatus();
  return FailedPrecondition(common::v1::REASON_PLAN_STALE,
                            StrCat("the filter selects ", selected, " members now, not ",
                                   request.expected(), " as expected; look at them anew"),
                            StrCat("当前选中 ", selected, " 人，与预期的 ", request.expected(),
                                   " 人不符，请重新预览"))
      .With("selected", StrCat(selected))
      .With("expected", StrCat(request.expected()))
      .At("expected");
}

absl::StatusOr<v1::MemberEvent> EndMembership(MemberEdit& edit, const std::string& day,
                                              const std::string& reason,
                                              const std::string& document) {
  RETURN_IF_ERROR(edit.ExpectState("active"));
  if (day < edit.member().joined_on()) {
    return DateBefore("left_on", day, "day of joining", edit.member().joined_on());
  }
  v1::MemberEvent happened = Happened(v1::MEMBER_EVENT_KIND_LEFT, day, edit.member(), reason);
  happened.set_document(document);
  edit.Leave(day, reason);
  return happened;
}

absl::StatusOr<v1::MemberEvent> RetainMember(sql::Tx& tx, const rpc::Call& call, MemberEdit& edit,
                                             const std::string& day, const std::string& reason) {
  RETURN_IF_ERROR(edit.ExpectState("active"));
  if (!edit.member().retained_from().empty()) {
    return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                              "the membership is retained already; ResumeMember ends that",
                              "该会员已保留会籍，可用恢复（ResumeMember）结束")
        .With("state", "retained")
        .With("allowed", "ResumeMember, LeaveMember")
        .At("name");
  }
  std::string since = edit.member().joined_on();
  ASSIGN_OR_RETURN(const std::vector<Retention> earlier,
                   FindRetentions(tx, call.federation, edit.id()));
  if (!earlier.empty()) since = std::max(since, earlier.back().to);
  if (day < since) {
    return DateBefore("retained_from", day, "day of joining or of the last change", since);
  }
  edit.Retain(day, reason);
  return Happened(v1::MEMBER_EVENT_KIND_RETAINED, day, edit.member(), reason);
}

bool SetTag(MemberEdit& edit, const std::string& tag, bool add) {
  auto& stored = *edit.row().member.mutable_group_tags();
  std::set<std::string> tags(stored.begin(), stored.end());
  const bool changed = add ? tags.insert(tag).second : tags.erase(tag) > 0;
  stored.Assign(tags.begin(), tags.end());
  return changed;
}

}  // namespace gonghui::membership
