// Returns from the first cell to approval, by the public RPCs.
#include "tests/integration/returns_suite.h"

namespace gonghui::reports {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kHalf[] = "district_half_year.2020H1.D02";

class ReturnsTest : public ReturnsSuite {};

const v1::ReturnCell* CellOf(const v1::Return& from, const std::string& code) {
  for (const v1::ReturnCell& cell : from.cells()) {
    if (cell.code() == code) return &cell;
  }
  return nullptr;
}

TEST_P(ReturnsTest, FormsAreShownAsTheCatalogueHasThem) {
  ASSERT_OK_AND_ASSIGN(auto listed,
                       Ask<v1::ListFormsResponse>(*filer_, "ListForms", v1::ListFormsRequest()));
  EXPECT_EQ(listed.forms_size(), 3);
  EXPECT_FALSE(listed.version().empty());
  v1::GetFormRequest request;
  request.set_name("forms/basic_union_survey");
  ASSERT_OK_AND_ASSIGN(auto form, Ask<v1::Form>(*filer_, "GetForm", request));
  EXPECT_EQ(form.rows(1).cells(1).code(), "101.female");
  EXPECT_EQ(form.rows(7).cells(0).code(), "201");
  request.set_on_date("2001-01-01");
  EXPECT_THAT(Ask<v1::Form>(*filer_, "GetForm", request),
              HasReasonAt(common::v1::REASON_FORM_UNKNOWN, "name"));
}

TEST_P(ReturnsTest, AReturnThatNobodyBeganIsTheEmptyForm) {
  ASSERT_OK_AND_ASSIGN(auto missing, Get(*filer_, kHalf));
  EXPECT_EQ(missing.state(), v1::RETURN_STATE_MISSING);
  EXPECT_EQ(missing.due_date(), "2020-07-10");
  EXPECT_TRUE(missing.late());
  ASSERT_NE(CellOf(missing, "102"), nullptr);
  EXPECT_FALSE(CellOf(missing, "102")->has_value());

  EXPECT_THAT(Get(*filer_, "no_form.2020H1.D02"),
              HasReasonAt(common::v1::REASON_FORM_UNKNOWN, "name"));
  EXPECT_THAT(Get(*filer_, "district_half_year.2020.D02"),
              HasReasonAt(common::v1::REASON_PERIOD_INVALID, "name"));
  EXPECT_THAT(Get(*filer_, "district_half_year.2020H1.X99"),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "name"));
  EXPECT_THAT(Get(*filer_, "district_half_year"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "name"));
  EXPECT_THAT(Get(*admin_, "district_half_year.2020H1.E01"),
              HasReasonAt(common::v1::REASON_RULE_VIOLATED, "name"));
  EXPECT_THAT(Get(*filer_, "district_half_year.2020H1.D01"),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Get(*stranger_, kHalf), HasReason(common::v1::REASON_WRONG_FEDERATION));
}

TEST_P(ReturnsTest, TwoClerksFillDifferentCells) {
  ASSERT_THAT(Update(*filer_, Edit(kHalf, "101", 5)), IsOk());
  ASSERT_OK_AND_ASSIGN(auto both, Update(*second_filer_, Edit(kHalf, "102", 120)));
  EXPECT_EQ(CellOf(both, "101")->value(), 5);
  EXPECT_EQ(CellOf(both, "102")->value(), 120);
  EXPECT_EQ(both.state(), v1::RETURN_STATE_DRAFT);
}

TEST_P(ReturnsTest, AnOverwrittenCellIsShownNotWritten) {
  ASSERT_THAT(Update(*filer_, Edit(kHalf, "101", 5)), IsOk());
  v1::UpdateReturnRequest late = Edit(kHalf, "101", 7);
  v1::CellEdit& other = *late.add_edits();
  other.set_code("104");
  other.set_value(1);
  const auto refused = Update(*second_filer_, late);
  EXPECT_THAT(refused, HasReason(common::v1::REASON_CONFLICT));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("now '5' (filer), yours '7'"));
  ASSERT_OK_AND_ASSIGN(auto now, Get(*filer_, kHalf));
  EXPECT_EQ(CellOf(now, "101")->value(), 5);
  EXPECT_FALSE(CellOf(now, "104")->has_value());  // All or nothing.

  EXPECT_THAT(Update(*second_filer_, Edit(kHalf, "101", 5)), IsOk());  // The same: no conflict.
  EXPECT_THAT(Update(*second_filer_, Edit(kHalf, "101", 7, 5)), IsOk());
  v1::UpdateReturnRequest by_etag = Edit(kHalf, "102", 1);
  by_etag.set_etag(now.etag());
  EXPECT_THAT(Update(*filer_, by_etag), HasReason(common::v1::REASON_ETAG_MISMATCH));
}

