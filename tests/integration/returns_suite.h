// A running suite with a small city, for the tests of returns.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/testing/database.h"
#include "common/testing/jobs.h"
#include "common/testing/matchers.h"
#include "gmock/gmock.h"
#include "gonghui/common/v1/record.pb.h"
#include "gonghui/membership/v1/federation.pb.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "gonghui/reports/v1/report.pb.h"
#include "gonghui/reports/v1/return.pb.h"
#include "gtest/gtest.h"
#include "services/server/suite.h"

namespace gonghui::reports {

using testing::HasReason;
using testing::HasReasonAt;
using testing::IsOk;

// Runs once an engine. City C01; districts D01 and D02; streets T01 and T02 below them; enterprises
// E01 and E02 below those. Each enterprise held one contest in March 2020.
class ReturnsSuite : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    static int serial = 0;
    folder_ = std::filesystem::path(::testing::TempDir()) /
              absl::StrCat("returns_", getpid(), "_", ++serial);
    std::filesystem::remove_all(folder_);
    Suite::Options options;
    options.data_dir = folder_.string();
    options.dev = true;
    options.log_calls = false;
    if (GetParam() != "sqlite") {
      database_ = std::make_unique<testing::TempDatabase>(GetParam());
      options.database_urls["reports"] = database_->Close();
    }
    auto suite = Suite::Start(std::move(options));
    ASSERT_THAT(suite, IsOk());
    suite_ = *std::move(suite);
    admin_ = ClientOf("demo", "admin", "*", "admin");
    filer_ = ClientOf("demo", "return_filer", "D02", "filer");
    second_filer_ = ClientOf("demo", "return_filer", "D02", "second");
    reviewer_ = ClientOf("demo", "return_reviewer", "C01", "reviewer");
    second_reviewer_ = ClientOf("demo", "return_reviewer", "C01", "chief");
    stranger_ = ClientOf("other", "admin", "*", "stranger");
    MakeCity();
  }
  void TearDown() override {
    for (auto* client :
         {&admin_, &filer_, &second_filer_, &reviewer_, &second_reviewer_, &stranger_}) {
      client->reset();
    }
    suite_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::unique_ptr<rpc::Client> ClientOf(const std::string& federation, const std::string& role,
                                        const std::string& organization,
                                        const std::string& subject) {
    auth::Actor actor;
    actor.subject = subject;
    actor.federation = federation;
    common::v1::Grant grant;
    grant.set_role(role);
    grant.set_organization(organization);
    grant.set_below(true);
    actor.grants.push_back(grant);
    auto token = suite_->DevToken(actor);
    EXPECT_THAT(token, IsOk());
    return suite_->NewClient(*token);
  }

  void MakeCity() {
    membership::v1::CreateFederationRequest federation;
    federation.set_federation_id("demo");
    federation.mutable_federation()->set_display_name("示范市总工会");
    ASSERT_THAT(admin_->Invoke<membership::v1::Federation>(
                    "/gonghui.membership.v1.FederationService/CreateFederation", federation),
                IsOk());
    CreateOrganization("C01", "", "city");
    for (const std::string n : {"1", "2"}) {
      CreateOrganization("D0" + n, "C01", "district");
      CreateOrganization("T0" + n, "D0" + n, "town_street");
      CreateOrganization("E0" + n, "T0" + n, "enterprise");
      HoldContest("E0" + n, "S" + n, "2020-03-01");
    }
    ASSERT_THAT(suite_->CatchUp(), IsOk());
  }

  void CreateOrganization(const std::string& id, const std::string& parent,
                          const std::string& kind) {
    membership::v1::CreateOrganizationRequest request;
    request.set_parent("federations/demo");
    membership::v1::Organization& organization = *request.mutable_organization();
    organization.set_id(id);
    organization.set_parent(parent);
    organization.set_display_name(absl::StrCat(id, "工会"));
    organization.set_kind(kind);
    organization.set_founded_on("2015-01-01");
    ASSERT_THAT(admin_->Invoke<membership::v1::Organization>(
                    "/gonghui.membership.v1.OrganizationService/CreateOrganization", request),
                IsOk());
  }

  void HoldContest(const std::string& organization, const std::string& number,
                   const std::string& on_date) {
    common::v1::CreateRecordRequest request;
    request.set_parent("federations/demo");
    common::v1::Record& record = *request.mutable_record();
    record.set_kind("skills_contest");
    record.set_number(number);
    record.set_title("测试");
    record.set_organization(organization);
    record.set_on_date(on_date);
    (*record.mutable_fields())["host"] = "enterprise";
    (*record.mutable_fields())["trade"] = "welder";
    ASSERT_THAT(admin_->Invoke<common::v1::Record>(
                    "/gonghui.activities.v1.ActivityService/CreateRecord", request),
                IsOk());
  }

  template <typename Response, typename Request>
  static absl::StatusOr<Response> Ask(const rpc::Client& client, const std::string& method,
                                      const Request& request) {
    return client.Invoke<Response>(absl::StrCat("/gonghui.reports.v1.ReturnService/", method),
                                   request);
  }

  static std::string Name(const std::string& leaf) {
    return absl::StrCat("federations/demo/returns/", leaf);
  }

  static absl::StatusOr<v1::Return> Get(const rpc::Client& client, const std::string& leaf) {
    v1::GetReturnRequest request;
    request.set_name(Name(leaf));
    return Ask<v1::Return>(client, "GetReturn", request);
  }

  // An edit of a cell seen blank, unless `base` says otherwise.
  static v1::UpdateReturnRequest Edit(const std::string& leaf, const std::string& code,
                                      int64_t value, std::optional<int64_t> base = std::nullopt) {
    v1::UpdateReturnRequest request;
    request.set_name(Name(leaf));
    v1::CellEdit& edit = *request.add_edits();
    edit.set_code(code);
    edit.set_value(value);
    if (base.has_value()) edit.set_base_value(*base);
    return request;
  }

  static absl::StatusOr<v1::Return> Update(const rpc::Client& client,
                                           const v1::UpdateReturnRequest& request) {
    return Ask<v1::Return>(client, "UpdateReturn", request);
  }

  // Sets cells to what they should hold, whatever they hold.
  void Fill(const std::string& leaf, const std::map<std::string, int64_t>& values) {
    auto now = Get(*admin_, leaf);
    ASSERT_THAT(now, IsOk());
    v1::UpdateReturnRequest request;
    request.set_name(Name(leaf));
    for (const auto& [code, value] : values) {
      v1::CellEdit& edit = *request.add_edits();
      edit.set_code(code);
      edit.set_value(value);
      for (const v1::ReturnCell& cell : now->cells()) {
        if (cell.code() == code && cell.has_value()) edit.set_base_value(cell.value());
      }
    }
    ASSERT_THAT(Update(*admin_, request), IsOk());
  }

  static absl::StatusOr<v1::Return> Submit(const rpc::Client& client, const std::string& leaf) {
    v1::SubmitReturnRequest request;
    request.set_name(Name(leaf));
    return Ask<v1::Return>(client, "SubmitReturn", request);
  }

  static absl::StatusOr<v1::Return> Approve(const rpc::Client& client, const std::string& leaf) {
    v1::ReviewReturnRequest request;
    request.set_name(Name(leaf));
    request.set_approve(true);
    return Ask<v1::Return>(client, "ReviewReturn", request);
  }

  static absl::StatusOr<v1::Return> Reopen(const rpc::Client& client, const std::string& leaf) {
    v1::ReopenReturnRequest request;
    request.set_name(Name(leaf));
    request.set_reason("更正");
    return Ask<v1::Return>(client, "ReopenReturn", request);
  }

  void SubmitAndApprove(const std::string& leaf) {
    ASSERT_THAT(Submit(*admin_, leaf), IsOk());
    auto answer = Approve(*reviewer_, leaf);
    ASSERT_THAT(answer, IsOk());
    if (answer->state() == v1::RETURN_STATE_ENDORSED) answer = Approve(*second_reviewer_, leaf);
    ASSERT_THAT(answer, IsOk());
    ASSERT_EQ(answer->state(), v1::RETURN_STATE_APPROVED);
  }

  // The return of a district for a half-year, with what its form wants.
  void File(const std::string& leaf, std::map<std::string, int64_t> values) {
    values.try_emplace("101", 4);
    values.try_emplace("102", 100);
    Fill(leaf, values);
    SubmitAndApprove(leaf);
  }

  static v1::DeclareCoverageRequest Covers(const std::string& organization, const std::string& form,
                                           const std::string& from, const std::string& to = "") {
    v1::DeclareCoverageRequest request;
    request.set_parent("federations/demo");
    request.mutable_coverage()->set_organization(organization);
    request.mutable_coverage()->set_form(form);
    request.mutable_coverage()->set_from_period(from);
    request.mutable_coverage()->set_to_period(to);
    return request;
  }

  static absl::StatusOr<v1::Coverage> Declare(const rpc::Client& client,
                                              const v1::DeclareCoverageRequest& request) {
    return Ask<v1::Coverage>(client, "DeclareCoverage", request);
  }

  // A figure as printed.
  std::string Figure(const std::string& organization, const std::string& period,
                     const std::string& measure, const std::string& dimensions = "month=*") {
    v1::QueryFiguresRequest request;
    request.set_parent("federations/demo");
    request.set_organization(organization);
    request.set_period(period);
    request.add_measures(measure);
    if (dimensions != "month=*") request.set_dimensions(dimensions);
    auto answer = admin_->Invoke<v1::QueryFiguresResponse>(
        "/gonghui.reports.v1.ReportService/QueryFigures", request);
    EXPECT_THAT(answer, IsOk());
    if (!answer.ok() || answer->figures().empty()) return "";
    // Without dimensions the total comes first.
    return answer->figures(0).text();
  }

  // How many cells of the federation are not what the facts give.
  int64_t Divergent() {
    v1::VerifyRollupsRequest request;
    request.set_parent("federations/demo");
    auto result = testing::RunJob<v1::VerifyRollupsResult>(
        *admin_, "/gonghui.reports.v1.ReportService/VerifyRollups", "gonghui.reports.v1.JobService",
        request);
    EXPECT_THAT(result, IsOk());
    return result.ok() ? result->divergent() : -1;
  }

  std::filesystem::path folder_;
  std::unique_ptr<testing::TempDatabase> database_;  // Unless SQLite.
  std::unique_ptr<Suite> suite_;
  std::unique_ptr<rpc::Client> admin_;
  std::unique_ptr<rpc::Client> filer_;  // Of D02, as the next.
  std::unique_ptr<rpc::Client> second_filer_;
  std::unique_ptr<rpc::Client> reviewer_;  // At the city, as the next.
  std::unique_ptr<rpc::Client> second_reviewer_;
  std::unique_ptr<rpc::Client> stranger_;
};

}  // namespace gonghui::reports
