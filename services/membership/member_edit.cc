#include "services/membership/member_edit.h"

#include <algorithm>

#include "common/base/text.h"
#include "common/catalog/fact_rules.h"
#include "services/membership/card_rows.h"
#include "services/membership/open_organizations.h"
#include "services/membership/organization_rules.h"

namespace gonghui::membership {
namespace {

using common::v1::Fact;

constexpr sql::Query kVersion{"membership.member_version",
                              "SELECT version FROM members WHERE tenant=$1 AND member_id=$2"};

Error Registered(const std::string& federation, const MemberRow& existing, std::string_view at) {
  const v1::Member& member = existing.member;
  if (member.state() == kMerged) {
    return AlreadyExists(common::v1::REASON_ALREADY_EXISTS,
                         "this number belongs to a record that was merged into the member named in "
                         "the metadata; go on with that one",
                         "该号码的记录已并入元数据中的会员，请改用该会员")
        .With("member", MemberName(federation, member.merged_into()))
        .At(StrCat(at, "id_number"));
  }
  if (member.state() == "left") {
    return AlreadyExists(common::v1::REASON_ALREADY_EXISTS,
                         "the person was a member and left; use JoinMember on the member named in "
                         "the metadata",
                         "此人曾入会后已离会，请对元数据中的会员办理重新入会（JoinMember）")
        .With("member", MemberName(federation, existing.id))
        .At(StrCat(at, "id_number"));
  }
  return AlreadyExists(common::v1::REASON_ALREADY_EXISTS,
                       "the person is a member of this organisation already; use UpdateMember to "
                       "change the data",
                       "此人已是本工会会员；如需更正登记内容请用修改（UpdateMember）")
      .With("member", MemberName(federation, existing.id))
      .At(StrCat(at, "id_number"));
}

Error Elsewhere(const MemberRow& existing, std::string_view at) {
  const std::string& organization = existing.member.organization();
  return FailedPrecondition(
             common::v1::REASON_MEMBER_ELSEWHERE,
             StrCat("the person is an active member of the organisation '", organization,
                    "'; ask for a transfer by StartTransfer"),
             StrCat("此人是工会“", organization, "”的在册会员，请办理转会（StartTransfer）"))
      .With("organization", organization)
      .At(StrCat(at, "id_number"));
}

}  // namespace

absl::Status AlreadyRegistered(const std::string& federation, const MemberRow& existing,
                               const std::string& organization, std::string_view at) {
  const bool elsewhere = existing.member.organization() != organization;
  if (elsewhere && existing.member.state() == "active") return Elsewhere(existing, at);
  return Registered(federation, existing, at);
}

Error UnknownMember(const std::string& id, std::string_view field) {
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("there is no member '", id, "'; ListMembers finds members"),
                  StrCat("没有会员“", id, "”，可用 ListMembers 查找"))
      .With("member", id)
      .At(std::string(field));
}

Error DateBefore(std::string_view field, const std::string& date, std::string_view than,
                 const std::string& limit) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat(date, " lies before ", limit, ", the ", than, "; correct it"),
                         StrCat(date, " 早于 ", limit, "，请更正"))
      .With("date", date)
      .With("limit", limit)
      .At(std::string(field));
}

absl::Status NotInFuture(const rpc::Call& call, std::string_view field, const std::string& date) {
  const std::string today = call.Today();
  if (date <= today) return absl::OkStatus();
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat(date, " lies in the future (today is ", today,
                                "); record it on the day, or correct the date"),
                         StrCat(date, " 晚于今天（", today, "），请届时再登记或更正日期"))
      .With("date", date)
      .With("today", today)
      .At(std::string(field));
}

absl::Status ErasedForGood(std::string_view field) {
  return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                            "the personal data of this former member were erased for good; a "
                            "person who joins again is a new member (CreateMember)",
                            "该会员的个人信息已删除且不可恢复；再次入会请新建会员（CreateMember）")
      .With("state", std::string(kErased))
      .With("allowed", "CreateMember")
      .At(std::string(field));
}

absl::StatusOr<MemberEdit> MemberEdit::Begin(sql::Tx& tx, const MemberRegister& members,
                                             const std::string& federation, const std::string& id,
                                             std::string_view field) {
  ASSIGN_OR_RETURN(std::optional<MemberRow> row, members.store.Find(tx, federation, id));
  if (!row.has_value()) return UnknownMember(id, field);
  if (row->member.id_type() == kErased) {
    return ErasedForGood(field);
  }
  ASSIGN_OR_RETURN(std::vector<PastMembership> past, members.store.FindPast(tx, federation, id));
  return MemberEdit(members, federation, *std::move(row), std::move(past));
}

