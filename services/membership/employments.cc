#include "services/membership/employments.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/base/id.h"
#include "common/base/resource_name.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/update.h"
#include "services/membership/codes.h"
#include "services/membership/member_edit.h"

namespace gonghui::membership {
namespace {

using v1::Employment;

constexpr sql::Query kOrganizationOf{
    "membership.organization_of_member",
    "SELECT organization, id_type FROM members WHERE tenant=$1 AND member_id=$2"};
constexpr sql::Query kInsert{
    "membership.insert_employment",
    "INSERT INTO employments (tenant, member_id, employment_id, employer, job, employment, "
    "began_on, ended_on, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1)"};
constexpr sql::Query kUpdate{
    "membership.update_employment",
    "UPDATE employments SET employer=$4, job=$5, employment=$6, began_on=$7, ended_on=$8, "
    "version=$9 WHERE tenant=$1 AND member_id=$2 AND employment_id=$3 AND version=$9-1"};
constexpr sql::Query kDelete{
    "membership.delete_employment",
    "DELETE FROM employments WHERE tenant=$1 AND member_id=$2 AND employment_id=$3"};
constexpr sql::Query kList{
    "membership.list_employments",
    "SELECT employment_id, employer, job, employment, began_on, ended_on, version FROM employments "
    "WHERE tenant=$1 AND member_id=$2 ORDER BY began_on, employment_id"};

struct Stored {
  Employment employment;
  int64_t version;
};

// federations/{f}/members/{m}/employments/{e} -> federations/{f}/members/{m}
std::string_view MemberOf(std::string_view name) {
  return name.substr(0, name.rfind('/', name.rfind('/') - 1));
}

absl::StatusOr<std::vector<Stored>> ReadAll(sql::Tx& tx, const rpc::Call& call,
                                            std::string_view member) {
  ASSIGN_OR_RETURN(const sql::Rows rows,
                   tx.Run(kList, {call.federation, std::string(LeafOf(member))}));
  std::vector<Stored> all;
  for (size_t i = 0; i < rows.size(); ++i) {
    Stored& stored = all.emplace_back();
    Employment& employment = stored.employment;
    employment.set_name(StrCat(member, "/employments/", rows[i].Get<std::string>(0)));
    employment.set_employer(rows[i].Get<std::string>(1));
    employment.set_job(rows[i].Get<std::string>(2));
    employment.set_employment(rows[i].Get<std::string>(3));
    employment.set_began_on(rows[i].Get<std::string>(4));
    employment.set_ended_on(rows[i].Get<std::string>(5));
    stored.version = rows[i].Get<int64_t>(6);
    employment.set_etag(rpc::MakeEtag(stored.version));
  }
  return all;
}

absl::Status CheckNoOverlap(const std::vector<Stored>& all, const Employment& wanted) {
  for (const Stored& stored : all) {
    const Employment& other = stored.employment;
    if (other.name() == wanted.name() || other.employer() != wanted.employer()) continue;
    const bool before = !wanted.ended_on().empty() && wanted.ended_on() < other.began_on();
    const bool after = !other.ended_on().empty() && other.ended_on() < wanted.began_on();
    if (before || after) continue;
    return FailedPrecondition(
               common::v1::REASON_STATE_FORBIDS,
               StrCat("the history holds this employer from ", other.began_on(),
                      " already; end or change that entry first"),
               StrCat("经历中已有该单位自 ", other.began_on(), " 起的记录，请先更正或结束该条"))
        .With("employment", other.name())
        .With("allowed", "UpdateEmployment, DeleteEmployment")
        .At("employment.began_on");
  }
  return absl::OkStatus();
}

// Nothing is added to a member whose data was erased.
absl::Status CheckNotErased(sql::Tx& tx, const std::string& federation, const std::string& id) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kOrganizationOf, {federation, id}));
  if (rows.empty()) return UnknownMember(id, "parent");
  return rows[0].Get<std::string>(1) == kErased ? ErasedForGood("parent") : absl::OkStatus();
}

absl::StatusOr<Stored> FindOne(const std::vector<Stored>& all, const std::string& name,
                               std::string_view field) {
  for (const Stored& stored : all) {
    if (stored.employment.name() == name) return stored;
  }
  return NotFound(common::v1::REASON_NOT_FOUND,
                  "there is no such entry in the member's history; ListEmployments shows them",
                  "该会员没有这条工作经历，可用 ListEmployments 查看")
      .At(std::string(field));
}

absl::Status AppendEvent(sql::Tx& tx, const rpc::Call& call, std::string_view type,
                         const std::string& name) {
  feed::v1::Event event;
  event.set_type(StrCat("gonghui.membership.v1.", type));
  event.add_resources(name);
  return feed::Append(tx, call, std::move(event));
}

}  // namespace

absl::Status Employments::CheckMember(const rpc::Call& call, const std::string& member_id,
                                      std::string_view field) const {
  std::string organization;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kOrganizationOf, {call.federation, member_id}));
    if (rows.empty()) return UnknownMember(member_id, field);
    organization = rows[0].Get<std::string>(0);
    return absl::OkStatus();
  }));
  return call.CheckScope(organization);
}

