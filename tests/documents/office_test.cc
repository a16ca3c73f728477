// Summaries as an office program sees them: LibreOffice lays them out as pages, and what it saves
// again can still be checked.
#include <signal.h>
#include <stdlib.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "common/archive/zip.h"
#include "common/base/text.h"
#include "common/testing/process.h"
#include "gonghui/reports/v1/summary.pb.h"
#include "re2/re2.h"
#include "services/reports/cited_text.h"
#include "tests/integration/reports_suite.h"

namespace gonghui::reports {
namespace {

constexpr char kSummaries[] = "/gonghui.reports.v1.SummaryService/";
constexpr int kPlanItems = 30;
constexpr int kLinesOfAPage = 22;
constexpr int kCharactersOfALine = 28;

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

std::string WithoutBlanks(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    if (!absl::ascii_isspace(static_cast<unsigned char>(c))) plain += c;
  }
  return plain;
}

int Characters(std::string_view text) {
  int characters = 0;
  for (const char c : text) characters += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return characters;
}

class OfficeTest : public ReportsTest {
 protected:
  void SetUp() override {
    ReportsTest::SetUp();
    setenv("FONTCONFIG_FILE", GONGHUI_SOURCE_DIR "/tests/documents/fonts.conf", 1);
    AddPlanItems();
    v1::GenerateSummaryRequest request;
    request.set_parent("federations/demo");
    request.set_organization("D01");
    request.set_period("2020H1");
    request.set_template_("district_half_year");
    request.add_formats(v1::SUMMARY_FORMAT_DOCX);
    request.add_formats(v1::SUMMARY_FORMAT_XLSX);
    request.add_formats(v1::SUMMARY_FORMAT_HTML);
    auto answer = admin_->Invoke<v1::GenerateSummaryResponse>(
        absl::StrCat(kSummaries, "GenerateSummary"), request);
    ASSERT_THAT(answer, IsOk());
    for (const v1::SummaryFile& file : answer->files()) {
      std::ofstream(folder_ / file.file_name(), std::ios::binary) << file.content();
    }
    citations_ = answer->citations_size();
  }

  // Text that fills pages.
  void AddPlanItems() {
    common::v1::BatchCreateRecordsRequest request;
    request.set_parent("federations/demo");
    for (int i = 0; i < kPlanItems; ++i) {
      common::v1::Record& record = *request.add_records();
      record.set_kind("plan_item");
      record.set_number(absl::StrCat("P", i));
      record.set_title(
          "部分小微企业和新就业形态劳动者集中的单位建会难度较大工会组织覆盖面有待进一步扩大"
          "基层工会干部兼职多流动快服务职工的方式方法还不够丰富需要继续加强培训和指导");
      record.set_organization("D01");
      record.set_on_date("2020-06-20");
      (*record.mutable_fields())["item_type"] = "problem";
      (*record.mutable_fields())["aspect"] = "组织建设";
    }
    ASSERT_THAT(admin_->Invoke<common::v1::BatchCreateRecordsResponse>(
                    "/gonghui.activities.v1.ActivityService/BatchCreateRecords", request),
                IsOk());
  }

  std::string Run(std::vector<std::string> command) {
    const std::filesystem::path output = folder_ / "output.txt";
    std::filesystem::remove(output);
    ::gonghui::testing::Process process(command, output.string());
    EXPECT_EQ(process.Stop(0), 0) << command[0] << ": " << ReadFile(output);
    return ReadFile(output);
  }

  void Convert(const std::string& file, const std::string& format, const std::string& to_folder) {
    Run({"soffice", "--headless",
         absl::StrCat("-env:UserInstallation=file://", (folder_ / "office").string()),
         "--convert-to", format, "--outdir", (folder_ / to_folder).string(),
         (folder_ / file).string()});
  }

  std::string PageText(int page) {
    return Run({"pdftotext", "-layout", "-f", absl::StrCat(page), "-l", absl::StrCat(page),
                (folder_ / "summary.pdf").string(), "-"});
  }

  v1::CheckSummaryResponse Check(const std::string& content) {
    v1::CheckSummaryRequest request;
    request.set_parent("federations/demo");
    request.set_format(v1::SUMMARY_FORMAT_DOCX);
    request.set_content(content);
    auto answer =
        admin_->Invoke<v1::CheckSummaryResponse>(absl::StrCat(kSummaries, "CheckSummary"), request);
    EXPECT_THAT(answer, IsOk());
    return answer.ok() ? *answer : v1::CheckSummaryResponse();
  }

