// Progress of a long command on stderr.
#pragma once

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace gonghui::cli {

// A bar that is redrawn on a terminal; elsewhere one line per 10 %. Thread-safe.
class Progress {
 public:
  Progress(std::string label, int total, bool terminal);
  ~Progress();  // Ends the bar's line.

  void Add(int done);
  void Note(const std::string& text);  // A line of its own, the bar below it.

 private:
  void Draw() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string Numbers() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string label_;
  const int total_;
  const bool terminal_;
  const absl::Time start_;
  absl::Mutex mutex_;
  int done_ ABSL_GUARDED_BY(mutex_) = 0;
  int tenths_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace gonghui::cli
