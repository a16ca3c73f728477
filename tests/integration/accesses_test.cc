// Personal data shown for a purpose, the log of accesses, and explanations of rights.
#include <filesystem>

#include "gonghui/membership/v1/access.pb.h"
#include "tests/integration/membership.h"

namespace gonghui::membership {
namespace {

using common::v1::REASON_CODE_UNKNOWN;
using common::v1::REASON_FIELD_INVALID;
using common::v1::REASON_FIELD_REQUIRED;
using common::v1::REASON_NOT_FOUND;
using common::v1::REASON_OUT_OF_SCOPE;
using common::v1::REASON_PERMISSION_MISSING;
using ::testing::ElementsAre;

class AccessesTest : public MembershipTest {
 protected:
  void SetUp() override {
    MembershipTest::SetUp();
    MakeDistrict();
    auto member = Create(*admin_, Member("E01", 1));
    ASSERT_THAT(member, IsOk());
    member_ = member->name();
    auto other = Create(*admin_, Member("E02", 2));
    ASSERT_THAT(other, IsOk());
    other_ = other->name();
  }

  template <typename Response, typename Request>
  static absl::StatusOr<Response> Call(const rpc::Client& client, const std::string& method,
                                       const Request& request) {
    return client.Invoke<Response>("/gonghui.membership.v1.AccessService/" + method, request);
  }
  static absl::StatusOr<v1::RevealFieldResponse> Reveal(const rpc::Client& client,
                                                        const std::string& member,
                                                        const std::string& field,
                                                        const std::string& purpose,
                                                        const std::string& remark = "") {
    v1::RevealFieldRequest request;
    request.set_name(member);
    request.set_field(field);
    request.set_purpose(purpose);
    request.set_remark(remark);
    return Call<v1::RevealFieldResponse>(client, "RevealField", request);
  }
  static absl::StatusOr<v1::ListAccessesResponse> List(const rpc::Client& client,
                                                       v1::ListAccessesRequest request) {
    request.set_parent("federations/demo");
    return Call<v1::ListAccessesResponse>(client, "ListAccesses", request);
  }
  // "sequence kind actor field purpose times", newest first.
  std::vector<std::string> Entries(const v1::ListAccessesRequest& request) {
    std::vector<std::string> entries;
    auto answer = List(*admin_, request);
    EXPECT_THAT(answer, IsOk());
    if (!answer.ok()) return entries;
    for (const v1::Access& a : answer->accesses()) {
      entries.push_back(absl::StrCat(a.sequence(), " ", v1::AccessKind_Name(a.kind()).substr(12),
                                     " ", a.actor(), " ", a.field(), " ", a.purpose(), " ",
                                     a.times()));
    }
    return entries;
  }
  void Read(const rpc::Client& client, const std::string& name) {
    v1::GetMemberRequest request;
    request.set_name(name);
    EXPECT_THAT(Members<v1::Member>(client, "GetMember", request), IsOk());
  }
  std::string Verify() {
    v1::VerifyAccessesRequest request;
    request.set_parent("federations/demo");
    auto answer = Call<v1::VerifyAccessesResponse>(*admin_, "VerifyAccesses", request);
    EXPECT_THAT(answer, IsOk());
    if (!answer.ok()) return "";
    return absl::StrCat(answer->entries(), " ", answer->first_bad(), " ", answer->fault());
  }
  // Changes the database behind the service's back.
  void Tamper(const std::string& script) {
    const std::string url = GetParam() == "sqlite"
                                ? absl::StrCat("sqlite:", (folder_ / "membership.db").string())
                                : url_of_engine();
    auto db = sql::Database::Open({.url = url});
    ASSERT_THAT(db, IsOk());
    ASSERT_THAT((*db)->RunScript(script), IsOk());
  }
  std::string url_of_engine() const { return database_->url(); }

