// A connection to Redis: one thread a process, which sends what has gathered as one pipeline.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/ops/metrics.h"
#include "common/ops/section.h"

namespace gonghui::cache {

// Every question ends within twice the budget. After five failures in a row the breaker skips Redis
// for a second at a time. Thread-safe.
class Redis {
 public:
  struct Options {
    std::string address;  // "host:port" or "unix:/path".
    std::string password;
    absl::Duration budget = absl::Milliseconds(50);
    std::function<void(const std::string& run)> on_connect;  // With the server's run id.
  };
  struct Reply {
    bool nil = true;
    std::string text;  // Of a string.
  };
  explicit Redis(Options options);
  ~Redis();

  // The reply of the server with this run id, which every start of a server changes. nullopt: no
  // reply in time, an error, or another server.
  std::optional<Reply> Ask(const std::string& run, std::vector<std::string> words);

 private:
  struct Request;
  class Connection;

  void Work();
  std::vector<std::shared_ptr<Request>> Take();
  void Count(bool failed);
  std::string Tell();

  const Options options_;
  absl::Mutex mutex_;
  std::deque<std::shared_ptr<Request>> queue_ ABSL_GUARDED_BY(mutex_);
  int failures_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Time closed_until_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  const ops::Gauge open_{"gonghui_redis_breaker_open", "Caches of this process that skip Redis."};
  const ops::Section section_{"cache", [this] { return Tell(); }};
  std::thread worker_;
};

}  // namespace gonghui::cache
