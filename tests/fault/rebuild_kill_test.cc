// RebuildRollups across kill -9: the server dies in the middle of a rebuild, and the next goes on
// from the last step instead of from the start. Afterwards every cell is what the facts say.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/testing/matchers.h"
#include "common/testing/settings.h"
#include "gonghui/reports/v1/report.pb.h"
#include "tests/bench/city_server.h"

namespace gonghui::bench {
namespace {

using common::v1::Job;
using testing::IsOk;

TEST(RebuildKillTest, GoesOnFromTheLastStep) {
  const City city({.unions = testing::FullSize() ? 5'000 : 600});
  const std::filesystem::path folder =
      std::filesystem::path(::testing::TempDir()) / absl::StrCat("rebuild_kill_", getpid());
  {
    CityServer server(GONGHUID_BINARY, folder);
    ASSERT_THAT(server.Start(), IsOk());
    ASSERT_THAT(server.Found(city), IsOk());
    server.Stop();
    ASSERT_THAT(server.LoadFacts(city), IsOk());
    ASSERT_THAT(server.Start(), IsOk());
    ASSERT_OK_AND_ASSIGN(const Job begun, server.StartRebuild());
    int64_t done = 0;
    while (done == 0) {
      ASSERT_OK_AND_ASSIGN(const Job job, server.GetJob(begun.name()));
      done = job.done();
    }
    server.Kill();
    ASSERT_THAT(server.Start(), IsOk());
    ASSERT_OK_AND_ASSIGN(const Job left, server.GetJob(begun.name()));
    EXPECT_GE(left.done(), done);
    ASSERT_OK_AND_ASSIGN(const Job ended, server.AwaitJob(begun.name()));
    reports::v1::RebuildRollupsResult result;
    ASSERT_TRUE(ended.result().UnpackTo(&result));
    EXPECT_GE(result.facts(), city.facts());
    EXPECT_GT(ended.attempts(), left.end_time_us() == 0 ? 1 : 0);
    ASSERT_OK_AND_ASSIGN(const int64_t divergent, server.Divergent());
    EXPECT_EQ(divergent, 0);
    std::printf("%lld facts, killed after %lld, %lld cells, peak memory %lld MiB\n",
                static_cast<long long>(result.facts()), static_cast<long long>(left.done()),
                static_cast<long long>(result.cells()),
                static_cast<long long>(server.PeakKib() / 1024));
  }
  if (!::testing::Test::HasFailure()) std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace gonghui::bench
