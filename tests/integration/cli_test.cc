// The gonghui binary against a running suite: files in, figures out, exit codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "nlohmann/json.hpp"
#include "tests/integration/cli_suite.h"

namespace gonghui {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(CliTest, ImportsTheTreeInAnyOrderAndShowsIt) {
  ImportOrganizations();
  const Result tree = Gonghui("tree --lang zh");
  EXPECT_EQ(tree.code, 0) << tree.err;
  EXPECT_LT(tree.out.find("D01"), tree.out.find("  T1"));
  EXPECT_LT(tree.out.find("  T1"), tree.out.find("    E1"));
  EXPECT_LT(tree.out.find("    E1"), tree.out.find("  T2"));
  EXPECT_THAT(Gonghui("tree --depth 1").out, Not(HasSubstr("E1")));
  EXPECT_THAT(Gonghui("tree --at 2005-01-01").out, AllOf(HasSubstr("T1"), Not(HasSubstr("E1"))));
}

TEST_F(CliTest, ReorganizesWithPlansAndBack) {
  ImportOrganizations();
  Write(folder_ / "members.csv",
        absl::StrCat("所属工会编码,姓名,证件号码,岗位,入会日期\n", "E1,张三,", IdNumber(1),
                     ",焊工,2018-03-01\n", "E1,李四,", IdNumber(2), ",钳工,2018-03-01\n"));
  ASSERT_EQ(Gonghui("import member members.csv").code, 0);
  ASSERT_EQ(Gonghui("wait").code, 0);
  Write(folder_ / "plan.yaml",
        "title: 甲厂拆分\n"
        "steps:\n"
        "  - found: {organization: {id: E2, parent: T1, display_name: 二厂工会, kind: enterprise, "
        "founded_on: 2020-07-01}}\n"
        "  - found: {organization: {id: E3, parent: T1, display_name: 三厂工会, kind: enterprise, "
        "founded_on: 2020-07-01}}\n");
  const Result planned = Gonghui("reorganize plan plan.yaml --json");
  ASSERT_EQ(planned.code, 0) << planned.err;
  const std::string at = "reorganizations/";
  const size_t begins = planned.out.find(at) + at.size();
  const std::string id = planned.out.substr(begins, planned.out.find('"', begins) - begins);
  EXPECT_THAT(Gonghui("tree").out, Not(HasSubstr("E2")));
  ASSERT_EQ(Gonghui("reorganize apply " + id).code, 0);
  EXPECT_THAT(Gonghui("tree").out, HasSubstr("E2"));

  Write(folder_ / "who.csv", absl::StrCat("证件号码,去向\n", IdNumber(2), ",E3\n"));
  const std::string split = "reorganize split E1 --into E2,E3 --on 2020-07-01 ";
  const Result lacking = Gonghui(split + "--members who.csv --lang zh");
  EXPECT_EQ(lacking.code, 4);
  EXPECT_THAT(lacking.err, HasSubstr("未指定去向"));
  EXPECT_EQ(Gonghui(split + "--rule nonsense").code, 2);
  const Result done = Gonghui(split + "--members who.csv --rule 'job=焊工|电工:E2'");
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("members transferred 2"));
  EXPECT_THAT(Gonghui("member list --org E3").out, HasSubstr("李"));
  const Result listed = Gonghui("reorganize list --org E1");
  EXPECT_THAT(listed.out, AllOf(HasSubstr("split E1 -> E2 E3"), HasSubstr("applied")));
  const Result merged = Gonghui("reorganize merge --from E2 --into E3 --on 2020-08-01");
  ASSERT_EQ(merged.code, 0) << merged.err;
  const std::string merger = merged.out.substr(0, merged.out.find(' '));
  ASSERT_EQ(Gonghui("reorganize revert " + merger).code, 0);
  EXPECT_THAT(Gonghui("reorganize show " + merger).out, HasSubstr("reverted"));
  EXPECT_EQ(Gonghui("reorganize move E2 --to T2 --on 2020-09-01").code, 0);
  EXPECT_EQ(Gonghui("reorganize correct E2 --on 2020-07-01 --name 二分厂工会").code, 0);
  EXPECT_EQ(Gonghui("reorganize close E2 --on 2020-10-01").code, 4);  // It has a member.
  EXPECT_EQ(Gonghui("reorganize reopen E1 --on 2021-01-01").code, 0);
}

