// One PostgreSQL connection in pipeline mode, with its prepared statements.
#pragma once

#include <libpq-fe.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "common/sql/engine.h"
#include "common/sql/postgres_values.h"

namespace gonghui::sql {

// Used by one thread at a time. After a lost connection every call fails and `broken` is true.
class PostgresConnection {
 public:
  // Connects within five seconds, or until the deadline.
  static absl::StatusOr<std::unique_ptr<PostgresConnection>> Open(const std::string& url,
                                                                  absl::Time deadline);
  ~PostgresConnection();
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  // Starts a transaction; `begin` travels with its first statement. Statements end at the deadline.
  void Begin(std::string_view begin, absl::Time deadline);
  absl::StatusOr<Rows> Run(const Query& query, const Args& args);
  // One network flush for every 500 rows. Shows the rows found to `row` unless it is empty.
  absl::StatusOr<int64_t> RunMany(const Query& query, absl::Span<const Args> rows,
                                  const std::function<void(const Rows::Row&)>& row);
  // The same for an INSERT, a thousand rows a statement.
  absl::StatusOr<int64_t> InsertMany(const InsertQuery& insert, absl::Span<const Args> rows);
  // Sends the statements with the next one that waits. Their failure comes with its result, or with
  // that of Commit.
  absl::Status RunLater(const Query& query, absl::Span<const Args> rows);
  // Reads through a cursor. Stops at the first error of `row`, which goes to `stopped`.
  absl::Status Stream(const Query& query, const Args& args,
                      const std::function<absl::Status(const Rows::Row&)>& row,
                      absl::Status& stopped);
  // The same without copies; the server reads ahead meanwhile.
  absl::Status Scan(const Query& query, const Args& args,
                    absl::FunctionRef<absl::Status(const RowView&)> row, absl::Status& stopped);
  absl::Status Commit();
  void Rollback();
  // Outside a transaction: runs the statements as one.
  absl::Status RunScript(const std::string& script);

  bool broken() const { return broken_; }
  // The transaction lost against another one and may succeed when run again.
  bool conflict() const { return conflict_; }
  // COMMIT was sent: from here on nobody may run the transaction again.
  bool commit_sent() const { return commit_sent_; }

 private:
  struct Statement {
    std::string text;
    std::string server_name;
    bool prepared = false;  // On the server, or on the way to it.
  };
  // Something sent that the server answers.
  struct Command {
    std::string_view query_name;
    Statement* prepares = nullptr;
  };
  // Receives the results of the commands of one exchange, by their place in `commands_`.
  using OnResult = std::function<absl::Status(size_t command, const PGresult& result)>;

  explicit PostgresConnection(PGconn* connection) : connection_(connection) {}
  absl::Status Connect(absl::Time deadline);
  absl::Status Poll(short events, absl::Time deadline);  // NOLINT(google-runtime-int): poll's type.

  absl::StatusOr<Statement*> Find(const Query& query);
  // Of a text that is not checked against the dialect.
  absl::StatusOr<Statement*> FindChecked(std::string_view name, std::string_view text);
  absl::Status SendBegin();
  absl::Status SendCommand(const std::string& command, std::string_view query_name,
                           bool binary_result = false);
  absl::Status SendStatement(std::string_view query_name, Statement& statement,
                             const PostgresArguments& arguments);
  absl::Status Sent(int accepted, const Command& command);
  // Sends DECLARE CURSOR and returns the cursor's name.
  absl::StatusOr<std::string> SendDeclare(const Query& query, const Args& args);
  absl::Status Exchange(const OnResult& on_result);
  absl::StatusOr<std::vector<Command>> Flush();
  absl::Status Receive(const std::vector<Command>& commands, const OnResult& on_result);
  absl::StatusOr<PGresult*> NextResult();
  absl::Status Failed(std::string_view query_name, const PGresult& result);
  absl::Status Lost(std::string_view query_name);

  PGconn* connection_;
  std::map<std::string, Statement, std::less<>> statements_;
  std::string begin_;  // Not yet sent.
  absl::Time deadline_ = absl::InfiniteFuture();
  std::vector<Command> commands_;  // Sent since the last synchronisation point.
  size_t streams_ = 0;             // Numbers the cursors: one may run inside another.
  bool in_transaction_ = false;
  bool broken_ = false;
  bool conflict_ = false;
  bool commit_sent_ = false;
};

}  // namespace gonghui::sql
