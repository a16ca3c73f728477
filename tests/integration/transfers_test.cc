// Transfers between organisations, agreed by both sides.
#include "common/base/date.h"
#include "gonghui/membership/v1/member_history.pb.h"
#include "gonghui/membership/v1/reorganization.pb.h"
#include "gonghui/membership/v1/transfer.pb.h"
#include "tests/integration/membership.h"

namespace gonghui::membership {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

class TransfersTest : public MembershipTest {
 protected:
  void SetUp() override {
    MembershipTest::SetUp();
    MakeDistrict();
    target_clerk_ = ClientOf("demo", "registrar", "T02", true);
  }
  void TearDown() override {
    target_clerk_.reset();
    MembershipTest::TearDown();
  }

  using Done = absl::StatusOr<v1::Transfer>;
  template <typename Response = v1::Transfer, typename Request>
  static absl::StatusOr<Response> Call(const rpc::Client& client, const std::string& method,
                                       const Request& request) {
    return client.Invoke<Response>("/gonghui.membership.v1.TransferService/" + method, request);
  }
  static v1::StartTransferRequest Outgoing(const std::string& member, const std::string& target,
                                           const std::string& effective_on = "2020-05-01") {
    v1::StartTransferRequest request;
    request.set_parent("federations/demo");
    request.set_side(v1::TRANSFER_SIDE_SOURCE);
    request.set_member(member);
    request.set_target(target);
    request.set_effective_on(effective_on);
    request.set_reason("调动");
    return request;
  }
  static v1::StartTransferRequest Incoming(int serial, const std::string& target) {
    v1::StartTransferRequest request = Outgoing("", target);
    request.set_side(v1::TRANSFER_SIDE_TARGET);
    request.set_id_number(IdNumber(serial));
    return request;
  }
  static Done Accept(const rpc::Client& client, const std::string& name,
                     const std::string& request_id = "", const std::string& etag = "") {
    v1::AcceptTransferRequest request;
    request.set_name(name);
    request.set_request_id(request_id);
    request.set_etag(etag);
    return Call(client, "AcceptTransfer", request);
  }
  static Done Reject(const rpc::Client& client, const std::string& name, const std::string& note) {
    v1::RejectTransferRequest request;
    request.set_name(name);
    request.set_note(note);
    return Call(client, "RejectTransfer", request);
  }
  static Done Cancel(const rpc::Client& client, const std::string& name) {
    v1::CancelTransferRequest request;
    request.set_name(name);
    return Call(client, "CancelTransfer", request);
  }
  static Done Get(const rpc::Client& client, const std::string& name) {
    v1::GetTransferRequest request;
    request.set_name(name);
    return Call(client, "GetTransfer", request);
  }
  std::vector<std::string> List(const rpc::Client& client, const std::string& organization,
                                v1::TransferSide side = v1::TRANSFER_SIDE_UNSPECIFIED,
                                v1::TransferState state = v1::TRANSFER_STATE_UNSPECIFIED) {
    v1::ListTransfersRequest request;
    request.set_parent("federations/demo");
    request.set_organization(organization);
    request.set_side(side);
    request.set_state(state);
    request.set_page_size(1);
    std::vector<std::string> names;
    do {
      const auto page = Call<v1::ListTransfersResponse>(client, "ListTransfers", request);
      EXPECT_THAT(page, IsOk());
      if (!page.ok()) break;
      for (const v1::Transfer& transfer : page->transfers()) names.push_back(transfer.name());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return names;
  }
  absl::StatusOr<v1::Member> GetMember(const rpc::Client& client, const std::string& name,
                                       const std::string& as_of = "") {
    v1::GetMemberRequest request;
    request.set_name(name);
    request.set_as_of(as_of);
    return Members<v1::Member>(client, "GetMember", request);
  }

  const Clock& clock() const override { return clock_; }

  ManualClock clock_{absl::Now()};
  std::unique_ptr<rpc::Client> target_clerk_;  // Registrar of T02 and what lies below.
};

TEST_P(TransfersTest, MovesWithoutGapOrOverlap) {
  ASSERT_OK_AND_ASSIGN(const v1::Member member, Create(*clerk_, Member("E01", 1)));
  v1::StartTransferRequest start = Outgoing(member.name(), "E02");
  start.set_request_id("r1");
  ASSERT_OK_AND_ASSIGN(const v1::Transfer started, Call(*clerk_, "StartTransfer", start));
  EXPECT_EQ(started.state(), v1::TRANSFER_STATE_PENDING);
  EXPECT_EQ(started.source(), "E01");
  EXPECT_EQ(started.reason(), "employment_changed");
  EXPECT_EQ(started.start_actor(), "registrar@T01");
  ASSERT_OK_AND_ASSIGN(const absl::CivilDay today, ParseDate(Clock::System().Today()));
  EXPECT_EQ(started.answer_by(), FormatDate(today + 30));
  ASSERT_OK_AND_ASSIGN(const v1::Transfer replayed, Call(*clerk_, "StartTransfer", start));
  EXPECT_EQ(replayed.SerializeAsString(), started.SerializeAsString());
  ASSERT_OK_AND_ASSIGN(const v1::Member still, GetMember(*clerk_, member.name()));
  EXPECT_EQ(still.organization(), "E01");

  // Both sides see it; only the other one may accept.
  EXPECT_THAT(Get(*clerk_, started.name()), IsOk());
  EXPECT_THAT(Get(*target_clerk_, started.name()), IsOk());
  EXPECT_THAT(Accept(*clerk_, started.name()), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Accept(*stranger_, started.name()), HasReason(common::v1::REASON_WRONG_FEDERATION));
  EXPECT_THAT(Accept(*target_clerk_, started.name(), "", "\"7\""),
              HasReason(common::v1::REASON_ETAG_MISMATCH));
  ASSERT_OK_AND_ASSIGN(const v1::Transfer done, Accept(*target_clerk_, started.name(), "r2"));
  EXPECT_EQ(done.state(), v1::TRANSFER_STATE_ACCEPTED);
  EXPECT_EQ(done.end_actor(), "registrar@T02");
  ASSERT_OK_AND_ASSIGN(const v1::Transfer again, Accept(*target_clerk_, started.name(), "r2"));
  EXPECT_EQ(again.SerializeAsString(), done.SerializeAsString());
  EXPECT_THAT(Accept(*target_clerk_, started.name()),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "name"));

