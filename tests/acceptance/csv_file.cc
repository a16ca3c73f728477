#include "tests/acceptance/csv_file.h"

#include <iconv.h>

#include <fstream>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace gonghui::district {
namespace {

absl::StatusOr<std::string> ToGb18030(std::string utf8) {
  iconv_t converter = iconv_open("GB18030", "UTF-8");
  if (converter ==
      reinterpret_cast<iconv_t>(-1)) {  // NOLINT(performance-no-int-to-ptr): as iconv says.
    return absl::UnavailableError("this system's C library cannot write GB18030");
  }
  std::string out(utf8.size() * 2 + 16, '\0');
  char* from = utf8.data();
  char* to = out.data();
  size_t from_left = utf8.size(), to_left = out.size();
  size_t failed = iconv(converter, &from, &from_left, &to, &to_left);
  iconv_close(converter);
  if (failed == static_cast<size_t>(-1)) return absl::InternalError("text is not UTF-8");
  out.resize(out.size() - to_left);
  return out;
}

}  // namespace

CsvFile::CsvFile(const std::vector<Column>& columns, Dress dress)
    : columns_(columns.size()), dress_(dress) {
  std::vector<std::string> header;
  header.reserve(columns.size());
  for (const Column& column : columns) {
    header.emplace_back(dress == Dress::kEnglish ? column.name : column.label);
  }
  AddLine(header);
}

void CsvFile::Add(const std::vector<std::string>& values) {
  ++rows_;
  if (values.size() != columns_ && problem_.ok()) {
    problem_ = absl::InternalError(
        absl::StrCat("row ", rows_, " has ", values.size(), " values for ", columns_, " columns"));
  }
  AddLine(values);
}

void CsvFile::AddLine(const std::vector<std::string>& values) {
  absl::string_view separator;
  for (const std::string& value : values) {
    if (value.find_first_of(",\"\n") == std::string::npos) {
      absl::StrAppend(&text_, separator, value);
    } else {
      absl::StrAppend(&text_, separator, "\"", absl::StrReplaceAll(value, {{"\"", "\"\""}}), "\"");
    }
    separator = ",";
  }
  text_ += '\n';
}

absl::Status CsvFile::Write(const std::string& path) const {
  if (!problem_.ok()) return problem_;
  std::string bytes = text_;
  if (dress_ == Dress::kChineseBom) bytes.insert(0, "\xEF\xBB\xBF");
  if (dress_ == Dress::kChineseGb18030) {
    absl::StatusOr<std::string> converted = ToGb18030(text_);
    if (!converted.ok()) return converted.status();
    bytes = *std::move(converted);
  }
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << bytes;
  file.close();
  return file ? absl::OkStatus() : absl::UnavailableError(absl::StrCat("cannot write ", path));
}

std::vector<std::vector<std::string>> ParseCsv(absl::string_view text) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row;
  std::string value;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') {
        value += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        value += text[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',' || c == '\n') {
      row.push_back(std::exchange(value, ""));
      if (c == '\n') rows.push_back(std::exchange(row, {}));
    } else if (c != '\r') {
      value += c;
    }
  }
  if (!value.empty() || !row.empty()) {
    row.push_back(value);
    rows.push_back(row);
  }
  return rows;
}

}  // namespace gonghui::district
