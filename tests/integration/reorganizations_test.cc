// Mergers and splits: what they do to the tree, the members, the registers and the facts.
#include "tests/integration/reorganizations_suite.h"

namespace gonghui::membership {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Pair;

TEST_P(ReorganizationsTest, AMergerCarriesEverythingToTheTarget) {
  ASSERT_THAT(Do(FoundStep(Organization("G01", "E01", "group", "2012-01-01"))), IsOk());
  const std::string first = Join("E01", 1);
  const std::string second = Join("E01", 2, "", "2020-08-01");  // Entered after the day.
  const auto facts_before = Facts();
  const std::string tree_before = Tree();
  const int64_t known_before = Clock::System().NowMicros();

  ASSERT_OK_AND_ASSIGN(const auto merged, Merge(*admin_, {"E01"}, "E02", "2020-07-01"));
  EXPECT_EQ(merged.state(), v1::REORGANIZATION_STATE_APPLIED);
  EXPECT_THAT(merged.organizations(), ElementsAre("E01", "G01"));
  EXPECT_EQ(merged.counts().members_transferred(), 2);
  EXPECT_GT(merged.apply_time_us(), 0);
  EXPECT_EQ(Tree("2020-06-30"), "D01 .T01 ..E01 ...G01 .T02 ..E02");
  EXPECT_EQ(Tree("2020-07-01"), "D01 .T01 .T02 ..E02 ...E01x ...G01");
  EXPECT_EQ(Tree("2020-07-01", known_before), tree_before);
  EXPECT_THAT(Get("E01").successors(), ElementsAre("E02"));
  EXPECT_THAT(Get("E01", "2020-06-30").successors(), IsEmpty());
  EXPECT_THAT(Get("E01", "", known_before).successors(), IsEmpty());
  EXPECT_EQ(GetMember(first).organization(), "E02");
  EXPECT_EQ(GetMember(first).joined_on(), "2020-07-01");
  EXPECT_EQ(GetMember(second).organization(), "E02");
  EXPECT_EQ(GetMember(second).joined_on(), "2020-08-01");

  auto facts = Facts();
  EXPECT_THAT(facts.at("members_total E01 male"),
              ElementsAre(Pair("2018-03-01", 1), Pair("2020-07-01", -1)));
  EXPECT_THAT(facts.at("members_total E02 male"), ElementsAre(Pair("2020-07-01", 1)));
  EXPECT_THAT(facts.at("members_joined E01 male"), ElementsAre(Pair("2018-03-01", 1)));
  EXPECT_FALSE(facts.contains("members_left E01 male"));
  EXPECT_FALSE(facts.contains("members_joined E02 male"));
  EXPECT_THAT(facts.at("members_joined E02 female"), ElementsAre(Pair("2020-08-01", 1)));
  EXPECT_THAT(facts.at("union_orgs_total E01 enterprise"),
              ElementsAre(Pair("2010-01-01", 1), Pair("2020-07-01", -1)));

  ASSERT_OK_AND_ASSIGN(const auto reverted, Revert(*admin_, merged.name(), merged.etag()));
  EXPECT_EQ(reverted.state(), v1::REORGANIZATION_STATE_REVERTED);
  EXPECT_EQ(Tree(), tree_before);
  EXPECT_EQ(Facts(), facts_before);
  EXPECT_THAT(Get("E01").successors(), IsEmpty());
  EXPECT_EQ(GetMember(first).organization(), "E01");
  EXPECT_EQ(GetMember(first).joined_on(), "2018-03-01");
  EXPECT_EQ(GetMember(second).organization(), "E01");
  EXPECT_THAT(Revert(*admin_, merged.name()),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "name"));
}

