// The gRPC server of a process: listening, health, reflection, drain.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/rpc/service.h"

namespace grpc {
class Channel;
class Server;
class ServerCredentials;
}  // namespace grpc

namespace gonghui::rpc {

class Server {
 public:
  struct Options {
    std::vector<std::string> listen;  // "127.0.0.1:8081", "unix:/path"; port 0 picks one.
    std::shared_ptr<grpc::ServerCredentials> credentials;  // Of TCP addresses; nullptr: plaintext.
    bool reflection = false;
    int max_receive_bytes = 8 << 20;
  };
  // CHECK-fails when a service has methods without handlers.
  static absl::StatusOr<std::unique_ptr<Server>> Start(Options options,
                                                       const std::vector<Service*>& services);
  ~Server();

  int port() const;               // Of the first TCP address.
  void SetServing(bool serving);  // gRPC health of every service.
  // Health off, waits `linger`, then refuses new calls and lets running ones end until `limit`.
  void Drain(absl::Duration linger, absl::Duration limit);

 private:
  Server();
  struct State;
  std::unique_ptr<State> state_;
};

// Blocks SIGINT and SIGTERM in this thread and those started later; call first in main().
void BlockSignals();
// Waits for SIGINT or SIGTERM. A second one ends the process at once.
void WaitForSignal();

}  // namespace gonghui::rpc
