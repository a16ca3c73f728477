// How many calls a caller and a federation may make, by token buckets in the memory of this
// process.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gonghui/common/v1/auth.pb.h"

namespace gonghui::rpc {

// Thread-safe. A decision costs a look-up under a lock that a sixty-fourth of the callers share;
// only the first call of a caller allocates.
class RateLimits {
 public:
  struct Options {
    double caller_per_second = 0;      // Of each subject; 0: no limit.
    double federation_per_second = 0;  // Of all callers of a federation; 0: no limit.
    common::v1::CallQuotas quotas;     // In place of caller_per_second, by subject.
  };
  explicit RateLimits(Options options);
  ~RateLimits();

  // Both: RESOURCE_EXHAUSTED with RATE_LIMITED and the milliseconds to wait as metadata "retry_ms".
  // Two seconds' worth may come at once.
  absl::Status AdmitCaller(std::string_view federation, std::string_view subject, absl::Time now);
  absl::Status AdmitFederation(std::string_view federation, absl::Time now);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The quotas of a YAML file: "quotas:" with a list of CallQuota. Errors name file and line.
absl::StatusOr<common::v1::CallQuotas> ReadQuotas(const std::string& path);

}  // namespace gonghui::rpc
