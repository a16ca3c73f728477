// The reports service behind a running suite: records enter by the public RPCs, figures come out.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/testing/jobs.h"
#include "common/testing/matchers.h"
#include "gonghui/common/v1/record.pb.h"
#include "gonghui/membership/v1/federation.pb.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "gonghui/reports/v1/report.pb.h"
#include "services/server/suite.h"

namespace gonghui::reports {
namespace {

using common::v1::Record;
using testing::HasReason;
using testing::HasReasonAt;
using testing::IsOk;
using testing::RunJob;

constexpr char kReports[] = "/gonghui.reports.v1.ReportService/";

common::v1::Grant GrantOf(std::string role, std::string organization, bool below) {
  common::v1::Grant grant;
  grant.set_role(std::move(role));
  grant.set_organization(std::move(organization));
  grant.set_below(below);
  return grant;
}

class FiguresTest : public ::testing::Test {
 protected:
  // One suite for all tests: they only read, but for the one that moves an organisation of its own.
  static void SetUpTestSuite() {
    folder_ = std::filesystem::temp_directory_path() / absl::StrCat("gonghui-figures-", ::getpid());
    std::filesystem::create_directories(folder_);
    Suite::Options options;
    options.data_dir = folder_;
    options.dev = true;
    options.log_calls = false;
    auto suite = Suite::Start(std::move(options));
    ASSERT_THAT(suite, IsOk());
    suite_ = std::move(*suite).release();
    admin_ = Client("demo", GrantOf("admin", "*", true)).release();
    Load();
  }

  static void TearDownTestSuite() {
    delete admin_;
    delete suite_;
    std::filesystem::remove_all(folder_);
  }

  static std::unique_ptr<rpc::Client> Client(const std::string& federation,
                                             common::v1::Grant grant) {
    auth::Actor actor;
    actor.subject = "tester";
    actor.federation = federation;
    actor.grants.push_back(std::move(grant));
    auto token = suite_->DevToken(actor);
    EXPECT_THAT(token, IsOk());
    return suite_->NewClient(*token);
  }

  static void CreateOrganization(const std::string& id, const std::string& parent,
                                 const std::string& kind) {
    membership::v1::CreateOrganizationRequest request;
    request.set_parent("federations/demo");
    membership::v1::Organization& organization = *request.mutable_organization();
    organization.set_id(id);
    organization.set_parent(parent);
    organization.set_display_name(absl::StrCat(id, "工会"));
    organization.set_kind(kind);
    organization.set_founded_on("2019-01-01");
    ASSERT_THAT(admin_->Invoke<membership::v1::Organization>(
                    "/gonghui.membership.v1.OrganizationService/CreateOrganization", request),
                IsOk());
  }

  static void Create(const std::string& service, const std::string& kind, const std::string& number,
                     const std::string& organization, const std::string& on_date,
                     const std::map<std::string, std::string>& fields) {
    common::v1::CreateRecordRequest request;
    request.set_parent("federations/demo");
    Record& record = *request.mutable_record();
    record.set_kind(kind);
    record.set_number(number);
    record.set_title("测试");
    record.set_organization(organization);
    record.set_on_date(on_date);
    for (const auto& [name, value] : fields) (*record.mutable_fields())[name] = value;
    ASSERT_THAT(
        admin_->Invoke<Record>(absl::StrCat("/gonghui.", service, "/CreateRecord"), request),
        IsOk())
        << kind << " " << number;
  }

