// Inserts many rows in few statements, with one text for both engines.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "common/sql/sql.h"

namespace gonghui::sql {

// An INSERT of rows of a table:
//
//   static const auto& kInsertEntries = *new sql::Insert(
//       "funds.insert_entries", "entries", {"tenant", "book_id", …}, "ON CONFLICT … RETURNING …");
//
// PostgreSQL spends most of a small INSERT on the statement, not on the row: sixteen rows a
// statement cost a fraction of sixteen statements. Where `conflict` updates, no two rows of a call
// may have the same key. Immutable; lives as long as the program.
class Insert {
 public:
  Insert(std::string_view name, std::string_view table, const std::vector<std::string>& columns,
         std::string_view conflict = "");

  // Each row holds a value per column. Does not wait for the outcome (Tx::RunLater).
  absl::Status Run(Tx& tx, std::vector<Args> rows) const;
  // The same for a statement with RETURNING: shows what it returns to `row`, in no certain order.
  absl::Status Read(Tx& tx, std::vector<Args> rows,
                    const std::function<void(const Rows::Row&)>& row) const;

 private:
  // An INSERT of a certain number of rows.
  struct Block {
    size_t rows;
    std::string name;
    std::string text;
  };
  using RunBlocks = absl::FunctionRef<absl::Status(const Query& query, absl::Span<const Args>)>;
  absl::Status ForBlocks(std::vector<Args> rows, RunBlocks run) const;

  std::vector<Block> blocks_;  // The largest first.
};

}  // namespace gonghui::sql
