// What a number of a work summary refers to, and the words in which it is said.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gonghui/reports/v1/report.pb.h"
#include "gonghui/reports/v1/summary.pb.h"

namespace gonghui::reports {

// Which side of a figure is said.
enum class Aspect {
  kValue,
  kApprox,      // 8.5万余
  kNear,        // 近8.6万
  kAbout,       // 约8.6万
  kYoy,         // 增长12.5%
  kPop,         // The same against the period just before.
  kYoyBase,     // The value a year before.
  kTarget,      // 49.73%: how much of the target for the period is reached.
  kYearTarget,  // The same of the target for the year.
};
// "approx" -> kApprox; "" -> kValue; nothing for an unknown word.
std::optional<Aspect> ParseAspect(std::string_view word);
std::string_view AspectWord(Aspect aspect);
// What QueryFigures must compare for it; COMPARISON_UNSPECIFIED for none.
v1::Comparison ComparisonFor(Aspect aspect);

// Whether it says a value of the figure itself, in exact or approximate words.
bool SaysValue(Aspect aspect);
// Whether it says how much of a target is reached.
bool IsOfTarget(Aspect aspect);

// A figure with all that its aspects say.
struct StatedFigure {
  v1::Figure figure;
  // In percent, "49.73"; for aspects of targets only, empty where there is no such target.
  std::string completion = {};
};

// Said of a figure without value.
inline constexpr std::string_view kNone = "—";

// A citation: a figure's name and aspect, or the name of a record.
struct Citation {
  std::string name;
  Aspect aspect = Aspect::kValue;

  bool IsFigure() const { return name.find("/figures/") != std::string::npos; }
  // "name" or "name#yoy".
  std::string Text() const;
  // The inverse. An unknown aspect stays part of the name, which then names nothing.
  static Citation Parse(std::string_view text);
};

// "gonghui:{citation}?{exact}", escaped as in an address: what a hyperlink of a document holds.
std::string CitationUri(std::string_view citation, std::string_view exact);
// The inverse; nothing for another address.
struct CitedValue {
  std::string citation;
  std::string exact;
};
std::optional<CitedValue> ParseCitationUri(std::string_view uri);

// Says figures in words. The scales are the catalogue's.
class Wording {
 public:
  explicit Wording(const v1::SummaryCatalog& catalog) : catalog_(catalog) {}

  // What the aspect says exactly: the printed value, or the change or the part of a target in
  // percent; 若干 of a suppressed figure. Nothing where it has none.
  std::optional<std::string> Exact(const StatedFigure& stated, Aspect aspect) const;
  // The words for an exact text of a measure in `unit`: "85941" -> "8.5万余", "12.5" ->
  // "增长12.5%". What is no number stays as it is.
  std::string Words(std::string_view unit, Aspect aspect, std::string_view exact) const;
  // True where the text says what the aspect does: as Words, or, of a value, in any of its exact
  // and approximate forms, or, of a change, with another word for rise and fall.
  bool Says(std::string_view text, std::string_view unit, Aspect aspect,
            std::string_view exact) const;

 private:
  std::string Approximate(std::string_view unit, Aspect aspect, std::string_view exact) const;

  const v1::SummaryCatalog& catalog_;
};

// A printed number: commas and spaces dropped, full-width digits and signs made ASCII.
std::string PlainNumber(std::string_view text);

}  // namespace gonghui::reports
