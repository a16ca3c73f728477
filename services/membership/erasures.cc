#include "services/membership/erasures.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/time/civil_time.h"
#include "common/base/date.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/records/record_store.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/update.h"
#include "services/membership/codes.h"

namespace gonghui::membership {
namespace {

constexpr sql::Query kAbsorbed{"membership.find_absorbed_members",
                               "SELECT member_id FROM members WHERE tenant=$1 AND merged_into=$2"};
constexpr sql::Query kDropEmployments{"membership.drop_employments",
                                      "DELETE FROM employments WHERE tenant=$1 AND member_id=$2"};
constexpr sql::Query kClearNotes{"membership.clear_transfer_notes",
                                 "UPDATE transfers SET note='' WHERE tenant=$1 AND member_id=$2"};
constexpr sql::Query kClearCards{"membership.clear_card_subjects",
                                 "UPDATE cards SET subject=$3 WHERE tenant=$1 AND member_id=$2"};
constexpr sql::Query kFindMerges{
    "membership.find_merges_of_member",
    "SELECT merge_id FROM member_merges WHERE tenant=$1 AND (survivor=$2 OR absorbed=$2)"};
constexpr sql::Query kClearMerge{
    "membership.clear_member_merge",
    "UPDATE member_merges SET undo=$3, conflicts=$4 WHERE tenant=$1 AND merge_id=$2"};
constexpr sql::Query kAnswers{
    "membership.find_stored_answers",
    "SELECT caller, method, request_id, response FROM requests WHERE tenant=$1 AND "
    "create_time_us>=$2"};
constexpr sql::Query kClearAnswer{
    "membership.clear_stored_answer",
    "UPDATE requests SET response=$5 WHERE tenant=$1 AND caller=$2 AND method=$3 AND "
    "request_id=$4"};
constexpr sql::Query kInsert{"membership.insert_erasure",
                             "INSERT INTO member_erasures (tenant, member_id, reason, document, "
                             "actor, erase_time_us) VALUES "
                             "($1, $2, $3, $4, $5, $6)"};

// REASON_STATE_FORBIDS before the day from which the data may go.
absl::Status CheckRetention(const catalog::Catalog& catalog, const rpc::Call& call,
                            const v1::Member& member) {
  ASSIGN_OR_RETURN(const int64_t years, LimitOn(catalog, "member_retention_years", call.Today()));
  ASSIGN_OR_RETURN(const absl::CivilDay left, ParseDate(member.left_on()));
  const std::string over(FromAbsl(
      absl::FormatCivilTime(absl::CivilDay(left.year() + years, left.month(), left.day()))));
  if (over <= call.Today()) return absl::OkStatus();
  return FailedPrecondition(
             common::v1::REASON_STATE_FORBIDS,
             StrCat("data of members who left are kept for ", years, " years, here until ", over,
                    "; erase them then, or name a reason of the code list erasure_at_once"),
             StrCat("离会会员资料保管 ", years, " 年，至 ", over,
                    " 止；请届时再删除，或选用代码表 erasure_at_once 中的原因"))
      .With("kept_until", over)
      .With("limit", "member_retention_years")
      .At("name");
}

// What stays of a member: a membership without a person.
void MakeTombstone(MemberRow& row) {
  v1::Member left;
  left.set_id_type(std::string(kErased));
  left.set_organization(row.member.organization());
  left.set_sex(row.member.sex());
  left.set_joined_on(row.member.joined_on());
  left.set_left_on(row.member.left_on());
  left.set_state(row.member.state());
  left.set_seniority_from(row.member.seniority_from());
  left.set_merged_into(row.member.merged_into());
  left.set_create_time_us(row.member.create_time_us());
  row.member = std::move(left);
  row.id_index = StrCat(kErased, "/", row.id);
}

}  // namespace

absl::StatusOr<std::vector<Erasures::Shown>> Erasures::FindShown(rpc::Call& call,
                                                                 const std::string& id) const {
  std::vector<Shown> shown;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    shown.clear();
    ASSIGN_OR_RETURN(const std::optional<MemberRow> row,
                     register_.store.Find(tx, call.federation, id));
    if (!row.has_value()) return UnknownMember(id, "name");
    RETURN_IF_ERROR(call.CheckScope(row->member.organization()));
    ASSIGN_OR_RETURN(const std::vector<MemberRow> rows, FindAll(tx, call.federation, *row));
    for (const MemberRow& one : rows) {
      shown.push_back({MemberName(call.federation, one.id), one.member.full_name(),
                       one.member.create_time_us()});
      ASSIGN_OR_RETURN(const std::vector<v1::Application> applications,
                       applications_.InClear(tx, call.federation, one));
      for (const v1::Application& application : applications) {
        shown.push_back(
            {application.name(), application.member().full_name(), application.create_time_us()});
      }
    }
    return absl::OkStatus();
  }));
  return shown;
}

