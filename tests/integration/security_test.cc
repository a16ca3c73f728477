// What callers who forge, hurry or overreach are told, and what the log keeps.
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/rpc_method.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/clock.h"
#include "common/ops/metrics.h"
#include "common/testing/matchers.h"
#include "gonghui/membership/v1/federation.pb.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "services/server/suite.h"

namespace gonghui {
namespace {

namespace fs = std::filesystem;
using testing::HasReason;
using testing::IsOk;

constexpr char kGetFederation[] = "/gonghui.membership.v1.FederationService/GetFederation";

// The present value of gonghui_security_events_total.
double EventsOf(const std::string& kind) {
  const std::string start = absl::StrCat("gonghui_security_events_total{kind=\"", kind, "\"} ");
  double value = 0;
  for (absl::string_view line : absl::StrSplit(ops::ExportMetrics(), '\n')) {
    if (absl::StartsWith(line, start)) {
      EXPECT_TRUE(absl::SimpleAtod(line.substr(start.size()), &value)) << line;
    }
  }
  return value;
}

class SecurityTest : public ::testing::Test {
 protected:
  void SetUp() override {
    static int serial = 0;
    folder_ = fs::path(::testing::TempDir()) / absl::StrCat("security_", getpid(), "_", ++serial);
    fs::create_directories(folder_);
    auto key = auth::SigningKey::Generate("issuer");
    ASSERT_THAT(key, IsOk());
    key_.emplace(*std::move(key));
    std::ofstream(folder_ / "keys.json") << key_->PublicJwks();
  }
  void TearDown() override {
    suite_.reset();
    fs::remove_all(folder_);
  }

  void Start(const rpc::RateLimits::Options& limits = {}) {
    Suite::Options options;
    options.services = {"membership"};
    options.data_dir = (folder_ / "data").string();
    options.issuers.keys_file = (folder_ / "keys.json").string();
    options.limits = limits;
    options.clock = &clock_;
    options.http_port = 0;
    options.log_calls = false;
    auto suite = Suite::Start(options);
    ASSERT_THAT(suite, IsOk());
    suite_ = *std::move(suite);
  }

  auth::Claims ClaimsOf(const std::string& subject, const std::string& role) const {
    auth::Claims claims{.issuer = "gonghui",
                        .audience = "gonghui",
                        .actor = {.subject = subject, .federation = "demo"},
                        .expires = clock_.Now() + absl::Hours(1)};
    if (role == "service") claims.actor.federation = "*";
    common::v1::Grant grant;
    grant.set_role(role);
    grant.set_organization("*");
    claims.actor.grants.push_back(grant);
    return claims;
  }
  std::string TokenOf(const std::string& subject, const std::string& role = "admin") const {
    return *key_->Sign(ClaimsOf(subject, role), clock_.Now());
  }

  static membership::v1::GetFederationRequest Request() {
    membership::v1::GetFederationRequest request;
    request.set_name("federations/demo");
    return request;
  }
  absl::Status CallWith(const std::string& token) const {
    return suite_->NewClient(token)
        ->Invoke<membership::v1::Federation>(kGetFederation, Request())
        .status();
  }

  // A call with these authorization headers, past our own client.
  grpc::Status CallRaw(const std::vector<std::string>& authorizations) const {
    const auto channel = grpc::CreateChannel(absl::StrCat("127.0.0.1:", suite_->port()),
                                             grpc::InsecureChannelCredentials());
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    for (const std::string& value : authorizations) context.AddMetadata("authorization", value);
    membership::v1::Federation answer;
    return grpc::internal::BlockingUnaryCall<
        membership::v1::GetFederationRequest, membership::v1::Federation,
        google::protobuf::MessageLite, google::protobuf::MessageLite>(
        channel.get(),
        grpc::internal::RpcMethod(kGetFederation, grpc::internal::RpcMethod::NORMAL_RPC), &context,
        Request(), &answer);
  }

