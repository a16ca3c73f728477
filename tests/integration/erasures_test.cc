// One person's copy of what is held, and its end.
#include "gonghui/common/v1/record.pb.h"
#include "gonghui/membership/v1/access.pb.h"
#include "gonghui/membership/v1/application.pb.h"
#include "gonghui/membership/v1/employment.pb.h"
#include "gonghui/membership/v1/member_history.pb.h"
#include "gonghui/membership/v1/personal_data.pb.h"
#include "nlohmann/json.hpp"
#include "tests/integration/membership.h"

namespace gonghui::membership {
namespace {

using common::v1::REASON_CODE_UNKNOWN;
using common::v1::REASON_FIELD_REQUIRED;
using common::v1::REASON_NOT_FOUND;
using common::v1::REASON_OUT_OF_SCOPE;
using common::v1::REASON_STATE_FORBIDS;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kName[] = "欧阳询问";

class ErasuresTest : public MembershipTest {
 protected:
  void SetUp() override {
    MembershipTest::SetUp();
    MakeDistrict();
    v1::SubmitApplicationRequest apply;
    apply.set_parent("federations/demo");
    *apply.mutable_member() = Member("E01", 1, "2011-03-01");
    apply.mutable_member()->set_full_name(kName);
    apply.mutable_member()->set_job("焊接专家");
    apply.set_request_id("apply");
    auto application = admin_->Invoke<v1::Application>(
        "/gonghui.membership.v1.ApplicationService/SubmitApplication", apply);
    ASSERT_THAT(application, IsOk());
    v1::ApproveApplicationRequest approve;
    approve.set_name(application->name());
    approve.set_joined_on("2011-03-02");
    auto approved = admin_->Invoke<v1::Application>(
        "/gonghui.membership.v1.ApplicationService/ApproveApplication", approve);
    ASSERT_THAT(approved, IsOk());
    application_ = application->name();
    member_ = approved->member_name();
    v1::CreateEmploymentRequest work;
    work.set_parent(member_);
    work.mutable_employment()->set_employer("江边船厂");
    work.mutable_employment()->set_began_on("2010-01-01");
    ASSERT_THAT(admin_->Invoke<v1::Employment>(
                    "/gonghui.membership.v1.EmploymentService/CreateEmployment", work),
                IsOk());
    common::v1::CreateRecordRequest record;
    record.set_parent("federations/demo");
    record.mutable_record()->set_kind("merit_citation");
    record.mutable_record()->set_organization("E01");
    record.mutable_record()->set_title("抢险");
    record.mutable_record()->set_on_date("2012-01-01");
    for (const auto& [field, value] : {std::pair{"cause", "incident"},
                                       {"cause_number", "Q1"},
                                       {"grade", "1"},
                                       {"target", "person"},
                                       {"full_name", kName}}) {
      (*record.mutable_record()->mutable_fields())[field] = value;
    }
    (*record.mutable_record()->mutable_fields())["person"] = IdNumber(1);
    ASSERT_THAT(admin_->Invoke<common::v1::Record>(
                    "/gonghui.membership.v1.RegisterService/CreateRecord", record),
                IsOk());
  }

