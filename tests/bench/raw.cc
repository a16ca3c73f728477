#include "tests/bench/raw.h"

#include <libpq-fe.h>
#include <sqlite3.h>

#include <cstdio>
#include <cstdlib>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace gonghui::bench {
namespace {

constexpr const char* kOnConflict =
    " ON CONFLICT (tenant, organization, measure, subject, dims, month) DO UPDATE SET value = "
    "rebuilt_cells.value + excluded.value, records = rebuilt_cells.records + excluded.records";
constexpr const char* kInto =
    "INSERT INTO rebuilt_cells (tenant, organization, measure, subject, dims, month, value, "
    "records) ";
constexpr size_t kTexts = 6;
constexpr size_t kColumns = 8;

bool IsNumber(int column) { return column == 5 || column == 8 || column == 9; }

volatile int64_t kept;  // What the scans look at.

void Must(bool good, const char* why) {
  if (good) return;
  std::fprintf(stderr, "bench: %s\n", why);
  std::_Exit(1);
}

double Rate(size_t rows, absl::Time start) {
  return static_cast<double>(rows) / absl::ToDoubleSeconds(absl::Now() - start);
}

double ScanSqlite(sqlite3* db, const std::string& query) {
  sqlite3_stmt* statement = nullptr;
  const absl::Time start = absl::Now();
  Must(sqlite3_prepare_v2(db, query.c_str(), -1, &statement, nullptr) == SQLITE_OK,
       sqlite3_errmsg(db));
  const int columns = sqlite3_column_count(statement);
  size_t rows = 0;
  int64_t seen = 0;
  for (; sqlite3_step(statement) == SQLITE_ROW; ++rows) {
    for (int i = 0; i < columns; ++i) {
      seen += IsNumber(i) ? sqlite3_column_int64(statement, i)
                          : *sqlite3_column_text(statement, i) + sqlite3_column_bytes(statement, i);
    }
  }
  kept = seen;
  sqlite3_finalize(statement);
  return Rate(rows, start);
}

double UpsertSqlite(sqlite3* db, const std::vector<sql::Args>& rows) {
  sqlite3_exec(db, "DELETE FROM rebuilt_cells", nullptr, nullptr, nullptr);
  const absl::Time start = absl::Now();
  sqlite3_stmt* statement = nullptr;
  const std::string text =
      absl::StrCat(kInto, "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", kOnConflict);
  Must(sqlite3_prepare_v2(db, text.c_str(), -1, &statement, nullptr) == SQLITE_OK,
       sqlite3_errmsg(db));
  sqlite3_exec(db, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
  for (const sql::Args& row : rows) {
    for (size_t i = 0; i < kColumns; ++i) {
      const int slot = static_cast<int>(i + 1);
      if (i >= kTexts) {
        sqlite3_bind_int64(statement, slot, std::get<int64_t>(row[i]));
      } else {
        const auto& value = std::get<std::string>(row[i]);
        sqlite3_bind_text64(statement, slot, value.data(), value.size(), SQLITE_STATIC,
                            SQLITE_UTF8);
      }
    }
    Must(sqlite3_step(statement) == SQLITE_DONE, sqlite3_errmsg(db));
    sqlite3_reset(statement);
  }
  sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr);
  sqlite3_finalize(statement);
  return Rate(rows.size(), start);
}

void Execute(PGconn* server, const std::string& text) {
  PGresult* result = PQexec(server, text.c_str());
  Must(PQresultStatus(result) == PGRES_COMMAND_OK, PQerrorMessage(server));
  PQclear(result);
}

double CopyOut(PGconn* server, const std::string& query) {
  const absl::Time start = absl::Now();
  PGresult* result =
      PQexec(server, absl::StrCat("COPY (", query, ") TO STDOUT (FORMAT BINARY)").c_str());
  Must(PQresultStatus(result) == PGRES_COPY_OUT, PQerrorMessage(server));
  PQclear(result);
  size_t rows = 0;
  int64_t seen = 0;
  char* row = nullptr;
  for (int size; (size = PQgetCopyData(server, &row, 0)) > 0; ++rows) {
    seen += row[size - 1];
    PQfreemem(row);
  }
  kept = seen;
  PQclear(PQgetResult(server));
  while (PGresult* rest = PQgetResult(server)) PQclear(rest);
  return Rate(rows - 1, start);  // Without the trailer.
}

// A column of rows as an array literal.
std::string Array(const std::vector<sql::Args>& rows, size_t first, size_t last, size_t column) {
  std::string text = "{";
  for (size_t i = first; i < last; ++i) {
    if (i > first) text += ',';
    if (const auto* number = std::get_if<int64_t>(&rows[i][column])) {
      absl::StrAppend(&text, *number);
    } else {
      absl::StrAppend(&text, "\"", std::get<std::string>(rows[i][column]), "\"");
    }
  }
  return text + "}";
}

double UpsertPostgres(PGconn* server, const std::vector<sql::Args>& rows) {
  constexpr size_t kBatch = 1000;
  Execute(server, "TRUNCATE rebuilt_cells");
  PQclear(PQprepare(server, "upsert",
                    absl::StrCat(kInto,
                                 "SELECT * FROM unnest($1::text[], $2::text[], $3::text[], "
                                 "$4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[])",
                                 kOnConflict)
                        .c_str(),
                    kColumns, nullptr));
  const absl::Time start = absl::Now();
  Execute(server, "BEGIN");
  for (size_t first = 0; first < rows.size(); first += kBatch) {
    std::vector<std::string> arrays;
    for (size_t column = 0; column < kColumns; ++column) {
      arrays.push_back(Array(rows, first, std::min(first + kBatch, rows.size()), column));
    }
    std::vector<const char*> values;
    for (const std::string& array : arrays) values.push_back(array.c_str());
    PGresult* result =
        PQexecPrepared(server, "upsert", kColumns, values.data(), nullptr, nullptr, 0);
    Must(PQresultStatus(result) == PGRES_COMMAND_OK, PQerrorMessage(server));
    PQclear(result);
  }
  Execute(server, "COMMIT");
  const double rate = Rate(rows.size(), start);
  Execute(server, "DEALLOCATE upsert");
  return rate;
}

}  // namespace

struct RawEngine::Connection {
  sqlite3* file = nullptr;
  PGconn* server = nullptr;
};

RawEngine::RawEngine(const std::string& url) : connection_(std::make_unique<Connection>()) {
  if (url.starts_with("sqlite:")) {
    Must(sqlite3_open(url.substr(7).c_str(), &connection_->file) == SQLITE_OK, "cannot open");
    for (const char* pragma : {"PRAGMA busy_timeout=60000", "PRAGMA synchronous=FULL",
                               "PRAGMA wal_autocheckpoint=20000", "PRAGMA cache_size=-65536"}) {
      sqlite3_exec(connection_->file, pragma, nullptr, nullptr, nullptr);
    }
  } else {
    connection_->server = PQconnectdb(url.c_str());
    Must(PQstatus(connection_->server) == CONNECTION_OK, "PostgreSQL does not answer");
  }
}

RawEngine::~RawEngine() {
  sqlite3_close(connection_->file);
  PQfinish(connection_->server);
}

double RawEngine::ScanRate(const std::string& query) {
  return connection_->file != nullptr ? ScanSqlite(connection_->file, query)
                                      : CopyOut(connection_->server, query);
}

double RawEngine::UpsertRate(const std::vector<sql::Args>& rows) {
  return connection_->file != nullptr ? UpsertSqlite(connection_->file, rows)
                                      : UpsertPostgres(connection_->server, rows);
}

}  // namespace gonghui::bench
