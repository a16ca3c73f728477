// The cache against its one promise: never a value older than an acknowledged write.
#include "common/cache/cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/cache/schema.embedded.h"
#include "common/sql/migrate.h"
#include "common/testing/database.h"
#include "common/testing/gate.h"
#include "common/testing/matchers.h"
#include "common/testing/redis_server.h"
#include "common/testing/settings.h"

namespace gonghui::cache {
namespace {

using testing::HasReason;
using testing::IsOk;

constexpr int kKeys = 8;
constexpr absl::Duration kLease = absl::Milliseconds(100);
constexpr absl::Duration kQuiet = absl::Milliseconds(500);  // After a trip.

absl::Time Soon() { return absl::Now() + absl::Seconds(20); }

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
  int64_t writes = 0;
  int64_t hits = 0;
  int64_t stale = 0;
};

// Writers and readers on `replicas` while `disturb` runs. Only what Raise accepted is acknowledged.
Outcome Hammer(const std::vector<Cache*>& replicas, uint64_t seed,
               const std::function<void()>& disturb) {
  Store store;
  std::atomic<int64_t> acknowledged[kKeys] = {};
  std::atomic<int64_t> reads{0}, writes{0}, hits{0}, stale{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (uint64_t w = 0; w < 3; ++w) {
    threads.emplace_back([&, w] {
      std::mt19937_64 random(seed + w);
      while (!stop) {
        const int key = static_cast<int>(random() % kKeys);
        Cache* cache = replicas[random() % replicas.size()];
        const int64_t version = store.Write(key);
        EXPECT_THAT(cache->Raise(absl::StrCat("k", key), version, Soon()), IsOk());
        int64_t seen = acknowledged[key];
        while (seen < version && !acknowledged[key].compare_exchange_weak(seen, version)) {
        }
        ++writes;
        absl::SleepFor(absl::Microseconds(random() % 4000));
      }
    });
  }
  for (uint64_t r = 0; r < 4; ++r) {
    threads.emplace_back([&, r] {
      std::mt19937_64 random(seed + 100 + r);
      while (!stop) {
        const int key = static_cast<int>(random() % kKeys);
        Cache* cache = replicas[random() % replicas.size()];
        const std::string name = absl::StrCat("k", key);
        const int64_t floor = acknowledged[key];
        int64_t version = 0;
        const Lookup found = cache->Get(name);
        if (found.value.has_value()) {
          ++hits;
          EXPECT_TRUE(absl::SimpleAtoi(*found.value, &version)) << "damaged value";
        } else {
          version = store.Read(key);
          if (random() % 64 == 0) absl::SleepFor(absl::Milliseconds(random() % 300));
          cache->Put(name, version, absl::StrCat(version), found.ticket);
        }
        if (version < floor) ++stale;
        ++reads;
        absl::SleepFor(absl::Microseconds(50));
      }
    });
  }
  disturb();
  stop = true;
  for (std::thread& thread : threads) thread.join();
  return {reads, writes, hits, stale};
}

TEST(LocalCacheTest, ServesWhatWasPut) {
  auto cache = Cache::Open({});
  EXPECT_FALSE(cache->Get("a").value.has_value());
  cache->Put("a", 1, "one", {});
  EXPECT_EQ(cache->Peek("a"), "one");
  EXPECT_THAT(cache->Raise("a", 2, Soon()), IsOk());
  EXPECT_FALSE(cache->Get("a").value.has_value());
  cache->Put("a", 1, "one", {});  // A slow reader comes back.
  EXPECT_FALSE(cache->Get("a").value.has_value());
  cache->Put("a", 2, "two", {});
  EXPECT_EQ(cache->Get("a").value, "two");
}

TEST(LocalCacheTest, KeepsToItsSize) {
  auto cache = Cache::Open({.max_bytes = 1 << 20});
  for (int i = 0; i < 5000; ++i) cache->Put(absl::StrCat("key", i), 1, std::string(1000, 'x'), {});
  int kept = 0;
  for (int i = 0; i < 5000; ++i) kept += cache->Peek(absl::StrCat("key", i)).has_value() ? 1 : 0;
  EXPECT_GT(kept, 100);
  EXPECT_LT(kept, 1100);
}

TEST(LocalCacheTest, IsNeverStale) {
  auto cache = Cache::Open({});
  const Outcome outcome =
      Hammer({cache.get()}, testing::Seed(), [] { absl::SleepFor(absl::Seconds(1)); });
  EXPECT_EQ(outcome.stale, 0) << "of " << outcome.reads;
  EXPECT_GT(outcome.hits, 0);
}

// Two replicas with a way of their own to the Redis that they share.
class SharedCacheTest : public ::testing::Test {
 protected:
  SharedCacheTest() {
    EXPECT_THAT(sql::Migrate(*database_, embedded::common_cache_schema(), 0), IsOk());
    one_ = Open(gate_.address());
    two_ = Open(redis_.address());
  }

  std::unique_ptr<Cache> Open(const std::string& redis, const std::string& mac_key = "secret",
                              absl::Duration budget = absl::Milliseconds(50)) {
    return Cache::OpenShared(
        {.redis = redis, .budget = budget, .mac_key = mac_key, .lease = kLease}, *database_);
  }

  // Redis is in use: what was put is found.
  static bool Hits(Cache& cache) {
    for (const absl::Time end = Soon(); absl::Now() < end; absl::SleepFor(kLease / 20)) {
      const Lookup found = cache.Get("probe");
      if (found.value.has_value()) return true;
      cache.Put("probe", 1, "probe", found.ticket);
    }
    return false;
  }
  bool InUse() { return Hits(*one_) && Hits(*two_); }

  // Puts what a Get missed.
  static void Fill(Cache& cache, const std::string& key, const std::string& value) {
    const Lookup found = cache.Get(key);
    EXPECT_FALSE(found.value.has_value());
    cache.Put(key, 1, value, found.ticket);
    EXPECT_EQ(cache.Get(key).value, value);
  }

  // Nothing is found under `key` at either replica, until Redis is in use again and then.
  void ExpectGone(const std::string& key) {
    for (const absl::Time end = absl::Now() + 2 * kQuiet; absl::Now() < end;
         absl::SleepFor(absl::Milliseconds(1))) {
      ASSERT_FALSE(two_->Get(key).value.has_value());
      ASSERT_FALSE(one_->Get(key).value.has_value());
    }
  }

  int64_t Trips() {
    static constexpr sql::Query kTrips{"test.get_trips", "SELECT trips FROM cache_trips"};
    int64_t trips = -1;
    EXPECT_THAT(database_->ReadOnly(Soon(),
                                    [&](sql::Tx& tx) -> absl::Status {
                                      ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kTrips));
                                      trips = rows[0].Get<int64_t>(0);
                                      return absl::OkStatus();
                                    }),
                IsOk());
    return trips;
  }

