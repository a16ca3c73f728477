// gonghui bank against a running suite.
#include <gmock/gmock.h>

#include <string>

#include "tests/integration/cli_suite.h"

namespace gonghui {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class BankCliTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    ImportOrganizations();
    ASSERT_EQ(Gonghui("call LedgerService.CreateBook '{\"parent\":\"federations/demo\",\"book\":"
                      "{\"organization\":\"E1\",\"chart\":\"grassroots-2022\","
                      "\"opened_on\":\"2024-01-01\"}}'")
                  .code,
              0);
    Post("2024-05-06", "102", "402", "1000.00");
    Post("2024-05-20", "50102", "102", "200.00");
    Post("2024-05-20", "50102", "102", "100.00");
    const Result account = Gonghui(
        "records create --kind bank_account --org E1 --on 2024-01-01 --number ZH-1 --set bank=某行 "
        "--set separate=true --set book=E1");
    ASSERT_EQ(account.code, 0) << account.err;
  }

  void Post(const std::string& on_date, const std::string& debit, const std::string& credit,
            const std::string& yuan) {
    Write(folder_ / "vouchers.csv",
          absl::StrCat("账套编号,凭证编号,凭证日期,摘要,科目代码,借方金额,贷方金额\nE1,", ++vouchers_,
                       ",", on_date, ",记账,", debit, ",", yuan, ",\nE1,", vouchers_, ",", on_date,
                       ",记账,", credit, ",,", yuan, "\n"));
    const Result posted = Gonghui("import voucher vouchers.csv");
    ASSERT_EQ(posted.code, 0) << posted.out << posted.err;
  }

  int vouchers_ = 0;
};

TEST_F(BankCliTest, FromTheStatementToTheReconciliation) {
  Write(folder_ / "may.csv",
        "交易日期,流水号,贷方发生额,借方发生额,摘要\n2024/5/7,L1,\"1,000.00\",,收经费\n"
        "20240521,L2,,300,活动费\n2024-05-31,L3,,5,手续费\n");
  const std::string import = "bank import may.csv --account ZH-1 --balance 695 --on 2024-05-31 ";
  EXPECT_THAT(Gonghui(import + "--check").out, HasSubstr("3 lines, 0 known"));
  const Result imported = Gonghui(import);
  ASSERT_EQ(imported.code, 0) << imported.out << imported.err;
  EXPECT_THAT(Gonghui(import + "--lang zh").out, HasSubstr("流水 0 笔，已有 3 笔"));
  EXPECT_THAT(Gonghui("bank match --account ZH-1 --check").out, HasSubstr("1 matched"));
  EXPECT_THAT(Gonghui("bank match --account ZH-1").out,
              HasSubstr("1 matched, 0 ambiguous, 2 without an entry"));
  const Result open = Gonghui("bank lines --account ZH-1 --state open --amount -300");
  EXPECT_THAT(open.out, AllOf(HasSubstr("L2"), Not(HasSubstr("L3")), HasSubstr("-300.00")));
  // Below headings and rule.
  const size_t row = open.out.find('\n', open.out.find('\n') + 1) + 1;
  const std::string id = open.out.substr(row, open.out.find(' ', row) - row);
  EXPECT_EQ(Gonghui("bank match-line " + id + " --account ZH-1 --entry 202405-2").code, 2);
  const Result matched = Gonghui("bank match-line " + id +
                                 " --account ZH-1 --entry E1/202405-2 --entry E1/202405-3:2");
  EXPECT_THAT(matched.out, HasSubstr("E1/202405-2:2 E1/202405-3:2")) << matched.err;
  EXPECT_THAT(Gonghui("bank unmatch " + id + " --account ZH-1 --reason 勾错").out,
              HasSubstr("open"));
  ASSERT_EQ(
      Gonghui("bank match-line " + id + " --account ZH-1 --entry E1/202405-2 --entry E1/202405-3")
          .code,
      0);
  const Result shown = Gonghui("bank reconcile 2024-05 --account ZH-1 --lang zh");
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_THAT(shown.out, AllOf(HasSubstr("银行存款余额调节表 ZH-1 2024-05"), HasSubstr("700.00"),
                               HasSubstr("L3"), HasSubstr("695.00"), HasSubstr("调节后余额相符")));
  EXPECT_THAT(Gonghui("bank reconcile 2024-12 --account ZH-1").err, HasSubstr("older than 2"));
  // Who imported it does not confirm it.
  EXPECT_THAT(Gonghui("bank confirm 2024-05 --account ZH-1").err,
              HasSubstr("DUTIES_NOT_SEPARATED"));
  EXPECT_THAT(Gonghui("bank accounts --org D01").out, AllOf(HasSubstr("ZH-1"), HasSubstr("102")));
}

TEST_F(BankCliTest, FaultsNameTheRow) {
  Write(folder_ / "bad.csv", "日期,摘要\n2024-05-01,x\n");
  const Result headless = Gonghui("bank import bad.csv --account ZH-1 --lang zh");
  EXPECT_EQ(headless.code, 2);
  EXPECT_THAT(headless.err, HasSubstr("流水号"));
  Write(folder_ / "both.csv", "流水号,交易日期,收入,支出\nL1,2024-05-01,1,2\n");
  EXPECT_THAT(Gonghui("bank import both.csv --account ZH-1").err, HasSubstr("row 2"));
  Write(folder_ / "zero.csv", "流水号,交易日期,金额\nL1,2024-05-01,-1\nL2,2024-05-02,0\n");
  const Result zero = Gonghui("bank import zero.csv --account ZH-1");
  EXPECT_EQ(zero.code, 1);
  EXPECT_THAT(zero.out, AllOf(HasSubstr("3"), HasSubstr("amount_fen")));
  EXPECT_THAT(Gonghui("bank lines --account ZH-1").out, Not(HasSubstr("L1")));
  EXPECT_EQ(Gonghui("bank lines --account ZH-1 --state lost").code, 2);
}

}  // namespace
}  // namespace gonghui