TEST_P(ReturnsTest, EditsAreCheckedAndReplayed) {
  EXPECT_THAT(Update(*filer_, Edit(kHalf, "999", 5)),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "edits[0].code"));
  v1::UpdateReturnRequest twice = Edit(kHalf, "101", 5);
  *twice.add_edits() = twice.edits(0);
  EXPECT_THAT(Update(*filer_, twice),
              HasReasonAt(common::v1::REASON_DUPLICATE_IN_REQUEST, "edits[1].code"));
  EXPECT_THAT(Update(*filer_, Edit(kHalf, "101", int64_t{2'000'000'000'000'000})),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "edits[0].value"));
  EXPECT_THAT(Update(*filer_, Edit("district_half_year.2020H1.D01", "101", 5)),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Update(*reviewer_, Edit(kHalf, "101", 5)),
              HasReason(common::v1::REASON_PERMISSION_MISSING));
  EXPECT_THAT(Update(*stranger_, Edit(kHalf, "101", 5)),
              HasReason(common::v1::REASON_WRONG_FEDERATION));

  v1::UpdateReturnRequest once = Edit(kHalf, "101", 5);
  once.set_request_id("r1");
  ASSERT_OK_AND_ASSIGN(auto first, Update(*filer_, once));
  ASSERT_OK_AND_ASSIGN(auto again, Update(*filer_, once));
  EXPECT_EQ(first.etag(), again.etag());
  once.mutable_edits(0)->set_value(6);
  EXPECT_THAT(Update(*filer_, once), HasReason(common::v1::REASON_REQUEST_ID_REUSED));
}

TEST_P(ReturnsTest, AllThatDoesNotHoldIsToldAtOnce) {
  // 103 > 102 (parts), 401 <> the levels, 302 > 301 (a warning); 101 is blank.
  Fill(kHalf, {{"102", 10}, {"103", 11}, {"401", 9}, {"402", 3}, {"301", 1}, {"302", 2}});
  v1::ValidateReturnRequest request;
  request.set_name(Name(kHalf));
  ASSERT_OK_AND_ASSIGN(auto checked,
                       Ask<v1::ValidateReturnResponse>(*filer_, "ValidateReturn", request));
  std::vector<std::string> rules;
  for (const v1::RuleViolation& violation : checked.violations()) rules.push_back(violation.rule());
  EXPECT_THAT(rules, ElementsAre("required", "parts", "needy_by_level", "closed_among_accepted"));
  EXPECT_FALSE(checked.submittable());
  EXPECT_EQ(checked.skipped_size(), 3);  // 303 is blank, no quarterly return, nothing a year ago.
  const auto refused = Submit(*filer_, kHalf);
  EXPECT_THAT(refused, HasReason(common::v1::REASON_CELL_INVALID));
  EXPECT_THAT(std::string(refused.status().message()),
              HasSubstr("401 (9) = 402 (3) + 403 (-) + 404 (-) + 405 (-) does not hold"));
  EXPECT_THAT(MessageZhOf(refused.status()), HasSubstr("以下单元格必填：101"));

  Fill(kHalf, {{"101", 0}, {"103", 4}, {"405", 6}, {"303", 2}});
  EXPECT_THAT(Submit(*filer_, kHalf), HasReason(common::v1::REASON_CELL_INVALID));
  v1::UpdateReturnRequest why = Edit(kHalf, "302", 2, 2);
  why.mutable_edits(0)->set_reason("含上期受理案件");
  ASSERT_THAT(Update(*filer_, why), IsOk());
  ASSERT_OK_AND_ASSIGN(auto submitted, Submit(*filer_, kHalf));
  EXPECT_EQ(submitted.state(), v1::RETURN_STATE_SUBMITTED);
  EXPECT_EQ(submitted.submitted_by(), "filer");
  EXPECT_THAT(Update(*filer_, Edit(kHalf, "104", 1)), HasReason(common::v1::REASON_STATE_FORBIDS));
  EXPECT_THAT(Submit(*filer_, "district_half_year.2090H1.D02"),
              HasReason(common::v1::REASON_PERIOD_NOT_OVER));
}

TEST_P(ReturnsTest, LastYearAndOtherFormsAreAsked) {
  File(kHalf, {{"401", 3}, {"402", 3}});
  const std::string next = "district_half_year.2021H1.D02";
  const std::string quarter = "hardship_quarter.2021Q2.D02";
  Fill(quarter, {{"101", 8}, {"102", 8}});
  ASSERT_THAT(Submit(*admin_, quarter), IsOk());
  Fill(next, {{"101", 4}, {"102", 200}, {"401", 7}, {"402", 7}});
  const auto refused = Submit(*filer_, next);
  EXPECT_THAT(refused, HasReason(common::v1::REASON_CELL_INVALID));
  EXPECT_THAT(std::string(refused.status().message()),
              HasSubstr("102 was 100 a year ago and is 200 (+100.0 %), outside -20 % … +20 %"));
  EXPECT_THAT(std::string(refused.status().message()),
              HasSubstr("401 (7) = hardship_quarter:101 (8)"));
  Fill(next, {{"102", 110}, {"401", 8}, {"402", 8}});
  EXPECT_THAT(Submit(*filer_, next), IsOk());
}

TEST_P(ReturnsTest, ReviewGoesUpTwoLevelsAndBackWithRemarks) {
  Fill(kHalf, {{"101", 4}, {"102", 100}});
  EXPECT_THAT(Approve(*reviewer_, kHalf), HasReason(common::v1::REASON_STATE_FORBIDS));
  ASSERT_THAT(Submit(*filer_, kHalf), IsOk());
  EXPECT_THAT(Approve(*filer_, kHalf), HasReason(common::v1::REASON_PERMISSION_MISSING));
  const auto own = ClientOf("demo", "return_reviewer", "D02", "own");
  EXPECT_THAT(Approve(*own, kHalf), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Approve(*stranger_, kHalf), HasReason(common::v1::REASON_WRONG_FEDERATION));

  v1::ReviewReturnRequest back;
  back.set_name(Name(kHalf));
  EXPECT_THAT(Ask<v1::Return>(*reviewer_, "ReviewReturn", back),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "remark"));
  v1::CellRemark& remark = *back.add_cell_remarks();
  remark.set_code("999");
  remark.set_remark("与名册不符");
  EXPECT_THAT(Ask<v1::Return>(*reviewer_, "ReviewReturn", back),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "cell_remarks[0].code"));
  remark.set_code("102");
  back.set_request_id("b1");
  ASSERT_OK_AND_ASSIGN(auto sent, Ask<v1::Return>(*reviewer_, "ReviewReturn", back));
  EXPECT_EQ(sent.state(), v1::RETURN_STATE_SENT_BACK);
  EXPECT_EQ(CellOf(sent, "102")->remark(), "与名册不符");
  ASSERT_OK_AND_ASSIGN(auto replayed, Ask<v1::Return>(*reviewer_, "ReviewReturn", back));
  EXPECT_EQ(replayed.etag(), sent.etag());

  ASSERT_THAT(Update(*filer_, Edit(kHalf, "102", 99, 100)), IsOk());
  ASSERT_OK_AND_ASSIGN(auto submitted, Submit(*filer_, kHalf));
  EXPECT_EQ(CellOf(submitted, "102")->remark(), "");
  ASSERT_OK_AND_ASSIGN(auto endorsed, Approve(*reviewer_, kHalf));
  EXPECT_EQ(endorsed.state(), v1::RETURN_STATE_ENDORSED);
  EXPECT_THAT(Approve(*reviewer_, kHalf), HasReason(common::v1::REASON_RULE_VIOLATED));
  ASSERT_OK_AND_ASSIGN(auto approved, Approve(*second_reviewer_, kHalf));
  EXPECT_EQ(approved.state(), v1::RETURN_STATE_APPROVED);
  EXPECT_THAT(approved.approved_by(), ElementsAre("reviewer", "chief"));
}

TEST_P(ReturnsTest, NobodyApprovesWhatTheySubmitted) {
  Fill(kHalf, {{"101", 4}, {"102", 100}});
  ASSERT_THAT(Submit(*admin_, kHalf), IsOk());
  EXPECT_THAT(Approve(*admin_, kHalf), HasReason(common::v1::REASON_RULE_VIOLATED));
}

TEST_P(ReturnsTest, LockedReturnsAreOpenedByTheRootWithAReason) {
  File(kHalf, {});
  v1::LockReturnRequest lock;
  lock.set_name(Name(kHalf));
  EXPECT_THAT(Ask<v1::Return>(*filer_, "LockReturn", lock),
              HasReason(common::v1::REASON_PERMISSION_MISSING));
  lock.set_request_id("l1");
  ASSERT_OK_AND_ASSIGN(auto locked, Ask<v1::Return>(*reviewer_, "LockReturn", lock));
  EXPECT_EQ(locked.state(), v1::RETURN_STATE_LOCKED);
  ASSERT_OK_AND_ASSIGN(auto again, Ask<v1::Return>(*reviewer_, "LockReturn", lock));
  EXPECT_EQ(again.etag(), locked.etag());
  v1::ReopenReturnRequest silent;
  silent.set_name(Name(kHalf));
  EXPECT_THAT(Ask<v1::Return>(*reviewer_, "ReopenReturn", silent),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "reason"));
  ASSERT_OK_AND_ASSIGN(auto open, Reopen(*reviewer_, kHalf));
  EXPECT_EQ(open.state(), v1::RETURN_STATE_DRAFT);
  EXPECT_EQ(open.remark(), "更正");

  v1::ListReturnChangesRequest history;
  history.set_name(Name(kHalf));
  history.set_page_size(3);
  std::vector<std::string> lines;
  do {
    ASSERT_OK_AND_ASSIGN(auto page,
                         Ask<v1::ListReturnChangesResponse>(*filer_, "ListReturnChanges", history));
    for (const v1::ReturnChange& change : page.changes()) {
      lines.push_back(absl::StrCat(change.actor(), " ", change.cell(),
                                   change.cell().empty() ? "" : ": ", change.old_value(), " -> ",
                                   change.new_value()));
    }
    history.set_page_token(page.next_page_token());
  } while (!history.page_token().empty());
  EXPECT_THAT(lines, ElementsAre("admin MISSING -> DRAFT", "admin 101:  -> 4", "admin 102:  -> 100",
                                 "admin DRAFT -> SUBMITTED", "reviewer SUBMITTED -> ENDORSED",
                                 "chief ENDORSED -> APPROVED", "reviewer APPROVED -> LOCKED",
                                 "reviewer LOCKED -> DRAFT"));
  EXPECT_THAT(Ask<v1::ListReturnChangesResponse>(*stranger_, "ListReturnChanges", history),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
}

TEST_P(ReturnsTest, ReturnsAreListedBySubtreeStateAndPage) {
  File(kHalf, {});
  Fill("district_half_year.2020H1.D01", {{"101", 1}});
  Fill("district_half_year.2020H1.T02", {{"101", 1}});
  v1::ListReturnsRequest request;
  request.set_parent("federations/demo");
  request.set_page_size(2);
  ASSERT_OK_AND_ASSIGN(auto first, Ask<v1::ListReturnsResponse>(*admin_, "ListReturns", request));
  ASSERT_EQ(first.returns_size(), 2);
  EXPECT_EQ(first.returns(0).organization(), "D01");
  request.set_page_token(first.next_page_token());
  ASSERT_OK_AND_ASSIGN(auto rest, Ask<v1::ListReturnsResponse>(*admin_, "ListReturns", request));
  ASSERT_EQ(rest.returns_size(), 1);
  EXPECT_EQ(rest.returns(0).organization(), "T02");
  request.set_page_token("");
  request.set_state(v1::RETURN_STATE_DRAFT);
  request.set_organization("D02");
  request.set_late(true);
  ASSERT_OK_AND_ASSIGN(auto drafts, Ask<v1::ListReturnsResponse>(*filer_, "ListReturns", request));
  ASSERT_EQ(drafts.returns_size(), 1);
  EXPECT_EQ(drafts.returns(0).organization(), "T02");
  EXPECT_TRUE(drafts.returns(0).late());
  request.set_organization("D01");
  EXPECT_THAT(Ask<v1::ListReturnsResponse>(*filer_, "ListReturns", request),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
}

TEST_P(ReturnsTest, CompletenessAndRemindersNameTheLate) {
  File(kHalf, {});
  ASSERT_THAT(Update(*filer_, Edit("district_half_year.2020H1.T02", "101", 1)), IsOk());
  v1::GetCompletenessRequest request;
  request.set_parent("federations/demo");
  request.set_organization("C01");
  request.set_form("district_half_year");
  request.set_period("2020H1");
  ASSERT_OK_AND_ASSIGN(auto answer,
                       Ask<v1::GetCompletenessResponse>(*reviewer_, "GetCompleteness", request));
  EXPECT_EQ(answer.total().due(), 4);  // Two districts, two streets.
  EXPECT_EQ(answer.total().received(), 1);
  EXPECT_EQ(answer.total().on_time(), 0);
  EXPECT_EQ(answer.total().late(), 1);
  EXPECT_EQ(answer.total().overdue(), 3);
  EXPECT_EQ(answer.total().approved(), 1);
  ASSERT_EQ(answer.children_size(), 2);
  EXPECT_EQ(answer.children(1).organization(), "D02");
  EXPECT_EQ(answer.children(1).received(), 1);
  ASSERT_EQ(answer.units_size(), 4);
  EXPECT_EQ(answer.units(0).state(), v1::RETURN_STATE_MISSING);
  EXPECT_EQ(answer.units(1).state(), v1::RETURN_STATE_APPROVED);
  request.set_form("no_form");
  EXPECT_THAT(Ask<v1::GetCompletenessResponse>(*reviewer_, "GetCompleteness", request),
              HasReasonAt(common::v1::REASON_FORM_UNKNOWN, "form"));

  v1::ListRemindersRequest remind;
  remind.set_parent("federations/demo");
  remind.set_organization("C01");
  remind.set_form("district_half_year");
  remind.set_period("2020H1");
  remind.set_page_size(2);
  ASSERT_OK_AND_ASSIGN(auto first,
                       Ask<v1::ListRemindersResponse>(*reviewer_, "ListReminders", remind));
  ASSERT_EQ(first.reminders_size(), 2);
  EXPECT_EQ(first.reminders(0).organization(), "T01");  // Due five days before the districts.
  EXPECT_EQ(first.reminders(1).organization(), "T02");
  EXPECT_EQ(first.reminders(1).last_editor(), "filer");
  EXPECT_EQ(first.reminders(1).superior(), "D02");
  EXPECT_GT(first.reminders(1).days_late(), 365);
  remind.set_page_token(first.next_page_token());
  ASSERT_OK_AND_ASSIGN(auto rest,
                       Ask<v1::ListRemindersResponse>(*reviewer_, "ListReminders", remind));
  ASSERT_EQ(rest.reminders_size(), 1);
  EXPECT_EQ(rest.reminders(0).organization(), "D01");
  v1::ListRemindersRequest open;
  open.set_parent("federations/demo");
  open.set_organization("C01");
  ASSERT_OK_AND_ASSIGN(auto all, Ask<v1::ListRemindersResponse>(*reviewer_, "ListReminders", open));
  EXPECT_GE(all.reminders_size(), 2);  // The last period of every form.
}

INSTANTIATE_TEST_SUITE_P(Engines, ReturnsTest, ::testing::ValuesIn(testing::Engines()));

}  // namespace
}  // namespace gonghui::reports
