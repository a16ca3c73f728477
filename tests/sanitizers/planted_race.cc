// Proves that ThreadSanitizer, with our wrapped locks and suppressions, still sees: each case but
// the first has a data race on purpose.
//
//   planted_race guarded   no race: every lock the product uses guards a counter
//   planted_race plain     two threads, one counter, no lock
//   planted_race reader    the counter is written under a lock held for reading
//   planted_race handler   gRPC handlers that run at once write one counter
#include <grpcpp/create_channel.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/rpc_method.h>
#include <grpcpp/impl/rpc_service_method.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/byte_buffer.h>

#include <cstdio>
#include <functional>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"

namespace {

constexpr int kThreads = 4;
constexpr int kRounds = 500;
constexpr char kMethod[] = "/planted.Race/Count";

int counter = 0;

void InThreads(const std::function<void()>& work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&work] {
      for (int round = 0; round < kRounds; ++round) work();
    });
  }
  for (std::thread& thread : threads) thread.join();
}

void Plain() {
  InThreads([] { ++counter; });
}

void Reader() {
  absl::Mutex mutex;
  InThreads([&mutex] {
    const absl::ReaderMutexLock lock(&mutex);
    ++counter;
  });
}

// Every thread takes its turns in another way.
void Guarded() {
  absl::Mutex mutex;
  absl::CondVar changed;
  absl::Notification start, done;
  int before_start = 0;  // Guarded by the notifications alone.
  std::vector<std::thread> threads;
  const auto in_thread = [&](const std::function<void()>& work) {
    threads.emplace_back([&start, work] {
      start.WaitForNotification();
      for (int round = 0; round < kRounds; ++round) work();
    });
  };
  in_thread([&] {
    const absl::MutexLock lock(&mutex);
    ++counter;
    changed.SignalAll();
  });
  in_thread([&] {
    const absl::ReaderMutexLock lock(&mutex);
    if (counter < before_start - 1) std::puts("counted down");
  });
  in_thread([&] {
    if (!mutex.TryLock()) return;
    ++counter;
    mutex.Unlock();
  });
  in_thread([&] {
    const absl::MutexLock lock(&mutex);
    const auto even = [] { return counter % 2 == 0; };
    mutex.AwaitWithTimeout(absl::Condition(&even), absl::Milliseconds(1));
    ++counter;
  });
  in_thread([&] {
    const absl::MutexLock lock(&mutex);
    const auto started = [] { return counter > 0; };
    mutex.Await(absl::Condition(&started));
    mutex.AwaitWithDeadline(absl::Condition(&started), absl::Now() + absl::Seconds(1));
    ++counter;
  });
  in_thread([&] {
    const absl::MutexLock lock(&mutex);
    changed.WaitWithTimeout(&mutex, absl::Microseconds(100));
    changed.WaitWithDeadline(&mutex, absl::Now() + absl::Microseconds(100));
    ++counter;
  });
  before_start = 1;
  start.Notify();
  for (std::thread& thread : threads) thread.join();
  std::thread last([&] {
    ++before_start;
    done.Notify();
  });
  while (!done.WaitForNotificationWithTimeout(absl::Milliseconds(100))) {
  }
  ++before_start;
  last.join();
}

// As the product's own services: one handler type for every method, bytes in and out.
class RaceService : public grpc::Service {
 public:
  RaceService() {
    AddMethod(new grpc::internal::RpcServiceMethod(kMethod, grpc::internal::RpcMethod::NORMAL_RPC,
                                                   nullptr));
    MarkMethodRawCallback(
        0, new grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>(
               [](grpc::CallbackServerContext* context, const grpc::ByteBuffer*,
                  grpc::ByteBuffer* reply) {
                 ++counter;
                 *reply = grpc::ByteBuffer(nullptr, 0);
                 auto* reactor = context->DefaultReactor();
                 reactor->Finish(grpc::Status::OK);
                 return reactor;
               }));
  }
};

void Handler() {
  RaceService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  const auto channel =
      grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials());
  const grpc::internal::RpcMethod method(kMethod, grpc::internal::RpcMethod::NORMAL_RPC);
  InThreads([&] {
    grpc::ClientContext context;
    const grpc::ByteBuffer request(nullptr, 0);
    grpc::ByteBuffer reply;
    const grpc::Status status =
        grpc::internal::BlockingUnaryCall(channel.get(), method, &context, request, &reply);
    if (!status.ok()) std::puts(status.error_message().c_str());
  });
  server->Shutdown();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view which = argc == 2 ? argv[1] : "";
  if (which == "guarded") {
    Guarded();
  } else if (which == "plain") {
    Plain();
  } else if (which == "reader") {
    Reader();
  } else if (which == "handler") {
    Handler();
  } else {
    std::fputs("planted_race: one of guarded, plain, reader, handler\n", stderr);
    return 2;
  }
  std::printf("%s: counted %d\n", argv[1], counter);
  return 0;
}
