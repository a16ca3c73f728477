#include "services/reports/reorganise.h"

#include <algorithm>
#include <vector>

#include "common/base/status.h"
#include "services/reports/rollups.h"

namespace gonghui::reports {
namespace {

constexpr sql::Query kListFactsOfUnit{
    "reports.list_facts_of_unit",
    "SELECT organization, measure, on_date, dims, subject, delta, record, source FROM facts "
    "WHERE tenant=$1 AND organization=$2"};
constexpr sql::Query kListFactsOfMeasure{
    "reports.list_facts_of_measure",
    "SELECT organization, measure, on_date, dims, subject, delta, record, source FROM facts "
    "WHERE tenant=$1 AND organization=$2 AND measure=$3"};

// Moves the cells that an organisation's facts make from one history to another.
absl::Status Shift(sql::Tx& tx, const std::string& tenant, const std::string& organization,
                   const Measures& measures, const PathHistory& before, const PathHistory& after,
                   const Coverage& coverage, CellChanges& cells) {
  return tx.Stream(kListFactsOfUnit, {tenant, organization}, [&](const sql::Rows::Row& row) {
    const StoredFact fact = ReadFact(row);
    if (const v1::Measure* measure = measures.FindCounted(fact.measure); measure != nullptr) {
      cells.Add(*measure, fact, before, coverage, -1);
      cells.Add(*measure, fact, after, coverage, 1);
    }
    return absl::OkStatus();
  });
}

}  // namespace

absl::Status Reorganise(sql::Tx& tx, const std::string& tenant, const Measures& measures,
                        tree::TreeCache& tree) {
  ASSIGN_OR_RETURN(const auto now, FreshTree(tree, tenant));
  ASSIGN_OR_RETURN(auto placed, Placements::All(tx, tenant));
  Placements placements(tx, tenant, tree);
  ASSIGN_OR_RETURN(const Coverage coverage, Coverage::Load(tx, tenant));
  CellChanges cells;
  for (const auto& [organization, before] : placed) {
    const PathHistory after = HistoryOf(*now, organization);
    if (after == before) continue;
    RETURN_IF_ERROR(Shift(tx, tenant, organization, measures, before, after, coverage, cells));
    RETURN_IF_ERROR(placements.Set(organization, after));
  }
  return cells.Write(tx, tenant, CellTables::kCells);
}

absl::Status Recover(sql::Tx& tx, const std::string& tenant, const Measures& measures,
                     const CoverageRule& changed, const Coverage& before, const Coverage& after) {
  constexpr size_t kChangesMost = 100'000;  // In memory at a time.
  ASSIGN_OR_RETURN(const auto placed, Placements::All(tx, tenant));
  CellChanges cells;
  for (const auto& [organization, history] : placed) {
    const bool below = std::any_of(history.begin(), history.end(), [&](const PathSpan& span) {
      return std::find(span.path.begin(), span.path.end(), changed.organization) != span.path.end();
    });
    if (!below) continue;
    const auto shift = [&](const sql::Rows::Row& row) {
      const StoredFact fact = ReadFact(row);
      const v1::Measure* measure = measures.FindCounted(fact.measure);
      if (measure == nullptr) return absl::OkStatus();
      cells.Add(*measure, fact, history, before, -1);
      cells.Add(*measure, fact, history, after, 1);
      return absl::OkStatus();
    };
    if (changed.measures.empty()) {
      RETURN_IF_ERROR(tx.Stream(kListFactsOfUnit, {tenant, organization}, shift));
    }
    for (const std::string& measure : changed.measures) {
      RETURN_IF_ERROR(tx.Stream(kListFactsOfMeasure, {tenant, organization, measure}, shift));
    }
    if (cells.size() < kChangesMost) continue;
    RETURN_IF_ERROR(cells.Write(tx, tenant, CellTables::kCells));
  }
  return cells.Write(tx, tenant, CellTables::kCells);
}

}  // namespace gonghui::reports