  ASSERT_OK_AND_ASSIGN(const v1::Member moved, GetMember(*target_clerk_, member.name()));
  EXPECT_EQ(moved.organization(), "E02");
  EXPECT_EQ(moved.joined_on(), "2020-05-01");
  EXPECT_EQ(moved.seniority_from(), "2018-03-01");
  EXPECT_THAT(GetMember(*clerk_, member.name()), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  ASSERT_OK_AND_ASSIGN(const v1::Member eve, GetMember(*admin_, member.name(), "2020-04-30"));
  EXPECT_EQ(eve.organization() + " " + eve.state(), "E01 active");
  ASSERT_OK_AND_ASSIGN(const v1::Member first, GetMember(*admin_, member.name(), "2020-05-01"));
  EXPECT_EQ(first.organization() + " " + first.state(), "E02 active");

  const auto facts = Facts();
  EXPECT_THAT(facts.at("members_total E01 male"),
              ElementsAre(Pair("2018-03-01", 1), Pair("2020-05-01", -1)));
  EXPECT_THAT(facts.at("members_total E02 male"), ElementsAre(Pair("2020-05-01", 1)));
  EXPECT_THAT(facts.at("members_transferred E02 male"), ElementsAre(Pair("2020-05-01", 1)));
  EXPECT_THAT(facts.at("members_transferred_out E01 male"), ElementsAre(Pair("2020-05-01", 1)));
  EXPECT_EQ(facts.count("members_left E01 male"), 0u);
  EXPECT_EQ(facts.count("members_joined E02 male"), 0u);

  v1::GetMemberFlowRequest flow_request;
  flow_request.set_parent("federations/demo");
  flow_request.set_period("2020H1");
  for (const auto& [organization, in, out, within] :
       std::vector<std::tuple<std::string, int, int, int>>{
           {"D01", 0, 0, 1}, {"T01", 0, 1, 0}, {"T02", 1, 0, 0}}) {
    flow_request.set_organization(organization);
    ASSERT_OK_AND_ASSIGN(
        const auto flow,
        admin_->Invoke<v1::MemberFlow>("/gonghui.membership.v1.MemberHistoryService/GetMemberFlow",
                                       flow_request));
    EXPECT_EQ(flow.transferred_in(), in) << organization;
    EXPECT_EQ(flow.transferred_out(), out) << organization;
    EXPECT_EQ(flow.transferred_within(), within) << organization;
    EXPECT_EQ(flow.opening() + in - out, flow.closing()) << organization;
  }
}

TEST_P(TransfersTest, TheTargetMayStartWithThePaper) {
  ASSERT_THAT(Create(*clerk_, Member("E01", 1)), IsOk());
  EXPECT_THAT(Call(*clerk_, "StartTransfer", Incoming(1, "E02")),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Call(*target_clerk_, "StartTransfer", Incoming(2, "E02")),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "id_number"));
  v1::StartTransferRequest now = Incoming(1, "E02");
  now.clear_effective_on();
  ASSERT_OK_AND_ASSIGN(const v1::Transfer started, Call(*target_clerk_, "StartTransfer", now));
  EXPECT_EQ(started.effective_on(), "");
  EXPECT_THAT(Accept(*target_clerk_, started.name()), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Cancel(*clerk_, started.name()), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  ASSERT_OK_AND_ASSIGN(const v1::Transfer done, Accept(*clerk_, started.name()));
  EXPECT_EQ(done.effective_on(), Clock::System().Today());
}

TEST_P(TransfersTest, RejectsAndCancels) {
  ASSERT_OK_AND_ASSIGN(const v1::Member member, Create(*clerk_, Member("E01", 1)));
  const v1::StartTransferRequest start = Outgoing(member.name(), "E02");
  ASSERT_OK_AND_ASSIGN(const v1::Transfer first, Call(*clerk_, "StartTransfer", start));
  EXPECT_THAT(Call(*clerk_, "StartTransfer", start),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "member"));
  EXPECT_THAT(Reject(*target_clerk_, first.name(), ""),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "note"));
  EXPECT_THAT(Reject(*clerk_, first.name(), "查无此人"),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  ASSERT_OK_AND_ASSIGN(const v1::Transfer rejected,
                       Reject(*target_clerk_, first.name(), "查无此人"));
  EXPECT_EQ(rejected.note(), "查无此人");
  EXPECT_EQ(rejected.state(), v1::TRANSFER_STATE_REJECTED);
  ASSERT_OK_AND_ASSIGN(const v1::Transfer second, Call(*clerk_, "StartTransfer", start));
  EXPECT_THAT(Cancel(*target_clerk_, second.name()), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Cancel(*clerk_, second.name()), IsOk());
  EXPECT_THAT(Accept(*target_clerk_, second.name()),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "name"));
  ASSERT_OK_AND_ASSIGN(const v1::Transfer third, Call(*clerk_, "StartTransfer", start));

