#include "common/ops/dial.h"

#include <httplib.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string_view>

#include "absl/time/clock.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::ops {
namespace {

constexpr absl::Duration kProbeLimit = absl::Seconds(4);
// The preface of HTTP/2 and an empty SETTINGS frame.
constexpr std::string_view kHello("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);

absl::Status NoAnswer(const std::string& target, std::string_view what) {
  return Unavailable(common::v1::REASON_UNAVAILABLE, StrCat(target, " ", what),
                     StrCat(target, " 没有应答"));
}

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

bool Await(int fd, int16_t event, absl::Time deadline) {
  pollfd waiting{.fd = fd, .events = event, .revents = 0};
  const int64_t left = absl::ToInt64Milliseconds(deadline - absl::Now());
  return left > 0 && poll(&waiting, 1, static_cast<int>(left)) == 1;
}

absl::Status Dial(const addrinfo& info, const std::string& address, absl::Time deadline) {
  const Socket socket(::socket(info.ai_family, info.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.fd() < 0) return NoAnswer(address, "is not dialled: no descriptor is left");
  if (connect(socket.fd(), info.ai_addr, info.ai_addrlen) != 0 && errno != EINPROGRESS) {
    return NoAnswer(address, "refuses connections");
  }
  if (!Await(socket.fd(), POLLOUT, deadline)) return NoAnswer(address, "does not connect");
  if (send(socket.fd(), kHello.data(), kHello.size(), MSG_NOSIGNAL) < 0) {
    return NoAnswer(address, "refuses connections");
  }
  if (!Await(socket.fd(), POLLIN, deadline)) return NoAnswer(address, "connects, but is silent");
  return absl::OkStatus();
}

}  // namespace

absl::Status DialServer(const std::string& address, absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return NoAnswer(address, "is not HOST:PORT");
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), address.c_str() + colon + 1, &hints, &found) != 0) {
    return NoAnswer(address, "is no known address");
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> infos(found, freeaddrinfo);
  absl::Status status;
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    status = Dial(*info, address, deadline);
    if (status.ok()) break;
  }
  return status;
}

absl::Status Probe(const std::string& target) {
  constexpr std::string_view kHttp = "http://";
  if (!target.starts_with(kHttp)) return DialServer(target, kProbeLimit);
  const size_t slash = target.find('/', kHttp.size());
  httplib::Client http(target.substr(0, slash));
  http.set_connection_timeout(absl::ToChronoSeconds(kProbeLimit));
  http.set_read_timeout(absl::ToChronoSeconds(kProbeLimit));
  const auto answer = http.Get(slash == std::string::npos ? "/" : target.substr(slash));
  if (!answer) return NoAnswer(target, "does not answer");
  if (answer->status == 200) return absl::OkStatus();
  return NoAnswer(target, StrCat("answers ", answer->status, ": ", Strip(answer->body)));
}

std::string LocalAddress(const std::string& listen, int port) {
  if (listen.starts_with("unix")) return "";
  const std::string host = listen.substr(0, listen.rfind(':'));
  const bool any = host.empty() || host == "0.0.0.0" || host == "[::]";
  return StrCat(any ? "127.0.0.1" : host, ":", port);
}

}  // namespace gonghui::ops
