// Work summaries by RPC: every number is cited, and what is edited afterwards is found.
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "common/sheet/reader.h"
#include "gonghui/reports/v1/edition.pb.h"
#include "gonghui/reports/v1/summary.pb.h"
#include "gonghui/reports/v1/target.pb.h"
#include "tests/integration/reports_suite.h"

namespace gonghui::reports {
namespace {

constexpr char kSummaries[] = "/gonghui.reports.v1.SummaryService/";

class SummariesTest : public ReportsTest {
 protected:
  static v1::GenerateSummaryRequest Wanted(std::vector<v1::SummaryFormat> formats = {}) {
    v1::GenerateSummaryRequest request;
    request.set_parent("federations/demo");
    request.set_organization("D01");
    request.set_period("2020H1");
    request.set_template_("district_half_year");
    for (const v1::SummaryFormat format : formats) request.add_formats(format);
    return request;
  }

  absl::StatusOr<v1::GenerateSummaryResponse> Generate(const v1::GenerateSummaryRequest& request,
                                                       rpc::Client* caller = nullptr) {
    return (caller == nullptr ? admin_.get() : caller)
        ->Invoke<v1::GenerateSummaryResponse>(absl::StrCat(kSummaries, "GenerateSummary"), request);
  }

  absl::StatusOr<v1::CheckSummaryResponse> Check(v1::SummaryFormat format,
                                                 const std::string& content,
                                                 rpc::Client* caller = nullptr) {
    v1::CheckSummaryRequest request;
    request.set_parent("federations/demo");
    request.set_format(format);
    request.set_content(content);
    return (caller == nullptr ? admin_.get() : caller)
        ->Invoke<v1::CheckSummaryResponse>(absl::StrCat(kSummaries, "CheckSummary"), request);
  }

  // The second sheet of an annex, a line a row, cells parted by "|".
  static std::string AllFigures(const std::string& annex) {
    const auto tables = sheet::ReadTables(annex);
    EXPECT_THAT(tables, IsOk());
    std::string text;
    if (!tables.ok() || tables->size() != 2) return text;
    for (const auto& row : tables->at(1).rows)
      absl::StrAppend(&text, absl::StrJoin(row, "|"), "\n");
    return text;
  }

  // How many citations the caller may not read; of none is told what it should be.
  static int Unreadable(const v1::CheckSummaryResponse& checked) {
    int unreadable = 0;
    for (const v1::SummaryFinding& finding : checked.findings()) {
      unreadable += finding.fault() == v1::SUMMARY_FAULT_UNREADABLE ? 1 : 0;
      EXPECT_EQ(finding.expected(), "");
      EXPECT_FALSE(finding.hint().zh().empty());
    }
    return unreadable;
  }

  std::string Markdown() {
    auto answer = Generate(Wanted());
    EXPECT_THAT(answer, IsOk());
    return answer.ok() ? answer->files(0).content() : "";
  }

  v1::Edition Close(const std::string& organization, const std::string& period,
                    v1::TreeMode mode = v1::TREE_MODE_AS_WAS) {
    v1::ClosePeriodRequest request;
    request.set_parent("federations/demo");
    request.set_organization(organization);
    request.set_period(period);
    request.set_tree_mode(mode);
    auto edition = ::gonghui::testing::RunJob<v1::Edition>(
        *admin_, "/gonghui.reports.v1.EditionService/ClosePeriod", kJobService, request);
    EXPECT_THAT(edition, IsOk());
    return edition.ok() ? *edition : v1::Edition();
  }

  // Of the first half of 2020, as the text says.
  static std::string SafetyCopies(const std::string& markdown) {
    constexpr std::string_view kBefore = "安全生产资料";
    const size_t at = markdown.find(kBefore);
    if (at == std::string::npos) return "";
    const size_t begin = at + kBefore.size();
    return markdown.substr(begin, markdown.find("[^", begin) - begin);
  }

  // What D01 is to hand out in 2020.
  void SetSafetyTarget(const std::string& text) {
    v1::SetTargetsRequest request;
    request.set_parent("federations/demo");
    v1::Target& target = *request.add_targets();
    target.set_organization("D01");
    target.set_measure("handouts_distributed");
    target.set_dimensions("topic=safety");
    target.set_period("2020");
    target.set_text(text);
    auto answer = admin_->Invoke<v1::SetTargetsResponse>(
        "/gonghui.reports.v1.TargetService/SetTargets", request);
    ASSERT_THAT(answer, IsOk());
    ASSERT_EQ(answer->failures_size(), 0) << answer->DebugString();
  }

