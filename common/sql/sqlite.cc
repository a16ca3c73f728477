// SQLite: one thread writes, a pool of connections reads.
#include <deque>
#include <memory>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/base/status.h"
#include "common/base/trace.h"
#include "common/sql/engine.h"
#include "common/sql/meter.h"
#include "common/sql/pool.h"
#include "common/sql/sqlite_connection.h"

namespace gonghui::sql {
namespace {

// A commit costs a disk flush; these bound how much work shares one, and how long the first waits.
constexpr size_t kGroupLimit = 256;
constexpr absl::Duration kGroupTime = absl::Milliseconds(10);

constexpr Query kBeginRead{"sql.begin_read", "BEGIN DEFERRED"};
constexpr Query kBeginWrite{"sql.begin_write", "BEGIN IMMEDIATE"};
constexpr Query kCommit{"sql.commit", "COMMIT"};
constexpr Query kRollback{"sql.rollback", "ROLLBACK"};
constexpr Query kSavepoint{"sql.savepoint", "SAVEPOINT closure"};
constexpr Query kRelease{"sql.release", "RELEASE closure"};
constexpr Query kUndo{"sql.undo", "ROLLBACK TO closure"};

// While it lives, the connection's reads end at the deadline.
class SqliteTx : public EngineTx {
 public:
  SqliteTx(SqliteConnection& connection, absl::Time deadline)
      : EngineTx(deadline), connection_(connection) {
    connection_.set_deadline(deadline);
  }
  ~SqliteTx() override { connection_.set_deadline(absl::InfiniteFuture()); }

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
    return connection_.RunMany(query, rows, nullptr).status();
  }

  SqliteConnection& connection_;
};

// Runs the waiting jobs one after the other, each after the first in a savepoint, and commits them
// together.
class SqliteWriter {
 public:
  using Job = std::function<absl::Status(SqliteConnection&)>;

  explicit SqliteWriter(std::unique_ptr<SqliteConnection> connection)
      : connection_(std::move(connection)), thread_([this] { Work(); }) {}
  ~SqliteWriter();

  // Returns after the commit. A job that has not started at the deadline never will.
  absl::Status Run(absl::Time deadline, const Job& job);

 private:
  struct Ticket {
    explicit Ticket(const Job& its_job) : job(&its_job) {}
    const Job* job;
    bool started = false;
    bool settled = false;
    absl::Status status;
    absl::CondVar changed;
  };

  void Work();
  bool AwaitWork();
  Ticket* Next(const std::vector<Ticket*>& group, absl::Time until);
  absl::Status RunGroup(std::vector<Ticket*>& group);
  absl::Status RunFirst(const Job& job);
  absl::Status RunInSavepoint(const Job& job);
  absl::Status Commit();
  void Settle(const std::vector<Ticket*>& group, const absl::Status& commit);

  const std::unique_ptr<SqliteConnection> connection_;
  absl::Mutex mutex_;
  absl::CondVar work_;
  std::deque<Ticket*> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // Last: it uses all of the above.
};

SqliteWriter::~SqliteWriter() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    work_.Signal();
  }
  thread_.join();
}

absl::Status SqliteWriter::Run(absl::Time deadline, const Job& job) {
  if (std::this_thread::get_id() == thread_.get_id()) {
    return Internal("a ReadWrite closure called ReadWrite of its own database");
  }
  Ticket ticket(job);
  absl::MutexLock lock(&mutex_);
  waiting_.push_back(&ticket);
  work_.Signal();
  while (!ticket.settled) {
    // The job works on its caller's variables: once it has started, the caller stays.
    if (ticket.started) {
      ticket.changed.Wait(&mutex_);
    } else if (ticket.changed.WaitWithDeadline(&mutex_, deadline) && !ticket.started) {
      std::erase(waiting_, &ticket);
      return DeadlinePassed();
    }
  }
  return ticket.status;
}

void SqliteWriter::Work() {
  while (AwaitWork()) {
    std::vector<Ticket*> group;
    const absl::Status commit = RunGroup(group);
    Settle(group, commit);
  }
}

bool SqliteWriter::AwaitWork() {
  absl::MutexLock lock(&mutex_);
  while (waiting_.empty() && !stopping_) work_.Wait(&mutex_);
  return !waiting_.empty();
}

// The next job for the group; null when the group is complete.
SqliteWriter::Ticket* SqliteWriter::Next(const std::vector<Ticket*>& group, absl::Time until) {
  if (group.size() >= kGroupLimit || (!group.empty() && absl::Now() >= until)) return nullptr;
  absl::MutexLock lock(&mutex_);
  if (waiting_.empty()) return nullptr;
  Ticket* ticket = waiting_.front();
  waiting_.pop_front();
  ticket->started = true;
  return ticket;
}

