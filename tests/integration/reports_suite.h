// A running suite with reports on the engine of the test, a small tree and records to count.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/testing/database.h"
#include "common/testing/jobs.h"
#include "common/testing/matchers.h"
#include "gonghui/common/v1/record.pb.h"
#include "gonghui/membership/v1/federation.pb.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "gonghui/reports/v1/report.pb.h"
#include "services/server/suite.h"

namespace gonghui::reports {

using ::gonghui::testing::HasReason;
using ::gonghui::testing::HasReasonAt;
using ::gonghui::testing::IsOk;

inline constexpr char kReports[] = "/gonghui.reports.v1.ReportService/";
inline constexpr char kJobService[] = "gonghui.reports.v1.JobService";
inline constexpr int kRecords = 300;

// D01 above T01 (E01) and T02 (E02); kRecords issues of handouts at E01 and E02, spread over the
// first half of 2020.
class ReportsTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    static int serial = 0;
    folder_ = std::filesystem::path(::testing::TempDir()) /
              absl::StrCat("reports_", ::getpid(), "_", ++serial);
    std::filesystem::remove_all(folder_);
    Suite::Options options;
    options.data_dir = folder_.string();
    options.dev = true;
    options.log_calls = false;
    url_ = absl::StrCat("sqlite:", folder_.string(), "/reports.db");
    if (GetParam() != "sqlite") {
      database_ = std::make_unique<::gonghui::testing::TempDatabase>(GetParam());
      url_ = database_->Close();
      options.database_urls["reports"] = url_;
    }
    auto suite = Suite::Start(std::move(options));
    ASSERT_THAT(suite, IsOk());
    suite_ = *std::move(suite);
    admin_ = Client("demo", "admin", "*");
    Load();
  }

  void TearDown() override {
    suite_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::unique_ptr<rpc::Client> Client(const std::string& federation, const std::string& role,
                                      const std::string& organization) {
    auth::Actor actor;
    actor.subject = "tester";
    actor.federation = federation;
    common::v1::Grant& grant = actor.grants.emplace_back();
    grant.set_role(role);
    grant.set_organization(organization);
    grant.set_below(true);
    auto token = suite_->DevToken(actor);
    EXPECT_THAT(token, IsOk());
    return suite_->NewClient(*token);
  }

  void Load() {
    membership::v1::CreateFederationRequest federation;
    federation.set_federation_id("demo");
    federation.mutable_federation()->set_display_name("示范区总工会");
    ASSERT_THAT(admin_->Invoke<membership::v1::Federation>(
                    "/gonghui.membership.v1.FederationService/CreateFederation", federation),
                IsOk());
    for (const auto& [id, parent] :
         {std::pair{"D01", ""}, {"T01", "D01"}, {"T02", "D01"}, {"E01", "T01"}, {"E02", "T02"}}) {
      membership::v1::CreateOrganizationRequest request;
      request.set_parent("federations/demo");
      membership::v1::Organization& organization = *request.mutable_organization();
      organization.set_id(id);
      organization.set_parent(parent);
      organization.set_display_name(absl::StrCat(id, "工会"));
      organization.set_kind("enterprise");
      organization.set_founded_on("2019-01-01");
      ASSERT_THAT(admin_->Invoke<membership::v1::Organization>(
                      "/gonghui.membership.v1.OrganizationService/CreateOrganization", request),
                  IsOk());
    }
    AddHandouts(0, kRecords);
    ASSERT_THAT(suite_->CatchUp(), IsOk());
  }

  void AddHandouts(int first, int count) {
    common::v1::BatchCreateRecordsRequest request;
    request.set_parent("federations/demo");
    for (int i = first; i < first + count; ++i) {
      common::v1::Record& record = *request.add_records();
      record.set_kind("handout_issue");
      record.set_number(absl::StrCat("H", i));
      record.set_title("资料");
      record.set_organization(i % 2 == 0 ? "E01" : "E02");
      record.set_on_date(absl::StrCat("2020-0", 1 + i % 6, "-10"));
      (*record.mutable_fields())["topic"] = i % 3 == 0 ? "law" : "safety";
      (*record.mutable_fields())["copies"] = absl::StrCat(1 + i % 7);
    }
    ASSERT_THAT(admin_->Invoke<common::v1::BatchCreateRecordsResponse>(
                    "/gonghui.activities.v1.ActivityService/BatchCreateRecords", request),
                IsOk());
  }

  // Changes the stored cells behind the service's back.
  void Tamper(std::string_view script) {
    auto db = sql::Database::Open({.url = url_});
    ASSERT_THAT(db, IsOk());
    ASSERT_THAT((*db)->RunScript(script), IsOk());
  }

  absl::StatusOr<v1::VerifyRollupsResult> Verify(const std::string& organization = "") {
    v1::VerifyRollupsRequest request;
    request.set_parent("federations/demo");
    request.set_organization(organization);
    return ::gonghui::testing::RunJob<v1::VerifyRollupsResult>(
        *admin_, absl::StrCat(kReports, "VerifyRollups"), kJobService, request);
  }

  absl::StatusOr<v1::RebuildRollupsResult> Rebuild() {
    v1::RebuildRollupsRequest request;
    request.set_parent("federations/demo");
    return ::gonghui::testing::RunJob<v1::RebuildRollupsResult>(
        *admin_, absl::StrCat(kReports, "RebuildRollups"), kJobService, request);
  }

  std::string Total() {
    v1::QueryFiguresRequest request;
    request.set_parent("federations/demo");
    request.set_organization("D01");
    request.set_period("2020H1");
    request.add_measures("handouts_distributed");
    request.set_dimensions("topic=law");
    auto answer =
        admin_->Invoke<v1::QueryFiguresResponse>(absl::StrCat(kReports, "QueryFigures"), request);
    EXPECT_THAT(answer, IsOk());
    return answer.ok() && answer->figures_size() == 1 ? answer->figures(0).text() : "";
  }

  std::filesystem::path folder_;
  std::string url_;
  std::unique_ptr<::gonghui::testing::TempDatabase> database_;
  std::unique_ptr<Suite> suite_;
  std::unique_ptr<rpc::Client> admin_;
};

}  // namespace gonghui::reports
