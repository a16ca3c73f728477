// A redis-server of the test's own, on a unix socket.
#pragma once

#include <string>

#include "common/testing/process.h"

namespace gonghui::testing {

// Runs from the beginning; its memory dies with each Kill.
class RedisServer {
 public:
  RedisServer();
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  std::string address() const;  // For Cache::Options and Suite::Options.
  void Start();
  void Kill();
  void Freeze();  // Connections stay open and nothing is answered, until Thaw.
  void Thaw();

 private:
  std::string Socket() const;

  std::string folder_;
  Process process_;
};

}  // namespace gonghui::testing
