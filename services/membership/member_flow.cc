// How the number of members of a subtree went from one day to another.
//
// A person is in on a day when a membership covers it in an organisation that lies in the subtree
// on that day. Each membership adds, within the period: one where it begins in an organisation that
// is in; minus one where it ends in one that was in on its last day; and one either way where its
// organisation comes into the subtree or goes out of it in between. These add up to the change
// whatever the memberships are, so the flow balances; the kinds of the ends only sort them.

#include <algorithm>
#include <set>
#include <utility>

#include "absl/time/civil_time.h"
#include "common/base/date.h"
#include "common/base/text.h"
#include "services/membership/member_history.h"
#include "services/membership/organization_rules.h"

namespace gonghui::membership {
namespace {

constexpr sql::Query kOnDay{
    "membership.count_members_on",
    "SELECT COUNT(*) FROM members WHERE tenant=$1 AND organization=$2 AND joined_on<=$3 AND "
    "(left_on='' OR left_on>$3) UNION ALL SELECT COUNT(*) FROM past_memberships WHERE tenant=$1 "
    "AND organization=$2 AND joined_on<=$3 AND left_on>$3"};
// Of the members on a day those who were so the day before.
constexpr sql::Query kOverDay{
    "membership.count_members_over",
    "SELECT COUNT(*) FROM members WHERE tenant=$1 AND organization=$2 AND joined_on<$3 AND "
    "(left_on='' OR left_on>$3) UNION ALL SELECT COUNT(*) FROM past_memberships WHERE tenant=$1 "
    "AND organization=$2 AND joined_on<$3 AND left_on>$3"};
// Days on which an organisation changed its place in the tree; a founding moves nobody.
constexpr sql::Query kMoves{
    "membership.days_of_moves",
    "SELECT DISTINCT later.valid_from FROM organization_versions later JOIN "
    "organization_versions earlier ON earlier.tenant=later.tenant AND earlier.id=later.id AND "
    "earlier.valid_to=later.valid_from AND earlier.recorded_to_us=later.recorded_to_us AND "
    "earlier.parent<>later.parent WHERE later.tenant=$1 AND later.valid_from>=$2 AND "
    "later.valid_from<=$3 AND later.recorded_to_us=9223372036854775807"};
// Memberships that begin or end in the period, each with the one before it.
#define FLOW_COLUMNS                                                                      \
  "m.organization, m.joined_on, m.left_on, m.leave_reason, p.organization, p.joined_on, " \
  "p.left_on, p.leave_reason"
constexpr sql::Query kEdges{
    "membership.flow_of_members",
    "SELECT " FLOW_COLUMNS
    " FROM members m LEFT JOIN past_memberships p ON p.tenant=m.tenant AND "
    "p.member_id=m.member_id AND p.seq=(SELECT MAX(q.seq) FROM past_memberships q WHERE "
    "q.tenant=m.tenant AND q.member_id=m.member_id) WHERE m.tenant=$1 AND m.organization=$2 AND "
    "((m.joined_on>=$3 AND m.joined_on<=$4) OR (m.left_on>=$3 AND m.left_on<=$4))"};
constexpr sql::Query kPastEdges{
    "membership.flow_of_past_memberships",
    "SELECT " FLOW_COLUMNS
    " FROM past_memberships m LEFT JOIN past_memberships p ON p.tenant=m.tenant AND "
    "p.member_id=m.member_id AND p.seq=m.seq-1 WHERE m.tenant=$1 AND m.organization=$2 AND "
    "((m.joined_on>=$3 AND m.joined_on<=$4) OR (m.left_on>=$3 AND m.left_on<=$4))"};

std::string DayBefore(const std::string& day) {
  const absl::StatusOr<absl::CivilDay> parsed = ParseDate(day);
  return FormatDate(parsed.ok() ? *parsed - 1 : absl::CivilDay());
}

// The rows of the first column, added up.
absl::StatusOr<int64_t> Count(sql::Tx& tx, const sql::Query& query, const std::string& federation,
                              const std::string& organization, const std::string& day) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(query, {federation, organization, day}));
  int64_t sum = 0;
  for (size_t i = 0; i < rows.size(); ++i) sum += rows[i].Get<int64_t>(0);
  return sum;
}

// Adds up the flow of one subtree over one period, within one transaction.
class FlowCount {
 public:
  FlowCount(sql::Tx& tx, const tree::OrganizationTree& tree, std::string federation,
            v1::MemberFlow& flow)
      : tx_(tx), tree_(tree), federation_(std::move(federation)), flow_(flow) {}

  absl::Status Run() {
    RETURN_IF_ERROR(FindOrganizations());
    for (const std::string& organization : organizations_) {
      RETURN_IF_ERROR(CountDays(organization));
      RETURN_IF_ERROR(CountEdges(kEdges, organization));
      RETURN_IF_ERROR(CountEdges(kPastEdges, organization));
    }
    return absl::OkStatus();
  }

 private:
  // All that lie in the subtree on some day.
  absl::Status FindOrganizations() {
    ASSIGN_OR_RETURN(const sql::Rows rows,
                     tx_.Run(kMoves, {federation_, flow_.first_day(), flow_.last_day()}));
    for (size_t i = 0; i < rows.size(); ++i) moves_.push_back(rows[i].Get<std::string>(0));
    std::vector<std::string> days = moves_;
    days.push_back(DayBefore(flow_.first_day()));
    days.push_back(DayBefore(std::string(kForever)));  // Founded later, with earlier members.
    for (const std::string& day : days) {
      const std::vector<std::string> below = tree_.Subtree(flow_.organization(), day);
      organizations_.insert(below.begin(), below.end());
    }
    return absl::OkStatus();
  }