  static void Load() {
    membership::v1::CreateFederationRequest federation;
    federation.set_federation_id("demo");
    federation.mutable_federation()->set_display_name("示范区总工会");
    ASSERT_THAT(admin_->Invoke<membership::v1::Federation>(
                    "/gonghui.membership.v1.FederationService/CreateFederation", federation),
                IsOk());
    CreateOrganization("D01", "", "district_federation");
    CreateOrganization("T01", "D01", "town_street");
    CreateOrganization("T02", "D01", "town_street");
    CreateOrganization("E01", "T01", "enterprise");
    CreateOrganization("E02", "T02", "enterprise");
    CreateOrganization("E03", "T01", "enterprise");  // Moves in one test; has records of its own.
    const std::string activities = "activities.v1.ActivityService";
    Create(activities, "handout_issue", "H1", "E01", "2020-02-10",
           {{"topic", "law"}, {"copies", "100"}});
    Create(activities, "handout_issue", "H2", "E02", "2020-05-10",
           {{"topic", "law"}, {"copies", "20"}});
    Create(activities, "handout_issue", "H3", "T01", "2020-05-11",
           {{"topic", "safety"}, {"copies", "3"}});
    Create(activities, "handout_issue", "H4", "E01", "2020-07-01",
           {{"topic", "law"}, {"copies", "1000"}});
    Create(activities, "skills_contest", "S1", "E01", "2020-03-01",
           {{"host", "enterprise"}, {"trade", "welder"}});
    Create(activities, "skills_contest", "S2", "E02", "2020-03-02",
           {{"host", "enterprise"}, {"trade", "welder"}});
    Create(activities, "skills_contest", "S3", "T02", "2020-03-03",
           {{"host", "town_street"}, {"trade", "fitter"}});
    Create(activities, "studio", "G1", "E01", "2019-05-01",
           {{"holder", "model_worker"}, {"trade", "fitter"}, {"in_operation", "true"}});
    Create(activities, "ankang_enrolment", "A1", "E01", "2020-04-01",
           {{"unit", "91U1"}, {"participants", "90"}, {"workers", "100"}});
    Create(activities, "safety_activity", "F1", "E03", "2020-01-10",
           {{"activity_kind", "fire_drill"}});
    Create("casework.v1.CaseService", "dispute_case", "Z1", "E02", "2020-06-01",
           {{"amount", "83310.00"}});
    ASSERT_THAT(suite_->CatchUp(), IsOk());
  }

  template <typename Response, typename Request>
  static absl::StatusOr<Response> Ask(const rpc::Client& client, const std::string& method,
                                      const Request& request) {
    return client.Invoke<Response>(absl::StrCat(kReports, method), request);
  }

  static v1::QueryFiguresRequest Query(const std::string& organization, const std::string& period,
                                       const std::string& measure, const std::string& dimensions) {
    v1::QueryFiguresRequest request;
    request.set_parent("federations/demo");
    request.set_organization(organization);
    request.set_period(period);
    if (!measure.empty()) request.add_measures(measure);
    request.set_dimensions(dimensions);
    return request;
  }

  // "organisation dimensions = text" of each figure, in order.
  static std::vector<std::string> Answers(const v1::QueryFiguresRequest& request) {
    auto response = Ask<v1::QueryFiguresResponse>(*admin_, "QueryFigures", request);
    EXPECT_THAT(response, IsOk());
    std::vector<std::string> answers;
    if (!response.ok()) return answers;
    for (const v1::Figure& figure : response->figures()) {
      std::string line = figure.organization();
      for (const auto& d : figure.dimensions()) {
        absl::StrAppend(&line, " ", d.key(), "=", d.value());
      }
      answers.push_back(absl::StrCat(line, " ", figure.has_value() ? figure.text() : "null"));
    }
    return answers;
  }

  static absl::Status Refused(const v1::QueryFiguresRequest& request) {
    return Ask<v1::QueryFiguresResponse>(*admin_, "QueryFigures", request).status();
  }

  static absl::StatusOr<v1::ExplainFigureResponse> Explain(const std::string& name) {
    v1::ExplainFigureRequest request;
    request.set_name(name);
    return Ask<v1::ExplainFigureResponse>(*admin_, "ExplainFigure", request);
  }

