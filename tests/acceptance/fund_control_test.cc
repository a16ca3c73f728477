// Audits, inspections, assets, facilities, internal control, and what auditors may do.
#include "tests/acceptance/funds_registry.h"

namespace gonghui::district {
namespace {

using ::testing::Contains;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

TEST_F(FundsRegistry, S31_AuditFromPlanToRectification) {
  const std::string plan = New("audit_plan", "D01", "2021-01-10",
                               {{"number", "SJ"}, {"title", "年度计划"}, {"year", "2021"}});
  const std::string project = New("audit_project", "D01", "2021-01-15",
                                  {{"number", "SJ-1"},
                                   {"title", "T01 预算执行"},
                                   {"plan", "SJ"},
                                   {"auditee", "T01"},
                                   {"topic", "budget_execution"},
                                   {"scope", "2020 年度"},
                                   {"leader", "李四"}});
  const Fields notice = {{"notice_no", "通1号"}, {"starts_on", "2021-03-10"}};
  EXPECT_THAT(Step(project, "notify", "2021-03-05", notice), Breaks("plan_approved"));
  ASSERT_THAT(By("committee", plan, "approve", "2021-01-20", {{"minutes", "1号"}}), IsOk());
  ASSERT_THAT(Step(project, "notify", "2021-03-05", notice), IsOk());
  EXPECT_THAT(Step(project, "start", "2021-03-07"), Refused("notice_in_time"));
  const auto paper = [&] {
    return Create("audit_workpaper", "D01", "2021-03-10",
                  {{"number", "DG-1"},
                   {"title", "支出凭证"},
                   {"project", "SJ-1"},
                   {"method", "large_items"},
                   {"population", "100"},
                   {"population_amount", "100000"},
                   {"sample_size", "2"}});
  };
  EXPECT_THAT(paper(), Breaks("in_the_field"));
  ASSERT_THAT(Step(project, "start", "2021-03-10"), IsOk());
  EXPECT_THAT(Step(project, "conclude", "2021-03-20"), Refused("has_workpapers"));
  ASSERT_OK_AND_ASSIGN(const Record workpaper, paper());
  const auto sample = [&](const std::string& voucher, const Fields& more) {
    Fields fields = {
        {"workpaper", "DG-1"}, {"voucher", voucher}, {"amount", "5000"}, {"result", "correct"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("audit_sample", "D01", "2021-03-11", fields);
  };
  ASSERT_THAT(sample("1", {}), IsOk());
  const Fields conclusion = {{"conclusion", "部分支出超标"}};
  EXPECT_THAT(By("clerk", workpaper.name(), "finish", "2021-03-12", conclusion),
              Refused("sample_is_complete"));
  EXPECT_THAT(sample("2", {{"result", "deviation"}, {"deviation_amount", "300"}}),
              Breaks("deviation_is_told"));
  ASSERT_THAT(
      sample("2", {{"result", "deviation"}, {"deviation_amount", "300"}, {"remark", "超标"}}),
      IsOk());
  EXPECT_EQ(Field(workpaper.name(), "projected"), "3000.00");  // 300 of 10,000, of 100,000.
  ASSERT_THAT(By("clerk", workpaper.name(), "finish", "2021-03-12", conclusion), IsOk());
  EXPECT_THAT(sample("3", {}), HasReason(common::v1::REASON_STATE_FORBIDS));
  EXPECT_THAT(Step(project, "conclude", "2021-03-20"), Refused("workpapers_reviewed"));
  EXPECT_THAT(By("clerk", workpaper.name(), "review", "2021-03-13"),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  ASSERT_THAT(By("reviewer", workpaper.name(), "review", "2021-03-13"), IsOk());
  const std::string report =
      New("audit_report", "D01", "2021-03-22",
          {{"number", "BG-1"}, {"title", "审计报告"}, {"unit_name", "T01"}, {"project", "SJ-1"}});
  EXPECT_THAT(Step(report, "send_for_comment", "2021-03-23"), Refused("field_work_over"));
  ASSERT_THAT(Step(project, "conclude", "2021-03-20"), IsOk());
  EXPECT_THAT(Step(report, "issue", "2021-03-23"), Refused("comments_first"));
  ASSERT_OK_AND_ASSIGN(const Record sent, Step(report, "send_for_comment", "2021-03-23"));
  EXPECT_EQ(sent.due_date(), "2021-04-02");
  EXPECT_THAT(Step(report, "issue", "2021-04-02"), Refused("commented_or_time_over"));
  ASSERT_THAT(Step(report, "issue", "2021-04-01", {{"reply", "无异议"}}), IsOk());
  const std::string finding = New("audit_finding", "D01", "2021-04-01",
                                  {{"number", "WT-1"},
                                   {"title", "超标准发放"},
                                   {"report", "BG-1"},
                                   {"severity", "major"},
                                   {"basis", "第八条"},
                                   {"amount", "300"},
                                   {"rectify_by", "2021-05-31"}});
  EXPECT_THAT(Step(report, "rectify", "2021-05-20"), Refused("nothing_open"));
  EXPECT_EQ(Figures("audit_findings_open", "2021H1", "severity=major"), "0 0 1");
  EXPECT_THAT(Board("audit_finding", "", "2021-06-10"), Contains("open: 1/1"));
  ASSERT_THAT(
      By("clerk", finding, "answer", "2021-07-10", {{"measures", "已退款"}, {"evidence", "回单"}}),
      IsOk());
  EXPECT_THAT(By("clerk", finding, "verify", "2021-07-11"),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  ASSERT_THAT(By("reviewer", finding, "verify", "2021-07-11"), IsOk());
  ASSERT_THAT(Step(report, "rectify", "2021-07-12"), IsOk());
  EXPECT_EQ(Figures("audit_reports_drafted", "2021"), "0 0 1");
  EXPECT_EQ(Figures("audit_reports_issued", "2021"), "0 0 1");
  EXPECT_EQ(Figures("audit_projects_planned", "2021"), "0 0 1");
  EXPECT_EQ(Figures("audit_samples", "2021", "result=deviation"), "0 0 1");
  EXPECT_EQ(Figures("audit_finding_amount", "2021"), "0 0 300");
  EXPECT_EQ(Figures("audit_findings_open", "2021"), "0 0 0");
}

TEST_F(FundsRegistry, S31_AuditorsReadEverythingAndWriteNothing) {
  const std::string record = New("control_exception", "E01", "2021-01-10",
                                 {{"number", "LW-1"},
                                  {"title", "例外"},
                                  {"process", "spending"},
                                  {"correct_by", "2021-02-10"}});
  const rpc::Client& auditor = Person("auditor", "D01", "auditor");
  common::v1::GetRecordRequest get;
  get.set_name(record);
  EXPECT_THAT(Ask<Record>(auditor, "GetRecord", get), IsOk());
  common::v1::CreateRecordRequest create;
  create.set_parent("federations/demo");
  *create.mutable_record() = Draft("birthday_party", "E01", "2021-01-10", {{"persons", "1"}});
  const auto denied = HasReason(common::v1::REASON_PERMISSION_MISSING);
  EXPECT_THAT(Ask<Record>(auditor, "CreateRecord", create), denied);
  EXPECT_THAT(StepBy(auditor, record, "correct", "2021-01-12", {{"correction", "已改"}}), denied);
  common::v1::UpdateRecordRequest update;
  update.mutable_record()->set_name(record);
  update.set_update_mask("title");
  EXPECT_THAT(Ask<Record>(auditor, "UpdateRecord", update), denied);
  common::v1::CancelRecordRequest cancel;
  cancel.set_name(record);
  cancel.set_remark("误录");
  EXPECT_THAT(Ask<Record>(auditor, "CancelRecord", cancel), denied);
}

TEST_F(FundsRegistry, S32_InspectionsAreRankedByScore) {
  New("finance_inspection", "D01", "2021-03-01",
      {{"number", "CW-1"}, {"title", "财务竞赛"}, {"quota", "1"}});
  const auto score = [&](const std::string& entry, const std::string& organization,
                         const std::string& item, const std::string& points) {
    return Create("inspection_score", organization, "2021-03-12",
                  {{"entry", entry}, {"item", item}, {"points", points}, {"evidence", "台账"}});
  };
  const auto enter = [&](const std::string& number, const std::string& organization,
                         const std::string& collection) {
    const std::string name = New("inspection_entry", organization, "2021-03-10",
                                 {{"number", number}, {"inspection", "CW-1"}});
    for (const auto& [item, points] : Fields{{"collection", collection},
                                             {"budget", "15"},
                                             {"accounting", "20"},
                                             {"spending", "20"},
                                             {"assets", "10"}}) {
      EXPECT_THAT(score(number, organization, item, points), IsOk());
    }
    return name;
  };
  const std::string first = enter("CP-1", "E01", "20");
  EXPECT_THAT(score("CP-1", "E01", "statements", "11"), Breaks("points_within_item"));
  EXPECT_THAT(Step(first, "score", "2021-03-15"), Refused("all_items_scored"));
  const std::string second = enter("CP-2", "E03", "25");
  const std::string third = enter("CP-3", "E02", "2");
  for (const auto& [number, organization] :
       Fields{{"CP-1", "E01"}, {"CP-2", "E03"}, {"CP-3", "E02"}}) {
    ASSERT_THAT(score(number, organization, "statements", "5"), IsOk());
  }
  for (const std::string& name : {first, second, third}) {
    ASSERT_THAT(Step(name, "score", "2021-03-15"), IsOk());
  }
  EXPECT_THAT(Step(first, "rank", "2021-03-20", {{"place", "1"}}), Refused("place_by_score"));
  ASSERT_THAT(Step(first, "rank", "2021-03-20", {{"place", "2"}}), IsOk());
  ASSERT_THAT(Step(second, "rank", "2021-03-20", {{"place", "1"}}), IsOk());
  ASSERT_THAT(Step(third, "rank", "2021-03-20", {{"place", "3"}}), IsOk());
  EXPECT_THAT(Step(first, "title", "2021-04-01"), Refused("among_the_first"));
  EXPECT_THAT(Step(third, "title", "2021-04-01"), Refused("enough_points"));
  ASSERT_THAT(Step(second, "title", "2021-04-01"), IsOk());
  EXPECT_EQ(Figures("finance_advanced_units", "2021H1"), "0 0 1");
}

TEST_F(FundsRegistry, S33_AssetsDepreciateFromTheMonthTheyCame) {
  const auto buy = [&](const std::string& number, const Fields& more) {
    Fields fields = {{"number", number},   {"title", "电脑"},    {"class", "computer"},
                     {"source", "bought"}, {"value", "7200.05"}, {"life_months", "72"},
                     {"holder", "张三"},   {"place", "301"},     {"acceptance", "YS-1"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("asset", "E01", "2021-03-20", fields);
  };
  EXPECT_THAT(buy("Z-1", {{"value", "999.99"}}), Breaks("general_from"));
  EXPECT_THAT(buy("Z-1", {{"value", "1499"}, {"use", "special"}}), Breaks("special_from"));
  EXPECT_THAT(buy("Z-1", {{"life_months", "71"}}), Breaks("least_life"));
  EXPECT_THAT(buy("Z-1", {{"class", "relic"}}), Breaks("kept_things_have_no_life"));
  ASSERT_OK_AND_ASSIGN(const Record asset, buy("Z-1", {}));
  const std::string& name = asset.name();
  EXPECT_THAT(Step(name, "accept", "2021-03-22"),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  ASSERT_THAT(By("checker", name, "accept", "2021-03-22"), IsOk());
  const auto charge = [&](const std::string& on_date) {
    return Create("depreciation", "E01", on_date, {{"asset", "Z-1"}});
  };
  EXPECT_THAT(charge("2021-04-30"), Breaks("month_by_month"));  // March comes first.
  ASSERT_OK_AND_ASSIGN(const Record march, charge("2021-03-31"));
  EXPECT_EQ(march.fields().at("amount"), "100.00");
  EXPECT_THAT(charge("2021-03-30"), Breaks("month_by_month"));
  ASSERT_THAT(charge("2021-04-30"), IsOk());
  EXPECT_EQ(Field(name, "net"), "7000.05");
  const std::map<std::string, int64_t> before = Balances("E01");
  EXPECT_THAT(before, Contains(Pair("162", 720005)));
  EXPECT_THAT(before, Contains(Pair("163", 20000)));
  EXPECT_THAT(before, Contains(Pair("30104", 700005)));  // 162 less 163.
  EXPECT_THAT(before, Contains(Pair("50702", 720005)));
  // To the fen over its whole life, no residual value.
  for (int month = 2; month < 72; ++month) {
    const int at = 2 + month;  // March 2021 is month 0.
    ASSERT_THAT(
        charge(absl::StrCat(2021 + at / 12, "-", at % 12 < 9 ? "0" : "", at % 12 + 1, "-28")),
        IsOk());
  }
  EXPECT_EQ(Field(name, "net"), "0.00");
  EXPECT_THAT(charge("2027-03-28"), Breaks("something_left"));
  ASSERT_OK_AND_ASSIGN(
      const Record book,
      buy("Z-2", {{"class", "book"}, {"life_months", "0"}, {"source", "donated"}}));
  ASSERT_THAT(By("checker", book.name(), "accept", "2021-03-22"), IsOk());
  EXPECT_THAT(Create("depreciation", "E01", "2021-03-31", {{"asset", "Z-2"}}),
              Breaks("depreciated_at_all"));
  EXPECT_EQ(Figures("assets_on_hand", "2021H1"), "2 2 2");
  EXPECT_EQ(Figures("assets_on_hand", "2021H1", "source=donated"), "1 1 1");
  EXPECT_EQ(Figures("assets_value", "2021H1"), "14400.1 14400.1 14400.1");
  EXPECT_EQ(Figures("depreciation_charged", "2021H1"), "400 400 400");

  const std::string count =
      New("stocktake", "E01", "2021-11-30", {{"number", "QC-1"}, {"title", "年度清查"}});
  const auto look = [&](const std::string& number, const std::string& result,
                        const std::string& why) {
    return Create("stocktake_line", "E01", "2021-11-30",
                  {{"stocktake", "QC-1"},
                   {"asset", number},
                   {"book_value", "7200.05"},
                   {"result", result},
                   {"explanation", why}});
  };
  ASSERT_THAT(look("Z-1", "match", ""), IsOk());
  EXPECT_THAT(look("Z-2", "missing", ""), Breaks("difference_is_explained"));
  ASSERT_THAT(look("Z-2", "missing", "遗失"), IsOk());
  ASSERT_THAT(By("checker", count, "report", "2021-12-01"), IsOk());
  EXPECT_THAT(look("Z-3", "found", "盘盈"), HasReason(common::v1::REASON_STATE_FORBIDS));
  EXPECT_THAT(StepBy(*unit_, count, "settle", "2021-12-05", {{"decision", "核销"}}),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  ASSERT_THAT(By("upper", count, "settle", "2021-12-05", {{"decision", "核销"}}), IsOk());
  const Fields loss = {{"disposal", "loss"}, {"disposal_reason", "遗失"}};
  ASSERT_THAT(By("checker", book.name(), "request_disposal", "2021-12-06", loss), IsOk());
  EXPECT_THAT(Balances("E01"), Contains(Pair("182", 720005)));
  EXPECT_THAT(By("checker", book.name(), "dispose", "2021-12-10", {{"disposal_approval", "1号"}}),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  ASSERT_THAT(By("upper", book.name(), "dispose", "2021-12-10", {{"disposal_approval", "1号"}}),
              IsOk());
  EXPECT_THAT(Balances("E01"), Not(Contains(Key("182"))));
  EXPECT_THAT(Balances("E01"), Contains(Pair("162", 720005)));
  EXPECT_EQ(Figures("assets_on_hand", "2021"), "1 1 1");
  EXPECT_EQ(Figures("stocktake_differences", "2021"), "1 1 1");
  EXPECT_EQ(Figures("inventory_frequency", "2021"), "1 1 1");
}

TEST_F(FundsRegistry, S34_FacilitiesAndRenovation) {
  const std::string need = New("facility_need", "E01", "2021-02-01",
                               {{"number", "SS-1"},
                                {"title", "驿站空调"},
                                {"facility", "rest_stop"},
                                {"place", "城东"},
                                {"quantity", "3"}});
  EXPECT_THAT(Step(need, "request", "2021-02-02"),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "fields.budget"));
  ASSERT_THAT(By("clerk", need, "request", "2021-02-02", {{"budget", "9000"}}), IsOk());
  EXPECT_THAT(By("clerk", need, "approve", "2021-02-03"),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  ASSERT_THAT(By("chair", need, "approve", "2021-02-03"), IsOk());
  EXPECT_THAT(By("buyer", need, "buy", "2021-02-10", {{"cost", "9000.01"}}),
              Refused("within_the_budget"));
  ASSERT_THAT(By("buyer", need, "buy", "2021-02-10", {{"cost", "8700"}}), IsOk());
  ASSERT_THAT(By("buyer", need, "issue", "2021-02-12", {{"receipt", "王五"}}), IsOk());
  EXPECT_THAT(By("buyer", need, "accept", "2021-02-15", {{"acceptance", "合格"}}),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  ASSERT_THAT(By("clerk", need, "accept", "2021-02-15", {{"acceptance", "合格"}}), IsOk());
  const std::string project = New("renovation_project", "T01", "2021-02-01",
                                  {{"number", "XM-1"}, {"title", "职工之家"}, {"budget", "50000"}});
  EXPECT_THAT(Update(project, {{"contract_amount", "50000.01"}}), Breaks("contract_within_budget"));
  ASSERT_THAT(Update(project, {{"contract_no", "HT-1"}, {"contract_amount", "48000"}}), IsOk());
  const auto progress = [&](const std::string& on_date, const std::string& cost) {
    return Create("renovation_progress", "T01", on_date,
                  {{"project", "XM-1"}, {"percent", "50"}, {"cost", cost}});
  };
  EXPECT_THAT(progress("2021-03-01", "20000"), Breaks("project_is_under_way"));
  ASSERT_THAT(Step(project, "start", "2021-03-01"), IsOk());
  ASSERT_THAT(progress("2021-03-31", "20000"), IsOk());
  EXPECT_THAT(progress("2021-04-30", "28000.01"), Breaks("cost_within_contract"));
  EXPECT_THAT(Step(project, "complete", "2021-06-01"), Refused("accepted_first"));
  ASSERT_THAT(Step(project, "complete", "2021-06-01", {{"acceptance", "合格"}}), IsOk());
  EXPECT_EQ(Figures("facilities_supplied", "2021H1", "facility=rest_stop"), "3 3 3");
  EXPECT_EQ(Figures("renovation_projects_started", "2021H1"), "0 1 1");
  EXPECT_EQ(Figures("renovation_cost", "2021H1"), "0 20000 20000");
}

TEST_F(FundsRegistry, S45_RisksPurchasesAndExceptions) {
  const auto risk = [&](const std::string& number, const Fields& more) {
    Fields fields = {{"number", number},  {"title", "超标准发放"}, {"process", "spending"},
                     {"level", "high"},   {"measure", "逐笔稽核"}, {"responsible", "财务"},
                     {"applicant", "甲"}, {"approver", "乙"},      {"cashier", "丙"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("control_risk", "E01", "2021-01-10", fields);
  };
  EXPECT_THAT(risk("R-1", {{"approver", "甲"}}), Breaks("applicant_is_not_approver"));
  EXPECT_THAT(risk("R-1", {{"cashier", "乙"}}), Breaks("approver_is_not_cashier"));
  ASSERT_OK_AND_ASSIGN(const Record open, risk("R-1", {}));
  EXPECT_EQ(open.due_date(), "2022-01-10");
  const auto ask = [&](const std::string& number, const Fields& more) {
    Fields fields = {{"number", number}, {"title", "慰问品"}, {"estimate", "60000"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("purchase", "E01", "2021-02-01", fields);
  };
  const Fields opinion = {{"check_opinion", "无排除限制竞争"}};
  ASSERT_OK_AND_ASSIGN(const Record narrow, ask("CG-1", {{"restriction", "true"}}));
  EXPECT_THAT(By("checker", narrow.name(), "clear", "2021-02-02", opinion), Refused("no_favour"));
  EXPECT_THAT(By("chair", narrow.name(), "approve", "2021-02-03"),
              HasReason(common::v1::REASON_STATE_FORBIDS));  // Not before it is cleared.
  ASSERT_OK_AND_ASSIGN(const Record open_one, ask("CG-2", {}));
  const std::string& name = open_one.name();
  EXPECT_THAT(Step(name, "clear", "2021-02-02", opinion),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  ASSERT_THAT(By("checker", name, "clear", "2021-02-02", opinion), IsOk());
  EXPECT_THAT(By("checker", name, "approve", "2021-02-03"),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  ASSERT_THAT(By("chair", name, "approve", "2021-02-03"), IsOk());
  const auto order = [&](const std::string& suppliers, const std::string& price) {
    return By("buyer", name, "order", "2021-02-10",
              {{"supplier", "某公司"}, {"price", price}, {"suppliers", suppliers}});
  };
  EXPECT_THAT(order("2", "55000"), Refused("three_offers"));
  EXPECT_THAT(order("3", "60000.01"), Refused("within_the_estimate"));
  ASSERT_THAT(order("3", "55000"), IsOk());
  const std::string exception = New("control_exception", "E01", "2021-03-01",
                                    {{"number", "LW-1"},
                                     {"title", "一人兼岗"},
                                     {"process", "spending"},
                                     {"duty", "account_cash"},
                                     {"correct_by", "2021-03-31"}});
  EXPECT_EQ(Figures("control_exceptions", "2021H1", "process=spending"), "1 1 1");
  EXPECT_THAT(Step(exception, "correct", "2021-07-10", {{"correction", "已调整"}}),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  ASSERT_THAT(By("chair", exception, "correct", "2021-07-10", {{"correction", "已调整"}}), IsOk());
  EXPECT_EQ(Figures("control_exceptions", "2021"), "0 0 0");
  EXPECT_EQ(Figures("control_risks", "2021H1", "level=high"), "1 1 1");
  EXPECT_EQ(Figures("purchases_cleared", "2021H1"), "1 1 1");
  const std::string evaluation =
      New("control_evaluation", "E01", "2021-12-01",
          {{"number", "ZP-1"}, {"year", "2021"}, {"group_leader", "主席"}});
  EXPECT_THAT(Create("control_score", "E01", "2021-12-02",
                     {{"evaluation", "ZP-1"}, {"item", "separation"}, {"points", "15"}}),
              Breaks("gap_is_told"));
  EXPECT_THAT(Step(evaluation, "report", "2021-12-10"), Refused("all_items_scored"));
  for (const auto& [item, points] : Fields{{"organisation", "20"},
                                           {"separation", "20"},
                                           {"budget", "15"},
                                           {"receipts", "15"},
                                           {"purchasing", "15"},
                                           {"assets", "15"}}) {
    New("control_score", "E01", "2021-12-02",
        {{"evaluation", "ZP-1"}, {"item", item}, {"points", points}});
  }
  ASSERT_THAT(Step(evaluation, "report", "2021-12-10"), IsOk());
  EXPECT_EQ(Field(evaluation, "score"), "100");
  EXPECT_EQ(Figures("control_evaluations", "2021"), "1 1 1");
}

}  // namespace
}  // namespace gonghui::district
