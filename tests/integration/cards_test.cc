// Membership cards.
#include <set>

#include "gonghui/membership/v1/card.pb.h"
#include "gonghui/membership/v1/transfer.pb.h"
#include "tests/integration/membership.h"

namespace gonghui::membership {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

class CardsTest : public MembershipTest {
 protected:
  void SetUp() override {
    MembershipTest::SetUp();
    MakeDistrict();
  }

  using Done = absl::StatusOr<v1::Card>;
  template <typename Response = v1::Card, typename Request>
  static absl::StatusOr<Response> Call(const rpc::Client& client, const std::string& method,
                                       const Request& request) {
    return client.Invoke<Response>("/gonghui.membership.v1.CardService/" + method, request);
  }
  static Done Issue(const rpc::Client& client, const std::string& member,
                    const std::string& issued_on = "2020-02-01", const std::string& medium = "电子",
                    const std::string& request_id = "") {
    v1::IssueCardRequest request;
    request.set_parent("federations/demo");
    request.set_member(member);
    request.set_medium(medium);
    request.set_issued_on(issued_on);
    request.set_request_id(request_id);
    return Call(client, "IssueCard", request);
  }
  static Done Lose(const rpc::Client& client, const std::string& name, const std::string& lost_on,
                   const std::string& request_id = "") {
    v1::ReportCardLossRequest request;
    request.set_name(name);
    request.set_lost_on(lost_on);
    request.set_request_id(request_id);
    return Call(client, "ReportCardLoss", request);
  }
  static Done Replace(const rpc::Client& client, const std::string& name, const std::string& on,
                      const std::string& reason, const std::string& request_id = "") {
    v1::ReplaceCardRequest request;
    request.set_name(name);
    request.set_replaced_on(on);
    request.set_reason(reason);
    request.set_request_id(request_id);
    return Call(client, "ReplaceCard", request);
  }
  static Done Cancel(const rpc::Client& client, const std::string& name, const std::string& on,
                     const std::string& reason) {
    v1::CancelCardRequest request;
    request.set_name(name);
    request.set_cancelled_on(on);
    request.set_reason(reason);
    return Call(client, "CancelCard", request);
  }
  static Done Get(const rpc::Client& client, const std::string& name) {
    v1::GetCardRequest request;
    request.set_name(name);
    return Call(client, "GetCard", request);
  }
  bool Valid(const rpc::Client& client, const std::string& number) {
    v1::VerifyCardRequest request;
    request.set_parent("federations/demo");
    request.set_number(number);
    const auto answer = Call<v1::VerifyCardResponse>(client, "VerifyCard", request);
    EXPECT_THAT(answer, IsOk());
    return answer.ok() && answer->valid();
  }
};

TEST_P(CardsTest, IssuesAndVerifiesForAnybody) {
  ASSERT_OK_AND_ASSIGN(const v1::Member member, Create(*clerk_, Member("E01", 1)));
  ASSERT_OK_AND_ASSIGN(const v1::Card card,
                       Issue(*clerk_, member.name(), "2020-02-01", "电子", "r1"));
  EXPECT_EQ(card.medium(), "electronic");
  EXPECT_EQ(card.state(), v1::CARD_STATE_VALID);
  EXPECT_EQ(card.number().size(), 16u);
  ASSERT_OK_AND_ASSIGN(const v1::Card replayed,
                       Issue(*clerk_, member.name(), "2020-02-01", "电子", "r1"));
  EXPECT_EQ(replayed.SerializeAsString(), card.SerializeAsString());
  // Without a token, in groups of four as it is printed.
  const std::unique_ptr<rpc::Client> anybody = suite_->NewClient("");
  EXPECT_TRUE(Valid(*anybody, card.number()));
  const std::string& n = card.number();
  EXPECT_TRUE(Valid(*anybody, n.substr(0, 4) + " " + n.substr(4, 4) + "-" + n.substr(8)));
  std::string wrong = n;
  wrong[3] = wrong[3] == '9' ? '0' : static_cast<char>(wrong[3] + 1);
  EXPECT_FALSE(Valid(*anybody, wrong));
  EXPECT_FALSE(Valid(*anybody, "no number"));
  EXPECT_THAT(Get(*anybody, card.name()), HasReason(common::v1::REASON_TOKEN_MISSING));

  EXPECT_THAT(Issue(*clerk_, member.name()),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "member"));
  EXPECT_THAT(Issue(*clerk_, member.name(), "2020-02-01", "paper"), IsOk());
  EXPECT_THAT(Facts().at("cards_issued_members E01 electronic male"),
              ElementsAre(Pair("2020-02-01", 1)));
}