  static inline std::filesystem::path folder_;
  static inline Suite* suite_ = nullptr;
  static inline rpc::Client* admin_ = nullptr;
};

using Lines = std::vector<std::string>;

TEST_F(FiguresTest, MeasuresAreListed) {
  ASSERT_OK_AND_ASSIGN(auto response, Ask<v1::ListMeasuresResponse>(*admin_, "ListMeasures",
                                                                    v1::ListMeasuresRequest()));
  EXPECT_GT(response.measures_size(), 60);
  EXPECT_FALSE(response.version().empty());
}

TEST_F(FiguresTest, SumsRollUpByDimensionAndPeriod) {
  EXPECT_EQ(Answers(Query("D01", "2020H1", "handouts_distributed", "")),
            (Lines{"D01 123", "D01 topic=law 120", "D01 topic=safety 3"}));
  EXPECT_EQ(Answers(Query("T01", "2020H1", "handouts_distributed", "topic=law")),
            (Lines{"T01 topic=law 100"}));
  EXPECT_EQ(Answers(Query("D01", "2020H1", "handouts_distributed", "topic=law;month=2020-05")),
            (Lines{"D01 month=2020-05 topic=law 20"}));
  EXPECT_EQ(Answers(Query("D01", "2020", "handouts_distributed", "month=*")),
            (Lines{"D01 month=2020-02 100", "D01 month=2020-05 23", "D01 month=2020-07 1000"}));
  EXPECT_EQ(Answers(Query("E02", "2020Q1", "handouts_distributed", "topic=law")),
            (Lines{"E02 topic=law 0"}));
  v1::QueryFiguresRequest children =
      Query("D01", "2020H1", "handouts_distributed", "topic=law,safety");
  children.set_children(true);
  EXPECT_EQ(Answers(children), (Lines{"D01 topic=law,safety 123", "T01 topic=law,safety 103",
                                      "T02 topic=law,safety 20"}));
}

TEST_F(FiguresTest, DistinctCountsBalancesMoneyAndRatios) {
  EXPECT_EQ(Answers(Query("D01", "2020H1", "skills_contest_trades", "")),
            (Lines{"D01 2", "D01 host=enterprise 1", "D01 host=town_street 1"}));
  EXPECT_EQ(Answers(Query("D01", "2020H1", "studios_in_operation", "holder=model_worker")),
            (Lines{"D01 holder=model_worker 1"}));
  EXPECT_EQ(Answers(Query("D01", "2018", "studios_in_operation", "holder=model_worker")),
            (Lines{"D01 holder=model_worker 0"}));
  EXPECT_EQ(Answers(Query("D01", "2020H1", "dispute_amount", "month=2020-06")),
            (Lines{"D01 month=2020-06 8.331"}));
  EXPECT_EQ(Answers(Query("D01", "2020H1", "ankang_participation_rate", "")), (Lines{"D01 90"}));
  EXPECT_EQ(Answers(Query("E02", "2020H1", "ankang_participation_rate", "")), (Lines{"E02 null"}));
}

TEST_F(FiguresTest, QueriesAreRefusedWithReasonAndField) {
  using namespace common::v1;  // NOLINT(google-build-using-namespace): reasons only.
  EXPECT_THAT(Refused(Query("D01", "2020H1", "no_such", "")),
              HasReasonAt(REASON_MEASURE_UNKNOWN, "measures[0]"));
  EXPECT_THAT(Refused(Query("D01", "2020H3", "disputes_accepted", "")),
              HasReasonAt(REASON_PERIOD_INVALID, "period"));
  EXPECT_THAT(Refused(Query("D01", "2020H1", "disputes_accepted", "host=x")),
              HasReasonAt(REASON_DIMENSION_UNKNOWN, "dimensions"));
  EXPECT_THAT(Refused(Query("D01", "2020H1", "studios_in_operation", "month=2020-01,2020-02")),
              HasReasonAt(REASON_NOT_ADDITIVE, "dimensions"));
  EXPECT_THAT(Refused(Query("X99", "2020H1", "disputes_accepted", "")),
              HasReasonAt(REASON_NOT_FOUND, "organization"));
  EXPECT_THAT(Refused(Query("", "2020H1", "", "")),
              HasReasonAt(REASON_FIELD_REQUIRED, "organization"));
  EXPECT_THAT(Explain("federations/demo/figures/x"), HasReasonAt(REASON_FIELD_INVALID, "name"));
  EXPECT_THAT(Explain("federations/demo/organizations/D01/figures/no_such/2020"),
              HasReasonAt(REASON_MEASURE_UNKNOWN, "name"));
  v1::VerifyRollupsRequest verify;
  EXPECT_THAT(Ask<common::v1::Job>(*admin_, "VerifyRollups", verify),
              HasReasonAt(REASON_FIELD_REQUIRED, "parent"));
  v1::ExplainFigureRequest damaged;
  damaged.set_name("federations/demo/organizations/D01/figures/disputes_accepted/2020");
  damaged.set_page_token("damaged");
  EXPECT_THAT(Ask<v1::ExplainFigureResponse>(*admin_, "ExplainFigure", damaged),
              HasReason(REASON_PAGE_TOKEN_INVALID));
}

TEST_F(FiguresTest, AFigureIsExplainedDownToItsRecords) {
  ASSERT_OK_AND_ASSIGN(
      auto explained,
      Explain("federations/demo/organizations/D01/figures/handouts_distributed/2020H1/topic=law"));
  EXPECT_EQ(explained.figure().value(), 120);
  EXPECT_EQ(explained.figure().records(), 2);
  EXPECT_TRUE(explained.additive());
  ASSERT_EQ(explained.cells_size(), 2);
  EXPECT_EQ(explained.cells(0).organization(), "T01");
  EXPECT_EQ(explained.cells(0).value() + explained.cells(1).value(), 120);
  ASSERT_EQ(explained.records_size(), 2);
  EXPECT_TRUE(explained.records(0).record().starts_with("federations/demo/activities/"));
  EXPECT_FALSE(explained.formula().empty());

  ASSERT_OK_AND_ASSIGN(
      auto ratio,
      Explain("federations/demo/organizations/D01/figures/ankang_participation_rate/2020H1"));
  ASSERT_EQ(ratio.parts_size(), 2);
  EXPECT_EQ(ratio.parts(0).value(), 90);
  EXPECT_EQ(ratio.parts(1).value(), 100);
  ASSERT_OK_AND_ASSIGN(auto part, Explain(ratio.parts(1).name()));
  EXPECT_EQ(part.records_size(), 1);
}

TEST_F(FiguresTest, RecordsComePageByPage) {
  v1::ExplainFigureRequest request;
  request.set_name("federations/demo/organizations/D01/figures/handouts_distributed/2020");
  request.set_page_size(3);
  ASSERT_OK_AND_ASSIGN(auto first,
                       Ask<v1::ExplainFigureResponse>(*admin_, "ExplainFigure", request));
  EXPECT_EQ(first.records_size(), 3);
  request.set_page_token(first.next_page_token());
  ASSERT_OK_AND_ASSIGN(auto second,
                       Ask<v1::ExplainFigureResponse>(*admin_, "ExplainFigure", request));
  EXPECT_EQ(second.records_size(), 1);
  EXPECT_TRUE(second.next_page_token().empty());
}

TEST_F(FiguresTest, FiguresFollowAMoveDatedBack) {
  EXPECT_EQ(Answers(Query("T01", "2020H1", "safety_campaign_items", "month=2020-01")),
            (Lines{"T01 month=2020-01 1"}));
  membership::v1::MoveOrganizationRequest move;
  move.set_name("federations/demo/organizations/E03");
  move.set_new_parent("T02");
  move.set_valid_from("2019-12-01");
  ASSERT_THAT(admin_->Invoke<membership::v1::Organization>(
                  "/gonghui.membership.v1.OrganizationService/MoveOrganization", move),
              IsOk());
  ASSERT_THAT(suite_->CatchUp(), IsOk());
  EXPECT_EQ(Answers(Query("T01", "2020H1", "safety_campaign_items", "month=2020-01")),
            (Lines{"T01 month=2020-01 0"}));
  EXPECT_EQ(Answers(Query("T02", "2020H1", "safety_campaign_items", "month=2020-01")),
            (Lines{"T02 month=2020-01 1"}));
  v1::VerifyRollupsRequest request;
  request.set_parent("federations/demo");
  ASSERT_OK_AND_ASSIGN(
      auto verified,
      RunJob<v1::VerifyRollupsResult>(*admin_, "/gonghui.reports.v1.ReportService/VerifyRollups",
                                      "gonghui.reports.v1.JobService", request));
  EXPECT_EQ(verified.divergent(), 0) << verified.ShortDebugString();
  EXPECT_GT(verified.facts(), 10);
  EXPECT_GT(verified.cells(), 10);
}

TEST_F(FiguresTest, FreshnessNamesEverySource) {
  v1::GetFreshnessRequest request;
  request.set_parent("federations/demo");
  const auto town = Client("demo", GrantOf("statistician", "T01", true));
  ASSERT_OK_AND_ASSIGN(auto freshness,
                       Ask<v1::GetFreshnessResponse>(*town, "GetFreshness", request));
  ASSERT_EQ(freshness.sources_size(), 4);
  for (const v1::Freshness& source : freshness.sources()) {
    EXPECT_EQ(source.applied(), source.head()) << source.source();
    EXPECT_TRUE(source.error().empty());
    // How much the federation wrote is not for a town to know.
    EXPECT_EQ(source.applied(), 0) << source.source();
  }
  const auto whole = Client("demo", GrantOf("statistician", "*", true));
  ASSERT_OK_AND_ASSIGN(freshness, Ask<v1::GetFreshnessResponse>(*whole, "GetFreshness", request));
  EXPECT_GT(freshness.sources(0).applied(), 0);
}

TEST_F(FiguresTest, OrganisationsOutOfScopeStayClosed) {
  using common::v1::REASON_OUT_OF_SCOPE;
  const auto town = Client("demo", GrantOf("statistician", "T01", true));
  EXPECT_THAT(Ask<v1::QueryFiguresResponse>(*town, "QueryFigures", Query("E01", "2020H1", "", "")),
              IsOk());
  EXPECT_THAT(Ask<v1::QueryFiguresResponse>(*town, "QueryFigures", Query("T02", "2020H1", "", "")),
              HasReason(REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Ask<v1::QueryFiguresResponse>(*town, "QueryFigures", Query("D01", "2020H1", "", "")),
              HasReason(REASON_OUT_OF_SCOPE));
  v1::ExplainFigureRequest explain;
  explain.set_name("federations/demo/organizations/D01/figures/disputes_accepted/2020");
  EXPECT_THAT(Ask<v1::ExplainFigureResponse>(*town, "ExplainFigure", explain),
              HasReason(REASON_OUT_OF_SCOPE));
  v1::VerifyRollupsRequest verify;
  verify.set_parent("federations/demo");
  EXPECT_THAT(Ask<common::v1::Job>(*town, "VerifyRollups", verify), HasReason(REASON_OUT_OF_SCOPE));
}

TEST_F(FiguresTest, AnotherFederationSeesNothing) {
  using common::v1::REASON_WRONG_FEDERATION;
  const auto other = Client("other", GrantOf("admin", "*", true));
  EXPECT_THAT(Ask<v1::QueryFiguresResponse>(*other, "QueryFigures", Query("D01", "2020H1", "", "")),
              HasReason(REASON_WRONG_FEDERATION));
  v1::ExplainFigureRequest explain;
  explain.set_name("federations/demo/organizations/D01/figures/disputes_accepted/2020");
  EXPECT_THAT(Ask<v1::ExplainFigureResponse>(*other, "ExplainFigure", explain),
              HasReason(REASON_WRONG_FEDERATION));
  v1::VerifyRollupsRequest verify;
  verify.set_parent("federations/demo");
  EXPECT_THAT(Ask<common::v1::Job>(*other, "VerifyRollups", verify),
              HasReason(REASON_WRONG_FEDERATION));
  v1::GetFreshnessRequest freshness;
  freshness.set_parent("federations/demo");
  EXPECT_THAT(Ask<v1::GetFreshnessResponse>(*other, "GetFreshness", freshness),
              HasReason(REASON_WRONG_FEDERATION));
}

}  // namespace
}  // namespace gonghui::reports
