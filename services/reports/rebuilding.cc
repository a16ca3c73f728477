#include "services/reports/rebuilding.h"

#include <string>
#include <utility>
#include <vector>

#include "common/base/id.h"
#include "common/base/status.h"
#include "gonghui/reports/v1/checkpoint.pb.h"
#include "services/reports/placements.h"
#include "services/reports/rollups.h"

namespace gonghui::reports {
namespace {

constexpr sql::Query kTakeTurn{
    "reports.rebuild_take_turn",
    "UPDATE tenants SET applied = applied + 1 WHERE tenant=$1 RETURNING rebuilding"};
constexpr sql::Query kMark{"reports.rebuild_mark",
                           "UPDATE tenants SET rebuilding=$2 WHERE tenant=$1"};
constexpr sql::Query kListSources{
    "reports.rebuild_list_sources",
    "SELECT source, MAX(sequence), COUNT(*) FROM facts WHERE tenant=$1 GROUP BY source"};
constexpr sql::Query kClear{"reports.rebuild_clear", "DELETE FROM rebuilt_cells WHERE tenant=$1"};
constexpr sql::Query kCountCells{
    "reports.rebuild_count_cells",
    "SELECT COUNT(*) FROM cells WHERE tenant=$1 AND (value<>0 OR records<>0)"};
constexpr sql::Query kListFactsAfter{
    "reports.rebuild_list_facts",
    "SELECT organization, measure, on_date, dims, subject, delta, record, source, sequence, "
    "ordinal FROM facts WHERE tenant=$1 "
    "AND (organization, measure, on_date, source, sequence, ordinal) > ($2, $3, $4, $5, $6, $7) "
    "ORDER BY organization, measure, on_date, source, sequence, ordinal LIMIT $8"};
constexpr sql::Query kDropUnfounded{
    "reports.rebuild_drop_unfounded",
    "DELETE FROM cells WHERE tenant=$1 AND NOT EXISTS (SELECT 1 FROM rebuilt_cells r WHERE "
    "r.tenant=cells.tenant AND r.organization=cells.organization AND r.measure=cells.measure AND "
    "r.subject=cells.subject AND r.dims=cells.dims AND r.month=cells.month)"};
constexpr sql::Query kReplaceDiffering{
    "reports.rebuild_replace_differing",
    "INSERT INTO cells (tenant, organization, measure, subject, dims, month, value, records) "
    "SELECT tenant, organization, measure, subject, dims, month, value, records FROM rebuilt_cells "
    "WHERE tenant=$1 ON CONFLICT (tenant, organization, measure, subject, dims, month) DO UPDATE "
    "SET value=excluded.value, records=excluded.records "
    "WHERE cells.value<>excluded.value OR cells.records<>excluded.records"};

constexpr int64_t kStep = 50'000;  // Facts: other writers of the federation wait for one step.

absl::StatusOr<int64_t> Count(sql::Tx& tx, const sql::Query& query, const std::string& tenant) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(query, {tenant}));
  return rows[0].Get<int64_t>(0);
}

// Takes the federation's turn among writers of cells. The mark of the rebuild under way; empty
// where there is none.
absl::StatusOr<std::string> TakeTurn(sql::Tx& tx, const std::string& tenant) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kTakeTurn, {tenant}));
  return rows.empty() ? "" : rows[0].Get<std::string>(0);
}

absl::StatusOr<v1::RebuildCheckpoint> Begin(sql::Tx& tx, const std::string& tenant,
                                            rpc::JobProgress& progress) {
  v1::RebuildCheckpoint place;
  place.set_mark(NewId(absl::Now()));
  RETURN_IF_ERROR(TakeTurn(tx, tenant).status());
  RETURN_IF_ERROR(tx.Run(kMark, {tenant, place.mark()}).status());
  RETURN_IF_ERROR(tx.Run(kClear, {tenant}).status());
  ASSIGN_OR_RETURN(const sql::Rows sources, tx.Run(kListSources, {tenant}));
  progress.total = 0;
  for (size_t i = 0; i < sources.size(); ++i) {
    (*place.mutable_followed())[sources[i].Get<std::string>(0)] = sources[i].Get<int64_t>(1);
    progress.total += sources[i].Get<int64_t>(2);
  }
  return place;
}