TEST_P(CardsTest, RefusesWhatCannotBe) {
  ASSERT_OK_AND_ASSIGN(const v1::Member member, Create(*clerk_, Member("E01", 1)));
  EXPECT_THAT(Issue(*clerk_, member.name(), "2018-02-01"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "issued_on"));
  EXPECT_THAT(Issue(*clerk_, member.name(), "2999-02-01"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "issued_on"));
  EXPECT_THAT(Issue(*clerk_, member.name(), "2020-02-01", "gold"),
              HasReasonAt(common::v1::REASON_CODE_UNKNOWN, "medium"));
  EXPECT_THAT(Issue(*clerk_, "federations/demo/members/none"),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "member"));
  EXPECT_THAT(Issue(*stranger_, member.name()), HasReason(common::v1::REASON_WRONG_FEDERATION));
  ASSERT_OK_AND_ASSIGN(const v1::Member other, Create(*admin_, Member("E02", 2)));
  EXPECT_THAT(Issue(*clerk_, other.name()), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  ASSERT_OK_AND_ASSIGN(const v1::Card card, Issue(*admin_, other.name()));
  EXPECT_THAT(Get(*clerk_, card.name()), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Lose(*clerk_, card.name(), "2020-03-01"), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Lose(*admin_, card.name(), "2020-01-01"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "lost_on"));
  EXPECT_THAT(Replace(*admin_, card.name(), "2020-01-01", "lost"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "replaced_on"));
  EXPECT_THAT(Replace(*admin_, card.name(), "2020-03-01", "bored"),
              HasReasonAt(common::v1::REASON_CODE_UNKNOWN, "reason"));
  EXPECT_THAT(Cancel(*admin_, "federations/demo/cards/none", "2020-03-01", "other"),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "name"));
  EXPECT_THAT(Cancel(*admin_, card.name(), "2020-03-01", "other"), IsOk());
  EXPECT_THAT(Replace(*admin_, card.name(), "2020-03-01", "lost"),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "name"));
}

TEST_P(CardsTest, LosesReplacesAndCounts) {
  ASSERT_OK_AND_ASSIGN(const v1::Member member, Create(*clerk_, Member("E01", 1)));
  ASSERT_OK_AND_ASSIGN(const v1::Card card, Issue(*clerk_, member.name(), "2020-02-01", "paper"));
  ASSERT_OK_AND_ASSIGN(const v1::Card lost, Lose(*clerk_, card.name(), "2020-03-01", "r1"));
  EXPECT_EQ(lost.state(), v1::CARD_STATE_LOST);
  EXPECT_FALSE(Valid(*clerk_, card.number()));
  EXPECT_THAT(Lose(*clerk_, card.name(), "2020-03-02"),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "name"));
  v1::CountCardsRequest count;
  count.set_parent("federations/demo");
  count.set_organization("D01");
  ASSERT_OK_AND_ASSIGN(const auto counted,
                       Call<v1::CountCardsResponse>(*admin_, "CountCards", count));
  ASSERT_EQ(counted.counts_size(), 1);
  EXPECT_EQ(counted.counts(0).organization(), "E01");
  EXPECT_EQ(counted.counts(0).state(), v1::CARD_STATE_LOST);
  EXPECT_EQ(counted.counts(0).cards(), 1);
  EXPECT_THAT(Call<v1::CountCardsResponse>(*clerk_, "CountCards", count),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  ASSERT_OK_AND_ASSIGN(const v1::Card fresh,
                       Replace(*clerk_, card.name(), "2020-03-10", "遗失", "r2"));
  ASSERT_OK_AND_ASSIGN(const v1::Card again,
                       Replace(*clerk_, card.name(), "2020-03-10", "遗失", "r2"));
  EXPECT_EQ(again.SerializeAsString(), fresh.SerializeAsString());
  EXPECT_NE(fresh.number(), card.number());
  EXPECT_EQ(fresh.replaces(), card.name());
  EXPECT_TRUE(Valid(*clerk_, fresh.number()));
  ASSERT_OK_AND_ASSIGN(const v1::Card old, Get(*clerk_, card.name()));
  EXPECT_EQ(old.state(), v1::CARD_STATE_REPLACED);
  EXPECT_EQ(old.replaced_by(), fresh.name());
  EXPECT_EQ(old.ended_on(), "2020-03-01");
  const auto facts = Facts();
  EXPECT_THAT(facts.at("cards_replaced E01 paper"), ElementsAre(Pair("2020-03-10", 1)));
  EXPECT_THAT(facts.at("cards_issued_members E01 paper male"),
              ElementsAre(Pair("2020-02-01", 1), Pair("2020-03-01", -1), Pair("2020-03-10", 1)));

  v1::ListCardsRequest list;
  list.set_parent("federations/demo");
  list.set_organization("T01");
  list.set_page_size(1);
  ASSERT_OK_AND_ASSIGN(const auto first, Call<v1::ListCardsResponse>(*clerk_, "ListCards", list));
  list.set_page_token(first.next_page_token());
  ASSERT_OK_AND_ASSIGN(const auto second, Call<v1::ListCardsResponse>(*clerk_, "ListCards", list));
  ASSERT_EQ(second.cards_size(), 1);
  EXPECT_EQ(second.cards(0).name(), fresh.name());
  EXPECT_EQ(second.next_page_token(), "");
}

