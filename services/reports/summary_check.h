// Finds the numbers of an edited summary that must be looked at.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "services/reports/cited_text.h"
#include "services/reports/summary_citation.h"
#include "services/reports/summary_template.h"

namespace gonghui::reports {

class SummaryCheck {
 public:
  // What a citation says today.
  struct Said {
    std::string exact;
    std::string unit;  // Of figures.
    // Not empty: it names nothing that the caller may read.
    common::v1::Label unreadable;
  };
  struct Source {
    std::function<Said(const Citation& citation)> said;
    std::set<std::string> names;  // Of organisations: numerals within them are no figures.
  };
  SummaryCheck(const SummaryForms& forms, const Source& source)
      : forms_(forms), wording_(forms.catalog()), source_(source) {}

  v1::CheckSummaryResponse Check(const CitedText& text);

 private:
  struct Range {
    size_t begin;
    size_t end;
  };
  struct Found {
    size_t at;  // In the paragraph.
    v1::SummaryFinding finding;
  };
  void CheckParagraph(int number, const CitedParagraph& paragraph);
  void CheckSpan(const CitedParagraph& paragraph, CitedSpan& span);
  // Finds where the citation of an open span begins.
  void Narrow(std::string_view text, const Citation& citation, const Said& said,
              CitedSpan& span) const;
  void CheckWordsBeside(const CitedParagraph& paragraph, const CitedSpan& span,
                        const Citation& citation, const Said& said);
  void CheckNumerals(const CitedParagraph& paragraph, const std::vector<CitedSpan>& spans);
  std::vector<Range> AllowedRanges(std::string_view text) const;
  v1::SummaryFinding& Add(v1::SummaryFault fault, const CitedParagraph& paragraph, Range range);

  const SummaryForms& forms_;
  const Wording wording_;
  const Source& source_;
  v1::CheckSummaryResponse response_;
  int paragraph_number_ = 0;
  std::vector<Found> found_;  // In the paragraph at hand.
};

}  // namespace gonghui::reports
