// Reorganisations: what each step does to the tree, the members, the registers and the facts;
// plans, and taking them back.
#include "common/base/clock.h"
#include "common/tree/organization_tree.h"
#include "gonghui/common/v1/record.pb.h"
#include "gonghui/membership/v1/reorganization.pb.h"
#include "tests/integration/membership.h"

namespace gonghui::membership {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Pair;
using ::testing::SizeIs;

class ReorganizationsTest : public MembershipTest {
 protected:
  void SetUp() override {
    MembershipTest::SetUp();
    MakeDistrict();
  }

  template <typename Response, typename Request>
  absl::StatusOr<Response> Call(const rpc::Client& client, const std::string& method,
                                const Request& request) {
    return client.Invoke<Response>("/gonghui.membership.v1.ReorganizationService/" + method,
                                   request);
  }
  using Done = absl::StatusOr<v1::Reorganization>;

  static v1::MergeOrganizationsRequest MergeRequest(const std::vector<std::string>& sources,
                                                    const std::string& target,
                                                    const std::string& from) {
    v1::MergeOrganizationsRequest request;
    request.set_parent("federations/demo");
    request.mutable_merge()->mutable_sources()->Assign(sources.begin(), sources.end());
    request.mutable_merge()->set_target(target);
    request.mutable_merge()->set_valid_from(from);
    return request;
  }
  Done Merge(const rpc::Client& client, const std::vector<std::string>& sources,
             const std::string& target, const std::string& from) {
    return Call<v1::Reorganization>(client, "MergeOrganizations",
                                    MergeRequest(sources, target, from));
  }
  Done Split(const rpc::Client& client, const v1::SplitStep& step, bool validate_only = false) {
    v1::SplitOrganizationRequest request;
    request.set_parent("federations/demo");
    *request.mutable_split() = step;
    request.set_validate_only(validate_only);
    return Call<v1::Reorganization>(client, "SplitOrganization", request);
  }
  Done Plan(const rpc::Client& client, const std::vector<v1::ReorganizationStep>& steps,
            const std::string& request_id = "") {
    v1::PlanReorganizationRequest request;
    request.set_parent("federations/demo");
    request.set_title("城东片区调整");
    request.mutable_steps()->Assign(steps.begin(), steps.end());
    request.set_request_id(request_id);
    return Call<v1::Reorganization>(client, "PlanReorganization", request);
  }
  Done Apply(const rpc::Client& client, const std::string& name, const std::string& etag = "",
             const std::string& request_id = "") {
    v1::ApplyReorganizationRequest request;
    request.set_name(name);
    request.set_etag(etag);
    request.set_request_id(request_id);
    return Call<v1::Reorganization>(client, "ApplyReorganization", request);
  }
  Done Revert(const rpc::Client& client, const std::string& name, const std::string& etag = "",
              const std::string& request_id = "") {
    v1::RevertReorganizationRequest request;
    request.set_name(name);
    request.set_etag(etag);
    request.set_request_id(request_id);
    return Call<v1::Reorganization>(client, "RevertReorganization", request);
  }
  Done GetOne(const rpc::Client& client, const std::string& name) {
    v1::GetReorganizationRequest request;
    request.set_name(name);
    return Call<v1::Reorganization>(client, "GetReorganization", request);
  }
  absl::StatusOr<v1::ListReorganizationsResponse> List(const rpc::Client& client,
                                                       const std::string& organization = "",
                                                       int page_size = 0,
                                                       const std::string& page_token = "") {
    v1::ListReorganizationsRequest request;
    request.set_parent("federations/demo");
    request.set_organization(organization);
    request.set_page_size(page_size);
    request.set_page_token(page_token);
    return Call<v1::ListReorganizationsResponse>(client, "ListReorganizations", request);
  }
  absl::StatusOr<v1::ListReorganizationEffectsResponse> Effects(const rpc::Client& client,
                                                                const std::string& name,
                                                                int page_size = 0,
                                                                const std::string& token = "") {
    v1::ListReorganizationEffectsRequest request;
    request.set_name(name);
    request.set_page_size(page_size);
    request.set_page_token(token);
    return Call<v1::ListReorganizationEffectsResponse>(client, "ListReorganizationEffects",
                                                       request);
  }
  // The same as a plan that is applied at once.
  Done Do(const v1::ReorganizationStep& step) {
    Done plan = Plan(*admin_, {step});
    return plan.ok() ? Apply(*admin_, plan->name()) : plan;
  }

  static v1::ReorganizationStep MoveStep(const std::string& id, const std::string& parent,
                                         const std::string& from) {
    v1::ReorganizationStep step;
    step.mutable_move()->set_organization(id);
    step.mutable_move()->set_new_parent(parent);
    step.mutable_move()->set_valid_from(from);
    return step;
  }
  static v1::ReorganizationStep CloseStep(const std::string& id, const std::string& from) {
    v1::ReorganizationStep step;
    step.mutable_close()->set_organization(id);
    step.mutable_close()->set_valid_from(from);
    return step;
  }
  static v1::ReorganizationStep FoundStep(const v1::Organization& organization) {
    v1::ReorganizationStep step;
    *step.mutable_found()->mutable_organization() = organization;
    return step;
  }

