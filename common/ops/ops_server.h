// The operator's HTTP port: /healthz /readyz /metrics /statusz.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace gonghui::ops {

class OpsServer {
 public:
  struct Options {
    std::string host = "127.0.0.1";
    int port = 0;                              // 0 picks one.
    std::function<std::string()> not_ready;    // Empty text: ready; else the reason.
    std::function<std::string()> status_page;  // Plain text of /statusz.
  };
  static absl::StatusOr<std::unique_ptr<OpsServer>> Start(Options options);
  ~OpsServer();
  int port() const;

 private:
  OpsServer();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gonghui::ops
