// A member as the register stands on some day.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "gonghui/membership/v1/member.pb.h"
#include "services/membership/member_events.h"
#include "services/membership/member_rows.h"

namespace gonghui::membership {

// Organisation, dates and state by the memberships of that day, everything else as in the row;
// numbers masked. Empty before the first joining, and of a record merged into another.
std::optional<v1::Member> MemberAsOf(const std::string& federation, const MemberRow& row,
                                     absl::Span<const PastMembership> past,
                                     absl::Span<const Retention> retentions, std::string_view day);

}  // namespace gonghui::membership