TEST_P(ReorganizationsTest, MergersAreCheckedReplayedAndTriedOut) {
  Join("E01", 1);
  auto request = MergeRequest({"E01"}, "E02", "2020-07-01");
  request.set_validate_only(true);
  ASSERT_OK_AND_ASSIGN(const auto dry,
                       Call<v1::Reorganization>(*admin_, "MergeOrganizations", request));
  EXPECT_EQ(dry.counts().members_transferred(), 1);
  EXPECT_EQ(dry.name(), "");
  EXPECT_EQ(Get("E01").state(), "open");
  EXPECT_THAT(List(*admin_)->reorganizations(), IsEmpty());

  const auto refused = [&](const std::vector<std::string>& sources, const std::string& target,
                           const std::string& from, common::v1::Reason reason, const char* field) {
    EXPECT_THAT(Merge(*admin_, sources, target, from), HasReasonAt(reason, field));
  };
  refused({}, "E02", "2020-07-01", common::v1::REASON_FIELD_REQUIRED, "merge.sources");
  refused({"E01"}, "", "2020-07-01", common::v1::REASON_FIELD_REQUIRED, "merge.target");
  refused({"E01"}, "E02", "2020-07-32", common::v1::REASON_FIELD_INVALID, "merge.valid_from");
  refused({"E99"}, "E02", "2020-07-01", common::v1::REASON_NOT_FOUND, "merge.sources[0]");
  refused({"E01"}, "E99", "2020-07-01", common::v1::REASON_REFERENCE_NOT_FOUND, "merge.target");
  refused({"E01"}, "E02", "2010-07-01", common::v1::REASON_FIELD_INVALID, "merge.valid_from");
  refused({"E01", "E02"}, "E02", "2020-07-01", common::v1::REASON_TREE_CYCLE, "merge.sources[1]");
  refused({"E01", "E01"}, "E02", "2020-07-01", common::v1::REASON_DUPLICATE_IN_REQUEST,
          "merge.sources[1]");
  refused({"D01"}, "E02", "2020-07-01", common::v1::REASON_STATE_FORBIDS, "merge.sources[0]");
  refused({"T01"}, "E01", "2020-07-01", common::v1::REASON_TREE_CYCLE, "merge.sources[0]");
  EXPECT_THAT(Merge(*clerk_, {"E01"}, "E02", "2020-07-01"),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Merge(*stranger_, {"E01"}, "E02", "2020-07-01"),
              HasReason(common::v1::REASON_WRONG_FEDERATION));

  request.set_validate_only(false);
  request.set_request_id("r1");
  ASSERT_OK_AND_ASSIGN(const auto done,
                       Call<v1::Reorganization>(*admin_, "MergeOrganizations", request));
  ASSERT_OK_AND_ASSIGN(const auto replayed,
                       Call<v1::Reorganization>(*admin_, "MergeOrganizations", request));
  EXPECT_EQ(replayed.SerializeAsString(), done.SerializeAsString());
  refused({"E01"}, "E02", "2020-08-01", common::v1::REASON_ORGANIZATION_CLOSED, "merge.sources[0]");
}

TEST_P(ReorganizationsTest, TermsOfOfficeEndTheDayBeforeAndRunAgain) {
  ASSERT_OK_AND_ASSIGN(const auto post, Register("post_holding", "E01", "2019-01-01",
                                                 {{"post", "chair"}, {"full_name", "张三"}}));
  ASSERT_OK_AND_ASSIGN(
      const auto honour,
      Register("honour_award", "E01", "2019-05-01",
               {{"honour", "city_model_worker"}, {"target", "person"}, {"full_name", "李四"}}));
  ASSERT_OK_AND_ASSIGN(const auto term,
                       Register("committee_term", "E01", "2019-01-01", {{"body", "union"}}));
  ASSERT_OK_AND_ASSIGN(const auto merged, Merge(*admin_, {"E01"}, "E02", "2020-07-01"));
  EXPECT_EQ(merged.counts().posts_ended(), 2);
  EXPECT_EQ(merged.counts().records_left(), 1);
  EXPECT_EQ(GetRegister(term.name()).state(), "ended");
  const common::v1::Record ended = GetRegister(post.name());
  EXPECT_EQ(ended.state(), "left");
  ASSERT_EQ(ended.steps_size(), 1);
  EXPECT_EQ(ended.steps(0).on_date(), "2020-06-30");
  EXPECT_EQ(GetRegister(honour.name()).organization(), "E01");
  // The successor's clerk holds the books and records of what was merged.
  auto below = ClientOf("demo", "registrar", "T02", true);
  common::v1::GetRecordRequest read;
  read.set_name(honour.name());
  EXPECT_THAT(
      below->Invoke<common::v1::Record>("/gonghui.membership.v1.RegisterService/GetRecord", read),
      IsOk());

  ASSERT_THAT(Revert(*admin_, merged.name()), IsOk());
  EXPECT_EQ(GetRegister(post.name()).state(), "holding");
  EXPECT_EQ(GetRegister(term.name()).state(), "in_office");
}

