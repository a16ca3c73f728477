// What operators see of a running suite: metrics, /statusz, /readyz, traces, the watchdog.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "absl/synchronization/notification.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/base/trace.h"
#include "common/base/version.h"
#include "common/feed/follower.h"
#include "common/feed/schema.embedded.h"
#include "common/ops/dial.h"
#include "common/ops/metrics.h"
#include "common/sql/migrate.h"
#include "common/testing/database.h"
#include "common/testing/matchers.h"
#include "gonghui/common/v1/error.pb.h"
#include "google/protobuf/descriptor.h"
#include "services/server/status_page.h"
#include "services/server/suite.h"
#include "services/server/watchdog.h"

namespace gonghui {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::Not;

constexpr char kTrace[] = "4bf92f3577b34da6a3ce929d0e0e4736";

std::string Traceparent(std::string_view trace) {
  return StrCat("00-", trace, "-00f067aa0ba902b7-01");
}

class OperatorsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    static int serial = 0;
    folder_ = std::filesystem::path(::testing::TempDir()) /
              StrCat("operators_", ::getpid(), "_", ++serial);
    std::filesystem::remove_all(folder_);
    Suite::Options options;
    options.data_dir = folder_.string();
    options.dev = true;
    options.ops_port = 0;
    options.http_port = 0;
    options.redis = "127.0.0.1:1";  // Nobody is there: slower, never wrong, and to be seen.
    auto suite = Suite::Start(std::move(options));
    ASSERT_THAT(suite, IsOk());
    suite_ = *std::move(suite);
    auth::Actor actor{.subject = "tester", .federation = "*"};
    for (const char* role : {"admin", "service"}) {
      common::v1::Grant& grant = actor.grants.emplace_back();
      grant.set_role(role);
      grant.set_organization("*");
    }
    auto token = suite_->DevToken(actor);
    ASSERT_THAT(token, IsOk());
    token_ = *token;
  }
  void TearDown() override {
    suite_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string Ops(const std::string& path) {
    httplib::Client http("127.0.0.1", suite_->ops_port());
    const auto answer = http.Get(path);
    return answer ? answer->body : "no answer";
  }
  httplib::Result Create(const std::string& federation, const httplib::Headers& more = {}) {
    httplib::Headers headers = more;
    headers.emplace("Authorization", "Bearer " + token_);
    httplib::Client http("127.0.0.1", suite_->http_port());
    return http.Post("/v1/federations?federation_id=" + federation, headers,
                     R"({"displayName":"示范区总工会"})", "application/json");
  }

  std::filesystem::path folder_;
  std::unique_ptr<Suite> suite_;
  std::string token_;
};

struct Family {
  std::string type;
  std::set<std::string> labels;
};

// A metrics text: families by name, and every value of every label.
std::map<std::string, Family> Parse(
    const std::string& text,
    std::vector<std::pair<std::string, std::map<std::string, std::string>>>& series) {
  std::map<std::string, Family> families;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) {
      const std::vector<std::string_view> words = Split(line, ' ');
      families[std::string(words[2])].type = words[3];
    }
    if (line.starts_with('#')) continue;
    std::string name = line.substr(0, line.find_first_of("{ "));
    for (const char* end : {"_bucket", "_sum", "_count"}) {
      const std::string stem = name.substr(0, name.rfind(end));
      if (name.ends_with(end) && families.contains(stem)) name = stem;
    }
    std::map<std::string, std::string> labels;
    if (const size_t open = line.find('{'); open != line.npos) {
      for (const std::string_view label :
           Split(std::string_view(line).substr(open + 1, line.rfind('}') - open - 1), ',')) {
        const size_t equals = label.find("=\"");
        labels[std::string(label.substr(0, equals))] =
            label.substr(equals + 2, label.size() - equals - 3);
      }
    }
    for (const auto& [key, value] : labels) families[name].labels.insert(key);
    series.emplace_back(name, labels);
  }
  return families;
}

