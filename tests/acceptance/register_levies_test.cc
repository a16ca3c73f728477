// Union funds and dues through the public API, with their figures at unit, street and district.
#include "gonghui/funds/v1/ledger.pb.h"
#include "gonghui/funds/v1/levy.pb.h"
#include "tests/acceptance/registry.h"

namespace gonghui::district {
namespace {

namespace v1 = funds::v1;

class LevyRegistry : public Registry {
 protected:
  template <typename Response, typename Request>
  Response Levy(const char* method, Request request) {
    auto answer = Call<Response>("LevyService/", method, std::move(request));
    EXPECT_THAT(answer, IsOk()) << method;
    return answer.ok() ? *answer : Response();
  }
  template <typename Response, typename Request>
  Response Dues(const char* method, Request request) {
    auto answer = Call<Response>("DuesService/", method, std::move(request));
    EXPECT_THAT(answer, IsOk()) << method;
    return answer.ok() ? *answer : Response();
  }
  template <typename Response, typename Request>
  absl::StatusOr<Response> Call(const char* service, const char* method, Request request) {
    request.set_request_id(absl::StrCat("levy-", ++requests_));
    return admin_->Invoke<Response>(absl::StrCat("/gonghui.funds.v1.", service, method), request);
  }
  template <typename Request>
  static Request New() {
    Request request;
    request.set_parent("federations/demo");
    return request;
  }

  // Units U1 to U3 of the enterprises, U4 of E02's street without a union.
  void SetPayers() {
    auto request = New<v1::SetLevyPayersRequest>();
    for (const auto& [unit, organization, founded] :
         std::vector<std::array<const char*, 3>>{{"U1", "E01", "2015-01-01"},
                                                 {"U2", "E02", "2015-01-01"},
                                                 {"U3", "E03", "2015-01-01"},
                                                 {"U4", "T01", ""}}) {
      auto& payer = *request.add_payers();
      payer.set_unit(unit);
      payer.set_organization(organization);
      payer.set_display_name(absl::StrCat(unit, "公司"));
      payer.set_founded_on(founded);
    }
    EXPECT_EQ(Levy<v1::SetLevyPayersResponse>("SetLevyPayers", request).written(), 4);
  }

  // The unit's payroll and the receipt for all of it, by a channel; days are of the month after.
  void Collect(const std::string& unit, const std::string& period, const std::string& last_day,
               int64_t payroll_fen, const std::string& channel, const std::string& received_on,
               bool confirm = true) {
    auto payroll = New<v1::AssessLeviesRequest>();
    auto& given = *payroll.add_obligations();
    given.set_unit(unit);
    given.set_period(period);
    given.set_payroll_fen(payroll_fen);
    const auto assessed = Levy<v1::AssessLeviesResponse>("AssessLevies", payroll);
    ASSERT_EQ(assessed.obligations_size(), 1) << assessed.DebugString();
    if (received_on.empty()) return;
    auto file = New<v1::ImportLevyReceiptsRequest>();
    file.set_organization("D01");
    file.set_channel(channel);
    file.set_batch_id(absl::StrCat(unit, "-", period));
    auto& receipt = *file.add_receipts();
    receipt.set_serial(absl::StrCat(unit, period));
    receipt.set_unit(unit);
    receipt.set_period_from(absl::StrCat(period, "-01"));
    receipt.set_period_to(last_day);
    receipt.set_payroll_fen(payroll_fen);
    receipt.set_paid_fen(payroll_fen / 50);
    receipt.set_received_on(received_on);
    const auto imported = Levy<v1::ImportLevyReceiptsResponse>("ImportLevyReceipts", file);
    ASSERT_EQ(imported.exceptions_size() + imported.failures_size(), 0) << imported.DebugString();
    if (confirm) Confirm(absl::StrCat(unit, "-", period));
  }
  v1::ConfirmLevyReceiptsResponse Confirm(const std::string& batch) {
    v1::ConfirmLevyReceiptsRequest request;
    request.set_name(absl::StrCat("federations/demo/levyBatches/", batch));
    return Levy<v1::ConfirmLevyReceiptsResponse>("ConfirmLevyReceipts", request);
  }

