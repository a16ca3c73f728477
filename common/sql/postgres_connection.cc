#include "common/sql/postgres_connection.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/time/clock.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/sql/dialect.h"

namespace gonghui::sql {
namespace {

constexpr absl::Duration kConnectTime = absl::Seconds(5);
// The server ends a statement at the deadline; only a server that is gone lets this pass as well.
constexpr absl::Duration kGrace = absl::Seconds(2);
constexpr size_t kChunk = 500;  // Commands in one exchange.
constexpr size_t kFetchRows = 1000;
constexpr int kScanRows = 10'000;  // Within the server's work_mem, where it keeps what is fetched.

std::string_view SqlState(const PGresult& result) {
  const char* state = PQresultErrorField(&result, PG_DIAG_SQLSTATE);
  return state == nullptr ? "" : state;
}

bool IsConflict(std::string_view state) {
  return state == "40001" || state == "40P01";  // Serialization failure, deadlock.
}

// The server is going away, starting, or out of connections.
bool IsAway(std::string_view state) {
  if (state == "08P01") return false;  // A protocol violation: wrong arguments, ours to mend.
  return state.empty() || state.starts_with("08") || state.starts_with("57P") || state == "53300";
}

absl::Status IgnoreResult(size_t, const PGresult&) { return absl::OkStatus(); }

// The server's text names values in these classes (data exceptions, constraint violations).
bool MayHoldData(std::string_view state) {
  return state.starts_with("22") || state.starts_with("23");
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresConnection>> PostgresConnection::Open(const std::string& url,
                                                                             absl::Time deadline) {
  const char* keywords[] = {"fallback_application_name", "dbname", nullptr};
  const char* values[] = {"gonghui", url.c_str(), nullptr};
  std::unique_ptr<PostgresConnection> connection(
      new PostgresConnection(PQconnectStartParams(keywords, values, /*expand_dbname=*/1)));
  RETURN_IF_ERROR(connection->Connect(std::min(deadline, absl::Now() + kConnectTime)));
  return connection;
}

PostgresConnection::~PostgresConnection() { PQfinish(connection_); }

absl::Status PostgresConnection::Connect(absl::Time deadline) {
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    if (connection_ == nullptr || state == PGRES_POLLING_FAILED ||
        PQstatus(connection_) == CONNECTION_BAD) {
      return Lost("connect");
    }
    if (!Poll(state == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline).ok()) {
      return DatabaseAway();
    }
    state = PQconnectPoll(connection_);
  }
  PQsetNoticeProcessor(
      connection_, [](void*, const char*) {}, nullptr);
  // Large values are compressed while they are written; a server without lz4 does it as ever.
  PQclear(PQexec(connection_, "SET default_toast_compression = 'lz4'"));
  const bool ready = PQsetnonblocking(connection_, 1) == 0 && PQenterPipelineMode(connection_) == 1;
  return ready ? absl::OkStatus() : Lost("connect");
}

// Waits until the socket is ready.
absl::Status PostgresConnection::Poll(short events, absl::Time deadline) {  // NOLINT
  pollfd socket{PQsocket(connection_), events, 0};
  const absl::Duration left = deadline - absl::Now();
  const int timeout_ms =
      left == absl::InfiniteDuration()
          ? -1
          : static_cast<int>(std::clamp<int64_t>(absl::ToInt64Milliseconds(left), 0, 1 << 30));
  if (poll(&socket, 1, timeout_ms) == 0) {
    broken_ = true;
    return DeadlinePassed();
  }
  return absl::OkStatus();  // Also after a signal or an error: libpq finds out.
}

void PostgresConnection::Begin(std::string_view begin, absl::Time deadline) {
  begin_ = std::string(begin);
  deadline_ = deadline;
  in_transaction_ = conflict_ = commit_sent_ = false;
}

absl::StatusOr<PostgresConnection::Statement*> PostgresConnection::Find(const Query& query) {
  if (!statements_.contains(query.name)) RETURN_IF_ERROR(CheckDialect(query));
  return FindChecked(query.name, query.text);
}

absl::StatusOr<PostgresConnection::Statement*> PostgresConnection::FindChecked(
    std::string_view name, std::string_view text) {
  if (const auto found = statements_.find(name); found != statements_.end()) {
    if (found->second.text == text) return &found->second;
    return Internal(StrCat("two statements are called ", name));
  }
  Statement& statement = statements_[std::string(name)];
  statement.text = std::string(text);
  statement.server_name = StrCat("q", statements_.size());  // Query names may be too long for it.
  return &statement;
}

absl::Status PostgresConnection::Sent(int accepted, const Command& command) {
  if (accepted != 1) return Lost(command.query_name);
  commands_.push_back(command);
  return absl::OkStatus();
}

absl::Status PostgresConnection::SendCommand(const std::string& command,
                                             std::string_view query_name, bool binary_result) {
  return Sent(PQsendQueryParams(connection_, command.c_str(), 0, nullptr, nullptr, nullptr, nullptr,
                                binary_result ? 1 : 0),
              {query_name});
}

absl::Status PostgresConnection::SendBegin() {
  if (in_transaction_) return absl::OkStatus();
  in_transaction_ = true;
  RETURN_IF_ERROR(SendCommand(begin_, "begin"));
  if (deadline_ == absl::InfiniteFuture()) return absl::OkStatus();
  const int64_t left_ms = absl::ToInt64Milliseconds(deadline_ - absl::Now());
  return SendCommand(
      StrCat("SET LOCAL statement_timeout = ", std::clamp<int64_t>(left_ms, 1, 1 << 30)), "begin");
}

absl::Status PostgresConnection::SendStatement(std::string_view query_name, Statement& statement,
                                               const PostgresArguments& arguments) {
  if (!statement.prepared) {
    RETURN_IF_ERROR(
        Sent(PQsendPrepare(connection_, statement.server_name.c_str(), statement.text.c_str(),
                           arguments.count(), arguments.types()),
             {query_name, &statement}));
    statement.prepared = true;
  }
  return Sent(PQsendQueryPrepared(connection_, statement.server_name.c_str(), arguments.count(),
                                  arguments.values(), arguments.lengths(), arguments.formats(), 0),
              {query_name});
}

absl::StatusOr<PGresult*> PostgresConnection::NextResult() {
  while (PQisBusy(connection_) != 0) {
    const int unsent = PQflush(connection_);
    if (unsent < 0) return Lost("flush");
    RETURN_IF_ERROR(Poll(unsent == 0 ? POLLIN : POLLIN | POLLOUT, deadline_ + kGrace));
    if (PQconsumeInput(connection_) == 0) return Lost("receive");
  }
  return PQgetResult(connection_);
}

// Sends what is queued and reads one result for each command. Returns the first error.
absl::Status PostgresConnection::Exchange(const OnResult& on_result) {
  ASSIGN_OR_RETURN(const std::vector<Command> commands, Flush());
  return Receive(commands, on_result);
}

absl::StatusOr<std::vector<PostgresConnection::Command>> PostgresConnection::Flush() {
  std::vector<Command> commands = std::exchange(commands_, {});
  if (broken_) return DatabaseAway();
  if (PQpipelineSync(connection_) == 1 && PQflush(connection_) >= 0) return commands;
  return Lost(commands.back().query_name);
}

absl::Status PostgresConnection::Receive(const std::vector<Command>& commands,
                                         const OnResult& on_result) {
  const std::string_view last = commands.back().query_name;
  absl::Status status;
  size_t next = 0;
  while (true) {
    ASSIGN_OR_RETURN(PGresult * result, NextResult());
    if (result == nullptr) {  // The end of one command's results.
      if (PQstatus(connection_) == CONNECTION_BAD) return Lost(last);
      continue;
    }
    const auto clear = absl::MakeCleanup([result] { PQclear(result); });
    const ExecStatusType kind = PQresultStatus(result);
    if (kind == PGRES_PIPELINE_SYNC) break;
    if (next == commands.size()) {  // The statement's time ran out between its end and the sync.
      status.Update(Failed(last, *result));
      continue;
    }
    const size_t place = next++;
    const Command& command = commands[place];
    if (kind == PGRES_FATAL_ERROR || kind == PGRES_PIPELINE_ABORTED) {
      if (command.prepares != nullptr) command.prepares->prepared = false;
      if (kind == PGRES_FATAL_ERROR) status.Update(Failed(command.query_name, *result));
    } else if (status.ok()) {
      status = on_result(place, *result);
    }
  }
  return status;
}

absl::StatusOr<Rows> PostgresConnection::Run(const Query& query, const Args& args) {
  ASSIGN_OR_RETURN(Statement * statement, Find(query));
  RETURN_IF_ERROR(SendBegin());
  RETURN_IF_ERROR(SendStatement(query.name, *statement, PostgresArguments(args)));
  Rows rows;
  const size_t last = commands_.size() - 1;
  RETURN_IF_ERROR(Exchange([&](size_t place, const PGresult& result) -> absl::Status {
    if (place != last) return absl::OkStatus();
    ASSIGN_OR_RETURN(rows, ReadRows(query.name, result));
    return absl::OkStatus();
  }));
  return rows;
}

absl::StatusOr<int64_t> PostgresConnection::RunMany(
    const Query& query, absl::Span<const Args> rows,
    const std::function<void(const Rows::Row&)>& row) {
  ASSIGN_OR_RETURN(Statement * statement, Find(query));
  int64_t affected = 0;
  for (size_t start = 0; start < rows.size(); start += kChunk) {
    RETURN_IF_ERROR(SendBegin());
    const size_t first = commands_.size();
    for (const Args& args : rows.subspan(start, kChunk)) {
      RETURN_IF_ERROR(SendStatement(query.name, *statement, PostgresArguments(args)));
    }
    RETURN_IF_ERROR(Exchange([&](size_t place, const PGresult& result) -> absl::Status {
      if (place < first) return absl::OkStatus();
      ASSIGN_OR_RETURN(const Rows one, ReadRows(query.name, result));
      affected += one.affected();
      for (size_t i = 0; row && i < one.size(); ++i) row(one[i]);
      return absl::OkStatus();
    }));
  }
  return affected;
}

absl::StatusOr<int64_t> PostgresConnection::InsertMany(const InsertQuery& insert,
                                                       absl::Span<const Args> rows) {
  constexpr size_t kRows = 1000;  // In one statement.
  int64_t affected = 0;
  for (size_t start = 0; start < rows.size(); start += kRows) {
    const PostgresArguments columns = PostgresArguments::Columns(rows.subspan(start, kRows));
    std::string text = StrCat(insert.into, " SELECT ");
    for (int i = 1; i <= columns.count(); ++i)
      StrAppend(&text, i > 1 ? ", " : "", "unnest($", i, ")");
    StrAppend(&text, " ", insert.conflict);
    ASSIGN_OR_RETURN(Statement * statement, FindChecked(insert.name, text));
    RETURN_IF_ERROR(SendBegin());
    RETURN_IF_ERROR(SendStatement(insert.name, *statement, columns));
    const size_t last = commands_.size() - 1;
    RETURN_IF_ERROR(Exchange([&](size_t place, const PGresult& result) -> absl::Status {
      if (place != last) return absl::OkStatus();
      ASSIGN_OR_RETURN(const Rows changed, ReadRows(insert.name, result));
      affected += changed.affected();
      return absl::OkStatus();
    }));
  }
  return affected;
}

absl::Status PostgresConnection::RunLater(const Query& query, absl::Span<const Args> rows) {
  // Whether the connection is alive must be known before COMMIT is sent: afterwards nobody may run
  // the transaction again. So the first statement waits.
  if (!in_transaction_) return RunMany(query, rows, nullptr).status();
  ASSIGN_OR_RETURN(Statement * statement, Find(query));
  for (const Args& args : rows) {
    if (commands_.size() >= kChunk) RETURN_IF_ERROR(Exchange(IgnoreResult));
    RETURN_IF_ERROR(SendStatement(query.name, *statement, PostgresArguments(args)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> PostgresConnection::SendDeclare(const Query& query, const Args& args) {
  RETURN_IF_ERROR(CheckDialect(query));
  RETURN_IF_ERROR(SendBegin());
  const std::string cursor = StrCat("stream", ++streams_);
  const std::string declare = StrCat("DECLARE ", cursor, " NO SCROLL CURSOR FOR ", query.text);
  const PostgresArguments arguments(args);
  RETURN_IF_ERROR(
      Sent(PQsendQueryParams(connection_, declare.c_str(), arguments.count(), arguments.types(),
                             arguments.values(), arguments.lengths(), arguments.formats(), 0),
           {query.name}));
  return cursor;
}

absl::Status PostgresConnection::Stream(const Query& query, const Args& args,
                                        const std::function<absl::Status(const Rows::Row&)>& row,
                                        absl::Status& stopped) {
  ASSIGN_OR_RETURN(const std::string cursor, SendDeclare(query, args));
  bool more = true;
  while (more && stopped.ok()) {
    RETURN_IF_ERROR(SendCommand(StrCat("FETCH ", kFetchRows, " FROM ", cursor), query.name));
    Rows rows;
    const size_t last = commands_.size() - 1;
    RETURN_IF_ERROR(Exchange([&](size_t place, const PGresult& result) -> absl::Status {
      if (place != last) return absl::OkStatus();
      ASSIGN_OR_RETURN(rows, ReadRows(query.name, result));
      return absl::OkStatus();
    }));
    more = rows.size() == kFetchRows;
    for (size_t i = 0; i < rows.size() && stopped.ok(); ++i) stopped = row(rows[i]);
  }
  RETURN_IF_ERROR(SendCommand(StrCat("CLOSE ", cursor), query.name));
  return Exchange(IgnoreResult);
}

absl::Status PostgresConnection::Scan(const Query& query, const Args& args,
                                      absl::FunctionRef<absl::Status(const RowView&)> row,
                                      absl::Status& stopped) {
  ASSIGN_OR_RETURN(const std::string cursor, SendDeclare(query, args));
  const std::string fetch = StrCat("FETCH ", kScanRows, " FROM ", cursor);
  RETURN_IF_ERROR(SendCommand(fetch, query.name, /*binary_result=*/true));
  ASSIGN_OR_RETURN(std::vector<Command> commands, Flush());
  while (!commands.empty()) {
    std::vector<Command> ahead;
    RETURN_IF_ERROR(Receive(commands, [&](size_t place, const PGresult& result) -> absl::Status {
      if (place + 1 != commands.size()) return absl::OkStatus();
      const int rows = PQntuples(&result);
      if (rows == kScanRows && stopped.ok()) {
        RETURN_IF_ERROR(SendCommand(fetch, query.name, /*binary_result=*/true));
        ASSIGN_OR_RETURN(ahead, Flush());
      }
      for (int i = 0; i < rows && stopped.ok(); ++i) stopped = row(ResultRow(result, i));
      return absl::OkStatus();
    }));
    commands = std::move(ahead);
  }
  RETURN_IF_ERROR(SendCommand(StrCat("CLOSE ", cursor), query.name));
  return Exchange(IgnoreResult);
}

absl::Status PostgresConnection::Commit() {
  if (!in_transaction_) return absl::OkStatus();  // No statement: nothing to commit.
  if (broken_) return DatabaseAway();
  in_transaction_ = false;
  commit_sent_ = true;
  bool committed = false;
  // A COMMIT that is cut short has an unknown outcome, so its time is not limited.
  absl::Status status = SendCommand("SET LOCAL statement_timeout = 0", "commit");
  status.Update(SendCommand("COMMIT", "commit"));
  if (status.ok()) {
    status = Exchange([&](size_t, const PGresult& result) {
      const std::string_view tag = PQcmdStatus(const_cast<PGresult*>(&result));
      committed = committed || tag == "COMMIT";
      return absl::OkStatus();
    });
  }
  if (broken_) return OutcomeUnknown();
  if (!status.ok()) {  // A statement on the way failed, and the server passed COMMIT over.
    in_transaction_ = true;
    Rollback();
    return status;
  }
  return committed ? absl::OkStatus()
                   : absl::Status(Internal("the server rolled back a transaction at COMMIT"));
}

void PostgresConnection::Rollback() {
  if (!in_transaction_ || broken_) return;
  in_transaction_ = false;
  // The failure of a statement on the way must not take ROLLBACK with it.
  if (!commands_.empty()) Exchange(IgnoreResult).IgnoreError();
  absl::Status status = SendCommand("ROLLBACK", "rollback");
  if (status.ok()) status = Exchange(IgnoreResult);
  if (!status.ok()) broken_ = true;  // Whatever state it is in, nobody shall inherit it.
}

absl::Status PostgresConnection::RunScript(const std::string& script) {
  deadline_ = absl::InfiniteFuture();
  if (PQexitPipelineMode(connection_) != 1) return Lost("script");
  PGresult* result = PQexec(connection_, script.c_str());
  const auto clear = absl::MakeCleanup([result] { PQclear(result); });
  const ExecStatusType kind = PQresultStatus(result);
  absl::Status status;
  if (kind != PGRES_COMMAND_OK && kind != PGRES_TUPLES_OK && kind != PGRES_EMPTY_QUERY) {
    status = result == nullptr ? Lost("script") : Failed("script", *result);
  }
  if (PQenterPipelineMode(connection_) != 1) broken_ = true;
  return status;
}

absl::Status PostgresConnection::Failed(std::string_view query_name, const PGresult& result) {
  const std::string_view state = SqlState(result);
  if (state == "23505") return KeyExists();
  if (IsConflict(state)) {
    conflict_ = true;
    return ConflictPersists();
  }
  const char* text = PQresultErrorField(&result, PG_DIAG_MESSAGE_PRIMARY);
  log::Warning("sql_error", {{"engine", "postgres"},
                             {"query", query_name},
                             {"sqlstate", state},
                             {"message", text == nullptr || MayHoldData(state) ? "" : text}});
  if (IsAway(state)) {
    broken_ = true;
    return DatabaseAway();
  }
  if (state == "53100") return StorageFull();
  if (state == "57014") return DeadlinePassed();
  if (state == "22021") {
    return gonghui::InvalidArgument(common::v1::REASON_FIELD_INVALID,
                                    "a text is not valid UTF-8; convert it",
                                    "文本不是有效的 UTF-8 编码，请转换后重试");
  }
  return StatementFailed(query_name);
}

absl::Status PostgresConnection::Lost(std::string_view query_name) {
  if (!broken_) {
    log::Warning("sql_connection_lost", {{"engine", "postgres"}, {"query", query_name}});
  }
  broken_ = true;
  return DatabaseAway();
}

}  // namespace gonghui::sql
