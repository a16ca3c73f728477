#include "common/rpc/status_map.h"

#include <string>

#include "absl/strings/numbers.h"
#include "common/base/text.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace gonghui::rpc {
namespace {

constexpr std::string_view kDomain = "gonghui";
constexpr int64_t kOverloadedDelayMs = 250;
// Trailers may hold 8 KiB in all. The details travel in base64, the message percent-encoded.
constexpr size_t kLongestText = 1000;
constexpr size_t kLongestMetadata = 200;
constexpr size_t kLargestDetails = 4500;

// Cuts at a character's start, so that the text stays UTF-8.
std::string Cut(std::string_view text, size_t limit) {
  if (text.size() <= limit) return std::string(text);
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return StrCat(text.substr(0, limit), "…");
}

Reason ReasonOfCode(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return common::v1::REASON_FIELD_INVALID;
    case absl::StatusCode::kNotFound:
      return common::v1::REASON_NOT_FOUND;
    case absl::StatusCode::kAlreadyExists:
      return common::v1::REASON_ALREADY_EXISTS;
    case absl::StatusCode::kFailedPrecondition:
      return common::v1::REASON_STATE_FORBIDS;
    case absl::StatusCode::kAborted:
      return common::v1::REASON_CONFLICT;
    case absl::StatusCode::kUnauthenticated:
      return common::v1::REASON_TOKEN_INVALID;
    case absl::StatusCode::kPermissionDenied:
      return common::v1::REASON_PERMISSION_MISSING;
    case absl::StatusCode::kResourceExhausted:
      return common::v1::REASON_OVERLOADED;
    case absl::StatusCode::kDeadlineExceeded:
      return common::v1::REASON_DEADLINE_EXCEEDED;
    case absl::StatusCode::kUnavailable:
      return common::v1::REASON_UNAVAILABLE;
    case absl::StatusCode::kCancelled:
      return common::v1::REASON_CANCELLED;
    default:
      return common::v1::REASON_INTERNAL;
  }
}

google::rpc::ErrorInfo MakeErrorInfo(const absl::Status& status, std::string_view trace_id) {
  google::rpc::ErrorInfo info;
  info.set_domain(std::string(kDomain));
  info.set_reason(ReasonName(ReasonForCallers(status)));
  if (!IsHidden(status)) {
    for (const auto& [key, value] : MetadataOf(status)) {
      (*info.mutable_metadata())[key] = Cut(value, kLongestMetadata);
    }
  }
  (*info.mutable_metadata())["trace_id"] = std::string(trace_id);
  return info;
}

// 0: repeating soon is of no use.
int64_t RetryDelayMs(const absl::Status& status) {
  if (ReasonForCallers(status) == common::v1::REASON_OVERLOADED) return kOverloadedDelayMs;
  if (ReasonForCallers(status) != common::v1::REASON_RATE_LIMITED) return 0;
  for (const auto& [key, value] : MetadataOf(status)) {
    int64_t milliseconds = 0;
    if (key == "retry_ms" && absl::SimpleAtoi(value, &milliseconds)) return milliseconds;
  }
  return kOverloadedDelayMs;
}

google::rpc::Status MakeDetails(const absl::Status& status, std::string_view trace_id) {
  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));
  const bool hidden = IsHidden(status);
  details.set_message(hidden ? StrCat("Internal error; give the operator the trace id ", trace_id)
                             : Cut(FromAbsl(status.message()), kLongestText));
  google::rpc::ErrorInfo info = MakeErrorInfo(status, trace_id);
  details.add_details()->PackFrom(info);
  if (const std::string field = FieldOf(status); !field.empty()) {
    google::rpc::BadRequest bad_request;
    auto* violation = bad_request.add_field_violations();
    violation->set_field(Cut(field, kLongestMetadata));
    details.add_details()->PackFrom(bad_request);
  }
  const std::string zh = hidden ? StrCat("系统内部错误；请将追踪号", trace_id, "告知运维人员")
                                : Cut(MessageZhOf(status), kLongestText);
  if (!zh.empty()) {
    google::rpc::LocalizedMessage localized;
    localized.set_locale("zh-CN");
    localized.set_message(zh);
    details.add_details()->PackFrom(localized);
  }
  if (const int64_t wait_ms = RetryDelayMs(status); wait_ms > 0) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(wait_ms / 1000);
    retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(wait_ms % 1000) * 1'000'000);
    details.add_details()->PackFrom(retry);
  }
  if (details.ByteSizeLong() > kLargestDetails) {
    info.clear_metadata();
    details.mutable_details(0)->PackFrom(info);
  }
  return details;
}

}  // namespace

bool IsHidden(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kUnimplemented:
      return true;
    default:
      return false;
  }
}

Reason ReasonForCallers(const absl::Status& status) {
  const Reason reason = ReasonOf(status);
  return reason == common::v1::REASON_UNSPECIFIED ? ReasonOfCode(status.code()) : reason;
}

grpc::Status ToGrpc(const absl::Status& status, std::string_view trace_id) {
  if (status.ok()) return grpc::Status::OK;
  const google::rpc::Status details = MakeDetails(status, trace_id);
  return {static_cast<grpc::StatusCode>(status.code()), details.message(),
          details.SerializeAsString()};
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  Reason reason = ReasonOfCode(code);
  std::string message_zh;
  google::rpc::ErrorInfo info;
  google::rpc::BadRequest bad_request;
  google::rpc::LocalizedMessage localized;
  google::rpc::Status details;
  if (details.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& detail : details.details()) {
      // Each call looks at the type and leaves the others alone.
      if (detail.UnpackTo(&info) && !common::v1::Reason_Parse("REASON_" + info.reason(), &reason)) {
        reason = ReasonOfCode(code);  // A newer server's reason.
      }
      detail.UnpackTo(&bad_request);
      if (detail.UnpackTo(&localized)) message_zh = localized.message();
    }
  }
  Error error(code, reason, status.error_message(), std::move(message_zh));
  for (const auto& [key, value] : info.metadata()) {
    std::move(error).With(key, value);
  }
  if (!bad_request.field_violations().empty()) {
    std::move(error).At(bad_request.field_violations(0).field());
  }
  return error;
}

}  // namespace gonghui::rpc
