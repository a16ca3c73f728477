// Figures by another tree and line, beside other periods, without small cells; and the preview of a
// reorganisation, which is exactly what changes.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gonghui/membership/v1/member.pb.h"
#include "gonghui/membership/v1/reorganization.pb.h"
#include "tests/integration/membership.h"
#include "tests/integration/reports_suite.h"

namespace gonghui::reports {
namespace {

using Lines = std::vector<std::string>;
using membership::IdNumber;

// Organisation, measure and month -> the total as printed.
using Totals = std::map<std::string, std::string>;

class FigureBasesTest : public ReportsTest {
 protected:
  static v1::QueryFiguresRequest Query(const std::string& organization, const std::string& period,
                                       const std::string& measure, const std::string& dimensions) {
    v1::QueryFiguresRequest request;
    request.set_parent("federations/demo");
    request.set_organization(organization);
    request.set_period(period);
    if (!measure.empty()) request.add_measures(measure);
    request.set_dimensions(dimensions);
    return request;
  }

  static absl::StatusOr<v1::QueryFiguresResponse> Ask(const rpc::Client& client,
                                                      const v1::QueryFiguresRequest& request) {
    return client.Invoke<v1::QueryFiguresResponse>(absl::StrCat(kReports, "QueryFigures"), request);
  }

  // "organisation dimensions text" of each figure.
  Lines Answers(const rpc::Client& client, const v1::QueryFiguresRequest& request) {
    auto response = Ask(client, request);
    EXPECT_THAT(response, IsOk());
    Lines lines;
    if (!response.ok()) return lines;
    for (const v1::Figure& figure : response->figures()) {
      std::string line = figure.organization();
      for (const auto& d : figure.dimensions()) absl::StrAppend(&line, " ", d.value());
      lines.push_back(absl::StrCat(line, " ",
                                   figure.suppressed()  ? "*"
                                   : figure.has_value() ? figure.text()
                                                        : "null"));
    }
    return lines;
  }

  static absl::StatusOr<v1::ExplainFigureResponse> Explain(const rpc::Client& client,
                                                           const std::string& name) {
    v1::ExplainFigureRequest request;
    request.set_name(name);
    request.set_page_size(1000);
    return client.Invoke<v1::ExplainFigureResponse>(absl::StrCat(kReports, "ExplainFigure"),
                                                    request);
  }

  template <typename Request>
  absl::StatusOr<membership::v1::Reorganization> Reorganise(const std::string& method,
                                                            const Request& request) {
    return admin_->Invoke<membership::v1::Reorganization>(
        absl::StrCat("/gonghui.membership.v1.ReorganizationService/", method), request);
  }

  absl::StatusOr<membership::v1::Reorganization> Plan(
      const std::vector<membership::v1::ReorganizationStep>& steps) {
    membership::v1::PlanReorganizationRequest request;
    request.set_parent("federations/demo");
    request.set_title("调整");
    request.mutable_steps()->Assign(steps.begin(), steps.end());
    return Reorganise("PlanReorganization", request);
  }

  void Apply(const std::string& name) {
    membership::v1::ApplyReorganizationRequest request;
    request.set_name(name);
    ASSERT_THAT(Reorganise("ApplyReorganization", request), IsOk());
    ASSERT_THAT(suite_->CatchUp(), IsOk());
  }

  void Revert(const std::string& name) {
    membership::v1::RevertReorganizationRequest request;
    request.set_name(name);
    ASSERT_THAT(Reorganise("RevertReorganization", request), IsOk());
    ASSERT_THAT(suite_->CatchUp(), IsOk());
  }

  static membership::v1::ReorganizationStep MoveStep() {
    membership::v1::ReorganizationStep step;
    step.mutable_move()->set_organization("E01");
    step.mutable_move()->set_new_parent("T02");
    step.mutable_move()->set_valid_from("2020-04-01");
    return step;
  }

