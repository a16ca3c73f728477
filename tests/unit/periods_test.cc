// Periods of the catalogue and their neighbours.
#include "services/reports/periods.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "common/testing/matchers.h"

namespace gonghui::reports {
namespace {

using common::v1::REASON_PERIOD_INVALID;
using testing::HasReasonAt;
using testing::IsOk;

v1::PeriodKind Statistical() {
  v1::PeriodKind kind;
  kind.set_suffix("S");
  kind.set_first_month(10);
  kind.set_first_year(-1);
  kind.set_months(12);
  kind.set_citation("test");
  kind.mutable_label()->set_en("statistical year");
  return kind;
}

std::string TextOf(const std::optional<Period>& period) { return period ? period->text : "none"; }

TEST(Periods, TheStatisticalYearCrossesTheCalendarYear) {
  ASSERT_OK_AND_ASSIGN(const Periods periods, Periods::Load({Statistical()}));
  ASSERT_OK_AND_ASSIGN(const Period year, periods.Parse("2020s", "period"));
  EXPECT_EQ(year.text, "2020S");
  EXPECT_EQ(year.first_day, "2019-10-01");
  EXPECT_EQ(year.last_day, "2020-09-30");
  EXPECT_EQ(MonthsOf(year).size(), 12u);
  for (const char* text : {"0001S", "S", "20S", "2020T", "2020SS", "a020S", ""}) {
    const auto refused = periods.Parse(text, "period");
    EXPECT_THAT(refused, HasReasonAt(REASON_PERIOD_INVALID, "period")) << text;
    EXPECT_NE(refused.status().message().find("2020S (statistical year)"), absl::string_view::npos);
  }
}

TEST(Periods, NeighboursOfEachKind) {
  ASSERT_OK_AND_ASSIGN(const Periods periods, Periods::Load({Statistical()}));
  struct Case {
    const char *text, *year_before, *just_before;
  };
  for (const Case& c :
       {Case{"2020", "2019", "2019"}, Case{"2020H1", "2019H1", "2019H2"},
        Case{"2020H2", "2019H2", "2020H1"}, Case{"2020Q1", "2019Q1", "2019Q4"},
        Case{"2020Q3", "2019Q3", "2020Q2"}, Case{"2020-01", "2019-01", "2019-12"},
        Case{"2020-11", "2019-11", "2020-10"}, Case{"2020-05YTD", "2019-05YTD", "none"},
        Case{"2020S", "2019S", "2019S"}, Case{"0001", "none", "none"},
        Case{"0001Q1", "none", "none"}, Case{"0002S", "none", "none"}}) {
    ASSERT_OK_AND_ASSIGN(const Period period, periods.Parse(c.text, "period"));
    EXPECT_EQ(TextOf(periods.YearBefore(period)), c.year_before) << c.text;
    EXPECT_EQ(TextOf(periods.JustBefore(period)), c.just_before) << c.text;
  }
}

TEST(Periods, FaultsOfTheCatalogueAreNamed) {
  const auto refused = [](auto change) {
    v1::PeriodKind kind = Statistical();
    change(kind);
    return !Periods::Load({kind}).ok();
  };
  EXPECT_TRUE(refused([](v1::PeriodKind& kind) { kind.set_suffix("h1"); }));
  EXPECT_TRUE(refused([](v1::PeriodKind& kind) { kind.set_months(13); }));
  EXPECT_TRUE(refused([](v1::PeriodKind& kind) { kind.set_first_month(0); }));
  EXPECT_TRUE(refused([](v1::PeriodKind& kind) { kind.set_first_year(2); }));
  EXPECT_TRUE(refused([](v1::PeriodKind& kind) { kind.clear_citation(); }));
  EXPECT_FALSE(Periods::Load({Statistical(), Statistical()}).ok());
}

}  // namespace
}  // namespace gonghui::reports
