// Duplicates: finding them, merging, taking that back.
#include "gonghui/membership/v1/card.pb.h"
#include "gonghui/membership/v1/employment.pb.h"
#include "gonghui/membership/v1/member_history.pb.h"
#include "gonghui/membership/v1/member_merge.pb.h"
#include "tests/integration/membership.h"

namespace gonghui::membership {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class MemberMergesTest : public MembershipTest {
 protected:
  void SetUp() override {
    MembershipTest::SetUp();
    MakeDistrict();
  }

  using Done = absl::StatusOr<v1::MemberMerge>;
  template <typename Response = v1::MemberMerge, typename Request>
  static absl::StatusOr<Response> Call(const rpc::Client& client, const std::string& method,
                                       const Request& request) {
    return client.Invoke<Response>("/gonghui.membership.v1.MemberMergeService/" + method, request);
  }
  static v1::MergeMembersRequest MergeOf(const v1::Member& survivor, const v1::Member& absorbed) {
    v1::MergeMembersRequest request;
    request.set_parent("federations/demo");
    request.set_survivor(survivor.name());
    request.set_absorbed(absorbed.name());
    return request;
  }
  static Done Unmerge(const rpc::Client& client, const std::string& name,
                      const std::string& request_id = "") {
    v1::UnmergeMembersRequest request;
    request.set_name(name);
    request.set_request_id(request_id);
    return Call(client, "UnmergeMembers", request);
  }
  // "serial-independent name: sign sign" of each one found.
  std::vector<std::string> Find(const rpc::Client& client, const v1::PersonSketch& person,
                                const std::string& organization = "") {
    v1::FindDuplicatesRequest request;
    request.set_parent("federations/demo");
    request.set_organization(organization);
    *request.mutable_member() = person;
    const auto answer = Call<v1::FindDuplicatesResponse>(client, "FindDuplicates", request);
    EXPECT_THAT(answer, IsOk());
    std::vector<std::string> found;
    if (!answer.ok()) return found;
    for (const v1::Duplicate& duplicate : answer->duplicates()) {
      std::string& line = found.emplace_back(duplicate.member().full_name().empty()
                                                 ? "(" + duplicate.member().organization() + ")"
                                                 : duplicate.member().full_name());
      for (const int sign : duplicate.signs()) {
        absl::StrAppend(&line, " ", v1::DuplicateSign_Name(sign).substr(sizeof("DUPLICATE_SIGN")));
      }
    }
    return found;
  }
  static v1::PersonSketch Sketch(const std::string& name, const std::string& number,
                                 const std::string& phone = "") {
    v1::PersonSketch person;
    person.set_full_name(name);
    person.set_id_number(number);
    person.set_phone(phone);
    return person;
  }
  absl::StatusOr<v1::Member> GetMember(const std::string& name, const std::string& as_of = "") {
    v1::GetMemberRequest request;
    request.set_name(name);
    request.set_as_of(as_of);
    return Members<v1::Member>(*admin_, "GetMember", request);
  }
  absl::StatusOr<v1::Member> Leave(const std::string& name, const std::string& left_on) {
    v1::LeaveMemberRequest request;
    request.set_name(name);
    request.set_left_on(left_on);
    request.set_reason("unemployed");
    return Members<v1::Member>(*admin_, "LeaveMember", request);
  }
  // Registered with a passport, in variant characters.
  v1::Member Foreigner(const std::string& organization, const std::string& joined_on) {
    v1::Member member = Member(organization, 1, joined_on);
    member.set_full_name("張三");
    member.set_id_type("passport");
    member.set_id_number("E12345678");
    member.set_sex("male");
    member.set_birth_date("1980-01-01");
    member.clear_phone();
    member.set_job("焊工");
    return member;
  }
};

TEST_P(MemberMergesTest, FindsWhoMayBeTheSame) {
  ASSERT_THAT(Create(*clerk_, Member("E01", 1)), IsOk());
  const std::string number = IdNumber(1);  // 320402198001010012
  EXPECT_THAT(Find(*clerk_, Sketch("", number)), ElementsAre("张三 SAME_NUMBER SAME_BIRTH_DATE"));
  EXPECT_THAT(Find(*clerk_, Sketch("", "320402800101001")),
              ElementsAre("张三 SAME_NUMBER SAME_BIRTH_DATE"));
  EXPECT_THAT(Find(*clerk_, Sketch("", "320402198001010021")), ElementsAre("张三 SWAPPED_DIGITS"));
  EXPECT_THAT(Find(*clerk_, Sketch("", "320402198001010013")), ElementsAre("张三 ONE_DIGIT"));
  EXPECT_THAT(Find(*clerk_, Sketch("", "320402198507010011")), IsEmpty());
  v1::PersonSketch person = Sketch("張三", "");
  EXPECT_THAT(Find(*clerk_, person), IsEmpty());  // A name alone says little.
  person.set_birth_date("1980-01-01");
  EXPECT_THAT(Find(*clerk_, person), ElementsAre("张三 SAME_NAME SAME_BIRTH_DATE"));
  person.set_full_name("章叁");
  EXPECT_THAT(Find(*clerk_, person), ElementsAre("张三 SAME_BIRTH_DATE SAME_SOUND"));
  EXPECT_THAT(Find(*clerk_, Sketch("张三", "", "138 0000 1234")),
              ElementsAre("张三 SAME_PHONE SAME_NAME"));
  EXPECT_THAT(Find(*clerk_, person, "T01"), ElementsAre("张三 SAME_BIRTH_DATE SAME_SOUND"));
  // Elsewhere it is told that there is one, not who.
  const auto other = ClientOf("demo", "registrar", "T02", true);
  EXPECT_THAT(Find(*other, Sketch("", number)), ElementsAre("(E01) SAME_NUMBER"));
  EXPECT_THAT(Find(*other, person), IsEmpty());

  v1::FindDuplicatesRequest request;
  request.set_parent("federations/demo");
  EXPECT_THAT(Call<v1::FindDuplicatesResponse>(*clerk_, "FindDuplicates", request),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "member"));
  request.set_organization("T02");
  EXPECT_THAT(Call<v1::FindDuplicatesResponse>(*clerk_, "FindDuplicates", request),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Call<v1::FindDuplicatesResponse>(*stranger_, "FindDuplicates", request),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
}

TEST_P(MemberMergesTest, MergesWithoutLossAndTakesItBack) {
  ASSERT_OK_AND_ASSIGN(v1::Member resident, Create(*admin_, Member("E01", 1, "2020-03-01")));
  ASSERT_OK_AND_ASSIGN(v1::Member foreigner, Create(*admin_, Foreigner("E02", "2015-01-01")));
  v1::CreateEmploymentRequest work;
  work.set_parent(foreigner.name());
  work.mutable_employment()->set_employer("某厂");
  work.mutable_employment()->set_began_on("2015-01-01");
  ASSERT_THAT(admin_->Invoke<v1::Employment>(
                  "/gonghui.membership.v1.EmploymentService/CreateEmployment", work),
              IsOk());
  ASSERT_OK_AND_ASSIGN(foreigner, Leave(foreigner.name(), "2019-01-01"));
  const auto facts_before = Facts();

  v1::MergeMembersRequest request = MergeOf(resident, foreigner);
  EXPECT_THAT(Call(*clerk_, "MergeMembers", request), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  const Done undecided = Call(*admin_, "MergeMembers", request);
  EXPECT_THAT(undecided, HasReasonAt(common::v1::REASON_STATE_FORBIDS, "take_absorbed"));
  EXPECT_THAT(MetadataOf(undecided.status()), Contains(Pair("conflicts", "id_number,full_name")));
  request.set_validate_only(true);
  ASSERT_OK_AND_ASSIGN(const v1::MemberMerge preview, Call(*admin_, "MergeMembers", request));
  EXPECT_EQ(preview.name(), "");
  ASSERT_EQ(preview.conflicts_size(), 2);
  EXPECT_EQ(preview.conflicts(1).absorbed(), "張三");
  request.set_validate_only(false);
  request.add_take_absorbed("full_name");
  request.add_keep_survivor("*");
  request.set_request_id("r1");
  ASSERT_OK_AND_ASSIGN(const v1::MemberMerge done, Call(*admin_, "MergeMembers", request));
  ASSERT_OK_AND_ASSIGN(const v1::MemberMerge replayed, Call(*admin_, "MergeMembers", request));
  EXPECT_EQ(replayed.SerializeAsString(), done.SerializeAsString());

  ASSERT_OK_AND_ASSIGN(const v1::Member merged, GetMember(resident.name()));
  EXPECT_EQ(merged.full_name(), "張三");
  EXPECT_EQ(merged.job(), "焊工");  // What only one knew.
  EXPECT_EQ(merged.organization(), "E01");
  EXPECT_EQ(merged.seniority_from(), "2015-01-01");
  ASSERT_OK_AND_ASSIGN(const v1::Member then, GetMember(resident.name(), "2016-01-01"));
  EXPECT_EQ(then.organization(), "E02");
  ASSERT_OK_AND_ASSIGN(const v1::Member gone, GetMember(foreigner.name()));
  EXPECT_EQ(gone.state(), "merged");
  EXPECT_EQ(gone.merged_into(), resident.name());
  EXPECT_EQ(Facts(), facts_before);  // The person was a member in both, and still was.
  v1::ListEmploymentsRequest history;
  history.set_parent(resident.name());
  ASSERT_OK_AND_ASSIGN(const auto worked,
                       admin_->Invoke<v1::ListEmploymentsResponse>(
                           "/gonghui.membership.v1.EmploymentService/ListEmployments", history));
  EXPECT_EQ(worked.employments_size(), 1);
  // Neither the number nor the record can be used by itself any more.
  EXPECT_THAT(Create(*admin_, Foreigner("E02", "2020-01-01")),
              HasReason(common::v1::REASON_ALREADY_EXISTS));
  EXPECT_THAT(Leave(foreigner.name(), "2020-01-01"),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "name"));
  EXPECT_THAT(Call(*admin_, "MergeMembers", MergeOf(resident, foreigner)),
              HasReason(common::v1::REASON_STATE_FORBIDS));

  EXPECT_THAT(Unmerge(*stranger_, done.name()), HasReason(common::v1::REASON_WRONG_FEDERATION));
  ASSERT_OK_AND_ASSIGN(const v1::MemberMerge undone, Unmerge(*admin_, done.name(), "r2"));
  EXPECT_TRUE(undone.unmerged());
  ASSERT_OK_AND_ASSIGN(const v1::MemberMerge again, Unmerge(*admin_, done.name(), "r2"));
  EXPECT_EQ(again.SerializeAsString(), undone.SerializeAsString());
  EXPECT_THAT(Unmerge(*admin_, done.name()), HasReasonAt(common::v1::REASON_STATE_FORBIDS, "name"));
  for (v1::Member* before : {&resident, &foreigner}) {
    ASSERT_OK_AND_ASSIGN(v1::Member now, GetMember(before->name()));
    now.clear_etag();
    before->clear_etag();
    EXPECT_EQ(now.SerializeAsString(), before->SerializeAsString());
  }
  EXPECT_EQ(Facts(), facts_before);
  ASSERT_OK_AND_ASSIGN(const auto nobody,
                       admin_->Invoke<v1::ListEmploymentsResponse>(
                           "/gonghui.membership.v1.EmploymentService/ListEmployments", history));
  EXPECT_EQ(nobody.employments_size(), 0);
}

TEST_P(MemberMergesTest, OneOfTwoOverlappingMembershipsHolds) {
  ASSERT_OK_AND_ASSIGN(const v1::Member resident, Create(*admin_, Member("E01", 1, "2020-03-01")));
  ASSERT_OK_AND_ASSIGN(const v1::Member foreigner, Create(*admin_, Foreigner("E02", "2019-01-01")));
  v1::MergeMembersRequest request = MergeOf(resident, foreigner);
  for (const char* field : {"id_number", "memberships", "full_name"}) {
    request.add_take_absorbed(field);
  }
  ASSERT_OK_AND_ASSIGN(const v1::MemberMerge done, Call(*admin_, "MergeMembers", request));
  EXPECT_EQ(done.merged().organization(), "E02");
  EXPECT_EQ(done.merged().id_type(), "passport");
  const auto facts = Facts();
  EXPECT_THAT(facts.at("members_total E02 male"), ElementsAre(Pair("2019-01-01", 1)));
  EXPECT_EQ(facts.count("members_total E01 male"), 0u);
  // Both numbers still lead here.
  EXPECT_THAT(Create(*admin_, Member("E01", 1)), HasReason(common::v1::REASON_ALREADY_EXISTS));
  EXPECT_THAT(Create(*admin_, Foreigner("E02", "2019-01-01")),
              HasReason(common::v1::REASON_ALREADY_EXISTS));
  // Changed since, it is not taken back in silence.
  ASSERT_THAT(Leave(resident.name(), "2020-06-01"), IsOk());
  EXPECT_THAT(Unmerge(*admin_, done.name()),
              HasReasonAt(common::v1::REASON_REVERT_BLOCKED, "name"));
}

TEST_P(MemberMergesTest, RefusesWhatCannotBe) {
  ASSERT_OK_AND_ASSIGN(const v1::Member one, Create(*admin_, Member("E01", 1)));
  ASSERT_OK_AND_ASSIGN(const v1::Member two, Create(*admin_, Member("E01", 2)));
  EXPECT_THAT(Call(*admin_, "MergeMembers", MergeOf(one, one)),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "absorbed"));
  v1::Member nobody;
  nobody.set_name("federations/demo/members/none");
  EXPECT_THAT(Call(*admin_, "MergeMembers", MergeOf(one, nobody)),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "absorbed"));
  EXPECT_THAT(Unmerge(*admin_, "federations/demo/memberMerges/none"),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "name"));
}

