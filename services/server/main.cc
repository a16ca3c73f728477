// gonghuid: hosts any set of the platform's services.

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "common/base/config.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/ops/dial.h"
#include "common/rpc/server.h"
#include "services/server/migrations.h"
#include "services/server/suite.h"
#include "services/server/watchdog.h"

namespace gonghui {
namespace {

constexpr const char* kAreas[] = {"membership", "funds", "activities", "casework", "reports"};

// Variables of the command line and of the tests that may stand in the same shell.
constexpr const char* kForeignVariables[] = {
    "GONGHUI_SERVER",     "GONGHUI_TOKEN_FILE", "GONGHUI_PROFILE",
    "GONGHUI_FEDERATION", "GONGHUI_CA_FILE",    "GONGHUI_TEST_PG",
    "GONGHUI_TEST_REDIS", "GONGHUI_FULL",       "GONGHUI_SEED"};

std::vector<ConfigOption> Options() {
  std::vector<ConfigOption> options = {
      {"services", "membership,funds,activities,casework,reports",
       "services that this process hosts"},
      {"data", "var/data", "folder of databases (SQLite), keys and the development key"},
      {"listen", "127.0.0.1:8081",
       "gRPC addresses, comma separated: HOST:PORT or unix:PATH; port 0 picks one"},
      {"ops_port", "8082", "port of /healthz /readyz /metrics /statusz; 0 picks one, -1 none"},
      {"http_port", "8080", "port of the HTTP/JSON gateway; 0 picks one, -1 none"},
      {"http_host", "127.0.0.1", "address of the HTTP and the operations port"},
      {"dev", "false",
       "make a signing key under DATA/dev and accept its tokens; never in production", false, true},
      {"keys_file", "", "JWK set of trusted token issuers; read again when it changes"},
      {"keys_url", "", "http(s) address of such a set (an issuer's JWKS), asked every 10 minutes"},
      {"keys_ca_file", "", "certificates (PEM) that verify this address; empty: the system's"},
      {"token_issuer", "gonghui", "what \"iss\" of their tokens must be; several by comma"},
      {"token_audience", "gonghui", "what \"aud\" of their tokens must hold; several by comma"},
      {"token_grants_claim", "",
       "claim with grants as texts ROLE@ORG, ROLE@ORG/* or ROLE@*, a path such as "
       "realm_access.roles; empty: only the claim \"grants\""},
      {"tls_cert_file", "", "certificate chain (PEM) of gRPC and HTTP; empty: plaintext"},
      {"tls_key_file", "", "its private key (PEM); both are read again when they change"},
      {"tls_client_ca_file", "", "certificates (PEM) that verify those of gRPC clients"},
      {"tls_require_client", "false", "refuse gRPC clients without a certificate", false, true},
      {"tls_ca_file", "", "certificates (PEM) that verify services elsewhere"},
      {"service_names", "",
       "names (DNS or URI, by comma) of certificates that may show tokens of the role service; "
       "empty: any holder of such a token may"},
      {"caller_calls_per_second", "0", "calls of one caller (token subject); 0: no limit"},
      {"federation_calls_per_second", "0", "calls of all callers of a federation; 0: no limit"},
      {"quotas_file", "", "YAML file of quotas of single callers (CallQuotas)"},
      {"service_token_file", "", "token that this process shows to services elsewhere"},
      {"personal_keys_file", "",
       "keys of personal data; default DATA/keys/personal.yaml, made when missing"},
      {"personal_keys_command", "",
       "command that prints these keys instead of the file, for a key management service"},
      {"ledger_key_file", "",
       "private key (Ed25519, PEM) that signs the heads of books; default DATA/keys/ledger.pem, "
       "made when "
       "missing"},
      {"ledger_anchor", "",
       "where signed heads go, outside the database: a file, or http://HOST:PORT/PATH; default "
       "DATA/anchors/ledger.jsonl"},
      {"ledger_anchor_seconds", "60", "seconds between two heads of a book that is posted in"},
      {"catalog", "",
       "folder of catalogue files of this installation, DIR/<service>/*.yaml: each replaces the "
       "built-in file of its name, or is added"},
      {"redis", "",
       "HOST:PORT or unix:PATH of the cache that replicas share; empty: one replica, in process"},
      {"request_days", "400",
       "days for which the answer to a request_id is kept; a request repeated later runs anew"},
      {"reflection", "true", "offer gRPC server reflection", false, true},
      {"migrate", "",
       "plan: tell what a start would change in the databases, and end; apply: change it, and end; "
       "distribute: also spread the tables over a Citus cluster"},
      {"probe", "",
       "start nothing, tell by the exit code whether a server lives: HOST:PORT of gRPC, or "
       "http://HOST:PORT/readyz"},
      {"port_file", "", "write the gRPC port to this file once ready"}};
  for (const char* area : kAreas) {
    options.push_back({absl::StrCat(area, "_database_url_file"), "",
                       absl::StrCat("file with the database URL of ", area,
                                    "; default sqlite:DATA/", area, ".db")});
    options.push_back({absl::StrCat("peer_", area), "",
                       absl::StrCat("address of ", area, " when it runs elsewhere")});
  }
  return options;
}

absl::StatusOr<std::string> FirstLine(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "r");
  if (file == nullptr) {
    return FailedPrecondition(common::v1::REASON_NOT_FOUND, absl::StrCat("cannot read ", path),
                              absl::StrCat("无法读取 ", path));
  }
  char line[4096] = {};
  const bool read = std::fgets(line, sizeof line, file) != nullptr;
  std::fclose(file);
  return std::string(absl::StripAsciiWhitespace(read ? line : ""));
}

std::vector<std::string> ListOf(const Config& config, std::string_view key) {
  std::vector<std::string> items;
  for (absl::string_view item : absl::StrSplit(config.Get(key), ',', absl::SkipWhitespace())) {
    items.emplace_back(absl::StripAsciiWhitespace(item));
  }
  return items;
}

absl::StatusOr<double> RateOf(const Config& config, std::string_view key) {
  double rate = 0;
  if (absl::SimpleAtod(config.Get(key), &rate) && rate >= 0 && rate < 1e9) return rate;
  const std::string name(key);
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         absl::StrCat("--", name, ": a number of calls, 0 or more, is wanted"),
                         absl::StrCat("--", name, "：需要不小于0的调用次数"));
}