TEST_F(CliTest, ReadsGb18030) {
  Write(folder_ / "utf8.csv", kOrganizations);
  ASSERT_EQ(std::system(absl::StrCat("cd '", folder_.string(),
                                     "' && iconv -f UTF-8 -t GB18030 utf8.csv > gb.csv")
                            .c_str()),
            0);
  EXPECT_EQ(Gonghui("import 工会组织 gb.csv").code, 0);
  EXPECT_THAT(Gonghui("tree").out, HasSubstr("城东街道总工会"));
}

TEST_F(CliTest, RejectsBadRowsTakesThemAfterCorrectionAndNeverDoubles) {
  ImportOrganizations();
  std::string text = MemberFile(0, 30);
  absl::StrAppend(&text, "E9,李四,", IdNumber(100), ",2018-03-01,\n");  // No such organisation.
  absl::StrAppend(&text, "E1,王五,320402198001010000,2018-03-01,\n");   // Damaged.
  absl::StrAppend(&text, "E1,赵六,", IdNumber(101), ",2018-13-01,\n合计,32,,,\n");
  Write(folder_ / "members.csv", text);

  const Result dry = Gonghui("import member members.csv --dry-run");
  EXPECT_EQ(dry.code, 1) << dry.err;
  EXPECT_EQ(CountMembers(), 0);
  EXPECT_FALSE(fs::exists(folder_ / "members.rejects.csv"));

  const Result run = Gonghui("import member members.csv --receipt receipt.json --lang zh");
  EXPECT_EQ(run.code, 1) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("32"), HasSubstr("证件号码"), HasSubstr("入会日期")));
  const auto receipt = nlohmann::json::parse(Read(folder_ / "receipt.json"));
  EXPECT_EQ(receipt["rows"], 33);
  EXPECT_EQ(receipt["created"], 30);
  EXPECT_EQ(receipt["failed"], 3);
  EXPECT_EQ(receipt["skipped"], 1);
  EXPECT_EQ(CountMembers(), 30);

  EXPECT_EQ(Gonghui("import member members.csv --batch 7").code, 1);  // As an earlier run, and not.
  EXPECT_EQ(CountMembers(), 30);

  std::string rejects = Read(folder_ / "members.rejects.csv");
  EXPECT_THAT(rejects, StartsWith("\xEF\xBB\xBF"));
  EXPECT_THAT(rejects, AllOf(HasSubstr("李四"), HasSubstr("王五"), HasSubstr("赵六")));
  const auto replace = [&rejects](const std::string& from, const std::string& to) {
    rejects.replace(rejects.find(from), from.size(), to);
  };
  replace("E9", "E1");
  replace("320402198001010000", IdNumber(102));
  replace("2018-13-01", "2018-12-01");
  Write(folder_ / "corrected.csv", rejects);
  const Result corrected = Gonghui("import member corrected.csv");
  EXPECT_EQ(corrected.code, 0) << corrected.out << corrected.err;
  EXPECT_EQ(CountMembers(), 33);
}

