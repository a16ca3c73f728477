#include "services/reports/placements.h"

#include <algorithm>

#include "common/base/date.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::reports {
namespace {

constexpr sql::Query kListPlacements{
    "reports.list_placements",
    "SELECT organization, valid_from, path FROM placements WHERE tenant=$1 "
    "ORDER BY organization, valid_from"};
constexpr sql::Query kListMoved{
    "reports.list_moved_placements",
    "SELECT organization, valid_from, path FROM placements WHERE tenant=$1 AND (organization IN "
    "(SELECT organization FROM placements WHERE tenant=$1 AND valid_from<>'') OR organization IN "
    "(SELECT organization FROM successions WHERE tenant=$1) OR organization IN "
    "(SELECT successor FROM successions WHERE tenant=$1)) ORDER BY organization, valid_from"};
constexpr sql::Query kGetPlacement{
    "reports.get_placement",
    "SELECT valid_from, path FROM placements WHERE tenant=$1 AND organization=$2 "
    "ORDER BY valid_from"};
constexpr sql::Query kInsertPlacement{
    "reports.insert_placement",
    "INSERT INTO placements (tenant, organization, valid_from, path) VALUES ($1, $2, $3, $4)"};
constexpr sql::Query kDeletePlacement{"reports.delete_placement",
                                      "DELETE FROM placements WHERE tenant=$1 AND organization=$2"};

size_t SpanAt(const PathHistory& history, std::string_view date) {
  size_t at = 0;
  while (at + 1 < history.size() && history[at + 1].from <= date) ++at;
  return at;
}

// Every date on which the path of the organisation may change.
void AddChanges(const tree::OrganizationTree& tree, const std::string& organization,
                std::set<std::string>& seen, std::set<std::string>& dates) {
  if (organization.empty() || !seen.insert(organization).second) return;
  for (const tree::Version& version : tree.Versions(organization)) {
    if (version.recorded_to_us != tree::kNow) continue;
    dates.insert(version.valid_from);
    if (version.valid_to != kForever) dates.insert(version.valid_to);
    AddChanges(tree, version.parent, seen, dates);
  }
}

PathSpan ReadSpan(std::string from, std::string_view path) {
  PathSpan span{std::move(from), {}};
  for (std::string_view id : Split(path, '/')) span.path.emplace_back(id);
  return span;
}

std::string PathText(const std::vector<std::string>& path) {
  std::string text;
  for (const std::string& id : path) StrAppend(&text, text.empty() ? "" : "/", id);
  return text;
}

absl::StatusOr<std::map<std::string, PathHistory>> List(sql::Tx& tx, const sql::Query& query,
                                                        const std::string& tenant) {
  std::map<std::string, PathHistory> listed;
  RETURN_IF_ERROR(tx.Stream(query, {tenant}, [&](const sql::Rows::Row& row) {
    listed[row.Get<std::string>(0)].push_back(
        ReadSpan(row.Get<std::string>(1), row.Get<std::string_view>(2)));
    return absl::OkStatus();
  }));
  return listed;
}

}  // namespace

const std::vector<std::string>& PathAt(const PathHistory& history, std::string_view date) {
  return history[SpanAt(history, date)].path;
}

bool IsOn(const std::vector<std::string>& path, const std::string& organization) {
  return std::find(path.begin(), path.end(), organization) != path.end();
}

std::string EndOfMonth(std::string_view month) { return StrCat(month, "-31"); }

absl::StatusOr<std::shared_ptr<const tree::OrganizationTree>> FreshTree(
    tree::TreeCache& tree, const std::string& federation) {
  constexpr int kTries = 3;  // A write to the tree in between makes what was read old at once.
  for (int i = 0; i < kTries; ++i) {
    tree.Expire(federation);
    ASSIGN_OR_RETURN(auto now, tree.Get(federation));
    if (tree.IsFresh(federation)) return now;
  }
  return Unavailable(common::v1::REASON_UNAVAILABLE,
                     "the organisation tree cannot be read: try again when membership answers",
                     "无法读取组织树：请在会员服务恢复后重试");
}

PathHistory HistoryOf(const tree::OrganizationTree& tree, const std::string& organization) {
  std::set<std::string> seen;
  std::set<std::string> dates;
  AddChanges(tree, organization, seen, dates);
  PathHistory history;
  for (const std::string& date : dates) {
    std::vector<std::string> path = tree.Path(organization, date);
    if (path.empty()) path = {organization};
    if (history.empty()) {
      history.push_back({"", std::move(path)});
    } else if (history.back().path != path) {
      history.push_back({date, std::move(path)});
    }
  }
  if (history.empty()) history.push_back({"", {organization}});
  return history;
}

void ForEachShare(v1::MeasureKind kind, const PathHistory& history, std::string_view on_date,
                  const Share& share) {
  const auto add = [&](const std::vector<std::string>& path, const std::string& month, int sign) {
    for (const std::string& ancestor : path) share(ancestor, month, sign);
  };
  const std::string month(on_date.substr(0, 7));
  if (kind == v1::MEASURE_KIND_FLOW || kind == v1::MEASURE_KIND_MONEY ||
      kind == v1::MEASURE_KIND_DISTINCT) {
    return add(PathAt(history, on_date), month, 1);
  }
  size_t at = SpanAt(history, EndOfMonth(month));
  add(history[at].path, month, 1);
  for (size_t next = at + 1; next < history.size(); ++next) {
    const std::string moved = history[next].from.substr(0, 7);
    if (next + 1 < history.size() && history[next + 1].from.substr(0, 7) == moved) continue;
    add(history[at].path, moved, -1);
    add(history[next].path, moved, 1);
    at = next;
  }
}

absl::StatusOr<const PathHistory*> Placements::Of(const std::string& organization) {
  auto [found, fresh] = known_.try_emplace(organization);
  if (!fresh) return &found->second;
  ASSIGN_OR_RETURN(sql::Rows rows, tx_.Run(kGetPlacement, {tenant_, organization}));
  for (size_t i = 0; i < rows.size(); ++i) {
    found->second.push_back(
        ReadSpan(rows[i].Get<std::string>(0), rows[i].Get<std::string_view>(1)));
  }
  if (found->second.empty()) {
    if (fresh_ == nullptr) {
      ASSIGN_OR_RETURN(fresh_, FreshTree(tree_, tenant_));
    }
    found->second = HistoryOf(*fresh_, organization);
    RETURN_IF_ERROR(Insert(organization, found->second));
  }
  return &found->second;
}

absl::Status Placements::Set(const std::string& organization, const PathHistory& history) {
  RETURN_IF_ERROR(tx_.Run(kDeletePlacement, {tenant_, organization}).status());
  known_[organization] = history;
  return Insert(organization, history);
}

absl::Status Placements::Insert(const std::string& organization, const PathHistory& history) {
  std::vector<sql::Args> rows;
  for (const PathSpan& span : history) {
    rows.push_back({tenant_, organization, span.from, PathText(span.path)});
  }
  return tx_.RunMany(kInsertPlacement, rows).status();
}

absl::StatusOr<std::map<std::string, PathHistory>> Placements::All(sql::Tx& tx,
                                                                   const std::string& tenant) {
  return List(tx, kListPlacements, tenant);
}

absl::StatusOr<std::map<std::string, PathHistory>> Placements::Moved(sql::Tx& tx,
                                                                     const std::string& tenant) {
  return List(tx, kListMoved, tenant);
}

}  // namespace gonghui::reports
