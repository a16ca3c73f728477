// The cache against its one promise: never a value older than an acknowledged write.
#include "common/cache/cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/testing/redis_server.h"

namespace gonghui::cache {
namespace {

using testing::RedisServer;

// The store behind the cache: versions only grow, a read takes a little while.
class Store {
 public:
  int64_t Write(int key) {
    absl::MutexLock lock(&mutex_);
    return ++versions_[key];
  }
  int64_t Read(int key) {
    int64_t version = 0;
    {
      absl::MutexLock lock(&mutex_);
      version = versions_[key];
    }
    std::this_thread::yield();
    return version;
  }

 private:
  absl::Mutex mutex_;
  std::map<int, int64_t> versions_;
};

struct Outcome {
  int64_t reads = 0;
  int64_t hits = 0;
  int64_t stale = 0;
};

// Writers and readers on `replicas` for a while; `disturb` runs in between.
Outcome Hammer(const std::vector<Cache*>& replicas, absl::Duration length,
               const std::function<void()>& disturb) {
  constexpr int kKeys = 8;
  Store store;
  std::atomic<int64_t> acknowledged[kKeys] = {};
  std::atomic<int64_t> reads{0}, hits{0}, stale{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int w = 0; w < 2; ++w) {
    threads.emplace_back([&, w] {
      std::mt19937 random(100 + w);
      while (!stop) {
        const int key = static_cast<int>(random() % kKeys);
        Cache* cache = replicas[random() % replicas.size()];
        const int64_t version = store.Write(key);
        cache->Raise(absl::StrCat("k", key), version);
        int64_t seen = acknowledged[key];
        while (seen < version && !acknowledged[key].compare_exchange_weak(seen, version)) {
        }
        absl::SleepFor(absl::Microseconds(200));
      }
    });
  }
  for (int r = 0; r < 4; ++r) {
    threads.emplace_back([&, r] {
      std::mt19937 random(200 + r);
      while (!stop) {
        const int key = static_cast<int>(random() % kKeys);
        Cache* cache = replicas[random() % replicas.size()];
        const std::string name = absl::StrCat("k", key);
        const int64_t floor = acknowledged[key];
        int64_t version = 0;
        std::optional<std::string> value = cache->Get(name);
        if (value.has_value()) {
          ++hits;
          EXPECT_TRUE(absl::SimpleAtoi(*value, &version)) << "damaged value";
        } else {
          version = store.Read(key);
          cache->Put(name, version, absl::StrCat(version));
        }
        if (version < floor) ++stale;
        ++reads;
      }
    });
  }
  absl::SleepFor(length / 2);
  disturb();
  absl::SleepFor(length / 2);
  stop = true;
  for (std::thread& thread : threads) thread.join();
  return {reads, hits, stale};
}

TEST(CacheTest, InProcessServesWhatWasPut) {
  auto cache = Cache::Open({});
  EXPECT_FALSE(cache->Get("a").has_value());
  cache->Put("a", 1, "one");
  EXPECT_EQ(cache->Peek("a"), "one");
  cache->Raise("a", 2);
  EXPECT_FALSE(cache->Get("a").has_value());
  cache->Put("a", 1, "one");  // A slow reader comes back.
  EXPECT_FALSE(cache->Get("a").has_value());
  cache->Put("a", 2, "two");
  EXPECT_EQ(cache->Get("a"), "two");
}

TEST(CacheTest, InProcessKeepsToItsSize) {
  auto cache = Cache::Open({.max_bytes = 1 << 20});
  for (int i = 0; i < 5000; ++i) cache->Put(absl::StrCat("key", i), 1, std::string(1000, 'x'));
  int kept = 0;
  for (int i = 0; i < 5000; ++i) kept += cache->Peek(absl::StrCat("key", i)).has_value() ? 1 : 0;
  EXPECT_GT(kept, 100);
  EXPECT_LT(kept, 1100);
}

TEST(CacheTest, NeverStaleInProcess) {
  auto cache = Cache::Open({});
  const Outcome outcome = Hammer({cache.get()}, absl::Seconds(1), [] {});
  EXPECT_EQ(outcome.stale, 0) << "of " << outcome.reads;
  EXPECT_GT(outcome.hits, 0);
}

TEST(CacheTest, NeverStaleAcrossReplicasWithRedis) {
  RedisServer redis;
  auto one = Cache::Open({.redis = redis.address(), .mac_key = "secret"});
  auto two = Cache::Open({.redis = redis.address(), .mac_key = "secret"});
  const Outcome outcome = Hammer({one.get(), two.get()}, absl::Seconds(2), [] {});
  EXPECT_EQ(outcome.stale, 0) << "of " << outcome.reads;
  EXPECT_GT(outcome.hits, 0);
}

TEST(CacheTest, NeverStaleWhileRedisIsKilledAndComesBack) {
  RedisServer redis;
  auto one = Cache::Open({.redis = redis.address(), .mac_key = "secret"});
  auto two = Cache::Open({.redis = redis.address(), .mac_key = "secret"});
  const Outcome outcome = Hammer({one.get(), two.get()}, absl::Seconds(4), [&] {
    redis.Kill();
    absl::SleepFor(absl::Milliseconds(500));
    redis.Start();
  });
  EXPECT_EQ(outcome.stale, 0) << "of " << outcome.reads;
  EXPECT_GT(outcome.hits, 0);
}

TEST(CacheTest, ForeignValuesAreMisses) {
  RedisServer redis;
  auto ours = Cache::Open({.redis = redis.address(), .mac_key = "ours"});
  auto foreign = Cache::Open({.redis = redis.address(), .mac_key = "foreign"});
  foreign->Put("a", 1, "planted");
  EXPECT_FALSE(ours->Get("a").has_value());
  ours->Put("a", 1, "true");
  EXPECT_EQ(ours->Get("a"), "true");
}

TEST(CacheTest, RedisAwayCostsLittle) {
  auto cache = Cache::Open({.redis = "unix:/nonexistent/redis.sock", .mac_key = "secret"});
  const absl::Time start = absl::Now();
  for (int i = 0; i < 2000; ++i) EXPECT_FALSE(cache->Get("a").has_value());
  EXPECT_LT(absl::Now() - start, absl::Seconds(2));
}

TEST(CacheTest, KeysMayHoldAnyByte) {
  RedisServer redis;
  auto cache = Cache::Open({.redis = redis.address(), .mac_key = "secret"});
  const std::string key("a b\r\n%s\0c", 9);
  cache->Put(key, 1, std::string("v\0\r\n", 4));
  EXPECT_EQ(cache->Get(key), std::string("v\0\r\n", 4));
}

}  // namespace
}  // namespace gonghui::cache
