// Jobs on every SQL engine: one worker at a time, checkpoints, cancelling, workers that die.
#include "common/rpc/jobs.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/status.h"
#include "common/rpc/schema.embedded.h"
#include "common/sql/migrate.h"
#include "common/testing/database.h"
#include "common/testing/matchers.h"
#include "gonghui/reports/v1/report.pb.h"

namespace gonghui::rpc {
namespace {

using common::v1::Job;
using reports::v1::RebuildRollupsRequest;
using reports::v1::RebuildRollupsResult;
using testing::HasReason;
using testing::IsOk;

constexpr sql::Query kMakeSteps{"test.make_steps",
                                "CREATE TABLE steps (tenant TEXT, step BIGINT, times BIGINT, "
                                "PRIMARY KEY (tenant, step))"};
constexpr sql::Query kStep{"test.step",
                           "INSERT INTO steps (tenant, step, times) VALUES ($1, $2, 1) "
                           "ON CONFLICT (tenant, step) DO UPDATE SET times = steps.times + 1"};
constexpr sql::Query kCountSteps{"test.count_steps",
                                 "SELECT COUNT(*), MAX(times) FROM steps WHERE tenant = $1"};
constexpr sql::Query kAsked{"test.asked", "SELECT request FROM jobs WHERE tenant = $1"};
constexpr sql::InsertQuery kAnswer{"test.answer",
                                   "INSERT INTO requests (tenant, caller, method, request_id, "
                                   "request_hash, response, create_time_us)",
                                   ""};
constexpr sql::Query kAnswersLeft{"test.answers_left",
                                  "SELECT COUNT(*), MIN(create_time_us) FROM requests"};
constexpr int kSteps = 20;

class JobsTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    std::vector<EmbeddedFile> files = embedded::common_rpc_schema();
    ASSERT_THAT(sql::Migrate(*db_, files, 1), IsOk());
    ASSERT_THAT(db_->RunScript(kMakeSteps.text), IsOk());
    method_.full_name = "gonghui.reports.v1.ReportService.RebuildRollups";
    call_.method = &method_;
    call_.federation = "demo";
    call_.actor.subject = "tester";
    call_.actor.federation = "demo";
    common::v1::Grant& grant = call_.actor.grants.emplace_back();
    grant.set_role("admin");
    grant.set_organization("*");
    grant.set_below(true);
    method_.policy.set_permission("reports.figures.rebuild");
    call_.deadline = absl::Now() + absl::Seconds(60);
  }

  Jobs::Options Quick() {
    return {.db = db_.get(),
            .workers = 1,
            .lease = absl::Milliseconds(600),
            .poll = absl::Milliseconds(20)};
  }

  // Does kSteps steps, each one transaction; `between` runs before each.
  static absl::StatusOr<RebuildRollupsResult> Walk(JobRun& run,
                                                   const std::function<void(int64_t)>& between) {
    JobProgress progress = run.progress();
    progress.total = kSteps;
    while (progress.done < kSteps) {
      between(progress.done);
      ++progress.done;
      progress.checkpoint = absl::StrCat(progress.done);
      RETURN_IF_ERROR(run.Save(progress, [&](sql::Tx& tx) {
        return tx.Run(kStep, {run.federation(), progress.done}).status();
      }));
    }
    RebuildRollupsResult result;
    result.set_facts(progress.done);
    return result;
  }

  void Register(Jobs& jobs, std::function<void(int64_t)> between) {
    jobs.Register<RebuildRollupsRequest, RebuildRollupsResult>(
        "RebuildRollups",
        [between](JobRun& run, const RebuildRollupsRequest&) { return Walk(run, between); });
  }

  Job Begin(Jobs& jobs, const std::string& request_id = "") {
    RebuildRollupsRequest request;
    request.set_parent("federations/demo");
    request.set_request_id(request_id);
    auto job = jobs.Start(call_, "", request);
    EXPECT_THAT(job, IsOk());
    return job.ok() ? *job : Job();
  }

  Job Read(Jobs& jobs, const std::string& name) {
    common::v1::GetJobRequest request;
    request.set_name(name);
    auto job = jobs.Get(call_, request);
    EXPECT_THAT(job, IsOk());
    return job.ok() ? *job : Job();
  }

  Job Ended(Jobs& jobs, const std::string& name) {
    const absl::Time limit = absl::Now() + absl::Seconds(20);
    Job job = Read(jobs, name);
    while (job.end_time_us() == 0 && absl::Now() < limit) {
      absl::SleepFor(absl::Milliseconds(5));
      job = Read(jobs, name);
    }
    return job;
  }

  // Every step was taken once.
  void ExpectStepsOnce() {
    EXPECT_THAT(db_->ReadOnly(absl::Now() + absl::Seconds(10),
                              [&](sql::Tx& tx) -> absl::Status {
                                ASSIGN_OR_RETURN(sql::Rows rows, tx.Run(kCountSteps, {"demo"}));
                                EXPECT_EQ(rows[0].Get<int64_t>(0), kSteps);
                                EXPECT_EQ(rows[0].Get<int64_t>(1), 1);
                                return absl::OkStatus();
                              }),
                IsOk());
  }

