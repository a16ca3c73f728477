// gonghui levy and gonghui dues against a running suite.
#include <gmock/gmock.h>

#include <string>

#include "common/sheet/xlsx_writer.h"
#include "tests/integration/cli_suite.h"

namespace gonghui {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class LevyCliTest : public CliTest {
 protected:
  void EnterPayers() {
    ImportOrganizations();
    Write(folder_ / "units.csv",
          "统一社会信用代码,工会编码,单位名称,建会日期\n"
          "91110000A,E1,甲厂,2015/1/1\n91110000B,T2,乙厂,\n");
    const Result payers = Gonghui("levy payers units.csv");
    ASSERT_EQ(payers.code, 0) << payers.err << payers.out;
    Write(folder_ / "payroll.csv",
          "社会信用代码,所属期,工资总额,减免,减免原因\n"
          "91110000A,2024-04,\"50,000.00\",0,\n91110000A,2024-05,60000,200,停产\n"
          "91110000B,2024-04,10000,,\n合计,,120000,,\n");
    const Result assessed = Gonghui("levy assess payroll.csv --lang zh");
    ASSERT_EQ(assessed.code, 0) << assessed.err << assessed.out;
    EXPECT_THAT(assessed.out, AllOf(HasSubstr("3 笔"), HasSubstr("2200.00")));
  }
  // A file of the tax agency: title, headings, rows of texts.
  void WriteTaxFile() {
    const auto row = [](const std::vector<std::string>& texts) {
      std::vector<sheet::Cell> cells;
      for (const std::string& text : texts) cells.push_back({text});
      return cells;
    };
    sheet::Sheet file{.name = "代收明细", .widths = {}, .head_rows = 2};
    file.rows = {row({"工会经费税务代收明细表"}),
                 row({"登记序号", "统一社会信用代码", "所属期起", "所属期止", "工资总额", "费率",
                      "应缴", "减免", "已缴", "入库日期", "票证号", "征收品目"}),
                 row({"1001", "91110000A", "2024-04-01", "2024-04-30", "50000", "2%", "1000", "0",
                      "1000", "2024-05-10", "A1", "工会经费"}),
                 row({"1002", "91110000B", "20240401", "20240430", "10000", "0.02", "200", "0",
                      "200", "2024年5月11日", "A2", "建会筹备金"}),
                 row({"1003", "91110000A", "2024-05-01", "2024-05-31", "60000", "2%", "1200", "200",
                      "999", "2024-06-11", "A3", ""})};
    auto bytes = sheet::WriteXlsx({file});
    ASSERT_TRUE(bytes.ok());
    Write(folder_ / "tax.xlsx", *bytes);
  }
};

TEST_F(LevyCliTest, FundsFromTheFileToTheRemittance) {
  EnterPayers();
  WriteTaxFile();
  const std::string import = "levy import tax.xlsx --org D01 --batch may ";
  const Result checked = Gonghui(import + "--check");
  ASSERT_EQ(checked.code, 0) << checked.err;
  const Result imported = Gonghui(import);
  ASSERT_EQ(imported.code, 0) << imported.err << imported.out;
  EXPECT_THAT(imported.out, AllOf(HasSubstr("3 receipts, 1 exceptions"), HasSubstr("1003"),
                                  HasSubstr("amount_differs")));
  EXPECT_THAT(Gonghui(import).out, HasSubstr("0 receipts, 0 exceptions, 3 known"));
  const Result preview = Gonghui("levy confirm may --check");
  EXPECT_THAT(preview.out, AllOf(HasSubstr("2 would be confirmed"), HasSubstr("grassroots"),
                                 HasSubstr("600.00"), HasSubstr("200.00")));
  ASSERT_EQ(Gonghui("levy confirm may").code, 0);
  EXPECT_THAT(Gonghui("levy receipts --org D01 --state exception").out, HasSubstr("1003"));
  EXPECT_EQ(Gonghui("levy receipts --org D01 --state lost").code, 2);
  EXPECT_THAT(Gonghui("levy resolve may --reason amount_differs --as accept").out,
              HasSubstr("matched"));
  ASSERT_EQ(Gonghui("levy confirm may").code, 0);
  EXPECT_THAT(Gonghui("levy batches --org D01 --lang zh").out, HasSubstr("tax.xlsx"));
  EXPECT_NE(Gonghui("levy undo may").code, 0);
  EXPECT_THAT(Gonghui("levy owed --org D01 --overdue --on 2024-07-01").out,
              AllOf(HasSubstr("2024-05"), HasSubstr("1.00"), HasSubstr("1-30")));
  EXPECT_THAT(Gonghui("levy ageing --org D01 --on 2024-07-01").out, HasSubstr("1.00"));
  EXPECT_THAT(Gonghui("levy statement 91110000A --on 2024-07-01").out, HasSubstr("levy-60-40"));
  EXPECT_THAT(Gonghui("levy remind --org D01 --on 2024-07-01").out, HasSubstr("issued"));
  EXPECT_THAT(Gonghui("levy reminders --org D01").out, HasSubstr("91110000A"));
  EXPECT_THAT(Gonghui("levy share --org E1 --amount 1000 --period 2024-05 --on 2024-06-10").out,
              AllOf(HasSubstr("150.00"), HasSubstr("levy-60-40")));
  EXPECT_EQ(Gonghui("levy remit --org D01 --period 2024-05 --on 2024-06-05").code, 2);
  const Result sent = Gonghui("levy remit --org D01 --down --period 2024Q2 --on 2024-07-05");
  EXPECT_EQ(sent.code, 0) << sent.err;
  EXPECT_THAT(sent.out, AllOf(HasSubstr("E1"), HasSubstr("sent")));
  // Below headings and rule.
  const size_t row = sent.out.find('\n', sent.out.find('\n') + 1) + 1;
  const std::string id = sent.out.substr(row, sent.out.find(' ', row) - row);
  const Result received = Gonghui("levy receive " + id + " --on 2024-07-08");
  EXPECT_THAT(received.out, HasSubstr("received")) << received.err;
  EXPECT_THAT(Gonghui("levy settle 91110000B --org E1 --founded 2024-06-01 --on 2024-06-20").out,
              HasSubstr("120.00"));
  EXPECT_THAT(Gonghui("levy issue-forms --org E1 --count 10 --on 2024-06-01").out,
              HasSubstr("A 1-10"));
  EXPECT_THAT(Gonghui("levy use-form --org E1 --amount 12.50 --on 2024-06-02").out,
              HasSubstr("12.50"));
}

TEST_F(LevyCliTest, FaultsNameRowAndColumn) {
  EnterPayers();
  Write(folder_ / "bad.csv", "登记序号,统一社会信用代码\n1,2\n");
  const Result headless = Gonghui("levy import bad.csv --org D01 --lang zh");
  EXPECT_EQ(headless.code, 2);
  EXPECT_THAT(headless.err, AllOf(HasSubstr("所属期起"), HasSubstr("入库日期")));
  Write(folder_ / "payroll2.csv", "unit,period,payroll\n91110000A,2024-06,12x\n");
  EXPECT_THAT(Gonghui("levy assess payroll2.csv").err, HasSubstr("row 2"));
  Write(folder_ / "payroll3.csv", "unit,period,payroll\n91110000A,2024-06,12\nU7,2024-06,1\n");
  const Result rejected = Gonghui("levy assess payroll3.csv");
  EXPECT_EQ(rejected.code, 1);
  EXPECT_THAT(rejected.out, AllOf(HasSubstr("U7"), HasSubstr("unit")));
}

TEST_F(LevyCliTest, DuesFromWagesToStatement) {
  ImportOrganizations();
  Write(folder_ / "wages.csv",
        "会员编号,月工资,缴费状态,免缴原因\nm1,5678.90,,\nm2,4000,保留会籍,\nm3,3000,免缴,困难\n");
  const Result billed = Gonghui("dues bill wages.csv --org E1 --month 2024-05");
  ASSERT_EQ(billed.code, 0) << billed.err << billed.out;
  EXPECT_THAT(billed.out, AllOf(HasSubstr("3 bills"), HasSubstr("28.35")));
  Write(folder_ / "paid.csv", "会员编号,月份,金额\nm1,2024-05,20\n");
  ASSERT_EQ(Gonghui("dues pay paid.csv --org E1 --on 2024-06-05").code, 0);
  // The same file again has no further effect; of another day it is another payment, and too much.
  EXPECT_EQ(Gonghui("dues pay paid.csv --org E1 --on 2024-06-05").code, 0);
  EXPECT_EQ(Gonghui("dues pay paid.csv --org E1 --on 2024-06-06").code, 1);
  EXPECT_THAT(Gonghui("dues list --org E1 --month 2024-05 --outstanding").out, HasSubstr("8.35"));
  const std::string statement = "dues statement --org E1 --from 2024-01 --to 2024-12 ";
  EXPECT_THAT(Gonghui(statement).out, HasSubstr("8.35"));
  EXPECT_THAT(Gonghui(statement + "--member m1").out, HasSubstr("20.00"));
}

}  // namespace
}  // namespace gonghui
