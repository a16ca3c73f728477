// Files of members: uploaded, checked, entered, corrected, taken back.
#include <fstream>
#include <iterator>
#include <set>

#include "common/sheet/csv.h"
#include "common/sheet/reader.h"
#include "common/sheet/xlsx_writer.h"
#include "common/testing/jobs.h"
#include "gonghui/common/v1/job.pb.h"
#include "gonghui/membership/v1/member_import.pb.h"
#include "tests/integration/membership.h"

namespace gonghui::membership {
namespace {

using sheet::Cells;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kService[] = "/gonghui.membership.v1.MemberImportService/";

class MemberImportsTest : public MembershipTest {
 protected:
  void SetUp() override {
    MembershipTest::SetUp();
    MakeDistrict();
  }

  template <typename Response, typename Request>
  static absl::StatusOr<Response> Call(const rpc::Client& client, const std::string& method,
                                       const Request& request) {
    return client.Invoke<Response>(kService + method, request);
  }

  absl::StatusOr<v1::MemberImport> Begin(const rpc::Client& client,
                                         const std::string& organization) {
    v1::CreateMemberImportRequest request;
    request.set_parent("federations/demo");
    request.mutable_member_import()->set_organization(organization);
    request.mutable_member_import()->set_title("花名册");
    return Call<v1::MemberImport>(client, "CreateMemberImport", request);
  }
  static absl::StatusOr<v1::MemberImport> Append(const rpc::Client& client, const std::string& name,
                                                 int64_t offset, const std::string& content) {
    v1::AppendMemberImportRequest request;
    request.set_name(name);
    request.set_offset(offset);
    request.set_content(content);
    return Call<v1::MemberImport>(client, "AppendMemberImport", request);
  }
  // The name of the import of a file.
  std::string Upload(const std::string& bytes, const std::string& organization = "D01") {
    const auto begun = Begin(*admin_, organization);
    EXPECT_THAT(begun, IsOk());
    const auto sent = Append(*admin_, begun->name(), 0, bytes);
    EXPECT_THAT(sent, IsOk());
    EXPECT_EQ(sent->size_bytes(), static_cast<int64_t>(bytes.size()));
    return begun->name();
  }
  common::v1::Job Await(const absl::StatusOr<common::v1::Job>& job) {
    EXPECT_THAT(job, IsOk());
    const auto ended =
        ::gonghui::testing::AwaitJob(*admin_, "gonghui.membership.v1.JobService", *job);
    EXPECT_THAT(ended, IsOk());
    return *ended;
  }
  static v1::MemberImport ResultOf(const common::v1::Job& job) {
    v1::MemberImport result;
    EXPECT_TRUE(job.result().UnpackTo(&result)) << job.ShortDebugString();
    return result;
  }
  absl::StatusOr<common::v1::Job> Start(const std::string& name, v1::MemberImportMode mode,
                                        const std::string& request_id = "") {
    v1::StartMemberImportRequest request;
    request.set_name(name);
    request.set_mode(mode);
    request.set_request_id(request_id);
    return Call<common::v1::Job>(*admin_, "StartMemberImport", request);
  }
  v1::MemberImport Run(const std::string& name, v1::MemberImportMode mode) {
    return ResultOf(Await(Start(name, mode)));
  }
  v1::MemberImport Get(const std::string& name) {
    v1::GetMemberImportRequest request;
    request.set_name(name);
    const auto import = Call<v1::MemberImport>(*admin_, "GetMemberImport", request);
    EXPECT_THAT(import, IsOk());
    return import.ok() ? *import : v1::MemberImport();
  }
  v1::MemberImport Undo(const std::string& name) {
    v1::UndoMemberImportRequest request;
    request.set_name(name);
    return ResultOf(Await(Call<common::v1::Job>(*admin_, "UndoMemberImport", request)));
  }
  std::vector<v1::MemberImportFault> Faults(const std::string& name, bool kept = false) {
    std::vector<v1::MemberImportFault> faults;
    v1::ListMemberImportFaultsRequest request;
    request.set_name(name);
    request.set_kept(kept);
    request.set_page_size(7);
    do {
      const auto page =
          Call<v1::ListMemberImportFaultsResponse>(*admin_, "ListMemberImportFaults", request);
      EXPECT_THAT(page, IsOk());
      faults.insert(faults.end(), page->faults().begin(), page->faults().end());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return faults;
  }
  std::string Rejects(const std::string& name) {
    std::string bytes;
    for (;;) {
      v1::GetMemberImportRejectsRequest request;
      request.set_name(name);
      request.set_offset(static_cast<int64_t>(bytes.size()));
      const auto piece = Call<v1::MemberImportRejects>(*admin_, "GetMemberImportRejects", request);
      EXPECT_THAT(piece, IsOk());
      bytes += piece->content();
      if (piece->content().empty()) return bytes;
    }
  }
  int64_t Members() {
    v1::ListMembersRequest request;
    request.set_parent("federations/demo");
    request.set_state("all");
    request.set_page_size(1000);
    const auto page =
        MembershipTest::Members<v1::ListMembersResponse>(*admin_, "ListMembers", request);
    EXPECT_THAT(page, IsOk());
    return page->members_size();
  }
};
INSTANTIATE_TEST_SUITE_P(Engines, MemberImportsTest,
                         ::testing::ValuesIn(::gonghui::testing::Engines()));

// The official form: title, notes, two rows of headings, data, explanations.
std::vector<Cells> Form(const std::vector<Cells>& data) {
  std::vector<Cells> rows = {
      {"工会会员实名制采集表"},
      {"填报单位：示范区总工会", "", "", "填报日期：2020-06-30"},
      {"序号", "姓名*", "性别*", "出生日期", "民族", "有效证件", "", "移动电话", "会籍变化", "",
       "是否农民工"},
      {"", "", "", "", "", "有效证件类别*", "证件号码*", "", "会籍变化类型", "会籍变化日期", ""}};
  rows.insert(rows.end(), data.begin(), data.end());
  rows.push_back({"填表说明：证件号码请用文本格式"});
  return rows;
}

std::string Xlsx(const std::vector<Cells>& rows) {
  sheet::Sheet page;
  page.name = "采集表";
  for (const Cells& row : rows) {
    auto& cells = page.rows.emplace_back();
    for (const std::string& cell : row) cells.push_back({cell, sheet::Cell::Kind::kText});
  }
  const auto bytes = sheet::WriteXlsx({page});
  EXPECT_THAT(bytes, IsOk());
  return *bytes;
}

std::string Csv(const std::vector<Cells>& rows) {
  std::string text;
  for (const Cells& row : rows) text += sheet::CsvLine(row);
  return text;
}

Cells FormRow(int serial, const std::string& name) {
  return {absl::StrCat(serial), name,          "",     "",         "汉族", "身份证",
          IdNumber(serial),     "13800001234", "入会", "20200301", "否"};
}

const Cells kHeadings = {"姓名",     "证件类别", "证件号码", "性别",     "出生日期",   "手机号",
                         "就业状况", "入会日期", "离会日期", "所属工会", "是否农民工", "岗位"};
Cells Row(int serial) {
  return {"李四", "",    IdNumber(serial), "", "", "13900005678", "在岗", "2019-05-01", "", "E01",
          "是",   "焊工"};
}
Cells RowWith(int serial, size_t column, const std::string& value) {
  Cells row = Row(serial);
  row[column] = value;
  return row;
}

TEST_P(MemberImportsTest, TakesTheOfficialForm) {
  const std::string name = Upload(Xlsx(Form({FormRow(1, "张三"), {}, FormRow(2, "李四")})), "E01");
  const v1::MemberImport checked = Run(name, v1::MEMBER_IMPORT_MODE_VALIDATE_ONLY);
  EXPECT_EQ(checked.state(), v1::MEMBER_IMPORT_STATE_CHECKED);
  EXPECT_EQ(checked.rows(), 2) << checked.ShortDebugString();
  EXPECT_EQ(checked.rejected(), 0);
  EXPECT_EQ(checked.created(), 0);
  EXPECT_THAT(checked.ignored_columns(), ElementsAre("序号", "民族"));
  EXPECT_EQ(Members(), 0);
  const v1::MemberImport imported = Run(name, v1::MEMBER_IMPORT_MODE_ALL_OR_NOTHING);
  EXPECT_EQ(imported.state(), v1::MEMBER_IMPORT_STATE_IMPORTED);
  EXPECT_EQ(imported.created(), 2);
  EXPECT_EQ(Members(), 2);
  EXPECT_EQ(Facts()["members_total E01 male"]["2020-03-01"] +
                Facts()["members_total E01 female"]["2020-03-01"],
            2);
  const v1::MemberImport again =
      Run(Upload(Csv(Form({FormRow(1, "张三")})), "E01"), v1::MEMBER_IMPORT_MODE_PARTIAL);
  EXPECT_EQ(again.existing(), 1);
  EXPECT_EQ(again.created(), 0);
}

TEST_P(MemberImportsTest, TakesCsvOfAnyEncodingAndOrganisationsByName) {
  Cells by_name = RowWith(1, 9, "E02工会");
  const std::string utf8 = Csv({kHeadings, by_name, Row(2)});
  EXPECT_EQ(Run(Upload("\xEF\xBB\xBF" + utf8), v1::MEMBER_IMPORT_MODE_PARTIAL).created(), 2);
  // GB18030: the heading 姓名,证件号码,入会日期 and the name 王五.
  const std::string gb = absl::StrCat(
      "\xD0\xD5\xC3\xFB,\xD6\xA4\xBC\xFE\xBA\xC5\xC2\xEB,\xC8\xEB\xBB\xE1\xC8\xD5\xC6\xDA\n",
      "\xCD\xF5\xCE\xE5,", IdNumber(3), ",2020-01-02\n");
  EXPECT_EQ(Run(Upload(gb, "E02"), v1::MEMBER_IMPORT_MODE_PARTIAL).created(), 1);
  v1::ListMembersRequest request;
  request.set_parent("federations/demo");
  request.set_organization("E02");
  const auto listed =
      MembershipTest::Members<v1::ListMembersResponse>(*admin_, "ListMembers", request);
  ASSERT_THAT(listed, IsOk());
  std::set<std::string> names;
  for (const v1::Member& member : listed->members()) names.insert(member.full_name());
  EXPECT_THAT(names, ElementsAre("李四", "王五"));
}

// One fault of every kind, each in a row of its own: row, column, reason.
struct Planted {
  Cells cells;
  std::string column;
  std::string reason;
};

std::vector<Planted> PlantedFaults() {
  std::vector<Planted> planted = {
      {RowWith(100, 0, ""), "A", "FIELD_REQUIRED"},
      {RowWith(101, 0, std::string(65, 'x')), "A", "FIELD_TOO_LONG"},
      {RowWith(102, 1, "学生证"), "B", "CODE_UNKNOWN"},
      {RowWith(103, 2, ""), "C", "FIELD_REQUIRED"},
      {RowWith(104, 2, "3.20402E+17"), "C", "ID_NUMBER_INVALID"},
      {RowWith(105, 2, "320402198001011000"), "C", "ID_NUMBER_INVALID"},
      {RowWith(106, 2, IdNumber(106).substr(0, 17)), "C", "ID_NUMBER_INVALID"},
      {RowWith(107, 2, "11010519491331002X"), "C", "ID_NUMBER_INVALID"},
      {RowWith(108, 2, "12345"), "C", "ID_NUMBER_INVALID"},
      {RowWith(109, 3, "雄"), "D", "CODE_UNKNOWN"},
      {RowWith(111, 3, "女"), "D", "FIELD_INVALID"},
      {RowWith(112, 4, "1979-01-01"), "E", "FIELD_INVALID"},
      {RowWith(113, 4, "八零年"), "E", "FIELD_INVALID"},
      {RowWith(114, 5, "无电话"), "F", "FIELD_INVALID"},
      {RowWith(115, 6, "在岗啦"), "G", "CODE_UNKNOWN"},
      {RowWith(116, 7, ""), "H", "FIELD_REQUIRED"},
      {RowWith(117, 7, "2019-13-01"), "H", "FIELD_INVALID"},
      {RowWith(118, 7, "1970-01-01"), "H", "FIELD_INVALID"},
      {RowWith(119, 8, "2018-01-01"), "I", "FIELD_INVALID"},
      {RowWith(120, 9, "E99"), "J", "REFERENCE_NOT_FOUND"},
      {RowWith(121, 10, "大概"), "K", "FIELD_INVALID"},
      {RowWith(122, 11, std::string(65, 'x')), "L", "FIELD_TOO_LONG"},
      {RowWith(9, 0, "李四"), "C", "DUPLICATE_IN_REQUEST"},
      {RowWith(801, 0, "李四"), "C", "MEMBER_ELSEWHERE"},
      {RowWith(802, 0, "另名"), "C", "ALREADY_EXISTS"},
  };
  Cells wide = Row(123);
  wide.push_back("多");
  planted.push_back({wide, "", "FIELD_INVALID"});
  Cells passport = RowWith(124, 1, "护照");
  passport[2] = "?";
  planted.push_back({passport, "C", "ID_NUMBER_INVALID"});
  return planted;
}

TEST_P(MemberImportsTest, FindsEveryFaultInOnePass) {
  ASSERT_THAT(Create(*admin_, Member("E02", 801)), IsOk());
  ASSERT_THAT(Create(*admin_, Member("E01", 802)), IsOk());
  const std::vector<Planted> planted = PlantedFaults();
  std::vector<Cells> rows = {kHeadings};
  for (int serial = 1; serial <= 20; ++serial) rows.push_back(Row(serial));
  for (const Planted& fault : planted) rows.push_back(fault.cells);
  Cells many = Row(130);
  many[3] = "雄";
  many[6] = "不详";
  many[7] = "昨天";
  rows.push_back(many);
  const std::string name = Upload(Csv(rows));
  for (const v1::MemberImportMode mode :
       {v1::MEMBER_IMPORT_MODE_VALIDATE_ONLY, v1::MEMBER_IMPORT_MODE_ALL_OR_NOTHING,
        v1::MEMBER_IMPORT_MODE_PARTIAL}) {
    const v1::MemberImport result = Run(name, mode);
    const bool partial = mode == v1::MEMBER_IMPORT_MODE_PARTIAL;
    EXPECT_EQ(result.created(), partial ? 20 : 0);
    EXPECT_EQ(result.rejected(), static_cast<int64_t>(planted.size()) + 1);
    EXPECT_EQ(Members(), partial ? 22 : 2);
    std::map<int64_t, std::vector<std::string>> found;
    for (const v1::MemberImportFault& fault : Faults(name)) {
      found[fault.row()].push_back(absl::StrCat(fault.column(), " ", fault.reason()));
      // Nothing personal: no number, name or phone of any row.
      const std::string text = fault.ShortDebugString();
      EXPECT_THAT(text, Not(HasSubstr("3204021980"))) << text;
      EXPECT_THAT(text, Not(HasSubstr("13900005678")));
      EXPECT_THAT(fault.message(), Not(IsEmpty()));
      EXPECT_THAT(fault.message_zh(), Not(IsEmpty()));
      EXPECT_THAT(text, Not(HasSubstr("学生证")));
    }
    for (size_t i = 0; i < planted.size(); ++i) {
      EXPECT_THAT(found[static_cast<int64_t>(22 + i)],
                  ElementsAre(absl::StrCat(planted[i].column, " ", planted[i].reason)))
          << i;
    }
    EXPECT_THAT(found[static_cast<int64_t>(rows.size())],
                ElementsAre("D CODE_UNKNOWN", "G CODE_UNKNOWN", "H FIELD_INVALID"));
  }
}

TEST_P(MemberImportsTest, CorrectedRejectsImportClean) {
  for (const bool workbook : {false, true}) {
    const int first = workbook ? 300 : 200;
    Cells wrong_sex = FormRow(first, "=1+1");
    wrong_sex[2] = "雄";
    Cells no_name = FormRow(first + 1, "");
    const std::vector<Cells> rows = Form({FormRow(first + 2, "赵六"), wrong_sex, no_name});
    const std::string name = Upload(workbook ? Xlsx(rows) : Csv(rows), "E02");
    EXPECT_EQ(Run(name, v1::MEMBER_IMPORT_MODE_PARTIAL).created(), 1);
    const std::string bytes = Rejects(name);
    auto tables = sheet::ReadTables(bytes.starts_with("\xEF\xBB\xBF") ? bytes.substr(3) : bytes);
    ASSERT_THAT(tables, IsOk());
    std::vector<Cells> rejects = (*tables)[0].rows;
    ASSERT_THAT(rejects, SizeIs(6)) << workbook;  // Four rows of headings.
    EXPECT_THAT(rejects[3], Contains("错误原因"));
    EXPECT_THAT(rejects[4].back(), HasSubstr("性别"));
    EXPECT_THAT(rejects[5].back(), HasSubstr("必填"));
    rejects[4][2] = "";
    rejects[5][1] = "孙七";
    const std::string corrected = Upload(workbook ? Xlsx(rejects) : Csv(rejects), "E02");
    const v1::MemberImport result = Run(corrected, v1::MEMBER_IMPORT_MODE_ALL_OR_NOTHING);
    EXPECT_EQ(result.created(), 2) << result.ShortDebugString();
    EXPECT_EQ(result.faults(), 0);
  }
}

TEST_P(MemberImportsTest, UndoLeavesWhatWasTouchedSince) {
  const auto before = Facts();
  std::vector<Cells> rows = {kHeadings};
  for (int serial = 1; serial <= 1500; ++serial) rows.push_back(Row(serial));
  const std::string name = Upload(Csv(rows));
  EXPECT_EQ(Run(name, v1::MEMBER_IMPORT_MODE_PARTIAL).created(), 1500);
  v1::ListMembersRequest list;
  list.set_parent("federations/demo");
  list.set_id_number(IdNumber(7));
  const auto touched =
      MembershipTest::Members<v1::ListMembersResponse>(*admin_, "ListMembers", list);
  ASSERT_THAT(touched, IsOk());
  ASSERT_EQ(touched->members_size(), 1);
  v1::UpdateMemberRequest update;
  update.mutable_member()->set_name(touched->members(0).name());
  update.mutable_member()->set_job("钳工");
  update.set_update_mask("job");
  ASSERT_THAT(MembershipTest::Members<v1::Member>(*admin_, "UpdateMember", update), IsOk());
  list.set_id_number(IdNumber(8));
  const auto gone = MembershipTest::Members<v1::ListMembersResponse>(*admin_, "ListMembers", list);
  ASSERT_EQ(gone->members_size(), 1);
  v1::GetMemberRequest get;
  get.set_name(gone->members(0).name());
  ASSERT_THAT(MembershipTest::Members<v1::Member>(*admin_, "GetMember", get), IsOk());

  const v1::MemberImport undone = Undo(name);
  EXPECT_EQ(undone.state(), v1::MEMBER_IMPORT_STATE_UNDONE);
  EXPECT_EQ(undone.undone(), 1499);
  EXPECT_EQ(undone.kept(), 1);
  EXPECT_EQ(Members(), 1);
  const auto kept = Faults(name, true);
  ASSERT_THAT(kept, SizeIs(1));
  EXPECT_EQ(kept[0].row(), 8);
  EXPECT_EQ(kept[0].member(), touched->members(0).name());
  // No cache remembers it.
  EXPECT_THAT(MembershipTest::Members<v1::Member>(*admin_, "GetMember", get),
              HasReason(common::v1::REASON_NOT_FOUND));
  int64_t total = 0;
  for (const auto& [key, days] : Facts()) {
    if (!key.starts_with("members_total")) continue;
    for (const auto& [day, sum] : days) total += sum;
  }
  EXPECT_EQ(total, 1);
  // What was taken back can come again.
  const v1::MemberImport again = Run(name, v1::MEMBER_IMPORT_MODE_PARTIAL);
  EXPECT_EQ(again.created() - undone.created(), 1499);
}

TEST_P(MemberImportsTest, UploadsOnceHoweverOftenSent) {
  const auto begun = Begin(*clerk_, "T01");
  ASSERT_THAT(begun, IsOk());
  const std::string text = Csv({kHeadings, Row(1)});
  const std::string first = text.substr(0, 40), rest = text.substr(40);
  const std::string& name = begun->name();
  EXPECT_THAT(Start(name, v1::MEMBER_IMPORT_MODE_PARTIAL),
              HasReason(common::v1::REASON_STATE_FORBIDS));
  ASSERT_THAT(Append(*clerk_, name, 0, first), IsOk());
  ASSERT_THAT(Append(*clerk_, name, 0, first), IsOk());
  EXPECT_THAT(Append(*clerk_, name, 0, rest), HasReason(common::v1::REASON_FIELD_INVALID));
  EXPECT_THAT(Append(*clerk_, name, 41, rest), HasReason(common::v1::REASON_FIELD_INVALID));
  const auto sent = Append(*clerk_, name, 40, rest);
  ASSERT_THAT(sent, IsOk());
  EXPECT_EQ(sent->size_bytes(), static_cast<int64_t>(text.size()));
  const auto job = Start(name, v1::MEMBER_IMPORT_MODE_PARTIAL, "once");
  const auto same = Start(name, v1::MEMBER_IMPORT_MODE_PARTIAL, "once");
  ASSERT_THAT(same, IsOk());
  EXPECT_EQ(job->name(), same->name());
  EXPECT_EQ(ResultOf(Await(job)).created(), 1);
  EXPECT_THAT(Append(*clerk_, name, static_cast<int64_t>(text.size()), "x"),
              HasReason(common::v1::REASON_STATE_FORBIDS));
}

TEST_P(MemberImportsTest, StaysWithinScopeAndFederation) {
  EXPECT_THAT(Begin(*clerk_, "T02"), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Begin(*stranger_, "T01"), HasReason(common::v1::REASON_WRONG_FEDERATION));
  const std::string name = Upload(Csv({kHeadings, Row(1), RowWith(2, 9, "E02")}), "D01");
  v1::GetMemberImportRequest get;
  get.set_name(name);
  EXPECT_THAT(Call<v1::MemberImport>(*clerk_, "GetMemberImport", get),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Call<v1::MemberImport>(*stranger_, "GetMemberImport", get),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  EXPECT_THAT(Append(*clerk_, name, 0, "x"), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  // Rows of an import at T01 lie at T01 or below.
  const std::string street = Upload(Csv({kHeadings, Row(1), RowWith(2, 9, "E02")}), "T01");
  EXPECT_EQ(Run(street, v1::MEMBER_IMPORT_MODE_PARTIAL).created(), 1);
  const auto faults = Faults(street);
  ASSERT_THAT(faults, SizeIs(1));
  EXPECT_EQ(faults[0].row(), 3);
  EXPECT_EQ(faults[0].reason(), "REFERENCE_NOT_FOUND");
  v1::ListMemberImportsRequest list;
  list.set_parent("federations/demo");
  list.set_organization("T01");
  const auto listed = Call<v1::ListMemberImportsResponse>(*clerk_, "ListMemberImports", list);
  ASSERT_THAT(listed, IsOk());
  ASSERT_EQ(listed->member_imports_size(), 1);
  EXPECT_EQ(listed->member_imports(0).name(), street);
}

TEST_P(MemberImportsTest, RefusesWhatIsNoFileOfMembers) {
  const auto failed = [&](const std::string& bytes) {
    const std::string name = Upload(bytes);
    const common::v1::Job job = Await(Start(name, v1::MEMBER_IMPORT_MODE_PARTIAL));
    const v1::MemberImport import = Get(name);
    EXPECT_EQ(import.state(), v1::MEMBER_IMPORT_STATE_FAILED);
    EXPECT_EQ(import.job(), job.name());
    EXPECT_EQ(import.failure().message_zh(), job.failure().message_zh());
    return job.failure().reason();
  };
  EXPECT_EQ(failed("a,b\n1,2\n"), common::v1::REASON_FIELD_UNKNOWN);
  EXPECT_EQ(failed("姓名,入会日期\n张三,2020-01-01\n"), common::v1::REASON_FIELD_UNKNOWN);
  EXPECT_EQ(failed("姓名,证件号码,入会日期,星座\n"), common::v1::REASON_FIELD_UNKNOWN);
  EXPECT_EQ(failed("PK\x03\x04 no archive"), common::v1::REASON_FILE_UNREADABLE);
  EXPECT_EQ(failed(std::string("\0\1\2", 3)), common::v1::REASON_FILE_UNREADABLE);
}

// What was written before a file broke off is told, and can be taken back.
TEST_P(MemberImportsTest, TellsHowFarAFailedFileCame) {
  std::string text = "姓名,证件号码,入会日期,所属工会\n";
  for (int n = 1; n <= 2500; ++n) {
    absl::StrAppend(&text, "张三,", IdNumber(n), ",2020-01-01,E01\n");
  }
  text += "\"" + std::string(3 << 19, 'x');  // A quotation that does not end.
  const std::string name = Upload(text);
  Await(Start(name, v1::MEMBER_IMPORT_MODE_PARTIAL));
  const v1::MemberImport failed = Get(name);
  EXPECT_EQ(failed.state(), v1::MEMBER_IMPORT_STATE_FAILED);
  EXPECT_EQ(failed.failure().reason(), common::v1::REASON_FIELD_INVALID);
  EXPECT_GT(failed.created(), 0);
  EXPECT_EQ(failed.created() % 1000, 0);
  EXPECT_EQ(failed.rows(), failed.created());
  const v1::MemberImport undone = Undo(name);
  EXPECT_EQ(undone.state(), v1::MEMBER_IMPORT_STATE_UNDONE);
  EXPECT_EQ(undone.undone(), failed.created());
  EXPECT_EQ(Members(), 0);
}

// Database files hold neither numbers nor names of an uploaded file in clear.
TEST_P(MemberImportsTest, KeepsTheFileSealed) {
  if (GetParam() != "sqlite") GTEST_SKIP() << "files are looked at on SQLite";
  Cells odd = RowWith(1, 0, "欧阳独特名");
  odd[3] = "雄";
  const std::string name = Upload(Csv({kHeadings, odd}));
  EXPECT_EQ(Run(name, v1::MEMBER_IMPORT_MODE_PARTIAL).rejected(), 1);
  EXPECT_THAT(Rejects(name), HasSubstr("欧阳独特名"));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(in), {});
    EXPECT_EQ(bytes.find("欧阳独特名"), std::string::npos) << entry.path();
    EXPECT_EQ(bytes.find(IdNumber(1)), std::string::npos) << entry.path();
    EXPECT_EQ(bytes.find("13900005678"), std::string::npos) << entry.path();
  }
}

}  // namespace
}  // namespace gonghui::membership