absl::Status MemberEdit::ExpectState(std::string_view state) const {
  const v1::Member& member = row_.member;
  if (member.state() == state) return absl::OkStatus();
  if (member.state() == kMerged) {
    return FailedPrecondition(
               common::v1::REASON_STATE_FORBIDS,
               "this record was merged into another member; go on with that one, "
               "or take the merger back by UnmergeMembers",
               "该记录已并入另一会员，请改用合并后的会员，或撤回合并（UnmergeMembers）")
        .With("state", member.state())
        .With("member", MemberName(federation_, member.merged_into()))
        .With("allowed", "UnmergeMembers")
        .At("name");
  }
  const bool left = member.state() == "left";
  return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                            left ? "the member has left; JoinMember takes the person back in"
                                 : "the member is active; LeaveMember ends the membership first",
                            left ? "该会员已离会，可办理重新入会（JoinMember）"
                                 : "该会员在册，请先办理离会（LeaveMember）")
      .With("state", member.state())
      .With("allowed", left ? "JoinMember" : "LeaveMember, UpdateMember")
      .At("name");
}

void MemberEdit::KeepMembership() {
  const v1::Member& member = row_.member;
  past_.push_back({member.organization(), member.joined_on(), member.left_on(), row_.leave_reason});
}

bool MemberEdit::EndsSeniority(const std::string& reason) const {
  return members_->catalog->FindCode("seniority_end", reason) != nullptr;
}

void MemberEdit::Leave(const std::string& day, const std::string& reason) {
  if (!row_.member.retained_from().empty()) Resume(std::max(day, row_.member.retained_from()));
  row_.member.set_left_on(day);
  row_.member.set_state("left");
  row_.leave_reason = reason;
}

void MemberEdit::Join(const std::string& organization, const std::string& day) {
  v1::Member& member = row_.member;
  if (EndsSeniority(row_.leave_reason)) {
    member.clear_seniority_from();
  } else if (member.seniority_from().empty()) {
    member.set_seniority_from(member.joined_on());
  }
  KeepMembership();
  member.set_organization(organization);
  member.set_joined_on(day);
  member.clear_left_on();
  member.set_state("active");
  row_.leave_reason.clear();
}

void MemberEdit::Transfer(const std::string& organization, const std::string& day) {
  Leave(day, std::string(kTransfer));
  Join(organization, day);
}

void MemberEdit::Retain(const std::string& day, const std::string& reason) {
  row_.member.set_retained_from(day);
  row_.retain_reason = reason;
}

void MemberEdit::Resume(const std::string& day) {
  ended_retentions_.push_back({row_.member.retained_from(), day, row_.retain_reason});
  row_.member.clear_retained_from();
  row_.retain_reason.clear();
}

absl::Status MemberEdit::Write(sql::Tx& tx, const rpc::Call& call, v1::MemberEvent happened,
                               feed::v1::Event& event) {
  ++row_.version;
  RETURN_IF_ERROR(members_->store.Update(tx, federation_, row_));
  RETURN_IF_ERROR(MemberStore::WritePast(tx, federation_, row_.id, past_before_, past_));
  for (const Retention& ended : ended_retentions_) {
    RETURN_IF_ERROR(AddRetention(tx, federation_, row_.id, ended));
  }
  RETURN_IF_ERROR(AddMemberEvent(tx, call, row_.id, std::move(happened)));
  ASSIGN_OR_RETURN(const std::vector<Fact> before,
                   MemberFacts(*members_->kind, before_, past_before_));
  ASSIGN_OR_RETURN(const std::vector<Fact> after, MemberFacts(*members_->kind, row_, past_));
  const std::string name = MemberName(federation_, row_.id);
  event.add_resources(name);
  const std::vector<Fact> difference = catalog::FactChanges(before, after);
  if (!difference.empty()) {
    common::v1::RecordFacts& record = *event.add_facts();
    record.set_record(name);
    record.mutable_facts()->Assign(difference.begin(), difference.end());
  }
  return MoveCards(tx, federation_, *members_->card_kind, before_, row_, event);
}

absl::Status CheckRejoin(sql::Tx& tx, const std::string& federation, const MemberEdit& edit,
                         const std::string& organization, const std::string& joined_on,
                         std::string_view at) {
  RETURN_IF_ERROR(edit.ExpectState("left"));
  if (edit.row().leave_reason == "deceased") {
    return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                              "the member is recorded as deceased; if that is wrong, ask whoever "
                              "recorded it for a correction",
                              "该会员已登记死亡，如登记有误请由登记方更正")
        .With("state", edit.member().state())
        .At("name");
  }
  if (joined_on < edit.member().left_on()) {
    return DateBefore(StrCat(at, "joined_on"), joined_on, "end of the last membership",
                      edit.member().left_on());
  }
  absl::Status open;
  OpenOrganizations organizations(tx, federation);
  RETURN_IF_ERROR(organizations.Check(organization, StrCat(at, "organization"), open));
  return open;
}

std::string MemberCacheKey(std::string_view federation, std::string_view id) {
  return StrCat("member/", federation, "/", id, "/masked");
}

absl::Status RaiseMember(sql::Database& db, cache::Cache& cache, const rpc::Call& call,
                         const std::string& id) {
  int64_t version = 0;
  RETURN_IF_ERROR(db.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kVersion, {call.federation, id}));
    version = rows.empty() ? 0 : rows[0].Get<int64_t>(0);
    return absl::OkStatus();
  }));
  return cache.Raise(MemberCacheKey(call.federation, id), version, call.deadline);
}

}  // namespace gonghui::membership
