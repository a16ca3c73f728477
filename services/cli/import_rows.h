// From the rows of a file to the messages of the API, with every error that can be found without
// the server.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gonghui/common/v1/error.pb.h"
#include "google/protobuf/message.h"
#include "services/cli/columns.h"
#include "services/cli/csv.h"
#include "services/cli/kinds.h"

namespace gonghui::cli {

// What is wrong with a row, and what to do about it.
struct RowError {
  int row = 0;         // As in the file; the first row is 1.
  std::string column;  // Heading as in the file; empty where the row as a whole is at fault.
  std::string reason;  // Name of a Reason without prefix.
  std::string message;
  std::string message_zh;
  std::string hint;
  std::string hint_zh;
};

// A state to enter after creation.
struct Advance {
  std::string transition;
  std::string on_date;
};

// One thing to create: a record, an organisation, a member, a book, a voucher.
struct Item {
  std::unique_ptr<google::protobuf::Message> message;
  std::vector<Advance> advances;
  std::vector<int> rows;  // Rows of the file that it comes from.
};

// A file of one kind, read and checked.
class ImportFile {
 public:
  // Reads all rows. Errors (the file as a whole cannot be taken): NOT_FOUND, FIELD_INVALID,
  // FIELD_UNKNOWN. `entry` must outlive the result.
  static absl::StatusOr<ImportFile> Open(const KindEntry& entry, const std::string& path);
  static absl::StatusOr<ImportFile> FromCsv(const KindEntry& entry, CsvFile file);

  const KindEntry& entry() const { return *entry_; }
  const CsvFile& file() const { return file_; }
  const Cells& header() const { return file_.rows[header_]; }
  int rows() const { return rows_; }        // With data.
  int skipped() const { return skipped_; }  // Blank, totals, explanations.
  const std::vector<Item>& items() const { return items_; }
  const std::vector<RowError>& errors() const { return errors_; }
  // Rows that cannot be sent: those with errors, and the other rows of their vouchers.
  const std::set<int>& broken() const { return broken_; }

  // What the server found wrong with an item, told in terms of the file.
  RowError Explain(const Item& item, const common::v1::ItemFailure& failure) const;

 private:
  explicit ImportFile(const KindEntry& entry) : entry_(&entry) {}
  absl::Status ReadHeader();
  void ReadRows();
  void ReadRow(int row, const Cells& cells);
  void PutCell(int row, size_t at, const std::string& text, Item& item,
               google::protobuf::Message* line, std::vector<std::pair<int, std::string>>& entered);
  // A record without number gets one made of its row, so that loading the file again, in batches of
  // any size, doubles nothing; equal rows of one file stay apart.
  void NumberRecord(const Cells& cells, Item& item);
  Item& ItemFor(int row, const Cells& cells);
  void CheckItem(int row, const Item& item);
  void DropBroken();
  void SortParentsFirst();
  void Report(int row, const Column* column, const absl::Status& status);
  const Column* ColumnAt(std::string_view path) const;
  std::string HeadingOf(const Column* column) const;
  std::string CellOf(const Cells& cells, std::string_view name) const;

  const KindEntry* entry_;
  CsvFile file_;
  size_t header_ = 0;
  std::vector<Column> columns_;
  std::vector<int> matched_;
  int rows_ = 0;
  int skipped_ = 0;
  std::vector<Item> items_;
  std::vector<RowError> errors_;
  std::set<int> broken_;
  std::map<std::string, int> occurrences_;  // Rows of equal content so far.
  std::map<std::string, size_t> vouchers_;  // Book and number -> index in items_.
};

// The steps that lead from the initial state through the given states in the order of their dates;
// states passed on the way without a date of their own take that of the next one.
// TRANSITION_UNKNOWN where no steps lead there.
absl::StatusOr<std::vector<Advance>> AdvancesOf(const common::v1::Kind& kind,
                                                std::vector<std::pair<int, std::string>> entered);

// The cell as the API takes it: dates ISO, codes of the list, true or false, half-width numbers.
// FIELD_INVALID for what cannot be read and for numbers that a spreadsheet has damaged.
absl::StatusOr<std::string> NormalizeCell(const KindEntry& entry,
                                          const common::v1::KindField& field,
                                          std::string_view text);

}  // namespace gonghui::cli
