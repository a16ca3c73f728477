// How people come into the register: their papers, applications, and where they worked.
#include "gonghui/membership/v1/application.pb.h"
#include "gonghui/membership/v1/employment.pb.h"
#include "gonghui/membership/v1/member_history.pb.h"
#include "tests/integration/membership.h"

namespace gonghui::membership {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

class JoiningTest : public MembershipTest {
 protected:
  void SetUp() override {
    MembershipTest::SetUp();
    MakeDistrict();
  }

  using Done = absl::StatusOr<v1::Application>;
  template <typename Response = v1::Application, typename Request>
  static absl::StatusOr<Response> Call(const rpc::Client& client, const std::string& method,
                                       const Request& request) {
    return client.Invoke<Response>("/gonghui.membership.v1.ApplicationService/" + method, request);
  }
  static Done Submit(const rpc::Client& client, const v1::Member& member,
                     const std::string& request_id = "") {
    v1::SubmitApplicationRequest request;
    request.set_parent("federations/demo");
    *request.mutable_member() = member;
    request.set_request_id(request_id);
    return Call(client, "SubmitApplication", request);
  }
  static Done Approve(const rpc::Client& client, const std::string& name,
                      const std::string& joined_on, const std::string& request_id = "") {
    v1::ApproveApplicationRequest request;
    request.set_name(name);
    request.set_joined_on(joined_on);
    request.set_request_id(request_id);
    return Call(client, "ApproveApplication", request);
  }
  static Done Refuse(const rpc::Client& client, const std::string& name, const std::string& note) {
    v1::RefuseApplicationRequest request;
    request.set_name(name);
    request.set_note(note);
    return Call(client, "RefuseApplication", request);
  }
  static Done Withdraw(const rpc::Client& client, const std::string& name) {
    v1::WithdrawApplicationRequest request;
    request.set_name(name);
    return Call(client, "WithdrawApplication", request);
  }
  static Done Get(const rpc::Client& client, const std::string& name) {
    v1::GetApplicationRequest request;
    request.set_name(name);
    return Call(client, "GetApplication", request);
  }
  static absl::StatusOr<v1::ListApplicationsResponse> List(const rpc::Client& client,
                                                           const std::string& organization,
                                                           v1::ApplicationState state,
                                                           int page_size = 0,
                                                           const std::string& token = "") {
    v1::ListApplicationsRequest request;
    request.set_parent("federations/demo");
    request.set_organization(organization);
    request.set_state(state);
    request.set_page_size(page_size);
    request.set_page_token(token);
    return Call<v1::ListApplicationsResponse>(client, "ListApplications", request);
  }
  absl::StatusOr<v1::Member> Leave(const std::string& name, const std::string& left_on,
                                   const std::string& reason) {
    v1::LeaveMemberRequest request;
    request.set_name(name);
    request.set_left_on(left_on);
    request.set_reason(reason);
    return Members<v1::Member>(*admin_, "LeaveMember", request);
  }
  template <typename Response = v1::Employment, typename Request>
  static absl::StatusOr<Response> Work(const rpc::Client& client, const std::string& method,
                                       const Request& request) {
    return client.Invoke<Response>("/gonghui.membership.v1.EmploymentService/" + method, request);
  }
};

TEST_P(JoiningTest, AnApprovedApplicationBeginsAMembership) {
  v1::Member person = Member("E01", 1, "2020-03-01");
  person.add_group_tags("快递员");
  person.add_group_tags("truck_driver");
  ASSERT_OK_AND_ASSIGN(const v1::Application applied, Submit(*clerk_, person, "r1"));
  EXPECT_EQ(applied.state(), v1::APPLICATION_STATE_SUBMITTED);
  EXPECT_EQ(applied.applied_on(), "2020-03-01");
  EXPECT_EQ(applied.member().id_number().substr(0, 14), "320402********");
  EXPECT_EQ(applied.member().birth_date(), "");
  ASSERT_OK_AND_ASSIGN(const v1::Application replayed, Submit(*clerk_, person, "r1"));
  EXPECT_EQ(replayed.SerializeAsString(), applied.SerializeAsString());
  EXPECT_THAT(Submit(*clerk_, person),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "member.id_number"));
  EXPECT_TRUE(Facts().count("members_total E01 male") == 0);