// Returns why the group as a whole was not committed.
absl::Status SqliteWriter::RunGroup(std::vector<Ticket*>& group) {
  const absl::Status begun = connection_->Run(kBeginWrite).status();
  const absl::Time until = absl::Now() + kGroupTime;
  bool first = true;  // Nothing is written yet.
  while (Ticket* ticket = Next(group, until)) {
    group.push_back(ticket);
    if (!begun.ok()) continue;
    ticket->status = first ? RunFirst(*ticket->job) : RunInSavepoint(*ticket->job);
    first = first && !ticket->status.ok();
    if (!connection_->in_transaction()) {
      // A full disk or the like undid the group, and the jobs before this one with it.
      return ticket->status.ok() ? DatabaseAway() : ticket->status;
    }
  }
  return begun.ok() ? Commit() : begun;
}

// A savepoint keeps a copy of each page that changes after it. For the first job the beginning of
// the transaction will do.
absl::Status SqliteWriter::RunFirst(const Job& job) {
  absl::Status status = job(*connection_);
  if (status.ok() || !connection_->in_transaction()) return status;
  RETURN_IF_ERROR(connection_->Run(kRollback).status());
  RETURN_IF_ERROR(connection_->Run(kBeginWrite).status());
  return status;
}

absl::Status SqliteWriter::RunInSavepoint(const Job& job) {
  RETURN_IF_ERROR(connection_->Run(kSavepoint).status());
  absl::Status status = job(*connection_);
  if (!connection_->in_transaction()) return status;
  if (!status.ok()) RETURN_IF_ERROR(connection_->Run(kUndo).status());
  status.Update(connection_->Run(kRelease).status());
  return status;
}

absl::Status SqliteWriter::Commit() {
  const absl::Status status = connection_->Run(kCommit).status();
  if (status.ok()) return status;
  // Of these the log is not yet written; after an I/O error a later recovery may still find it.
  const int code = connection_->last_code() & 0xff;
  const bool undone = code == SQLITE_FULL || code == SQLITE_BUSY || code == SQLITE_CONSTRAINT;
  if (connection_->in_transaction()) connection_->Run(kRollback).IgnoreError();
  return undone ? status : OutcomeUnknown();
}

void SqliteWriter::Settle(const std::vector<Ticket*>& group, const absl::Status& commit) {
  absl::MutexLock lock(&mutex_);
  for (Ticket* ticket : group) {
    ticket->status.Update(commit);
    ticket->settled = true;
    ticket->changed.Signal();
  }
}

class SqliteDatabase : public Database {
 public:
  SqliteDatabase(const Options& options, std::string path, std::unique_ptr<SqliteConnection> writer)
      : path_(std::move(path)),
        readers_(options.connections),
        meter_(options.name, "sqlite", [this] { return readers_.use(); }),
        writer_(std::move(writer)) {}

  absl::Status ReadOnly(absl::Time deadline, const Closure& body) override {
    const ops::Timer timer(meter_.seconds);
    ASSIGN_OR_RETURN(auto reader, Take(deadline));
    const absl::Status status = Read(reader, deadline, body);
    readers_.Release(std::move(reader));
    return status;
  }

  absl::Status ReadWrite(absl::Time deadline, const Closure& body) override {
    const ops::Timer timer(meter_.seconds);
    const std::string_view trace = CurrentTrace();  // The closure runs on the writer's thread.
    return writer_.Run(deadline, [&](SqliteConnection& connection) {
      const TraceScope scope(trace);
      SqliteTx tx(connection, deadline);
      return tx.Outcome(body(tx));
    });
  }

  absl::Status RunScript(std::string_view script) override {
    return writer_.Run(absl::InfiniteFuture(), [&](SqliteConnection& connection) {
      return connection.RunScript(std::string(script));
    });
  }

  std::string_view engine() const override { return "sqlite"; }

 private:
  absl::StatusOr<std::unique_ptr<SqliteConnection>> Take(absl::Time deadline) {
    const ops::Timer timer(meter_.pool_wait);
    return readers_.Acquire(deadline);
  }

  absl::Status Read(std::unique_ptr<SqliteConnection>& reader, absl::Time deadline,
                    const Closure& body) {
    if (reader == nullptr) {
      ASSIGN_OR_RETURN(reader, SqliteConnection::Open({.path = path_, .reader = true}));
    }
    RETURN_IF_ERROR(reader->Run(kBeginRead).status());
    absl::Status status;
    {
      SqliteTx tx(*reader, deadline);
      status = tx.Outcome(body(tx));
    }
    status.Update(reader->Run(kRollback).status());
    return status;
  }

  const std::string path_;
  Pool<SqliteConnection> readers_;
  const Meter meter_;
  SqliteWriter writer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> OpenSqlite(const Database::Options& options,
                                                     const std::string& path) {
  ASSIGN_OR_RETURN(auto writer, SqliteConnection::Open({.path = path}));
  return std::make_unique<SqliteDatabase>(options, path, std::move(writer));
}

}  // namespace gonghui::sql
