// Figures as an edition froze them: what a work summary says and is checked against when it is
// written from an edition.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/sql/sql.h"
#include "services/reports/edition_rows.h"
#include "services/reports/evaluation.h"
#include "services/reports/measures.h"

namespace gonghui::reports {

// A figure within an edition:
// federations/{f}/organizations/{o}/editions/{e}/figures/{organization}/{measure}, then
// /{key=value;key=value} where it is restricted.
struct EditionFigureName {
  EditionId edition;
  std::string organization;
  const v1::Measure* measure = nullptr;
  DimensionFilter filter;  // Without split.

  std::string Text() const;
};

// Whether a name is of that form, rather than of a figure of today.
bool IsEditionFigure(std::string_view name);
// Errors at `name`: NOT_FOUND, FIELD_INVALID, MEASURE_UNKNOWN, PERIOD_INVALID, DIMENSION_UNKNOWN.
absl::StatusOr<EditionFigureName> ParseEditionFigureName(const Measures& measures,
                                                         std::string_view name);

// What an edition holds of one organisation, beside the editions of the year before and of the
// period just before that stood when it was closed. So it says the same for ever.
class FrozenFigures {
 public:
  // NOT_FOUND at `edition` where there is no such edition or it has nothing of the organisation.
  static absl::StatusOr<FrozenFigures> Load(sql::Tx& tx, const Measures& measures,
                                            const EditionId& id, const std::string& organization);

  // One figure with its comparisons; the filter has no split. Without value where the edition
  // cannot tell: of some months of its period, of several values of a dimension at once, of what
  // its own catalogue did not define.
  v1::Figure Read(const v1::Measure& measure, const DimensionFilter& filter) const;
  const Period& period() const { return period_; }
  // When the edition was closed, microseconds UTC.
  int64_t closed_us() const { return closed_us_; }
  // All there are, in the order of today's catalogue.
  std::vector<v1::Figure> All() const;

 private:
  // An edition beside which this one's figures stand.
  struct Beside {
    Period period;
    EditionFigures figures;
  };
  FrozenFigures(const Measures& measures, EditionId id, std::string organization)
      : measures_(&measures), id_(std::move(id)), organization_(std::move(organization)) {}
  absl::Status LoadBeside(sql::Tx& tx, const v1::Edition& edition);
  const v1::Measure* Defined(std::string_view measure) const;
  v1::Figure Make(const v1::Measure& defined, const DimensionMap& shown,
                  const DimensionMap& dimensions) const;

  const Measures* measures_;
  EditionId id_;
  std::string organization_;
  Period period_;
  int64_t closed_us_ = 0;
  v1::MeasureCatalog definitions_;
  EditionFigures figures_;
  std::map<v1::Comparison, Beside> beside_;
};

}  // namespace gonghui::reports
