#include "common/testing/jobs.h"

#include "absl/time/clock.h"

namespace gonghui::testing {

absl::StatusOr<common::v1::Job> AwaitJob(const rpc::Client& client, const std::string& service,
                                         const common::v1::Job& job) {
  common::v1::GetJobRequest request;
  request.set_name(job.name());
  const absl::Time limit = absl::Now() + absl::Seconds(60);
  while (true) {
    auto now = client.Invoke<common::v1::Job>("/" + service + "/GetJob", request);
    if (!now.ok() || now->end_time_us() != 0) return now;
    if (absl::Now() > limit) return absl::DeadlineExceededError(now->ShortDebugString());
    absl::SleepFor(absl::Milliseconds(10));
  }
}

}  // namespace gonghui::testing
