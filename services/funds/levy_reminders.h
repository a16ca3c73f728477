// Notices of arrears.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "gonghui/funds/v1/levy.pb.h"
#include "services/funds/levies.h"

namespace gonghui::funds {

// Thread-safe.
class LevyReminders {
 public:
  explicit LevyReminders(const Levies& levies) : levies_(levies) {}

  absl::StatusOr<v1::RemindLevyPayersResponse> Remind(rpc::Call& call,
                                                      const v1::RemindLevyPayersRequest& request);
  absl::StatusOr<v1::LevyReminder> Advance(rpc::Call& call,
                                           const v1::AdvanceLevyReminderRequest& request);
  absl::StatusOr<v1::ListLevyRemindersResponse> List(rpc::Call& call,
                                                     const v1::ListLevyRemindersRequest& request);

 private:
  // A reminder for each overdue obligation without an open one.
  absl::StatusOr<v1::RemindLevyPayersResponse> FindDue(const rpc::Call& call, sql::Tx& tx,
                                                       const v1::RemindLevyPayersRequest& request,
                                                       const tree::OrganizationTree& tree,
                                                       const std::vector<std::string>& below) const;

  const Levies levies_;
};

}  // namespace gonghui::funds
