// The organisation tree of a federation.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/catalog/catalog.h"
#include "common/host/host.h"
#include "gonghui/common/v1/fact.pb.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "services/membership/organization_versions.h"

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
  // An organisation of a request on its way into the tree.
  struct Founding {
    v1::Organization organization;  // With codes in place of labels.
    std::string at = {};            // Its path in the request, "organization." or empty.
    absl::Status status = absl::OkStatus();
    bool existing = false;  // Was there with the same content.
  };
  // A change of one attribute from a date on.
  struct Change {
    std::string event;
    std::string tree::Version::*attribute;
    std::string value;
    std::string from;
    std::function<absl::Status(sql::Tx&, TreeWrite&, const std::vector<OrganizationRow>& believed,
                               const Revision&)>
        check;
  };

  absl::Status Normalize(v1::Organization& organization, std::string_view at) const;
  void CheckScopes(const rpc::Call& call, std::vector<Founding>& foundings) const;
  absl::Status Found(TreeWrite& write, std::vector<Founding>& foundings) const;
  absl::Status FoundOne(TreeWrite& write, Founding& founding) const;
  absl::Status Announce(sql::Tx& tx, const rpc::Call& call, TreeWrite& write,
                        const std::vector<Founding>& foundings) const;
  absl::StatusOr<std::vector<common::v1::Fact>> FactsOf(
      const std::vector<OrganizationRow>& believed) const;
  template <typename Request>
  absl::StatusOr<v1::Organization> Apply(rpc::Call& call, const Request& request,
                                         const Change& change);
  absl::StatusOr<std::map<std::string, v1::Organization>> ReadAll(const rpc::Call& call,
                                                                  absl::Span<const std::string> ids,
                                                                  const std::string& valid_at,
                                                                  int64_t known_at_us) const;

  sql::Database& db_;
  tree::TreeCache& tree_;
  const catalog::Catalog& catalog_;
  const common::v1::Kind& kind_;
};

// The resource name of an organisation.
std::string OrganizationName(const std::string& federation, const std::string& id);
v1::Organization View(const OrganizationRow& row, const std::string& federation);

// The versions of a federation straight from the membership database, for the tree of the process
// that hosts it.
tree::TreeCache::Loader TreeLoader(sql::Database& db);

}  // namespace gonghui::membership
