#include "services/funds/book_states.h"

#include <set>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/sql/insert.h"

namespace gonghui::funds {
namespace {

// As many books and months as one statement reads; where there are fewer, the last is repeated.
constexpr size_t kBooks = 16;
constexpr size_t kMonths = 4;
constexpr sql::Query kReadStates{
    "funds.read_book_states",
    "SELECT s.book_id, s.sequence, s.hash, s.soft_closed_through, s.hard_closed_through, "
    "s.people, s.controlled, n.month, n.next FROM book_states s LEFT JOIN voucher_numbers n "
    "ON n.tenant = s.tenant AND n.book_id = s.book_id AND n.month IN ($18, $19, $20, $21) "
    "WHERE s.tenant = $1 AND s.book_id IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, "
    "$14, $15, $16, $17)"};

const sql::Insert& PutStates() {
  static const auto& insert =
      *new sql::Insert("funds.put_book_states", "book_states",
                       {"tenant", "book_id", "sequence", "hash", "soft_closed_through",
                        "hard_closed_through", "people", "controlled"},
                       "ON CONFLICT (tenant, book_id) DO UPDATE SET sequence = excluded.sequence, "
                       "hash = excluded.hash, soft_closed_through = excluded.soft_closed_through, "
                       "hard_closed_through = excluded.hard_closed_through, "
                       "people = excluded.people, controlled = excluded.controlled");
  return insert;
}

const sql::Insert& WriteNumbers() {
  static const auto& insert = *new sql::Insert(
      "funds.write_numbers", "voucher_numbers", {"tenant", "book_id", "month", "next"},
      "ON CONFLICT (tenant, book_id, month) DO UPDATE SET next = excluded.next");
  return insert;
}

// The texts by so many, the last slice filled up.
std::vector<std::vector<std::string>> Slices(const std::set<std::string>& texts, size_t size) {
  std::vector<std::vector<std::string>> slices;
  for (const std::string& text : texts) {
    if (slices.empty() || slices.back().size() == size) slices.emplace_back();
    slices.back().push_back(text);
  }
  if (!slices.empty()) slices.back().resize(size, slices.back().back());
  return slices;
}

}  // namespace

absl::StatusOr<BookStates> ReadStates(sql::Tx& tx, const std::string& tenant,
                                      absl::Span<const BookMonth> months) {
  std::set<std::string> all_books;
  std::set<std::string> all_months;
  for (const BookMonth& at : months) {
    all_books.insert(at.book);
    all_months.insert(at.month);
  }
  std::vector<sql::Args> keys;
  for (const auto& some_months : Slices(all_months, kMonths)) {
    for (const auto& books : Slices(all_books, kBooks)) {
      sql::Args& key = keys.emplace_back(sql::Args{tenant});
      key.insert(key.end(), books.begin(), books.end());
      key.insert(key.end(), some_months.begin(), some_months.end());
    }
  }
  BookStates states;
  std::map<BookMonth, int64_t> next;
  RETURN_IF_ERROR(tx.ReadMany(kReadStates, keys, [&](const sql::Rows::Row& row) {
    BookState& state = states[row.Get<std::string>(0)];
    state.sequence = row.Get<int64_t>(1);
    state.hash = row.Get<std::string>(2);
    state.soft_closed_through = row.Get<std::string>(3);
    state.hard_closed_through = row.Get<std::string>(4);
    state.people = row.Get<int>(5);
    state.controlled = row.Get<bool>(6);
    if (!row.IsNull(7))
      next[{row.Get<std::string>(0), row.Get<std::string>(7)}] = row.Get<int64_t>(8);
  }));
  for (const BookMonth& at : months) {
    const auto state = states.find(at.book);
    if (state == states.end() || at.month.empty()) continue;
    const auto known = next.find(at);
    state->second.next_number[at.month] = known == next.end() ? 1 : known->second;
  }
  return states;
}

absl::Status WriteStates(sql::Tx& tx, const std::string& tenant, const BookStates& states) {
  std::vector<sql::Args> rows;
  std::vector<sql::Args> numbers;
  for (const auto& [book, state] : states) {
    rows.push_back({tenant, book, state.sequence, state.hash, state.soft_closed_through,
                    state.hard_closed_through, int64_t{state.people}, state.controlled});
    for (const auto& [month, next] : state.next_number) {
      numbers.push_back({tenant, book, month, next});
    }
  }
  RETURN_IF_ERROR(PutStates().Run(tx, std::move(rows)));
  return WriteNumbers().Run(tx, std::move(numbers));
}

}  // namespace gonghui::funds
