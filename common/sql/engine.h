// What both engines share behind sql.h: the errors, and the rules of a transaction.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/sql/sql.h"

namespace gonghui::sql {

absl::StatusOr<std::unique_ptr<Database>> OpenSqlite(const Database::Options& options,
                                                     const std::string& path);
absl::StatusOr<std::unique_ptr<Database>> OpenPostgres(const Database::Options& options);

absl::Status DeadlinePassed();
absl::Status KeyExists();
absl::Status StorageFull();
absl::Status DatabaseAway();
absl::Status OutcomeUnknown();
absl::Status ConflictPersists();
absl::Status StatementFailed(std::string_view query_name);

// A transaction whose first failed statement is final, as PostgreSQL has it: what follows returns
// the same error, and nothing is committed even if the closure returns OK.
class EngineTx : public Tx {
 public:
  explicit EngineTx(absl::Time deadline) : deadline_(deadline) {}

  absl::StatusOr<Rows> Run(const Query& query, Args args) final;
  absl::StatusOr<int64_t> RunMany(const Query& query, absl::Span<const Args> rows) final;
  absl::StatusOr<int64_t> InsertMany(const InsertQuery& insert, absl::Span<const Args> rows) final;
  absl::Status ReadMany(const Query& query, absl::Span<const Args> keys,
                        const std::function<void(const Rows::Row&)>& row) final;
  absl::Status Stream(const Query& query, Args args,
                      const std::function<absl::Status(const Rows::Row&)>& row) final;
  absl::Status Scan(const Query& query, Args args,
                    absl::FunctionRef<absl::Status(const RowView&)> row) final;
  absl::Status RunLater(const Query& query, absl::Span<const Args> rows) final;

  // What the closure's answer comes to.
  absl::Status Outcome(absl::Status answer) const { return answer.ok() ? failure_ : answer; }

 protected:
  virtual absl::StatusOr<Rows> DoRun(const Query& query, const Args& args) = 0;
  // Shows the rows found to `row` unless it is empty.
  virtual absl::StatusOr<int64_t> DoRunMany(const Query& query, absl::Span<const Args> rows,
                                            const std::function<void(const Rows::Row&)>& row) = 0;
  virtual absl::StatusOr<int64_t> DoInsertMany(const InsertQuery& insert,
                                               absl::Span<const Args> rows) = 0;
  // `stopped` receives the first error of `row`, which is no failure of the transaction.
  virtual absl::Status DoStream(const Query& query, const Args& args,
                                const std::function<absl::Status(const Rows::Row&)>& row,
                                absl::Status& stopped) = 0;
  virtual absl::Status DoScan(const Query& query, const Args& args,
                              absl::FunctionRef<absl::Status(const RowView&)> row,
                              absl::Status& stopped) = 0;
  virtual absl::Status DoRunLater(const Query& query, absl::Span<const Args> rows) = 0;

 private:
  absl::Status Check() const;
  // And that the arguments suit both engines.
  absl::Status Check(absl::Span<const Args> rows) const;
  absl::StatusOr<int64_t> Many(const Query& query, absl::Span<const Args> rows,
                               const std::function<void(const Rows::Row&)>& row);
  // Notes a failure, and logs a statement that took long.
  absl::Status Finish(std::string_view query_name, absl::Time start, absl::Status status);

  const absl::Time deadline_;
  absl::Status failure_;
};

}  // namespace gonghui::sql
