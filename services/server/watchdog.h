// Ends a process that nobody can reach any more, so that its supervisor starts it anew.
#pragma once

#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace gonghui {

// A gRPC server that once hit its limit of descriptors may accept no connection for good, while the
// process lives on. So the process dials itself, over a new connection each time.
class Watchdog {
 public:
  struct Options {
    absl::Duration every = absl::Seconds(10);
    int failures_most = 3;  // In a row.
    // Called once, on the watchdog's thread, with the last failure.
    std::function<void(const absl::Status&)> give_up;
  };
  // `dial` connects anew and ends by itself within seconds.
  Watchdog(Options options, std::function<absl::Status()> dial);
  ~Watchdog();  // Stops. Before the server drains.

 private:
  void Run();

  const Options options_;
  const std::function<absl::Status()> dial_;
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

// Raises the limit of open descriptors as far as the process may. FAILED_PRECONDITION below 1024.
absl::Status RaiseDescriptorLimit();

}  // namespace gonghui
