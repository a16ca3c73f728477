// Inserts many rows in few statements, with one text for both engines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/sql/sql.h"

namespace gonghui::sql {

// An INSERT of rows of a table:
//
//   static const auto& kInsertEntries = *new sql::Insert(
//       "funds.insert_entries", "entries", {"tenant", "book_id", …}, "ON CONFLICT …");
//
// PostgreSQL spends most of a small INSERT on the statement, not on the row: sixteen rows a
// statement cost a fraction of sixteen statements. Where `on_conflict` updates, no two rows of a
// call may have the same key. Immutable; lives as long as the program.
class Insert {
 public:
  Insert(std::string_view name, std::string_view table, const std::vector<std::string>& columns,
         std::string_view on_conflict = "");

  // Each row holds a value per column. Returns the number of rows inserted or updated.
  absl::StatusOr<int64_t> Run(Tx& tx, absl::Span<const Args> rows) const;

 private:
  std::string name_;  // Of the statement for one row.
  std::string text_;
  std::string block_name_;
  std::string block_text_;
};

}  // namespace gonghui::sql