  void AddMembers(const std::string& organization, int first, int count) {
    for (int i = first; i < first + count; ++i) {
      membership::v1::CreateMemberRequest request;
      request.set_parent("federations/demo");
      membership::v1::Member& member = *request.mutable_member();
      member.set_organization(organization);
      member.set_full_name("张三");
      member.set_id_number(IdNumber(i));
      member.set_joined_on("2019-05-01");
      ASSERT_THAT(admin_->Invoke<membership::v1::Member>(
                      "/gonghui.membership.v1.MemberService/CreateMember", request),
                  IsOk());
    }
  }

  void AddHardshipFiles(const std::string& organization, const std::string& level,
                        const std::string& on_date, int first, int count) {
    for (int i = first; i < first + count; ++i) {
      common::v1::CreateRecordRequest request;
      request.set_parent("federations/demo");
      common::v1::Record& record = *request.mutable_record();
      record.set_kind("hardship_file");
      record.set_organization(organization);
      record.set_on_date(on_date);
      record.set_title("档案");
      (*record.mutable_fields())["level"] = level;
      (*record.mutable_fields())["full_name"] = "张三";
      (*record.mutable_fields())["person"] = IdNumber(i);
      ASSERT_THAT(admin_->Invoke<common::v1::Record>(
                      "/gonghui.membership.v1.RegisterService/CreateRecord", request),
                  IsOk());
    }
  }

  // Every total by the tree as it is, month by month, of all organisations.
  Totals AsIs() {
    Totals totals;
    for (const char* organization : {"D01", "T01", "T02", "E01", "E02", "E03"}) {
      for (int year = 2019; year <= 2020; ++year) {
        v1::QueryFiguresRequest request = Query(organization, absl::StrCat(year), "", "month=*");
        request.set_tree_mode(v1::TREE_MODE_AS_IS);
        auto response = Ask(*admin_, request);
        if (!response.ok()) continue;  // Not founded yet.
        for (const v1::Figure& figure : response->figures()) {
          if (!figure.has_value() || figure.value() == 0) continue;
          totals[absl::StrCat(figure.measure(), " ", organization, " ",
                              figure.dimensions(0).value())] = figure.text();
        }
      }
    }
    return totals;
  }

  // The same of what a plan is said to change: "" where there was or will be nothing.
  std::map<std::string, std::pair<std::string, std::string>> Preview(const std::string& name,
                                                                     int page_size) {
    std::map<std::string, std::pair<std::string, std::string>> changes;
    v1::PreviewReorganizationRequest request;
    request.set_name(name);
    request.set_page_size(page_size);
    int64_t total = 0;
    do {
      auto page = admin_->Invoke<v1::PreviewReorganizationResponse>(
          absl::StrCat(kReports, "PreviewReorganization"), request);
      EXPECT_THAT(page, IsOk());
      if (!page.ok()) return changes;
      for (const v1::FigureChange& change : page->changes()) {
        ++total;
        if (change.period() > "2020-12") continue;  // Balances go on until today.
        const auto text = [](const std::string& printed) { return printed == "0" ? "" : printed; };
        const std::pair<std::string, std::string> texts = {text(change.old_text()),
                                                           text(change.new_text())};
        if (texts.first == texts.second) continue;  // 0 % of some, and of none.
        changes[absl::StrCat(change.measure(), " ", change.organization(), " ", change.period())] =
            texts;
      }
      EXPECT_LE(page->changes_size(), page_size);
      request.set_page_token(page->next_page_token());
      if (page->next_page_token().empty()) {
        EXPECT_EQ(total, page->total());
      }
    } while (!request.page_token().empty());
    return changes;
  }

