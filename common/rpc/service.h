// The request pipeline. A gRPC service is a table from method names to operations:
//
//   rpc::Service service("gonghui.membership.v1.MemberService", pipeline);
//   service.Handle("GetMember", &members, &Members::Get);
//
// where an operation is plain blocking code: absl::StatusOr<Member> Members::Get(Call&, const
// GetMemberRequest&). Each call passes, in this order: clock and trace, authentication, federation,
// permission, deadline, validation by field options, queue or shed, organisation scope, the
// operation, status mapping, metrics, log. Services are built from descriptors (no generated
// service code), so the table is all there is to write.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/rpc/call.h"
#include "gonghui/common/v1/options.pb.h"
#include "google/protobuf/message.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace gonghui::auth {
class TrustedIssuers;
}  // namespace gonghui::auth

namespace gonghui::rpc {

class RateLimits;

// A method with its policy, resolved from the descriptor at start-up.
struct Method {
  std::string full_name;  // gonghui.membership.v1.MemberService.GetMember
  std::string path;       // /gonghui.membership.v1.MemberService/GetMember
  common::v1::MethodPolicy policy;
  const google::protobuf::Descriptor* input = nullptr;
  const google::protobuf::Descriptor* output = nullptr;
};

namespace internal {

struct PipelineState;

using Answer = absl::StatusOr<std::unique_ptr<google::protobuf::Message>>;
using Operation = std::function<Answer(Call&, const google::protobuf::Message&)>;
using Peek = std::function<std::optional<Answer>(Call&, const google::protobuf::Message&)>;

struct BatchItem {
  Call* call;
  const google::protobuf::Message* request;
  Answer answer;
};
using BatchOperation = std::function<void(absl::Span<BatchItem>)>;

// The types of an operation, compared with the descriptor of its method.
struct Signature {
  const google::protobuf::Descriptor* input;
  const google::protobuf::Descriptor* output;
  const google::protobuf::Message* request_prototype;
};

}  // namespace internal

// What all services of a process share. Outlives the server.
class Pipeline {
 public:
  struct Options {
    const Clock* clock = &Clock::System();
    const auth::TrustedIssuers* issuers = nullptr;  // nullptr: no token is accepted.
    RateLimits* limits = nullptr;                   // nullptr: callers are not limited.
    // Names (DNS or URI) of certificates whose holders may show tokens of the role "service".
    // Empty: every holder of such a token may.
    std::vector<std::string> service_names;
    const auth::Roles* roles = &auth::Roles::Builtin();
    const auth::OrganizationScope* scope = nullptr;
    int interactive_workers = 16;
    int bulk_workers = 4;
    int batch_limit = 1000;  // Calls that a batched method takes at once.
    absl::Duration default_deadline = absl::Seconds(10);  // For calls without one.
    absl::Duration longest_deadline = absl::Seconds(120);
    bool log_calls = true;
  };
  explicit Pipeline(Options options);
  ~Pipeline();
  void Stop();  // Lets running operations end and joins the workers.

  const Options& options() const { return options_; }
  internal::PipelineState& state() { return *state_; }  // For the pipeline's own files.

 private:
  const Options options_;
  const std::unique_ptr<internal::PipelineState> state_;
};

// One call of a batched method.
template <typename Request, typename Response>
struct BatchedCall {
  Call* call;
  const Request* request;
  absl::StatusOr<Response> result;  // To be set by the operation.
};

// One gRPC service of a process. Handlers are added before the server starts.
class Service {
 public:
  Service(std::string_view full_name, Pipeline& pipeline);  // CHECK-fails for an unknown service.
  ~Service();

  // Runs the operation on the method's worker pool.
  template <typename Request, typename Response>
  void Handle(std::string_view method,
              std::function<absl::StatusOr<Response>(Call&, const Request&)> operation);
  template <typename Owner, typename Request, typename Response>
  void Handle(std::string_view method, Owner* owner,
              absl::StatusOr<Response> (Owner::*operation)(Call&, const Request&)) {
    Handle<Request, Response>(method, [owner, operation](Call& c, const Request& r) {
      return (owner->*operation)(c, r);
    });
  }

  // As Handle, but `peek` runs first on the network thread and may answer from memory; it must not
  // block. A check of scope counts as blocking where the organisation tree lies in another process.
  template <typename Request, typename Response>
  void HandleWithPeek(
      std::string_view method,
      std::function<std::optional<absl::StatusOr<Response>>(Call&, const Request&)> peek,
      std::function<absl::StatusOr<Response>(Call&, const Request&)> operation);

  // Calls that wait together are handed over together (at most 1000): one transaction for all. A
  // rejected item does not fail the rest. Runs on a thread of its own; there is no lingering.
  template <typename Request, typename Response>
  void HandleBatched(std::string_view method,
                     std::function<void(absl::Span<BatchedCall<Request, Response>>)> operation);

  const std::string& full_name() const { return full_name_; }
  grpc::Service* grpc_service();
  // Methods of the descriptor that have no handler: must be empty when the server starts.
  std::vector<std::string> Missing() const;

 private:
  void Add(std::string_view method, const internal::Signature& signature, internal::Peek peek,
           internal::Operation operation);
  void AddBatched(std::string_view method, const internal::Signature& signature,
                  internal::BatchOperation operation);

  struct State;
  const std::string full_name_;
  std::unique_ptr<State> state_;
};

}  // namespace gonghui::rpc

#include "common/rpc/service_inl.h"  // IWYU pragma: export
