// Encodings, CSV files, headings.
#include "services/cli/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "common/base/status.h"
#include "services/cli/table.h"
#include "services/cli/text.h"

namespace gonghui::cli {
namespace {

using ::testing::ElementsAre;

std::vector<Cells> Rows(std::string_view text) {
  const auto file = ParseCsv(text);
  EXPECT_TRUE(file.ok()) << file.status();
  return file.ok() ? file->rows : std::vector<Cells>();
}

TEST(Csv, ReadsQuotesAndAllLineEnds) {
  EXPECT_THAT(
      Rows("a,b\r\n\"x,\"\"y\"\"\",\"two\nlines\"\rlast,\n\n"),
      ElementsAre(Cells{"a", "b"}, Cells{"x,\"y\"", "two\nlines"}, Cells{"last", ""}, Cells{""}));
}

TEST(Csv, LastLineNeedsNoEnd) {
  EXPECT_THAT(Rows("a,b\n1,2"), ElementsAre(Cells{"a", "b"}, Cells{"1", "2"}));
}

TEST(Csv, SniffsTheSeparatorFromTheFirstLineWithText) {
  EXPECT_THAT(Rows("\n编号;名称,全称;日期\n1;x;y\n")[2], ElementsAre("1", "x", "y"));
  EXPECT_THAT(Rows("a\tb\n1,5\t2\n")[1], ElementsAre("1,5", "2"));
  EXPECT_THAT(Rows("\"a;b;c\",d\n1,2\n")[1], ElementsAre("1", "2"));
}

TEST(Csv, NamesTheRowOfAnOpenQuote) {
  const auto file = ParseCsv("a,b\n1,2\n\"x,3\n4,5\n");
  EXPECT_EQ(ReasonOf(file.status()), common::v1::REASON_FIELD_INVALID);
  EXPECT_THAT(MetadataOf(file.status()), ElementsAre(std::make_pair("row", "3")));
}

TEST(Csv, WritesWhatItReads) {
  std::mt19937 random(20200630);
  for (int round = 0; round < 500; ++round) {
    Cells cells(1 + random() % 4);
    for (std::string& cell : cells) {
      for (size_t i = random() % 6; i > 0; --i) cell += "a,\"\n; "[random() % 6];
    }
    EXPECT_THAT(Rows("h,h,h,h\n" + CsvLine(cells))[1], cells);
  }
}

TEST(Text, DecodesUtf8WithAndWithoutMark) {
  EXPECT_EQ(*DecodeText("工会"), "工会");
  EXPECT_EQ(*DecodeText("\xEF\xBB\xBF工会"), "工会");
}

TEST(Text, DecodesGb18030AndUtf16) {
  EXPECT_EQ(*DecodeText("\xB9\xA4\xBB\xE1,1\n"), "工会,1\n");
  EXPECT_EQ(*DecodeText("\x82\x32\xA4\x33"), "\xE3\xBF\xA8");  // Four bytes, outside GBK.
  EXPECT_EQ(*DecodeText(std::string_view("\xFF\xFE\xE5\x5D,\0", 6)), "工,");
}

TEST(Text, RefusesWorkbooksAndBytes) {
  EXPECT_THAT(std::string(DecodeText("PK\x03\x04...").status().message()),
              ::testing::HasSubstr("workbook"));
  EXPECT_FALSE(DecodeText(std::string_view("a\0b", 3)).ok());
  EXPECT_FALSE(DecodeText("\x81\x20\xFF").ok());
}

TEST(Text, Utf8IsStrict) {
  EXPECT_TRUE(IsUtf8("𠀀工a"));
  EXPECT_FALSE(IsUtf8("\xC0\xAF"));          // Overlong.
  EXPECT_FALSE(IsUtf8("\xED\xA0\x80"));      // Surrogate.
  EXPECT_FALSE(IsUtf8("\xE5\xB7"));          // Cut.
  EXPECT_FALSE(IsUtf8("\xF4\x90\x80\x80"));  // Above U+10FFFF.
}

TEST(Text, NormalisesWidthAndSpace) {
  EXPECT_EQ(Halfwidth("２０２０－０１（Ａ）"), "2020-01(A)");
  EXPECT_EQ(Trimmed("　 \t工 会\u00A0 \n"), "工 会");
  EXPECT_EQ(HeadingKey(" ＊所属工会 （编码）"), HeadingKey("所属工会(编码)"));
  EXPECT_EQ(WithoutBrackets("金额（元）"), "金额");
}

TEST(Text, FindsTheNearestHeading) {
  EXPECT_EQ(Nearest("所属公会", {"编号", "所属工会", "日期"}), "所属工会");
  EXPECT_EQ(Nearest("organisation", {"number", "organization"}), "organization");
  EXPECT_EQ(Nearest("xyz", {"number", "organization"}), "");
}

TEST(Table, AlignsIdeographs) {
  Table table({"名", ">n"});
  table.Add({"工会", "1"});
  table.Add({"ab", "10"});
  EXPECT_EQ(table.Text(), "名     n\n----  --\n工会   1\nab    10\n");
}

TEST(Files, WritesWholeFilesOnly) {
  const std::string folder = ::testing::TempDir() + "/csv_test";
  std::filesystem::create_directories(folder);
  ASSERT_TRUE(WriteFile(folder + "/a", "text").ok());
  EXPECT_EQ(*ReadFile(folder + "/a"), "text");
  EXPECT_FALSE(WriteFile(folder + "/missing/a", "text").ok());
  EXPECT_EQ(ReasonOf(ReadFile(folder + "/b").status()), common::v1::REASON_NOT_FOUND);
  EXPECT_FALSE(ReadFile(folder).ok());
}

}  // namespace
}  // namespace gonghui::cli
