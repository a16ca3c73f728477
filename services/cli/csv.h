// CSV files on disk; their form is read and written by common/sheet/csv.h.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/sheet/csv.h"

namespace gonghui::cli {

using sheet::Cells;
using sheet::CsvFile;
using sheet::CsvLine;
using sheet::IsBlank;
using sheet::ParseCsv;

// Reads, decodes and parses a file. Errors: NOT_FOUND, FIELD_INVALID; both name the file.
absl::StatusOr<CsvFile> ReadCsvFile(const std::string& path);

absl::StatusOr<std::string> ReadFile(const std::string& path);
// Writes the whole file or nothing.
absl::Status WriteFile(const std::string& path, std::string_view content);

}  // namespace gonghui::cli