// Empty where the label's values are a closed set and this is one of them.
std::string OpenValue(const std::map<std::string, std::string>& labels, const std::string& key) {
  static const std::map<std::string, std::set<std::string>> closed = {
      {"pool", {"interactive", "bulk", "batched"}},
      {"level", {"process", "redis"}},
      {"kind", {"token_refused", "certificate_refused", "rate_limited", "service_denied"}},
      {"result", {"hit", "miss"}},
      {"source", {"membership", "funds", "activities", "casework"}},
      {"database", {"membership", "funds", "activities", "casework", "reports", "other"}},
      {"state", {"busy", "idle", "waiting", "running"}},
      {"version", {kVersion}}};
  const std::string& value = labels.at(key);
  bool known = false;
  const auto* service = labels.contains("service")
                            ? google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
                                  labels.at("service"))
                            : nullptr;
  common::v1::Reason reason;
  double number = 0;
  if (key == "service") {
    known = service != nullptr;
  } else if (key == "method") {
    known = service != nullptr && service->FindMethodByName(value) != nullptr;
  } else if (key == "reason") {
    known = common::v1::Reason_Parse("REASON_" + value, &reason);
  } else if (key == "code" && service == nullptr) {
    known = absl::SimpleAtod(value, &number) && number >= 200 && number < 600;
  } else if (key == "code") {
    for (int code = 0; code <= 16; ++code) {
      known = known || absl::StatusCodeToString(static_cast<absl::StatusCode>(code)) == value;
    }
  } else if (key == "le") {
    known = value == "+Inf" || absl::SimpleAtod(value, &number);
  } else {
    known = closed.contains(key) && closed.at(key).contains(value);
  }
  return known ? "" : StrCat(key, "=", value);
}

TEST_F(OperatorsTest, MetricsAreTheGoldenList) {
  ASSERT_EQ(Create("demo")->status, 200);
  EXPECT_EQ(Create("NotAnId-Mallory")->status, 400);
  httplib::Client http("127.0.0.1", suite_->http_port());
  EXPECT_EQ(http.Get("/v1/federations/Mallory")->status, 401);
  EXPECT_EQ(http.Get("/v1/Mallory/Mallory")->status, 404);
  ASSERT_THAT(suite_->CatchUp(), IsOk());

  std::vector<std::pair<std::string, std::map<std::string, std::string>>> series;
  const std::string metrics = Ops("/metrics");
  EXPECT_THAT(metrics, Not(HasSubstr("Mallory")));
  std::string found;
  for (const auto& [name, family] : Parse(metrics, series)) {
    if (!name.starts_with("gonghui_") && !name.starts_with("process_")) continue;
    StrAppend(&found, name, " ", family.type);
    for (const std::string& label : family.labels) {
      if (label != "le") StrAppend(&found, " ", label);
    }
    found += '\n';
  }
  std::ifstream file(std::string(GONGHUI_SOURCE_DIR) + "/tests/metrics.txt");
  std::stringstream golden;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with('#')) golden << line << '\n';
  }
  EXPECT_EQ(found, golden.str())
      << "tests/metrics.txt lists what is exported: operators rely on it";
  for (const auto& [name, labels] : series) {
    for (const auto& [key, value] : labels) EXPECT_THAT(OpenValue(labels, key), IsEmpty()) << name;
  }
}

