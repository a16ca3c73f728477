// Elections, posts, women's committees, meetings, delegates.
#include "tests/acceptance/registry.h"

namespace gonghui::district {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(Registry, S05_ElectionsFromPlanToReply) {
  const std::string election =
      New("election", "E01", "2020-01-10",
          {{"number", "HJ-1"}, {"deadline", "2020-05-31"}, {"seats", "2"}});
  const auto stand = [&](const Fields& more) {
    Fields fields = {{"election", "HJ-1"},
                     {"post", "committee_member"},
                     {"full_name", "张三"},
                     {"person", IdNumber()}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("election_candidate", "E01", "2020-02-01", fields);
  };
  // Barred by law.
  EXPECT_THAT(stand({{"tie", "near_relative"}}), Breaks("near_relative_barred"));
  EXPECT_THAT(stand({{"post", "chair"}, {"tie", "hr_head"}}), Breaks("chair_barred"));
  EXPECT_THAT(stand({{"tie", "hr_head"}, {"keeps_membership_only", "true"}}),
              Breaks("kept_membership_barred"));
  ASSERT_OK_AND_ASSIGN(const Record first, stand({}));
  ASSERT_OK_AND_ASSIGN(const Record second, stand({}));
  EXPECT_EQ(Field(election, "candidates"), "2");
  // Nobody is elected and nothing completed without a vote.
  EXPECT_THAT(Step(first.name(), "elect", "2020-02-10", {{"votes", "80"}}),
              Breaks("elected_by_a_vote"));
  EXPECT_THAT(Step(election, "complete", "2020-02-15", {{"eligible", "120"}, {"attended", "90"}}),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "transition"));
  // Too little choice; and only the upper union approves.
  EXPECT_THAT(Step(election, "approve", "2020-03-01"), Breaks("more_candidates_than_seats"));
  ASSERT_OK_AND_ASSIGN(const Record third, stand({}));
  EXPECT_THAT(StepBy(*unit_, election, "approve", "2020-03-01"),
              HasReasonAt(common::v1::REASON_OUT_OF_SCOPE, "transition"));
  ASSERT_THAT(StepBy(*Client("T01"), election, "approve", "2020-03-01"), IsOk());
  // The vote.
  EXPECT_THAT(Step(election, "vote", "2020-04-01"),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "fields.eligible"));
  const Fields vote = {{"eligible", "120"},
                       {"attended", "90"},
                       {"ballots_issued", "90"},
                       {"ballots_returned", "88"}};
  const auto with = [&](const std::string& name, const std::string& value) {
    Fields fields = vote;
    fields[name] = value;
    return fields;
  };
  EXPECT_THAT(Step(election, "vote", "2020-04-01", with("attended", "79")),
              Breaks("quorum"));  // 80 is two thirds.
  EXPECT_THAT(Step(election, "vote", "2020-04-01", with("attended", "121")),
              Breaks("attended_within_eligible"));
  EXPECT_THAT(Step(election, "vote", "2020-04-01", with("ballots_issued", "91")),
              Breaks("ballots_issued_within_attended"));
  EXPECT_THAT(Step(election, "vote", "2020-04-01", with("ballots_returned", "91")),
              Breaks("ballots_returned_within_issued"));
  EXPECT_THAT(Step(election, "vote", "2020-04-01", with("eligible", "0")),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "fields.eligible"));
  ASSERT_THAT(Step(election, "vote", "2020-04-01", vote), IsOk());
  EXPECT_THAT(Step(election, "complete", "2020-04-02"), Breaks("somebody_elected"));
  EXPECT_EQ(Get(election).due_date(), "2020-04-16");  // 15 days for the reply.
  // More than half of those due, not of those present.
  EXPECT_THAT(Step(first.name(), "elect", "2020-04-01", {{"votes", "60"}}),
              Breaks("more_than_half"));
  EXPECT_THAT(Step(first.name(), "elect", "2020-04-01", {{"votes", "89"}}),
              Breaks("votes_within_ballots"));
  ASSERT_THAT(Step(first.name(), "elect", "2020-04-01", {{"votes", "61"}}), IsOk());
  ASSERT_THAT(Step(second.name(), "elect", "2020-04-01", {{"votes", "80"}}), IsOk());
  EXPECT_THAT(Step(third.name(), "elect", "2020-04-01", {{"votes", "70"}}),
              Breaks("elected_within_seats"));
  ASSERT_THAT(Step(third.name(), "pass_over", "2020-04-01", {{"votes", "70"}}), IsOk());
  EXPECT_EQ(Field(election, "elected"), "2");
  ASSERT_THAT(Step(election, "complete", "2020-04-10"), IsOk());
  New("election", "E03", "2020-02-10", {{"number", "HJ-2"}, {"deadline", "2020-06-30"}});

  EXPECT_EQ(Figures("elections_completed", "2020Q2"), "1 1 1");
  EXPECT_EQ(Figures("elections_due", "2020H1"), "1 1 2");
  EXPECT_EQ(Figures("elections_due", "2020H1", "tier=enterprise"), "1 1 2");
  EXPECT_EQ(Figures("officers_elected", "2020H1", "post=committee_member"), "2 2 2");
  EXPECT_THAT(Board("election", "", "2020-07-01"),
              ElementsAre("enterprise planned: 1/1", "enterprise completed: 1/0", "planned: 1/1",
                          "completed: 1/0"));
  EXPECT_THAT(Board("election", "T01", "2020-07-01"),
              ElementsAre("enterprise completed: 1/0", "completed: 1/0"));
  // Overdue from the day after the deadline until the vote; voted in time, never.
  const std::string late =
      New("election", "E01", "2019-06-01", {{"number", "HJ-0"}, {"deadline", "2019-12-31"}});
  ASSERT_THAT(Step(late, "approve", "2020-01-20"), IsOk());
  ASSERT_THAT(Step(late, "vote", "2020-02-10", vote), IsOk());
  EXPECT_EQ(Figures("elections_overdue", "2019"), "0 0 0");
  EXPECT_EQ(Figures("elections_overdue", "2020-01"), "1 1 1");
  EXPECT_EQ(Figures("elections_overdue", "2020H1"), "0 0 0");
  EXPECT_EQ(Figures("elections_overdue", "2020-07"), "0 0 1");
  EXPECT_EQ(Figures("elections_overdue", "2020-07", "tier=enterprise"), "0 0 1");
}

