// Tables out of files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/sheet/csv.h"

namespace gonghui::sheet {

struct Table {
  std::string name;         // Of the sheet; empty for CSV.
  std::vector<Cells> rows;  // Row i of the sheet is rows[i - 1]; rows end with their last value.
};

// What a file holds, by its bytes: XLSX (all visible sheets), else CSV (one table). Every value is
// text: numbers in decimal as precise as spreadsheets keep them (15 digits), dates as ISO, formulas
// as their last result. Of merged cells the first holds the value. FILE_UNREADABLE for anything
// else, and for more than two million cells.
absl::StatusOr<std::vector<Table>> ReadTables(std::string_view bytes);

// "A" for 0, "AB" for 27.
std::string ColumnLetters(size_t column);

}  // namespace gonghui::sheet
