// Templates of service.h: each only turns a typed operation into an untyped one. Included by
// service.h alone.
#pragma once

#include <utility>

namespace gonghui::rpc {

namespace internal {

template <typename Response>
Answer ToAnswer(absl::StatusOr<Response> result) {
  if (!result.ok()) return std::move(result).status();
  return std::make_unique<Response>(*std::move(result));
}

template <typename Request, typename Response>
Signature SignatureOf() {
  return {Request::descriptor(), Response::descriptor(), &Request::default_instance()};
}

}  // namespace internal

template <typename Request, typename Response>
void Service::Handle(std::string_view method,
                     std::function<absl::StatusOr<Response>(Call&, const Request&)> operation) {
  Add(method, internal::SignatureOf<Request, Response>(), nullptr,
      [operation = std::move(operation)](Call& call, const google::protobuf::Message& request) {
        return internal::ToAnswer(operation(call, static_cast<const Request&>(request)));
      });
}

template <typename Request, typename Response>
void Service::HandleWithPeek(
    std::string_view method,
    std::function<std::optional<absl::StatusOr<Response>>(Call&, const Request&)> peek,
    std::function<absl::StatusOr<Response>(Call&, const Request&)> operation) {
  Add(
      method, internal::SignatureOf<Request, Response>(),
      [peek = std::move(peek)](
          Call& call, const google::protobuf::Message& request) -> std::optional<internal::Answer> {
        auto result = peek(call, static_cast<const Request&>(request));
        if (!result.has_value()) return std::nullopt;
        return internal::ToAnswer(*std::move(result));
      },
      [operation = std::move(operation)](Call& call, const google::protobuf::Message& request) {
        return internal::ToAnswer(operation(call, static_cast<const Request&>(request)));
      });
}

template <typename Request, typename Response>
void Service::HandleBatched(
    std::string_view method,
    std::function<void(absl::Span<BatchedCall<Request, Response>>)> operation) {
  AddBatched(method, internal::SignatureOf<Request, Response>(),
             [operation = std::move(operation)](absl::Span<internal::BatchItem> items) {
               std::vector<BatchedCall<Request, Response>> calls;
               calls.reserve(items.size());
               for (const internal::BatchItem& item : items) {
                 calls.push_back({item.call, static_cast<const Request*>(item.request),
                                  absl::InternalError("the batch left a call unanswered")});
               }
               operation(absl::MakeSpan(calls));
               for (size_t i = 0; i < items.size(); ++i) {
                 items[i].answer = internal::ToAnswer(std::move(calls[i].result));
               }
             });
}

}  // namespace gonghui::rpc
