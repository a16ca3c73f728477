// A city on a running gonghuid: rebuild with its memory and a kill in the middle, the half-year
// report, a figure by the tree of today after a merger, and how soon a write shows in the total.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "common/base/status.h"
#include "common/testing/database.h"
#include "gonghui/common/v1/record.pb.h"
#include "gonghui/membership/v1/reorganization.pb.h"
#include "gonghui/reports/v1/report.pb.h"
#include "tests/bench/benches.h"
#include "tests/bench/city_server.h"
#include "tests/bench/duck.h"
#include "tests/bench/measure.h"

namespace gonghui::bench {
namespace {

namespace fs = std::filesystem;
using reports::v1::QueryFiguresRequest;
using reports::v1::QueryFiguresResponse;

void Must(const absl::Status& status) {
  if (!status.ok()) BenchSuite::Fail(status);
}

template <typename T>
T Must(absl::StatusOr<T> value) {
  Must(value.status());
  return *std::move(value);
}

std::string Binary() { return fs::read_symlink("/proc/self/exe").parent_path() / "gonghuid"; }

fs::path NewFolder() {
  char folder[] = "/tmp/gonghui-bench-XXXXXX";
  return mkdtemp(folder);
}

double Seconds(absl::Time since) { return absl::ToDoubleSeconds(absl::Now() - since); }

// Rebuilds everything; with `kill`, the server dies once in the middle.
void Rebuild(CityServer& server, const City& city, bool kill) {
  const absl::Time start = absl::Now();
  const common::v1::Job begun = Must(server.StartRebuild());
  while (kill && Must(server.GetJob(begun.name())).done() < city.facts() / 2) {
    absl::SleepFor(absl::Milliseconds(5));
  }
  if (kill) {
    server.Kill();
    Must(server.Start());
  }
  const common::v1::Job job = Must(server.AwaitJob(begun.name()));
  const double seconds = Seconds(start);
  reports::v1::RebuildRollupsResult result;
  job.result().UnpackTo(&result);
  const std::string name = kill ? "rebuild_killed_once" : "rebuild";
  Print(name, static_cast<double>(result.facts()) / seconds, "facts/s", 0, 0);
  Print(name + "_cells", static_cast<double>(result.cells()) / seconds, "cells/s", 0, 0);
  Print(name + "_peak_memory", static_cast<double>(server.PeakKib()) / 1024, "MiB", 512, 1.0);
  if (result.facts() < city.facts()) BenchSuite::Fail(absl::InternalError("facts are missing"));
}

QueryFiguresRequest HalfYear(const std::string& organization, bool children) {
  QueryFiguresRequest request;
  request.set_parent(absl::StrCat("federations/", City::kFederation));
  request.set_organization(organization);
  request.set_period("2020H1");
  request.set_children(children);
  for (int n = 0; n < City::kIndicators; ++n) {
    if (n % 10 < 7) request.add_measures(City::Indicator(n));  // Those that add up.
  }
  return request;
}

// Sum of the totals of all measures at the organisations with such an id.
int64_t TotalOf(const QueryFiguresResponse& answer, const std::string& organization) {
  int64_t total = 0;
  for (const reports::v1::Figure& figure : answer.figures()) {
    if (figure.organization() == organization && figure.dimensions().empty()) {
      total += figure.value();
    }
  }
  return total;
}

struct Query {
  std::string name;
  QueryFiguresRequest request;
  std::string group_by;  // The same for the engine: below which organisation, measure, sum.
};

void BenchQuery(const Settings& settings, CityServer& server, sql::Database& reports, Duck& duck,
                const Query& query) {
  constexpr const char* kPath = "/gonghui.reports.v1.ReportService/QueryFigures";
  int64_t total = 0;
  double records = 0;
  const auto engine = [&] {
    const absl::Time start = absl::Now();
    Must(reports.ReadOnly(absl::InfiniteFuture(), [&](sql::Tx& tx) -> absl::Status {
      ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run({query.name, query.group_by}));
      int64_t sum = 0;
      for (size_t i = 0; i < rows.size(); ++i) {
        sum += rows[i].Get<int64_t>(2);
      }
      if (sum != total) {
        return absl::InternalError(absl::StrCat(query.name, ": ", total, " here, ", sum, " there"));
      }
      return absl::OkStatus();
    }));
    return 1 / Seconds(start);
  };
  const auto cells = [&] {
    int queries = 0;
    const absl::Time start = absl::Now();
    while (Seconds(start) < settings.seconds) {
      const auto answer = Must(server.client().Invoke<QueryFiguresResponse>(kPath, query.request));
      total = TotalOf(answer, query.request.organization());
      records = answer.figures_size();
      ++queries;
    }
    return queries / Seconds(start);
  };
  cells();
  std::vector<Subject> subjects = {{query.name, cells}, {query.name + "_group_by", engine}};
  if (duck.ready()) {
    const std::string text = absl::StrReplaceAll(
        query.group_by, {{"FROM facts", "FROM text"}, {"tenant='city' AND", ""}});
    subjects.push_back(
        {query.name + "_duckdb", [&duck, text] {
           return 1 / duck.Run(absl::StrCat("SELECT SUM(total) FROM (", text, ")")).seconds;
         }});
  }
  const std::vector<double> rates = Interleave(subjects, settings.repetitions);
  std::fprintf(stderr, "  %s: %.0f figures an answer\n", query.name.c_str(), records);
  Print(query.name + "_vs_group_by", rates[0], "queries/s", rates[1], 1000);
  if (duck.ready()) Print(query.name + "_vs_duckdb", rates[0], "queries/s", rates[2], 0);
}

// Until reports has taken over everything written.
void AwaitFigures(CityServer& server) {
  reports::v1::GetFreshnessRequest request;
  request.set_parent(absl::StrCat("federations/", City::kFederation));
  bool behind = true;
  while (behind) {
    absl::SleepFor(absl::Seconds(1));
    behind = false;
    const auto freshness = Must(server.client().Invoke<reports::v1::GetFreshnessResponse>(
        "/gonghui.reports.v1.ReportService/GetFreshness", request));
    for (const reports::v1::Freshness& source : freshness.sources()) {
      behind = behind || source.applied() < source.head();
    }
  }
}

// The last union of the first district goes into the first of the second.
void Merge(CityServer& server, const std::string& source, const std::string& target) {
  membership::v1::MergeOrganizationsRequest request;
  request.set_parent(absl::StrCat("federations/", City::kFederation));
  request.mutable_merge()->add_sources(source);
  request.mutable_merge()->set_target(target);
  request.mutable_merge()->set_valid_from("2022-01-01");
  Must(server.client()
           .Invoke<membership::v1::Reorganization>(
               "/gonghui.membership.v1.ReorganizationService/MergeOrganizations", request)
           .status());
  AwaitFigures(server);
}

}  // namespace

