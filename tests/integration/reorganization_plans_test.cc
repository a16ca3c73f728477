// Plans of reorganisations, taking them back, and the other steps: open again, correct, affiliate.
#include "tests/integration/reorganizations_suite.h"

namespace gonghui::membership {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Pair;
using ::testing::SizeIs;

class ReorganizationPlansTest : public ReorganizationsTest {};

TEST_P(ReorganizationPlansTest, APlanTellsAllFaultsAndGoesStale) {
  const auto faulty = Plan(*admin_, {MoveStep("E99", "T02", "2020-07-01"),
                                     MoveStep("E01", "T02", "2020-07-01"),
                                     MoveStep("T01", "T01", "2020-07-01"),
                                     {}});
  EXPECT_THAT(faulty, HasReasonAt(common::v1::REASON_NOT_FOUND, "steps[0].move.organization"));
  EXPECT_THAT(
      MetadataOf(faulty.status()),
      IsSupersetOf({Pair("faults", "3"), Pair("fault_2", "TREE_CYCLE steps[2].move.new_parent"),
                    Pair("fault_3", "FIELD_REQUIRED steps[3]")}));
  EXPECT_THAT(MessageZhOf(faulty.status()), HasSubstr("共 3 处错误"));
  EXPECT_THAT(Plan(*clerk_, {MoveStep("E01", "T02", "2020-07-01")}),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Plan(*stranger_, {MoveStep("E01", "T02", "2020-07-01")}),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  EXPECT_THAT(Plan(*admin_, {}), HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "steps"));

  ASSERT_OK_AND_ASSIGN(const auto plan, Plan(*admin_, {MoveStep("E01", "T02", "2020-07-01")}, "p"));
  EXPECT_EQ(Plan(*admin_, {MoveStep("E01", "T02", "2020-07-01")}, "p")->name(), plan.name());
  EXPECT_EQ(plan.state(), v1::REORGANIZATION_STATE_PLANNED);
  EXPECT_EQ(Get("E01", "2020-07-01").parent(), "T01");
  EXPECT_THAT(Revert(*admin_, plan.name()), HasReasonAt(common::v1::REASON_STATE_FORBIDS, "name"));
  EXPECT_THAT(Apply(*clerk_, plan.name()), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Apply(*stranger_, plan.name()), HasReason(common::v1::REASON_WRONG_FEDERATION));
  EXPECT_THAT(Apply(*admin_, plan.name(), "\"9\""), HasReason(common::v1::REASON_ETAG_MISMATCH));
  EXPECT_THAT(Apply(*admin_, "federations/demo/reorganizations/none"),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "name"));
  ASSERT_THAT(Do(CloseStep("E02", "2020-01-01")), IsOk());  // Another matter.
  ASSERT_OK_AND_ASSIGN(const auto other, Plan(*admin_, {CloseStep("T02", "2021-01-01")}));
  ASSERT_THAT(Apply(*admin_, plan.name()), IsOk());
  // What had no children has one now.
  const auto stale = Apply(*admin_, other.name());
  EXPECT_THAT(stale, HasReasonAt(common::v1::REASON_PLAN_STALE, "name"));
  EXPECT_THAT(MetadataOf(stale.status()), Contains(Pair("cause", "ORGANIZATION_NOT_EMPTY")));
  // A new member of the source is another plan.
  ASSERT_OK_AND_ASSIGN(const auto late, Plan(*admin_, {MoveStep("E01", "T01", "2022-01-01")}));
  ASSERT_THAT(Do(MoveStep("E01", "T01", "2021-01-01")), IsOk());
  EXPECT_THAT(Apply(*admin_, late.name()), HasReason(common::v1::REASON_PLAN_STALE));
}

TEST_P(ReorganizationPlansTest, ARevertIsRefusedWhereThingsWentOn) {
  const std::string member = Join("E01", 1);
  ASSERT_OK_AND_ASSIGN(const auto merged, Merge(*admin_, {"E01"}, "E02", "2020-07-01"));
  v1::LeaveMemberRequest leave;
  leave.set_name(member);
  leave.set_left_on("2021-01-01");
  leave.set_reason("retired");
  // Data about the person do not stand in the way, the end of the membership does.
  v1::UpdateMemberRequest update;
  update.mutable_member()->set_name(member);
  update.mutable_member()->set_job("钳工");
  update.set_update_mask("job");
  ASSERT_THAT(Members<v1::Member>(*admin_, "UpdateMember", update), IsOk());
  ASSERT_THAT(Members<v1::Member>(*admin_, "LeaveMember", leave), IsOk());
  const auto blocked = Revert(*admin_, merged.name());
  EXPECT_THAT(blocked, HasReasonAt(common::v1::REASON_REVERT_BLOCKED, "name"));
  EXPECT_THAT(MetadataOf(blocked.status()), Contains(Pair("named_1", member)));
  EXPECT_EQ(Get("E01").state(), "closed");

  ASSERT_OK_AND_ASSIGN(const auto founded,
                       Do(FoundStep(Organization("E21", "T02", "enterprise", "2020-01-01"))));
  ASSERT_OK_AND_ASSIGN(const auto moved, Do(MoveStep("E21", "T01", "2021-01-01")));
  EXPECT_THAT(Revert(*admin_, founded.name()), HasReason(common::v1::REASON_REVERT_BLOCKED));
  EXPECT_THAT(Revert(*clerk_, moved.name()), IsOk());
  Join("E21", 2);
  EXPECT_THAT(Revert(*admin_, founded.name()), HasReason(common::v1::REASON_REVERT_BLOCKED));
  EXPECT_THAT(Revert(*stranger_, founded.name()), HasReason(common::v1::REASON_WRONG_FEDERATION));
  EXPECT_THAT(Revert(*clerk_, founded.name()), HasReason(common::v1::REASON_OUT_OF_SCOPE));
}

