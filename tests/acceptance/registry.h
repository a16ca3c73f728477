// A running suite with a small district, for the acceptance tests of the registers.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/testing/matchers.h"
#include "gmock/gmock.h"
#include "gonghui/common/v1/record.pb.h"
#include "gonghui/membership/v1/federation.pb.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "gonghui/reports/v1/report.pb.h"
#include "gtest/gtest.h"
#include "services/server/suite.h"
#include "tests/acceptance/oracle.h"
#include "tests/acceptance/people.h"

namespace gonghui::district {

using ::gonghui::common::v1::Record;
using ::gonghui::testing::HasReason;
using ::gonghui::testing::HasReasonAt;
using ::gonghui::testing::IsOk;
using Fields = std::map<std::string, std::string>;

// Refused by this rule of the catalogue, with a field at fault and a text in both languages.
MATCHER_P(Breaks, rule, absl::StrCat("breaks rule ", rule)) {
  const absl::Status& status = ::gonghui::testing::StatusOf(arg);
  *result_listener << status.ToString();
  std::string broken;
  for (const auto& [key, value] : MetadataOf(status)) {
    if (key == "rule") broken = value;
  }
  return ReasonOf(status) == common::v1::REASON_RULE_VIOLATED && broken == rule &&
         !FieldOf(status).empty() && !MessageZhOf(status).empty();
}

// The district D01 with the streets T01 (enterprises E01 and E02) and T02 (E03).
class Registry : public ::testing::Test {
 protected:
  void SetUp() override {
    static int serial = 0;
    folder_ = std::filesystem::path(::testing::TempDir()) /
              absl::StrCat("registry_", getpid(), "_", ++serial);
    std::filesystem::remove_all(folder_);
    Suite::Options options;
    options.data_dir = folder_.string();
    options.dev = true;
    options.log_calls = false;
    auto suite = Suite::Start(std::move(options));
    ASSERT_THAT(suite, IsOk());
    suite_ = *std::move(suite);
    admin_ = Client("*");
    unit_ = Client("E01");
    membership::v1::CreateFederationRequest federation;
    federation.set_federation_id("demo");
    federation.mutable_federation()->set_display_name("示范区总工会");
    ASSERT_THAT(admin_->Invoke<membership::v1::Federation>(
                    "/gonghui.membership.v1.FederationService/CreateFederation", federation),
                IsOk());
    Found("D01", "", "district");
    Found("T01", "D01", "town_street");
    Found("T02", "D01", "town_street");
    Found("E01", "T01", "enterprise");
    Found("E02", "T01", "enterprise");
    Found("E03", "T02", "enterprise");
  }

  // Whatever a test entered: every figure agrees with a recount from the rows.
  void TearDown() override {
    const std::vector<Days> periods = {{"2020H1", "2020-01-01", "2020-06-30"},
                                       {"2020", "2020-01-01", "2020-12-31"},
                                       {"2021", "2021-01-01", "2021-12-31"}};
    const district::Figures answered = AnsweredFigures(periods);
    admin_.reset();
    unit_.reset();
    suite_.reset();
    const auto oracle = ReadOracle(GONGHUI_SOURCE_DIR "/tests/acceptance/oracle.sql");
    ASSERT_TRUE(oracle.ok()) << oracle.status();
    const auto recounted = Recount(*oracle, folder_.string(), periods);
    ASSERT_TRUE(recounted.ok()) << recounted.status();
    EXPECT_THAT(Differences(*recounted, answered), ::testing::IsEmpty());
    std::filesystem::remove_all(folder_);
  }

  // Every figure of the district and its streets.
  district::Figures AnsweredFigures(const std::vector<Days>& periods) {
    district::Figures figures;
    EXPECT_THAT(suite_->CatchUp(), IsOk());
    for (const Days& days : periods) {
      for (const char* organization : {"D01", "T01", "T02"}) {
        reports::v1::QueryFiguresRequest request;
        request.set_parent("federations/demo");
        request.set_organization(organization);
        request.set_period(days.period);
        auto answer = admin_->Invoke<reports::v1::QueryFiguresResponse>(
            "/gonghui.reports.v1.ReportService/QueryFigures", request);
        EXPECT_THAT(answer, IsOk());
        if (!answer.ok()) continue;
        for (const auto& figure : answer->figures()) {
          if (!figure.has_value()) continue;
          figures[{figure.measure(), DimensionsOf(figure), figure.period(),
                   figure.organization()}] = figure.text();
        }
      }
    }
    return figures;
  }