  absl::StatusOr<v1::Member> Erase(const rpc::Client& client, const std::string& reason,
                                   const std::string& document = "",
                                   const std::string& request_id = "") {
    v1::EraseMemberRequest request;
    request.set_name(member_);
    request.set_reason(reason);
    request.set_document(document);
    request.set_request_id(request_id);
    return client.Invoke<v1::Member>("/gonghui.membership.v1.PersonalDataService/EraseMember",
                                     request);
  }
  absl::StatusOr<v1::ExportPersonalDataResponse> Export(const rpc::Client& client,
                                                        const std::string& purpose) {
    v1::ExportPersonalDataRequest request;
    request.set_name(member_);
    request.set_purpose(purpose);
    return client.Invoke<v1::ExportPersonalDataResponse>(
        "/gonghui.membership.v1.PersonalDataService/ExportPersonalData", request);
  }
  absl::StatusOr<v1::Member> Get() {
    v1::GetMemberRequest request;
    request.set_name(member_);
    return Members<v1::Member>(*admin_, "GetMember", request);
  }
  void Leave(const std::string& day) {
    v1::LeaveMemberRequest request;
    request.set_name(member_);
    request.set_left_on(day);
    request.set_reason("own_wish");
    request.set_request_id("leave");
    ASSERT_THAT(Members<v1::Member>(*admin_, "LeaveMember", request), IsOk());
  }
  std::string Flow() {
    v1::GetMemberFlowRequest request;
    request.set_parent("federations/demo");
    request.set_organization("D01");
    request.set_first_day("2011-01-01");
    request.set_last_day("2012-12-31");
    auto flow = admin_->Invoke<v1::MemberFlow>(
        "/gonghui.membership.v1.MemberHistoryService/GetMemberFlow", request);
    EXPECT_THAT(flow, IsOk());
    return flow.ok() ? flow->ShortDebugString() : "";
  }
  // How many rows of a table hold the text anywhere.
  int64_t Holding(const std::string& table, const std::string& text) {
    const std::string url = GetParam() == "sqlite"
                                ? absl::StrCat("sqlite:", (folder_ / "membership.db").string())
                                : database_->url();
    auto db = sql::Database::Open({.url = url});
    EXPECT_THAT(db, IsOk());
    int64_t holding = 0;
    EXPECT_THAT((*db)->ReadOnly(
                    absl::InfiniteFuture(),
                    [&](sql::Tx& tx) -> absl::Status {
                      holding = 0;
                      const bool responses = table == "requests";
                      const sql::Query query =
                          responses ? sql::Query{"test.responses", "SELECT response FROM requests"}
                          : table == "records"
                              ? sql::Query{"test.records",
                                           "SELECT kind || title || natural_key || person_mask || "
                                           "fields FROM records"}
                              : sql::Query{"test.names", "SELECT full_name FROM members"};
                      ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(query));
                      for (size_t i = 0; i < rows.size(); ++i) {
                        const std::string value = responses ? rows[i].Get<sql::Bytes>(0).data
                                                            : rows[i].Get<std::string>(0);
                        if (value.find(text) != std::string::npos) ++holding;
                      }
                      return absl::OkStatus();
                    }),
                IsOk());
    return holding;
  }

  std::string member_;
  std::string application_;
};

TEST_P(ErasuresTest, GivesAPersonTheirData) {
  ASSERT_OK_AND_ASSIGN(const auto copy, Export(*clerk_, "本人要求"));
  const nlohmann::json held = nlohmann::json::parse(copy.json(), nullptr, false);
  ASSERT_FALSE(held.is_discarded());
  EXPECT_EQ(held["member"]["id_number"], IdNumber(1));
  EXPECT_EQ(held["member"]["phone"], "13800001234");
  EXPECT_EQ(held["member"]["full_name"], kName);
  EXPECT_EQ(held["memberships"][0]["organization"], "E01");
  EXPECT_EQ(held["applications"][0]["member"]["id_number"], IdNumber(1));
  EXPECT_EQ(held["employments"][0]["employer"], "江边船厂");
  EXPECT_EQ(held["events"][0]["kind"], "MEMBER_EVENT_KIND_JOINED");
  EXPECT_EQ(held["records"][0]["kind"], "merit_citation");
  EXPECT_EQ(held["records"][0]["fields"]["full_name"], kName);
  EXPECT_TRUE(held["cards"].is_array() && held["transfers"].is_array());
  EXPECT_EQ(held["accesses"][0]["kind"], "ACCESS_KIND_EXPORT");
  EXPECT_EQ(held["accesses"][0]["purpose"], "member_request");
  EXPECT_EQ(held["accesses"][0]["actor"], "registrar@T01");
  EXPECT_THAT(Export(*clerk_, "curiosity"), HasReasonAt(REASON_CODE_UNKNOWN, "purpose"));
  EXPECT_THAT(Export(*clerk_, "other"), HasReasonAt(REASON_FIELD_REQUIRED, "remark"));
  EXPECT_THAT(Export(*ClientOf("demo", "registrar", "T02", true), "contact"),
              HasReason(REASON_OUT_OF_SCOPE));
  EXPECT_FALSE(Export(*stranger_, "contact").ok());
}

TEST_P(ErasuresTest, ErasesThePersonAndKeepsTheMembership) {
  Leave("2012-06-01");
  const auto facts = Facts();
  const std::string flow = Flow();
  EXPECT_GT(Holding("requests", kName), 0);
  ASSERT_OK_AND_ASSIGN(const v1::Member erased, Erase(*clerk_, "期满", "", "e1"));
  ASSERT_OK_AND_ASSIGN(const v1::Member replayed, Erase(*clerk_, "期满", "", "e1"));
  EXPECT_EQ(replayed.SerializeAsString(), erased.SerializeAsString());
  ASSERT_OK_AND_ASSIGN(const v1::Member read, Get());
  EXPECT_EQ(read.SerializeAsString(), erased.SerializeAsString());
  EXPECT_EQ(read.state(), "erased");
  EXPECT_EQ(read.full_name(), "");
  EXPECT_EQ(read.id_number(), "");
  EXPECT_EQ(read.phone(), "");
  EXPECT_EQ(read.job(), "");
  EXPECT_EQ(read.birth_date(), "");
  EXPECT_EQ(read.sex(), "male");
  EXPECT_EQ(read.joined_on(), "2011-03-02");
  EXPECT_EQ(read.left_on(), "2012-06-01");
  // Figures and history are what they were.
  EXPECT_EQ(Facts(), facts);
  EXPECT_EQ(Flow(), flow);
  v1::ListMemberEventsRequest events;
  events.set_parent(member_);
  auto history = admin_->Invoke<v1::ListMemberEventsResponse>(
      "/gonghui.membership.v1.MemberHistoryService/ListMemberEvents", events);
  ASSERT_THAT(history, IsOk());
  EXPECT_EQ(history->events_size(), 2);
  // Nobody finds the person, in no table and no application.
  EXPECT_EQ(Holding("members", kName), 0);
  EXPECT_EQ(Holding("requests", kName), 0);
  v1::GetApplicationRequest get;
  get.set_name(application_);
  auto application = admin_->Invoke<v1::Application>(
      "/gonghui.membership.v1.ApplicationService/GetApplication", get);
  ASSERT_THAT(application, IsOk());
  EXPECT_THAT(application->ShortDebugString(), Not(HasSubstr("3204")));
  EXPECT_EQ(application->member().full_name(), "");
  v1::ListMembersRequest list;
  list.set_parent("federations/demo");
  list.set_id_number(IdNumber(1));
  list.set_state("all");
  auto found = Members<v1::ListMembersResponse>(*admin_, "ListMembers", list);
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->members_size(), 0);
  ASSERT_OK_AND_ASSIGN(const auto copy, Export(*admin_, "member_request"));
  EXPECT_THAT(copy.json(), Not(HasSubstr(kName)));
  EXPECT_THAT(copy.json(), Not(HasSubstr(IdNumber(1))));
  // Records of the register stay, without the person.
  EXPECT_EQ(Holding("records", kName), 0);
  EXPECT_EQ(Holding("records", "merit_citation"), 1);
  v1::CreateEmploymentRequest work;
  work.set_parent(member_);
  work.mutable_employment()->set_employer("江边船厂");
  work.mutable_employment()->set_began_on("2010-01-01");
  EXPECT_THAT(admin_->Invoke<v1::Employment>(
                  "/gonghui.membership.v1.EmploymentService/CreateEmployment", work),
              HasReasonAt(REASON_STATE_FORBIDS, "parent"));
  // What is gone is gone, and the person may begin anew.
  v1::JoinMemberRequest join;
  join.set_name(member_);
  join.set_organization("E01");
  join.set_joined_on("2020-01-01");
  EXPECT_THAT(Members<v1::Member>(*admin_, "JoinMember", join),
              HasReasonAt(REASON_STATE_FORBIDS, "name"));
  EXPECT_THAT(Erase(*admin_, "retention_over"), HasReason(REASON_STATE_FORBIDS));
  ASSERT_OK_AND_ASSIGN(const v1::Member anew, Create(*admin_, Member("E01", 1)));
  EXPECT_NE(anew.name(), member_);
}

