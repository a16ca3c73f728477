// Splitting: a unit's target handed down to the units directly below it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "gonghui/reports/v1/target.pb.h"
#include "services/reports/target_rows.h"

namespace gonghui::reports {

// Thread-safe.
class TargetSplits {
 public:
  explicit TargetSplits(TargetOptions options) : options_(options) {}

  // STATE_FORBIDS where nothing lies below, where all figures to share by are zero, and where the
  // caller may not see one of them.
  absl::StatusOr<v1::ProposeSplitResponse> Propose(rpc::Call& call,
                                                   const v1::ProposeSplitRequest& request);
  // FIELD_INVALID for a part of a unit that is not directly below at the period's end,
  // DUPLICATE_IN_REQUEST, TARGET_MISMATCH, STATE_FORBIDS for a signed letter below or a part that
  // is split itself and would be taken back. Of several faults one error tells all: reason and
  // field are those of the first.
  absl::StatusOr<v1::SplitTargetResponse> Split(rpc::Call& call,
                                                const v1::SplitTargetRequest& request);

 private:
  struct Whole {
    v1::Target target;
    const v1::Measure* measure = nullptr;
    Period period;
    std::vector<std::string> children;  // At the period's end, by id.
  };
  // The target of a name, of an organisation where the caller holds the right.
  absl::StatusOr<Whole> Load(sql::Tx& tx, const rpc::Call& call, const std::string& name) const;
  // What each child's part is in proportion to.
  absl::StatusOr<std::vector<v1::Figure>> Bases(sql::Tx& tx, const rpc::Call& call,
                                                const Whole& whole, v1::SplitMethod method) const;
  // The parts as targets, unstored, by organisation; without those that are at fault.
  std::vector<v1::Target> Read(const Whole& whole, const v1::SplitTargetRequest& request,
                               std::vector<absl::Status>& faults) const;

  const TargetOptions options_;
};

}  // namespace gonghui::reports
