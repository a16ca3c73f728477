#include "services/funds/book_states.h"

#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/sql/insert.h"

namespace gonghui::funds {
namespace {

constexpr sql::Query kReadState{
    "funds.read_book_state",
    "SELECT s.book_id, s.sequence, s.hash, s.soft_closed_through, s.hard_closed_through, "
    "s.people, s.controlled, n.next FROM book_states s LEFT JOIN voucher_numbers n "
    "ON n.tenant = s.tenant AND n.book_id = s.book_id AND n.month = $3 "
    "WHERE s.tenant = $1 AND s.book_id = $2"};
constexpr sql::Query kWriteState{
    "funds.write_book_state",
    "UPDATE book_states SET sequence = $3, hash = $4, soft_closed_through = $5, "
    "hard_closed_through = $6, people = $7, controlled = $8 WHERE tenant = $1 AND book_id = $2"};
constexpr sql::Query kInsertState{
    "funds.insert_book_state",
    "INSERT INTO book_states (tenant, book_id, sequence, hash, soft_closed_through, "
    "hard_closed_through, people, controlled) VALUES ($1, $2, 0, '', '', '', $3, FALSE)"};

const sql::Insert& WriteNumbers() {
  static const auto& insert = *new sql::Insert(
      "funds.write_numbers", "voucher_numbers", {"tenant", "book_id", "month", "next"},
      "ON CONFLICT (tenant, book_id, month) DO UPDATE SET next = excluded.next");
  return insert;
}

}  // namespace

absl::StatusOr<BookStates> ReadStates(sql::Tx& tx, const std::string& tenant,
                                      absl::Span<const BookMonth> months) {
  std::vector<sql::Args> keys;
  keys.reserve(months.size());
  for (const BookMonth& at : months) keys.push_back({tenant, at.book, at.month});
  BookStates states;
  size_t next = 0;
  RETURN_IF_ERROR(tx.ReadMany(kReadState, keys, [&](const sql::Rows::Row& row) {
    const std::string book = row.Get<std::string>(0);
    while (months[next].book != book) ++next;
    const std::string& month = months[next++].month;
    const auto [it, added] = states.try_emplace(book);
    BookState& state = it->second;
    if (added) {
      state.sequence = row.Get<int64_t>(1);
      state.hash = row.Get<std::string>(2);
      state.soft_closed_through = row.Get<std::string>(3);
      state.hard_closed_through = row.Get<std::string>(4);
      state.people = row.Get<int>(5);
      state.controlled = row.Get<bool>(6);
    }
    if (!month.empty()) state.next_number[month] = row.IsNull(7) ? 1 : row.Get<int64_t>(7);
  }));
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
  RETURN_IF_ERROR(tx.RunLater(kWriteState, rows));
  return WriteNumbers().Run(tx, std::move(numbers));
}

absl::Status InsertState(sql::Tx& tx, const std::string& tenant, const std::string& book,
                         int people) {
  return tx.Run(kInsertState, {tenant, book, int64_t{people}}).status();
}

}  // namespace gonghui::funds
