// HTTP/JSON in front of the gRPC services: routes, JSON and error bodies all come from the
// descriptors, so a new RPC needs no change here. Behaves as Envoy's grpc_json_transcoder:
// google.rpc.Status as error body, lowerCamel names, int64 as strings.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/rpc/client.h"
#include "common/rpc/tls.h"

namespace gonghui::gateway {

class Gateway {
 public:
  struct Options {
    std::string host = "127.0.0.1";
    int port = 0;  // 0 picks one.
    // Address of a service area ("membership").
    std::function<std::string(const std::string& area)> address;
    std::shared_ptr<grpc::ChannelCredentials> credentials;  // For addresses on other machines.
    rpc::TlsFiles tls;  // With a certificate in it the port speaks HTTPS only.
  };
  static absl::StatusOr<std::unique_ptr<Gateway>> Start(const Options& options);
  ~Gateway();
  int port() const;

 private:
  Gateway();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gonghui::gateway
