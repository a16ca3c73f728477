// Version-stamped read-through cache: in process first, then (optionally) Redis.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace gonghui::cache {

// Holds serialised messages under (key, version). A reader never sees a value older than an
// acknowledged write: writers call Raise(key, version) after their commit and before they answer;
// from then on older values are neither kept nor served. Without Redis everything is in process.
// With Redis (several replicas) values and floors live there alone, for a process cannot know what
// its neighbours wrote; while Redis is away reads go to the database. Values from before a Redis
// restart are misses. Limit: while one replica cannot reach a Redis that its neighbours still
// reach, they may serve what was current before its last writes, until it has delivered its Raises.
// Thread-safe.
class Cache {
 public:
  struct Options {
    size_t max_bytes = 64 << 20;  // In process.
    absl::Duration ttl = absl::Minutes(5);
    std::string redis;           // "host:port", "unix:/path" or empty: in process only.
    std::string redis_password;  // From a file.
    absl::Duration redis_budget =
        absl::Milliseconds(50);  // Longest wait; then the breaker counts a failure.
    std::string
        mac_key;  // Values in Redis carry a MAC over key, version and tenant; others are misses.
  };
  static std::unique_ptr<Cache> Open(Options options);
  virtual ~Cache() = default;

  // In-process look-up only; never blocks.
  virtual std::optional<std::string> Peek(std::string_view key) = 0;
  // In process or, where one is set, Redis: waits at most redis_budget.
  virtual std::optional<std::string> Get(std::string_view key) = 0;
  // Keeps a value read from the database at `version`; ignored when a newer version is known.
  virtual void Put(std::string_view key, int64_t version, std::string_view value) = 0;
  // After a commit that wrote `version`: older values die here and in Redis before this returns (or
  // Redis is marked away).
  virtual void Raise(std::string_view key, int64_t version) = 0;
};

}  // namespace gonghui::cache
