#include "common/rpc/invocation.h"

#include <algorithm>
#include <utility>

#include "common/auth/trusted_issuers.h"
#include "common/base/log.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/base/trace.h"
#include "common/ops/recent.h"
#include "common/rpc/batch_queue.h"
#include "common/rpc/client.h"
#include "common/rpc/pipeline_state.h"
#include "common/rpc/rate_limits.h"
#include "common/rpc/security_log.h"
#include "common/rpc/status_map.h"
#include "common/rpc/traceparent.h"
#include "common/rpc/validate.h"
#include "grpc/grpc_security_constants.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/security/auth_context.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"

namespace gonghui::rpc::internal {
namespace {

using google::protobuf::FieldDescriptor;
using Codec = grpc::SerializationTraits<google::protobuf::Message>;

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string_view MetadataValue(const grpc::CallbackServerContext& context, const char* key) {
  const auto found = context.client_metadata().find(key);
  if (found == context.client_metadata().end()) return "";
  return {found->second.data(), found->second.size()};
}

std::vector<FederationPath> FindFederationPaths(const google::protobuf::Descriptor* request) {
  std::vector<FederationPath> paths;
  const auto add = [&](const std::string& path, bool bare_id) {
    if (auto resolved = FieldPath::Resolve(request, path)) {
      paths.push_back({*std::move(resolved), bare_id});
    }
  };
  add("parent", false);
  add("name", false);
  add("federation", true);
  add("federation_id", true);
  for (int i = 0; i < request->field_count(); ++i) {
    add(StrCat(request->field(i)->name(), ".name"), false);
  }
  return paths;
}

}  // namespace

absl::Status TokenRefused() {
  return Unauthenticated(
      common::v1::REASON_TOKEN_INVALID,
      "The token is not accepted: it has expired, is not for this server, or is "
      "no good token; get a new one from your federation's issuer",
      "令牌未被接受：已过期、不适用于本服务或无效；请向本联合会的签发方重新获取");
}

absl::Status Overloaded() {
  return ResourceExhausted(common::v1::REASON_OVERLOADED,
                           "The server has more calls waiting than it can answer in time; retry "
                           "after the delay given with this error",
                           "服务繁忙，等待的请求过多；请按本错误给出的间隔稍后重试");
}

void CallMeter::Observe(absl::StatusCode code, double seconds) {
  const size_t index = static_cast<size_t>(code);
  Slot& slot =
      slots_[index < slots_.size() ? index : static_cast<size_t>(absl::StatusCode::kUnknown)];
  std::call_once(slot.made, [&] {
    slot.histogram.emplace(
        "gonghui_rpc_seconds", "Time from the receipt of a call to its answer.",
        ops::Labels{
            {"service", service_}, {"method", method_}, {"code", absl::StatusCodeToString(code)}});
  });
  slot.histogram->Observe(seconds);
}

void CallMeter::CountError(Reason reason) {
  absl::MutexLock lock(&mutex_);
  auto found = errors_.find(reason);
  if (found == errors_.end()) {
    const ops::Counter counter(
        "gonghui_rpc_errors_total", "Calls that ended with an error, by its reason.",
        {{"service", service_}, {"method", method_}, {"reason", ReasonName(reason)}});
    found = errors_.emplace(reason, counter).first;
  }
  found->second.Add();
}

Endpoint::Endpoint(const google::protobuf::MethodDescriptor* descriptor, Pipeline& owner)
    : method{.full_name = descriptor->full_name(),
             .path = StrCat("/", descriptor->service()->full_name(), "/", descriptor->name()),
             .policy = descriptor->options().GetExtension(common::v1::policy),
             .input = descriptor->input_type(),
             .output = descriptor->output_type()},
      pipeline(owner),
      federation_paths(FindFederationPaths(descriptor->input_type())),
      meter(descriptor->service()->full_name(), descriptor->name()) {
  GOOGLE_CHECK(!method.policy.permission().empty()) << method.full_name << " has no permission";
  if (!method.policy.scope().empty()) {
    scope_path = FieldPath::Resolve(method.input, method.policy.scope());
    GOOGLE_CHECK(scope_path.has_value())
        << method.full_name << ": no text field " << method.policy.scope();
  }
}

Endpoint::~Endpoint() = default;

Invocation::Invocation(Endpoint& endpoint, grpc::CallbackServerContext* context,
                       grpc::ByteBuffer* reply)
    : endpoint_(endpoint), context_(context), reply_(reply), reactor_(context->DefaultReactor()) {
  const Pipeline::Options& options = endpoint.pipeline.options();
  call_.method = &endpoint.method;
  call_.clock = options.clock;
  call_.roles = options.roles;
  call_.scope = options.scope;
  call_.is_cancelled = [context] { return context->IsCancelled(); };
  endpoint.pipeline.state().CallStarted();
}

grpc::ServerUnaryReactor* Invocation::Start(Endpoint& endpoint,
                                            grpc::CallbackServerContext* context,
                                            const grpc::ByteBuffer& request,
                                            grpc::ByteBuffer* reply) {
  std::unique_ptr<Invocation> invocation(new Invocation(endpoint, context, reply));
  grpc::ServerUnaryReactor* const reactor = invocation->reactor_;
  if (absl::Status admitted = invocation->Admit(request); !admitted.ok()) {
    Finish(std::move(invocation), std::move(admitted));
  } else if (endpoint.batch != nullptr) {
    endpoint.batch->Push(std::move(invocation));
  } else if (!endpoint.peek) {
    Enqueue(std::move(invocation));
  } else if (absl::Status scope = invocation->CheckPolicyScope(); !scope.ok()) {
    Finish(std::move(invocation), std::move(scope));
  } else if (auto answer = endpoint.peek(invocation->call_, *invocation->request_)) {
    Finish(std::move(invocation), *std::move(answer));
  } else {
    Enqueue(std::move(invocation));
  }
  return reactor;
}

absl::Status Invocation::Admit(const grpc::ByteBuffer& request) {
  call_.traceparent = ContinueTrace(MetadataValue(*context_, "traceparent"));
  RETURN_IF_ERROR(Authenticate());
  RateLimits* const limits = is_service_ ? nullptr : endpoint_.pipeline.options().limits;
  if (limits != nullptr && !call_.actor.subject.empty()) {
    RETURN_IF_ERROR(CheckRate(
        limits->AdmitCaller(call_.actor.federation, call_.actor.subject, call_.clock->Now())));
  }

  request_ = endpoint_.request_prototype->New(&arena_);
  request_bytes_ = request.Length();
  grpc::ByteBuffer unread = request;
  if (!Codec::Deserialize(&unread, request_).ok()) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           StrCat("The request is no valid ", endpoint_.method.input->full_name(),
                                  ": use the published protos and UTF-8 text"),
                           "请求无法解析：请使用公布的接口定义，文本须为UTF-8编码");
  }
  RETURN_IF_ERROR(ResolveFederation());
  if (limits != nullptr) {
    RETURN_IF_ERROR(CheckRate(limits->AdmitFederation(call_.federation, call_.clock->Now())));
  }
  const std::string& permission = endpoint_.method.policy.permission();
  if (permission != "public" && permission != "authenticated") {
    RETURN_IF_ERROR(auth::CheckPermission(call_.actor, *call_.roles, permission, call_.Today()));
  }
  SetDeadline();
  return Validate(*request_);
}

