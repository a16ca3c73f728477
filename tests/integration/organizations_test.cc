#include "common/base/clock.h"
#include "common/tree/organization_tree.h"
#include "tests/integration/membership.h"

namespace gonghui::membership {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class OrganizationsTest : public MembershipTest {
 protected:
  void SetUp() override {
    MembershipTest::SetUp();
    MakeDistrict();
  }

  absl::StatusOr<v1::Organization> Create(const rpc::Client& client,
                                          const v1::Organization& organization,
                                          const std::string& request_id = "") {
    v1::CreateOrganizationRequest request;
    request.set_parent("federations/demo");
    *request.mutable_organization() = organization;
    request.set_request_id(request_id);
    return Organizations<v1::Organization>(client, "CreateOrganization", request);
  }
  absl::StatusOr<v1::BatchCreateOrganizationsResponse> Batch(
      const rpc::Client& client, const std::vector<v1::Organization>& organizations,
      bool partial = false, bool validate_only = false, const std::string& request_id = "") {
    v1::BatchCreateOrganizationsRequest request;
    request.set_parent("federations/demo");
    request.mutable_organizations()->Assign(organizations.begin(), organizations.end());
    request.set_partial(partial);
    request.set_validate_only(validate_only);
    request.set_request_id(request_id);
    return Organizations<v1::BatchCreateOrganizationsResponse>(client, "BatchCreateOrganizations",
                                                               request);
  }
  absl::StatusOr<v1::Organization> Get(const rpc::Client& client, const std::string& id,
                                       const std::string& valid_at = "", int64_t known_at_us = 0) {
    v1::GetOrganizationRequest request;
    request.set_name("federations/demo/organizations/" + id);
    request.set_valid_at(valid_at);
    request.set_known_at_us(known_at_us);
    return Organizations<v1::Organization>(client, "GetOrganization", request);
  }
  absl::StatusOr<v1::Organization> Move(const rpc::Client& client, const std::string& id,
                                        const std::string& parent, const std::string& from,
                                        const std::string& request_id = "",
                                        const std::string& etag = "") {
    v1::MoveOrganizationRequest request;
    request.set_name("federations/demo/organizations/" + id);
    request.set_new_parent(parent);
    request.set_valid_from(from);
    request.set_request_id(request_id);
    request.set_etag(etag);
    return Organizations<v1::Organization>(client, "MoveOrganization", request);
  }
  absl::StatusOr<v1::Organization> Rename(const rpc::Client& client, const std::string& id,
                                          const std::string& name, const std::string& from,
                                          const std::string& request_id = "") {
    v1::RenameOrganizationRequest request;
    request.set_name("federations/demo/organizations/" + id);
    request.set_display_name(name);
    request.set_valid_from(from);
    request.set_request_id(request_id);
    return Organizations<v1::Organization>(client, "RenameOrganization", request);
  }
  absl::StatusOr<v1::Organization> Close(const rpc::Client& client, const std::string& id,
                                         const std::string& from,
                                         const std::string& request_id = "") {
    v1::CloseOrganizationRequest request;
    request.set_name("federations/demo/organizations/" + id);
    request.set_valid_from(from);
    request.set_request_id(request_id);
    return Organizations<v1::Organization>(client, "CloseOrganization", request);
  }
  absl::StatusOr<v1::GetTreeResponse> Tree(const rpc::Client& client, const std::string& top,
                                           const std::string& valid_at = "",
                                           int64_t known_at_us = 0, int depth = 0) {
    v1::GetTreeRequest request;
    request.set_parent("federations/demo");
    request.set_organization(top);
    request.set_valid_at(valid_at);
    request.set_known_at_us(known_at_us);
    request.set_depth(depth);
    return Organizations<v1::GetTreeResponse>(client, "GetTree", request);
  }
  std::string Drawn(const absl::StatusOr<v1::GetTreeResponse>& tree) {
    if (!tree.ok()) return std::string(tree.status().message());
    std::string text;
    for (const v1::TreeNode& node : tree->nodes()) {
      absl::StrAppend(&text, text.empty() ? "" : " ", std::string(node.depth(), '.'),
                      node.organization().id());
    }
    return text;
  }
};

TEST_P(OrganizationsTest, CreatesBelowAParent) {
  v1::Organization wanted = Organization("E03", "T01", "企业", "2020-05-13");
  wanted.set_union_type("行业联合");
  wanted.set_industry("房产中介");
  wanted.set_credit_code("81320400mc00000010");
  ASSERT_OK_AND_ASSIGN(const v1::Organization created, Create(*clerk_, wanted, "r1"));
  EXPECT_EQ(created.name(), "federations/demo/organizations/E03");
  EXPECT_EQ(created.kind(), "enterprise");
  EXPECT_EQ(created.union_type(), "industry_joint");
  EXPECT_EQ(created.industry(), "property_agency");
  EXPECT_EQ(created.credit_code(), "81320400MC00000010");
  EXPECT_EQ(created.state(), "open");
  EXPECT_EQ(created.valid_from(), "2020-05-13");
  ASSERT_OK_AND_ASSIGN(const v1::Organization read, Get(*clerk_, "E03"));
  EXPECT_EQ(read.SerializeAsString(), created.SerializeAsString());
  ASSERT_OK_AND_ASSIGN(const v1::Organization replayed, Create(*clerk_, wanted, "r1"));
  EXPECT_EQ(replayed.SerializeAsString(), created.SerializeAsString());
  EXPECT_THAT(Create(*clerk_, wanted),
              HasReasonAt(common::v1::REASON_ALREADY_EXISTS, "organization.id"));
  const auto facts = Facts();
  EXPECT_THAT(facts.at("unions_established E03 property_agency industry_joint"),
              ElementsAre(Pair("2020-05-13", 1)));
  EXPECT_THAT(facts.at("union_orgs_total E03 enterprise"), ElementsAre(Pair("2020-05-13", 1)));
  EXPECT_FALSE(facts.contains("unions_established D01"));
}

TEST_P(OrganizationsTest, RefusesWhatDoesNotFitTheTree) {
  using common::v1::Reason;
  const auto refused = [&](v1::Organization organization, Reason reason, const char* field) {
    EXPECT_THAT(Create(*admin_, organization), HasReasonAt(reason, field));
  };
  refused(Organization("E 3", "T01", "enterprise", "2020-01-01"), common::v1::REASON_FIELD_INVALID,
          "organization.id");
  refused(Organization("E03", "T01", "enterprise", "2020-02-30"), common::v1::REASON_FIELD_INVALID,
          "organization.founded_on");
  refused(Organization("E03", "T01", "enterprise", "2003-04-30"), common::v1::REASON_FIELD_INVALID,
          "organization.founded_on");
  refused(Organization("E03", "T99", "enterprise", "2020-01-01"),
          common::v1::REASON_REFERENCE_NOT_FOUND, "organization.parent");
  refused(Organization("D02", "", "district", "2020-01-01"), common::v1::REASON_FIELD_REQUIRED,
          "organization.parent");
  refused(Organization("E03", "E03", "enterprise", "2020-01-01"), common::v1::REASON_TREE_CYCLE,
          "organization.parent");
  v1::Organization organization = Organization("E03", "T01", "enterprise", "2020-01-01");
  organization.set_credit_code("8132");
  refused(organization, common::v1::REASON_FIELD_INVALID, "organization.credit_code");
  organization.clear_credit_code();
  organization.set_employees(-1);
  refused(organization, common::v1::REASON_FIELD_INVALID, "organization.employees");
  EXPECT_THAT(Create(*clerk_, Organization("E03", "T02", "enterprise", "2020-01-01")),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Create(*stranger_, Organization("E03", "T01", "enterprise", "2020-01-01")),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
}

TEST_P(OrganizationsTest, BatchTellsEveryFault) {
  const std::vector<v1::Organization> organizations = {
      Organization("E11", "B11", "enterprise", "2021-01-01"),  // Its parent stands later.
      Organization("B11", "T01", "community", "2020-01-01"),   //
      Organization("E12", "B99", "enterprise", "2021-01-01"),  // Unknown parent.
      Organization("E01", "T01", "enterprise", "2010-01-01"),  // Exists with this content.
      Organization("E02", "T02", "enterprise", "2011-01-02"),  // Exists with other content.
      Organization("B11", "T01", "community", "2020-01-01"),   // Twice.
      Organization("E13", "E14", "enterprise", "2020-01-01"),  // A ring.
      Organization("E14", "E13", "enterprise", "2020-01-01"),  //
      Organization("", "T01", "enterprise", "2020-01-01"),     // No code.
  };
  ASSERT_OK_AND_ASSIGN(const auto dry, Batch(*admin_, organizations, true, true));
  EXPECT_EQ(dry.created(), 2);
  EXPECT_EQ(dry.items(0).name(), "");
  ASSERT_OK_AND_ASSIGN(const auto refused, Batch(*admin_, organizations));
  EXPECT_EQ(refused.created(), 0);
  EXPECT_EQ(refused.failures_size(), 6);
  EXPECT_THAT(Get(*admin_, "B11"), HasReason(common::v1::REASON_NOT_FOUND));

  ASSERT_OK_AND_ASSIGN(const auto written, Batch(*admin_, organizations, true, false, "r1"));
  EXPECT_EQ(written.created(), 2);
  EXPECT_EQ(written.existing(), 1);
  EXPECT_TRUE(written.items(3).existing());
  std::map<int, std::pair<std::string, std::string>> failures;
  for (const auto& failure : written.failures()) {
    failures[failure.index()] = {failure.reason(), failure.field()};
    EXPECT_NE(failure.message_zh(), "");
  }
  EXPECT_THAT(failures, ElementsAre(Pair(2, Pair("REFERENCE_NOT_FOUND", "parent")),
                                    Pair(4, Pair("ALREADY_EXISTS", "id")),
                                    Pair(5, Pair("DUPLICATE_IN_REQUEST", "id")),
                                    Pair(6, Pair("REFERENCE_NOT_FOUND", "parent")),
                                    Pair(7, Pair("REFERENCE_NOT_FOUND", "parent")),
                                    Pair(8, Pair("FIELD_REQUIRED", "id"))));
  EXPECT_EQ(Drawn(Tree(*admin_, "B11")), "B11 .E11");
  ASSERT_OK_AND_ASSIGN(const auto replayed, Batch(*admin_, organizations, true, false, "r1"));
  EXPECT_EQ(replayed.SerializeAsString(), written.SerializeAsString());
  EXPECT_EQ(Facts().at("union_orgs_total B11 community").at("2020-01-01"), 1);
}

TEST_P(OrganizationsTest, BatchKeepsToTheScopeOfEachItem) {
  ASSERT_OK_AND_ASSIGN(const auto answer,
                       Batch(*clerk_,
                             {Organization("E21", "T01", "enterprise", "2020-01-01"),
                              Organization("E22", "T02", "enterprise", "2020-01-01"),
                              Organization("G21", "E21", "group", "2020-01-01"),
                              Organization("G22", "E22", "group", "2020-01-01")},
                             true));
  EXPECT_EQ(answer.created(), 2);
  ASSERT_EQ(answer.failures_size(), 2);
  EXPECT_EQ(answer.failures(0).reason(), "OUT_OF_SCOPE");
  EXPECT_EQ(answer.failures(1).reason(), "OUT_OF_SCOPE");
  EXPECT_THAT(Batch(*stranger_, {Organization("E21", "T01", "enterprise", "2020-01-01")}),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  EXPECT_THAT(Batch(*admin_, {}), HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "organizations"));
}

TEST_P(OrganizationsTest, ReadsWithinRights) {
  EXPECT_THAT(Get(*clerk_, "E01"), IsOk());
  EXPECT_THAT(Get(*clerk_, "E02"), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Get(*stranger_, "E01"), HasReason(common::v1::REASON_WRONG_FEDERATION));
  EXPECT_THAT(Get(*admin_, "E99"), HasReasonAt(common::v1::REASON_NOT_FOUND, "name"));
  EXPECT_THAT(Get(*admin_, "E01", "2009-12-31"), HasReason(common::v1::REASON_NOT_FOUND));
  EXPECT_THAT(Get(*admin_, "E01", "2009-12-32"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "valid_at"));
}

TEST_P(OrganizationsTest, ListsParentsBeforeChildrenPageByPage) {
  v1::ListOrganizationsRequest request;
  request.set_parent("federations/demo");
  request.set_page_size(2);
  std::vector<std::string> ids;
  int pages = 0;
  do {
    ASSERT_OK_AND_ASSIGN(const auto page, Organizations<v1::ListOrganizationsResponse>(
                                              *admin_, "ListOrganizations", request));
    for (const auto& organization : page.organizations()) ids.push_back(organization.id());
    request.set_page_token(page.next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_THAT(ids, ElementsAre("D01", "T01", "E01", "T02", "E02"));
  EXPECT_EQ(pages, 3);

  request.set_page_size(50);
  request.set_kind("enterprise");
  request.set_organization("T01");
  ASSERT_OK_AND_ASSIGN(const auto some, Organizations<v1::ListOrganizationsResponse>(
                                            *clerk_, "ListOrganizations", request));
  ASSERT_EQ(some.organizations_size(), 1);
  EXPECT_EQ(some.organizations(0).id(), "E01");

  request.set_page_token("garbage");
  EXPECT_THAT(Organizations<v1::ListOrganizationsResponse>(*admin_, "ListOrganizations", request),
              HasReasonAt(common::v1::REASON_PAGE_TOKEN_INVALID, "page_token"));
  request.clear_page_token();
  request.set_page_size(-1);
  EXPECT_THAT(Organizations<v1::ListOrganizationsResponse>(*admin_, "ListOrganizations", request),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "page_size"));
  request.clear_page_size();
  request.clear_organization();
  EXPECT_THAT(Organizations<v1::ListOrganizationsResponse>(*clerk_, "ListOrganizations", request),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(
      Organizations<v1::ListOrganizationsResponse>(*stranger_, "ListOrganizations", request),
      HasReason(common::v1::REASON_WRONG_FEDERATION));
}

TEST_P(OrganizationsTest, EveryPageShowsTheTreeOfTheFirst) {
  v1::ListOrganizationsRequest request;
  request.set_parent("federations/demo");
  request.set_page_size(2);
  ASSERT_OK_AND_ASSIGN(const auto first, Organizations<v1::ListOrganizationsResponse>(
                                             *admin_, "ListOrganizations", request));
  ASSERT_EQ(first.organizations_size(), 2);  // D01, T01.
  ASSERT_THAT(Move(*admin_, "T01", "T02", "2010-01-01"), IsOk());
  request.set_page_size(10);
  request.set_page_token(first.next_page_token());
  ASSERT_OK_AND_ASSIGN(const auto rest, Organizations<v1::ListOrganizationsResponse>(
                                            *admin_, "ListOrganizations", request));
  std::vector<std::string> ids;
  for (const auto& organization : rest.organizations()) ids.push_back(organization.id());
  EXPECT_THAT(ids, ElementsAre("E01", "T02", "E02"));
  // By subtree at a date: afterwards T01 lies below T02, from 2010 on.
  const auto listed = [&](const std::string& day) {
    v1::ListOrganizationsRequest below;
    below.set_parent("federations/demo");
    below.set_organization("T02");
    below.set_valid_at(day);
    std::string text;
    const auto page =
        Organizations<v1::ListOrganizationsResponse>(*admin_, "ListOrganizations", below);
    EXPECT_THAT(page, IsOk());
    for (const auto& organization : page->organizations()) {
      absl::StrAppend(&text, organization.id(), " ");
    }
    return text;
  };
  EXPECT_EQ(listed("2012-01-01"), "T02 E02 T01 E01 ");
  EXPECT_EQ(listed("2009-12-31"), "T02 ");
}

TEST_P(OrganizationsTest, SecondLinesCanBeNamedAtTheFounding) {
  v1::Organization line = Organization("I01", "D01", "industrial", "2000-01-01");
  v1::Organization member = Organization("E03", "T01", "enterprise", "2020-01-01");
  member.set_affiliated_to("I01");
  ASSERT_OK_AND_ASSIGN(const auto answer, Batch(*admin_, {member, line}));
  EXPECT_EQ(answer.created(), 2) << answer.ShortDebugString();
  EXPECT_EQ(Get(*admin_, "E03")->affiliated_to(), "I01");
  ASSERT_OK_AND_ASSIGN(const auto again, Batch(*admin_, {member, line}));
  EXPECT_EQ(again.existing(), 2);
  v1::Organization stray = Organization("E04", "T01", "enterprise", "2020-01-01");
  stray.set_affiliated_to("I99");
  EXPECT_THAT(Create(*admin_, stray),
              HasReasonAt(common::v1::REASON_REFERENCE_NOT_FOUND, "organization.affiliated_to"));
  stray.set_affiliated_to("E04");
  EXPECT_THAT(Create(*admin_, stray),
              HasReasonAt(common::v1::REASON_TREE_CYCLE, "organization.affiliated_to"));
}

TEST_P(OrganizationsTest, ShowsTheTree) {
  ASSERT_OK_AND_ASSIGN(const auto tree, Tree(*admin_, ""));
  EXPECT_EQ(Drawn(tree), "D01 .T01 ..E01 .T02 ..E02");
  EXPECT_EQ(tree.nodes(0).descendants(), 4);
  EXPECT_EQ(tree.nodes(1).descendants(), 1);
  EXPECT_EQ(tree.nodes(2).organization().display_name(), "E01工会");
  EXPECT_EQ(Drawn(Tree(*admin_, "", "", 0, 1)), "D01 .T01 .T02");
  EXPECT_EQ(Drawn(Tree(*admin_, "", "2010-06-30")), "D01 .T01 ..E01 .T02");
  EXPECT_EQ(Drawn(Tree(*clerk_, "T01")), "T01 .E01");
  EXPECT_THAT(Tree(*clerk_, "T02"), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Tree(*admin_, "T99"), HasReasonAt(common::v1::REASON_NOT_FOUND, "organization"));
  EXPECT_THAT(Tree(*stranger_, ""), HasReason(common::v1::REASON_WRONG_FEDERATION));
}

TEST_P(OrganizationsTest, RenamesFromADate) {
  ASSERT_OK_AND_ASSIGN(const v1::Organization renamed,
                       Rename(*clerk_, "E01", "新名工会", "2020-01-01", "r1"));
  EXPECT_EQ(renamed.display_name(), "新名工会");
  EXPECT_EQ(renamed.valid_from(), "2020-01-01");
  EXPECT_EQ(Get(*admin_, "E01", "2019-12-31")->display_name(), "E01工会");
  EXPECT_EQ(Get(*admin_, "E01")->display_name(), "新名工会");
  ASSERT_OK_AND_ASSIGN(const v1::Organization replayed,
                       Rename(*clerk_, "E01", "新名工会", "2020-01-01", "r1"));
  EXPECT_EQ(replayed.etag(), renamed.etag());
  EXPECT_THAT(Rename(*clerk_, "E01", "别名工会", "2020-01-01", "r1"),
              HasReason(common::v1::REASON_REQUEST_ID_REUSED));
  EXPECT_THAT(Rename(*admin_, "E01", "早", "2009-12-31"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "valid_from"));
  EXPECT_THAT(Rename(*admin_, "E01", "晚", "9999-12-31"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "valid_from"));
  EXPECT_THAT(Rename(*admin_, "E99", "无", "2020-01-01"),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "name"));
  EXPECT_THAT(Rename(*clerk_, "E02", "别", "2020-01-01"),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Rename(*stranger_, "E01", "别", "2020-01-01"),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
}

TEST_P(OrganizationsTest, MovesFromADateAndKeepsWhatWasKnown) {
  const int64_t before = Clock::System().NowMicros();
  ASSERT_OK_AND_ASSIGN(const v1::Organization moved,
                       Move(*admin_, "E01", "T02", "2020-04-01", "r1"));
  EXPECT_EQ(moved.parent(), "T02");
  EXPECT_EQ(Drawn(Tree(*admin_, "", "2020-03-31")), "D01 .T01 ..E01 .T02 ..E02");
  EXPECT_EQ(Drawn(Tree(*admin_, "", "2020-04-01")), "D01 .T01 .T02 ..E01 ..E02");
  EXPECT_EQ(Drawn(Tree(*admin_, "", "2020-04-01", before)), "D01 .T01 ..E01 .T02 ..E02");
  EXPECT_EQ(Get(*admin_, "E01", "2020-04-01", before)->parent(), "T01");
  EXPECT_EQ(Move(*admin_, "E01", "T02", "2020-04-01", "r1")->etag(), moved.etag());
  // Rights follow at once.
  EXPECT_THAT(Get(*clerk_, "E01"), HasReason(common::v1::REASON_OUT_OF_SCOPE));

  EXPECT_THAT(Move(*admin_, "E01", "T01", "2021-01-01", "", "\"1\""),
              HasReason(common::v1::REASON_ETAG_MISMATCH));
  EXPECT_THAT(Move(*admin_, "E01", "T01", "2021-01-01", "", moved.etag()), IsOk());
}

TEST_P(OrganizationsTest, ARetroactiveMoveStopsAtALaterMove) {
  ASSERT_THAT(Create(*admin_, Organization("T03", "D01", "town_street", "2003-05-01")), IsOk());
  ASSERT_THAT(Rename(*admin_, "E01", "新名工会", "2019-06-01"), IsOk());
  ASSERT_THAT(Move(*admin_, "E01", "T02", "2020-04-01"), IsOk());
  ASSERT_THAT(Move(*admin_, "E01", "T03", "2019-01-01"), IsOk());
  EXPECT_EQ(Get(*admin_, "E01", "2018-12-31")->parent(), "T01");
  EXPECT_EQ(Get(*admin_, "E01", "2019-01-01")->parent(), "T03");
  EXPECT_EQ(Get(*admin_, "E01", "2019-07-01")->parent(), "T03");
  EXPECT_EQ(Get(*admin_, "E01", "2019-07-01")->display_name(), "新名工会");
  EXPECT_EQ(Get(*admin_, "E01", "2020-04-01")->parent(), "T02");
}

TEST_P(OrganizationsTest, RefusesMovesThatDoNotFit) {
  EXPECT_THAT(Move(*admin_, "T01", "E01", "2020-01-01"),
              HasReasonAt(common::v1::REASON_TREE_CYCLE, "new_parent"));
  EXPECT_THAT(Move(*admin_, "D01", "T01", "2020-01-01"),
              HasReasonAt(common::v1::REASON_TREE_CYCLE, "new_parent"));
  EXPECT_THAT(Move(*admin_, "E01", "E01", "2020-01-01"),
              HasReasonAt(common::v1::REASON_TREE_CYCLE, "new_parent"));
  // E02 lies below E01 only from 2022; a move of E01 before that would still end in a ring.
  ASSERT_THAT(Move(*admin_, "E02", "E01", "2022-01-01"), IsOk());
  EXPECT_THAT(Move(*admin_, "E01", "E02", "2021-01-01"),
              HasReasonAt(common::v1::REASON_TREE_CYCLE, "new_parent"));
  EXPECT_THAT(Move(*admin_, "E01", "T99", "2020-01-01"),
              HasReasonAt(common::v1::REASON_REFERENCE_NOT_FOUND, "new_parent"));
  EXPECT_THAT(Move(*admin_, "E01", "E02", "2010-06-01"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "valid_from"));
  EXPECT_THAT(Move(*clerk_, "E01", "T02", "2020-01-01"),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Move(*stranger_, "E01", "T02", "2020-01-01"),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  ASSERT_THAT(Create(*admin_, Organization("T03", "D01", "town_street", "2003-05-01")), IsOk());
  ASSERT_THAT(Close(*admin_, "T03", "2021-01-01"), IsOk());
  EXPECT_THAT(Move(*admin_, "E01", "T03", "2020-01-01"),
              HasReasonAt(common::v1::REASON_ORGANIZATION_CLOSED, "new_parent"));
}

TEST_P(OrganizationsTest, ClosesWhatIsEmpty) {
  EXPECT_THAT(Close(*admin_, "T01", "2020-07-01"),
              HasReasonAt(common::v1::REASON_ORGANIZATION_NOT_EMPTY, "name"));
  ASSERT_OK_AND_ASSIGN(const v1::Member member, MembershipTest::Create(*admin_, Member("E01", 1)));
  const auto occupied = Close(*admin_, "E01", "2020-07-01");
  EXPECT_THAT(occupied, HasReason(common::v1::REASON_ORGANIZATION_NOT_EMPTY));
  EXPECT_THAT(MetadataOf(occupied.status()),
              ::testing::IsSupersetOf({Pair("children", "0"), Pair("members", "1")}));
  v1::LeaveMemberRequest leave;
  leave.set_name(member.name());
  leave.set_left_on("2020-07-01");
  leave.set_reason("retired");
  ASSERT_THAT(Members<v1::Member>(*admin_, "LeaveMember", leave), IsOk());
  EXPECT_THAT(Close(*admin_, "E01", "2020-06-30"),
              HasReason(common::v1::REASON_ORGANIZATION_NOT_EMPTY));

  EXPECT_THAT(Close(*clerk_, "E02", "2020-07-01"), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Close(*stranger_, "E01", "2020-07-01"),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  EXPECT_THAT(Close(*admin_, "E01", "2009-01-01"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "valid_from"));
  ASSERT_OK_AND_ASSIGN(const v1::Organization closed, Close(*clerk_, "E01", "2020-07-01", "r1"));
  EXPECT_EQ(closed.state(), "closed");
  EXPECT_EQ(Close(*clerk_, "E01", "2020-07-01", "r1")->etag(), closed.etag());
  EXPECT_THAT(Close(*clerk_, "E01", "2020-08-01"), HasReason(common::v1::REASON_STATE_FORBIDS));
  EXPECT_EQ(Get(*admin_, "E01", "2020-06-30")->state(), "open");
  EXPECT_THAT(Facts().at("union_orgs_total E01 enterprise"),
              ElementsAre(Pair("2010-01-01", 1), Pair("2020-07-01", -1)));
  EXPECT_THAT(MembershipTest::Create(*admin_, Member("E01", 2)),
              HasReasonAt(common::v1::REASON_ORGANIZATION_CLOSED, "member.organization"));
  ASSERT_OK_AND_ASSIGN(const auto tree, Tree(*admin_, "T01"));
  EXPECT_EQ(tree.nodes(0).descendants(), 0);
}

TEST_P(OrganizationsTest, ListsVersionsForFollowers) {
  ASSERT_THAT(Move(*admin_, "E01", "T02", "2020-04-01"), IsOk());
  v1::ListOrganizationVersionsRequest request;
  request.set_federation("demo");
  request.set_page_size(3);
  tree::OrganizationTree copy;
  int64_t last = 0;
  while (true) {
    request.set_after_sequence(last);
    ASSERT_OK_AND_ASSIGN(const auto page, Organizations<v1::ListOrganizationVersionsResponse>(
                                              *admin_, "ListOrganizationVersions", request));
    EXPECT_EQ(page.head(), 8);
    if (page.versions().empty()) break;
    for (const v1::OrganizationVersion& v : page.versions()) {
      EXPECT_GT(v.sequence(), last);
      last = v.sequence();
      copy.Apply({.version_id = v.version_id(),
                  .id = v.id(),
                  .parent = v.parent(),
                  .display_name = v.display_name(),
                  .kind = v.kind(),
                  .state = v.state(),
                  .valid_from = v.valid_from(),
                  .valid_to = v.valid_to(),
                  .recorded_from_us = v.recorded_from_us(),
                  .recorded_to_us = v.recorded_to_us()});
    }
  }
  EXPECT_EQ(last, 8);
  EXPECT_THAT(copy.Path("E01", "2020-04-01"), ElementsAre("E01", "T02", "D01"));
  EXPECT_THAT(copy.Path("E01", "2020-03-31"), ElementsAre("E01", "T01", "D01"));
  EXPECT_THAT(Organizations<v1::ListOrganizationVersionsResponse>(
                  *clerk_, "ListOrganizationVersions", request),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Organizations<v1::ListOrganizationVersionsResponse>(
                  *stranger_, "ListOrganizationVersions", request),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  request.set_page_size(-1);
  EXPECT_THAT(Organizations<v1::ListOrganizationVersionsResponse>(
                  *admin_, "ListOrganizationVersions", request),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "page_size"));
}

INSTANTIATE_TEST_SUITE_P(Engines, OrganizationsTest,
                         ::testing::ValuesIn(::gonghui::testing::Engines()));

}  // namespace
}  // namespace gonghui::membership
