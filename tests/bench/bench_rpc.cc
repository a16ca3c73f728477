#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/testing/database.h"
#include "tests/bench/benches.h"
#include "tests/bench/load.h"
#include "tests/bench/measure.h"

namespace gonghui::bench {
namespace {

constexpr int kMembers = 20000;

std::string GetMember(const std::string& name) {
  membership::v1::GetMemberRequest request;
  request.set_name(name);
  return request.SerializeAsString();
}

}  // namespace

// GetMember with the whole pipeline on (token, permission, scope, deadline, validation, metrics;
// log lines off) against a bare echo of a message of the same size.
void BenchRpc(const Settings& settings) {
  constexpr const char* kGetMember = "/gonghui.membership.v1.MemberService/GetMember";
  BenchSuite cached;
  BenchSuite uncached({.cache_bytes = 0});
  std::unique_ptr<BenchSuite> redis;
  if (!settings.redis.empty())
    redis = std::make_unique<BenchSuite>(Suite::Options{.redis = settings.redis});

  const auto load = [&](BenchSuite& suite, int members) -> Subject {
    auto names = std::make_shared<std::vector<std::string>>(suite.LoadMembers(members));
    return {"", [&suite, names, &settings] {
              return Run(
                  {.address = suite.address(),
                   .method = kGetMember,
                   .token = suite.token(),
                   .request =
                       [names](int64_t i) { return GetMember((*names)[i * 7919 % names->size()]); },
                   .seconds = settings.seconds});
            }};
  };
  const EchoServer echo(MakeMember(1));
  std::vector<Subject> subjects = {
      {"echo", [&] {
         return Run({.address = echo.address(),
                     .method = EchoServer::kMethod,
                     .request = [](int64_t) { return MakeMember(1).SerializeAsString(); },
                     .seconds = settings.seconds});
       }}};
  subjects.push_back({"get_member_cached", load(cached, 1000).rate});
  subjects.push_back({"get_member_sqlite", load(uncached, kMembers).rate});
  if (redis) subjects.push_back({"get_member_redis", load(*redis, 1000).rate});
  const std::vector<double> rates = Interleave(subjects, settings.repetitions);
  Print("get_member_cached", rates[1], "calls/s", rates[0], 0.55);
  Print("get_member_sqlite", rates[2], "calls/s", rates[0], 0.45);
  if (redis) Print("get_member_redis", rates[3], "calls/s", rates[0], 0.35);
}

namespace {

// CreateMember one by one, 64 calls in flight, each with its request_id, against what Tryton's RPC
// creates on the same machine (party.create with one address): 44 a second on SQLite, 51 on
// PostgreSQL.
void BenchCreateMemberOn(const Settings& settings, const std::string& engine) {
  std::unique_ptr<testing::TempDatabase> database;
  Suite::Options options;
  options.services = {"membership"};
  if (engine == "postgres") {
    database = std::make_unique<testing::TempDatabase>(engine);
    options.database_urls["membership"] = database->Close();
  }
  BenchSuite suite(std::move(options));
  int next = 0;
  const auto create = [&] {
    return Run({.address = suite.address(),
                .method = "/gonghui.membership.v1.MemberService/CreateMember",
                .token = suite.token(),
                .request =
                    [&](int64_t) {
                      membership::v1::CreateMemberRequest request;
                      request.set_parent("federations/bench");
                      request.set_request_id(absl::StrCat("bench-", next));
                      *request.mutable_member() = MakeMember(next++);
                      return request.SerializeAsString();
                    },
                .seconds = settings.seconds});
  };
  const std::vector<double> rates = Interleave({{"create", create}}, settings.repetitions);
  Print(absl::StrCat("create_member_", engine), rates[0], "calls/s", database != nullptr ? 51 : 44,
        100);
}

}  // namespace

// BatchCreateMembers of 1000 against bare sqlite3 inserts of the same rows in batches of 1000.
// Membership runs alone, as it does in a city: the figures that follow have a measurement of their
// own.
void BenchMembers(const Settings& settings) {
  constexpr int kCallers = 2;  // Batches in flight, as gonghui import has.
  constexpr int kBatches = 10;
  BenchSuite suite({.services = {"membership"}});
  int next = 0;
  const auto batches = [&] {
    const absl::Time start = absl::Now();
    std::vector<std::thread> callers;
    for (int c = 0; c < kCallers; ++c) {
      callers.emplace_back([&suite, first = next] { suite.LoadMembers(kBatches * 1000, first); });
      next += kBatches * 1000;
    }
    for (std::thread& caller : callers) caller.join();
    return kCallers * kBatches * 1000 / absl::ToDoubleSeconds(absl::Now() - start);
  };
  batches();
  const std::vector<double> rates = Interleave(
      {{"raw_sqlite_members",
        [&] {
          return RawInsertRate(suite.folder() + "/membership.db", {RawTable{"members"}}, 1000);
        }},
       {"batch_create_members", batches}},
      settings.repetitions);
  Print("batch_create_members", rates[1], "rows/s", rates[0], 0.4);
  BenchCreateMemberOn(settings, "sqlite");
  if (!settings.postgres.empty()) BenchCreateMemberOn(settings, "postgres");
}

// The rows that stand for the rows of the files: organisations, members and records.
void BenchImport(const std::string& folder, double rate) {
  double seconds = 0;
  double rows = 0;
  for (const auto& [area, table] :
       std::vector<std::pair<std::string, std::string>>{{"membership", "organization_versions"},
                                                        {"membership", "members"},
                                                        {"membership", "records"},
                                                        {"funds", "records"},
                                                        {"activities", "records"},
                                                        {"casework", "records"}}) {
    int64_t count = 0;
    const double raw =
        RawInsertRate(absl::StrCat(folder, "/", area, ".db"), {RawTable{table}}, 1000, &count);
    if (count == 0) continue;
    rows += static_cast<double>(count);
    seconds += static_cast<double>(count) / raw;
  }
  Print("import_end_to_end", rate, "rows/s", rows / seconds, 0.15);
}

}  // namespace gonghui::bench