  void AddPlanItem(const std::string& number, const std::string& type, const std::string& on_date,
                   const std::string& title, const std::string& organization = "D01") {
    common::v1::CreateRecordRequest request;
    request.set_parent("federations/demo");
    common::v1::Record& record = *request.mutable_record();
    record.set_kind("plan_item");
    record.set_number(number);
    record.set_title(title);
    record.set_organization(organization);
    record.set_on_date(on_date);
    (*record.mutable_fields())["item_type"] = type;
    (*record.mutable_fields())["aspect"] = "组织建设";
    (*record.mutable_fields())["owner"] = "组织部";
    ASSERT_THAT(admin_->Invoke<common::v1::Record>(
                    "/gonghui.activities.v1.ActivityService/CreateRecord", request),
                IsOk());
  }
};

TEST_P(SummariesTest, EveryNumberIsCitedAndEachCitationIsAFigure) {
  ASSERT_OK_AND_ASSIGN(const auto answer,
                       Generate(Wanted({v1::SUMMARY_FORMAT_MARKDOWN, v1::SUMMARY_FORMAT_CSV})));
  EXPECT_EQ(answer.template_(), "district_half_year");
  ASSERT_EQ(answer.files_size(), 2);
  const std::string& markdown = answer.files(0).content();
  EXPECT_TRUE(absl::StartsWith(markdown, "# D01工会2020年上半年工作总结\n")) << markdown;
  ASSERT_GT(answer.citations_size(), 0);
  for (int i = 0; i < answer.citations_size(); ++i) {
    const v1::SummaryCitation& citation = answer.citations(i);
    const std::string note =
        absl::StrCat("[^", i + 1, "]: ", citation.name(), " = ", citation.exact(), "\n");
    EXPECT_NE(markdown.find(note), std::string::npos) << note;
    v1::ExplainFigureRequest explain;
    explain.set_name(citation.figure().name());
    ASSERT_OK_AND_ASSIGN(const auto explained,
                         admin_->Invoke<v1::ExplainFigureResponse>(
                             absl::StrCat(kReports, "ExplainFigure"), explain));
    EXPECT_EQ(explained.figure().text(), citation.exact());
  }
  EXPECT_EQ(answer.files(1).file_name(), "figures.csv");
  const std::string& csv = answer.files(1).content();
  EXPECT_NE(csv.find("\nhandouts_distributed,topic=law,2020H1,D01,"), std::string::npos) << csv;
  EXPECT_NE(csv.find(",主题=安全生产\n"), std::string::npos) << csv;
  EXPECT_EQ(answer.notes_size(), 0) << answer.notes(0).en();
}

TEST_P(SummariesTest, TheSameFiguresStandInEveryFormat) {
  const auto request = Wanted({v1::SUMMARY_FORMAT_MARKDOWN, v1::SUMMARY_FORMAT_HTML,
                               v1::SUMMARY_FORMAT_DOCX, v1::SUMMARY_FORMAT_XLSX});
  ASSERT_OK_AND_ASSIGN(const auto answer, Generate(request));
  ASSERT_OK_AND_ASSIGN(const auto again, Generate(request));
  ASSERT_EQ(answer.files_size(), 4);
  for (int i = 0; i < 3; ++i) {
    const v1::SummaryFile& file = answer.files(i);
    EXPECT_EQ(file.content(), again.files(i).content()) << file.file_name();
    ASSERT_OK_AND_ASSIGN(const auto checked, Check(file.format(), file.content()));
    EXPECT_EQ(checked.findings_size(), 0) << checked.DebugString();
    EXPECT_EQ(checked.citations(), answer.citations_size());
  }
  const std::string all = AllFigures(answer.files(3).content());
  EXPECT_NE(all.find("federations/demo/organizations/D01/figures/handouts_distributed/2020H1"),
            std::string::npos);
  EXPECT_NE(all.find("宣传资料发放数 = 2020-01至2020-06之和"), std::string::npos);
  EXPECT_NE(all.find("|宣传资料发放数|主题=安全生产|topic=safety|2020H1|"), std::string::npos)
      << all;
}

TEST_P(SummariesTest, AnEditedNumberIsFoundAndALaterRecordMakesItOutdated) {
  const std::string markdown = Markdown();
  const std::string figure = "安全生产资料";
  const std::string number = SafetyCopies(markdown);
  ASSERT_NE(number, "") << markdown;
  const std::string edited =
      absl::StrReplaceAll(markdown, {{figure + number, figure + "1" + number}});
  ASSERT_OK_AND_ASSIGN(const auto checked, Check(v1::SUMMARY_FORMAT_MARKDOWN, edited));
  ASSERT_EQ(checked.findings_size(), 1) << checked.DebugString();
  EXPECT_EQ(checked.findings(0).fault(), v1::SUMMARY_FAULT_DIFFERS);
  EXPECT_EQ(checked.findings(0).found(), "1" + number);
  EXPECT_EQ(checked.findings(0).expected(), number);

  AddHandouts(kRecords, 5);
  ASSERT_THAT(suite_->CatchUp(), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto later, Check(v1::SUMMARY_FORMAT_MARKDOWN, markdown));
  ASSERT_GE(later.findings_size(), 1);
  EXPECT_EQ(later.findings(0).fault(), v1::SUMMARY_FAULT_OUTDATED) << later.DebugString();
}

TEST_P(SummariesTest, TreeModesStandInTheCitations) {
  v1::GenerateSummaryRequest request = Wanted();
  request.set_tree_mode(v1::TREE_MODE_AS_IS);
  ASSERT_OK_AND_ASSIGN(const auto answer, Generate(request));
  ASSERT_GT(answer.citations_size(), 0);
  for (const v1::SummaryCitation& citation : answer.citations()) {
    EXPECT_NE(citation.name().find("/2020H1@as_is"), std::string::npos) << citation.name();
  }
  ASSERT_OK_AND_ASSIGN(const auto checked,
                       Check(v1::SUMMARY_FORMAT_MARKDOWN, answer.files(0).content()));
  EXPECT_EQ(checked.findings_size(), 0) << checked.DebugString();
}

TEST_P(SummariesTest, FromAnEditionTheTextStaysAsItWas) {
  Close("D01", "2019H1");
  const v1::Edition edition = Close("D01", "2020H1");
  ASSERT_OK_AND_ASSIGN(const auto today, Generate(Wanted()));
  v1::GenerateSummaryRequest request =
      Wanted({v1::SUMMARY_FORMAT_MARKDOWN, v1::SUMMARY_FORMAT_DOCX, v1::SUMMARY_FORMAT_CSV});
  request.set_edition(edition.name());
  ASSERT_OK_AND_ASSIGN(const auto frozen, Generate(request));
  ASSERT_EQ(frozen.citations_size(), today.citations_size());
  for (int i = 0; i < frozen.citations_size(); ++i) {
    EXPECT_EQ(frozen.citations(i).name().find(absl::StrCat(edition.name(), "/figures/D01/")), 0)
        << frozen.citations(i).name();
    EXPECT_EQ(frozen.citations(i).text(), today.citations(i).text());
  }
  EXPECT_NE(frozen.files(2).content().find("\nhandouts_distributed,topic=law,2020H1,D01,"),
            std::string::npos);

  AddHandouts(kRecords, 30);
  ASSERT_THAT(suite_->CatchUp(), IsOk());
  Close("D01", "2020H1");
  ASSERT_OK_AND_ASSIGN(const auto later, Generate(request));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(later.files(i).content(), frozen.files(i).content());
    ASSERT_OK_AND_ASSIGN(const auto checked,
                         Check(frozen.files(i).format(), frozen.files(i).content()));
    EXPECT_EQ(checked.findings_size(), 0) << checked.DebugString();
    EXPECT_EQ(checked.citations(), frozen.citations_size());
  }
  ASSERT_OK_AND_ASSIGN(const auto outdated,
                       Check(v1::SUMMARY_FORMAT_MARKDOWN, today.files(0).content()));
  EXPECT_GT(outdated.findings_size(), 0) << "what is written from today's figures is not frozen";

