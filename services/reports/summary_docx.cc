// Summaries as DOCX, laid out by GB/T 9704-2012: A4, margins 37/35/28/26 mm, 22 lines of 28
// characters of 16 pt, page numbers "— 1 —" outside. Every citation is a hyperlink that looks like
// the text around it and survives editing.
#include <algorithm>
#include <map>

#include "common/archive/xml_text.h"
#include "common/archive/zip.h"
#include "common/base/text.h"
#include "services/reports/summary_citation.h"
#include "services/reports/summary_document.h"

namespace gonghui::reports {
namespace {

using archive::XmlText;

constexpr std::string_view kDeclaration =
    "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
constexpr std::string_view kWord =
    "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\" "
    "xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"";
constexpr std::string_view kRelations =
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
constexpr std::string_view kPackageRelations =
    "http://schemas.openxmlformats.org/package/2006/relationships";

constexpr std::string_view kContentTypes =
    R"(<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>
<Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/>
<Override PartName="/word/settings.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.settings+xml"/>
<Override PartName="/word/fontTable.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.fontTable+xml"/>
<Override PartName="/word/footer1.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.footer+xml"/>
<Override PartName="/word/footer2.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.footer+xml"/>
<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>
</Types>)";

// The body's type, for text without a style and as the measure of the grid. 579 twentieths of a
// point: the text block's 225 mm in 22 lines. Type of 16 pt set closer by 0.25 pt: 28 characters in
// 156 mm. (A grid of characters would do it too, but LibreOffice gives each glyph two cells of it.)
constexpr std::string_view kNormal =
    R"(<w:pPr><w:autoSpaceDE w:val="0"/><w:autoSpaceDN w:val="0"/><w:spacing w:line="579" w:lineRule="exact"/><w:jc w:val="both"/></w:pPr>
<w:rPr><w:rFonts w:ascii="仿宋_GB2312" w:hAnsi="仿宋_GB2312" w:eastAsia="仿宋_GB2312"/><w:spacing w:val="-5"/><w:sz w:val="32"/><w:szCs w:val="32"/><w:lang w:val="en-US" w:eastAsia="zh-CN"/></w:rPr>)";

// Typefaces that stand in where those of the standard are not installed.
constexpr std::string_view kFonts =
    R"(<w:font w:name="仿宋_GB2312"><w:altName w:val="仿宋,FangSong,华文仿宋,STFangsong"/><w:charset w:val="86"/><w:family w:val="modern"/></w:font>
<w:font w:name="楷体_GB2312"><w:altName w:val="楷体,KaiTi,华文楷体,STKaiti"/><w:charset w:val="86"/><w:family w:val="modern"/></w:font>
<w:font w:name="黑体"><w:altName w:val="SimHei,华文黑体,STHeiti"/><w:charset w:val="86"/><w:family w:val="modern"/></w:font>
<w:font w:name="宋体"><w:altName w:val="SimSun,华文宋体,STSong"/><w:charset w:val="86"/><w:family w:val="roman"/></w:font>
<w:font w:name="方正小标宋简体"><w:altName w:val="方正小标宋_GBK,FZXiaoBiaoSong-B05S,宋体,SimSun"/><w:charset w:val="86"/><w:family w:val="roman"/></w:font>)";

struct StyleForm {
  std::string_view id;
  std::string_view name;
  std::string_view paragraph;  // Content of pPr.
  std::string_view font;       // Empty: the default's.
  int half_points;
  int outline;  // Level of headings from 0; -1: none.
};

constexpr StyleForm kStyles[] = {
    {"Body", "正文段落", "<w:ind w:firstLineChars=\"200\" w:firstLine=\"640\"/>", "", 32, -1},
    {"Title", "Title",
     "<w:spacing w:after=\"579\" w:line=\"700\" w:lineRule=\"exact\"/><w:jc w:val=\"center\"/>",
     "方正小标宋简体", 44, -1},
    {"Heading1", "heading 1", "<w:keepNext/><w:ind w:firstLineChars=\"200\" w:firstLine=\"640\"/>",
     "黑体", 32, 0},
    {"Heading2", "heading 2", "<w:keepNext/><w:ind w:firstLineChars=\"200\" w:firstLine=\"640\"/>",
     "楷体_GB2312", 32, 1},
    {"Attachment", "附件说明",
     "<w:spacing w:before=\"579\"/><w:ind w:firstLineChars=\"200\" w:firstLine=\"640\"/>", "", 32,
     -1},
    {"Closing", "落款", "<w:keepLines/><w:jc w:val=\"right\"/>", "", 32, -1},
    {"FooterOdd", "页码单页",
     "<w:spacing w:line=\"240\" w:lineRule=\"auto\"/><w:ind w:rightChars=\"100\" w:right=\"280\"/>"
     "<w:jc w:val=\"right\"/>",
     "宋体", 28, -1},
    {"FooterEven", "页码双页",
     "<w:spacing w:line=\"240\" w:lineRule=\"auto\"/><w:ind w:leftChars=\"100\" w:left=\"280\"/>"
     "<w:jc w:val=\"left\"/>",
     "宋体", 28, -1}};