TEST_F(CliTest, SentAgainAfterItsParentsCameAFilePasses) {
  ImportOrganizations();
  Write(folder_ / "party.csv",
        "dispute,organization,on_date,role,full_name\nZY-1,T1,2020-03-02,worker,张三\n");
  Write(folder_ / "case.csv",
        "number,organization,on_date,amount,closed_on\n"
        "ZY-1,T1,2020-03-02,\"32,000.50\",2020-04-01\nZY-2,T2,2020-03-05,,\n");
  const Result early = Gonghui("import dispute_party party.csv");
  EXPECT_EQ(early.code, 1);
  EXPECT_THAT(early.out, AllOf(HasSubstr("REFERENCE_NOT_FOUND"), HasSubstr("dispute_case")));
  EXPECT_EQ(Gonghui("import dispute_case case.csv").code, 0);
  const Result late = Gonghui("import dispute_party party.csv");
  EXPECT_EQ(late.code, 0) << late.out << late.err;

  const Result list = Gonghui("records list --kind dispute_case --org D01 --json");
  ASSERT_EQ(list.code, 0) << list.err;
  const auto records = nlohmann::json::parse(list.out)["records"];
  ASSERT_EQ(records.size(), 2);
  EXPECT_THAT(Gonghui("records list --kind dispute_case --state closed").out,
              AllOf(HasSubstr("ZY-1"), Not(HasSubstr("ZY-2"))));
  const std::string name = records[1]["name"];
  EXPECT_THAT(Gonghui("records get " + name).out, AllOf(HasSubstr("closed"), HasSubstr("ZY-1")));
}

TEST_F(CliTest, ARegisterRunsByItsRulesAndShowsOnItsBoard) {
  ImportOrganizations();
  Write(folder_ / "election.csv",
        "编号,所属工会,计划或启动日期,完成时限\nHJ-1,T1,2020-01-10,2020-05-31\n");
  ASSERT_EQ(Gonghui("import election election.csv").code, 0);
  EXPECT_THAT(Gonghui("rules --kind election").out,
              AllOf(HasSubstr("approve → approved"), HasSubstr("limit.reply_days"),
                    HasSubstr("总工发〔2016〕27号")));
  const Result list = Gonghui("records list --kind election --due-to 2020-05-31 --json");
  const auto records = nlohmann::json::parse(list.out)["records"];
  ASSERT_EQ(records.size(), 1);
  const std::string name = records[0]["name"];
  EXPECT_THAT(Gonghui("board --kind election --at 2020-06-01").out, HasSubstr("planned"));
  const std::string step = "records step " + name + " ";
  EXPECT_EQ(Gonghui(step + "complete --on 2020-04-01").code, 4);  // Without a vote.
  ASSERT_EQ(Gonghui(step + "approve --on 2020-04-01").code, 0);
  const std::string vote = step +
                           "vote --on 2020-05-10 --set eligible=90 --set ballots_issued=59 --set "
                           "ballots_returned=59 --set attended=";
  const Result early = Gonghui(vote + "59");
  EXPECT_EQ(early.code, 2) << early.out << early.err;
  EXPECT_THAT(early.err, HasSubstr("[attended × 3 >= 180]"));
  ASSERT_EQ(Gonghui(vote + "60").code, 0);
  const Result done = Gonghui(step + "complete --on 2020-05-20");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("completed"));
}

