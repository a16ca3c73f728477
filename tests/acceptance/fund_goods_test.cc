// Goods, donations, investment schemes, job subsidies.
#include "tests/acceptance/funds_registry.h"

namespace gonghui::district {
namespace {

using ::testing::Contains;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

TEST_F(FundsRegistry, S41_GoodsFromLotToPerson) {
  New("goods_round", "E01", "2021-01-20",
      {{"number", "QL-1"},
       {"title", "春节慰问"},
       {"occasion", "festival"},
       {"festival", "spring_festival"},
       {"closes_on", "2021-02-28"},
       {"budget", "15000"}});
  const auto lot = [&](const std::string& number, const Fields& more) {
    Fields fields = {{"number", number},         {"title", "大米"},
                     {"round", "QL-1"},          {"goods", "grain_oil"},
                     {"source", "own_purchase"}, {"quantity", "10"},
                     {"unit_price", "800"},      {"issue_from", "2021-01-25"},
                     {"issue_to", "2021-02-20"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("goods_lot", "E01", "2021-01-22", fields);
  };
  EXPECT_THAT(lot("L-1", {{"goods", "tobacco"}}), Breaks("goods_allowed"));
  EXPECT_THAT(lot("L-1", {{"issue_to", "2021-03-01"}}), Breaks("not_after_it_closes"));
  EXPECT_THAT(lot("L-1", {{"quantity", "19"}}), Breaks("within_the_budget"));
  ASSERT_OK_AND_ASSIGN(const Record first, lot("L-1", {}));
  ASSERT_THAT(lot("L-2", {{"source", "superior_gift"}, {"unit_price", "700"}}), IsOk());
  const std::string somebody = IdNumber();
  const auto issue = [&](const std::string& number, const Fields& more,
                         const std::string& on_date = "2021-02-01") {
    Fields fields = {{"lot", number},
                     {"unit", "E01"},
                     {"full_name", "张三"},
                     {"quantity", "2"},
                     {"person", somebody}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("goods_issue", "E01", on_date, fields);
  };
  EXPECT_THAT(issue("L-1", {}, "2021-01-24"), Breaks("after_it_opens"));
  EXPECT_THAT(issue("L-1", {}, "2021-02-21"), Breaks("before_it_closes"));
  ASSERT_THAT(issue("L-1", {{"quantity", "1"}}), IsOk());
  EXPECT_THAT(issue("L-1", {{"quantity", "1"}}), Refused("once_a_lot"));
  EXPECT_THAT(issue("L-2", {}), Refused("festival_in_the_year"));  // 800 + 1400 above 2000.
  ASSERT_THAT(issue("L-2", {{"quantity", "1"}}), IsOk());
  EXPECT_THAT(issue("L-1", {{"quantity", "10"}, {"person", ""}}), Refused("no_more_than_there_is"));
  ASSERT_THAT(issue("L-1", {{"unit", "U2"}, {"quantity", "4"}, {"person", ""}, {"persons", "4"}}),
              IsOk());
  EXPECT_EQ(Field(first.name(), "stock"), "5");
  EXPECT_EQ(Field(first.name(), "stock_value"), "4000.00");

  New("goods_round", "T01", "2021-06-01",
      {{"number", "QL-2"},
       {"title", "夏送清凉"},
       {"occasion", "heat"},
       {"closes_on", "2021-09-30"},
       {"budget", "1000"}});
  ASSERT_THAT(Create("goods_lot", "T01", "2021-06-05",
                     {{"number", "L-3"},
                      {"title", "矿泉水"},
                      {"round", "QL-2"},
                      {"goods", "household"},
                      {"source", "donated"},
                      {"quantity", "100"},
                      {"unit_price", "2"},
                      {"issue_from", "2021-06-05"},
                      {"issue_to", "2021-09-30"}}),
              IsOk());
  EXPECT_EQ(Figures("festival_condolence_rounds", "2021H1"), "1 1 1");
  EXPECT_EQ(Figures("heat_relief_goods_kinds", "2021H1"), "0 1 1");
  EXPECT_EQ(Figures("goods_recipient_enterprises", "2021H1"), "2 2 2");
  EXPECT_EQ(Figures("goods_recipients", "2021H1"), "6 6 6");
  EXPECT_EQ(Figures("goods_value_issued", "2021H1"), "4700 4700 4700");
  EXPECT_EQ(Figures("goods_value_issued", "2021H1", "source=superior_gift"), "700 700 700");
  // What lies in the stores is what the account says: 5 × 800 + 9 × 700.
  EXPECT_EQ(Figures("goods_in_store", "2021H1"), "10300 10500 10500");
  EXPECT_THAT(Balances("E01"), Contains(Pair("141", 1030000)));
  EXPECT_THAT(Balances("E01"), Contains(Pair("30101", 1030000)));
  EXPECT_THAT(Balances("E01"), Contains(Pair("50105", 800000)));
}

TEST_F(FundsRegistry, S42_DonationsAreHandedOverToTheFen) {
  const std::string drive =
      New("donation_drive", "E01", "2021-04-01",
          {{"number", "JK-1"}, {"title", "救助李四"}, {"purpose", "重病救助"}, {"staff", "4"}});
  const auto give = [&](const std::string& receipt, const std::string& amount) {
    return Create("donation", "E01", "2021-04-02",
                  {{"drive", "JK-1"},
                   {"donor", "张三"},
                   {"anonymous", "true"},
                   {"receipt", receipt},
                   {"amount", amount}});
  };
  ASSERT_OK_AND_ASSIGN(const Record first, give("1", "100.01"));
  EXPECT_EQ(first.fields().at("donor"), "张*");
  EXPECT_THAT(give("1", "5"), HasReason(common::v1::REASON_ALREADY_EXISTS));  // One receipt, once.
  ASSERT_THAT(give("2", "50"), IsOk());
  ASSERT_OK_AND_ASSIGN(const Record wrong, give("3", "1"));
  ASSERT_THAT(By("checker", wrong.name(), "void", "2021-04-03"), IsOk());
  const auto hand_over = [&](const std::string& receipt, const std::string& amount) {
    return Create(
        "donation_transfer", "E01", "2021-04-20",
        {{"drive", "JK-1"}, {"beneficiary", "李四"}, {"receipt", receipt}, {"amount", amount}});
  };
  EXPECT_THAT(hand_over("1", "150.02"), Breaks("no_more_than_came"));
  ASSERT_THAT(hand_over("1", "150"), IsOk());
  EXPECT_THAT(Balances("E01"), Contains(Pair("221", 1)));
  ASSERT_THAT(Step(drive, "publish", "2021-04-25"), IsOk());
  EXPECT_THAT(give("4", "1"), Breaks("drive_is_open"));
  EXPECT_THAT(Step(drive, "close", "2021-05-02"), Refused("all_handed_over"));
  ASSERT_THAT(hand_over("2", "0.01"), IsOk());
  EXPECT_THAT(Step(drive, "close", "2021-05-01"), Refused("notice_ran_out"));
  common::v1::ListRecordsRequest notice;
  notice.set_kind("donation_drive");
  notice.set_notice(true);
  ASSERT_OK_AND_ASSIGN(const auto shown, List(notice));
  ASSERT_EQ(shown.records_size(), 1);
  EXPECT_EQ(shown.records(0).fields().at("received"), "150.01");
  ASSERT_THAT(Step(drive, "close", "2021-05-02"), IsOk());
  EXPECT_THAT(hand_over("3", "1"), HasReason(common::v1::REASON_STATE_FORBIDS));
  New("donation_drive", "T01", "2021-05-01",
      {{"number", "JK-2"}, {"title", "捐书"}, {"purpose", "职工书屋"}, {"staff", "6"}});
  const auto goods = [&](const std::string& receipt, const std::string& kind) {
    New("donated_goods", "T01", "2021-05-02",
        {{"drive", "JK-2"},
         {"receipt", receipt},
         {"donor", "某公司"},
         {"goods", kind},
         {"measure_unit", "册"},
         {"quantity", "30"}});
  };
  goods("1", "book");
  goods("2", "clothing");
  EXPECT_EQ(Figures("donation_drives_held", "2021H1"), "1 2 2");
  EXPECT_EQ(Figures("donation_amount", "2021H1"), "150.01 150.01 150.01");
  EXPECT_EQ(Figures("donation_participation_rate", "2021H1"), "50 20 20");
  EXPECT_EQ(Figures("donated_books", "2021H1"), "0 30 30");
  EXPECT_EQ(Figures("donated_items", "2021H1", "goods=clothing"), "0 30 30");
  EXPECT_EQ(Figures("donations_handed_over", "2021H1"), "150.01 150.01 150.01");
  EXPECT_THAT(Balances("E01"), Not(Contains(Key("221"))));
}

TEST_F(FundsRegistry, S43_InvestmentSchemesWithInterest) {
  const auto found = [&](const std::string& number, const Fields& more) {
    Fields fields = {{"number", number},     {"title", "职工集资"},
                     {"unit", "E01"},        {"model", "principal_interest"},
                     {"agreement", "1"},     {"yearly_rate", "400"},
                     {"union_agent", "true"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("investment_scheme", "E01", "2021-01-01", fields);
  };
  EXPECT_THAT(found("S-1", {{"yearly_rate", "1381"}}), Breaks("rate_at_most"));
  EXPECT_THAT(found("S-1", {{"model", "trust_shareholding"}}), Breaks("shares_bear_no_interest"));
  ASSERT_OK_AND_ASSIGN(const Record scheme, found("S-1", {}));
  const auto hold = [&](const std::string& number, const std::string& amount) {
    return Create("scheme_holding", "E01", "2021-01-10",
                  {{"number", number},
                   {"scheme", "S-1"},
                   {"full_name", "张三"},
                   {"person", IdNumber()},
                   {"amount", amount}});
  };
  EXPECT_THAT(hold("F-1", "10000"), Breaks("scheme_is_running"));
  ASSERT_THAT(By("congress", scheme.name(), "start", "2021-01-05", {{"minutes", "决议"}}), IsOk());
  ASSERT_OK_AND_ASSIGN(const Record first, hold("F-1", "10000"));
  ASSERT_THAT(hold("F-2", "5000"), IsOk());
  const auto interest = [&](const std::string& from, const std::string& through) {
    return Create("scheme_interest", "E01", from, {{"holding", "F-1"}, {"through", through}});
  };
  EXPECT_THAT(interest("2021-01-09", "2021-03-31"), Breaks("not_before_it_was_paid_in"));
  ASSERT_OK_AND_ASSIGN(const Record quarter, interest("2021-01-10", "2021-04-10"));
  EXPECT_EQ(quarter.fields().at("days"), "91");
  EXPECT_EQ(quarter.fields().at("amount"), "99.73");  // 10000 × 4 % × 91 ÷ 365.
  EXPECT_THAT(interest("2021-04-10", "2021-06-30"), Refused("no_time_twice"));
  ASSERT_THAT(interest("2021-04-11", "2021-06-30"), IsOk());
  ASSERT_THAT(By("cashier", quarter.name(), "pay", "2021-04-12", {{"receipt", "1"}}), IsOk());
  EXPECT_EQ(Figures("shareholding_units", "2021H1", "model=principal_interest"), "1 1 1");
  EXPECT_EQ(Figures("scheme_principal", "2021H1"), "15000 15000 15000");
  EXPECT_EQ(Figures("scheme_interest_paid", "2021H1"), "99.73 99.73 99.73");
  EXPECT_EQ(Figures("scheme_interest_due", "2021H1"), "188.5 188.5 188.5");
  EXPECT_THAT(Balances("E01"), Contains(Pair("221", 1500000)));  // The principal held.
  EXPECT_THAT(Step(scheme.name(), "end", "2021-12-01"), Refused("all_redeemed"));
  ASSERT_THAT(By("cashier", first.name(), "redeem", "2021-11-01", {{"receipt", "2"}}), IsOk());
  EXPECT_THAT(Balances("E01"), Contains(Pair("221", 500000)));
  EXPECT_EQ(Figures("scheme_principal", "2021"), "5000 5000 5000");
}

TEST_F(FundsRegistry, S44_SubsidiesEachWithItsOwnDate) {
  const auto plan = [&](const std::string& number, const std::string& organization,
                        const std::string& unit) {
    return Create("job_subsidy", organization, "2021-02-01",
                  {{"number", number},
                   {"unit", unit},
                   {"policy", "job_keeping"},
                   {"year", "2021"},
                   {"planned", "8000"}});
  };
  ASSERT_OK_AND_ASSIGN(const Record first, plan("WG-1", "E01", "U1"));
  EXPECT_THAT(plan("WG-2", "E03", "U1"), Refused("once_a_policy_and_year"));
  ASSERT_OK_AND_ASSIGN(const Record second, plan("WG-2", "E03", "U3"));
  New("subsidy_contact", "E01", "2021-03-01",
      {{"subsidy", "WG-1"}, {"office", "人社局"}, {"result", "同意受理"}});
  EXPECT_EQ(Field(first.name(), "contacts"), "1");
  EXPECT_THAT(Step(first.name(), "declare", "2021-03-10"),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "fields.declared"));
  // More declared than planned is no error, nor is less disbursed.
  ASSERT_THAT(Step(first.name(), "declare", "2021-03-10", {{"declared", "9000"}}), IsOk());
  ASSERT_THAT(Step(first.name(), "disburse", "2021-08-10",
                   {{"disbursed", "7000"}, {"beneficiaries", "35"}}),
              IsOk());
  ASSERT_THAT(Step(second.name(), "declare", "2021-03-10", {{"declared", "8000"}}), IsOk());
  ASSERT_THAT(Step(second.name(), "refuse", "2021-04-10", {{"refusal", "裁员率超标"}}), IsOk());
  EXPECT_EQ(Figures("subsidy_planned_amount", "2021H1"), "8000 8000 16000");
  EXPECT_EQ(Figures("subsidy_declared_amount", "2021H1"), "9000 9000 17000");
  EXPECT_EQ(Figures("subsidy_disbursed_amount", "2021H1"), "0 0 0");
  EXPECT_EQ(Figures("subsidy_disbursed_amount", "2021"), "7000 7000 7000");
  EXPECT_EQ(Figures("subsidy_beneficiaries", "2021"), "35 35 35");
}

}  // namespace
}  // namespace gonghui::district
