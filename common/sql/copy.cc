#include "common/sql/copy.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <spawn.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/sql/sql.h"

extern char** environ;

namespace gonghui::sql {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSqlite = "sqlite:";
constexpr Query kCountTables{"sql.count_tables",
                             "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema "
                             "NOT IN ('pg_catalog', 'information_schema')"};

absl::Status Failed(std::string_view what, std::string_view what_zh, const std::string& file) {
  return Unavailable(common::v1::REASON_UNAVAILABLE,
                     StrCat(what, " ", file, "; is there room, and may this user write there?"),
                     StrCat(what_zh, " ", file, "；请检查磁盘空间与权限"))
      .With("file", file);
}

absl::Status HoldsData(const std::string& what) {
  return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                            StrCat(what, " holds data: a copy goes into an empty place only"),
                            StrCat(what, " 已有数据：只能恢复到空的位置"));
}

struct CloseSqlite {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
};
using SqliteHandle = std::unique_ptr<sqlite3, CloseSqlite>;

absl::StatusOr<SqliteHandle> OpenFile(const std::string& path, int flags) {
  sqlite3* opened = nullptr;
  const int rc = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
  SqliteHandle db(opened);
  if (rc != SQLITE_OK) return Failed("cannot open", "无法打开", path);
  sqlite3_busy_timeout(opened, 5000);
  return db;
}

// The pages of one instant: a reader of WAL does not hold up the writer.
absl::Status CopySqlite(const std::string& from, const std::string& to) {
  const int made = ::open(to.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (made < 0) return fs::exists(to) ? HoldsData(to) : Failed("cannot write", "无法写入", to);
  const absl::Cleanup close = [made] { ::close(made); };
  ASSIGN_OR_RETURN(const SqliteHandle source, OpenFile(from, SQLITE_OPEN_READONLY));
  {
    ASSIGN_OR_RETURN(const SqliteHandle target, OpenFile(to, SQLITE_OPEN_READWRITE));
    sqlite3_backup* backup = sqlite3_backup_init(target.get(), "main", source.get(), "main");
    if (backup == nullptr) return Failed("cannot write", "无法写入", to);
    const int stepped = sqlite3_backup_step(backup, -1);
    const int finished = sqlite3_backup_finish(backup);
    // A file by itself: the server that opens it turns the log on again.
    if (stepped != SQLITE_DONE || finished != SQLITE_OK ||
        sqlite3_exec(target.get(), "PRAGMA journal_mode = DELETE", nullptr, nullptr, nullptr) !=
            SQLITE_OK) {
      return Failed("cannot write", "无法写入", to);
    }
  }
  return fsync(made) == 0 ? absl::OkStatus() : Failed("cannot write", "无法写入", to);
}

absl::Status CheckSqlite(const std::string& path) {
  ASSIGN_OR_RETURN(const SqliteHandle db, OpenFile(path, SQLITE_OPEN_READONLY));
  sqlite3_stmt* statement = nullptr;
  sqlite3_prepare_v2(db.get(), "PRAGMA quick_check", -1, &statement, nullptr);
  const absl::Cleanup finalize = [&] { sqlite3_finalize(statement); };
  const bool sound =
      sqlite3_step(statement) == SQLITE_ROW &&
      std::string_view(reinterpret_cast<const char*>(sqlite3_column_text(statement, 0))) == "ok";
  if (sound) return absl::OkStatus();
  return FailedPrecondition(
      common::v1::REASON_STATE_FORBIDS,
      StrCat(path, " is damaged: SQLite's quick_check fails; use another copy"),
      StrCat(path, " 已损坏（quick_check 未通过），请改用其他备份"));
}

// The environment with what the URL says, as libpq's variables: what stands on a command line can
// be read by every user of the machine.
absl::StatusOr<std::vector<std::string>> Environment(const std::string& url,
                                                     std::string& database) {
  PQconninfoOption* parsed = PQconninfoParse(url.c_str(), nullptr);
  if (parsed == nullptr) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           "the database URL is no PostgreSQL URI; see postgresql.org, libpq",
                           "数据库地址不是有效的 PostgreSQL URI");
  }
  const absl::Cleanup free = [parsed] { PQconninfoFree(parsed); };
  std::vector<std::string> environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with("PG")) environment.emplace_back(*variable);
  }
  for (const PQconninfoOption* option = parsed; option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    if (std::string_view(option->keyword) == "dbname") database = option->val;
    if (option->envvar != nullptr) {
      environment.push_back(
          StrCat(std::string_view(option->envvar), "=", std::string_view(option->val)));
    }
  }
  return environment;
}

