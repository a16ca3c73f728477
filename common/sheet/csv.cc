#include "common/sheet/csv.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/status.h"
#include "common/sheet/text.h"

namespace gonghui::sheet {
namespace {

char SniffSeparator(std::string_view text) {
  size_t begin = text.find_first_not_of("\r\n \t");
  if (begin == std::string_view::npos) return ',';
  begin = text.find_last_of("\r\n", begin) + 1;
  size_t counts[3] = {0, 0, 0};
  bool quoted = false;
  for (char c : text.substr(begin)) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '\n' || c == '\r') break;
    if (c == ',') ++counts[0];
    if (c == ';') ++counts[1];
    if (c == '\t') ++counts[2];
  }
  return ",;\t"[std::max_element(counts, counts + 3) - counts];
}

// Reads rows one character at a time; knows whether it is inside quotes.
class CsvParser {
 public:
  CsvParser(std::string_view text, char separator) : text_(text), separator_(separator) {}

  absl::StatusOr<std::vector<Cells>> Run() {
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (quoted_) {
        TakeQuoted(c);
      } else if (c == '"' && cell_.empty()) {
        quoted_ = true;
      } else if (c == separator_) {
        EndCell();
      } else if (c == '\n' || c == '\r') {
        if (c == '\r' && at_ < text_.size() && text_[at_] == '\n') ++at_;
        EndRow();
      } else {
        cell_ += c;
      }
    }
    if (quoted_) {
      const std::string row = absl::StrCat(rows_.size() + 1);
      return InvalidArgument(
                 common::v1::REASON_FIELD_INVALID,
                 "The quotation mark that opens in row " + row + " is never closed: close it.",
                 "第 " + row + " 行的引号没有闭合，请补上。")
          .With("row", row);
    }
    if (!cell_.empty() || !cells_.empty()) EndRow();
    return std::move(rows_);
  }

 private:
  void TakeQuoted(char c) {
    if (c != '"') {
      cell_ += c;
    } else if (at_ < text_.size() && text_[at_] == '"') {
      cell_ += '"';
      ++at_;
    } else {
      quoted_ = false;
    }
  }
  void EndCell() {
    cells_.push_back(std::move(cell_));
    cell_.clear();
  }
  void EndRow() {
    EndCell();
    rows_.push_back(std::move(cells_));
    cells_.clear();
  }

  const std::string_view text_;
  const char separator_;
  size_t at_ = 0;
  bool quoted_ = false;
  std::string cell_;
  Cells cells_;
  std::vector<Cells> rows_;
};

}  // namespace

absl::StatusOr<CsvFile> ParseCsv(std::string_view text) {
  CsvFile file;
  file.separator = SniffSeparator(text);
  ASSIGN_OR_RETURN(file.rows, CsvParser(text, file.separator).Run());
  return file;
}

std::string CsvLine(const Cells& cells, char separator) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += separator;
    const std::string& cell = cells[i];
    const bool quote = cell.find_first_of("\"\r\n") != std::string::npos ||
                       cell.find(separator) != std::string::npos ||
                       (cells.size() == 1 && cell.empty());
    absl::StrAppend(&line, quote ? "\"" : "", absl::StrReplaceAll(cell, {{"\"", "\"\""}}),
                    quote ? "\"" : "");
  }
  return line + "\n";
}

bool IsBlank(const Cells& cells) {
  return std::all_of(cells.begin(), cells.end(),
                     [](const std::string& cell) { return Trimmed(cell).empty(); });
}

std::string WriteCsv(const Sheet& sheet) {
  constexpr std::string_view kFormulaMarks = "=+-@\t\r";
  std::string text = "\xEF\xBB\xBF";
  for (const std::vector<Cell>& row : sheet.rows) {
    Cells cells;
    for (const Cell& cell : row) {
      const bool formula = cell.kind != Cell::Kind::kNumber && !cell.text.empty() &&
                           kFormulaMarks.find(cell.text[0]) != std::string_view::npos;
      cells.push_back(formula ? "'" + cell.text : cell.text);
    }
    text += CsvLine(cells);
  }
  return text;
}

}  // namespace gonghui::sheet
