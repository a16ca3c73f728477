#include "services/membership/applications.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/id.h"
#include "common/base/resource_name.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/page.h"
#include "common/rpc/update.h"
#include "services/membership/member_rules.h"
#include "services/membership/open_organizations.h"

namespace gonghui::membership {
namespace {

#define APPLICATION_COLUMNS                                                               \
  "application_id, organization, id_index, content, applied_on, state, note, member_id, " \
  "submit_actor, end_actor, create_time_us, end_time_us, version"

constexpr sql::Query kInsert{"membership.insert_application",
                             "INSERT INTO applications (tenant, " APPLICATION_COLUMNS
                             ") VALUES ($1, $2, $3, $4, $5, $6, 1, '', '', $7, '', $8, 0, 1)"};
constexpr sql::Query kFind{"membership.find_application",
                           "SELECT " APPLICATION_COLUMNS
                           " FROM applications WHERE tenant=$1 AND application_id=$2"};
constexpr sql::Query kWaiting{"membership.waiting_application",
                              "SELECT application_id FROM applications WHERE tenant=$1 AND "
                              "id_index=$2 AND state=1"};
constexpr sql::Query kOfPerson{"membership.list_applications_of_person",
                               "SELECT " APPLICATION_COLUMNS
                               " FROM applications WHERE tenant=$1 AND (id_index=$2 OR "
                               "member_id=$3) ORDER BY application_id"};
constexpr sql::Query kErase{"membership.erase_application",
                            "UPDATE applications SET id_index=$3, content=$4, note='' WHERE "
                            "tenant=$1 AND application_id=$2"};
constexpr sql::Query kEnd{
    "membership.end_application",
    "UPDATE applications SET state=$3, note=$4, member_id=$5, end_actor=$6, end_time_us=$7, "
    "version=$8 WHERE tenant=$1 AND application_id=$2 AND version=$8-1"};
constexpr sql::Query kListAll{
    "membership.list_applications",
    "SELECT " APPLICATION_COLUMNS
    " FROM applications WHERE tenant=$1 AND $2='' AND application_id>$3 AND (CAST($4 AS BIGINT)=0 "
    "OR state=$4) ORDER BY application_id LIMIT $5"};
constexpr sql::Query kListOne{
    "membership.list_applications_to",
    "SELECT " APPLICATION_COLUMNS
    " FROM applications WHERE tenant=$1 AND organization=$2 AND application_id>$3 AND (CAST($4 AS "
    "BIGINT)=0 OR state=$4) ORDER BY application_id LIMIT $5"};

std::string ApplicationName(std::string_view federation, std::string_view id) {
  return StrCat("federations/", federation, "/applications/", id);
}

std::string Context(std::string_view federation, std::string_view id) {
  return StrCat(federation, "/applications/", id);
}

Error UnknownApplication(std::string_view id) {
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("there is no application '", id, "'; ListApplications finds them"),
                  StrCat("没有入会申请“", id, "”，可用 ListApplications 查找"))
      .At("name");
}

absl::Status ExpectWaiting(const v1::Application& application) {
  std::string en, zh;
  switch (application.state()) {
    case v1::APPLICATION_STATE_SUBMITTED:
      return absl::OkStatus();
    case v1::APPLICATION_STATE_APPROVED:
      en = "approved", zh = "批准";
      break;
    case v1::APPLICATION_STATE_REFUSED:
      en = "refused", zh = "不予批准";
      break;
    default:
      en = "withdrawn", zh = "撤回";
  }
  return FailedPrecondition(
             common::v1::REASON_STATE_FORBIDS,
             StrCat("the application was ", en, " already; the person may hand in another one"),
             StrCat("该申请已", zh, "，如有需要可另行申请"))
      .With("state", v1::ApplicationState_Name(application.state()))
      .With("allowed", "SubmitApplication")
      .At("name");
}

}  // namespace

absl::StatusOr<Applications::Row> Applications::ToRow(const std::string& federation,
                                                      const sql::Rows::Row& row) const {
  Row result;
  v1::Application& application = result.application;
  const auto id = row.Get<std::string>(0);
  application.set_name(ApplicationName(federation, id));
  result.id_index = row.Get<std::string>(2);
  ASSIGN_OR_RETURN(const std::string content,
                   personal_.Decrypt(row.Get<sql::Bytes>(3).data, Context(federation, id)));
  if (!result.member.ParseFromString(content)) return Internal("an application cannot be read");
  application.set_applied_on(row.Get<std::string>(4));
  application.set_state(static_cast<v1::ApplicationState>(row.Get<int64_t>(5)));
  application.set_note(row.Get<std::string>(6));
  if (const auto member_id = row.Get<std::string>(7); !member_id.empty()) {
    application.set_member_name(MemberName(federation, member_id));
  }
  application.set_submit_actor(row.Get<std::string>(8));
  application.set_end_actor(row.Get<std::string>(9));
  application.set_create_time_us(row.Get<int64_t>(10));
  application.set_end_time_us(row.Get<int64_t>(11));
  result.version = row.Get<int64_t>(12);
  application.set_etag(rpc::MakeEtag(result.version));
  return result;
}

