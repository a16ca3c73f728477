// What becomes of the cards of a member who is merged into another, and back.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "gonghui/feed/v1/feed.pb.h"
#include "nlohmann/json.hpp"
#include "services/membership/member_edit.h"

namespace gonghui::membership {

// Gives the live cards of the absorbed member to the survivor; one of a kind that the survivor
// holds already, or of a survivor who is no active member, is cancelled. Runs after the survivor
// was written and before the absorbed member is. Answers what GiveCardsBack takes.
absl::StatusOr<nlohmann::json> CarryCards(sql::Tx& tx, const rpc::Call& call,
                                          const common::v1::Kind& kind, const MemberEdit& survivor,
                                          const std::string& absorbed_id, feed::v1::Event& event);

// Takes that back. REVERT_BLOCKED where one of the cards was changed since. Runs before the two
// members are written.
absl::Status GiveCardsBack(sql::Tx& tx, const std::string& federation, const common::v1::Kind& kind,
                           const nlohmann::json& carried, feed::v1::Event& event);

}  // namespace gonghui::membership
