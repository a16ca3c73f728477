// Recounts every cell from the facts and the organisation tree.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/ops/metrics.h"
#include "common/rpc/jobs.h"
#include "common/sql/sql.h"
#include "common/tree/tree_cache.h"
#include "gonghui/reports/v1/report.pb.h"
#include "services/reports/measures.h"

namespace gonghui::reports {

// The work of VerifyRollups. Thread-safe.
class Verification {
 public:
  struct Options {
    sql::Database* db = nullptr;
    const Measures* measures = nullptr;
    tree::TreeCache* tree = nullptr;
  };
  explicit Verification(Options options) : options_(options) {}

  // Reads one snapshot, counted on all processors while it is read. Goes by the tree itself; a
  // change of the tree that the follower has not taken over yet is waited for up to a few seconds.
  // Memory: one number an organisation, and the cells of those that differ, one at a time.
  absl::StatusOr<v1::VerifyRollupsResult> Verify(rpc::JobRun& run,
                                                 const v1::VerifyRollupsRequest& request);

 private:
  const Options options_;
  const ops::Gauge divergent_{"gonghui_reports_divergent_cells",
                              "Cells that differed from their facts when last verified"};
};

}  // namespace gonghui::reports