  EXPECT_THAT(Approve(*admin_, applied.name(), "2020-02-28"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "joined_on"));
  EXPECT_THAT(Approve(*admin_, applied.name(), "2999-02-28"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "joined_on"));
  EXPECT_THAT(Approve(*stranger_, applied.name(), "2020-03-15"),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  ASSERT_OK_AND_ASSIGN(const v1::Application approved,
                       Approve(*clerk_, applied.name(), "2020-03-15", "r2"));
  EXPECT_EQ(approved.state(), v1::APPLICATION_STATE_APPROVED);
  ASSERT_OK_AND_ASSIGN(const v1::Application again,
                       Approve(*clerk_, applied.name(), "2020-03-15", "r2"));
  EXPECT_EQ(again.SerializeAsString(), approved.SerializeAsString());
  EXPECT_THAT(Approve(*clerk_, applied.name(), "2020-03-15"),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "name"));
  EXPECT_THAT(Withdraw(*clerk_, applied.name()),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "name"));

  v1::GetMemberRequest get;
  get.set_name(approved.member_name());
  ASSERT_OK_AND_ASSIGN(const v1::Member member, Members<v1::Member>(*clerk_, "GetMember", get));
  EXPECT_EQ(member.joined_on(), "2020-03-15");
  EXPECT_THAT(member.group_tags(), ElementsAre("courier", "truck_driver"));
  EXPECT_THAT(Facts().at("members_joined E01 male"), ElementsAre(Pair("2020-03-15", 1)));
  v1::ListMemberEventsRequest events_request;
  events_request.set_parent(member.name());
  ASSERT_OK_AND_ASSIGN(
      const auto events,
      clerk_->Invoke<v1::ListMemberEventsResponse>(
          "/gonghui.membership.v1.MemberHistoryService/ListMemberEvents", events_request));
  ASSERT_EQ(events.events_size(), 1);
  EXPECT_EQ(events.events(0).related(), approved.name());
  EXPECT_THAT(Submit(*clerk_, person),
              HasReasonAt(common::v1::REASON_ALREADY_EXISTS, "member.id_number"));
}

TEST_P(JoiningTest, RefusesWithdrawsAndLists) {
  ASSERT_OK_AND_ASSIGN(const v1::Application one, Submit(*clerk_, Member("E01", 1)));
  ASSERT_OK_AND_ASSIGN(const v1::Application two, Submit(*admin_, Member("E02", 2)));
  EXPECT_THAT(Submit(*clerk_, Member("E02", 3)), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Submit(*clerk_, Member("E01", 3, "2999-01-01")),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "member.joined_on"));
  EXPECT_THAT(Refuse(*clerk_, one.name(), ""),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "note"));
  EXPECT_THAT(Refuse(*clerk_, two.name(), "材料不全"), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Get(*clerk_, two.name()), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Get(*admin_, "federations/demo/applications/none"),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "name"));
  ASSERT_OK_AND_ASSIGN(const v1::Application refused, Refuse(*clerk_, one.name(), "材料不全"));
  EXPECT_EQ(refused.note(), "材料不全");
  ASSERT_OK_AND_ASSIGN(const v1::Application anew, Submit(*clerk_, Member("E01", 1)));
  ASSERT_OK_AND_ASSIGN(const v1::Application withdrawn, Withdraw(*clerk_, anew.name()));
  EXPECT_EQ(withdrawn.state(), v1::APPLICATION_STATE_WITHDRAWN);
  ASSERT_OK_AND_ASSIGN(const auto all, List(*admin_, "", v1::APPLICATION_STATE_UNSPECIFIED));
  EXPECT_EQ(all.applications_size(), 3);
  ASSERT_OK_AND_ASSIGN(const auto page, List(*admin_, "", v1::APPLICATION_STATE_UNSPECIFIED, 2));
  ASSERT_OK_AND_ASSIGN(const auto rest, List(*admin_, "", v1::APPLICATION_STATE_UNSPECIFIED, 2,
                                             page.next_page_token()));
  ASSERT_EQ(rest.applications_size(), 1);
  EXPECT_EQ(rest.applications(0).name(), anew.name());
  ASSERT_OK_AND_ASSIGN(const auto waiting, List(*clerk_, "T01", v1::APPLICATION_STATE_SUBMITTED));
  EXPECT_EQ(waiting.applications_size(), 0);
  EXPECT_THAT(List(*clerk_, "T02", v1::APPLICATION_STATE_SUBMITTED),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
}