  testing::TempDatabase db_{GetParam()};
  Method method_;
  Call call_;
};

TEST_P(JobsTest, RunsToItsEndAndKeepsItsResult) {
  Jobs jobs(Quick());
  Register(jobs, [](int64_t) {});
  const Job queued = Begin(jobs, "r1");
  EXPECT_EQ(queued.state(), common::v1::JOB_STATE_QUEUED);
  EXPECT_EQ(queued.kind(), "RebuildRollups");
  EXPECT_EQ(Begin(jobs, "r1").name(), queued.name()) << "the same request is the same job";
  jobs.StartWorkers();
  const Job ended = Ended(jobs, queued.name());
  EXPECT_EQ(ended.state(), common::v1::JOB_STATE_SUCCEEDED) << ended.ShortDebugString();
  EXPECT_EQ(ended.done(), kSteps);
  EXPECT_EQ(ended.attempts(), 1);
  EXPECT_EQ(ended.caller(), "tester");
  RebuildRollupsResult result;
  ASSERT_TRUE(ended.result().UnpackTo(&result));
  EXPECT_EQ(result.facts(), kSteps);
  ExpectStepsOnce();
}

TEST_P(JobsTest, AWorkerThatStopsLeavesTheJobToTheNext) {
  std::string name;
  {
    Jobs first(Quick());
    std::atomic<int64_t> reached = 0;
    Register(first, [&](int64_t done) {
      reached = done;
      absl::SleepFor(absl::Milliseconds(5));
    });
    name = Begin(first).name();
    first.StartWorkers();
    while (reached < 5) absl::SleepFor(absl::Milliseconds(1));
    first.Stop();
    EXPECT_EQ(Read(first, name).state(), common::v1::JOB_STATE_RUNNING);
  }
  Jobs second(Quick());
  std::atomic<int64_t> begun_at = -1;
  Register(second, [&](int64_t done) {
    if (begun_at < 0) begun_at = done;
  });
  second.StartWorkers();
  const Job ended = Ended(second, name);
  EXPECT_EQ(ended.state(), common::v1::JOB_STATE_SUCCEEDED) << ended.ShortDebugString();
  EXPECT_EQ(ended.attempts(), 2);
  EXPECT_GE(begun_at, 5) << "it went on where the first worker was";
  ExpectStepsOnce();
}

// A worker that hangs longer than its lease (its process was stopped) finds that another has taken
// over, and what it does then has no effect.
TEST_P(JobsTest, AWorkerThoughtDeadHasNoEffectWhenItComesBack) {
  Jobs::Options asleep = Quick();
  asleep.lease = absl::Milliseconds(1);  // Renewed so seldom that it is lost at once.
  std::atomic<bool> hangs = false;
  std::atomic<bool> go_on = false;
  Jobs first(asleep);
  Register(first, [&](int64_t done) {
    if (done != 3) return;
    hangs = true;
    while (!go_on) absl::SleepFor(absl::Milliseconds(1));
  });
  const std::string name = Begin(first).name();
  first.StartWorkers();
  while (!hangs) absl::SleepFor(absl::Milliseconds(1));
  Jobs second(Quick());
  Register(second, [](int64_t) {});
  second.StartWorkers();
  std::thread later([&] {
    absl::SleepFor(absl::Milliseconds(300));
    go_on = true;
  });
  const Job ended = Ended(second, name);
  later.join();
  first.Stop();
  EXPECT_EQ(ended.state(), common::v1::JOB_STATE_SUCCEEDED) << ended.ShortDebugString();
  ExpectStepsOnce();
}

TEST_P(JobsTest, StopsAtItsNextCheckpointWhenAsked) {
  Jobs jobs(Quick());
  std::atomic<int64_t> reached = 0;
  Register(jobs, [&](int64_t done) {
    reached = done;
    absl::SleepFor(absl::Milliseconds(10));
  });
  const std::string name = Begin(jobs).name();
  jobs.StartWorkers();
  while (reached < 2) absl::SleepFor(absl::Milliseconds(1));
  common::v1::CancelJobRequest cancel;
  cancel.set_name(name);
  Method method = method_;
  method.full_name = "gonghui.reports.v1.JobService.CancelJob";
  Call call = call_;
  call.method = &method;
  ASSERT_THAT(jobs.Cancel(call, cancel), IsOk());
  const Job ended = Ended(jobs, name);
  EXPECT_EQ(ended.state(), common::v1::JOB_STATE_CANCELLED);
  EXPECT_LT(ended.done(), kSteps);
  EXPECT_THAT(jobs.Cancel(call, cancel), IsOk()) << "an ended job stays as it is";
  EXPECT_EQ(Read(jobs, name).state(), common::v1::JOB_STATE_CANCELLED);
}

