#include "tests/bench/load.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gonghui/membership/v1/member.pb.h"

namespace gonghui::bench {
namespace {

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

struct Flight {
  std::unique_ptr<grpc::ClientContext> context;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  grpc::ByteBuffer answer;
  grpc::Status status;
  int channel = 0;
};

void Launch(const LoadOptions& options, grpc::GenericStub& stub, grpc::CompletionQueue& queue,
            Flight& flight, int64_t number) {
  flight.context = std::make_unique<grpc::ClientContext>();
  flight.context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  if (!options.token.empty())
    flight.context->AddMetadata("authorization", absl::StrCat("Bearer ", options.token));
  flight.answer.Clear();
  flight.reader = stub.PrepareUnaryCall(flight.context.get(), options.method,
                                        ToBuffer(options.request(number)), &queue);
  flight.reader->StartCall();
  flight.reader->Finish(&flight.answer, &flight.status, &flight);
}

}  // namespace

double Run(const LoadOptions& options) {
  grpc::CompletionQueue queue;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs;
  for (int i = 0; i < options.channels; ++i) {
    grpc::ChannelArguments arguments;
    arguments.SetInt("bench.channel", i);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetMaxReceiveMessageSize(-1);
    stubs.push_back(std::make_unique<grpc::GenericStub>(
        grpc::CreateCustomChannel(options.address, grpc::InsecureChannelCredentials(), arguments)));
  }
  std::vector<Flight> flights(options.in_flight);
  int64_t launched = 0;
  for (int i = 0; i < options.in_flight; ++i) {
    flights[i].channel = i % options.channels;
    Launch(options, *stubs[flights[i].channel], queue, flights[i], launched++);
  }
  // The first fifth warms up and is not counted.
  const absl::Time start = absl::Now();
  const absl::Time counted_from = start + absl::Seconds(options.seconds / 5);
  const absl::Time end = start + absl::Seconds(options.seconds * 1.2);
  int64_t counted = 0;
  int running = options.in_flight;
  void* tag = nullptr;
  bool ok = false;
  while (running > 0 && queue.Next(&tag, &ok)) {
    auto& flight = *static_cast<Flight*>(tag);
    if (!flight.status.ok()) {
      std::fprintf(stderr, "%s failed: %s\n", options.method.c_str(),
                   flight.status.error_message().c_str());
      std::_Exit(1);
    }
    const absl::Time now = absl::Now();
    if (now >= counted_from && now < end) ++counted;
    if (now >= end) {
      --running;
      continue;
    }
    Launch(options, *stubs[flight.channel], queue, flight, launched++);
  }
  return static_cast<double>(counted) / options.seconds;
}

struct EchoServer::State {
  class Echo : public grpc::Service {
   public:
    explicit Echo(membership::v1::Member answer) : answer_(std::move(answer)) {
      using membership::v1::Member;
      AddMethod(new grpc::internal::RpcServiceMethod(kMethod, grpc::internal::RpcMethod::NORMAL_RPC,
                                                     nullptr));
      MarkMethodCallback(
          0, new grpc::internal::CallbackUnaryHandler<Member, Member>(
                 [this](grpc::CallbackServerContext* context, const Member*, Member* answer) {
                   *answer = answer_;
                   auto* reactor = context->DefaultReactor();
                   reactor->Finish(grpc::Status::OK);
                   return reactor;
                 }));
    }

   private:
    const membership::v1::Member answer_;
  };

  explicit State(const membership::v1::Member& answer) : echo(answer) {}
  Echo echo;
  std::unique_ptr<grpc::Server> server;
  int port = 0;
};

EchoServer::EchoServer(const google::protobuf::Message& answer)
    : state_(std::make_unique<State>(static_cast<const membership::v1::Member&>(answer))) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &state_->port);
  builder.RegisterService(&state_->echo);
  state_->server = builder.BuildAndStart();
}

EchoServer::~EchoServer() { state_->server->Shutdown(); }

std::string EchoServer::address() const { return absl::StrCat("127.0.0.1:", state_->port); }

}  // namespace gonghui::bench
