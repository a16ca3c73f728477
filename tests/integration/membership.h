// A running membership service with a small federation, for the tests of its RPCs.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/clock.h"
#include "common/testing/database.h"
#include "common/testing/matchers.h"
#include "gmock/gmock.h"
#include "gonghui/feed/v1/feed.pb.h"
#include "gonghui/membership/v1/federation.pb.h"
#include "gonghui/membership/v1/member.pb.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "gtest/gtest.h"
#include "services/server/suite.h"

namespace gonghui::membership {

using ::gonghui::testing::HasReason;
using ::gonghui::testing::HasReasonAt;
using ::gonghui::testing::IsOk;

// A made-up resident identity number with a valid check digit: born on a day of 1980, male for an
// odd serial.
inline std::string IdNumber(int serial) {
  const std::string digits = absl::StrFormat("3204021980%02d%02d%03d", 1 + serial / 28000 % 12,
                                             1 + serial / 1000 % 28, serial % 1000);
  static constexpr int kWeights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  int sum = 0;
  for (int i = 0; i < 17; ++i) sum += (digits[i] - '0') * kWeights[i];
  return digits + "10X98765432"[sum % 11];
}

// Runs once an engine.
class MembershipTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    static int serial = 0;
    folder_ = std::filesystem::path(::testing::TempDir()) /
              absl::StrCat("membership_", getpid(), "_", ++serial);
    std::filesystem::remove_all(folder_);
    Suite::Options options;
    options.services = {"membership"};
    options.data_dir = folder_.string();
    options.dev = true;
    options.log_calls = false;
    options.clock = &clock();
    if (GetParam() != "sqlite") {
      database_ = std::make_unique<::gonghui::testing::TempDatabase>(GetParam());
      options.database_urls["membership"] = database_->Close();
    }
    auto suite = Suite::Start(std::move(options));
    ASSERT_TRUE(suite.ok()) << suite.status();
    suite_ = *std::move(suite);
    admin_ = ClientOf("demo", "admin", "*");
    clerk_ = ClientOf("demo", "registrar", "T01", true);
    stranger_ = ClientOf("other", "admin", "*");
  }
  void TearDown() override {
    admin_.reset();
    clerk_.reset();
    stranger_.reset();
    suite_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  // What the service takes the time from.
  virtual const Clock& clock() const { return Clock::System(); }

  std::unique_ptr<rpc::Client> ClientOf(const std::string& federation, const std::string& role,
                                        const std::string& organization, bool below = false) {
    auth::Actor actor;
    actor.subject = absl::StrCat(role, "@", organization);
    actor.federation = federation;
    common::v1::Grant grant;
    grant.set_role(role);
    grant.set_organization(organization);
    grant.set_below(below);
    actor.grants.push_back(grant);
    auto token = suite_->DevToken(actor);
    EXPECT_TRUE(token.ok()) << token.status();
    return suite_->NewClient(*token);
  }

  absl::StatusOr<v1::Federation> CreateFederation(const rpc::Client& client,
                                                  const std::string& id = "demo",
                                                  const std::string& request_id = "") {
    v1::CreateFederationRequest request;
    request.set_federation_id(id);
    request.mutable_federation()->set_display_name("示范区总工会");
    request.set_request_id(request_id);
    return client.Invoke<v1::Federation>(
        "/gonghui.membership.v1.FederationService/CreateFederation", request);
  }

  // D01 with the streets T01 and T02, and the enterprises E01 below T01 and E02 below T02.
  void MakeDistrict() {
    ASSERT_THAT(CreateFederation(*admin_), IsOk());
    v1::BatchCreateOrganizationsRequest request;
    request.set_parent("federations/demo");
    *request.add_organizations() = Organization("E01", "T01", "enterprise", "2010-01-01");
    *request.add_organizations() = Organization("E02", "T02", "enterprise", "2011-01-01");
    *request.add_organizations() = Organization("T01", "D01", "town_street", "2003-05-01");
    *request.add_organizations() = Organization("T02", "D01", "town_street", "2003-05-01");
    *request.add_organizations() = Organization("D01", "", "district", "1990-01-01");
    auto made = Organizations<v1::BatchCreateOrganizationsResponse>(
        *admin_, "BatchCreateOrganizations", request);
    ASSERT_THAT(made, IsOk());
    ASSERT_EQ(made->created(), 5) << made->ShortDebugString();
  }

  static v1::Organization Organization(const std::string& id, const std::string& parent,
                                       const std::string& kind, const std::string& founded_on) {
    v1::Organization organization;
    organization.set_id(id);
    organization.set_parent(parent);
    organization.set_display_name(absl::StrCat(id, "工会"));
    organization.set_kind(kind);
    if (kind == "enterprise") organization.set_union_type("single");
    organization.set_founded_on(founded_on);
    return organization;
  }

  static v1::Member Member(const std::string& organization, int serial,
                           const std::string& joined_on = "2018-03-01") {
    v1::Member member;
    member.set_organization(organization);
    member.set_full_name("张三");
    member.set_id_number(IdNumber(serial));
    member.set_phone("13800001234");
    member.set_joined_on(joined_on);
    return member;
  }

  template <typename Response, typename Request>
  static absl::StatusOr<Response> Organizations(const rpc::Client& client, std::string_view method,
                                                const Request& request) {
    return client.Invoke<Response>(
        "/gonghui.membership.v1.OrganizationService/" + std::string(method), request);
  }
  template <typename Response, typename Request>
  static absl::StatusOr<Response> Members(const rpc::Client& client, std::string_view method,
                                          const Request& request) {
    return client.Invoke<Response>("/gonghui.membership.v1.MemberService/" + std::string(method),
                                   request);
  }

  absl::StatusOr<v1::Member> Create(const rpc::Client& client, const v1::Member& member,
                                    const std::string& request_id = "") {
    v1::CreateMemberRequest request;
    request.set_parent("federations/demo");
    *request.mutable_member() = member;
    request.set_request_id(request_id);
    return Members<v1::Member>(client, "CreateMember", request);
  }

  // All facts of the feed: "measure organisation dimensions" -> "date" -> sum of deltas, without
  // zeros.
  std::map<std::string, std::map<std::string, int64_t>> Facts() {
    std::map<std::string, std::map<std::string, int64_t>> sums;
    feed::v1::ListEventsRequest request;
    request.set_source("membership");
    request.set_federation("demo");
    request.set_page_size(1000);
    auto events = admin_->Invoke<feed::v1::ListEventsResponse>(
        "/gonghui.feed.v1.FeedService/ListEvents", request);
    EXPECT_THAT(events, IsOk());
    if (!events.ok()) return sums;
    for (const feed::v1::Event& event : events->events()) {
      for (const common::v1::RecordFacts& record : event.facts()) {
        for (const common::v1::Fact& fact : record.facts()) {
          std::string key = absl::StrCat(fact.measure(), " ", fact.organization());
          for (const auto& d : fact.dimensions()) absl::StrAppend(&key, " ", d.value());
          int64_t& sum = sums[key][fact.on_date()];
          sum += fact.delta();
          if (sum == 0) sums[key].erase(fact.on_date());
        }
      }
    }
    std::erase_if(sums, [](const auto& entry) { return entry.second.empty(); });
    return sums;
  }

  std::filesystem::path folder_;
  std::unique_ptr<::gonghui::testing::TempDatabase> database_;  // Unless SQLite.
  std::unique_ptr<Suite> suite_;
  std::unique_ptr<rpc::Client> admin_;     // Of the federation demo, everywhere.
  std::unique_ptr<rpc::Client> clerk_;     // Registrar of T01 and what lies below.
  std::unique_ptr<rpc::Client> stranger_;  // Of another federation.
};

}  // namespace gonghui::membership
