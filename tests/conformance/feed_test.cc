// The feed: dense numbers under concurrency, and a consumer that is killed a hundred times and
// still has every event once.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/auth/token.h"
#include "common/auth/trusted_issuers.h"
#include "common/base/status.h"
#include "common/feed/feed_service.h"
#include "common/feed/outbox.h"
#include "common/feed/schema.embedded.h"
#include "common/rpc/server.h"
#include "common/sql/migrate.h"
#include "common/testing/database.h"

namespace gonghui::feed {
namespace {

constexpr sql::Query kCount{
    "test.count", "SELECT COUNT(*), MIN(sequence), MAX(sequence) FROM feed WHERE tenant = $1"};
constexpr sql::Query kCopied{
    "test.copied",
    "SELECT sequence, resource FROM copied_events WHERE tenant = $1 ORDER BY sequence"};
constexpr sql::Query kSource{
    "test.source", "SELECT sequence, event FROM feed WHERE tenant = $1 ORDER BY sequence"};

absl::Status AppendOne(sql::Database& db, const std::string& federation,
                       const std::string& resource) {
  rpc::Call call;
  call.federation = federation;
  return db.ReadWrite(absl::Now() + absl::Seconds(20), [&](sql::Tx& tx) {
    v1::Event event;
    event.set_type("test");
    event.add_resources(resource);
    return Append(tx, call, std::move(event));
  });
}

class FeedTest : public ::testing::TestWithParam<std::string> {};

TEST_P(FeedTest, NumbersAreDenseUnderConcurrency) {
  gonghui::testing::TempDatabase temp(GetParam());
  sql::Database& db = *temp;
  ASSERT_TRUE(sql::Migrate(db, embedded::common_feed_schema(), 0).ok());
  constexpr int kWriters = 6;
  constexpr int kEach = 40;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < kEach; ++i) {
        // A rolled-back append must leave no gap.
        rpc::Call call;
        call.federation = "f";
        (void)db.ReadWrite(absl::Now() + absl::Seconds(20), [&](sql::Tx& tx) -> absl::Status {
          v1::Event event;
          RETURN_IF_ERROR(Append(tx, call, event));
          return absl::CancelledError();
        });
        absl::Status status;
        do {
          status = AppendOne(db, "f", absl::StrCat(w, "-", i));
        } while (ReasonOf(status) == common::v1::REASON_CONFLICT);
        EXPECT_TRUE(status.ok()) << status;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  ASSERT_TRUE(db.ReadOnly(absl::Now() + absl::Seconds(5), [&](sql::Tx& tx) -> absl::Status {
                  ASSIGN_OR_RETURN(sql::Rows rows, tx.Run(kCount, {"f"}));
                  EXPECT_EQ(rows[0].Get<int64_t>(0), kWriters * kEach);
                  EXPECT_EQ(rows[0].Get<int64_t>(1), 1);
                  EXPECT_EQ(rows[0].Get<int64_t>(2), kWriters * kEach);
                  return absl::OkStatus();
                }).ok());
}

INSTANTIATE_TEST_SUITE_P(Engines, FeedTest, ::testing::ValuesIn(gonghui::testing::Engines()));

pid_t Spawn(const std::vector<std::string>& words) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  execv(argv[0], argv.data());
  _exit(127);
}

TEST(FeedKillTest, ConsumerKilledHundredTimesHasEveryEventOnce) {
  gonghui::testing::TempDatabase temp("sqlite");
  sql::Database& source = *temp;
  ASSERT_TRUE(sql::Migrate(source, embedded::common_feed_schema(), 0).ok());

  auto key = auth::SigningKey::Generate("test");
  ASSERT_TRUE(key.ok());
  auth::TrustedIssuers issuers({});
  issuers.Add(*auth::KeySet::FromJson(key->PublicJwks()));
  auth::Actor actor{.subject = "consumer", .federation = "*"};
  common::v1::Grant grant;
  grant.set_role("service");
  grant.set_organization("*");
  actor.grants.push_back(grant);
  const absl::Time now = absl::Now();
  auto token = key->Sign({.issuer = std::string(auth::kIssuer),
                          .audience = std::string(auth::kAudience),
                          .actor = actor,
                          .expires = now + absl::Hours(1)},
                         now);
  ASSERT_TRUE(token.ok());

  rpc::Pipeline pipeline({.issuers = &issuers, .log_calls = false});
  FeedService feed({{"test", &source}});
  rpc::Service service("gonghui.feed.v1.FeedService", pipeline);
  service.Handle("ListEvents", &feed, &FeedService::ListEvents);
  service.Handle("ListHeads", &feed, &FeedService::ListHeads);
  auto server = rpc::Server::Start({.listen = {"127.0.0.1:0"}}, {&service});
  ASSERT_TRUE(server.ok()) << server.status();

  const std::string copy = absl::StrCat(std::filesystem::temp_directory_path().string(),
                                        "/gonghui-copy-", getpid(), ".db");
  std::vector<std::string> words = {
      std::filesystem::canonical("/proc/self/exe").parent_path() / "feed_consumer",
      absl::StrCat("127.0.0.1:", (*server)->port()), *token, copy};
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int64_t i = 0; !stop; ++i) {
      EXPECT_TRUE(AppendOne(source, absl::StrCat("f", i % 3), absl::StrCat("r", i)).ok());
      absl::SleepFor(absl::Microseconds(500));
    }
  });
  const uint32_t seed = std::random_device{}();
  std::mt19937 random(seed);
  for (int i = 0; i < 100; ++i) {
    const pid_t pid = Spawn(words);
    absl::SleepFor(absl::Milliseconds(25 + random() % 60));
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  stop = true;
  writer.join();
  words.push_back("once");
  int status = 0;
  waitpid(Spawn(words), &status, 0);
  ASSERT_EQ(status, 0) << "seed " << seed;

  auto copied = sql::Database::Open({.url = "sqlite:" + copy});
  ASSERT_TRUE(copied.ok());
  int64_t total = 0;
  for (const std::string federation : {"f0", "f1", "f2"}) {
    sql::Rows ours, theirs;
    const auto read = [&](sql::Database& db, const sql::Query& query, sql::Rows& rows) {
      return db.ReadOnly(absl::Now() + absl::Seconds(5), [&](sql::Tx& tx) -> absl::Status {
        ASSIGN_OR_RETURN(rows, tx.Run(query, {federation}));
        return absl::OkStatus();
      });
    };
    ASSERT_TRUE(read(source, kSource, theirs).ok());
    ASSERT_TRUE(read(**copied, kCopied, ours).ok());
    ASSERT_EQ(ours.size(), theirs.size()) << "seed " << seed;
    for (size_t i = 0; i < ours.size(); ++i) {
      v1::Event event;
      ASSERT_TRUE(event.ParseFromString(theirs[i].Get<sql::Bytes>(1).data));
      ASSERT_EQ(ours[i].Get<int64_t>(0), static_cast<int64_t>(i + 1)) << "seed " << seed;
      ASSERT_EQ(ours[i].Get<std::string>(1), event.resources(0)) << "seed " << seed;
    }
    total += static_cast<int64_t>(ours.size());
  }
  EXPECT_GT(total, 100);
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(copy + suffix);
}

}  // namespace
}  // namespace gonghui::feed