absl::Status Employments::Check(const rpc::Call& call, Employment& employment) const {
  RETURN_IF_ERROR(
      ToCode(catalog_, "employment", "employment.employment", *employment.mutable_employment()));
  RETURN_IF_ERROR(NotInFuture(call, "employment.began_on", employment.began_on()));
  if (employment.ended_on().empty() || employment.ended_on() >= employment.began_on()) {
    return absl::OkStatus();
  }
  return DateBefore("employment.ended_on", employment.ended_on(), "first day",
                    employment.began_on());
}

absl::StatusOr<Employment> Employments::Create(rpc::Call& call,
                                               const v1::CreateEmploymentRequest& request) {
  const std::string member_id(LeafOf(request.parent()));
  RETURN_IF_ERROR(CheckMember(call, member_id, "parent"));
  Employment wanted = request.employment();
  RETURN_IF_ERROR(Check(call, wanted));
  const std::string id = NewId(call.clock->Now());
  wanted.set_name(StrCat(request.parent(), "/employments/", id));
  wanted.set_etag(rpc::MakeEtag(1));
  return rpc::WriteOnce<Employment>(
      db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Employment> {
        RETURN_IF_ERROR(CheckNotErased(tx, call.federation, member_id));
        ASSIGN_OR_RETURN(const std::vector<Stored> all, ReadAll(tx, call, request.parent()));
        RETURN_IF_ERROR(CheckNoOverlap(all, wanted));
        RETURN_IF_ERROR(
            tx.Run(kInsert, {call.federation, member_id, id, wanted.employer(), wanted.job(),
                             wanted.employment(), wanted.began_on(), wanted.ended_on()})
                .status());
        RETURN_IF_ERROR(AppendEvent(tx, call, "EmploymentCreated", wanted.name()));
        return wanted;
      });
}

absl::StatusOr<Employment> Employments::Update(rpc::Call& call,
                                               const v1::UpdateEmploymentRequest& request) {
  const std::string& name = request.employment().name();
  RETURN_IF_ERROR(
      ParseName("federations/{federation}/members/{member}/employments/{employment}", name)
          .status());
  ASSIGN_OR_RETURN(const std::vector<std::string> paths,
                   rpc::ReadMask(request.update_mask(), request.employment()));
  const std::string member(MemberOf(name));
  const std::string member_id(LeafOf(member));
  RETURN_IF_ERROR(CheckMember(call, member_id, "employment.name"));
  return rpc::WriteOnce<Employment>(
      db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Employment> {
        ASSIGN_OR_RETURN(const std::vector<Stored> all, ReadAll(tx, call, member));
        ASSIGN_OR_RETURN(Stored stored, FindOne(all, name, "employment.name"));
        RETURN_IF_ERROR(rpc::CheckEtag(request.employment().etag(), stored.version));
        Employment& wanted = stored.employment;
        rpc::MergeMasked(paths, request.employment(), wanted);
        RETURN_IF_ERROR(Check(call, wanted));
        RETURN_IF_ERROR(CheckNoOverlap(all, wanted));
        wanted.set_etag(rpc::MakeEtag(stored.version + 1));
        ASSIGN_OR_RETURN(
            const sql::Rows written,
            tx.Run(kUpdate, {call.federation, member_id, std::string(LeafOf(name)),
                             wanted.employer(), wanted.job(), wanted.employment(),
                             wanted.began_on(), wanted.ended_on(), stored.version + 1}));
        if (written.affected() != 1) {
          return Aborted(common::v1::REASON_CONFLICT,
                         "the entry was changed by another call at the same moment; try again",
                         "该记录同时被其他操作修改，请重试");
        }
        RETURN_IF_ERROR(AppendEvent(tx, call, "EmploymentUpdated", name));
        return wanted;
      });
}

absl::StatusOr<Employment> Employments::Delete(rpc::Call& call,
                                               const v1::DeleteEmploymentRequest& request) {
  const std::string member(MemberOf(request.name()));
  const std::string member_id(LeafOf(member));
  RETURN_IF_ERROR(CheckMember(call, member_id, "name"));
  return rpc::WriteOnce<Employment>(
      db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Employment> {
        ASSIGN_OR_RETURN(const std::vector<Stored> all, ReadAll(tx, call, member));
        ASSIGN_OR_RETURN(const Stored stored, FindOne(all, request.name(), "name"));
        RETURN_IF_ERROR(
            tx.Run(kDelete, {call.federation, member_id, std::string(LeafOf(request.name()))})
                .status());
        RETURN_IF_ERROR(AppendEvent(tx, call, "EmploymentDeleted", request.name()));
        return stored.employment;
      });
}

absl::StatusOr<v1::ListEmploymentsResponse> Employments::List(
    rpc::Call& call, const v1::ListEmploymentsRequest& request) {
  RETURN_IF_ERROR(CheckMember(call, std::string(LeafOf(request.parent())), "parent"));
  std::vector<Stored> all;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(all, ReadAll(tx, call, request.parent()));
    return absl::OkStatus();
  }));
  v1::ListEmploymentsResponse response;
  for (Stored& stored : all) *response.add_employments() = std::move(stored.employment);
  return response;
}

}  // namespace gonghui::membership