  int citations_ = 0;
};

TEST_P(OfficeTest, PagesFollowTheStandard) {
  Convert("summary.docx", "pdf", "");
  const std::string info = Run({"pdfinfo", (folder_ / "summary.pdf").string()});
  EXPECT_TRUE(absl::StrContains(info, "(A4)")) << info;
  int pages = 0;
  ASSERT_TRUE(re2::RE2::PartialMatch(info, R"(Pages:\s+(\d+))", &pages));
  ASSERT_GE(pages, 4) << info;

  // The text is complete, whatever page it stands on.
  std::string whole;
  for (int page = 1; page <= pages; ++page) {
    const std::string number = absl::StrCat("—", page, "—");
    const std::string text = WithoutBlanks(PageText(page));
    EXPECT_TRUE(absl::EndsWith(text, number)) << text;
    whole += text.substr(0, text.size() - number.size());
  }
  auto text = ReadDocx(ReadFile(folder_ / "summary.docx"));
  ASSERT_THAT(text, IsOk());
  for (const CitedParagraph& paragraph : *text) {
    EXPECT_TRUE(absl::StrContains(whole, WithoutBlanks(paragraph.text))) << paragraph.text;
  }

  // A page in the middle of the plan items is full.
  const std::string page = PageText(3);
  int lines = 0;
  int longest = 0;
  for (const std::string_view line : Split(page, '\n')) {
    const std::string plain = WithoutBlanks(line);
    if (plain.empty() || absl::StrContains(plain, "—3—")) continue;
    ++lines;
    longest = std::max(longest, Characters(plain));
  }
  EXPECT_EQ(lines, kLinesOfAPage);
  EXPECT_EQ(longest, kCharactersOfALine);
}

TEST_P(OfficeTest, TheAnnexIsASpreadsheet) {
  Convert("annex.xlsx", "pdf", "");
  const std::string text = Run({"pdftotext", "-layout", (folder_ / "annex.pdf").string(), "-"});
  EXPECT_TRUE(absl::StrContains(text, "宣传资料发放数")) << text;
  EXPECT_TRUE(absl::StrContains(text, "指标值名称")) << text;
  Convert("annex.xlsx", "csv:Text - txt - csv (StarCalc):44,34,76", "");
  EXPECT_TRUE(absl::StartsWith(ReadFile(folder_ / "annex.csv"), "序号,正文表述,指标"));
}

TEST_P(OfficeTest, WhatIsSavedAgainCanStillBeChecked) {
  Convert("summary.docx", "docx", "again");
  const std::string saved = ReadFile(folder_ / "again" / "summary.docx");
  const v1::CheckSummaryResponse same = Check(saved);
  EXPECT_EQ(same.findings_size(), 0) << same.DebugString();
  EXPECT_GE(same.citations(), citations_);

  // A number edited in what the office program saved.
  ASSERT_OK_AND_ASSIGN(auto text, ReadDocx(saved));
  std::string number;
  for (const CitedParagraph& paragraph : text) {
    for (const CitedSpan& span : paragraph.spans) {
      if (!absl::StrContains(span.citation, "/handouts_distributed/")) continue;
      if (span.exact != "0") number = span.exact;
    }
  }
  ASSERT_FALSE(number.empty());
  ASSERT_OK_AND_ASSIGN(auto files, archive::ReadZip(saved));
  std::vector<archive::File> edited;
  for (auto& [name, content] : files) {
    edited.push_back(
        {name, name == "word/document.xml"
                   ? absl::StrReplaceAll(content, {{absl::StrCat(">", number, "<"), ">77<"}})
                   : content});
  }
  ASSERT_OK_AND_ASSIGN(const std::string again, archive::WriteZip(edited));
  const v1::CheckSummaryResponse checked = Check(again);
  ASSERT_EQ(checked.findings_size(), 1) << checked.DebugString();
  EXPECT_EQ(checked.findings(0).found(), "77");
  EXPECT_EQ(checked.findings(0).expected(), number);
}

TEST_P(OfficeTest, ThePageForBrowsersPrints) {
  Convert("summary.html", "pdf", "");
  const std::string text =
      WithoutBlanks(Run({"pdftotext", (folder_ / "summary.pdf").string(), "-"}));
  EXPECT_TRUE(absl::StrContains(text, "D01工会2020年上半年工作总结")) << text;
}

INSTANTIATE_TEST_SUITE_P(Engines, OfficeTest, ::testing::Values("sqlite"));

}  // namespace
}  // namespace gonghui::reports
