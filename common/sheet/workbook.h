// What an XLSX workbook says of its sheets; the sheets themselves are read by RowReader.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/archive/zip_reader.h"

namespace gonghui::sheet {

struct Workbook {
  struct Sheet {
    std::string name;
    std::string part;
  };
  std::vector<Sheet> sheets;  // The visible ones.
  std::string strings_part;   // Empty: none.
  std::set<int> date_styles;  // Indexes of cell styles.
  bool since_1904 = false;
};

absl::StatusOr<Workbook> ReadWorkbook(archive::ZipReader& archive);

// Elements are told apart by their local names: producers choose prefixes as they like.
std::string_view LocalName(std::string_view name);
// A number cell as text: decimal as precise as spreadsheets keep it (15 digits), or an ISO date.
std::string NumberText(std::string_view raw, bool is_date, bool since_1904);

// REASON_FILE_UNREADABLE.
absl::Status DamagedWorkbook();
absl::Status TooLarge();
absl::Status NotATable();

}  // namespace gonghui::sheet
