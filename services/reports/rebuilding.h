// Makes all cells of a federation anew from its facts.
#pragma once

#include "absl/status/statusor.h"
#include "common/rpc/jobs.h"
#include "common/sql/sql.h"
#include "common/tree/tree_cache.h"
#include "gonghui/reports/v1/checkpoint.pb.h"
#include "gonghui/reports/v1/report.pb.h"
#include "services/reports/measures.h"

namespace gonghui::reports {

// Makes all cells within one transaction, for a catalogue by which the old ones are wrong.
absl::Status Rebuild(sql::Tx& tx, const std::string& tenant, const Measures& measures,
                     tree::TreeCache& tree);

// The work of RebuildRollups: the old cells go on answering. The cells are made beside those that
// answer, from the facts that were there at the start; what is taken over meanwhile goes into both.
// At the end only cells that differ are replaced, run by run: until then both get every change, so
// they agree where they were made equal. Goes on where it was after a restart; begins
// again when the tree or the catalogue changes under it. Memory: the facts of one step and their
// cells, whatever the size of the federation. Thread-safe.
class Rebuilding {
 public:
  struct Options {
    sql::Database* db = nullptr;
    const Measures* measures = nullptr;
    tree::TreeCache* tree = nullptr;
  };
  explicit Rebuilding(Options options) : options_(options) {}

  absl::StatusOr<v1::RebuildRollupsResult> Rebuild(rpc::JobRun& run,
                                                   const v1::RebuildRollupsRequest& request);

 private:
  // One step; false when it was the last.
  absl::StatusOr<bool> Advance(sql::Tx& tx, const std::string& tenant, v1::RebuildCheckpoint& place,
                               rpc::JobProgress& progress) const;

  const Options options_;
};

}  // namespace gonghui::reports
