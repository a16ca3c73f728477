#include "common/rpc/status_map.h"

#include <gtest/gtest.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace gonghui::rpc {
namespace {

constexpr char kTrace[] = "0af7651916cd43dd8448eb211c80319c";

google::rpc::Status DetailsOf(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  return details;
}

template <typename Detail>
std::vector<Detail> All(const grpc::Status& status) {
  const google::rpc::Status details = DetailsOf(status);
  std::vector<Detail> found;
  for (const auto& any : details.details()) {
    Detail detail;
    if (any.UnpackTo(&detail)) found.push_back(detail);
  }
  return found;
}

TEST(StatusMapTest, OkStaysOk) {
  EXPECT_TRUE(ToGrpc(absl::OkStatus(), kTrace).ok());
  EXPECT_TRUE(FromGrpc(grpc::Status::OK).ok());
}

TEST(StatusMapTest, CarriesEverythingBothWays) {
  const absl::Status original = FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                                                   "The case is closed; reopen it", "案件已结")
                                    .With("state", "closed")
                                    .At("record.state");
  const grpc::Status sent = ToGrpc(original, kTrace);
  EXPECT_EQ(sent.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  ASSERT_EQ(All<google::rpc::ErrorInfo>(sent).size(), 1u);
  const google::rpc::ErrorInfo info = All<google::rpc::ErrorInfo>(sent)[0];
  EXPECT_EQ(info.domain(), "gonghui");
  EXPECT_EQ(info.reason(), "STATE_FORBIDS");
  EXPECT_EQ(info.metadata().at("state"), "closed");
  EXPECT_EQ(All<google::rpc::BadRequest>(sent)[0].field_violations(0).field(), "record.state");
  EXPECT_EQ(All<google::rpc::LocalizedMessage>(sent)[0].message(), "案件已结");

  const absl::Status received = FromGrpc(sent);
  EXPECT_EQ(received.code(), original.code());
  EXPECT_EQ(received.message(), original.message());
  EXPECT_EQ(ReasonOf(received), common::v1::REASON_STATE_FORBIDS);
  EXPECT_EQ(FieldOf(received), "record.state");
  EXPECT_EQ(MessageZhOf(received), "案件已结");
}

TEST(StatusMapTest, HidesInternalMessages) {
  for (const absl::Status& status : {absl::Status(Internal("SELECT secret FROM members")),
                                     absl::UnknownError("SELECT secret")}) {
    const grpc::Status sent = ToGrpc(status, kTrace);
    EXPECT_EQ(sent.error_message().find("SELECT"), std::string::npos);
    EXPECT_EQ(sent.error_details().find("SELECT"), std::string::npos);
    EXPECT_NE(sent.error_message().find(kTrace), std::string::npos);
    EXPECT_EQ(All<google::rpc::ErrorInfo>(sent)[0].reason(), "INTERNAL");
  }
}

TEST(StatusMapTest, TellsWhenToRetry) {
  const grpc::Status sent =
      ToGrpc(ResourceExhausted(common::v1::REASON_OVERLOADED, "busy", "忙"), kTrace);
  ASSERT_EQ(All<google::rpc::RetryInfo>(sent).size(), 1u);
  EXPECT_GT(All<google::rpc::RetryInfo>(sent)[0].retry_delay().nanos(), 0);
  EXPECT_TRUE(All<google::rpc::RetryInfo>(
                  ToGrpc(ResourceExhausted(common::v1::REASON_STORAGE_FULL, "full", "满"), kTrace))
                  .empty());
}

TEST(StatusMapTest, FitsIntoTrailers) {
  std::string zh;
  for (int i = 0; i < 20'000; ++i) zh += "长";
  Error error = InvalidArgument(common::v1::REASON_FIELD_INVALID, std::string(50'000, 'x'), zh);
  for (int i = 0; i < 200; ++i) {
    std::move(error).With("key" + std::to_string(i), std::string(500, 'v'));
  }
  std::move(error).At(std::string(3000, 'f'));
  const grpc::Status sent = ToGrpc(error, kTrace);
  EXPECT_LT(sent.error_message().size() + sent.error_details().size() * 4 / 3, 8000u);
  EXPECT_EQ(ReasonOf(FromGrpc(sent)), common::v1::REASON_FIELD_INVALID);
}

TEST(StatusMapTest, UnderstandsErrorsOfTheTransport) {
  const absl::Status status =
      FromGrpc(grpc::Status(grpc::StatusCode::UNAVAILABLE, "failed to connect"));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(status), common::v1::REASON_UNAVAILABLE);
  EXPECT_EQ(ReasonOf(FromGrpc(grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "late"))),
            common::v1::REASON_DEADLINE_EXCEEDED);
}

}  // namespace
}  // namespace gonghui::rpc
