// Budgets, grants and expense claims.
#include "tests/acceptance/funds_registry.h"

namespace gonghui::district {
namespace {

using ::testing::Contains;
using ::testing::Pair;

TEST_F(FundsRegistry, S28_BudgetFromDraftToFinalAccount) {
  OpenBook("E01", "grassroots-2022");
  const auto draft = [&](const std::string& number, const Fields& more) {
    Fields fields = {{"number", number}, {"book", "E01"}, {"year", "2021"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("budget", "E01", "2021-01-05", fields);
  };
  ASSERT_OK_AND_ASSIGN(const Record budget, draft("YS-1", {}));
  EXPECT_EQ(budget.fields().at("version"), "1");
  const auto line = [&](const std::string& number, const std::string& side,
                        const std::string& amount) {
    return Create("budget_line", "E01", "2021-01-05",
                  {{"budget", "YS-1"},
                   {"line", number},
                   {"side", side},
                   {"item", side == "income" ? "402" : "50102"},
                   {"amount", amount}});
  };
  const std::string& name = budget.name();
  EXPECT_THAT(By("maker", name, "submit", "2021-01-10"), Refused("has_lines"));
  ASSERT_THAT(line("1", "income", "10000"), IsOk());
  ASSERT_OK_AND_ASSIGN(const Record expense, line("2", "expense", "10000.01"));
  EXPECT_THAT(By("maker", name, "submit", "2021-01-10"), Refused("within_means"));
  ASSERT_THAT(Update(expense.name(), {{"amount", "10000"}}), IsOk());
  ASSERT_THAT(By("maker", name, "submit", "2021-01-10"), IsOk());
  // What was submitted stays as it is.
  EXPECT_THAT(Update(expense.name(), {{"amount", "1"}}),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "record.fields.budget"));
  EXPECT_THAT(line("3", "expense", "1"), HasReason(common::v1::REASON_STATE_FORBIDS));
  EXPECT_THAT(Cancel(expense.name()), HasReason(common::v1::REASON_STATE_FORBIDS));
  // At the grassroots the committee goes first, then the audit committee, then the upper union.
  EXPECT_THAT(By("auditor", name, "review", "2021-01-12", {{"audit_opinion", "同意"}}),
              Refused("committee_first"));
  const Fields minutes = {{"committee_minutes", "纪要1号"}};
  EXPECT_THAT(By("maker", name, "pass", "2021-01-12", minutes),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  ASSERT_THAT(By("chair", name, "pass", "2021-01-12", minutes), IsOk());
  EXPECT_THAT(By("chair", name, "review", "2021-01-15", {{"audit_opinion", "同意"}}),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  ASSERT_OK_AND_ASSIGN(const Record reported,
                       By("auditor", name, "review", "2021-01-15", {{"audit_opinion", "同意"}}));
  EXPECT_EQ(reported.due_date(), "2021-02-14");
  const Fields reply = {{"reply_no", "复1号"}};
  EXPECT_THAT(StepBy(*unit_, name, "approve", "2021-02-01", reply),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  ASSERT_THAT(By("upper", name, "approve", "2021-02-01", reply), IsOk());
  // In execution the ledger holds every payment against its line.
  const auto spend = [&](const std::string& number, const std::string& amount) {
    const std::string claim = New("expense_claim", "E01", "2021-03-01",
                                  {{"number", number},
                                   {"title", "运动会"},
                                   {"category", "culture_sports"},
                                   {"activity", "HD-1"},
                                   {"payee", "某某店"}});
    New("expense_item", "E01", "2021-03-01",
        {{"claim", number}, {"invoice_code", "1"}, {"invoice_no", number}, {"amount", amount}});
    EXPECT_THAT(By("maker", claim, "submit", "2021-03-01"), IsOk());
    EXPECT_THAT(By("accountant", claim, "check", "2021-03-02"), IsOk());
    EXPECT_THAT(By("chair", claim, "approve", "2021-03-03"), IsOk());
    return By("cashier", claim, "pay", "2021-03-04", {{"paid_ref", number}});
  };
  ASSERT_THAT(spend("B-1", "9000"), IsOk());
  EXPECT_THAT(spend("B-2", "1000.01"), HasReason(common::v1::REASON_BUDGET_EXCEEDED));
  // An adjustment is a new version with a reason.
  ASSERT_OK_AND_ASSIGN(const Record second, draft("YS-2", {{"brought_forward", "5000"}}));
  EXPECT_EQ(second.fields().at("version"), "2");
  ASSERT_THAT(Create("budget_line", "E01", "2021-07-01",
                     {{"budget", "YS-2"}, {"line", "1"}, {"item", "50102"}, {"amount", "5000"}}),
              IsOk());
  EXPECT_THAT(By("maker", second.name(), "submit", "2021-07-05"), Refused("adjustment_has_reason"));
  // Above the grassroots the audit committee goes first.
  const std::string upper =
      New("budget", "T01", "2021-01-05", {{"number", "YS-T"}, {"book", "T01"}, {"year", "2021"}});
  New("budget_line", "T01", "2021-01-05",
      {{"budget", "YS-T"}, {"line", "1"}, {"side", "income"}, {"item", "402"}, {"amount", "1"}});
  ASSERT_THAT(By("maker", upper, "submit", "2021-01-10"), IsOk());
  EXPECT_THAT(By("chair", upper, "pass", "2021-01-12", minutes), Refused("audit_committee_first"));
  // Final account.
  const Fields results = {{"final_income", "10000"}, {"final_expense", "9000"}};
  ASSERT_THAT(By("maker", name, "settle", "2021-12-31", results), IsOk());
  EXPECT_THAT(By("maker", name, "review_final", "2021-12-31", {{"final_opinion", "同意"}}),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  EXPECT_EQ(Figures("budgets_approved", "2021"), "1 1 1");
  EXPECT_EQ(Figures("budget_execution_rate", "2021"), "90 90 90");

  EXPECT_THAT(Create("inclusion_check", "E01", "2021-02-01",
                     {{"inclusion", "money_in_budget"}, {"document", "1号"}}),
              Breaks("money_has_an_amount"));
  New("inclusion_check", "E01", "2021-02-01",
      {{"inclusion", "work_in_agenda"}, {"document", "1号"}});
  New("inclusion_check", "E03", "2021-02-01",
      {{"inclusion", "money_in_budget"}, {"document", "2号"}, {"amount", "100"}});
  EXPECT_EQ(Figures("inclusion_rules", "2021"), "1 1 2");

  const std::string fund = New("restricted_fund", "E01", "2021-01-01",
                               {{"title", "帮扶专项"},
                                {"book", "E01"},
                                {"code", "ZX-1"},
                                {"purposes", "50404"},
                                {"valid_from", "2021-01-01"},
                                {"valid_to", "2021-12-31"},
                                {"source", "市总"},
                                {"approval_no", "1号"}});
  EXPECT_THAT(Step(fund, "approve", "2021-01-02"),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  ASSERT_THAT(By("upper", fund, "approve", "2021-01-02"), IsOk());
  EXPECT_EQ(Figures("restricted_funds_open", "2021"), "1 1 1");
}

TEST_F(FundsRegistry, S29_GrantsWithReportAndReturn) {
  const std::string name = New("grant", "E01", "2021-03-01",
                               {{"number", "XB-1"},
                                {"title", "送温暖"},
                                {"giver", "T01"},
                                {"occasion", "spring_festival"},
                                {"units", "2"},
                                {"rate", "1500"},
                                {"lump_sum", "500"},
                                {"spend_by", "2021-06-30"}});
  EXPECT_EQ(Field(name, "amount"), "3500.00");
  const Fields approval = {{"approval_no", "1号"}};
  EXPECT_THAT(StepBy(*unit_, name, "approve", "2021-03-05", approval),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  ASSERT_THAT(By("chair", name, "approve", "2021-03-05", approval), IsOk());
  EXPECT_THAT(Update(name, {{"rate", "9000"}}), HasReason(common::v1::REASON_STATE_FORBIDS));
  EXPECT_THAT(By("chair", name, "pay", "2021-03-06", {{"paid_ref", "1"}}),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  ASSERT_THAT(By("cashier", name, "pay", "2021-03-06", {{"paid_ref", "1"}}), IsOk());
  const auto spend = [&](const std::string& voucher, const std::string& amount,
                         const std::string& on_date) {
    return Create(
        "grant_expense", "E01", on_date,
        {{"grant", "XB-1"}, {"voucher", voucher}, {"purpose", "慰问品"}, {"amount", amount}});
  };
  EXPECT_THAT(spend("1", "1000", "2021-03-07"), Breaks("while_it_is_open"));
  ASSERT_THAT(StepBy(*unit_, name, "receive", "2021-03-07"), IsOk());
  ASSERT_THAT(spend("1", "3000", "2021-04-01"), IsOk());
  EXPECT_THAT(spend("2", "500.01", "2021-04-01"), Breaks("no_more_than_was_granted"));
  EXPECT_THAT(spend("2", "100", "2021-07-01"), Breaks("in_its_time"));
  ASSERT_THAT(By("maker", name, "report", "2021-06-30", {{"report", "已用3000元"}}), IsOk());
  EXPECT_THAT(By("upper", name, "close", "2021-07-10"), Refused("nothing_left"));
  EXPECT_EQ(Figures("grants_unspent", "2021H1"), "500 500 500");
  const std::string back =
      New("grant_return", "E01", "2021-07-05",
          {{"grant", "XB-1"}, {"giver", "T01"}, {"paid_ref", "9"}, {"amount", "500"}});
  ASSERT_THAT(By("upper", back, "accept", "2021-07-08"), IsOk());
  ASSERT_THAT(By("upper", name, "close", "2021-07-10"), IsOk());
  // Both sides have posted; what one paid is what the other received.
  EXPECT_THAT(Balances("T01"), Contains(Pair("50802", 300000)));
  EXPECT_THAT(Balances("T01"), Contains(Pair("102", -300000)));
  EXPECT_THAT(Balances("E01"), Contains(Pair("40302", 300000)));
  EXPECT_THAT(Balances("E01"), Contains(Pair("102", 300000)));

  const std::string street = New("grant", "T02", "2021-03-01",
                                 {{"number", "XB-2"},
                                  {"title", "设备"},
                                  {"giver", "D01"},
                                  {"form", "equipment"},
                                  {"earmarked", "false"},
                                  {"rate", "10500"},
                                  {"spend_by", "2021-12-31"}});
  ASSERT_THAT(By("chair", street, "approve", "2021-03-05", approval), IsOk());
  ASSERT_THAT(By("cashier", street, "pay", "2021-03-06", {{"paid_ref", "2"}}), IsOk());
  EXPECT_EQ(Figures("grants_issued_amount", "2021"), "3500 3500 14000");
  EXPECT_EQ(Figures("base_share_rate", "2021"), "100 100 25");
  EXPECT_EQ(Figures("grant_cash_per_unit", "2021"), "1750 1750 1750");
  EXPECT_EQ(Figure("grant_equipment_per_unit", "D01", "2021"), "10500");
  EXPECT_EQ(Figures("grants_unspent", "2021"), "0 0 0");
  EXPECT_EQ(Figures("grants_returned", "2021"), "500 500 500");
}

TEST_F(FundsRegistry, S30_ClaimsAreCheckedApprovedAndPaidByOthers) {
  int invoice = 0;
  const auto claim = [&](const std::string& number, const std::string& amount, const Fields& more) {
    Fields fields = {{"number", number},   {"title", "职工运动会"}, {"category", "culture_sports"},
                     {"activity", "HD-1"}, {"payee", "某某店"},     {"participants", "60"}};
    for (const auto& [name, value] : more) fields[name] = value;
    auto made = Create("expense_claim", "E01", "2021-05-10", fields);
    if (!made.ok()) return made;
    auto item = Create("expense_item", "E01", "2021-05-08",
                       {{"claim", number},
                        {"invoice_code", "3400"},
                        {"invoice_no", absl::StrCat(++invoice)},
                        {"amount", amount}});
    if (!item.ok()) return item;
    return absl::StatusOr<Record>(Get(made->name()));
  };
  // Spending rules.
  EXPECT_THAT(claim("B-1", "9000", {{"winners", "41"}}), Breaks("winners_at_most"));
  EXPECT_THAT(claim("B-1", "9000", {{"work_meal", "true"}, {"meal_allowance", "true"}}),
              Breaks("one_kind_of_meal"));
  EXPECT_THAT(claim("B-1", "9000", {{"top_prize", "500.01"}}), Breaks("first_prize_at_most"));
  const Fields festival = {{"category", "festival"},
                           {"festival", "spring_festival"},
                           {"goods", "grain_oil"},
                           {"activity", ""}};
  Fields cards = festival;
  cards["payment_form"] = "shopping_card";
  EXPECT_THAT(claim("B-1", "9000", cards), Breaks("no_cash_or_cards"));
  Fields liquor = festival;
  liquor["goods"] = "liquor";
  EXPECT_THAT(claim("B-1", "9000", liquor), Breaks("goods_allowed"));
  Fields other = festival;
  other["festival"] = "valentine";
  EXPECT_THAT(claim("B-1", "9000", other),
              HasReasonAt(common::v1::REASON_CODE_UNKNOWN, "record.fields.festival"));
  EXPECT_THAT(claim("B-0", "18000.60", {{"category", "birthday"}}), Refused("birthday_per_head"));

  ASSERT_OK_AND_ASSIGN(const Record first, claim("B-1", "9000", {{"winners", "40"}}));
  EXPECT_THAT(Create("expense_item", "E03", "2021-05-08",
                     {{"claim", "B-1"},
                      {"invoice_code", "3400"},
                      {"invoice_no", absl::StrCat(invoice)},
                      {"amount", "1"}}),
              HasReason(common::v1::REASON_ALREADY_EXISTS));  // The same invoice.
  EXPECT_THAT(
      Create("expense_item", "E01", "2020-11-10",
             {{"claim", "B-1"}, {"invoice_code", "3400"}, {"invoice_no", "old"}, {"amount", "1"}}),
      Breaks("claimed_in_time"));
  ASSERT_OK_AND_ASSIGN(const Record submitted, By("maker", first.name(), "submit", "2021-05-10"));
  EXPECT_EQ(submitted.due_date(), "2021-05-13");
  EXPECT_THAT(By("maker", first.name(), "check", "2021-05-11"),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  ASSERT_THAT(By("accountant", first.name(), "check", "2021-05-11"), IsOk());
  EXPECT_THAT(By("accountant", first.name(), "approve", "2021-05-12"),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  ASSERT_THAT(By("chair", first.name(), "approve", "2021-05-12"), IsOk());
  EXPECT_THAT(By("chair", first.name(), "pay", "2021-05-14", {{"paid_ref", "1"}}),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  ASSERT_THAT(By("cashier", first.name(), "pay", "2021-05-14", {{"paid_ref", "1"}}), IsOk());

  // Larger sums go to the committee, the largest to the congress.
  const auto checked = [&](const std::string& number, const std::string& amount) {
    auto made = claim(number, amount, {});
    EXPECT_THAT(made, IsOk());
    EXPECT_THAT(By("maker", made->name(), "submit", "2021-05-10"), IsOk());
    EXPECT_THAT(By("accountant", made->name(), "check", "2021-05-11"), IsOk());
    return made->name();
  };
  const std::string large = checked("B-2", "10000.01");
  EXPECT_THAT(By("chair", large, "approve", "2021-05-12"), Refused("chair_approves_up_to"));
  EXPECT_THAT(By("chair", large, "decide", "2021-05-12"),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "fields.minutes"));
  ASSERT_THAT(By("chair", large, "decide", "2021-05-12", {{"minutes", "5号"}}), IsOk());
  ASSERT_THAT(By("cashier", large, "pay", "2021-05-20", {{"paid_ref", "2"}}), IsOk());
  const std::string largest = checked("B-3", "200000.01");
  EXPECT_THAT(By("chair", largest, "decide", "2021-05-12", {{"minutes", "5号"}}),
              Refused("committee_approves_up_to"));
  ASSERT_THAT(By("chair", largest, "resolve", "2021-05-12", {{"minutes", "大会"}}), IsOk());

  EXPECT_THAT(Balances("E01"), Contains(Pair("50102", 1900001)));
  EXPECT_EQ(Figures("expense_claims_paid", "2021H1"), "2 2 2");
  EXPECT_EQ(Figures("expense_claims_amount", "2021H1", "category=culture_sports"),
            "19000.01 19000.01 19000.01");
  EXPECT_EQ(Figures("claim_days_average", "2021H1"), "7 7 7");
  // A claim in error is void: both vouchers stay, their sum is nothing.
  EXPECT_THAT(By("cashier", large, "void", "2021-06-01", {{"reason", "重复"}}),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  ASSERT_THAT(By("chair", large, "void", "2021-06-01", {{"reason", "重复"}}), IsOk());
  EXPECT_THAT(Balances("E01"), Contains(Pair("50102", 900000)));
  EXPECT_EQ(Figures("expense_claims_paid", "2021H1"), "1 1 1");

  // A head's festival goods of the year, over all claims of the unit.
  const auto goods = [&](const std::string& number, const std::string& amount) {
    auto made = claim(number, amount, festival);
    EXPECT_THAT(made, IsOk());
    return By("maker", made->name(), "submit", "2021-05-10");
  };
  ASSERT_THAT(goods("F-1", "60000"), IsOk());  // 1000 a head.
  EXPECT_THAT(goods("F-2", "60000.60"), Refused("festival_in_the_year"));
}

}  // namespace
}  // namespace gonghui::district