std::string StylesXml() {
  std::string xml = StrCat(kDeclaration, "<w:styles ", kWord,
                           "><w:style w:type=\"paragraph\" w:default=\"1\" w:styleId=\"Normal\">"
                           "<w:name w:val=\"Normal\"/>",
                           kNormal, "</w:style>");
  for (const StyleForm& style : kStyles) {
    StrAppend(&xml, "<w:style w:type=\"paragraph\" w:styleId=\"", style.id, "\"><w:name w:val=\"",
              style.name, "\"/><w:basedOn w:val=\"Normal\"/><w:qFormat/><w:pPr>", style.paragraph);
    if (style.outline >= 0) StrAppend(&xml, "<w:outlineLvl w:val=\"", style.outline, "\"/>");
    xml += "</w:pPr><w:rPr>";
    if (!style.font.empty()) {
      StrAppend(&xml, "<w:rFonts w:ascii=\"", style.font, "\" w:hAnsi=\"", style.font,
                "\" w:eastAsia=\"", style.font, "\"/>");
    }
    StrAppend(&xml, style.half_points == 32 ? "" : "<w:spacing w:val=\"0\"/>", "<w:sz w:val=\"",
              style.half_points, "\"/><w:szCs w:val=\"", style.half_points,
              "\"/></w:rPr></w:style>");
  }
  return xml + "</w:styles>";
}

// "— 1 —".
std::string FooterXml(std::string_view style) {
  return StrCat(kDeclaration, "<w:ftr ", kWord, "><w:p><w:pPr><w:pStyle w:val=\"", style,
                "\"/></w:pPr><w:r><w:t xml:space=\"preserve\">— </w:t></w:r>"
                "<w:r><w:fldChar w:fldCharType=\"begin\"/></w:r>"
                "<w:r><w:instrText xml:space=\"preserve\"> PAGE </w:instrText></w:r>"
                "<w:r><w:fldChar w:fldCharType=\"separate\"/></w:r><w:r><w:t>1</w:t></w:r>"
                "<w:r><w:fldChar w:fldCharType=\"end\"/></w:r>"
                "<w:r><w:t xml:space=\"preserve\"> —</w:t></w:r></w:p></w:ftr>");
}

std::string_view StyleIdOf(ParagraphStyle style) {
  switch (style) {
    case ParagraphStyle::kTitle:
      return "Title";
    case ParagraphStyle::kHeading1:
      return "Heading1";
    case ParagraphStyle::kHeading2:
      return "Heading2";
    case ParagraphStyle::kAttachment:
      return "Attachment";
    case ParagraphStyle::kSigner:
    case ParagraphStyle::kDate:
      return "Closing";
    case ParagraphStyle::kBody:
      break;
  }
  return "Body";
}

// Width in hundredths of a character: ASCII takes half of one.
int WidthOf(const SummaryParagraph& paragraph) {
  int width = 0;
  for (const SummaryRun& run : paragraph.runs) {
    for (const char c : run.text) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x80) width += 50;
      if (byte >= 0xC0) width += 100;
    }
  }
  return width;
}

// Right indents: the date stands four characters in and the signer is centred above it; a long
// signer stands two characters in and the date is centred below it.
struct ClosingIndents {
  int signer = 400;
  int date = 400;
};

ClosingIndents IndentsOf(const SummaryDocument& document) {
  int signer = 0;
  int date = 0;
  for (const SummaryParagraph& paragraph : document.paragraphs) {
    if (paragraph.style == ParagraphStyle::kSigner) signer = WidthOf(paragraph);
    if (paragraph.style == ParagraphStyle::kDate) date = WidthOf(paragraph);
  }
  ClosingIndents indents;
  indents.signer = 400 + (date - signer) / 2;
  if (indents.signer < 200) {
    indents.signer = 200;
    indents.date = 200 + (signer - date) / 2;
  }
  return indents;
}

std::string TextRun(std::string_view text) {
  return StrCat("<w:r><w:t xml:space=\"preserve\">", XmlText(text), "</w:t></w:r>");
}

void AppendRun(const SummaryDocument& document, const SummaryRun& run, std::string* xml) {
  if (run.citation < 0) {
    *xml += TextRun(run.text);
    return;
  }
  const v1::SummaryCitation& citation = document.citations[static_cast<size_t>(run.citation)];
  const std::string& label = citation.figure().label().zh();
  StrAppend(xml, "<w:hyperlink r:id=\"c", run.citation + 1, "\" w:history=\"1\" w:tooltip=\"",
            XmlText(label), label.empty() ? "" : "：", XmlText(citation.exact()), "\">",
            TextRun(run.text), "</w:hyperlink>");
}

// True for what must not part from the paragraph after it: the signer, and the text before it, for
// no page holds the signer and the date alone.
bool StaysWithNext(const SummaryDocument& document, size_t index) {
  const auto style = [&](size_t i) { return document.paragraphs[i].style; };
  if (style(index) == ParagraphStyle::kSigner || style(index) == ParagraphStyle::kAttachment) {
    return true;
  }
  if (index + 1 == document.paragraphs.size()) return false;
  return style(index + 1) == ParagraphStyle::kSigner ||
         style(index + 1) == ParagraphStyle::kAttachment;
}

