#include "common/sheet/workbook.h"

#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "common/base/date.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "pugixml.hpp"

namespace gonghui::sheet {
namespace {

constexpr uint64_t kSmallPart = 16 << 20;  // Everything but sheets and their texts is small.

// One part parsed; nullopt where the workbook has none of this name.
absl::StatusOr<std::optional<pugi::xml_document>> Part(archive::ZipReader& archive,
                                                       const std::string& name) {
  const auto found = archive.sizes().find(name);
  if (found == archive.sizes().end()) return std::nullopt;
  if (found->second > kSmallPart) return TooLarge();
  ASSIGN_OR_RETURN(const auto part, archive.OpenPart(name));
  std::string bytes(found->second, '\0');
  for (size_t at = 0; at < bytes.size();) {
    ASSIGN_OR_RETURN(const size_t read, part->Read(bytes.data() + at, bytes.size() - at));
    if (read == 0) return DamagedWorkbook();
    at += read;
  }
  std::optional<pugi::xml_document> document(std::in_place);
  if (!document->load_buffer(bytes.data(), bytes.size(),
                             pugi::parse_default | pugi::parse_ws_pcdata)) {
    return DamagedWorkbook();
  }
  return document;
}

std::string_view NameOf(const pugi::xml_node& node) { return LocalName(node.name()); }

pugi::xml_node Child(const pugi::xml_node& node, std::string_view name) {
  return node.find_child([&](const pugi::xml_node& child) { return NameOf(child) == name; });
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

// Indexes of cell styles that show dates.
std::set<int> DateStyles(const pugi::xml_document& document) {
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
  std::set<int> styles;
  int index = 0;
  for (const pugi::xml_node& style : Child(root, "cellXfs").children()) {
    if (NameOf(style) != "xf") continue;
    if (dates.contains(style.attribute("numFmtId").as_int())) styles.insert(index);
    ++index;
  }
  return styles;
}

// A serial day as ISO. Day 60 of the 1900 system is a 29 February that never was.
std::string DateOf(double serial, bool since_1904) {
  const auto day = static_cast<int64_t>(std::floor(serial));
  if (since_1904) return FormatDate(absl::CivilDay(1904, 1, 1) + day);
  return FormatDate(absl::CivilDay(1899, 12, day < 60 ? 31 : 30) + day);
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
absl::StatusOr<std::map<std::string, std::string>> Relations(archive::ZipReader& archive,
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

absl::Status Unreadable(std::string_view why, std::string_view why_zh) {
  return InvalidArgument(
      common::v1::REASON_FILE_UNREADABLE,
      StrCat("the file cannot be read: ", why, "; save it anew as XLSX or as CSV (UTF-8)"),
      StrCat("文件无法读取：", why_zh, "，请重新保存为 XLSX 或 CSV（UTF-8）"));
}

}  // namespace

absl::Status DamagedWorkbook() { return Unreadable("the workbook is damaged", "工作簿已损坏"); }
absl::Status TooLarge() { return Unreadable("the workbook is too large", "工作簿过大"); }
absl::Status NotATable() {
  return Unreadable("it is neither XLSX nor text in UTF-8 or GB18030",
                    "既不是 XLSX，也不是 UTF-8 或 GB18030 文本");
}

std::string_view LocalName(std::string_view name) {
  const size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
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

absl::StatusOr<Workbook> ReadWorkbook(archive::ZipReader& archive) {
  ASSIGN_OR_RETURN(const auto top, Relations(archive, "", true));
  const auto book_name = top.find("officeDocument");
  if (book_name == top.end()) return DamagedWorkbook();
  ASSIGN_OR_RETURN(const auto book, Part(archive, book_name->second));
  if (!book.has_value()) return DamagedWorkbook();
  ASSIGN_OR_RETURN(const auto parts, Relations(archive, book_name->second, false));
  ASSIGN_OR_RETURN(const auto parts_by_type, Relations(archive, book_name->second, true));
  Workbook workbook;
  if (const auto found = parts_by_type.find("sharedStrings"); found != parts_by_type.end()) {
    workbook.strings_part = found->second;
  }
  if (const auto found = parts_by_type.find("styles"); found != parts_by_type.end()) {
    ASSIGN_OR_RETURN(const auto styles, Part(archive, found->second));
    if (styles.has_value()) workbook.date_styles = DateStyles(*styles);
  }
  const pugi::xml_node root = book->document_element();
  workbook.since_1904 = Child(root, "workbookPr").attribute("date1904").as_bool();
  for (const pugi::xml_node& entry : Child(root, "sheets").children()) {
    if (std::string_view(entry.attribute("state").as_string("visible")) != "visible") continue;
    const auto id = entry.find_attribute([](const pugi::xml_attribute& attribute) {
      return std::string_view(attribute.name()).ends_with(":id");
    });
    const auto part = parts.find(id.value());
    if (part == parts.end()) return DamagedWorkbook();
    workbook.sheets.push_back({entry.attribute("name").value(), part->second});
  }
  return workbook;
}

}  // namespace gonghui::sheet
