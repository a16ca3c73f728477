// Starting a job and waiting for its end.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/rpc/client.h"
#include "gonghui/common/v1/job.pb.h"
#include "google/protobuf/message.h"

namespace gonghui::testing {

// The job as it ended, at most 60 s later. `service` is the full name of the area's JobService.
absl::StatusOr<common::v1::Job> AwaitJob(const rpc::Client& client, const std::string& service,
                                         const common::v1::Job& job);

// Starts the job of `method`, awaits it and gives its result; an error where it did not succeed.
template <typename Result, typename Request>
absl::StatusOr<Result> RunJob(const rpc::Client& client, const std::string& method,
                              const std::string& job_service, const Request& request) {
  auto job = client.Invoke<common::v1::Job>(method, request);
  if (!job.ok()) return job.status();
  auto ended = AwaitJob(client, job_service, *job);
  if (!ended.ok()) return ended.status();
  Result result;
  if (!ended->result().UnpackTo(&result)) {
    return absl::UnknownError("job without result: " + ended->ShortDebugString());
  }
  return result;
}

}  // namespace gonghui::testing
