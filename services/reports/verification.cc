#include "services/reports/verification.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/base/executor.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "services/reports/rollups.h"

namespace gonghui::reports {
namespace {

constexpr sql::Query kListFactsOfUnit{
    "reports.verify_list_facts",
    "SELECT organization, measure, on_date, dims, subject, delta, record, source FROM facts "
    "WHERE tenant=$1 AND organization=$2"};
constexpr sql::Query kListCellsOfUnit{
    "reports.verify_list_cells",
    "SELECT organization, measure, subject, dims, month, value FROM cells "
    "WHERE tenant=$1 AND organization=$2"};
constexpr sql::Query kCountFacts{"reports.verify_count_facts",
                                 "SELECT COUNT(*) FROM facts WHERE tenant=$1"};
constexpr sql::Query kCountCells{"reports.verify_count_cells",
                                 "SELECT COUNT(*) FROM cells WHERE tenant=$1"};
constexpr sql::Query kListFacts{
    "reports.verify_list_all_facts",
    "SELECT organization, measure, on_date, dims, subject, delta, record, source FROM facts "
    "WHERE tenant=$1"};
constexpr sql::Query kListCells{
    "reports.verify_list_all_cells",
    "SELECT organization, measure, subject, dims, month, value FROM cells WHERE tenant=$1"};

constexpr int kExamplesMost = 100;
constexpr int kTries = 20;
constexpr absl::Duration kPause = absl::Milliseconds(200);

// measure, subject, dimensions, month.
using Key = std::tuple<std::string, std::string, std::string, std::string>;
using Cells = std::map<Key, int64_t>;
using Histories = std::map<std::string, PathHistory>;

// Calls `add(month, value)` for what one fact gives one owner. A balance is recounted month by
// month: it is the owner's in each month at whose end the fact's organisation stands below it.
template <typename Add>
void Recount(const v1::Measure& measure, const StoredFact& fact, const PathHistory& history,
             const Coverage& coverage, const std::string& owner, Add add) {
  const std::string month = fact.on_date.substr(0, 7);
  if (!IsBalance(measure.kind())) {
    const std::vector<std::string>& path = PathAt(history, fact.on_date);
    if (IsOn(path, owner) && coverage.Counts(fact.source, path, fact.measure, month)) {
      add(month, fact.delta);
    }
    return;
  }
  const auto holds_in = [&](const std::string& at) {
    const std::vector<std::string>& path = PathAt(history, EndOfMonth(at));
    return IsOn(path, owner) && coverage.Counts(fact.source, path, fact.measure, at);
  };
  bool held = holds_in(month);
  if (held) add(month, fact.delta);
  std::set<std::string> months = coverage.ChangeMonths(fact.measure);
  for (const PathSpan& span : history) months.insert(span.from.substr(0, 7));
  for (auto later = months.upper_bound(month); later != months.end(); ++later) {
    const bool holds = holds_in(*later);
    if (holds != held) add(*later, holds ? fact.delta : -fact.delta);
    held = holds;
  }
}

// The sum of value × hash over an owner's cells. Facts are added to it and cells taken off, in any
// order and in one pass each: what is left is zero when they agree (otherwise with a chance of
// 2^-128), so only owners that differ are recounted cell by cell.
using Fingerprint = unsigned __int128;
using Fingerprints = std::map<std::string, Fingerprint, std::less<>>;

class CellHash {
 public:
  CellHash(std::string_view measure, std::string_view subject, std::string_view dims)
      : prefix_(StrCat(measure, "\x1f", subject, "\x1f", dims, "\x1f")) {}
  Fingerprint operator()(const std::string& month) {
    if (month == month_) return hash_;
    month_ = month;
    const std::string hex = Sha256Hex(prefix_ + month);
    hash_ = Fingerprint{std::stoull(hex.substr(0, 16), nullptr, 16)} << 64 |
            std::stoull(hex.substr(16, 16), nullptr, 16);
    return hash_;
  }