absl::StatusOr<std::vector<sql::Args>> Erasures::FindAnswers(
    const rpc::Call& call, const std::vector<Shown>& shown) const {
  std::vector<sql::Args> found;
  int64_t since = call.clock->NowMicros();
  for (const Shown& one : shown) since = std::min(since, one.since_us);
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) {
    found.clear();
    return tx.Stream(kAnswers, {call.federation, since}, [&](const sql::Rows::Row& row) {
      const std::string response = row.Get<sql::Bytes>(3).data;
      const bool shows = std::any_of(shown.begin(), shown.end(), [&](const Shown& one) {
        return !one.full_name.empty() && response.find(one.resource) != std::string::npos &&
               response.find(one.full_name) != std::string::npos;
      });
      if (shows) {
        found.push_back({call.federation, row.Get<std::string>(0), row.Get<std::string>(1),
                         row.Get<std::string>(2), sql::Bytes{}});
      }
      return absl::OkStatus();
    });
  }));
  return found;
}

absl::StatusOr<std::vector<MemberRow>> Erasures::FindAll(sql::Tx& tx, const std::string& federation,
                                                         const MemberRow& member) const {
  std::vector<MemberRow> all = {member};
  for (size_t i = 0; i < all.size(); ++i) {
    ASSIGN_OR_RETURN(const sql::Rows absorbed, tx.Run(kAbsorbed, {federation, all[i].id}));
    for (size_t a = 0; a < absorbed.size(); ++a) {
      ASSIGN_OR_RETURN(std::optional<MemberRow> row,
                       register_.store.Find(tx, federation, absorbed[a].Get<std::string>(0)));
      if (row.has_value()) all.push_back(*std::move(row));
    }
  }
  return all;
}

absl::Status Erasures::EraseOne(sql::Tx& tx, const std::string& federation, MemberRow& row) const {
  RETURN_IF_ERROR(applications_.Erase(tx, federation, row));
  MakeTombstone(row);
  ++row.version;
  RETURN_IF_ERROR(register_.store.Update(tx, federation, row));
  RETURN_IF_ERROR(tx.Run(kDropEmployments, {federation, row.id}).status());
  RETURN_IF_ERROR(tx.Run(kClearNotes, {federation, row.id}).status());
  RETURN_IF_ERROR(tx.Run(kClearCards, {federation, row.id, row.id_index}).status());
  ASSIGN_OR_RETURN(const sql::Rows merges, tx.Run(kFindMerges, {federation, row.id}));
  for (size_t i = 0; i < merges.size(); ++i) {
    const auto id = merges[i].Get<std::string>(0);
    const std::string context = StrCat("federations/", federation, "/memberMerges/", id);
    RETURN_IF_ERROR(
        tx.Run(kClearMerge, {federation, id, sql::Bytes{personal_.Encrypt("{}", context)},
                             sql::Bytes{personal_.Encrypt("", context)}})
            .status());
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Member> Erasures::Erase(rpc::Call& call, const v1::EraseMemberRequest& request) {
  const std::string id(LeafOf(request.name()));
  std::string reason = request.reason();
  RETURN_IF_ERROR(ToCode(catalog_, "erasure_reason", "reason", reason));
  const bool at_once = catalog_.FindCode("erasure_at_once", reason) != nullptr;
  if (at_once && Strip(request.document()).empty()) {
    return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                           "an erasure that does not wait for the limit names the decision behind "
                           "it in 'document'",
                           "未满保管期限的删除须在 document 中注明依据文号")
        .At("document");
  }
  ASSIGN_OR_RETURN(const std::vector<Shown> shown, FindShown(call, id));
  ASSIGN_OR_RETURN(const std::vector<sql::Args> answers, FindAnswers(call, shown));
  std::set<std::string> raised = {id};
  auto erased = rpc::WriteOnce<v1::Member>(
      db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Member> {
        ASSIGN_OR_RETURN(const MemberEdit edit,
                         MemberEdit::Begin(tx, register_, call.federation, id, "name"));
        RETURN_IF_ERROR(rpc::CheckEtag(request.etag(), edit.row().version));
        RETURN_IF_ERROR(edit.ExpectState("left"));
        if (!at_once) RETURN_IF_ERROR(CheckRetention(catalog_, call, edit.member()));
        ASSIGN_OR_RETURN(std::vector<MemberRow> rows, FindAll(tx, call.federation, edit.row()));
        feed::v1::Event event;
        event.set_type("gonghui.membership.v1.MemberErased");
        for (MemberRow& row : rows) {
          raised.insert(row.id);
          RETURN_IF_ERROR(records::ErasePersons(tx, catalog_, call.federation, {row.id_index},
                                                call.clock->NowMicros()));
          RETURN_IF_ERROR(EraseOne(tx, call.federation, row));
          RETURN_IF_ERROR(tx.Run(kInsert, {call.federation, row.id, reason, request.document(),
                                           call.actor.subject, call.clock->NowMicros()})
                              .status());
          event.add_resources(MemberName(call.federation, row.id));
        }
        RETURN_IF_ERROR(tx.RunMany(kClearAnswer, answers).status());
        RETURN_IF_ERROR(feed::Append(tx, call, std::move(event)));
        return MaskedView(call.federation, rows[0]);
      });
  for (const std::string& member : raised) {
    const absl::Status done = RaiseMember(db_, cache_, call, member);
    if (erased.ok()) RETURN_IF_ERROR(done);
  }
  return erased;
}

}  // namespace gonghui::membership
