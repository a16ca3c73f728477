// One SQL text for two engines, SQLite 3.40 and PostgreSQL 15.
//
//   constexpr sql::Query kGetMember{"membership.get_member", "SELECT full_name FROM members WHERE
//   tenant=$1 AND member_id=$2"}; absl::Status s = db.ReadWrite(deadline, [&](sql::Tx& tx) ->
//   absl::Status {
//     ASSIGN_OR_RETURN(sql::Rows rows, tx.Run(kGetMember, {tenant, id}));
//     ...
//   });
//
// The dialect: placeholders $1…$n (reusable), ON CONFLICT, RETURNING, read-only CTEs, window
// functions, row comparison, CAST. Not: NOW(), intervals, LIKE on user text, `::`, arrays, DISTINCT
// ON, FOR UPDATE, writing CTEs, GREATEST, JSON operators, triggers, sequences. Types: TEXT, BIGINT,
// BOOLEAN, BYTEA, DOUBLE PRECISION.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace gonghui::sql {

// A statement. The name ("service.verb_noun", unique in the program) is the metric label and the
// key of the prepared statement. Both must outlive the program: use constexpr.
struct Query {
  std::string_view name;
  std::string_view text;
};

// An INSERT of any number of rows; see Query. `into` names the table and its columns, "INSERT INTO
// t (a, b)"; `conflict` is what follows the rows, "ON CONFLICT …" or nothing.
struct InsertQuery {
  std::string_view name;
  std::string_view into;
  std::string_view conflict;
};

// Raw bytes, as opposed to text.
struct Bytes {
  std::string data;
  bool operator==(const Bytes&) const = default;
};

// A bound or read value; monostate is NULL.
using Value = std::variant<std::monostate, int64_t, double, bool, std::string, Bytes>;
using Args = std::vector<Value>;

// The result of a statement, copied out of the engine.
class Rows {
 public:
  class Row {
   public:
    // By column position in the SELECT list. T: int64_t, int, double, bool, std::string, Bytes,
    // std::string_view, or std::optional of one of these. CHECK-fails on a type the statement
    // cannot yield: that is a defect of ours.
    template <typename T>
    T Get(size_t column) const;
    bool IsNull(size_t column) const;

   private:
    friend class Rows;
    Row(const Rows* rows, size_t index) : rows_(rows), index_(index) {}
    const Value& at(size_t column) const;
    const Rows* rows_;
    size_t index_;
  };

  Rows() = default;
  Rows(size_t columns, std::vector<Value> values, int64_t affected)
      : columns_(columns), values_(std::move(values)), affected_(affected) {}

  size_t size() const { return columns_ == 0 ? 0 : values_.size() / columns_; }
  bool empty() const { return size() == 0; }
  Row operator[](size_t index) const { return Row(this, index); }
  int64_t affected() const { return affected_; }  // Rows changed by a writing statement.

 private:
  size_t columns_ = 0;
  std::vector<Value> values_;  // Row by row.
  int64_t affected_ = 0;
};

// A row where the engine keeps it: what is read from it is valid until the visitor returns.
class RowView {
 public:
  // By column position in the SELECT list, of columns that are TEXT or BIGINT; NULL is empty or 0.
  virtual std::string_view Text(size_t column) const = 0;
  virtual int64_t Integer(size_t column) const = 0;

 protected:
  ~RowView() = default;
};

// An open transaction. Used by one thread, only inside the closure that received it.
class Tx {
 public:
  virtual ~Tx() = default;
  // Runs one prepared statement.
  virtual absl::StatusOr<Rows> Run(const Query& query, Args args = {}) = 0;
  // Runs the statement once per element; no results. One round trip on PostgreSQL (pipeline), a
  // prepared loop on SQLite. Returns the number of rows changed.
  virtual absl::StatusOr<int64_t> RunMany(const Query& query, absl::Span<const Args> rows) = 0;
  // Inserts thousands of rows, each with a value a column: arrays of a thousand rows a statement on
  // PostgreSQL, a prepared loop on SQLite. Returns the number of rows inserted or changed.
  virtual absl::StatusOr<int64_t> InsertMany(const InsertQuery& insert,
                                             absl::Span<const Args> rows) = 0;
  // Runs a reading statement once per element and shows each row found, in order of the elements.
  // As few round trips as RunMany.
  virtual absl::Status ReadMany(const Query& query, absl::Span<const Args> keys,
                                const std::function<void(const Rows::Row&)>& row) = 0;
  // Streams a large result without holding it: calls `row` for each row; stops at the first error.
  virtual absl::Status Stream(const Query& query, Args args,
                              const std::function<absl::Status(const Rows::Row&)>& row) = 0;
  // The same for millions of rows: nothing is copied or allocated for a row. `row` may not use the
  // transaction.
  virtual absl::Status Scan(const Query& query, Args args,
                            absl::FunctionRef<absl::Status(const RowView&)> row) = 0;
  // Runs the statement once per element, in its turn, without waiting for the outcome: a failure is
  // the answer to a later statement or to the commit. On PostgreSQL the statement travels with the
  // next one that waits, on SQLite it runs at once.
  virtual absl::Status RunLater(const Query& query, absl::Span<const Args> rows) = 0;
};

// Runs again from the start after a conflict: it may have no effect outside `tx` except on
// variables that it resets.
using Closure = std::function<absl::Status(Tx& tx)>;

// A database of one service. Thread-safe. Errors: REASON_OVERLOADED or DEADLINE_EXCEEDED when no
// connection comes in time, REASON_UNAVAILABLE when the server is away, REASON_OUTCOME_UNKNOWN when
// the answer to COMMIT was lost, REASON_ALREADY_EXISTS for a unique key, REASON_STORAGE_FULL,
// REASON_CONFLICT after eight tries, else INTERNAL. Driver text goes to the log only.
class Database {
 public:
  struct Options {
    std::string url;      // "sqlite:PATH" or "postgres://…" (libpq URI, may name a schema by
                          // options=-csearch_path).
    int connections = 8;  // PostgreSQL pool size; SQLite: readers.
    std::string name = "other";  // What metrics and /statusz call it; of a closed set.
  };
  static absl::StatusOr<std::unique_ptr<Database>> Open(const Options& options);
  virtual ~Database() = default;

  // Reads see one snapshot.
  virtual absl::Status ReadOnly(absl::Time deadline, const Closure& body) = 0;
  // Commits when the closure returns OK, else rolls back and returns its status. SQLite: one writer
  // thread runs waiting closures in savepoints and commits them together. PostgreSQL: REPEATABLE
  // READ; conflicts are retried.
  virtual absl::Status ReadWrite(absl::Time deadline, const Closure& body) = 0;
  // Runs a script of several statements in one transaction, outside the dialect's checks; for
  // migrations.
  virtual absl::Status RunScript(std::string_view script) = 0;
  virtual std::string_view engine() const = 0;  // "sqlite" or "postgres".
};

}  // namespace gonghui::sql
