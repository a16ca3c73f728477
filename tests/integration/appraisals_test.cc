// Appraisals: assessments, scores worked out by hand, vetoes, ranks with ties, frozen results.
#include <map>
#include <vector>

#include "gonghui/reports/v1/appraisal.pb.h"
#include "gonghui/reports/v1/target.pb.h"
#include "tests/integration/reports_suite.h"

namespace gonghui::reports {
namespace {

constexpr char kAppraisals[] = "/gonghui.reports.v1.AppraisalService/";
constexpr char kName[] = "federations/demo/organizations/D01/appraisals/basic_union_year.2020";

class AppraisalsTest : public ReportsTest {
 protected:
  void SetUp() override {
    ReportsTest::SetUp();
    for (const char* id : {"T03", "T04"}) {
      membership::v1::CreateOrganizationRequest request;
      request.set_parent("federations/demo");
      membership::v1::Organization& organization = *request.mutable_organization();
      organization.set_id(id);
      organization.set_parent("D01");
      organization.set_display_name(id);
      organization.set_kind("enterprise");
      organization.set_founded_on("2019-01-01");
      ASSERT_THAT(admin_->Invoke<membership::v1::Organization>(
                      "/gonghui.membership.v1.OrganizationService/CreateOrganization", request),
                  IsOk());
    }
  }

  template <typename Response, typename Request>
  absl::StatusOr<Response> Ask(const std::string& method, const Request& request,
                               rpc::Client* caller = nullptr) {
    return (caller == nullptr ? admin_.get() : caller)
        ->Invoke<Response>(absl::StrCat(kAppraisals, method), request);
  }

  void SetTarget(const std::string& unit, int64_t value) {
    v1::SetTargetsRequest request;
    request.set_parent("federations/demo");
    v1::Target& target = *request.add_targets();
    target.set_organization(unit);
    target.set_measure("handouts_distributed");
    target.set_period("2020");
    target.set_text(absl::StrCat(value));
    auto answer = admin_->Invoke<v1::SetTargetsResponse>(
        "/gonghui.reports.v1.TargetService/SetTargets", request);
    ASSERT_THAT(answer, IsOk());
    ASSERT_EQ(answer->failures_size(), 0) << answer->ShortDebugString();
  }

  static v1::RecordAssessmentRequest Said(const std::string& unit, const std::string& item,
                                          v1::AssessmentKind kind, const std::string& score) {
    v1::RecordAssessmentRequest request;
    request.set_parent("federations/demo");
    v1::Assessment& assessment = *request.mutable_assessment();
    assessment.set_scheme("basic_union_year");
    assessment.set_organization(unit);
    assessment.set_period("2020");
    assessment.set_item(item);
    assessment.set_kind(kind);
    assessment.set_score_text(score);
    if (kind == v1::ASSESSMENT_KIND_VETO) assessment.set_evidence("通报〔2020〕3号");
    return request;
  }

  void Say(const std::string& unit, const std::string& item, v1::AssessmentKind kind,
           const std::string& score) {
    ASSERT_THAT(Ask<v1::Assessment>("RecordAssessment", Said(unit, item, kind, score)), IsOk());
  }

  absl::StatusOr<v1::Appraisal> Result(const std::string& name = kName) {
    v1::GetAppraisalRequest request;
    request.set_name(name);
    return Ask<v1::Appraisal>("GetAppraisal", request);
  }

  // Unit -> "rank total grade", with "=" after a tied rank.
  static std::map<std::string, std::string> Table(const v1::Appraisal& appraisal) {
    std::map<std::string, std::string> table;
    for (const v1::UnitAppraisal& unit : appraisal.units()) {
      table[unit.organization()] =
          absl::StrCat(unit.rank(), unit.tied() ? "= " : " ", unit.total_text(), " ", unit.grade());
    }
    return table;
  }

  // Copies handed out by T01 (of even records) or T02.
  static int64_t Copies(bool even) {
    int64_t copies = 0;
    for (int i = 0; i < kRecords; ++i) copies += (i % 2 == 0) == even ? 1 + i % 7 : 0;
    return copies;
  }

