// From cells to figures: sums, balances, distinct counts and ratios.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/base/date.h"
#include "common/sql/sql.h"
#include "gonghui/reports/v1/report.pb.h"
#include "services/reports/basis.h"
#include "services/reports/dimensions.h"
#include "services/reports/measures.h"
#include "services/reports/standpoint.h"

namespace gonghui::reports {

// What a figure is about.
struct FigureScope {
  std::string tenant;
  std::string organization;
  Period period;
  Basis basis;
};

// Cells of one organisation and measure, by subject. Dimension texts are kept once.
class CellRows {
 public:
  struct Row {
    std::string subject;
    size_t dims;  // Index into dims().
    std::string month;
    int64_t value;
    int64_t records;
  };
  void Add(std::string subject, std::string_view dims, std::string month, int64_t value,
           int64_t records);
  // Columns 0-4 of the row: subject, dims, month, value, records.
  void Add(const sql::Rows::Row& row);
  void SortBySubject();  // Only where rows were not added in order of subject.
  const std::vector<Row>& rows() const { return rows_; }
  const std::vector<DimensionMap>& dims() const { return dims_; }
  bool empty() const { return rows_.empty(); }

 private:
  std::vector<Row> rows_;
  std::vector<DimensionMap> dims_;
  std::map<std::string, size_t, std::less<>> dims_index_;
};

// A counted value and the records behind it.
struct Sum {
  int64_t value = 0;
  int64_t records = 0;
  bool empty() const { return value == 0 && records == 0; }
};

// By the values of the keys a query splits by; without split the one key is empty. Empty sums are
// left out.
using SumsByGroup = std::map<DimensionMap, Sum>;

// The cells that a figure of a counted measure needs. `standpoint` is that of the scope's basis;
// nullptr for the default one.
absl::StatusOr<CellRows> LoadCells(sql::Tx& tx, const FigureScope& scope,
                                   const v1::Measure& measure, Standpoint* standpoint = nullptr);

// SumsByGroup of the rows that the filter admits, split by `split` (which may hold "month").
SumsByGroup Evaluate(const v1::Measure& measure, const CellRows& rows,
                     const DimensionFilter& filter, const std::set<std::string>& split,
                     const Period& period);

// A value ready to print; for a ratio, over its denominator.
struct Outcome {
  Sum sum;
  std::optional<Sum> denominator;  // Of ratios.
};
using Outcomes = std::map<DimensionMap, Outcome>;

// A measure's cells (of a ratio: both parts') loaded once, evaluated as often as needed.
class LoadedMeasure {
 public:
  static absl::StatusOr<LoadedMeasure> Load(sql::Tx& tx, const Measures& measures,
                                            const FigureScope& scope, const v1::Measure& measure,
                                            Standpoint* standpoint = nullptr);
  // Of many organisations in one round trip, in their order; by the default basis. No organisation
  // stands twice.
  static absl::StatusOr<std::vector<LoadedMeasure>> LoadAll(
      sql::Tx& tx, const Measures& measures, const FigureScope& scope,
      absl::Span<const std::string> organizations, const v1::Measure& measure);
  bool empty() const;
  Outcomes Split(const DimensionFilter& filter, const std::set<std::string>& split) const;
  // Without split: always one outcome, possibly zero.
  Outcome Total(const DimensionFilter& filter) const;
  const v1::Measure& measure() const { return *measure_; }

 private:
  const v1::Measure* measure_ = nullptr;
  Period period_;
  std::vector<const v1::Measure*> parts_;
  std::vector<CellRows> rows_;
};

// The answer's form: name, value in the smallest unit, text as printed.
v1::Figure MakeFigure(const FigureScope& scope, const v1::Measure& measure,
                      const DimensionMap& dimensions, const Outcome& outcome);
// A value of the measure in its unit: "833.1".
std::string FormatValue(const v1::Measure& measure, int64_t value);
// value / 10^scale without zeros at the end: (1250, 2) -> "12.5".
std::string TrimmedDecimal(int64_t value, int scale);

}  // namespace gonghui::reports