  // What a plan is said to change is what changes, and taking it back restores everything.
  void CheckPlan(const std::vector<membership::v1::ReorganizationStep>& steps) {
    const Totals before = AsIs();
    ASSERT_OK_AND_ASSIGN(const auto plan, Plan(steps));
    const auto preview = Preview(plan.name(), 7);
    EXPECT_GT(preview.size(), 3u);
    EXPECT_EQ(AsIs(), before);
    Apply(plan.name());
    const Totals after = AsIs();
    std::map<std::string, std::pair<std::string, std::string>> changed;
    std::set<std::string> keys;
    for (const Totals* totals : {&before, &after}) {
      for (const auto& [key, text] : *totals) keys.insert(key);
    }
    const auto at = [](const Totals& totals, const std::string& key) {
      const auto found = totals.find(key);
      return found == totals.end() ? std::string() : found->second;
    };
    for (const std::string& key : keys) {
      if (at(before, key) != at(after, key)) changed[key] = {at(before, key), at(after, key)};
    }
    EXPECT_EQ(preview, changed);
    Revert(plan.name());
    EXPECT_EQ(AsIs(), before);
  }
};

TEST_P(FigureBasesTest, ByTheTreeAsItWasAsItIsAndAsOfADay) {
  v1::QueryFiguresRequest request =
      Query("D01", "2020H1", "handouts_distributed", "topic=law,safety");
  request.set_children(true);
  const Lines before = Answers(*admin_, request);
  ASSERT_EQ(before.size(), 3u);
  ASSERT_OK_AND_ASSIGN(const auto plan, Plan({MoveStep()}));
  Apply(plan.name());
  const Lines was = Answers(*admin_, request);
  EXPECT_EQ(was[0], before[0]);
  EXPECT_NE(was[1], before[1]);
  request.set_tree_mode(v1::TREE_MODE_AS_IS);
  const Lines is = Answers(*admin_, request);
  EXPECT_EQ(is[0], before[0]);
  EXPECT_EQ(is[1], "T01 law,safety 0");
  EXPECT_EQ(is[2], "T02" + before[0].substr(3));
  request.set_tree_mode(v1::TREE_MODE_AS_OF);
  request.set_tree_date("2020-03-31");
  EXPECT_EQ(Answers(*admin_, request), before);
  request.set_tree_date("2020-04-01");
  EXPECT_EQ(Answers(*admin_, request), is);

  ASSERT_OK_AND_ASSIGN(const auto answer, Ask(*admin_, request));
  const std::string& name = answer.figures(2).name();
  EXPECT_EQ(name,
            "federations/demo/organizations/T02/figures/handouts_distributed/2020H1@2020-04-01/"
            "topic=law,safety");
  ASSERT_OK_AND_ASSIGN(const auto explained, Explain(*admin_, name));
  EXPECT_EQ(explained.figure().name(), name);
  int64_t cells = 0;
  int64_t records = 0;
  for (const v1::Cell& cell : explained.cells()) cells += cell.value();
  for (const auto& record : explained.records()) records += record.delta();
  EXPECT_EQ(explained.cells_size(), 2);
  EXPECT_EQ(cells, explained.figure().value());
  EXPECT_EQ(records, explained.figure().value());
  EXPECT_NE(explained.formula().find("by the tree of 2020-04-01"), std::string::npos);

  using namespace common::v1;  // NOLINT(google-build-using-namespace): reasons only.
  request.set_tree_mode(v1::TREE_MODE_AS_IS);
  EXPECT_THAT(Ask(*admin_, request), HasReasonAt(REASON_FIELD_INVALID, "tree_date"));
  request.set_tree_mode(v1::TREE_MODE_AS_OF);
  request.clear_tree_date();
  EXPECT_THAT(Ask(*admin_, request), HasReasonAt(REASON_FIELD_REQUIRED, "tree_date"));
  EXPECT_THAT(
      Explain(*admin_, "federations/demo/organizations/T02/figures/handouts_distributed/2020@now"),
      HasReasonAt(REASON_FIELD_INVALID, "name"));
  // Who had E01 while it lay there sees its figures, but its records only as far as they are
  // theirs.
  const auto town = Client("demo", "statistician", "T01");
  ASSERT_OK_AND_ASSIGN(
      const auto theirs,
      Explain(*town, "federations/demo/organizations/T01/figures/handouts_distributed/2020H1"));
  EXPECT_GT(theirs.figure().value(), 0);
  EXPECT_EQ(theirs.records_size(), 0);
}

TEST_P(FigureBasesTest, AnIndustryUnionCountsItsSecondLineOnce) {
  membership::v1::ReorganizationStep step;
  step.mutable_affiliate()->set_organization("E01");
  step.mutable_affiliate()->set_affiliated_to("T02");
  step.mutable_affiliate()->set_valid_from("2020-03-01");
  v1::QueryFiguresRequest request = Query("T02", "2020H1", "handouts_distributed", "month=*");
  const Lines without = Answers(*admin_, request);
  ASSERT_OK_AND_ASSIGN(const auto plan, Plan({step}));
  Apply(plan.name());
  EXPECT_EQ(Answers(*admin_, request), without);
  request.set_line(v1::LINE_AFFILIATED);
  const Lines with = Answers(*admin_, request);
  const Lines other = Answers(*admin_, Query("E01", "2020H1", "handouts_distributed", "month=*"));
  // E02 and E01 have different months: even and odd ones.
  ASSERT_EQ(without.size(), 3u);
  ASSERT_EQ(with.size(), 5u);
  EXPECT_EQ(with[1], "T02" + other[1].substr(3));
  const auto whole = [&](v1::Line line) {
    v1::QueryFiguresRequest asked = Query("D01", "2020H1", "handouts_distributed", "topic=law");
    asked.set_line(line);
    return Answers(*admin_, asked);
  };
  EXPECT_EQ(whole(v1::LINE_AFFILIATED), whole(v1::LINE_PRIMARY));
  ASSERT_OK_AND_ASSIGN(const auto explained,
                       Explain(*admin_,
                               "federations/demo/organizations/T02/figures/handouts_distributed/"
                               "2020H1@as_is,affiliated"));
  ASSERT_EQ(explained.cells_size(), 2);
  EXPECT_EQ(explained.cells(0).organization(), "E01");
  EXPECT_EQ(explained.cells(0).value() + explained.cells(1).value(), explained.figure().value());
}

TEST_P(FigureBasesTest, FiguresStandBesideOtherPeriods) {
  const auto compared = [&](const std::string& period, const std::string& dimensions) {
    v1::QueryFiguresRequest request = Query("D01", period, "handouts_distributed", dimensions);
    request.add_comparisons(v1::COMPARISON_YEAR_ON_YEAR);
    request.add_comparisons(v1::COMPARISON_PERIOD_ON_PERIOD);
    auto response = Ask(*admin_, request);
    EXPECT_THAT(response, IsOk());
    return response.ok() ? response->figures(0) : v1::Figure();
  };
  // 300 issues of 1 to 7 copies, as many in each of six months.
  const auto count = [](int first, int last) {
    int64_t copies = 0;
    for (int i = 0; i < kRecords; ++i) {
      if (1 + i % 6 >= first && 1 + i % 6 <= last) copies += 1 + i % 7;
    }
    return copies;
  };
  v1::Figure figure = compared("2020Q2", "topic=law,safety");
  EXPECT_EQ(figure.value(), count(4, 6));
  ASSERT_EQ(figure.comparisons_size(), 2);
  EXPECT_FALSE(figure.comparisons(0).has_change());
  EXPECT_EQ(figure.comparisons(0).base_period(), "2019Q2");
  EXPECT_EQ(figure.comparisons(0).base_text(), "");
  EXPECT_EQ(figure.comparisons(1).base_period(), "2020Q1");
  EXPECT_EQ(figure.comparisons(1).base_text(), absl::StrCat(count(1, 3)));
  EXPECT_EQ(figure.comparisons(1).difference_text(), absl::StrCat(count(4, 6) - count(1, 3)));
  EXPECT_TRUE(figure.comparisons(1).has_change());

  figure = compared("2021Q1", "topic=law,safety");
  EXPECT_EQ(figure.value(), 0);
  EXPECT_EQ(figure.comparisons(0).change_text(), "-100");
  EXPECT_FALSE(figure.comparisons(1).has_change());
  figure = compared("2020", "month=2020-03");
  EXPECT_EQ(figure.comparisons(0).base_period(), "2019-03");
  EXPECT_EQ(figure.comparisons(1).base_period(), "2020-02");
  EXPECT_EQ(figure.comparisons(1).base_text(), absl::StrCat(count(2, 2)));
  figure = compared("2020-04YTD", "topic=law,safety");
  EXPECT_EQ(figure.value(), count(1, 4));
  EXPECT_EQ(figure.comparisons(0).base_period(), "2019-04YTD");
  EXPECT_EQ(figure.comparisons(1).base_period(), "");
  figure = compared("2020S", "topic=law,safety");
  EXPECT_EQ(figure.value(), count(1, 6));
  EXPECT_EQ(figure.comparisons(1).base_period(), "2019S");

  v1::QueryFiguresRequest twice = Query("D01", "2020", "handouts_distributed", "");
  twice.add_comparisons(v1::COMPARISON_YEAR_ON_YEAR);
  twice.add_comparisons(v1::COMPARISON_YEAR_ON_YEAR);
  EXPECT_THAT(Ask(*admin_, twice), HasReasonAt(common::v1::REASON_FIELD_INVALID, "comparisons[1]"));
}

TEST_P(FigureBasesTest, FewPersonsAreHiddenFromWhomNeedNotSeeThem) {
  AddHardshipFiles("E01", "district", "2020-02-10", 0, 20);
  AddHardshipFiles("E01", "city", "2020-02-10", 20, 2);
  AddHardshipFiles("E02", "district", "2020-02-10", 30, 30);
  AddHardshipFiles("E02", "city", "2020-02-10", 60, 12);
  ASSERT_THAT(suite_->CatchUp(), IsOk());
  const auto clerk = Client("demo", "clerk", "D01");
  v1::QueryFiguresRequest request = Query("D01", "2020H1", "needy_workers_total", "level=*");
  request.set_children(true);
  EXPECT_EQ(Answers(*admin_, request),
            (Lines{"D01 city 14", "T01 city 2", "T02 city 12", "D01 district 50", "T01 district 20",
                   "T02 district 30"}));
  EXPECT_EQ(Answers(*clerk, request),
            (Lines{"D01 city 14", "T01 city *", "T02 city *", "D01 district 50", "T01 district *",
                   "T02 district *"}));
  request.set_dimensions("level=all");
  EXPECT_EQ(Answers(*clerk, request), (Lines{"D01 all 64", "T01 all 22", "T02 all 42"}));
  // By another tree no more is told, and neither cells nor records tell it.
  request.set_dimensions("level=city");
  request.set_tree_mode(v1::TREE_MODE_AS_IS);
  EXPECT_EQ(Answers(*clerk, request), (Lines{"D01 city 14", "T01 city *", "T02 city *"}));
  const std::string name =
      "federations/demo/organizations/D01/figures/needy_workers_total/2020H1/level=city";
  ASSERT_OK_AND_ASSIGN(const auto explained, Explain(*clerk, name));
  EXPECT_EQ(explained.figure().value(), 14);
  ASSERT_EQ(explained.cells_size(), 2);
  for (const v1::Cell& cell : explained.cells()) {
    EXPECT_EQ(cell.text(), "*");
    EXPECT_EQ(cell.value(), 0);
    EXPECT_EQ(cell.records(), 0);
  }
  EXPECT_EQ(explained.records_size(), 0);
  ASSERT_OK_AND_ASSIGN(const auto seen, Explain(*admin_, name));
  EXPECT_EQ(seen.records_size(), 14);
  ASSERT_OK_AND_ASSIGN(
      const auto hidden,
      Explain(*clerk,
              "federations/demo/organizations/T01/figures/needy_workers_total/2020H1/level=city"));
  EXPECT_TRUE(hidden.figure().suppressed());
  EXPECT_EQ(hidden.figure().text(), "");
  EXPECT_EQ(hidden.cells_size() + hidden.records_size(), 0);
  // What is no matter of persons is shown.
  EXPECT_EQ(Answers(*clerk, Query("E01", "2020-01", "handouts_distributed", "topic=law")).size(),
            1u);
}

TEST_P(FigureBasesTest, APreviewIsWhatChanges) {
  AddMembers("E01", 100, 6);
  AddMembers("E02", 200, 3);
  AddHardshipFiles("E01", "city", "2020-02-10", 20, 2);
  ASSERT_THAT(suite_->CatchUp(), IsOk());
  CheckPlan({MoveStep()});
  if (HasFailure()) return;

  membership::v1::ReorganizationStep merge;
  merge.mutable_merge()->add_sources("E01");
  merge.mutable_merge()->set_target("E02");
  merge.mutable_merge()->set_valid_from("2020-05-01");
  CheckPlan({merge});
  if (HasFailure()) return;

  membership::v1::ReorganizationStep found;
  membership::v1::Organization& organization = *found.mutable_found()->mutable_organization();
  organization.set_id("E03");
  organization.set_parent("T02");
  organization.set_display_name("E03工会");
  organization.set_kind("enterprise");
  organization.set_founded_on("2020-06-01");
  membership::v1::ReorganizationStep split;
  split.mutable_split()->set_source("E01");
  split.mutable_split()->add_targets("E03");
  split.mutable_split()->add_targets("E02");
  split.mutable_split()->set_valid_from("2020-06-01");
  membership::v1::SplitRule& women = *split.mutable_split()->add_rules();
  women.set_field("sex");
  women.add_values("female");
  women.set_target("E03");
  split.mutable_split()->add_rules()->set_target("E02");
  CheckPlan({found, split});
}

TEST_P(FigureBasesTest, APreviewKeepsToPlansAndRights) {
  ASSERT_OK_AND_ASSIGN(const auto plan, Plan({MoveStep()}));
  v1::PreviewReorganizationRequest request;
  request.set_name(plan.name());
  request.add_measures("handouts_distributed");
  request.add_periods("2020H1");
  const std::string method = absl::StrCat(kReports, "PreviewReorganization");
  ASSERT_OK_AND_ASSIGN(const auto preview,
                       admin_->Invoke<v1::PreviewReorganizationResponse>(method, request));
  ASSERT_EQ(preview.changes_size(), 2);
  EXPECT_EQ(preview.changes(0).organization(), "T01");
  EXPECT_EQ(preview.changes(0).new_text(), "0");
  EXPECT_EQ(preview.changes(1).organization(), "T02");
  EXPECT_EQ(preview.changes(1).period(), "2020H1");

  using namespace common::v1;  // NOLINT(google-build-using-namespace): reasons only.
  const auto other = Client("other", "admin", "*");
  EXPECT_THAT(other->Invoke<v1::PreviewReorganizationResponse>(method, request),
              HasReason(REASON_WRONG_FEDERATION));
  const auto town = Client("demo", "statistician", "T02");
  EXPECT_THAT(town->Invoke<v1::PreviewReorganizationResponse>(method, request),
              HasReason(REASON_OUT_OF_SCOPE));
  request.add_measures("no_such");
  EXPECT_THAT(admin_->Invoke<v1::PreviewReorganizationResponse>(method, request),
              HasReasonAt(REASON_MEASURE_UNKNOWN, "measures[1]"));
  request.clear_measures();
  request.add_periods("May");
  EXPECT_THAT(admin_->Invoke<v1::PreviewReorganizationResponse>(method, request),
              HasReasonAt(REASON_PERIOD_INVALID, "periods[1]"));
  request.clear_periods();
  Apply(plan.name());
  EXPECT_THAT(admin_->Invoke<v1::PreviewReorganizationResponse>(method, request),
              HasReasonAt(REASON_STATE_FORBIDS, "name"));
}

INSTANTIATE_TEST_SUITE_P(Engines, FigureBasesTest,
                         ::testing::ValuesIn(::gonghui::testing::Engines()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace gonghui::reports
