#include "common/sql/insert.h"

#include <iterator>
#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::sql {
namespace {

constexpr size_t kBlocks[] = {64, 16, 4, 1};  // Rows in one statement.

// ($1, $2), ($3, $4) …
std::string Placeholders(size_t rows, size_t columns) {
  std::string text;
  for (size_t i = 0; i < rows * columns; ++i) {
    StrAppend(&text, i % columns > 0 ? ", " : i > 0 ? "), (" : "(", "$", i + 1);
  }
  return text + ")";
}

// The rows one behind the other.
Args Join(absl::Span<Args> rows) {
  Args all;
  all.reserve(rows.size() * rows.front().size());
  for (Args& row : rows) {
    all.insert(all.end(), std::make_move_iterator(row.begin()), std::make_move_iterator(row.end()));
  }
  return all;
}

}  // namespace

Insert::Insert(std::string_view name, std::string_view table,
               const std::vector<std::string>& columns, std::string_view conflict) {
  std::string into = StrCat("INSERT INTO ", table, " (");
  for (const std::string& column : columns) {
    StrAppend(&into, into.ends_with('(') ? "" : ", ", column);
  }
  for (const size_t rows : kBlocks) {
    blocks_.push_back(
        {rows, StrCat(name, "_", rows),
         StrCat(into, ") VALUES ", Placeholders(rows, columns.size()), " ", conflict)});
  }
}

absl::Status Insert::Run(Tx& tx, std::vector<Args> rows) const {
  return ForBlocks(std::move(rows), [&](const Query& query, absl::Span<const Args> blocks) {
    return tx.RunLater(query, blocks);
  });
}

absl::Status Insert::Read(Tx& tx, std::vector<Args> rows,
                          const std::function<void(const Rows::Row&)>& row) const {
  return ForBlocks(std::move(rows), [&](const Query& query, absl::Span<const Args> blocks) {
    return tx.ReadMany(query, blocks, row);
  });
}

absl::Status Insert::ForBlocks(std::vector<Args> rows, RunBlocks run) const {
  absl::Span<Args> left = absl::MakeSpan(rows);
  for (const Block& block : blocks_) {
    std::vector<Args> joined;
    for (; left.size() >= block.rows; left.remove_prefix(block.rows)) {
      joined.push_back(Join(left.first(block.rows)));
    }
    if (!joined.empty()) RETURN_IF_ERROR(run({block.name, block.text}, joined));
  }
  return absl::OkStatus();
}

}  // namespace gonghui::sql
