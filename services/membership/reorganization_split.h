// Splitting an organisation, and what splits and mergers share.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gonghui/membership/v1/reorganization.pb.h"
#include "services/membership/reorganization_steps.h"

namespace gonghui::membership {

// The life of an organisation that exists on the day. NOT_FOUND at `field`.
absl::StatusOr<Life> LifeOf(Reorganizing& work, const std::string& id, const std::string& day,
                            std::string field, const StepPath& at);
// Whether the organisation can close on the day: it exists, is open and not the
// topmost.
absl::Status CheckSource(Reorganizing& work, const std::string& id, const std::string& day,
                         std::string field, const StepPath& at);
// Whether the organisation can take in members and children: it is open from
// the day on.
absl::Status CheckTarget(Reorganizing& work, const std::string& id, const std::string& day,
                         std::string field, const StepPath& at);
// Puts what stands below `from` in the days since `day` (or since it was first
// open) below `to`.
absl::Status Rehang(TreeWrite& tree, const std::string& id, const std::string& from,
                    const std::string& to, const std::string& day);

absl::Status Split(Reorganizing& work, const v1::SplitStep& step, const StepPath& at,
                   Faults& faults);

}  // namespace gonghui::membership
