// Scores, ranks and grades worked out by hand; targets shared out; the catalogue of schemes.
#include "services/reports/appraisal_scores.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "services/reports/catalog.embedded.h"
#include "services/reports/target_values.h"

namespace gonghui::reports {
namespace {

constexpr char kScheme[] = R"(
version: "1"
targets: {tolerance: "5", members_measure: a, letters_measure: a, citation: c}
schemes:
  - name: s
    label: s
    citation: c
    valid_from: "2020-01-01"
    kinds: [enterprise]
    months: 12
    items:
      - {name: more, source: target, measure: a, points: "30", linear: {floor: "60", full: "100", cap_percent: "110"}}
      - {name: less, source: figure, measure: a, points: "10", linear: {floor: "20", full: "5"}}
      - {name: stairs, source: figure, measure: m, points: "8", steps: [{at_least: "2.5", points: "8"}, {at_least: "1", points: "3.5"}]}
      - {name: kept, source: target, measure: a, points: "4", when_missing: full, linear: {full: "100"}}
      - {name: said, source: assessed, points: "20", self_percent: 33}
      - {name: fault, kind: penalty, source: assessed, points: "5"}
      - {name: stop, kind: veto, veto: zero}
      - {name: hold, kind: veto, veto: cap, grade_cap: fair}
    grades:
      - {name: top, at_least: "90", quota_percent: 40}
      - {name: good, at_least: "80"}
      - {name: fair, at_least: "60"}
      - {name: poor, at_least: "0"}
)";

const Measures& Known() {
  static const Measures& measures = *new Measures(*Measures::Load(
      {{"m.yaml",
        "measures: [{name: a, kind: flow, unit: x}, {name: m, kind: money, unit: wan_yuan}, "
        "{name: few, kind: flow, unit: person, suppress_below: 5}]"}}));
  return measures;
}

absl::StatusOr<AppraisalSchemes> LoadText(const std::string& yaml) {
  return AppraisalSchemes::Load({{kAppraisalsFile, yaml}}, Known());
}

const Scheme& Loaded() {
  static const AppraisalSchemes& schemes = *new AppraisalSchemes(*LoadText(kScheme));
  return *schemes.Find("s", "2020-12-31");
}

std::string Score(const char* item, ItemInput input) {
  return ScoreItem(*Loaded().Find(item), input).score_text();
}

TEST(AppraisalScores, LinearFormulasHaveFloorAndCap) {
  EXPECT_EQ(Score("more", {.value = 6000}), "0.00");
  EXPECT_EQ(Score("more", {.value = 5999}), "0.00");
  EXPECT_EQ(Score("more", {.value = 7000}), "7.50");   // 30 × 10 ÷ 40
  EXPECT_EQ(Score("more", {.value = 8767}), "20.75");  // 30 × 27.67 ÷ 40 = 20.7525
  EXPECT_EQ(Score("more", {.value = 10000}), "30.00");
  EXPECT_EQ(Score("more", {.value = 10200}), "31.50");
  EXPECT_EQ(Score("more", {.value = 30000}), "33.00");
  EXPECT_EQ(Score("more", {}), "0.00");
  EXPECT_EQ(Score("less", {.value = 25}), "0.00");
  EXPECT_EQ(Score("less", {.value = 13}), "4.67");  // 10 × 7 ÷ 15 = 4.666…
  EXPECT_EQ(Score("less", {.value = 0}), "10.00");
  EXPECT_EQ(Score("kept", {}), "4.00");
  EXPECT_TRUE(ScoreItem(*Loaded().Find("kept"), {}).missing());
}

TEST(AppraisalScores, StepsAndAssessments) {
  EXPECT_EQ(Score("stairs", {.value = 2'500'000}), "8.00");
  EXPECT_EQ(Score("stairs", {.value = 2'499'999}), "3.50");
  EXPECT_EQ(Score("stairs", {.value = 999'999}), "0.00");
  EXPECT_EQ(Score("said", {.self = 1750, .panel = 1225}), "13.98");  // 5.775 + 8.2075
  EXPECT_EQ(Score("fault", {.panel = 250}), "-2.50");
  const v1::ItemScore half = ScoreItem(*Loaded().Find("said"), {.panel = 1000});
  EXPECT_TRUE(half.missing());
  EXPECT_EQ(half.score_text(), "6.70");
  EXPECT_EQ(half.formula(), "— × 33% + 10 × 67%");
}

// A unit whose first item has the points given, in hundredths.
v1::UnitAppraisal Unit(const std::string& name, int64_t points, const std::string& mark = "") {
  v1::UnitAppraisal unit;
  unit.set_organization(name);
  for (const SchemeItem& item : Loaded().items()) {
    v1::ItemScore& score = *unit.add_items();
    score.set_item(item.message->name());
    if (unit.items_size() == 1) score.set_score_hundredths(points);
    score.set_marked(item.message->name() == mark);
  }
  return unit;
}

std::vector<std::string> Ranked(std::vector<v1::UnitAppraisal> units) {
  RankUnits(Loaded(), units);
  std::vector<std::string> lines;
  for (const v1::UnitAppraisal& unit : units) {
    lines.push_back(unit.organization() + " " + std::to_string(unit.rank()) +
                    (unit.tied() ? "=" : "") + " " + unit.total_text() + " " + unit.grade() +
                    (unit.grade_reason().empty() ? "" : " by " + unit.grade_reason()));
  }
  return lines;
}

TEST(AppraisalScores, TiesShareARank) {
  EXPECT_EQ(Ranked({Unit("d", 7000), Unit("b", 8500), Unit("c", 8500), Unit("a", 9500)}),
            (std::vector<std::string>{"a 1 95.00 top", "b 2= 85.00 good", "c 2= 85.00 good",
                                      "d 4 70.00 fair"}));
  EXPECT_TRUE(Ranked({}).empty());
  EXPECT_EQ(Ranked({Unit("a", -300)}), (std::vector<std::string>{"a 1 0.00 poor"}));
}

TEST(AppraisalScores, VetoesZeroTheTotalOrCapTheGrade) {
  EXPECT_EQ(Ranked({Unit("a", 9500, "stop"), Unit("b", 8500, "hold"), Unit("c", 100),
                    Unit("d", 5000, "hold")}),
            (std::vector<std::string>{"b 1 85.00 fair by veto", "d 2 50.00 poor", "c 3 1.00 poor",
                                      "a 4 0.00 poor by veto"}));
}

TEST(AppraisalScores, WhoDoesNotFitAQuotaGoesOneLower) {
  // 40% of 5 are 2: one takes a place, two with equal totals do not fit into the other.
  EXPECT_EQ(
      Ranked({Unit("a", 9900), Unit("b", 9500), Unit("c", 9500), Unit("d", 9100), Unit("e", 8000)}),
      (std::vector<std::string>{"a 1 99.00 top", "b 2= 95.00 good by quota",
                                "c 2= 95.00 good by quota", "d 4 91.00 good by quota",
                                "e 5 80.00 good"}));
  // Who is capped takes no place.
  EXPECT_EQ(Ranked({Unit("a", 9900, "hold"), Unit("b", 9500), Unit("c", 9400), Unit("d", 100),
                    Unit("e", 0)}),
            (std::vector<std::string>{"a 1 99.00 fair by veto", "b 2 95.00 top", "c 3 94.00 top",
                                      "d 4 1.00 poor", "e 5 0.00 poor"}));
}

TEST(AppraisalScores, SharesSumToTheWhole) {
  EXPECT_EQ(ShareOut(10, {1, 1, 1}), (std::vector<int64_t>{4, 3, 3}));
  EXPECT_EQ(ShareOut(100, {0, 1, 2}), (std::vector<int64_t>{0, 33, 67}));
  EXPECT_EQ(ShareOut(0, {3, 4}), (std::vector<int64_t>{0, 0}));
  std::mt19937_64 random(20200101);
  for (int round = 0; round < 2000; ++round) {
    std::vector<int64_t> weights(1 + random() % 30);
    for (int64_t& weight : weights) weight = static_cast<int64_t>(random() % 1'000'000'000'000);
    weights[0] += 1;
    const int64_t whole = static_cast<int64_t>(random() % 1'000'000'000'000'000);
    const std::vector<int64_t> parts = ShareOut(whole, weights);
    EXPECT_EQ(std::accumulate(parts.begin(), parts.end(), int64_t{0}), whole);
    const long double sum = std::accumulate(weights.begin(), weights.end(), 0.0L);
    for (size_t i = 0; i < parts.size(); ++i) {
      EXPECT_NEAR(static_cast<double>(parts[i] - whole * (weights[i] / sum)), 0, 1.001);
    }
  }
}

TEST(AppraisalScores, DecimalsAreReadExactly) {
  EXPECT_EQ(*ReadDecimal("83.5", 6, "f"), 83'500'000);
  EXPECT_EQ(*ReadDecimal("0", 0, "f"), 0);
  for (const char* wrong :
       {"", "-1", "1.", ".5", "1.234", "1e3", "1,000", "9999999999999999", "１"}) {
    const auto read = ReadDecimal(wrong, 2, "f");
    ASSERT_FALSE(read.ok()) << wrong;
    EXPECT_EQ(FieldOf(read.status()), "f");
  }
}

TEST(AppraisalSchemes, FaultsOfTheCatalogueAreNamed) {
  const auto message = [](const std::string& from, const std::string& to) {
    std::string yaml = kScheme;
    const size_t at = yaml.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return std::string(LoadText(yaml.replace(at, from.size(), to)).status().message());
  };
  EXPECT_NE(message("measure: m,", "measure: few,").find("stairs"), std::string::npos);
  EXPECT_NE(message("measure: m,", "measure: none,").find("stairs"), std::string::npos);
  EXPECT_NE(message("grade_cap: fair", "grade_cap: none").find("hold"), std::string::npos);
  EXPECT_NE(message("name: stairs", "name: more").find("twice"), std::string::npos);
  EXPECT_NE(message("{name: poor, at_least: \"0\"}", "{name: poor, at_least: \"1\"}").find("last"),
            std::string::npos);
  EXPECT_NE(message("floor: \"20\", full: \"5\"", "floor: \"5\", full: \"5\"").find("less"),
            std::string::npos);
  EXPECT_NE(message("self_percent: 33", "self_percent: 133").find("said"), std::string::npos);
  EXPECT_NE(message("tolerance: \"5\"", "tolerance: five").find("tolerance"), std::string::npos);
  EXPECT_NE(message("points: \"3.5\"", "points: \"9\"").find("stairs"), std::string::npos);
}

TEST(AppraisalSchemes, TheCatalogueLoads) {
  const auto measures = Measures::Load(embedded::services_reports_catalog());
  ASSERT_TRUE(measures.ok()) << measures.status();
  const auto schemes = AppraisalSchemes::Load(embedded::services_reports_catalog(), *measures);
  ASSERT_TRUE(schemes.ok()) << schemes.status();
  for (const char* name : {"area_union_year", "basic_union_year"}) {
    const Scheme* scheme = schemes->Find(name, "2020-12-31");
    ASSERT_NE(scheme, nullptr);
    int64_t points = 0;
    for (const SchemeItem& item : scheme->items()) {
      const bool scored = item.kind() == v1::APPRAISAL_ITEM_KIND_UNSPECIFIED;
      points += scored ? item.points : 0;
    }
    EXPECT_EQ(points, 10000) << name;
    EXPECT_EQ(schemes->Find(name, "2018-12-31"), nullptr);
  }
}

}  // namespace
}  // namespace gonghui::reports
