// Members as of a day, what happened to them, and how their number went.
#include <random>

#include "gonghui/membership/v1/member_history.pb.h"
#include "gonghui/membership/v1/reorganization.pb.h"
#include "gonghui/membership/v1/transfer.pb.h"
#include "tests/integration/membership.h"

namespace gonghui::membership {
namespace {

using ::testing::ElementsAre;

class MemberHistoryTest : public MembershipTest {
 protected:
  void SetUp() override {
    MembershipTest::SetUp();
    MakeDistrict();
  }

  template <typename Response, typename Request>
  absl::StatusOr<Response> History(const rpc::Client& client, const std::string& method,
                                   const Request& request) {
    return client.Invoke<Response>("/gonghui.membership.v1.MemberHistoryService/" + method,
                                   request);
  }
  absl::StatusOr<v1::Member> GetAsOf(const rpc::Client& client, const std::string& name,
                                     const std::string& day) {
    v1::GetMemberRequest request;
    request.set_name(name);
    request.set_as_of(day);
    return Members<v1::Member>(client, "GetMember", request);
  }
  absl::StatusOr<v1::ListMembersResponse> ListAsOf(const std::string& organization,
                                                   const std::string& day, int page_size = 0,
                                                   const std::string& page_token = "",
                                                   const std::string& state = "all") {
    v1::ListMembersRequest request;
    request.set_parent("federations/demo");
    request.set_organization(organization);
    request.set_as_of(day);
    request.set_state(state);
    request.set_page_size(page_size);
    request.set_page_token(page_token);
    return Members<v1::ListMembersResponse>(*admin_, "ListMembers", request);
  }
  absl::StatusOr<v1::Member> Leave(const std::string& name, const std::string& left_on,
                                   const std::string& reason, const std::string& document = "") {
    v1::LeaveMemberRequest request;
    request.set_name(name);
    request.set_left_on(left_on);
    request.set_reason(reason);
    request.set_document(document);
    return Members<v1::Member>(*admin_, "LeaveMember", request);
  }
  absl::StatusOr<v1::Member> Join(const std::string& name, const std::string& organization,
                                  const std::string& joined_on) {
    v1::JoinMemberRequest request;
    request.set_name(name);
    request.set_organization(organization);
    request.set_joined_on(joined_on);
    return Members<v1::Member>(*admin_, "JoinMember", request);
  }
  absl::StatusOr<v1::Member> Retain(const rpc::Client& client, const std::string& name,
                                    const std::string& from, const std::string& reason,
                                    const std::string& request_id = "") {
    v1::RetainMemberRequest request;
    request.set_name(name);
    request.set_retained_from(from);
    request.set_reason(reason);
    request.set_request_id(request_id);
    return Members<v1::Member>(client, "RetainMember", request);
  }
  absl::StatusOr<v1::Member> Resume(const std::string& name, const std::string& on) {
    v1::ResumeMemberRequest request;
    request.set_name(name);
    request.set_resumed_on(on);
    return Members<v1::Member>(*admin_, "ResumeMember", request);
  }
  void Merge(const std::string& source, const std::string& target, const std::string& day) {
    v1::MergeOrganizationsRequest request;
    request.set_parent("federations/demo");
    request.mutable_merge()->add_sources(source);
    request.mutable_merge()->set_target(target);
    request.mutable_merge()->set_valid_from(day);
    ASSERT_THAT(admin_->Invoke<v1::Reorganization>(
                    "/gonghui.membership.v1.ReorganizationService/MergeOrganizations", request),
                IsOk());
  }
  void Move(const std::string& organization, const std::string& parent, const std::string& day) {
    v1::MoveOrganizationRequest request;
    request.set_name("federations/demo/organizations/" + organization);
    request.set_new_parent(parent);
    request.set_valid_from(day);
    ASSERT_THAT(Organizations<v1::Organization>(*admin_, "MoveOrganization", request), IsOk());
  }

