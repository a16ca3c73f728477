// Under which ancestors an organisation's facts are rolled up, now and before.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/sql/sql.h"
#include "common/tree/organization_tree.h"
#include "common/tree/tree_cache.h"
#include "gonghui/reports/v1/report.pb.h"

namespace gonghui::reports {

// The path that held from a date on: the organisation first, the root last.
struct PathSpan {
  std::string from;  // ISO date; empty: since ever.
  std::vector<std::string> path;
  bool operator==(const PathSpan&) const = default;
};

// All paths of one organisation by date; never empty, the first since ever.
using PathHistory = std::vector<PathSpan>;

// The path on a date.
const std::vector<std::string>& PathAt(const PathHistory& history, std::string_view date);
bool IsOn(const std::vector<std::string>& path, const std::string& organization);
// The paths of an organisation by the tree as it is known now. An unknown organisation stands
// alone.
PathHistory HistoryOf(const tree::OrganizationTree& tree, const std::string& organization);
// The tree with every change committed so far; UNAVAILABLE when its source does not answer.
absl::StatusOr<std::shared_ptr<const tree::OrganizationTree>> FreshTree(
    tree::TreeCache& tree, const std::string& federation);
// Later than every day of the month, earlier than the next month.
std::string EndOfMonth(std::string_view month);

// Calls `share` for each cell that a fact of `on_date` counts in. Sums count where the organisation
// stood on that day. Balances are answered by the tree at the end of the period, so they follow the
// organisation: in a month in which it moves they leave the old ancestors (sign -1) and come to the
// new ones (+1).
using Share = std::function<void(const std::string& ancestor, const std::string& month, int sign)>;
void ForEachShare(v1::MeasureKind kind, const PathHistory& history, std::string_view on_date,
                  const Share& share);

// The stored placements of a federation, read as needed within one transaction.
class Placements {
 public:
  Placements(sql::Tx& tx, std::string tenant, tree::TreeCache& tree)
      : tx_(tx), tenant_(std::move(tenant)), tree_(tree) {}

  // The history under which the organisation's cells are made; taken from the tree and stored when
  // it is the first time. Valid until the next call of Set for it.
  absl::StatusOr<const PathHistory*> Of(const std::string& organization);
  // Replaces it.
  absl::Status Set(const std::string& organization, const PathHistory& history);
  // Those of all organisations that have facts.
  static absl::StatusOr<std::map<std::string, PathHistory>> All(sql::Tx& tx,
                                                                const std::string& tenant);
  // Those of organisations that ever moved, were split, or took over persons of one that was.
  static absl::StatusOr<std::map<std::string, PathHistory>> Moved(sql::Tx& tx,
                                                                  const std::string& tenant);

 private:
  absl::Status Insert(const std::string& organization, const PathHistory& history);

  sql::Tx& tx_;
  const std::string tenant_;
  tree::TreeCache& tree_;
  // Read once, when the first unplaced organisation is met.
  std::shared_ptr<const tree::OrganizationTree> fresh_;
  std::map<std::string, PathHistory> known_;
};

}  // namespace gonghui::reports