  // "key=value;key=value".
  static std::string DimensionsOf(const reports::v1::Figure& figure) {
    std::vector<std::string> pairs;
    for (const auto& one : figure.dimensions()) {
      pairs.push_back(absl::StrCat(one.key(), "=", one.value()));
    }
    return absl::StrJoin(pairs, ";");
  }

  void Found(const std::string& id, const std::string& parent, const std::string& kind) {
    membership::v1::CreateOrganizationRequest request;
    request.set_parent("federations/demo");
    auto& organization = *request.mutable_organization();
    organization.set_id(id);
    organization.set_parent(parent);
    organization.set_display_name(absl::StrCat(id, "工会"));
    organization.set_kind(kind);
    organization.set_founded_on("2010-01-01");
    ASSERT_THAT(admin_->Invoke<membership::v1::Organization>(
                    "/gonghui.membership.v1.OrganizationService/CreateOrganization", request),
                IsOk());
  }

  // Somebody whose rights cover an organisation and what is below it.
  std::unique_ptr<rpc::Client> Client(const std::string& organization) {
    auth::Actor actor;
    actor.subject = absl::StrCat("clerk@", organization);
    actor.federation = "demo";
    common::v1::Grant& grant = actor.grants.emplace_back();
    grant.set_role("admin");
    grant.set_organization(organization);
    grant.set_below(true);
    auto token = suite_->DevToken(actor);
    EXPECT_THAT(token, IsOk());
    return suite_->NewClient(*token);
  }

  template <typename Response, typename Request>
  absl::StatusOr<Response> Ask(const rpc::Client& client, const char* method,
                               const Request& request) {
    return client.Invoke<Response>(absl::StrCat("/", service_, "/", method), request);
  }

  // A record under construction: built-in columns by name, everything else a field.
  static Record Draft(const std::string& kind, const std::string& organization,
                      const std::string& on_date, const Fields& fields) {
    Record record;
    record.set_kind(kind);
    record.set_organization(organization);
    record.set_on_date(on_date);
    for (const auto& [name, value] : fields) {
      if (name == "number") {
        record.set_number(value);
      } else if (name == "title") {
        record.set_title(value);
      } else if (name == "ends_on") {
        record.set_ends_on(value);
      } else {
        (*record.mutable_fields())[name] = value;
      }
    }
    return record;
  }

  absl::StatusOr<Record> Create(const std::string& kind, const std::string& organization,
                                const std::string& on_date, const Fields& fields) {
    common::v1::CreateRecordRequest request;
    request.set_parent("federations/demo");
    *request.mutable_record() = Draft(kind, organization, on_date, fields);
    return Ask<Record>(*admin_, "CreateRecord", request);
  }

  // Name of a record that must come to be.
  std::string New(const std::string& kind, const std::string& organization,
                  const std::string& on_date, const Fields& fields) {
    auto record = Create(kind, organization, on_date, fields);
    EXPECT_THAT(record, IsOk()) << kind;
    return record.ok() ? record->name() : "";
  }

  absl::StatusOr<Record> Step(const std::string& name, const std::string& transition,
                              const std::string& on_date, const Fields& fields = {}) {
    return StepBy(*admin_, name, transition, on_date, fields);
  }
  absl::StatusOr<Record> StepBy(const rpc::Client& client, const std::string& name,
                                const std::string& transition, const std::string& on_date,
                                const Fields& fields = {}) {
    common::v1::AdvanceRecordRequest request;
    request.set_name(name);
    request.set_transition(transition);
    request.set_on_date(on_date);
    request.mutable_fields()->insert(fields.begin(), fields.end());
    return Ask<Record>(client, "AdvanceRecord", request);
  }