TEST_P(JoiningTest, AFormerMemberJoinsAgainAsTheSame) {
  ASSERT_OK_AND_ASSIGN(const v1::Member member, Create(*admin_, Member("E02", 1)));
  EXPECT_THAT(Submit(*clerk_, Member("E01", 1)),
              HasReasonAt(common::v1::REASON_MEMBER_ELSEWHERE, "member.id_number"));
  ASSERT_THAT(Leave(member.name(), "2019-05-01", "unemployed"), IsOk());
  ASSERT_OK_AND_ASSIGN(const v1::Application applied,
                       Submit(*clerk_, Member("E01", 1, "2020-01-01")));
  ASSERT_OK_AND_ASSIGN(const v1::Application approved,
                       Approve(*clerk_, applied.name(), "2020-01-15"));
  EXPECT_EQ(approved.member_name(), member.name());
  v1::GetMemberRequest get;
  get.set_name(member.name());
  ASSERT_OK_AND_ASSIGN(const v1::Member now, Members<v1::Member>(*clerk_, "GetMember", get));
  EXPECT_EQ(now.organization(), "E01");
  EXPECT_EQ(now.joined_on(), "2020-01-15");
  EXPECT_EQ(now.seniority_from(), "2018-03-01");
}

TEST_P(JoiningTest, ChecksEveryKindOfPaper) {
  struct Paper {
    std::string type, number;
    bool good;
  };
  int serial = 0;
  for (const Paper& paper : std::vector<Paper>{{"passport", "E12345678", true},
                                               {"passport", "护照12345", false},
                                               {"hk_mo_pass", "H12345678", true},
                                               {"回乡证", "m1234567801", true},
                                               {"hk_mo_pass", "K12345678", false},
                                               {"tw_pass", "12345678", true},
                                               {"tw_pass", "1234567", false},
                                               {"tw_pass", "1234567890(B)", true},
                                               {"hk_mo_tw_residence", "810000199408230021", true},
                                               {"hk_mo_tw_residence", "810000199408230022", false},
                                               {"hk_mo_tw_residence", "320402198001010019", false},
                                               {"resident_id", "810000199408230021", false},
                                               {"foreign_residence", "CHN310080000001", true},
                                               {"foreign_residence", "CHN31008000001", false},
                                               {"officer_id", "军字第1234567号", true}}) {
    v1::Member member = Member("E01", ++serial);
    member.set_id_type(paper.type);
    member.set_id_number(paper.number);
    const auto created = Create(*admin_, member);
    if (paper.good) {
      EXPECT_THAT(created, IsOk()) << paper.type << " " << paper.number;
      EXPECT_THAT(created.ok() ? created->id_number() : "", Not(HasSubstr(paper.number)));
    } else {
      EXPECT_THAT(created, HasReasonAt(common::v1::REASON_ID_NUMBER_INVALID, "member.id_number"))
          << paper.type << " " << paper.number;
      EXPECT_THAT(std::string(created.status().message()), Not(HasSubstr(paper.number)));
    }
    if (created.ok() && created->id_type() == "hk_mo_tw_residence") {
      EXPECT_EQ(created->sex(), "female");
      EXPECT_EQ(created->birth_date(), "");  // The mask would hide nothing.
    }
  }
}

