// An edited summary read back: paragraphs of plain text, and which parts of them are citations.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace gonghui::reports {

struct CitedSpan {
  size_t begin = 0;  // Bytes of CitedParagraph::text.
  size_t end = 0;
  std::string citation;  // As in SummaryCitation.name.
  std::string exact;     // As it was when the summary was written.
  // True where the form marks only the end: the citation covers the last number before `end`, and
  // `begin` is as far back as that may lie.
  bool open = false;
};

struct CitedParagraph {
  std::string text;
  std::vector<CitedSpan> spans;  // In order, none overlaps another.
};

using CitedText = std::vector<CitedParagraph>;  // Without empty paragraphs.

CitedText ReadMarkdown(std::string_view markdown);
// Reads what browsers and editors write, also where tags are not closed.
CitedText ReadHtml(std::string_view html);
// As Word, WPS and LibreOffice write it: text, tables, text boxes, notes; deleted text is left out.
// Errors: FIELD_INVALID.
absl::StatusOr<CitedText> ReadDocx(std::string_view bytes);

// Collects one paragraph after the other.
class CitedTextBuilder {
 public:
  void AddText(std::string_view text) { paragraph_.text += text; }
  // Between the two, text belongs to the citation. Adjacent parts of one citation are joined.
  void BeginSpan(std::string citation, std::string exact);
  void EndSpan();
  // The text since the last mark, or its last number, is cited.
  void MarkEnd(std::string citation, std::string exact);
  void EndParagraph();
  CitedText Take();

 private:
  CitedText text_;
  CitedParagraph paragraph_;
  CitedSpan open_;
  bool in_span_ = false;
};

}  // namespace gonghui::reports
