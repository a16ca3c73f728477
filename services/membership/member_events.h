// What was recorded of members beside their memberships.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "gonghui/membership/v1/member_history.pb.h"

namespace gonghui::membership {

// A membership kept without dues and vote over [from, to).
struct Retention {
  std::string from;
  std::string to;
  std::string reason;
};

absl::Status AddRetention(sql::Tx& tx, const std::string& federation, const std::string& member_id,
                          const Retention& ended);
// Those that ended, in order.
absl::StatusOr<std::vector<Retention>> FindRetentions(sql::Tx& tx, const std::string& federation,
                                                      const std::string& member_id);

// Keeps the event with the call's actor and the present time.
absl::Status AddMemberEvent(sql::Tx& tx, const rpc::Call& call, const std::string& member_id,
                            v1::MemberEvent event);
// In the order of recording.
absl::StatusOr<std::vector<v1::MemberEvent>> FindMemberEvents(sql::Tx& tx,
                                                              const std::string& federation,
                                                              const std::string& member_id);

}  // namespace gonghui::membership
