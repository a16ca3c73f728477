// Calls to other services: deadline, retry, trace and token in one place. The only maker of
// grpc::ClientContext.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "google/protobuf/message.h"

namespace grpc {
class Channel;
class ChannelCredentials;
}  // namespace grpc

namespace gonghui::rpc {

// Metadata of calls by a client that forwards.
inline constexpr char kForwardedKey[] = "gonghui-forwarded";

// A peer. Thread-safe. Holds up to four channels, used in turn. UNAVAILABLE is retried up to three
// times with back-off for reads and for writes that carry a request_id.
class Client {
 public:
  struct Options {
    std::string address;                 // "127.0.0.1:8081", "unix:/path" or "dns:///name:port".
    std::function<std::string()> token;  // Bearer token per call; may be empty.
    absl::Duration timeout = absl::Seconds(10);
    int channels = 4;
    std::shared_ptr<grpc::ChannelCredentials> credentials;  // Of TCP; nullptr: plaintext.
    // The tokens are those of callers from outside, who are not to gain by this process's
    // certificate.
    bool forwards = false;
  };
  explicit Client(Options options);
  ~Client();

  // `method` is the path "/package.Service/Method". Errors come back as absl::Status with what
  // ErrorInfo, BadRequest and LocalizedMessage of the answer said (ReasonOf, FieldOf, MessageZhOf
  // work on them).
  template <typename Response, typename Request>
  absl::StatusOr<Response> Invoke(std::string_view method, const Request& request,
                                  const Call* parent = nullptr) const {
    Response response;
    if (absl::Status status = InvokeMessage(method, request, response, parent); !status.ok())
      return status;
    return response;
  }
  // As Invoke, but with the caller's token instead of this process's own: the peer grants what it
  // grants the caller.
  template <typename Response, typename Request>
  absl::StatusOr<Response> InvokeFor(const Call& caller, std::string_view method,
                                     const Request& request) const {
    Response response;
    if (absl::Status status = Send(method, request, response, &caller, caller.token);
        !status.ok()) {
      return status;
    }
    return response;
  }
  absl::Status InvokeMessage(std::string_view method, const google::protobuf::Message& request,
                             google::protobuf::Message& response, const Call* parent) const;

 private:
  absl::Status Send(std::string_view method, const google::protobuf::Message& request,
                    google::protobuf::Message& response, const Call* parent,
                    const std::string& token) const;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gonghui::rpc
