// Version-stamped read-through cache: in process, or in a Redis that several replicas share.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/sql/sql.h"

namespace gonghui::cache {

// Permission to keep in Redis what the database says after a look-up that found nothing.
struct Ticket {
  std::string place;  // The key in Redis.
  std::string run;    // Of the Redis server.
  std::string token;  // Empty: nothing may be kept.
};

struct Lookup {
  std::optional<std::string> value;
  Ticket ticket;
};

// Holds serialised messages under (key, version). A reader never sees a value older than an
// acknowledged write: writers call Raise(key, version) after their commit and answer once it is OK.
// A write whose process dies before that answered nobody; a repeat with its request_id must Raise.
//
// In process (one replica only): older values are neither kept nor served from Raise on.
//
// Shared: a process cannot know what its neighbours wrote, so values live in Redis (7 or later)
// alone. Redis away means slower, never wrong, for each replica by itself. One row of the service's
// database, cache_trips, names the space in use: a count, `trips`, that stands in every key, and
// the run id of the one Redis server that counts. Each process reads the row every L/2 (L: `lease`)
// and holds a lease for L from before it asked. Without one (database away, process paused) it
// skips Redis. When it sees the row changed it skips Redis for 5 L. A Raise deletes the key under a
// lease; where Redis does not confirm that, it adds a trip and waits until it is settled: 1.125 L
// after the row was seen changed, when every lease held anywhere is on the new row. A new run id,
// after a restart of Redis, is a trip too. Writes until 2 L after a trip began need no further one.
//
// Why no Get that begins after the acknowledgement of write w finds less:
// 1. A look-up that finds nothing leaves a token, and Put replaces that token only. Deletion,
//    eviction, expiry or a lost Redis take the token along: what was read before is not kept.
// 2. w's key was deleted in space s, settled, under a lease. Nobody reads in a space before s. A
//    reader in s finds what was kept after the deletion: by 1 it was read after w's commit. A later
//    space began after our lease did, and what lies there was read 5 L after its beginning.
// 3. w was covered by a settled trip to s, w committing at most 2 L after it began: the reader's
//    lease is on s or later, where all was read at least 5 L after the trip began: after w.
// 4. A trip that follows another within 3 L of its beginning is settled at once: until 5 L nobody
//    reads, and by then all leases are on the new row.
// A process compares readings of its own clock only, one that nobody sets and that runs on while
// the machine sleeps; two such clocks may run apart by a tenth.
//
// Thread-safe.
class Cache {
 public:
  struct Options {
    size_t max_bytes = 64 << 20;
    absl::Duration ttl = absl::Minutes(5);
  };
  struct SharedOptions {
    std::string redis = "";     // "host:port" or "unix:/path".
    std::string password = "";  // From a file.
    // Longest wait for Redis, twice: once for what is before us; then the breaker counts a failure.
    absl::Duration budget = absl::Milliseconds(50);
    std::string mac_key = "";  // Values carry a MAC over place and value; others are misses.
    absl::Duration ttl = absl::Minutes(5);
    absl::Duration lease = absl::Seconds(1);
  };
  static std::unique_ptr<Cache> Open(const Options& options);
  // `db` is where the writers of these keys write, with the tables of common/cache/schema.
  static std::unique_ptr<Cache> OpenShared(const SharedOptions& options, sql::Database& db);
  virtual ~Cache() = default;

  // In-process look-up only; never blocks.
  virtual std::optional<std::string> Peek(std::string_view key) = 0;
  // Waits for Redis at most twice the budget.
  virtual Lookup Get(std::string_view key) = 0;
  // Keeps a value read from the database at `version`, after the Get that gave the ticket; ignored
  // when a newer version is known.
  virtual void Put(std::string_view key, int64_t version, std::string_view value,
                   const Ticket& ticket) = 0;
  // After a commit that wrote `version`: from OK on no older value is served. Seldom waits longer
  // than for Redis: 1.125 L after a trip. REASON_OUTCOME_UNKNOWN when neither Redis nor the
  // database answers: the write stands and must not be acknowledged.
  virtual absl::Status Raise(std::string_view key, int64_t version, absl::Time deadline) = 0;
};

}  // namespace gonghui::cache
