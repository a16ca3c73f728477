// Reads the rows of many keys in few statements, with one text for both engines.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/sql/sql.h"

namespace gonghui::sql {

// A query whose keys are the rows of a table `wanted`:
//
//   static const auto& kFindBooks = *new sql::Lookup(
//       "funds.find_books", {"tenant", "book_id"},
//       "SELECT b.book_id, b.chart FROM wanted w CROSS JOIN books b "
//       "WHERE b.tenant = w.tenant AND b.book_id = w.book_id");
//
// Key columns are text. CROSS JOIN makes SQLite look each key up instead of scanning the table.
// Immutable; lives as long as the program.
class Lookup {
 public:
  Lookup(std::string_view name, const std::vector<std::string>& columns, std::string_view select);

  // Calls `row` for each row found, in no particular order. One statement for up to 128 keys.
  absl::Status Run(Tx& tx, absl::Span<const Args> keys,
                   const std::function<void(const Rows::Row&)>& row) const;

 private:
  // The statement for a fixed number of keys; missing keys are filled up with empty text.
  struct Statement {
    size_t keys;
    std::string name;
    std::string text;
  };

  size_t columns_;
  std::vector<Statement> statements_;  // Fewest keys first.
};

}  // namespace gonghui::sql
