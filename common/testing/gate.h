// A way to a server that a test can block.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <thread>

namespace gonghui::testing {

// Forwards TCP connections from a free port on loopback to a unix socket.
class Gate {
 public:
  explicit Gate(std::string socket);
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  std::string address() const;  // "127.0.0.1:PORT".
  void Open() { state_ = State::kOpen; }
  // Connections stay and new ones are taken, but nothing passes until Open. What was sent meanwhile
  // arrives late.
  void Hang() { state_ = State::kHung; }
  // Connections end, new ones too, until Open.
  void Cut() { state_ = State::kCut; }

 private:
  enum class State { kOpen, kHung, kCut };

  void Run();
  void Accept();
  void Forward(int from);
  void Close(int end);

  const std::string socket_;
  int listener_ = -1;
  int port_ = 0;
  std::map<int, int> peers_;  // Each end of a connection and its other end; of the thread.
  std::atomic<State> state_{State::kOpen};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace gonghui::testing