  EXPECT_THAT(List(*clerk_, "T01"), ElementsAre(third.name(), second.name(), first.name()));
  EXPECT_THAT(List(*clerk_, "T01", v1::TRANSFER_SIDE_TARGET), IsEmpty());
  EXPECT_THAT(List(*target_clerk_, "T02", v1::TRANSFER_SIDE_TARGET, v1::TRANSFER_STATE_PENDING),
              ElementsAre(third.name()));
  EXPECT_THAT(List(*admin_, "", v1::TRANSFER_SIDE_UNSPECIFIED, v1::TRANSFER_STATE_REJECTED),
              ElementsAre(first.name()));
  EXPECT_THAT(List(*admin_, "D01", v1::TRANSFER_SIDE_UNSPECIFIED, v1::TRANSFER_STATE_LAPSED),
              IsEmpty());
  v1::ListTransfersRequest outside;
  outside.set_parent("federations/demo");
  outside.set_organization("T02");
  EXPECT_THAT(Call<v1::ListTransfersResponse>(*clerk_, "ListTransfers", outside),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
}

TEST_P(TransfersTest, RefusesWhatCannotBe) {
  ASSERT_OK_AND_ASSIGN(const v1::Member member, Create(*clerk_, Member("E01", 1)));
  const auto refused = [&](const v1::StartTransferRequest& request, common::v1::Reason reason,
                           const std::string& field) {
    const Done done = Call(*admin_, "StartTransfer", request);
    EXPECT_THAT(done, HasReasonAt(reason, field));
    EXPECT_THAT(std::string(done.status().message()), Not(::testing::HasSubstr("320402")));
  };
  refused(Outgoing("", "E02"), common::v1::REASON_FIELD_REQUIRED, "member");
  refused(Outgoing(member.name(), "E01"), common::v1::REASON_FIELD_INVALID, "target");
  refused(Outgoing(member.name(), "E99"), common::v1::REASON_REFERENCE_NOT_FOUND, "target");
  refused(Outgoing(member.name(), "E02", "2018-03-01"), common::v1::REASON_FIELD_INVALID,
          "effective_on");
  refused(Outgoing(member.name(), "E02", "2999-01-01"), common::v1::REASON_FIELD_INVALID,
          "effective_on");
  refused(Outgoing("federations/demo/members/none", "E02"), common::v1::REASON_NOT_FOUND, "member");
  v1::StartTransferRequest request = Outgoing(member.name(), "E02");
  request.set_reason("bored");
  refused(request, common::v1::REASON_CODE_UNKNOWN, "reason");
  request = Incoming(1, "E02");
  request.set_id_number("320402198001020010");
  refused(request, common::v1::REASON_ID_NUMBER_INVALID, "id_number");
  v1::LeaveMemberRequest leave;
  leave.set_name(member.name());
  leave.set_left_on("2020-01-01");
  leave.set_reason("transfer");
  EXPECT_THAT(Members<v1::Member>(*admin_, "LeaveMember", leave),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "reason"));
}

