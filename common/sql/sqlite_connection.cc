#include "common/sql/sqlite_connection.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/sql/dialect.h"

namespace gonghui::sql {
namespace {

constexpr int kProgressSteps = 20000;  // About every millisecond of a busy statement.

// The database holds personal data: its owner alone may read it.
void CreatePrivately(const std::string& path) {
  std::error_code ignored;  // Opening the file reports what is wrong.
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  const int file = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0) ::close(file);
}

Value ReadColumn(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return static_cast<int64_t>(sqlite3_column_int64(statement, column));
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
      return std::string(text, sqlite3_column_bytes(statement, column));
    }
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
      const int size = sqlite3_column_bytes(statement, column);
      return size == 0 ? Bytes{} : Bytes{std::string(bytes, size)};
    }
    default:
      return std::monostate();
  }
}

// The row at which a statement stands.
class CurrentRow final : public RowView {
 public:
  explicit CurrentRow(sqlite3_stmt* statement) : statement_(statement) {}
  std::string_view Text(size_t column) const override {
    const int at = static_cast<int>(column);
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, at));
    return {text, static_cast<size_t>(sqlite3_column_bytes(statement_, at))};
  }
  int64_t Integer(size_t column) const override {
    return sqlite3_column_int64(statement_, static_cast<int>(column));
  }

 private:
  sqlite3_stmt* statement_;
};

// Binds without copying: the arguments outlive the execution.
struct Binder {
  sqlite3_stmt* statement;
  int slot;

  int operator()(std::monostate) const { return sqlite3_bind_null(statement, slot); }
  int operator()(int64_t value) const { return sqlite3_bind_int64(statement, slot, value); }
  int operator()(double value) const { return sqlite3_bind_double(statement, slot, value); }
  int operator()(bool value) const { return sqlite3_bind_int(statement, slot, value ? 1 : 0); }
  int operator()(const std::string& value) const {
    return sqlite3_bind_text64(statement, slot, value.data(), value.size(), SQLITE_STATIC,
                               SQLITE_UTF8);
  }
  int operator()(const Bytes& value) const {
    return sqlite3_bind_blob64(statement, slot, value.data.data(), value.data.size(),
                               SQLITE_STATIC);
  }
};

}  // namespace

struct SqliteConnection::Statement {
  std::string text;
  sqlite3_stmt* handle = nullptr;
  std::vector<int> slots;  // SQLite's slot of $1, $2…; 0 where the text does not use it.
  bool running = false;

  ~Statement() { sqlite3_finalize(handle); }
};

// One run of a prepared statement, from binding to reset.
class SqliteConnection::Execution {
 public:
  static absl::StatusOr<std::unique_ptr<Execution>> Start(SqliteConnection& connection,
                                                          const Query& query) {
    ASSIGN_OR_RETURN(Statement * statement, connection.Prepare(query));
    if (statement->running) {
      return Internal(StrCat("statement ", query.name, " runs inside its own stream"));
    }
    return std::unique_ptr<Execution>(new Execution(connection, query, *statement));
  }
  ~Execution() {
    Reset();
    statement_.running = false;
  }

  absl::Status Bind(const Args& args) {
    if (args.size() != statement_.slots.size()) {
      return Internal(StrCat("statement ", query_.name, " takes ", statement_.slots.size(),
                             " arguments, got ", args.size()));
    }
    for (size_t i = 0; i < args.size(); ++i) {
      const int slot = statement_.slots[i];
      if (slot == 0) continue;
      if (std::visit(Binder{statement_.handle, slot}, args[i]) != SQLITE_OK) {
        return connection_.Failed(query_.name);
      }
    }
    return absl::OkStatus();
  }

  // True while there is a row to read.
  absl::StatusOr<bool> Step() {
    connection_.interruptible_ = sqlite3_stmt_readonly(statement_.handle) != 0;
    const int code = sqlite3_step(statement_.handle);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return connection_.Failed(query_.name);
  }

  void Reset() {
    sqlite3_reset(statement_.handle);
    sqlite3_clear_bindings(statement_.handle);
  }

  CurrentRow row() const { return CurrentRow(statement_.handle); }
  size_t columns() const { return sqlite3_column_count(statement_.handle); }
  void ReadRow(std::vector<Value>& values) const {
    const int columns = sqlite3_column_count(statement_.handle);
    for (int i = 0; i < columns; ++i) values.push_back(ReadColumn(statement_.handle, i));
  }
  int64_t affected() const {
    return sqlite3_stmt_readonly(statement_.handle) != 0 ? 0 : sqlite3_changes64(connection_.db_);
  }