 private:
  const std::string prefix_;
  std::string month_;
  Fingerprint hash_ = 0;
};

struct StoredCell {
  std::string organization;
  std::string measure;
  std::string subject;
  std::string dims;
  std::string month;
  int64_t value = 0;
};

StoredCell ReadCell(const sql::Rows::Row& row) {
  return {row.Get<std::string>(0), row.Get<std::string>(1), row.Get<std::string>(2),
          row.Get<std::string>(3), row.Get<std::string>(4), row.Get<int64_t>(5)};
}

// Of each organisation with facts the owners that they count for; without those that have none.
using Owners = std::map<std::string, std::set<std::string>>;

// The owners that are or were at or below `top`; empty: all.
Owners OwnersFrom(const Histories& histories, const std::string& top) {
  std::set<std::string> below;
  for (const auto& [organization, history] : histories) {
    for (const PathSpan& span : history) {
      auto end = std::find(span.path.begin(), span.path.end(), top);
      if (end != span.path.end()) below.insert(span.path.begin(), ++end);
    }
  }
  Owners owners;
  for (const auto& [organization, history] : histories) {
    for (const PathSpan& span : history) {
      for (const std::string& owner : span.path) {
        if (top.empty() || below.contains(owner)) owners[organization].insert(owner);
      }
    }
  }
  return owners;
}

// Rows of one snapshot on their way to the fingerprints: read in order by one thread, counted by
// as many as there are processors.
class Tally {
 public:
  Tally(const Measures& measures, const Histories& histories, const Coverage& coverage,
        Owners owners)
      : measures_(measures),
        histories_(histories),
        coverage_(coverage),
        owners_(std::move(owners)) {}

  // Counts the facts in, takes the cells off.
  void AddFact(StoredFact fact) {
    ++facts_;
    facts_waiting_.push_back(std::move(fact));
    if (facts_waiting_.size() == kBatch) Flush();
  }
  void AddCell(StoredCell cell) {
    ++cells_;
    cells_waiting_.push_back(std::move(cell));
    if (cells_waiting_.size() == kBatch) Flush();
  }

  // Waits for all that was added. Owners whose cells differ have another fingerprint than zero.
  const Fingerprints& Finish() {
    Flush();
    executor_.Stop();
    absl::MutexLock lock(&mutex_);
    return fingerprints_;
  }

  int64_t facts() const { return facts_; }
  int64_t cells() const { return cells_; }

 private:
  static constexpr size_t kBatch = 4096;

  void Flush() {
    auto count = [this, facts = std::move(facts_waiting_), cells = std::move(cells_waiting_)] {
      Fingerprints sums;
      for (const StoredFact& fact : facts) Count(fact, sums);
      for (const StoredCell& cell : cells) {
        CellHash hash(cell.measure, cell.subject, cell.dims);
        sums[cell.organization] -= static_cast<Fingerprint>(cell.value) * hash(cell.month);
      }
      absl::MutexLock lock(&mutex_);
      for (const auto& [owner, sum] : sums) fingerprints_[owner] += sum;
    };
    facts_waiting_.clear();
    cells_waiting_.clear();
    if (!executor_.TrySubmit(count)) count();
  }

  void Count(const StoredFact& fact, Fingerprints& sums) const {
    const v1::Measure* measure = measures_.FindCounted(fact.measure);
    const auto owners = owners_.find(fact.organization);
    if (measure == nullptr || owners == owners_.end()) return;
    const PathHistory& history = histories_.at(fact.organization);
    CellHash hash(fact.measure, CountsSubjects(measure->kind()) ? SubjectOf(fact) : "",
                  FormatDimensions(CellDimensions(*measure, fact.dimensions)));
    for (const std::string& owner : owners->second) {
      Recount(*measure, fact, history, coverage_, owner,
              [&](const std::string& month, int64_t value) {
                sums[owner] += static_cast<Fingerprint>(value) * hash(month);
              });
    }
  }