TEST_P(JobsTest, AJobQueuedIsCancelledAtOnce) {
  Jobs jobs(Quick());
  Register(jobs, [](int64_t) {});
  const std::string name = Begin(jobs).name();
  common::v1::CancelJobRequest cancel;
  cancel.set_name(name);
  ASSERT_THAT(jobs.Cancel(call_, cancel), IsOk());
  jobs.StartWorkers();
  absl::SleepFor(absl::Milliseconds(100));
  EXPECT_EQ(Read(jobs, name).state(), common::v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(Read(jobs, name).attempts(), 0);
}

TEST_P(JobsTest, TellsWhyItFailedAndTriesAgainWhatMayPass) {
  Jobs jobs(Quick());
  std::atomic<int> tries = 0;
  jobs.Register<RebuildRollupsRequest, RebuildRollupsResult>(
      "RebuildRollups",
      [&](JobRun&, const RebuildRollupsRequest&) -> absl::StatusOr<RebuildRollupsResult> {
        if (++tries == 1) {
          return Unavailable(common::v1::REASON_UNAVAILABLE, "not now", "稍后再试");
        }
        return FailedPrecondition(common::v1::REASON_STATE_FORBIDS, "never", "不行");
      });
  const std::string name = Begin(jobs).name();
  jobs.StartWorkers();
  const Job ended = Ended(jobs, name);
  EXPECT_EQ(ended.state(), common::v1::JOB_STATE_FAILED);
  EXPECT_EQ(ended.attempts(), 2);
  EXPECT_EQ(ended.failure().reason(), common::v1::REASON_STATE_FORBIDS);
  EXPECT_EQ(ended.failure().message(), "never");
  EXPECT_EQ(ended.failure().message_zh(), "不行");
}

TEST_P(JobsTest, ListsNewestFirstByPages) {
  Jobs jobs(Quick());
  std::vector<std::string> names;
  for (int i = 0; i < 5; ++i) names.insert(names.begin(), Begin(jobs).name());
  common::v1::ListJobsRequest request;
  request.set_parent("federations/demo");
  request.set_page_size(2);
  std::vector<std::string> listed;
  do {
    ASSERT_OK_AND_ASSIGN(const auto page, jobs.List(call_, request));
    for (const Job& job : page.jobs()) listed.push_back(job.name());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(listed, names);
  request.set_kind("VerifyRollups");
  ASSERT_OK_AND_ASSIGN(const auto none, jobs.List(call_, request));
  EXPECT_EQ(none.jobs_size(), 0);
  common::v1::GetJobRequest unknown;
  unknown.set_name("federations/demo/jobs/none");
  EXPECT_THAT(jobs.Get(call_, unknown), HasReason(common::v1::REASON_NOT_FOUND));
}

INSTANTIATE_TEST_SUITE_P(Engines, JobsTest, ::testing::ValuesIn(testing::Engines()),
                         [](const auto& info) { return info.param; });

// What was asked may name people: it goes when the job ends.
TEST_P(JobsTest, ForgetsTheRequestOfAJobThatEnded) {
  Jobs jobs(Quick());
  jobs.Register<RebuildRollupsRequest, RebuildRollupsResult>(
      "RebuildRollups", [&](JobRun& run, const RebuildRollupsRequest& request) {
        EXPECT_EQ(request.parent(), "federations/demo");
        EXPECT_EQ(run.name().substr(0, 22), "federations/demo/jobs/");
        return Walk(run, [](int64_t) {});
      });
  const Job queued = Begin(jobs);
  const auto asked = [&] {
    std::string bytes;
    EXPECT_THAT(db_->ReadOnly(absl::InfiniteFuture(),
                              [&](sql::Tx& tx) -> absl::Status {
                                ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kAsked, {"demo"}));
                                bytes = rows[0].Get<sql::Bytes>(0).data;
                                return absl::OkStatus();
                              }),
                IsOk());
    return bytes;
  };
  EXPECT_NE(asked(), "");
  jobs.StartWorkers();
  EXPECT_EQ(Ended(jobs, queued.name()).state(), common::v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(asked(), "");
}

// Thousands of answers of which the older half is forgotten.
TEST_P(JobsTest, ForgetsAnswersByAge) {
  constexpr int kAnswers = 12'000;
  ASSERT_THAT(db_->ReadWrite(absl::InfiniteFuture(),
                             [&](sql::Tx& tx) {
                               std::vector<sql::Args> rows;
                               for (int i = 0; i < kAnswers; ++i) {
                                 rows.push_back({"demo", "tester", "m", absl::StrCat("r", i), "h",
                                                 sql::Bytes{}, int64_t{i}});
                               }
                               return tx.InsertMany(kAnswer, rows).status();
                             }),
              IsOk());
  ASSERT_THAT(ForgetResponses(*db_, kAnswers / 2), IsOk());
  ASSERT_THAT(db_->ReadOnly(absl::InfiniteFuture(),
                            [&](sql::Tx& tx) -> absl::Status {
                              ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kAnswersLeft));
                              EXPECT_EQ(rows[0].Get<int64_t>(0), kAnswers / 2);
                              EXPECT_EQ(rows[0].Get<int64_t>(1), kAnswers / 2);
                              return absl::OkStatus();
                            }),
              IsOk());
}

}  // namespace
}  // namespace gonghui::rpc
