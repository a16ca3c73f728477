// What a process gives to a service that it hosts, and what it takes back.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/embedded.h"
#include "common/cache/cache.h"
#include "common/crypto/personal.h"
#include "common/rpc/client.h"
#include "common/rpc/service.h"
#include "common/sql/sql.h"
#include "common/tree/tree_cache.h"

namespace gonghui {

// How ledgers are anchored outside their database.
struct Anchoring {
  std::string key_file;  // Ed25519 private key, PEM; what signs heads.
  std::string
      target;  // File to append to, or http://… to post to; empty: heads are signed, not anchored.
  absl::Duration every = absl::Minutes(1);
};

// Everything outlives the service.
struct Host {
  const Clock* clock = nullptr;
  rpc::Pipeline* pipeline = nullptr;
  sql::Database* db =
      nullptr;  // The service's own, empty or as it left it; the service migrates it.
  tree::TreeCache* tree = nullptr;
  const crypto::PersonalData* personal = nullptr;
  // A cache of the service's own, for values of its database (with the tables of
  // common/cache/schema).
  std::function<std::unique_ptr<cache::Cache>()> open_cache;
  // The service's catalogue: the files built in, as the installation changes and adds to them.
  // Their texts outlive the service.
  std::function<absl::StatusOr<std::vector<EmbeddedFile>>(const std::vector<EmbeddedFile>& builtin)>
      catalog;
  Anchoring anchoring;
  // Client of a service area ("membership"), with this process's service token; never nullptr.
  std::function<const rpc::Client*(const std::string& area)> peer;
};

// A service in a process. Made by Open<Name>(const Host&) in services/<name>/service.h, which
// migrates the database and loads the catalogue.
class Hosted {
 public:
  virtual ~Hosted() = default;
  virtual std::vector<rpc::Service*> services() = 0;
  virtual void Start() {}  // After the server listens: followers and the like.
  virtual void Stop() {}   // Before the server goes.
};

}  // namespace gonghui
