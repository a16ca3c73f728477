// A running suite for the tests of records.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "common/base/text.h"
#include "common/testing/matchers.h"
#include "gonghui/common/v1/record.pb.h"
#include "gonghui/membership/v1/federation.pb.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "services/server/suite.h"

namespace gonghui::records {

inline common::v1::Grant GrantOf(std::string organization, bool below) {
  common::v1::Grant grant;
  grant.set_role("admin");
  grant.set_organization(std::move(organization));
  grant.set_below(below);
  return grant;
}

// A suite with the federation "demo": D01 above T01 and T02, E01 below T01, E02 below T02.
class RecordsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::filesystem::temp_directory_path() / StrCat("gonghui-records-", ::getpid());
    std::filesystem::create_directories(folder_);
    Suite::Options options;
    options.data_dir = folder_;
    options.dev = true;
    options.log_calls = false;
    auto suite = Suite::Start(std::move(options));
    ASSERT_THAT(suite, testing::IsOk());
    suite_ = std::move(*suite).release();
    admin_ = Client("demo", GrantOf("*", true)).release();
    town2_ = Client("demo", GrantOf("T02", true)).release();
    stranger_ = Client("other", GrantOf("*", true)).release();
    membership::v1::CreateFederationRequest federation;
    federation.set_federation_id("demo");
    federation.mutable_federation()->set_display_name("示范区总工会");
    ASSERT_THAT(admin_->Invoke<membership::v1::Federation>(
                    "/gonghui.membership.v1.FederationService/CreateFederation", federation),
                testing::IsOk());
    AddOrganization("D01", "", "district_federation");
    AddOrganization("T01", "D01", "town_street");
    AddOrganization("T02", "D01", "town_street");
    AddOrganization("E01", "T01", "enterprise");
    AddOrganization("E02", "T02", "enterprise");
  }

  static void TearDownTestSuite() {
    delete admin_;
    delete town2_;
    delete stranger_;
    delete suite_;
    std::filesystem::remove_all(folder_);
  }

  static std::unique_ptr<rpc::Client> Client(const std::string& federation,
                                             common::v1::Grant grant) {
    auth::Actor actor;
    actor.subject = StrCat("tester-", grant.organization());
    actor.federation = federation;
    actor.grants.push_back(std::move(grant));
    auto token = suite_->DevToken(actor);
    EXPECT_THAT(token, testing::IsOk());
    return suite_->NewClient(*token);
  }

  static void AddOrganization(const std::string& id, const std::string& parent,
                              const std::string& kind) {
    membership::v1::CreateOrganizationRequest request;
    request.set_parent("federations/demo");
    auto& organization = *request.mutable_organization();
    organization.set_id(id);
    organization.set_parent(parent);
    organization.set_display_name(StrCat(id, "工会"));
    organization.set_kind(kind);
    organization.set_founded_on("2019-01-01");
    ASSERT_THAT(admin_->Invoke<membership::v1::Organization>(
                    "/gonghui.membership.v1.OrganizationService/CreateOrganization", request),
                testing::IsOk());
  }

  template <typename Response, typename Request>
  static absl::StatusOr<Response> Ask(const rpc::Client& client, const std::string& service,
                                      const char* method, const Request& request) {
    return client.Invoke<Response>(StrCat("/", service, "/", method), request);
  }

  static std::string NextId(std::string_view prefix) {
    static int count = 0;
    return StrCat(prefix, "-", ++count);
  }

  static inline std::filesystem::path folder_;
  static inline Suite* suite_ = nullptr;
  static inline const rpc::Client* admin_ = nullptr;
  static inline const rpc::Client* town2_ = nullptr;  // Only T02 and below.
  static inline const rpc::Client* stranger_ = nullptr;
};

}  // namespace gonghui::records
