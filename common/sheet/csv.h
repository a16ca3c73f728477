// CSV (RFC 4180) as spreadsheets write it.
#pragma once

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

// Parses UTF-8 text: quotes, doubled quotes, line ends LF, CRLF or CR, quoted line ends. The
// separator (comma, semicolon or tab) is the one that stands most often in the first line that is
// not blank. FIELD_INVALID for an unclosed quote, with the row where it opens.
absl::StatusOr<CsvFile> ParseCsv(std::string_view text);

// One line with its end; cells are quoted where they must be.
std::string CsvLine(const Cells& cells, char separator = ',');

// True when every cell is blank.
bool IsBlank(const Cells& cells);

// A sheet as a file: UTF-8 with byte order mark. Texts that a spreadsheet would take for a formula
// get an apostrophe.
std::string WriteCsv(const Sheet& sheet);

}  // namespace gonghui::sheet
