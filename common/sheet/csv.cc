#include "common/sheet/csv.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/sheet/text.h"

namespace gonghui::sheet {

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

void CsvSplitter::Take(std::string_view text, std::deque<Cells>& rows) {
  for (const char c : text) {
    const bool after_return = std::exchange(after_return_, false);
    if (after_return && c == '\n') continue;
    if (std::exchange(after_quote_, false)) {
      quoted_ = c == '"';  // Doubled: it stands for itself.
      if (quoted_) {
        cell_ += c;
        continue;
      }
    }
    if (quoted_) {
      after_quote_ = c == '"';
      if (!after_quote_) cell_ += c;
    } else if (c == '"' && cell_.empty()) {
      quoted_ = true;
      opened_at_ = rows_ + 1;
    } else if (c == separator_) {
      EndCell();
    } else if (c == '\n' || c == '\r') {
      after_return_ = c == '\r';
      EndRow(rows);
    } else {
      cell_ += c;
    }
  }
}

absl::Status CsvSplitter::Finish(std::deque<Cells>& rows) {
  if (quoted_ && !after_quote_) {
    const std::string row = absl::StrCat(opened_at_);
    return InvalidArgument(
               common::v1::REASON_FIELD_INVALID,
               "The quotation mark that opens in row " + row + " is never closed: close it.",
               "第 " + row + " 行的引号没有闭合，请补上。")
        .With("row", row);
  }
  if (!cell_.empty() || !cells_.empty()) EndRow(rows);
  return absl::OkStatus();
}

void CsvSplitter::EndCell() {
  cells_.push_back(std::move(cell_));
  cell_.clear();
}

void CsvSplitter::EndRow(std::deque<Cells>& rows) {
  EndCell();
  rows.push_back(std::move(cells_));
  cells_.clear();
  ++rows_;
}

absl::StatusOr<CsvFile> ParseCsv(std::string_view text) {
  CsvFile file;
  file.separator = SniffSeparator(text);
  CsvSplitter splitter(file.separator);
  std::deque<Cells> rows;
  splitter.Take(text, rows);
  RETURN_IF_ERROR(splitter.Finish(rows));
  file.rows.assign(std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
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

std::string WithoutFormula(std::string_view text) {
  constexpr std::string_view kFormulaMarks = "=+-@\t\r";
  const bool formula = !text.empty() && kFormulaMarks.find(text[0]) != std::string_view::npos;
  return absl::StrCat(formula ? "'" : "", ToAbsl(text));
}

std::string WriteCsv(const Sheet& sheet) {
  std::string text = "\xEF\xBB\xBF";
  for (const std::vector<Cell>& row : sheet.rows) {
    Cells cells;
    for (const Cell& cell : row) {
      cells.push_back(cell.kind == Cell::Kind::kNumber ? cell.text : WithoutFormula(cell.text));
    }
    text += CsvLine(cells);
  }
  return text;
}

}  // namespace gonghui::sheet