TEST_P(MemberMergesTest, CardsGoWithTheSurvivorAndComeBack) {
  const auto ask = [&](const char* method, const auto& request) {
    return admin_->Invoke<v1::Card>(std::string("/gonghui.membership.v1.CardService/") + method, request);
  };
  const auto issue = [&](const v1::Member& member, const std::string& medium) {
    v1::IssueCardRequest request;
    request.set_parent("federations/demo");
    request.set_member(member.name());
    request.set_medium(medium);
    request.set_issued_on("2020-01-01");
    auto card = ask("IssueCard", request);
    EXPECT_THAT(card, IsOk());
    return card.ok() ? card->name() : "";
  };
  const auto get = [&](const std::string& name) {
    v1::GetCardRequest request;
    request.set_name(name);
    auto card = ask("GetCard", request);
    EXPECT_THAT(card, IsOk());
    return card.ok() ? *card : v1::Card();
  };
  ASSERT_OK_AND_ASSIGN(const v1::Member one, Create(*admin_, Member("E01", 1)));
  ASSERT_OK_AND_ASSIGN(const v1::Member two, Create(*admin_, Member("E01", 2)));
  const std::string mine = issue(one, "electronic");
  const std::string theirs = issue(two, "electronic");
  const std::string paper = issue(two, "paper");

  v1::MergeMembersRequest request = MergeOf(one, two);
  request.add_keep_survivor("*");
  ASSERT_OK_AND_ASSIGN(const v1::MemberMerge done, Call(*admin_, "MergeMembers", request));
  // Of two cards of a kind the survivor's holds; the other kind goes on as the survivor's.
  EXPECT_EQ(get(mine).state(), v1::CARD_STATE_VALID);
  EXPECT_EQ(get(theirs).state(), v1::CARD_STATE_CANCELLED);
  EXPECT_EQ(get(theirs).reason(), "merged");
  EXPECT_EQ(get(paper).state(), v1::CARD_STATE_VALID);
  EXPECT_EQ(get(paper).member(), one.name());
  // Taken back, every card is whose it was.
  ASSERT_THAT(Unmerge(*admin_, done.name()), IsOk());
  EXPECT_EQ(get(theirs).state(), v1::CARD_STATE_VALID);
  EXPECT_EQ(get(theirs).ended_on(), "");
  EXPECT_EQ(get(paper).member(), two.name());

  // A card that was changed since keeps the merger.
  ASSERT_OK_AND_ASSIGN(const v1::MemberMerge again, Call(*admin_, "MergeMembers", request));
  v1::ReportCardLossRequest loss;
  loss.set_name(paper);
  loss.set_lost_on("2020-05-01");
  ASSERT_THAT(ask("ReportCardLoss", loss), IsOk());
  EXPECT_THAT(Unmerge(*admin_, again.name()),
              HasReasonAt(common::v1::REASON_REVERT_BLOCKED, "name"));
}

INSTANTIATE_TEST_SUITE_P(Engines, MemberMergesTest,
                         ::testing::ValuesIn(::gonghui::testing::Engines()));

}  // namespace
}  // namespace gonghui::membership
