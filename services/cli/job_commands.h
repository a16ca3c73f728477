// Waiting for long work on the server.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "common/base/status.h"
#include "gonghui/common/v1/job.pb.h"
#include "services/cli/session.h"

namespace gonghui::cli {

// Shows the progress on stderr until the job has ended. `service`: the JobService of its area.
absl::StatusOr<common::v1::Job> AwaitJob(
    Session& session, common::v1::Job job,
    std::string_view service = "gonghui.reports.v1.JobService");

// Tells how to follow a job that goes on; the exit code.
absl::StatusOr<int> JobStarted(Session& session, const common::v1::Job& job);

// The error with which a job ended that has no result.
absl::Status JobFailed(const common::v1::Job& job);

// The job's result, or the error with which it ended.
template <typename Result>
absl::StatusOr<Result> ResultOf(const common::v1::Job& job) {
  Result result;
  if (job.result().UnpackTo(&result)) return result;
  return JobFailed(job);
}

}  // namespace gonghui::cli
