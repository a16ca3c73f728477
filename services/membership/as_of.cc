#include "services/membership/as_of.h"

#include <algorithm>

namespace gonghui::membership {

std::optional<v1::Member> MemberAsOf(const std::string& federation, const MemberRow& row,
                                     absl::Span<const PastMembership> past,
                                     absl::Span<const Retention> retentions, std::string_view day) {
  if (row.member.state() == kMerged) return std::nullopt;
  const std::vector<PastMembership> all = MembershipsOf(row, past);
  const auto after = std::find_if(all.begin(), all.end(),
                                  [&](const PastMembership& m) { return m.joined_on > day; });
  if (after == all.begin()) return std::nullopt;
  const PastMembership& then = *(after - 1);
  v1::Member view = MaskedView(federation, row);
  view.set_organization(then.organization);
  view.set_joined_on(then.joined_on);
  view.set_seniority_from(std::min(view.seniority_from(), then.joined_on));
  view.clear_left_on();
  view.clear_leave_reason();
  view.clear_retained_from();
  view.set_state("active");
  if (!then.left_on.empty() && then.left_on <= day) {
    view.set_state("left");
    view.set_left_on(then.left_on);
    view.set_leave_reason(then.leave_reason);
    return view;
  }
  const auto retain = [&](const std::string& from, std::string_view to) {
    if (from.empty() || from > day || (!to.empty() && to <= day)) return;
    view.set_state("retained");
    view.set_retained_from(from);
  };
  retain(row.member.retained_from(), "");
  for (const Retention& ended : retentions) retain(ended.from, ended.to);
  return view;
}

}  // namespace gonghui::membership