void AppendParagraph(const SummaryDocument& document, size_t index, const ClosingIndents& indents,
                     std::string* xml) {
  const SummaryParagraph& paragraph = document.paragraphs[index];
  StrAppend(xml, "<w:p><w:pPr><w:pStyle w:val=\"", StyleIdOf(paragraph.style), "\"/>");
  if (StaysWithNext(document, index)) *xml += "<w:keepNext/>";
  const bool signer = paragraph.style == ParagraphStyle::kSigner;
  if (signer) *xml += "<w:spacing w:before=\"1158\"/>";  // Two lines.
  if (signer || paragraph.style == ParagraphStyle::kDate) {
    const int chars = signer ? indents.signer : indents.date;
    StrAppend(xml, "<w:ind w:rightChars=\"", chars, "\" w:right=\"", chars * 32 / 10, "\"/>");
  }
  *xml += "</w:pPr>";
  for (const SummaryRun& run : paragraph.runs) AppendRun(document, run, xml);
  *xml += "</w:p>";
}

std::string DocumentXml(const SummaryDocument& document) {
  const ClosingIndents indents = IndentsOf(document);
  std::string xml = StrCat(kDeclaration, "<w:document ", kWord, "><w:body>");
  for (size_t i = 0; i < document.paragraphs.size(); ++i) {
    AppendParagraph(document, i, indents, &xml);
  }
  // In twentieths of a point: 37, 35, 28 and 26 mm.
  return xml +
         "<w:sectPr><w:footerReference w:type=\"default\" r:id=\"footer1\"/>"
         "<w:footerReference w:type=\"even\" r:id=\"footer2\"/>"
         "<w:pgSz w:w=\"11906\" w:h=\"16838\"/>"
         "<w:pgMar w:top=\"2098\" w:right=\"1474\" w:bottom=\"1984\" w:left=\"1588\" "
         "w:header=\"851\" w:footer=\"1304\" w:gutter=\"0\"/>"
         "<w:docGrid w:type=\"lines\" w:linePitch=\"579\"/>"
         "</w:sectPr></w:body></w:document>";
}

std::string DocumentRelations(const SummaryDocument& document) {
  std::string xml = StrCat(kDeclaration, "<Relationships xmlns=\"", kPackageRelations, "\">");
  constexpr std::pair<std::string_view, std::string_view> kParts[] = {{"styles", "styles"},
                                                                      {"settings", "settings"},
                                                                      {"fontTable", "fontTable"},
                                                                      {"footer1", "footer"},
                                                                      {"footer2", "footer"}};
  for (const auto& [part, type] : kParts) {
    StrAppend(&xml, "<Relationship Id=\"", part, "\" Type=\"", kRelations, "/", type,
              "\" Target=\"", part, ".xml\"/>");
  }
  for (size_t i = 0; i < document.citations.size(); ++i) {
    const v1::SummaryCitation& citation = document.citations[i];
    StrAppend(&xml, "<Relationship Id=\"c", i + 1, "\" Type=\"", kRelations,
              "/hyperlink\" Target=\"", XmlText(CitationUri(citation.name(), citation.exact())),
              "\" TargetMode=\"External\"/>");
  }
  return xml + "</Relationships>";
}

std::string PackageRelations() {
  return StrCat(kDeclaration, "<Relationships xmlns=\"", kPackageRelations,
                "\"><Relationship Id=\"document\" Type=\"", kRelations,
                "/officeDocument\" Target=\"word/document.xml\"/><Relationship Id=\"core\" "
                "Type=\"http://schemas.openxmlformats.org/package/2006/relationships/metadata/"
                "core-properties\" Target=\"docProps/core.xml\"/></Relationships>");
}

std::string CoreProperties(const SummaryDocument& document) {
  return StrCat(kDeclaration,
                "<cp:coreProperties "
                "xmlns:cp=\"http://schemas.openxmlformats.org/package/2006/metadata/"
                "core-properties\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:title>",
                XmlText(document.title), "</dc:title><dc:creator>", XmlText(document.organization),
                "</dc:creator></cp:coreProperties>");
}

}  // namespace

absl::StatusOr<std::string> WriteDocx(const SummaryDocument& document) {
  return archive::WriteZip(
      {{"[Content_Types].xml", StrCat(kDeclaration, kContentTypes)},
       {"_rels/.rels", PackageRelations()},
       {"docProps/core.xml", CoreProperties(document)},
       {"word/document.xml", DocumentXml(document)},
       {"word/_rels/document.xml.rels", DocumentRelations(document)},
       {"word/styles.xml", StylesXml()},
       {"word/settings.xml",
        StrCat(kDeclaration, "<w:settings ", kWord, "><w:evenAndOddHeaders/></w:settings>")},
       {"word/fontTable.xml", StrCat(kDeclaration, "<w:fonts ", kWord, ">", kFonts, "</w:fonts>")},
       {"word/footer1.xml", FooterXml("FooterOdd")},
       {"word/footer2.xml", FooterXml("FooterEven")}});
}

}  // namespace gonghui::reports
