// Contracts, offers, titles, bodies at enterprises, agreements, pilots.
#include "tests/acceptance/registry.h"

namespace gonghui::district {
namespace {

using ::testing::Contains;

TEST_F(Registry, S16_CollectiveContractsFromDraftToRenewal) {
  const auto draft = [&](const Fields& more) {
    Fields fields = {{"unit", "U1"},
                     {"contract_kind", "general"},
                     {"employees", "260"},
                     {"ends_on", "2023-04-30"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("collective_contract", "E01", "2020-03-01", fields);
  };
  ASSERT_OK_AND_ASSIGN(const Record contract, draft({{"round_no", "3"}}));
  EXPECT_THAT(draft({{"round_no", "5"}}),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "record.fields.round_no"));
  const std::string& name = contract.name();
  const auto vote = [&](const char* due, const char* present, const char* votes) {
    return Step(name, "adopt", "2020-04-01",
                {{"delegates_due", due}, {"delegates_present", present}, {"votes_for", votes}});
  };
  EXPECT_THAT(vote("60", "39", "39"), Breaks("quorum"));
  EXPECT_THAT(vote("60", "50", "51"), Breaks("votes_within_present"));
  EXPECT_THAT(vote("60", "50", "30"), Breaks("more_than_half_of_all"));  // Half of all is 30.
  ASSERT_THAT(vote("60", "50", "31"), IsOk());
  const auto sign = [&](const char* workers, const char* employers) {
    return Step(name, "sign", "2020-04-10",
                {{"worker_negotiators", workers}, {"employer_negotiators", employers}});
  };
  EXPECT_THAT(sign("5", "4"), Breaks("negotiators_equal"));
  EXPECT_THAT(sign("2", "2"), Breaks("negotiators_at_least"));
  EXPECT_THAT(sign("11", "11"), Breaks("negotiators_at_most"));
  ASSERT_OK_AND_ASSIGN(const Record signed_one, sign("5", "5"));
  EXPECT_EQ(signed_one.due_date(), "2020-04-20");
  EXPECT_THAT(Step(name, "file", "2020-04-21"), Breaks("filed_in_time"));
  ASSERT_OK_AND_ASSIGN(const Record filed, Step(name, "file", "2020-04-16"));
  EXPECT_EQ(filed.due_date(), "2020-05-01");
  EXPECT_THAT(Step(name, "take_effect", "2020-04-30"), Breaks("no_effect_before_15_days"));
  EXPECT_THAT(Step(name, "take_effect", "2020-05-01"), IsOk());
  EXPECT_THAT(Update(name, {{"ends_on", "2023-05-02"}}), Breaks("term_at_most_3_years"));
  EXPECT_THAT(Update(name, {{"ends_on", "2021-04-29"}}), Breaks("term_at_least_1_year"));

  EXPECT_EQ(Figures("collective_contracts_signed", "2020H1", "kind=general"), "1 1 1");
  EXPECT_EQ(Figures("collective_contracts_in_force", "2020H1"), "1 1 1");
  EXPECT_EQ(Figures("contract_workers_covered", "2020H1"), "260 260 260");
  EXPECT_EQ(Figures("contract_signing_rate", "2020H1"), "100 33.33 16.67");
  EXPECT_EQ(Figures("collective_contracts_in_force", "2023H1"), "0 0 0");
  EXPECT_EQ(Figures("contracts_expiring", "2022"), "0 0 0");
  EXPECT_EQ(Figures("contracts_expiring", "2023-03", "kind=general"), "1 1 1");
  EXPECT_EQ(Figures("contracts_expiring", "2023-05"), "0 0 0");
  EXPECT_THAT(Board("collective_contract", "", "2023-02-15"), Contains("effective: 1/0 3m=1"));
  EXPECT_THAT(Board("collective_contract", "", "2023-05-15"), Contains("effective: 1/1"));
  // The next round renews it; an objection sends the filed one back.
  ASSERT_OK_AND_ASSIGN(const Record next, draft({{"renews", "HT-3"}, {"ends_on", "2024-04-30"}}));
  EXPECT_EQ(next.fields().at("round_no"), "4");
  ASSERT_THAT(Step(next.name(), "adopt", "2020-06-01",
                   {{"delegates_due", "60"}, {"delegates_present", "50"}, {"votes_for", "40"}}),
              IsOk());
  ASSERT_THAT(Step(next.name(), "sign", "2020-06-02",
                   {{"worker_negotiators", "3"}, {"employer_negotiators", "3"}}),
              IsOk());
  ASSERT_THAT(Step(next.name(), "file", "2020-06-05"), IsOk());
  ASSERT_THAT(Step(next.name(), "object", "2020-06-10"), IsOk());
  // The fifteen days run anew from the second filing.
  ASSERT_THAT(Step(next.name(), "file", "2020-06-15"), IsOk());
  EXPECT_THAT(Step(next.name(), "take_effect", "2020-06-20"),
              Breaks("no_effect_before_15_days_again"));
  EXPECT_THAT(Step(next.name(), "take_effect", "2020-06-14"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "on_date"));
  EXPECT_EQ(Figures("collective_contracts_renewed", "2020H1"), "1 1 1");
  EXPECT_EQ(Figures("collective_contracts_signed", "2020H1"), "2 2 2");
}

TEST_F(Registry, S17_OffersAndAdvisers) {
  const auto offer = [&](const std::string& organization) {
    return New("bargaining_offer", organization, "2020-04-01", {{"unit", "U1"}, {"topic", "wage"}});
  };
  const std::string answered = offer("E01");
  const std::string open = offer("E01");
  offer("E03");
  EXPECT_EQ(Get(answered).due_date(), "2020-04-21");
  EXPECT_THAT(Step(answered, "answer", "2020-04-10"),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "fields.outcome"));
  ASSERT_THAT(Step(answered, "answer", "2020-04-10", {{"outcome", "declined"}}), IsOk());
  EXPECT_THAT(Step(answered, "agree", "2020-05-10", {{"met_on", "2020-05-08"}}),
              Breaks("declined_is_no_agreement"));
  ASSERT_THAT(
      Step(answered, "agree", "2020-05-10", {{"met_on", "2020-05-08"}, {"outcome", "accepted"}}),
      IsOk());
  ASSERT_THAT(Step(open, "fail", "2020-05-01"), IsOk());
  EXPECT_THAT(Step(open, "answer", "2020-05-02", {{"outcome", "accepted"}}),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "transition"));
  New("adviser_appointment", "E01", "2020-04-07",
      {{"adviser_kind", "full_time"}, {"action", "hired"}, {"full_name", "孙八"}});
  EXPECT_THAT(Create("adviser_appointment", "E01", "2020-04-07",
                     {{"adviser_kind", "full_time"}, {"action", "lent"}, {"full_name", "孙八"}}),
              HasReasonAt(common::v1::REASON_CODE_UNKNOWN, "record.fields.action"));

