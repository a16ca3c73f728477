// What returns state enters the figures once: by declaration instead of the facts of records.
#include "tests/integration/returns_suite.h"

namespace gonghui::reports {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kForm[] = "district_half_year";
constexpr char kHalf[] = "district_half_year.2020H1.D02";
constexpr char kNext[] = "district_half_year.2020H2.D02";

class CoverageTest : public ReturnsSuite {};

TEST_P(CoverageTest, EitherRecordsOrReturnsCount) {
  EXPECT_EQ(Figure("C01", "2020H1", "skills_contests_held"), "2");
  File(kHalf, {{"102", 120}, {"103", 40}, {"201", 30}, {"202", 12}, {"205", 9}, {"304", 8331}});
  // Without declaration, records count.
  EXPECT_EQ(Figure("C01", "2020H1", "skills_contests_held"), "2");
  EXPECT_EQ(Figure("C01", "2020H1", "members_total"), "0");
  EXPECT_EQ(Divergent(), 0);

  ASSERT_THAT(Declare(*admin_, Covers("D02", kForm, "2020H1")), IsOk());
  EXPECT_EQ(Figure("D02", "2020H1", "skills_contests_held"), "30");
  EXPECT_EQ(Figure("C01", "2020H1", "skills_contests_held"), "31");  // And the one of D01.
  EXPECT_EQ(Figure("C01", "2020H1", "skills_contests_held", "host=enterprise"), "13");
  EXPECT_EQ(Figure("C01", "2020H1", "members_total"), "120");
  EXPECT_EQ(Figure("C01", "2020H1", "members_total", "sex=female"), "40");
  EXPECT_EQ(Figure("C01", "2020H1", "ankang_units"), "9");
  EXPECT_EQ(Figure("C01", "2020H1", "dispute_amount"), "83.31");
  EXPECT_EQ(Divergent(), 0);

  // A record that comes later below D02 does not count, one of D01 does.
  HoldContest("E02", "S9", "2020-04-01");
  HoldContest("E01", "S8", "2020-04-01");
  ASSERT_THAT(suite_->CatchUp(), IsOk());
  EXPECT_EQ(Figure("C01", "2020H1", "skills_contests_held"), "32");
  EXPECT_EQ(Divergent(), 0);
}

TEST_P(CoverageTest, FiguresLeadToTheReturn) {
  File(kHalf, {{"201", 30}});
  ASSERT_THAT(Declare(*admin_, Covers("D02", kForm, "2020H1")), IsOk());
  v1::ExplainFigureRequest request;
  request.set_name("federations/demo/organizations/C01/figures/skills_contests_held/2020H1");
  auto explained = admin_->Invoke<v1::ExplainFigureResponse>(
      "/gonghui.reports.v1.ReportService/ExplainFigure", request);
  ASSERT_THAT(explained, IsOk());
  std::vector<std::string> records;
  for (const auto& record : explained->records()) {
    records.push_back(absl::StrCat(record.record().substr(0, 25), " ", record.delta()));
  }
  ASSERT_EQ(explained->records_size(), 2);
  EXPECT_EQ(explained->records(0).record(), Name(kHalf));
  EXPECT_EQ(explained->records(0).delta(), 30);
}

TEST_P(CoverageTest, WithdrawalBringsRecordsBack) {
  File(kHalf, {{"201", 30}});
  v1::DeclareCoverageRequest declare = Covers("D02", kForm, "2020H1");
  declare.set_request_id("d1");
  ASSERT_OK_AND_ASSIGN(auto coverage, Declare(*admin_, declare));
  ASSERT_OK_AND_ASSIGN(auto again, Declare(*admin_, declare));
  EXPECT_EQ(coverage.name(), again.name());
  EXPECT_EQ(Figure("C01", "2020H1", "skills_contests_held"), "31");

  v1::WithdrawCoverageRequest withdraw;
  withdraw.set_name(coverage.name());
  EXPECT_THAT(Ask<v1::Coverage>(*filer_, "WithdrawCoverage", withdraw),
              HasReason(common::v1::REASON_PERMISSION_MISSING));
  EXPECT_THAT(Ask<v1::Coverage>(*stranger_, "WithdrawCoverage", withdraw),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  withdraw.set_request_id("w1");
  ASSERT_THAT(Ask<v1::Coverage>(*admin_, "WithdrawCoverage", withdraw), IsOk());
  ASSERT_THAT(Ask<v1::Coverage>(*admin_, "WithdrawCoverage", withdraw), IsOk());
  withdraw.set_request_id("");
  EXPECT_THAT(Ask<v1::Coverage>(*admin_, "WithdrawCoverage", withdraw),
              HasReason(common::v1::REASON_STATE_FORBIDS));
  EXPECT_EQ(Figure("C01", "2020H1", "skills_contests_held"), "2");
  EXPECT_EQ(Divergent(), 0);

  v1::ListCoveragesRequest list;
  list.set_parent("federations/demo");
  ASSERT_OK_AND_ASSIGN(auto none, Ask<v1::ListCoveragesResponse>(*admin_, "ListCoverages", list));
  EXPECT_EQ(none.coverages_size(), 0);
  list.set_withdrawn(true);
  ASSERT_OK_AND_ASSIGN(auto all, Ask<v1::ListCoveragesResponse>(*admin_, "ListCoverages", list));
  ASSERT_EQ(all.coverages_size(), 1);
  EXPECT_EQ(all.coverages(0).withdrawn_by(), "admin");
}

TEST_P(CoverageTest, ContradictionsAreRefusedByName) {
  ASSERT_OK_AND_ASSIGN(auto first, Declare(*admin_, Covers("D02", kForm, "2020H1", "2020H2")));
  const auto refused = Declare(*admin_, Covers("T02", "", "2020-05"));
  EXPECT_THAT(refused, HasReason(common::v1::REASON_COVERAGE_CONFLICT));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr(first.name()));
  // Both hold everything below: a street's return lies within its district's.
  EXPECT_THAT(Declare(*admin_, Covers("T02", kForm, "2020H2")),
              HasReason(common::v1::REASON_COVERAGE_CONFLICT));
  EXPECT_THAT(Declare(*admin_, Covers("T02", kForm, "2021H1")), IsOk());
  EXPECT_THAT(Declare(*admin_, Covers("D01", kForm, "2020H1")), IsOk());
  v1::DeclareCoverageRequest one = Covers("T02", "", "2020H1");
  one.mutable_coverage()->add_measures("publicity_sessions_held");  // Not on the form.
  EXPECT_THAT(Declare(*admin_, one), IsOk());
}

TEST_P(CoverageTest, DeclarationsAreChecked) {
  EXPECT_THAT(Declare(*admin_, Covers("D02", kForm, "2020Q2")),
              HasReasonAt(common::v1::REASON_PERIOD_INVALID, "coverage.from_period"));
  EXPECT_THAT(Declare(*admin_, Covers("D02", kForm, "2020H1", "2020-08")),
              HasReasonAt(common::v1::REASON_PERIOD_INVALID, "coverage.to_period"));
  EXPECT_THAT(Declare(*admin_, Covers("D02", "no_form", "2020H1")),
              HasReasonAt(common::v1::REASON_FORM_UNKNOWN, "coverage.form"));
  EXPECT_THAT(Declare(*admin_, Covers("E02", kForm, "2020H1")),
              HasReasonAt(common::v1::REASON_RULE_VIOLATED, "coverage.organization"));
  v1::DeclareCoverageRequest measure = Covers("D02", kForm, "2020H1");
  measure.mutable_coverage()->add_measures("reform_pilots");
  EXPECT_THAT(Declare(*admin_, measure),
              HasReasonAt(common::v1::REASON_MEASURE_UNKNOWN, "coverage.measures"));
  measure.mutable_coverage()->set_measures(0, "no_measure");
  EXPECT_THAT(Declare(*admin_, measure),
              HasReasonAt(common::v1::REASON_MEASURE_UNKNOWN, "coverage.measures[0]"));
  EXPECT_THAT(Declare(*filer_, Covers("D02", kForm, "2020H1")),
              HasReason(common::v1::REASON_PERMISSION_MISSING));
  const auto elsewhere = ClientOf("demo", "statistician", "D01", "elsewhere");
  EXPECT_THAT(Declare(*elsewhere, Covers("D02", kForm, "2020H1")),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Declare(*stranger_, Covers("D02", kForm, "2020H1")),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
}

TEST_P(CoverageTest, BalancesAreAsStatedAtEachPeriodsEnd) {
  ASSERT_THAT(Declare(*admin_, Covers("D02", kForm, "2020H2", "2020H2")), IsOk());
  File(kHalf, {{"102", 100}, {"103", 40}, {"201", 5}});  // Before the coverage.
  const std::string organizations = Figure("C01", "2020-06", "union_orgs_total");
  EXPECT_EQ(Figure("C01", "2020-06", "members_total"), "0");
  // From its first month on the last stated balance counts, instead of what records say.
  EXPECT_EQ(Figure("C01", "2020-07", "members_total"), "100");
  File(kNext, {{"102", 110}, {"201", 7}});
  EXPECT_EQ(Figure("C01", "2020-11", "members_total"), "100");
  EXPECT_EQ(Figure("C01", "2020-12", "members_total"), "110");
  EXPECT_EQ(Figure("C01", "2020-12", "members_total", "sex=female"), "0");  // No longer stated.
  EXPECT_EQ(Figure("C01", "2020H1", "skills_contests_held"), "2");
  EXPECT_EQ(Figure("C01", "2020", "skills_contests_held"), "9");
  // After it, records again.
  EXPECT_EQ(Figure("C01", "2021-01", "members_total"), "0");
  EXPECT_EQ(Figure("C01", "2021-01", "union_orgs_total"), organizations);
  EXPECT_EQ(Divergent(), 0);
}

TEST_P(CoverageTest, CorrectionsAreDifferences) {
  ASSERT_THAT(Declare(*admin_, Covers("D02", kForm, "2020H1")), IsOk());
  File(kHalf, {{"102", 100}, {"103", 40}, {"201", 5}});
  File(kNext, {{"102", 110}, {"103", 44}, {"201", 7}});
  ASSERT_THAT(Reopen(*reviewer_, kHalf), IsOk());
  EXPECT_EQ(Figure("C01", "2020H1", "members_total"), "100");  // Until it is approved anew.
  Fill(kHalf, {{"102", 90}, {"201", 6}});
  SubmitAndApprove(kHalf);
  EXPECT_EQ(Figure("D02", "2020H1", "members_total"), "90");
  EXPECT_EQ(Figure("D02", "2020H1", "members_total", "sex=female"), "40");
  EXPECT_EQ(Figure("D02", "2020H1", "skills_contests_held"), "6");
  EXPECT_EQ(Figure("D02", "2020H2", "members_total"), "110");  // As the later return states.
  EXPECT_EQ(Figure("D02", "2020", "skills_contests_held"), "13");
  EXPECT_EQ(Divergent(), 0);
}

TEST_P(CoverageTest, ARebuildCountsReturnsToo) {
  ASSERT_THAT(Declare(*admin_, Covers("D02", kForm, "2020H1")), IsOk());
  File(kHalf, {{"102", 100}, {"201", 5}});
  v1::RebuildRollupsRequest request;
  request.set_parent("federations/demo");
  ASSERT_THAT(testing::RunJob<v1::RebuildRollupsResult>(
                  *admin_, "/gonghui.reports.v1.ReportService/RebuildRollups",
                  "gonghui.reports.v1.JobService", request),
              IsOk());
  EXPECT_EQ(Figure("C01", "2020H1", "members_total"), "100");
  EXPECT_EQ(Figure("C01", "2020H1", "skills_contests_held"), "6");
  EXPECT_EQ(Divergent(), 0);
}

TEST_P(CoverageTest, ReturnsOfUnitsAddUp) {
  const std::string survey = "basic_union_survey.2020S.";
  ASSERT_THAT(Declare(*admin_, Covers("D02", "basic_union_survey", "2020S")), IsOk());
  CreateOrganization("E03", "T02", "enterprise");
  Fill(survey + "E02", {{"101.total", 60}, {"102.total", 50}, {"102.female", 20}, {"301", 2}});
  SubmitAndApprove(survey + "E02");
  Fill(survey + "E03", {{"101.total", 9}, {"102.total", 7}, {"303", 1}});
  SubmitAndApprove(survey + "E03");
  EXPECT_EQ(Figure("C01", "2020-09", "members_total"), "57");
  EXPECT_EQ(Figure("C01", "2020S", "disputes_accepted"), "2");
  EXPECT_EQ(Figure("T02", "2020-09", "needy_workers_total"), "1");
  EXPECT_EQ(Divergent(), 0);
}

INSTANTIATE_TEST_SUITE_P(Engines, CoverageTest, ::testing::ValuesIn(testing::Engines()));

}  // namespace
}  // namespace gonghui::reports