absl::Status SetSecurity(const Config& config, Suite::Options& options) {
  options.issuers = {.issuers = ListOf(config, "token_issuer"),
                     .audiences = ListOf(config, "token_audience"),
                     .keys_file = config.Get("keys_file"),
                     .keys_url = config.Get("keys_url"),
                     .keys_ca_file = config.Get("keys_ca_file"),
                     .grants_claim = config.Get("token_grants_claim")};
  options.tls = {.cert_file = config.Get("tls_cert_file"),
                 .key_file = config.Get("tls_key_file"),
                 .client_ca_file = config.Get("tls_client_ca_file"),
                 .require_client = config.GetBool("tls_require_client"),
                 .ca_file = config.Get("tls_ca_file")};
  options.service_names = ListOf(config, "service_names");
  ASSIGN_OR_RETURN(options.limits.caller_per_second, RateOf(config, "caller_calls_per_second"));
  ASSIGN_OR_RETURN(options.limits.federation_per_second,
                   RateOf(config, "federation_calls_per_second"));
  if (const std::string& path = config.Get("quotas_file"); !path.empty()) {
    ASSIGN_OR_RETURN(options.limits.quotas, rpc::ReadQuotas(path));
  }
  return absl::OkStatus();
}

absl::StatusOr<Suite::Options> SuiteOptions(const Config& config) {
  Suite::Options options;
  options.services.clear();
  for (absl::string_view area :
       absl::StrSplit(config.Get("services"), ',', absl::SkipWhitespace())) {
    const std::string name(absl::StripAsciiWhitespace(area));
    if (std::find(std::begin(kAreas), std::end(kAreas), name) == std::end(kAreas)) {
      return InvalidArgument(
          common::v1::REASON_FIELD_INVALID,
          absl::StrCat("--services: no service '", name,
                       "'; there are membership, funds, activities, casework, reports"),
          absl::StrCat("--services：没有名为“", name, "”的服务"));
    }
    options.services.insert(name);
  }
  options.data_dir = config.Get("data");
  options.listen = absl::StrSplit(config.Get("listen"), ',');
  ASSIGN_OR_RETURN(int64_t ops_port, config.GetInt("ops_port"));
  options.ops_port = static_cast<int>(ops_port);
  ASSIGN_OR_RETURN(int64_t http_port, config.GetInt("http_port"));
  options.http_port = static_cast<int>(http_port);
  options.http_host = config.Get("http_host");
  options.dev = config.GetBool("dev");
  RETURN_IF_ERROR(SetSecurity(config, options));
  options.service_token_file = config.Get("service_token_file");
  options.personal_keys_file = config.Get("personal_keys_file");
  options.personal_keys_command = config.Get("personal_keys_command");
  options.ledger_key_file = config.Get("ledger_key_file");
  options.ledger_anchor = config.Get("ledger_anchor");
  ASSIGN_OR_RETURN(const int64_t seconds, config.GetInt("ledger_anchor_seconds"));
  options.ledger_anchor_every = absl::Seconds(seconds);
  options.catalog_dir = config.Get("catalog");
  options.redis = config.Get("redis");
  ASSIGN_OR_RETURN(int64_t request_days, config.GetInt("request_days"));
  options.request_days = static_cast<int>(std::max<int64_t>(request_days, 1));
  options.reflection = config.GetBool("reflection");
  for (const std::string area : kAreas) {
    if (const std::string& file = config.Get(area + "_database_url_file"); !file.empty()) {
      ASSIGN_OR_RETURN(options.database_urls[area], FirstLine(file));
    }
    if (const std::string& peer = config.Get("peer_" + area); !peer.empty())
      options.peers[area] = peer;
  }
  return options;
}

