// One SQLite connection with its prepared statements.
#pragma once

#include <sqlite3.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/sql/engine.h"

namespace gonghui::sql {

// Used by one thread at a time.
class SqliteConnection {
 public:
  struct Options {
    std::string path;
    bool reader = false;
  };
  // Fails when the file cannot be opened or SQLite does not take the durability asked for.
  static absl::StatusOr<std::unique_ptr<SqliteConnection>> Open(const Options& options);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  absl::StatusOr<Rows> Run(const Query& query, const Args& args = {});
  // Shows the rows found to `row` unless it is empty.
  absl::StatusOr<int64_t> RunMany(const Query& query, absl::Span<const Args> rows,
                                  const std::function<void(const Rows::Row&)>& row);
  absl::StatusOr<int64_t> InsertMany(const InsertQuery& insert, absl::Span<const Args> rows);
  // Stops at the first error of `row`, which goes to `stopped`.
  absl::Status Stream(const Query& query, const Args& args,
                      const std::function<absl::Status(const Rows::Row&)>& row,
                      absl::Status& stopped);
  // The same without copies.
  absl::Status Scan(const Query& query, const Args& args,
                    absl::FunctionRef<absl::Status(const RowView&)> row, absl::Status& stopped);
  absl::Status RunScript(const std::string& script);

  // Reading statements end with DEADLINE_EXCEEDED after this instant.
  void set_deadline(absl::Time deadline) { deadline_ = deadline; }
  bool in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }
  int last_code() const { return sqlite3_extended_errcode(db_); }

 private:
  struct Statement;
  class Execution;

  explicit SqliteConnection(sqlite3* db);
  absl::Status Configure(const Options& options);
  absl::Status SetPragma(std::string_view pragma, std::string_view value,
                         std::string_view expected);
  absl::StatusOr<Statement*> Prepare(const Query& query);
  absl::Status Failed(std::string_view query_name) const;
  static int OnProgress(void* connection);

  sqlite3* db_;
  std::map<std::string, std::unique_ptr<Statement>, std::less<>> statements_;
  absl::Time deadline_ = absl::InfiniteFuture();
  bool interruptible_ = false;
};

}  // namespace gonghui::sql