  bool Holds(const std::string& organization, const std::string& day) const {
    return organizations_.contains(organization) &&
           tree_.IsAtOrBelow(organization, flow_.organization(), day);
  }
  bool InPeriod(const std::string& day) const {
    return day >= flow_.first_day() && day <= flow_.last_day();
  }

  absl::Status CountDays(const std::string& organization) {
    const std::string eve = DayBefore(flow_.first_day());
    const auto count = [&](const sql::Query& query, const std::string& day) {
      return Count(tx_, query, federation_, organization, day);
    };
    if (Holds(organization, eve)) {
      ASSIGN_OR_RETURN(const int64_t members, count(kOnDay, eve));
      flow_.set_opening(flow_.opening() + members);
    }
    if (Holds(organization, flow_.last_day())) {
      ASSIGN_OR_RETURN(const int64_t members, count(kOnDay, flow_.last_day()));
      flow_.set_closing(flow_.closing() + members);
    }
    for (const std::string& day : moves_) {
      const bool before = Holds(organization, DayBefore(day));
      const bool after = Holds(organization, day);
      if (before == after) continue;
      ASSIGN_OR_RETURN(const int64_t members, count(kOverDay, day));
      if (after) flow_.set_carried_in(flow_.carried_in() + members);
      if (before) flow_.set_carried_out(flow_.carried_out() + members);
    }
    return absl::OkStatus();
  }

  // Whether a membership of the subtree ended, by its last day.
  bool EndsIn(const PastMembership& m) const {
    return InPeriod(m.left_on) &&
           Holds(m.organization, std::max(m.joined_on, DayBefore(m.left_on)));
  }

  absl::Status CountEdges(const sql::Query& query, const std::string& organization) {
    return tx_.Stream(
        query, {federation_, organization, flow_.first_day(), flow_.last_day()},
        [&](const sql::Rows::Row& row) -> absl::Status {
          const auto text = [&](size_t column) {
            return row.IsNull(column) ? std::string() : row.Get<std::string>(column);
          };
          CountEdge({text(0), text(1), text(2), text(3)}, {text(4), text(5), text(6), text(7)});
          return absl::OkStatus();
        });
  }

  void CountEdge(const PastMembership& m, const PastMembership& before) {
    if (InPeriod(m.joined_on) && Holds(m.organization, m.joined_on)) {
      const bool carried = CarriesOn(before.leave_reason) && before.left_on == m.joined_on;
      const bool transferred = carried && before.leave_reason == kTransfer;
      if (!carried) {
        flow_.set_joined(flow_.joined() + 1);
      } else if (!EndsIn(before)) {
        AddCarried(transferred, 1, 0);
      } else if (transferred) {
        flow_.set_transferred_within(flow_.transferred_within() + 1);
      }
      // Both ends lie in the subtree: the other one counts itself below.
      if (carried && EndsIn(before)) AddCarried(transferred, 0, -1);
    }
    if (!m.left_on.empty() && EndsIn(m)) {
      if (CarriesOn(m.leave_reason)) {
        AddCarried(m.leave_reason == kTransfer, 0, 1);
      } else {
        flow_.set_left(flow_.left() + 1);
      }
    }
  }

  void AddCarried(bool transferred, int64_t in, int64_t out) {
    if (transferred) {
      flow_.set_transferred_in(flow_.transferred_in() + in);
      flow_.set_transferred_out(flow_.transferred_out() + out);
    } else {
      flow_.set_carried_in(flow_.carried_in() + in);
      flow_.set_carried_out(flow_.carried_out() + out);
    }
  }

  sql::Tx& tx_;
  const tree::OrganizationTree& tree_;
  const std::string federation_;
  v1::MemberFlow& flow_;
  std::set<std::string> organizations_;
  std::vector<std::string>
      moves_;  // Days in the period on which an organisation changed its place.
};

absl::Status ReadPeriod(const v1::GetMemberFlowRequest& request, v1::MemberFlow& flow) {
  if (!request.period().empty()) {
    ASSIGN_OR_RETURN(const Period period, ParsePeriod(request.period()));
    flow.set_first_day(period.first_day);
    flow.set_last_day(period.last_day);
    return absl::OkStatus();
  }
  if (request.first_day().empty() || request.last_day().empty()) {
    return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                           "name a period, or its first_day and last_day",
                           "请填 period，或同时填 first_day 和 last_day")
        .At("period");
  }
  if (request.last_day() < request.first_day()) {
    return DateBefore("last_day", request.last_day(), "first day", request.first_day());
  }
  flow.set_first_day(request.first_day());
  flow.set_last_day(request.last_day());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::MemberFlow> MemberHistory::GetFlow(rpc::Call& call,
                                                      const v1::GetMemberFlowRequest& request) {
  v1::MemberFlow asked;
  RETURN_IF_ERROR(ReadPeriod(request, asked));
  ASSIGN_OR_RETURN(const auto tree, tree_.Get(call.federation, request.organization()));
  asked.set_organization(request.organization().empty() ? tree->Root() : request.organization());
  v1::MemberFlow flow;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) {
    flow = asked;
    return FlowCount(tx, *tree, call.federation, flow).Run();
  }));
  return flow;
}

}  // namespace gonghui::membership