  std::string member_;  // At E01.
  std::string other_;   // At E02.
};

TEST_P(AccessesTest, ShowsAFieldForAPurposeAndLogsIt) {
  auto shown = Reveal(*clerk_, member_, "id_number", "身份核验");
  ASSERT_THAT(shown, IsOk());
  EXPECT_EQ(shown->value(), IdNumber(1));
  EXPECT_EQ(shown->sequence(), 1);
  EXPECT_EQ(Reveal(*clerk_, member_, "phone", "contact")->value(), "13800001234");
  EXPECT_EQ(Reveal(*clerk_, member_, "birth_date", "other", "年龄核对")->value().substr(0, 4),
            "1980");
  v1::ListAccessesRequest request;
  request.set_member(member_);
  EXPECT_THAT(Entries(request), ElementsAre("3 REVEAL registrar@T01 birth_date other 1",
                                            "2 REVEAL registrar@T01 phone contact 1",
                                            "1 REVEAL registrar@T01 id_number verification 1"));
}

TEST_P(AccessesTest, RefusesWithoutPurposeRightOrScope) {
  EXPECT_THAT(Reveal(*clerk_, member_, "id_number", "curiosity"),
              HasReasonAt(REASON_CODE_UNKNOWN, "purpose"));
  EXPECT_THAT(Reveal(*clerk_, member_, "id_number", ""),
              HasReasonAt(REASON_FIELD_REQUIRED, "purpose"));
  EXPECT_THAT(Reveal(*clerk_, member_, "id_number", "other", " "),
              HasReasonAt(REASON_FIELD_REQUIRED, "remark"));
  EXPECT_THAT(Reveal(*clerk_, member_, "job", "contact"),
              HasReasonAt(REASON_FIELD_INVALID, "field"));
  EXPECT_THAT(Reveal(*clerk_, other_, "phone", "contact"), HasReason(REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Reveal(*ClientOf("demo", "clerk", "*"), member_, "phone", "contact"),
              HasReason(REASON_PERMISSION_MISSING));
  EXPECT_THAT(Reveal(*admin_, "federations/demo/members/nobody", "phone", "contact"),
              HasReasonAt(REASON_NOT_FOUND, "name"));
  EXPECT_FALSE(Reveal(*stranger_, member_, "phone", "contact").ok());
  EXPECT_THAT(Entries({}), ElementsAre());
}

TEST_P(AccessesTest, LogsReadsAndLists) {
  Read(*clerk_, member_);
  Read(*clerk_, member_);
  v1::ListMembersRequest list;
  list.set_parent("federations/demo");
  list.set_organization("T01");
  ASSERT_THAT(Members<v1::ListMembersResponse>(*clerk_, "ListMembers", list), IsOk());
  Read(*admin_, other_);
  v1::ListAccessesRequest request;
  request.set_member(member_);
  auto answer = List(*clerk_, request);
  ASSERT_THAT(answer, IsOk());
  int reads = 0, lists = 0;
  for (const v1::Access& access : answer->accesses()) {
    (access.kind() == v1::ACCESS_KIND_READ ? reads : lists) += access.times();
    EXPECT_EQ(access.member(), member_);
    EXPECT_EQ(access.actor(), "registrar@T01");
  }
  EXPECT_EQ(reads, 2);
  EXPECT_EQ(lists, 1);
  request.set_kind(v1::ACCESS_KIND_LIST);
  EXPECT_EQ(Entries(request).size(), 1u);
  request.set_to_date("2020-01-01");
  EXPECT_EQ(Entries(request).size(), 0u);
  // What others saw of members elsewhere is not for the clerk.
  EXPECT_THAT(List(*clerk_, {}), HasReason(REASON_OUT_OF_SCOPE));
  v1::ListAccessesRequest elsewhere;
  elsewhere.set_member(other_);
  EXPECT_THAT(List(*clerk_, elsewhere), HasReason(REASON_OUT_OF_SCOPE));
}

TEST_P(AccessesTest, PagesNewestFirst) {
  for (int i = 0; i < 5; ++i) ASSERT_THAT(Reveal(*admin_, member_, "phone", "contact"), IsOk());
  v1::ListAccessesRequest request;
  request.set_page_size(2);
  std::vector<int64_t> sequences;
  do {
    auto page = List(*admin_, request);
    ASSERT_THAT(page, IsOk());
    for (const v1::Access& access : page->accesses()) sequences.push_back(access.sequence());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(sequences, ElementsAre(5, 4, 3, 2, 1));
}

TEST_P(AccessesTest, FindsWhatWasChangedOrCutInTheLog) {
  for (int i = 0; i < 5; ++i) ASSERT_THAT(Reveal(*admin_, member_, "phone", "contact"), IsOk());
  EXPECT_EQ(Verify(), "5 0 ");
  Tamper("UPDATE accesses SET actor='nobody' WHERE sequence=3");
  EXPECT_EQ(Verify(), "2 3 changed");
  Tamper("UPDATE accesses SET actor='admin@*' WHERE sequence=3");
  EXPECT_EQ(Verify(), "5 0 ");
  Tamper("DELETE FROM accesses WHERE sequence=5");
  EXPECT_EQ(Verify(), "4 5 cut");
  Tamper("DELETE FROM accesses WHERE sequence=2");
  EXPECT_EQ(Verify(), "1 2 missing");
}

TEST_P(AccessesTest, ExplainsWhyACallIsAllowedOrRefused) {
  v1::ExplainAccessRequest request;
  request.set_parent("federations/demo");
  request.set_permission("membership.members.get");
  request.set_organization("E01");
  auto why = Call<v1::ExplainAccessResponse>(*clerk_, "ExplainAccess", request);
  ASSERT_THAT(why, IsOk());
  EXPECT_TRUE(why->allowed());
  EXPECT_THAT(why->path(), ElementsAre("T01", "E01"));
  EXPECT_EQ(why->grants(0).verdict(), v1::GRANT_VERDICT_ALLOWS);
  request.set_organization("E02");
  why = Call<v1::ExplainAccessResponse>(*clerk_, "ExplainAccess", request);
  ASSERT_THAT(why, IsOk());
  EXPECT_FALSE(why->allowed());
  EXPECT_EQ(why->grants(0).verdict(), v1::GRANT_VERDICT_ELSEWHERE);
  EXPECT_THAT(why->roles(), ::testing::Contains("registrar"));
  // About others only for those who may see accesses there.
  common::v1::Grant& grant = *request.add_grants();
  grant.set_role("accountant");
  grant.set_organization("D01");
  grant.set_below(true);
  EXPECT_THAT(Call<v1::ExplainAccessResponse>(*clerk_, "ExplainAccess", request),
              HasReason(REASON_OUT_OF_SCOPE));
  why = Call<v1::ExplainAccessResponse>(*admin_, "ExplainAccess", request);
  ASSERT_THAT(why, IsOk());
  EXPECT_EQ(why->grants(0).verdict(), v1::GRANT_VERDICT_ROLE_LACKS_PERMISSION);
  request.mutable_grants(0)->set_until("2019-01-01");
  why = Call<v1::ExplainAccessResponse>(*admin_, "ExplainAccess", request);
  ASSERT_THAT(why, IsOk());
  EXPECT_EQ(why->grants(0).verdict(), v1::GRANT_VERDICT_NOT_IN_FORCE);
}

INSTANTIATE_TEST_SUITE_P(Engines, AccessesTest, ::testing::ValuesIn(::gonghui::testing::Engines()));

}  // namespace
}  // namespace gonghui::membership
