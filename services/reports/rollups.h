// Takes facts over: stores them and keeps the cells of the organisation and of every ancestor.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "common/sql/sql.h"
#include "common/tree/tree_cache.h"
#include "gonghui/feed/v1/feed.pb.h"
#include "services/reports/cell_sums.h"
#include "services/reports/coverage.h"
#include "services/reports/dimensions.h"
#include "services/reports/measures.h"
#include "services/reports/placements.h"

namespace gonghui::reports {

// A fact as stored.
struct StoredFact {
  std::string organization;
  std::string measure;
  std::string on_date;
  DimensionMap dimensions;
  std::string subject;
  int64_t delta = 0;
  std::string record;
  std::string source;
};

// What a distinct count tells apart; a fact without subject stands for its record. Empty: a number
// of subjects that a return states without naming them.
inline std::string_view SubjectOf(std::string_view subject, std::string_view record,
                                  bool of_return) {
  return subject.empty() && !of_return ? record : subject;
}
inline std::string SubjectOf(const StoredFact& fact) {
  return std::string(SubjectOf(fact.subject, fact.record, IsReturnSource(fact.source)));
}

// What a fact adds to a figure's number of records: it enters one or withdraws one.
inline int64_t RecordsIn(int64_t delta) { return delta > 0 ? 1 : delta < 0 ? -1 : 0; }
inline int64_t RecordsIn(const StoredFact& fact) { return RecordsIn(fact.delta); }

// The name of a cell.
struct CellKey {
  std::string organization;
  std::string measure;
  std::string subject;
  std::string dims;
  std::string month;
  auto operator<=>(const CellKey&) const = default;
};

// Changes of cells, gathered in memory and written once, in the order of their keys.
class CellChanges {
 public:
  // Adds the fact to its cells (sign 1) or takes it out of them (-1), as far as its source counts.
  void Add(const v1::Measure& measure, const StoredFact& fact, const PathHistory& history,
           const Coverage& coverage, int sign);
  size_t size() const { return changes_.size(); }
  // Writes and forgets.
  absl::Status Write(sql::Tx& tx, const std::string& tenant, CellTables tables);

 private:
  struct Change {
    CellKey key;
    int64_t value;
    int64_t records;  // Records entered less those withdrawn.
  };
  std::vector<Change> changes_;
};

// Thread-safe.
class Rollups {
 public:
  Rollups(const Measures* measures, tree::TreeCache* tree) : measures_(*measures), tree_(*tree) {}

  // Takes over a page of events of one source and federation: changes of the tree first, then the
  // facts. A fact of an unknown measure is stored and counts nowhere.
  absl::Status Apply(sql::Tx& tx, const std::string& source,
                     const std::vector<feed::v1::Event>& events);
  // Makes anew the cells of federations that were made by another catalogue. Apply does the same
  // where it meets one.
  absl::Status Refresh(sql::Database& db);
  // Waits for other writers of the federation's cells, and lets none in until the end of `tx`.
  absl::Status TakeTurn(sql::Tx& tx, const std::string& tenant) {
    return Begin(tx, tenant).status();
  }
  // Shifts the cells of all that lies below the organisation of `changed` from what counted
  // without the declaration to what counts with it, or back. The stored declarations are as they
  // will be.
  absl::Status ChangeCoverage(sql::Tx& tx, const std::string& tenant, const CoverageRule& changed,
                              bool withdrawn);

 private:
  // Takes the federation's turn among writers of cells; tells where they are written.
  absl::StatusOr<CellTables> Begin(sql::Tx& tx, const std::string& tenant);
  void WarnUnknown(const std::string& measure);

  const Measures& measures_;
  tree::TreeCache& tree_;
  absl::Mutex mutex_;
  std::set<std::string, std::less<>> warned_ ABSL_GUARDED_BY(mutex_);
};

// Columns 0-7 of a row: organization, measure, on_date, dims, subject, delta, record, source.
StoredFact ReadFact(const sql::Rows::Row& row);

}  // namespace gonghui::reports