// Counts the next facts; false when there were no more.
absl::StatusOr<bool> Step(sql::Tx& tx, const std::string& tenant, const Measures& measures,
                          tree::TreeCache& tree, v1::RebuildCheckpoint& place, int64_t& facts) {
  Placements placements(tx, tenant, tree);
  ASSIGN_OR_RETURN(const Coverage coverage, Coverage::Load(tx, tenant));
  CellChanges cells;
  std::vector<std::pair<const v1::Measure*, StoredFact>> counted;
  int64_t read = 0;
  const sql::Args after = {tenant,         place.organization(), place.measure(), place.on_date(),
                           place.source(), place.sequence(),     place.ordinal(), kStep};
  RETURN_IF_ERROR(tx.Stream(kListFactsAfter, after, [&](const sql::Rows::Row& row) {
    ++read;
    StoredFact fact = ReadFact(row);
    place.set_organization(fact.organization);
    place.set_measure(fact.measure);
    place.set_on_date(fact.on_date);
    place.set_source(row.Get<std::string>(7));
    place.set_sequence(row.Get<int64_t>(8));
    place.set_ordinal(row.Get<int64_t>(9));
    const auto followed = place.followed().find(place.source());
    if (followed == place.followed().end() || place.sequence() > followed->second) {
      return absl::OkStatus();  // Taken over since the start: counted as it came.
    }
    const v1::Measure* measure = measures.FindCounted(fact.measure);
    if (measure != nullptr) counted.emplace_back(measure, std::move(fact));
    return absl::OkStatus();
  }));
  for (const auto& [measure, fact] : counted) {
    ASSIGN_OR_RETURN(const PathHistory* history, placements.Of(fact.organization));
    cells.Add(*measure, fact, *history, coverage, 1);
  }
  facts += read;
  RETURN_IF_ERROR(cells.Write(tx, tenant, CellTables::kRebuilt));
  return read == kStep;
}

absl::StatusOr<int64_t> End(sql::Tx& tx, const std::string& tenant) {
  for (const sql::Query* query : {&kDropUnfounded, &kReplaceDiffering, &kClear}) {
    RETURN_IF_ERROR(tx.Run(*query, {tenant}).status());
  }
  RETURN_IF_ERROR(tx.Run(kMark, {tenant, ""}).status());
  return Count(tx, kCountCells, tenant);
}

}  // namespace

absl::StatusOr<v1::RebuildRollupsResult> Rebuilding::Rebuild(
    rpc::JobRun& run, const v1::RebuildRollupsRequest& request) {
  const std::string& tenant = run.federation();
  rpc::JobProgress progress = run.progress();
  v1::RebuildRollupsResult result;
  for (bool more = true; more;) {
    const rpc::JobProgress before = progress;
    RETURN_IF_ERROR(run.Save(progress, [&](sql::Tx& tx) -> absl::Status {
      progress = before;
      v1::RebuildCheckpoint place;
      place.ParseFromString(before.checkpoint);
      ASSIGN_OR_RETURN(const std::string mark, TakeTurn(tx, tenant));
      more = true;
      if (place.mark().empty() || mark != place.mark()) {
        progress.done = 0;
        ASSIGN_OR_RETURN(place, Begin(tx, tenant, progress));
      } else {
        ASSIGN_OR_RETURN(
            more, Step(tx, tenant, *options_.measures, *options_.tree, place, progress.done));
      }
      progress.checkpoint = place.SerializeAsString();
      if (more) return absl::OkStatus();
      result.set_facts(progress.done);
      ASSIGN_OR_RETURN(const int64_t cells, End(tx, tenant));
      result.set_cells(cells);
      return absl::OkStatus();
    }));
  }
  return result;
}

}  // namespace gonghui::reports
