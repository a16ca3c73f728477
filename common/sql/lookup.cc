#include "common/sql/lookup.h"

#include <algorithm>

#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::sql {
namespace {

// ($1, $2), ($3, $4) …
std::string Placeholders(size_t keys, size_t columns) {
  std::string text;
  for (size_t i = 0; i < keys * columns; ++i) {
    StrAppend(&text, i % columns > 0 ? ", " : i > 0 ? "), (" : "(", "$", i + 1);
  }
  return text + ")";
}

}  // namespace

Lookup::Lookup(std::string_view name, const std::vector<std::string>& columns,
               std::string_view select)
    : columns_(columns.size()) {
  std::string heading;
  for (const std::string& column : columns) {
    StrAppend(&heading, heading.empty() ? "" : ", ", column);
  }
  for (const size_t keys : {1, 16, 128}) {
    statements_.push_back({keys, StrCat(name, "_", keys),
                           StrCat("WITH wanted (", heading, ") AS (VALUES ",
                                  Placeholders(keys, columns_), ") ", select)});
  }
}

absl::Status Lookup::Run(Tx& tx, absl::Span<const Args> keys,
                         const std::function<void(const Rows::Row&)>& row) const {
  while (!keys.empty()) {
    const auto fits = std::find_if(statements_.begin(), statements_.end() - 1,
                                   [&](const Statement& s) { return s.keys >= keys.size(); });
    const size_t taken = std::min(fits->keys, keys.size());
    Args args;
    args.reserve(fits->keys * columns_);
    for (const Args& key : keys.subspan(0, taken)) args.insert(args.end(), key.begin(), key.end());
    args.resize(fits->keys * columns_, Value(std::string()));
    ASSIGN_OR_RETURN(const Rows rows, tx.Run({fits->name, fits->text}, std::move(args)));
    for (size_t i = 0; i < rows.size(); ++i) row(rows[i]);
    keys.remove_prefix(taken);
  }
  return absl::OkStatus();
}

}  // namespace gonghui::sql
