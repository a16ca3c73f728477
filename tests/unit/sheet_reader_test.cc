// Tables out of workbooks as other programs write them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "common/archive/zip.h"
#include "common/sheet/csv.h"
#include "common/sheet/reader.h"
#include "common/sheet/xlsx_writer.h"
#include "common/testing/matchers.h"

namespace gonghui::sheet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kRelation[] = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/";

// A workbook with prefixes, shared strings in runs, a date, a formula, a merged and a hidden part.
absl::StatusOr<std::string> Workbook(const std::string& rows) {
  return archive::WriteZip({
      {"_rels/.rels",
       absl::StrCat("<Relationships><Relationship Id=\"a\" Type=\"", kRelation,
                    "officeDocument\" Target=\"/xl/workbook.xml\"/></Relationships>")},
      {"xl/workbook.xml",
       "<x:workbook xmlns:x=\"m\" xmlns:r=\"r\"><x:sheets><x:sheet name=\"hidden\" "
       "state=\"hidden\" "
       "r:id=\"s2\"/><x:sheet name=\"表\" r:id=\"s1\"/></x:sheets></x:workbook>"},
      {"xl/_rels/workbook.xml.rels",
       absl::StrCat("<Relationships><Relationship Id=\"s1\" Type=\"", kRelation,
                    "worksheet\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"t\" Type=\"",
                    kRelation,
                    "sharedStrings\" Target=\"sharedStrings.xml\"/><Relationship Id=\"u\" "
                    "Type=\"",
                    kRelation,
                    "styles\" Target=\"../xl/styles.xml\"/>"
                    "</Relationships>")},
      {"xl/sharedStrings.xml",
       "<sst><si><t>甲</t></si><si><r><t>会员</t></r><r><t xml:space=\"preserve\"> 数</t></r>"
       "<rPh><t>x</t></rPh></si></sst>"},
      {"xl/styles.xml",
       "<styleSheet><numFmts><numFmt numFmtId=\"170\" "
       "formatCode=\"yyyy&quot;年&quot;m\"/></numFmts>"
       "<cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"170\"/></cellXfs>"
       "</styleSheet>"},
      {"xl/worksheets/sheet1.xml", absl::StrCat("<x:worksheet xmlns:x=\"m\"><x:sheetData>", rows,
                                                "</x:sheetData></x:worksheet>")},
  });
}

Cells FirstRow(const std::string& cells) {
  const auto bytes = Workbook(absl::StrCat("<x:row r=\"1\">", cells, "</x:row>"));
  EXPECT_THAT(bytes, testing::IsOk());
  const auto tables = ReadTables(*bytes);
  EXPECT_THAT(tables, testing::IsOk());
  return tables.ok() && !tables->front().rows.empty() ? tables->front().rows[0] : Cells();
}

TEST(SheetReader, ReadsWhatSpreadsheetsKeep) {
  EXPECT_THAT(FirstRow("<x:c t=\"s\"><x:v>0</x:v></x:c><x:c t=\"s\"><x:v>1</x:v></x:c>"
                       "<x:c t=\"inlineStr\"><x:is><x:t>乙</x:t></x:is></x:c>"
                       "<x:c t=\"str\"><x:f>A1</x:f><x:v>丙</x:v></x:c>"),
              ElementsAre("甲", "会员 数", "乙", "丙"));
  EXPECT_THAT(FirstRow("<x:c r=\"C1\"><x:v>0.30000000000000004</x:v></x:c>"
                       "<x:c><x:v>1.2E3</x:v></x:c><x:c t=\"b\"><x:v>1</x:v></x:c>"
                       "<x:c t=\"e\"><x:v>#DIV/0!</x:v></x:c>"),
              ElementsAre("", "", "0.3", "1200", "TRUE", "#DIV/0!"));
  EXPECT_THAT(FirstRow("<x:c s=\"1\"><x:v>43831</x:v></x:c><x:c s=\"2\"><x:v>59</x:v></x:c>"
                       "<x:c><x:v>43831</x:v></x:c>"),
              ElementsAre("2020-01-01", "1900-02-28", "43831"));
}

TEST(SheetReader, KeepsTheNumbersOfRows) {
  ASSERT_OK_AND_ASSIGN(const std::string bytes,
                       Workbook("<x:row r=\"3\"><x:c r=\"B3\"><x:v>7</x:v></x:c></x:row>"));
  ASSERT_OK_AND_ASSIGN(const auto tables, ReadTables(bytes));
  ASSERT_EQ(tables.size(), 1);  // Hidden sheets are left out.
  EXPECT_EQ(tables[0].name, "表");
  ASSERT_EQ(tables[0].rows.size(), 3);
  EXPECT_THAT(tables[0].rows[0], IsEmpty());
  EXPECT_THAT(tables[0].rows[2], ElementsAre("", "7"));
}

TEST(SheetReader, ReadsWhatTheWriterWrites) {
  Sheet sheet;
  sheet.name = "表";
  sheet.rows = {{{"姓名", Cell::Kind::kHead}, {"=1+1", Cell::Kind::kText}},
                {{"012", Cell::Kind::kText}, {"12.5", Cell::Kind::kNumber}}};
  ASSERT_OK_AND_ASSIGN(const std::string bytes, WriteXlsx({sheet}));
  ASSERT_OK_AND_ASSIGN(const auto tables, ReadTables(bytes));
  EXPECT_THAT(tables[0].rows, ElementsAre(Cells{"姓名", "=1+1"}, Cells{"012", "12.5"}));
  EXPECT_EQ(WriteCsv(sheet), "\xEF\xBB\xBF姓名,'=1+1\n012,12.5\n");
}

TEST(SheetReader, RefusesWhatIsNoTable) {
  using common::v1::REASON_FILE_UNREADABLE;
  EXPECT_THAT(ReadTables("PK\x03\x04"), testing::HasReason(REASON_FILE_UNREADABLE));
  EXPECT_THAT(ReadTables("\xD0\xCF\x11\xE0 old"), testing::HasReason(REASON_FILE_UNREADABLE));
  for (const char* place : {"A0", "1A", "AAAAA1", "A9999999"}) {
    ASSERT_OK_AND_ASSIGN(
        const std::string bytes,
        Workbook(absl::StrCat("<x:row><x:c r=\"", place, "\"><x:v>1</x:v></x:c></x:row>")));
    EXPECT_THAT(ReadTables(bytes), testing::HasReason(REASON_FILE_UNREADABLE)) << place;
  }
  std::string wide;  // Each cell far to the right.
  for (int row = 1; row <= 200; ++row) {
    absl::StrAppend(&wide, "<x:row><x:c r=\"XFD", row, "\"><x:v>1</x:v></x:c></x:row>");
  }
  ASSERT_OK_AND_ASSIGN(const std::string bomb, Workbook(wide));
  EXPECT_THAT(ReadTables(bomb), testing::HasReason(REASON_FILE_UNREADABLE));
}

TEST(SheetReader, NamesColumns) {
  EXPECT_EQ(ColumnLetters(0), "A");
  EXPECT_EQ(ColumnLetters(25), "Z");
  EXPECT_EQ(ColumnLetters(27), "AB");
}

}  // namespace
}  // namespace gonghui::sheet
