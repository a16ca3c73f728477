// gmock matchers for absl::Status and absl::StatusOr.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/status.h"
#include "gmock/gmock.h"

namespace gonghui::testing {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

// EXPECT_THAT(status, IsOk());
MATCHER(IsOk, "is OK") {
  const absl::Status& status = StatusOf(arg);
  *result_listener << status.ToString();
  return status.ok();
}

// EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound));
MATCHER_P(StatusIs, code, "has code " + absl::StatusCodeToString(code)) {
  const absl::Status& status = StatusOf(arg);
  *result_listener << status.ToString();
  return status.code() == code;
}

// EXPECT_THAT(status, HasReason(common::v1::REASON_FIELD_REQUIRED));
MATCHER_P(HasReason, reason, "has reason " + ReasonName(reason)) {
  const absl::Status& status = StatusOf(arg);
  *result_listener << status.ToString();
  return ReasonOf(status) == reason;
}

// The reason, and the field at fault: HasReasonAt(common::v1::REASON_FIELD_INVALID, "member.name").
MATCHER_P2(HasReasonAt, reason, field, "has reason " + ReasonName(reason) + " at " + field) {
  const absl::Status& status = StatusOf(arg);
  *result_listener << status.ToString() << " at " << FieldOf(status);
  return ReasonOf(status) == reason && FieldOf(status) == field;
}

}  // namespace gonghui::testing

// ASSERT_OK_AND_ASSIGN(auto rows, tx.Run(query));
#define ASSERT_OK_AND_ASSIGN(lhs, expr) \
  ASSERT_OK_AND_ASSIGN_INNER(GONGHUI_CONCAT(test_status_or_, __LINE__), lhs, expr)
#define ASSERT_OK_AND_ASSIGN_INNER(tmp, lhs, expr) \
  auto tmp = (expr);                               \
  ASSERT_TRUE(tmp.ok()) << tmp.status();           \
  lhs = *std::move(tmp)
