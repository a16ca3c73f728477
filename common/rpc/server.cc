#include "common/rpc/server.h"

#include <csignal>

#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "google/protobuf/stubs/logging.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"

namespace gonghui::rpc {
namespace {

constexpr int kMaxSendBytes = 64 << 20;

void SetChannelArguments(grpc::ServerBuilder& builder, int max_receive_bytes) {
  builder.SetMaxReceiveMessageSize(max_receive_bytes);
  builder.SetMaxSendMessageSize(kMaxSendBytes);
  // Two servers on one port would share its calls at random.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 200);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 8 << 10);
  // Clients come back after a while and find new replicas.
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, 5 * 60'000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, 30'000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, 10 * 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 30'000);
}

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

struct Server::State {
  std::unique_ptr<grpc::Server> server;
  std::vector<std::string> service_names;
  int port = 0;
};

Server::Server() : state_(std::make_unique<State>()) {}

Server::~Server() {
  // Without a deadline a call that never ends would hold the process for ever.
  if (state_->server != nullptr) Drain(absl::ZeroDuration(), absl::Seconds(5));
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(Options options,
                                                      const std::vector<Service*>& services) {
  grpc::EnableDefaultHealthCheckService(true);
  if (options.reflection) grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  SetChannelArguments(builder, options.max_receive_bytes);
  std::vector<int> ports(options.listen.size(), 0);
  for (size_t i = 0; i < options.listen.size(); ++i) {
    // The file's permissions guard a socket on this machine.
    const bool is_local = options.listen[i].starts_with("unix");
    builder.AddListeningPort(options.listen[i],
                             is_local || options.credentials == nullptr
                                 ? grpc::InsecureServerCredentials()
                                 : options.credentials,
                             &ports[i]);
  }
  auto result = std::unique_ptr<Server>(new Server);
  for (Service* service : services) {
    GOOGLE_CHECK(service->Missing().empty())
        << "methods without handler: " << absl::StrJoin(service->Missing(), ", ");
    builder.RegisterService(service->grpc_service());
    result->state_->service_names.push_back(service->full_name());
  }
  result->state_->server = builder.BuildAndStart();
  if (result->state_->server == nullptr) {
    std::string failed = "?";
    for (size_t i = ports.size(); i-- > 0;) {
      if (ports[i] == 0) failed = options.listen[i];
    }
    return Unavailable(common::v1::REASON_UNAVAILABLE,
                       StrCat("Cannot listen on ", failed,
                              ": another process uses the address, or it is no address of "
                              "this machine; choose another"),
                       StrCat("无法监听", failed, "：地址已被占用或不属于本机；请更换地址"))
        .With("address", failed);
  }
  for (size_t i = 0; i < ports.size() && result->state_->port == 0; ++i) {
    if (!options.listen[i].starts_with("unix:")) result->state_->port = ports[i];
  }
  result->SetServing(true);
  return result;
}

int Server::port() const { return state_->port; }

void Server::SetServing(bool serving) {
  grpc::HealthCheckServiceInterface* health = state_->server->GetHealthCheckService();
  health->SetServingStatus(serving);
  for (const std::string& name : state_->service_names) health->SetServingStatus(name, serving);
}

void Server::Drain(absl::Duration linger, absl::Duration limit) {
  SetServing(false);
  absl::SleepFor(linger);
  state_->server->GetHealthCheckService()->Shutdown();
  state_->server->Shutdown(absl::ToChronoTime(absl::Now() + limit));
  state_->server->Wait();
  state_->server.reset();
}

void BlockSignals() {
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

void WaitForSignal() {
  const sigset_t signals = StopSignals();
  int received = 0;
  while (sigwait(&signals, &received) != 0) {
  }
  // From now on this thread takes the default action: the process ends.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

}  // namespace gonghui::rpc