  testing::RedisServer redis_;
  testing::Gate gate_{redis_.address().substr(std::string_view("unix:").size())};
  testing::TempDatabase database_{testing::Engines().back()};
  std::unique_ptr<Cache> one_;
  std::unique_ptr<Cache> two_;
};

TEST_F(SharedCacheTest, IsNeverStaleAndNeedsNoTrip) {
  // A machine with much else to do is no fault of Redis.
  one_ = Open(gate_.address(), "secret", absl::Seconds(5));
  two_ = Open(redis_.address(), "secret", absl::Seconds(5));
  ASSERT_TRUE(InUse());
  const int64_t trips = Trips();
  const Outcome outcome =
      Hammer({one_.get(), two_.get()}, testing::Seed(), [] { absl::SleepFor(absl::Seconds(1)); });
  EXPECT_EQ(outcome.stale, 0) << "of " << outcome.reads;
  EXPECT_GT(outcome.hits, 0);
  EXPECT_EQ(Trips(), trips);
}

TEST_F(SharedCacheTest, OneReplicaBehindAHungConnection) {
  ASSERT_TRUE(InUse());
  Fill(*two_, "a", "old");
  gate_.Hang();
  ASSERT_THAT(one_->Raise("a", 2, Soon()), IsOk());
  EXPECT_FALSE(two_->Get("a").value.has_value());
  const absl::Time start = absl::Now();
  ASSERT_THAT(one_->Raise("a", 3, Soon()), IsOk());
  EXPECT_LT(absl::Now() - start, 2 * kLease) << "the second write waited too";
  ExpectGone("a");
  gate_.Open();
  ASSERT_TRUE(InUse());
  ExpectGone("a");
}

TEST_F(SharedCacheTest, OneReplicaWithoutAConnection) {
  ASSERT_TRUE(InUse());
  Fill(*two_, "a", "old");
  gate_.Cut();
  ASSERT_THAT(one_->Raise("a", 2, Soon()), IsOk());
  EXPECT_FALSE(two_->Get("a").value.has_value());
  ExpectGone("a");
  gate_.Open();
  ASSERT_TRUE(InUse());
}

TEST_F(SharedCacheTest, RandomFaultsNeverMakeItStale) {
  ASSERT_TRUE(InUse());
  const uint64_t seed = testing::Seed();
  const int faults = testing::FullSize() ? 100 : 5;
  const Outcome outcome = Hammer({one_.get(), two_.get()}, seed, [&] {
    std::mt19937_64 random(seed);
    const auto pause = [&](absl::Duration longest) {
      absl::SleepFor(longest * (0.2 + 0.8 * static_cast<double>(random() % 100) / 100));
    };
    for (int i = 0; i < faults; ++i) {
      const uint64_t fault = (seed + i) % 4;
      if (fault == 0) gate_.Hang();
      if (fault == 1) gate_.Cut();
      if (fault == 2) redis_.Freeze();
      if (fault == 3) redis_.Kill();
      pause(kQuiet);
      gate_.Open();
      if (fault == 2) redis_.Thaw();
      if (fault == 3) redis_.Start();
      pause(2 * kQuiet);  // Sometimes until Redis is in use again.
    }
  });
  EXPECT_EQ(outcome.stale, 0) << "of " << outcome.reads;
  if (testing::FullSize()) EXPECT_GT(outcome.hits, 0);  // Few faults may leave no time for one.
  EXPECT_GT(outcome.writes, 10);
  EXPECT_TRUE(InUse());
}