absl::StatusOr<Applications::Row> Applications::Find(sql::Tx& tx, const std::string& federation,
                                                     const std::string& id) const {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFind, {federation, id}));
  if (rows.empty()) return UnknownApplication(id);
  return ToRow(federation, rows[0]);
}

v1::Application Applications::View(const std::string& federation, const Row& row) {
  v1::Application view = row.application;
  MemberRow masked;
  masked.member = row.member;
  v1::Member& member = *view.mutable_member() = MaskedView(federation, masked);
  member.clear_name();
  member.clear_etag();
  member.clear_seniority_from();
  return view;
}

absl::StatusOr<std::vector<v1::Application>> Applications::InClear(sql::Tx& tx,
                                                                   const std::string& federation,
                                                                   const MemberRow& member) const {
  ASSIGN_OR_RETURN(const sql::Rows rows,
                   tx.Run(kOfPerson, {federation, member.id_index, member.id}));
  std::vector<v1::Application> applications;
  for (size_t i = 0; i < rows.size(); ++i) {
    ASSIGN_OR_RETURN(Row row, ToRow(federation, rows[i]));
    *row.application.mutable_member() = std::move(row.member);
    applications.push_back(std::move(row.application));
  }
  return applications;
}

absl::Status Applications::Erase(sql::Tx& tx, const std::string& federation,
                                 const MemberRow& member) const {
  ASSIGN_OR_RETURN(const sql::Rows rows,
                   tx.Run(kOfPerson, {federation, member.id_index, member.id}));
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto id = rows[i].Get<std::string>(0);
    ASSIGN_OR_RETURN(const Row row, ToRow(federation, rows[i]));
    if (row.application.state() == v1::APPLICATION_STATE_SUBMITTED) {
      return FailedPrecondition(
                 common::v1::REASON_STATE_FORBIDS,
                 "an application of this person waits for review; decide on it first",
                 "此人有一份入会申请待审，请先处理")
          .With("application", row.application.name())
          .With("allowed", "ApproveApplication, RefuseApplication, WithdrawApplication")
          .At("name");
    }
    v1::Member left;
    left.set_id_type(std::string(kErased));
    left.set_organization(row.member.organization());
    left.set_joined_on(row.member.joined_on());
    RETURN_IF_ERROR(tx.Run(kErase, {federation, id, StrCat(kErased, "/", id),
                                    sql::Bytes{personal_.Encrypt(left.SerializeAsString(),
                                                                 Context(federation, id))}})
                        .status());
  }
  return absl::OkStatus();
}

absl::Status Applications::CheckPerson(sql::Tx& tx, const std::string& federation, const Row& row,
                                       std::string_view at) const {
  ASSIGN_OR_RETURN(const std::vector<MemberRow> known,
                   register_.store.FindPersons(tx, federation, {row.id_index}));
  if (!known.empty() && known[0].member.state() != "left") {
    return AlreadyRegistered(federation, known[0], row.member.organization(), at);
  }
  if (!known.empty()) {
    ASSIGN_OR_RETURN(const MemberEdit edit,
                     MemberEdit::Begin(tx, register_, federation, known[0].id, "member"));
    return CheckRejoin(tx, federation, edit, row.member.organization(), row.member.joined_on(), at);
  }
  absl::Status open;
  OpenOrganizations organizations(tx, federation);
  RETURN_IF_ERROR(organizations.Check(row.member.organization(), StrCat(at, "organization"), open));
  return open;
}

