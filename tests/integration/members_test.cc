#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <thread>

#include "tests/integration/membership.h"

namespace gonghui::membership {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

class MembersTest : public MembershipTest {
 protected:
  void SetUp() override {
    MembershipTest::SetUp();
    MakeDistrict();
  }

  absl::StatusOr<v1::BatchCreateMembersResponse> Batch(const rpc::Client& client,
                                                       const std::vector<v1::Member>& members,
                                                       bool partial = false,
                                                       bool validate_only = false,
                                                       const std::string& request_id = "") {
    v1::BatchCreateMembersRequest request;
    request.set_parent("federations/demo");
    request.mutable_members()->Assign(members.begin(), members.end());
    request.set_partial(partial);
    request.set_validate_only(validate_only);
    request.set_request_id(request_id);
    return Members<v1::BatchCreateMembersResponse>(client, "BatchCreateMembers", request);
  }
  absl::StatusOr<v1::Member> Get(const rpc::Client& client, const std::string& name) {
    v1::GetMemberRequest request;
    request.set_name(name);
    return Members<v1::Member>(client, "GetMember", request);
  }
  absl::StatusOr<v1::ListMembersResponse> List(const rpc::Client& client,
                                               const std::string& organization,
                                               const std::string& state = "",
                                               const std::string& id_number = "") {
    v1::ListMembersRequest request;
    request.set_parent("federations/demo");
    request.set_organization(organization);
    request.set_state(state);
    request.set_id_number(id_number);
    return Members<v1::ListMembersResponse>(client, "ListMembers", request);
  }
  absl::StatusOr<v1::Member> Update(const rpc::Client& client, const v1::Member& member,
                                    const std::string& mask, const std::string& request_id = "") {
    v1::UpdateMemberRequest request;
    *request.mutable_member() = member;
    request.set_update_mask(mask);
    request.set_request_id(request_id);
    return Members<v1::Member>(client, "UpdateMember", request);
  }
  absl::StatusOr<v1::Member> Leave(const rpc::Client& client, const std::string& name,
                                   const std::string& left_on, const std::string& reason,
                                   const std::string& request_id = "",
                                   const std::string& etag = "") {
    v1::LeaveMemberRequest request;
    request.set_name(name);
    request.set_left_on(left_on);
    request.set_reason(reason);
    request.set_request_id(request_id);
    request.set_etag(etag);
    return Members<v1::Member>(client, "LeaveMember", request);
  }
  absl::StatusOr<v1::Member> Join(const rpc::Client& client, const std::string& name,
                                  const std::string& organization, const std::string& joined_on,
                                  const std::string& request_id = "") {
    v1::JoinMemberRequest request;
    request.set_name(name);
    request.set_organization(organization);
    request.set_joined_on(joined_on);
    request.set_request_id(request_id);
    return Members<v1::Member>(client, "JoinMember", request);
  }
};

TEST_P(MembersTest, CreatesAndShowsNumbersMasked) {
  v1::Member wanted = Member("E01", 1);
  wanted.set_education("本科");
  wanted.set_worker_group("一线");
  ASSERT_OK_AND_ASSIGN(const v1::Member created, Create(*clerk_, wanted, "r1"));
  EXPECT_EQ(created.organization(), "E01");
  EXPECT_EQ(created.id_type(), "resident_id");
  EXPECT_EQ(created.id_number().substr(0, 14), "320402********");
  EXPECT_EQ(created.phone(), "138****1234");
  EXPECT_EQ(created.birth_date(), "");
  EXPECT_EQ(created.sex(), "male");
  EXPECT_EQ(created.education(), "bachelor");
  EXPECT_EQ(created.worker_group(), "frontline");
  EXPECT_EQ(created.state(), "active");
  ASSERT_OK_AND_ASSIGN(const v1::Member read, Get(*clerk_, created.name()));
  EXPECT_EQ(read.SerializeAsString(), created.SerializeAsString());
  ASSERT_OK_AND_ASSIGN(const v1::Member replayed, Create(*clerk_, wanted, "r1"));
  EXPECT_EQ(replayed.SerializeAsString(), created.SerializeAsString());
  wanted.set_job("焊工");
  EXPECT_THAT(Create(*clerk_, wanted, "r1"), HasReason(common::v1::REASON_REQUEST_ID_REUSED));
  EXPECT_THAT(Create(*clerk_, wanted, "r2"),
              HasReasonAt(common::v1::REASON_ALREADY_EXISTS, "member.id_number"));
  const auto facts = Facts();
  EXPECT_THAT(facts.at("members_total E01 male"), ElementsAre(Pair("2018-03-01", 1)));
  EXPECT_THAT(facts.at("members_joined E01 male"), ElementsAre(Pair("2018-03-01", 1)));
}

TEST_P(MembersTest, AcceptsOtherPapers) {
  v1::Member member = Member("E01", 1);
  member.set_id_type("护照");
  member.set_id_number(" e12345678 ");
  member.set_sex("女");
  member.set_birth_date("1990-05-01");
  ASSERT_OK_AND_ASSIGN(const v1::Member created, Create(*admin_, member));
  EXPECT_EQ(created.id_type(), "passport");
  EXPECT_EQ(created.sex(), "female");
  EXPECT_EQ(created.birth_date(), "1990-05-01");
  EXPECT_THAT(created.id_number(), Not(::testing::HasSubstr("E12345678")));
  ASSERT_OK_AND_ASSIGN(const auto found, List(*admin_, "", "", "E12345678"));
  EXPECT_EQ(found.members_size(), 1);
}

TEST_P(MembersTest, RefusesWhatCannotBe) {
  const auto refused = [&](const v1::Member& member, common::v1::Reason reason,
                           const std::string& field) {
    const auto result = Create(*admin_, member);
    EXPECT_THAT(result, HasReasonAt(reason, field));
    EXPECT_THAT(std::string(result.status().message()), Not(::testing::HasSubstr("320402")));
  };
  v1::Member member = Member("E01", 1);
  member.set_id_number("320402198001020010");
  refused(member, common::v1::REASON_ID_NUMBER_INVALID, "member.id_number");
  member = Member("E01", 1);
  member.set_sex("female");
  refused(member, common::v1::REASON_FIELD_INVALID, "member.sex");
  member = Member("E01", 1);
  member.set_birth_date("1981-01-01");
  refused(member, common::v1::REASON_FIELD_INVALID, "member.birth_date");
  member = Member("E01", 1);
  member.set_phone("no phone");
  refused(member, common::v1::REASON_FIELD_INVALID, "member.phone");
  member = Member("E01", 1);
  member.set_employment("astronaut");
  refused(member, common::v1::REASON_CODE_UNKNOWN, "member.employment");
  member = Member("E01", 1);
  member.set_full_name("  ");
  refused(member, common::v1::REASON_FIELD_REQUIRED, "member.full_name");
  refused(Member("E01", 1, "1979-01-01"), common::v1::REASON_FIELD_INVALID, "member.joined_on");
  refused(Member("E01", 1, "2018-13-01"), common::v1::REASON_FIELD_INVALID, "member.joined_on");
  refused(Member("E99", 1), common::v1::REASON_REFERENCE_NOT_FOUND, "member.organization");
  refused(Member("", 1), common::v1::REASON_FIELD_REQUIRED, "member.organization");
  EXPECT_THAT(Create(*clerk_, Member("E02", 1)), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Create(*stranger_, Member("E01", 1)), HasReason(common::v1::REASON_WRONG_FEDERATION));
}

TEST_P(MembersTest, KnowsThePersonElsewhere) {
  ASSERT_OK_AND_ASSIGN(const v1::Member created, Create(*admin_, Member("E02", 1)));
  const auto refused = Create(*clerk_, Member("E01", 1));
  EXPECT_THAT(refused, HasReasonAt(common::v1::REASON_MEMBER_ELSEWHERE, "member.id_number"));
  EXPECT_THAT(MetadataOf(refused.status()), ::testing::Contains(Pair("organization", "E02")));
  ASSERT_THAT(Leave(*admin_, created.name(), "2020-01-01", "own_wish"), IsOk());
  const auto left = Create(*clerk_, Member("E01", 1));
  EXPECT_THAT(left, HasReasonAt(common::v1::REASON_ALREADY_EXISTS, "member.id_number"));
  EXPECT_THAT(MetadataOf(left.status()), ::testing::Contains(Pair("member", created.name())));
}

TEST_P(MembersTest, CallsThatWaitTogetherDoNotHurtOneAnother) {
  std::vector<std::thread> threads;
  std::vector<absl::StatusOr<v1::Member>> results(60, absl::UnknownError("none"));
  for (int i = 0; i < 60; ++i) {
    threads.emplace_back([&, i] {
      v1::Member member = Member("E01", i / 2);  // Every person twice.
      if (i % 10 == 0) member.set_id_number("1");
      results[i] = Create(*admin_, member, i < 30 ? absl::StrCat("r", i) : "");
    });
  }
  for (std::thread& thread : threads) thread.join();
  int created = 0;
  for (int i = 0; i < 60; ++i) {
    if (results[i].ok()) {
      ++created;
    } else if (i % 10 == 0) {
      EXPECT_THAT(results[i], HasReason(common::v1::REASON_ID_NUMBER_INVALID));
    } else {
      EXPECT_THAT(results[i], HasReason(common::v1::REASON_ALREADY_EXISTS));
    }
  }
  EXPECT_EQ(created, 30);
  EXPECT_EQ(List(*admin_, "E01")->members_size(), 30);
}

TEST_P(MembersTest, BatchTellsEveryFault) {
  ASSERT_THAT(Create(*admin_, Member("E01", 1)), IsOk());
  ASSERT_THAT(Create(*admin_, Member("E02", 2)), IsOk());
  v1::Member changed = Member("E01", 1);
  changed.set_job("焊工");
  v1::Member wrong = Member("E01", 7);
  wrong.set_id_number("123");
  v1::Member nameless = Member("E01", 8);
  nameless.clear_full_name();
  const std::vector<v1::Member> members = {
      Member("E01", 3),  // Good.
      Member("E01", 1),  // Exists with this content.
      changed,           // Exists with other content... and stands twice.
      Member("E01", 2),  // Active elsewhere.
      Member("E99", 4),  // No such organisation.
      Member("E02", 5),  // Good for the administrator, out of the clerk's scope.
      wrong,
      nameless};
  ASSERT_OK_AND_ASSIGN(const auto dry, Batch(*admin_, members, true, true));
  EXPECT_EQ(dry.created(), 2);
  EXPECT_EQ(dry.items(0).name(), "");
  ASSERT_OK_AND_ASSIGN(const auto refused, Batch(*admin_, members));
  EXPECT_EQ(refused.created(), 0);
  EXPECT_EQ(List(*admin_, "")->members_size(), 2);

  ASSERT_OK_AND_ASSIGN(const auto written, Batch(*clerk_, members, true, false, "r1"));
  EXPECT_EQ(written.created(), 1);
  EXPECT_EQ(written.existing(), 1);
  std::map<int, std::pair<std::string, std::string>> failures;
  for (const auto& failure : written.failures()) {
    failures[failure.index()] = {failure.reason(), failure.field()};
  }
  EXPECT_THAT(failures,
              ElementsAre(Pair(2, Pair("DUPLICATE_IN_REQUEST", "id_number")),
                          Pair(3, Pair("MEMBER_ELSEWHERE", "id_number")),
                          Pair(4, Pair("OUT_OF_SCOPE", "")), Pair(5, Pair("OUT_OF_SCOPE", "")),
                          Pair(6, Pair("ID_NUMBER_INVALID", "id_number")),
                          Pair(7, Pair("FIELD_REQUIRED", "full_name"))));
  ASSERT_OK_AND_ASSIGN(const auto replayed, Batch(*clerk_, members, true, false, "r1"));
  EXPECT_EQ(replayed.SerializeAsString(), written.SerializeAsString());
  ASSERT_OK_AND_ASSIGN(const auto other, Batch(*admin_, {changed, Member("E99", 4)}, true));
  ASSERT_EQ(other.failures_size(), 2);
  EXPECT_EQ(other.failures(0).reason(), "ALREADY_EXISTS");
  EXPECT_EQ(other.failures(1).reason(), "REFERENCE_NOT_FOUND");
  EXPECT_THAT(Batch(*stranger_, {Member("E01", 9)}),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  EXPECT_THAT(Batch(*admin_, {}), HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "members"));
}

TEST_P(MembersTest, ReadsFromTheCacheWithRightsCheckedAndNeverStale) {
  ASSERT_OK_AND_ASSIGN(const v1::Member created, Create(*admin_, Member("E02", 1)));
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK_AND_ASSIGN(const v1::Member read, Get(*admin_, created.name()));
    EXPECT_EQ(read.job(), "");
    EXPECT_THAT(Get(*clerk_, created.name()), HasReason(common::v1::REASON_OUT_OF_SCOPE));
    EXPECT_THAT(Get(*stranger_, created.name()), HasReason(common::v1::REASON_WRONG_FEDERATION));
  }
  v1::Member change;
  change.set_name(created.name());
  for (int i = 0; i < 20; ++i) {
    change.set_job(absl::StrCat("岗位", i));
    ASSERT_THAT(Update(*admin_, change, "job"), IsOk());
    EXPECT_EQ(Get(*admin_, created.name())->job(), change.job());
  }
  EXPECT_THAT(Get(*admin_, "federations/demo/members/none"),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "name"));
  EXPECT_THAT(Get(*admin_, "members/none"), HasReasonAt(common::v1::REASON_FIELD_INVALID, "name"));
}