  absl::StatusOr<Record> Update(const std::string& name, const Fields& fields) {
    common::v1::UpdateRecordRequest request;
    std::vector<std::string> paths;
    *request.mutable_record() = Draft("", "", "", fields);
    request.mutable_record()->set_name(name);
    for (const auto& [key, value] : fields) {
      const bool built_in = key == "title" || key == "ends_on";
      paths.push_back(absl::StrCat(built_in ? "" : "fields.", key));
    }
    request.set_update_mask(absl::StrJoin(paths, ","));
    return Ask<Record>(*admin_, "UpdateRecord", request);
  }

  absl::StatusOr<Record> Cancel(const std::string& name) {
    common::v1::CancelRecordRequest request;
    request.set_name(name);
    request.set_remark("误录");
    return Ask<Record>(*admin_, "CancelRecord", request);
  }

  Record Get(const std::string& name) {
    common::v1::GetRecordRequest request;
    request.set_name(name);
    auto record = Ask<Record>(*admin_, "GetRecord", request);
    EXPECT_THAT(record, IsOk());
    return record.ok() ? *record : Record();
  }
  std::string Field(const std::string& name, const std::string& field) {
    const Record record = Get(name);
    const auto found = record.fields().find(field);
    return found == record.fields().end() ? "" : found->second;
  }

  // "STATE: count/overdue months=count …" of each row of a board, "TIER " before it; all tiers
  // without a tier.
  std::vector<std::string> Board(const std::string& kind, const std::string& organization,
                                 const std::string& on_date) {
    common::v1::GetBoardRequest request;
    request.set_parent("federations/demo");
    request.set_kind(kind);
    request.set_organization(organization);
    request.set_on_date(on_date);
    auto board = Ask<common::v1::GetBoardResponse>(*admin_, "GetBoard", request);
    EXPECT_THAT(board, IsOk());
    std::vector<std::string> rows;
    if (!board.ok()) return rows;
    for (const auto& row : board->rows()) {
      rows.push_back(absl::StrCat(row.tier(), row.tier().empty() ? "" : " ", row.state(), ": ",
                                  row.count(), "/", row.overdue()));
      for (const auto& alert : row.alerts()) {
        if (alert.count() > 0)
          absl::StrAppend(&rows.back(), " ", alert.months(), "m=", alert.count());
      }
    }
    return rows;
  }

  absl::StatusOr<common::v1::ListRecordsResponse> List(common::v1::ListRecordsRequest request) {
    request.set_parent("federations/demo");
    return Ask<common::v1::ListRecordsResponse>(*admin_, "ListRecords", request);
  }

  // A figure as printed; "0" where nothing was counted.
  std::string Figure(const std::string& measure, const std::string& organization,
                     const std::string& period, const std::string& dimensions = "") {
    reports::v1::QueryFiguresRequest request;
    request.set_parent("federations/demo");
    request.set_organization(organization);
    request.set_period(period);
    request.add_measures(measure);
    request.set_dimensions(dimensions);
    auto answer = admin_->Invoke<reports::v1::QueryFiguresResponse>(
        "/gonghui.reports.v1.ReportService/QueryFigures", request);
    EXPECT_THAT(answer, IsOk()) << measure;
    if (!answer.ok()) return "";
    for (const auto& figure : answer->figures()) {
      if (DimensionsOf(figure) == dimensions) return figure.text();
    }
    return "0";
  }

  // The figure of E01, T01 and D01, in this order, parted by blanks.
  std::string Figures(const std::string& measure, const std::string& period,
                      const std::string& dimensions = "") {
    EXPECT_THAT(suite_->CatchUp(), IsOk());
    return absl::StrCat(Figure(measure, "E01", period, dimensions), " ",
                        Figure(measure, "T01", period, dimensions), " ",
                        Figure(measure, "D01", period, dimensions));
  }

  std::string IdNumber() { return people_.Make(1960, 1995).id_number; }

  std::string service_ = "gonghui.membership.v1.RegisterService";  // That keeps the records.
  std::filesystem::path folder_;
  std::unique_ptr<Suite> suite_;
  std::unique_ptr<rpc::Client> admin_;  // The whole federation.
  std::unique_ptr<rpc::Client> unit_;   // Only E01.
  People people_{Random(7, "registry")};
};

}  // namespace gonghui::district
