// TLS and mTLS of a running suite: who is refused, and that certificates change while calls run.
#include "common/rpc/tls.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/ops/metrics.h"
#include "common/testing/certificates.h"
#include "common/testing/matchers.h"
#include "gonghui/feed/v1/feed.pb.h"
#include "gonghui/membership/v1/federation.pb.h"
#include "services/server/suite.h"

namespace gonghui {
namespace {

namespace fs = std::filesystem;
using testing::CertificateAuthority;
using testing::CertificatePair;
using testing::HasReason;
using testing::IsOk;
using testing::PublishCertificates;
using testing::StatusIs;

constexpr char kServerNames[] = "IP:127.0.0.1,DNS:localhost";
constexpr char kReports[] = "URI:spiffe://gonghui/reports,IP:127.0.0.1";
constexpr char kPortal[] = "URI:spiffe://gonghui/portal,DNS:portal";

class TlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    static int serial = 0;
    folder_ = fs::path(::testing::TempDir()) / absl::StrCat("tls_", getpid(), "_", ++serial);
    fs::create_directories(folder_);
    auto key = auth::SigningKey::Generate("issuer");
    ASSERT_THAT(key, IsOk());
    key_.emplace(*std::move(key));
    std::ofstream(folder_ / "keys.json") << key_->PublicJwks();
    Publish("server", authority_.Issue(kServerNames));
  }
  void TearDown() override {
    suite_.reset();
    fs::remove_all(folder_);
  }

  std::string PathOf(const std::string& name) const { return (folder_ / name).string(); }

  void Publish(const std::string& name, const CertificatePair& pair) {
    PublishCertificates(PathOf(name), pair, authority_.certificate());
  }
  // What a process shows and trusts whose certificates were published under the name.
  rpc::TlsFiles FilesOf(const std::string& name) const {
    return {.cert_file = PathOf(name + "/cert.pem"),
            .key_file = PathOf(name + "/key.pem"),
            .ca_file = PathOf(name + "/ca.pem"),
            .reload_every = absl::Seconds(1)};
  }

  Suite::Options ServerOptions(bool require_client) const {
    Suite::Options options;
    options.services = {"membership"};
    options.data_dir = PathOf("data");
    options.issuers.keys_file = PathOf("keys.json");
    options.tls = FilesOf("server");
    options.tls.client_ca_file = options.tls.ca_file;
    options.tls.require_client = require_client;
    options.service_names = {"spiffe://gonghui/reports"};
    options.http_port = 0;
    options.log_calls = false;
    return options;
  }
  void Start(const Suite::Options& options) {
    auto suite = Suite::Start(options);
    ASSERT_THAT(suite, IsOk());
    suite_ = *std::move(suite);
  }

  std::string Token(const std::string& role) const {
    auth::Actor actor{.subject = "u1", .federation = role == "service" ? "*" : "demo"};
    common::v1::Grant grant;
    grant.set_role(role);
    grant.set_organization("*");
    actor.grants.push_back(grant);
    return *key_->Sign({.issuer = "gonghui",
                        .audience = "gonghui",
                        .actor = actor,
                        .expires = absl::Now() + absl::Hours(1)},
                       absl::Now());
  }

  // A client of the suite; nullopt: plaintext.
  std::unique_ptr<rpc::Client> ClientWith(const std::optional<rpc::TlsFiles>& files,
                                          const std::string& role = "admin",
                                          const std::string& host = "127.0.0.1") const {
    rpc::Client::Options options{.address = absl::StrCat(host, ":", suite_->port()),
                                 .token = [token = Token(role)] { return token; },
                                 .timeout = absl::Seconds(5),
                                 .channels = 1};
    if (files.has_value()) {
      auto credentials = rpc::MakeChannelCredentials(*files);
      EXPECT_THAT(credentials, IsOk());
      options.credentials = *std::move(credentials);
    }
    return std::make_unique<rpc::Client>(std::move(options));
  }
  // Answered by the service: the federation is not there.
  static absl::Status Call(const rpc::Client& client) {
    membership::v1::GetFederationRequest request;
    request.set_name("federations/demo");
    return client
        .Invoke<membership::v1::Federation>(
            "/gonghui.membership.v1.FederationService/GetFederation", request)
        .status();
  }
  static absl::Status CallAsService(const rpc::Client& client) {
    feed::v1::ListHeadsRequest request;
    request.set_source("membership");
    return client
        .Invoke<feed::v1::ListHeadsResponse>("/gonghui.feed.v1.FeedService/ListHeads", request)
        .status();
  }

