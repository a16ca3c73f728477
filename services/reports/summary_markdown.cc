// Summaries as Markdown, and figures as CSV.
#include "common/base/text.h"
#include "services/reports/dimensions.h"
#include "services/reports/summary_document.h"

namespace gonghui::reports {
namespace {

// Characters that Markdown would take for itself.
std::string Plain(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    if (std::string_view("\\`*_[]<>#|").find(c) != std::string_view::npos) plain += '\\';
    plain += c;
  }
  return plain;
}

std::string_view Mark(ParagraphStyle style) {
  switch (style) {
    case ParagraphStyle::kTitle:
      return "# ";
    case ParagraphStyle::kHeading1:
      return "## ";
    case ParagraphStyle::kHeading2:
      return "### ";
    default:
      return "";
  }
}

// A cell of a CSV file that opens as text in a spreadsheet: what would be a formula gets a leading
// '.
std::string CsvText(std::string_view text) {
  std::string cell(text);
  if (!cell.empty() && std::string_view("=+-@").find(cell[0]) != std::string_view::npos) {
    cell.insert(0, "'");
  }
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  return StrCat("\"", Replace(cell, "\"", "\"\""), "\"");
}

}  // namespace

std::string WriteMarkdown(const SummaryDocument& document) {
  std::string markdown;
  for (const SummaryParagraph& paragraph : document.paragraphs) {
    StrAppend(&markdown, Mark(paragraph.style));
    for (const SummaryRun& run : paragraph.runs) {
      markdown += Plain(run.text);
      if (run.citation >= 0) StrAppend(&markdown, "[^", run.citation + 1, "]");
    }
    markdown += "\n\n";
  }
  for (size_t i = 0; i < document.citations.size(); ++i) {
    const v1::SummaryCitation& citation = document.citations[i];
    StrAppend(&markdown, "[^", i + 1, "]: ", citation.name(), " = ", citation.exact(), "\n");
  }
  return markdown;
}

std::string WriteFiguresCsv(const std::vector<AnnexFigure>& figures) {
  std::string csv = "measure,dimensions,period,organization,value,unit,records,dimension_labels\n";
  for (const AnnexFigure& one : figures) {
    const v1::Figure& figure = one.figure;
    DimensionMap dimensions;
    for (const common::v1::Dimension& d : figure.dimensions()) {
      dimensions.emplace(d.key(), d.value());
    }
    // The value is a number that we print ourselves: its minus sign is no formula.
    StrAppend(&csv, CsvText(figure.measure()), ",", CsvText(FormatDimensions(dimensions)), ",",
              CsvText(figure.period()), ",", CsvText(figure.organization()), ",", figure.text(),
              ",", CsvText(figure.unit()), ",", figure.records(), ",", CsvText(one.dimensions),
              "\n");
  }
  return csv;
}

}  // namespace gonghui::reports
