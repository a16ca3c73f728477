// Tables written row by row, whatever their size.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "common/sheet/csv.h"

namespace gonghui::sheet {

// Appends the file to `out`, which the caller may empty at any time. XLSX: one sheet whose cells
// are all text. CSV: UTF-8 with byte order mark, formulas with an apostrophe. Used by one thread.
class TableStream {
 public:
  enum class Format { kCsv, kXlsx };
  static std::unique_ptr<TableStream> Begin(Format format, std::string& out);
  virtual ~TableStream() = default;

  virtual void Add(const Cells& cells, bool heading = false) = 0;
  // STORAGE_FULL where a workbook cannot hold so many rows or bytes.
  virtual absl::Status Finish() = 0;
};

}  // namespace gonghui::sheet
