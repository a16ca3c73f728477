// A running suite with two federations, for the tests of the funds service on each engine.
// Organisations of "demo": D01 (district) over T01 and T02 (streets) over E01 and E02
// (enterprises); "other" has D01 alone.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "common/testing/database.h"
#include "common/testing/matchers.h"
#include "gonghui/common/v1/record.pb.h"
#include "gonghui/funds/v1/ledger.pb.h"
#include "gonghui/membership/v1/federation.pb.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "services/server/suite.h"

namespace gonghui::funds {

inline constexpr std::string_view kLedger = "/gonghui.funds.v1.LedgerService/";
inline constexpr std::string_view kBenefits = "/gonghui.funds.v1.BenefitService/";
inline constexpr std::string_view kDemo = "federations/demo";

class FundsTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / StrCat("gonghui-funds-", ::getpid());
    std::filesystem::create_directories(folder_);
    Suite::Options options;
    options.services = {"membership", "funds"};
    options.data_dir = folder_;
    database_ = std::make_unique<testing::TempDatabase>(GetParam());
    options.database_urls["funds"] = database_->Close();
    options.dev = true;
    options.log_calls = false;
    auto suite = Suite::Start(std::move(options));
    ASSERT_THAT(suite, testing::IsOk());
    suite_ = *std::move(suite);
    MakeFederation("demo");
    for (const auto& [id, parent, kind] :
         std::vector<std::array<const char*, 3>>{{"D01", "", "district"},
                                                 {"T01", "D01", "town_street"},
                                                 {"T02", "D01", "town_street"},
                                                 {"E01", "T01", "enterprise"},
                                                 {"E02", "T02", "enterprise"}}) {
      MakeOrganization("demo", id, parent, kind);
    }
    MakeFederation("other");
    MakeOrganization("other", "D01", "", "district");
  }

  void TearDown() override {
    suite_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  // A caller with one role at an organisation and below it.
  static std::unique_ptr<rpc::Client> As(std::string role, std::string organization,
                                         std::string federation = "demo") {
    auth::Actor actor;
    actor.subject = StrCat(role, "-", organization);
    actor.federation = std::move(federation);
    common::v1::Grant& grant = actor.grants.emplace_back();
    grant.set_role(std::move(role));
    grant.set_organization(std::move(organization));
    grant.set_below(true);
    auto token = suite_->DevToken(actor);
    EXPECT_THAT(token, testing::IsOk());
    return suite_->NewClient(*token);
  }
  static std::unique_ptr<rpc::Client> Accountant() { return As("accountant", "D01"); }

  static v1::CreateBookRequest BookRequest(std::string_view organization,
                                           std::string_view chart = "grassroots-2022",
                                           std::string_view request_id = "") {
    v1::CreateBookRequest request;
    request.set_parent(std::string(kDemo));
    request.mutable_book()->set_organization(std::string(organization));
    request.mutable_book()->set_chart(std::string(chart));
    request.mutable_book()->set_opened_on("2020-01-01");
    request.set_request_id(std::string(request_id));
    return request;
  }

  static void OpenBook(std::string_view organization) {
    const auto client = Accountant();
    ASSERT_THAT(client->Invoke<v1::Book>(StrCat(kLedger, "CreateBook"), BookRequest(organization)),
                testing::IsOk());
  }

  // Account -> balance on its normal side.
  static std::map<std::string, int64_t> Balances(std::string_view book,
                                                 std::string_view on_date = "") {
    v1::ListBalancesRequest request;
    request.set_parent(StrCat(kDemo, "/books/", book));
    request.set_on_date(std::string(on_date));
    const auto client = Accountant();
    auto response =
        client->Invoke<v1::ListBalancesResponse>(StrCat(kLedger, "ListBalances"), request);
    EXPECT_THAT(response, testing::IsOk());
    std::map<std::string, int64_t> balances;
    if (!response.ok()) return balances;
    EXPECT_EQ(response->debit_fen(), response->credit_fen());
    for (const v1::Balance& b : response->balances()) balances[b.account()] = b.balance_fen();
    return balances;
  }

  static std::vector<v1::Voucher> Vouchers(std::string_view book) {
    v1::ListVouchersRequest request;
    request.set_parent(StrCat(kDemo, "/books/", book));
    request.set_page_size(1000);
    const auto client = Accountant();
    auto response =
        client->Invoke<v1::ListVouchersResponse>(StrCat(kLedger, "ListVouchers"), request);
    EXPECT_THAT(response, testing::IsOk());
    if (!response.ok()) return {};
    return {response->vouchers().begin(), response->vouchers().end()};
  }

  static std::unique_ptr<Suite> suite_;  // Static, so that the functions above may be.

 private:
  static void MakeFederation(const std::string& id) {
    membership::v1::CreateFederationRequest request;
    request.set_federation_id(id);
    request.mutable_federation()->set_display_name("示范区总工会");
    ASSERT_THAT(As("admin", "*", id)
                    ->Invoke<membership::v1::Federation>(
                        "/gonghui.membership.v1.FederationService/CreateFederation", request),
                testing::IsOk());
  }

  static void MakeOrganization(const std::string& federation, const std::string& id,
                               const std::string& parent, const std::string& kind) {
    membership::v1::CreateOrganizationRequest request;
    request.set_parent(StrCat("federations/", federation));
    membership::v1::Organization& organization = *request.mutable_organization();
    organization.set_id(id);
    organization.set_parent(parent);
    organization.set_display_name(StrCat(id, "工会"));
    organization.set_kind(kind);
    organization.set_founded_on("2015-01-01");
    ASSERT_THAT(As("admin", "*", federation)
                    ->Invoke<membership::v1::Organization>(
                        "/gonghui.membership.v1.OrganizationService/CreateOrganization", request),
                testing::IsOk());
  }

  std::unique_ptr<testing::TempDatabase> database_;
  static std::filesystem::path folder_;
};

inline std::unique_ptr<Suite> FundsTest::suite_;
inline std::filesystem::path FundsTest::folder_;

}  // namespace gonghui::funds
