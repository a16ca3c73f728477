// A bounded queue with a fixed set of workers.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace gonghui {

// Thread-safe. Tasks run in submission order, each on one worker. The destructor runs what is
// queued, then joins.
class Executor {
 public:
  struct Options {
    std::string name;  // Metric label and thread name.
    int workers = 8;
    size_t queue_limit = 64;  // Tasks waiting, not counting running ones.
  };
  explicit Executor(Options options);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // False when the queue is full or the executor is stopping: the task was not taken.
  bool TrySubmit(std::function<void()> task);
  size_t depth() const;
  const std::string& name() const { return options_.name; }
  void Stop();  // Runs what is queued, joins. Idempotent.

 private:
  void Work();

  const Options options_;
  mutable absl::Mutex mutex_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> workers_;
};

}  // namespace gonghui
