// Published figures against computed ones.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace gonghui::district {

// A row of the file of published figures.
struct ExpectedFigure {
  std::string fig_id;
  std::string measure;
  std::string label;
  std::string value;
  std::string unit;
  std::string period;
  std::string dimensions;  // "key=value;key=value".
};

// The rows that single records must yield exactly: sums, counts, distinct counts and ratios,
// without those that the source leaves implied or tells in words.
absl::StatusOr<std::vector<ExpectedFigure>> ReadExpected(const std::string& path);

// True when `computed`, rounded half away from zero to the decimals of `expected`, is the same
// number.
bool SameFigure(absl::string_view expected, absl::string_view computed);

// Asks `command` with --period, --measure and --dimensions for each figure; its answer is CSV whose
// first row holds a column "value". Compares, prints a table and writes
// fig_id,measure,dimensions,period,expected,computed,equal. An error when a figure differs or has
// no answer.
absl::Status Compare(const std::string& expected_path, const std::string& out_path,
                     const std::vector<std::string>& command);

}  // namespace gonghui::district