  std::map<std::string, int64_t> Balances(const std::string& book) {
    v1::ListBalancesRequest request;
    request.set_parent(absl::StrCat("federations/demo/books/", book));
    auto answer = admin_->Invoke<v1::ListBalancesResponse>(
        "/gonghui.funds.v1.LedgerService/ListBalances", request);
    EXPECT_THAT(answer, IsOk());
    std::map<std::string, int64_t> balances;
    if (!answer.ok()) return balances;
    EXPECT_EQ(answer->debit_fen(), answer->credit_fen());
    for (const auto& balance : answer->balances()) {
      balances[balance.account()] = balance.balance_fen();
    }
    return balances;
  }

  // "value change%" of a measure of D01 beside the year before.
  std::string Compared(const std::string& measure, const std::string& period,
                       const std::string& dimensions) {
    EXPECT_THAT(suite_->CatchUp(), IsOk());
    reports::v1::QueryFiguresRequest request;
    request.set_parent("federations/demo");
    request.set_organization("D01");
    request.set_period(period);
    request.add_measures(measure);
    request.set_dimensions(dimensions);
    request.add_comparisons(reports::v1::COMPARISON_YEAR_ON_YEAR);
    auto answer = admin_->Invoke<reports::v1::QueryFiguresResponse>(
        "/gonghui.reports.v1.ReportService/QueryFigures", request);
    EXPECT_THAT(answer, IsOk());
    if (!answer.ok()) return "";
    for (const auto& figure : answer->figures()) {
      if (DimensionsOf(figure) != dimensions || figure.comparisons().empty()) continue;
      return absl::StrCat(figure.text(), " ", figure.comparisons(0).change_text());
    }
    return "none";
  }

