#include "common/rpc/service.h"

#include <utility>

#include "common/rpc/batch_queue.h"
#include "common/rpc/invocation.h"
#include "common/rpc/pipeline_state.h"
#include "grpcpp/impl/codegen/server_callback_handlers.h"
#include "grpcpp/impl/rpc_service_method.h"
#include "grpcpp/impl/service_type.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"

namespace gonghui::rpc {
namespace {

using google::protobuf::ServiceDescriptor;
using internal::Endpoint;

// Requests and replies pass through gRPC as bytes: the pipeline parses them itself, so that one
// handler type serves every method and a request that does not parse gets a proper error.
using RawHandler = grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>;

}  // namespace

struct Service::State : grpc::Service {
  State(const ServiceDescriptor* descriptor, Pipeline& pipeline) {
    for (int i = 0; i < descriptor->method_count(); ++i) {
      endpoints.push_back(std::make_unique<Endpoint>(descriptor->method(i), pipeline));
      AddMethod(new grpc::internal::RpcServiceMethod(
          endpoints.back()->method.path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
    }
  }

  // The endpoint of a method that has no handler yet; from now on it has.
  Endpoint& Claim(std::string_view method, const internal::Signature& signature) {
    for (size_t i = 0; i < endpoints.size(); ++i) {
      Endpoint& endpoint = *endpoints[i];
      if (endpoint.method.path.substr(endpoint.method.path.rfind('/') + 1) != method) continue;
      GOOGLE_CHECK(endpoint.request_prototype == nullptr)
          << endpoint.method.full_name << " has two handlers";
      GOOGLE_CHECK(endpoint.method.input == signature.input &&
                   endpoint.method.output == signature.output)
          << endpoint.method.full_name << " takes " << endpoint.method.input->full_name()
          << " and gives " << endpoint.method.output->full_name();
      endpoint.request_prototype = signature.request_prototype;
      MarkMethodRawCallback(
          static_cast<int>(i),
          new RawHandler([&endpoint](grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request, grpc::ByteBuffer* reply) {
            return internal::Invocation::Start(endpoint, context, *request, reply);
          }));
      return endpoint;
    }
    GOOGLE_LOG(FATAL) << "no method " << method << " in " << endpoints.front()->method.path;
    __builtin_unreachable();
  }

  std::vector<std::unique_ptr<Endpoint>> endpoints;  // In the descriptor's order.
};

Service::Service(std::string_view full_name, Pipeline& pipeline) : full_name_(full_name) {
  const ServiceDescriptor* descriptor =
      google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(full_name_);
  GOOGLE_CHECK(descriptor != nullptr) << "no service " << full_name << " in the linked protos";
  state_ = std::make_unique<State>(descriptor, pipeline);
}

Service::~Service() = default;

void Service::Add(std::string_view method, const internal::Signature& signature,
                  internal::Peek peek, internal::Operation operation) {
  Endpoint& endpoint = state_->Claim(method, signature);
  endpoint.peek = std::move(peek);
  endpoint.operation = std::move(operation);
}

void Service::AddBatched(std::string_view method, const internal::Signature& signature,
                         internal::BatchOperation operation) {
  Endpoint& endpoint = state_->Claim(method, signature);
  endpoint.batch = std::make_unique<internal::BatchQueue>(
      std::move(operation), static_cast<size_t>(endpoint.pipeline.options().batch_limit),
      endpoint.pipeline.state());
}

grpc::Service* Service::grpc_service() { return state_.get(); }

std::vector<std::string> Service::Missing() const {
  std::vector<std::string> missing;
  for (const auto& endpoint : state_->endpoints) {
    if (endpoint->request_prototype == nullptr) missing.push_back(endpoint->method.full_name);
  }
  return missing;
}

}  // namespace gonghui::rpc