absl::Status RunTool(std::vector<std::string> command, std::vector<std::string> environment) {
  std::vector<char*> argv, envp;
  for (std::string& word : command) argv.push_back(word.data());
  for (std::string& variable : environment) envp.push_back(variable.data());
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawnp(&child, argv[0], nullptr, nullptr, argv.data(), envp.data()) != 0) {
    return FailedPrecondition(
        common::v1::REASON_NOT_FOUND,
        StrCat("there is no program ", command[0], "; install the package postgresql-client"),
        StrCat("没有程序 ", command[0], "；请安装软件包 postgresql-client"));
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  return Unavailable(common::v1::REASON_UNAVAILABLE,
                     StrCat(command[0], " failed; what it wrote above says why"),
                     StrCat(command[0], " 执行失败，原因见其输出"));
}

}  // namespace

absl::StatusOr<std::string> EngineOf(const std::string& url) {
  if (url.starts_with(kSqlite)) return "sqlite";
  if (url.starts_with("postgres://") || url.starts_with("postgresql://")) return "postgres";
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         "the database URL starts with neither sqlite: nor postgres://",
                         "数据库地址应以 sqlite: 或 postgres:// 开头");
}

absl::Status CheckEmpty(const std::string& url) {
  ASSIGN_OR_RETURN(const std::string engine, EngineOf(url));
  if (engine == "sqlite") {
    const std::string path = url.substr(kSqlite.size());
    return fs::exists(path) ? HoldsData(path) : absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const auto db, Database::Open({.url = url, .connections = 1}));
  int64_t tables = 0;
  RETURN_IF_ERROR(db->ReadOnly(absl::InfiniteFuture(), [&](Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const Rows rows, tx.Run(kCountTables));
    tables = rows[0].Get<int64_t>(0);
    return absl::OkStatus();
  }));
  return tables == 0 ? absl::OkStatus() : HoldsData("the PostgreSQL database");
}

absl::Status CopyOut(const std::string& url, const std::string& file) {
  ASSIGN_OR_RETURN(const std::string engine, EngineOf(url));
  if (engine == "sqlite") return CopySqlite(url.substr(kSqlite.size()), file);
  std::string database;
  ASSIGN_OR_RETURN(auto environment, Environment(url, database));
  const mode_t mask = umask(077);
  const absl::Status dumped = RunTool(
      {"pg_dump", "--format=custom", "--no-owner", "--no-privileges", StrCat("--file=", file)},
      std::move(environment));
  umask(mask);
  RETURN_IF_ERROR(dumped);
  const int written = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = written >= 0 && fsync(written) == 0;
  if (written >= 0) ::close(written);
  return synced ? absl::OkStatus() : Failed("cannot write", "无法写入", file);
}

absl::Status CopyIn(const std::string& file, const std::string& url) {
  RETURN_IF_ERROR(CheckEmpty(url));
  if (url.starts_with(kSqlite)) {
    const std::string path = url.substr(kSqlite.size());
    std::error_code ignored;
    fs::create_directories(fs::path(path).parent_path(), ignored);
    RETURN_IF_ERROR(CheckSqlite(file));
    return CopySqlite(file, path);
  }
  std::string database;
  ASSIGN_OR_RETURN(auto environment, Environment(url, database));
  return RunTool({"pg_restore", "--exit-on-error", "--single-transaction", "--no-owner",
                  "--no-privileges", StrCat("--dbname=", database), file},
                 std::move(environment));
}

}  // namespace gonghui::sql
