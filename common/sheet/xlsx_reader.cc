#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>

#include "absl/strings/str_format.h"
#include "common/archive/zip.h"
#include "common/base/date.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/sheet/csv.h"
#include "common/sheet/reader.h"
#include "common/sheet/text.h"
#include "pugixml.hpp"

namespace gonghui::sheet {
namespace {

constexpr size_t kCellsMost = 2'000'000;
constexpr size_t kRowsMost = 1'048'576;  // Of the format.
constexpr size_t kColumnsMost = 16'384;

absl::Status Unreadable(std::string_view why, std::string_view why_zh) {
  return InvalidArgument(
      common::v1::REASON_FILE_UNREADABLE,
      StrCat("the file cannot be read: ", why, "; save it anew as XLSX or as CSV (UTF-8)"),
      StrCat("文件无法读取：", why_zh, "，请重新保存为 XLSX 或 CSV（UTF-8）"));
}

absl::Status Damaged() { return Unreadable("the workbook is damaged", "工作簿已损坏"); }
absl::Status TooLarge() { return Unreadable("the workbook is too large", "工作簿过大"); }

using Parts = std::map<std::string, std::string>;  // Name to bytes.

// One part parsed; nullopt where the workbook has none of this name.
absl::StatusOr<std::optional<pugi::xml_document>> Part(const Parts& parts,
                                                       const std::string& name) {
  const auto found = parts.find(name);
  if (found == parts.end()) return std::nullopt;
  std::optional<pugi::xml_document> document(std::in_place);
  if (!document->load_buffer(found->second.data(), found->second.size(),
                             pugi::parse_default | pugi::parse_ws_pcdata)) {
    return Damaged();
  }
  return document;
}

// Elements are told apart by their local names: producers choose prefixes as they like.
std::string_view LocalName(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

pugi::xml_node Child(const pugi::xml_node& node, std::string_view name) {
  return node.find_child([&](const pugi::xml_node& child) { return LocalName(child) == name; });
}

// The text of a shared or inline string: its runs, without phonetic hints.
std::string StringOf(const pugi::xml_node& item) {
  std::string text;
  for (const pugi::xml_node& part : item.children()) {
    if (LocalName(part) == "t") text += part.text().get();
    if (LocalName(part) == "r") text += Child(part, "t").text().get();
  }
  return text;
}

// Whether a number format shows a date: it has y, m, d or h outside of quotes and brackets.
bool IsDateFormat(std::string_view format) {
  bool quoted = false;
  bool bracketed = false;
  for (size_t i = 0; i < format.size(); ++i) {
    const char c = format[i];
    if (c == '\\') {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == '[' || c == ']') {
      bracketed = c == '[';
    } else if (!quoted && !bracketed && std::string_view("yYmMdDhH").find(c) != format.npos) {
      return true;
    }
  }
  return false;
}

// What all sheets of a workbook refer to.
struct Shared {
  std::vector<std::string> strings;
  std::set<int> date_styles;  // Indexes of cell styles.
  bool since_1904 = false;
};

void ReadStyles(const pugi::xml_document& document, Shared& shared) {
  const pugi::xml_node root = document.document_element();
  std::set<int> dates;
  for (int id = 14; id <= 22; ++id) dates.insert(id);  // Built in; so are these of East Asia:
  for (int id = 27; id <= 36; ++id) dates.insert(id);
  for (int id = 50; id <= 58; ++id) dates.insert(id);
  for (const pugi::xml_node& format : Child(root, "numFmts").children()) {
    if (IsDateFormat(format.attribute("formatCode").value())) {
      dates.insert(format.attribute("numFmtId").as_int());
    }
  }
  int index = 0;
  for (const pugi::xml_node& style : Child(root, "cellXfs").children()) {
    if (LocalName(style) != "xf") continue;
    if (dates.contains(style.attribute("numFmtId").as_int())) shared.date_styles.insert(index);
    ++index;
  }
}

// A serial day as ISO. Day 60 of the 1900 system is a 29 February that never was.
std::string DateOf(double serial, bool since_1904) {
  const auto day = static_cast<int64_t>(std::floor(serial));
  if (since_1904) return FormatDate(absl::CivilDay(1904, 1, 1) + day);
  return FormatDate(absl::CivilDay(1899, 12, day < 60 ? 31 : 30) + day);
}

std::string NumberText(std::string_view raw, bool is_date, bool since_1904) {
  const std::string text(raw);
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || end != text.c_str() + text.size() || !std::isfinite(value)) return text;
  if (is_date && value >= 1 && value < 2958466) return DateOf(value, since_1904);
  std::string shown = absl::StrFormat("%.15g", value);
  if (shown.find('e') == std::string::npos) return shown;
  return std::abs(value) < 1e15 ? absl::StrFormat("%.15f", value) : absl::StrFormat("%.0f", value);
}

std::string ValueOf(const pugi::xml_node& cell, const Shared& shared) {
  const std::string_view type = cell.attribute("t").value();
  if (type == "inlineStr") return StringOf(Child(cell, "is"));
  const std::string_view raw = Child(cell, "v").text().get();
  if (type == "s") {
    size_t index = 0;
    return ParseInteger(raw, &index) && index < shared.strings.size() ? shared.strings[index] : "";
  }
  if (type == "b") return raw == "1" ? "TRUE" : "FALSE";
  if (type == "str" || type == "e") return std::string(raw);
  if (type == "d") return std::string(raw.substr(0, 10));
  return NumberText(raw, shared.date_styles.contains(cell.attribute("s").as_int()),
                    shared.since_1904);
}

// Row and column (from 0) of "AB12"; a position that is not given follows the one before.
struct Position {
  size_t row;
  size_t column;
};
absl::StatusOr<Position> PositionOf(std::string_view reference, Position next) {
  if (reference.empty()) return next;
  size_t at = 0;
  size_t column = 0;
  while (at < reference.size() && absl::ascii_isupper(reference[at]) && column <= kColumnsMost) {
    column = column * 26 + static_cast<size_t>(reference[at++] - 'A' + 1);
  }
  size_t row = 0;
  if (column == 0 || column > kColumnsMost || !ParseInteger(reference.substr(at), &row) ||
      row == 0 || row > kRowsMost) {
    return Damaged();
  }
  return Position{row - 1, column - 1};
}

absl::StatusOr<Table> ReadSheet(const pugi::xml_document& document, const Shared& shared,
                                size_t& cells) {
  Table sheet;
  Position next{0, 0};
  for (const pugi::xml_node& row : Child(document.document_element(), "sheetData").children()) {
    if (LocalName(row) != "row") continue;
    next.column = 0;
    next.row = row.attribute("r").as_ullong(next.row + 1) - 1;
    for (const pugi::xml_node& cell : row.children()) {
      if (LocalName(cell) != "c") continue;
      ASSIGN_OR_RETURN(const Position at, PositionOf(cell.attribute("r").value(), next));
      next = {at.row, at.column + 1};
      std::string text = ValueOf(cell, shared);
      if (text.empty()) continue;
      if (sheet.rows.size() <= at.row) sheet.rows.resize(at.row + 1);
      Cells& line = sheet.rows[at.row];
      if (line.size() <= at.column) {
        cells += at.column + 1 - line.size();
        if (cells > kCellsMost) return TooLarge();
        line.resize(at.column + 1);
      }
      line[at.column] = std::move(text);
    }
    ++next.row;
  }
  return sheet;
}

// Targets of relations lie beside the part that names them, or from the top on.
std::string Target(std::string_view folder, std::string_view target) {
  if (target.starts_with('/')) return std::string(target.substr(1));
  while (target.starts_with("../")) {
    target.remove_prefix(3);
    const size_t slash = folder.substr(0, folder.size() - 1).rfind('/');
    folder = slash == std::string_view::npos ? "" : folder.substr(0, slash + 1);
  }
  return StrCat(folder, target);
}

// The relations of a part: id (or, where `by_type`, the type's last word) to the part's name.
absl::StatusOr<std::map<std::string, std::string>> Relations(const Parts& archive,
                                                             const std::string& part,
                                                             bool by_type) {
  const size_t slash = part.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : part.substr(0, slash + 1);
  ASSIGN_OR_RETURN(const auto document,
                   Part(archive, StrCat(folder, "_rels/", part.substr(folder.size()), ".rels")));
  std::map<std::string, std::string> relations;
  if (!document.has_value()) return relations;
  for (const pugi::xml_node& relation : document->document_element().children()) {
    const std::string_view type = relation.attribute("Type").value();
    const std::string key(by_type ? type.substr(type.rfind('/') + 1)
                                  : std::string_view(relation.attribute("Id").value()));
    relations.emplace(key, Target(folder, relation.attribute("Target").value()));
  }
  return relations;
}

absl::StatusOr<Shared> ReadShared(const Parts& archive, const std::string& book) {
  ASSIGN_OR_RETURN(const auto parts, Relations(archive, book, true));
  Shared shared;
  if (const auto found = parts.find("sharedStrings"); found != parts.end()) {
    ASSIGN_OR_RETURN(const auto strings, Part(archive, found->second));
    if (!strings.has_value()) return Damaged();
    for (const pugi::xml_node& item : strings->document_element().children()) {
      if (LocalName(item) == "si") shared.strings.push_back(StringOf(item));
    }
  }
  if (const auto found = parts.find("styles"); found != parts.end()) {
    ASSIGN_OR_RETURN(const auto styles, Part(archive, found->second));
    if (styles.has_value()) ReadStyles(*styles, shared);
  }
  return shared;
}

absl::StatusOr<std::vector<Table>> ReadXlsx(std::string_view bytes) {
  const auto unpacked = archive::ReadZip(bytes);
  if (!unpacked.ok()) return Damaged();
  const Parts& archive = *unpacked;
  ASSIGN_OR_RETURN(const auto top, Relations(archive, "", true));
  const auto book_name = top.find("officeDocument");
  if (book_name == top.end()) return Damaged();
  ASSIGN_OR_RETURN(const auto book, Part(archive, book_name->second));
  if (!book.has_value()) return Damaged();
  ASSIGN_OR_RETURN(const auto parts, Relations(archive, book_name->second, false));
  ASSIGN_OR_RETURN(Shared shared, ReadShared(archive, book_name->second));
  const pugi::xml_node root = book->document_element();
  shared.since_1904 = Child(root, "workbookPr").attribute("date1904").as_bool();
  std::vector<Table> sheets;
  size_t cells = 0;
  for (const pugi::xml_node& entry : Child(root, "sheets").children()) {
    if (std::string_view(entry.attribute("state").as_string("visible")) != "visible") continue;
    const auto id = entry.find_attribute([](const pugi::xml_attribute& attribute) {
      return std::string_view(attribute.name()).ends_with(":id");
    });
    const auto part = parts.find(id.value());
    if (part == parts.end()) return Damaged();
    ASSIGN_OR_RETURN(const auto document, Part(archive, part->second));
    if (!document.has_value()) return Damaged();
    ASSIGN_OR_RETURN(Table sheet, ReadSheet(*document, shared, cells));
    sheet.name = entry.attribute("name").value();
    sheets.push_back(std::move(sheet));
  }
  return sheets;
}

absl::StatusOr<std::vector<Table>> ReadCsv(std::string_view bytes) {
  const auto text = DecodeText(bytes);
  if (!text.ok()) {
    return Unreadable("it is neither XLSX nor text in UTF-8 or GB18030",
                      "既不是 XLSX，也不是 UTF-8 或 GB18030 文本");
  }
  ASSIGN_OR_RETURN(CsvFile file, ParseCsv(*text));
  std::vector<Table> tables(1);
  tables[0].rows = std::move(file.rows);
  return tables;
}

}  // namespace

absl::StatusOr<std::vector<Table>> ReadTables(std::string_view bytes) {
  return bytes.starts_with("PK\x03\x04") ? ReadXlsx(bytes) : ReadCsv(bytes);
}

std::string ColumnLetters(size_t column) {
  std::string letters;
  for (size_t rest = column + 1; rest > 0; rest = (rest - 1) / 26) {
    letters.insert(letters.begin(), static_cast<char>('A' + (rest - 1) % 26));
  }
  return letters;
}

}  // namespace gonghui::sheet
