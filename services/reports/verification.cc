#include "services/reports/verification.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "common/base/text.h"
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
constexpr sql::Query kListFacts{
    "reports.verify_list_all_facts",
    "SELECT organization, measure, on_date, dims, subject, delta, record FROM facts "
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

bool IsOn(const std::vector<std::string>& path, const std::string& organization) {
  return std::find(path.begin(), path.end(), organization) != path.end();
}

// Calls `add(month, value)` for what one fact gives one owner. A balance is recounted month by
// month: it is the owner's in each month at whose end the fact's organisation stands below it.
template <typename Add>
void Recount(const v1::Measure& measure, const StoredFact& fact, const PathHistory& history,
             const std::string& owner, Add add) {
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

std::set<std::string> OwnersOf(const PathHistory& history) {
  std::set<std::string> owners;
  for (const PathSpan& span : history) owners.insert(span.path.begin(), span.path.end());
  return owners;
}

// Counts all facts into the fingerprints.
absl::Status AddFacts(sql::Tx& tx, const std::string& tenant, const Measures& measures,
                      const Histories& histories, Fingerprints& fingerprints, int64_t& facts) {
  std::map<std::string, std::set<std::string>> owners;
  for (const auto& [organization, history] : histories) owners[organization] = OwnersOf(history);
  return tx.Stream(kListFacts, {tenant}, [&](const sql::Rows::Row& row) {
    ++facts;
    const StoredFact fact = ReadFact(row);
    const v1::Measure* measure = measures.FindCounted(fact.measure);
    const auto history = histories.find(fact.organization);
    if (measure == nullptr || history == histories.end()) return absl::OkStatus();
    CellHash hash(fact.measure, CountsSubjects(measure->kind()) ? SubjectOf(fact) : "",
                  FormatDimensions(CellDimensions(*measure, fact.dimensions)));
    for (const std::string& owner : owners[fact.organization]) {
      Recount(*measure, fact, history->second, owner, [&](const std::string& month, int64_t value) {
        fingerprints[owner] += static_cast<Fingerprint>(value) * hash(month);
      });
    }
    return absl::OkStatus();
  });
}

// Takes all stored cells off the fingerprints.
absl::Status TakeCells(sql::Tx& tx, const std::string& tenant, Fingerprints& fingerprints,
                       int64_t& cells) {
  return tx.Stream(kListCells, {tenant}, [&](const sql::Rows::Row& row) {
    ++cells;
    CellHash hash(row.Get<std::string_view>(1), row.Get<std::string_view>(2),
                  row.Get<std::string_view>(3));
    fingerprints[row.Get<std::string>(0)] -=
        static_cast<Fingerprint>(row.Get<int64_t>(5)) * hash(row.Get<std::string>(4));
    return absl::OkStatus();
  });
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
          const v1::Measure* measure = measures.FindCounted(fact.measure);
          if (measure == nullptr) return absl::OkStatus();
          const std::string dims = FormatDimensions(CellDimensions(*measure, fact.dimensions));
          const std::string subject = CountsSubjects(measure->kind()) ? SubjectOf(fact) : "";
          Recount(*measure, fact, history, owner, [&](const std::string& month, int64_t value) {
            cells[{fact.measure, subject, dims, month}] += value;
          });
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

absl::Status VerifyAll(sql::Tx& tx, const std::string& tenant, const Measures& measures,
                       const Histories& histories, v1::VerifyRollupsResponse& response) {
  Fingerprints fingerprints;
  int64_t facts = 0;
  int64_t cells = 0;
  RETURN_IF_ERROR(AddFacts(tx, tenant, measures, histories, fingerprints, facts));
  RETURN_IF_ERROR(TakeCells(tx, tenant, fingerprints, cells));
  response.set_facts(facts);
  response.set_cells(cells);
  for (const auto& [owner, difference] : fingerprints) {
    if (difference == 0) continue;
    ASSIGN_OR_RETURN(Cells recounted, RecountOwner(tx, tenant, measures, histories, owner));
    RETURN_IF_ERROR(Compare(tx, tenant, owner, std::move(recounted), response));
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
