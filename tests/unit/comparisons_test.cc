// 同比 and 环比: the change, the difference, and where there is none.
#include "services/reports/comparisons.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "common/testing/matchers.h"

namespace gonghui::reports {
namespace {

v1::Measure Of(v1::MeasureKind kind, const std::string& unit) {
  v1::Measure measure;
  measure.set_name("m");
  measure.set_kind(kind);
  measure.set_unit(unit);
  return measure;
}

const Period kBase = *ParsePeriod("2019");

// "base|difference|change", "-" for no change.
std::string Said(const v1::Measure& measure, const Outcome& now, const Outcome& base) {
  const v1::ComparedFigure compared =
      Compare(v1::COMPARISON_YEAR_ON_YEAR, measure, kBase, now, base);
  EXPECT_EQ(compared.base_period(), "2019");
  EXPECT_EQ(compared.has_change(), !compared.change_text().empty());
  return compared.base_text() + "|" + compared.difference_text() + "|" +
         (compared.has_change() ? compared.change_text() : "-");
}

Outcome Counted(int64_t value, int64_t records = 1) {
  return {.sum = {value, records}, .denominator = {}};
}

Outcome Ratio(int64_t numerator, int64_t denominator) {
  return {.sum = {numerator, 1}, .denominator = Sum{denominator, 1}};
}

TEST(Comparisons, ChangeOverTheSizeOfTheBase) {
  const v1::Measure count = Of(v1::MEASURE_KIND_FLOW, "visit");
  EXPECT_EQ(Said(count, Counted(9), Counted(8)), "8|1|12.5");
  EXPECT_EQ(Said(count, Counted(97), Counted(100)), "100|-3|-3");
  EXPECT_EQ(Said(count, Counted(8), Counted(8)), "8|0|0");
  EXPECT_EQ(Said(count, Counted(5), Counted(-10)), "-10|15|150");
  EXPECT_EQ(Said(count, Counted(-20), Counted(-10)), "-10|-10|-100");
  // Half a hundredth goes away from zero: 1/8 % and -1/8 %.
  EXPECT_EQ(Said(count, Counted(801), Counted(800)), "800|1|0.13");
  EXPECT_EQ(Said(count, Counted(799), Counted(800)), "800|-1|-0.13");
}

TEST(Comparisons, NoChangeFromZeroOrNothing) {
  const v1::Measure count = Of(v1::MEASURE_KIND_STOCK, "file");
  EXPECT_EQ(Said(count, Counted(9), Counted(0)), "0|9|-");
  EXPECT_EQ(Said(count, Counted(9), Counted(0, 0)), "||-");
}

TEST(Comparisons, MoneyInItsUnit) {
  const v1::Measure money = Of(v1::MEASURE_KIND_MONEY, "wan_yuan");
  EXPECT_EQ(Said(money, Counted(97'150'000), Counted(94'000'000)), "94|3.15|3.35");
}

TEST(Comparisons, RatiosDifferByPercentagePoints) {
  const v1::Measure rate = Of(v1::MEASURE_KIND_RATIO, "%");
  EXPECT_EQ(Said(rate, Ratio(9, 10), Ratio(7, 8)), "87.5|2.5|2.5");
  // 2/3 - 1/3 from exact parts, rounded once.
  EXPECT_EQ(Said(rate, Ratio(2, 3), Ratio(1, 3)), "33.33|33.33|33.33");
  EXPECT_EQ(Said(rate, Ratio(2, 3), Ratio(1, 0)), "||-");
  EXPECT_EQ(Said(rate, Ratio(2, 0), Ratio(1, 2)), "50||-");
  EXPECT_EQ(Said(Of(v1::MEASURE_KIND_RATIO, "copy"), Ratio(5, 2), Ratio(1, 1)), "1|1.5|1.5");
}

TEST(Comparisons, WhatDoesNotFitHasNoChange) {
  const int64_t most = std::numeric_limits<int64_t>::max();
  const v1::Measure rate = Of(v1::MEASURE_KIND_RATIO, "%");
  EXPECT_EQ(Said(rate, Ratio(most, most), Ratio(1, most)), "0||-");
  const v1::Measure count = Of(v1::MEASURE_KIND_FLOW, "visit");
  EXPECT_FALSE(
      Compare(v1::COMPARISON_YEAR_ON_YEAR, count, kBase, Counted(most), Counted(1)).has_change());
}

TEST(Comparisons, AMonthStandsBesideAMonth) {
  ASSERT_OK_AND_ASSIGN(const Periods periods, Periods::Load({}));
  const Period year = *ParsePeriod("2020");
  DimensionFilter filter;
  filter.months = {"2020-01"};
  const auto before = BaseOf(periods, v1::COMPARISON_PERIOD_ON_PERIOD, year, filter);
  ASSERT_TRUE(before.has_value());
  EXPECT_EQ(before->period.text, "2019-12");
  EXPECT_TRUE(before->filter.months.empty());
  filter.months = {"2020-01", "2020-03"};
  EXPECT_FALSE(BaseOf(periods, v1::COMPARISON_PERIOD_ON_PERIOD, year, filter).has_value());
  const auto both = BaseOf(periods, v1::COMPARISON_YEAR_ON_YEAR, year, filter);
  ASSERT_TRUE(both.has_value());
  EXPECT_EQ(both->filter.months, (std::set<std::string>{"2019-01", "2019-03"}));
}

}  // namespace
}  // namespace gonghui::reports
