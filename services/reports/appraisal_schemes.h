// Schemes of appraisals and rules of targets, loaded and checked.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/embedded.h"
#include "gonghui/reports/v1/appraisal.pb.h"
#include "services/reports/dimensions.h"
#include "services/reports/measures.h"

namespace gonghui::reports {

// An item with its numbers read. Scores are hundredths of a point.
struct SchemeItem {
  struct Step {
    int64_t at_least = 0;
    int64_t points = 0;
  };
  const v1::AppraisalItem* message = nullptr;
  const v1::Measure* measure = nullptr;  // Of TARGET and FIGURE.
  int64_t points = 0;
  int scale = 2;  // Decimal places of the values that are scored: of floor, full and steps.
  int64_t floor = 0;
  int64_t full = 0;
  int64_t cap = 0;          // Most points of the linear formula.
  std::vector<Step> steps;  // Empty: linear.

  v1::AppraisalItemKind kind() const { return message->kind(); }
  bool IsVeto() const { return kind() == v1::APPRAISAL_ITEM_KIND_VETO; }
  bool IsAssessed() const {
    return !IsVeto() && message->source() == v1::APPRAISAL_SOURCE_ASSESSED;
  }
};

// One entry of the catalogue. Immutable.
class Scheme {
 public:
  // Errors name the scheme and what is wrong.
  static absl::StatusOr<Scheme> Make(v1::AppraisalScheme message, const Measures& measures);
  Scheme(Scheme&&) = default;

  const v1::AppraisalScheme& message() const { return *message_; }
  const std::vector<SchemeItem>& items() const { return items_; }
  const SchemeItem* Find(std::string_view item) const;  // nullptr when unknown.
  // Least total of each grade, beside message().grades().
  const std::vector<int64_t>& thresholds() const { return thresholds_; }
  // Position of a grade, best 0; the number of grades when unknown.
  size_t GradeIndex(std::string_view name) const;
  // Whether organisations of this kind are appraised.
  bool Appraises(std::string_view kind) const;

 private:
  Scheme() = default;
  absl::Status AddItem(const v1::AppraisalItem& item, const Measures& measures);
  absl::Status ReadFormula(SchemeItem& item, const Measures& measures);
  absl::Status ReadGrades();
  absl::Status Fault(std::string_view what, std::string_view what_zh) const;
  // A decimal text; the error names scheme and place.
  absl::StatusOr<int64_t> Number(std::string_view text, int scale, std::string_view place) const;

  std::unique_ptr<v1::AppraisalScheme> message_;  // Items point into it.
  std::vector<SchemeItem> items_;
  std::vector<int64_t> thresholds_;
};

// Immutable, thread-safe.
class AppraisalSchemes {
 public:
  // Reads kAppraisalsFile among the files. The error names file or scheme.
  static absl::StatusOr<AppraisalSchemes> Load(const std::vector<EmbeddedFile>& files,
                                               const Measures& measures);

  // The entry in force on a date; nullptr when there is none.
  const Scheme* Find(std::string_view name, std::string_view on_date) const;
  v1::ListAppraisalSchemesResponse List() const;
  const v1::TargetRules& rules() const { return rules_; }
  int64_t tolerance_hundredths() const { return tolerance_; }

 private:
  std::string version_;
  v1::TargetRules rules_;
  int64_t tolerance_ = 0;
  // Name, then valid_from.
  std::map<std::string, std::map<std::string, Scheme, std::less<>>, std::less<>> schemes_;
};

}  // namespace gonghui::reports
