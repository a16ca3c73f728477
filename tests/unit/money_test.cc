#include "common/base/money.h"

#include <cstdint>
#include <random>

#include "common/testing/matchers.h"
#include "gtest/gtest.h"

namespace gonghui {
namespace {

using common::v1::REASON_AMOUNT_INVALID;
using testing::HasReason;

TEST(MoneyTest, ParsesYuan) {
  const std::pair<std::string_view, int64_t> good[] = {{"0", 0},
                                                       {"1409.5", 140950},
                                                       {"1409.50", 140950},
                                                       {"-3", -300},
                                                       {"-0.01", -1},
                                                       {"1,409.50", 140950},
                                                       {" 12 ", 1200},
                                                       {"12,345,678", 1234567800},
                                                       {"007", 700},
                                                       {"92233720368547758.07", INT64_MAX},
                                                       {"-92233720368547758.08", INT64_MIN}};
  for (const auto& [text, fen] : good) {
    const auto parsed = ParseYuan(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(*parsed, fen) << text;
  }
}

TEST(MoneyTest, RefusesWhatIsNoAmount) {
  for (std::string_view text : {"", "-", ".", ".5", "1.", "1.234", "1e3", "12,34", "1,2345", ",123",
                                "1234,567", "+1", "--1", "1 2", "￥1", "92233720368547758.08"}) {
    EXPECT_THAT(ParseYuan(text), HasReason(REASON_AMOUNT_INVALID)) << text;
  }
}

TEST(MoneyTest, FormatsBack) {
  EXPECT_EQ(FormatYuan(140950), "1409.50");
  EXPECT_EQ(FormatYuan(-1), "-0.01");
  EXPECT_EQ(FormatYuan(INT64_MIN), "-92233720368547758.08");
  std::mt19937_64 random(20200513);
  for (int i = 0; i < 1000; ++i) {
    const auto fen = static_cast<int64_t>(random());
    EXPECT_EQ(ParseYuan(FormatYuan(fen)).value(), fen);
  }
}

TEST(MoneyTest, SumsAreChecked) {
  EXPECT_EQ(AddChecked(2, -5).value(), -3);
  EXPECT_THAT(AddChecked(INT64_MAX, 1), HasReason(REASON_AMOUNT_INVALID));
  EXPECT_THAT(AddChecked(INT64_MIN, -1), HasReason(REASON_AMOUNT_INVALID));
}

TEST(MoneyTest, ProportionsRoundHalfAwayFromZero) {
  EXPECT_EQ(MulDivRound(5, 1, 2).value(), 3);
  EXPECT_EQ(MulDivRound(-5, 1, 2).value(), -3);
  EXPECT_EQ(MulDivRound(4, 1, 3).value(), 1);
  EXPECT_EQ(MulDivRound(-5, 1, 3).value(), -2);
  EXPECT_EQ(MulDivRound(INT64_MAX, 2, 2).value(), INT64_MAX);
  EXPECT_THAT(MulDivRound(INT64_MAX, 2, 1), HasReason(REASON_AMOUNT_INVALID));
  EXPECT_THAT(MulDivRound(1, 1, 0), HasReason(REASON_AMOUNT_INVALID));
}

TEST(MoneyTest, FormatsScaledValues) {
  EXPECT_EQ(FormatScaled(83310000, 6, 1), "83.3");
  EXPECT_EQ(FormatScaled(83350000, 6, 1), "83.4");
  EXPECT_EQ(FormatScaled(-83350000, 6, 1), "-83.4");
  EXPECT_EQ(FormatScaled(-400, 4, 1), "0.0");
  EXPECT_EQ(FormatScaled(7, 0, 0), "7");
  EXPECT_EQ(FormatScaled(0, 0, 2), "0.00");
  EXPECT_EQ(FormatScaled(15, 1, 3), "1.500");
  EXPECT_EQ(FormatScaled(999, 3, 0), "1");
}

}  // namespace
}  // namespace gonghui