  const CertificateAuthority authority_{"gonghui test"};
  const CertificateAuthority stranger_{"another"};
  std::optional<auth::SigningKey> key_;
  fs::path folder_;
  std::unique_ptr<Suite> suite_;
};

// The certificate that a port of this machine shows, in PEM; empty where no handshake succeeds with
// that version of TLS at most.
std::string ShownBy(int port, int most_version = TLS1_3_VERSION) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context, most_version);
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string pem;
  SSL* connection = SSL_new(context);
  const unsigned char http2[] = {2, 'h', '2'};
  SSL_set_alpn_protos(connection, http2, sizeof(http2));
  SSL_set_fd(connection, socket);
  if (connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
      SSL_connect(connection) == 1) {
    X509* certificate = SSL_get1_peer_certificate(connection);
    BIO* text = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(text, certificate);
    char* data = nullptr;
    const long size = BIO_get_mem_data(text, &data);
    pem.assign(data, static_cast<size_t>(size));
    BIO_free(text);
    X509_free(certificate);
  }
  SSL_free(connection);
  SSL_CTX_free(context);
  close(socket);
  return pem;
}

// Refused certificates that were counted.
double Refusals() {
  const std::string text = ops::ExportMetrics();
  const std::string name = "gonghui_security_events_total{kind=\"certificate_refused\"} ";
  const size_t at = text.find(name);
  return at == text.npos ? -1 : std::strtod(text.c_str() + at + name.size(), nullptr);
}

TEST_F(TlsTest, OnlyGoodCertificatesGetThrough) {
  log::CaptureLibraryLogs();
  Start(ServerOptions(/*require_client=*/true));
  Publish("client", authority_.Issue(kPortal));
  const rpc::TlsFiles good = FilesOf("client");
  EXPECT_THAT(Call(*ClientWith(good)), HasReason(common::v1::REASON_NOT_FOUND));
  EXPECT_THAT(Call(*ClientWith(good, "admin", "localhost")),
              HasReason(common::v1::REASON_NOT_FOUND));

  const auto refused = [&](const std::optional<rpc::TlsFiles>& files, const char* what,
                           const char* host = "127.0.0.1") {
    EXPECT_THAT(Call(*ClientWith(files, "admin", host)), StatusIs(absl::StatusCode::kUnavailable))
        << what;
  };
  refused(std::nullopt, "plaintext to the TLS port");
  double counted = Refusals();
  refused(rpc::TlsFiles{.ca_file = good.ca_file}, "no client certificate");
  EXPECT_GT(Refusals(), counted);
  counted = Refusals();
  Publish("foreign", stranger_.Issue(kPortal));
  refused(FilesOf("foreign"), "a certificate of another authority");
  EXPECT_GT(Refusals(), counted);
  Publish("expired", authority_.Issue(kPortal, absl::Now() + absl::Seconds(2)));
  const auto expired = rpc::MakeChannelCredentials(FilesOf("expired"));
  ASSERT_THAT(expired, IsOk());
  absl::SleepFor(absl::Seconds(3));
  const rpc::Client late({.address = absl::StrCat("127.0.0.1:", suite_->port()),
                          .token = [this] { return Token("admin"); },
                          .timeout = absl::Seconds(5),
                          .channels = 1,
                          .credentials = *expired});
  EXPECT_THAT(Call(late), StatusIs(absl::StatusCode::kUnavailable));
  rpc::TlsFiles distrusting = good;
  std::ofstream(PathOf("stranger.pem")) << stranger_.certificate();
  distrusting.ca_file = PathOf("stranger.pem");
  refused(distrusting, "a server of an authority that the client does not trust");
  refused(good, "a server of another name", "127.0.0.2");
}

