// How unions come to be: establishment, the ledger of employers, certificates, organisers.
#include "tests/acceptance/registry.h"

namespace gonghui::district {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

TEST_F(Registry, S01_EstablishmentWithTheUpperUnionsApproval) {
  const auto apply = [&](const std::string& unit, const Fields& more) {
    Fields fields = {{"title", "某某机械工会"},
                     {"unit", unit},
                     {"form", "committee"},
                     {"employees", "130"},
                     {"members", "120"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("establishment", "T01", "2020-03-02", fields);
  };
  // An employer of a hundred has a union of its own, 25 members have a committee.
  EXPECT_THAT(apply("U1", {{"form", "joint_committee"}}), Breaks("large_units_alone"));
  EXPECT_THAT(apply("U1", {{"form", "organiser"}, {"employees", "60"}, {"members", "25"}}),
              Breaks("committee_from_25_members"));
  EXPECT_THAT(apply("U1", {{"members", "131"}}), Breaks("members_within_workers"));
  ASSERT_THAT(apply("U2", {{"form", "organiser"}, {"employees", "60"}, {"members", "24"}}), IsOk());
  ASSERT_OK_AND_ASSIGN(const Record made, apply("U1", {}));
  EXPECT_EQ(made.due_date(), "2020-03-17");  // The upper union replies within 15 days.
  EXPECT_THAT(apply("U1", {{"members", "100"}}),
              HasReasonAt(common::v1::REASON_ALREADY_EXISTS, "record.fields.unit"));

  const std::string& name = made.name();
  // Only the approving union takes the steps.
  EXPECT_THAT(StepBy(*unit_, name, "prepare", "2020-03-10"),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Step(name, "approve", "2020-03-10", {{"approval_no", "1"}}),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "transition"));
  ASSERT_THAT(Step(name, "prepare", "2020-03-10"), IsOk());
  const Fields vote = {{"eligible", "120"}, {"attended", "80"}, {"committee_size", "5"}};
  Fields few = vote;
  few["attended"] = "79";
  EXPECT_THAT(Step(name, "elect", "2020-05-10", few), Breaks("quorum"));
  Fields large = vote;
  large["committee_size"] = "9";
  EXPECT_THAT(Step(name, "elect", "2020-05-10", large), Breaks("size_at_most"));
  ASSERT_THAT(Step(name, "elect", "2020-05-10", vote), IsOk());
  EXPECT_THAT(Step(name, "approve", "2020-05-20"),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "fields.approval_no"));
  ASSERT_THAT(Step(name, "approve", "2020-05-20", {{"approval_no", "某工组〔2020〕1号"}}), IsOk());
  // The new union stands in the tree before it is registered.
  EXPECT_THAT(Step(name, "register", "2020-05-25", {{"union_id", "E09"}}),
              HasReasonAt(common::v1::REASON_REFERENCE_NOT_FOUND, "fields.union_id"));
  Found("E09", "T01", "enterprise");
  ASSERT_THAT(Step(name, "register", "2020-05-25", {{"union_id", "E09"}}), IsOk());

  EXPECT_EQ(Figures("establishments_applied", "2020H1"), "0 2 2");
  EXPECT_EQ(Figures("establishments_approved", "2020H1", "form=committee"), "0 1 1");
  EXPECT_EQ(Figures("union_orgs_total", "2020H1"), "1 4 7");
  EXPECT_EQ(Figures("unions_established", "2010"), "1 4 6");
}

TEST_F(Registry, S02_LedgerOfEntities) {
  const auto enter = [&](const std::string& unit, const Fields& more) {
    Fields fields = {{"unit", unit},
                     {"enterprise_size", "100plus"},
                     {"has_union", "false"},
                     {"employees", "130"},
                     {"patch", "第三片区"}};
    for (const auto& [name, value] : more) fields[name] = value;
    return Create("economic_entity", "E01", "2020-03-02", fields);
  };
  EXPECT_THAT(enter("U1", {{"employees", "99"}}), Breaks("large_is_large"));
  EXPECT_THAT(enter("U1", {{"enterprise_size", "under_100"}}), Breaks("small_is_small"));
  EXPECT_THAT(enter("U1", {{"difficulty", "impossible"}}),
              HasReasonAt(common::v1::REASON_CODE_UNKNOWN, "record.fields.difficulty"));
  ASSERT_OK_AND_ASSIGN(const Record first, enter("U1", {}));
  ASSERT_THAT(enter("U2", {{"has_union", "true"}}), IsOk());
  ASSERT_OK_AND_ASSIGN(
      const Record third,
      enter("U3", {{"enterprise_size", "under_100"}, {"employees", "99"}, {"members", "24"}}));
  EXPECT_EQ(first.fields().at("own_union_due"), "1");
  EXPECT_EQ(third.fields().at("own_union_due"), "0");
  EXPECT_EQ(third.fields().at("committee_due"), "0");
  ASSERT_THAT(Update(third.name(), {{"members", "25"}, {"stage", "同意建会"}}), IsOk());
  EXPECT_EQ(Field(third.name(), "committee_due"), "1");
  EXPECT_EQ(first.due_date(), "2020-03-09");  // The ledger is updated weekly.

  // Changes are events of their own, told by the unit's code.
  EXPECT_THAT(
      Create("entity_change", "E01", "2020-03-09", {{"entity", "U9"}, {"change", "closed"}}),
      HasReasonAt(common::v1::REASON_REFERENCE_NOT_FOUND, "record.fields.entity"));
  New("entity_change", "E01", "2020-03-09", {{"entity", "U1"}, {"change", "workers_changed"}});
  EXPECT_EQ(Field(first.name(), "changes"), "1");
  ASSERT_OK_AND_ASSIGN(const Record updated,
                       Step(first.name(), "update", "2020-03-09", {{"updated_on", "2020-03-09"}}));
  EXPECT_EQ(updated.due_date(), "2020-03-16");
  EXPECT_THAT(Board("economic_entity", "", "2020-03-12"),
              ElementsAre("enterprise registered: 3/2", "registered: 3/2"));
  common::v1::ListRecordsRequest stale;
  stale.set_kind("economic_entity");
  stale.set_due_to("2020-03-10");
  ASSERT_OK_AND_ASSIGN(const auto late, List(stale));
  EXPECT_EQ(late.records_size(), 2);
  ASSERT_THAT(Update(first.name(), {{"ends_on", "2020-05-31"}}), IsOk());
  ASSERT_THAT(Step(first.name(), "close", "2020-06-01"), IsOk());

  New("organising_report", "E01", "2020-03-08", {{"patch", "第三片区"}, {"surveyed", "25"}});
  New("organising_report", "E01", "2020-03-15", {{"patch", "第三片区"}, {"surveyed", "10"}});
  EXPECT_EQ(Figures("entities_without_union", "2020Q1"), "2 2 2");
  EXPECT_EQ(Figures("entities_without_union", "2020H1"), "1 1 1");
  EXPECT_EQ(Figures("union_coverage_rate", "2020H1"), "50 50 50");
  EXPECT_EQ(Figures("ledger_changes", "2020H1", "change=workers_changed"), "1 1 1");
  EXPECT_EQ(Figures("organising_reports", "2020H1"), "2 2 2");
  EXPECT_EQ(Figures("areas_surveyed", "2020H1"), "1 1 1");
  EXPECT_EQ(Figures("entities_surveyed", "2020H1"), "35 35 35");
  EXPECT_EQ(Figures("progress_report_frequency", "2020H1"), "2 2 2");
  EXPECT_EQ(Figures("ledger_update_frequency", "2020H1"), "1 1 1");
  // Stale a week after the last update, until the entity is closed.
  EXPECT_EQ(Figures("stale_ledger_entries", "2020Q1"), "3 3 3");
  EXPECT_EQ(Figures("stale_ledger_entries", "2020H1"), "2 2 2");
  EXPECT_EQ(Figures("entities_due_without_union", "2020Q1"), "1 1 1");
  EXPECT_EQ(Figures("entities_due_without_union", "2020H1"), "0 0 0");
  // A union founded later counts from its day on; what was before stays.
  const Fields union_since = {{"has_union", "true"}, {"union_since", "2020-07-10"}};
  EXPECT_THAT(Step(third.name(), "organise", "2020-07-10"),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "fields.union_since"));
  EXPECT_THAT(Step(third.name(), "organise", "2020-07-10", {{"union_since", "2020-07-10"}}),
              Breaks("union_since_is_a_union"));
  EXPECT_THAT(Step(third.name(), "organise", "2020-07-10",
                   {{"has_union", "true"}, {"union_since", "2020-03-01"}}),
              Breaks("union_since_registration"));
  ASSERT_THAT(Step(third.name(), "organise", "2020-07-10", union_since), IsOk());
  EXPECT_EQ(Figures("entities_without_union", "2020H1"), "1 1 1");
  EXPECT_EQ(Figures("entities_without_union", "2020Q3"), "0 0 0");
  EXPECT_EQ(Figures("entities_with_union", "2020H1"), "1 1 1");
  EXPECT_EQ(Figures("entities_with_union", "2020Q3"), "2 2 2");
  EXPECT_EQ(Figures("union_coverage_rate", "2020Q3"), "100 100 100");
}

