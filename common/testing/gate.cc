#include "common/testing/gate.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "common/base/text.h"

namespace gonghui::testing {
namespace {

constexpr int kTickMs = 5;  // How soon a change of state is seen.

}  // namespace

Gate::Gate(std::string socket) : socket_(std::move(socket)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(own);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&own), size) != 0 || listen(listener_, 64) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&own), &size) != 0) {
    abort();
  }
  port_ = ntohs(own.sin_port);
  thread_ = std::thread([this] { Run(); });
}

Gate::~Gate() {
  stop_ = true;
  thread_.join();
  while (!peers_.empty()) Close(peers_.begin()->first);
  close(listener_);
}

std::string Gate::address() const { return StrCat("127.0.0.1:", port_); }

void Gate::Run() {
  while (!stop_) {
    const State state = state_;
    if (state == State::kCut) {
      while (!peers_.empty()) Close(peers_.begin()->first);
    }
    std::vector<pollfd> waiting;
    if (state != State::kHung) {
      waiting.push_back({.fd = listener_, .events = POLLIN, .revents = 0});
      for (const auto& [end, other] : peers_) {
        waiting.push_back({.fd = end, .events = POLLIN, .revents = 0});
      }
    }
    poll(waiting.data(), waiting.size(), kTickMs);
    // Hung meanwhile: what came last must not pass either.
    if (state_ != state) continue;
    for (const pollfd& ready : waiting) {
      if (ready.revents == 0) continue;
      if (ready.fd == listener_) {
        Accept();
      } else {
        Forward(ready.fd);
      }
    }
  }
}

void Gate::Accept() {
  const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  const int server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un there{};
  there.sun_family = AF_UNIX;
  std::strncpy(there.sun_path, socket_.c_str(), sizeof(there.sun_path) - 1);
  if (state_ == State::kCut ||
      connect(server, reinterpret_cast<sockaddr*>(&there), sizeof(there)) != 0) {
    close(client);
    close(server);
    return;
  }
  peers_[client] = server;
  peers_[server] = client;
}

void Gate::Forward(int from) {
  const auto peer = peers_.find(from);
  if (peer == peers_.end()) return;  // Closed a moment ago.
  char bytes[16384];
  const ssize_t got = read(from, bytes, sizeof(bytes));
  for (ssize_t sent = 0; sent < got;) {
    const ssize_t n = send(peer->second, bytes + sent, got - sent, MSG_NOSIGNAL);
    if (n <= 0) return Close(from);
    sent += n;
  }
  if (got <= 0) Close(from);
}

void Gate::Close(int end) {
  const int other = peers_[end];
  close(end);
  close(other);
  peers_.erase(end);
  peers_.erase(other);
}

}  // namespace gonghui::testing
