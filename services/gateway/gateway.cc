#include "services/gateway/gateway.h"

#include <httplib.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <chrono>
#include <map>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/ops/metrics.h"
#include "services/gateway/transcoder.h"

namespace gonghui::gateway {
namespace {

constexpr int kThreads = 64;  // A keep-alive connection holds one.
constexpr size_t kPayloadLimit = 4 << 20;
constexpr int kTimeoutSeconds = 5;

// gonghui_http_seconds of every status that the transcoder answers.
const ops::Histogram& SecondsOf(int status) {
  static const auto& histograms = *[] {
    auto* made = new std::map<int, ops::Histogram>;
    for (const int code : {200, 400, 401, 403, 404, 405, 409, 429, 499, 500, 501, 503, 504}) {
      made->emplace(code, ops::Histogram("gonghui_http_seconds", "Time of a request over HTTP.",
                                         {{"code", StrCat(code)}}));
    }
    return made;
  }();
  const auto found = histograms.find(status);
  return found == histograms.end() ? histograms.at(500) : found->second;
}

void Serve(const Transcoder& transcoder, const httplib::Request& http, httplib::Response& answer) {
  const auto start = std::chrono::steady_clock::now();
  HttpRequest request;
  request.verb = http.method;
  request.path = http.path;
  request.body = http.body;
  for (size_t i = 0; i < http.get_header_value_count("Authorization"); ++i) {
    // Two of them make one that is no token: neither is chosen.
    if (i > 0) request.authorization += ", ";
    request.authorization += http.get_header_value("Authorization", i);
  }
  request.traceparent = http.get_header_value("traceparent");
  for (const auto& [key, value] : http.params) request.query.emplace(key, value);
  HttpResponse response = transcoder.Handle(request);
  SecondsOf(response.status)
      .Observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  answer.status = response.status;
  answer.set_header("traceparent", response.traceparent);
  answer.set_content(std::move(response.body), "application/json; charset=utf-8");
}

// Reads the files for each new connection, so that changed ones count from then on. 1: go on.
int ShowCertificate(SSL* connection, void* files) {
  const auto& tls = *static_cast<const rpc::TlsFiles*>(files);
  const bool good =
      SSL_use_certificate_chain_file(connection, tls.cert_file.c_str()) == 1 &&
      SSL_use_PrivateKey_file(connection, tls.key_file.c_str(), SSL_FILETYPE_PEM) == 1;
  if (!good) ERR_clear_error();
  return good ? 1 : 0;
}

// `tls` outlives the server.
std::unique_ptr<httplib::Server> NewServer(const rpc::TlsFiles& tls) {
  if (tls.cert_file.empty()) return std::make_unique<httplib::Server>();
  return std::make_unique<httplib::SSLServer>([&tls](SSL_CTX& context) {
    SSL_CTX_set_cert_cb(&context, ShowCertificate, const_cast<rpc::TlsFiles*>(&tls));
    return SSL_CTX_set_min_proto_version(&context, TLS1_2_VERSION) == 1;
  });
}

}  // namespace

struct Gateway::State {
  explicit State(Transcoder t) : transcoder(std::move(t)) {}
  Transcoder transcoder;
  rpc::TlsFiles tls;
  std::unique_ptr<httplib::Server> server;
  std::thread thread;
  int port = 0;
};

Gateway::Gateway() = default;

Gateway::~Gateway() {
  if (state_ == nullptr) return;
  state_->server->stop();
  if (state_->thread.joinable()) state_->thread.join();
}

int Gateway::port() const { return state_->port; }

absl::StatusOr<std::unique_ptr<Gateway>> Gateway::Start(const Options& options) {
  ASSIGN_OR_RETURN(Transcoder transcoder, Transcoder::Make(options.address, options.credentials));
  std::unique_ptr<Gateway> gateway(new Gateway());
  gateway->state_ = std::make_unique<State>(std::move(transcoder));
  State& state = *gateway->state_;
  RETURN_IF_ERROR(rpc::CheckTlsFiles(options.tls));
  state.tls = options.tls;
  state.server = NewServer(state.tls);
  if (!state.server->is_valid()) return Internal("OpenSSL: no server context");
  state.server->new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  state.server->set_tcp_nodelay(true);
  state.server->set_keep_alive_max_count(1000);
  state.server->set_payload_max_length(kPayloadLimit);
  state.server->set_read_timeout(kTimeoutSeconds);
  state.server->set_write_timeout(kTimeoutSeconds);
  const auto serve = [&state](const httplib::Request& request, httplib::Response& response) {
    Serve(state.transcoder, request, response);
  };
  state.server->Get("/v1/.*", serve);
  state.server->Post("/v1/.*", serve);
  state.server->Patch("/v1/.*", serve);
  state.server->Put("/v1/.*", serve);
  state.server->Delete("/v1/.*", serve);
  state.port = options.port == 0 ? state.server->bind_to_any_port(options.host.c_str())
               : state.server->bind_to_port(options.host.c_str(), options.port) ? options.port
                                                                                : -1;
  if (state.port <= 0) {
    return Unavailable(
        common::v1::REASON_UNAVAILABLE,
        absl::StrCat("cannot listen on ", options.host, ":", options.port, ": in use?"),
        absl::StrCat("无法监听 ", options.host, ":", options.port, "，端口可能被占用"));
  }
  state.thread = std::thread([&state] { state.server->listen_after_bind(); });
  return gateway;
}

}  // namespace gonghui::gateway
