#include "common/ops/ops_server.h"

#include <sys/socket.h>

#include <chrono>
#include <thread>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/ops/metrics.h"
#include "httplib.h"

namespace gonghui::ops {
namespace {

constexpr int kWorkers = 4;
constexpr size_t kLargestBody = 64 << 10;  // No path takes a body.
constexpr char kPlainText[] = "text/plain; charset=utf-8";

void Configure(httplib::Server& http) {
  http.new_task_queue = [] { return new httplib::ThreadPool(kWorkers); };
  http.set_tcp_nodelay(true);
  http.set_payload_max_length(kLargestBody);
  http.set_read_timeout(5);
  http.set_write_timeout(5);
  http.set_keep_alive_timeout(2);  // An idle connection holds a worker.
  // Whoever asks can compare clocks.
  http.set_post_routing_handler([](const httplib::Request&, httplib::Response& response) {
    response.set_header("Date", absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", absl::Now(),
                                                 absl::UTCTimeZone()));
  });
  // The library's default would let two processes share the port.
  http.set_socket_options([](socket_t socket) {
    const int on = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  });
}

}  // namespace

struct OpsServer::State {
  Options options;
  httplib::Server http;
  std::thread thread;
  int port = 0;

  void AddPaths() {
    http.Get("/healthz", [](const httplib::Request&, httplib::Response& response) {
      response.set_content("ok\n", kPlainText);
    });
    http.Get("/readyz", [this](const httplib::Request&, httplib::Response& response) {
      const std::string reason = options.not_ready ? options.not_ready() : "";
      response.status = reason.empty() ? 200 : 503;
      response.set_content(reason.empty() ? "ok\n" : reason + "\n", kPlainText);
    });
    http.Get("/metrics", [](const httplib::Request&, httplib::Response& response) {
      response.set_content(ExportMetrics(), "text/plain; version=0.0.4; charset=utf-8");
    });
    http.Get("/statusz", [this](const httplib::Request&, httplib::Response& response) {
      response.set_content(options.status_page ? options.status_page() : "", kPlainText);
    });
  }
};

OpsServer::OpsServer() : state_(std::make_unique<State>()) {}

absl::StatusOr<std::unique_ptr<OpsServer>> OpsServer::Start(Options options) {
  std::unique_ptr<OpsServer> server(new OpsServer);
  State& state = *server->state_;
  state.options = std::move(options);
  Configure(state.http);
  state.AddPaths();
  const std::string& host = state.options.host;
  state.port = state.options.port;
  const bool bound = state.port == 0 ? (state.port = state.http.bind_to_any_port(host)) > 0
                                     : state.http.bind_to_port(host, state.port);
  if (!bound) {
    const std::string address = StrCat(host, ":", state.options.port);
    return Unavailable(common::v1::REASON_UNAVAILABLE,
                       StrCat("The operator's port cannot listen on ", address,
                              ": another process uses it; choose another"),
                       StrCat("运维端口无法监听", address, "：地址已被占用；请更换端口"))
        .With("address", address);
  }
  state.thread = std::thread([&state] { state.http.listen_after_bind(); });
  // stop() does nothing before the loop runs, and would then be waited for in vain.
  while (!state.http.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return server;
}

OpsServer::~OpsServer() {
  state_->http.stop();
  if (state_->thread.joinable()) state_->thread.join();
}

int OpsServer::port() const { return state_->port; }

}  // namespace gonghui::ops
