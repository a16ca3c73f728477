// A written summary before it has a format: paragraphs of runs, each number with its citation.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gonghui/reports/v1/summary.pb.h"

namespace gonghui::reports {

enum class ParagraphStyle {
  kTitle,
  kHeading1,  // 一、
  kHeading2,  // （一）
  kBody,
  kAttachment,  // 附件：…
  kSigner,
  kDate,
};

// Text of one citation, or without any.
struct SummaryRun {
  std::string text;
  int citation = -1;  // Index into SummaryDocument::citations.
};

struct SummaryParagraph {
  ParagraphStyle style = ParagraphStyle::kBody;
  std::vector<SummaryRun> runs;
};

struct SummaryDocument {
  std::string title;
  std::string organization;  // Display name.
  std::vector<SummaryParagraph> paragraphs;
  std::vector<v1::SummaryCitation> citations;  // Each once, in the order of the text.
};

// All write from the document alone, and equal documents give equal bytes.
std::string WriteMarkdown(const SummaryDocument& document);
std::string WriteHtml(const SummaryDocument& document);
// Errors: INTERNAL.
absl::StatusOr<std::string> WriteDocx(const SummaryDocument& document);

// A figure of the annex beside what explains it.
struct AnnexFigure {
  v1::Figure figure;
  std::string dimensions;  // In Chinese, "渠道=线上".
  std::string formula;
  std::string definition;
  std::string unit;  // In Chinese.
};
// Two sheets: the figures cited, in the order of the text, and all figures. Errors: INTERNAL.
absl::StatusOr<std::string> WriteAnnex(const SummaryDocument& document,
                                       const std::map<std::string, AnnexFigure>& cited,
                                       const std::vector<AnnexFigure>& all);
// measure,dimensions,period,organization,value,unit,records,dimension_labels.
std::string WriteFiguresCsv(const std::vector<AnnexFigure>& figures);

}  // namespace gonghui::reports
