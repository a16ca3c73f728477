#include "common/rpc/client.h"

#include <atomic>
#include <chrono>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/field_path.h"
#include "common/rpc/status_map.h"
#include "common/rpc/traceparent.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/impl/client_unary_call.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/impl/rpc_method.h"
#include "grpcpp/security/credentials.h"

namespace gonghui::rpc {
namespace {

using google::protobuf::MessageLite;

constexpr int kMaxMessageBytes = 64 << 20;
constexpr int kTries = 3;
constexpr absl::Duration kFirstBackoff = absl::Milliseconds(50);
constexpr absl::Duration kLongestBackoff = absl::Seconds(1);
constexpr absl::Duration kLongestRateWait = absl::Seconds(2);
// What a call made on behalf of another leaves that one to give its own answer in time.
constexpr absl::Duration kParentMargin = absl::Milliseconds(50);

std::shared_ptr<grpc::Channel> OpenChannel(const Client::Options& options, int index) {
  grpc::ChannelArguments args;
  args.SetInt("gonghui.channel", index);  // Channels with equal arguments share one connection.
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  args.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 0);
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);  // How long one attempt may take.
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  args.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // Retries are ours: they know which calls may repeat.
  args.SetLoadBalancingPolicyName("round_robin");
  args.SetMaxReceiveMessageSize(kMaxMessageBytes);
  args.SetMaxSendMessageSize(kMaxMessageBytes);
  const bool is_local = options.address.starts_with("unix");
  return grpc::CreateCustomChannel(options.address,
                                   options.credentials == nullptr || is_local
                                       ? grpc::InsecureChannelCredentials()
                                       : options.credentials,
                                   args);
}

// Reads may be repeated, and writes whose request_id makes the repetition harmless.
bool IsRepeatable(std::string_view method, const google::protobuf::Message& request) {
  const std::string_view name = method.substr(method.rfind('/') + 1);
  for (const char* read : {"Get", "List", "Query", "Explain"}) {
    if (name.starts_with(read)) return true;
  }
  const auto key = FieldPath::Resolve(request.GetDescriptor(), "request_id");
  return key.has_value() && !key->Get(request).empty();
}

// Half to all of the doubled first delay, so that callers do not come back together.
absl::Duration Backoff(int failed_tries) {
  thread_local std::minstd_rand generator{std::random_device{}()};
  const absl::Duration whole = std::min(kFirstBackoff * (1 << failed_tries), kLongestBackoff);
  return whole * std::uniform_real_distribution<double>(0.5, 1.0)(generator);
}

// How long to wait before the next try; nullopt: the answer stands.
std::optional<absl::Duration> PauseAfter(const absl::Status& status, std::string_view method,
                                         const google::protobuf::Message& request,
                                         int failed_tries) {
  if (failed_tries == kTries) return std::nullopt;
  if (absl::IsUnavailable(status) && IsRepeatable(method, request)) {
    return Backoff(failed_tries - 1);
  }
  // A call that was one too many was not run: any may be repeated.
  if (ReasonOf(status) != common::v1::REASON_RATE_LIMITED) return std::nullopt;
  for (const auto& [key, value] : MetadataOf(status)) {
    int64_t milliseconds = 0;
    if (key == "retry_ms" && absl::SimpleAtoi(value, &milliseconds) &&
        absl::Milliseconds(milliseconds) <= kLongestRateWait) {
      return absl::Milliseconds(milliseconds);
    }
  }
  return std::nullopt;
}

}  // namespace

struct Client::State {
  Options options;
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  std::atomic<size_t> next = 0;

  absl::Status InvokeOnce(const std::string& method, const google::protobuf::Message& request,
                          google::protobuf::Message& response, absl::Time deadline,
                          const std::string& traceparent, const std::string& token) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(deadline));
    context.AddMetadata("traceparent", traceparent);
    if (options.forwards) context.AddMetadata(kForwardedKey, "1");
    if (!token.empty()) context.AddMetadata("authorization", StrCat("Bearer ", token));
    const grpc::internal::RpcMethod rpc(method.c_str(), grpc::internal::RpcMethod::NORMAL_RPC);
    const std::shared_ptr<grpc::Channel>& channel = channels[next++ % channels.size()];
    return FromGrpc(
        grpc::internal::BlockingUnaryCall<google::protobuf::Message, google::protobuf::Message,
                                          MessageLite, MessageLite>(channel.get(), rpc, &context,
                                                                    request, &response));
  }
};

Client::Client(Options options) : state_(std::make_unique<State>()) {
  for (int i = 0; i < options.channels; ++i) {
    state_->channels.push_back(OpenChannel(options, i));
  }
  state_->options = std::move(options);
}

Client::~Client() = default;

absl::Status Client::InvokeMessage(std::string_view method,
                                   const google::protobuf::Message& request,
                                   google::protobuf::Message& response, const Call* parent) const {
  return Send(method, request, response, parent,
              state_->options.token ? state_->options.token() : "");
}

absl::Status Client::Send(std::string_view method, const google::protobuf::Message& request,
                          google::protobuf::Message& response, const Call* parent,
                          const std::string& token) const {
  absl::Time deadline = absl::Now() + state_->options.timeout;
  if (parent != nullptr) deadline = std::min(deadline, parent->deadline - kParentMargin);
  const std::string traceparent = ContinueTrace(parent == nullptr ? "" : parent->traceparent);
  const std::string path(method);
  for (int tries = 1;; ++tries) {
    absl::Status status = state_->InvokeOnce(path, request, response, deadline, traceparent, token);
    if (status.ok()) return status;
    const std::optional<absl::Duration> pause = PauseAfter(status, method, request, tries);
    // Callers from outside wait by themselves: here they would hold a thread.
    if (!pause.has_value() || (state_->options.forwards && !absl::IsUnavailable(status)) ||
        absl::Now() + *pause >= deadline) {
      return status;
    }
    absl::SleepFor(*pause);
  }
}

}  // namespace gonghui::rpc