TEST_F(CliTest, FiguresFollowTheRecords) {
  ImportOrganizations();
  Write(folder_ / "02-member.csv", MemberFile(0, 25));
  Write(folder_ / "03-dispute_case.csv",
        "编号,所属工会,受理日期,涉及金额（元）,结案日期\nZY-1,T1,2020年3月2日,32000.50,2020/4/1\n"
        "ZY-2,T2,2020.3.5,,\n");
  fs::create_directories(folder_ / "district");
  for (const char* name : {"02-member.csv", "03-dispute_case.csv"}) {
    fs::rename(folder_ / name, folder_ / "district" / name);
  }
  const Result import = Gonghui("import-dir district --receipt receipts");
  ASSERT_EQ(import.code, 0) << import.out << import.err;
  EXPECT_TRUE(fs::exists(folder_ / "receipts" / "02-member.json"));
  ASSERT_EQ(Gonghui("wait --timeout 30").code, 0);

  const Result figures = Gonghui("figures --org D01 --period 2020H1 --csv");
  ASSERT_EQ(figures.code, 0) << figures.err;
  EXPECT_EQ(figures.err, "");
  const std::vector<std::string> lines = absl::StrSplit(figures.out, '\n', absl::SkipEmpty());
  EXPECT_EQ(lines[0], "measure,dimensions,period,organization,value,unit,records");
  EXPECT_THAT(lines, ::testing::Contains("members_total,,2020H1,D01,25,person,25"));
  EXPECT_THAT(lines, ::testing::Contains("disputes_accepted,,2020H1,D01,2,case,2"));
  EXPECT_THAT(lines, ::testing::Contains("disputes_closed,,2020H1,D01,1,case,1"));
  EXPECT_THAT(Gonghui("figures --org T2 --period 2020-03 -m disputes_accepted --csv").out,
              HasSubstr("disputes_accepted,,2020-03,T2,1,case,1"));

  const Result explain =
      Gonghui("explain --org D01 --period 2020H1 --measure disputes_accepted --all");
  EXPECT_EQ(explain.code, 0) << explain.err;
  EXPECT_THAT(explain.out, AllOf(HasSubstr("T1"), HasSubstr("T2"), HasSubstr("2020-03-05")));
  const Result verify = Gonghui("verify rollups");
  EXPECT_EQ(verify.code, 0) << verify.err;
  EXPECT_THAT(verify.out, HasSubstr("0 divergent"));
  ASSERT_EQ(Gonghui("summary --org D01 --period 2020H1 --out report").code, 0);
  EXPECT_THAT(Read(folder_ / "report" / "figures.csv"),
              StartsWith("measure,dimensions,period,organization,value,unit,records"));
  EXPECT_NE(Read(folder_ / "report" / "summary.md"), "");
  EXPECT_EQ(Gonghui("summary check report/summary.md").code, 0);
  const std::string summary = Read(folder_ / "report" / "summary.md");
  Write(folder_ / "edited.md", "另有志愿者300人。\n\n" + summary);
  const Result edited = Gonghui("summary check edited.md");
  EXPECT_EQ(edited.code, 1) << edited.err;
  EXPECT_THAT(edited.out, HasSubstr("300"));
  ASSERT_EQ(Gonghui("summary --org D01 --period 2020H1 --out report --format docx,xlsx").code, 0);
  EXPECT_EQ(Gonghui("summary check report/summary.docx").code, 0);
  EXPECT_EQ(Gonghui("summary check report/annex.xlsx").code, 2);
  const Result closed = Gonghui("edition close --org D01 --period 2020H1");
  ASSERT_EQ(closed.code, 0) << closed.err;
  const Result frozen = Gonghui("summary --org D01 --edition 2020H1.1 --out frozen");
  ASSERT_EQ(frozen.code, 0) << frozen.err;
  EXPECT_THAT(Read(folder_ / "frozen" / "summary.md"),
              HasSubstr("organizations/D01/editions/2020H1.1/figures/D01/members_total = 25"));
  EXPECT_EQ(Gonghui("summary check frozen/summary.md").code, 0);
  EXPECT_EQ(Gonghui("summary --org D01 --edition 2020H1.7 --out frozen").code, 4);
  EXPECT_EQ(Gonghui("summary --period 2020H1 --out report").code, 2);
  EXPECT_EQ(Gonghui("figures --org D01 --period 2020H9").code, 2);
  EXPECT_THAT(Gonghui("measures").out, HasSubstr("disputes_accepted"));
}

TEST_F(CliTest, PostsVouchersOnce) {
  ImportOrganizations();
  Write(folder_ / "book.csv", "所属工会,会计科目表,启用日期\nE1,基层,2020-01-01\n");
  Write(folder_ / "voucher.csv",
        "账套编号,凭证编号,凭证日期,摘要,科目代码,借方金额,贷方金额\n"
        "E1,1,2020-05-13,拨缴,102,1200.50,\nE1,1,,,40401,,1200.50\n"
        "E1,2,2020-05-14,支出,102,3,\nE1,2,,,40401,,4\n");
  EXPECT_EQ(Gonghui("import book book.csv").code, 0);
  EXPECT_EQ(Gonghui("import book book.csv").code, 0);
  for (int round = 0; round < 2; ++round) {
    const Result run = Gonghui("import voucher voucher.csv");
    EXPECT_EQ(run.code, 1) << run.err;
    EXPECT_THAT(run.out, HasSubstr("VOUCHER_UNBALANCED"));
    const Result balances = Gonghui("balances --book E1");
    EXPECT_EQ(balances.code, 0) << balances.err;
    EXPECT_THAT(balances.out, AllOf(HasSubstr("1200.50"), Not(HasSubstr("2401.00"))));
  }
  const std::string rejects = Read(folder_ / "voucher.rejects.csv");
  EXPECT_EQ(std::count(rejects.begin(), rejects.end(), '\n'), 3);  // Both rows of voucher 2.
}

