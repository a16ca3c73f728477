#include "common/sql/engine.h"

#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/base/trace.h"
#include "common/ops/recent.h"

namespace gonghui::sql {
namespace {

constexpr absl::Duration kSlow = absl::Milliseconds(500);

// PostgreSQL's text holds no NUL; SQLite would keep what the other cuts off.
absl::Status CheckText(const Args& args) {
  for (const Value& value : args) {
    const auto* text = std::get_if<std::string>(&value);
    if (text != nullptr && text->find('\0') != std::string::npos) {
      return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                             "a text holds the character NUL; remove it",
                             "文本中含有空字符（NUL），请删除");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status DeadlinePassed() {
  return gonghui::DeadlineExceeded(
      "the database had no time left for this request; ask with a longer deadline or for less",
      "数据库未能在期限内完成请求，请放宽期限或减少请求量");
}

absl::Status KeyExists() {
  return gonghui::AlreadyExists(common::v1::REASON_ALREADY_EXISTS,
                                "a row with this key exists; read it or use another key",
                                "相同键的数据已存在，请查看原有数据或改用其他键");
}

absl::Status StorageFull() {
  return gonghui::ResourceExhausted(
      common::v1::REASON_STORAGE_FULL,
      "the database has no space left, nothing was written; free space and repeat the request",
      "数据库存储空间已满，未写入任何数据，请清理空间后重试");
}

absl::Status DatabaseAway() {
  return gonghui::Unavailable(common::v1::REASON_UNAVAILABLE,
                              "the database does not answer, nothing was written; try again soon",
                              "数据库暂时无法访问，未写入任何数据，请稍后重试");
}

absl::Status OutcomeUnknown() {
  return gonghui::Unavailable(
      common::v1::REASON_OUTCOME_UNKNOWN,
      "the answer to the commit was lost; repeat the request with the same request_id",
      "提交结果未知，请使用相同的 request_id 重试");
}

absl::Status ConflictPersists() {
  return gonghui::Aborted(common::v1::REASON_CONFLICT,
                          "others keep changing the same data, nothing was written; try again",
                          "数据正被他人同时修改，未写入任何数据，请重试");
}

absl::Status StatementFailed(std::string_view query_name) {
  return gonghui::Internal(StrCat("statement ", query_name, " failed; the log says why"));
}

absl::Status EngineTx::Check() const {
  RETURN_IF_ERROR(failure_);
  return absl::Now() < deadline_ ? absl::OkStatus() : DeadlinePassed();
}

absl::Status EngineTx::Check(absl::Span<const Args> rows) const {
  RETURN_IF_ERROR(Check());
  for (const Args& args : rows) RETURN_IF_ERROR(CheckText(args));
  return absl::OkStatus();
}

absl::Status EngineTx::Finish(std::string_view query_name, absl::Time start, absl::Status status) {
  const absl::Duration took = absl::Now() - start;
  if (took > kSlow) {
    log::Warning("slow_statement",
                 {{"query", query_name}, {"took_ms", absl::ToInt64Milliseconds(took)}});
    ops::NoteSlowStatement(query_name, took, CurrentTrace());
  }
  failure_.Update(status);
  return status;
}

absl::StatusOr<Rows> EngineTx::Run(const Query& query, Args args) {
  const absl::Time start = absl::Now();
  const absl::Status ready = Check({&args, 1});
  absl::StatusOr<Rows> rows = ready.ok() ? DoRun(query, args) : ready;
  RETURN_IF_ERROR(Finish(query.name, start, rows.status()));
  return rows;
}

absl::StatusOr<int64_t> EngineTx::RunMany(const Query& query, absl::Span<const Args> rows) {
  return Many(query, rows, nullptr);
}

absl::StatusOr<int64_t> EngineTx::InsertMany(const InsertQuery& insert,
                                             absl::Span<const Args> rows) {
  const absl::Time start = absl::Now();
  const absl::Status ready = Check(rows);
  absl::StatusOr<int64_t> changed = ready.ok() ? DoInsertMany(insert, rows) : ready;
  RETURN_IF_ERROR(Finish(insert.name, start, changed.status()));
  return changed;
}

absl::Status EngineTx::ReadMany(const Query& query, absl::Span<const Args> keys,
                                const std::function<void(const Rows::Row&)>& row) {
  return Many(query, keys, row).status();
}

absl::StatusOr<int64_t> EngineTx::Many(const Query& query, absl::Span<const Args> rows,
                                       const std::function<void(const Rows::Row&)>& row) {
  const absl::Time start = absl::Now();
  const absl::Status ready = Check(rows);
  absl::StatusOr<int64_t> changed = ready.ok() ? DoRunMany(query, rows, row) : ready;
  RETURN_IF_ERROR(Finish(query.name, start, changed.status()));
  return changed;
}

absl::Status EngineTx::Stream(const Query& query, Args args,
                              const std::function<absl::Status(const Rows::Row&)>& row) {
  // How long it takes is up to `row`, so it is never reported as slow.
  const absl::Status ready = Check({&args, 1});
  absl::Status stopped;
  RETURN_IF_ERROR(
      Finish(query.name, absl::Now(), ready.ok() ? DoStream(query, args, row, stopped) : ready));
  return stopped;
}

absl::Status EngineTx::Scan(const Query& query, Args args,
                            absl::FunctionRef<absl::Status(const RowView&)> row) {
  const absl::Status ready = Check({&args, 1});
  absl::Status stopped;
  RETURN_IF_ERROR(
      Finish(query.name, absl::Now(), ready.ok() ? DoScan(query, args, row, stopped) : ready));
  return stopped;
}

absl::Status EngineTx::RunLater(const Query& query, absl::Span<const Args> rows) {
  const absl::Time start = absl::Now();
  const absl::Status ready = Check(rows);
  return Finish(query.name, start, ready.ok() ? DoRunLater(query, rows) : ready);
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const Options& options) {
  const std::string_view url = options.url;
  if (url.starts_with("sqlite:")) return OpenSqlite(options, std::string(url.substr(7)));
  if (url.starts_with("postgres://") || url.starts_with("postgresql://")) {
    return OpenPostgres(options);
  }
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         "the database URL starts with neither sqlite: nor postgres://",
                         "数据库地址应以 sqlite: 或 postgres:// 开头")
      .At("url");
}

}  // namespace gonghui::sql
