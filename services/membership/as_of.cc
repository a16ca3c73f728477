#include "services/membership/as_of.h"

#include <algorithm>
#include <utility>

#include "common/base/status.h"

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

absl::StatusOr<bool> ListMembersOn(sql::Tx& tx, const MemberStore& store,
                                   const std::string& federation,
                                   absl::Span<const std::string> organizations,
                                   const std::string& day, const std::string& state, size_t limit,
                                   ListPlace& place, std::vector<ListedMember>& members) {
  size_t seen = 0;
  for (const std::string& organization : organizations) {
    if (organization < place.organization) continue;
    ASSIGN_OR_RETURN(std::vector<MemberRow> rows,
                     store.ListOn(tx, federation, organization, day,
                                  organization == place.organization ? place.id : "",
                                  static_cast<int64_t>(limit - seen + 1)));
    for (MemberRow& row : rows) {
      if (seen++ == limit) return true;
      place = {organization, row.id};
      ASSIGN_OR_RETURN(const auto past, store.FindPast(tx, federation, row.id));
      ASSIGN_OR_RETURN(const auto retentions, FindRetentions(tx, federation, row.id));
      std::optional<v1::Member> then = MemberAsOf(federation, row, past, retentions, day);
      if (!then.has_value() || (state != "all" && then->state() != state)) continue;
      members.push_back({std::move(row), *std::move(then)});
    }
  }
  return false;
}

absl::Status AsOfStandsAlone() {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         "as_of lists who was a member on the day: it goes neither with state "
                         "'left' nor with id_number or a filter",
                         "as_of 只列出当日的会员，不能与 state=left、id_number 或筛选同用")
      .At("as_of");
}

}  // namespace gonghui::membership
