// CSV files (RFC 4180) as spreadsheets write them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace gonghui::cli {

using Cells = std::vector<std::string>;

// A file's rows in order; row i of the file (the first is 1, blank ones count) stands at rows[i -
// 1].
struct CsvFile {
  std::vector<Cells> rows;
  char separator = ',';
  std::string digest;  // SHA-256 of the file's bytes, hex.
};

// Parses UTF-8 text: quotes, doubled quotes, line ends LF, CRLF or CR, quoted line ends. The
// separator (comma, semicolon or tab) is the one that stands most often in the first line that is
// not blank. FIELD_INVALID for an unclosed quote, with the row where it opens.
absl::StatusOr<CsvFile> ParseCsv(std::string_view text);

// Reads, decodes and parses a file. Errors: NOT_FOUND, FIELD_INVALID; both name the file.
absl::StatusOr<CsvFile> ReadCsvFile(const std::string& path);

// One line with its end; cells are quoted where they must be.
std::string CsvLine(const Cells& cells, char separator = ',');

// True when every cell is blank.
bool IsBlank(const Cells& cells);

absl::StatusOr<std::string> ReadFile(const std::string& path);
// Writes the whole file or nothing.
absl::Status WriteFile(const std::string& path, std::string_view content);

}  // namespace gonghui::cli