absl::Status Invocation::Authenticate() {
  if (endpoint_.method.policy.permission() == "public") {
    call_.actor.federation = "*";
    return absl::OkStatus();
  }
  std::string_view authorization = MetadataValue(*context_, "authorization");
  if (!authorization.starts_with("Bearer ") && !authorization.starts_with("bearer ")) {
    return Unauthenticated(common::v1::REASON_TOKEN_MISSING,
                           "The call carries no token; send \"authorization: Bearer <token>\"",
                           "请求未携带令牌；请在authorization中发送“Bearer <令牌>”");
  }
  if (context_->client_metadata().count("authorization") > 1) {
    return RefuseToken("The call carries two authorization headers");
  }
  authorization.remove_prefix(sizeof("Bearer ") - 1);
  const Pipeline::Options& options = endpoint_.pipeline.options();
  if (options.issuers == nullptr) return RefuseToken("This server trusts no issuer");
  absl::StatusOr<auth::Identity> identity =
      options.issuers->Verify(authorization, call_.clock->Now());
  if (!identity.ok()) return RefuseToken(FromAbsl(identity.status().message()));
  call_.actor = std::move(identity->actor);
  call_.token = authorization;
  is_service_ = std::any_of(
      call_.actor.grants.begin(), call_.actor.grants.end(),
      [](const common::v1::Grant& grant) { return grant.role() == auth::kServiceRole; });
  return is_service_ && !identity->is_own ? CheckServiceCertificate() : absl::OkStatus();
}