TEST_P(ReorganizationsTest, AJointUnionCountsTheUnitsItCovers) {
  ASSERT_OK_AND_ASSIGN(const auto unit, Register("covered_unit", "E01", "2019-01-01",
                                                 {{"unit", "91110000MA0000001X"},
                                                  {"unit_name", "某某机械有限公司"},
                                                  {"employees", "30"},
                                                  {"left_on", "2020-03-01"}}));
  EXPECT_THAT(Facts().at("covered_units E01"),
              ElementsAre(Pair("2019-01-01", 1), Pair("2020-03-01", -1)));
  EXPECT_THAT(Register("covered_unit", "E01", "2020-04-01",
                       {{"unit", "91110000MA0000001X"},
                        {"unit_name", "某某机械有限公司"},
                        {"left_on", "2020-03-01"}}),
              HasReason(common::v1::REASON_RULE_VIOLATED));
}

TEST_P(ReorganizationsTest, NobodyLeavesByReorganisationAlone) {
  v1::LeaveMemberRequest leave;
  leave.set_name(Join("E01", 1));
  leave.set_left_on("2020-07-01");
  leave.set_reason("reorganisation");
  EXPECT_THAT(Members<v1::Member>(*admin_, "LeaveMember", leave),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "reason"));
  ASSERT_THAT(Merge(*admin_, {"E01"}, "E02", "2020-07-01"), IsOk());
  v1::UpdateMemberRequest update;
  update.mutable_member()->set_name(leave.name());
  update.mutable_member()->set_joined_on("2020-08-01");
  update.set_update_mask("joined_on");
  EXPECT_THAT(Members<v1::Member>(*admin_, "UpdateMember", update),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "member.joined_on"));
}

TEST_P(ReorganizationsTest, ASplitGivesEachMemberOneTarget) {
  ASSERT_THAT(Do(FoundStep(Organization("G01", "E01", "group", "2012-01-01"))), IsOk());
  const std::string welder = Join("E01", 1, "焊工");
  const std::string fitter = Join("E01", 2, "钳工");
  const std::string named = Join("E01", 3, "焊工");
  v1::LeaveMemberRequest leave;
  leave.set_name(Join("E01", 4));
  leave.set_left_on("2019-01-01");
  leave.set_reason("retired");
  ASSERT_THAT(Members<v1::Member>(*admin_, "LeaveMember", leave), IsOk());
  const auto facts_before = Facts();

  v1::SplitStep split;
  split.set_source("E01");
  split.add_targets("E11");
  split.add_targets("E12");
  split.set_valid_from("2020-07-01");
  auto* rule = split.add_rules();
  rule->set_field("job");
  rule->add_values("焊工");
  rule->set_target("E11");
  (*split.mutable_members())[IdOf(named)] = "E12";
  v1::ReorganizationStep step;
  *step.mutable_split() = split;
  const std::vector<v1::ReorganizationStep> founded = {
      FoundStep(Organization("E11", "T01", "enterprise", "2020-07-01")),
      FoundStep(Organization("E12", "T01", "enterprise", "2020-07-01"))};
  const auto lacking = Plan(*admin_, {founded[0], founded[1], step});
  EXPECT_THAT(lacking,
              HasReasonAt(common::v1::REASON_ORGANIZATION_NOT_EMPTY, "steps[2].split.children"));
  EXPECT_THAT(MetadataOf(lacking.status()),
              IsSupersetOf({Pair("faults", "2"),
                            Pair("fault_2", "ORGANIZATION_NOT_EMPTY steps[2].split.members")}));

  step.mutable_split()->add_rules()->set_target("E12");
  (*step.mutable_split()->mutable_children())["G01"] = "E11";
  ASSERT_OK_AND_ASSIGN(const auto plan, Plan(*admin_, {founded[0], founded[1], step}, "r1"));
  EXPECT_EQ(plan.counts().members_transferred(), 3);
  EXPECT_EQ(plan.counts().organizations_changed(), 4);
  EXPECT_EQ(Facts(), facts_before);
  ASSERT_OK_AND_ASSIGN(const auto planned, Effects(*admin_, plan.name()));
  EXPECT_EQ(planned.successions_size(), 3);
  EXPECT_EQ(planned.ended_size(), 2);
  EXPECT_EQ(planned.begun_size(), 6);

  ASSERT_OK_AND_ASSIGN(const auto applied, Apply(*admin_, plan.name(), plan.etag(), "a1"));
  EXPECT_EQ(Apply(*admin_, plan.name(), plan.etag(), "a1")->SerializeAsString(),
            applied.SerializeAsString());
  EXPECT_EQ(Tree("2020-07-01"), "D01 .T01 ..E01x ..E11 ...G01 ..E12 .T02 ..E02");
  EXPECT_EQ(GetMember(welder).organization(), "E11");
  EXPECT_EQ(GetMember(fitter).organization(), "E12");
  EXPECT_EQ(GetMember(named).organization(), "E12");
  EXPECT_THAT(Get("E01").successors(), ElementsAre("E11", "E12"));
  ASSERT_OK_AND_ASSIGN(const auto effects, Effects(*admin_, plan.name()));
  ASSERT_EQ(effects.successions_size(), 3);
  for (const auto& succession : effects.successions()) {
    EXPECT_EQ(succession.organization(), "E01");
    EXPECT_EQ(succession.on_date(), "2020-07-01");
    EXPECT_NE(succession.subject(), "");
  }
  EXPECT_EQ(effects.facts_size(), planned.facts_size());
  for (int i = 0; i < effects.facts_size(); ++i) {
    EXPECT_EQ(effects.facts(i).SerializeAsString(), planned.facts(i).SerializeAsString());
  }
  // Page by page the same, the versions on the first.
  std::string token;
  int facts = 0;
  int versions = 0;
  do {
    ASSERT_OK_AND_ASSIGN(const auto page, Effects(*admin_, plan.name(), 2, token));
    facts += page.facts_size();
    versions += page.begun_size();
    token = page.next_page_token();
  } while (!token.empty());
  EXPECT_EQ(facts, effects.facts_size());
  EXPECT_EQ(versions, effects.begun_size());

  ASSERT_THAT(Revert(*admin_, plan.name(), "", "v1"), IsOk());
  EXPECT_EQ(Facts(), facts_before);
  EXPECT_EQ(Tree(), "D01 .T01 ..E01 ...G01 .T02 ..E02");
  EXPECT_EQ(GetMember(named).organization(), "E01");
  EXPECT_EQ(Revert(*admin_, plan.name(), "", "v1")->state(), v1::REORGANIZATION_STATE_REVERTED);
}

