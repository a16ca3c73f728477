// Reorganisations: planned, applied, taken back.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "common/cache/cache.h"
#include "common/catalog/catalog.h"
#include "common/host/host.h"
#include "gonghui/membership/v1/reorganization.pb.h"
#include "services/membership/reorganization_work.h"

namespace gonghui::membership {

// Thread-safe.
class Reorganizations {
 public:
  // `members` is the cache of Members, whose entries end with what is written here.
  Reorganizations(const Host& host, const catalog::Catalog& catalog, cache::Cache& members);

  absl::StatusOr<v1::Reorganization> Plan(rpc::Call& call,
                                          const v1::PlanReorganizationRequest& request);
  absl::StatusOr<v1::Reorganization> Apply(rpc::Call& call,
                                           const v1::ApplyReorganizationRequest& request);
  absl::StatusOr<v1::Reorganization> Revert(rpc::Call& call,
                                            const v1::RevertReorganizationRequest& request);
  absl::StatusOr<v1::Reorganization> Get(rpc::Call& call,
                                         const v1::GetReorganizationRequest& request);
  absl::StatusOr<v1::ListReorganizationsResponse> List(
      rpc::Call& call, const v1::ListReorganizationsRequest& request);
  absl::StatusOr<v1::ListReorganizationEffectsResponse> ListEffects(
      rpc::Call& call, const v1::ListReorganizationEffectsRequest& request);
  absl::StatusOr<v1::Reorganization> Merge(rpc::Call& call,
                                           const v1::MergeOrganizationsRequest& request);
  absl::StatusOr<v1::Reorganization> Split(rpc::Call& call,
                                           const v1::SplitOrganizationRequest& request);

 private:
  using MemberVersions = ReorganizationWork::MemberVersions;

  absl::StatusOr<ReorganizationRow> Read(const rpc::Call& call, const std::string& name) const;
  absl::StatusOr<ReorganizationRow> ReadAgain(sql::Tx& tx, const rpc::Call& call,
                                              const std::string& name, const std::string& etag,
                                              v1::ReorganizationState state) const;
  template <typename Request>
  absl::StatusOr<v1::Reorganization> AtOnce(rpc::Call& call, const Request& request,
                                            const v1::ReorganizationStep& step,
                                            const std::string& prefix);
  // After a write, known or possible: nobody sees the tree or the members as they were.
  absl::StatusOr<v1::Reorganization> Settle(rpc::Call& call,
                                            absl::StatusOr<v1::Reorganization> result,
                                            MemberVersions written);

  sql::Database& db_;
  tree::TreeCache& tree_;
  const catalog::Catalog& catalog_;
  cache::Cache& members_;
};

// Does one step at once, within a write of the caller's, and keeps it as a reorganisation, unless
// nothing changes.
absl::Status ReorganizeWithin(ReorganizationWork& work, const v1::ReorganizationStep& step,
                              const StepPath& at);

}  // namespace gonghui::membership
