#include "services/reports/rollups.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <variant>

#include "common/base/log.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "services/reports/rebuilding.h"
#include "services/reports/reorganise.h"
#include "services/reports/successions.h"

namespace gonghui::reports {
namespace {

constexpr sql::Query kLockTenant{
    "reports.lock_tenant",
    "INSERT INTO tenants (tenant, catalogue, applied) VALUES ($1, $2, 1) "
    "ON CONFLICT (tenant) DO UPDATE SET applied = tenants.applied + 1 RETURNING catalogue, "
    "rebuilding"};
constexpr sql::Query kMarkMade{"reports.mark_made_by",
                               "UPDATE tenants SET catalogue=$2 WHERE tenant=$1"};
constexpr sql::Query kUnmarkRebuilding{"reports.unmark_rebuilding",
                                       "UPDATE tenants SET rebuilding='' WHERE tenant=$1"};
constexpr sql::Query kListStale{"reports.list_stale_tenants",
                                "SELECT tenant FROM tenants WHERE catalogue <> $1"};
constexpr sql::Query kInsertFact{
    "reports.insert_fact",
    "INSERT INTO facts (tenant, organization, measure, on_date, source, sequence, ordinal, dims, "
    "subject, delta, record) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"};

// Organisation, measure and date of an inserted fact.
auto KeyOf(const sql::Args& fact) {
  return std::tie(std::get<std::string>(fact[1]), std::get<std::string>(fact[2]),
                  std::get<std::string>(fact[3]));
}

// True when the event may have changed who stands below whom.
bool ChangesTree(const feed::v1::Event& event) {
  return event.type().starts_with("gonghui.membership.v1.Organization");
}

StoredFact Stored(const common::v1::Fact& fact, const std::string& record,
                  const std::string& source) {
  return {.organization = fact.organization(),
          .measure = fact.measure(),
          .on_date = fact.on_date(),
          .dimensions = DimensionsOf(fact),
          .subject = fact.subject(),
          .delta = fact.delta(),
          .record = record,
          .source = source};
}

}  // namespace

StoredFact ReadFact(const sql::Rows::Row& row) {
  return {.organization = row.Get<std::string>(0),
          .measure = row.Get<std::string>(1),
          .on_date = row.Get<std::string>(2),
          .dimensions = ParseDimensions(row.Get<std::string_view>(3)),
          .subject = row.Get<std::string>(4),
          .delta = row.Get<int64_t>(5),
          .record = row.Get<std::string>(6),
          .source = row.Get<std::string>(7)};
}

void CellChanges::Add(const v1::Measure& measure, const StoredFact& fact,
                      const PathHistory& history, const Coverage& coverage, int sign) {
  const std::string dims = FormatDimensions(CellDimensions(measure, fact.dimensions));
  const std::string subject = CountsSubjects(measure.kind()) ? SubjectOf(fact) : "";
  PathHistory room;
  const PathHistory& counted = coverage.Restrict(history, fact.source, fact.measure, room);
  ForEachShare(measure.kind(), counted, fact.on_date,
               [&](const std::string& ancestor, const std::string& month, int share) {
                 changes_.push_back({{ancestor, fact.measure, subject, dims, month},
                                     sign * share * fact.delta,
                                     sign * share * RecordsIn(fact)});
               });
}

absl::Status CellChanges::Write(sql::Tx& tx, const std::string& tenant, CellTables tables) {
  std::sort(changes_.begin(), changes_.end(),
            [](const Change& a, const Change& b) { return a.key < b.key; });
  std::vector<sql::Args> rows;
  for (size_t i = 0; i < changes_.size();) {
    Change& sum = changes_[i];
    for (++i; i < changes_.size() && changes_[i].key == sum.key; ++i) {
      sum.value += changes_[i].value;
      sum.records += changes_[i].records;
    }
    if (sum.value == 0 && sum.records == 0) continue;
    rows.push_back({tenant, std::move(sum.key.organization), std::move(sum.key.measure),
                    std::move(sum.key.subject), std::move(sum.key.dims), std::move(sum.key.month),
                    sum.value, sum.records});
  }
  changes_.clear();
  return AddToCells(tx, tables, std::move(rows));
}

absl::Status Rollups::Apply(sql::Tx& tx, const std::string& source,
                            const std::vector<feed::v1::Event>& events) {
  if (events.empty()) return absl::OkStatus();
  const std::string& tenant = events.front().federation();
  ASSIGN_OR_RETURN(CellTables tables, Begin(tx, tenant));
  if (std::any_of(events.begin(), events.end(), ChangesTree)) {
    RETURN_IF_ERROR(tx.Run(kUnmarkRebuilding, {tenant}).status());
    tables = CellTables::kCells;
    RETURN_IF_ERROR(Reorganise(tx, tenant, measures_, tree_));
  }
  Placements placements(tx, tenant, tree_);
  ASSIGN_OR_RETURN(const Coverage coverage, Coverage::Load(tx, tenant));
  CellChanges cells;
  std::vector<sql::Args> rows;
  for (const feed::v1::Event& event : events) {
    RETURN_IF_ERROR(StoreSuccessions(tx, tenant, event.successions()));
    int64_t ordinal = 0;
    for (const common::v1::RecordFacts& changed : event.facts()) {
      for (const common::v1::Fact& proto : changed.facts()) {
        const StoredFact fact = Stored(proto, changed.record(), source);
        rows.push_back({tenant, fact.organization, fact.measure, fact.on_date, source,
                        event.sequence(), ordinal++, FormatDimensions(fact.dimensions),
                        fact.subject, fact.delta, fact.record});
        const v1::Measure* measure = measures_.FindCounted(fact.measure);
        if (measure == nullptr) {
          WarnUnknown(fact.measure);
          continue;
        }
        ASSIGN_OR_RETURN(const PathHistory* history, placements.Of(fact.organization));
        cells.Add(*measure, fact, *history, coverage, 1);
      }
    }
  }
  // In the order of the key; source, sequence and ordinal rise already.
  std::stable_sort(rows.begin(), rows.end(),
                   [](const sql::Args& a, const sql::Args& b) { return KeyOf(a) < KeyOf(b); });
  RETURN_IF_ERROR(tx.RunMany(kInsertFact, rows).status());
  return cells.Write(tx, tenant, tables);
}

absl::Status Rollups::ChangeCoverage(sql::Tx& tx, const std::string& tenant,
                                     const CoverageRule& changed, bool withdrawn) {
  RETURN_IF_ERROR(Begin(tx, tenant).status());
  RETURN_IF_ERROR(tx.Run(kUnmarkRebuilding, {tenant}).status());
  ASSIGN_OR_RETURN(const Coverage now, Coverage::Load(tx, tenant));
  std::vector<CoverageRule> rules = now.rules();
  if (withdrawn) {
    rules.push_back(changed);
  } else {
    std::erase(rules, changed);
  }
  return Recover(tx, tenant, measures_, changed, Coverage(std::move(rules)), now);
}

absl::StatusOr<CellTables> Rollups::Begin(sql::Tx& tx, const std::string& tenant) {
  ASSIGN_OR_RETURN(sql::Rows rows, tx.Run(kLockTenant, {tenant, measures_.fingerprint()}));
  if (rows[0].Get<std::string_view>(0) == measures_.fingerprint()) {
    return rows[0].Get<std::string_view>(1).empty() ? CellTables::kCells : CellTables::kBoth;
  }
  log::Info("rebuilding_cells", {{"federation", tenant}});
  RETURN_IF_ERROR(tx.Run(kUnmarkRebuilding, {tenant}).status());
  RETURN_IF_ERROR(tx.Run(kMarkMade, {tenant, measures_.fingerprint()}).status());
  RETURN_IF_ERROR(Rebuild(tx, tenant, measures_, tree_));
  return CellTables::kCells;
}

absl::Status Rollups::Refresh(sql::Database& db) {
  std::vector<std::string> stale;
  RETURN_IF_ERROR(db.ReadOnly(absl::InfiniteFuture(), [&](sql::Tx& tx) -> absl::Status {
    stale.clear();
    ASSIGN_OR_RETURN(sql::Rows rows, tx.Run(kListStale, {measures_.fingerprint()}));
    for (size_t i = 0; i < rows.size(); ++i) stale.push_back(rows[i].Get<std::string>(0));
    return absl::OkStatus();
  }));
  for (const std::string& tenant : stale) {
    RETURN_IF_ERROR(db.ReadWrite(absl::InfiniteFuture(),
                                 [&](sql::Tx& tx) { return Begin(tx, tenant).status(); }));
  }
  return absl::OkStatus();
}

void Rollups::WarnUnknown(const std::string& measure) {
  absl::MutexLock lock(&mutex_);
  if (!warned_.insert(measure).second) return;
  log::Warning("fact_of_unknown_measure", {{"measure", measure}});
}

}  // namespace gonghui::reports