TEST_F(SharedCacheTest, WithoutRedisWritesAndReadsGoOn) {
  ASSERT_TRUE(InUse());
  Fill(*one_, "a", "old");
  redis_.Freeze();
  ASSERT_THAT(one_->Raise("a", 2, Soon()), IsOk());
  EXPECT_FALSE(two_->Get("a").value.has_value());
  ASSERT_THAT(two_->Raise("a", 3, Soon()), IsOk());
  EXPECT_FALSE(one_->Get("a").value.has_value());
  redis_.Thaw();
  ASSERT_TRUE(InUse());
  EXPECT_FALSE(one_->Get("a").value.has_value());
}

TEST_F(SharedCacheTest, PutAcrossARaiseKeepsNothing) {
  ASSERT_TRUE(InUse());
  const Lookup before = two_->Get("a");
  ASSERT_FALSE(before.ticket.token.empty());
  ASSERT_THAT(one_->Raise("a", 2, Soon()), IsOk());
  two_->Put("a", 1, "old", before.ticket);
  EXPECT_FALSE(one_->Get("a").value.has_value());
}

TEST_F(SharedCacheTest, PutAcrossARestartOfRedisKeepsNothing) {
  ASSERT_TRUE(InUse());
  const Lookup before = two_->Get("a");
  ASSERT_FALSE(before.ticket.token.empty());
  ASSERT_THAT(one_->Raise("a", 2, Soon()), IsOk());
  redis_.Kill();
  redis_.Start();
  two_->Put("a", 1, "old", before.ticket);
  ASSERT_TRUE(InUse());
  two_->Put("a", 1, "old", before.ticket);
  EXPECT_FALSE(one_->Get("a").value.has_value());
  EXPECT_FALSE(two_->Get("a").value.has_value());
}

TEST_F(SharedCacheTest, PutAcrossATripKeepsNothing) {
  ASSERT_TRUE(InUse());
  const Lookup before = two_->Get("a");
  ASSERT_FALSE(before.ticket.token.empty());
  gate_.Cut();
  ASSERT_THAT(one_->Raise("a", 2, Soon()), IsOk());
  gate_.Open();
  two_->Put("a", 1, "old", before.ticket);
  ExpectGone("a");
  EXPECT_TRUE(InUse());
}

TEST_F(SharedCacheTest, WithoutTheDatabaseNothingIsFoundNorAcknowledged) {
  ASSERT_TRUE(InUse());
  Fill(*one_, "a", "old");
  ASSERT_THAT(database_->RunScript("ALTER TABLE cache_trips RENAME TO away"), IsOk());
  absl::SleepFor(2 * kLease);
  EXPECT_FALSE(one_->Get("a").value.has_value());
  EXPECT_THAT(one_->Raise("a", 2, Soon()), HasReason(common::v1::REASON_OUTCOME_UNKNOWN));
  ASSERT_THAT(database_->RunScript("ALTER TABLE away RENAME TO cache_trips"), IsOk());
  ASSERT_TRUE(InUse());
  EXPECT_EQ(two_->Get("a").value, "old");  // Nothing was acknowledged, no trip was made.
  ASSERT_THAT(one_->Raise("a", 2, Soon()), IsOk());
  EXPECT_FALSE(two_->Get("a").value.has_value());
}

TEST_F(SharedCacheTest, ForeignValuesAreMisses) {
  auto foreign = Open(redis_.address(), "foreign");
  ASSERT_TRUE(InUse() && Hits(*foreign));
  Fill(*foreign, "a", "planted");
  EXPECT_FALSE(one_->Get("a").value.has_value());
}

TEST_F(SharedCacheTest, RedisAwayCostsLittle) {
  auto cache = Open("unix:/nonexistent/redis.sock");
  absl::SleepFor(kQuiet + kLease);
  const absl::Time start = absl::Now();
  for (int i = 0; i < 2000; ++i) EXPECT_FALSE(cache->Get("a").value.has_value());
  EXPECT_LT(absl::Now() - start, absl::Seconds(2));
}

TEST_F(SharedCacheTest, KeysAndValuesMayHoldAnyByte) {
  ASSERT_TRUE(InUse());
  Fill(*one_, std::string("a b\r\n%s\0c", 9), std::string("v\0\r\n", 4));
}

}  // namespace
}  // namespace gonghui::cache
