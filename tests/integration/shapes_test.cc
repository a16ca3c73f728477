// Two shapes from abroad that fit by catalogue files alone: a health ministry of four levels with
// monthly returns, and a national union with locals, dues and yearly statements.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/testing/jobs.h"
#include "common/testing/matchers.h"
#include "gonghui/common/v1/record.pb.h"
#include "gonghui/membership/v1/federation.pb.h"
#include "gonghui/membership/v1/member.pb.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "gonghui/reports/v1/report.pb.h"
#include "gonghui/reports/v1/return.pb.h"
#include "services/server/suite.h"

namespace gonghui::reports {
namespace {

using testing::HasReason;
using testing::IsOk;

class ShapesTest : public ::testing::Test {
 protected:
  void Start(const std::string& shape) {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              absl::StrCat("shape_", shape, "_", ::getpid());
    std::filesystem::remove_all(folder_);
    Suite::Options options;
    options.data_dir = folder_.string();
    options.catalog_dir = absl::StrCat(GONGHUI_SOURCE_DIR, "/tests/integration/shapes/", shape);
    options.dev = true;
    options.log_calls = false;
    auto suite = Suite::Start(std::move(options));
    ASSERT_THAT(suite, IsOk());
    suite_ = *std::move(suite);
    admin_ = Client("first");
    membership::v1::CreateFederationRequest federation;
    federation.set_federation_id("abroad");
    federation.mutable_federation()->set_display_name(shape);
    ASSERT_THAT(admin_->Invoke<membership::v1::Federation>(
                    "/gonghui.membership.v1.FederationService/CreateFederation", federation),
                IsOk());
  }
  void TearDown() override {
    admin_.reset();
    suite_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::unique_ptr<rpc::Client> Client(const std::string& subject) {
    auth::Actor actor;
    actor.subject = subject;
    actor.federation = "abroad";
    common::v1::Grant& grant = actor.grants.emplace_back();
    grant.set_role("admin");
    grant.set_organization("*");
    grant.set_below(true);
    auto token = suite_->DevToken(actor);
    EXPECT_THAT(token, IsOk());
    return suite_->NewClient(*token);
  }

  void Found(const std::string& id, const std::string& parent, const std::string& kind) {
    membership::v1::CreateOrganizationRequest request;
    request.set_parent("federations/abroad");
    membership::v1::Organization& organization = *request.mutable_organization();
    organization.set_id(id);
    organization.set_parent(parent);
    organization.set_display_name(id);
    organization.set_kind(kind);
    organization.set_founded_on("2015-01-01");
    ASSERT_THAT(admin_->Invoke<membership::v1::Organization>(
                    "/gonghui.membership.v1.OrganizationService/CreateOrganization", request),
                IsOk());
  }

  template <typename Response, typename Request>
  absl::StatusOr<Response> Ask(const rpc::Client& client, const std::string& method,
                               const Request& request) {
    return client.Invoke<Response>(absl::StrCat("/gonghui.reports.v1.ReturnService/", method),
                                   request);
  }

  absl::StatusOr<v1::Return> Fill(const std::string& leaf,
                                  const std::map<std::string, int64_t>& values) {
    v1::UpdateReturnRequest request;
    request.set_name(absl::StrCat("federations/abroad/returns/", leaf));
    for (const auto& [code, value] : values) {
      v1::CellEdit& edit = *request.add_edits();
      edit.set_code(code);
      edit.set_value(value);
    }
    return Ask<v1::Return>(*admin_, "UpdateReturn", request);
  }
  absl::StatusOr<v1::Return> Submit(const std::string& leaf) {
    v1::SubmitReturnRequest request;
    request.set_name(absl::StrCat("federations/abroad/returns/", leaf));
    return Ask<v1::Return>(*admin_, "SubmitReturn", request);
  }
  void Approve(const std::string& leaf, int levels) {
    v1::ReviewReturnRequest request;
    request.set_name(absl::StrCat("federations/abroad/returns/", leaf));
    request.set_approve(true);
    for (int level = 1; level <= levels; ++level) {
      ASSERT_THAT(Ask<v1::Return>(*Client(absl::StrCat("level", level)), "ReviewReturn", request),
                  IsOk());
    }
  }

  std::string Figure(const std::string& organization, const std::string& period,
                     const std::string& measure, const std::string& dimensions = "") {
    v1::QueryFiguresRequest request;
    request.set_parent("federations/abroad");
    request.set_organization(organization);
    request.set_period(period);
    request.add_measures(measure);
    request.set_dimensions(dimensions);
    auto answer = admin_->Invoke<v1::QueryFiguresResponse>(
        "/gonghui.reports.v1.ReportService/QueryFigures", request);
    EXPECT_THAT(answer, IsOk());
    return answer.ok() && answer->figures_size() > 0 ? answer->figures(0).text() : "";
  }

  int64_t Divergent() {
    v1::VerifyRollupsRequest request;
    request.set_parent("federations/abroad");
    auto result = testing::RunJob<v1::VerifyRollupsResult>(
        *admin_, "/gonghui.reports.v1.ReportService/VerifyRollups", "gonghui.reports.v1.JobService",
        request);
    EXPECT_THAT(result, IsOk());
    return result.ok() ? result->divergent() : -1;
  }

  std::filesystem::path folder_;
  std::unique_ptr<Suite> suite_;
  std::unique_ptr<rpc::Client> admin_;
};

TEST_F(ShapesTest, AHealthMinistryWithMonthlyReturns) {
  Start("health");
  Found("MOH", "", "ministry");
  Found("R1", "MOH", "region");
  Found("R2", "MOH", "region");
  Found("D11", "R1", "health_district");
  Found("D21", "R2", "health_district");
  for (const auto& [id, parent] : {std::pair{"F1", "D11"}, {"F2", "D11"}, {"F3", "D21"}}) {
    Found(id, parent, "facility");
  }
  v1::DeclareCoverageRequest coverage;
  coverage.set_parent("federations/abroad");
  coverage.mutable_coverage()->set_organization("MOH");
  coverage.mutable_coverage()->set_form("facility_monthly");
  coverage.mutable_coverage()->set_from_period("2020-01");
  ASSERT_THAT(Ask<v1::Coverage>(*admin_, "DeclareCoverage", coverage), IsOk());
  int visits = 0;
  for (const std::string month : {"2020-01", "2020-02", "2020-03"}) {
    for (const std::string facility : {"F1", "F2", "F3"}) {
      if (facility == "F3" && month == "2020-03") continue;  // Late.
      visits += 100;
      const std::string leaf = absl::StrCat("facility_monthly.", month, ".", facility);
      ASSERT_THAT(Fill(leaf, {{"1.total", 100}, {"1.under5", 30}, {"2", 7}, {"3", 12}}), IsOk());
      ASSERT_THAT(Submit(leaf), IsOk());
      Approve(leaf, 2);
    }
  }
  EXPECT_EQ(Figure("MOH", "2020Q1", "outpatient_visits"), absl::StrCat(visits));
  EXPECT_EQ(Figure("R1", "2020Q1", "outpatient_visits"), "600");
  EXPECT_EQ(Figure("D21", "2020-02", "outpatient_visits", "age=under5"), "30");
  EXPECT_EQ(Figure("MOH", "2020Q1", "malaria_share"), "7");
  EXPECT_EQ(Figure("R1", "2020-03", "beds_available"), "24") << "a balance is not added over time";
  EXPECT_EQ(Divergent(), 0);

  const std::string wrong = "facility_monthly.2020-03.F3";
  ASSERT_THAT(Fill(wrong, {{"1.total", 5}, {"2", 6}}), IsOk());
  EXPECT_THAT(Submit(wrong), HasReason(common::v1::REASON_CELL_INVALID));
  v1::GetCompletenessRequest completeness;
  completeness.set_parent("federations/abroad");
  completeness.set_organization("MOH");
  completeness.set_form("facility_monthly");
  completeness.set_period("2020-03");
  ASSERT_OK_AND_ASSIGN(const auto standing,
                       Ask<v1::GetCompletenessResponse>(*admin_, "GetCompleteness", completeness));
  EXPECT_EQ(standing.total().due(), 3);
  EXPECT_EQ(standing.total().received(), 2);
}

TEST_F(ShapesTest, ANationalUnionWithDuesAndYearlyStatements) {
  Start("union");
  Found("NAT", "", "national");
  Found("DC1", "NAT", "district_council");
  Found("L1", "DC1", "local");
  Found("L2", "NAT", "local");
  membership::v1::BatchCreateMembersRequest members;
  members.set_parent("federations/abroad");
  for (int i = 0; i < 30; ++i) {
    membership::v1::Member& member = *members.add_members();
    member.set_organization(i < 20 ? "L1" : "L2");
    member.set_full_name(absl::StrCat("Member ", i));
    member.set_id_type("passport");
    member.set_id_number(absl::StrCat("P", 1000000 + i));
    member.set_sex(i % 2 == 0 ? "female" : "male");
    member.set_birth_date("1980-05-05");
    member.set_joined_on(i < 15 ? "2021-06-01" : "2022-06-01");
  }
  ASSERT_THAT(admin_->Invoke<membership::v1::BatchCreateMembersResponse>(
                  "/gonghui.membership.v1.MemberService/BatchCreateMembers", members),
              IsOk());
  common::v1::BatchCreateRecordsRequest receipts;
  receipts.set_parent("federations/abroad");
  for (int year : {2021, 2022}) {
    for (int month = 1; month <= 12; ++month) {
      for (const std::string local : {"L1", "L2"}) {
        common::v1::Record& record = *receipts.add_records();
        record.set_kind("dues_receipt");
        record.set_number(absl::StrCat(local, "-", year, "-", month));
        record.set_organization(local);
        record.set_title("dues");
        record.set_on_date(absl::StrCat(year, month < 10 ? "-0" : "-", month, "-15"));
        (*record.mutable_fields())["amount"] = year == 2021 ? "100.50" : "120.60";
        (*record.mutable_fields())["payers"] = "10";
      }
    }
  }
  ASSERT_THAT(admin_->Invoke<common::v1::BatchCreateRecordsResponse>(
                  "/gonghui.funds.v1.BenefitService/BatchCreateRecords", receipts),
              IsOk());
  ASSERT_THAT(suite_->CatchUp(), IsOk());
  EXPECT_EQ(Figure("NAT", "2021", "members_total"), "15");
  EXPECT_EQ(Figure("NAT", "2022", "members_total"), "30");
  EXPECT_EQ(Figure("DC1", "2022", "members_total", "sex=female"), "10");
  EXPECT_EQ(Figure("NAT", "2021", "subscriptions_received"), "2412");
  EXPECT_EQ(Figure("NAT", "2022Q1", "subscriptions_received", "method=check_off"), "723.6");
  EXPECT_EQ(Figure("NAT", "2022", "dues_payers"), "240");
  v1::QueryFiguresRequest compared;
  compared.set_parent("federations/abroad");
  compared.set_organization("NAT");
  compared.set_period("2022");
  compared.add_measures("subscriptions_received");
  compared.set_dimensions("method=check_off");
  compared.add_comparisons(v1::COMPARISON_YEAR_ON_YEAR);
  ASSERT_OK_AND_ASSIGN(const auto answer,
                       admin_->Invoke<v1::QueryFiguresResponse>(
                           "/gonghui.reports.v1.ReportService/QueryFigures", compared));
  ASSERT_EQ(answer.figures_size(), 1);
  ASSERT_EQ(answer.figures(0).comparisons_size(), 1);
  EXPECT_EQ(answer.figures(0).comparisons(0).change_text(), "20");

  const std::string leaf = "annual_statement.2022.L1";
  ASSERT_THAT(Fill(leaf, {{"1", 10000}, {"2", 144720}, {"3", 100000}, {"4", 54721}}), IsOk());
  EXPECT_THAT(Submit(leaf), HasReason(common::v1::REASON_CELL_INVALID)) << "one cent is missing";
  v1::UpdateReturnRequest correction;
  correction.set_name(absl::StrCat("federations/abroad/returns/", leaf));
  v1::CellEdit& edit = *correction.add_edits();
  edit.set_code("4");
  edit.set_base_value(54721);
  edit.set_value(54720);
  ASSERT_THAT(Ask<v1::Return>(*admin_, "UpdateReturn", correction), IsOk());
  ASSERT_THAT(Submit(leaf), IsOk());
  Approve(leaf, 1);
  EXPECT_EQ(Divergent(), 0);
}

}  // namespace
}  // namespace gonghui::reports
