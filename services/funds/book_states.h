// What changes of a book: the end of its chain, closed months, how many people a voucher needs.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/sql/sql.h"

namespace gonghui::funds {

// Of one book. Whoever posts in a book, closes its months or changes its controls writes this row:
// of two transactions that do so at once, one runs again.
struct BookState {
  int64_t sequence = 0;  // Of the last voucher.
  std::string hash;      // Of the chain up to it; empty before the first.
  std::string soft_closed_through;
  std::string hard_closed_through;
  int people = 1;
  bool controlled = false;
  std::map<std::string, int64_t, std::less<>> next_number;  // By month, of the months asked for.
};
using BookStates = std::map<std::string, BookState, std::less<>>;  // By book.

struct BookMonth {
  std::string book;
  std::string month;  // May be empty.
  auto operator<=>(const BookMonth&) const = default;
};
// The books must be there.
absl::StatusOr<BookStates> ReadStates(sql::Tx& tx, const std::string& tenant,
                                      absl::Span<const BookMonth> months);
// Writes all, also the next numbers and what is new. Does not wait for the outcome.
absl::Status WriteStates(sql::Tx& tx, const std::string& tenant, const BookStates& states);

}  // namespace gonghui::funds
