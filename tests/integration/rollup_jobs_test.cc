// VerifyRollups and RebuildRollups: cells that were tampered with are found and made right, while
// figures go on being answered.
#include "tests/integration/reports_suite.h"

namespace gonghui::reports {
namespace {

using common::v1::Job;

class RollupJobsTest : public ReportsTest {};

TEST_P(RollupJobsTest, RebuildingMakesTamperedCellsRight) {
  const std::string before = Total();
  ASSERT_OK_AND_ASSIGN(const auto clean, Verify());
  EXPECT_EQ(clean.divergent(), 0);
  EXPECT_GT(clean.facts(), kRecords);
  Tamper(
      "UPDATE cells SET value = value + 5 WHERE organization = 'D01' AND month = '2020-01' AND "
      "measure = 'handouts_distributed' AND dims LIKE '%topic=law%';"
      "DELETE FROM cells WHERE organization = 'T02' AND month = '2020-02';"
      "INSERT INTO cells SELECT tenant, organization, measure, subject, dims, '2018-01', 7, 1 FROM "
      "cells WHERE organization = 'E01' AND month = '2020-05' AND measure='handouts_distributed';");
  EXPECT_NE(Total(), before);
  ASSERT_OK_AND_ASSIGN(const auto divergent, Verify());
  EXPECT_GE(divergent.divergent(), 3) << divergent.ShortDebugString();
  ASSERT_OK_AND_ASSIGN(const auto in_t02, Verify("T02"));
  EXPECT_GT(in_t02.divergent(), 0);
  for (const v1::DivergentCell& cell : in_t02.examples()) EXPECT_EQ(cell.organization(), "T02");
  ASSERT_OK_AND_ASSIGN(const auto in_e02, Verify("E02"));
  EXPECT_EQ(in_e02.divergent(), 0);
  EXPECT_LT(in_e02.facts(), clean.facts());

  ASSERT_OK_AND_ASSIGN(const auto rebuilt, Rebuild());
  EXPECT_EQ(rebuilt.facts(), clean.facts());
  EXPECT_EQ(Total(), before);
  ASSERT_OK_AND_ASSIGN(const auto after, Verify());
  EXPECT_EQ(after.divergent(), 0) << after.ShortDebugString();
}

TEST_P(RollupJobsTest, WhatIsTakenOverMeanwhileCountsOnce) {
  for (int round = 0; round < 5; ++round) {
    v1::RebuildRollupsRequest request;
    request.set_parent("federations/demo");
    ASSERT_OK_AND_ASSIGN(const Job job,
                         admin_->Invoke<Job>(absl::StrCat(kReports, "RebuildRollups"), request));
    AddHandouts(kRecords + 100 * round, 100);
    ASSERT_THAT(suite_->CatchUp(), IsOk());
    ASSERT_OK_AND_ASSIGN(const Job ended, testing::AwaitJob(*admin_, kJobService, job));
    EXPECT_EQ(ended.state(), common::v1::JOB_STATE_SUCCEEDED) << ended.ShortDebugString();
    ASSERT_OK_AND_ASSIGN(const auto verified, Verify());
    EXPECT_EQ(verified.divergent(), 0) << verified.ShortDebugString();
  }
}

TEST_P(RollupJobsTest, TheSameRequestIsOneJob) {
  v1::VerifyRollupsRequest request;
  request.set_parent("federations/demo");
  request.set_request_id("once");
  const std::string method = absl::StrCat(kReports, "VerifyRollups");
  ASSERT_OK_AND_ASSIGN(const Job first, admin_->Invoke<Job>(method, request));
  ASSERT_OK_AND_ASSIGN(const Job again, admin_->Invoke<Job>(method, request));
  EXPECT_EQ(first.name(), again.name());
  request.set_organization("T01");
  EXPECT_THAT(admin_->Invoke<Job>(method, request),
              HasReason(common::v1::REASON_REQUEST_ID_REUSED));
  common::v1::ListJobsRequest list;
  list.set_parent("federations/demo");
  list.set_kind("VerifyRollups");
  ASSERT_OK_AND_ASSIGN(const auto jobs, admin_->Invoke<common::v1::ListJobsResponse>(
                                            "/gonghui.reports.v1.JobService/ListJobs", list));
  EXPECT_EQ(jobs.jobs_size(), 1);
}

TEST_P(RollupJobsTest, KeepsToScopeAndFederation) {
  const auto street = Client("demo", "statistician", "T01");
  const auto other = Client("other", "admin", "*");
  v1::VerifyRollupsRequest verify;
  verify.set_parent("federations/demo");
  const std::string method = absl::StrCat(kReports, "VerifyRollups");
  EXPECT_THAT(street->Invoke<Job>(method, verify), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(other->Invoke<Job>(method, verify), HasReason(common::v1::REASON_WRONG_FEDERATION));
  verify.set_organization("E01");
  ASSERT_OK_AND_ASSIGN(const Job own, street->Invoke<Job>(method, verify));
  EXPECT_THAT(testing::AwaitJob(*street, kJobService, own), IsOk());
  v1::RebuildRollupsRequest rebuild;
  EXPECT_THAT(admin_->Invoke<Job>(absl::StrCat(kReports, "RebuildRollups"), rebuild),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "parent"));
  rebuild.set_parent("federations/demo");
  EXPECT_THAT(street->Invoke<Job>(absl::StrCat(kReports, "RebuildRollups"), rebuild),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));

  verify.clear_organization();
  ASSERT_OK_AND_ASSIGN(const Job whole, admin_->Invoke<Job>(method, verify));
  common::v1::GetJobRequest get;
  get.set_name(whole.name());
  EXPECT_THAT(street->Invoke<Job>("/gonghui.reports.v1.JobService/GetJob", get),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(other->Invoke<Job>("/gonghui.reports.v1.JobService/GetJob", get),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  common::v1::CancelJobRequest cancel;
  cancel.set_name(whole.name());
  EXPECT_THAT(street->Invoke<Job>("/gonghui.reports.v1.JobService/CancelJob", cancel),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  get.set_name("federations/demo/jobs/none");
  EXPECT_THAT(admin_->Invoke<Job>("/gonghui.reports.v1.JobService/GetJob", get),
              HasReason(common::v1::REASON_NOT_FOUND));
}

INSTANTIATE_TEST_SUITE_P(Engines, RollupJobsTest, ::testing::ValuesIn(testing::Engines()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace gonghui::reports