  // "opening +joined +transferred in +carried in -transferred out -carried out -left =closing".
  std::string Flow(const std::string& organization, const std::string& period) {
    v1::GetMemberFlowRequest request;
    request.set_parent("federations/demo");
    request.set_organization(organization);
    request.set_period(period);
    const auto flow = History<v1::MemberFlow>(*admin_, "GetMemberFlow", request);
    EXPECT_THAT(flow, IsOk());
    if (!flow.ok()) return "";
    EXPECT_EQ(flow->opening() + flow->joined() + flow->transferred_in() + flow->carried_in() -
                  flow->transferred_out() - flow->carried_out() - flow->left(),
              flow->closing())
        << flow->ShortDebugString();
    return absl::StrCat(flow->opening(), " +", flow->joined(), " +", flow->transferred_in(), " +",
                        flow->carried_in(), " -", flow->transferred_out(), " -",
                        flow->carried_out(), " -", flow->left(), " =", flow->closing());
  }

  std::vector<std::string> Events(const std::string& name) {
    v1::ListMemberEventsRequest request;
    request.set_parent(name);
    const auto answer = History<v1::ListMemberEventsResponse>(*admin_, "ListMemberEvents", request);
    EXPECT_THAT(answer, IsOk());
    std::vector<std::string> events;
    if (!answer.ok()) return events;
    for (const v1::MemberEvent& event : answer->events()) {
      events.push_back(
          absl::StrCat(event.on_date(), " ",
                       v1::MemberEventKind_Name(event.kind()).substr(sizeof("MEMBER_EVENT_KIND")),
                       " ", event.organization(), " ", event.reason(), " ", event.actor()));
    }
    return events;
  }
};

TEST_P(MemberHistoryTest, ShowsMembersAsOfADay) {
  ASSERT_OK_AND_ASSIGN(const v1::Member one, Create(*admin_, Member("E01", 1, "2018-03-01")));
  ASSERT_OK_AND_ASSIGN(const v1::Member two, Create(*admin_, Member("E02", 2, "2019-01-01")));
  ASSERT_THAT(Leave(one.name(), "2019-05-01", "unemployed"), IsOk());
  ASSERT_THAT(Join(one.name(), "E02", "2019-08-01"), IsOk());
  ASSERT_THAT(Retain(*admin_, one.name(), "2020-01-01", "失业"), IsOk());
  ASSERT_OK_AND_ASSIGN(const v1::Member now, Resume(one.name(), "2020-06-01"));
  EXPECT_EQ(now.state(), "active");
  EXPECT_EQ(now.seniority_from(), "2018-03-01");

  EXPECT_THAT(GetAsOf(*admin_, one.name(), "2018-02-28"),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "as_of"));
  struct Then {
    std::string day, organization, state;
  };
  for (const Then& then :
       {Then{"2018-03-01", "E01", "active"}, Then{"2019-04-30", "E01", "active"},
        Then{"2019-05-01", "E01", "left"}, Then{"2019-08-01", "E02", "active"},
        Then{"2020-01-01", "E02", "retained"}, Then{"2020-05-31", "E02", "retained"},
        Then{"2020-06-01", "E02", "active"}}) {
    ASSERT_OK_AND_ASSIGN(const v1::Member shown, GetAsOf(*admin_, one.name(), then.day));
    EXPECT_EQ(shown.organization(), then.organization) << then.day;
    EXPECT_EQ(shown.state(), then.state) << then.day;
    EXPECT_EQ(shown.left_on(), then.state == "left" ? "2019-05-01" : "") << then.day;
    EXPECT_EQ(shown.seniority_from(), "2018-03-01");
  }
  // T01's registrar sees the person while in T01, not afterwards.
  EXPECT_THAT(GetAsOf(*clerk_, one.name(), "2019-04-30"), IsOk());
  EXPECT_THAT(GetAsOf(*clerk_, one.name(), "2019-08-01"),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(GetAsOf(*stranger_, one.name(), "2019-08-01"),
              HasReason(common::v1::REASON_WRONG_FEDERATION));

  const auto count = [&](const std::string& organization, const std::string& day,
                         const std::string& state = "all") {
    const auto listed = ListAsOf(organization, day, 0, "", state);
    EXPECT_THAT(listed, IsOk());
    return listed.ok() ? listed->members_size() : -1;
  };
  EXPECT_EQ(count("D01", "2018-12-31"), 1);
  EXPECT_EQ(count("D01", "2019-04-30"), 2);
  EXPECT_EQ(count("D01", "2019-05-01"), 1);
  EXPECT_EQ(count("T01", "2019-04-30"), 1);
  EXPECT_EQ(count("T01", "2019-08-01"), 0);
  EXPECT_EQ(count("T02", "2020-02-01"), 2);
  EXPECT_EQ(count("T02", "2020-02-01", "retained"), 1);
  ASSERT_OK_AND_ASSIGN(const auto first, ListAsOf("", "2020-02-01", 1));
  ASSERT_EQ(first.members_size(), 1);
  ASSERT_OK_AND_ASSIGN(const auto second, ListAsOf("", "2020-02-01", 1, first.next_page_token()));
  ASSERT_EQ(second.members_size(), 1);
  EXPECT_NE(first.members(0).name(), second.members(0).name());
  EXPECT_EQ(second.next_page_token(), "");
  EXPECT_THAT(ListAsOf("D01", "2020-02-01", 0, "", "left"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "as_of"));
}

TEST_P(MemberHistoryTest, TellsWhatHappened) {
  ASSERT_OK_AND_ASSIGN(v1::Member member, Create(*clerk_, Member("E01", 1)));
  v1::UpdateMemberRequest update;
  *update.mutable_member() = member;
  update.mutable_member()->set_job("焊工");
  update.set_update_mask("job");
  ASSERT_THAT(Members<v1::Member>(*admin_, "UpdateMember", update), IsOk());
  EXPECT_THAT(Leave(member.name(), "2019-05-01", "除名"),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "document"));
  ASSERT_THAT(Leave(member.name(), "2019-05-01", "除名", "某工发〔2019〕3号"), IsOk());
  ASSERT_OK_AND_ASSIGN(member, Join(member.name(), "E01", "2020-01-01"));
  EXPECT_EQ(member.seniority_from(), "2020-01-01");
  Merge("E01", "E02", "2020-03-01");
  const std::string today = Clock::System().Today();
  EXPECT_THAT(Events(member.name()),
              ElementsAre("2018-03-01 JOINED E01  registrar@T01",
                          "2019-05-01 LEFT E01 expelled admin@*", "2020-01-01 JOINED E01  admin@*",
                          "2020-03-01 REORGANISED E02  ", today + " CORRECTED E01  admin@*"));
  v1::ListMemberEventsRequest request;
  request.set_parent(member.name());
  request.set_page_size(2);
  ASSERT_OK_AND_ASSIGN(const auto page,
                       History<v1::ListMemberEventsResponse>(*admin_, "ListMemberEvents", request));
  ASSERT_EQ(page.events_size(), 2);
  EXPECT_EQ(page.events(1).document(), "某工发〔2019〕3号");
  request.set_page_token(page.next_page_token());
  ASSERT_OK_AND_ASSIGN(const auto rest,
                       History<v1::ListMemberEventsResponse>(*admin_, "ListMemberEvents", request));
  EXPECT_EQ(rest.events(0).on_date(), "2020-01-01");
  // It is E02's member now.
  EXPECT_THAT(History<v1::ListMemberEventsResponse>(*clerk_, "ListMemberEvents", request),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(History<v1::ListMemberEventsResponse>(*stranger_, "ListMemberEvents", request),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  request.set_parent("federations/demo/members/none");
  request.clear_page_token();
  EXPECT_THAT(History<v1::ListMemberEventsResponse>(*admin_, "ListMemberEvents", request),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "parent"));
}

TEST_P(MemberHistoryTest, RetainsAndResumes) {
  ASSERT_OK_AND_ASSIGN(const v1::Member member, Create(*clerk_, Member("E01", 1)));
  EXPECT_THAT(Retain(*clerk_, member.name(), "2017-01-01", "retired"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "retained_from"));
  EXPECT_THAT(Retain(*clerk_, member.name(), "2999-01-01", "retired"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "retained_from"));
  EXPECT_THAT(Retain(*clerk_, member.name(), "2020-01-01", "bored"),
              HasReasonAt(common::v1::REASON_CODE_UNKNOWN, "reason"));
  EXPECT_THAT(Resume(member.name(), "2020-01-01"),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "name"));
  ASSERT_OK_AND_ASSIGN(const v1::Member retained,
                       Retain(*clerk_, member.name(), "2020-01-01", "退休", "r1"));
  EXPECT_EQ(retained.state(), "retained");
  EXPECT_EQ(retained.retained_from(), "2020-01-01");
  ASSERT_OK_AND_ASSIGN(const v1::Member replayed,
                       Retain(*clerk_, member.name(), "2020-01-01", "退休", "r1"));
  EXPECT_EQ(replayed.SerializeAsString(), retained.SerializeAsString());
  EXPECT_THAT(Retain(*clerk_, member.name(), "2020-02-01", "退休"),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "name"));
  EXPECT_THAT(Resume(member.name(), "2019-12-31"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "resumed_on"));
  // Still a member; leaving ends the retention.
  EXPECT_EQ(Flow("E01", "2020"), "1 +0 +0 +0 -0 -0 -0 =1");
  ASSERT_OK_AND_ASSIGN(const v1::Member left, Leave(member.name(), "2021-05-01", "deceased"));
  EXPECT_EQ(left.state(), "left");
  EXPECT_EQ(left.retained_from(), "");
  EXPECT_EQ(left.leave_reason(), "deceased");
  ASSERT_OK_AND_ASSIGN(const v1::Member then, GetAsOf(*admin_, member.name(), "2021-04-30"));
  EXPECT_EQ(then.state(), "retained");
  EXPECT_THAT(Join(member.name(), "E01", "2022-01-01"),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "name"));
  ASSERT_OK_AND_ASSIGN(const v1::Member other, Create(*admin_, Member("E02", 2)));
  EXPECT_THAT(Retain(*clerk_, other.name(), "2020-01-01", "retired"),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
}