  // A unit below takes its own figures out of the edition of the whole.
  request.set_organization("T02");
  ASSERT_OK_AND_ASSIGN(const auto below, Generate(request));
  ASSERT_GT(below.citations_size(), 0);
  EXPECT_NE(below.citations(0).name().find("/organizations/D01/editions/2020H1.1/figures/T02/"),
            std::string::npos);
}

TEST_P(SummariesTest, FromAnEditionByAnotherTreeOnlyWhatFitsIt) {
  using namespace common::v1;  // NOLINT(google-build-using-namespace): reasons only.
  const v1::Edition edition = Close("T01", "2020H1", v1::TREE_MODE_AS_IS);
  v1::GenerateSummaryRequest request = Wanted();
  request.set_organization("T01");
  request.set_edition(edition.name());
  ASSERT_OK_AND_ASSIGN(const auto answer, Generate(request));
  ASSERT_GT(answer.citations_size(), 0);
  EXPECT_NE(answer.citations(0).name().find("/editions/2020H1@as_is.1/figures/T01/"),
            std::string::npos);
  const std::string markdown = answer.files(0).content();
  ASSERT_OK_AND_ASSIGN(const auto checked, Check(v1::SUMMARY_FORMAT_MARKDOWN, markdown));
  EXPECT_EQ(checked.findings_size(), 0) << checked.DebugString();

  request.set_period("2020");
  EXPECT_THAT(Generate(request), HasReasonAt(REASON_FIELD_INVALID, "period"));
  request.set_period("2020H1");
  request.set_organization("T02");
  EXPECT_THAT(Generate(request), HasReasonAt(REASON_NOT_FOUND, "edition"));
  request.set_organization("T01");
  request.set_tree_mode(v1::TREE_MODE_AS_IS);
  EXPECT_THAT(Generate(request), HasReasonAt(REASON_FIELD_INVALID, "tree_mode"));
  request.clear_tree_mode();
  request.set_edition("federations/demo/organizations/T01/editions/2020H1.9");
  EXPECT_THAT(Generate(request), HasReasonAt(REASON_NOT_FOUND, "edition"));
  request.set_edition("federations/other/organizations/T01/editions/2020H1.1");
  EXPECT_THAT(Generate(request), HasReason(REASON_WRONG_FEDERATION));

  // A clerk writes summaries, but may not read editions: few persons are not hidden in them.
  request.set_edition(edition.name());
  auto clerk = Client("demo", "clerk", "T01");
  EXPECT_THAT(Generate(request, clerk.get()), HasReason(REASON_PERMISSION_MISSING));
  ASSERT_OK_AND_ASSIGN(const auto theirs,
                       Check(v1::SUMMARY_FORMAT_MARKDOWN, markdown, clerk.get()));
  EXPECT_EQ(Unreadable(theirs), theirs.citations());
}

TEST_P(SummariesTest, TargetsAreSaidWhereThereAreAny) {
  const std::string markdown = Markdown();
  EXPECT_EQ(markdown.find("年度目标"), std::string::npos) << "there are no targets";
  const std::string said = SafetyCopies(markdown);
  int64_t copies = 0;
  ASSERT_TRUE(absl::SimpleAtoi(said, &copies)) << markdown;
  SetSafetyTarget(absl::StrCat(copies * 2));
  ASSERT_OK_AND_ASSIGN(const auto answer, Generate(Wanted()));
  const std::string with = answer.files(0).content();
  EXPECT_NE(with.find("后者完成年度目标的50%["), std::string::npos) << with;
  EXPECT_NE(with.find("/handouts_distributed/2020H1/topic=safety#year_target = 50\n"),
            std::string::npos)
      << with;
  ASSERT_OK_AND_ASSIGN(const auto checked, Check(v1::SUMMARY_FORMAT_MARKDOWN, with));
  EXPECT_EQ(checked.findings_size(), 0) << checked.DebugString();

  // An edition knows the targets of its day; a later one makes only what is of today outdated.
  const v1::Edition edition = Close("D01", "2020H1");
  v1::GenerateSummaryRequest request = Wanted();
  request.set_edition(edition.name());
  ASSERT_OK_AND_ASSIGN(const auto frozen, Generate(request));
  SetSafetyTarget(absl::StrCat(copies * 4));
  ASSERT_OK_AND_ASSIGN(const auto again, Generate(request));
  EXPECT_EQ(again.files(0).content(), frozen.files(0).content());
  EXPECT_NE(again.files(0).content().find("后者完成年度目标的50%["), std::string::npos);
  ASSERT_OK_AND_ASSIGN(const auto same,
                       Check(v1::SUMMARY_FORMAT_MARKDOWN, again.files(0).content()));
  EXPECT_EQ(same.findings_size(), 0) << same.DebugString();
  ASSERT_OK_AND_ASSIGN(const auto later, Check(v1::SUMMARY_FORMAT_MARKDOWN, with));
  ASSERT_EQ(later.findings_size(), 1) << later.DebugString();
  EXPECT_EQ(later.findings(0).fault(), v1::SUMMARY_FAULT_OUTDATED);
  EXPECT_EQ(later.findings(0).expected(), "25%");
}

TEST_P(SummariesTest, PlanItemsAreWrittenAndTheirTextIsChecked) {
  AddPlanItem("P1", "problem", "2020-06-20", "小微企业建会率不高，12家未建会。");
  AddPlanItem("P2", "next", "2020-07-10", "新建工会20家");
  AddPlanItem("P3", "next", "2021-07-10", "明年的事");
  AddPlanItem("P4", "problem", "2020-06-20", "下级的事", "T01");
  const std::string markdown = Markdown();
  EXPECT_NE(markdown.find("1.小微企业建会率不高，12家未建会["), std::string::npos) << markdown;
  EXPECT_NE(markdown.find("1.新建工会20家["), std::string::npos) << markdown;
  EXPECT_EQ(markdown.find("明年的事"), std::string::npos);
  EXPECT_EQ(markdown.find("下级的事"), std::string::npos);
  ASSERT_OK_AND_ASSIGN(const auto same, Check(v1::SUMMARY_FORMAT_MARKDOWN, markdown));
  EXPECT_EQ(same.findings_size(), 0) << same.DebugString();
  ASSERT_OK_AND_ASSIGN(const auto edited,
                       Check(v1::SUMMARY_FORMAT_MARKDOWN,
                             absl::StrReplaceAll(markdown, {{"新建工会20家", "新建工会25家"}})));
  ASSERT_EQ(edited.findings_size(), 1) << edited.DebugString();
  EXPECT_EQ(edited.findings(0).expected(), "新建工会20家");

  auto statistician = Client("demo", "statistician", "D01");
  ASSERT_OK_AND_ASSIGN(const auto theirs, Generate(Wanted(), statistician.get()));
  EXPECT_EQ(theirs.notes_size(), 0);
  EXPECT_NE(theirs.files(0).content().find("新建工会20家"), std::string::npos);
}

TEST_P(SummariesTest, ACallerSeesOnlyFiguresWithinReach) {
  using common::v1::REASON_OUT_OF_SCOPE;
  using common::v1::REASON_WRONG_FEDERATION;
  auto town = Client("demo", "statistician", "T01");
  auto other = Client("other", "admin", "*");
  EXPECT_THAT(Generate(Wanted(), town.get()), HasReason(REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Generate(Wanted(), other.get()), HasReason(REASON_WRONG_FEDERATION));
  const std::string markdown = Markdown();
  ASSERT_OK_AND_ASSIGN(const auto checked,
                       Check(v1::SUMMARY_FORMAT_MARKDOWN, markdown, town.get()));
  ASSERT_GT(checked.citations(), 0);
  EXPECT_EQ(Unreadable(checked), checked.citations());
}

TEST_P(SummariesTest, FaultsNameTheField) {
  using namespace common::v1;  // NOLINT(google-build-using-namespace): reasons only.
  v1::GenerateSummaryRequest request = Wanted();
  request.set_period("May");
  EXPECT_THAT(Generate(request), HasReasonAt(REASON_PERIOD_INVALID, "period"));
  request = Wanted();
  request.set_template_("no_such");
  EXPECT_THAT(Generate(request), HasReasonAt(REASON_NOT_FOUND, "template"));
  request = Wanted();
  request.set_organization("X99");
  EXPECT_FALSE(Generate(request).ok());
  request = Wanted();
  request.set_tree_mode(v1::TREE_MODE_AS_OF);
  EXPECT_THAT(Generate(request), HasReasonAt(REASON_FIELD_REQUIRED, "tree_date"));
  EXPECT_THAT(Check(v1::SUMMARY_FORMAT_DOCX, "no zip"),
              HasReasonAt(REASON_FIELD_INVALID, "content"));
  EXPECT_THAT(Check(v1::SUMMARY_FORMAT_MARKDOWN, "\xff\xff"),
              HasReasonAt(REASON_FIELD_INVALID, "content"));
  EXPECT_THAT(Check(v1::SUMMARY_FORMAT_HTML, "<p>&#xD800;1</p>"),
              HasReasonAt(REASON_FIELD_INVALID, "content"));
  EXPECT_THAT(Check(v1::SUMMARY_FORMAT_CSV, "1"), HasReasonAt(REASON_FIELD_INVALID, "format"));
  EXPECT_THAT(Check(v1::SUMMARY_FORMAT_MARKDOWN, ""),
              HasReasonAt(REASON_FIELD_REQUIRED, "content"));
}

TEST_P(SummariesTest, TemplatesAreListed) {
  ASSERT_OK_AND_ASSIGN(const auto answer, admin_->Invoke<v1::ListSummaryTemplatesResponse>(
                                              absl::StrCat(kSummaries, "ListSummaryTemplates"),
                                              v1::ListSummaryTemplatesRequest()));
  EXPECT_EQ(answer.templates_size(), 6);
  EXPECT_GT(answer.allowed_numerals_size(), 5);
}

INSTANTIATE_TEST_SUITE_P(Engines, SummariesTest, ::testing::ValuesIn(testing::Engines()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace gonghui::reports