TEST_P(CardsTest, FollowTheMember) {
  ASSERT_OK_AND_ASSIGN(const v1::Member member, Create(*clerk_, Member("E01", 1)));
  ASSERT_OK_AND_ASSIGN(const v1::Card card, Issue(*clerk_, member.name()));
  v1::StartTransferRequest start;
  start.set_parent("federations/demo");
  start.set_side(v1::TRANSFER_SIDE_SOURCE);
  start.set_member(member.name());
  start.set_target("E02");
  start.set_effective_on("2020-05-01");
  start.set_reason("employment_changed");
  ASSERT_OK_AND_ASSIGN(
      const auto transfer,
      admin_->Invoke<v1::Transfer>("/gonghui.membership.v1.TransferService/StartTransfer", start));
  v1::AcceptTransferRequest accept;
  accept.set_name(transfer.name());
  ASSERT_THAT(
      admin_->Invoke<v1::Transfer>("/gonghui.membership.v1.TransferService/AcceptTransfer", accept),
      IsOk());
  EXPECT_TRUE(Valid(*clerk_, card.number()));
  ASSERT_OK_AND_ASSIGN(const v1::Card there, Get(*admin_, card.name()));
  EXPECT_EQ(there.organization(), "E02");
  v1::LeaveMemberRequest leave;
  leave.set_name(member.name());
  leave.set_left_on("2020-08-01");
  leave.set_reason("own_wish");
  ASSERT_THAT(Members<v1::Member>(*admin_, "LeaveMember", leave), IsOk());
  EXPECT_FALSE(Valid(*clerk_, card.number()));
  ASSERT_OK_AND_ASSIGN(const v1::Card ended, Get(*admin_, card.name()));
  EXPECT_EQ(ended.state(), v1::CARD_STATE_CANCELLED);
  EXPECT_EQ(ended.reason(), "left");
  EXPECT_EQ(ended.ended_on(), "2020-08-01");
  const auto facts = Facts();
  EXPECT_THAT(facts.at("cards_issued_members E01 electronic male"),
              ElementsAre(Pair("2020-02-01", 1), Pair("2020-05-01", -1)));
  EXPECT_THAT(facts.at("cards_issued_members E02 electronic male"),
              ElementsAre(Pair("2020-05-01", 1), Pair("2020-08-01", -1)));
  EXPECT_THAT(Issue(*admin_, member.name(), "2020-09-01"),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "name"));
}

TEST_P(CardsTest, ClerksIssueAndAuditorsRead) {
  ASSERT_OK_AND_ASSIGN(const v1::Member member, Create(*clerk_, Member("E01", 1)));
  const auto staff = ClientOf("demo", "clerk", "E01");
  const auto auditor = ClientOf("demo", "auditor", "T01", true);
  ASSERT_OK_AND_ASSIGN(const v1::Card card, Issue(*staff, member.name()));
  EXPECT_THAT(Get(*auditor, card.name()), IsOk());
  EXPECT_THAT(Cancel(*auditor, card.name(), "2020-03-01", "other"),
              HasReason(common::v1::REASON_PERMISSION_MISSING));
}

TEST_P(CardsTest, IssuesToWholeOrganisations) {
  for (int i = 1; i <= 5; ++i) ASSERT_THAT(Create(*admin_, Member("E01", i)), IsOk());
  v1::BatchIssueCardsRequest request;
  request.set_parent("federations/demo");
  request.set_organization("E01");
  request.set_medium("electronic");
  request.set_issued_on("2020-02-01");
  request.set_limit(3);
  request.set_request_id("r1");
  for (int i = 0; i < 2; ++i) {  // The second is a replay.
    ASSERT_OK_AND_ASSIGN(const auto first,
                         Call<v1::BatchIssueCardsResponse>(*clerk_, "BatchIssueCards", request));
    EXPECT_EQ(first.issued(), 3);
    EXPECT_EQ(first.without_card(), 2);
  }
  request.clear_limit();
  request.set_request_id("r2");
  ASSERT_OK_AND_ASSIGN(const auto second,
                       Call<v1::BatchIssueCardsResponse>(*clerk_, "BatchIssueCards", request));
  EXPECT_EQ(second.issued(), 2);
  EXPECT_EQ(second.without_card(), 0);
  EXPECT_EQ(Facts().at("cards_issued_members E01 electronic male").at("2020-02-01") +
                Facts().at("cards_issued_members E01 electronic female").at("2020-02-01"),
            5);
  request.set_organization("E02");
  EXPECT_THAT(Call<v1::BatchIssueCardsResponse>(*clerk_, "BatchIssueCards", request),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
}

INSTANTIATE_TEST_SUITE_P(Engines, CardsTest, ::testing::ValuesIn(::gonghui::testing::Engines()));

}  // namespace
}  // namespace gonghui::membership
