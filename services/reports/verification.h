// Recounts every cell from the facts and the organisation tree.
#pragma once

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "common/tree/tree_cache.h"
#include "gonghui/reports/v1/report.pb.h"
#include "services/reports/measures.h"

namespace gonghui::reports {

// Thread-safe.
class Verification {
 public:
  struct Options {
    sql::Database* db = nullptr;
    const Measures* measures = nullptr;
    tree::TreeCache* tree = nullptr;
  };
  explicit Verification(Options options) : options_(options) {}

  // Needs the right at the whole federation. Goes by the tree itself; a change of the tree that the
  // follower has not taken over yet is waited for up to a few seconds. Memory: the cells of one
  // organisation.
  absl::StatusOr<v1::VerifyRollupsResponse> Verify(rpc::Call& call,
                                                   const v1::VerifyRollupsRequest& request);

 private:
  const Options options_;
};

}  // namespace gonghui::reports
