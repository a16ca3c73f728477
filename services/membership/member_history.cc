#include "services/membership/member_history.h"

#include <algorithm>

#include "common/base/resource_name.h"
#include "common/base/text.h"
#include "common/rpc/page.h"

namespace gonghui::membership {
namespace {

using v1::MemberEvent;

void Add(std::vector<MemberEvent>& events, v1::MemberEventKind kind, const std::string& on_date,
         const std::string& organization, const std::string& reason = "") {
  MemberEvent& event = events.emplace_back();
  event.set_kind(kind);
  event.set_on_date(on_date);
  event.set_organization(organization);
  event.set_reason(reason);
}

// What the memberships and retentions tell: it holds whoever recorded it.
std::vector<MemberEvent> EventsOf(const MemberRow& row,
                                  const std::vector<PastMembership>& memberships,
                                  const std::vector<Retention>& retentions) {
  std::vector<MemberEvent> events;
  for (size_t i = 0; i < memberships.size(); ++i) {
    const PastMembership& m = memberships[i];
    const std::string carried =
        i > 0 && CarriesOn(memberships[i - 1].leave_reason) ? memberships[i - 1].leave_reason : "";
    const v1::MemberEventKind began = carried.empty()        ? v1::MEMBER_EVENT_KIND_JOINED
                                      : carried == kTransfer ? v1::MEMBER_EVENT_KIND_TRANSFERRED
                                                             : v1::MEMBER_EVENT_KIND_REORGANISED;
    Add(events, began, m.joined_on, m.organization);
    if (!carried.empty()) events.back().set_from_organization(memberships[i - 1].organization);
    if (!m.left_on.empty() && !CarriesOn(m.leave_reason)) {
      Add(events, v1::MEMBER_EVENT_KIND_LEFT, m.left_on, m.organization, m.leave_reason);
    }
  }
  const auto organization_on = [&](const std::string& day) {
    std::string organization;
    for (const PastMembership& m : memberships) {
      if (m.joined_on <= day) organization = m.organization;
    }
    return organization;
  };
  for (const Retention& ended : retentions) {
    Add(events, v1::MEMBER_EVENT_KIND_RETAINED, ended.from, organization_on(ended.from),
        ended.reason);
    Add(events, v1::MEMBER_EVENT_KIND_RESUMED, ended.to, organization_on(ended.to));
  }
  const std::string& retained_from = row.member.retained_from();
  if (!retained_from.empty()) {
    Add(events, v1::MEMBER_EVENT_KIND_RETAINED, retained_from, organization_on(retained_from),
        row.retain_reason);
  }
  return events;
}

// Adds who recorded each event, when and why, and what else was recorded.
void AddRecorded(const MemberRow& row, const std::vector<MemberEvent>& recorded,
                 std::vector<MemberEvent>& events) {
  for (const MemberEvent& record : recorded) {
    const auto same = [&](const MemberEvent& event) {
      return event.kind() == record.kind() && event.on_date() == record.on_date();
    };
    const auto told = std::find_if(events.begin(), events.end(), same);
    if (told != events.end()) {
      told->set_reason(record.reason());
      told->set_document(record.document());
      told->set_actor(record.actor());
      told->set_record_time_us(record.record_time_us());
      told->set_related(record.related());
    } else if (record.kind() == v1::MEMBER_EVENT_KIND_CORRECTED ||
               record.kind() == v1::MEMBER_EVENT_KIND_MERGED ||
               record.kind() == v1::MEMBER_EVENT_KIND_UNMERGED) {
      events.push_back(record);
    }
  }
  if (!events.empty() && events[0].record_time_us() == 0) {
    events[0].set_actor(row.created_by);
    events[0].set_record_time_us(row.member.create_time_us());
  }
}

}  // namespace

absl::StatusOr<v1::ListMemberEventsResponse> MemberHistory::ListEvents(
    rpc::Call& call, const v1::ListMemberEventsRequest& request) {
  const std::string id(LeafOf(request.parent()));
  ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const std::vector<std::string> after,
                   rpc::ReadPageToken(request, request.page_token(), 1));
  size_t first = 0;
  if (!after.empty() && !ParseInteger(after[0], &first)) return rpc::DamagedPageToken();
  std::optional<MemberRow> row;
  std::vector<PastMembership> past;
  std::vector<Retention> retentions;
  std::vector<MemberEvent> recorded;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(row, register_.store.Find(tx, call.federation, id));
    ASSIGN_OR_RETURN(past, register_.store.FindPast(tx, call.federation, id));
    ASSIGN_OR_RETURN(retentions, FindRetentions(tx, call.federation, id));
    ASSIGN_OR_RETURN(recorded, FindMemberEvents(tx, call.federation, id));
    return absl::OkStatus();
  }));
  if (!row.has_value()) return UnknownMember(id, "parent");
  RETURN_IF_ERROR(call.CheckScope(row->member.organization()));
  std::vector<MemberEvent> events;
  if (row->member.state() != kMerged) {
    events = EventsOf(*row, MembershipsOf(*row, past), retentions);
  }
  AddRecorded(*row, recorded, events);
  std::stable_sort(events.begin(), events.end(), [](const MemberEvent& a, const MemberEvent& b) {
    return a.on_date() < b.on_date();
  });
  v1::ListMemberEventsResponse response;
  const size_t end = std::min(events.size(), first + static_cast<size_t>(page_size));
  for (size_t i = first; i < end; ++i) *response.add_events() = std::move(events[i]);
  if (end < events.size()) {
    response.set_next_page_token(rpc::MakePageToken(request, {StrCat(end)}));
  }
  return response;
}

}  // namespace gonghui::membership
