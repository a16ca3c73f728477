#include "common/records/record_board.h"

#include <algorithm>
#include <map>
#include <unordered_set>
#include <utility>

#include "absl/time/civil_time.h"
#include "common/base/date.h"

namespace gonghui::records {
namespace {

using common::v1::BoardRow;
using common::v1::Kind;
using common::v1::State;

// After all names of tiers: the row of all of them.
constexpr std::string_view kAll = "\xff";

// The day up to which a due date lies within so many months of `on_date`.
std::string Horizon(const std::string& on_date, int months) {
  const auto day = ParseDate(on_date);
  if (!day.ok()) return on_date;
  const absl::CivilMonth month = absl::CivilMonth(*day) + months;
  const absl::CivilDay last = absl::CivilDay(month + 1) - 1;
  return FormatDate(std::min(absl::CivilDay(month) + (day->day() - 1), last));
}

class Board {
 public:
  Board(const Kind& kind, const std::string& on_date) : kind_(kind), on_date_(on_date) {
    for (int i = 0; i < kind.states_size(); ++i) {
      std::vector<int> months(kind.states(i).alert_months().begin(),
                              kind.states(i).alert_months().end());
      std::sort(months.begin(), months.end());
      auto& horizons = horizons_.emplace_back();
      for (int one : months) horizons.emplace_back(one, Horizon(on_date, one));
    }
    if (kind.states().empty()) horizons_.emplace_back();
  }

  void Add(const std::string& tier, const Standing& standing) {
    int state = 0;
    while (state < kind_.states_size() && kind_.states(state).name() != standing.state) ++state;
    if (state == kind_.states_size() && state > 0) return;  // Of an older catalogue.
    BoardRow& row = rows_[{tier, state}];
    const int count = static_cast<int>(standing.count);
    row.set_count(row.count() + count);
    if (standing.due_date.empty()) return;
    if (standing.due_date < on_date_) {
      row.set_overdue(row.overdue() + count);
      return;
    }
    const auto& horizons = horizons_[state];
    for (size_t i = 0; i < horizons.size(); ++i) {
      if (standing.due_date > horizons[i].second) continue;
      while (row.alerts_size() < static_cast<int>(horizons.size())) {
        const int months = horizons[row.alerts_size()].first;
        row.add_alerts()->set_months(months);
      }
      auto& alert = *row.mutable_alerts(static_cast<int>(i));
      alert.set_count(alert.count() + count);
      return;
    }
  }

  common::v1::GetBoardResponse Answer() {
    common::v1::GetBoardResponse answer;
    answer.set_on_date(on_date_);
    for (auto& [place, row] : rows_) {
      if (place.first != kAll) row.set_tier(place.first);
      if (!kind_.states().empty()) {
        const State& state = kind_.states(place.second);
        row.set_state(state.name());
        *row.mutable_label() = state.label();
        row.set_final(state.final());
      }
      *answer.add_rows() = std::move(row);
    }
    return answer;
  }

 private:
  const Kind& kind_;
  const std::string on_date_;
  std::vector<std::vector<std::pair<int, std::string>>> horizons_;  // By state: months, last day.
  std::map<std::pair<std::string, int>, BoardRow> rows_;            // By tier and state.
};

}  // namespace

common::v1::GetBoardResponse BoardOf(const Kind& kind, const std::vector<Standing>& standings,
                                     const std::vector<std::string>& organizations,
                                     const tree::OrganizationTree& tree,
                                     const std::string& on_date) {
  const std::unordered_set<std::string> counted(organizations.begin(), organizations.end());
  Board board(kind, on_date);
  for (const Standing& standing : standings) {
    if (!counted.empty() && !counted.contains(standing.organization)) continue;
    const auto* version = tree.Find(standing.organization, on_date);
    if (version != nullptr) board.Add(version->kind, standing);
    board.Add(std::string(kAll), standing);
  }
  return board.Answer();
}

}  // namespace gonghui::records
