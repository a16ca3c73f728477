// CSV (RFC 4180) as spreadsheets write it.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/sheet/xlsx_writer.h"

namespace gonghui::sheet {

using Cells = std::vector<std::string>;

// A file's rows in order; row i of the file (the first is 1, blank ones count) stands at rows[i -
// 1].
struct CsvFile {
  std::vector<Cells> rows;
  char separator = ',';
  std::string digest;  // SHA-256 of the file's bytes, hex; empty where it was no file.
};

// Parses UTF-8 text: quotes, doubled quotes, line ends LF, CRLF or CR, quoted line ends, separated
// as SniffSeparator finds. FIELD_INVALID for an unclosed quote, with the row where it opens.
absl::StatusOr<CsvFile> ParseCsv(std::string_view text);

// The separator (comma, semicolon or tab) that stands most often in the first line that is not
// blank.
char SniffSeparator(std::string_view text);

// Splits text that comes in pieces into rows.
class CsvSplitter {
 public:
  explicit CsvSplitter(char separator) : separator_(separator) {}
  // Appends the rows that end within the piece.
  void Take(std::string_view text, std::deque<Cells>& rows);
  // Appends the last row where the text does not end with a line end. FIELD_INVALID as ParseCsv.
  absl::Status Finish(std::deque<Cells>& rows);
  size_t cell_bytes() const { return cell_.size(); }  // Of the cell that has not ended.

 private:
  void EndCell();
  void EndRow(std::deque<Cells>& rows);

  const char separator_;
  bool quoted_ = false;
  bool after_quote_ = false;   // A quote within quotes: the end, or the first of two.
  bool after_return_ = false;  // A line feed belongs to it.
  int64_t rows_ = 0;
  int64_t opened_at_ = 0;  // Row of the last opening quote.
  std::string cell_;
  Cells cells_;
};

// One line with its end; cells are quoted where they must be.
std::string CsvLine(const Cells& cells, char separator = ',');

// True when every cell is blank.
bool IsBlank(const Cells& cells);

// With an apostrophe before what a spreadsheet would take for a formula.
std::string WithoutFormula(std::string_view text);

// A sheet as a file: UTF-8 with byte order mark. Texts that a spreadsheet would take for a formula
// get an apostrophe.
std::string WriteCsv(const Sheet& sheet);

}  // namespace gonghui::sheet