TEST_P(TransfersTest, ToldClearlyWhenThePersonIsElsewhereByNow) {
  ASSERT_OK_AND_ASSIGN(const v1::Member one, Create(*admin_, Member("E01", 1)));
  ASSERT_OK_AND_ASSIGN(const v1::Member two, Create(*admin_, Member("E01", 2)));
  ASSERT_OK_AND_ASSIGN(const v1::Transfer of_one,
                       Call(*clerk_, "StartTransfer", Outgoing(one.name(), "E02")));
  ASSERT_OK_AND_ASSIGN(const v1::Transfer of_two,
                       Call(*clerk_, "StartTransfer", Outgoing(two.name(), "E02")));
  v1::LeaveMemberRequest leave;
  leave.set_name(one.name());
  leave.set_left_on("2020-01-01");
  leave.set_reason("unemployed");
  ASSERT_THAT(Members<v1::Member>(*admin_, "LeaveMember", leave), IsOk());
  EXPECT_THAT(Accept(*target_clerk_, of_one.name()),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "name"));
  // A reorganisation carries the second person to T01.
  v1::MergeOrganizationsRequest merge;
  merge.set_parent("federations/demo");
  merge.mutable_merge()->add_sources("E01");
  merge.mutable_merge()->set_target("T01");
  merge.mutable_merge()->set_valid_from("2020-03-01");
  ASSERT_THAT(admin_->Invoke<v1::Reorganization>(
                  "/gonghui.membership.v1.ReorganizationService/MergeOrganizations", merge),
              IsOk());
  const Done late = Accept(*target_clerk_, of_two.name());
  EXPECT_THAT(late, HasReasonAt(common::v1::REASON_STATE_FORBIDS, "name"));
  EXPECT_THAT(std::string(late.status().message()), ::testing::HasSubstr("'T01'"));
  // Cancelled and started anew from there, it works.
  EXPECT_THAT(Cancel(*clerk_, of_two.name()), IsOk());
  ASSERT_OK_AND_ASSIGN(const v1::Transfer anew,
                       Call(*clerk_, "StartTransfer", Outgoing(two.name(), "E02")));
  EXPECT_EQ(anew.source(), "T01");
  ASSERT_OK_AND_ASSIGN(const v1::Transfer done, Accept(*target_clerk_, anew.name()));
  ASSERT_OK_AND_ASSIGN(const v1::Member moved, GetMember(*admin_, two.name()));
  EXPECT_EQ(moved.seniority_from(), "2018-03-01");
}

TEST_P(TransfersTest, LapsesByItself) {
  ASSERT_OK_AND_ASSIGN(const v1::Member member, Create(*clerk_, Member("E01", 1)));
  const v1::StartTransferRequest start = Outgoing(member.name(), "E02");
  ASSERT_OK_AND_ASSIGN(const v1::Transfer first, Call(*clerk_, "StartTransfer", start));
  clock_.Advance(absl::Hours(24 * 30));
  target_clerk_ = ClientOf("demo", "registrar", "T02", true);
  clerk_ = ClientOf("demo", "registrar", "T01", true);
  ASSERT_OK_AND_ASSIGN(const v1::Transfer last_day, Get(*target_clerk_, first.name()));
  EXPECT_EQ(last_day.state(), v1::TRANSFER_STATE_PENDING);
  clock_.Advance(absl::Hours(24));
  target_clerk_ = ClientOf("demo", "registrar", "T02", true);
  clerk_ = ClientOf("demo", "registrar", "T01", true);
  ASSERT_OK_AND_ASSIGN(const v1::Transfer lapsed, Get(*target_clerk_, first.name()));
  EXPECT_EQ(lapsed.state(), v1::TRANSFER_STATE_LAPSED);
  EXPECT_THAT(List(*clerk_, "T01", v1::TRANSFER_SIDE_SOURCE, v1::TRANSFER_STATE_PENDING),
              IsEmpty());
  EXPECT_THAT(List(*clerk_, "T01", v1::TRANSFER_SIDE_SOURCE, v1::TRANSFER_STATE_LAPSED),
              ElementsAre(first.name()));
  EXPECT_THAT(Accept(*target_clerk_, first.name()),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "name"));
  ASSERT_OK_AND_ASSIGN(const v1::Transfer second, Call(*clerk_, "StartTransfer", start));
  EXPECT_THAT(Accept(*target_clerk_, second.name()), IsOk());
  EXPECT_THAT(List(*clerk_, "T01", v1::TRANSFER_SIDE_SOURCE, v1::TRANSFER_STATE_LAPSED),
              ElementsAre(first.name()));
}

INSTANTIATE_TEST_SUITE_P(Engines, TransfersTest,
                         ::testing::ValuesIn(::gonghui::testing::Engines()));

}  // namespace
}  // namespace gonghui::membership
