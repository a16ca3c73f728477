// The reports catalogue, dimensions as text, placements and evaluation.
#include "services/reports/measures.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "services/reports/catalog.embedded.h"
#include "services/reports/dimensions.h"
#include "services/reports/evaluation.h"
#include "services/reports/placements.h"

namespace gonghui::reports {
namespace {

Measures Loaded() {
  auto measures = Measures::Load(embedded::services_reports_catalog());
  EXPECT_TRUE(measures.ok()) << measures.status();
  return *std::move(measures);
}

Period HalfYear() { return *ParsePeriod("2020H1"); }

Reason ReasonWith(const Measures& measures, std::string_view measure, std::string_view text) {
  auto filter = ParseFilter(measures, *measures.Find(measure), HalfYear(), text);
  return filter.ok() ? common::v1::REASON_UNSPECIFIED : ReasonOf(filter.status());
}

TEST(Measures, CatalogueLoads) {
  const Measures measures = Loaded();
  EXPECT_GE(measures.catalog().measures_size(), 70);
  for (const v1::Measure& measure : measures.catalog().measures()) {
    EXPECT_FALSE(measure.label().zh().empty()) << measure.name();
    EXPECT_FALSE(measure.unit().empty()) << measure.name();
    EXPECT_FALSE(measure.definition().zh().empty()) << measure.name();
  }
}

TEST(Measures, FaultsOfTheCatalogueAreNamed) {
  const auto message = [](std::string_view yaml) {
    return std::string(Measures::Load({{"m.yaml", yaml}}).status().message());
  };
  EXPECT_NE(message("measures: [{name: a}]").find("kind"), std::string::npos);
  EXPECT_NE(message("measures: [{name: a, kind: flow}, {name: a, kind: flow}]").find("twice"),
            std::string::npos);
  EXPECT_NE(message("measures: [{name: a, kind: ratio, numerator: b, denominator: b}]").find("'b'"),
            std::string::npos);
  EXPECT_NE(message("measures: [{name: a, kind: money, unit: coins}]").find("wan_yuan"),
            std::string::npos);
  EXPECT_NE(message("measures: [{name: a, kind: flow, colour: red}]").find("colour"),
            std::string::npos);
}

TEST(Dimensions, FilterReadsValuesTotalsRemarksAndMonths) {
  const Measures measures = Loaded();
  auto filter = ParseFilter(measures, *measures.Find("model_worker_benefit_amount"), HalfYear(),
                            "kind=total;festival=spring_festival,mid_autumn");
  ASSERT_TRUE(filter.ok());
  EXPECT_FALSE(filter->allowed.contains("kind"));
  EXPECT_EQ(filter->allowed.at("festival").size(), 2u);
  EXPECT_TRUE(filter->Admits({{"festival", "mid_autumn"}, {"kind", "gift"}}));
  EXPECT_FALSE(filter->Admits({{"kind", "gift"}}));
  EXPECT_EQ(FormatDimensions(filter->shown), "festival=spring_festival,mid_autumn;kind=total");

  filter =
      ParseFilter(measures, *measures.Find("service_fields_covered"), HalfYear(), "named=a,b,c");
  ASSERT_TRUE(filter.ok());
  EXPECT_TRUE(filter->allowed.empty());

  filter = ParseFilter(measures, *measures.Find("disputes_accepted"), HalfYear(), "month=2020-05");
  ASSERT_TRUE(filter.ok());
  EXPECT_EQ(filter->months, std::set<std::string>{"2020-05"});
}

TEST(Dimensions, FaultsHaveReasons) {
  const Measures measures = Loaded();
  using namespace common::v1;  // NOLINT(google-build-using-namespace): reasons only.
  EXPECT_EQ(ReasonWith(measures, "disputes_accepted", "host=x"), REASON_DIMENSION_UNKNOWN);
  EXPECT_EQ(ReasonWith(measures, "skills_contests_held", "host"), REASON_FIELD_INVALID);
  EXPECT_EQ(ReasonWith(measures, "skills_contests_held", "host=a;host=b"), REASON_FIELD_INVALID);
  EXPECT_EQ(ReasonWith(measures, "disputes_accepted", "month=2020-07"), REASON_PERIOD_INVALID);
  EXPECT_EQ(ReasonWith(measures, "members_total", "month=2020-04,2020-05"), REASON_NOT_ADDITIVE);
  EXPECT_EQ(ReasonWith(measures, "members_total", "month=*"), REASON_UNSPECIFIED);
}

TEST(Dimensions, SeparatorsInValuesDoNotBreakTheText) {
  common::v1::Fact fact;
  fact.add_dimensions()->set_key("trade");
  fact.mutable_dimensions(0)->set_value("a;b,c=d");
  const std::string text = FormatDimensions(DimensionsOf(fact));
  EXPECT_EQ(text, "trade=a_b_c=d");
  EXPECT_EQ(ParseDimensions(text), DimensionsOf(fact));
}

tree::Version At(std::string id, std::string parent, std::string from, std::string to) {
  static int number = 0;
  tree::Version version;
  version.version_id = std::to_string(++number);
  version.id = std::move(id);
  version.parent = std::move(parent);
  version.valid_from = std::move(from);
  version.valid_to = std::move(to);
  return version;
}

// e moves from a to b on 15 March.
PathHistory Moved() {
  tree::OrganizationTree tree;
  tree.Apply(At("root", "", "2019-01-01", "9999-12-31"));
  tree.Apply(At("a", "root", "2019-01-01", "9999-12-31"));
  tree.Apply(At("b", "root", "2019-01-01", "9999-12-31"));
  tree.Apply(At("e", "a", "2019-01-01", "2020-03-15"));
  tree.Apply(At("e", "b", "2020-03-15", "9999-12-31"));
  return HistoryOf(tree, "e");
}

std::map<std::string, int> Shares(v1::MeasureKind kind, std::string_view on_date) {
  std::map<std::string, int> shares;
  ForEachShare(kind, Moved(), on_date,
               [&](const std::string& ancestor, const std::string& month, int sign) {
                 shares[ancestor + " " + month] += sign;
               });
  std::erase_if(shares, [](const auto& share) { return share.second == 0; });
  return shares;
}

TEST(Placements, HistoryFollowsMoves) {
  const PathHistory history = Moved();
  ASSERT_EQ(history.size(), 2u);
  EXPECT_EQ(PathAt(history, "2000-01-01"), (std::vector<std::string>{"e", "a", "root"}));
  EXPECT_EQ(PathAt(history, "2020-03-14"), (std::vector<std::string>{"e", "a", "root"}));
  EXPECT_EQ(PathAt(history, "2020-03-15"), (std::vector<std::string>{"e", "b", "root"}));
}

TEST(Placements, FlowsStayWhereTheyHappened) {
  using Expected = std::map<std::string, int>;
  EXPECT_EQ(Shares(v1::MEASURE_KIND_FLOW, "2020-03-14"),
            (Expected{{"e 2020-03", 1}, {"a 2020-03", 1}, {"root 2020-03", 1}}));
  EXPECT_EQ(Shares(v1::MEASURE_KIND_FLOW, "2020-03-15"),
            (Expected{{"e 2020-03", 1}, {"b 2020-03", 1}, {"root 2020-03", 1}}));
}

TEST(Placements, BalancesMoveWithTheOrganisation) {
  using Expected = std::map<std::string, int>;
  EXPECT_EQ(Shares(v1::MEASURE_KIND_STOCK, "2020-01-10"), (Expected{{"e 2020-01", 1},
                                                                    {"a 2020-01", 1},
                                                                    {"a 2020-03", -1},
                                                                    {"b 2020-03", 1},
                                                                    {"root 2020-01", 1}}));
  // Within the month of the move the end of the month decides.
  EXPECT_EQ(Shares(v1::MEASURE_KIND_STOCK, "2020-03-01"),
            (Expected{{"e 2020-03", 1}, {"b 2020-03", 1}, {"root 2020-03", 1}}));
}

TEST(Evaluation, DistinctCountsASubjectOnceAndNotAfterItsCorrection) {
  const Measures measures = Loaded();
  const v1::Measure& measure = *measures.Find("skills_contest_trades");
  CellRows rows;
  rows.Add("fitter", "host=enterprise", "2020-01", 1, 1);
  rows.Add("fitter", "host=town_street", "2020-02", 1, 1);
  rows.Add("welder", "host=enterprise", "2020-01", 1, 1);
  rows.Add("welder", "host=enterprise", "2020-02", -1, -1);
  const SumsByGroup total = Evaluate(measure, rows, {}, {}, HalfYear());
  EXPECT_EQ(total.at({}).value, 1);
  EXPECT_EQ(total.at({}).records, 2);
  const SumsByGroup by_host = Evaluate(measure, rows, {}, {"host"}, HalfYear());
  EXPECT_EQ(by_host.at({{"host", "enterprise"}}).value, 1);
  EXPECT_EQ(by_host.at({{"host", "town_street"}}).value, 1);
}

TEST(Evaluation, MoneyAndRatiosArePrintedInTheirUnits) {
  const Measures measures = Loaded();
  EXPECT_EQ(FormatValue(*measures.Find("dispute_amount"), 833'100'000), "833.1");
  EXPECT_EQ(FormatValue(*measures.Find("mutual_aid_paid"), 97'150'000), "97.15");
  EXPECT_EQ(FormatValue(*measures.Find("model_worker_benefit_amount"), 17'016'000), "170160");
  const FigureScope scope{"demo", "D01", HalfYear(), {}};
  const v1::Measure& rate = *measures.Find("ankang_participation_rate");
  v1::Figure figure = MakeFigure(scope, rate, {}, {.sum = {9, 1}, .denominator = Sum{10, 1}});
  EXPECT_EQ(figure.text(), "90");
  EXPECT_EQ(figure.value(), 900'000);
  figure = MakeFigure(scope, rate, {}, {.sum = {9, 1}, .denominator = Sum{}});
  EXPECT_FALSE(figure.has_value());
}

}  // namespace
}  // namespace gonghui::reports
