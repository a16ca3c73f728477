#include "common/base/date.h"

#include "common/testing/matchers.h"
#include "gtest/gtest.h"

namespace gonghui {
namespace {

using testing::HasReason;

TEST(DateTest, ParsesIsoStrictly) {
  ASSERT_OK_AND_ASSIGN(const absl::CivilDay day, ParseDate("2020-02-29"));
  EXPECT_EQ(FormatDate(day), "2020-02-29");
  EXPECT_EQ(FormatDate(ParseDate(kForever).value()), kForever);
  for (std::string_view text :
       {"", "2020-2-29", "2021-02-29", "2020-13-01", "2020-00-10", "2020-01-00", "0000-01-01",
        "2020-01-01 ", "2020/01/01", "20-01-01"}) {
    EXPECT_THAT(ParseDate(text), HasReason(common::v1::REASON_FIELD_INVALID)) << text;
  }
}

TEST(DateTest, NormalizesSpreadsheetForms) {
  for (std::string_view text :
       {"20240105", "2024-01-05", "2024/1/5", "2024.1.5", "2024年1月5日", " 2024-1-5 "}) {
    EXPECT_EQ(NormalizeDate(text).value_or("refused"), "2024-01-05") << text;
  }
  for (std::string_view text : {"", "2024", "202415", "2024-1", "5.1.2024", "2024-1-5-1", "24-1-5",
                                "2024年13月5日", "20240230", "2024-x-5"}) {
    EXPECT_THAT(NormalizeDate(text), HasReason(common::v1::REASON_FIELD_INVALID)) << text;
  }
}

TEST(DateTest, ParsesPeriods) {
  struct Case {
    std::string_view text, first_day, last_day, first_month, last_month;
  };
  for (const Case& c : {Case{"2020", "2020-01-01", "2020-12-31", "2020-01", "2020-12"},
                        Case{"2020H1", "2020-01-01", "2020-06-30", "2020-01", "2020-06"},
                        Case{"2020h2", "2020-07-01", "2020-12-31", "2020-07", "2020-12"},
                        Case{"2020q1", "2020-01-01", "2020-03-31", "2020-01", "2020-03"},
                        Case{"2020Q4", "2020-10-01", "2020-12-31", "2020-10", "2020-12"},
                        Case{"2020-02", "2020-02-01", "2020-02-29", "2020-02", "2020-02"},
                        Case{"2020-05ytd", "2020-01-01", "2020-05-31", "2020-01", "2020-05"},
                        Case{"2020-12YTD", "2020-01-01", "2020-12-31", "2020-01", "2020-12"},
                        Case{"2021-12", "2021-12-01", "2021-12-31", "2021-12", "2021-12"}}) {
    ASSERT_OK_AND_ASSIGN(const Period period, ParsePeriod(c.text));
    EXPECT_EQ(period.first_day, c.first_day);
    EXPECT_EQ(period.last_day, c.last_day);
    EXPECT_EQ(period.first_month, c.first_month);
    EXPECT_EQ(period.last_month, c.last_month);
  }
  EXPECT_EQ(ParsePeriod("2020h1")->text, "2020H1");
  EXPECT_EQ(ParsePeriod("2020-05ytd")->text, "2020-05YTD");
  EXPECT_EQ(MonthsOf(*ParsePeriod("2020Q4")),
            (std::vector<std::string>{"2020-10", "2020-11", "2020-12"}));
  EXPECT_EQ(MonthsOf(PeriodOf("2020S", absl::CivilMonth(2019, 10), 12)).size(), 12u);
  EXPECT_EQ(PeriodOf("2020S", absl::CivilMonth(2019, 10), 12).last_day, "2020-09-30");
  for (std::string_view text :
       {"", "202", "20200", "2020H", "2020H0", "2020H3", "2020Q5", "2020Q01", "2020-1", "2020-13",
        "2020-00", "2020-001", "H1", "0000", "2020X1", "2020-13YTD", "2020YTD", "2020-05YT"}) {
    EXPECT_THAT(ParsePeriod(text), HasReason(common::v1::REASON_PERIOD_INVALID)) << text;
  }
}

}  // namespace
}  // namespace gonghui