  EXPECT_EQ(Figures("offers_sent", "2020H1", "topic=wage"), "2 2 3");
  EXPECT_EQ(Figures("offers_answered", "2020H1"), "1 1 1");
  EXPECT_EQ(Figures("offers_unanswered", "2020-04"), "1 1 2");
  EXPECT_EQ(Figures("offers_unanswered", "2020H1"), "0 0 1");
  EXPECT_EQ(Figures("bargaining_advisers", "2020H1", "kind=full_time"), "1 1 1");
  EXPECT_THAT(Board("bargaining_offer", "T02", "2020-04-30"), Contains("sent: 1/1"));
}

TEST_F(Registry, S18_TitlesOfEnterprises) {
  const std::string title = New("enterprise_title", "E01", "2020-02-01",
                                {{"enterprise_title", "harmonious_enterprise"}, {"unit", "U1"}});
  EXPECT_THAT(Step(title, "grant", "2020-03-01"),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "transition"));
  EXPECT_THAT(Step(title, "inspect", "2020-03-01", {{"score", "101"}}),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "fields.score"));
  ASSERT_THAT(Step(title, "inspect", "2020-03-01", {{"score", "91"}}), IsOk());
  ASSERT_THAT(Update(title, {{"ends_on", "2023-04-02"}}), IsOk());
  EXPECT_THAT(Step(title, "grant", "2020-04-01", {{"grade", "aa"}}), Breaks("granted_for_3_years"));
  ASSERT_THAT(Update(title, {{"ends_on", "2023-03-31"}}), IsOk());
  EXPECT_THAT(StepBy(*unit_, title, "grant", "2020-04-01", {{"grade", "aa"}}),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  ASSERT_THAT(Step(title, "grant", "2020-04-01", {{"grade", "aa"}}), IsOk());
  const std::string safety =
      New("enterprise_title", "E03", "2020-02-01",
          {{"enterprise_title", "safety_standard"}, {"unit", "U3"}, {"ends_on", "2022-12-31"}});
  ASSERT_THAT(Step(safety, "inspect", "2020-03-01", {{"score", "85"}}), IsOk());
  ASSERT_THAT(Step(safety, "grant", "2020-05-01", {{"grade", "aaa"}}), IsOk());

  EXPECT_EQ(Figures("harmonious_enterprises", "2020H1", "grade=aa"), "1 1 1");
  EXPECT_EQ(Figures("safety_certificates_obtained", "2020H1"), "0 0 1");
  EXPECT_THAT(Step(title, "lose", "2020-08-01"),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "fields.lost_reason"));
  ASSERT_THAT(Step(title, "lose", "2020-08-01", {{"lost_reason", "群体性争议"}}), IsOk());
  EXPECT_EQ(Figures("harmonious_enterprises", "2020"), "0 0 0");
}

