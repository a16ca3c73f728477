#include "common/cache/cache.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <iterator>
#include <list>
#include <unordered_map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/base/text.h"
#include "common/cache/counts.h"
#include "common/ops/section.h"

namespace gonghui::cache {
namespace {

constexpr size_t kEntryOverhead = 160;  // List node, hash node and strings, roughly.
constexpr size_t kShards = 16;
// Longer than any call lives, so that no reader can come back with a value from before a write.
constexpr absl::Duration kFloorLife = absl::Minutes(5);

// One shard of the in-process level: least recently used goes first. The floors (versions below
// which nothing may be kept) live by time, not by use; they stand under hashes of keys, as a job
// may raise a million. Keys that share a hash share the higher floor: one of them is not kept for a
// while.
class Shard {
 public:
  std::optional<std::string> Get(const std::string& key, absl::Time now) {
    absl::MutexLock lock(&mutex_);
    auto it = index_.find(key);
    if (it == index_.end() || it->second->expires < now) return std::nullopt;
    entries_.splice(entries_.begin(), entries_, it->second);
    return it->second->value;
  }

  void Put(const std::string& key, int64_t version, std::string_view value, absl::Time expires,
           size_t limit) {
    absl::MutexLock lock(&mutex_);
    if (auto floor = floors_.find(HashOf(key)); floor != floors_.end() && version < floor->second) {
      return;
    }
    if (auto it = index_.find(key); it != index_.end()) {
      if (version < it->second->version) return;
      Erase(it->second);
    }
    entries_.push_front({key, version, std::string(value), expires});
    index_[key] = entries_.begin();
    bytes_ += Size(entries_.front());
    while (bytes_ > limit && !entries_.empty()) Erase(std::prev(entries_.end()));
  }

  void Raise(const std::string& key, int64_t version, absl::Time now) {
    absl::MutexLock lock(&mutex_);
    if (auto it = index_.find(key); it != index_.end() && it->second->version < version)
      Erase(it->second);
    const uint64_t hash = HashOf(key);
    int64_t& floor = floors_[hash];
    floor = std::max(floor, version);
    floor_ages_.push_back({absl::ToUnixMicros(now), hash, floor});
    while (floor_ages_.front().raised_us < absl::ToUnixMicros(now - kFloorLife)) {
      const FloorAge& oldest = floor_ages_.front();
      if (auto it = floors_.find(oldest.hash); it != floors_.end() && it->second == oldest.version)
        floors_.erase(it);
      floor_ages_.pop_front();
    }
  }

  size_t bytes() {
    absl::MutexLock lock(&mutex_);
    return bytes_;
  }

 private:
  struct Entry {
    std::string key;
    int64_t version;
    std::string value;
    absl::Time expires;
  };
  struct FloorAge {
    int64_t raised_us;
    uint64_t hash;
    int64_t version;
  };

  static uint64_t HashOf(const std::string& key) { return absl::HashOf(key); }
  static size_t Size(const Entry& entry) {
    return entry.key.size() + entry.value.size() + kEntryOverhead;
  }
  void Erase(std::list<Entry>::iterator entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    bytes_ -= Size(*entry);
    index_.erase(entry->key);
    entries_.erase(entry);
  }

  absl::Mutex mutex_;
  std::list<Entry> entries_ ABSL_GUARDED_BY(mutex_);
  std::unordered_map<std::string, std::list<Entry>::iterator> index_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<uint64_t, int64_t> floors_ ABSL_GUARDED_BY(mutex_);
  std::deque<FloorAge> floor_ages_ ABSL_GUARDED_BY(mutex_);
};

class LocalCache : public Cache {
 public:
  explicit LocalCache(const Options& options) : options_(options) {}

  std::optional<std::string> Peek(std::string_view key) override {
    const std::string k(key);
    auto value = ShardOf(k).Get(k, absl::Now());
    if (value.has_value()) counts_.hit.Add();
    return value;  // Who misses here asks Get.
  }

  Lookup Get(std::string_view key) override {
    Lookup lookup{.value = Peek(key), .ticket = {}};
    if (!lookup.value.has_value()) counts_.miss.Add();
    return lookup;
  }

  void Put(std::string_view key, int64_t version, std::string_view value, const Ticket&) override {
    const std::string k(key);
    ShardOf(k).Put(k, version, value, absl::Now() + options_.ttl, options_.max_bytes / kShards);
  }

  absl::Status Raise(std::string_view key, int64_t version, absl::Time) override {
    const std::string k(key);
    ShardOf(k).Raise(k, version, absl::Now());
    return absl::OkStatus();
  }

 private:
  Shard& ShardOf(const std::string& key) {
    return shards_[std::hash<std::string>{}(key) % kShards];
  }

  std::string Tell() {
    size_t bytes = 0;
    for (Shard& shard : shards_) bytes += shard.bytes();
    return StrCat("in process: ", bytes, " of ", options_.max_bytes, " bytes");
  }

  const Options options_;
  const Counts counts_{"process"};
  Shard shards_[kShards];
  const ops::Section section_{"cache", [this] { return Tell(); }};
};

}  // namespace

std::unique_ptr<Cache> Cache::Open(const Options& options) {
  return std::make_unique<LocalCache>(options);
}

}  // namespace gonghui::cache
