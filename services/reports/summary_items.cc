#include "services/reports/summary_items.h"

#include <algorithm>
#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::reports {
namespace {

constexpr std::string_view kService = "/gonghui.activities.v1.ActivityService/";
constexpr std::string_view kKind = "plan_item";
constexpr std::string_view kDropped = "dropped";
constexpr int kPage = 1000;

std::string FieldOf(const common::v1::Record& record, const std::string& name) {
  const auto found = record.fields().find(name);
  return found == record.fields().end() ? "" : found->second;
}

// The title as it stands in a sentence: one line, and the text adds the full stop.
std::string TextOf(const common::v1::Record& record) {
  std::string_view text = Strip(record.title());
  constexpr std::string_view kStop = "。";
  while (text.ends_with(kStop)) text.remove_suffix(kStop.size());
  std::string line(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return line;
}

}  // namespace

DaySpan DaysAfter(const Period& period) {
  const auto month = [](std::string_view text) {
    int year = 0;
    int number = 0;
    ParseInteger(text.substr(0, 4), &year);
    ParseInteger(text.substr(5, 2), &number);
    return absl::CivilMonth(year, number);
  };
  const absl::CivilMonth first = month(period.last_month) + 1;
  const absl::CivilMonth end = first + (first - month(period.first_month));
  return {FormatDate(absl::CivilDay(first)), FormatDate(absl::CivilDay(end) - 1)};
}

absl::StatusOr<std::vector<SummaryItem>> SummaryItems::List(const rpc::Call& call,
                                                            const std::string& organization,
                                                            const v1::PlanItems& wanted,
                                                            const Period& period) const {
  common::v1::ListRecordsRequest request;
  request.set_parent("federations/" + call.federation);
  request.set_kind(std::string(kKind));
  request.set_organization(organization);
  const DaySpan days =
      wanted.dated() == "next" ? DaysAfter(period) : DaySpan{period.first_day, period.last_day};
  request.set_from_date(days.first);
  request.set_to_date(days.last);
  request.set_page_size(kPage);
  std::vector<SummaryItem> items;
  do {
    ASSIGN_OR_RETURN(auto page, activities_->InvokeFor<common::v1::ListRecordsResponse>(
                                    call, StrCat(kService, "ListRecords"), request));
    for (const common::v1::Record& record : page.records()) {
      const bool wanted_here = record.organization() == organization && !record.cancelled() &&
                               record.state() != kDropped &&
                               FieldOf(record, "item_type") == wanted.item_type();
      if (!wanted_here) continue;
      items.push_back({record.name(), gonghui::reports::TextOf(record), FieldOf(record, "owner"),
                       FieldOf(record, "due_on")});
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  std::reverse(items.begin(), items.end());  // They come newest first.
  return items;
}

absl::StatusOr<std::string> SummaryItems::TextOf(const rpc::Call& call,
                                                 const std::string& record) const {
  common::v1::GetRecordRequest request;
  request.set_name(record);
  ASSIGN_OR_RETURN(const auto found, activities_->InvokeFor<common::v1::Record>(
                                         call, StrCat(kService, "GetRecord"), request));
  return gonghui::reports::TextOf(found);
}

}  // namespace gonghui::reports