// Callers are told the same whatever is wrong, so that guesses teach nothing.
absl::Status Invocation::RefuseToken(std::string_view why) const {
  const std::string peer = context_->peer();
  const std::string trace = call_.trace_id();
  ReportSecurityEvent(
      SecurityEvent::kTokenRefused,
      {{"method", endpoint_.method.full_name}, {"peer", peer}, {"trace", trace}, {"why", why}});
  return TokenRefused();
}

absl::Status Invocation::CheckServiceCertificate() const {
  const std::vector<std::string>& names = endpoint_.pipeline.options().service_names;
  if (names.empty()) return absl::OkStatus();
  // What comes through the gateway shows the gateway's certificate, not the caller's.
  const bool is_forwarded = !MetadataValue(*context_, kForwardedKey).empty();
  const auto peer_certificate = context_->auth_context();
  for (const char* property : {GRPC_PEER_DNS_PROPERTY_NAME, GRPC_PEER_URI_PROPERTY_NAME}) {
    if (is_forwarded) break;
    for (const grpc::string_ref& name : peer_certificate->FindPropertyValues(property)) {
      if (std::find(names.begin(), names.end(), std::string_view(name.data(), name.size())) !=
          names.end()) {
        return absl::OkStatus();
      }
    }
  }
  const std::string peer = context_->peer();
  const std::string trace = call_.trace_id();
  ReportSecurityEvent(SecurityEvent::kCertificateRefused, {{"method", endpoint_.method.full_name},
                                                           {"peer", peer},
                                                           {"actor", call_.actor.subject},
                                                           {"forwarded", is_forwarded},
                                                           {"trace", trace}});
  return TokenRefused();
}

absl::Status Invocation::CheckRate(absl::Status admitted) const {
  if (admitted.ok()) return admitted;
  const std::string trace = call_.trace_id();
  ReportSecurityEvent(SecurityEvent::kRateLimited, {{"method", endpoint_.method.full_name},
                                                    {"actor", call_.actor.subject},
                                                    {"federation", call_.federation},
                                                    {"trace", trace}});
  return admitted;
}

absl::Status Invocation::ResolveFederation() {
  const bool any = call_.actor.federation == "*";
  if (!any) call_.federation = call_.actor.federation;
  for (const FederationPath& candidate : endpoint_.federation_paths) {
    const std::string value = candidate.path.Get(*request_);
    const bool is_id = candidate.bare_id && value.find('/') == value.npos;
    const std::string_view named = is_id ? std::string_view(value) : FederationOf(value);
    if (named.empty()) continue;  // Not a resource name: validation tells where one is needed.
    if (call_.federation.empty()) call_.federation = named;
    if (call_.federation != named) {
      return PermissionDenied(
          common::v1::REASON_WRONG_FEDERATION,
          any ? "The request names two federations; send one request for each"
              : "The token belongs to another federation than the request names; use a token of "
                "that federation",
          any ? "请求涉及两个联合会；请分别发送"
              : "令牌不属于请求所指的联合会；请换用该联合会的令牌");
    }
  }
  return absl::OkStatus();
}

void Invocation::SetDeadline() {
  const Pipeline::Options& options = endpoint_.pipeline.options();
  const absl::Time now = absl::Now();
  const auto asked = context_->deadline();
  call_.deadline = asked == std::chrono::system_clock::time_point::max()
                       ? now + options.default_deadline
                       : std::min(absl::FromChrono(asked), now + options.longest_deadline);
}

void Invocation::Enqueue(std::unique_ptr<Invocation> invocation) {
  PipelineState& state = invocation->endpoint_.pipeline.state();
  WorkerPool& pool = invocation->endpoint_.method.policy.pool() == common::v1::POOL_BULK
                         ? state.bulk
                         : state.interactive;
  Invocation* const raw = invocation.release();
  if (!pool.TrySubmit([raw, &pool] {
        pool.Started();
        Run(std::unique_ptr<Invocation>(raw));
        pool.Ended();
      })) {
    Finish(std::unique_ptr<Invocation>(raw), Overloaded());
  }
}