  const Measures& measures_;
  const Histories& histories_;
  const Coverage& coverage_;
  const Owners owners_;
  int64_t facts_ = 0;
  int64_t cells_ = 0;
  std::vector<StoredFact> facts_waiting_;
  std::vector<StoredCell> cells_waiting_;
  absl::Mutex mutex_;
  Fingerprints fingerprints_ ABSL_GUARDED_BY(mutex_);
  Executor executor_{
      {.name = "verify",
       .workers = static_cast<int>(std::max(1U, std::thread::hardware_concurrency())),
       .queue_limit = 8}};
};

absl::StatusOr<Cells> RecountOwner(sql::Tx& tx, const std::string& tenant, const Measures& measures,
                                   const Histories& histories, const Coverage& coverage,
                                   const std::string& owner) {
  Cells cells;
  for (const auto& [organization, history] : histories) {
    const bool below = std::any_of(history.begin(), history.end(),
                                   [&](const PathSpan& span) { return IsOn(span.path, owner); });
    if (!below) continue;
    RETURN_IF_ERROR(
        tx.Stream(kListFactsOfUnit, {tenant, organization}, [&](const sql::Rows::Row& row) {
          const StoredFact fact = ReadFact(row);
          const v1::Measure* measure = measures.FindCounted(fact.measure);
          if (measure == nullptr) return absl::OkStatus();
          const std::string dims = FormatDimensions(CellDimensions(*measure, fact.dimensions));
          const std::string subject = CountsSubjects(measure->kind()) ? SubjectOf(fact) : "";
          Recount(*measure, fact, history, coverage, owner,
                  [&](const std::string& month, int64_t value) {
                    cells[{fact.measure, subject, dims, month}] += value;
                  });
          return absl::OkStatus();
        }));
  }
  return cells;
}

// Lists the owner's cells that differ; a missing cell counts as zero.
absl::Status Compare(sql::Tx& tx, const std::string& tenant, const std::string& owner,
                     Cells recounted, v1::VerifyRollupsResult& result) {
  const auto differs = [&](const Key& key, int64_t stored, int64_t counted) {
    result.set_divergent(result.divergent() + 1);
    if (result.examples_size() == kExamplesMost) return;
    v1::DivergentCell& cell = *result.add_examples();
    cell.set_organization(owner);
    cell.set_measure(std::get<0>(key));
    cell.set_dimensions(std::get<2>(key));
    cell.set_month(std::get<3>(key));
    cell.set_stored(stored);
    cell.set_recounted(counted);
  };
  RETURN_IF_ERROR(tx.Stream(kListCellsOfUnit, {tenant, owner}, [&](const sql::Rows::Row& row) {
    StoredCell cell = ReadCell(row);
    const Key key{cell.measure, cell.subject, cell.dims, cell.month};
    const int64_t stored = cell.value;
    auto found = recounted.find(key);
    const int64_t counted = found == recounted.end() ? 0 : found->second;
    if (stored != counted) differs(key, stored, counted);
    if (found != recounted.end()) recounted.erase(found);
    return absl::OkStatus();
  }));
  for (const auto& [key, counted] : recounted) {
    if (counted != 0) differs(key, 0, counted);
  }
  return absl::OkStatus();
}

// Tells the job how far the reading is, every so many rows.
class Meter {
 public:
  Meter(rpc::JobRun& run, int64_t total) : run_(run) { progress_.total = total; }
  absl::Status Step(std::string_view note) {
    if (++progress_.done % kEvery != 0) return absl::OkStatus();
    progress_.note = note;
    return run_.Save(progress_);
  }

 private:
  static constexpr int64_t kEvery = 200'000;
  rpc::JobRun& run_;
  rpc::JobProgress progress_;
};

absl::StatusOr<int64_t> CountRows(sql::Tx& tx, const sql::Query& query, const std::string& tenant) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(query, {tenant}));
  return rows[0].Get<int64_t>(0);
}

