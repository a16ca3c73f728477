// Members while Redis is frozen, killed and started again, or out of reach of one replica alone:
// slower perhaps, never wrong, never refused.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "common/base/text.h"
#include "common/testing/database.h"
#include "common/testing/gate.h"
#include "common/testing/matchers.h"
#include "common/testing/redis_server.h"
#include "common/testing/settings.h"
#include "gonghui/membership/v1/federation.pb.h"
#include "gonghui/membership/v1/member.pb.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "services/server/suite.h"

namespace gonghui::membership {
namespace {

using testing::IsOk;

constexpr int kMembers = 8;
constexpr int kWriters = 2;
constexpr int kReaders = 3;

// Two replicas on PostgreSQL; SQLite belongs to one process, so there it is one.
class RedisTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "gonghui-redis-fault-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    database_ = std::make_unique<testing::TempDatabase>(GetParam());
    const std::string url = database_->Close();
    const int replicas = GetParam() == "sqlite" ? 1 : 2;
    for (int i = 0; i < replicas; ++i) {
      Suite::Options options;
      options.services = {"membership"};
      options.data_dir = folder_;
      options.database_urls["membership"] = url;
      options.redis = i == 0 ? gate_.address() : redis_.address();
      options.redis_lease = absl::Milliseconds(100);  // In use again soon after a fault.
      options.dev = true;
      options.log_calls = false;
      auto suite = Suite::Start(std::move(options));
      ASSERT_THAT(suite, IsOk());
      suites_.push_back(*std::move(suite));
      clients_.push_back(AdminOf(*suites_.back()));
    }
    ASSERT_NO_FATAL_FAILURE(MakeMembers());
  }

  void TearDown() override {
    clients_.clear();
    suites_.clear();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  static std::unique_ptr<rpc::Client> AdminOf(Suite& suite) {
    auth::Actor actor{.subject = "admin", .federation = "demo", .grants = {}};
    common::v1::Grant& grant = actor.grants.emplace_back();
    grant.set_role("admin");
    grant.set_organization("*");
    auto token = suite.DevToken(actor);
    EXPECT_THAT(token, IsOk());
    return suite.NewClient(*token);
  }

  void MakeMembers() {
    const rpc::Client& client = *clients_[0];
    v1::CreateFederationRequest federation;
    federation.set_federation_id("demo");
    federation.mutable_federation()->set_display_name("示范区总工会");
    ASSERT_THAT(client.Invoke<v1::Federation>(
                    "/gonghui.membership.v1.FederationService/CreateFederation", federation),
                IsOk());
    v1::CreateOrganizationRequest organization;
    organization.set_parent("federations/demo");
    organization.mutable_organization()->set_id("D01");
    organization.mutable_organization()->set_kind("district");
    organization.mutable_organization()->set_display_name("示范区总工会");
    organization.mutable_organization()->set_founded_on("2015-01-01");
    ASSERT_THAT(client.Invoke<v1::Organization>(
                    "/gonghui.membership.v1.OrganizationService/CreateOrganization", organization),
                IsOk());
    for (int i = 0; i < kMembers; ++i) {
      v1::CreateMemberRequest request;
      request.set_parent("federations/demo");
      v1::Member& member = *request.mutable_member();
      member.set_organization("D01");
      member.set_full_name("张三");
      member.set_id_type("passport");
      member.set_id_number(StrCat("E0000000", i));
      member.set_sex("male");
      member.set_birth_date("1980-01-01");
      member.set_job("0");
      member.set_joined_on("2018-03-01");
      ASSERT_OK_AND_ASSIGN(
          const auto made,
          client.Invoke<v1::Member>("/gonghui.membership.v1.MemberService/CreateMember", request));
      names_.push_back(made.name());
    }
  }

  // Each writer has members of its own, whose job counts up.
  void Write(int writer) {
    std::mt19937_64 random(writer);
    for (int64_t version = 1; !stop_; ++version) {
      const size_t member = writer + kWriters * (random() % (kMembers / kWriters));
      v1::UpdateMemberRequest request;
      request.mutable_member()->set_name(names_[member]);
      request.mutable_member()->set_job(StrCat(version));
      request.set_update_mask("job");
      const auto answer = clients_[random() % clients_.size()]->Invoke<v1::Member>(
          "/gonghui.membership.v1.MemberService/UpdateMember", request);
      EXPECT_THAT(answer, IsOk());
      if (answer.ok()) acknowledged_[member] = version;
      ++updates_;
    }
  }

  void Read(int reader) {
    std::mt19937_64 random(100 + reader);
    while (!stop_) {
      const size_t member = random() % kMembers;
      const int64_t floor = acknowledged_[member];
      v1::GetMemberRequest request;
      request.set_name(names_[member]);
      const auto answer = clients_[random() % clients_.size()]->Invoke<v1::Member>(
          "/gonghui.membership.v1.MemberService/GetMember", request);
      ++reads_;
      EXPECT_THAT(answer, IsOk());
      if (!answer.ok()) continue;
      int64_t version = -1;
      EXPECT_TRUE(absl::SimpleAtoi(answer->job(), &version)) << "damaged member";
      EXPECT_EQ(answer->name(), names_[member]);
      if (version < floor) ++stale_;
    }
  }

  // One round of what may happen to Redis.
  void Disturb() {
    absl::SleepFor(absl::Milliseconds(1000));
    redis_.Freeze();
    absl::SleepFor(absl::Milliseconds(300));
    redis_.Thaw();
    absl::SleepFor(absl::Milliseconds(1500));
    gate_.Hang();
    absl::SleepFor(absl::Milliseconds(300));
    gate_.Open();
    absl::SleepFor(absl::Milliseconds(1500));
    redis_.Kill();
    absl::SleepFor(absl::Milliseconds(400));
    redis_.Start();
    absl::SleepFor(absl::Milliseconds(1500));  // Past the breaker's pause.
  }

  std::filesystem::path folder_;
  testing::RedisServer redis_;
  testing::Gate gate_{redis_.address().substr(std::string_view("unix:").size())};
  std::unique_ptr<testing::TempDatabase> database_;
  std::vector<std::unique_ptr<Suite>> suites_;
  std::vector<std::unique_ptr<rpc::Client>> clients_;
  std::vector<std::string> names_;
  std::atomic<int64_t> acknowledged_[kMembers] = {};
  std::atomic<int64_t> updates_{0}, reads_{0}, stale_{0};
  std::atomic<bool> stop_{false};
};

TEST_P(RedisTest, MembersAreRightWhileRedisComesAndGoes) {
  std::vector<std::thread> threads;
  for (int w = 0; w < kWriters; ++w) threads.emplace_back([this, w] { Write(w); });
  for (int r = 0; r < kReaders; ++r) threads.emplace_back([this, r] { Read(r); });
  const int rounds = testing::FullSize() ? 30 : 2;
  for (int round = 0; round < rounds; ++round) Disturb();
  stop_ = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(stale_, 0) << "of " << reads_;
  EXPECT_GT(reads_, 100);
  EXPECT_GT(updates_, 20);
  for (int i = 0; i < kMembers; ++i) {
    v1::GetMemberRequest request;
    request.set_name(names_[i]);
    for (const auto& client : clients_) {
      ASSERT_OK_AND_ASSIGN(
          const auto member,
          client->Invoke<v1::Member>("/gonghui.membership.v1.MemberService/GetMember", request));
      EXPECT_EQ(member.job(), StrCat(acknowledged_[i].load()));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, RedisTest, ::testing::ValuesIn(testing::Engines()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace gonghui::membership