TEST_P(MemberHistoryTest, FlowBalancesAcrossReorganisations) {
  std::vector<std::string> names;
  for (int i = 0; i < 4; ++i) {
    ASSERT_OK_AND_ASSIGN(const v1::Member member,
                         Create(*admin_, Member(i < 3 ? "E01" : "E02", i + 1, "2019-03-01")));
    names.push_back(member.name());
  }
  ASSERT_THAT(Create(*admin_, Member("E02", 5, "2020-02-01")), IsOk());
  ASSERT_THAT(Leave(names[0], "2020-02-10", "own_wish"), IsOk());
  ASSERT_THAT(Join(names[0], "E02", "2020-02-20"), IsOk());
  Merge("E01", "E02", "2020-04-01");
  EXPECT_EQ(Flow("", "2020"), "4 +2 +0 +0 -0 -0 -1 =5");
  EXPECT_EQ(Flow("T01", "2020"), "3 +0 +0 +0 -0 -2 -1 =0");
  EXPECT_EQ(Flow("T02", "2020"), "1 +2 +0 +2 -0 -0 -0 =5");
  EXPECT_EQ(Flow("E02", "2020Q1"), "1 +2 +0 +0 -0 -0 -0 =3");
  EXPECT_EQ(Flow("E02", "2020Q2"), "3 +0 +0 +2 -0 -0 -0 =5");
  // The whole of E02 goes to T01 in the middle of a month, and a member leaves before and after.
  ASSERT_THAT(Leave(names[3], "2020-05-10", "retired"), IsOk());
  Move("E02", "T01", "2020-05-15");
  ASSERT_THAT(Leave(names[1], "2020-05-15", "retired"), IsOk());
  ASSERT_THAT(Leave(names[2], "2020-05-20", "retired"), IsOk());
  EXPECT_EQ(Flow("T02", "2020-05"), "5 +0 +0 +0 -0 -3 -2 =0");
  EXPECT_EQ(Flow("T01", "2020-05"), "0 +0 +0 +3 -0 -0 -1 =2");
  EXPECT_EQ(Flow("D01", "2020-05"), "5 +0 +0 +0 -0 -0 -3 =2");
  EXPECT_EQ(Flow("E02", "2020-05"), "5 +0 +0 +0 -0 -0 -3 =2");

  v1::GetMemberFlowRequest request;
  request.set_parent("federations/demo");
  EXPECT_THAT(History<v1::MemberFlow>(*admin_, "GetMemberFlow", request),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "period"));
  request.set_first_day("2020-05-15");
  request.set_last_day("2020-05-14");
  EXPECT_THAT(History<v1::MemberFlow>(*admin_, "GetMemberFlow", request),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "last_day"));
  request.set_last_day("2020-05-15");
  ASSERT_OK_AND_ASSIGN(const auto day, History<v1::MemberFlow>(*admin_, "GetMemberFlow", request));
  EXPECT_EQ(day.left(), 1);
  request.set_organization("T02");
  EXPECT_THAT(History<v1::MemberFlow>(*clerk_, "GetMemberFlow", request),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(History<v1::MemberFlow>(*stranger_, "GetMemberFlow", request),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
}

// Whatever happens to persons and organisations, every flow of every organisation balances, and the
// closing of a month is the opening of the next.
TEST_P(MemberHistoryTest, FlowBalancesWhateverHappens) {
  const unsigned seed = ::testing::UnitTest::GetInstance()->random_seed();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  const auto pick = [&](int below) { return static_cast<int>(random() % below); };
  const std::vector<std::string> units = {"E01", "E02", "T01", "T02"};
  std::vector<std::string> names;
  for (int i = 0; i < 12; ++i) {
    ASSERT_OK_AND_ASSIGN(const v1::Member member,
                         Create(*admin_, Member(units[pick(4)], i + 1, "2019-06-01")));
    names.push_back(member.name());
  }
  bool below_t01 = true;  // E01, which moves between the two streets.
  for (int month = 1; month <= 6; ++month) {
    for (int step = 0; step < 6; ++step) {
      const std::string day = absl::StrFormat("2020-%02d-%02d", month, 1 + step * 4 + pick(4));
      const std::string& name = names[pick(12)];
      switch (pick(4)) {
        case 0:
          Leave(name, day, "unemployed").IgnoreError();
          break;
        case 1:
          Join(name, units[pick(4)], day).IgnoreError();
          break;
        case 2: {
          v1::StartTransferRequest start;
          start.set_parent("federations/demo");
          start.set_side(v1::TRANSFER_SIDE_SOURCE);
          start.set_member(name);
          start.set_target(units[pick(4)]);
          start.set_effective_on(day);
          start.set_reason("other");
          const auto transfer = admin_->Invoke<v1::Transfer>(
              "/gonghui.membership.v1.TransferService/StartTransfer", start);
          if (!transfer.ok()) break;
          v1::AcceptTransferRequest accept;
          accept.set_name(transfer->name());
          admin_
              ->Invoke<v1::Transfer>("/gonghui.membership.v1.TransferService/AcceptTransfer",
                                     accept)
              .IgnoreError();
          break;
        }
        default:
          if (step == 3) {
            ASSERT_NO_FATAL_FAILURE(Move("E01", below_t01 ? "T02" : "T01", day));
            below_t01 = !below_t01;
          }
      }
    }
  }
  for (const char* organization : {"D01", "T01", "T02", "E01", "E02"}) {
    std::string before;
    for (int month = 1; month <= 6; ++month) {
      const std::string flow = Flow(organization, absl::StrFormat("2020-%02d", month));
      const std::string opening = flow.substr(0, flow.find(' '));
      if (!before.empty()) {
        EXPECT_EQ(opening, before) << organization << " " << month;
      }
      before = flow.substr(flow.find('=') + 1);
    }
    Flow(organization, "2020H1");
  }
  const std::string whole = Flow("D01", "2020H1");
  EXPECT_THAT(whole, ::testing::HasSubstr(" +0 +0 -0 -0 -"));  // Nothing comes from outside.
}

INSTANTIATE_TEST_SUITE_P(Engines, MemberHistoryTest,
                         ::testing::ValuesIn(::gonghui::testing::Engines()));

}  // namespace
}  // namespace gonghui::membership
