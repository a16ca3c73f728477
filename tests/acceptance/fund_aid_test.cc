// Relief, rescue, model workers, mutual aid, student aid, life events.
#include "tests/acceptance/funds_registry.h"

namespace gonghui::district {
namespace {

using ::testing::Contains;
using ::testing::Pair;

TEST_F(FundsRegistry, S35_ReliefOnceAPersonAndHousehold) {
  const std::string campaign = New("relief_campaign", "D01", "2021-01-10",
                                   {{"number", "SWN-1"},
                                    {"title", "春节送温暖"},
                                    {"ends_on", "2021-02-10"},
                                    {"festival", "spring_festival"},
                                    {"planned_households", "100"},
                                    {"planned_amount", "6000"}});
  int number = 0;
  const auto apply = [&](const std::string& organization, const std::string& person,
                         const std::string& household, const Fields& more) {
    Fields fields = {{"number", absl::StrCat("R-", ++number)},
                     {"campaign", "SWN-1"},
                     {"full_name", "张三"},
                     {"person", person},
                     {"household", household},
                     {"group", "on_file"},
                     {"form", "living"},
                     {"amount", "2000"},
                     {"visitor", "主席"},
                     {"visited_on", "2021-01-18"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("relief_payment", organization, "2021-01-15", fields);
  };
  const std::string zhang = IdNumber(), wife = IdNumber(), li = IdNumber();
  EXPECT_THAT(apply("E01", zhang, "H1", {{"amount", "3000.01"}}), Breaks("once_at_most"));
  EXPECT_THAT(apply("E01", zhang, "H1", {{"mode", "cash"}}), Breaks("no_cash"));
  ASSERT_OK_AND_ASSIGN(const Record first, apply("E01", zhang, "H1", {}));
  // Another unit, the same person; the same unit, the same household.
  EXPECT_THAT(apply("E03", zhang, "H2", {}),
              HasReasonAt(common::v1::REASON_LIMIT_EXCEEDED, "record.fields.campaign"));
  EXPECT_THAT(apply("E01", wife, "H1", {}), Refused("once_a_household"));
  EXPECT_THAT(By("chair", first.name(), "approve", "2021-01-20"), Breaks("paid_while_open"));
  EXPECT_THAT(Step(campaign, "open", "2021-01-12", {{"minutes", "1号"}}),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  ASSERT_THAT(By("chair", campaign, "open", "2021-01-12", {{"minutes", "1号"}}), IsOk());
  const auto pay = [&](const std::string& name) {
    EXPECT_THAT(By("chair", name, "approve", "2021-01-20"), IsOk());
    EXPECT_THAT(By("chair", name, "pay", "2021-01-22", {{"receipt", "1"}}),
                HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
    EXPECT_THAT(By("cashier", name, "pay", "2021-01-22", {{"receipt", "1"}}), IsOk());
  };
  pay(first.name());
  ASSERT_OK_AND_ASSIGN(const Record second,
                       apply("E03", li, "H3", {{"form", "medical"}, {"group", "migrant"}}));
  pay(second.name());
  ASSERT_OK_AND_ASSIGN(const Record third, apply("E02", IdNumber(), "H4", {{"amount", "2000.01"}}));
  EXPECT_THAT(By("chair", third.name(), "approve", "2021-01-20"), Refused("within_the_plan"));
  // A second campaign: the person counts once, the person-times twice, the year has a bound.
  const std::string summer = New("relief_campaign", "T01", "2021-06-10",
                                 {{"number", "SWN-2"},
                                  {"title", "夏送清凉"},
                                  {"system", "summer"},
                                  {"ends_on", "2021-08-10"},
                                  {"planned_households", "10"},
                                  {"planned_amount", "90000"}});
  ASSERT_THAT(By("chair", summer, "open", "2021-06-10", {{"minutes", "2号"}}), IsOk());
  ASSERT_OK_AND_ASSIGN(const Record again, apply("E01", zhang, "H1", {{"campaign", "SWN-2"}}));
  pay(again.name());
  New("relief_campaign", "T01", "2021-06-11",
      {{"number", "SWN-3"},
       {"title", "再次"},
       {"planned_households", "10"},
       {"planned_amount", "90000"}});
  EXPECT_THAT(apply("E01", zhang, "H1", {{"campaign", "SWN-3"}, {"amount", "2000.01"}}),
              Refused("in_the_year"));

  EXPECT_EQ(Figures("relief_recipients", "2021H1"), "2 2 3");
  EXPECT_EQ(Figures("relief_persons", "2021H1"), "1 1 2");
  EXPECT_EQ(Figures("relief_households", "2021H1"), "1 1 2");
  EXPECT_EQ(Figures("relief_amount", "2021H1"), "4000 4000 6000");
  EXPECT_EQ(Figures("relief_amount", "2021H1", "form=medical"), "0 0 2000");
  EXPECT_EQ(Figures("relief_forms", "2021H1"), "1 1 2");
  EXPECT_EQ(Figures("care_focus_groups", "2021H1"), "1 1 2");
  EXPECT_EQ(Figures("relief_visit_coverage", "2021H1"), "100 100 100");
  EXPECT_EQ(Figures("relief_households_planned", "2021H1"), "0 10 110");
  EXPECT_EQ(Figures("festival_relief_rounds", "2021H1"), "0 0 1");
  EXPECT_EQ(Figures("relief_system_kinds", "2021H1"), "0 1 2");
  EXPECT_THAT(Balances("E01"), Contains(Pair("50405", 400000)));
  EXPECT_THAT(Balances("E01"), Contains(Pair("102", -400000)));
  ASSERT_THAT(By("chair", again.name(), "void", "2021-07-01", {{"reason", "退款"}}), IsOk());
  EXPECT_THAT(Balances("E01"), Contains(Pair("50405", 200000)));
  EXPECT_EQ(Figures("relief_recipients", "2021H1"), "1 1 2");
}

TEST_F(FundsRegistry, S36_RescueFundPaysWhatItHas) {
  OpenBook("D01", "county-2022");
  RegisterFund("D01", "JZ", "311");
  const std::string fund =
      New("rescue_fund", "D01", "2021-01-05",
          {{"number", "JJ-1"}, {"title", "救助基金"}, {"fund", "JZ"}, {"approval_no", "1号"}});
  const auto source = [&](const std::string& voucher, const std::string& origin,
                          const std::string& amount) {
    return Create(
        "rescue_source", "D01", "2021-01-20",
        {{"fund_number", "JJ-1"}, {"voucher", voucher}, {"origin", origin}, {"amount", amount}});
  };
  EXPECT_THAT(source("1", "set_aside", "30000"), Breaks("fund_is_active"));
  ASSERT_THAT(By("chair", fund, "approve", "2021-01-06"), IsOk());
  ASSERT_THAT(source("1", "set_aside", "30000"), IsOk());
  ASSERT_THAT(source("2", "donation", "5000"), IsOk());
  const std::string ill = IdNumber();
  int number = 0;
  const auto apply = [&](const Fields& more) {
    Fields fields = {{"number", absl::StrCat("J-", ++number)},
                     {"fund_number", "JJ-1"},
                     {"full_name", "王五"},
                     {"person", ill},
                     {"household", "H9"},
                     {"event", "illness"},
                     {"illness", "白血病"},
                     {"event_on", "2021-02-01"},
                     {"evidence", "诊断证明"},
                     {"amount", "30000"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("rescue_payment", "D01", "2021-02-10", fields);
  };
  EXPECT_THAT(apply({{"amount", "30000.01"}}), Breaks("illness_at_most"));
  EXPECT_THAT(apply({{"illness", ""}}), Breaks("illness_is_named"));
  ASSERT_OK_AND_ASSIGN(const Record first, apply({}));
  EXPECT_THAT(apply({{"amount", "1"}}), Refused("same_illness_once_a_year"));
  ASSERT_THAT(By("checker", first.name(), "review", "2021-02-12"), IsOk());
  EXPECT_THAT(By("checker", first.name(), "approve", "2021-02-15"),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  ASSERT_THAT(By("chair", first.name(), "approve", "2021-02-15"), IsOk());
  ASSERT_THAT(By("cashier", first.name(), "pay", "2021-02-20", {{"receipt", "1"}}), IsOk());
  ASSERT_OK_AND_ASSIGN(const Record second, apply({{"event", "accident"}, {"amount", "5000.01"}}));
  ASSERT_THAT(By("checker", second.name(), "review", "2021-02-12"), IsOk());
  EXPECT_THAT(By("chair", second.name(), "approve", "2021-02-15"), Refused("not_below_zero"));
  // The fund's balance is that of its account.
  EXPECT_EQ(Field(fund, "balance"), "5000.00");
  EXPECT_THAT(Balances("D01"), Contains(Pair("311", 500000)));
  EXPECT_EQ(Figures("fund_balance", "2021H1"), "0 0 5000");
  EXPECT_EQ(Figures("relief_households", "2021H1"), "0 0 1");
  EXPECT_EQ(Figures("relief_amount", "2021H1", "form=rescue"), "0 0 30000");
}

TEST_F(FundsRegistry, S37_ModelWorkersOnTheRoll) {
  const std::string worker = IdNumber();
  const auto enroll = [&](const std::string& number, const std::string& level) {
    return Create("model_worker_roll", "E01", "2021-01-01",
                  {{"number", number},
                   {"full_name", "冯劳"},
                   {"person", worker},
                   {"level", level},
                   {"archive", "LM-1"},
                   {"insured_on", "2021-02-01"}});
  };
  int number = 0;
  const auto pay = [&](const Fields& more) {
    Fields fields = {{"number", absl::StrCat("LMB-", ++number)},
                     {"full_name", "冯劳"},
                     {"person", worker},
                     {"festival", "spring_festival"},
                     {"benefit_kind", "festival_grant"},
                     {"level", "province"},
                     {"approval_no", "1号"},
                     {"amount", "500"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("model_worker_benefit", "T01", "2021-02-05", fields);
  };
  EXPECT_THAT(pay({}), Refused("on_the_roll"));
  ASSERT_OK_AND_ASSIGN(const Record entry, enroll("MC-1", "province"));
  EXPECT_THAT(enroll("MC-2", "city"), HasReason(common::v1::REASON_ALREADY_EXISTS));
  EXPECT_THAT(pay({{"level", "national"}}), Refused("on_the_roll"));
  EXPECT_THAT(pay({{"amount", "500.01"}}), Breaks("grant_by_level"));
  ASSERT_THAT(pay({}), IsOk());
  EXPECT_THAT(pay({}), Refused("one_grant_a_festival"));
  const Fields allowance = {{"benefit_kind", "allowance"}, {"festival", ""}, {"amount", "2000"}};
  ASSERT_THAT(pay(allowance), IsOk());
  EXPECT_THAT(pay(allowance), Refused("allowance_in_the_year"));
  ASSERT_THAT(pay({{"benefit_kind", "medical_subsidy"}, {"festival", ""}, {"amount", "300"}}),
              IsOk());
  // The parts sum to the total, in figures and in the books.
  EXPECT_EQ(Figures("model_worker_benefit_amount", "2021H1"), "0 2800 2800");
  EXPECT_EQ(Figures("model_worker_benefit_amount", "2021H1", "kind=allowance"), "0 2000 2000");
  EXPECT_EQ(Figures("model_workers_allowance", "2021H1"), "0 1 1");
  EXPECT_EQ(Figures("model_workers_visited", "2021H1"), "0 1 1");
  EXPECT_EQ(Figures("model_workers_insured", "2021H1"), "1 1 1");
  EXPECT_THAT(Balances("T01"), Contains(Pair("50405", 250000)));
  EXPECT_THAT(Balances("T01"), Contains(Pair("50404", 30000)));
  ASSERT_THAT(Step(entry.name(), "leave", "2021-09-01", {{"leaving", "去世"}}), IsOk());
  EXPECT_THAT(pay({{"benefit_kind", "hardship_subsidy"}, {"festival", ""}, {"amount", "1"}}),
              Refused("on_the_roll"));
  EXPECT_EQ(Figures("model_workers_insured", "2021"), "0 0 0");
}

class MutualAid : public FundsRegistry {
 protected:
  void SetUp() override {
    FundsRegistry::SetUp();
    New("mutual_aid_plan", "D01", "2021-01-01",
        {{"number", "HZ-1"},
         {"title", "2021 年度"},
         {"ends_on", "2021-12-31"},
         {"premium_per_head", "60"},
         {"target_persons", "4"},
         {"waiting_days", "30"},
         {"claim_days", "180"},
         {"fixed_sum", "5000"},
         {"daily_rate", "50"},
         {"days_cap", "60"},
         {"deductible", "500"},
         {"first_tier", "10000"},
         {"first_percent", "40"},
         {"second_percent", "50"},
         {"claim_cap", "6000"},
         {"year_cap", "8000"}});
    Enrol("CB-1", "E01");
    Enrol("CB-2", "E03");
    ASSERT_THAT(Insure("CB-1", "E01", worker_), IsOk());
    ASSERT_THAT(Insure("CB-1", "E01", other_), IsOk());
  }

  std::string Enrol(const std::string& number, const std::string& organization) {
    return New("mutual_aid_enrolment", organization, "2021-02-01",
               {{"number", number},
                {"unit", organization},
                {"unit_name", "某公司"},
                {"plan", "HZ-1"},
                {"insured_count", "2"}});
  }
  absl::StatusOr<Record> Insure(const std::string& enrolment, const std::string& organization,
                                const std::string& person) {
    return Create("mutual_aid_insured", organization, "2021-02-01",
                  {{"enrolment", enrolment},
                   {"full_name", "李四"},
                   {"person", person},
                   {"ends_on", "2021-12-31"}});
  }
  absl::StatusOr<Record> Claim(const Fields& more, const std::string& on_date = "2021-04-10") {
    Fields fields = {{"number", absl::StrCat("LP-", ++claims_)},
                     {"enrolment", "CB-1"},
                     {"full_name", "李四"},
                     {"person", worker_},
                     {"event_on", "2021-04-01"},
                     {"claim_type", "tiered"},
                     {"self_paid", "12500"},
                     {"papers", "3"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("mutual_aid_claim", "E01", on_date, fields);
  }
  // From filed to reviewed.
  absl::Status Review(const std::string& name, const std::string& amount) {
    EXPECT_THAT(By("clerk", name, "accept", "2021-04-12"), IsOk());
    return By("reviewer", name, "review", "2021-04-15", {{"amount", amount}}).status();
  }
  void Pay(const std::string& name) {
    ASSERT_THAT(By("chair", name, "approve", "2021-04-20"), IsOk());
    ASSERT_THAT(By("cashier", name, "pay", "2021-04-25"), IsOk());
  }

  const std::string worker_ = IdNumber();
  const std::string other_ = IdNumber();
  int claims_ = 0;
};

TEST_F(MutualAid, S38_ClaimsByTheTermsOfThePlan) {
  EXPECT_THAT(Insure("CB-2", "E03", worker_), Refused("once_in_a_plan"));
  New("mutual_aid_premium", "D01", "2021-02-10",
      {{"number", "BF-1"}, {"enrolment", "CB-1"}, {"amount", "120"}});
  EXPECT_THAT(Claim({{"event_on", "2021-03-02"}}, "2021-04-10"), Breaks("waiting_time_over"));
  EXPECT_THAT(Claim({}, "2021-09-29"), Breaks("claimed_in_time"));
  EXPECT_THAT(Claim({{"person", IdNumber()}}), Refused("insured_that_day"));
  EXPECT_THAT(Claim({{"event_on", "2022-01-02"}}, "2022-01-05"), Refused("insured_that_day"));
  // (10,000 × 40 % + 2,000 × 50 %) above the deductible of 500.
  ASSERT_OK_AND_ASSIGN(const Record tiered, Claim({}));
  EXPECT_EQ(tiered.fields().at("due"), "5000.00");
  EXPECT_THAT(Claim({}), Refused("same_event_once"));
  EXPECT_THAT(Review(tiered.name(), "5000.01"), Breaks("aid_as_the_plan_says"));
  ASSERT_THAT(By("reviewer", tiered.name(), "review", "2021-04-15", {{"amount", "5000"}}).status(),
              IsOk());
  EXPECT_THAT(By("reviewer", tiered.name(), "approve", "2021-04-20"),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  EXPECT_THAT(By("clerk", tiered.name(), "pay", "2021-04-20"),
              HasReason(common::v1::REASON_STATE_FORBIDS));
  Pay(tiered.name());
  // Days × daily rate, the days capped; fixed by the event; each within the cap of a claim.
  ASSERT_OK_AND_ASSIGN(
      const Record daily,
      Claim({{"event_on", "2021-04-02"}, {"claim_type", "daily"}, {"days", "70"}}));
  EXPECT_EQ(daily.fields().at("due"), "3000.00");
  ASSERT_OK_AND_ASSIGN(const Record capped,
                       Claim({{"event_on", "2021-04-03"}, {"self_paid", "80000"}}));
  EXPECT_EQ(capped.fields().at("due"), "6000.00");
  ASSERT_OK_AND_ASSIGN(const Record accident, Claim({{"event_on", "2021-02-05"},
                                                     {"accident", "true"},
                                                     {"person", other_},
                                                     {"claim_type", "fixed"}}));
  EXPECT_EQ(accident.fields().at("due"), "5000.00");
  // The year's bound of a person.
  ASSERT_THAT(By("clerk", capped.name(), "accept", "2021-04-12"), IsOk());
  EXPECT_THAT(By("reviewer", capped.name(), "review", "2021-04-15", {{"amount", "3000.01"}}),
              Refused("in_the_year"));
  // Nobody pays without a review.
  EXPECT_THAT(By("cashier", daily.name(), "pay", "2021-04-20", {{"amount", "3000"}}),
              Refused("reviewed_first"));

  // Refused, appealed, decided by others.
  ASSERT_OK_AND_ASSIGN(
      const Record sick,
      Claim({{"person", other_}, {"event_on", "2021-04-04"}, {"pre_existing", "true"}}));
  EXPECT_THAT(Review(sick.name(), "100"), Refused("not_ill_before"));
  ASSERT_THAT(By("reviewer", sick.name(), "refuse", "2021-04-15"), IsOk());
  EXPECT_THAT(By("clerk", sick.name(), "appeal", "2021-05-16", {{"appeal", "并非既往症"}}),
              Refused("appealed_in_time"));
  ASSERT_THAT(By("clerk", sick.name(), "appeal", "2021-05-15", {{"appeal", "并非既往症"}}), IsOk());
  EXPECT_THAT(By("reviewer", sick.name(), "grant", "2021-05-20", {{"amount", "100"}}),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  ASSERT_THAT(By("board", sick.name(), "grant", "2021-05-20", {{"amount", "100"}}), IsOk());
  ASSERT_THAT(By("chair", sick.name(), "approve", "2021-05-21"), IsOk());
  ASSERT_THAT(By("cashier", sick.name(), "pay", "2021-05-22"), IsOk());

  EXPECT_EQ(Figures("mutual_aid_units", "2021H1"), "1 1 2");
  EXPECT_EQ(Figures("mutual_aid_insured", "2021H1"), "2 2 2");
  EXPECT_EQ(Figure("mutual_aid_target_completion", "D01", "2021H1"), "50");
  EXPECT_EQ(Figures("mutual_aid_paid", "2021H1"), "0.51 0.51 0.51");
  EXPECT_EQ(Figure("mutual_aid_loss_ratio", "D01", "2021H1"), "4250");
  // Money of others: premiums less claims, in the books where each was booked.
  EXPECT_THAT(Balances("D01"), Contains(Pair("221", 12000)));
  EXPECT_THAT(Balances("E01"), Contains(Pair("221", -510000)));
}

TEST_F(FundsRegistry, S39_StudentAidByLevel) {
  New("student_aid_round", "D01", "2021-08-01",
      {{"number", "JQ-1"}, {"title", "金秋助学"}, {"year", "2021"}, {"budget", "9000"}});
  const std::string student = IdNumber();
  int number = 0;
  const auto apply = [&](const std::string& organization, const Fields& more) {
    Fields fields = {{"number", absl::StrCat("ZX-", ++number)},
                     {"round", "JQ-1"},
                     {"full_name", "张小"},
                     {"person", student},
                     {"household", "KN-1"},
                     {"level", "university"},
                     {"school", "某大学"},
                     {"amount", "5000"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("student_aid", organization, "2021-08-10", fields);
  };
  EXPECT_THAT(apply("E01", {{"level", "college"}, {"amount", "3000.01"}}), Breaks("by_level"));
  ASSERT_OK_AND_ASSIGN(const Record first, apply("E01", {}));
  EXPECT_THAT(apply("E03", {}), Refused("once_a_round"));
  EXPECT_THAT(By("checker", first.name(), "review", "2021-08-12"),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "fields.proof"));
  const auto pay = [&](const std::string& name) {
    EXPECT_THAT(By("checker", name, "review", "2021-08-12", {{"proof", "通知书"}}), IsOk());
    const auto approved = By("chair", name, "approve", "2021-08-15");
    if (!approved.ok()) return approved;
    return By("cashier", name, "pay", "2021-08-20", {{"receipt", "1"}});
  };
  ASSERT_THAT(pay(first.name()), IsOk());
  ASSERT_OK_AND_ASSIGN(const Record second,
                       apply("E03", {{"person", IdNumber()}, {"amount", "4000.01"}}));
  EXPECT_THAT(pay(second.name()), Refused("within_the_budget"));
  ASSERT_OK_AND_ASSIGN(
      const Record brother,
      apply("E01", {{"person", IdNumber()}, {"level", "secondary"}, {"amount", "2000"}}));
  ASSERT_THAT(pay(brother.name()), IsOk());
  New("student_follow_up", "E01", "2021-10-01", {{"aid", "ZX-2"}, {"what", "辅导"}});
  EXPECT_EQ(Figures("student_aid_amount", "2021"), "7000 7000 7000");
  EXPECT_EQ(Figures("students_supported", "2021"), "2 2 2");
  EXPECT_EQ(Figures("student_households", "2021"), "1 1 1");
  EXPECT_EQ(Figures("student_aid_frequency", "2021"), "0 0 1");
  EXPECT_THAT(Balances("E01"), Contains(Pair("50404", 700000)));
}

TEST_F(FundsRegistry, S40_LifeEventsAndDueVisits) {
  const std::string somebody = IdNumber();
  int number = 0;
  const auto tell = [&](const std::string& organization, const Fields& more,
                        const std::string& on_date = "2021-03-02") {
    Fields fields = {{"number", absl::StrCat("W-", ++number)},
                     {"full_name", "赵六"},
                     {"person", somebody},
                     {"event", "hospital"},
                     {"event_on", "2021-03-01"},
                     {"illness", "阑尾炎"},
                     {"responsible", "组长"},
                     {"amount", "1000"},
                     {"payment_form", "transfer"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("life_event", organization, on_date, fields);
  };
  EXPECT_THAT(tell("E01", {{"amount", "1000.01"}}), Breaks("gift_at_most"));
  EXPECT_THAT(
      tell("E01",
           {{"event", "marriage"}, {"illness", ""}, {"amount", "600"}, {"payment_form", "cash"}}),
      Breaks("goods_not_cash"));
  ASSERT_OK_AND_ASSIGN(const Record first, tell("E01", {}));
  EXPECT_EQ(first.due_date(), "2021-03-08");
  EXPECT_THAT(tell("E03", {}), Refused("same_event_once"));  // No double benefit across units.
  EXPECT_THAT(tell("E01", {{"event_on", "2021-05-01"}}, "2021-05-02"),
              Refused("same_illness_once_a_year"));
  ASSERT_THAT(tell("E01", {{"event_on", "2021-05-01"}, {"illness", "骨折"}}, "2021-05-02"), IsOk());
  ASSERT_THAT(By("chair", first.name(), "approve", "2021-03-03"), IsOk());
  const Fields visit = {{"visited_on", "2021-03-04"}, {"receipt", "签收"}};
  EXPECT_THAT(By("chair", first.name(), "visit", "2021-03-04", visit),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  ASSERT_THAT(By("visitor", first.name(), "visit", "2021-03-04", visit), IsOk());
  ASSERT_OK_AND_ASSIGN(
      const Record burglary,
      tell("E03",
           {{"event", "burglary"}, {"illness", ""}, {"amount", "0"}, {"person", IdNumber()}}));
  EXPECT_EQ(burglary.due_date(), "2021-03-04");
  EXPECT_THAT(By("chair", burglary.name(), "miss", "2021-03-04", {{"reason", "出差"}}),
              Refused("time_is_over"));
  ASSERT_THAT(By("chair", burglary.name(), "miss", "2021-03-05", {{"reason", "出差"}}), IsOk());
  // By the rules of 2025 the gift is larger.
  EXPECT_THAT(tell("E01", {{"event_on", "2025-03-01"}, {"amount", "2000"}}, "2025-03-02"), IsOk());
  New("birthday_party", "E01", "2021-03-15", {{"persons", "12"}});
  // The street's own staff: its chart has 502 where those of the grassroots have 501.
  ASSERT_OK_AND_ASSIGN(const Record own, tell("T01",
                                              {{"event", "marriage"},
                                               {"illness", ""},
                                               {"amount", "600"},
                                               {"payment_form", "goods"},
                                               {"event_on", "2021-07-01"},
                                               {"person", IdNumber()}},
                                              "2021-07-02"));
  ASSERT_THAT(By("chair", own.name(), "approve", "2021-07-03"), IsOk());
  ASSERT_THAT(By("visitor", own.name(), "visit", "2021-07-04", visit), IsOk());
  EXPECT_THAT(Balances("T01"), Contains(Pair("502", 60000)));
  EXPECT_EQ(Figures("visits_due", "2021H1"), "2 2 3");
  EXPECT_EQ(Figures("visits_missed", "2021H1", "event=burglary"), "0 0 1");
  EXPECT_EQ(Figures("condolence_recipients", "2021H1"), "1 1 1");
  EXPECT_EQ(Figures("condolence_amount", "2021H1", "event=hospital"), "1000 1000 1000");
  EXPECT_EQ(Figures("visit_rules", "2021H1"), "1 1 1");
  EXPECT_EQ(Figures("birthday_party_frequency", "2021H1"), "1 1 1");
  EXPECT_THAT(Board("life_event", "", "2021-05-20"), Contains("due: 2/1"));
  EXPECT_THAT(Balances("E01"), Contains(Pair("50105", 100000)));
}

}  // namespace
}  // namespace gonghui::district