TEST_P(ReorganizationPlansTest, WhatClosedOpensAgainWhereItStood) {
  ASSERT_THAT(Merge(*admin_, {"E01"}, "E02", "2020-07-01"), IsOk());
  v1::ReorganizationStep step;
  step.mutable_reopen()->set_organization("E01");
  step.mutable_reopen()->set_valid_from("2020-06-01");
  EXPECT_THAT(Plan(*admin_, {step}),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "steps[0].reopen.valid_from"));
  step.mutable_reopen()->set_valid_from("2021-01-01");
  ASSERT_OK_AND_ASSIGN(const auto reopened, Do(step));
  EXPECT_EQ(Tree("2020-12-31"), "D01 .T01 .T02 ..E02 ...E01x");
  EXPECT_EQ(Tree("2021-01-01"), "D01 .T01 ..E01 .T02 ..E02");
  EXPECT_THAT(Facts().at("union_orgs_total E01 enterprise"),
              ElementsAre(Pair("2010-01-01", 1), Pair("2020-07-01", -1), Pair("2021-01-01", 1)));
  EXPECT_THAT(Facts().at("unions_established E01 single"), ElementsAre(Pair("2010-01-01", 1)));
  EXPECT_THAT(Get("E01").successors(), IsEmpty());
  Join("E01", 9, "", "2021-02-01");  // It takes members again.
}

TEST_P(ReorganizationPlansTest, WhatWasRecordedWronglyIsPutRight) {
  const int64_t known_before = Clock::System().NowMicros();
  v1::ReorganizationStep step;
  v1::CorrectStep& correct = *step.mutable_correct();
  correct.set_organization("E01");
  correct.set_valid_from("2015-01-01");
  EXPECT_THAT(Plan(*admin_, {step}),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "steps[0].correct.display_name"));
  correct.set_valid_to("2016-01-01");
  correct.set_parent("T02");
  correct.set_kind("机关");
  correct.set_display_name("旧名");
  ASSERT_OK_AND_ASSIGN(const auto corrected, Do(step));
  EXPECT_EQ(Get("E01", "2014-12-31").parent(), "T01");
  EXPECT_EQ(Get("E01", "2015-01-01").parent(), "T02");
  EXPECT_EQ(Get("E01", "2015-01-01").kind(), "institution");
  EXPECT_EQ(Get("E01", "2016-01-01").parent(), "T01");
  EXPECT_EQ(Get("E01", "2015-06-01", known_before).parent(), "T01");
  EXPECT_THAT(Facts().at("union_orgs_total E01 enterprise"),
              ElementsAre(Pair("2010-01-01", 1), Pair("2015-01-01", -1), Pair("2016-01-01", 1)));
  EXPECT_THAT(Facts().at("union_orgs_total E01 institution"),
              ElementsAre(Pair("2015-01-01", 1), Pair("2016-01-01", -1)));
  ASSERT_THAT(Revert(*admin_, corrected.name()), IsOk());

  // The founding date.
  correct.Clear();
  correct.set_organization("E01");
  correct.set_valid_from("2009-01-01");
  correct.set_founded_on("2009-01-01");
  ASSERT_THAT(Do(step), IsOk());
  EXPECT_EQ(Get("E01", "2009-01-01").founded_on(), "2009-01-01");
  EXPECT_THAT(Facts().at("union_orgs_total E01 enterprise"), ElementsAre(Pair("2009-01-01", 1)));
  EXPECT_THAT(Facts().at("unions_established E01 single"), ElementsAre(Pair("2009-01-01", 1)));
  correct.set_founded_on("2011-01-01");
  ASSERT_THAT(Do(step), IsOk());
  EXPECT_THAT(Facts().at("union_orgs_total E01 enterprise"), ElementsAre(Pair("2011-01-01", 1)));
  // Rules hold over the whole history.
  correct.Clear();
  correct.set_organization("T01");
  correct.set_valid_from("2010-01-01");
  correct.set_valid_to("2012-01-01");
  correct.set_state("closed");
  EXPECT_THAT(Plan(*admin_, {step}), HasReasonAt(common::v1::REASON_ORGANIZATION_NOT_EMPTY,
                                                 "steps[0].correct.organization"));
  correct.clear_state();
  correct.set_valid_to("2010-06-01");
  correct.set_parent("E02");  // Founded later.
  EXPECT_THAT(Plan(*admin_, {step}),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "steps[0].correct.parent"));
  correct.clear_valid_to();
  correct.set_valid_from("2011-02-01");
  correct.set_parent("E01");
  EXPECT_THAT(Plan(*admin_, {step}),
              HasReasonAt(common::v1::REASON_TREE_CYCLE, "steps[0].correct.parent"));
  correct.Clear();
  correct.set_organization("T01");
  correct.set_valid_from("2011-06-01");
  correct.set_founded_on("2011-06-01");
  EXPECT_THAT(Plan(*admin_, {step}),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "steps[0].correct.founded_on"));
}

