#include "services/reports/rebuilding.h"

#include <string>

#include "common/base/id.h"
#include "common/base/status.h"
#include "gonghui/reports/v1/checkpoint.pb.h"
#include "services/reports/cell_sums.h"
#include "services/reports/columns.h"
#include "services/reports/coverage.h"
#include "services/reports/placements.h"

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

constexpr sql::Query kDeleteCells{"reports.delete_cells", "DELETE FROM cells WHERE tenant=$1"};

// Facts: other writers of the federation wait for one step, and every step writes the cells of the
// upper organisations once.
constexpr int64_t kStep = 200'000;

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

// Tells facts that were there at the start of a rebuild from those taken over since, which are
// counted as they come.
class Followed {
 public:
  explicit Followed(const v1::RebuildCheckpoint& place) : place_(place) {}
  bool Holds(const sql::RowView& row) {
    if (place_.mark().empty()) return true;  // Nothing is taken over meanwhile.
    if (row.Text(7) != source_) {
      source_ = row.Text(7);
      const auto found = place_.followed().find(source_);
      last_ = found == place_.followed().end() ? -1 : found->second;
    }
    return row.Integer(8) <= last_;
  }

 private:
  const v1::RebuildCheckpoint& place_;
  std::string source_;
  int64_t last_ = -1;
};

void SetPlace(const sql::RowView& row, v1::RebuildCheckpoint& place) {
  place.set_organization(std::string(row.Text(0)));
  place.set_measure(std::string(row.Text(1)));
  place.set_on_date(std::string(row.Text(2)));
  place.set_source(std::string(row.Text(7)));
  place.set_sequence(row.Integer(8));
  place.set_ordinal(row.Integer(9));
}

// Counts the next facts; false when there were no more.
absl::StatusOr<bool> Step(sql::Tx& tx, const std::string& tenant, const Measures& measures,
                          tree::TreeCache& tree, CellTables tables, v1::RebuildCheckpoint& place,
                          int64_t& counted) {
  FactColumns facts(measures);
  Followed followed(place);
  int64_t read = 0;
  const sql::Args after = {tenant,         place.organization(), place.measure(), place.on_date(),
                           place.source(), place.sequence(),     place.ordinal(), kStep};
  RETURN_IF_ERROR(tx.Scan(kListFactsAfter, after, [&](const sql::RowView& row) {
    if (followed.Holds(row)) facts.Add(row);
    if (++read == kStep) SetPlace(row, place);
    return absl::OkStatus();
  }));
  counted += read;
  Placements placements(tx, tenant, tree);
  ASSIGN_OR_RETURN(const Coverage coverage, Coverage::Load(tx, tenant));
  RETURN_IF_ERROR(RollUp(tx, tenant, facts, placements, coverage, tables));
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

absl::Status Rebuild(sql::Tx& tx, const std::string& tenant, const Measures& measures,
                     tree::TreeCache& tree) {
  RETURN_IF_ERROR(tx.Run(kDeleteCells, {tenant}).status());
  v1::RebuildCheckpoint place;
  int64_t facts = 0;
  for (bool more = true; more;) {
    ASSIGN_OR_RETURN(more, Step(tx, tenant, measures, tree, CellTables::kCells, place, facts));
  }
  return absl::OkStatus();
}

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
        ASSIGN_OR_RETURN(more, Step(tx, tenant, *options_.measures, *options_.tree,
                                    CellTables::kRebuilt, place, progress.done));
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
