// One call on its way through the pipeline. Private to the pipeline.
#pragma once

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/base/status.h"
#include "common/ops/metrics.h"
#include "common/rpc/field_path.h"
#include "common/rpc/service.h"
#include "google/protobuf/arena.h"
#include "grpcpp/support/byte_buffer.h"

namespace grpc {
class CallbackServerContext;
class ServerUnaryReactor;
}  // namespace grpc

namespace gonghui::rpc::internal {

class BatchQueue;

// What is counted of one method: gonghui_rpc_seconds, one histogram per status code, and
// gonghui_rpc_errors_total, one counter per reason, each made when first needed.
class CallMeter {
 public:
  CallMeter(std::string service, std::string method)
      : service_(std::move(service)), method_(std::move(method)) {}
  void Observe(absl::StatusCode code, double seconds);
  void CountError(Reason reason);

 private:
  struct Slot {
    std::once_flag made;
    std::optional<ops::Histogram> histogram;
  };
  const std::string service_;
  const std::string method_;
  std::array<Slot, 17> slots_;  // One for each canonical code.
  absl::Mutex mutex_;
  std::map<Reason, ops::Counter> errors_ ABSL_GUARDED_BY(mutex_);
};

// Where a request names its federation.
struct FederationPath {
  FieldPath path;
  bool bare_id;  // The field may hold the id alone.
};

// A method with what serves it.
struct Endpoint {
  Endpoint(const google::protobuf::MethodDescriptor* method, Pipeline& pipeline);
  ~Endpoint();

  Method method;
  Pipeline& pipeline;
  std::vector<FederationPath> federation_paths;
  std::optional<FieldPath> scope_path;
  CallMeter meter;
  const google::protobuf::Message* request_prototype = nullptr;  // nullptr: no handler yet.
  Peek peek;                                                     // Either may be empty.
  Operation operation;
  std::unique_ptr<BatchQueue> batch;
};

// The one answer to every token that is refused.
absl::Status TokenRefused();
// The error for a call that no queue has room for.
absl::Status Overloaded();

// Made on the network thread, handed from queue to worker, gone with its answer.
class Invocation {
 public:
  // Takes the call up to its queue, or to its answer where that needs no worker.
  static grpc::ServerUnaryReactor* Start(Endpoint& endpoint, grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer& request, grpc::ByteBuffer* reply);
  // Answers the call.
  static void Finish(std::unique_ptr<Invocation> invocation, Answer answer);

  // First thing after the queue: an error for a call that nobody waits for any more or whose
  // organisation is out of the caller's scope.
  absl::Status LeaveQueue();
  Call& call() { return call_; }
  const google::protobuf::Message& request() const { return *request_; }

 private:
  Invocation(Endpoint& endpoint, grpc::CallbackServerContext* context, grpc::ByteBuffer* reply);

  static void Enqueue(std::unique_ptr<Invocation> invocation);
  static void Run(std::unique_ptr<Invocation> invocation);
  absl::Status Admit(const grpc::ByteBuffer& request);
  absl::Status Authenticate();
  absl::Status RefuseToken(std::string_view why) const;
  absl::Status CheckServiceCertificate() const;
  absl::Status CheckRate(absl::Status admitted) const;
  absl::Status ResolveFederation();
  absl::Status CheckPolicyScope() const;
  void SetDeadline();
  void Log(const absl::Status& status, double seconds, size_t reply_bytes) const;

  using Instant = std::chrono::steady_clock::time_point;

  Endpoint& endpoint_;
  grpc::CallbackServerContext* const context_;  // Gone once the reactor has finished.
  grpc::ByteBuffer* const reply_;               // The same.
  grpc::ServerUnaryReactor* const reactor_;
  const Instant started_ = std::chrono::steady_clock::now();
  double queue_seconds_ = 0;
  google::protobuf::Arena arena_;
  google::protobuf::Message* request_ = nullptr;  // On the arena.
  size_t request_bytes_ = 0;
  bool is_service_ = false;  // A service of the platform calls, not a user.
  Call call_;
};

}  // namespace gonghui::rpc::internal