  v1::Organization Get(const std::string& id, const std::string& valid_at = "",
                       int64_t known_at_us = 0) {
    v1::GetOrganizationRequest request;
    request.set_name("federations/demo/organizations/" + id);
    request.set_valid_at(valid_at);
    request.set_known_at_us(known_at_us);
    auto got = Organizations<v1::Organization>(*admin_, "GetOrganization", request);
    EXPECT_THAT(got, IsOk());
    return got.ok() ? *got : v1::Organization();
  }
  std::string Tree(const std::string& valid_at = "", int64_t known_at_us = 0) {
    v1::GetTreeRequest request;
    request.set_parent("federations/demo");
    request.set_valid_at(valid_at);
    request.set_known_at_us(known_at_us);
    auto tree = Organizations<v1::GetTreeResponse>(*admin_, "GetTree", request);
    if (!tree.ok()) return std::string(tree.status().message());
    std::string text;
    for (const v1::TreeNode& node : tree->nodes()) {
      absl::StrAppend(&text, text.empty() ? "" : " ", std::string(node.depth(), '.'),
                      node.organization().id(), node.organization().state() == "closed" ? "x" : "");
    }
    return text;
  }
  // The tree as a follower of its versions has it.
  tree::OrganizationTree Copy() {
    tree::OrganizationTree copy;
    v1::ListOrganizationVersionsRequest request;
    request.set_federation("demo");
    auto page = Organizations<v1::ListOrganizationVersionsResponse>(
        *admin_, "ListOrganizationVersions", request);
    EXPECT_THAT(page, IsOk());
    if (!page.ok()) return copy;
    for (const v1::OrganizationVersion& v : page->versions()) {
      copy.Apply({.version_id = v.version_id(),
                  .id = v.id(),
                  .parent = v.parent(),
                  .display_name = v.display_name(),
                  .kind = v.kind(),
                  .state = v.state(),
                  .valid_from = v.valid_from(),
                  .valid_to = v.valid_to(),
                  .recorded_from_us = v.recorded_from_us(),
                  .recorded_to_us = v.recorded_to_us(),
                  .affiliated_to = v.affiliated_to()});
    }
    return copy;
  }
  v1::Member GetMember(const std::string& name) {
    v1::GetMemberRequest request;
    request.set_name(name);
    auto got = Members<v1::Member>(*admin_, "GetMember", request);
    EXPECT_THAT(got, IsOk());
    return got.ok() ? *got : v1::Member();
  }
  std::string Join(const std::string& organization, int serial, const std::string& job = "",
                   const std::string& joined_on = "2018-03-01") {
    v1::Member member = Member(organization, serial, joined_on);
    member.set_job(job);
    auto created = MembershipTest::Create(*admin_, member);
    EXPECT_THAT(created, IsOk());
    return created.ok() ? created->name() : "";
  }
  static std::string IdOf(const std::string& name) { return name.substr(name.rfind('/') + 1); }

  absl::StatusOr<common::v1::Record> Register(const std::string& kind,
                                              const std::string& organization,
                                              const std::string& on_date,
                                              std::map<std::string, std::string> fields) {
    common::v1::CreateRecordRequest request;
    request.set_parent("federations/demo");
    request.mutable_record()->set_kind(kind);
    request.mutable_record()->set_organization(organization);
    request.mutable_record()->set_on_date(on_date);
    for (auto& [key, value] : fields) (*request.mutable_record()->mutable_fields())[key] = value;
    return admin_->Invoke<common::v1::Record>("/gonghui.membership.v1.RegisterService/CreateRecord",
                                              request);
  }
  common::v1::Record GetRegister(const std::string& name) {
    common::v1::GetRecordRequest request;
    request.set_name(name);
    auto got = admin_->Invoke<common::v1::Record>(
        "/gonghui.membership.v1.RegisterService/GetRecord", request);
    EXPECT_THAT(got, IsOk());
    return got.ok() ? *got : common::v1::Record();
  }
};

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

TEST_P(ReorganizationsTest, APlanTellsAllFaultsAndGoesStale) {
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

TEST_P(ReorganizationsTest, ARevertIsRefusedWhereThingsWentOn) {
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

TEST_P(ReorganizationsTest, WhatClosedOpensAgainWhereItStood) {
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

TEST_P(ReorganizationsTest, WhatWasRecordedWronglyIsPutRight) {
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

TEST_P(ReorganizationsTest, ASecondLineRunsBesideTheTree) {
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

TEST_P(ReorganizationsTest, EveryChangeOfTheTreeIsKept) {
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

INSTANTIATE_TEST_SUITE_P(Engines, ReorganizationsTest,
                         ::testing::ValuesIn(::gonghui::testing::Engines()));

}  // namespace
}  // namespace gonghui::membership
