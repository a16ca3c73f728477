// Whether this process may use the Redis that it shares with its neighbours.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/sql/sql.h"

namespace gonghui::cache {

// Time since the machine started, sleep included; nobody sets it.
absl::Duration SinceBoot();

// The row cache_trips as this process knows it, read every half `term`. What it is for and why it
// is right: cache.h. Thread-safe.
class Lease {
 public:
  // The part of Redis that is in use.
  struct Space {
    int64_t trips = 0;
    std::string run;  // Run id of the Redis server; empty: of none yet.
  };

  Lease(sql::Database& db, absl::Duration term);
  ~Lease();

  // Where values may be read and kept now; nullopt: nowhere.
  std::optional<Space> ForReading() const;
  // For a write that committed before `since`: where older values must be deleted; nullopt:
  // nowhere, for a trip covers the write. Waits until the last trip is settled.
  absl::StatusOr<std::optional<Space>> ForWriting(absl::Duration since, absl::Time deadline);
  // Covers a write that committed before `since` by a trip, and waits until that is settled.
  absl::Status Trip(absl::Duration since, absl::Time deadline);
  // The Redis at our address is of this run.
  void FoundRun(std::string run);

 private:
  void Watch();
  absl::Status Read(absl::Time deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(asking_);
  absl::Status AddTrip(absl::Time deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(asking_);
  // The row as it was, or became, after `asked`. `began` is before its last change.
  void Observe(const Space& space, absl::Duration asked, absl::Duration began);
  bool Held(absl::Duration now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Covers(absl::Duration since) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  sql::Database& db_;
  const absl::Duration term_;
  absl::Mutex asking_;  // One question to the database at a time: answers come in their order.
  mutable absl::Mutex mutex_ ABSL_ACQUIRED_AFTER(asking_);
  Space space_ ABSL_GUARDED_BY(mutex_) = {.trips = -1, .run = ""};
  std::string found_run_ ABSL_GUARDED_BY(mutex_);
  // Moments since boot.
  absl::Duration asked_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
  absl::Duration began_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
  absl::Duration settled_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
  absl::Duration quiet_until_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteDuration();
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread watcher_;
};

}  // namespace gonghui::cache
