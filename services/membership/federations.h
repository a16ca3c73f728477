// Federations, the tenants of an installation.
#pragma once

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "common/host/host.h"
#include "gonghui/membership/v1/federation.pb.h"

namespace gonghui::membership {

class Federations {
 public:
  explicit Federations(const Host& host) : db_(*host.db) {}

  absl::StatusOr<v1::Federation> Create(rpc::Call& call,
                                        const v1::CreateFederationRequest& request);
  absl::StatusOr<v1::Federation> Get(rpc::Call& call, const v1::GetFederationRequest& request);

 private:
  sql::Database& db_;
};

// Runs `body` in a transaction of its own for each federation of the database.
absl::Status ForEachFederation(
    sql::Database& db,
    absl::FunctionRef<absl::Status(sql::Tx& tx, const std::string& federation)> body);

}  // namespace gonghui::membership
