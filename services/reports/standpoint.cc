#include "services/reports/standpoint.h"

#include <algorithm>
#include <set>

#include "common/base/date.h"
#include "common/base/status.h"

namespace gonghui::reports {
namespace {

using tree::OrganizationTree;

// From when on the owner is on the path, and from when on it is not.
std::vector<std::pair<std::string, bool>> Presence(const PathHistory& history,
                                                   const std::string& owner) {
  std::vector<std::pair<std::string, bool>> presence;
  for (const PathSpan& span : history) {
    const bool on = IsOn(span.path, owner);
    if (presence.empty() || presence.back().second != on) presence.emplace_back(span.from, on);
  }
  return presence;
}

bool IsEverOn(const PathHistory& history, const std::string& owner) {
  return std::any_of(history.begin(), history.end(),
                     [&](const PathSpan& span) { return IsOn(span.path, owner); });
}

// `standing`, but nothing while `counted` has no path.
void Mask(const PathHistory& counted, const PathHistory& standing, PathHistory& masked) {
  std::set<std::string> days;
  for (const PathHistory* history : {&counted, &standing}) {
    for (const PathSpan& span : *history) days.insert(span.from);
  }
  masked.clear();
  for (const std::string& day : days) {
    PathSpan span{day, {}};
    if (!PathAt(counted, day).empty()) span.path = PathAt(standing, day);
    if (masked.empty() || masked.back().path != span.path) masked.push_back(std::move(span));
  }
}

// The second line of an organisation on a day; before its founding as on its first day.
std::string AffiliationOf(const OrganizationTree& tree, const std::string& id,
                          const std::string& day) {
  const tree::Version* version = tree.Find(id, day);
  if (version != nullptr) return version->affiliated_to;
  for (const tree::Version& first : tree.Versions(id)) {
    if (first.recorded_to_us == tree::kNow) return first.affiliated_to;
  }
  return "";
}

// Days on which the organisation or one above it becomes another; where it is affiliated, those of
// its second line too.
void AddDays(const OrganizationTree& tree, const std::string& id, std::set<std::string>& seen,
             std::set<std::string>& days) {
  if (id.empty() || !seen.insert(id).second) return;
  for (const tree::Version& version : tree.Versions(id)) {
    if (version.recorded_to_us != tree::kNow) continue;
    days.insert(version.valid_from);
    if (version.valid_to != kForever) days.insert(version.valid_to);
    AddDays(tree, version.parent, seen, days);
    AddDays(tree, version.affiliated_to, seen, days);
  }
}

bool IsEverAffiliated(const OrganizationTree& tree, const PathHistory& history) {
  for (const PathSpan& span : history) {
    for (const std::string& id : span.path) {
      for (const tree::Version& version : tree.Versions(id)) {
        if (!version.affiliated_to.empty()) return true;
      }
    }
  }
  return false;
}

}  // namespace

absl::StatusOr<Standpoint> Standpoint::Load(sql::Tx& tx, const std::string& tenant,
                                            const Basis& basis, bool all) {
  Standpoint standpoint(tenant, basis);
  ASSIGN_OR_RETURN(standpoint.coverage_, Coverage::Load(tx, tenant));
  if (basis.IsConstant()) RETURN_IF_ERROR(standpoint.successions_.LoadGraph(tx));
  all = all || basis.line == v1::LINE_AFFILIATED;
  ASSIGN_OR_RETURN(standpoint.placed_,
                   all ? Placements::All(tx, tenant) : Placements::Moved(tx, tenant));
  return standpoint;
}

absl::StatusOr<Standpoint> Standpoint::LoadPlanned(
    sql::Tx& tx, const std::string& tenant, const Basis& basis,
    std::shared_ptr<const OrganizationTree> planned,
    const std::vector<common::v1::Succession>& successions) {
  Basis after = basis;
  after.tree = planned;
  ASSIGN_OR_RETURN(Standpoint standpoint, Load(tx, tenant, after, true));
  for (auto& [organization, history] : standpoint.placed_) {
    // What else changed of late, the cells do not know yet.
    PathHistory then = HistoryOf(*planned, organization);
    if (then != HistoryOf(*basis.tree, organization)) history = std::move(then);
  }
  for (const common::v1::Succession& succession : successions) {
    standpoint.successions_.Apply(succession);
  }
  return standpoint;
}

const std::vector<std::string>& Standpoint::Differing(const std::string& owner) {
  auto [found, fresh] = differing_.try_emplace(owner);
  if (!fresh || basis_.IsDefault()) return found->second;
  for (const auto& [organization, history] : placed_) {
    const auto now = Presence(history, owner);
    for (const std::string& holder : successions_.HoldersOf(organization)) {
      if (Presence(Standing(holder, owner), owner) == now) continue;
      found->second.push_back(organization);
      break;
    }
  }
  return found->second;
}

bool Standpoint::Reaches(const std::string& organization, const std::string& owner) {
  for (const std::string& holder : successions_.HoldersOf(organization)) {
    if (IsEverOn(Standing(holder, owner), owner)) return true;
  }
  return false;
}

const PathHistory& Standpoint::CellPaths(const StoredFact& fact) {
  return coverage_.Restrict(Placed(fact.organization), fact.source, fact.measure, cell_room_);
}

const PathHistory& Standpoint::PathsOf(const StoredFact& fact, const std::string& owner) {
  const PathHistory& counted = CellPaths(fact);
  if (basis_.IsDefault()) return counted;
  const PathHistory& standing = Standing(successions_.HolderOf(fact), owner);
  if (&counted != &cell_room_) return standing;
  Mask(counted, standing, room_);
  return room_;
}

const PathHistory& Standpoint::Placed(const std::string& organization) {
  // One without facts of its own has no placement.
  auto found = placed_.find(organization);
  if (found != placed_.end()) return found->second;
  static const OrganizationTree& none = *new OrganizationTree;
  const OrganizationTree& tree = basis_.tree == nullptr ? none : *basis_.tree;
  return placed_.emplace(organization, HistoryOf(tree, organization)).first->second;
}

const PathHistory& Standpoint::Standing(const std::string& organization, const std::string& owner) {
  const bool second_line = basis_.line == v1::LINE_AFFILIATED && basis_.tree != nullptr;
  const PathHistory& placed = Placed(organization);
  if (!basis_.IsConstant() && !second_line) return placed;
  auto [found, fresh] = standing_.try_emplace({organization, second_line ? owner : std::string()});
  if (!fresh) return found->second;
  found->second = basis_.IsConstant() ? PathHistory{{"", PathAt(placed, basis_.date)}} : placed;
  if (second_line && IsEverAffiliated(*basis_.tree, placed)) {
    found->second = AlongSecondLine(found->second, owner);
  }
  return found->second;
}

PathHistory Standpoint::AlongSecondLine(const PathHistory& primary,
                                        const std::string& owner) const {
  const OrganizationTree& tree = *basis_.tree;
  std::set<std::string> days = {""};
  if (!basis_.IsConstant()) {
    std::set<std::string> seen;
    for (const PathSpan& span : primary) {
      days.insert(span.from);
      for (const std::string& id : span.path) AddDays(tree, id, seen, days);
    }
  }
  PathHistory history;
  for (const std::string& from : days) {
    const std::string& day = basis_.IsConstant() ? basis_.date : from;
    PathSpan span{from, PathAt(primary, day)};
    if (!IsOn(span.path, owner)) {
      for (size_t i = 0; i < span.path.size(); ++i) {
        const std::string upper = AffiliationOf(tree, span.path[i], day);
        std::vector<std::string> second =
            upper.empty() ? std::vector<std::string>() : tree.Path(upper, day);
        if (!IsOn(second, owner)) continue;
        span.path.resize(i + 1);
        span.path.insert(span.path.end(), second.begin(), second.end());
        break;
      }
    }
    if (history.empty() || history.back().path != span.path) history.push_back(std::move(span));
  }
  return history;
}

}  // namespace gonghui::reports
