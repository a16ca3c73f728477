#include "common/base/status.h"

#include "common/testing/matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gonghui {
namespace {

using ::testing::ElementsAre;
using testing::HasReasonAt;
using testing::IsOk;
using ::testing::Pair;

absl::StatusOr<int> Refuse() {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID, "the month is out of range",
                         "月份超出范围")
      .With("max", "12")
      .With("kind", "month")
      .At("record.on_date");
}

absl::Status Forward() {
  ASSIGN_OR_RETURN(const int value, Refuse());
  return value > 0 ? absl::OkStatus() : absl::UnknownError("");
}

TEST(StatusTest, AnErrorKeepsAllItsParts) {
  const absl::Status status = Forward();
  EXPECT_THAT(status, HasReasonAt(common::v1::REASON_FIELD_INVALID, "record.on_date"));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "the month is out of range");
  EXPECT_EQ(MessageZhOf(status), "月份超出范围");
  EXPECT_THAT(MetadataOf(status), ElementsAre(Pair("kind", "month"), Pair("max", "12")));
}

TEST(StatusTest, ForeignStatusesHaveNoReason) {
  for (const absl::Status& status : {absl::OkStatus(), absl::InternalError("driver")}) {
    EXPECT_EQ(ReasonOf(status), common::v1::REASON_UNSPECIFIED);
    EXPECT_EQ(FieldOf(status), "");
    EXPECT_EQ(MessageZhOf(status), "");
    EXPECT_TRUE(MetadataOf(status).empty());
  }
  EXPECT_THAT(absl::OkStatus(), IsOk());
}

TEST(StatusTest, EveryReasonHasANameWithoutPrefix) {
  const auto* reasons = common::v1::Reason_descriptor();
  for (int i = 0; i < reasons->value_count(); ++i) {
    const auto reason = static_cast<Reason>(reasons->value(i)->number());
    EXPECT_EQ("REASON_" + ReasonName(reason), reasons->value(i)->name());
    const absl::Status status = Aborted(reason, "m", "消息");
    EXPECT_EQ(ReasonOf(status), reason);
  }
}

TEST(StatusTest, BecomesAnItemOfABatch) {
  const common::v1::ItemFailure failure = ToItemFailure(7, Forward());
  EXPECT_EQ(failure.index(), 7);
  EXPECT_EQ(failure.field(), "record.on_date");
  EXPECT_EQ(failure.reason(), "FIELD_INVALID");
  EXPECT_EQ(failure.message(), "the month is out of range");
  EXPECT_EQ(failure.message_zh(), "月份超出范围");
}

TEST(StatusTest, IdentityNumbersBecomeStars) {
  const absl::Status status =
      InvalidArgument(common::v1::REASON_FIELD_INVALID, "no kind '11010119900307002X'",
                      "没有“110101199003070011”")
          .With("kind", "a/110101199003070011")
          .At("fields.110101199003070011");
  EXPECT_EQ(status.message(), "no kind '******************'");
  EXPECT_EQ(MessageZhOf(status), "没有“******************”");
  EXPECT_EQ(MetadataOf(status)[0].second, "a/******************");
  EXPECT_EQ(FieldOf(status), "fields.******************");
  const absl::Status amounts = InvalidArgument(
      common::v1::REASON_FIELD_INVALID, "9223372036854775807 or 12345678901234567 fen", "金额有误");
  EXPECT_EQ(amounts.message(), "9223372036854775807 or 12345678901234567 fen");
}

}  // namespace
}  // namespace gonghui
