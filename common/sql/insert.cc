#include "common/sql/insert.h"

#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::sql {
namespace {

constexpr size_t kBlock = 16;  // Rows in one statement.

// ($1, $2), ($3, $4) …
std::string Placeholders(size_t rows, size_t columns) {
  std::string text;
  for (size_t i = 0; i < rows * columns; ++i) {
    StrAppend(&text, i % columns > 0 ? ", " : i > 0 ? "), (" : "(", "$", i + 1);
  }
  return text + ")";
}

}  // namespace

Insert::Insert(std::string_view name, std::string_view table,
               const std::vector<std::string>& columns, std::string_view on_conflict)
    : name_(name), block_name_(StrCat(name, "_", kBlock)) {
  std::string into = StrCat("INSERT INTO ", table, " (");
  for (const std::string& column : columns) {
    StrAppend(&into, into.ends_with('(') ? "" : ", ", column);
  }
  into += ") VALUES ";
  text_ = StrCat(into, Placeholders(1, columns.size()), " ", on_conflict);
  block_text_ = StrCat(into, Placeholders(kBlock, columns.size()), " ", on_conflict);
}

absl::StatusOr<int64_t> Insert::Run(Tx& tx, absl::Span<const Args> rows) const {
  std::vector<Args> blocks(rows.size() / kBlock);
  for (size_t i = 0; i < blocks.size(); ++i) {
    blocks[i].reserve(kBlock * rows[0].size());
    for (const Args& row : rows.subspan(i * kBlock, kBlock)) {
      blocks[i].insert(blocks[i].end(), row.begin(), row.end());
    }
  }
  int64_t affected = 0;
  if (!blocks.empty()) {
    ASSIGN_OR_RETURN(affected, tx.RunMany({block_name_, block_text_}, blocks));
  }
  const auto rest = rows.subspan(blocks.size() * kBlock);
  if (rest.empty()) return affected;
  ASSIGN_OR_RETURN(const int64_t more, tx.RunMany({name_, text_}, rest));
  return affected + more;
}

}  // namespace gonghui::sql