TEST_P(ErasuresTest, RefusesBeforeTheLimitAndWithoutReason) {
  EXPECT_THAT(Erase(*admin_, "retention_over"), HasReasonAt(REASON_STATE_FORBIDS, "name"));
  Leave("2024-01-01");
  const auto early = Erase(*admin_, "retention_over");
  EXPECT_THAT(early, HasReasonAt(REASON_STATE_FORBIDS, "name"));
  EXPECT_THAT(std::string(early.status().message()), HasSubstr("2034-01-01"));
  EXPECT_THAT(Erase(*admin_, "whim"), HasReasonAt(REASON_CODE_UNKNOWN, "reason"));
  EXPECT_THAT(Erase(*admin_, ""), HasReasonAt(REASON_FIELD_REQUIRED, "reason"));
  EXPECT_THAT(Erase(*admin_, "unlawful"), HasReasonAt(REASON_FIELD_REQUIRED, "document"));
  EXPECT_THAT(Erase(*ClientOf("demo", "registrar", "T02", true), "unlawful", "号"),
              HasReason(REASON_OUT_OF_SCOPE));
  EXPECT_FALSE(Erase(*stranger_, "unlawful", "号").ok());
  EXPECT_EQ(Get()->full_name(), kName);
  EXPECT_THAT(Erase(*admin_, "unlawful", "网信〔2024〕1号"), IsOk());
  member_ += "x";
  EXPECT_THAT(Erase(*admin_, "unlawful", "号"), HasReasonAt(REASON_NOT_FOUND, "name"));
}

INSTANTIATE_TEST_SUITE_P(Engines, ErasuresTest, ::testing::ValuesIn(::gonghui::testing::Engines()));

}  // namespace
}  // namespace gonghui::membership
