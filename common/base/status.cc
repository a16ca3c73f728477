#include "common/base/status.h"

#include <algorithm>
#include <optional>

#include "absl/strings/cord.h"
#include "common/base/text.h"
#include "google/rpc/error_details.pb.h"

namespace gonghui {
namespace {

constexpr std::string_view kTypePrefix = "type.googleapis.com/";
constexpr std::string_view kReasonPrefix = "REASON_";

// The details travel inside the status as the same messages that callers receive.
template <typename Detail>
void Attach(absl::Status& status, const Detail& detail) {
  status.SetPayload(StrCat(kTypePrefix, Detail::descriptor()->full_name()),
                    absl::Cord(detail.SerializeAsString()));
}

template <typename Detail>
std::optional<Detail> Detached(const absl::Status& status) {
  const auto payload = status.GetPayload(StrCat(kTypePrefix, Detail::descriptor()->full_name()));
  Detail detail;
  if (!payload.has_value() || !detail.ParseFromString(std::string(*payload))) return std::nullopt;
  return detail;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Callers put identity numbers where they do not belong, and most messages quote what they refuse.
// A run of 18 digits, or of 17 and an X, becomes stars.
std::string WithoutIdentityNumbers(std::string text) {
  constexpr size_t kLength = 18;
  for (size_t start = 0; start < text.size();) {
    size_t end = start;
    while (end < text.size() && IsDigit(text[end])) ++end;
    const bool checked_by_x = end < text.size() && (text[end] == 'X' || text[end] == 'x');
    if (checked_by_x && end - start == kLength - 1) ++end;
    if (end - start == kLength) text.replace(start, kLength, kLength, '*');
    start = std::max(end, start + 1);
  }
  return text;
}

}  // namespace

Error::Error(absl::StatusCode code, Reason reason, std::string message, std::string message_zh)
    : code_(code),
      reason_(reason),
      message_(WithoutIdentityNumbers(std::move(message))),
      message_zh_(WithoutIdentityNumbers(std::move(message_zh))) {}

Error&& Error::With(std::string key, std::string value) && {
  metadata_.emplace_back(std::move(key), WithoutIdentityNumbers(std::move(value)));
  return std::move(*this);
}

Error&& Error::At(std::string field) && {
  field_ = WithoutIdentityNumbers(std::move(field));
  return std::move(*this);
}

Error::operator absl::Status() const {
  absl::Status status(code_, message_);
  google::rpc::ErrorInfo info;
  info.set_reason(ReasonName(reason_));
  info.set_domain("gonghui");
  for (const auto& [key, value] : metadata_) (*info.mutable_metadata())[key] = value;
  Attach(status, info);
  google::rpc::LocalizedMessage chinese;
  chinese.set_locale("zh-CN");
  chinese.set_message(message_zh_);
  Attach(status, chinese);
  if (!field_.empty()) {
    google::rpc::BadRequest bad;
    auto* violation = bad.add_field_violations();
    violation->set_field(field_);
    violation->set_description(message_);
    Attach(status, bad);
  }
  return status;
}

Error InvalidArgument(Reason reason, std::string message, std::string message_zh) {
  return {absl::StatusCode::kInvalidArgument, reason, std::move(message), std::move(message_zh)};
}

Error NotFound(Reason reason, std::string message, std::string message_zh) {
  return {absl::StatusCode::kNotFound, reason, std::move(message), std::move(message_zh)};
}

Error AlreadyExists(Reason reason, std::string message, std::string message_zh) {
  return {absl::StatusCode::kAlreadyExists, reason, std::move(message), std::move(message_zh)};
}

Error FailedPrecondition(Reason reason, std::string message, std::string message_zh) {
  return {absl::StatusCode::kFailedPrecondition, reason, std::move(message), std::move(message_zh)};
}

Error Aborted(Reason reason, std::string message, std::string message_zh) {
  return {absl::StatusCode::kAborted, reason, std::move(message), std::move(message_zh)};
}

Error Unauthenticated(Reason reason, std::string message, std::string message_zh) {
  return {absl::StatusCode::kUnauthenticated, reason, std::move(message), std::move(message_zh)};
}

Error PermissionDenied(Reason reason, std::string message, std::string message_zh) {
  return {absl::StatusCode::kPermissionDenied, reason, std::move(message), std::move(message_zh)};
}

Error ResourceExhausted(Reason reason, std::string message, std::string message_zh) {
  return {absl::StatusCode::kResourceExhausted, reason, std::move(message), std::move(message_zh)};
}

Error Unavailable(Reason reason, std::string message, std::string message_zh) {
  return {absl::StatusCode::kUnavailable, reason, std::move(message), std::move(message_zh)};
}

Error DeadlineExceeded(std::string message, std::string message_zh) {
  return {absl::StatusCode::kDeadlineExceeded, common::v1::REASON_DEADLINE_EXCEEDED,
          std::move(message), std::move(message_zh)};
}

Error Internal(std::string message) {
  return {absl::StatusCode::kInternal, common::v1::REASON_INTERNAL, std::move(message),
          "系统内部错误，请把追踪号交给管理员"};
}

Reason ReasonOf(const absl::Status& status) {
  if (status.ok()) return common::v1::REASON_UNSPECIFIED;
  const auto info = Detached<google::rpc::ErrorInfo>(status);
  Reason reason = common::v1::REASON_UNSPECIFIED;
  if (info.has_value()) {
    common::v1::Reason_Parse(StrCat(kReasonPrefix, info->reason()), &reason);
  }
  return reason;
}

std::string ReasonName(Reason reason) {
  return common::v1::Reason_Name(reason).substr(kReasonPrefix.size());
}

std::string FieldOf(const absl::Status& status) {
  const auto bad = Detached<google::rpc::BadRequest>(status);
  if (!bad.has_value() || bad->field_violations().empty()) return "";
  return bad->field_violations(0).field();
}

std::string MessageZhOf(const absl::Status& status) {
  const auto chinese = Detached<google::rpc::LocalizedMessage>(status);
  return chinese.has_value() ? chinese->message() : "";
}

std::vector<std::pair<std::string, std::string>> MetadataOf(const absl::Status& status) {
  std::vector<std::pair<std::string, std::string>> metadata;
  if (const auto info = Detached<google::rpc::ErrorInfo>(status)) {
    metadata.assign(info->metadata().begin(), info->metadata().end());
    std::sort(metadata.begin(), metadata.end());
  }
  return metadata;
}

common::v1::ItemFailure ToItemFailure(int index, const absl::Status& status) {
  common::v1::ItemFailure failure;
  failure.set_index(index);
  failure.set_field(FieldOf(status));
  failure.set_reason(ReasonName(ReasonOf(status)));
  failure.set_message(std::string(status.message()));
  failure.set_message_zh(MessageZhOf(status));
  return failure;
}

}  // namespace gonghui
