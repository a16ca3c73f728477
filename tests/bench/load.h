// Closed-loop load on a unary method, and the bare echo server that every RPC figure is compared
// with.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "google/protobuf/message.h"

namespace gonghui::bench {

struct LoadOptions {
  std::string address;
  std::string method;  // "/package.Service/Method"
  std::string token;
  std::function<std::string(int64_t call)> request;  // Serialised request number `call`.
  double seconds = 2;
  int in_flight = 64;
  int channels = 4;
};

// Calls per second. Ends the program when a call fails: a benchmark of errors is no benchmark.
double Run(const LoadOptions& options);

// A gRPC callback server that answers every request with the same message; nothing else.
class EchoServer {
 public:
  explicit EchoServer(const google::protobuf::Message& answer);
  ~EchoServer();
  std::string address() const;
  static constexpr const char* kMethod = "/bench.Echo/Echo";

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gonghui::bench
