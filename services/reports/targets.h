// Targets: what a unit is to reach in a period.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "gonghui/reports/v1/target.pb.h"
#include "services/reports/target_rows.h"

namespace gonghui::reports {

// Thread-safe.
class Targets {
 public:
  explicit Targets(TargetOptions options) : options_(options) {}

  // Faults are listed in the answer, and then nothing was written: what is wrong with the item,
  // NOT_FOUND for an organisation that does not stand at the period's end, OUT_OF_SCOPE,
  // DUPLICATE_IN_REQUEST, ETAG_MISMATCH, STATE_FORBIDS (signed letter), TARGET_MISMATCH.
  absl::StatusOr<v1::SetTargetsResponse> Set(rpc::Call& call, const v1::SetTargetsRequest& request);
  absl::StatusOr<v1::Target> Get(rpc::Call& call, const v1::GetTargetRequest& request);
  absl::StatusOr<v1::ListTargetsResponse> List(rpc::Call& call,
                                               const v1::ListTargetsRequest& request);
  absl::StatusOr<v1::ListTargetChangesResponse> ListChanges(
      rpc::Call& call, const v1::ListTargetChangesRequest& request);
  // STATE_FORBIDS for a target of a signed letter, one that is split, and a part of another.
  absl::StatusOr<v1::Target> Delete(rpc::Call& call, const v1::DeleteTargetRequest& request);

 private:
  // The item as it is to be stored, as far as it can be told without the database.
  absl::StatusOr<v1::Target> Prepare(const rpc::Call& call, const v1::Target& item) const;
  // Judges all items; the answer holds the targets to come, or the failures.
  absl::StatusOr<v1::SetTargetsResponse> Judge(sql::Tx& tx, const rpc::Call& call,
                                               const v1::SetTargetsRequest& request,
                                               bool write) const;

  const TargetOptions options_;
};

}  // namespace gonghui::reports