TEST_F(Registry, S19_ThreeBodies) {
  const auto set_up = [&](const std::string& organization, const Fields& more) {
    Fields fields = {{"unit", "U1"},
                     {"body", "mediation"},
                     {"worker_members", "3"},
                     {"employer_members", "3"},
                     {"partner", "司法局"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("enterprise_body", organization, "2020-03-01", fields);
  };
  EXPECT_THAT(set_up("E01", {{"employer_members", "4"}}), Breaks("sides_equal"));
  ASSERT_OK_AND_ASSIGN(const Record body, set_up("E01", {}));
  EXPECT_THAT(set_up("E01", {{"worker_members", "4"}, {"employer_members", "4"}}),
              HasReasonAt(common::v1::REASON_ALREADY_EXISTS, "record.fields.unit"));
  ASSERT_THAT(set_up("E03", {{"unit", "U3"}, {"body", "workers_congress"}, {"partner", "妇联"}}),
              IsOk());
  for (const char* unit : {"U1", "U2"}) {
    New("economic_entity", "E01", "2020-01-01",
        {{"unit", unit}, {"enterprise_size", "under_100"}, {"has_union", "true"}});
  }
  EXPECT_EQ(Figures("mediation_committees", "2020H1"), "1 1 1");
  EXPECT_EQ(Figures("mediation_committee_rate", "2020H1"), "50 50 50");
  EXPECT_EQ(Figures("three_bodies_total", "2020H1"), "1 1 2");
  EXPECT_EQ(Figures("three_bodies_kinds", "2020H1"), "1 1 2");
  EXPECT_EQ(Figures("partner_departments", "2020H1"), "1 1 2");
  ASSERT_THAT(Step(body.name(), "dissolve", "2020-10-01"), IsOk());
  EXPECT_EQ(Figures("three_bodies_total", "2020"), "0 0 1");
}

TEST_F(Registry, S20_EmployeeDirectors) {
  const auto elect = [&](const Fields& more) {
    Fields fields = {{"unit", "U1"},         {"seat", "director"},    {"full_name", "周九"},
                     {"person", IdNumber()}, {"delegates_due", "60"}, {"votes_for", "31"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("employee_director", "E01", "2020-01-15", fields);
  };
  EXPECT_THAT(elect({{"votes_for", "30"}}), Breaks("more_than_half_of_all"));
  EXPECT_THAT(elect({{"senior_manager", "true"}}), Breaks("senior_managers_barred"));
  ASSERT_OK_AND_ASSIGN(const Record director, elect({}));
  ASSERT_THAT(elect({{"seat", "supervisor"}}), IsOk());
  EXPECT_EQ(director.due_date(), "2021-01-14");  // A duty report every year.
  ASSERT_OK_AND_ASSIGN(const Record reported, Step(director.name(), "report", "2020-12-20",
                                                   {{"reported_on", "2020-12-20"}}));
  EXPECT_EQ(reported.due_date(), "2021-12-20");
  EXPECT_THAT(Board("employee_director", "", "2021-02-01"), Contains("in_office: 2/1"));
  EXPECT_EQ(Figures("employee_directors", "2020H1"), "2 2 2");
  ASSERT_THAT(Step(director.name(), "replace", "2021-01-10"), IsOk());
  EXPECT_EQ(Figures("employee_directors", "2021Q1", "seat=director"), "0 0 0");
}

TEST_F(Registry, S22_CoBuildingAgreements) {
  const std::string agreement = New("co_building_agreement", "E01", "2020-01-10",
                                    {{"number", "LJ-1"},
                                     {"title", "社企联建"},
                                     {"agreement_kind", "co_building"},
                                     {"partner", "某某社区"},
                                     {"ends_on", "2020-12-31"}});
  EXPECT_THAT(Create("co_building_agreement", "E01", "2020-01-10",
                     {{"number", "LJ-2"}, {"agreement_kind", "co_building"}, {"partner", "社区"}}),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "record.title"));
  New("co_building_event", "E01", "2020-05-04", {{"agreement", "LJ-1"}, {"participants", "40"}});
  EXPECT_THAT(Create("co_building_event", "E01", "2021-01-04", {{"agreement", "LJ-1"}}),
              Breaks("within_the_term"));
  EXPECT_EQ(Field(agreement, "events"), "1");
  EXPECT_THAT(Cancel(agreement), HasReason(common::v1::REASON_STATE_FORBIDS));
  EXPECT_EQ(Figures("co_building_agreements", "2020H1"), "1 1 1");
  EXPECT_EQ(Figures("co_building_events", "2020H1"), "1 1 1");
  EXPECT_EQ(Figures("co_building_agreements", "2021Q1"), "0 0 0");
  EXPECT_THAT(Board("co_building_agreement", "", "2020-12-05"), Contains("active: 1/0 1m=1"));
}

TEST_F(Registry, S23_PilotsAndTheirRollOut) {
  const std::string pilot = New("reform_pilot", "E01", "2020-01-10",
                                {{"number", "SD-1"}, {"title", "三建"}, {"measure_sets", "3"}});
  EXPECT_THAT(Step(pilot, "judge", "2020-05-01", {{"judgement", "可推广"}}),
              Breaks("visited_before_judged"));
  EXPECT_THAT(
      Create("pilot_adoption", "E03", "2020-05-01", {{"pilot", "SD-1"}, {"unit_name", "某某街道"}}),
      Breaks("judged_first"));
  New("pilot_visit", "E01", "2020-04-20", {{"pilot", "SD-1"}, {"findings", "运行良好"}});
  EXPECT_THAT(StepBy(*unit_, pilot, "judge", "2020-05-01", {{"judgement", "可推广"}}),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  ASSERT_THAT(Step(pilot, "judge", "2020-05-01", {{"judgement", "可推广"}}), IsOk());
  New("pilot_adoption", "E03", "2020-06-01", {{"pilot", "SD-1"}, {"unit_name", "某某街道"}});
  New("pilot_experience", "E01", "2020-06-10", {{"title", "三建经验"}});
  EXPECT_EQ(Figures("reform_pilots", "2020H1"), "1 1 1");
  EXPECT_EQ(Figures("pilot_measure_sets", "2020H1"), "3 3 3");
  EXPECT_EQ(Figures("pilot_visits", "2020H1"), "1 1 1");
  EXPECT_EQ(Figures("pilot_adoptions", "2020H1"), "0 0 1");
  EXPECT_EQ(Figures("pilot_experiences_summarised", "2020H1"), "1 1 1");
  ASSERT_THAT(Step(pilot, "close", "2020-09-30"), IsOk());
  EXPECT_EQ(Figures("reform_pilots", "2020"), "0 0 0");
}

}  // namespace
}  // namespace gonghui::district
