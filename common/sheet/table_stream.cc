#include "common/sheet/table_stream.h"

#include <utility>

#include "common/archive/xml_text.h"
#include "common/archive/zip_stream.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::sheet {
namespace {

constexpr int64_t kRowsMost = 1'048'576;  // Of the format.

constexpr std::string_view kXml = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
#define OOXML "http://schemas.openxmlformats.org/"
#define OFFICE OOXML "officeDocument/2006/relationships"
#define MAIN "xmlns=\"" OOXML "spreadsheetml/2006/main\""
constexpr std::string_view kTypes =
    "<Types xmlns=\"" OOXML
    "package/2006/content-types\"><Default Extension=\"rels\" "
    "ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Override "
    "PartName=\"/xl/workbook.xml\" "
    "ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/>"
    "<Override PartName=\"/xl/worksheets/sheet1.xml\" "
    "ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/>"
    "<Override PartName=\"/xl/styles.xml\" "
    "ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml\"/>"
    "</Types>";
constexpr std::string_view kTop =
    "<Relationships xmlns=\"" OOXML
    "package/2006/relationships\"><Relationship Id=\"rId1\" "
    "Type=\"" OFFICE "/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>";
constexpr std::string_view kWorkbook = "<workbook " MAIN " xmlns:r=\"" OFFICE
                                       "\"><sheets><sheet name=\"会员\" sheetId=\"1\" "
                                       "r:id=\"rId1\"/></sheets></workbook>";
constexpr std::string_view kWorkbookRelations =
    "<Relationships xmlns=\"" OOXML
    "package/2006/relationships\"><Relationship Id=\"rId1\" "
    "Type=\"" OFFICE
    "/worksheet\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"rId2\" "
    "Type=\"" OFFICE "/styles\" Target=\"styles.xml\"/></Relationships>";
// Style 1: text. Style 2: text in bold.
constexpr std::string_view kStyles =
    "<styleSheet " MAIN
    "><fonts count=\"2\"><font><sz val=\"11\"/><name val=\"宋体\"/></font><font><b/><sz "
    "val=\"11\"/><name val=\"宋体\"/></font></fonts><fills count=\"2\"><fill><patternFill "
    "patternType=\"none\"/></fill><fill><patternFill patternType=\"gray125\"/></fill></fills>"
    "<borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders>"
    "<cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" "
    "borderId=\"0\"/></cellStyleXfs><cellXfs count=\"3\"><xf numFmtId=\"0\" fontId=\"0\" "
    "fillId=\"0\" borderId=\"0\" xfId=\"0\"/><xf numFmtId=\"49\" fontId=\"0\" fillId=\"0\" "
    "borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/><xf numFmtId=\"49\" fontId=\"1\" "
    "fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\" "
    "applyFont=\"1\"/></cellXfs></styleSheet>";
constexpr std::string_view kSheet =
    "<worksheet " MAIN
    "><cols><col min=\"1\" max=\"64\" width=\"16\" style=\"1\"/></cols>"
    "<sheetData>";
constexpr std::string_view kSheetEnd = "</sheetData></worksheet>";

class XlsxStream : public TableStream {
 public:
  explicit XlsxStream(std::string& out) : zip_(out) {
    const std::pair<const char*, std::string_view> parts[] = {
        {"[Content_Types].xml", kTypes}, {"_rels/.rels", kTop},
        {"xl/workbook.xml", kWorkbook},  {"xl/_rels/workbook.xml.rels", kWorkbookRelations},
        {"xl/styles.xml", kStyles},      {"xl/worksheets/sheet1.xml", kSheet}};
    for (const auto& [name, text] : parts) {
      zip_.Begin(name);
      zip_.Write(StrCat(kXml, text));
    }
  }
  void Add(const Cells& cells, bool heading) override {
    ++rows_;
    std::string xml = "<row>";
    for (const std::string& cell : cells) {
      if (cell.empty()) {
        xml += "<c/>";
        continue;
      }
      StrAppend(&xml, "<c t=\"inlineStr\" s=\"", heading ? 2 : 1,
                "\"><is><t xml:space=\"preserve\">", archive::XmlText(cell), "</t></is></c>");
    }
    xml += "</row>";
    zip_.Write(xml);
  }
  absl::Status Finish() override {
    zip_.Write(kSheetEnd);
    RETURN_IF_ERROR(zip_.Finish());
    if (rows_ <= kRowsMost) return absl::OkStatus();
    return ResourceExhausted(
        common::v1::REASON_STORAGE_FULL,
        "a workbook holds no more than 1048576 rows; choose CSV, or fewer rows",
        "工作簿最多 1048576 行，请改用 CSV 或缩小范围");
  }

 private:
  archive::ZipStream zip_;
  int64_t rows_ = 0;
};

class CsvStream : public TableStream {
 public:
  explicit CsvStream(std::string& out) : out_(out) { out_ += "\xEF\xBB\xBF"; }
  void Add(const Cells& cells, bool) override {
    Cells safe;
    for (const std::string& cell : cells) safe.push_back(WithoutFormula(cell));
    out_ += CsvLine(safe);
  }
  absl::Status Finish() override { return absl::OkStatus(); }

 private:
  std::string& out_;
};

}  // namespace

std::unique_ptr<TableStream> TableStream::Begin(Format format, std::string& out) {
  if (format == Format::kCsv) return std::make_unique<CsvStream>(out);
  return std::make_unique<XlsxStream>(out);
}

}  // namespace gonghui::sheet