  ManualClock clock_{absl::FromUnixSeconds(1'593'500'000)};  // 2020-06-30.
  std::optional<auth::SigningKey> key_;
  fs::path folder_;
  std::unique_ptr<Suite> suite_;
};

TEST_F(SecurityTest, EveryRefusedTokenGetsTheSameAnswer) {
  Start();
  const std::string good = TokenOf("clerk");
  EXPECT_THAT(CallWith(good), HasReason(common::v1::REASON_NOT_FOUND));
  const std::vector<std::string> parts = absl::StrSplit(good, '.');
  const std::string none = absl::WebSafeBase64Escape(R"({"alg":"none","kid":"issuer"})");
  auth::Claims expired = ClaimsOf("clerk", "admin"), elsewhere = expired, foreign = expired;
  expired.expires = clock_.Now() - absl::Minutes(2);
  elsewhere.audience = "payroll";
  foreign.issuer = "https://elsewhere.example";
  const auth::SigningKey stranger = *auth::SigningKey::Generate("issuer");
  const auth::SigningKey unknown = *auth::SigningKey::Generate("unknown");
  const std::vector<std::string> bad = {
      "nonsense",
      absl::StrCat(none, ".", parts[1], "."),
      absl::StrCat(parts[0], ".", parts[1], "."),
      absl::StrCat(parts[0], ".", parts[1], ".", parts[2].substr(8)),
      *key_->Sign(expired, clock_.Now()),
      *key_->Sign(elsewhere, clock_.Now()),
      *key_->Sign(foreign, clock_.Now()),
      *stranger.Sign(ClaimsOf("clerk", "admin"), clock_.Now()),
      *unknown.Sign(ClaimsOf("clerk", "admin"), clock_.Now())};

  const double before = EventsOf("token_refused");
  ::testing::internal::CaptureStderr();
  std::set<std::string> answers;
  for (const std::string& token : bad) {
    const grpc::Status status = CallRaw({"Bearer " + token});
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << token;
    answers.insert(status.error_message());
  }
  const grpc::Status twice = CallRaw({"Bearer " + good, "Bearer " + good});
  EXPECT_EQ(twice.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  answers.insert(twice.error_message());
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(answers.size(), 1u);
  EXPECT_EQ(EventsOf("token_refused") - before, static_cast<double>(bad.size() + 1));

  // The log tells why, but never the token.
  for (const char* why : {"wrong signature", "expired", "another audience", "another issuer",
                          "does not trust", "two authorization headers"}) {
    EXPECT_TRUE(absl::StrContains(log, why)) << why;
  }
  EXPECT_TRUE(absl::StrContains(log, R"("event":"security_event","kind":"token_refused")"));
  EXPECT_FALSE(absl::StrContains(log, parts[1]));
  EXPECT_FALSE(absl::StrContains(log, parts[2]));

  // What is too large for a header does not reach the service at all.
  EXPECT_FALSE(CallRaw({"Bearer " + std::string(1 << 20, 'x')}).ok());
  EXPECT_THAT(CallWith(good), HasReason(common::v1::REASON_NOT_FOUND));
}

TEST_F(SecurityTest, TheGatewayChoosesNeitherOfTwoTokens) {
  Start();
  httplib::Client http("127.0.0.1", suite_->http_port());
  const std::string good = "Bearer " + TokenOf("clerk");
  auto answer = http.Get("/v1/federations/demo", httplib::Headers{{"Authorization", good}});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 404) << answer->body;
  answer = http.Get("/v1/federations/demo",
                    httplib::Headers{{"Authorization", good}, {"Authorization", good}});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 401) << answer->body;
}

TEST_F(SecurityTest, CallersAreLimitedEachForThemselves) {
  rpc::RateLimits::Options limits{.caller_per_second = 2};
  common::v1::CallQuota& quota = *limits.quotas.add_quotas();
  quota.set_subject("payroll");
  quota.set_calls_per_day(2);
  Start(limits);
  const double before = EventsOf("rate_limited");
  const std::string hasty = TokenOf("hasty");
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(CallWith(hasty), HasReason(common::v1::REASON_NOT_FOUND));
  }
  // Our client waits for half a second, twice: the clock stands still, so that it gains nothing.
  EXPECT_THAT(CallWith(hasty), HasReason(common::v1::REASON_RATE_LIMITED));
  EXPECT_EQ(EventsOf("rate_limited") - before, 3);
  EXPECT_THAT(CallWith(TokenOf("calm")), HasReason(common::v1::REASON_NOT_FOUND));

  const grpc::Status refused = CallRaw({"Bearer " + hasty});
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(refused.error_details()));
  google::rpc::RetryInfo retry;
  for (const auto& detail : details.details()) detail.UnpackTo(&retry);
  EXPECT_NEAR(retry.retry_delay().nanos() / 1e6, 500, 2);
  clock_.Advance(absl::Milliseconds(501));
  EXPECT_THAT(CallWith(hasty), HasReason(common::v1::REASON_NOT_FOUND));

  const std::string payroll = TokenOf("payroll");
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(CallWith(payroll), HasReason(common::v1::REASON_NOT_FOUND));
  }
  // Nobody waits till midnight.
  EXPECT_THAT(CallWith(payroll), HasReason(common::v1::REASON_RATE_LIMITED));
  EXPECT_EQ(EventsOf("rate_limited") - before, 5);
  // The platform's own services are not callers.
  const std::string service = TokenOf("reports", "service");
  for (int i = 0; i < 6; ++i) {
    EXPECT_NE(ReasonOf(CallWith(service)), common::v1::REASON_RATE_LIMITED);
  }
}

TEST_F(SecurityTest, OurClientWaitsForItsTurn) {
  Start({.caller_per_second = 2});
  std::thread time([this] {
    for (int i = 0; i < 20; ++i) {
      absl::SleepFor(absl::Milliseconds(50));
      clock_.Advance(absl::Milliseconds(100));
    }
  });
  for (int i = 0; i < 7; ++i) {
    EXPECT_THAT(CallWith(TokenOf("hasty")), HasReason(common::v1::REASON_NOT_FOUND));
  }
  time.join();
}

TEST_F(SecurityTest, CallersOfAFederationShareItsLimit) {
  Start({.federation_per_second = 1.5});
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(CallWith(TokenOf(absl::StrCat("u", i))), HasReason(common::v1::REASON_NOT_FOUND));
  }
  EXPECT_THAT(CallWith(TokenOf("u9")), HasReason(common::v1::REASON_RATE_LIMITED));
}

TEST_F(SecurityTest, ServicesThatOverreachAreSeen) {
  Start();
  const double before = EventsOf("service_denied");
  membership::v1::CreateFederationRequest request;
  request.set_federation_id("taken");
  request.mutable_federation()->set_display_name("某市总工会");
  EXPECT_THAT(suite_->NewClient(TokenOf("reports", "service"))
                  ->Invoke<membership::v1::Federation>(
                      "/gonghui.membership.v1.FederationService/CreateFederation", request),
              HasReason(common::v1::REASON_PERMISSION_MISSING));
  for (int i = 0; i < 100 && EventsOf("service_denied") == before; ++i) {
    absl::SleepFor(absl::Milliseconds(10));  // The log follows the answer.
  }
  EXPECT_EQ(EventsOf("service_denied") - before, 1);
}

}  // namespace
}  // namespace gonghui