TEST_F(OperatorsTest, StatusPageTellsWhatThePartsDo) {
  ASSERT_EQ(Create("demo")->status, 200);
  ASSERT_EQ(Create("demo", {{"traceparent", Traceparent(kTrace)}})->status, 409);
  ASSERT_THAT(suite_->CatchUp(), IsOk());
  const std::string page = Ops("/statusz");
  for (const char* part :
       {"gonghui 0.1.0", "serving, up", "options\n", "cache\n", "databases\n",
        "membership: sqlite,", "feed\n", "membership: 0 events", "jobs\n", "ledger\n", "pools\n",
        "interactive: ", "slow statements\n", "last errors\n"}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
  EXPECT_THAT(page, HasSubstr(StrCat("CreateFederation ALREADY_EXISTS trace ", kTrace)));
  EXPECT_EQ(Ops("/readyz"), "ok\n");
}

TEST(StatusPageTest, HidesPasswords) {
  EXPECT_EQ(WithoutPassword("postgres://gonghui:p@ss/w@db:5432/funds?password=x"),
            "postgres://gonghui:***@db:5432/funds");
  EXPECT_EQ(WithoutPassword("postgres://db/funds"), "postgres://db/funds");
  EXPECT_EQ(WithoutPassword("sqlite:/var/data/funds.db"), "sqlite:/var/data/funds.db");
}

// Lines of the log with this event.
std::vector<nlohmann::json> Lines(const std::string& log, const std::string& event) {
  std::vector<nlohmann::json> lines;
  std::istringstream text(log);
  for (std::string line; std::getline(text, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (json.is_object() && json.value("event", "") == event) lines.push_back(json);
  }
  return lines;
}

TEST_F(OperatorsTest, OneTraceLeadsFromTheGatewayToTheFollower) {
  testing::TempDatabase database;
  ASSERT_THAT(sql::Migrate(*database, embedded::common_feed_schema(), 0), IsOk());
  ::testing::internal::CaptureStderr();
  const auto answer = Create("demo", {{"traceparent", Traceparent(kTrace)}});
  ASSERT_EQ(answer->status, 200) << answer->body;
  EXPECT_EQ(TraceOf(answer->get_header_value("traceparent")), kTrace);

  const auto client = suite_->NewClient(token_);
  bool refuse = true;
  feed::Follower::Options options;
  options.source = "membership";
  options.client = client.get();
  options.db = database.get();
  options.slow = absl::ZeroDuration();
  feed::Follower follower(
      options, [&](sql::Tx& tx, const std::vector<feed::v1::Event>& events) -> absl::Status {
        EXPECT_EQ(CurrentTrace(), TraceOf(events.front().traceparent()));
        EXPECT_THAT(tx.Run({"test.read", "SELECT 1"}), IsOk());
        return refuse ? Internal("cannot be applied") : absl::OkStatus();
      });
  EXPECT_FALSE(follower.PollOnce().ok());
  EXPECT_THAT(ops::ExportMetrics(), HasSubstr("gonghui_feed_stopped{source=\"membership\"} 1"));
  refuse = false;
  EXPECT_THAT(follower.PollOnce(), IsOk());
  const std::string log = ::testing::internal::GetCapturedStderr();

  std::vector<nlohmann::json> calls;
  for (const nlohmann::json& line : Lines(log, "rpc")) {
    if (line["trace"] == kTrace) calls.push_back(line);
  }
  ASSERT_EQ(calls.size(), 1u) << log;
  EXPECT_THAT(calls[0]["method"].get<std::string>(), HasSubstr("CreateFederation"));
  const auto stopped = Lines(log, "follower_stopped");
  ASSERT_EQ(stopped.size(), 1u) << log;
  EXPECT_EQ(stopped[0]["trace"], kTrace);
  const auto slow = Lines(log, "follower_slow");
  ASSERT_FALSE(slow.empty()) << log;
  EXPECT_EQ(slow[0]["trace"], kTrace);
}

TEST_F(OperatorsTest, AnErrorOverHttpCarriesItsTrace) {
  ASSERT_EQ(Create("demo")->status, 200);
  const auto answer = Create("demo", {{"traceparent", Traceparent(kTrace)}});
  EXPECT_EQ(answer->status, 409);
  EXPECT_THAT(answer->body, HasSubstr(kTrace));
  EXPECT_EQ(Create("other")->get_header_value("traceparent").size(), 55u);
}

TEST_F(OperatorsTest, ASlowStatementCarriesTheTraceOfItsCall) {
  ::testing::internal::CaptureStderr();
  {
    const TraceScope scope(kTrace);
    // In the writer's thread.
    EXPECT_THAT(suite_->database("funds").ReadWrite(
                    absl::Now() + absl::Minutes(1),
                    [](sql::Tx& tx) {
                      return tx
                          .Run({"test.slow",
                                "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c "
                                "WHERE x < 4000000) SELECT COUNT(*) FROM c"})
                          .status();
                    }),
                IsOk());
  }
  const std::string log = ::testing::internal::GetCapturedStderr();
  const auto lines = Lines(log, "slow_statement");
  ASSERT_FALSE(lines.empty()) << log;
  EXPECT_EQ(lines[0]["query"], "test.slow");
  EXPECT_EQ(lines[0]["trace"], kTrace);
  EXPECT_THAT(Ops("/statusz"), HasSubstr(StrCat("test.slow trace ", kTrace)));
}

TEST(FollowerTest, WhatStandsBeforeABadEventIsApplied) {
  testing::TempDatabase database;
  ASSERT_THAT(sql::Migrate(*database, embedded::common_feed_schema(), 0), IsOk());
  const std::string folder = ::testing::TempDir() + StrCat("follower_", ::getpid());
  std::filesystem::remove_all(folder);
  Suite::Options only;
  only.services = {"membership"};
  only.data_dir = folder;
  only.dev = true;
  only.log_calls = false;
  auto suite = Suite::Start(std::move(only));
  ASSERT_THAT(suite, IsOk());
  sql::Database& source = (*suite)->database("membership");
  for (int i = 1; i <= 5; ++i) {
    feed::v1::Event event;
    event.set_type(i == 4 ? "bad" : "good");
    event.set_traceparent(Traceparent(kTrace));
    ASSERT_THAT(source.ReadWrite(absl::Now() + absl::Seconds(10),
                                 [&](sql::Tx& tx) {
                                   return tx
                                       .Run({"test.event",
                                             "INSERT INTO feed (tenant, sequence, "
                                             "event) VALUES ($1, $2, $3)"},
                                            {"demo", i, sql::Bytes{event.SerializeAsString()}})
                                       .status();
                                 }),
                IsOk());
  }
  ASSERT_THAT(source.ReadWrite(absl::Now() + absl::Seconds(10),
                               [&](sql::Tx& tx) {
                                 return tx
                                     .Run({"test.head",
                                           "INSERT INTO feed_head (tenant, sequence) "
                                           "VALUES ($1, $2)"},
                                          {"demo", 5})
                                     .status();
                               }),
              IsOk());
  auth::Actor actor{.subject = "service", .federation = "*"};
  common::v1::Grant& grant = actor.grants.emplace_back();
  grant.set_role("service");
  grant.set_organization("*");
  const auto token = (*suite)->DevToken(actor);
  ASSERT_THAT(token, IsOk());
  const auto client = (*suite)->NewClient(*token);
  feed::Follower::Options options;
  options.source = "membership";
  options.client = client.get();
  options.db = database.get();
  feed::Follower follower(options,
                          [](sql::Tx&, const std::vector<feed::v1::Event>& events) -> absl::Status {
                            for (const auto& event : events) {
                              if (event.type() == "bad") return Internal("a bad event");
                            }
                            return absl::OkStatus();
                          });
  EXPECT_THAT(follower.PollOnce().status(), Not(IsOk()));
  EXPECT_EQ(follower.PositionOf("demo").applied, 3);
  EXPECT_EQ(follower.PositionOf("demo").error, "a bad event");
  EXPECT_LT(follower.PositionOf("demo").behind_since, absl::InfiniteFuture());
  std::filesystem::remove_all(folder);
}

// Listens, and never accepts: what a server without descriptors does.
class SilentPort {
 public:
  SilentPort() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    listen(fd_, 8);
    socklen_t size = sizeof(address);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    address_ = StrCat("127.0.0.1:", ntohs(address.sin_port));
  }
  ~SilentPort() { close(fd_); }
  const std::string& address() const { return address_; }

 private:
  const int fd_;
  std::string address_;
};

TEST_F(OperatorsTest, AProbeTellsLifeFromSilence) {
  EXPECT_THAT(ops::DialServer(StrCat("127.0.0.1:", suite_->port()), absl::Seconds(5)), IsOk());
  EXPECT_THAT(ops::Probe(StrCat("localhost:", suite_->port())), IsOk());
  EXPECT_THAT(ops::Probe(StrCat("http://127.0.0.1:", suite_->ops_port(), "/readyz")), IsOk());
  EXPECT_THAT(
      std::string(ops::Probe(StrCat("http://127.0.0.1:", suite_->ops_port(), "/none")).message()),
      HasSubstr("answers 404"));
  const SilentPort silent;
  EXPECT_THAT(std::string(ops::DialServer(silent.address(), absl::Milliseconds(300)).message()),
              HasSubstr("silent"));
  EXPECT_THAT(ops::DialServer("127.0.0.1:1", absl::Seconds(1)), Not(IsOk()));
  EXPECT_EQ(ops::LocalAddress("0.0.0.0:8081", 8081), "127.0.0.1:8081");
  EXPECT_EQ(ops::LocalAddress("10.0.0.1:0", 77), "10.0.0.1:77");
  EXPECT_EQ(ops::LocalAddress("unix:/run/gonghui", 0), "");
}

TEST(WatchdogTest, GivesUpAfterThreeFailuresInARow) {
  std::atomic<int> dials = 0;
  absl::Notification gave_up;
  Watchdog watchdog(
      {.every = absl::Milliseconds(5), .give_up = [&](const absl::Status&) { gave_up.Notify(); }},
      [&]() -> absl::Status {
        // Two failures, an answer, then silence for good.
        return ++dials == 3 ? absl::OkStatus() : absl::UnavailableError("silent");
      });
  ASSERT_TRUE(gave_up.WaitForNotificationWithTimeout(absl::Seconds(10)));
  EXPECT_EQ(dials, 6);
}

TEST(WatchdogTest, RaisesTheLimitOfDescriptors) { EXPECT_THAT(RaiseDescriptorLimit(), IsOk()); }

}  // namespace
}  // namespace gonghui
