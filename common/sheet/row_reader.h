// The rows of a file one by one, whatever its size.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "common/archive/byte_source.h"
#include "common/archive/zip_reader.h"
#include "common/sheet/csv.h"
#include "common/sheet/workbook.h"

namespace gonghui::sheet {

// Used by one thread.
class RowReader {
 public:
  virtual ~RowReader() = default;
  // The next row; false at the end. Values as in Table (common/sheet/reader.h). Rows of a workbook
  // that hold nothing may be left out; row() tells.
  virtual absl::StatusOr<bool> Next(Cells& cells) = 0;
  virtual int64_t row() const = 0;  // Of the last row, in the file; the first is 1.
};

// The rows of the first visible sheet of an XLSX workbook, or of CSV text. Memory: a piece of the
// file, and the texts that cells of the workbook share. Errors: FILE_UNREADABLE, here or at a row;
// those of the source as they are. The source outlives the reader.
absl::StatusOr<std::unique_ptr<RowReader>> OpenRows(archive::ByteSource& source);

bool IsWorkbook(archive::ByteSource& source);

// The texts that cells of a workbook share.
class SharedTexts;
absl::StatusOr<std::shared_ptr<const SharedTexts>> ReadSharedTexts(archive::ZipReader& archive,
                                                                   const Workbook& workbook);
// The rows of one sheet. Archive and workbook outlive the reader.
absl::StatusOr<std::unique_ptr<RowReader>> OpenSheet(archive::ZipReader& archive,
                                                     const Workbook& workbook,
                                                     std::shared_ptr<const SharedTexts> texts,
                                                     size_t sheet);

}  // namespace gonghui::sheet
