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
constexpr sql::Query kListFollowed{"reports.rebuild_list_followed",
                                   "SELECT source, sequence FROM feed_cursor WHERE tenant=$1"};
constexpr sql::Query kCountFacts{"reports.rebuild_count_facts",
                                 "SELECT COUNT(*) FROM facts WHERE tenant=$1"};
constexpr sql::Query kCountCells{
    "reports.rebuild_count_cells",
    "SELECT COUNT(*) FROM cells WHERE tenant=$1 AND (value<>0 OR records<>0)"};
constexpr sql::Query kListFactsAfter{
    "reports.rebuild_list_facts",
    "SELECT organization, measure, on_date, dims, subject, delta, record, source, sequence, "
    "ordinal FROM facts WHERE tenant=$1 "
    "AND (organization, measure, on_date, source, sequence, ordinal) > ($2, $3, $4, $5, $6, $7) "
    "ORDER BY organization, measure, on_date, source, sequence, ordinal LIMIT $8"};
#define CELL_KEY "organization, measure, subject, dims, month"
// The key of the last of the next $7 new cells.
constexpr sql::Query kFindBound{"reports.rebuild_find_bound",
                                "SELECT " CELL_KEY " FROM (SELECT " CELL_KEY
                                " FROM rebuilt_cells WHERE tenant=$1 AND (" CELL_KEY
                                ") > ($2, $3, $4, $5, $6) ORDER BY " CELL_KEY
                                " LIMIT $7) AS next ORDER BY organization DESC, measure DESC, "
                                "subject DESC, dims DESC, month DESC LIMIT 1"};
constexpr sql::Query kDropRest{"reports.rebuild_drop_rest",
                               "DELETE FROM cells WHERE tenant=$1 AND (" CELL_KEY
                               ") > ($2, $3, $4, $5, $6)"};
constexpr sql::Query kDropUnfounded{
    "reports.rebuild_drop_unfounded",
    "DELETE FROM cells WHERE tenant=$1 AND (" CELL_KEY ") > ($2, $3, $4, $5, $6) AND (" CELL_KEY
    ") <= ($7, $8, $9, $10, $11) AND NOT EXISTS (SELECT 1 FROM rebuilt_cells r WHERE "
    "r.tenant=cells.tenant AND r.organization=cells.organization AND r.measure=cells.measure AND "
    "r.subject=cells.subject AND r.dims=cells.dims AND r.month=cells.month)"};
constexpr sql::Query kReplaceDiffering{
    "reports.rebuild_replace_differing",
    "INSERT INTO cells (tenant, " CELL_KEY ", value, records) SELECT tenant, " CELL_KEY
    ", value, records FROM rebuilt_cells WHERE tenant=$1 AND (" CELL_KEY
    ") > ($2, $3, $4, $5, $6) AND (" CELL_KEY
    ") <= ($7, $8, $9, $10, $11) ON CONFLICT (tenant, " CELL_KEY
    ") DO UPDATE SET value=excluded.value, records=excluded.records "
    "WHERE cells.value<>excluded.value OR cells.records<>excluded.records"};
constexpr sql::Query kClear{"reports.rebuild_clear",
                            "DELETE FROM rebuilt_cells WHERE tenant=$1 AND (" CELL_KEY
                            ") <= ($2, $3, $4, $5, $6)"};
#undef CELL_KEY

constexpr sql::Query kDeleteCells{"reports.delete_cells", "DELETE FROM cells WHERE tenant=$1"};

// Facts: other writers of the federation wait for one step, and every step writes the cells of the
// upper organisations once.
constexpr int64_t kStep = 200'000;
constexpr int64_t kCellsAtOnce = 100'000;  // Replaced or cleared in one step.

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
  place.set_phase(v1::REBUILD_PHASE_COUNT);
  place.set_mark(NewId(absl::Now()));
  RETURN_IF_ERROR(tx.Run(kMark, {tenant, place.mark()}).status());
  ASSIGN_OR_RETURN(const sql::Rows followed, tx.Run(kListFollowed, {tenant}));
  for (size_t i = 0; i < followed.size(); ++i) {
    (*place.mutable_followed())[followed[i].Get<std::string>(0)] = followed[i].Get<int64_t>(1);
  }
  progress.done = 0;
  ASSIGN_OR_RETURN(progress.total, Count(tx, kCountFacts, tenant));
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

// Where a run of new cells after `place` ends; false when there are none.
absl::StatusOr<bool> FindBound(sql::Tx& tx, const std::string& tenant, sql::Args after,
                               sql::Args& bound) {
  after.insert(after.begin(), tenant);
  after.push_back(kCellsAtOnce);
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFindBound, after));
  for (size_t i = 0; i < 5 && !rows.empty(); ++i) bound.push_back(rows[0].Get<std::string>(i));
  return !rows.empty();
}

