// Reads figures for one caller: by any basis, beside other periods, without what the caller may not
// see.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "services/reports/evaluation.h"
#include "services/reports/measures.h"
#include "services/reports/standpoint.h"
#include "services/reports/suppression.h"

namespace gonghui::reports {

// The permission to see figures of few persons.
inline constexpr std::string_view kUnsuppressed = "reports.figures.unsuppressed";

// Used within one transaction by one thread. The bases of all scopes are resolved.
class FigureReader {
 public:
  using Comparisons = std::vector<v1::Comparison>;
  // Without `call`: for the program itself, which may see everything.
  FigureReader(sql::Tx& tx, const Measures& measures, std::string tenant, const rpc::Call* call,
               Comparisons comparisons = {});

  // Reads what figures of the measure at these organisations need in one round trip, where that is
  // not much: by the default basis, and without a cell for each person.
  absl::Status Fetch(const FigureScope& scope, const v1::Measure& measure,
                     absl::Span<const std::string> organizations);
  // One figure; the filter has no split.
  absl::StatusOr<v1::Figure> Read(const FigureScope& scope, const v1::Measure& measure,
                                  const DimensionFilter& filter);
  // Adds what the filter selects: a figure for each value of the keys it splits by. Without facts
  // there is none, but with `named` the total.
  absl::Status Select(const FigureScope& scope, const v1::Measure& measure,
                      const DimensionFilter& filter, bool named, std::vector<v1::Figure>& figures);
  // Adds the total and every combination of the measure's dimensions, also under the names of their
  // totals. TOO_MANY_ITEMS beyond what one answer holds.
  absl::Status Combine(const FigureScope& scope, const v1::Measure& measure, bool named,
                       std::vector<v1::Figure>& figures);
  // Combine for every measure of the catalogue.
  absl::StatusOr<std::vector<v1::Figure>> All(const FigureScope& scope);

  // Whether the caller may see figures of few persons at the organisation.
  bool SeesAll(const std::string& organization);
  // Whether a figure with this outcome is kept from the caller. `own`: only what the organisation
  // has itself.
  absl::StatusOr<bool> Hides(const FigureScope& scope, const v1::Measure& measure,
                             const DimensionFilter& filter, const Outcome& outcome,
                             bool own = false);
  // Of the basis; nullptr for the default one.
  absl::StatusOr<Standpoint*> StandpointOf(const Basis& basis);

 private:
  using LoadedPtr = std::shared_ptr<const LoadedMeasure>;
  absl::StatusOr<LoadedPtr> Load(const FigureScope& scope, const v1::Measure& measure);
  // Without facts; of a ratio, without any of the denominator. Where figures may be hidden, that
  // there are none is not told either.
  bool SaysNothing(const FigureScope& scope, const LoadedMeasure& loaded);
  // Forgets what was loaded for another measure, and for another organisation if not fetched.
  void Begin(const FigureScope& scope, const v1::Measure& measure);
  // The outcomes of a split; for a caller who may not see all, also the empty ones that must not be
  // told from hidden ones.
  absl::StatusOr<Outcomes> SplitFor(const FigureScope& scope, const LoadedMeasure& loaded,
                                    const DimensionFilter& filter,
                                    const std::set<std::string>& split);
  absl::StatusOr<v1::Figure> Make(const FigureScope& scope, const v1::Measure& measure,
                                  const DimensionFilter& filter, const Outcome& outcome);
  absl::Status AddComparisons(const FigureScope& scope, const v1::Measure& measure,
                              const DimensionFilter& filter, const Outcome& outcome,
                              v1::Figure& figure);
  absl::Status AddSplit(const FigureScope& scope, const LoadedMeasure& loaded,
                        const std::set<std::string>& split, std::vector<v1::Figure>& figures);

  sql::Tx& tx_;
  const Measures& measures_;
  const std::string tenant_;
  const rpc::Call* call_;
  const Comparisons comparisons_;
  Suppression suppression_;
  std::map<std::string, bool> sees_all_;
  std::map<std::string, std::unique_ptr<Standpoint>> standpoints_;
  const v1::Measure* at_hand_ = nullptr;
  std::string organization_at_hand_;
  bool fetched_ = false;
  // By organisation, measure (or part of the one at hand), period and basis.
  std::map<std::tuple<std::string, std::string, std::string, std::string>, LoadedPtr> loaded_;
};

// The filter for one group of a split.
DimensionFilter FilterOf(const DimensionFilter& filter, const DimensionMap& group);

}  // namespace gonghui::reports
