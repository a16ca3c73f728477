// Spreadsheets (XLSX) made from tables.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace gonghui::sheet {

struct Cell {
  // How a cell is shown and what a spreadsheet may do with it.
  enum class Kind {
    kText,    // Never a formula, keeps leading zeros.
    kNumber,  // `text` is a decimal number without separators.
    kHead,    // Text in bold on a shaded ground.
  };
  std::string text;
  Kind kind = Kind::kText;
};

struct Sheet {
  std::string name;            // At most 31 characters, none of []:*?/\.
  std::vector<double> widths;  // Of the columns, in characters.
  int head_rows = 0;           // Stay in sight and are printed on every page.
  std::vector<std::vector<Cell>> rows;
};

// The file's bytes; equal sheets give equal bytes. Pages are A4 landscape, as wide as the table.
// Errors: INTERNAL.
absl::StatusOr<std::string> WriteXlsx(const std::vector<Sheet>& sheets);

}  // namespace gonghui::sheet