 private:
  Execution(SqliteConnection& connection, const Query& query, Statement& statement)
      : connection_(connection), query_(query), statement_(statement) {
    statement_.running = true;
  }

  SqliteConnection& connection_;
  const Query query_;
  Statement& statement_;
};

absl::StatusOr<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(const Options& options) {
  if (!options.reader) CreatePrivately(options.path);
  const int access = options.reader ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  sqlite3* db = nullptr;
  const int code =
      sqlite3_open_v2(options.path.c_str(), &db, access | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(db));
  if (code != SQLITE_OK) {
    return Unavailable(common::v1::REASON_UNAVAILABLE,
                       StrCat("cannot open the database file ", options.path,
                              "; check the folder and its permissions"),
                       StrCat("无法打开数据库文件 ", options.path, "，请检查目录及权限"));
  }
  RETURN_IF_ERROR(connection->Configure(options));
  return connection;
}

SqliteConnection::SqliteConnection(sqlite3* db) : db_(db) {}

SqliteConnection::~SqliteConnection() {
  statements_.clear();
  sqlite3_close(db_);
}

absl::Status SqliteConnection::Configure(const Options& options) {
  sqlite3_extended_result_codes(db_, 1);
  sqlite3_busy_timeout(db_, 5000);
  sqlite3_progress_handler(db_, kProgressSteps, &SqliteConnection::OnProgress, this);
  RETURN_IF_ERROR(SetPragma("foreign_keys", "ON", "1"));
  RETURN_IF_ERROR(SetPragma("temp_store", "MEMORY", "2"));
  if (options.reader) return SetPragma("cache_size", "-8192", "-8192");  // 8 MiB each.
  RETURN_IF_ERROR(SetPragma("journal_mode", "WAL", "wal"));
  RETURN_IF_ERROR(SetPragma("synchronous", "FULL", "2"));
  // Rare checkpoints write a page once that many commits changed.
  RETURN_IF_ERROR(SetPragma("wal_autocheckpoint", "20000", "20000"));
  return SetPragma("cache_size", "-32768", "-32768");  // 32 MiB.
}

absl::Status SqliteConnection::SetPragma(std::string_view pragma, std::string_view value,
                                         std::string_view expected) {
  RETURN_IF_ERROR(RunScript(StrCat("PRAGMA ", pragma, "=", value)));
  std::string actual;
  const auto read = [](void* out, int columns, char** values, char**) {
    if (columns > 0 && values[0] != nullptr) *static_cast<std::string*>(out) = values[0];
    return 0;
  };
  sqlite3_exec(db_, StrCat("PRAGMA ", pragma).c_str(), read, &actual, nullptr);
  if (actual == expected) return absl::OkStatus();
  return gonghui::FailedPrecondition(
      common::v1::REASON_UNAVAILABLE,
      StrCat("SQLite refused ", pragma, "=", value, " and keeps ", actual,
             "; put the database on a local file system"),
      StrCat("SQLite 不接受设置 ", pragma, "=", value, "，请把数据库放在本地文件系统上"));
}

absl::StatusOr<SqliteConnection::Statement*> SqliteConnection::Prepare(const Query& query) {
  if (const auto found = statements_.find(query.name); found != statements_.end()) {
    if (found->second->text == query.text) return found->second.get();
    return Internal(StrCat("two statements are called ", query.name));
  }
  RETURN_IF_ERROR(CheckDialect(query));
  auto statement = std::make_unique<Statement>();
  statement->text = std::string(query.text);
  if (sqlite3_prepare_v3(db_, query.text.data(), static_cast<int>(query.text.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement->handle, nullptr) != SQLITE_OK) {
    return Failed(query.name);
  }
  // SQLite numbers the names $1, $2… by first appearance, not by their digits.
  for (int slot = 1; slot <= sqlite3_bind_parameter_count(statement->handle); ++slot) {
    const char* name = sqlite3_bind_parameter_name(statement->handle, slot);
    size_t number = 0;
    if (name == nullptr || !ParseInteger(std::string_view(name).substr(1), &number) ||
        number == 0) {
      return Internal(StrCat("statement ", query.name, " has a placeholder that is not $n"));
    }
    if (statement->slots.size() < number) statement->slots.resize(number);
    statement->slots[number - 1] = slot;
  }
  return statements_.emplace(query.name, std::move(statement)).first->second.get();
}

absl::StatusOr<Rows> SqliteConnection::Run(const Query& query, const Args& args) {
  ASSIGN_OR_RETURN(const auto execution, Execution::Start(*this, query));
  RETURN_IF_ERROR(execution->Bind(args));
  std::vector<Value> values;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, execution->Step());
    if (!row) break;
    execution->ReadRow(values);
  }
  return Rows(execution->columns(), std::move(values), execution->affected());
}