// Reads what `owners` needs: in one sweep where that is everything, else unit by unit.
absl::Status ReadAll(sql::Tx& tx, const std::string& tenant, bool everything, const Owners& owners,
                     Meter& meter, Tally& tally) {
  const auto fact = [&](const sql::Rows::Row& row) {
    tally.AddFact(ReadFact(row));
    return meter.Step("facts");
  };
  const auto cell = [&](const sql::Rows::Row& row) {
    tally.AddCell(ReadCell(row));
    return meter.Step("cells");
  };
  if (everything) {
    RETURN_IF_ERROR(tx.Stream(kListFacts, {tenant}, fact));
    return tx.Stream(kListCells, {tenant}, cell);
  }
  std::set<std::string> all;
  for (const auto& [organization, of_one] : owners) {
    RETURN_IF_ERROR(tx.Stream(kListFactsOfUnit, {tenant, organization}, fact));
    all.insert(of_one.begin(), of_one.end());
  }
  for (const std::string& owner : all) {
    RETURN_IF_ERROR(tx.Stream(kListCellsOfUnit, {tenant, owner}, cell));
  }
  return absl::OkStatus();
}

absl::Status VerifyAll(sql::Tx& tx, rpc::JobRun& run, const std::string& top,
                       const Measures& measures, const Histories& histories,
                       v1::VerifyRollupsResult& result) {
  const std::string& tenant = run.federation();
  int64_t total = 0;
  if (top.empty()) {
    for (const sql::Query* query : {&kCountFacts, &kCountCells}) {
      ASSIGN_OR_RETURN(const int64_t count, CountRows(tx, *query, tenant));
      total += count;
    }
  }
  Meter meter(run, total);
  const Owners owners = OwnersFrom(histories, top);
  ASSIGN_OR_RETURN(const Coverage coverage, Coverage::Load(tx, tenant));
  Tally tally(measures, histories, coverage, owners);
  RETURN_IF_ERROR(ReadAll(tx, tenant, top.empty(), owners, meter, tally));
  result.set_facts(tally.facts());
  result.set_cells(tally.cells());
  for (const auto& [owner, difference] : tally.Finish()) {
    if (difference == 0) continue;
    ASSIGN_OR_RETURN(Cells recounted,
                     RecountOwner(tx, tenant, measures, histories, coverage, owner));
    RETURN_IF_ERROR(Compare(tx, tenant, owner, std::move(recounted), result));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::VerifyRollupsResult> Verification::Verify(
    rpc::JobRun& run, const v1::VerifyRollupsRequest& request) {
  const absl::Time started = absl::Now();
  v1::VerifyRollupsResult result;
  for (int tries = 1;; ++tries) {
    bool behind = false;
    RETURN_IF_ERROR(options_.db->ReadOnly(absl::InfiniteFuture(), [&](sql::Tx& tx) -> absl::Status {
      result.Clear();
      behind = false;
      ASSIGN_OR_RETURN(Histories histories, Placements::All(tx, run.federation()));
      ASSIGN_OR_RETURN(auto tree, options_.tree->Get(run.federation()));
      for (auto& [organization, placed] : histories) {
        PathHistory now = HistoryOf(*tree, organization);
        behind = behind || now != placed;
        placed = std::move(now);
      }
      if (behind && tries < kTries) return absl::OkStatus();
      return VerifyAll(tx, run, request.organization(), *options_.measures, histories, result);
    }));
    if (!behind || tries == kTries) break;
    absl::SleepFor(kPause);
  }
  result.set_elapsed_us(absl::ToInt64Microseconds(absl::Now() - started));
  divergent_.Set(static_cast<double>(result.divergent()));
  return result;
}

}  // namespace gonghui::reports
