// Returns as files: the exported layout comes back in, and every fault of a file is told in one
// pass.
#include "absl/strings/str_replace.h"
#include "common/archive/zip.h"
#include "common/sheet/reader.h"
#include "tests/integration/returns_suite.h"

namespace gonghui::reports {
namespace {

using ::testing::HasSubstr;

constexpr char kHalf[] = "district_half_year.2020H1.D02";

class ReturnFilesTest : public ReturnsSuite {
 protected:
  absl::StatusOr<v1::ExportFormResponse> Export(v1::SheetFormat format, bool blank) {
    v1::ExportFormRequest request;
    request.set_name(Name(kHalf));
    request.set_format(format);
    request.set_blank(blank);
    return Ask<v1::ExportFormResponse>(*filer_, "ExportForm", request);
  }
  static v1::ImportReturnRequest With(const std::string& content) {
    v1::ImportReturnRequest request;
    request.set_name(Name(kHalf));
    request.set_content(content);
    return request;
  }
  static absl::StatusOr<v1::ImportReturnResponse> Import(const rpc::Client& client,
                                                         const v1::ImportReturnRequest& request) {
    return Ask<v1::ImportReturnResponse>(client, "ImportReturn", request);
  }
};

TEST_P(ReturnFilesTest, WhatIsExportedComesBackIn) {
  Fill(kHalf, {{"101", 4}, {"102", 120}, {"304", 8331}});
  for (const v1::SheetFormat format : {v1::SHEET_FORMAT_XLSX, v1::SHEET_FORMAT_CSV}) {
    ASSERT_OK_AND_ASSIGN(auto file, Export(format, false));
    EXPECT_THAT(file.file_name(), HasSubstr(kHalf));
    ASSERT_OK_AND_ASSIGN(auto tables, sheet::ReadTables(file.content()));
    EXPECT_EQ(tables[0].rows[0][0], "区县、镇街工会工作半年报");
    ASSERT_OK_AND_ASSIGN(auto same, Import(*filer_, With(file.content())));
    EXPECT_EQ(same.faults_size(), 0) << same.ShortDebugString();
    EXPECT_EQ(same.changed(), 0);
    ASSERT_OK_AND_ASSIGN(auto blank, Export(format, true));
    v1::ImportReturnRequest dry = With(blank.content());
    dry.set_validate_only(true);
    ASSERT_OK_AND_ASSIGN(auto cleared, Import(*filer_, dry));
    EXPECT_EQ(cleared.changed(), 3);
  }
  ASSERT_OK_AND_ASSIGN(auto still, Get(*filer_, kHalf));
  EXPECT_EQ(still.cells(1).value(), 120);  // A dry run changes nothing.
}

TEST_P(ReturnFilesTest, AFilledFileFillsTheReturn) {
  ASSERT_OK_AND_ASSIGN(auto file, Export(v1::SHEET_FORMAT_CSV, true));
  const std::string filled = absl::StrReplaceAll(
      file.content(), {{"工会组织数,101,个,,", "工会组织数,101,个,４,"},
                       {"会员人数,102,人,,", "会员人数,102,人,\"1,200\",新建企业较多"},
                       {"涉及金额,304,万元,,", "涉及金额,304,万元,83.310,"},
                       {"涉及职工,303,人,,", "涉及职工,303,人,—,"}});
  v1::ImportReturnRequest request = With(filled);
  request.set_request_id("i1");
  ASSERT_OK_AND_ASSIGN(auto answer, Import(*filer_, request));
  ASSERT_EQ(answer.faults_size(), 0) << answer.ShortDebugString();
  EXPECT_EQ(answer.changed(), 3);
  std::map<std::string, v1::ReturnCell> cells;
  for (const v1::ReturnCell& cell : answer.current().cells()) cells[cell.code()] = cell;
  EXPECT_EQ(cells["101"].value(), 4);
  EXPECT_EQ(cells["102"].value(), 1200);
  EXPECT_EQ(cells["102"].reason(), "新建企业较多");
  EXPECT_EQ(cells["304"].value(), 8331);
  EXPECT_FALSE(cells["303"].has_value());
  ASSERT_OK_AND_ASSIGN(auto again, Import(*filer_, request));
  EXPECT_EQ(again.current().etag(), answer.current().etag());
}

TEST_P(ReturnFilesTest, AllFaultsAreToldInOnePass) {
  ASSERT_OK_AND_ASSIGN(auto file, Export(v1::SHEET_FORMAT_CSV, true));
  const std::string wrong = absl::StrReplaceAll(
      file.content(), {{"报告期,2020H1", "报告期,2019H1"},
                       {"工会组织数,101,个,,", "工会组织数,101,个,四,"},
                       {"会员人数,102,人,,", "会员人数,102,人,12.5,"},
                       {"其中：女会员,103,人,,", "其中：女会员,103,人,-3,"},
                       {"本期新入会人数,104", "本期新入会人数,944"},
                       {"技能比武场次,201,场,,", "技能比武场次,201,场,1.1E+17,"}});
  ASSERT_OK_AND_ASSIGN(auto answer, Import(*filer_, With(wrong)));
  std::vector<std::string> faults;
  for (const v1::SheetFault& fault : answer.faults()) {
    EXPECT_FALSE(fault.hint_zh().empty());
    faults.push_back(absl::StrCat(fault.column(), fault.row(), " ", fault.code(), " ",
                                  fault.reason(), " ", fault.message_zh()));
  }
  EXPECT_THAT(faults,
              ::testing::ElementsAre(
                  "D2  FIELD_INVALID 报告期为“2019H1”，应为“2020H1”",
                  "4 104 FIELD_REQUIRED 缺少代码 104（本期新入会人数）的行",
                  "D6 101 FIELD_INVALID “四”不是数字", "D7 102 FIELD_INVALID “12.5”的小数超过 0 位",
                  "D8 103 CELL_INVALID “-3”为负数", "B9  FIELD_INVALID 报表没有代码为“944”的行",
                  "D11 201 FIELD_INVALID “1.1E+17”不是数字"));
  ASSERT_OK_AND_ASSIGN(auto untouched, Get(*filer_, kHalf));
  EXPECT_EQ(untouched.state(), v1::RETURN_STATE_MISSING);
}

TEST_P(ReturnFilesTest, OtherFilesAreRefused) {
  EXPECT_THAT(Import(*filer_, With(std::string("\xff\xfe\x00\xd8", 4))),
              HasReason(common::v1::REASON_FILE_UNREADABLE));
  EXPECT_THAT(Import(*filer_, With("PK\x03\x04 no archive")),
              HasReason(common::v1::REASON_FILE_UNREADABLE));
  ASSERT_OK_AND_ASSIGN(auto archive, archive::WriteZip({{"word/document.xml", "<w/>"}}));
  EXPECT_THAT(Import(*filer_, With(archive)), HasReason(common::v1::REASON_FILE_UNREADABLE));
  ASSERT_OK_AND_ASSIGN(auto other, Import(*filer_, With("姓名,性别\n甲,男\n")));
  EXPECT_GE(other.faults_size(), 4);
  ASSERT_OK_AND_ASSIGN(auto good, Export(v1::SHEET_FORMAT_XLSX, true));
  EXPECT_THAT(Import(*stranger_, With(good.content())),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  EXPECT_THAT(Import(*reviewer_, With(good.content())),
              HasReason(common::v1::REASON_PERMISSION_MISSING));
  v1::ImportReturnRequest elsewhere = With(good.content());
  elsewhere.set_name(Name("district_half_year.2020H1.D01"));
  EXPECT_THAT(Import(*filer_, elsewhere), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  File(kHalf, {});
  EXPECT_THAT(Import(*filer_, With(good.content())), HasReason(common::v1::REASON_STATE_FORBIDS));
}

INSTANTIATE_TEST_SUITE_P(Engines, ReturnFilesTest, ::testing::ValuesIn(testing::Engines()));

}  // namespace
}  // namespace gonghui::reports