TEST_P(JoiningTest, TellsWhatASpreadsheetDidToANumber) {
  const auto damage = [&](const std::string& number) -> std::string {
    v1::Member member = Member("E01", 1);
    member.set_id_number(number);
    const auto created = Create(*admin_, member);
    EXPECT_THAT(created, HasReasonAt(common::v1::REASON_ID_NUMBER_INVALID, "member.id_number"));
    for (const auto& [key, value] : MetadataOf(created.status())) {
      if (key == "damage") return value;
    }
    return "";
  };
  EXPECT_EQ(damage("3.20402E+17"), "scientific");
  EXPECT_EQ(damage("1.1E+17"), "scientific");
  EXPECT_EQ(damage("320402198001010000"), "rounded");
  EXPECT_EQ(damage("32040219800101001"), "shortened");
  EXPECT_EQ(damage("320402198001010018"), "");
  // Full-width digits and 15-digit numbers are put right.
  v1::Member member = Member("E01", 1);
  member.set_id_number("３２０４０２８００１０１００１");
  ASSERT_OK_AND_ASSIGN(const v1::Member created, Create(*admin_, member));
  EXPECT_EQ(created.id_number().size(), 18u);
  EXPECT_THAT(Create(*admin_, Member("E01", 1)), HasReason(common::v1::REASON_ALREADY_EXISTS));
}

TEST_P(JoiningTest, KeepsWhereMembersWorked) {
  ASSERT_OK_AND_ASSIGN(const v1::Member member, Create(*clerk_, Member("E01", 1)));
  v1::CreateEmploymentRequest create;
  create.set_parent(member.name());
  v1::Employment& wanted = *create.mutable_employment();
  wanted.set_employer("某某外卖平台城东站");
  wanted.set_job("骑手");
  wanted.set_employment("在岗");
  wanted.set_began_on("2019-01-01");
  create.set_request_id("r1");
  ASSERT_OK_AND_ASSIGN(const v1::Employment first, Work(*clerk_, "CreateEmployment", create));
  EXPECT_EQ(first.employment(), "on_post");
  ASSERT_OK_AND_ASSIGN(const v1::Employment replayed, Work(*clerk_, "CreateEmployment", create));
  EXPECT_EQ(replayed.SerializeAsString(), first.SerializeAsString());
  create.clear_request_id();
  wanted.set_began_on("2020-01-01");
  EXPECT_THAT(Work(*clerk_, "CreateEmployment", create),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "employment.began_on"));
  v1::UpdateEmploymentRequest update;
  *update.mutable_employment() = first;
  update.mutable_employment()->set_ended_on("2018-12-31");
  update.set_update_mask("ended_on");
  EXPECT_THAT(Work(*clerk_, "UpdateEmployment", update),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "employment.ended_on"));
  update.mutable_employment()->set_ended_on("2019-12-31");
  ASSERT_OK_AND_ASSIGN(const v1::Employment ended, Work(*clerk_, "UpdateEmployment", update));
  EXPECT_EQ(ended.ended_on(), "2019-12-31");
  EXPECT_THAT(Work(*clerk_, "UpdateEmployment", update),
              HasReason(common::v1::REASON_ETAG_MISMATCH));
  ASSERT_OK_AND_ASSIGN(const v1::Employment second, Work(*clerk_, "CreateEmployment", create));

  v1::ListEmploymentsRequest list;
  list.set_parent(member.name());
  ASSERT_OK_AND_ASSIGN(const auto history,
                       Work<v1::ListEmploymentsResponse>(*clerk_, "ListEmployments", list));
  ASSERT_EQ(history.employments_size(), 2);
  EXPECT_EQ(history.employments(0).name(), first.name());
  v1::DeleteEmploymentRequest remove;
  remove.set_name(second.name());
  EXPECT_THAT(Work(*stranger_, "DeleteEmployment", remove),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  EXPECT_THAT(Work(*clerk_, "DeleteEmployment", remove), IsOk());
  EXPECT_THAT(Work(*clerk_, "DeleteEmployment", remove),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "name"));
  ASSERT_OK_AND_ASSIGN(const v1::Member other, Create(*admin_, Member("E02", 2)));
  list.set_parent(other.name());
  EXPECT_THAT(Work<v1::ListEmploymentsResponse>(*clerk_, "ListEmployments", list),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  create.set_parent(other.name());
  EXPECT_THAT(Work(*clerk_, "CreateEmployment", create),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
}

INSTANTIATE_TEST_SUITE_P(Engines, JoiningTest, ::testing::ValuesIn(::gonghui::testing::Engines()));

}  // namespace
}  // namespace gonghui::membership