// Makes the next cells what the new ones are; false when all are.
absl::StatusOr<bool> Replace(sql::Tx& tx, const std::string& tenant, v1::RebuildCheckpoint& place) {
  std::string* const key[] = {place.mutable_organization(), place.mutable_measure(),
                              place.mutable_subject(), place.mutable_dims(), place.mutable_month()};
  sql::Args after;
  for (const std::string* text : key) after.push_back(*text);
  sql::Args bound;
  ASSIGN_OR_RETURN(const bool found, FindBound(tx, tenant, after, bound));
  after.insert(after.begin(), tenant);
  if (!found) {
    RETURN_IF_ERROR(tx.Run(kDropRest, after).status());
    return false;
  }
  after.insert(after.end(), bound.begin(), bound.end());
  RETURN_IF_ERROR(tx.Run(kDropUnfounded, after).status());
  RETURN_IF_ERROR(tx.Run(kReplaceDiffering, after).status());
  for (size_t i = 0; i < bound.size(); ++i) *key[i] = std::get<std::string>(bound[i]);
  return true;
}

// Deletes some new cells; false when there were none.
absl::StatusOr<bool> Clear(sql::Tx& tx, const std::string& tenant) {
  sql::Args bound;
  ASSIGN_OR_RETURN(const bool found, FindBound(tx, tenant, sql::Args(5, std::string()), bound));
  if (!found) return false;
  bound.insert(bound.begin(), tenant);
  RETURN_IF_ERROR(tx.Run(kClear, bound).status());
  return true;
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

absl::StatusOr<bool> Rebuilding::Advance(sql::Tx& tx, const std::string& tenant,
                                         v1::RebuildCheckpoint& place,
                                         rpc::JobProgress& progress) const {
  ASSIGN_OR_RETURN(const std::string mark, TakeTurn(tx, tenant));
  const bool marked =
      place.phase() == v1::REBUILD_PHASE_COUNT || place.phase() == v1::REBUILD_PHASE_REPLACE;
  if (marked && mark != place.mark()) place.Clear();  // The tree or the catalogue changed.
  if (!marked && !mark.empty()) RETURN_IF_ERROR(tx.Run(kMark, {tenant, ""}).status());
  if (place.phase() == v1::REBUILD_PHASE_COUNT) {
    ASSIGN_OR_RETURN(const bool more, Step(tx, tenant, *options_.measures, *options_.tree,
                                           CellTables::kRebuilt, place, progress.done));
    if (more) return true;
    place.set_phase(v1::REBUILD_PHASE_REPLACE);
    for (auto* text : {place.mutable_organization(), place.mutable_measure()}) text->clear();
    return true;
  }
  if (place.phase() == v1::REBUILD_PHASE_REPLACE) {
    ASSIGN_OR_RETURN(const bool more, Replace(tx, tenant, place));
    if (more) return true;
    place.set_phase(v1::REBUILD_PHASE_CLEAR);
    RETURN_IF_ERROR(tx.Run(kMark, {tenant, ""}).status());
    return true;
  }
  ASSIGN_OR_RETURN(const bool more, Clear(tx, tenant));
  if (more || place.phase() == v1::REBUILD_PHASE_CLEAR) return more;
  ASSIGN_OR_RETURN(place, Begin(tx, tenant, progress));
  return true;
}

absl::StatusOr<v1::RebuildRollupsResult> Rebuilding::Rebuild(
    rpc::JobRun& run, const v1::RebuildRollupsRequest& request) {
  const std::string& tenant = run.federation();
  rpc::JobProgress progress = run.progress();
  for (bool more = true; more;) {
    const rpc::JobProgress before = progress;
    RETURN_IF_ERROR(run.Save(progress, [&](sql::Tx& tx) -> absl::Status {
      progress = before;
      v1::RebuildCheckpoint place;
      place.ParseFromString(before.checkpoint);
      ASSIGN_OR_RETURN(more, Advance(tx, tenant, place, progress));
      progress.checkpoint = place.SerializeAsString();
      return absl::OkStatus();
    }));
  }
  v1::RebuildRollupsResult result;
  result.set_facts(progress.done);
  RETURN_IF_ERROR(options_.db->ReadOnly(absl::InfiniteFuture(), [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const int64_t cells, Count(tx, kCountCells, tenant));
    result.set_cells(cells);
    return absl::OkStatus();
  }));
  return result;
}

}  // namespace gonghui::reports
