// Errors of the platform: absl::Status with exactly one reason, metadata, and where it applies the
// field at fault. Nothing of ours throws across a function.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gonghui/common/v1/error.pb.h"

namespace gonghui {

using common::v1::Reason;

// Builds an error:
//   return InvalidArgument(common::v1::REASON_FIELD_INVALID, "'30' is no month",
//   "“30”不是月份").At("record.on_date");
// The English message says what, why and what next; the Chinese one the same. Neither may hold
// personal data.
class Error {
 public:
  Error(absl::StatusCode code, Reason reason, std::string message, std::string message_zh);

  // Adds a piece of metadata (every dynamic part of the message stands here too).
  Error&& With(std::string key, std::string value) &&;
  // Names the request field at fault, as a path: "records[3].fields.amount".
  Error&& At(std::string field) &&;

  operator absl::Status() const;  // NOLINT(google-explicit-constructor)
  template <typename T>
  operator absl::StatusOr<T>() const {  // NOLINT(google-explicit-constructor)
    return absl::Status(*this);
  }

 private:
  absl::StatusCode code_;
  Reason reason_;
  std::string message_;
  std::string message_zh_;
  std::string field_;
  std::vector<std::pair<std::string, std::string>> metadata_;
};

Error InvalidArgument(Reason reason, std::string message, std::string message_zh);
Error NotFound(Reason reason, std::string message, std::string message_zh);
Error AlreadyExists(Reason reason, std::string message, std::string message_zh);
Error FailedPrecondition(Reason reason, std::string message, std::string message_zh);
Error Aborted(Reason reason, std::string message, std::string message_zh);
Error Unauthenticated(Reason reason, std::string message, std::string message_zh);
Error PermissionDenied(Reason reason, std::string message, std::string message_zh);
Error ResourceExhausted(Reason reason, std::string message, std::string message_zh);
Error Unavailable(Reason reason, std::string message, std::string message_zh);
Error DeadlineExceeded(std::string message, std::string message_zh);
Error Internal(std::string message);  // A defect: the message is logged, never shown to callers.

// What an Error put into a status; empty or REASON_UNSPECIFIED where it was not made by Error.
Reason ReasonOf(const absl::Status& status);
std::string ReasonName(Reason reason);  // "FIELD_INVALID", without prefix.
std::string FieldOf(const absl::Status& status);
std::string MessageZhOf(const absl::Status& status);
std::vector<std::pair<std::string, std::string>> MetadataOf(const absl::Status& status);

// The status as one item of a batch answer.
common::v1::ItemFailure ToItemFailure(int index, const absl::Status& status);

}  // namespace gonghui

#define GONGHUI_CONCAT_INNER(a, b) a##b
#define GONGHUI_CONCAT(a, b) GONGHUI_CONCAT_INNER(a, b)

#define RETURN_IF_ERROR(expr)                           \
  do {                                                  \
    if (absl::Status status_ = (expr); !status_.ok()) { \
      return status_;                                   \
    }                                                   \
  } while (false)

// ASSIGN_OR_RETURN(auto rows, tx.Run(...));
#define ASSIGN_OR_RETURN(lhs, expr) \
  ASSIGN_OR_RETURN_INNER(GONGHUI_CONCAT(status_or_, __LINE__), lhs, expr)
#define ASSIGN_OR_RETURN_INNER(tmp, lhs, expr) \
  auto tmp = (expr);                           \
  if (!tmp.ok()) {                             \
    return std::move(tmp).status();            \
  }                                            \
  lhs = *std::move(tmp)