TEST_F(Registry, S06_LegalPersonsAndCertificates) {
  const std::string name = New("legal_person", "E01", "2020-02-01", {{"representative", "张三"}});
  EXPECT_EQ(Field(name, "representative"), "张*");
  const Fields grant = {{"certificate_no", "工法证字第1号"}};
  EXPECT_THAT(Step(name, "grant", "2020-02-10", grant),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "ends_on"));
  ASSERT_THAT(Update(name, {{"ends_on", "2022-12-31"}}), IsOk());
  EXPECT_THAT(Step(name, "grant", "2020-02-10", grant), Breaks("valid_at_least_3_years"));
  ASSERT_THAT(Update(name, {{"ends_on", "2023-02-09"}}), IsOk());
  EXPECT_THAT(StepBy(*unit_, name, "grant", "2020-02-10", grant),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  ASSERT_OK_AND_ASSIGN(const Record granted, Step(name, "grant", "2020-02-10", grant));
  EXPECT_EQ(granted.due_date(), "2023-02-09");
  EXPECT_THAT(Create("legal_person", "E02", "2020-02-01", {{"certificate", "licence"}}),
              HasReasonAt(common::v1::REASON_CODE_UNKNOWN, "record.fields.certificate"));
  const std::string code = New("legal_person", "E01", "2020-02-01",
                               {{"certificate", "credit_code"},
                                {"representative", "张三"},
                                {"certificate_no", "2"},
                                {"ends_on", "2023-03-31"}});
  EXPECT_THAT(Step(code, "grant", "2020-02-20"), Breaks("credit_code_of_unions"));
  ASSERT_THAT(Step(code, "grant", "2020-02-20", {{"credit_code", "81320400MC00000010"}}), IsOk());

  EXPECT_EQ(Figures("legal_person_registrations", "2020H1"), "1 1 1");
  EXPECT_EQ(Figures("certificate_kinds", "2020H1"), "2 2 2");
  EXPECT_EQ(Figures("certified_union_rate", "2020H1"), "100 33.33 16.67");
  EXPECT_THAT(Update(name, {{"ends_on", "2025-02-11"}}), Breaks("valid_at_most_5_years"));
  EXPECT_EQ(Figures("certificates_expiring", "2022H1"), "0 0 0");
  EXPECT_EQ(Figures("certificates_expiring", "2022"), "2 2 2");
  EXPECT_EQ(Figures("certificates_expiring", "2023-02", "certificate=credit_code"), "1 1 1");
  EXPECT_EQ(Figures("certificates_expired", "2023-02"), "1 1 1");
  EXPECT_EQ(Figures("certified_unions", "2023-02"), "0 0 0");
  EXPECT_THAT(Board("legal_person", "", "2022-12-20"), Contains("granted: 2/0 3m=1 6m=1"));
  EXPECT_THAT(Board("legal_person", "", "2023-02-15"), Contains("granted: 2/1 3m=1"));
  ASSERT_THAT(Step(name, "strike_off", "2020-09-01"), IsOk());
  EXPECT_EQ(Figures("certified_unions", "2020"), "0 0 0");
}

