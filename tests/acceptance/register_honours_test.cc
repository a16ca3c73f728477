// Workers' homes, model unions, honours, merit citations, model workers, hardship.
#include "tests/acceptance/registry.h"

namespace gonghui::district {
namespace {

using ::testing::Contains;

TEST_F(Registry, S10_WorkersHomesByChecklist) {
  const std::string rating =
      New("home_rating", "E01", "2020-02-01", {{"number", "ZJ-1"}, {"grade_rank", "2"}});
  EXPECT_EQ(Field(rating, "items_due"), "7");  // Of the checklist of 2020.
  const auto score = [&](const std::string& number, const std::string& item,
                         const std::string& points, const std::string& passed = "true") {
    return Create("home_score", "E01", "2020-03-01",
                  {{"rating", number},
                   {"item", item},
                   {"points", points},
                   {"passed", passed},
                   {"evidence", "台账"}});
  };
  EXPECT_THAT(score("ZJ-1", "contract", "21"), Breaks("points_within_item"));
  EXPECT_THAT(score("ZJ-1", "digital", "5"),  // From 2021.
              HasReasonAt(common::v1::REASON_CODE_UNKNOWN, "record.fields.item"));
  ASSERT_OK_AND_ASSIGN(const Record contract, score("ZJ-1", "contract", "20", "false"));
  EXPECT_THAT(score("ZJ-1", "contract", "18"), HasReason(common::v1::REASON_ALREADY_EXISTS));
  const Fields vote = {{"voters", "100"}, {"satisfied", "80"}};
  EXPECT_THAT(Step(rating, "vote", "2020-04-01", vote), Breaks("all_items_scored"));
  for (const auto& [item, points] : Fields{{"organisation", "18"},
                                           {"membership", "8"},
                                           {"congress", "12"},
                                           {"services", "12"},
                                           {"culture", "8"},
                                           {"funds", "6"}}) {
    ASSERT_THAT(score("ZJ-1", item, points), IsOk());
  }
  EXPECT_EQ(Field(rating, "score"), "84");
  EXPECT_THAT(Step(rating, "vote", "2020-04-01", {{"voters", "100"}, {"satisfied", "79"}}),
              Breaks("members_approve"));
  ASSERT_THAT(Step(rating, "vote", "2020-04-01", vote), IsOk());
  ASSERT_THAT(Update(rating, {{"ends_on", "2022-05-31"}}), IsOk());
  EXPECT_THAT(Step(rating, "title", "2020-06-01"), Breaks("enough_points"));  // 85 for grade 2.
  ASSERT_THAT(Update(contract.name(), {{"points", "19"}}), IsOk());
  EXPECT_EQ(Field(rating, "score"), "83");
  EXPECT_THAT(Cancel(contract.name()), Breaks("all_items_scored"));
  const std::string better =
      New("home_rating", "E03", "2020-02-01",
          {{"number", "ZJ-2"}, {"grade_rank", "1"}, {"ends_on", "2022-05-31"}});
  for (const auto& [item, points] : Fields{{"organisation", "18"},
                                           {"membership", "8"},
                                           {"congress", "12"},
                                           {"services", "12"},
                                           {"culture", "8"},
                                           {"funds", "6"},
                                           {"contract", "20"}}) {
    ASSERT_THAT(score("ZJ-2", item, points, item == "contract" ? "false" : "true"), IsOk());
  }
  ASSERT_THAT(Step(better, "vote", "2020-04-01", vote), IsOk());
  EXPECT_EQ(Field(better, "must_failed"), "1");
  EXPECT_THAT(Step(better, "title", "2020-06-01"), Breaks("must_items_passed"));
  ASSERT_THAT(Update(rating, {{"grade_rank", "1"}}), IsOk());
  ASSERT_THAT(Update(contract.name(), {{"passed", "true"}}), IsOk());
  EXPECT_THAT(StepBy(*unit_, rating, "title", "2020-06-01"),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  ASSERT_THAT(Step(rating, "title", "2020-06-01"), IsOk());
  EXPECT_THAT(Update(contract.name(), {{"points", "20"}, {"evidence", "新台账"}}),
              Breaks("not_after_the_title"));
  EXPECT_EQ(Figures("home_ratings_valid", "2020H1", "grade=1"), "1 1 1");
  EXPECT_EQ(Figures("advanced_homes_established", "2020H1"), "0 0 0");
  EXPECT_EQ(Figures("home_dimensions", "2020H1"), "4 4 4");
  EXPECT_THAT(Board("home_rating", "", "2022-05-10"), Contains("titled: 1/0 1m=1"));
  EXPECT_EQ(Figures("home_ratings_valid", "2022H1"), "0 0 0");
}

TEST_F(Registry, S11_ModelUnionsPassEveryItem) {
  const std::string model =
      New("model_union", "E01", "2020-01-10",
          {{"number", "SF-1"}, {"checklist", "six_standards"}, {"support_fund", "20000"}});
  EXPECT_EQ(Field(model, "items_due"), "6");
  const auto check = [&](const std::string& item, const Fields& more) {
    Fields fields = {{"model_union", "SF-1"}, {"item", item}, {"passed", "true"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("model_union_item", "E01", "2020-03-01", fields);
  };
  EXPECT_THAT(check("have_seal", {}), Breaks("item_of_the_checklist"));
  EXPECT_THAT(check("standard_funds", {{"passed", "false"}}), Breaks("gap_is_told"));
  ASSERT_OK_AND_ASSIGN(const Record funds,
                       check("standard_funds", {{"passed", "false"}, {"gap", "尚未开户"}}));
  for (const char* item : {"standard_founding", "standard_election", "standard_members",
                           "standard_rights", "standard_files"}) {
    ASSERT_THAT(check(item, {}), IsOk());
  }
  EXPECT_THAT(Step(model, "accept", "2020-05-01"), Breaks("all_items_passed"));
  ASSERT_THAT(Update(funds.name(), {{"passed", "true"}, {"remedy", "已开户"}}), IsOk());
  EXPECT_THAT(StepBy(*unit_, model, "accept", "2020-05-01"),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  ASSERT_THAT(Step(model, "accept", "2020-05-01"), IsOk());
  New("model_union", "E03", "2020-01-10", {{"number", "SF-2"}, {"checklist", "eight_haves"}});
  EXPECT_EQ(Figures("model_union_candidates", "2020H1"), "1 1 2");
  EXPECT_EQ(Figures("model_unions_accepted", "2020H1", "checklist=six_standards"), "1 1 1");
  EXPECT_EQ(Figures("model_union_support", "2020H1"), "20000 20000 20000");
  EXPECT_EQ(Figures("standardisation_dimensions", "2020H1"), "6 6 6");
  ASSERT_THAT(Step(model, "downgrade", "2020-11-01", {{"downgraded_reason", "停止活动"}}), IsOk());
  EXPECT_EQ(Figures("model_unions_total", "2020"), "0 0 0");
}

TEST_F(Registry, S12_HonoursFromNominationToAward) {
  const std::string round = New("honour_round", "D01", "2020-01-05",
                                {{"number", "PX-1"},
                                 {"title", "省劳模评选"},
                                 {"honour", "provincial_model_worker"},
                                 {"level", "province"},
                                 {"quota", "1"}});
  const auto nominate = [&](const std::string& number, const Fields& more) {
    Fields fields = {{"number", number},      {"round", "PX-1"},      {"target", "person"},
                     {"full_name", "吴大海"}, {"person", IdNumber()}, {"deeds", "二十年无差错"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("honour_nomination", "E01", "2020-02-01", fields);
  };
  EXPECT_THAT(nominate("TJ-1", {{"person", ""}}), Breaks("person_has_papers"));
  ASSERT_OK_AND_ASSIGN(const Record first, nominate("TJ-1", {}));
  ASSERT_OK_AND_ASSIGN(const Record second, nominate("TJ-2", {}));
  EXPECT_THAT(Step(first.name(), "vote", "2020-02-10", {{"voters", "120"}, {"votes_for", "60"}}),
              Breaks("more_than_half"));
  for (const std::string& name : {first.name(), second.name()}) {
    ASSERT_THAT(Step(name, "vote", "2020-02-10", {{"voters", "120"}, {"votes_for", "61"}}), IsOk());
    ASSERT_THAT(Step(name, "publish", "2020-03-01"), IsOk());
  }
  EXPECT_EQ(Get(first.name()).due_date(), "2020-03-08");
  // The public notice shows a masked name and no number.
  common::v1::ListRecordsRequest notice;
  notice.set_kind("honour_nomination");
  notice.set_notice(true);
  ASSERT_OK_AND_ASSIGN(const auto shown, List(notice));
  ASSERT_EQ(shown.records_size(), 2);
  EXPECT_EQ(shown.records(0).fields().at("full_name"), "吴**");
  EXPECT_EQ(shown.records(0).fields().at("deeds"), "二十年无差错");
  EXPECT_EQ(shown.records(0).fields().count("person"), 0u);
  EXPECT_EQ(shown.records(0).fields().count("voters"), 0u);
  EXPECT_EQ(shown.records(0).name(), "");

  EXPECT_THAT(Step(first.name(), "recommend", "2020-03-07"), Breaks("notice_ran_out"));
  EXPECT_THAT(StepBy(*unit_, first.name(), "recommend", "2020-03-08"),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  ASSERT_THAT(Step(first.name(), "recommend", "2020-03-08"), IsOk());
  EXPECT_THAT(Step(second.name(), "recommend", "2020-03-08"), Breaks("recommended_within_quota"));
  EXPECT_EQ(Field(round, "recommended"), "1");
  const auto award = [&](const std::string& nomination) {
    return Create("honour_award", "E01", "2020-04-28",
                  {{"honour", "provincial_model_worker"},
                   {"target", "person"},
                   {"full_name", "吴大海"},
                   {"nomination", nomination}});
  };
  EXPECT_THAT(award("TJ-2"), Breaks("recommended_first"));
  ASSERT_OK_AND_ASSIGN(const Record awarded, award("TJ-1"));

  EXPECT_EQ(Figures("award_quota", "2020H1"), "0 0 1");
  EXPECT_EQ(Figures("honours_recommended", "2020H1", "honour=provincial_model_worker"), "1 1 1");
  EXPECT_EQ(Figures("honours_awarded", "2020H1", "target=person"), "1 1 1");
  EXPECT_THAT(Step(awarded.name(), "revoke", "2020-12-01"),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "fields.revoked_reason"));
  ASSERT_THAT(Step(awarded.name(), "revoke", "2020-12-01", {{"revoked_reason", "弄虚作假"}}),
              IsOk());
  EXPECT_EQ(Figures("honours_revoked", "2020"), "1 1 1");
  EXPECT_EQ(Figures("honours_held", "2020"), "0 0 0");
}

TEST_F(Registry, S13_MeritCitations) {
  const auto propose = [&](const Fields& more) {
    Fields fields = {{"title", "抢险"},      {"cause", "incident"}, {"cause_number", "SG-1"},
                     {"grade", "1"},         {"target", "person"},  {"full_name", "郑十"},
                     {"person", IdNumber()}, {"reward", "1000"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("merit_citation", "E01", "2020-03-01", fields);
  };
  EXPECT_THAT(propose({{"grade", "3"}}),
              HasReasonAt(common::v1::REASON_CODE_UNKNOWN, "record.fields.grade"));
  EXPECT_THAT(propose({{"person", ""}}), Breaks("person_has_papers"));
  EXPECT_THAT(propose({{"cause_number", ""}}),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "record.fields.cause_number"));
  ASSERT_OK_AND_ASSIGN(const Record citation, propose({}));
  ASSERT_OK_AND_ASSIGN(const Record refused, propose({{"grade", "2"}}));
  const Fields approval = {{"approval_no", "某工发〔2020〕8号"}};
  EXPECT_THAT(StepBy(*unit_, citation.name(), "approve", "2020-03-10", approval),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  ASSERT_THAT(Step(citation.name(), "approve", "2020-03-10", approval), IsOk());
  ASSERT_THAT(Step(refused.name(), "reject", "2020-03-10"), IsOk());
  EXPECT_EQ(Figures("merit_citations", "2020H1"), "1 1 1");
  EXPECT_EQ(Figures("merit_citations", "2020H1", "grade=1"), "1 1 1");
  EXPECT_EQ(Figures("merit_rewards", "2020H1"), "1000 1000 1000");
  EXPECT_EQ(Figures("honours_awarded", "2020H1"), "0 0 0");  // Counted apart.
}

TEST_F(Registry, S14_ModelWorkersFiles) {
  const std::string somebody = IdNumber();
  const auto file = [&](const std::string& number, const std::string& organization,
                        const std::string& id_number) {
    return Create("model_worker_file", organization, "2020-01-10",
                  {{"number", number},
                   {"full_name", "冯劳"},
                   {"person", id_number},
                   {"level", "province"},
                   {"awarded_year", "2015"},
                   {"status", "working"},
                   {"address", "某某路一号"}});
  };
  ASSERT_OK_AND_ASSIGN(const Record first, file("LM-1", "E01", somebody));
  EXPECT_EQ(first.fields().at("person").find(somebody), std::string::npos);
  EXPECT_EQ(first.fields().at("address").find("一号"), std::string::npos);
  EXPECT_THAT(file("LM-2", "E03", somebody),
              HasReasonAt(common::v1::REASON_ALREADY_EXISTS, "record.fields.person"));
  EXPECT_THAT(file("LM-2", "E03", "110105194912310021"),
              HasReasonAt(common::v1::REASON_ID_NUMBER_INVALID, "record.fields.person"));
  ASSERT_THAT(file("LM-2", "E03", IdNumber()), IsOk());
  New("model_worker_check", "E01", "2020-05-12", {{"file", "LM-1"}, {"findings", "良好"}});
  ASSERT_OK_AND_ASSIGN(const Record checked,
                       Step(first.name(), "check", "2020-05-12", {{"checked_on", "2020-05-12"}}));
  EXPECT_EQ(checked.due_date(), "2021-05-12");
  EXPECT_EQ(checked.fields().at("checks"), "1");
  EXPECT_THAT(Board("model_worker_file", "", "2021-02-01"), Contains("on_file: 2/1"));
  EXPECT_EQ(Figures("model_workers_total", "2020H1", "level=province"), "1 1 2");
  EXPECT_EQ(Figures("model_files_checked", "2020H1"), "1 1 1");
  ASSERT_THAT(Step(first.name(), "leave", "2020-10-01", {{"leaving", "moved"}}), IsOk());
  EXPECT_EQ(Figures("model_workers_total", "2020"), "0 0 1");
  EXPECT_THAT(file("LM-3", "E03", somebody), IsOk());  // Where the person moved to.
}

TEST_F(Registry, S15_HardshipFromApplicationToExit) {
  const std::string somebody = IdNumber();
  const std::string spouse = IdNumber();
  const auto apply = [&](const std::string& number, const Fields& more) {
    Fields fields = {{"number", number},     {"full_name", "陈小明"},      {"person", somebody},
                     {"category", "deep"},   {"cause", "serious_illness"}, {"income", "24000"},
                     {"rigid_costs", "6000"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("hardship_application", "E01", "2020-03-01", fields);
  };
  EXPECT_THAT(apply("KN-1", {{"secondary_causes", "4"}}), Breaks("secondary_causes_at_most"));
  EXPECT_THAT(apply("KN-1", {{"category", "accidental"}, {"cause", "schooling"}}),
              Breaks("accident_has_a_cause"));
  ASSERT_OK_AND_ASSIGN(const Record made, apply("KN-1", {}));
  EXPECT_EQ(made.fields().at("per_capita_income"), "1500.00");
  const std::string& name = made.name();
  // One household, one application.
  EXPECT_THAT(apply("KN-2", {}),
              HasReasonAt(common::v1::REASON_ALREADY_EXISTS, "record.fields.person"));
  New("hardship_household_member", "E01", "2020-03-01",
      {{"application", "KN-1"},
       {"relation", "spouse"},
       {"full_name", "陈妻"},
       {"person", spouse},
       {"income", "2402.40"}});
  EXPECT_THAT(apply("KN-2", {{"person", spouse}}),
              HasReasonAt(common::v1::REASON_ALREADY_EXISTS, "record.fields.person"));
  EXPECT_EQ(Field(name, "household_size"), "2");
  EXPECT_EQ(Field(name, "household_income"), "26402.40");
  EXPECT_EQ(Field(name, "per_capita_income"), "850.10");
  ASSERT_THAT(Step(name, "visit", "2020-03-10"), IsOk());
  EXPECT_THAT(Step(name, "review", "2020-03-20"), Breaks("deep_means_test"));
  EXPECT_THAT(Step(name, "review", "2020-03-20", {{"category", "relative"}, {"homes", "2"}}),
              Breaks("one_home"));
  EXPECT_THAT(StepBy(*unit_, name, "review", "2020-03-20", {{"category", "relative"}}),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  ASSERT_THAT(Step(name, "review", "2020-03-20", {{"category", "relative"}}), IsOk());
  ASSERT_THAT(Step(name, "publish", "2020-04-01"), IsOk());
  common::v1::ListRecordsRequest notice;
  notice.set_kind("hardship_application");
  notice.set_notice(true);
  ASSERT_OK_AND_ASSIGN(const auto shown, List(notice));
  ASSERT_EQ(shown.records_size(), 1);
  EXPECT_EQ(shown.records(0).fields().at("full_name"), "陈**");
  EXPECT_EQ(shown.records(0).fields_size(), 2);  // And the category.
  const auto file = [&](const Fields& more) {
    Fields fields = {{"level", "district"},
                     {"full_name", "陈小明"},
                     {"person", somebody},
                     {"cause", "serious_illness"},
                     {"application", "KN-1"}};
    for (const auto& [key, value] : more) fields[key] = value;
    return Create("hardship_file", "E01", "2020-04-10", fields);
  };
  EXPECT_THAT(file({}), Breaks("application_went_through"));
  EXPECT_THAT(Step(name, "enter", "2020-04-07"), Breaks("notice_ran_out"));
  ASSERT_THAT(Step(name, "enter", "2020-04-08"), IsOk());
  EXPECT_THAT(file({{"person", IdNumber()}}), Breaks("same_person"));
  ASSERT_OK_AND_ASSIGN(const Record opened, file({}));
  EXPECT_THAT(Create("hardship_file", "E03", "2020-05-10",
                     {{"level", "city"}, {"full_name", "陈妻"}, {"person", spouse}}),
              HasReasonAt(common::v1::REASON_ALREADY_EXISTS, "record.fields.person"));
  EXPECT_EQ(opened.due_date(), "2021-04-10");
  ASSERT_OK_AND_ASSIGN(const Record reviewed, Step(opened.name(), "review", "2021-03-01",
                                                   {{"reviewed_on", "2021-03-01"}}));
  EXPECT_EQ(reviewed.due_date(), "2022-03-01");

  EXPECT_EQ(Figures("hardship_applications", "2020H1"), "1 1 1");
  EXPECT_EQ(Figures("hardship_applications_entered", "2020H1", "category=relative"), "1 1 1");
  EXPECT_EQ(Figures("needy_workers_total", "2020H1", "level=district"), "1 1 1");
  EXPECT_EQ(Figures("files_entered", "2020H1"), "1 1 1");
  // Regraded: out of one level, into another, neither entered nor exited.
  ASSERT_THAT(Step(opened.name(), "exit", "2021-06-01", {{"leaving", "regraded"}}), IsOk());
  const std::string higher =
      New("hardship_file", "E01", "2021-06-01",
          {{"level", "city"}, {"full_name", "陈小明"}, {"person", somebody}, {"regraded", "true"}});
  EXPECT_EQ(Figures("needy_workers_total", "2021H1"), "1 1 1");
  EXPECT_EQ(Figures("needy_workers_total", "2021H1", "level=city"), "1 1 1");
  EXPECT_EQ(Figures("files_entered", "2021H1"), "0 0 0");
  EXPECT_EQ(Figures("files_exited", "2021H1"), "0 0 0");
  ASSERT_THAT(Step(higher, "exit", "2021-12-01"), IsOk());
  EXPECT_EQ(Figures("files_exited", "2021"), "1 1 1");
  EXPECT_EQ(Figures("needy_workers_total", "2021"), "0 0 0");
}

TEST_F(Registry, S15_TheMeansTestAtTheLine) {
  const auto review = [&](const std::string& number, const std::string& category,
                          const std::string& income) {
    const std::string name = New("hardship_application", "E01", "2020-03-01",
                                 {{"number", number},
                                  {"full_name", "陈小明"},
                                  {"person", IdNumber()},
                                  {"category", category},
                                  {"cause", "serious_illness"},
                                  {"income", income}});
    for (int i = 0; i < 2; ++i) {
      New("hardship_household_member", "E01", "2020-03-01",
          {{"application", number},
           {"relation", "child"},
           {"full_name", "陈小"},
           {"person", IdNumber()}});
    }
    EXPECT_THAT(Step(name, "visit", "2020-03-10"), IsOk());
    return Step(name, "review", "2020-03-20");
  };
  // Three persons: 800 a head and month is 28,800 a year. At the line is not below it, a fen is.
  EXPECT_THAT(review("KN-1", "deep", "28800.00"), Breaks("deep_means_test"));
  ASSERT_OK_AND_ASSIGN(const Record below, review("KN-2", "deep", "28799.99"));
  EXPECT_EQ(below.fields().at("per_capita_income"), "799.99");
  EXPECT_THAT(review("KN-3", "relative", "57600.00"), Breaks("relative_means_test"));
  EXPECT_THAT(review("KN-4", "relative", "57599.99"), IsOk());

  // A file is reviewed within a year; until then, or its end, it is overdue.
  const std::string file =
      New("hardship_file", "E01", "2020-02-10",
          {{"level", "district"}, {"full_name", "陈小明"}, {"person", IdNumber()}});
  EXPECT_EQ(Figures("hardship_reviews_overdue", "2020"), "0 0 0");
  EXPECT_EQ(Figures("hardship_reviews_overdue", "2021-02"), "1 1 1");
  ASSERT_THAT(Step(file, "exit", "2021-05-20"), IsOk());
  EXPECT_EQ(Figures("hardship_reviews_overdue", "2021-04"), "1 1 1");
  EXPECT_EQ(Figures("hardship_reviews_overdue", "2021H1"), "0 0 0");
}

}  // namespace
}  // namespace gonghui::district