  // T01: exactly its target 40.00, 35 × 20% + 30 × 80% = 31.00, bonus 3: 74.00.
  // T02: half above its target, so 50 + 100% of the points, capped at 44.00; panel only 20 × 80% =
  // 16.00; penalty 2: 58.00.
  // T03 and T04: no target; 10 × 20% + 12.5 × 80% = 12.00.
  void Enter() {
    SetTarget("T01", Copies(true));
    SetTarget("T02", Copies(false) * 2 / 3);
    Say("T01", "daily_work", v1::ASSESSMENT_KIND_SELF, "35");
    Say("T01", "daily_work", v1::ASSESSMENT_KIND_PANEL, "30.00");
    Say("T01", "innovation", v1::ASSESSMENT_KIND_PANEL, "3");
    Say("T02", "daily_work", v1::ASSESSMENT_KIND_PANEL, "20");
    Say("T02", "late_returns", v1::ASSESSMENT_KIND_PANEL, "2");
    for (const char* unit : {"T03", "T04"}) {
      Say(unit, "daily_work", v1::ASSESSMENT_KIND_SELF, "10");
      Say(unit, "daily_work", v1::ASSESSMENT_KIND_PANEL, "12.5");
    }
  }
};

TEST_P(AppraisalsTest, ScoresRanksAndGrades) {
  Enter();
  ASSERT_OK_AND_ASSIGN(const v1::Appraisal appraisal, Result());
  EXPECT_EQ(Table(appraisal),
            (std::map<std::string, std::string>{{"T01", "1 74.00 qualified"},
                                                {"T02", "2 58.00 unqualified"},
                                                {"T03", "3= 12.00 unqualified"},
                                                {"T04", "3= 12.00 unqualified"}}));
  EXPECT_EQ(appraisal.units_total(), 4);
  EXPECT_FALSE(appraisal.frozen());
  EXPECT_EQ(appraisal.scheme().valid_from(), "2019-01-01");
  const v1::UnitAppraisal& first = appraisal.units(0);
  const v1::ItemScore& publicity = first.items(0);
  EXPECT_EQ(publicity.score_text(), "40.00");
  EXPECT_EQ(publicity.input_text(), "100");
  EXPECT_EQ(publicity.formula(), "40 × (100 − 50) ÷ (100 − 50), 0–44");
  EXPECT_EQ(publicity.figure(),
            "federations/demo/organizations/T01/figures/handouts_distributed/2020");
  EXPECT_FALSE(publicity.target().empty());
  EXPECT_EQ(first.items(2).formula(), "35 × 20% + 30 × 80%");
  const v1::UnitAppraisal& second = appraisal.units(1);
  EXPECT_EQ(second.items(0).score_text(), "44.00");
  EXPECT_TRUE(second.items(2).missing()) << "no self score";
  EXPECT_EQ(second.items(4).score_text(), "-2.00");
  EXPECT_TRUE(appraisal.units(2).items(0).missing()) << "no target";

  v1::GetAppraisalRequest paged;
  paged.set_name(kName);
  paged.set_page_size(3);
  ASSERT_OK_AND_ASSIGN(const auto page, Ask<v1::Appraisal>("GetAppraisal", paged));
  EXPECT_EQ(page.units_size(), 3);
  paged.set_page_token(page.next_page_token());
  ASSERT_OK_AND_ASSIGN(const auto rest, Ask<v1::Appraisal>("GetAppraisal", paged));
  ASSERT_EQ(rest.units_size(), 1);
  EXPECT_EQ(rest.units(0).organization(), "T04");
  EXPECT_TRUE(rest.next_page_token().empty());
}

TEST_P(AppraisalsTest, OneVetoDecidesAndCanBeWithdrawn) {
  Enter();
  v1::RecordAssessmentRequest veto = Said("T01", "integrity", v1::ASSESSMENT_KIND_VETO, "");
  veto.mutable_assessment()->clear_evidence();
  EXPECT_THAT(Ask<v1::Assessment>("RecordAssessment", veto),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "assessment.evidence"));
  Say("T01", "integrity", v1::ASSESSMENT_KIND_VETO, "");
  ASSERT_OK_AND_ASSIGN(const v1::Appraisal vetoed, Result());
  EXPECT_EQ(Table(vetoed), (std::map<std::string, std::string>{{"T01", "4 0.00 unqualified"},
                                                               {"T02", "1 58.00 unqualified"},
                                                               {"T03", "2= 12.00 unqualified"},
                                                               {"T04", "2= 12.00 unqualified"}}));
  EXPECT_EQ(vetoed.units(3).grade_reason(), "veto");
  v1::RecordAssessmentRequest back = Said("T01", "integrity", v1::ASSESSMENT_KIND_VETO, "");
  back.mutable_assessment()->set_withdrawn(true);
  ASSERT_THAT(Ask<v1::Assessment>("RecordAssessment", back), IsOk());
  ASSERT_OK_AND_ASSIGN(const v1::Appraisal cleared, Result());
  EXPECT_EQ(Table(cleared).at("T01"), "1 74.00 qualified");

