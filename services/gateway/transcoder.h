// One HTTP request into one RPC and back.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/client.h"
#include "services/gateway/route.h"

namespace gonghui::gateway {

struct HttpRequest {
  std::string verb;
  std::string path;  // Decoded, without query.
  std::multimap<std::string, std::string> query;
  std::string body;
  std::string authorization;  // "Bearer …", passed on.
  std::string traceparent;
};

struct HttpResponse {
  int status = 200;
  std::string body;         // JSON.
  std::string traceparent;  // Of the call; its trace is in the log of whoever served it.
};

// Thread-safe.
class Transcoder {
 public:
  // Serves the annotated methods of the gonghui packages linked into the program.
  static absl::StatusOr<Transcoder> Make(
      const std::function<std::string(const std::string& area)>& address,
      const std::shared_ptr<grpc::ChannelCredentials>& credentials);
  HttpResponse Handle(const HttpRequest& request) const;

 private:
  HttpResponse Answer(const HttpRequest& request, const std::string& traceparent) const;

  std::vector<Route> routes_;
  std::map<std::string, std::unique_ptr<rpc::Client>> clients_;  // By area.
};

}  // namespace gonghui::gateway
