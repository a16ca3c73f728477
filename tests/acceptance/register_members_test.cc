// The real-name register of members and their cards.
#include "gonghui/membership/v1/application.pb.h"
#include "gonghui/membership/v1/card.pb.h"
#include "gonghui/membership/v1/member.pb.h"
#include "gonghui/membership/v1/member_history.pb.h"
#include "gonghui/membership/v1/reorganization.pb.h"
#include "gonghui/membership/v1/transfer.pb.h"
#include "tests/acceptance/registry.h"

namespace gonghui::district {
namespace {

namespace v1 = membership::v1;
constexpr char kParent[] = "federations/demo";

class MemberRegister : public Registry {
 protected:
  template <typename Response, typename Request>
  static absl::StatusOr<Response> Call(const rpc::Client& client, const char* method,
                                       const Request& request) {
    return client.Invoke<Response>(absl::StrCat("/gonghui.membership.v1.", method), request);
  }
  static v1::Member Person(const std::string& organization, const std::string& joined_on,
                           const std::string& id_number) {
    v1::Member member;
    member.set_organization(organization);
    member.set_full_name("李四");
    member.set_id_number(id_number);
    member.set_joined_on(joined_on);
    return member;
  }
  static absl::StatusOr<v1::Member> Enter(const rpc::Client& client, const v1::Member& member) {
    v1::CreateMemberRequest request;
    request.set_parent(kParent);
    *request.mutable_member() = member;
    return Call<v1::Member>(client, "MemberService/CreateMember", request);
  }
  // Name of a member who must come to be.
  std::string Joined(const std::string& organization, const std::string& joined_on) {
    const auto member = Enter(*admin_, Person(organization, joined_on, IdNumber()));
    EXPECT_THAT(member, IsOk());
    return member.ok() ? member->name() : "";
  }
  static absl::StatusOr<v1::Transfer> Start(const rpc::Client& client, const std::string& member,
                                            const std::string& target, const std::string& day) {
    v1::StartTransferRequest request;
    request.set_parent(kParent);
    request.set_side(v1::TRANSFER_SIDE_SOURCE);
    request.set_member(member);
    request.set_target(target);
    request.set_effective_on(day);
    request.set_reason("劳动关系变化");
    return Call<v1::Transfer>(client, "TransferService/StartTransfer", request);
  }
  static absl::StatusOr<v1::Transfer> Accept(const rpc::Client& client, const std::string& name) {
    v1::AcceptTransferRequest request;
    request.set_name(name);
    return Call<v1::Transfer>(client, "TransferService/AcceptTransfer", request);
  }
  absl::StatusOr<v1::Member> Leave(const std::string& name, const std::string& day,
                                   const std::string& reason) {
    v1::LeaveMemberRequest request;
    request.set_name(name);
    request.set_left_on(day);
    request.set_reason(reason);
    return Call<v1::Member>(*admin_, "MemberService/LeaveMember", request);
  }
  absl::StatusOr<v1::Card> Issue(const std::string& member, const std::string& day) {
    v1::IssueCardRequest request;
    request.set_parent(kParent);
    request.set_member(member);
    request.set_medium("电子");
    request.set_issued_on(day);
    request.set_applied_on(day);
    return Call<v1::Card>(*unit_, "CardService/IssueCard", request);
  }
  bool Valid(const std::string& number) {
    v1::VerifyCardRequest request;
    request.set_parent(kParent);
    request.set_number(number);
    const auto answer =
        Call<v1::VerifyCardResponse>(*suite_->NewClient(""), "CardService/VerifyCard", request);
    EXPECT_THAT(answer, IsOk());
    return answer.ok() && answer->valid();
  }
  // "opening joined in out left closing", the carried ones among in and out.
  std::string Flow(const std::string& organization, const std::string& period) {
    v1::GetMemberFlowRequest request;
    request.set_parent(kParent);
    request.set_organization(organization);
    request.set_period(period);
    const auto flow = Call<v1::MemberFlow>(*admin_, "MemberHistoryService/GetMemberFlow", request);
    EXPECT_THAT(flow, IsOk());
    if (!flow.ok()) return "";
    return absl::StrCat(
        flow->opening(), " ", flow->joined(), " ", flow->transferred_in() + flow->carried_in(), " ",
        flow->transferred_out() + flow->carried_out(), " ", flow->left(), " ", flow->closing());
  }
};

TEST_F(MemberRegister, S03_OnePersonOneRecord) {
  const std::string number = IdNumber();
  ASSERT_OK_AND_ASSIGN(const v1::Member first, Enter(*unit_, Person("E01", "2019-03-01", number)));
  EXPECT_EQ(first.id_number().find(number), std::string::npos);
  EXPECT_THAT(Enter(*unit_, Person("E01", "2019-03-01", number)),
              HasReasonAt(common::v1::REASON_ALREADY_EXISTS, "member.id_number"));
  EXPECT_THAT(Enter(*admin_, Person("E03", "2020-03-01", number)),
              HasReasonAt(common::v1::REASON_MEMBER_ELSEWHERE, "member.id_number"));
  EXPECT_THAT(Enter(*unit_, Person("E03", "2020-03-01", IdNumber())),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Enter(*admin_, Person("E01", "2020-03-01", "3.20402E+17")),
              HasReasonAt(common::v1::REASON_ID_NUMBER_INVALID, "member.id_number"));

  // An application is no membership until the committee has approved it.
  v1::SubmitApplicationRequest apply;
  apply.set_parent(kParent);
  *apply.mutable_member() = Person("E01", "2020-01-10", IdNumber());
  ASSERT_OK_AND_ASSIGN(
      const auto applied,
      Call<v1::Application>(*unit_, "ApplicationService/SubmitApplication", apply));
  EXPECT_EQ(Figures("members_joined", "2020H1"), "0 0 0");
  v1::ApproveApplicationRequest approve;
  approve.set_name(applied.name());
  approve.set_joined_on("2020-01-20");
  ASSERT_THAT(Call<v1::Application>(*unit_, "ApplicationService/ApproveApplication", approve),
              IsOk());
  EXPECT_EQ(Figures("members_joined", "2020H1"), "1 1 1");
  EXPECT_EQ(Figures("members_total", "2020-01"), "2 2 2");
}

TEST_F(MemberRegister, S03_JoinRateOfTheWorkers) {
  v1::CreateOrganizationRequest request;
  request.set_parent(kParent);
  v1::Organization& organization = *request.mutable_organization();
  organization.set_id("E01A");
  organization.set_parent("E01");
  organization.set_display_name("甲车间工会");
  organization.set_kind("enterprise");
  organization.set_founded_on("2015-01-01");
  organization.set_employees(8);
  ASSERT_THAT(Call<v1::Organization>(*admin_, "OrganizationService/CreateOrganization", request),
              IsOk());
  Joined("E01A", "2019-03-01");
  Joined("E03", "2020-05-01");
  EXPECT_EQ(Figures("staff_total", "2020H1"), "8 8 8");
  EXPECT_EQ(Figures("member_join_rate", "2020Q1"), "12.5 12.5 12.5");
  EXPECT_EQ(Figures("member_join_rate", "2020H1"), "12.5 12.5 25");
}

TEST_F(MemberRegister, S03_WorkersGoWithAMerger) {
  const auto found = [&](const char* id, const char* parent, int64_t employees) {
    v1::CreateOrganizationRequest request;
    request.set_parent(kParent);
    v1::Organization& organization = *request.mutable_organization();
    organization.set_id(id);
    organization.set_parent(parent);
    organization.set_display_name("某厂工会");
    organization.set_kind("enterprise");
    organization.set_founded_on("2015-01-01");
    organization.set_employees(employees);
    return Call<v1::Organization>(*admin_, "OrganizationService/CreateOrganization", request);
  };
  ASSERT_THAT(found("E05", "E01", 50), IsOk());
  ASSERT_THAT(found("E06", "T02", 30), IsOk());
  v1::MergeOrganizationsRequest request;
  request.set_parent(kParent);
  request.mutable_merge()->add_sources("E06");
  request.mutable_merge()->set_target("E05");
  request.mutable_merge()->set_valid_from("2020-07-01");
  ASSERT_OK_AND_ASSIGN(
      const auto merged,
      Call<v1::Reorganization>(*admin_, "ReorganizationService/MergeOrganizations", request));
  EXPECT_EQ(Figures("staff_total", "2020H1"), "50 50 80");
  EXPECT_EQ(Figures("staff_total", "2020-07"), "80 80 80");
  EXPECT_EQ(Figure("staff_total", "T02", "2020-07"), "0");
  v1::RevertReorganizationRequest revert;
  revert.set_name(merged.name());
  ASSERT_THAT(
      Call<v1::Reorganization>(*admin_, "ReorganizationService/RevertReorganization", revert),
      IsOk());
  EXPECT_EQ(Figures("staff_total", "2020-07"), "50 50 80");
}

TEST_F(MemberRegister, S03_ChangesAreReturnedEveryMonth) {
  const std::string january = New("membership_return", "E01", "2020-01-31", {});
  const std::string february = New("membership_return", "E01", "2020-02-29", {});
  EXPECT_EQ(Get(january).due_date(), "2020-02-10");
  EXPECT_THAT(Step(january, "send", "2020-02-05", {{"joined", "3"}}),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "fields.left"));
  ASSERT_THAT(StepBy(*unit_, january, "send", "2020-02-05", {{"joined", "3"}, {"left", "1"}}),
              IsOk());
  EXPECT_THAT(StepBy(*unit_, january, "accept", "2020-02-06"),
              HasReasonAt(common::v1::REASON_OUT_OF_SCOPE, "transition"));
  ASSERT_THAT(StepBy(*Client("T01"), january, "accept", "2020-02-06"), IsOk());
  ASSERT_THAT(Step(february, "send", "2020-04-02", {{"joined", "0"}, {"left", "0"}}), IsOk());

