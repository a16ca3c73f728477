// Rows of files that come piece by piece.
#include "common/sheet/row_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "common/sheet/headings.h"
#include "common/sheet/reader.h"
#include "common/sheet/table_stream.h"
#include "common/testing/matchers.h"

namespace gonghui::sheet {
namespace {

using ::testing::ElementsAre;

std::vector<Cells> RowsOf(const std::string& bytes) {
  archive::BytesInMemory source(bytes);
  auto rows = OpenRows(source);
  EXPECT_THAT(rows, testing::IsOk());
  std::vector<Cells> all;
  Cells cells;
  for (auto more = (*rows)->Next(cells); more.ok() && *more; more = (*rows)->Next(cells)) {
    EXPECT_EQ((*rows)->row(), static_cast<int64_t>(all.size()) + 1);
    all.push_back(cells);
  }
  // The end stays the end.
  const auto after = (*rows)->Next(cells);
  EXPECT_THAT(after, testing::IsOk());
  EXPECT_FALSE(*after);
  return all;
}

// Characters of two and three bytes, quotes and line ends lie across every possible border of
// pieces: each row is three bytes longer than the one before.
TEST(RowReader, JoinsPieces) {
  std::string utf8, gb;
  std::vector<Cells> wanted;
  for (int row = 0; row < 900; ++row) {
    const std::string filler(static_cast<size_t>(row % 251), 'x');
    wanted.push_back({absl::StrCat("张", filler), "一\"二\r\n三", absl::StrCat(row)});
    absl::StrAppend(&utf8, "张", filler, ",\"一\"\"二\r\n三\",", row, row % 2 == 0 ? "\r\n" : "\n");
    absl::StrAppend(&gb, "\xD5\xC5", filler, ",\"\xD2\xBB\"\"\xB6\xFE\r\n\xC8\xFD\",", row, "\n");
  }
  ASSERT_GT(utf8.size(), 100'000u);
  EXPECT_EQ(RowsOf(utf8), wanted);
  EXPECT_EQ(RowsOf("\xEF\xBB\xBF" + utf8), wanted);
  EXPECT_EQ(RowsOf(gb), wanted);
}

TEST(RowReader, RefusesAQuotationMarkThatIsNotClosed) {
  const std::string text = "a,b\nc,\"d\n" + std::string(3 << 20, 'x');
  archive::BytesInMemory source(text);
  ASSERT_OK_AND_ASSIGN(const auto rows, OpenRows(source));
  Cells cells;
  auto more = rows->Next(cells);
  while (more.ok() && *more) more = rows->Next(cells);
  EXPECT_THAT(more, testing::HasReason(common::v1::REASON_FIELD_INVALID));
}

TEST(TableStream, WritesWhatTheReaderReads) {
  for (const auto format : {TableStream::Format::kCsv, TableStream::Format::kXlsx}) {
    std::string out, file;
    const auto stream = TableStream::Begin(format, out);
    std::vector<Cells> wanted = {{"姓名", "证件号码"}};
    stream->Add(wanted[0], true);
    for (int row = 0; row < 3000; ++row) {
      wanted.push_back({absl::StrCat("<", row, "&\">"), "0123456789012345678"});
      stream->Add(wanted.back());
      file += out;  // Taken away as it comes.
      out.clear();
    }
    ASSERT_THAT(stream->Finish(), testing::IsOk());
    EXPECT_EQ(RowsOf(file + out), wanted);
  }
}

TEST(TableStream, LeavesNoFormulaInCsv) {
  std::string out;
  TableStream::Begin(TableStream::Format::kCsv, out)->Add({"=1+1", "-1", "@x", "+86", "a=1"});
  EXPECT_EQ(out, "\xEF\xBB\xBF'=1+1,'-1,'@x,'+86,a=1\n");
}

TEST(Headings, FindsNamesLabelsAndAliases) {
  common::v1::KindField field;
  field.set_name("id_number");
  field.mutable_label()->set_zh("证件号码");
  field.add_aliases("身份证号");
  const Headings headings = HeadingsOf({common::v1::KindField(), field});
  for (const char* heading : {"id_number", " 证件号码* ", "身份证号（18位）", "ＩＤ_Number"}) {
    EXPECT_EQ(headings.Find(heading), 1) << heading;
  }
  EXPECT_EQ(headings.Find("姓名"), -1);
}

}  // namespace
}  // namespace gonghui::sheet