TEST_F(TlsTest, ServiceTokensNeedAServicesCertificate) {
  Start(ServerOptions(/*require_client=*/false));
  Publish("reports", authority_.Issue(kReports));
  Publish("portal", authority_.Issue(kPortal));
  const rpc::TlsFiles nobody{.ca_file = PathOf("server/ca.pem")};
  EXPECT_THAT(CallAsService(*ClientWith(FilesOf("reports"), "service")), IsOk());
  EXPECT_THAT(CallAsService(*ClientWith(FilesOf("portal"), "service")),
              HasReason(common::v1::REASON_TOKEN_INVALID));
  EXPECT_THAT(CallAsService(*ClientWith(nobody, "service")),
              HasReason(common::v1::REASON_TOKEN_INVALID));
  // Users need none.
  EXPECT_THAT(Call(*ClientWith(FilesOf("portal"))), HasReason(common::v1::REASON_NOT_FOUND));
  EXPECT_THAT(Call(*ClientWith(nobody)), HasReason(common::v1::REASON_NOT_FOUND));

  // Nor does a service's token gain anything by coming through the gateway.
  httplib::SSLClient http("127.0.0.1", suite_->http_port());
  http.set_ca_cert_path(PathOf("server/ca.pem").c_str());
  http.set_bearer_token_auth(Token("service").c_str());
  auto answer = http.Get("/v1/federations/demo/organizations");
  ASSERT_TRUE(answer) << httplib::to_string(answer.error());
  EXPECT_EQ(answer->status, 401) << answer->body;
}

TEST_F(TlsTest, HttpSpeaksTlsOnly) {
  Start(ServerOptions(/*require_client=*/false));
  httplib::SSLClient https("127.0.0.1", suite_->http_port());
  https.set_ca_cert_path(PathOf("server/ca.pem").c_str());
  https.set_bearer_token_auth(Token("admin").c_str());
  auto answer = https.Get("/v1/federations/demo");
  ASSERT_TRUE(answer) << httplib::to_string(answer.error());
  EXPECT_EQ(answer->status, 404) << answer->body;
  httplib::Client plain("127.0.0.1", suite_->http_port());
  EXPECT_FALSE(plain.Get("/v1/federations/demo"));
  std::ofstream(PathOf("stranger.pem")) << stranger_.certificate();
  httplib::SSLClient distrusting("127.0.0.1", suite_->http_port());
  distrusting.set_ca_cert_path(PathOf("stranger.pem").c_str());
  EXPECT_FALSE(distrusting.Get("/v1/federations/demo"));

  for (const int port : {suite_->port(), suite_->http_port()}) {
    EXPECT_NE(ShownBy(port, TLS1_2_VERSION), "");
    EXPECT_EQ(ShownBy(port, TLS1_1_VERSION), "");
  }
}

TEST_F(TlsTest, CertificatesChangeWhileCallsRun) {
  Start(ServerOptions(/*require_client=*/true));
  Publish("client", authority_.Issue(kPortal));
  const std::string before = ShownBy(suite_->port());
  std::atomic<bool> over = false;
  std::atomic<int> calls = 0, failures = 0;
  std::vector<std::thread> threads;
  const auto count = [&](const rpc::Client& client) {
    ++calls;
    if (ReasonOf(Call(client)) != common::v1::REASON_NOT_FOUND) ++failures;
  };
  threads.emplace_back([&] {  // One connection that stays.
    const auto client = ClientWith(FilesOf("client"));
    while (!over) count(*client);
  });
  threads.emplace_back([&] {  // A new one each time.
    while (!over) count(*ClientWith(FilesOf("client")));
  });
  absl::SleepFor(absl::Seconds(1));
  const CertificatePair next = authority_.Issue(kServerNames);
  Publish("server", next);
  Publish("client", authority_.Issue(kPortal));
  std::string shown = before;
  for (int i = 0; i < 100 && shown == before; ++i) {
    absl::SleepFor(absl::Milliseconds(100));
    shown = ShownBy(suite_->port());
  }
  EXPECT_EQ(shown, next.certificate);
  EXPECT_EQ(ShownBy(suite_->http_port()), next.certificate);
  absl::SleepFor(absl::Seconds(1));
  over = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(calls, 50);
  EXPECT_EQ(failures, 0) << "of " << calls;
}