absl::StatusOr<v1::Application> Applications::Submit(rpc::Call& call,
                                                     const v1::SubmitApplicationRequest& request) {
  Row row;
  row.member = request.member();
  ClearOutputs(row.member);
  RETURN_IF_ERROR(NormalizeMember(catalog_, "member.", row.member));
  RETURN_IF_ERROR(NotInFuture(call, "member.joined_on", row.member.joined_on()));
  row.member.clear_left_on();
  row.id_index =
      register_.store.IndexOf(call.federation, row.member.id_type(), row.member.id_number());
  const std::string id = NewId(call.clock->Now());
  const sql::Bytes sealed{
      personal_.Encrypt(row.member.SerializeAsString(), Context(call.federation, id))};
  return rpc::WriteOnce<
      v1::Application>(db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Application> {
    RETURN_IF_ERROR(CheckPerson(tx, call.federation, row, "member."));
    ASSIGN_OR_RETURN(const sql::Rows waiting, tx.Run(kWaiting, {call.federation, row.id_index}));
    if (!waiting.empty()) {
      return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                                "an application of this person waits for review already; it "
                                "is named in the metadata",
                                "此人已有一份待审的入会申请，见元数据")
          .With("application", ApplicationName(call.federation, waiting[0].Get<std::string>(0)))
          .With("allowed", "ApproveApplication, RefuseApplication, WithdrawApplication")
          .At("member.id_number");
    }
    RETURN_IF_ERROR(
        tx.Run(kInsert, {call.federation, id, row.member.organization(), row.id_index, sealed,
                         row.member.joined_on(), call.actor.subject, call.clock->NowMicros()})
            .status());
    feed::v1::Event event;
    event.set_type("gonghui.membership.v1.ApplicationSubmitted");
    event.add_resources(ApplicationName(call.federation, id));
    RETURN_IF_ERROR(feed::Append(tx, call, std::move(event)));
    ASSIGN_OR_RETURN(const Row written, Find(tx, call.federation, id));
    return View(call.federation, written);
  });
}

absl::StatusOr<std::string> Applications::Admit(sql::Tx& tx, const rpc::Call& call, const Row& row,
                                                const std::string& joined_on,
                                                feed::v1::Event& event) const {
  v1::MemberEvent happened;
  happened.set_kind(v1::MEMBER_EVENT_KIND_JOINED);
  happened.set_on_date(joined_on);
  happened.set_organization(row.member.organization());
  happened.set_related(row.application.name());
  ASSIGN_OR_RETURN(const std::vector<MemberRow> known,
                   register_.store.FindPersons(tx, call.federation, {row.id_index}));
  if (!known.empty()) {
    ASSIGN_OR_RETURN(MemberEdit edit,
                     MemberEdit::Begin(tx, register_, call.federation, known[0].id, "name"));
    edit.Join(row.member.organization(), joined_on);
    RETURN_IF_ERROR(edit.Write(tx, call, std::move(happened), event));
    return edit.id();
  }
  MemberRow made;
  made.id = NewId(call.clock->Now());
  made.member = row.member;
  made.member.set_joined_on(joined_on);
  made.member.set_state("active");
  made.member.set_create_time_us(call.clock->NowMicros());
  made.id_index = row.id_index;
  made.created_by = call.actor.subject;
  const sql::Args args = register_.store.ToArgs(call.federation, made);
  RETURN_IF_ERROR(register_.store.Insert(tx, {&args, 1}).status());
  RETURN_IF_ERROR(AddMemberEvent(tx, call, made.id, std::move(happened)));
  ASSIGN_OR_RETURN(const auto facts, MemberFacts(*register_.kind, made, {}));
  common::v1::RecordFacts& record = *event.add_facts();
  record.set_record(MemberName(call.federation, made.id));
  record.mutable_facts()->Assign(facts.begin(), facts.end());
  event.add_resources(record.record());
  return made.id;
}

template <typename Request>
absl::StatusOr<v1::Application> Applications::End(
    rpc::Call& call, const Request& request, v1::ApplicationState state,
    const std::function<absl::Status(sql::Tx&, Row&, feed::v1::Event&)>& effect) {
  const std::string id(LeafOf(request.name()));
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const Row row, Find(tx, call.federation, id));
    return call.CheckScope(row.member.organization());
  }));
  return rpc::WriteOnce<v1::Application>(
      db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Application> {
        ASSIGN_OR_RETURN(Row row, Find(tx, call.federation, id));
        RETURN_IF_ERROR(rpc::CheckEtag(request.etag(), row.version));
        RETURN_IF_ERROR(ExpectWaiting(row.application));
        feed::v1::Event event;
        RETURN_IF_ERROR(effect(tx, row, event));
        ASSIGN_OR_RETURN(
            const sql::Rows written,
            tx.Run(kEnd, {call.federation, id, static_cast<int64_t>(state), row.application.note(),
                          std::string(LeafOf(row.application.member_name())), call.actor.subject,
                          call.clock->NowMicros(), row.version + 1}));
        if (written.affected() != 1) {
          return Aborted(common::v1::REASON_CONFLICT,
                         "the application was decided by another call at the same moment",
                         "该申请同时被其他操作处理，请查看结果");
        }
        event.set_type(StrCat("gonghui.membership.v1.",
                              state == v1::APPLICATION_STATE_APPROVED  ? "ApplicationApproved"
                              : state == v1::APPLICATION_STATE_REFUSED ? "ApplicationRefused"
                                                                       : "ApplicationWithdrawn"));
        event.add_resources(row.application.name());
        RETURN_IF_ERROR(feed::Append(tx, call, std::move(event)));
        ASSIGN_OR_RETURN(const Row now, Find(tx, call.federation, id));
        return View(call.federation, now);
      });
}