  v1::ListAssessmentsRequest list;
  list.set_parent("federations/demo");
  list.set_organization("T01");
  list.set_scheme("basic_union_year");
  list.set_period("2020");
  ASSERT_OK_AND_ASSIGN(const auto now, Ask<v1::ListAssessmentsResponse>("ListAssessments", list));
  EXPECT_EQ(now.assessments_size(), 4);
  list.set_history(true);
  list.set_page_size(2);
  std::vector<std::string> items;
  do {
    ASSERT_OK_AND_ASSIGN(const auto page,
                         Ask<v1::ListAssessmentsResponse>("ListAssessments", list));
    for (const v1::Assessment& one : page.assessments()) {
      items.push_back(absl::StrCat(one.item(), " ", one.version()));
    }
    list.set_page_token(page.next_page_token());
  } while (!list.page_token().empty());
  EXPECT_EQ(items, (std::vector<std::string>{"daily_work 1", "daily_work 1", "innovation 1",
                                             "integrity 1", "integrity 2"}));
}

TEST_P(AppraisalsTest, AFrozenResultNeverChanges) {
  Enter();
  v1::FreezeAppraisalRequest freeze;
  freeze.set_name(kName);
  freeze.set_request_id("f1");
  ASSERT_OK_AND_ASSIGN(const v1::Appraisal frozen, Ask<v1::Appraisal>("FreezeAppraisal", freeze));
  EXPECT_TRUE(frozen.frozen());
  EXPECT_EQ(frozen.digest().size(), 64u);
  ASSERT_OK_AND_ASSIGN(const v1::Appraisal replayed, Ask<v1::Appraisal>("FreezeAppraisal", freeze));
  EXPECT_EQ(replayed.digest(), frozen.digest());
  freeze.set_request_id("f2");
  EXPECT_THAT(Ask<v1::Appraisal>("FreezeAppraisal", freeze),
              HasReason(common::v1::REASON_ALREADY_EXISTS));
  ASSERT_OK_AND_ASSIGN(const v1::Appraisal before, Result());
  AddHandouts(kRecords, 12);
  ASSERT_THAT(suite_->CatchUp(), IsOk());
  EXPECT_THAT(Ask<v1::Assessment>("RecordAssessment",
                                  Said("T01", "innovation", v1::ASSESSMENT_KIND_PANEL, "5")),
              HasReason(common::v1::REASON_STATE_FORBIDS));
  ASSERT_OK_AND_ASSIGN(const v1::Appraisal after, Result());
  EXPECT_EQ(after.SerializeAsString(), before.SerializeAsString());
  EXPECT_EQ(after.digest(), frozen.digest());
  EXPECT_EQ(Table(after).at("T01"), "1 74.00 qualified");
}

TEST_P(AppraisalsTest, RefusesWhatDoesNotBelong) {
  const auto judge = [&](const std::string& unit, const std::string& item, v1::AssessmentKind kind,
                         const std::string& score, rpc::Client* caller = nullptr) {
    return Ask<v1::Assessment>("RecordAssessment", Said(unit, item, kind, score), caller);
  };
  const auto panel = v1::ASSESSMENT_KIND_PANEL;
  const auto self = v1::ASSESSMENT_KIND_SELF;
  EXPECT_THAT(judge("T01", "daily_work", panel, "40.01"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "assessment.score_text"));
  EXPECT_THAT(judge("T01", "daily_work", panel, "1.005"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "assessment.score_text"));
  EXPECT_THAT(judge("T01", "innovation", self, "1"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "assessment.kind"));
  EXPECT_THAT(judge("T01", "publicity", panel, "1"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "assessment.kind"));
  EXPECT_THAT(judge("T01", "no_such", panel, "1"),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "assessment.item"));
  EXPECT_THAT(judge("D01", "daily_work", panel, "1"),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "assessment.organization"));
  v1::RecordAssessmentRequest half = Said("T01", "daily_work", panel, "1");
  half.mutable_assessment()->set_period("2020H1");
  EXPECT_THAT(Ask<v1::Assessment>("RecordAssessment", half),
              HasReasonAt(common::v1::REASON_PERIOD_INVALID, "assessment.period"));
  half = Said("T01", "daily_work", panel, "1");
  half.mutable_assessment()->set_etag("\"5\"");
  EXPECT_THAT(Ask<v1::Assessment>("RecordAssessment", half),
              HasReason(common::v1::REASON_ETAG_MISMATCH));

  const auto clerk = Client("demo", "clerk", "T01");
  const auto street = Client("demo", "appraiser", "T01");
  const auto upper_clerk = Client("demo", "clerk", "D01");
  const auto other = Client("other", "admin", "*");
  EXPECT_THAT(judge("T01", "daily_work", self, "35", clerk.get()), IsOk());
  EXPECT_THAT(judge("T02", "daily_work", self, "35", clerk.get()),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(judge("T01", "daily_work", panel, "35", street.get()),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(judge("T01", "daily_work", panel, "35", upper_clerk.get()),
              HasReason(common::v1::REASON_PERMISSION_MISSING));
  EXPECT_THAT(judge("T01", "daily_work", panel, "35", other.get()),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  v1::GetAppraisalRequest get;
  get.set_name(kName);
  EXPECT_THAT(Ask<v1::Appraisal>("GetAppraisal", get, street.get()),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Result("federations/demo/organizations/D01/appraisals/no_such.2020"),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "name"));
  EXPECT_THAT(Result("federations/demo/organizations/D01/appraisals/basic_union_year.2999"),
              HasReason(common::v1::REASON_PERIOD_NOT_OVER));
}

INSTANTIATE_TEST_SUITE_P(Engines, AppraisalsTest, ::testing::ValuesIn(testing::Engines()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace gonghui::reports
