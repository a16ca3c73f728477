// Files of members: the official form and any sheet with the columns of the kind `member`.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/catalog/catalog.h"
#include "common/sheet/row_reader.h"
#include "gonghui/membership/v1/member.pb.h"
#include "gonghui/membership/v1/member_import.pb.h"

namespace gonghui::membership {

// One row with data.
struct MemberSheetRow {
  int64_t number = 0;  // In the file, from 1.
  sheet::Cells cells;
  v1::Member member;  // In stored form where there are no faults; the organisation as written.
  std::vector<v1::MemberImportFault> faults;  // Without personal data.
};

// Reads a file from front to back. Used by one thread; the catalogue outlives it.
class MemberSheet {
 public:
  // Finds the headings among the first rows. FIELD_UNKNOWN where there are none, or columns that
  // nobody knows, twice the same, or too few; names columns by letters, never by what they hold.
  static absl::StatusOr<MemberSheet> Open(const catalog::Catalog& catalog,
                                          std::unique_ptr<sheet::RowReader> rows);

  // The next row with data, judged by itself; false at the end. Blank rows, totals and notes are
  // passed over.
  absl::StatusOr<bool> Next(MemberSheetRow& row);
  // Adds what is wrong with a field, unless something is already.
  void AddFault(MemberSheetRow& row, std::string_view field, const absl::Status& status) const;

  // The rows down to the last heading, by number.
  const std::map<int64_t, sheet::Cells>& head() const { return head_; }
  const std::vector<std::string>& ignored_columns() const { return ignored_columns_; }

 private:
  struct Line {
    int64_t number;
    sheet::Cells cells;
  };
  struct Column {
    std::string field;  // Of the kind; empty: not kept.
    std::string heading;
    const common::v1::KindField* described = nullptr;
    const google::protobuf::FieldDescriptor* target = nullptr;
    int max_len = 0;
  };
  class HeadingRow;

  MemberSheet(const catalog::Catalog& catalog, std::unique_ptr<sheet::RowReader> rows)
      : catalog_(&catalog), rows_(std::move(rows)) {}
  absl::Status ReadHead();
  absl::Status MatchColumns(const std::vector<Line>& lines, size_t last);
  void Judge(MemberSheetRow& row) const;
  absl::Status PutCell(const Column& column, const std::string& text, v1::Member& member) const;

  const catalog::Catalog* catalog_;
  std::unique_ptr<sheet::RowReader> rows_;
  std::deque<Line> ahead_;  // Read with the headings.
  std::map<int64_t, sheet::Cells> head_;
  std::vector<Column> columns_;  // By position.
  std::vector<std::string> ignored_columns_;
};

}  // namespace gonghui::membership