TEST_F(CliTest, EveryKindHasATemplateThatTheServerTakes) {
  ImportOrganizations();
  const Result list = Gonghui("import --list");
  ASSERT_EQ(list.code, 0) << list.err;
  std::vector<std::string> kinds;
  for (const std::string& line :
       std::vector<std::string>(absl::StrSplit(list.out, '\n', absl::SkipEmpty()))) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (isdigit(words[0][0]) != 0) kinds.push_back(words[1]);
  }
  EXPECT_GT(kinds.size(), 20);
  for (const std::string& kind : kinds) {
    for (const char* headings : {"", " --english"}) {
      ASSERT_EQ(Gonghui("import --template " + kind + " --out template.csv" + headings).code, 0);
      const Result run = Gonghui("import " + kind + " template.csv --dry-run --json");
      EXPECT_LE(run.code, 1) << kind << run.out << run.err;
      if (run.code != 1) continue;
      // Samples may name records and organisations that are not there, nothing else.
      for (const auto& error : nlohmann::json::parse(run.out)["errors"]) {
        EXPECT_THAT(error["reason"].get<std::string>(),
                    ::testing::AnyOf("REFERENCE_NOT_FOUND", "NOT_FOUND", "BOOK_MISSING",
                                     "VOUCHER_UNBALANCED"))
            << kind << " " << error.dump();
      }
    }
  }
}

TEST_F(CliTest, SurvivesARestartOfTheServer) {
  ImportOrganizations();
  constexpr int kMembers = 4000;
  Write(folder_ / "members.csv", MemberFile(0, kMembers));
  Result run;
  std::atomic<bool> done{false};
  std::thread import([&] {
    run = Gonghui("import member members.csv --batch 20");
    done = true;
  });
  absl::SleepFor(absl::Milliseconds(300));
  EXPECT_FALSE(done);
  const std::string listen = absl::StrCat("127.0.0.1:", port_);
  suite_.reset();
  absl::SleepFor(absl::Milliseconds(500));
  StartSuite(listen);
  import.join();
  EXPECT_EQ(run.code, 0) << run.out << run.err;
  EXPECT_EQ(CountMembers(), kMembers);
}

TEST_F(CliTest, ExitCodesTellWhatWentWrong) {
  Write(folder_ / "bad", "no.such.token");
  EXPECT_EQ(Gonghui("measures --token-file bad").code, 3);
  EXPECT_EQ(Gonghui("measures --token-file missing").code, 2);
  const Result away = Gonghui("measures --server 127.0.0.1:1");
  EXPECT_EQ(away.code, 3);
  EXPECT_THAT(away.err, AllOf(HasSubstr("Cannot reach"), Not(HasSubstr("backends"))));
  EXPECT_THAT(Gonghui("measures --server 127.0.0.1:1", "LANG=zh_CN.UTF-8").err,
              HasSubstr("无法连接"));
  EXPECT_EQ(Gonghui("").code, 2);
  EXPECT_EQ(Gonghui("figures --org D01").code, 2);
  EXPECT_EQ(Gonghui("import unheard_of x.csv").code, 2);
  EXPECT_EQ(Gonghui("import member missing.csv").code, 2);
  EXPECT_EQ(Gonghui("records get federations/demo/organizations/D99").code, 4);
  const Result token = Gonghui("token --role admin");
  EXPECT_EQ(token.code, 2);
  EXPECT_THAT(token.err, HasSubstr("DEV_MODE_REQUIRED"));
  for (const char* command : {"--help", "import --help", "federation create --help", "--version"}) {
    EXPECT_EQ(Gonghui(command).code, 0) << command;
  }
}

