// How fast facts become columns, columns become sums, and sums become rows of cells.
#include <libpq-fe.h>
#include <sqlite3.h>

#include <filesystem>
#include <map>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/status.h"
#include "common/feed/schema.embedded.h"
#include "common/rpc/schema.embedded.h"
#include "common/sql/migrate.h"
#include "common/testing/database.h"
#include "services/reports/cell_sums.h"
#include "services/reports/columns.h"
#include "services/reports/schema.embedded.h"
#include "tests/bench/benches.h"
#include "tests/bench/duck.h"
#include "tests/bench/measure.h"
#include "tests/bench/raw.h"

namespace gonghui::bench {
namespace {

using reports::FactColumns;

constexpr int64_t kRun = 200'000;  // Facts in one set of columns, as in a step of a rebuild.
#define FACTS                                                                                \
  "SELECT organization, measure, on_date, dims, subject, delta, record, source, sequence, "  \
  "ordinal FROM facts WHERE tenant='city' ORDER BY organization, measure, on_date, source, " \
  "sequence, ordinal"
constexpr sql::Query kFacts{"bench.facts", FACTS};

void Must(const absl::Status& status) {
  if (!status.ok()) BenchSuite::Fail(status);
}

// A database of the reports service with the city's facts.
std::unique_ptr<testing::TempDatabase> Loaded(const std::string& engine, const City& city) {
  auto database = std::make_unique<testing::TempDatabase>(engine);
  std::vector<EmbeddedFile> schema = embedded::common_rpc_schema();
  for (const auto* more : {&embedded::common_feed_schema(), &embedded::services_reports_schema()}) {
    schema.insert(schema.end(), more->begin(), more->end());
  }
  Must(sql::Migrate(**database, schema, 1));
  Must(city.Load(**database));
  return database;
}

reports::Measures CityMeasures() {
  static const auto& catalogue = *new std::string(City::Catalogue());
  auto measures = reports::Measures::Load({{"city.yaml", catalogue}});
  Must(measures.status());
  return *std::move(measures);
}

std::vector<FactColumns> ReadColumns(sql::Database& db, const reports::Measures& measures) {
  std::vector<FactColumns> runs;
  Must(db.ReadOnly(absl::InfiniteFuture(), [&](sql::Tx& tx) {
    runs.clear();
    int64_t read = 0;
    return tx.Scan(kFacts, {}, [&](const sql::RowView& row) {
      if (read++ % kRun == 0) runs.emplace_back(measures);
      runs.back().Add(row);
      return absl::OkStatus();
    });
  }));
  return runs;
}

// Groups, the sum of their values, and of their squares: what DuckDB must find as well.
struct Check {
  int64_t groups = 0, sum = 0, squares = 0;
  void Compare(const std::string& name, const Duck::Answer& answer) const {
    const std::string here = absl::StrCat(groups, " ", sum, " ", squares);
    const std::string there = absl::StrCat(answer.row[0], " ", answer.row[1], " ", answer.row[2]);
    if (here != there) {
      BenchSuite::Fail(
          absl::InternalError(absl::StrCat(name, ": ", here, " here, ", there, " in DuckDB")));
    }
  }
};

// Facts a second.
double SumAll(const std::vector<FactColumns>& runs, bool by_day, Check* check) {
  const absl::Time start = absl::Now();
  *check = {};
  int64_t facts = 0;
  for (const FactColumns& run : runs) {
    facts += static_cast<int64_t>(run.size());
    for (const FactColumns::Group& group :
         run.Sum(std::vector<bool>(run.organizations().size(), by_day))) {
      ++check->groups;
      check->sum += group.sums.value;
      check->squares += group.sums.value * group.sums.value;
    }
  }
  return static_cast<double>(facts) / absl::ToDoubleSeconds(absl::Now() - start);
}

std::string GroupBy(const std::string& keys) {
  return absl::StrCat("SELECT COUNT(*), SUM(v), SUM(v * v) FROM (SELECT ", keys,
                      ", SUM(delta)::BIGINT AS v, SUM(sign(delta))::BIGINT AS n FROM coded GROUP "
                      "BY ",
                      keys, ") WHERE v <> 0 OR n <> 0");
}

void BenchAggregation(const Settings& settings, const City& city,
                      const std::vector<FactColumns>& runs) {
  Duck duck(city);
  if (!duck.ready()) {
    std::fprintf(stderr, "DuckDB is not installed (tests/bench/run.sh fetches it): left out\n");
    return;
  }
  const double facts = static_cast<double>(city.facts());
  const auto compare = [&](const std::string& name, bool by_day, const std::string& keys,
                           double goal) {
    Check check;
    Duck::Answer answer;
    const std::vector<double> rates =
        Interleave({{"duckdb_" + name,
                     [&] {
                       answer = duck.Run(GroupBy(keys));
                       return facts / answer.seconds;
                     }},
                    {name, [&] { return SumAll(runs, by_day, &check); }}},
                   settings.repetitions);
    check.Compare(name, answer);
    Print(name, rates[1], "facts/s", rates[0], goal);
  };
  compare("aggregate_dense", false, "series, month", 1.0);
  compare("aggregate_general", true, "series, day", 0.5);
}

// The rows of cells that the columns make, each once.
std::vector<sql::Args> CellRows(const std::vector<FactColumns>& runs) {
  std::vector<sql::Args> rows;
  for (const FactColumns& run : runs) {
    for (const FactColumns::Group& group :
         run.Sum(std::vector<bool>(run.organizations().size(), false))) {
      const FactColumns::Series& series = run.series()[group.series];
      const FactColumns::Item& item = run.items()[series.item];
      rows.push_back({"city", run.organizations()[series.organization],
                      run.measures()[item.measure], run.subjects()[item.subject],
                      run.dims()[item.dims], run.days()[group.day].substr(0, 7), group.sums.value,
                      group.sums.records});
      if (static_cast<int64_t>(rows.size()) == kRun) return rows;
    }
  }
  return rows;
}

double AddRows(sql::Database& db, const std::vector<sql::Args>& rows) {
  Must(db.RunScript("DELETE FROM rebuilt_cells"));
  constexpr size_t kAtOnce = 4096;
  const absl::Time start = absl::Now();
  Must(db.ReadWrite(absl::InfiniteFuture(), [&](sql::Tx& tx) -> absl::Status {
    for (size_t i = 0; i < rows.size(); i += kAtOnce) {
      RETURN_IF_ERROR(reports::AddToCells(
          tx, reports::CellTables::kRebuilt,
          {rows.begin() + i, rows.begin() + std::min(i + kAtOnce, rows.size())}));
    }
    return absl::OkStatus();
  }));
  return static_cast<double>(rows.size()) / absl::ToDoubleSeconds(absl::Now() - start);
}

void BenchEngine(const Settings& settings, const City& city, const std::string& engine) {
  const auto database = Loaded(engine, city);
  const reports::Measures measures = CityMeasures();
  RawEngine raw(database->url());
  std::vector<FactColumns> runs;
  std::vector<double> rates = Interleave(
      {{"raw_scan_" + engine, [&] { return raw.ScanRate(FACTS); }},
       {"columns_" + engine,
        [&] {
          runs.clear();
          const absl::Time start = absl::Now();
          runs = ReadColumns(**database, measures);
          return static_cast<double>(city.facts()) / absl::ToDoubleSeconds(absl::Now() - start);
        }}},
      settings.repetitions);
  Print("columns_" + engine, rates[1], "facts/s", rates[0], 0.7);
  const std::vector<sql::Args> rows = CellRows(runs);
  rates = Interleave({{"raw_upserts_" + engine, [&] { return raw.UpsertRate(rows); }},
                      {"upserts_" + engine, [&] { return AddRows(**database, rows); }}},
                     settings.repetitions);
  Print("upserts_" + engine, rates[1], "rows/s", rates[0], 0.7);
  if (engine == "sqlite") BenchAggregation(settings, city, runs);
}

}  // namespace

void BenchColumns(const Settings& settings) {
  const City city({.unions = settings.full ? 10'000 : 200});
  BenchEngine(settings, city, "sqlite");
  // Ten million rows by COPY and by upsert take minutes; the ratio is the same for a tenth.
  if (!settings.postgres.empty()) {
    BenchEngine(settings, City({.unions = settings.full ? 1'000 : 200}), "postgres");
  }
}

}  // namespace gonghui::bench
