// The reading side of the feed: pulls events of one source and applies them with the cursor in one
// transaction.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/ops/metrics.h"
#include "common/ops/section.h"
#include "common/rpc/client.h"
#include "common/sql/sql.h"
#include "gonghui/feed/v1/feed.pb.h"

namespace gonghui::feed {

// Follows one source from a thread of its own. Each page of events and its cursor are one
// transaction, so every event takes effect exactly once however often the process dies. An event
// that cannot be applied stops its federation only; those before it are applied, the log names it
// with the trace of the call that wrote it, the error stands in PositionOf() and is retried with
// back-off up to 5 s. Log lines and slow statements of an effect carry that trace too.
class Follower {
 public:
  // Applies events of one federation, in order; no effect outside `tx`.
  using Apply = std::function<absl::Status(sql::Tx& tx, const std::vector<v1::Event>& events)>;

  struct Options {
    std::string source;
    const rpc::Client* client = nullptr;
    sql::Database* db = nullptr;
    absl::Duration poll = absl::Milliseconds(200);
    int page_size = 200;
    absl::Duration slow = absl::Seconds(1);  // A page that takes longer is logged.
    std::function<void(const std::string& federation)> applied;  // After each commit; may be empty.
  };
  struct Position {
    int64_t applied = 0;
    int64_t head = 0;
    std::string error;
    absl::Time behind_since = absl::InfiniteFuture();  // Unless level.
  };

  Follower(Options options, Apply apply);
  ~Follower();  // Stops.
  void Start();
  void Stop();
  // One round over all federations on the calling thread; true when something was applied. For
  // tests and for catching up.
  absl::StatusOr<bool> PollOnce();
  Position PositionOf(const std::string& federation) const;

 private:
  absl::StatusOr<bool> Advance(const std::string& federation, int64_t head);
  // Applies the events after `applied` and moves the cursor; returns where it stands then.
  absl::StatusOr<int64_t> ApplyPage(const std::string& federation, int64_t applied,
                                    const std::vector<v1::Event>& events);
  // Notes where the federation stands.
  void Reach(const std::string& federation, int64_t applied, int64_t head);
  void Run();
  std::string Tell();

  const Options options_;
  const Apply apply_;
  mutable absl::Mutex mutex_;
  std::map<std::string, Position> positions_ ABSL_GUARDED_BY(mutex_);
  absl::Time away_since_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();  // Unless it answers.
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  const ops::Gauge lag_events_;
  const ops::Gauge lag_seconds_;
  const ops::Gauge stopped_;
  const ops::Section section_;
  std::thread thread_;
};

}  // namespace gonghui::feed
