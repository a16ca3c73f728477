// The measures and indicators of the catalogue, and its kinds of periods.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/embedded.h"
#include "gonghui/reports/v1/report.pb.h"
#include "services/reports/periods.h"

namespace gonghui::reports {

// Key that every measure takes: it narrows the period to one of its months.
inline constexpr std::string_view kMonthKey = "month";

// The file of the catalogue that holds the forms of returns: it has a schema of its own (forms.h).
inline constexpr std::string_view kFormsFile = "forms.yaml";
// The same for targets and appraisals (appraisal_schemes.h).
inline constexpr std::string_view kAppraisalsFile = "appraisals.yaml";
// How the names of the files of work summaries begin.
inline constexpr std::string_view kSummaryFiles = "summary_";

// True for kinds that count different subjects: persons, units, trades.
bool CountsSubjects(v1::MeasureKind kind);
// True for kinds answered as they stand at the end of the period.
bool IsBalance(v1::MeasureKind kind);
// "stock", "heads" …, as the catalogue writes it.
std::string KindName(v1::MeasureKind kind);

// Immutable after loading; thread-safe.
class Measures {
 public:
  // Merges the files and checks them: names are unique, kinds set, a ratio's parts exist and take
  // the ratio's dimensions. The error names file or measure.
  static absl::StatusOr<Measures> Load(const std::vector<EmbeddedFile>& files);

  const v1::Measure* Find(std::string_view name) const;  // nullptr when unknown.
  // As Find, but nullptr for ratios: they are computed, not counted.
  const v1::Measure* FindCounted(std::string_view name) const;
  const v1::MeasureCatalog& catalog() const { return catalog_; }
  // Position in the catalogue: the order of answers.
  int OrderOf(std::string_view name) const;
  // Of a ratio the numerator and the denominator, else the measure itself.
  std::vector<const v1::Measure*> PartsOf(const v1::Measure& measure) const;
  const Periods& periods() const { return periods_; }
  // Names what cells are made from: two catalogues with equal fingerprints make equal cells.
  const std::string& fingerprint() const { return fingerprint_; }

 private:
  absl::Status Index();

  v1::MeasureCatalog catalog_;
  std::map<std::string, int, std::less<>> index_;
  std::string fingerprint_;
  Periods periods_;
};

// The declaration of a dimension, or nullptr.
const v1::MeasureDimension* FindDimension(const v1::Measure& measure, std::string_view key);

// REASON_MEASURE_UNKNOWN at `field`.
absl::Status MeasureUnknown(std::string_view name, std::string_view field);

}  // namespace gonghui::reports
