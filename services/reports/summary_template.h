// The templates of work summaries, taken apart and checked.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/date.h"
#include "common/base/embedded.h"
#include "re2/re2.h"
#include "services/reports/measures.h"
#include "services/reports/summary_citation.h"

namespace gonghui::reports {

// A figure within a sentence.
struct FigureSlot {
  std::string measure;
  std::string dimensions;  // "key=value;key=value".
  Aspect aspect = Aspect::kValue;
};

// Words, a figure, or a group in square brackets.
struct SentencePiece {
  enum class Kind { kWords, kFigure, kGroup };
  Kind kind = Kind::kWords;
  std::string words;
  FigureSlot figure;
  std::vector<SentencePiece> group;  // Without groups of its own.
};

struct SummaryCondition {
  FigureSlot figure;
  std::optional<double> at_least;
  std::optional<double> below;
};

struct SummarySentenceForm {
  std::vector<SentencePiece> pieces;
  std::vector<SummaryCondition> when;
};

struct SummarySectionForm {
  std::string heading;
  std::vector<SummarySentenceForm> sentences;
  std::vector<SummarySectionForm> sections;
  std::optional<v1::PlanItems> items;
};

struct SummaryForm {
  const v1::SummaryTemplate* source = nullptr;
  std::vector<SummarySentenceForm> opening;
  std::vector<SummarySectionForm> sections;
};

// The catalogue of summaries. Immutable after loading; thread-safe.
class SummaryForms {
 public:
  // Reads the files whose names begin with kSummaryFiles. Errors name the sentence: an unknown
  // measure, dimension or aspect, a brace or bracket without its other half, a bad pattern or
  // scale.
  static absl::StatusOr<SummaryForms> Load(const Measures& measures,
                                           const std::vector<EmbeddedFile>& files);

  const v1::SummaryCatalog& catalog() const { return *catalog_; }
  // By name; or, for an empty name, the first that fits the kind of organisation and period, else
  // the first that fits the period. Errors at `template`: NOT_FOUND with the names there are.
  absl::StatusOr<const SummaryForm*> Choose(std::string_view name,
                                            std::string_view organization_kind,
                                            const Period& period) const;
  const std::vector<std::unique_ptr<re2::RE2>>& allowed() const { return allowed_; }

 private:
  std::unique_ptr<v1::SummaryCatalog> catalog_;  // The forms point into it.
  std::vector<SummaryForm> forms_;
  std::vector<std::unique_ptr<re2::RE2>> allowed_;
};

// "year", "half_year", "quarter", "month", or "" for other lengths.
std::string_view PeriodKindOf(const Period& period);
// 2020年上半年, 2020年1至5月.
std::string PeriodInChinese(const Period& period);

}  // namespace gonghui::reports
