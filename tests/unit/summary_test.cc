// Work summaries without a server: words, templates, documents, and finding what editors changed.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/archive/zip.h"
#include "common/base/status.h"
#include "services/reports/catalog.embedded.h"
#include "services/reports/cited_text.h"
#include "services/reports/summary_check.h"
#include "services/reports/summary_composer.h"
#include "services/reports/summary_items.h"

namespace gonghui::reports {
namespace {

constexpr char kPrefix[] = "federations/demo/organizations/D01/figures/";

const Measures& Catalogue() {
  static const Measures& measures =
      *new Measures(*Measures::Load(embedded::services_reports_catalog()));
  return measures;
}

const SummaryForms& Forms() {
  static const SummaryForms& forms =
      *new SummaryForms(*SummaryForms::Load(Catalogue(), embedded::services_reports_catalog()));
  return forms;
}

// Figures by "measure dimensions"; those not named are zero.
using Values = std::map<std::string, std::string>;

v1::Figure FigureOf(const Values& values, const FigureSlot& slot) {
  const v1::Measure& measure = *Catalogue().Find(slot.measure);
  v1::Figure figure;
  figure.set_name(absl::StrCat(kPrefix, slot.measure, "/2020H1", slot.dimensions.empty() ? "" : "/",
                               slot.dimensions));
  figure.set_measure(slot.measure);
  figure.set_unit(measure.unit());
  *figure.mutable_label() = measure.label();
  const std::string key =
      slot.dimensions.empty() ? slot.measure : absl::StrCat(slot.measure, " ", slot.dimensions);
  const auto found = values.find(key);
  figure.set_text(found == values.end() ? "0" : found->second);
  figure.set_has_value(figure.text() != "none");
  figure.set_suppressed(figure.text() == "hidden");
  figure.set_value(figure.text() == "0" ? 0 : 1);
  const auto change = values.find(key + " yoy");
  if (change != values.end()) {
    v1::ComparedFigure& compared = *figure.add_comparisons();
    compared.set_comparison(v1::COMPARISON_YEAR_ON_YEAR);
    compared.set_has_change(true);
    compared.set_change_text(change->second);
    compared.set_base_text("7");
  }
  return figure;
}

// With its completion, "measure year_target".
StatedFigure Stated(const Values& values, const FigureSlot& slot) {
  const auto completion = values.find(slot.measure + " " + std::string(AspectWord(slot.aspect)));
  const bool wanted = IsOfTarget(slot.aspect) && completion != values.end();
  return {.figure = FigureOf(values, slot), .completion = wanted ? completion->second : ""};
}

const Values& SomeValues() {
  static const Values& values =
      *new Values{{"union_orgs_total", "878"},
                  {"members_total", "85941"},
                  {"members_total yoy", "2.5"},
                  {"skills_contests_held host=all_level_unions", "350"},
                  {"skills_contest_participants host=all_level_unions", "55190"},
                  {"skills_contest_trades host=all_level_unions", "11"},
                  {"disputes_accepted", "260"},
                  {"disputes_accepted yoy", "-3"},
                  {"disputes_closed", "260"},
                  {"dispute_workers_involved", "304"},
                  {"dispute_amount", "833.1"},
                  {"ankang_units", "1254"},
                  {"ankang_participants", "180000"},
                  {"ankang_participation_rate", "90"},
                  {"needy_workers_total", "hidden"}};
  return values;
}

SummaryDocument Document(const Values& values = SomeValues()) {
  SummaryComposer::Source source;
  source.figure = [&](const FigureSlot& slot) { return Stated(values, slot); };
  source.items[{"problem", ""}] = {
      {"federations/demo/activities/p1", "小微企业建会率不高，12家未建会", "", ""}};
  source.items[{"next", "next"}] = {
      {"federations/demo/activities/n1", "新建工会20家", "组织部", "2020-12-31"}};
  const Wording wording(Forms().catalog());
  auto form = Forms().Choose("", "district", *ParsePeriod("2020H1"));
  EXPECT_TRUE(form.ok()) << form.status();
  auto document = SummaryComposer(wording, source)
                      .Compose(**form, {.organization = "澄湖区总工会",
                                        .period = "2020年上半年",
                                        .written_on = "2020-07-05",
                                        .attachment = ""});
  EXPECT_TRUE(document.ok()) << document.status();
  return *std::move(document);
}

// What each citation of the document says, but for those that `changes` names.
v1::CheckSummaryResponse Checked(const CitedText& text, const Values& values = SomeValues()) {
  const SummaryDocument document = Document(values);
  SummaryCheck::Source source;
  source.names = {"澄湖区总工会"};
  source.said = [&](const Citation& citation) {
    for (const v1::SummaryCitation& known : document.citations) {
      if (known.name() == citation.Text()) {
        return SummaryCheck::Said{known.exact(), known.figure().unit(), {}};
      }
    }
    SummaryCheck::Said said;
    said.unreadable.set_zh("无");
    return said;
  };
  return SummaryCheck(Forms(), source).Check(text);
}

std::vector<std::string> Findings(const v1::CheckSummaryResponse& response) {
  std::vector<std::string> lines;
  for (const v1::SummaryFinding& finding : response.findings()) {
    lines.push_back(absl::StrCat(v1::SummaryFault_Name(finding.fault()).substr(14), " ",
                                 finding.found(), " ", finding.expected()));
    EXPECT_FALSE(finding.hint().zh().empty());
    EXPECT_NE(finding.text().find(finding.found()), std::string::npos);
  }
  return lines;
}

using Lines = std::vector<std::string>;

std::string Edited(std::string text, const std::string& from, const std::string& to) {
  EXPECT_NE(text.find(from), std::string::npos) << from << "\n" << text;
  return absl::StrReplaceAll(text, {{from, to}});
}

// The DOCX with its main part edited.
std::string EditedDocx(const std::string& bytes, const std::string& from, const std::string& to) {
  auto files = archive::ReadZip(bytes);
  EXPECT_TRUE(files.ok());
  std::vector<archive::File> again;
  for (auto& [name, content] : *files) {
    again.push_back({name, name == "word/document.xml" ? Edited(content, from, to) : content});
  }
  return *archive::WriteZip(again);
}

TEST(SummaryWords, ApproximateWordsFollowTheRule) {
  const Wording wording(Forms().catalog());
  const auto say = [&](Aspect aspect, const char* exact, const char* unit = "person") {
    return wording.Words(unit, aspect, exact);
  };
  EXPECT_EQ(say(Aspect::kApprox, "85941"), "8.5万余");
  EXPECT_EQ(say(Aspect::kNear, "85941"), "近8.6万");
  EXPECT_EQ(say(Aspect::kNear, "85141"), "8.5万余");
  EXPECT_EQ(say(Aspect::kAbout, "85941"), "约8.6万");
  EXPECT_EQ(say(Aspect::kAbout, "85141"), "约8.5万");
  EXPECT_EQ(say(Aspect::kApprox, "180000"), "18万");
  EXPECT_EQ(say(Aspect::kApprox, "180000.5", "yuan"), "18万余");
  EXPECT_EQ(say(Aspect::kApprox, "1254"), "1200余");
  EXPECT_EQ(say(Aspect::kApprox, "357"), "350余");
  EXPECT_EQ(say(Aspect::kApprox, "57"), "57");
  EXPECT_EQ(say(Aspect::kApprox, "312345678"), "3.12亿余");
  EXPECT_EQ(say(Aspect::kApprox, "12345.67", "wan_yuan"), "12300余");
  EXPECT_EQ(say(Aspect::kApprox, "-57000"), "-57000");
  EXPECT_EQ(say(Aspect::kApprox, "若干"), "若干");
  EXPECT_EQ(say(Aspect::kYoy, "—"), "—");
}

TEST(SummaryWords, TargetsAreSaidInPercentWhereThereAreAny) {
  const Wording wording(Forms().catalog());
  EXPECT_EQ(wording.Words("person", Aspect::kYearTarget, "49.73"), "49.73%");
  EXPECT_TRUE(wording.Says("49.73％", "person", Aspect::kTarget, "49.73"));
  EXPECT_FALSE(wording.Says("49.73", "person", Aspect::kTarget, "49.73"));
  const Values without = {{"members_joined", "500"}};
  Values with = without;
  with["members_joined year_target"] = "49.73";
  EXPECT_EQ(WriteMarkdown(Document(without)).find("年度目标"), std::string::npos);
  const std::string markdown = WriteMarkdown(Document(with));
  EXPECT_NE(markdown.find("新发展会员500[^1]人，完成年度目标的49.73%[^2]。"), std::string::npos)
      << markdown;
  EXPECT_NE(markdown.find("members_joined/2020H1#year_target = 49.73"), std::string::npos)
      << markdown;
  const auto same = Checked(ReadMarkdown(markdown), with);
  EXPECT_EQ(same.findings_size(), 0) << same.DebugString();
  const auto edited =
      Checked(ReadMarkdown(absl::StrReplaceAll(markdown, {{"49.73%[", "94.73%["}})), with);
  ASSERT_EQ(edited.findings_size(), 1) << edited.DebugString();
  EXPECT_EQ(edited.findings(0).fault(), v1::SUMMARY_FAULT_DIFFERS);
  EXPECT_EQ(edited.findings(0).expected(), "49.73%");
}

TEST(SummaryWords, ChangesHaveADirection) {
  const Wording wording(Forms().catalog());
  EXPECT_EQ(wording.Words("person", Aspect::kYoy, "12.5"), "增长12.5%");
  EXPECT_EQ(wording.Words("person", Aspect::kYoy, "-3"), "下降3%");
  EXPECT_EQ(wording.Words("person", Aspect::kYoy, "0"), "持平");
  EXPECT_EQ(wording.Words("%", Aspect::kYoy, "1.2"), "提高1.2个百分点");
  EXPECT_TRUE(wording.Says("上升12.5%", "person", Aspect::kYoy, "12.5"));
  EXPECT_FALSE(wording.Says("下降12.5%", "person", Aspect::kYoy, "12.5"));
  EXPECT_TRUE(wording.Says("85,941", "person", Aspect::kApprox, "85941"));
  EXPECT_TRUE(wording.Says("８５９４１", "person", Aspect::kValue, "85941"));
  EXPECT_FALSE(wording.Says("8.6万余", "person", Aspect::kValue, "85941"));
}

TEST(SummaryWords, CitationsSurviveAsAddresses) {
  const std::string name = absl::StrCat(kPrefix, "x/2020H1/topic=法 律&a=\"b\"#yoy");
  const auto cited = ParseCitationUri(CitationUri(name, "12.5"));
  ASSERT_TRUE(cited.has_value());
  EXPECT_EQ(cited->citation, name);
  EXPECT_EQ(cited->exact, "12.5");
  EXPECT_FALSE(ParseCitationUri("https://example.org").has_value());
  EXPECT_EQ(Citation::Parse("a#yoy").aspect, Aspect::kYoy);
  EXPECT_EQ(Citation::Parse("a#").Text(), "a#");
  EXPECT_EQ(Citation::Parse("a#b").Text(), "a#b");
}

TEST(SummaryForms, FaultsOfTheCatalogueAreNamed) {
  const auto message = [](const std::string& sentence) {
    const std::string yaml = absl::StrCat(
        "templates: [{name: t, sections: [{heading: h, sentences: [{text: '", sentence, "'}]}]}]");
    return std::string(
        SummaryForms::Load(Catalogue(), {{"summary_t.yaml", yaml}}).status().message());
  };
  EXPECT_EQ(message("有{members_total}人[，同比{members_total yoy}]。"), "");
  EXPECT_NE(message("{no_such}").find("no_such"), std::string::npos);
  EXPECT_NE(message("{members_total often}").find("often"), std::string::npos);
  EXPECT_NE(message("{members_total").find("not closed"), std::string::npos);
  EXPECT_NE(message("[{members_total}").find("not closed"), std::string::npos);
  EXPECT_NE(message("{members_total}]").find("wrong place"), std::string::npos);
  EXPECT_NE(message("{members_total sex=*}").find("'*'"), std::string::npos);
  EXPECT_NE(message("{union_coverage_rate approx}").find("ratio"), std::string::npos);
}

TEST(SummaryForms, TheTemplateFitsOrganisationAndPeriod) {
  const auto chosen = [](const char* kind, const char* period) {
    auto form = Forms().Choose("", kind, *ParsePeriod(period));
    return form.ok() ? (*form)->source->name() : std::string(form.status().message());
  };
  EXPECT_EQ(chosen("district", "2020H1"), "district_half_year");
  EXPECT_EQ(chosen("district", "2020"), "district_year");
  EXPECT_EQ(chosen("city", "2020H2"), "city_half_year");
  EXPECT_EQ(chosen("enterprise", "2020"), "enterprise_year");
  EXPECT_EQ(chosen("group", "2020"), "enterprise_year");
  EXPECT_EQ(ReasonOf(Forms().Choose("no_such", "city", *ParsePeriod("2020")).status()),
            common::v1::REASON_NOT_FOUND);
}

TEST(SummaryDocument, SectionsAreNumberedAndEmptyOnesLeftOut) {
  std::vector<std::string> headings;
  std::string body;
  for (const SummaryParagraph& paragraph : Document().paragraphs) {
    std::string text;
    for (const SummaryRun& run : paragraph.runs) text += run.text;
    const bool heading = paragraph.style == ParagraphStyle::kHeading1 ||
                         paragraph.style == ParagraphStyle::kHeading2;
    if (heading) {
      headings.push_back(text);
    } else {
      absl::StrAppend(&body, text, "\n");
    }
  }
  EXPECT_EQ(headings, (Lines{"一、劳动竞赛和安全生产", "（一）劳动和技能竞赛", "（二）劳动保护",
                             "二、维权服务和普惠帮扶", "（一）法律维权", "（二）困难帮扶和医疗互助",
                             "三、存在的主要问题", "四、下一步工作安排"}));
  EXPECT_NE(body.find("期末有工会组织878家、入库会员85941人，会员人数同比增长2.5%。"),
            std::string::npos)
      << body;
  EXPECT_NE(body.find("参赛职工5.5万余人"), std::string::npos);
  EXPECT_NE(body.find("受理争议260件，同比下降3%，结案260件"), std::string::npos);
  EXPECT_NE(body.find("在档困难职工若干人。"), std::string::npos);
  EXPECT_NE(body.find("1.新建工会20家（组织部，2020年12月31日前完成）。"), std::string::npos);
  EXPECT_NE(body.find("澄湖区总工会\n2020年7月5日\n"), std::string::npos);
  EXPECT_EQ(body.find("新建工会组织"), std::string::npos);
}

TEST(SummaryDocument, ConditionsChooseSentences) {
  const char* yaml =
      "templates: [{name: t, title: t, sections: [{heading: h, sentences: ["
      "{text: 多。, when: [{figure: disputes_accepted, at_least: '100'}]},"
      "{text: 少。, when: [{figure: disputes_accepted, below: '100'}]},"
      "{text: 增。, when: [{figure: disputes_accepted yoy, at_least: '0'}]},"
      "{text: 减。, when: [{figure: disputes_accepted yoy, below: '0'}]}]}]}]";
  auto forms = SummaryForms::Load(Catalogue(), {{"summary_t.yaml", yaml}});
  ASSERT_TRUE(forms.ok()) << forms.status();
  SummaryComposer::Source source;
  source.figure = [](const FigureSlot& slot) { return Stated(SomeValues(), slot); };
  const Wording wording(forms->catalog());
  auto document =
      SummaryComposer(wording, source).Compose(**forms->Choose("t", "", *ParsePeriod("2020")), {});
  ASSERT_TRUE(document.ok());
  EXPECT_EQ(document->paragraphs[2].runs[0].text, "多。减。");
}

TEST(SummaryCheck, WhatWasGeneratedHasNoFault) {
  const SummaryDocument document = Document();
  const auto docx = ReadDocx(*WriteDocx(document));
  ASSERT_TRUE(docx.ok()) << docx.status();
  for (const CitedText& text :
       {ReadMarkdown(WriteMarkdown(document)), ReadHtml(WriteHtml(document)), *docx}) {
    const auto checked = Checked(text);
    EXPECT_EQ(Findings(checked), Lines());
    EXPECT_EQ(checked.paragraphs(), static_cast<int>(document.paragraphs.size()));
    EXPECT_EQ(checked.citations(), static_cast<int>(document.citations.size()));
    EXPECT_GT(checked.numerals(), 20);
  }
}

TEST(SummaryCheck, EditsOfEveryFormatAreFound) {
  const SummaryDocument document = Document();
  const std::string docx = *WriteDocx(document);
  // The same edit in each format: before, after.
  const auto findings = [&](const std::string& from, const std::string& to,
                            const std::string& md_from, const std::string& md_to) {
    const Lines markdown =
        Findings(Checked(ReadMarkdown(Edited(WriteMarkdown(document), md_from, md_to))));
    EXPECT_EQ(Findings(Checked(ReadHtml(Edited(WriteHtml(document), from, to)))), markdown);
    EXPECT_EQ(Findings(Checked(*ReadDocx(EditedDocx(docx, from, to)))), markdown);
    return markdown;
  };
  EXPECT_EQ(findings(">85941<", ">85491<", "85941[", "85491["), (Lines{"DIFFERS 85491 85941"}));
  EXPECT_EQ(findings(">5.5万余<", ">5.6万余<", "5.5万余[", "5.6万余["),
            (Lines{"DIFFERS 5.6万余 5.5万余"}));
  EXPECT_EQ(findings(">5.5万余<", ">55190<", "5.5万余[", "55190["), Lines());
  EXPECT_EQ(findings(">下降3%<", ">增长3%<", "下降3%[", "增长3%["),
            (Lines{"DIFFERS 增长3% 下降3%"}));
  EXPECT_EQ(
      findings("现将有关情况", "新增3人，现将有关情况", "现将有关情况", "新增3人，现将有关情况"),
      (Lines{"UNCITED 3 "}));
  EXPECT_EQ(findings("现将有关情况", "投入三十余万元，现将有关情况", "现将有关情况",
                     "投入三十余万元，现将有关情况"),
            (Lines{"UNCITED 三十 "}));
  EXPECT_EQ(
      findings("现将有关情况",
               "5月1日起，12351热线开通，按照某工发〔2020〕3号文件和第十七次全国"
               "代表大会精神，现将有关情况",
               "现将有关情况",
               "5月1日起，12351热线开通，按照某工发〔2020〕3号文件和第十七次全国代表大会精神，"
               "现将有关情况"),
      Lines());
}

TEST(SummaryCheck, TheTextOfAPlanItemIsItsRecords) {
  const SummaryDocument document = Document();
  const Lines differs = {"DIFFERS 新建工会30家 新建工会20家"};
  EXPECT_EQ(
      Findings(Checked(ReadHtml(Edited(WriteHtml(document), ">新建工会20家", ">新建工会30家")))),
      differs);
  EXPECT_EQ(Findings(Checked(
                *ReadDocx(EditedDocx(*WriteDocx(document), ">新建工会20家", ">新建工会30家")))),
            differs);
}

TEST(SummaryCheck, WordsAndDigitsBesideANumberAreFound) {
  const std::string markdown = WriteMarkdown(Document());
  const auto findings = [&](const std::string& from, const std::string& to) {
    return Findings(Checked(ReadMarkdown(Edited(markdown, from, to))));
  };
  EXPECT_EQ(findings("入库会员85941", "入库会员185941"), (Lines{"DIFFERS 185941 85941"}));
  EXPECT_EQ(findings("入库会员85941", "入库会员约85941"), (Lines{"WORDS 85941 85941"}));
  EXPECT_EQ(findings("2]人，会员", "2]万人，会员"), (Lines{"WORDS 85941 85941"}));
  EXPECT_EQ(findings("]万元", "]元"), (Lines{"WORDS 833.1 833.1"}));
  EXPECT_EQ(findings("]%。", "]。"), (Lines{"WORDS 90 90"}));
}

TEST(SummaryCheck, AFigureThatChangedSinceIsOutdated) {
  Values later = SomeValues();
  later["members_total"] = "85950";
  const SummaryDocument document = Document();
  for (const CitedText& text : {ReadMarkdown(WriteMarkdown(document)),
                                ReadHtml(WriteHtml(document)), *ReadDocx(*WriteDocx(document))}) {
    EXPECT_EQ(Findings(Checked(text, later)), (Lines{"OUTDATED 85941 85950"}));
  }
}

TEST(SummaryCheck, ACitationOfNothingIsUnreadable) {
  const std::string markdown =
      Edited(WriteMarkdown(Document()), "/figures/members_total/2020H1 =", "/figures/x/2020H1 =");
  const auto checked = Checked(ReadMarkdown(markdown));
  ASSERT_EQ(checked.findings_size(), 1);
  EXPECT_EQ(checked.findings(0).fault(), v1::SUMMARY_FAULT_UNREADABLE);
  EXPECT_EQ(checked.findings(0).citation(), absl::StrCat(kPrefix, "x/2020H1"));
}

TEST(CitedText, ReadsFieldsDeletionsAndSplitRuns) {
  const std::string uri = "gonghui:a?1";
  const std::string body = absl::StrCat(
      "<w:p><w:r><w:t>前</w:t></w:r><w:r><w:fldChar "
      "w:fldCharType=\"begin\"/></w:r><w:r><w:instrText>"
      " HYPERLINK &quot;",
      uri,
      "&quot; </w:instrText></w:r><w:r><w:fldChar "
      "w:fldCharType=\"separate\"/></w:r><w:r><w:t>1</w:t>"
      "</w:r><w:r><w:t>2</w:t></w:r><w:r><w:fldChar w:fldCharType=\"end\"/></w:r>"
      "<w:del><w:r><w:delText>9</w:delText></w:r></w:del><w:ins><w:r><w:t>后</w:t></w:r></w:ins></"
      "w:p>"
      "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>格</w:t></w:r></w:p></w:tc></w:tr></w:tbl>");
  const std::string docx =
      *archive::WriteZip({{"word/document.xml", absl::StrCat("<w:document xmlns:w=\"x\"><w:body>",
                                                             body, "</w:body></w:document>")}});
  const auto text = ReadDocx(docx);
  ASSERT_TRUE(text.ok()) << text.status();
  ASSERT_EQ(text->size(), 2u);
  EXPECT_EQ((*text)[0].text, "前12后");
  ASSERT_EQ((*text)[0].spans.size(), 1u);
  EXPECT_EQ((*text)[0].spans[0].citation, "a");
  EXPECT_EQ((*text)[0].text.substr((*text)[0].spans[0].begin, 2), "12");
  EXPECT_EQ((*text)[1].text, "格");
}

TEST(CitedText, DamagedFilesAreRefused) {
  EXPECT_EQ(ReasonOf(ReadDocx("no zip").status()), common::v1::REASON_FIELD_INVALID);
  EXPECT_EQ(ReasonOf(ReadDocx(*archive::WriteZip({{"a", "b"}})).status()),
            common::v1::REASON_FIELD_INVALID);
  EXPECT_EQ(ReasonOf(ReadDocx(*archive::WriteZip({{"word/document.xml", "<a"}})).status()),
            common::v1::REASON_FIELD_INVALID);
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<w:p>";
  for (int i = 0; i < 100'000; ++i) deep += "</w:p>";
  EXPECT_TRUE(ReadDocx(*archive::WriteZip({{"word/document.xml", deep}})).ok());
  const std::string bomb(5 << 20, ' ');
  EXPECT_FALSE(archive::ReadZip(*archive::WriteZip({{"a", bomb}}), 1 << 20).ok());
  EXPECT_TRUE(ReadHtml("<p>1<p>2<").size() == 2u);
}

TEST(SummaryItems, TheNextPeriodFollowsTheWholeOne) {
  EXPECT_EQ(DaysAfter(*ParsePeriod("2020H1")).first, "2020-07-01");
  EXPECT_EQ(DaysAfter(*ParsePeriod("2020H1")).last, "2020-12-31");
  EXPECT_EQ(DaysAfter(*ParsePeriod("2020")).last, "2021-12-31");
  EXPECT_EQ(DaysAfter(*ParsePeriod("2020-12")).last, "2021-01-31");
}

TEST(SummaryComposer, WritesNumbersAndDatesInChinese) {
  EXPECT_EQ(ChineseNumber(1), "一");
  EXPECT_EQ(ChineseNumber(10), "十");
  EXPECT_EQ(ChineseNumber(12), "十二");
  EXPECT_EQ(ChineseNumber(21), "二十一");
  EXPECT_EQ(DateInChinese("2020-07-05"), "2020年7月5日");
  EXPECT_EQ(PeriodInChinese(*ParsePeriod("2020Q2")), "2020年第二季度");
  EXPECT_EQ(PeriodInChinese(*ParsePeriod("2020-05")), "2020年5月");
}

}  // namespace
}  // namespace gonghui::reports