absl::StatusOr<int64_t> SqliteConnection::RunMany(
    const Query& query, absl::Span<const Args> rows,
    const std::function<void(const Rows::Row&)>& row) {
  ASSIGN_OR_RETURN(const auto execution, Execution::Start(*this, query));
  int64_t affected = 0;
  for (const Args& args : rows) {
    if (absl::Now() >= deadline_) return DeadlinePassed();
    RETURN_IF_ERROR(execution->Bind(args));
    std::vector<Value> values;
    while (true) {
      ASSIGN_OR_RETURN(const bool found, execution->Step());
      if (!found) break;
      if (row) execution->ReadRow(values);
    }
    affected += execution->affected();
    execution->Reset();
    const Rows found(execution->columns(), std::move(values), 0);
    for (size_t i = 0; i < found.size(); ++i) row(found[i]);
  }
  return affected;
}

absl::StatusOr<int64_t> SqliteConnection::InsertMany(const InsertQuery& insert,
                                                     absl::Span<const Args> rows) {
  if (rows.empty()) return 0;
  std::string text = StrCat(insert.into, " VALUES (");
  for (size_t i = 1; i <= rows.front().size(); ++i) StrAppend(&text, i > 1 ? ", $" : "$", i);
  StrAppend(&text, ") ", insert.conflict);
  return RunMany({insert.name, text}, rows, nullptr);
}

absl::Status SqliteConnection::Stream(const Query& query, const Args& args,
                                      const std::function<absl::Status(const Rows::Row&)>& row,
                                      absl::Status& stopped) {
  ASSIGN_OR_RETURN(const auto execution, Execution::Start(*this, query));
  RETURN_IF_ERROR(execution->Bind(args));
  while (stopped.ok()) {
    ASSIGN_OR_RETURN(const bool more, execution->Step());
    if (!more) break;
    std::vector<Value> values;
    values.reserve(execution->columns());
    execution->ReadRow(values);
    const Rows one(execution->columns(), std::move(values), 0);
    stopped = row(one[0]);
  }
  return absl::OkStatus();
}

absl::Status SqliteConnection::Scan(const Query& query, const Args& args,
                                    absl::FunctionRef<absl::Status(const RowView&)> row,
                                    absl::Status& stopped) {
  ASSIGN_OR_RETURN(const auto execution, Execution::Start(*this, query));
  RETURN_IF_ERROR(execution->Bind(args));
  const CurrentRow current = execution->row();
  while (stopped.ok()) {
    ASSIGN_OR_RETURN(const bool more, execution->Step());
    if (!more) break;
    stopped = row(current);
  }
  return absl::OkStatus();
}

absl::Status SqliteConnection::RunScript(const std::string& script) {
  interruptible_ = false;
  const int code = sqlite3_exec(db_, script.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : Failed("script");
}

absl::Status SqliteConnection::Failed(std::string_view query_name) const {
  const int code = sqlite3_extended_errcode(db_);
  switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return KeyExists();
    default:
      break;
  }
  log::Warning("sql_error", {{"engine", "sqlite"},
                             {"query", query_name},
                             {"code", code},
                             {"message", sqlite3_errmsg(db_)}});
  switch (code & 0xff) {
    case SQLITE_FULL:
      return StorageFull();
    case SQLITE_INTERRUPT:
      return DeadlinePassed();
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return DatabaseAway();
    default:
      return StatementFailed(query_name);
  }
}

// Interrupting a writing statement would roll back the whole group commit, so only reads stop.
int SqliteConnection::OnProgress(void* connection) {
  const auto& self = *static_cast<const SqliteConnection*>(connection);
  return self.interruptible_ && absl::Now() >= self.deadline_ ? 1 : 0;
}

}  // namespace gonghui::sql