TEST_F(CliTest, SettingsComeFromFlagsEnvironmentAndProfile) {
  Write(folder_ / ".gonghui.yaml", "server: 127.0.0.1:1\n");
  EXPECT_EQ(Gonghui("measures").code, 0);  // The environment wins over the profile.
  EXPECT_EQ(Gonghui("measures", "GONGHUI_SERVER=").code, 3);
  EXPECT_EQ(Gonghui("measures --server 127.0.0.1:1").code, 3);
  Write(folder_ / ".gonghui.yaml", "sever: x\n");
  const Result unknown = Gonghui("measures");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("server"));
}

TEST_F(CliTest, ATokenReachesOnlyItsScope) {
  ImportOrganizations();
  ASSERT_EQ(Gonghui("token --dev --role admin --org T2 --below --data data --out narrow").code, 0);
  const auto permissions = fs::status(folder_ / "narrow").permissions();
  EXPECT_EQ(permissions & (fs::perms::group_all | fs::perms::others_all), fs::perms::none);
  EXPECT_EQ(Gonghui("member list --org T2 --token-file narrow").code, 0);
  EXPECT_EQ(Gonghui("member list --org T1 --token-file narrow").code, 3);
}

TEST_F(CliTest, PersonalDataIsShownForAPurposeAndLogged) {
  ImportOrganizations();
  Write(folder_ / "members.csv", MemberFile(1, 1));
  ASSERT_EQ(Gonghui("import member members.csv").code, 0);
  const Result list = Gonghui("member list --org E1 --json");
  const std::string name = nlohmann::json::parse(list.out).at("members")[0].at("name");
  const std::string id = name.substr(name.rfind('/') + 1);
  const Result shown = Gonghui("access reveal " + id + " id_number --purpose 身份核验");
  ASSERT_EQ(shown.code, 0) << shown.err;
  EXPECT_EQ(shown.out, IdNumber(1) + "\n");
  EXPECT_NE(Gonghui("access reveal " + id + " id_number --purpose 好奇").code, 0);
  EXPECT_THAT(Gonghui("access log --member " + id + " --lang zh").out,
              AllOf(HasSubstr("明文"), HasSubstr("verification"), HasSubstr("列表")));
  EXPECT_THAT(Gonghui("access verify --lang zh").out, HasSubstr("未被改动"));
  EXPECT_EQ(Gonghui("access explain membership.members.get --org E1").code, 0);
}