  int requests_ = 0;
};

TEST_F(LevyRegistry, S25_DuesFromBillToStatement) {
  const auto bill = [&](const std::string& organization, const std::string& month,
                        const std::vector<std::pair<std::string, int64_t>>& wages) {
    auto request = New<v1::BillDuesRequest>();
    request.set_organization(organization);
    request.set_month(month);
    for (const auto& [member, wage] : wages) {
      auto& one = *request.add_bills();
      one.set_member(member);
      one.set_wage_fen(wage);
    }
    return request;
  };
  const auto pay = [&](const std::string& organization, const std::string& member,
                       const std::string& month, int64_t fen, const std::string& on) {
    auto request = New<v1::PayDuesRequest>();
    request.set_organization(organization);
    request.set_paid_on(on);
    auto& payment = *request.add_payments();
    payment.set_member(member);
    payment.set_month(month);
    payment.set_amount_fen(fen);
    return Dues<v1::PayDuesResponse>("PayDues", request);
  };
  // 5,678.90 yuan owe 28.35; a retained member and one in hardship owe nothing.
  auto march = bill("E01", "2020-03", {{"m1", 567'890}, {"m2", 400'000}, {"m3", 300'000}});
  march.mutable_bills(1)->set_standing(v1::DUES_STANDING_RETAINED);
  march.mutable_bills(2)->set_standing(v1::DUES_STANDING_WAIVED);
  march.mutable_bills(2)->set_reason("困难职工");
  EXPECT_EQ(Dues<v1::BillDuesResponse>("BillDues", march).payable_fen(), 2835);
  Dues<v1::BillDuesResponse>("BillDues", bill("E01", "2020-06", {{"m1", 567'890}}));
  Dues<v1::BillDuesResponse>("BillDues", bill("E02", "2020-03", {{"m4", 333'000}}));
  Dues<v1::BillDuesResponse>("BillDues", bill("E03", "2020-03", {{"m5", 1'000'000}}));
  EXPECT_EQ(pay("E01", "m1", "2020-03", 0, "2020-04-10").amount_fen(), 2835);
  pay("E02", "m4", "2020-03", 1'000, "2020-04-11");
  pay("E01", "m1", "2020-06", 0, "2020-07-10");

  EXPECT_EQ(Figures("dues_receivable", "2020H1"), "56.7 73.35 123.35");
  EXPECT_EQ(Figures("dues_received", "2020H1"), "28.35 38.35 38.35");
  EXPECT_EQ(Figures("dues_received", "2020"), "56.7 66.7 66.7");
  EXPECT_EQ(Figures("dues_collection_rate", "2020-03"), "100 85.22 40.37");
  EXPECT_EQ(Balances("E01"), (std::map<std::string, int64_t>{{"102", 5670}, {"401", 5670}}));
  // What is billed anew counts anew.
  Dues<v1::BillDuesResponse>("BillDues", bill("E03", "2020-03", {{"m5", 200'000}}));
  EXPECT_EQ(Figures("dues_receivable", "2020H1"), "56.7 73.35 83.35");

  auto statement = New<v1::GetUnitDuesStatementRequest>();
  statement.set_organization("E02");
  statement.set_from_month("2020-01");
  statement.set_to_month("2020-12");
  auto unit = admin_->Invoke<v1::GetUnitDuesStatementResponse>(
      "/gonghui.funds.v1.DuesService/GetUnitDuesStatement", statement);
  ASSERT_THAT(unit, IsOk());
  EXPECT_EQ(unit->outstanding_fen(), 665);
}

TEST_F(LevyRegistry, S26_FundsFromPayrollToTheLevelsAbove) {
  SetPayers();
  // 2019 for comparison; then 2020 by three channels.
  Collect("U1", "2019-01", "2019-01-31", 10'000'000, "tax_agency", "2019-02-12");
  Collect("U2", "2019-02", "2019-02-28", 5'000'000, "direct", "2019-03-12");
  Collect("U1", "2020-01", "2020-01-31", 12'500'000, "tax_agency", "2020-02-12");
  Collect("U2", "2020-02", "2020-02-29", 4'000'000, "direct", "2020-03-12");
  Collect("U3", "2020-02", "2020-02-29", 6'000'000, "fiscal", "2020-03-20");
  Collect("U3", "2020-03", "2020-03-31", 7'000'000, "", "");  // Not paid.
  Collect("U4", "2020-03", "2020-03-31", 1'000'000, "tax_agency", "2020-04-14");

  EXPECT_EQ(Figures("fund_payable", "2020H1"), "2500 3500 6100");
  EXPECT_EQ(Figures("fund_payable", "2020H1", "item=preparatory"), "0 200 200");
  EXPECT_EQ(Figures("fund_received", "2020H1"), "2500 3300 4500");
  EXPECT_EQ(Figures("fund_received", "2020H1", "channel=tax_agency"), "2500 2500 2500");
  EXPECT_EQ(Figures("fund_received", "2020H1", "channel=fiscal"), "0 0 1200");
  EXPECT_EQ(Figures("preparatory_received", "2020H1"), "0 200 200");
  EXPECT_EQ(Figures("fund_collection_rate", "2020H1", "item=levy"), "100 100 76.27");
  // March is due on 15 April: 76 days late at mid-year.
  EXPECT_EQ(Figures("fund_arrears", "2020H1"), "0 0 1400");
  EXPECT_EQ(Figures("fund_arrears", "2020H1", "age=31-90"), "0 0 1400");
  EXPECT_EQ(Figures("fund_arrears", "2020", "age=181-365"), "0 0 1400");
  EXPECT_EQ(Figures("fund_arrears", "2020", "age=31-90"), "0 0 0");
  // Year on year at mid-year, by channel and by measure.
  EXPECT_EQ(Compared("fund_received", "2020H1", ""), "4500 50");
  EXPECT_EQ(Compared("fund_received", "2020H1", "channel=direct"), "800 -20");
  EXPECT_EQ(Figures("fund_income_yoy", "2020H1"), "25 10 50");
  EXPECT_EQ(Figures("tax_agency_income_yoy", "2020H1"), "25 25 25");
  // E01 had none a year before: no value.
  EXPECT_EQ(Figures("fund_income_yoy", "2020H1", "channel=direct"), " -20 -20");

  // The books: what each level has, owes upward and downward.
  EXPECT_EQ(Balances("E02"),
            (std::map<std::string, int64_t>{{"102", 180'000}, {"402", 108'000}, {"211", 72'000}}));
  EXPECT_EQ(Balances("D01"), (std::map<std::string, int64_t>{{"102", 590'000},
                                                             {"402", 85'500},
                                                             {"211", 142'500},
                                                             {"21202", 342'000},
                                                             {"215", 20'000}}));

  // Up level by level, down to the units.
  const auto remit = [&](const std::string& organization, v1::RemittanceDirection direction,
                         const std::string& period, const std::string& sent_on) {
    auto request = New<v1::CreateRemittancesRequest>();
    request.set_organization(organization);
    request.set_direction(direction);
    request.set_period(period);
    request.set_sent_on(sent_on);
    const auto sent = Levy<v1::CreateRemittancesResponse>("CreateRemittances", request);
    for (const auto& one : sent.remittances()) {
      if (one.payee().empty()) continue;
      v1::ReceiveRemittanceRequest receive;
      receive.set_name(one.name());
      receive.set_received_on(sent_on);
      Levy<v1::Remittance>("ReceiveRemittance", receive);
    }
  };
  remit("E02", v1::REMITTANCE_DIRECTION_UP, "2020-03", "2020-04-05");
  remit("T01", v1::REMITTANCE_DIRECTION_UP, "2020-03", "2020-04-06");
  remit("D01", v1::REMITTANCE_DIRECTION_UP, "2020-03", "2020-04-07");
  remit("D01", v1::REMITTANCE_DIRECTION_DOWN, "2020Q1", "2020-04-08");
  EXPECT_EQ(Balances("D01"),
            (std::map<std::string, int64_t>{
                {"102", 132'500}, {"402", 112'500}, {"211", 0}, {"21202", 0}, {"215", 20'000}}));
  EXPECT_EQ(Balances("T01"), (std::map<std::string, int64_t>{{"102", 0}, {"211", 0}}));
  EXPECT_EQ(Balances("E01"), (std::map<std::string, int64_t>{{"102", 270'000}, {"402", 270'000}}));
  EXPECT_EQ(Figures("fund_remitted", "2020H1", "direction=down"), "0 0 3420");
  EXPECT_EQ(Figures("fund_remitted", "2020H1", "direction=up;tier=district"), "0 0 1875");
  EXPECT_EQ(Figures("fund_remitted", "2020H1", "direction=up;tier=town_street"), "0 720 720");

  // U4 founds its union: what was held is shared.
  v1::SettlePreparatoryFundsRequest settle;
  settle.set_name("federations/demo/levyPayers/U4");
  settle.set_organization("E01");
  settle.set_founded_on("2020-05-01");
  settle.set_on_date("2020-05-20");
  EXPECT_EQ(Levy<v1::SettlePreparatoryFundsResponse>("SettlePreparatoryFunds", settle).amount_fen(),
            20'000);
  EXPECT_EQ(Balances("D01").at("215"), 0);
  EXPECT_EQ(Figures("fund_received", "2020H1", "item=preparatory"), "200 200 200");

  // The unpaid month is chased until it is paid.
  auto remind = New<v1::RemindLevyPayersRequest>();
  remind.set_organization("T02");
  remind.set_issued_on("2020-06-01");
  EXPECT_EQ(Levy<v1::RemindLevyPayersResponse>("RemindLevyPayers", remind).reminders_size(), 1);
  EXPECT_EQ(Figures("fund_reminders", "2020H1"), "0 0 1");
  Collect("U3", "2020-03", "2020-03-31", 7'000'000, "fiscal", "2020-06-10");
  EXPECT_EQ(Figures("fund_arrears", "2020H1"), "0 0 0");
  EXPECT_EQ(Figures("fund_arrears", "2020-05"), "0 0 1400");
  EXPECT_EQ(Figures("fund_collection_rate", "2020H1", "item=levy"), "100 100 100");
}

}  // namespace
}  // namespace gonghui::district
