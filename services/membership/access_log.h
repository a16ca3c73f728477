// The log of who saw which member.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "gonghui/membership/v1/access.pb.h"

namespace gonghui::membership {

// An entry with what the database keeps beside it.
struct AccessRow {
  std::string member_id;
  v1::Access access;  // Without member.
};

// What the caller does to the member now, once.
AccessRow NewAccess(const rpc::Call& call, v1::AccessKind kind, std::string_view member_id);

// The digest of an entry after the one with the digest `before`: SM3, 64 hex
// digits, over version, `before` and every field, each with its length.
std::string AccessDigest(std::string_view before, const AccessRow& row);

// Reads wait up to a second to be written together: they are answered from
// memory much faster than a database writes. A process that dies takes that
// second's reads with it; reveals and exports are written with Append.
// Thread-safe.
class AccessLog {
 public:
  explicit AccessLog(sql::Database& db) : db_(db) {}
  ~AccessLog() { Stop(); }

  void Start();  // After the database is migrated.
  void Stop();   // Writes what waits. Idempotent.

  // Remembers that the caller sees the member now. Does not block; REASON_OVERLOADED when so many
  // wait that the member may not be shown.
  absl::Status Note(const rpc::Call& call, v1::AccessKind kind, std::string_view member_id);
  // Writes what waits.
  absl::Status Flush(absl::Time deadline);
  // Adds entries of a federation in order; sets their sequences and digests.
  static absl::Status Append(sql::Tx& tx, const std::string& federation,
                             absl::Span<AccessRow> rows);

 private:
  struct Waiting {
    std::string federation;
    AccessRow row;
  };
  void Run();
  absl::Status Write(const std::string& federation, std::vector<AccessRow> rows,
                     absl::Time deadline);

  sql::Database& db_;
  absl::Mutex mutex_;
  std::vector<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
  // By federation, caller, method and member: its place in waiting_.
  absl::flat_hash_map<std::string, size_t> places_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Mutex writing_;  // One flush at a time.
  std::thread thread_;
};

}  // namespace gonghui::membership