TEST_F(Registry, S05_TheStandingCommitteeHasMoreChoice) {
  const std::string election = New(
      "election", "D01", "2020-01-10",
      {{"number", "HJ-9"}, {"seats", "1"}, {"standing_seats", "10"}, {"deadline", "2020-12-31"}});
  const auto stand = [&](const char* post, int count) {
    for (int i = 0; i < count; ++i) {
      New("election_candidate", "D01", "2020-02-01",
          {{"election", "HJ-9"}, {"post", post}, {"full_name", "张三"}, {"person", IdNumber()}});
    }
  };
  stand("committee_member", 2);
  stand("standing_member", 10);
  // Ten seats want eleven candidates.
  EXPECT_THAT(Step(election, "approve", "2020-03-01"),
              Breaks("more_candidates_than_standing_seats"));
  stand("standing_member", 1);
  EXPECT_THAT(Step(election, "approve", "2020-03-01"), IsOk());
}

TEST_F(Registry, S05_TermsOfOfficeEndOnTheBoard) {
  const auto term = [&](const std::string& organization, const std::string& from,
                        const std::string& to, const Fields& more) {
    Fields fields = {{"body", "union"}, {"ends_on", to}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("committee_term", organization, from, fields);
  };
  // Sizes by the number of members; terms of five years at most.
  EXPECT_THAT(term("E01", "2018-07-01", "2021-06-30", {{"members", "201"}, {"size", "6"}}),
              Breaks("size_at_least"));
  EXPECT_THAT(term("E01", "2018-07-01", "2021-06-30", {{"members", "200"}, {"size", "8"}}),
              Breaks("size_at_most"));
  EXPECT_THAT(term("E01", "2018-07-01", "2023-07-02", {}), Breaks("term_at_most_5_years"));
  EXPECT_THAT(term("E01", "2018-07-01", "2021-06-30", {{"body", "audit"}, {"size", "2"}}),
              Breaks("audit_size_at_least"));
  // Terms are numbered without gaps, from wherever the register begins.
  ASSERT_THAT(term("E01", "2015-07-01", "2018-06-30", {{"term_no", "4"}}), IsOk());
  EXPECT_THAT(term("E01", "2018-07-01", "2021-06-30", {{"term_no", "6"}}),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "record.fields.term_no"));
  ASSERT_OK_AND_ASSIGN(const Record fifth, term("E01", "2018-07-01", "2020-12-20", {}));
  EXPECT_EQ(fifth.fields().at("term_no"), "5");
  ASSERT_THAT(term("E02", "2016-01-01", "2020-09-15", {}), IsOk());
  ASSERT_THAT(term("E03", "2016-01-01", "2020-07-20", {}), IsOk());
  ASSERT_THAT(term("T02", "2016-01-01", "2020-12-30", {}), IsOk());

  // 1, 3 and 6 months ahead of 2020-07-01, each term once; the old one is overdue.
  EXPECT_THAT(Board("committee_term", "", "2020-07-01"),
              ElementsAre("enterprise in_office: 4/1 1m=1 3m=1 6m=1",
                          "town_street in_office: 1/0 6m=1", "in_office: 5/1 1m=1 3m=1 6m=2"));
  common::v1::ListRecordsRequest ending;
  ending.set_kind("committee_term");
  ending.set_due_from("2020-07-01");
  ending.set_due_to("2020-10-01");
  ASSERT_OK_AND_ASSIGN(const auto listed, List(ending));
  EXPECT_EQ(listed.records_size(), 2);

  // Extended by the upper union, by six months at most.
  EXPECT_THAT(StepBy(*unit_, fifth.name(), "extend", "2020-12-01", {{"extended_to", "2021-05-31"}}),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Step(fifth.name(), "extend", "2020-12-01", {{"extended_to", "2021-06-21"}}),
              Breaks("extension_at_most_6_months"));
  ASSERT_OK_AND_ASSIGN(const Record extended,
                       Step(fifth.name(), "extend", "2020-12-01", {{"extended_to", "2021-06-20"}}));
  EXPECT_EQ(extended.due_date(), "2021-06-20");
  EXPECT_THAT(Cancel(fifth.name()), IsOk());
  ASSERT_OK_AND_ASSIGN(const Record again, term("E01", "2018-07-01", "2020-12-20", {}));
  EXPECT_EQ(again.fields().at("term_no"), "5");
  EXPECT_EQ(Figures("committees_in_office", "2020H1", "body=union"), "2 3 5");
  EXPECT_EQ(Figures("terms_expiring", "2020H1", "body=union"), "1 2 4");
  EXPECT_EQ(Figures("terms_overdue", "2020H1"), "1 1 1");
  EXPECT_EQ(Figures("terms_overdue", "2020"), "2 3 5");
  ASSERT_THAT(Step(again.name(), "end", "2021-02-01"), IsOk());
  EXPECT_EQ(Figures("terms_overdue", "2021-02"), "1 2 4");
  // A term of less than three years stands, with a warning.
  ASSERT_EQ(again.warnings_size(), 1);
  EXPECT_EQ(again.warnings(0).rule(), "term_at_least_3_years");
  EXPECT_EQ(again.warnings(0).field(), "ends_on");
}

