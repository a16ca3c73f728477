#include "common/rpc/rate_limits.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/testing/matchers.h"

namespace gonghui::rpc {
namespace {

using gonghui::testing::HasReason;
using gonghui::testing::IsOk;

const absl::Time kNoon = absl::FromUnixSeconds(1'593'489'600);  // 2020-06-30 12:00 in China.

int64_t RetryMs(const absl::Status& status) {
  for (const auto& [key, value] : MetadataOf(status)) {
    if (key == "retry_ms") return std::stoll(value);
  }
  return -1;
}

common::v1::CallQuotas OneQuota(const std::string& subject, double per_second, int64_t per_day) {
  common::v1::CallQuotas quotas;
  common::v1::CallQuota& quota = *quotas.add_quotas();
  quota.set_subject(subject);
  quota.set_calls_per_second(per_second);
  quota.set_calls_per_day(per_day);
  return quotas;
}

TEST(RateLimitsTest, NothingIsLimitedByDefault) {
  RateLimits limits({});
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_THAT(limits.AdmitCaller("demo", "u1", kNoon), IsOk());
    ASSERT_THAT(limits.AdmitFederation("demo", kNoon), IsOk());
  }
}

TEST(RateLimitsTest, TwoSecondsAtOnceThenTheRate) {
  RateLimits limits({.caller_per_second = 10});
  for (int i = 0; i < 20; ++i) ASSERT_THAT(limits.AdmitCaller("demo", "u1", kNoon), IsOk());
  const absl::Status refused = limits.AdmitCaller("demo", "u1", kNoon);
  EXPECT_THAT(refused, HasReason(common::v1::REASON_RATE_LIMITED));
  EXPECT_NEAR(RetryMs(refused), 100, 2);
  // Others, also of the same name elsewhere, have their own.
  EXPECT_THAT(limits.AdmitCaller("demo", "u2", kNoon), IsOk());
  EXPECT_THAT(limits.AdmitCaller("other", "u1", kNoon), IsOk());

  int admitted = 0;  // Over ten seconds, asked a thousand times a second.
  for (int ms = 1; ms <= 10'000; ++ms) {
    admitted += limits.AdmitCaller("demo", "u1", kNoon + absl::Milliseconds(ms)).ok() ? 1 : 0;
  }
  EXPECT_NEAR(admitted, 100, 1);
  // A pause does not save up more than the burst, and a clock set back does not lock out.
  const absl::Time later = kNoon + absl::Hours(1);
  admitted = 0;
  for (int i = 0; i < 100; ++i) admitted += limits.AdmitCaller("demo", "u1", later).ok() ? 1 : 0;
  EXPECT_EQ(admitted, 20);
  EXPECT_FALSE(limits.AdmitCaller("demo", "u1", kNoon).ok());
  EXPECT_THAT(limits.AdmitCaller("demo", "u1", kNoon + absl::Milliseconds(101)), IsOk());
}

TEST(RateLimitsTest, CallersOfAFederationShare) {
  RateLimits limits({.federation_per_second = 0.25});  // One call fits even so.
  EXPECT_THAT(limits.AdmitFederation("demo", kNoon), IsOk());
  const absl::Status refused = limits.AdmitFederation("demo", kNoon);
  EXPECT_THAT(refused, HasReason(common::v1::REASON_RATE_LIMITED));
  EXPECT_NEAR(RetryMs(refused), 4000, 2);
  EXPECT_THAT(limits.AdmitFederation("other", kNoon), IsOk());
  EXPECT_THAT(limits.AdmitFederation("demo", kNoon + absl::Seconds(4.01)), IsOk());
}

TEST(RateLimitsTest, QuotasOfTheDayEndAtMidnightInChina) {
  RateLimits limits({.caller_per_second = 1000, .quotas = OneQuota("payroll", 0, 3)});
  for (int i = 0; i < 3; ++i) ASSERT_THAT(limits.AdmitCaller("demo", "payroll", kNoon), IsOk());
  const absl::Status refused = limits.AdmitCaller("demo", "payroll", kNoon);
  EXPECT_THAT(refused, HasReason(common::v1::REASON_RATE_LIMITED));
  EXPECT_EQ(RetryMs(refused), absl::ToInt64Milliseconds(absl::Hours(12)) + 1);
  EXPECT_FALSE(
      limits.AdmitCaller("demo", "payroll", kNoon + absl::Hours(12) - absl::Seconds(1)).ok());
  EXPECT_THAT(limits.AdmitCaller("demo", "payroll", kNoon + absl::Hours(12)), IsOk());
}

TEST(RateLimitsTest, AQuotaStandsInPlaceOfTheGeneralLimit) {
  common::v1::CallQuotas quotas = OneQuota("payroll", 100, 0);
  quotas.mutable_quotas(0)->set_federation("demo");
  RateLimits limits({.caller_per_second = 1, .quotas = quotas});
  int admitted = 0, elsewhere = 0;
  for (int i = 0; i < 500; ++i) {
    admitted += limits.AdmitCaller("demo", "payroll", kNoon).ok() ? 1 : 0;
    elsewhere += limits.AdmitCaller("other", "payroll", kNoon).ok() ? 1 : 0;
  }
  EXPECT_EQ(admitted, 200);
  EXPECT_EQ(elsewhere, 2);
}

TEST(RateLimitsTest, ThreadsTogetherGetNoMore) {
  RateLimits limits({.caller_per_second = 50});
  std::atomic<int> admitted = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        if (limits.AdmitCaller("demo", "u1", kNoon).ok()) ++admitted;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(admitted, 100);
}

TEST(RateLimitsTest, ManySubjectsTakeBoundedRoom) {
  RateLimits limits({.caller_per_second = 1});
  for (int i = 0; i < 600'000; ++i) {
    const absl::Time now = kNoon + absl::Milliseconds(i);
    ASSERT_THAT(limits.AdmitCaller("demo", StrCat("u", i), now), IsOk());
  }
}

TEST(RateLimitsTest, QuotaFile) {
  const auto path =
      std::filesystem::path(::testing::TempDir()) / StrCat("quotas_", getpid(), ".yaml");
  std::ofstream(path) << "quotas:\n"
                         "  - {subject: payroll, calls_per_second: 5, calls_per_day: 10000}\n"
                         "  - {subject: portal, federation: demo, calls_per_second: 0.5}\n";
  const auto quotas = ReadQuotas(path.string());
  ASSERT_THAT(quotas, IsOk());
  ASSERT_EQ(quotas->quotas_size(), 2);
  EXPECT_EQ(quotas->quotas(0).calls_per_day(), 10'000);
  EXPECT_EQ(quotas->quotas(1).calls_per_second(), 0.5);

  std::ofstream(path) << "quotas:\n  - {subject: payroll, calls_per_hour: 5}\n";
  const absl::Status unknown = ReadQuotas(path.string()).status();
  EXPECT_NE(std::string(unknown.message()).find(StrCat(path.filename().string(), ":2")),
            std::string::npos)
      << unknown;
  std::ofstream(path) << "quotas:\n  - {calls_per_second: 5}\n";
  EXPECT_FALSE(ReadQuotas(path.string()).ok());
  EXPECT_FALSE(ReadQuotas("/nowhere/quotas.yaml").ok());
}

}  // namespace
}  // namespace gonghui::rpc
