#include "services/reports/cited_text.h"

#include <map>
#include <utility>

#include "common/base/text.h"

namespace gonghui::reports {
namespace {

struct Footnote {
  std::string citation;
  std::string exact;
};

// "[^12]: name = exact"; false for another line.
bool ReadFootnote(std::string_view line, std::map<std::string, Footnote>& footnotes) {
  const size_t close = line.find("]:");
  if (!line.starts_with("[^") || close == std::string_view::npos) return false;
  std::string_view rest = Strip(line.substr(close + 2));
  const size_t sign = rest.find(" = ");
  Footnote note{.citation = std::string(Strip(rest.substr(0, sign))), .exact = ""};
  if (sign != std::string_view::npos) note.exact = Strip(rest.substr(sign + 3));
  footnotes[std::string(line.substr(2, close - 2))] = std::move(note);
  return true;
}

// The text of one line with its marks.
void ReadLine(std::string_view line, const std::map<std::string, Footnote>& footnotes,
              CitedTextBuilder& builder) {
  while (!line.empty()) {
    const size_t stop = line.find_first_of("\\[");
    builder.AddText(line.substr(0, stop));
    if (stop == std::string_view::npos) return;
    line.remove_prefix(stop);
    if (line[0] == '\\' && line.size() > 1) {
      builder.AddText(line.substr(1, 1));
      line.remove_prefix(2);
      continue;
    }
    const size_t close = line.find(']');
    if (line.starts_with("[^") && close != std::string_view::npos) {
      const auto note = footnotes.find(std::string(line.substr(2, close - 2)));
      if (note != footnotes.end()) builder.MarkEnd(note->second.citation, note->second.exact);
      line.remove_prefix(close + 1);
      continue;
    }
    builder.AddText(line.substr(0, 1));
    line.remove_prefix(1);
  }
}

}  // namespace

void CitedTextBuilder::BeginSpan(std::string citation, std::string exact) {
  EndSpan();
  auto& spans = paragraph_.spans;
  const size_t here = paragraph_.text.size();
  if (!spans.empty() && spans.back().end == here && spans.back().citation == citation) {
    open_ = std::move(spans.back());
    spans.pop_back();
  } else {
    open_ = {.begin = here, .citation = std::move(citation), .exact = std::move(exact)};
  }
  in_span_ = true;
}

void CitedTextBuilder::EndSpan() {
  if (!in_span_) return;
  in_span_ = false;
  open_.end = paragraph_.text.size();
  if (open_.end > open_.begin) paragraph_.spans.push_back(std::move(open_));
  open_ = {};
}

void CitedTextBuilder::MarkEnd(std::string citation, std::string exact) {
  const size_t begin = paragraph_.spans.empty() ? 0 : paragraph_.spans.back().end;
  const size_t end = paragraph_.text.size();
  if (end > begin) {
    paragraph_.spans.push_back({begin, end, std::move(citation), std::move(exact), true});
  }
}

void CitedTextBuilder::EndParagraph() {
  const bool continues = in_span_;
  CitedSpan open = open_;
  EndSpan();
  if (!Strip(paragraph_.text).empty()) text_.push_back(std::move(paragraph_));
  paragraph_ = {};
  if (continues) BeginSpan(std::move(open.citation), std::move(open.exact));
}

CitedText CitedTextBuilder::Take() {
  EndSpan();
  EndParagraph();
  return std::exchange(text_, {});
}

CitedText ReadMarkdown(std::string_view markdown) {
  std::map<std::string, Footnote> footnotes;
  std::vector<std::string_view> lines;
  for (std::string_view line : Split(markdown, '\n')) {
    line = Strip(line);
    if (!ReadFootnote(line, footnotes)) lines.push_back(line);
  }
  CitedTextBuilder builder;
  for (std::string_view line : lines) {
    const bool heading = line.starts_with('#');
    if (line.empty() || heading) builder.EndParagraph();
    while (line.starts_with('#')) line.remove_prefix(1);
    ReadLine(Strip(line), footnotes, builder);
    if (heading) builder.EndParagraph();
  }
  return builder.Take();
}

}  // namespace gonghui::reports
