// The shared cache level: one connection and one thread a process, which sends what has gathered as
// one pipeline.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace gonghui::cache {

// Every call ends within the budget; a failure is a miss. After five failures in a row the breaker
// skips Redis for a second at a time. A Raise that failed is repeated before anything is read
// again. Thread-safe.
class Redis {
 public:
  struct Options {
    std::string address;  // "host:port" or "unix:/path".
    std::string password;
    absl::Duration budget = absl::Milliseconds(50);
    std::string mac_key;
  };
  explicit Redis(Options options);
  ~Redis();

  std::optional<std::string> Get(const std::string& key);
  void Put(const std::string& key, int64_t version, std::string_view value, absl::Duration ttl);
  void Raise(const std::string& key, int64_t version, absl::Duration ttl);

 private:
  struct Request;
  class Connection;

  // The reply's text; nullopt for nil, failure or time-out (`failed` tells which).
  std::optional<std::string> Ask(std::vector<std::string> words, bool& failed);
  // False while a missed Raise is outstanding: Redis may hold what must not be read.
  bool RepeatMissedRaises();
  void Work();
  std::vector<std::shared_ptr<Request>> Take();
  void Count(bool failed);
  std::string Sealed(const std::string& key, int64_t version, std::string_view value) const;
  std::optional<std::string> Opened(const std::string& key, const std::string& sealed) const;

  const Options options_;
  absl::Mutex mutex_;
  std::deque<std::shared_ptr<Request>> queue_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::pair<std::string, int64_t>> missed_raises_ ABSL_GUARDED_BY(mutex_);
  bool repeating_ ABSL_GUARDED_BY(mutex_) = false;
  int failures_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Time closed_until_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread worker_;
};

}  // namespace gonghui::cache