void BenchCity(const Settings& settings) {
  const City city({.unions = settings.full ? 10'000 : 1'000});
  const fs::path folder = NewFolder();
  {
    CityServer server(Binary(), folder);
    Must(server.Start());
    Must(server.Found(city));
    server.Stop();
    const absl::Time start = absl::Now();
    Must(server.LoadFacts(city));
    std::fprintf(stderr, "  %lld facts loaded in %.0f s\n", static_cast<long long>(city.facts()),
                 Seconds(start));
    Must(server.Start());
    Rebuild(server, city, false);
    Rebuild(server, city, true);
    if (const int64_t wrong = Must(server.Divergent()); wrong != 0) {
      BenchSuite::Fail(absl::InternalError(absl::StrCat(wrong, " cells differ")));
    }
    const auto reports = Must(sql::Database::Open({.url = server.ReportsUrl()}));
    Duck duck(city);
    const std::string source = city.Union(city.unions() / City::kDistricts - 1);
    const std::string half =
        "FROM facts WHERE tenant='city' AND on_date >= '2020-01-01' AND on_date < '2020-07-01' ";
    const std::string by_district = " GROUP BY substr(organization, 1, 3), measure";
    const std::string sums = "SELECT substr(organization, 1, 3), measure, SUM(delta) AS total ";
    const std::string adding = "AND CAST(substr(measure, 13, 1) AS BIGINT) < 7";
    BenchQuery(settings, server, *reports, duck,
               {"half_year_report", HalfYear(City::kRoot, true),
                absl::StrCat(sums, half, adding, by_district)});
    QueryFiguresRequest one = HalfYear(City::kRoot, true);
    one.clear_measures();
    one.add_measures(City::Indicator(0));
    BenchQuery(settings, server, *reports, duck,
               {"half_year_indicator", one,
                absl::StrCat(sums, half, "AND measure = '", City::Indicator(0), "'", by_district)});
    Merge(server, source, city.Union(city.unions() / City::kDistricts));
    QueryFiguresRequest as_is = HalfYear(City::District(1), false);
    as_is.set_tree_mode(reports::v1::TREE_MODE_AS_IS);
    BenchQuery(settings, server, *reports, duck,
               {"as_is_after_merge", as_is,
                absl::StrCat("SELECT 'D01', measure, SUM(delta) AS total ", half, adding,
                             " AND (substr(organization, 1, 3) = 'D01' OR organization = '", source,
                             "') GROUP BY measure")});
  }
  fs::remove_all(folder);
}

namespace {

// Writes at a steady rate, and how long after its answer each shows in the federation's total.
class LiveTotal {
 public:
  LiveTotal(CityServer& server, const City& city, double seconds)
      : server_(server), city_(city), seconds_(seconds) {}

