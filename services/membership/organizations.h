// The organisation tree of a federation.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/catalog/catalog.h"
#include "common/host/host.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "services/membership/organization_rules.h"
#include "services/membership/reorganizations.h"

namespace gonghui::membership {

// Thread-safe.
class Organizations {
 public:
  Organizations(const Host& host, const catalog::Catalog& catalog);

  absl::StatusOr<v1::Organization> Create(rpc::Call& call,
                                          const v1::CreateOrganizationRequest& request);
  absl::StatusOr<v1::BatchCreateOrganizationsResponse> BatchCreate(
      rpc::Call& call, const v1::BatchCreateOrganizationsRequest& request);
  absl::StatusOr<v1::Organization> Get(rpc::Call& call, const v1::GetOrganizationRequest& request);
  absl::StatusOr<v1::ListOrganizationsResponse> List(rpc::Call& call,
                                                     const v1::ListOrganizationsRequest& request);
  absl::StatusOr<v1::GetTreeResponse> GetTree(rpc::Call& call, const v1::GetTreeRequest& request);
  absl::StatusOr<v1::Organization> Rename(rpc::Call& call,
                                          const v1::RenameOrganizationRequest& request);
  absl::StatusOr<v1::Organization> Move(rpc::Call& call,
                                        const v1::MoveOrganizationRequest& request);
  absl::StatusOr<v1::Organization> Close(rpc::Call& call,
                                         const v1::CloseOrganizationRequest& request);
  absl::StatusOr<v1::ListOrganizationVersionsResponse> ListVersions(
      rpc::Call& call, const v1::ListOrganizationVersionsRequest& request);

 private:
  void CheckScopes(const rpc::Call& call, std::vector<Founding>& foundings) const;
  absl::Status FoundAll(TreeWrite& write, std::vector<Founding>& foundings) const;
  absl::Status Announce(sql::Tx& tx, const rpc::Call& call, TreeWrite& write,
                        const std::vector<Founding>& foundings) const;
  template <typename Request>
  absl::StatusOr<v1::Organization> Apply(rpc::Call& call, const Request& request,
                                         const v1::ReorganizationStep& step);
  absl::StatusOr<std::map<std::string, v1::Organization>> ReadAll(const rpc::Call& call,
                                                                  absl::Span<const std::string> ids,
                                                                  const std::string& valid_at,
                                                                  int64_t known_at_us) const;

  sql::Database& db_;
  tree::TreeCache& tree_;
  const catalog::Catalog& catalog_;
  const common::v1::Kind& kind_;
};

// The versions of a federation straight from the membership database, for the tree of the process
// that hosts it.
tree::TreeCache::Loader TreeLoader(sql::Database& db);

}  // namespace gonghui::membership
