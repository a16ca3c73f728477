// What the recount is made of. It is run on the main job's files in acceptance_test.cc.
#include "tests/acceptance/oracle.h"

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gonghui::district {
namespace {

constexpr char kOracle[] = GONGHUI_SOURCE_DIR "/tests/acceptance/oracle.sql";
constexpr char kCatalogue[] = GONGHUI_SOURCE_DIR "/services/reports/catalog";

const Count* Find(const Oracle& oracle, const std::string& measure) {
  for (const Count& count : oracle.counts) {
    if (count.measure == measure) return &count;
  }
  return nullptr;
}

TEST(OracleTest, CountsEveryMeasure) {
  const absl::StatusOr<Oracle> oracle = ReadOracle(kOracle);
  ASSERT_TRUE(oracle.ok()) << oracle.status();
  const std::regex name("  - name: (.*)");
  std::smatch match;
  std::set<std::string> without_count;
  for (const auto& file : std::filesystem::directory_iterator(kCatalogue)) {
    if (file.path().filename().string().rfind("measures", 0) != 0) continue;
    std::ifstream catalogue(file.path());
    for (std::string line; std::getline(catalogue, line);) {
      if (!std::regex_match(line, match, name)) continue;
      if (Find(*oracle, match[1]) == nullptr) without_count.insert(match[1]);
    }
  }
  EXPECT_THAT(without_count, testing::IsEmpty());
}

TEST(OracleTest, ReadsHowAMeasureCounts) {
  const absl::StatusOr<Oracle> oracle = ReadOracle(kOracle);
  ASSERT_TRUE(oracle.ok()) << oracle.status();
  const Count* benefits = Find(*oracle, "model_worker_benefit_amount");
  ASSERT_NE(benefits, nullptr);
  EXPECT_EQ(benefits->expression, "SUM(fen)");
  EXPECT_EQ(benefits->divisor, "100");
  EXPECT_EQ(benefits->decimals, 2);
  ASSERT_EQ(benefits->keys.size(), 2u);
  EXPECT_EQ(benefits->keys[0].name, "festival");
  EXPECT_EQ(benefits->keys[1].name, "kind");
  EXPECT_EQ(benefits->keys[1].total, "total");
  EXPECT_EQ(Restricting(*benefits, "kind=total;festival=spring_festival;note=x"),
            "festival=spring_festival");
  EXPECT_EQ(Restricting(*benefits, "kind=allowance"), "kind=allowance");
}

TEST(OracleTest, RoundsHalvesUp) {
  EXPECT_EQ(Rounded(86'500, 10'000, 0), "9");
  EXPECT_EQ(Rounded(8'650'000, 1'000'000, 1), "8.7");
  EXPECT_EQ(Rounded(8'649'999, 1'000'000, 1), "8.6");
  EXPECT_EQ(Rounded(1'005'000, 1'000'000, 2), "1.01");
  EXPECT_EQ(Rounded(1'000'000, 1'000'000, 2), "1");
  EXPECT_EQ(Rounded(10'500'000, 1'000'000, 6), "10.5");
  EXPECT_EQ(Rounded(0, 7, 1), "0");
  EXPECT_EQ(Rounded(-1'005'000, 1'000'000, 2), "-1.01");
  EXPECT_EQ(Rounded(-4, 10, 0), "0");
}

TEST(OracleTest, NamesEveryDifference) {
  const Figures recounted = ParseFigures(
      "measure,dimensions,period,organization,value,unit,records\n"
      "job_fairs_held,,2020H1,D01,12,session,12\n"
      "hazards_fixed,channel=paper,2020-05,T03,3,case,3\n"
      "matches_made,,2020H1,T02,0,pair,0\n");
  const Figures answered = ParseFigures(
      "measure,dimensions,period,organization,value,unit,records\n"
      "job_fairs_held,,2020H1,D01,11,session,11\n"
      "disputes_closed,,2020Q1,T01,1,case,1\n");
  EXPECT_THAT(
      Differences(recounted, answered),
      testing::ElementsAre("disputes_closed of T01 in 2020Q1: recounted 0, answered 1",
                           "hazards_fixed channel=paper of T03 in 2020-05: recounted 3, answered 0",
                           "job_fairs_held of D01 in 2020H1: recounted 12, answered 11"));
  EXPECT_THAT(Differences(recounted, recounted), testing::IsEmpty());
}

TEST(OracleTest, MissesNoDatabaseInSilence) {
  const absl::StatusOr<Oracle> oracle = ReadOracle(kOracle);
  ASSERT_TRUE(oracle.ok()) << oracle.status();
  const absl::StatusOr<Figures> recounted = Recount(*oracle, "/nowhere", {});
  EXPECT_EQ(recounted.status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace gonghui::district