TEST_P(ReorganizationPlansTest, ASecondLineRunsBesideTheTree) {
  v1::Organization line = Organization("I01", "D01", "industrial", "2000-01-01");
  ASSERT_THAT(Do(FoundStep(line)), IsOk());
  v1::ReorganizationStep step;
  step.mutable_affiliate()->set_organization("T01");
  step.mutable_affiliate()->set_affiliated_to("E01");
  step.mutable_affiliate()->set_valid_from("2020-01-01");
  EXPECT_THAT(Plan(*admin_, {step}),
              HasReasonAt(common::v1::REASON_TREE_CYCLE, "steps[0].affiliate.affiliated_to"));
  step.mutable_affiliate()->set_affiliated_to("I99");
  EXPECT_THAT(Plan(*admin_, {step}), HasReasonAt(common::v1::REASON_REFERENCE_NOT_FOUND,
                                                 "steps[0].affiliate.affiliated_to"));
  step.mutable_affiliate()->set_affiliated_to("I01");
  ASSERT_THAT(Do(step), IsOk());
  EXPECT_EQ(Get("T01", "2019-12-31").affiliated_to(), "");
  EXPECT_EQ(Get("T01", "2020-01-01").affiliated_to(), "I01");
  EXPECT_EQ(Get("T01", "2020-01-01").parent(), "D01");
  const tree::OrganizationTree tree = Copy();
  EXPECT_THAT(tree.AffiliatedBelow("I01", "2020-01-01"), ElementsAre("E01", "T01"));
  EXPECT_THAT(tree.AffiliatedBelow("D01", "2020-01-01"), IsEmpty());
  EXPECT_THAT(tree.AffiliatedBelow("I01", "2019-12-31"), IsEmpty());
  step.mutable_affiliate()->clear_affiliated_to();
  step.mutable_affiliate()->set_valid_from("2021-01-01");
  ASSERT_THAT(Do(step), IsOk());
  EXPECT_EQ(Get("T01", "2021-01-01").affiliated_to(), "");
}

TEST_P(ReorganizationPlansTest, EveryChangeOfTheTreeIsKept) {
  v1::MoveOrganizationRequest move;
  move.set_name("federations/demo/organizations/E01");
  move.set_new_parent("T02");
  move.set_valid_from("2020-04-01");
  ASSERT_THAT(Organizations<v1::Organization>(*admin_, "MoveOrganization", move), IsOk());
  v1::RenameOrganizationRequest rename;
  rename.set_name("federations/demo/organizations/E02");
  rename.set_display_name("新名");
  rename.set_valid_from("2020-04-01");
  ASSERT_THAT(Organizations<v1::Organization>(*admin_, "RenameOrganization", rename), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto first, List(*admin_, "", 1));
  ASSERT_THAT(first.reorganizations(), SizeIs(1));
  EXPECT_TRUE(first.reorganizations(0).steps(0).has_rename());
  ASSERT_OK_AND_ASSIGN(const auto second, List(*admin_, "", 1, first.next_page_token()));
  ASSERT_THAT(second.reorganizations(), SizeIs(1));
  EXPECT_EQ(second.next_page_token(), "");
  const v1::Reorganization& kept = second.reorganizations(0);
  EXPECT_TRUE(kept.steps(0).has_move());
  EXPECT_THAT(List(*admin_, "E01")->reorganizations(), SizeIs(1));
  EXPECT_THAT(List(*clerk_), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(List(*clerk_, "T01"), IsOk());
  EXPECT_THAT(List(*stranger_), HasReason(common::v1::REASON_WRONG_FEDERATION));
  EXPECT_THAT(GetOne(*admin_, kept.name()), IsOk());
  EXPECT_THAT(GetOne(*clerk_, kept.name()), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(GetOne(*stranger_, kept.name()), HasReason(common::v1::REASON_WRONG_FEDERATION));
  EXPECT_THAT(GetOne(*admin_, "federations/demo/reorganizations/none"),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "name"));
  EXPECT_THAT(Effects(*clerk_, kept.name()), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Effects(*stranger_, kept.name()), HasReason(common::v1::REASON_WRONG_FEDERATION));
  ASSERT_THAT(Revert(*admin_, kept.name()), IsOk());
  EXPECT_EQ(Get("E01", "2020-04-01").parent(), "T01");
}

INSTANTIATE_TEST_SUITE_P(Engines, ReorganizationPlansTest,
                         ::testing::ValuesIn(::gonghui::testing::Engines()));

}  // namespace
}  // namespace gonghui::membership
