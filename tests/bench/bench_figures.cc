#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/base/status.h"
#include "gonghui/common/v1/record.pb.h"
#include "gonghui/reports/v1/report.pb.h"
#include "tests/bench/benches.h"
#include "tests/bench/load.h"
#include "tests/bench/measure.h"

namespace gonghui::bench {
namespace {

// Hand-outs: one fact a record, spread over organisations, months and topics.
void LoadHandouts(BenchSuite& suite, int count, int first) {
  constexpr const char* kTopics[] = {"law", "safety", "occupational_disease"};
  for (int at = first; at < first + count;) {
    common::v1::BatchCreateRecordsRequest request;
    request.set_parent("federations/bench");
    for (; at < first + count && request.records_size() < 1000; ++at) {
      common::v1::Record& record = *request.add_records();
      record.set_kind("handout_issue");
      record.set_number(absl::StrCat("H", at));
      record.set_title("册");
      record.set_organization(absl::StrFormat("U%03d", at % 100));
      record.set_on_date(absl::StrFormat("2020-%02d-%02d", at / 100 % 6 + 1, at % 28 + 1));
      (*record.mutable_fields())["topic"] = kTopics[at % 3];
      (*record.mutable_fields())["copies"] = absl::StrCat(at % 50 + 1);
    }
    auto response = suite.Must<common::v1::BatchCreateRecordsResponse>(
        "/gonghui.activities.v1.ActivityService/BatchCreateRecords", request);
    if (response.failures_size() > 0)
      BenchSuite::Fail(absl::InternalError(response.failures(0).ShortDebugString()));
  }
}

void CatchUp(BenchSuite& suite) {
  if (absl::Status status = suite.suite().CatchUp(); !status.ok()) BenchSuite::Fail(status);
}

}  // namespace

// Facts taken over by reports (read from the feed, stored, rolled up into every ancestor) against
// bare sqlite3 inserts of the same fact rows.
void BenchFacts(const Settings& settings) {
  constexpr int kFacts = 20000;
  BenchSuite suite;
  CatchUp(suite);
  int next = 0;
  LoadHandouts(suite, kFacts, next);
  next += kFacts;
  CatchUp(suite);
  const std::vector<double> rates = Interleave(
      {{"raw_sqlite_facts",
        [&] { return RawInsertRate(suite.folder() + "/reports.db", {RawTable{"facts"}}, 1000); }},
       {"load_to_totals",
        [&] {
          const absl::Time start = absl::Now();
          LoadHandouts(suite, kFacts, next);
          next += kFacts;
          CatchUp(suite);
          return kFacts / absl::ToDoubleSeconds(absl::Now() - start);
        }}},
      settings.repetitions);
  Print("records_to_totals", rates[1], "facts/s", rates[0], 0);
}

// A half-year figure of the federation from cells, against the engine's GROUP BY over the same
// facts.
void BenchFigures(const Settings& settings) {
  constexpr int kFacts = 100000;
  BenchSuite suite;
  LoadHandouts(suite, kFacts, 0);
  CatchUp(suite);
  reports::v1::QueryFiguresRequest query;
  query.set_parent("federations/bench");
  query.set_organization("D01");
  query.set_period("2020H1");
  query.add_measures("handouts_distributed");
  query.set_dimensions("topic=law");
  const std::string bytes = query.SerializeAsString();
  constexpr sql::Query kGroup{
      "bench.group",
      "SELECT dims, SUM(delta) FROM facts WHERE tenant = 'bench' AND measure = "
      "'handouts_distributed' AND on_date >= '2020-01-01' AND on_date <= '2020-06-30' GROUP BY "
      "dims"};
  const std::vector<double> rates =
      Interleave({{"engine_group_by",
                   [&] {
                     int queries = 0;
                     const absl::Time start = absl::Now();
                     while (absl::Now() - start < absl::Seconds(settings.seconds)) {
                       absl::Status status = suite.suite().database("reports").ReadOnly(
                           absl::Now() + absl::Seconds(30),
                           [&](sql::Tx& tx) { return tx.Run(kGroup).status(); });
                       if (!status.ok()) BenchSuite::Fail(status);
                       ++queries;
                     }
                     return queries / absl::ToDoubleSeconds(absl::Now() - start);
                   }},
                  {"query_figures",
                   [&] {
                     return Run({.address = suite.address(),
                                 .method = "/gonghui.reports.v1.ReportService/QueryFigures",
                                 .token = suite.token(),
                                 .request = [&](int64_t) { return bytes; },
                                 .seconds = settings.seconds});
                   }}},
                 settings.repetitions);
  Print("query_figures", rates[1], "queries/s", rates[0], 0);
}

}  // namespace gonghui::bench
