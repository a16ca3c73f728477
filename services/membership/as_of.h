// Members as the register stands on some day.
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

// A member as a list shows it.
struct ListedMember {
  MemberRow row;    // As it is now.
  v1::Member view;  // As it is shown, numbers masked.
};

// After this member a list goes on.
struct ListPlace {
  std::string organization;
  std::string id;
};

// Appends those who were members of the organisations (sorted) on the day, in a state (active,
// retained or all), by organisation and id. Looks at `limit` members and moves the place to the
// last; whether there are more.
absl::StatusOr<bool> ListMembersOn(sql::Tx& tx, const MemberStore& store,
                                   const std::string& federation,
                                   absl::Span<const std::string> organizations,
                                   const std::string& day, const std::string& state, size_t limit,
                                   ListPlace& place, std::vector<ListedMember>& members);

// What is said where as_of is asked for together with something that does not go with it.
absl::Status AsOfStandsAlone();

}  // namespace gonghui::membership