TEST_F(TlsTest, ServicesVerifyEachOther) {
  Suite::Options sources = ServerOptions(/*require_client=*/true);
  sources.services = {"membership", "funds", "activities", "casework"};
  Start(sources);
  Publish("reports", authority_.Issue(kReports));
  std::ofstream(PathOf("service-token")) << Token("service") << "\n";
  Suite::Options options = ServerOptions(/*require_client=*/true);
  options.services = {"reports"};
  options.data_dir = PathOf("reports-data");
  options.tls = FilesOf("reports");
  options.service_token_file = PathOf("service-token");
  options.http_port = -1;
  for (const char* area : {"membership", "funds", "activities", "casework"}) {
    options.peers[area] = absl::StrCat("127.0.0.1:", suite_->port());
  }
  {
    auto reports = Suite::Start(options);
    ASSERT_THAT(reports, IsOk());
    EXPECT_THAT((*reports)->CatchUp(), IsOk());
  }
  // The same token behind a certificate of somebody else.
  Publish("portal", authority_.Issue(kPortal));
  options.tls = FilesOf("portal");
  options.data_dir = PathOf("portal-data");
  auto portal = Suite::Start(options);
  ASSERT_THAT(portal, IsOk());
  EXPECT_FALSE((*portal)->CatchUp().ok());
}

TEST_F(TlsTest, TheCommandLineVerifiesTheServer) {
  Start(ServerOptions(/*require_client=*/false));
  std::ofstream(PathOf("token")) << Token("admin");
  const std::string address = absl::StrCat("127.0.0.1:", suite_->port());
  const auto run = [&](const std::string& variables, const std::string& options) {
    const std::string command = absl::StrCat(
        "cd ", folder_.string(), " && env -u GONGHUI_SERVER HOME=", folder_.string(), " ",
        variables, " ", GONGHUI_BINARY, " --token-file token ", options,
        " call FederationService.GetFederation '{\"name\":\"federations/demo\"}' >out 2>&1");
    const int status = std::system(command.c_str());  // NOLINT(cert-env33-c)
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  constexpr int kAnswered = 4, kNoConnection = 3;  // The answer is that it is not there.
  const std::string https = absl::StrCat("--server https://", address);
  EXPECT_EQ(run("", https + " --ca-file server/ca.pem"), kAnswered);
  EXPECT_EQ(run("GONGHUI_CA_FILE=server/ca.pem", "--server " + address), kAnswered);
  std::ofstream(PathOf("profile.yaml")) << "server: " << address << "\nca_file: server/ca.pem\n";
  EXPECT_EQ(run("", "--config profile.yaml"), kAnswered);
  EXPECT_EQ(run("", https), kNoConnection);  // The system knows no such authority.
  EXPECT_EQ(run("", "--tls --server " + address), kNoConnection);
  EXPECT_EQ(run("", "--server " + address), kNoConnection);  // Plaintext.
  std::ofstream(PathOf("stranger.pem")) << stranger_.certificate();
  EXPECT_EQ(run("", https + " --ca-file stranger.pem"), kNoConnection);
}

TEST_F(TlsTest, BadFilesStopTheStart) {
  const auto start = [&](const std::function<void(rpc::TlsFiles&)>& spoil) {
    Suite::Options options = ServerOptions(/*require_client=*/true);
    spoil(options.tls);
    return Suite::Start(options).status();
  };
  EXPECT_THAT(start([](rpc::TlsFiles& f) { f.key_file.clear(); }),
              HasReason(common::v1::REASON_FIELD_REQUIRED));
  EXPECT_THAT(start([](rpc::TlsFiles& f) { f.cert_file = f.key_file = ""; }),
              HasReason(common::v1::REASON_FIELD_REQUIRED));
  EXPECT_THAT(start([](rpc::TlsFiles& f) { f.client_ca_file.clear(); }),
              HasReason(common::v1::REASON_FIELD_REQUIRED));
  EXPECT_THAT(start([](rpc::TlsFiles& f) { f.cert_file = "/nowhere"; }),
              HasReason(common::v1::REASON_FILE_UNREADABLE));
  EXPECT_THAT(start([](rpc::TlsFiles& f) { f.cert_file = f.key_file; }),
              HasReason(common::v1::REASON_FILE_UNREADABLE));
  Publish("other", authority_.Issue(kServerNames));
  EXPECT_THAT(start([&](rpc::TlsFiles& f) { f.key_file = PathOf("other/key.pem"); }),
              HasReason(common::v1::REASON_FILE_UNREADABLE));
  Publish("expired", authority_.Issue(kServerNames, absl::Now() - absl::Hours(1)));
  EXPECT_THAT(start([&](rpc::TlsFiles& f) {
                f.cert_file = PathOf("expired/cert.pem");
                f.key_file = PathOf("expired/key.pem");
              }),
              HasReason(common::v1::REASON_FILE_UNREADABLE));
}

}  // namespace
}  // namespace gonghui
