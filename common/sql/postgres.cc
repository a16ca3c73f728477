// PostgreSQL: a pool of connections; transactions that lost a conflict run again.
#include <atomic>
#include <memory>
#include <random>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/sql/engine.h"
#include "common/sql/meter.h"
#include "common/sql/pool.h"
#include "common/sql/postgres_connection.h"

namespace gonghui::sql {
namespace {

constexpr int kTries = 8;
// For so long after a conflict the writers of this process take turns.
constexpr absl::Duration kTurns = absl::Seconds(1);
constexpr absl::Duration kOpenTime = absl::Seconds(10);
constexpr std::string_view kBeginRead = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
constexpr std::string_view kBeginWrite = "BEGIN ISOLATION LEVEL REPEATABLE READ";

// Text must sort by bytes, as it does in SQLite: page tokens and reports depend on it.
constexpr Query kCollation{"sql.get_collation",
                           "SELECT datcollate FROM pg_database WHERE datname = current_database()"};

struct Turn {};

enum class Verdict { kFinal, kConflict, kDied };

// A random pause that grows with the attempts; an error when the deadline passes meanwhile.
absl::Status PauseAfter(int attempt, absl::Time deadline) {
  thread_local std::minstd_rand random{std::random_device{}()};
  absl::SleepFor(absl::Milliseconds(std::uniform_int_distribution<int>(1, 5 * attempt)(random)));
  return absl::Now() < deadline ? absl::OkStatus() : DeadlinePassed();
}

class PostgresTx : public EngineTx {
 public:
  PostgresTx(PostgresConnection& connection, absl::Time deadline)
      : EngineTx(deadline), connection_(connection) {}

 private:
  absl::StatusOr<Rows> DoRun(const Query& query, const Args& args) override {
    return connection_.Run(query, args);
  }
  absl::StatusOr<int64_t> DoRunMany(const Query& query, absl::Span<const Args> rows,
                                    const std::function<void(const Rows::Row&)>& row) override {
    return connection_.RunMany(query, rows, row);
  }
  absl::StatusOr<int64_t> DoInsertMany(const InsertQuery& insert,
                                       absl::Span<const Args> rows) override {
    return connection_.InsertMany(insert, rows);
  }
  absl::Status DoStream(const Query& query, const Args& args,
                        const std::function<absl::Status(const Rows::Row&)>& row,
                        absl::Status& stopped) override {
    return connection_.Stream(query, args, row, stopped);
  }
  absl::Status DoScan(const Query& query, const Args& args,
                      absl::FunctionRef<absl::Status(const RowView&)> row,
                      absl::Status& stopped) override {
    return connection_.Scan(query, args, row, stopped);
  }
  absl::Status DoRunLater(const Query& query, absl::Span<const Args> rows) override {
    return connection_.RunLater(query, rows);
  }

  PostgresConnection& connection_;
};

class PostgresDatabase : public Database {
 public:
  explicit PostgresDatabase(const Options& options)
      : url_(options.url),
        pool_(options.connections),
        meter_(options.name, "postgres", [this] { return pool_.use(); }),
        turns_(1) {}

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
    const ops::Timer timer(meter_.seconds);
    absl::Status status;
    for (int attempt = 1; attempt <= kTries; ++attempt) {
      if (Transact(kBeginRead, deadline, body, status) == Verdict::kFinal) break;
      RETURN_IF_ERROR(PauseAfter(attempt, deadline));
    }
    return status;
  }

  absl::Status ReadWrite(absl::Time deadline, const Closure& body) override {
    const ops::Timer timer(meter_.seconds);
    absl::Status status;
    for (int attempt = 1; attempt <= kTries; ++attempt) {
      Verdict verdict;
      if (absl::ToUnixMicros(absl::Now()) < conflicts_until_us_) {
        ASSIGN_OR_RETURN(auto turn, turns_.Acquire(deadline));
        verdict = Transact(kBeginWrite, deadline, body, status);
        turns_.Release(std::move(turn));
      } else {
        verdict = Transact(kBeginWrite, deadline, body, status);
      }
      if (verdict == Verdict::kFinal) break;
      if (verdict == Verdict::kConflict)
        conflicts_until_us_ = absl::ToUnixMicros(absl::Now() + kTurns);
      RETURN_IF_ERROR(PauseAfter(attempt, deadline));
    }
    return status;
  }

  absl::Status RunScript(std::string_view script) override {
    ASSIGN_OR_RETURN(auto connection, Take(absl::InfiniteFuture()));
    const absl::Status status = connection->RunScript(std::string(script));
    GiveBack(std::move(connection));
    return status;
  }

  std::string_view engine() const override { return "postgres"; }

 private:
  absl::StatusOr<std::unique_ptr<PostgresConnection>> Acquire(absl::Time deadline) {
    const ops::Timer timer(meter_.pool_wait);
    return pool_.Acquire(deadline);
  }

  absl::StatusOr<std::unique_ptr<PostgresConnection>> Take(absl::Time deadline) {
    ASSIGN_OR_RETURN(auto connection, Acquire(deadline));
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

  // One attempt. `status` receives its result.
  Verdict Transact(std::string_view begin, absl::Time deadline, const Closure& body,
                   absl::Status& status) {
    auto taken = Take(deadline);
    status = taken.status();
    if (!status.ok()) return Verdict::kFinal;
    std::unique_ptr<PostgresConnection> connection = *std::move(taken);
    connection->Begin(begin, deadline);
    PostgresTx tx(*connection, deadline);
    status = tx.Outcome(body(tx));
    if (status.ok()) {
      status = connection->Commit();
    } else {
      connection->Rollback();
    }
    const bool conflict = connection->conflict();
    // A pooled connection may have died long ago with its server; a new one tells.
    const bool died_early = connection->broken() && !connection->commit_sent();
    GiveBack(std::move(connection));
    if (status.ok()) return Verdict::kFinal;
    return conflict ? Verdict::kConflict : died_early ? Verdict::kDied : Verdict::kFinal;
  }

  const std::string url_;
  Pool<PostgresConnection> pool_;
  const Meter meter_;
  // Writers of one federation meet at its feed's head. Where they collide, taking turns is faster
  // than running again; where they do not, they stay parallel.
  Pool<Turn> turns_;
  std::atomic<int64_t> conflicts_until_us_{0};
};

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> OpenPostgres(const Database::Options& options) {
  auto database = std::make_unique<PostgresDatabase>(options);
  RETURN_IF_ERROR(database->CheckCollation());
  return database;
}

}  // namespace gonghui::sql