TEST_F(Registry, S07_PostsAndVacancies) {
  const std::string plan =
      New("post_plan", "E01", "2020-01-01",
          {{"number", "GW-1"}, {"post", "committee_member"}, {"required_count", "2"}});
  const auto hold = [&](const std::string& on_date, const Fields& more) {
    Fields fields = {{"post", "committee_member"}, {"full_name", "李四"}, {"plan", "GW-1"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("post_holding", "E01", on_date, fields);
  };
  EXPECT_EQ(Figures("posts_vacant", "2020-01"), "2 2 2");
  ASSERT_OK_AND_ASSIGN(const Record first, hold("2020-02-01", {{"full_time", "true"}}));
  ASSERT_THAT(hold("2020-03-01", {{"way", "co_opted"}}), IsOk());
  EXPECT_EQ(Field(plan, "vacant"), "0");
  EXPECT_THAT(hold("2020-03-02", {}), Breaks("filled_within_plan"));
  EXPECT_THAT(hold("2020-03-02", {{"post", "chair"}}), Breaks("post_as_planned"));
  EXPECT_THAT(hold("2020-03-02", {{"post", "audit_chair"}, {"plan", ""}, {"runs_finance", "true"}}),
              Breaks("auditor_without_finance"));
  EXPECT_THAT(hold("2020-03-02",
                   {{"post", "group_leader"}, {"plan", ""}, {"way", "competitive"}, {"pool", "1"}}),
              Breaks("competition_has_a_choice"));
  ASSERT_THAT(hold("2020-03-02",
                   {{"post", "group_leader"}, {"plan", ""}, {"way", "competitive"}, {"pool", "3"}}),
              IsOk());
  ASSERT_THAT(Step(first.name(), "leave", "2020-05-20"), IsOk());
  EXPECT_EQ(Field(plan, "filled"), "1");

  EXPECT_EQ(Figures("posts_vacant", "2020-03", "post=committee_member"), "0 0 0");
  EXPECT_EQ(Figures("posts_vacant", "2020H1", "post=committee_member"), "1 1 1");
  EXPECT_EQ(Figures("posts_filled_rate", "2020H1", "post=committee_member"), "50 50 50");
  EXPECT_EQ(Figures("cadres_total", "2020H1"), "2 2 2");
  EXPECT_EQ(Figures("committee_adjustments", "2020H1", "way=co_opted"), "1 1 1");
  EXPECT_EQ(Figures("team_leaders_appointed", "2020H1"), "1 1 1");
}

TEST_F(Registry, S09_WomensCommittees) {
  EXPECT_THAT(Create("womens_committee", "E01", "2020-03-01",
                     {{"number", "NZ-1"}, {"form", "commissioner"}, {"women_workers", "10"}}),
              Breaks("committee_from_threshold"));
  const Fields late = {{"number", "NZ-1"},
                       {"form", "committee"},
                       {"women_workers", "30"},
                       {"union_founded_on", "2020-01-15"},
                       {"ends_on", "2023-02-28"}};
  EXPECT_THAT(Create("womens_committee", "E01", "2020-03-01", late),
              Breaks("founded_with_the_union"));
  Fields reasoned = late;
  reasoned["extended_reason"] = "疫情期间延后";
  const std::string committee = New("womens_committee", "E01", "2020-03-01", reasoned);
  New("womens_committee", "E03", "2020-04-01",
      {{"number", "NZ-2"}, {"form", "commissioner"}, {"women_workers", "6"}});
  EXPECT_EQ(Figures("womens_committees_established", "2020H1"), "1 1 2");
  EXPECT_EQ(Figures("womens_committees_established", "2020H1", "form=committee"), "1 1 1");
  EXPECT_EQ(Figures("womens_committee_coverage", "2020H1"), "100 33.33 33.33");
  EXPECT_THAT(Board("womens_committee", "E01", "2023-01-15"), Contains("active: 1/0 3m=1"));
  ASSERT_THAT(Step(committee, "dissolve", "2020-09-01"), IsOk());
  EXPECT_EQ(Figures("womens_committees_total", "2020"), "0 0 1");

  const std::string post = New("pacesetter_post", "E01", "2020-02-01", {{"title", "质检一岗"}});
  EXPECT_THAT(StepBy(*unit_, post, "name_it", "2020-03-08", {{"check_score", "95"}}),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  ASSERT_THAT(Step(post, "name_it", "2020-03-08", {{"check_score", "95"}}), IsOk());
  EXPECT_EQ(Figures("pacesetter_posts", "2020H1"), "1 1 1");
  EXPECT_THAT(Step(post, "revoke", "2020-08-01"),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "fields.revoked_reason"));
  ASSERT_THAT(Step(post, "revoke", "2020-08-01", {{"revoked_reason", "质量事故"}}), IsOk());
  EXPECT_EQ(Figures("pacesetter_posts", "2020"), "0 0 0");
}

TEST_F(Registry, S21_MeetingsAreNumberedAndQuorate) {
  const auto convene = [&](const std::string& number, const Fields& more) {
    Fields fields = {{"number", number}, {"body", "congress"}, {"term_no", "5"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("meeting", "E01", "2020-03-20", fields);
  };
  ASSERT_OK_AND_ASSIGN(const Record first, convene("HY-1", {{"session_no", "1"}}));
  EXPECT_THAT(convene("HY-2", {{"session_no", "3"}}),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "record.fields.session_no"));
  ASSERT_OK_AND_ASSIGN(const Record same, convene("HY-1", {}));  // Sent again.
  EXPECT_EQ(same.name(), first.name());
  EXPECT_THAT(convene("HY-1", {{"body", "committee"}}),
              HasReasonAt(common::v1::REASON_ALREADY_EXISTS, "record.number"));
  ASSERT_OK_AND_ASSIGN(const Record second, convene("HY-2", {}));
  EXPECT_EQ(second.fields().at("session_no"), "2");
  ASSERT_OK_AND_ASSIGN(const Record other, convene("HY-3", {{"body", "committee"}}));
  EXPECT_EQ(other.fields().at("session_no"), "1");
  EXPECT_THAT(Cancel(first.name()), HasReasonAt(common::v1::REASON_STATE_FORBIDS, "name"));
  EXPECT_THAT(Update(second.name(), {{"session_no", "4"}}),
              HasReason(common::v1::REASON_UPDATE_MASK_INVALID));
  EXPECT_THAT(convene("HY-4", {{"body", "workers_congress"}, {"papers_sent_on", "2020-03-14"}}),
              Breaks("papers_ahead"));

  EXPECT_THAT(Step(first.name(), "hold", "2020-03-20", {{"eligible", "90"}, {"attended", "59"}}),
              Breaks("quorum"));
  ASSERT_THAT(Step(first.name(), "hold", "2020-03-20", {{"eligible", "90"}, {"attended", "60"}}),
              IsOk());
  const auto put = [&](const std::string& meeting, const Fields& more) {
    Fields fields = {{"meeting", meeting}, {"title", "审议工作报告"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return New("meeting_resolution", "E01", "2020-03-20", fields);
  };
  const std::string resolution = put("HY-1", {{"due_on", "2020-06-30"}});
  EXPECT_THAT(Step(resolution, "pass", "2020-03-20", {{"votes_for", "45"}}),
              Breaks("more_than_half"));
  ASSERT_THAT(Step(resolution, "pass", "2020-03-20", {{"votes_for", "46"}}), IsOk());
  EXPECT_THAT(Step(put("HY-2", {}), "pass", "2020-03-20", {{"votes_for", "80"}}),
              Breaks("meeting_was_held"));
  EXPECT_EQ(Field(first.name(), "resolutions"), "1");
  EXPECT_THAT(Step(first.name(), "record", "2020-03-25"),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "fields.minutes_no"));
  ASSERT_THAT(Step(first.name(), "record", "2020-03-25", {{"minutes_no", "纪要1"}}), IsOk());

  EXPECT_EQ(Figures("meetings_held", "2020H1"), "1 1 1");
  EXPECT_EQ(Figures("meetings_held", "2020H1", "body=congress"), "1 1 1");
  EXPECT_EQ(Figures("congress_delegates_attending", "2020H1"), "60 60 60");
  EXPECT_EQ(Figures("resolutions_passed", "2020H1"), "1 1 1");
  EXPECT_THAT(Board("meeting_resolution", "", "2020-07-01"), Contains("passed: 1/1"));
}

TEST_F(Registry, S24_DelegatesAndTheirStructure) {
  const std::string roster = New("delegate_roster", "E01", "2020-01-10",
                                 {{"number", "DB-1"},
                                  {"body", "workers_congress"},
                                  {"members", "601"},
                                  {"ends_on", "2023-01-09"}});
  common::v1::BatchCreateRecordsRequest batch;
  batch.set_parent("federations/demo");
  const auto add = [&](const std::string& category) {
    *batch.add_records() = Draft("congress_delegate", "E01", "2020-01-10",
                                 {{"roster", "DB-1"},
                                  {"full_name", "王五"},
                                  {"person", IdNumber()},
                                  {"category", category}});
  };
  const auto send = [&] {
    auto answer = Ask<common::v1::BatchCreateRecordsResponse>(*admin_, "BatchCreateRecords", batch);
    EXPECT_THAT(answer, IsOk());
    EXPECT_THAT(answer->failures(), IsEmpty());
    batch.clear_records();
    return answer->items(0).name();
  };
  for (int i = 0; i < 29; ++i) add(i < 7 ? "manager" : "front_line");
  send();
  EXPECT_EQ(Field(roster, "delegates"), "29");
  EXPECT_THAT(Step(roster, "confirm", "2020-01-20"), Breaks("workers_delegates_at_least"));
  add("front_line");
  const std::string leaver = send();
  // 30 of 601 are not five per cent; 7 managers of 31 are more than a fifth.
  EXPECT_THAT(Step(roster, "confirm", "2020-01-20"), Breaks("workers_delegates_share"));
  add("professional");
  send();
  EXPECT_THAT(Step(roster, "confirm", "2020-01-20"), Breaks("managers_share"));
  for (int i = 0; i < 4; ++i) add("front_line");
  send();
  ASSERT_THAT(Step(roster, "confirm", "2020-01-20"), IsOk());
  EXPECT_EQ(Field(roster, "managers"), "7");
  // One more leaving would unbalance the roster: reopen it for a by-election.
  EXPECT_THAT(Step(leaver, "leave", "2020-04-01"), Breaks("managers_share"));
  ASSERT_THAT(Step(roster, "reopen", "2020-04-01"), IsOk());
  ASSERT_THAT(Step(leaver, "leave", "2020-04-01", {{"left_reason", "调离"}}), IsOk());
  New("congress_delegate", "E01", "2020-04-10",
      {{"roster", "DB-1"},
       {"full_name", "赵六"},
       {"person", IdNumber()},
       {"category", "front_line"},
       {"by_election", "true"}});
  ASSERT_THAT(Step(roster, "confirm", "2020-04-12"), IsOk());

  EXPECT_EQ(Figures("delegates_total", "2020H1"), "35 35 35");
  EXPECT_EQ(Figures("delegates_total", "2020H1", "category=manager"), "7 7 7");
  EXPECT_EQ(Figures("frontline_delegate_share", "2020H1"), "77.14 77.14 77.14");
  EXPECT_EQ(Figures("delegate_by_elections", "2020Q2"), "1 1 1");
}

}  // namespace
}  // namespace gonghui::district