absl::Status Migrate(std::string_view what, const Suite::Options& options) {
  std::map<std::string, std::string> databases;
  for (const std::string& area : options.services) {
    const auto url = options.database_urls.find(area);
    databases[area] = url != options.database_urls.end()
                          ? url->second
                          : absl::StrCat("sqlite:", options.data_dir, "/", area, ".db");
  }
  if (what == "apply") return MigrateAll(databases);
  if (what == "distribute") return DistributeAll(databases);
  if (what != "plan") {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           "--migrate takes plan, apply or distribute",
                           "--migrate 只接受 plan、apply 或 distribute");
  }
  ASSIGN_OR_RETURN(const std::string plan, PlanMigrations(databases));
  std::fputs(plan.c_str(), stdout);
  return absl::OkStatus();
}

// nullptr without an address over TCP.
std::unique_ptr<Watchdog> StartWatchdog(const Config& config, int port) {
  std::string address;
  for (absl::string_view listen : absl::StrSplit(config.Get("listen"), ',')) {
    if (address.empty()) address = ops::LocalAddress(std::string(listen), port);
  }
  if (address.empty()) return nullptr;
  Watchdog::Options options;
  options.give_up = [](const absl::Status&) {
    log::Error("unreachable", {{"next", "the process ends, its supervisor starts it anew"}});
    _exit(1);  // Nothing is lost: whatever was acknowledged is committed.
  };
  return std::make_unique<Watchdog>(
      std::move(options), [address] { return ops::DialServer(address, absl::Seconds(5)); });
}

absl::Status Run(const Config& config) {
  if (const std::string& target = config.Get("probe"); !target.empty()) return ops::Probe(target);
  RETURN_IF_ERROR(RaiseDescriptorLimit());
  ASSIGN_OR_RETURN(Suite::Options options, SuiteOptions(config));
  if (const std::string& what = config.Get("migrate"); !what.empty()) {
    return Migrate(what, options);
  }
  ASSIGN_OR_RETURN(std::unique_ptr<Suite> suite, Suite::Start(std::move(options)));
  log::Info("ready", {{"port", int64_t{suite->port()}},
                      {"ops_port", int64_t{suite->ops_port()}},
                      {"http_port", int64_t{suite->http_port()}}});
  if (const std::string& path = config.Get("port_file"); !path.empty()) {
    std::FILE* file = std::fopen((path + ".new").c_str(), "w");
    if (file == nullptr) return Internal("cannot write " + path);
    std::fprintf(file, "%d\n", suite->port());
    std::fclose(file);
    std::rename((path + ".new").c_str(), path.c_str());
  }
  {
    const std::unique_ptr<Watchdog> watchdog = StartWatchdog(config, suite->port());
    rpc::WaitForSignal();
  }
  log::Info("draining");
  suite->Drain();
  return absl::OkStatus();
}

}  // namespace
}  // namespace gonghui

int main(int argc, char** argv) {
  using namespace gonghui;  // NOLINT(google-build-using-namespace)
  const std::vector<std::string> args(argv + 1, argv + argc);
  for (const std::string& arg : args) {
    if (arg == "--help" || arg == "-h") {
      std::printf("gonghuid: the services of gonghui in one process\n\n%s",
                  Config::Help(Options()).c_str());
      return 0;
    }
  }
  // Debian builds abseil with its search for lock cycles on, a tenth of the cost of a call. The
  // tests keep it.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // Files pass through in large pieces: what they took is given back, not kept in many arenas.
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
  mallopt(M_ARENA_MAX, 4);
  rpc::BlockSignals();
  log::CaptureLibraryLogs();
  absl::StatusOr<Config> config =
      Config::Load(Options(), args, ProcessEnvironment(),
                   {std::begin(kForeignVariables), std::end(kForeignVariables)});
  absl::Status status = config.ok() ? Run(*config) : config.status();
  if (status.ok()) return 0;
  std::fprintf(stderr, "gonghuid: %s\n", std::string(status.message()).c_str());
  return config.ok() ? 1 : 2;
}