TEST_P(ReorganizationsTest, SplitsTellWhatDoesNotFit) {
  const std::string member = Join("E01", 1, "焊工");
  v1::SplitStep split;
  split.set_source("E01");
  split.add_targets("E02");
  split.set_valid_from("2020-07-01");
  EXPECT_THAT(Split(*admin_, split),
              HasReasonAt(common::v1::REASON_ORGANIZATION_NOT_EMPTY, "split.members"));
  EXPECT_THAT(
      MetadataOf(Split(*admin_, split).status()),
      ::testing::AllOf(Contains(Pair("count", "1")), Contains(Pair("named_1", IdOf(member)))));
  split.add_rules()->set_target("E99");
  EXPECT_THAT(Split(*admin_, split),
              HasReasonAt(common::v1::REASON_REFERENCE_NOT_FOUND, "split.rules[0].target"));
  split.mutable_rules(0)->set_target("E02");
  split.mutable_rules(0)->set_field("full_name");
  EXPECT_THAT(Split(*admin_, split),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "split.rules[0].field"));
  split.mutable_rules(0)->set_field("sex");
  split.mutable_rules(0)->add_values("nobody");
  EXPECT_THAT(Split(*admin_, split),
              HasReasonAt(common::v1::REASON_CODE_UNKNOWN, "split.rules[0].values"));
  split.mutable_rules(0)->set_values(0, "男");
  (*split.mutable_members())["nobody"] = "E02";
  EXPECT_THAT(Split(*admin_, split),
              HasReasonAt(common::v1::REASON_REFERENCE_NOT_FOUND, "split.members"));
  split.clear_members();
  (*split.mutable_children())["T02"] = "E02";
  EXPECT_THAT(Split(*admin_, split),
              HasReasonAt(common::v1::REASON_REFERENCE_NOT_FOUND, "split.children"));
  split.clear_children();
  EXPECT_THAT(Split(*clerk_, split), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Split(*stranger_, split), HasReason(common::v1::REASON_WRONG_FEDERATION));
  ASSERT_OK_AND_ASSIGN(const auto dry, Split(*admin_, split, true));
  EXPECT_EQ(dry.counts().members_transferred(), 1);
  EXPECT_EQ(GetMember(member).organization(), "E01");
  ASSERT_THAT(Split(*admin_, split), IsOk());
  EXPECT_EQ(GetMember(member).organization(), "E02");
  EXPECT_EQ(Tree("2020-07-01"), "D01 .T01 ..E01x .T02 ..E02");
}

INSTANTIATE_TEST_SUITE_P(Engines, ReorganizationsTest,
                         ::testing::ValuesIn(::gonghui::testing::Engines()));

}  // namespace
}  // namespace gonghui::membership
