// An import file being written.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace gonghui::district {

struct Column {
  absl::string_view name;   // Field name.
  absl::string_view label;  // Heading in Chinese.
};

// How a file looks, as different offices would send it.
enum class Dress {
  kEnglish,         // Field names, UTF-8.
  kChinese,         // Chinese headings, UTF-8.
  kChineseBom,      // With a byte order mark, as spreadsheets export it.
  kChineseGb18030,  // In GB18030.
};

// Rows are kept in memory until Write.
class CsvFile {
 public:
  explicit CsvFile(const std::vector<Column>& columns, Dress dress = Dress::kEnglish);

  // One value a column, in order; Write reports another number of values.
  void Add(const std::vector<std::string>& values);
  size_t rows() const { return rows_; }
  absl::Status Write(const std::string& path) const;

 private:
  void AddLine(const std::vector<std::string>& values);

  size_t columns_;
  Dress dress_;
  size_t rows_ = 0;
  absl::Status problem_;
  std::string text_;
};

// The rows of a CSV file in UTF-8, header first.
std::vector<std::vector<std::string>> ParseCsv(absl::string_view text);

}  // namespace gonghui::district
