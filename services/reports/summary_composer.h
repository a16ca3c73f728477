// From a template to a document: asks for the figures and says them.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "services/reports/summary_document.h"
#include "services/reports/summary_template.h"

namespace gonghui::reports {

// A plan item as it stands in the text.
struct SummaryItem {
  std::string record;  // Its resource name.
  std::string text;
  std::string owner;   // Empty: none.
  std::string due_on;  // ISO date or empty.
};

class SummaryComposer {
 public:
  struct Source {
    // The figure of a slot, with the comparison or the completion that its aspect needs.
    std::function<absl::StatusOr<StatedFigure>(const FigureSlot& slot)> figure;
    // By PlanItems' item_type and dated.
    std::map<std::pair<std::string, std::string>, std::vector<SummaryItem>> items;
  };
  struct Frame {
    std::string organization;  // Display name.
    std::string period;        // In Chinese.
    std::string written_on;    // ISO date.
    std::string attachment;    // Title of the annex; empty: none.
  };
  SummaryComposer(const Wording& wording, const Source& source)
      : wording_(wording), source_(source) {}

  absl::StatusOr<SummaryDocument> Compose(const SummaryForm& form, const Frame& frame);

 private:
  using Runs = std::vector<SummaryRun>;
  absl::StatusOr<Runs> Paragraph(const std::vector<SummarySentenceForm>& sentences);
  // Nothing where the sentence says nothing.
  absl::StatusOr<Runs> Sentence(const SummarySentenceForm& sentence);
  // Nothing where a figure of the group says nothing.
  absl::StatusOr<Runs> Group(const std::vector<SentencePiece>& group);
  absl::StatusOr<bool> Holds(const SummaryCondition& condition);
  absl::Status Section(const SummarySectionForm& section, ParagraphStyle style, std::string number);
  absl::Status Body(const SummarySectionForm& section);
  void Items(const v1::PlanItems& wanted);
  void Close(const Frame& frame);
  absl::StatusOr<const StatedFigure*> FigureOf(const FigureSlot& slot);
  SummaryRun Cite(v1::SummaryCitation citation);
  SummaryRun CiteFigure(const v1::Figure& figure, Aspect aspect, const std::string& exact);

  const Wording& wording_;
  const Source& source_;
  SummaryDocument document_;
  std::map<std::string, int> numbers_;  // Citation name -> index.
  std::map<std::string, StatedFigure> figures_;
};

// 1 -> 一, 10 -> 十, 21 -> 二十一; up to 99.
std::string ChineseNumber(int number);
// 2020-07-01 -> 2020年7月1日.
std::string DateInChinese(std::string_view iso);

}  // namespace gonghui::reports
