// Which figures a planned reorganisation will change.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "common/rpc/client.h"
#include "common/sql/sql.h"
#include "common/tree/tree_cache.h"
#include "gonghui/membership/v1/reorganization.pb.h"
#include "gonghui/reports/v1/report.pb.h"
#include "services/reports/basis.h"
#include "services/reports/measures.h"

namespace gonghui::reports {

// The figures that differ once these effects are there, of organisations within the caller's
// rights; by the catalogue's order of measures, then organisation, then period. `as_is` is
// resolved: its tree is the one before. Without periods as in Preview::Get.
absl::StatusOr<std::vector<v1::FigureChange>> ChangesBy(
    sql::Tx& tx, const rpc::Call& call, const Measures& measures, const Basis& as_is,
    const membership::v1::ListReorganizationEffectsResponse& effects,
    const std::vector<const v1::Measure*>& asked, const std::vector<Period>& periods);

// Thread-safe.
class Preview {
 public:
  struct Options {
    sql::Database* db = nullptr;
    const Measures* measures = nullptr;
    tree::TreeCache* tree = nullptr;
    const rpc::Client* membership = nullptr;
  };
  explicit Preview(Options options) : options_(options) {}

  // Totals by the tree as it is today, of the organisations within the caller's rights. Without
  // periods: of measures that add up over time each month of theirs, of balances each month until
  // the present one. Computed anew for every page. STATE_FORBIDS unless it is a plan.
  absl::StatusOr<v1::PreviewReorganizationResponse> Get(
      rpc::Call& call, const v1::PreviewReorganizationRequest& request);

 private:
  absl::StatusOr<membership::v1::ListReorganizationEffectsResponse> Effects(
      const rpc::Call& call, const std::string& name) const;

  const Options options_;
};

}  // namespace gonghui::reports
