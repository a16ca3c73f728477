#include "tests/integration/membership.h"

namespace gonghui::membership {
namespace {

class FederationsTest : public MembershipTest {
 protected:
  absl::StatusOr<v1::Federation> Get(const rpc::Client& client, const std::string& name) {
    v1::GetFederationRequest request;
    request.set_name(name);
    return client.Invoke<v1::Federation>("/gonghui.membership.v1.FederationService/GetFederation",
                                         request);
  }
};

TEST_P(FederationsTest, CreatesAndReads) {
  ASSERT_OK_AND_ASSIGN(const v1::Federation created, CreateFederation(*admin_));
  EXPECT_EQ(created.name(), "federations/demo");
  EXPECT_EQ(created.display_name(), "示范区总工会");
  EXPECT_GT(created.create_time_us(), 0);
  ASSERT_OK_AND_ASSIGN(const v1::Federation read, Get(*admin_, "federations/demo"));
  EXPECT_EQ(read.SerializeAsString(), created.SerializeAsString());
}

TEST_P(FederationsTest, ReplaysAndRefusesASecondOne) {
  ASSERT_OK_AND_ASSIGN(const v1::Federation first, CreateFederation(*admin_, "demo", "r1"));
  ASSERT_OK_AND_ASSIGN(const v1::Federation again, CreateFederation(*admin_, "demo", "r1"));
  EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
  EXPECT_THAT(CreateFederation(*admin_, "demo", "r2"),
              HasReasonAt(common::v1::REASON_ALREADY_EXISTS, "federation_id"));
}

TEST_P(FederationsTest, ChecksTheRequest) {
  const auto service = ClientOf("*", "admin", "*");
  EXPECT_THAT(CreateFederation(*service, "Demo!"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "federation_id"));
  v1::CreateFederationRequest request;
  request.set_federation_id("demo");
  request.mutable_federation();
  EXPECT_THAT(service->Invoke<v1::Federation>(
                  "/gonghui.membership.v1.FederationService/CreateFederation", request),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "federation.display_name"));
  EXPECT_THAT(Get(*admin_, "federations/demo/members/1"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "name"));
  EXPECT_THAT(Get(*admin_, "federations/demo"), HasReasonAt(common::v1::REASON_NOT_FOUND, "name"));
}

TEST_P(FederationsTest, KeepsOthersOut) {
  EXPECT_THAT(CreateFederation(*stranger_), HasReason(common::v1::REASON_WRONG_FEDERATION));
  const auto narrow = ClientOf("demo", "admin", "T01", true);
  EXPECT_THAT(CreateFederation(*narrow), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  ASSERT_THAT(CreateFederation(*admin_), IsOk());
  EXPECT_THAT(Get(*stranger_, "federations/demo"), HasReason(common::v1::REASON_WRONG_FEDERATION));
  const auto accountant = ClientOf("demo", "accountant", "*");
  EXPECT_THAT(Get(*accountant, "federations/demo"),
              HasReason(common::v1::REASON_PERMISSION_MISSING));
}

INSTANTIATE_TEST_SUITE_P(Engines, FederationsTest,
                         ::testing::ValuesIn(::gonghui::testing::Engines()));

}  // namespace
}  // namespace gonghui::membership
