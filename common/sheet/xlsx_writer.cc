#include "common/sheet/xlsx_writer.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "common/archive/xml_text.h"
#include "common/archive/zip.h"
#include "common/base/text.h"
#include "common/sheet/reader.h"

namespace gonghui::sheet {
namespace {

using archive::XmlText;

constexpr std::string_view kDeclaration =
    "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
constexpr std::string_view kMain = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
constexpr std::string_view kRelations =
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
constexpr std::string_view kPackageRelations =
    "http://schemas.openxmlformats.org/package/2006/relationships";
constexpr std::string_view kContent = "application/vnd.openxmlformats-officedocument.spreadsheetml";

// Cell formats by Cell::Kind: text (@), number, head.
constexpr std::string_view kStyles = R"(
<fonts count="2"><font><sz val="11"/><name val="宋体"/></font><font><b/><sz val="11"/><name val="黑体"/></font></fonts>
<fills count="3"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>
<fill><patternFill patternType="solid"><fgColor rgb="FFE7E6E6"/></patternFill></fill></fills>
<borders count="2"><border/><border><left style="thin"/><right style="thin"/><top style="thin"/><bottom style="thin"/></border></borders>
<cellStyleXfs count="1"><xf/></cellStyleXfs>
<cellXfs count="4"><xf xfId="0"/>
<xf numFmtId="49" borderId="1" applyNumberFormat="1" applyBorder="1" applyAlignment="1" xfId="0"><alignment vertical="center" wrapText="1"/></xf>
<xf borderId="1" applyBorder="1" applyAlignment="1" xfId="0"><alignment vertical="center"/></xf>
<xf fontId="1" fillId="2" borderId="1" applyFont="1" applyFill="1" applyBorder="1" applyAlignment="1" xfId="0"><alignment horizontal="center" vertical="center" wrapText="1"/></xf>
</cellXfs>)";

int StyleOf(Cell::Kind kind) {
  switch (kind) {
    case Cell::Kind::kNumber:
      return 2;
    case Cell::Kind::kHead:
      return 3;
    case Cell::Kind::kText:
      break;
  }
  return 1;
}

void AppendCell(const Cell& cell, std::string_view place, std::string* xml) {
  const int style = StyleOf(cell.kind);
  if (cell.text.empty()) {
    StrAppend(xml, "<c r=\"", place, "\" s=\"", style, "\"/>");
  } else if (cell.kind == Cell::Kind::kNumber) {
    StrAppend(xml, "<c r=\"", place, "\" s=\"", style, "\"><v>", XmlText(cell.text), "</v></c>");
  } else {
    StrAppend(xml, "<c r=\"", place, "\" s=\"", style,
              "\" t=\"inlineStr\"><is><t xml:space=\"preserve\">", XmlText(cell.text),
              "</t></is></c>");
  }
}

// Lines that wrapped text takes in a column; a Chinese character is as wide as two others. Lines
// break between words, so they are not quite full.
int LinesOf(std::string_view text, double column_width) {
  int width = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) width += 1;
    if (byte >= 0xC0) width += 2;
  }
  constexpr double kFilled = 0.75;
  return std::max(1, static_cast<int>(std::ceil(width / std::max(1.0, column_width * kFilled))));
}

// Programs do not measure wrapped rows of a new file by themselves.
void AppendHeight(const std::vector<Cell>& row, const std::vector<double>& widths,
                  std::string* xml) {
  constexpr double kLinePoints = 14.5;
  int lines = 1;
  for (size_t c = 0; c < row.size() && c < widths.size(); ++c) {
    if (row[c].kind != Cell::Kind::kNumber)
      lines = std::max(lines, LinesOf(row[c].text, widths[c]));
  }
  if (lines > 1) StrAppend(xml, " ht=\"", lines * kLinePoints, "\" customHeight=\"1\"");
}

