#include "services/reports/cell_sums.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "common/base/status.h"
#include "common/sql/insert.h"

namespace gonghui::reports {
namespace {

constexpr size_t kRowsAtOnce = 4096;  // On their way to the engine.

sql::Insert AddTo(const std::string& name, const std::string& table) {
  return sql::Insert(
      name, table,
      {"tenant", "organization", "measure", "subject", "dims", "month", "value", "records"},
      "ON CONFLICT (tenant, organization, measure, subject, dims, month) DO UPDATE "
      "SET value = " +
          table + ".value + excluded.value, records = " + table + ".records + excluded.records");
}

// The cells of a run of facts, named by numbers.
class CellSums {
 public:
  explicit CellSums(const FactColumns& facts) : facts_(facts) {}

  void Add(const std::vector<FactColumns::Group>& groups,
           const std::vector<const PathHistory*>& histories, const Coverage& coverage);
  absl::Status Write(sql::Tx& tx, const std::string& tenant, CellTables tables) const;

 private:
  struct Cell {
    uint32_t owner;  // In owners_.
    uint32_t item;
    uint32_t month;  // In months_.
    bool operator==(const Cell&) const = default;
    template <typename H>
    friend H AbslHashValue(H h, const Cell& cell) {
      return H::combine(std::move(h), cell.owner, cell.item, cell.month);
    }
  };
  using Sum = std::pair<Cell, Sums>;
  std::vector<Sum> InOrder() const;

  const FactColumns& facts_;
  Dictionary owners_, months_;
  absl::flat_hash_map<Cell, Sums> sums_;
};

void CellSums::Add(const std::vector<FactColumns::Group>& groups,
                   const std::vector<const PathHistory*>& histories, const Coverage& coverage) {
  // The history that counts is the same for an organisation's facts of one source and measure.
  std::optional<std::tuple<uint32_t, uint32_t, uint32_t>> last;
  PathHistory room;
  const PathHistory* counted = nullptr;
  for (const FactColumns::Group& group : groups) {
    const FactColumns::Series& series = facts_.series()[group.series];
    const uint32_t measure = facts_.items()[series.item].measure;
    const std::tuple here{series.organization, series.source, measure};
    if (last != here) {
      counted = &coverage.Restrict(*histories[series.organization], facts_.sources()[series.source],
                                   facts_.measures()[measure], room);
      last = here;
    }
    ForEachShare(facts_.measure(measure).kind(), *counted, facts_.days()[group.day],
                 [&](const std::string& owner, const std::string& month, int sign) {
                   Sums& sums = sums_[{owners_.Code(owner), series.item, months_.Code(month)}];
                   sums.value += sign * group.sums.value;
                   sums.records += sign * group.sums.records;
                 });
  }
}

// By the texts of their keys.
std::vector<CellSums::Sum> CellSums::InOrder() const {
  const std::vector<uint32_t> owner = owners_.Ranks();
  const std::vector<uint32_t> month = months_.Ranks();
  const std::vector<uint32_t> measure = facts_.measures().Ranks();
  const std::vector<uint32_t> subject = facts_.subjects().Ranks();
  const std::vector<uint32_t> dims = facts_.dims().Ranks();
  std::vector<Sum> cells;
  for (const auto& [cell, sums] : sums_) {
    if (sums.value != 0 || sums.records != 0) cells.emplace_back(cell, sums);
  }
  const auto key = [&](const Cell& cell) {
    const FactColumns::Item& item = facts_.items()[cell.item];
    return std::tuple{owner[cell.owner], measure[item.measure], subject[item.subject],
                      dims[item.dims], month[cell.month]};
  };
  std::sort(cells.begin(), cells.end(),
            [&](const Sum& a, const Sum& b) { return key(a.first) < key(b.first); });
  return cells;
}

absl::Status CellSums::Write(sql::Tx& tx, const std::string& tenant, CellTables tables) const {
  std::vector<sql::Args> rows;
  for (const auto& [cell, sums] : InOrder()) {
    const FactColumns::Item& item = facts_.items()[cell.item];
    rows.push_back({tenant, owners_[cell.owner], facts_.measures()[item.measure],
                    facts_.subjects()[item.subject], facts_.dims()[item.dims], months_[cell.month],
                    sums.value, sums.records});
    if (rows.size() < kRowsAtOnce) continue;
    RETURN_IF_ERROR(AddToCells(tx, tables, std::exchange(rows, {})));
  }
  return AddToCells(tx, tables, std::move(rows));
}

}  // namespace

absl::Status AddToCells(sql::Tx& tx, CellTables tables, std::vector<sql::Args> rows) {
  static const auto& kAddToCells = *new sql::Insert(AddTo("reports.add_to_cells", "cells"));
  static const auto& kAddToRebuilt =
      *new sql::Insert(AddTo("reports.add_to_rebuilt_cells", "rebuilt_cells"));
  if (tables == CellTables::kRebuilt) return kAddToRebuilt.Run(tx, std::move(rows));
  if (tables == CellTables::kBoth) RETURN_IF_ERROR(kAddToRebuilt.Run(tx, rows));
  return kAddToCells.Run(tx, std::move(rows));
}

absl::Status RollUp(sql::Tx& tx, const std::string& tenant, const FactColumns& facts,
                    Placements& placements, const Coverage& coverage, CellTables tables) {
  std::vector<const PathHistory*> histories;
  std::vector<bool> moved;
  for (uint32_t code = 0; code < facts.organizations().size(); ++code) {
    ASSIGN_OR_RETURN(const PathHistory* history, placements.Of(facts.organizations()[code]));
    histories.push_back(history);
    moved.push_back(history->size() > 1);
  }
  CellSums cells(facts);
  cells.Add(facts.Sum(moved), histories, coverage);
  return cells.Write(tx, tenant, tables);
}

}  // namespace gonghui::reports
