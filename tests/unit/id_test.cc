#include "common/base/id.h"

#include <set>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "common/base/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gonghui {
namespace {

TEST(IdTest, IsAVersion7Uuid) {
  EXPECT_THAT(NewId(absl::Now()),
              ::testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
                                      "[0-9a-f]{12}"));
}

TEST(IdTest, GrowsEvenWhenTheClockStands) {
  const absl::Time now = absl::Now();
  std::string previous = NewId(now);
  for (int i = 0; i < 10000; ++i) {
    std::string next = NewId(i % 2 == 0 ? now : now - absl::Seconds(5));
    ASSERT_LT(previous, next);
    previous = std::move(next);
  }
}

TEST(IdTest, HoldsItsTime) {
  const absl::Time later = absl::Now() + absl::Hours(1);
  const std::string id = NewId(later);
  const uint64_t ms = std::stoull(id.substr(0, 8) + id.substr(9, 4), nullptr, 16);
  EXPECT_EQ(static_cast<int64_t>(ms), absl::ToUnixMillis(later));
}

TEST(IdTest, ThreadsNeverShareAnId) {
  std::vector<std::vector<std::string>> made(4);
  std::vector<std::thread> threads;
  for (auto& ids : made) {
    threads.emplace_back([&ids] {
      for (int i = 0; i < 5000; ++i) ids.push_back(NewId(absl::Now()));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> all;
  for (const auto& ids : made) all.insert(ids.begin(), ids.end());
  EXPECT_EQ(all.size(), 20000u);
}

TEST(IdTest, DigestsAreSha256) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(ContentId("abc"), "ba7816bf8f01cfea414140de5dae2223");
}

TEST(ClockTest, TodayIsTheDayInChina) {
  ManualClock clock(absl::FromUnixSeconds(1589385600));  // 2020-05-13 16:00 UTC.
  EXPECT_EQ(clock.Today(), "2020-05-14");
  clock.Advance(-absl::Microseconds(1));
  EXPECT_EQ(clock.Today(), "2020-05-13");
  EXPECT_EQ(clock.NowMicros(), 1589385599999999);
}

}  // namespace
}  // namespace gonghui