  // Milliseconds, sorted.
  std::vector<double> Run() {
    const int64_t before = Total(server_.client());
    start_ = absl::Now();
    std::vector<std::thread> writers;
    for (int w = 0; w < kWriters; ++w) writers.emplace_back([this, w] { Write(w); });
    std::vector<std::pair<int64_t, absl::Time>> seen;  // Total from then on.
    std::thread reader([&] {
      const auto client = server_.NewClient();
      int64_t last = 0;
      while (last < wanted_ || running_) {
        const int64_t total = Total(*client) - before;
        if (total > last) seen.emplace_back(last = total, absl::Now());
        absl::SleepFor(absl::Milliseconds(10));
      }
    });
    for (std::thread& writer : writers) writer.join();
    wanted_ = static_cast<int64_t>(answered_.size());
    running_ = false;
    reader.join();
    std::sort(answered_.begin(), answered_.end());
    std::vector<double> delays;
    auto shown = seen.begin();
    for (size_t i = 0; i < answered_.size(); ++i) {
      while (shown->first < static_cast<int64_t>(i + 1)) ++shown;
      delays.push_back(absl::ToDoubleMilliseconds(shown->second - answered_[i]));
    }
    std::sort(delays.begin(), delays.end());
    return delays;
  }
  double Rate() const { return static_cast<double>(answered_.size()) / seconds_; }

 private:
  static constexpr int kWriters = 8;
  static constexpr int kRate = 500;  // Writes a second, of all writers.

  int64_t Total(const rpc::Client& client) {
    QueryFiguresRequest request;
    request.set_parent(absl::StrCat("federations/", City::kFederation));
    request.set_organization(City::kRoot);
    request.set_period("2020H1");
    request.add_measures("handouts_distributed");
    request.set_dimensions("topic=law");
    const auto answer = Must(client.Invoke<QueryFiguresResponse>(
        "/gonghui.reports.v1.ReportService/QueryFigures", request));
    return answer.figures_size() == 0 ? 0 : answer.figures(0).value();
  }

  void Write(int writer) {
    const auto client = server_.NewClient();
    const int count = static_cast<int>(kRate * seconds_ / kWriters);
    for (int n = 0; n < count; ++n) {
      absl::SleepFor(start_ + absl::Seconds(seconds_) * n / count - absl::Now());
      common::v1::CreateRecordRequest request;
      request.set_parent(absl::StrCat("federations/", City::kFederation));
      common::v1::Record& record = *request.mutable_record();
      record.set_kind("handout_issue");
      record.set_number(absl::StrCat("L", writer, "-", n));
      record.set_title("册");
      record.set_organization(city_.Union((writer + n * kWriters) % city_.unions()));
      record.set_on_date(absl::StrFormat("2020-%02d-10", n % 6 + 1));
      (*record.mutable_fields())["topic"] = "law";
      (*record.mutable_fields())["copies"] = "1";
      Must(client
               ->Invoke<common::v1::Record>("/gonghui.activities.v1.ActivityService/CreateRecord",
                                            request)
               .status());
      const absl::Time now = absl::Now();
      absl::MutexLock lock(&mutex_);
      answered_.push_back(now);
    }
  }

  CityServer& server_;
  const City& city_;
  const double seconds_;
  absl::Time start_;
  std::atomic<bool> running_{true};
  std::atomic<int64_t> wanted_{0};
  absl::Mutex mutex_;
  std::vector<absl::Time> answered_;
};

}  // namespace

void BenchLive(const Settings& settings) {
  for (const std::string& engine : testing::Engines()) {
    std::map<std::string, std::unique_ptr<testing::TempDatabase>> databases;
    std::map<std::string, std::string> urls;
    if (engine != "sqlite") {
      for (const char* area : {"membership", "funds", "activities", "casework", "reports"}) {
        databases[area] = std::make_unique<testing::TempDatabase>(engine);
        urls[area] = databases[area]->Close();
      }
    }
    const City city({.unions = 200});
    const fs::path folder = NewFolder();
    {
      CityServer server(Binary(), folder, urls);
      Must(server.Start());
      Must(server.Found(city));
      AwaitFigures(server);
      LiveTotal live(server, city, std::max(10.0, settings.seconds));
      const std::vector<double> delays = live.Run();
      std::fprintf(stderr, "  %s: %.0f writes/s\n", engine.c_str(), live.Rate());
      Print("live_total_p50_" + engine, delays[delays.size() / 2], "ms", 1000, 0);
      Print("live_total_p99_" + engine, delays[delays.size() * 99 / 100], "ms", 1000, 1.0);
    }
    fs::remove_all(folder);
  }
}

}  // namespace gonghui::bench