TEST_F(Registry, S08_OrganisersFromPoolToPatch) {
  const std::string round =
      New("organiser_round", "T01", "2020-01-05", {{"number", "ZP-1"}, {"quota", "1"}});
  const auto apply = [&](const std::string& id_number) {
    return Create("organiser_candidate", "T01", "2020-01-10",
                  {{"round", "ZP-1"}, {"full_name", "钱七"}, {"person", id_number}});
  };
  const std::string somebody = IdNumber();
  ASSERT_OK_AND_ASSIGN(const Record first, apply(somebody));
  ASSERT_OK_AND_ASSIGN(const Record second, apply(IdNumber()));
  New("organiser_round", "T02", "2020-01-05", {{"number", "ZP-2"}, {"quota", "1"}});
  EXPECT_THAT(Create("organiser_candidate", "T02", "2020-01-10",
                     {{"round", "ZP-2"}, {"full_name", "钱七"}, {"person", somebody}}),
              HasReasonAt(common::v1::REASON_ALREADY_EXISTS, "record.fields.person"));
  EXPECT_EQ(Field(round, "candidates"), "2");
  EXPECT_THAT(Step(first.name(), "offer", "2020-02-01",
                   {{"written_score", "59"}, {"interview_score", "90"}}),
              Breaks("passed_the_test"));
  ASSERT_OK_AND_ASSIGN(const Record offered,
                       Step(first.name(), "offer", "2020-02-01",
                            {{"written_score", "78"}, {"interview_score", "85"}}));
  EXPECT_EQ(offered.fields().at("total_score"), "81");  // 6:4, halves up.
  EXPECT_THAT(Step(second.name(), "offer", "2020-02-01",
                   {{"written_score", "80"}, {"interview_score", "80"}}),
              Breaks("hired_within_quota"));
  EXPECT_THAT(Step(first.name(), "hire", "2020-02-15"),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "fields.contract_no"));
  ASSERT_THAT(
      Step(first.name(), "hire", "2020-02-15", {{"contract_no", "HT-1"}, {"patch", "第三片区"}}),
      IsOk());
  ASSERT_THAT(Step(second.name(), "turn_down", "2020-02-15"), IsOk());
  ASSERT_THAT(Step(first.name(), "appraise", "2020-12-20", {{"appraisal_score", "90"}}), IsOk());

  EXPECT_EQ(Figures("organiser_candidates", "2020H1"), "0 2 2");
  EXPECT_EQ(Figures("organisers_recruited", "2020H1"), "0 1 1");
  ASSERT_THAT(Step(first.name(), "leave", "2021-01-31"), IsOk());
  EXPECT_EQ(Figures("organisers_total", "2020"), "0 1 1");
  EXPECT_EQ(Figures("organisers_total", "2021Q1"), "0 0 0");
}

}  // namespace
}  // namespace gonghui::district