TEST_P(MembersTest, ListsASubtreePageByPage) {
  std::vector<v1::Member> members;
  for (int i = 0; i < 7; ++i) members.push_back(Member("E01", i));
  for (int i = 7; i < 10; ++i) members.push_back(Member("T01", i));
  for (int i = 10; i < 15; ++i) members.push_back(Member("E02", i));
  ASSERT_EQ(Batch(*admin_, members)->created(), 15);
  for (const auto& [organization, expected] :
       std::map<std::string, size_t>{{"T01", 10}, {"D01", 15}, {"", 15}, {"E02", 5}, {"T02", 5}}) {
    v1::ListMembersRequest request;
    request.set_parent("federations/demo");
    request.set_organization(organization);
    request.set_page_size(3);
    std::set<std::string> names;
    do {
      ASSERT_OK_AND_ASSIGN(const auto page,
                           Members<v1::ListMembersResponse>(*admin_, "ListMembers", request));
      EXPECT_LE(page.members_size(), 3);
      for (const v1::Member& member : page.members()) {
        EXPECT_TRUE(names.insert(member.name()).second);
        EXPECT_THAT(member.id_number(), ::testing::HasSubstr("****"));
      }
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    EXPECT_EQ(names.size(), expected) << organization;
  }
  ASSERT_OK_AND_ASSIGN(const auto found, List(*clerk_, "T01", "", IdNumber(3)));
  ASSERT_EQ(found.members_size(), 1);
  EXPECT_EQ(found.members(0).organization(), "E01");
  EXPECT_EQ(List(*clerk_, "T01", "", IdNumber(12))->members_size(), 0);
  EXPECT_EQ(List(*clerk_, "T01", "left")->members_size(), 0);
  ASSERT_THAT(Leave(*clerk_, found.members(0).name(), "2020-01-01", "retired"), IsOk());
  EXPECT_EQ(List(*clerk_, "T01", "left")->members_size(), 1);
  EXPECT_EQ(List(*clerk_, "T01", "all")->members_size(), 10);
  EXPECT_THAT(List(*clerk_, "T01", "gone"), HasReasonAt(common::v1::REASON_FIELD_INVALID, "state"));
  EXPECT_THAT(List(*clerk_, ""), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(List(*clerk_, "E02"), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(List(*stranger_, ""), HasReason(common::v1::REASON_WRONG_FEDERATION));
}

TEST_P(MembersTest, UpdatesMaskedFieldsAndTheFiguresFollow) {
  ASSERT_OK_AND_ASSIGN(const v1::Member created, Create(*admin_, Member("E01", 1)));
  v1::Member change = created;
  change.set_job("焊工");
  change.set_phone("13900005678");
  ASSERT_OK_AND_ASSIGN(const v1::Member updated, Update(*clerk_, change, "job,phone", "r1"));
  EXPECT_EQ(updated.job(), "焊工");
  EXPECT_EQ(updated.phone(), "139****5678");
  EXPECT_NE(updated.etag(), created.etag());
  EXPECT_EQ(Update(*clerk_, change, "job,phone", "r1")->etag(), updated.etag());
  EXPECT_THAT(Update(*clerk_, change, "job"), HasReason(common::v1::REASON_ETAG_MISMATCH));

  change.clear_etag();
  change.set_id_number(IdNumber(2));
  change.set_joined_on("2019-01-01");
  ASSERT_OK_AND_ASSIGN(const v1::Member corrected, Update(*clerk_, change, "id_number,joined_on"));
  EXPECT_EQ(corrected.sex(), "female");
  const auto facts = Facts();
  EXPECT_FALSE(facts.contains("members_total E01 male"));
  EXPECT_THAT(facts.at("members_total E01 female"), ElementsAre(Pair("2019-01-01", 1)));
  EXPECT_EQ(List(*admin_, "", "", IdNumber(1))->members_size(), 0);
  EXPECT_EQ(List(*admin_, "", "", IdNumber(2))->members_size(), 1);

  ASSERT_THAT(Create(*admin_, Member("E02", 3)), IsOk());
  change.set_id_number(IdNumber(3));
  EXPECT_THAT(Update(*clerk_, change, "id_number"),
              HasReasonAt(common::v1::REASON_ALREADY_EXISTS, "member.id_number"));
  EXPECT_THAT(Update(*clerk_, change, "organization"),
              HasReasonAt(common::v1::REASON_UPDATE_MASK_INVALID, "update_mask"));
  change.set_employment("astronaut");
  EXPECT_THAT(Update(*clerk_, change, "employment"),
              HasReasonAt(common::v1::REASON_CODE_UNKNOWN, "member.employment"));
  EXPECT_THAT(Update(*stranger_, change, "job"), HasReason(common::v1::REASON_WRONG_FEDERATION));
  const auto other_clerk = ClientOf("demo", "registrar", "T02", true);
  EXPECT_THAT(Update(*other_clerk, change, "job"), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  change.set_name("federations/demo/members/none");
  EXPECT_THAT(Update(*clerk_, change, "job"),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "member.name"));
}

TEST_P(MembersTest, LeavesAndJoinsAgain) {
  ASSERT_OK_AND_ASSIGN(const v1::Member created, Create(*admin_, Member("E01", 1)));
  EXPECT_THAT(Leave(*clerk_, created.name(), "2018-02-28", "retired"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "left_on"));
  EXPECT_THAT(Leave(*clerk_, created.name(), "2020-01-01", "bored"),
              HasReasonAt(common::v1::REASON_CODE_UNKNOWN, "reason"));
  EXPECT_THAT(Join(*clerk_, created.name(), "E01", "2020-01-01"),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "name"));
  ASSERT_OK_AND_ASSIGN(const v1::Member left,
                       Leave(*clerk_, created.name(), "2020-01-01", "退休", "r1", created.etag()));
  EXPECT_EQ(left.state(), "left");
  EXPECT_EQ(left.left_on(), "2020-01-01");
  EXPECT_EQ(Get(*clerk_, created.name())->state(), "left");
  EXPECT_EQ(Leave(*clerk_, created.name(), "2020-01-01", "退休", "r1", created.etag())->etag(),
            left.etag());
  EXPECT_THAT(Leave(*clerk_, created.name(), "2020-02-01", "retired"),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "name"));
  EXPECT_THAT(Leave(*stranger_, created.name(), "2020-02-01", "retired"),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  auto facts = Facts();
  EXPECT_THAT(facts.at("members_total E01 male"),
              ElementsAre(Pair("2018-03-01", 1), Pair("2020-01-01", -1)));
  EXPECT_THAT(facts.at("members_left E01 male"), ElementsAre(Pair("2020-01-01", 1)));

  EXPECT_THAT(Join(*clerk_, created.name(), "E02", "2020-06-01"),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  const auto other_clerk = ClientOf("demo", "registrar", "T02", true);
  EXPECT_THAT(Join(*other_clerk, created.name(), "E02", "2019-12-31"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "joined_on"));
  EXPECT_THAT(Join(*admin_, created.name(), "E99", "2020-06-01"),
              HasReasonAt(common::v1::REASON_REFERENCE_NOT_FOUND, "organization"));
  ASSERT_OK_AND_ASSIGN(const v1::Member joined,
                       Join(*other_clerk, created.name(), "E02", "2020-06-01", "r2"));
  EXPECT_EQ(joined.organization(), "E02");
  EXPECT_EQ(joined.state(), "active");
  EXPECT_EQ(joined.left_on(), "");
  EXPECT_EQ(Join(*other_clerk, created.name(), "E02", "2020-06-01", "r2")->etag(), joined.etag());
  EXPECT_THAT(Leave(*clerk_, created.name(), "2020-07-01", "retired"),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Join(*stranger_, created.name(), "E02", "2020-06-01"),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  // A correction touches every membership: the earlier ones count for the person, too.
  v1::Member change;
  change.set_name(created.name());
  change.set_id_number(IdNumber(2));
  ASSERT_THAT(Update(*admin_, change, "id_number"), IsOk());
  facts = Facts();
  EXPECT_THAT(facts.at("members_total E01 female"),
              ElementsAre(Pair("2018-03-01", 1), Pair("2020-01-01", -1)));
  EXPECT_THAT(facts.at("members_total E02 female"), ElementsAre(Pair("2020-06-01", 1)));
  EXPECT_FALSE(facts.contains("members_total E02 male"));
}

TEST_P(MembersTest, KeepsNumbersSealedAtRest) {
  if (GetParam() != "sqlite") GTEST_SKIP() << "reads the files of SQLite";
  ASSERT_THAT(Create(*admin_, Member("E01", 1), "r1"), IsOk());
  ASSERT_EQ(Batch(*admin_, {Member("E01", 2)}, false, false, "r2")->created(), 1);
  suite_.reset();
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    if (entry.path().filename().string().rfind("membership.db", 0) != 0) continue;
    ++files;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    EXPECT_THAT(bytes, Not(::testing::HasSubstr(IdNumber(1))));
    EXPECT_THAT(bytes, Not(::testing::HasSubstr(IdNumber(2))));
    EXPECT_THAT(bytes, Not(::testing::HasSubstr("13800001234")));
  }
  EXPECT_GT(files, 0);
}

INSTANTIATE_TEST_SUITE_P(Engines, MembersTest, ::testing::ValuesIn(::gonghui::testing::Engines()));

}  // namespace
}  // namespace gonghui::membership