TEST_F(CliTest, MembersMoveAndHoldCards) {
  ImportOrganizations();
  Write(folder_ / "members.csv", MemberFile(1, 2));
  ASSERT_EQ(Gonghui("import member members.csv").code, 0);
  const Result list = Gonghui("member list --org E1 --name zs --json");
  ASSERT_EQ(list.code, 0) << list.err;
  const nlohmann::json members = nlohmann::json::parse(list.out).at("members");
  ASSERT_EQ(members.size(), 2u);
  const std::string name = members[0].at("name");
  const std::string id = name.substr(name.rfind('/') + 1);

  const Result card = Gonghui("card issue " + id + " --on 2020-02-01 --medium 电子 --json");
  ASSERT_EQ(card.code, 0) << card.err;
  const std::string number = nlohmann::json::parse(card.out).at("number");
  EXPECT_EQ(Gonghui("card verify " + number).code, 0);
  EXPECT_EQ(Gonghui("card verify 1234567812345678").code, 1);
  EXPECT_THAT(Gonghui("card count --org D01 --lang zh").out, HasSubstr("有效"));

  const Result out =
      Gonghui("transfer out " + id + " --to T2 --on 2020-05-01 --reason 调动 --json");
  ASSERT_EQ(out.code, 0) << out.err;
  const std::string transfer = nlohmann::json::parse(out.out).at("name");
  EXPECT_THAT(Gonghui("transfer list --org T1 --outgoing --pending --lang zh").out,
              AllOf(HasSubstr("待确认"), HasSubstr("E1 *")));
  EXPECT_THAT(Gonghui("transfer accept " + transfer + " --lang en").out, HasSubstr("accepted"));
  EXPECT_THAT(Gonghui("member show " + id + " --lang en").out,
              AllOf(HasSubstr("T2"), HasSubstr("2020-05-01"), HasSubstr("2018-03-01")));
  EXPECT_THAT(Gonghui("member show " + id + " --as-of 2020-04-30").out, HasSubstr("E1"));
  EXPECT_THAT(Gonghui("member flow --org T1 --period 2020H1 --lang zh").out, HasSubstr("转出"));
  EXPECT_EQ(Gonghui("member leave " + id + " --on 2020-06-01 --reason 退休").code, 0);
  EXPECT_THAT(Gonghui("member events " + id + " --lang zh").out,
              AllOf(HasSubstr("入会"), HasSubstr("转会"), HasSubstr("离会")));
  EXPECT_EQ(Gonghui("card verify " + number).code, 1);
  EXPECT_EQ(Gonghui("member leave " + id + " --on 2020-06-01 --reason 退休").code, 4);
  EXPECT_THAT(Gonghui("member duplicates --number " + IdNumber(1) + " --lang en").out,
              HasSubstr("100"));
}

TEST_F(CliTest, TheServerReadsAndWritesFilesOfMembers) {
  Write(folder_ / "organizations.csv", kOrganizations);
  ASSERT_EQ(Gonghui("import organization organizations.csv").code, 0);
  Write(folder_ / "members.csv", MemberFile(1, 30) + "E1,李四,12345,2018-03-01,\n");
  const Result checked = Gonghui("member-import members.csv --org D01 --check --lang en");
  EXPECT_EQ(checked.code, 1);
  EXPECT_THAT(checked.out, AllOf(HasSubstr("31 rows, 0 created"), HasSubstr("ID_NUMBER_INVALID"),
                                 HasSubstr("99999"), Not(HasSubstr("12345"))));
  const Result imported = Gonghui("member-import members.csv --org D01 --lang zh");
  EXPECT_EQ(imported.code, 1);
  EXPECT_THAT(imported.out, AllOf(HasSubstr("新建 30"), HasSubstr("退回 1 行")));
  EXPECT_THAT(Read(folder_ / "members.csv.rejects.csv"),
              AllOf(HasSubstr("错误原因"), HasSubstr("李四")));
  const Result exported = Gonghui("member-export --org E1 --csv --out out.csv --lang en");
  EXPECT_EQ(exported.code, 0) << exported.err;
  EXPECT_THAT(exported.out, HasSubstr("30 members, SM3 "));
  EXPECT_THAT(Read(folder_ / "out.csv"), HasSubstr("合计 30 人"));
  EXPECT_THAT(Gonghui("member-export --clear").err, HasSubstr("FIELD_REQUIRED"));
  const std::string id = imported.out.substr(std::string("导入 ").size(), 36);
  const Result undone = Gonghui("member-import --undo " + id + " --lang en");
  EXPECT_EQ(undone.code, 0) << undone.err;
  EXPECT_THAT(undone.out, HasSubstr("30 members taken back, 0 kept"));
  EXPECT_EQ(Gonghui("member-import").code, 2);
}

TEST_F(CliTest, CompletionScriptsAreShellScripts) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const Result run = Gonghui(std::string("completion ") + shell);
    EXPECT_EQ(run.code, 0);
    EXPECT_THAT(run.out, AllOf(HasSubstr("import-dir"), HasSubstr("--dimensions")));
  }
  Write(folder_ / "completion.bash", Gonghui("completion bash").out);
  EXPECT_EQ(
      std::system(absl::StrCat("bash -n '", (folder_ / "completion.bash").string(), "'").c_str()),
      0);
}

}  // namespace
}  // namespace gonghui