absl::StatusOr<v1::Application> Applications::Approve(
    rpc::Call& call, const v1::ApproveApplicationRequest& request) {
  RETURN_IF_ERROR(NotInFuture(call, "joined_on", request.joined_on()));
  auto approved = End(call, request, v1::APPLICATION_STATE_APPROVED,
                      [&](sql::Tx& tx, Row& row, feed::v1::Event& event) -> absl::Status {
                        if (request.joined_on() < row.application.applied_on()) {
                          return DateBefore("joined_on", request.joined_on(), "day of applying",
                                            row.application.applied_on());
                        }
                        RETURN_IF_ERROR(CheckPerson(tx, call.federation, row, ""));
                        ASSIGN_OR_RETURN(const std::string member_id,
                                         Admit(tx, call, row, request.joined_on(), event));
                        row.application.set_member_name(MemberName(call.federation, member_id));
                        return absl::OkStatus();
                      });
  if (approved.ok()) {
    RETURN_IF_ERROR(RaiseMember(db_, cache_, call, std::string(LeafOf(approved->member_name()))));
  }
  return approved;
}

absl::StatusOr<v1::Application> Applications::Refuse(rpc::Call& call,
                                                     const v1::RefuseApplicationRequest& request) {
  return End(call, request, v1::APPLICATION_STATE_REFUSED,
             [&](sql::Tx&, Row& row, feed::v1::Event&) {
               row.application.set_note(request.note());
               return absl::OkStatus();
             });
}

absl::StatusOr<v1::Application> Applications::Withdraw(
    rpc::Call& call, const v1::WithdrawApplicationRequest& request) {
  return End(call, request, v1::APPLICATION_STATE_WITHDRAWN,
             [&](sql::Tx&, Row& row, feed::v1::Event&) {
               row.application.set_note(request.note());
               return absl::OkStatus();
             });
}

absl::StatusOr<v1::Application> Applications::Get(rpc::Call& call,
                                                  const v1::GetApplicationRequest& request) {
  v1::Application view;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const Row row, Find(tx, call.federation, std::string(LeafOf(request.name()))));
    view = View(call.federation, row);
    return absl::OkStatus();
  }));
  RETURN_IF_ERROR(call.CheckScope(view.member().organization()));
  return view;
}

absl::StatusOr<v1::ListApplicationsResponse> Applications::List(
    rpc::Call& call, const v1::ListApplicationsRequest& request) {
  ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const std::vector<std::string> after,
                   rpc::ReadPageToken(request, request.page_token(), 1));
  ASSIGN_OR_RETURN(const auto tree, tree_.Get(call.federation, request.organization()));
  const bool all = request.organization().empty() || request.organization() == tree->Root();
  std::vector<std::string> organizations = {""};
  if (!all) organizations = tree->Subtree(request.organization(), call.Today());
  std::vector<sql::Args> keys;
  for (const std::string& organization : organizations) {
    keys.push_back({call.federation, organization, after.empty() ? "" : after[0],
                    static_cast<int64_t>(request.state()), int64_t{page_size} + 1});
  }
  std::map<std::string, v1::Application> found;  // Oldest first.
  absl::Status unreadable;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) {
    found.clear();
    return tx.ReadMany(all ? kListAll : kListOne, keys, [&](const sql::Rows::Row& in) {
      absl::StatusOr<Row> row = ToRow(call.federation, in);
      unreadable.Update(row.status());
      if (row.ok()) found.emplace(in.Get<std::string>(0), View(call.federation, *row));
    });
  }));
  RETURN_IF_ERROR(unreadable);
  v1::ListApplicationsResponse response;
  for (auto& [id, application] : found) {
    if (response.applications_size() == page_size) {
      const std::string& last = response.applications(page_size - 1).name();
      response.set_next_page_token(rpc::MakePageToken(request, {std::string(LeafOf(last))}));
      break;
    }
    *response.add_applications() = std::move(application);
  }
  return response;
}

}  // namespace gonghui::membership
