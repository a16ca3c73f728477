// PostgreSQL: a pool of connections; transactions that lost a conflict run again.
#include <memory>
#include <random>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/sql/engine.h"
#include "common/sql/pool.h"
#include "common/sql/postgres_connection.h"

namespace gonghui::sql {
namespace {

constexpr int kTries = 4;
constexpr absl::Duration kOpenTime = absl::Seconds(10);
constexpr std::string_view kBeginRead = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
constexpr std::string_view kBeginWrite = "BEGIN ISOLATION LEVEL REPEATABLE READ";

// Text must sort by bytes, as it does in SQLite: page tokens and reports depend on it.
constexpr Query kCollation{"sql.get_collation",
                           "SELECT datcollate FROM pg_database WHERE datname = current_database()"};

absl::Duration Pause(int attempt) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return absl::Milliseconds(std::uniform_int_distribution<int>(1, 10 * attempt)(random));
}

class PostgresTx : public EngineTx {
 public:
  PostgresTx(PostgresConnection& connection, absl::Time deadline)
      : EngineTx(deadline), connection_(connection) {}

 private:
  absl::StatusOr<Rows> DoRun(const Query& query, const Args& args) override {
    return connection_.Run(query, args);
  }
  absl::StatusOr<int64_t> DoRunMany(const Query& query, absl::Span<const Args> rows) override {
    return connection_.RunMany(query, rows);
  }
  absl::Status DoStream(const Query& query, const Args& args,
                        const std::function<absl::Status(const Rows::Row&)>& row,
                        absl::Status& stopped) override {
    return connection_.Stream(query, args, row, stopped);
  }

  PostgresConnection& connection_;
};

class PostgresDatabase : public Database {
 public:
  explicit PostgresDatabase(const Options& options)
      : url_(options.url), pool_(options.connections) {}

  absl::Status CheckCollation() {
    std::string collation;
    RETURN_IF_ERROR(ReadOnly(absl::Now() + kOpenTime, [&](Tx& tx) -> absl::Status {
      ASSIGN_OR_RETURN(const Rows rows, tx.Run(kCollation));
      collation = rows[0].Get<std::string>(0);
      return absl::OkStatus();
    }));
    if (collation == "C" || collation == "POSIX" || collation == "C.UTF-8") {
      return absl::OkStatus();
    }
    return FailedPrecondition(common::v1::REASON_UNAVAILABLE,
                              StrCat("the PostgreSQL database sorts text by ", collation,
                                     "; create it with LC_COLLATE 'C' TEMPLATE template0"),
                              StrCat("PostgreSQL 数据库的排序规则是 ", collation,
                                     "，请用 LC_COLLATE 'C' TEMPLATE template0 重新创建"))
        .With("collation", collation);
  }

  absl::Status ReadOnly(absl::Time deadline, const Closure& body) override {
    return Transact(kBeginRead, deadline, body);
  }

  absl::Status ReadWrite(absl::Time deadline, const Closure& body) override {
    return Transact(kBeginWrite, deadline, body);
  }

  absl::Status RunScript(std::string_view script) override {
    ASSIGN_OR_RETURN(auto connection, Take(absl::InfiniteFuture()));
    const absl::Status status = connection->RunScript(std::string(script));
    GiveBack(std::move(connection));
    return status;
  }

  std::string_view engine() const override { return "postgres"; }

 private:
  absl::StatusOr<std::unique_ptr<PostgresConnection>> Take(absl::Time deadline) {
    ASSIGN_OR_RETURN(auto connection, pool_.Acquire(deadline));
    if (connection != nullptr) return connection;
    auto opened = PostgresConnection::Open(url_, deadline);
    if (!opened.ok()) pool_.Release(nullptr);
    return opened;
  }

  void GiveBack(std::unique_ptr<PostgresConnection> connection) {
    if (connection->broken()) {
      connection.reset();
      pool_.DropIdle();
    }
    pool_.Release(std::move(connection));
  }

  absl::Status Transact(std::string_view begin, absl::Time deadline, const Closure& body) {
    for (int attempt = 1;; ++attempt) {
      ASSIGN_OR_RETURN(auto connection, Take(deadline));
      connection->Begin(begin, deadline);
      PostgresTx tx(*connection, deadline);
      absl::Status status = tx.Outcome(body(tx));
      if (status.ok()) {
        status = connection->Commit();
      } else {
        connection->Rollback();
      }
      // A pooled connection may have died long ago with its server; a new one tells.
      const bool died_early = connection->broken() && !connection->commit_sent();
      const bool again = connection->conflict() || died_early;
      GiveBack(std::move(connection));
      if (status.ok() || !again || attempt == kTries) return status;
      absl::SleepFor(Pause(attempt));
      if (absl::Now() >= deadline) return DeadlinePassed();
    }
  }

  const std::string url_;
  Pool<PostgresConnection> pool_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> OpenPostgres(const Database::Options& options) {
  auto database = std::make_unique<PostgresDatabase>(options);
  RETURN_IF_ERROR(database->CheckCollation());
  return database;
}

}  // namespace gonghui::sql
