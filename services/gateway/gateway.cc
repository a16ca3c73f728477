#include "services/gateway/gateway.h"

#include <httplib.h>

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "services/gateway/transcoder.h"

namespace gonghui::gateway {
namespace {

constexpr int kThreads = 64;  // A keep-alive connection holds one.
constexpr size_t kPayloadLimit = 4 << 20;
constexpr int kTimeoutSeconds = 5;

void Serve(const Transcoder& transcoder, const httplib::Request& http, httplib::Response& answer) {
  HttpRequest request;
  request.verb = http.method;
  request.path = http.path;
  request.body = http.body;
  request.authorization = http.get_header_value("Authorization");
  request.traceparent = http.get_header_value("traceparent");
  for (const auto& [key, value] : http.params) request.query.emplace(key, value);
  HttpResponse response = transcoder.Handle(request);
  answer.status = response.status;
  answer.set_content(std::move(response.body), "application/json; charset=utf-8");
}

}  // namespace

struct Gateway::State {
  explicit State(Transcoder t) : transcoder(std::move(t)) {}
  Transcoder transcoder;
  httplib::Server server;
  std::thread thread;
  int port = 0;
};

Gateway::Gateway() = default;

Gateway::~Gateway() {
  if (state_ == nullptr) return;
  state_->server.stop();
  if (state_->thread.joinable()) state_->thread.join();
}

int Gateway::port() const { return state_->port; }

absl::StatusOr<std::unique_ptr<Gateway>> Gateway::Start(const Options& options) {
  ASSIGN_OR_RETURN(Transcoder transcoder, Transcoder::Make(options.address));
  std::unique_ptr<Gateway> gateway(new Gateway());
  gateway->state_ = std::make_unique<State>(std::move(transcoder));
  State& state = *gateway->state_;
  state.server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  state.server.set_tcp_nodelay(true);
  state.server.set_keep_alive_max_count(1000);
  state.server.set_payload_max_length(kPayloadLimit);
  state.server.set_read_timeout(kTimeoutSeconds);
  state.server.set_write_timeout(kTimeoutSeconds);
  const auto serve = [&state](const httplib::Request& request, httplib::Response& response) {
    Serve(state.transcoder, request, response);
  };
  state.server.Get("/v1/.*", serve);
  state.server.Post("/v1/.*", serve);
  state.server.Patch("/v1/.*", serve);
  state.server.Put("/v1/.*", serve);
  state.server.Delete("/v1/.*", serve);
  state.port = options.port == 0 ? state.server.bind_to_any_port(options.host.c_str())
               : state.server.bind_to_port(options.host.c_str(), options.port) ? options.port
                                                                               : -1;
  if (state.port <= 0) {
    return Unavailable(
        common::v1::REASON_UNAVAILABLE,
        absl::StrCat("cannot listen on ", options.host, ":", options.port, ": in use?"),
        absl::StrCat("无法监听 ", options.host, ":", options.port, "，端口可能被占用"));
  }
  state.thread = std::thread([&state] { state.server.listen_after_bind(); });
  return gateway;
}

}  // namespace gonghui::gateway
