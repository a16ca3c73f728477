// A running set of services in one process: databases, keys, pipeline, gRPC server, ops port.
// gonghuid is a thin main over it; tests start the same thing on temporary files.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "common/auth/token.h"
#include "common/auth/trusted_issuers.h"
#include "common/base/clock.h"
#include "common/rpc/client.h"
#include "common/rpc/rate_limits.h"
#include "common/rpc/tls.h"
#include "common/sql/sql.h"

namespace gonghui {

class Suite {
 public:
  struct Options {
    std::set<std::string> services = {"membership", "funds", "activities", "casework", "reports"};
    std::string data_dir;  // Databases (SQLite), keys, development key.
    std::map<std::string, std::string>
        database_urls;                         // Area -> URL; missing: sqlite:<data_dir>/<area>.db.
    std::map<std::string, std::string> peers;  // Area -> address, for services that run elsewhere.
    std::vector<std::string> listen = {"127.0.0.1:0"};
    int ops_port = -1;                    // -1: no ops port; 0 picks one.
    int http_port = -1;                   // HTTP/JSON gateway; -1: none; 0 picks one.
    std::string http_host = "127.0.0.1";  // Address of the HTTP and the ops port.
    bool dev = false;  // Makes a signing key under data_dir/dev and accepts its tokens.
    // Keys of trusted issuers; file and address may be empty with dev.
    auth::TrustedIssuers::Options issuers;
    std::string service_token_file;  // For peers elsewhere.
    rpc::TlsFiles tls;               // Of TCP addresses of gRPC, of HTTP and of peers elsewhere.
    std::vector<std::string> service_names;  // rpc::Pipeline::Options.service_names.
    rpc::RateLimits::Options limits;
    // Catalogue files of this installation, catalog_dir/<area>/*.yaml: each replaces the built-in
    // file of its name, or is added. Empty: none.
    std::string catalog_dir;
    std::string personal_keys_file;     // Default data_dir/keys/personal.yaml, made when missing.
    std::string personal_keys_command;  // Prints the keys instead; empty: the file.
    std::string ledger_key_file;  // What signs ledger heads; default data_dir/keys/ledger.pem, made
                                  // when missing.
    std::string ledger_anchor;    // File or http://…; default data_dir/anchors/ledger.jsonl.
    absl::Duration ledger_anchor_every = absl::Minutes(1);
    std::string redis;  // Replicas share it; empty: there is one, it caches in process.
    absl::Duration redis_lease = absl::Seconds(1);  // cache::Cache::SharedOptions::lease.
    size_t cache_bytes = 64 << 20;                  // In process; 0 keeps nothing.
    int batch_limit = 1000;  // Calls that one transaction of a batched method may take.
    int request_days = 400;  // For so long the answer to a request_id is kept, at least 1.
    const Clock* clock = &Clock::System();
    bool reflection = true;
    bool log_calls = true;
  };
  static absl::StatusOr<std::unique_ptr<Suite>> Start(Options options);
  virtual ~Suite() = default;

  virtual int port() const = 0;
  virtual int ops_port() const = 0;
  virtual int http_port() const = 0;
  virtual void Drain() = 0;  // Stops taking calls, lets running ones end.
  virtual sql::Database& database(const std::string& area) = 0;
  // A token of the development key. Only with Options.dev.
  virtual absl::StatusOr<std::string> DevToken(const auth::Actor& actor) = 0;
  // A client of this suite with the given token, over TCP.
  virtual std::unique_ptr<rpc::Client> NewClient(std::string token) = 0;
  // Lets reports take over everything committed so far. Only when reports is hosted.
  virtual absl::Status CatchUp() = 0;
};

}  // namespace gonghui
