// The nouns of the command line: applications, employments, filters, records, jobs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "nlohmann/json.hpp"
#include "tests/integration/cli_suite.h"

namespace gonghui {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(CliTest, PeopleApplyWorkAndAreSelected) {
  ImportOrganizations();
  const Result applied = Gonghui("application submit --org E1 --name 王五 --number " + IdNumber(1) +
                                 " --on 2020-05-01 --tag courier --json");
  ASSERT_EQ(applied.code, 0) << applied.err;
  EXPECT_THAT(applied.out, Not(HasSubstr(IdNumber(1))));
  const std::string application = nlohmann::json::parse(applied.out).at("name");
  EXPECT_THAT(Gonghui("application list --org T1 --waiting --lang zh").out, HasSubstr("待审"));
  EXPECT_EQ(Gonghui("application approve " + application + " --on 2020-04-01").code, 2);
  const Result approved = Gonghui("application approve " + application + " --on 2020-05-10 --json");
  ASSERT_EQ(approved.code, 0) << approved.err;
  const std::string member = nlohmann::json::parse(approved.out).at("member_name");
  EXPECT_EQ(Gonghui("application refuse " + application + " --note 晚了").code, 4);

  const std::string work = "employment add " + member + " --employer 某某物流 --from ";
  const Result first = Gonghui(work + "2018-03-01 --to 2019-12-31 --json");
  ASSERT_EQ(first.code, 0) << first.err;
  const std::string stretch = nlohmann::json::parse(first.out).at("name");
  EXPECT_EQ(Gonghui(work + "2019-06-01").code, 4);  // Two at one employer would overlap.
  EXPECT_EQ(Gonghui("employment change " + member + " " + stretch + " --job 司机").code, 0);
  EXPECT_THAT(Gonghui("employment list " + member).out, HasSubstr("司机"));
  EXPECT_EQ(Gonghui("employment remove " + member + " " + stretch).code, 0);

  const Result saved = Gonghui("filter save --org E1 --title 快递员 --tag courier --json");
  ASSERT_EQ(saved.code, 0) << saved.err;
  const std::string filter = nlohmann::json::parse(saved.out).at("name");
  EXPECT_THAT(Gonghui("filter list --org E1").out, HasSubstr("tag=courier"));
  EXPECT_THAT(Gonghui("member list --org E1 --filter " + filter).out, HasSubstr("王"));
  const std::string change = "member change --org E1 --filter " + filter;
  EXPECT_EQ(Gonghui(change).code, 2);  // Nothing to do is named.
  const std::string tag = change + " --add-tag food_delivery";
  EXPECT_THAT(Gonghui(tag + " --dry-run --lang en").out,
              AllOf(HasSubstr("1 members selected; nothing was changed"), HasSubstr("王")));
  EXPECT_EQ(Gonghui(tag + " --expected 2").code, 4);
  EXPECT_THAT(Gonghui(tag + " --expected 1 --lang en").out, HasSubstr("1 changed"));
  EXPECT_THAT(Gonghui("member list --org E1 --tag food_delivery").out, HasSubstr("王"));
  EXPECT_EQ(Gonghui("filter forget " + filter).code, 0);
  EXPECT_EQ(Gonghui("filter show " + filter).code, 4);
}

TEST_F(CliTest, RecordsAreEnteredAndWarnedOf) {
  ImportOrganizations();
  const Result made = Gonghui(
      "records create --kind committee_term --org E1 --on 2020-01-10 --ends-on 2022-01-09 --set "
      "body=union --lang en");
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.err, HasSubstr("Warning: ends_on"));
  const std::string name = made.out.substr(0, made.out.find(':'));
  EXPECT_THAT(Gonghui("records get " + name + " --lang en").err, HasSubstr("Warning: ends_on"));
  EXPECT_THAT(Gonghui("records change " + name + " --ends-on 2023-01-09 --lang en").err,
              Not(HasSubstr("Warning")));
  EXPECT_EQ(Gonghui("records change " + name + " --set size=2 --set members=30").code, 2);
  EXPECT_EQ(Gonghui("records cancel " + name + " --remark 误录").code, 0);
  Write(folder_ / "terms.csv",
        "所属工会编码,委员会,任期起,ends_on\nE1,union,2020-01-10,2021-01-09\n");
  const Result checked = Gonghui("import committee_term terms.csv --dry-run --lang zh");
  EXPECT_EQ(checked.code, 0) << checked.err;
  EXPECT_THAT(checked.out, AllOf(HasSubstr("已受理，请核对"), HasSubstr("三年或五年")));
}

TEST_F(CliTest, JobsOfEveryServiceAreListed) {
  ImportOrganizations();
  Write(folder_ / "members.csv", MemberFile(1, 3));
  ASSERT_EQ(Gonghui("member-import members.csv --org D01").code, 0);
  ASSERT_EQ(Gonghui("verify rollups").code, 0);
  const Result list = Gonghui("job list --json");
  ASSERT_EQ(list.code, 0) << list.err;
  const nlohmann::json jobs = nlohmann::json::parse(list.out).at("jobs");
  ASSERT_EQ(jobs.size(), 2u);
  for (const auto& job : jobs) {
    const std::string name = job.at("name");
    EXPECT_EQ(Gonghui("job show " + name).code, 0);
    EXPECT_EQ(Gonghui("job wait " + name.substr(name.rfind('/') + 1)).code, 0);
  }
  EXPECT_EQ(Gonghui("job show 0").code, 4);
}

}  // namespace
}  // namespace gonghui