std::string SheetXml(const Sheet& sheet) {
  std::string xml = StrCat(kDeclaration, "<worksheet xmlns=\"", kMain,
                           "\"><sheetPr><pageSetUpPr fitToPage=\"1\"/></sheetPr>");
  if (sheet.head_rows > 0) {
    StrAppend(&xml, "<sheetViews><sheetView workbookViewId=\"0\"><pane ySplit=\"", sheet.head_rows,
              "\" topLeftCell=\"A", sheet.head_rows + 1,
              "\" activePane=\"bottomLeft\" state=\"frozen\"/></sheetView></sheetViews>");
  }
  if (!sheet.widths.empty()) {
    xml += "<cols>";
    for (size_t i = 0; i < sheet.widths.size(); ++i) {
      StrAppend(&xml, "<col min=\"", i + 1, "\" max=\"", i + 1, "\" width=\"", sheet.widths[i],
                "\" customWidth=\"1\"/>");
    }
    xml += "</cols>";
  }
  xml += "<sheetData>";
  for (size_t r = 0; r < sheet.rows.size(); ++r) {
    StrAppend(&xml, "<row r=\"", r + 1, "\"");
    AppendHeight(sheet.rows[r], sheet.widths, &xml);
    xml += ">";
    for (size_t c = 0; c < sheet.rows[r].size(); ++c) {
      AppendCell(sheet.rows[r][c], StrCat(ColumnLetters(c), r + 1), &xml);
    }
    xml += "</row>";
  }
  return xml +
         "</sheetData><pageMargins left=\"0.5\" right=\"0.5\" top=\"0.6\" bottom=\"0.6\" "
         "header=\"0.3\" footer=\"0.3\"/><pageSetup paperSize=\"9\" orientation=\"landscape\" "
         "fitToHeight=\"0\"/><headerFooter><oddFooter>&amp;C&amp;P / &amp;N</oddFooter>"
         "</headerFooter></worksheet>";
}

std::string WorkbookXml(const std::vector<Sheet>& sheets) {
  std::string xml =
      StrCat(kDeclaration, "<workbook xmlns=\"", kMain, "\" xmlns:r=\"", kRelations, "\"><sheets>");
  std::string titles;
  for (size_t i = 0; i < sheets.size(); ++i) {
    const std::string name = XmlText(sheets[i].name);
    StrAppend(&xml, "<sheet name=\"", name, "\" sheetId=\"", i + 1, "\" r:id=\"s", i + 1, "\"/>");
    if (sheets[i].head_rows > 0) {
      StrAppend(&titles, "<definedName name=\"_xlnm.Print_Titles\" localSheetId=\"", i, "\">'",
                Replace(name, "'", "''"), "'!$1:$", sheets[i].head_rows, "</definedName>");
    }
  }
  xml += "</sheets>";
  if (!titles.empty()) StrAppend(&xml, "<definedNames>", titles, "</definedNames>");
  return xml + "</workbook>";
}

std::string ContentTypes(size_t sheets) {
  std::string xml =
      StrCat(kDeclaration,
             "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">"
             "<Default Extension=\"rels\" "
             "ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>"
             "<Override PartName=\"/xl/workbook.xml\" ContentType=\"",
             kContent, ".sheet.main+xml\"/><Override PartName=\"/xl/styles.xml\" ContentType=\"",
             kContent, ".styles+xml\"/>");
  for (size_t i = 1; i <= sheets; ++i) {
    StrAppend(&xml, "<Override PartName=\"/xl/worksheets/sheet", i, ".xml\" ContentType=\"",
              kContent, ".worksheet+xml\"/>");
  }
  return xml + "</Types>";
}

std::string WorkbookRelations(size_t sheets) {
  std::string xml = StrCat(kDeclaration, "<Relationships xmlns=\"", kPackageRelations, "\">");
  for (size_t i = 1; i <= sheets; ++i) {
    StrAppend(&xml, "<Relationship Id=\"s", i, "\" Type=\"", kRelations,
              "/worksheet\" Target=\"worksheets/sheet", i, ".xml\"/>");
  }
  return StrCat(xml, "<Relationship Id=\"styles\" Type=\"", kRelations,
                "/styles\" Target=\"styles.xml\"/></Relationships>");
}

}  // namespace

absl::StatusOr<std::string> WriteXlsx(const std::vector<Sheet>& sheets) {
  std::vector<archive::File> files = {
      {"[Content_Types].xml", ContentTypes(sheets.size())},
      {"_rels/.rels", StrCat(kDeclaration, "<Relationships xmlns=\"", kPackageRelations,
                             "\"><Relationship Id=\"workbook\" Type=\"", kRelations,
                             "/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>")},
      {"xl/workbook.xml", WorkbookXml(sheets)},
      {"xl/_rels/workbook.xml.rels", WorkbookRelations(sheets.size())},
      {"xl/styles.xml",
       StrCat(kDeclaration, "<styleSheet xmlns=\"", kMain, "\">", kStyles, "</styleSheet>")}};
  for (size_t i = 0; i < sheets.size(); ++i) {
    files.push_back({StrCat("xl/worksheets/sheet", i + 1, ".xml"), SheetXml(sheets[i])});
  }
  return archive::WriteZip(files);
}

}  // namespace gonghui::sheet
