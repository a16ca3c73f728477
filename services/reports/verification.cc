#include "services/reports/verification.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/base/status.h"
#include "services/reports/rollups.h"

namespace gonghui::reports {
namespace {

constexpr sql::Query kListFactsOfUnit{
    "reports.verify_list_facts",
    "SELECT organization, measure, on_date, dims, subject, delta, record FROM facts "
    "WHERE tenant=$1 AND organization=$2"};
constexpr sql::Query kListCellsOfUnit{
    "reports.verify_list_cells",
    "SELECT measure, subject, dims, month, value FROM cells WHERE tenant=$1 AND organization=$2"};
constexpr sql::Query kListOwners{"reports.verify_list_owners",
                                 "SELECT DISTINCT organization FROM cells WHERE tenant=$1"};
constexpr sql::Query kCountFacts{"reports.verify_count_facts",
                                 "SELECT COUNT(*) FROM facts WHERE tenant=$1"};

constexpr int kExamplesMost = 100;
constexpr int kTries = 20;
constexpr absl::Duration kPause = absl::Milliseconds(200);

// measure, subject, dimensions, month.
using Key = std::tuple<std::string, std::string, std::string, std::string>;
using Cells = std::map<Key, int64_t>;
using Histories = std::map<std::string, PathHistory>;

bool IsOn(const std::vector<std::string>& path, const std::string& organization) {
  return std::find(path.begin(), path.end(), organization) != path.end();
}

// Adds what one fact gives one owner. A balance is recounted month by month: it is the owner's in
// each month at whose end the fact's organisation stands below it.
void Recount(const v1::Measure& measure, const StoredFact& fact, const PathHistory& history,
             const std::string& owner, Cells& cells) {
  const std::string dims = FormatDimensions(CellDimensions(measure, fact.dimensions));
  const std::string subject = CountsSubjects(measure.kind()) ? SubjectOf(fact) : "";
  const auto add = [&](const std::string& month, int64_t value) {
    cells[{fact.measure, subject, dims, month}] += value;
  };
  const std::string month = fact.on_date.substr(0, 7);
  if (!IsBalance(measure.kind())) {
    if (IsOn(PathAt(history, fact.on_date), owner)) add(month, fact.delta);
    return;
  }
  bool held = IsOn(PathAt(history, EndOfMonth(month)), owner);
  if (held) add(month, fact.delta);
  std::set<std::string> months;
  for (const PathSpan& span : history) months.insert(span.from.substr(0, 7));
  for (auto later = months.upper_bound(month); later != months.end(); ++later) {
    const bool holds = IsOn(PathAt(history, EndOfMonth(*later)), owner);
    if (holds != held) add(*later, holds ? fact.delta : -fact.delta);
    held = holds;
  }
}

absl::StatusOr<Cells> RecountOwner(sql::Tx& tx, const std::string& tenant, const Measures& measures,
                                   const Histories& histories, const std::string& owner) {
  Cells cells;
  for (const auto& [organization, history] : histories) {
    const bool below = std::any_of(history.begin(), history.end(),
                                   [&](const PathSpan& span) { return IsOn(span.path, owner); });
    if (!below) continue;
    RETURN_IF_ERROR(
        tx.Stream(kListFactsOfUnit, {tenant, organization}, [&](const sql::Rows::Row& row) {
          const StoredFact fact = ReadFact(row);
          if (const v1::Measure* measure = measures.FindCounted(fact.measure)) {
            Recount(*measure, fact, history, owner, cells);
          }
          return absl::OkStatus();
        }));
  }
  return cells;
}

// Lists the owner's cells that differ; a missing cell counts as zero.
absl::Status Compare(sql::Tx& tx, const std::string& tenant, const std::string& owner,
                     Cells recounted, v1::VerifyRollupsResponse& response) {
  const auto differs = [&](const Key& key, int64_t stored, int64_t counted) {
    response.set_divergent(response.divergent() + 1);
    if (response.examples_size() == kExamplesMost) return;
    v1::DivergentCell& cell = *response.add_examples();
    cell.set_organization(owner);
    cell.set_measure(std::get<0>(key));
    cell.set_dimensions(std::get<2>(key));
    cell.set_month(std::get<3>(key));
    cell.set_stored(stored);
    cell.set_recounted(counted);
  };
  RETURN_IF_ERROR(tx.Stream(kListCellsOfUnit, {tenant, owner}, [&](const sql::Rows::Row& row) {
    const Key key{row.Get<std::string>(0), row.Get<std::string>(1), row.Get<std::string>(2),
                  row.Get<std::string>(3)};
    const int64_t stored = row.Get<int64_t>(4);
    response.set_cells(response.cells() + 1);
    auto found = recounted.find(key);
    const int64_t counted = found == recounted.end() ? 0 : found->second;
    if (stored != counted) differs(key, stored, counted);
    if (found != recounted.end()) recounted.erase(found);
    return absl::OkStatus();
  }));
  for (const auto& [key, counted] : recounted) {
    if (counted == 0) continue;
    response.set_cells(response.cells() + 1);
    differs(key, 0, counted);
  }
  return absl::OkStatus();
}

absl::Status VerifyAll(sql::Tx& tx, const std::string& tenant, const Measures& measures,
                       const Histories& histories, v1::VerifyRollupsResponse& response) {
  ASSIGN_OR_RETURN(sql::Rows facts, tx.Run(kCountFacts, {tenant}));
  response.set_facts(facts[0].Get<int64_t>(0));
  std::set<std::string> owners;
  for (const auto& [organization, history] : histories) {
    for (const PathSpan& span : history) owners.insert(span.path.begin(), span.path.end());
  }
  ASSIGN_OR_RETURN(sql::Rows stored, tx.Run(kListOwners, {tenant}));
  for (size_t i = 0; i < stored.size(); ++i) owners.insert(stored[i].Get<std::string>(0));
  for (const std::string& owner : owners) {
    ASSIGN_OR_RETURN(Cells cells, RecountOwner(tx, tenant, measures, histories, owner));
    RETURN_IF_ERROR(Compare(tx, tenant, owner, std::move(cells), response));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::VerifyRollupsResponse> Verification::Verify(
    rpc::Call& call, const v1::VerifyRollupsRequest& request) {
  RETURN_IF_ERROR(call.CheckScope(""));
  const absl::Time started = absl::Now();
  v1::VerifyRollupsResponse response;
  for (int tries = 1;; ++tries) {
    bool behind = false;
    RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
      response.Clear();
      behind = false;
      ASSIGN_OR_RETURN(Histories histories, Placements::All(tx, call.federation));
      ASSIGN_OR_RETURN(auto tree, options_.tree->Get(call.federation));
      for (auto& [organization, placed] : histories) {
        PathHistory now = HistoryOf(*tree, organization);
        behind = behind || now != placed;
        placed = std::move(now);
      }
      if (behind && tries < kTries) return absl::OkStatus();
      return VerifyAll(tx, call.federation, *options_.measures, histories, response);
    }));
    if (!behind || tries == kTries) break;
    absl::SleepFor(kPause);
  }
  response.set_elapsed_us(absl::ToInt64Microseconds(absl::Now() - started));
  return response;
}

}  // namespace gonghui::reports