  EXPECT_EQ(Figures("registration_frequency", "2020-01"), "1 1 1");
  EXPECT_EQ(Figures("registration_frequency", "2020Q1"), "2 2 2");
  EXPECT_EQ(Figures("membership_returns", "2020H1"), "2 2 2");
  EXPECT_EQ(Figures("membership_returns_overdue", "2020-02"), "0 0 0");
  EXPECT_EQ(Figures("membership_returns_overdue", "2020-03"), "1 1 1");
  EXPECT_EQ(Figures("membership_returns_overdue", "2020-04"), "0 0 0");
}

TEST_F(MemberRegister, S03_MembersMoveAndTheNumbersBalance) {
  const std::string within = Joined("E01", "2019-03-01");
  const std::string away = Joined("E01", "2019-03-01");
  const std::string gone = Joined("E01", "2019-03-01");
  Joined("E01", "2020-02-01");
  ASSERT_THAT(Leave(gone, "2020-03-01", "退休"), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto near, Start(*unit_, within, "E02", "2020-04-01"));
  ASSERT_OK_AND_ASSIGN(const auto far, Start(*unit_, away, "E03", "2020-05-01"));
  // Who starts does not accept; nothing has moved yet.
  EXPECT_THAT(Accept(*unit_, far.name()), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_EQ(Figures("members_total", "2020H1"), "3 3 3");
  ASSERT_THAT(Accept(*Client("E02"), near.name()), IsOk());
  ASSERT_THAT(Accept(*Client("T02"), far.name()), IsOk());
  EXPECT_THAT(Accept(*Client("T02"), far.name()),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "name"));

  EXPECT_EQ(Figures("members_total", "2020H1"), "1 2 3");
  EXPECT_EQ(Figures("members_total", "2020-04"), "2 3 3");
  EXPECT_EQ(Figures("members_total", "2020-03"), "3 3 3");
  EXPECT_EQ(Figures("members_joined", "2020H1"), "1 1 1");
  EXPECT_EQ(Figures("members_left", "2020H1"), "1 1 1");
  EXPECT_EQ(Figures("members_transferred", "2020H1"), "0 1 2");
  EXPECT_EQ(Figures("members_transferred_out", "2020H1"), "2 2 2");
  EXPECT_EQ(Flow("E01", "2020H1"), "3 1 0 2 1 1");
  EXPECT_EQ(Flow("T01", "2020H1"), "3 1 0 1 1 2");
  EXPECT_EQ(Flow("D01", "2020H1"), "3 1 0 0 1 3");

  // The unit reads its former member as of a day on which the person was there.
  v1::GetMemberRequest then;
  then.set_name(away);
  EXPECT_THAT(Call<v1::Member>(*unit_, "MemberService/GetMember", then),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  then.set_as_of("2020-04-30");
  EXPECT_THAT(Call<v1::Member>(*unit_, "MemberService/GetMember", then), IsOk());
}

TEST_F(MemberRegister, S04_CardsFromIssueToTheEnd) {
  const std::string member = Joined("E01", "2019-03-01");
  const std::string other = Joined("E01", "2019-03-01");
  EXPECT_THAT(Issue(Joined("E03", "2019-03-01"), "2020-02-01"),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Issue(member, "2019-02-01"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "issued_on"));
  ASSERT_OK_AND_ASSIGN(const v1::Card card, Issue(member, "2020-02-01"));
  ASSERT_OK_AND_ASSIGN(const v1::Card moving, Issue(other, "2020-02-01"));
  EXPECT_THAT(Issue(member, "2020-02-02"), HasReasonAt(common::v1::REASON_STATE_FORBIDS, "member"));
  EXPECT_TRUE(Valid(card.number()));
  EXPECT_EQ(Figures("cards_issued_members", "2020-02"), "2 2 2");

  v1::ReportCardLossRequest loss;
  loss.set_name(card.name());
  loss.set_lost_on("2020-03-01");
  ASSERT_THAT(Call<v1::Card>(*unit_, "CardService/ReportCardLoss", loss), IsOk());
  EXPECT_FALSE(Valid(card.number()));
  EXPECT_EQ(Figures("cards_issued_members", "2020-03"), "1 1 1");
  v1::ReplaceCardRequest replace;
  replace.set_name(card.name());
  replace.set_replaced_on("2020-04-01");
  replace.set_reason("lost");
  ASSERT_OK_AND_ASSIGN(const v1::Card fresh,
                       Call<v1::Card>(*unit_, "CardService/ReplaceCard", replace));
  EXPECT_TRUE(Valid(fresh.number()));
  EXPECT_EQ(Figures("cards_replaced", "2020H1"), "1 1 1");
  EXPECT_EQ(Figures("cards_issued_members", "2020-04"), "2 2 2");
  EXPECT_EQ(Figures("cards_issued_members", "2020-04", "medium=electronic"), "2 2 2");

  // A card goes with its member, and ends with the membership.
  ASSERT_OK_AND_ASSIGN(const auto transfer, Start(*unit_, other, "E03", "2020-05-01"));
  ASSERT_THAT(Accept(*Client("T02"), transfer.name()), IsOk());
  EXPECT_TRUE(Valid(moving.number()));
  EXPECT_EQ(Figures("cards_issued_members", "2020-05"), "1 1 2");
  ASSERT_THAT(Leave(member, "2020-06-01", "own_wish"), IsOk());
  EXPECT_FALSE(Valid(fresh.number()));
  EXPECT_EQ(Figures("cards_issued_members", "2020H1"), "0 0 1");
}

}  // namespace
}  // namespace gonghui::district
