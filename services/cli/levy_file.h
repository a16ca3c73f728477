// Files of levies and dues: CSV or XLSX with Chinese or English headings, sent a thousand rows at a
// time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/sheet/csv.h"
#include "gonghui/common/v1/error.pb.h"
#include "services/cli/session.h"
#include "services/cli/table.h"

namespace gonghui::cli {

inline constexpr size_t kLevyBatch = 1000;

// A column: its names, the first in Chinese, and whether the file must have it.
struct LevyColumn {
  std::vector<std::string> names;
  bool required = false;
};

// The rows of a file below its headings, without blank ones and totals.
class LevyFile {
 public:
  // Errors: NOT_FOUND, FILE_UNREADABLE, FIELD_INVALID for a file without the required columns.
  static absl::StatusOr<LevyFile> Read(const std::string& path,
                                       const std::vector<LevyColumn>& columns);

  size_t size() const { return rows_.size(); }
  size_t line(size_t row) const { return rows_[row].first; }  // In the file, from 1.
  std::string Text(size_t row, size_t column) const;
  // Errors name the line and the column. An empty cell is 0 or an empty date.
  absl::StatusOr<int64_t> Fen(size_t row, size_t column) const;
  absl::StatusOr<int32_t> Rate(size_t row, size_t column) const;  // 2%, 0.02 -> 200.
  absl::StatusOr<std::string> Date(size_t row, size_t column) const;

 private:
  absl::Status Bad(size_t row, size_t column) const;

  std::vector<LevyColumn> columns_;
  std::vector<int> places_;
  std::vector<std::pair<size_t, sheet::Cells>> rows_;
};

// Faults of rows, gathered over the requests of a file.
class LevyFaults {
 public:
  explicit LevyFaults(const Session& session);
  template <typename Failures>
  void Add(const LevyFile& file, size_t first, const Failures& failures) {
    for (const common::v1::ItemFailure& failure : failures) {
      AddOne(file.line(first + static_cast<size_t>(failure.index())), failure);
    }
  }
  bool empty() const { return table_.empty(); }
  void Show() const;

 private:
  void AddOne(size_t line, const common::v1::ItemFailure& failure);

  const Session& session_;
  Table table_;
};

}  // namespace gonghui::cli