absl::Status Invocation::LeaveQueue() {
  queue_seconds_ = SecondsSince(started_);
  if (call_.is_cancelled()) {
    return Error(absl::StatusCode::kCancelled, common::v1::REASON_CANCELLED,
                 "The caller gave up before the call was run", "调用方已取消请求");
  }
  if (absl::Now() >= call_.deadline) {
    return DeadlineExceeded(
        "The deadline passed while the call waited; retry, with a longer deadline if it recurs",
        "请求在排队时已超过期限；请重试，若再次发生请放宽期限");
  }
  return CheckPolicyScope();
}

absl::Status Invocation::CheckPolicyScope() const {
  const common::v1::MethodPolicy& policy = endpoint_.method.policy;
  if (policy.permission() == "public" || policy.permission() == "authenticated") {
    return absl::OkStatus();
  }
  std::string organization;
  if (endpoint_.scope_path.has_value()) {
    organization = LeafOf(endpoint_.scope_path->Get(*request_));
  }
  if (organization.empty() && policy.scope_in_operation()) return absl::OkStatus();
  return call_.CheckScope(organization);
}

void Invocation::Run(std::unique_ptr<Invocation> invocation) {
  if (absl::Status status = invocation->LeaveQueue(); !status.ok()) {
    Finish(std::move(invocation), std::move(status));
    return;
  }
  Answer answer = [&] {
    const TraceScope scope(TraceOf(invocation->call_.traceparent));
    return invocation->endpoint_.operation(invocation->call_, *invocation->request_);
  }();
  Finish(std::move(invocation), std::move(answer));
}

void Invocation::Finish(std::unique_ptr<Invocation> invocation, Answer answer) {
  Invocation& self = *invocation;
  grpc::Status sent;
  if (answer.ok()) {
    bool owned = false;
    sent = Codec::Serialize(**answer, self.reply_, &owned);
    if (!sent.ok()) answer = Internal(StrCat("response: ", sent.error_message()));
  }
  const absl::Status status = answer.status();
  const size_t reply_bytes = status.ok() ? self.reply_->Length() : 0;
  if (!status.ok()) {
    sent = ToGrpc(status, self.call_.trace_id());
    const Reason reason = ReasonForCallers(status);
    self.endpoint_.meter.CountError(reason);
    ops::NoteError(self.endpoint_.method.full_name, ReasonName(reason),
                   TraceOf(self.call_.traceparent));
  }

  const double seconds = SecondsSince(self.started_);
  self.endpoint_.meter.Observe(status.code(), seconds);
  self.endpoint_.pipeline.state().CallEnded();
  self.reactor_->Finish(std::move(sent));
  self.Log(status, seconds, reply_bytes);
}

void Invocation::Log(const absl::Status& status, double seconds, size_t reply_bytes) const {
  const std::string trace = call_.trace_id();
  if (absl::IsPermissionDenied(status) && (is_service_ || call_.actor.federation == "*")) {
    ReportSecurityEvent(SecurityEvent::kServiceDenied,
                        {{"method", endpoint_.method.full_name},
                         {"actor", call_.actor.subject},
                         {"federation", call_.federation},
                         {"reason", ReasonName(ReasonForCallers(status))},
                         {"trace", trace}});
  }
  if (IsHidden(status)) {
    log::Error("rpc_failed", {{"method", endpoint_.method.full_name},
                              {"trace", trace},
                              {"message", FromAbsl(status.message())}});
  }
  if (!endpoint_.pipeline.options().log_calls) return;
  const std::string code = absl::StatusCodeToString(status.code());
  const std::string reason = status.ok() ? "" : ReasonName(ReasonForCallers(status));
  log::Info("rpc", {{"method", endpoint_.method.full_name},
                    {"code", code},
                    {"reason", reason},
                    {"ms", seconds * 1e3},
                    {"queue_ms", queue_seconds_ * 1e3},
                    {"trace", trace},
                    {"federation", call_.federation},
                    {"actor", call_.actor.subject},
                    {"request_bytes", static_cast<int64_t>(request_bytes_)},
                    {"response_bytes", static_cast<int64_t>(reply_bytes)}});
}

}  // namespace gonghui::rpc::internal
