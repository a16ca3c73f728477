// Summaries as one HTML page that prints on A4.
#include "common/archive/xml_text.h"
#include "common/base/text.h"
#include "services/reports/summary_document.h"

namespace gonghui::reports {
namespace {

using archive::XmlText;

constexpr std::string_view kStyle = R"(
@page { size: A4; margin: 37mm 26mm 35mm 28mm; }
body { font: 16pt/29pt "仿宋_GB2312", "仿宋", FangSong, STFangsong, serif; max-width: 156mm; margin: 2em auto; color: #000; }
h1 { font: 22pt/33pt "方正小标宋简体", "宋体", SimSun, "Songti SC", serif; text-align: center; margin: 0 0 1em; }
h2 { font: 16pt/29pt "黑体", SimHei, "Heiti SC", sans-serif; text-indent: 2em; margin: 0; }
h3 { font: 16pt/29pt "楷体_GB2312", "楷体", KaiTi, "Kaiti SC", serif; text-indent: 2em; margin: 0; }
p { text-indent: 2em; margin: 0; text-align: justify; }
p.signer, p.date { text-align: right; text-indent: 0; padding-right: 4em; }
p.signer, p.attachment { margin-top: 29pt; }
a.figure { color: inherit; text-decoration: none; border-bottom: 1px dotted #888; }
table { border-collapse: collapse; font-size: 9pt; line-height: 1.4; margin-top: 3em; width: 100%; }
td, th { border: 1px solid #888; padding: 2px 4px; text-align: left; overflow-wrap: anywhere; }
td.number { text-align: right; }
@media print { body { margin: 0; max-width: none; } a.figure { border: 0; } #sources { break-before: page; } }
)";

struct Tag {
  std::string_view name;
  std::string_view css;  // Class or nothing.
};

Tag TagOf(ParagraphStyle style) {
  switch (style) {
    case ParagraphStyle::kTitle:
      return {"h1", ""};
    case ParagraphStyle::kHeading1:
      return {"h2", ""};
    case ParagraphStyle::kHeading2:
      return {"h3", ""};
    case ParagraphStyle::kAttachment:
      return {"p", "attachment"};
    case ParagraphStyle::kSigner:
      return {"p", "signer"};
    case ParagraphStyle::kDate:
      return {"p", "date"};
    case ParagraphStyle::kBody:
      break;
  }
  return {"p", ""};
}

void AppendRun(const SummaryDocument& document, const SummaryRun& run, std::string* html) {
  if (run.citation < 0) {
    *html += XmlText(run.text);
    return;
  }
  const v1::SummaryCitation& citation = document.citations[static_cast<size_t>(run.citation)];
  const std::string& label = citation.figure().label().zh();
  StrAppend(html, "<a class=\"figure\" href=\"#f", run.citation + 1, "\" data-figure=\"",
            XmlText(citation.name()), "\" data-exact=\"", XmlText(citation.exact()), "\" title=\"",
            XmlText(label), label.empty() ? "" : "：", XmlText(citation.exact()), "\">",
            XmlText(run.text), "</a>");
}

std::string Sources(const SummaryDocument& document) {
  std::string html =
      "<table id=\"sources\">\n<tr><th>序号</th><th>指标</th><th>准确值</th><th>记录数</th>"
      "<th>来源</th></tr>\n";
  for (size_t i = 0; i < document.citations.size(); ++i) {
    const v1::SummaryCitation& citation = document.citations[i];
    StrAppend(&html, "<tr id=\"f", i + 1, "\"><td class=\"number\">", i + 1, "</td><td>",
              XmlText(citation.figure().label().zh()), "</td><td class=\"number\">",
              XmlText(citation.exact()), "</td><td class=\"number\">",
              citation.has_figure() ? StrCat(citation.figure().records()) : "1", "</td><td>",
              XmlText(citation.name()), "</td></tr>\n");
  }
  return html + "</table>\n";
}

}  // namespace

std::string WriteHtml(const SummaryDocument& document) {
  std::string html =
      StrCat("<!DOCTYPE html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n<title>",
             XmlText(document.title), "</title>\n<style>", kStyle, "</style>\n</head>\n<body>\n");
  for (const SummaryParagraph& paragraph : document.paragraphs) {
    const Tag tag = TagOf(paragraph.style);
    StrAppend(&html, "<", tag.name);
    if (!tag.css.empty()) StrAppend(&html, " class=\"", tag.css, "\"");
    html += ">";
    for (const SummaryRun& run : paragraph.runs) AppendRun(document, run, &html);
    StrAppend(&html, "</", tag.name, ">\n");
  }
  return StrCat(html, Sources(document), "</body>\n</html>\n");
}

}  // namespace gonghui::reports
