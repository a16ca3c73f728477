// The record engine on every SQL engine, with its hook.
#include "common/records/records.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "common/base/text.h"
#include "common/testing/matchers.h"
#include "gmock/gmock.h"
#include "tests/conformance/records_fixture.h"

namespace gonghui::records {
namespace {

using common::v1::Record;
using ::testing::ElementsAre;
using testing::HasReason;
using testing::HasReasonAt;
using testing::IsOk;

constexpr std::string_view kCatalog = R"(
version: "2020-01-01"
kinds:
  - name: plan
    label: 计划
    fields:
      - {name: premium, type: money, min: 1, max: 100000}
      - {name: level, type: text, default_value: low}
    states: [{name: open, limit_days: 5}, {name: closed, final: true}]
    transitions: [{name: close, from: [open], to: closed, needs: [premium]}]
    facts: [{measure: premiums, amount: premium}]
  - name: insured
    label: 参保人
    key: [plan, person]
    fields:
      - {name: plan, type: record, refers_to: plan, required: true}
      - {name: person, type: person}
      - {name: heads, type: integer}
    facts:
      - {measure: heads, amount: heads, subject: subject, dimensions: [{key: level, value: {field: parent.level}}]}
    rules:
      - {name: few, left: heads, relation: "<=", right: "9", message: {zh: 不超过九, en: at most nine}}
      - {name: not_before, left: on_date, relation: ">=", right: parent.on_date, message: {zh: 不早于计划, en: not before the plan}}
)";

class RecordsTest : public RecordsFixture {
 protected:
  RecordsTest() : RecordsFixture(kCatalog) {}

  absl::Status OnChange(absl::Span<const Change> changes) override {
    for (const Change& change : changes) {
      seen_.push_back(StrCat(change.kind->name(), " ", change.record->number(), " ",
                             change.before == nullptr ? "new" : "changed", " ",
                             change.record->state(), change.after->cancelled ? " cancelled" : ""));
      EXPECT_EQ(change.record->name().substr(0, 24), "federations/demo/things/");
    }
    return hook_answer_;
  }

  static Record Plan(const std::string& number, const std::string& organization = "E1",
                     const std::string& on_date = "2020-01-02") {
    Record record;
    record.set_kind("plan");
    record.set_number(number);
    record.set_organization(organization);
    record.set_on_date(on_date);
    (*record.mutable_fields())["premium"] = "40";
    return record;
  }
  static Record Insured(const std::string& plan, const std::string& person,
                        const std::string& heads) {
    Record record;
    record.set_kind("insured");
    record.set_organization("E2");
    record.set_on_date("2020-01-03");
    auto& fields = *record.mutable_fields();
    fields["plan"] = plan;
    fields["person"] = person;
    fields["heads"] = heads;
    return record;
  }

  absl::StatusOr<Record> Close(const std::string& name) {
    common::v1::AdvanceRecordRequest request;
    request.set_name(name);
    request.set_transition("close");
    request.set_on_date("2020-01-05");
    return records_.Advance(call_, request);
  }
  std::vector<std::string> List(common::v1::ListRecordsRequest request) {
    std::vector<std::string> numbers;
    request.set_kind("plan");
    request.set_page_size(7);
    do {
      const auto page = records_.List(call_, request);
      EXPECT_THAT(page, IsOk());
      if (!page.ok()) break;
      for (const Record& record : page->records()) numbers.push_back(record.number());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return numbers;
  }

  std::vector<std::string> seen_;
  absl::Status hook_answer_;
};

INSTANTIATE_TEST_SUITE_P(Engines, RecordsTest, ::testing::ValuesIn(testing::Engines()));

TEST_P(RecordsTest, HookSeesEveryChangeOnce) {
  ASSERT_OK_AND_ASSIGN(Record plan, Create(Plan("P1")));
  plan.set_title("新名");
  ASSERT_THAT(Update(plan, "title"), IsOk());
  ASSERT_THAT(Update(plan, "title"), HasReason(common::v1::REASON_ETAG_MISMATCH));
  plan.clear_etag();
  ASSERT_THAT(Update(plan, "title"), IsOk());  // Nothing changes.
  ASSERT_THAT(Close(plan.name()), IsOk());
  common::v1::CancelRecordRequest cancel;
  cancel.set_name(plan.name());
  cancel.set_remark("x");
  ASSERT_THAT(records_.Cancel(call_, cancel), IsOk());
  EXPECT_THAT(seen_, ElementsAre("plan P1 new open", "plan P1 changed open",
                                 "plan P1 changed closed", "plan P1 changed closed cancelled"));
}

TEST_P(RecordsTest, HookCanRefuseTheTransaction) {
  hook_answer_ = FailedPrecondition(common::v1::REASON_PERIOD_CLOSED, "closed", "已结账");
  EXPECT_THAT(Create(Plan("P1")), HasReason(common::v1::REASON_PERIOD_CLOSED));
  hook_answer_ = absl::OkStatus();
  EXPECT_THAT(List({}), ElementsAre());
  EXPECT_THAT(Create(Plan("P1")), IsOk());
}

TEST_P(RecordsTest, ListsSubtreesOfEverySize) {
  for (int i = 1; i < 40; ++i) {
    ASSERT_THAT(
        Create(Plan(StrCat("P", i), StrCat("E", i), i % 2 == 0 ? "2020-02-01" : "2020-01-02")),
        IsOk());
  }
  common::v1::ListRecordsRequest request;
  EXPECT_EQ(List(request).size(), 39U);
  request.set_organization("D01");
  EXPECT_EQ(List(request).size(), 39U);
  request.set_organization("E1");
  EXPECT_EQ(List(request).size(), 11U);
  request.set_organization("E7");
  EXPECT_THAT(List(request), ElementsAre("P7"));
  request.set_organization("");
  request.set_number("P8");
  EXPECT_THAT(List(request), ElementsAre("P8"));
  request.clear_number();
  request.set_from_date("2020-02-01");
  const auto even = List(request);
  EXPECT_EQ(even.size(), 19U);
  EXPECT_EQ(even.front(), "P38");
  request.clear_from_date();
  request.set_overdue(true);
  EXPECT_EQ(List(request).size(), 39U);
  request.set_state("closed");
  EXPECT_EQ(List(request).size(), 0U);
}

TEST_P(RecordsTest, StepsNeedTheirFields) {
  Record bare = Plan("P1");
  bare.mutable_fields()->clear();
  ASSERT_OK_AND_ASSIGN(const Record plan, Create(bare));
  EXPECT_EQ(plan.fields().at("level"), "low");
  EXPECT_THAT(Close(plan.name()), HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "fields.premium"));
}

TEST_P(RecordsTest, BatchesMeetParentsKeysAndRules) {
  ASSERT_THAT(Create(Plan("P1")), IsOk());
  common::v1::BatchCreateRecordsRequest request;
  request.set_parent("federations/demo");
  request.set_partial(true);
  for (int i = 0; i < 50; ++i) {
    *request.add_records() =
        Insured(i == 7 ? "P9" : "P1", StrCat("H", 1000000 + i), i == 8 ? "10" : "2");
  }
  request.mutable_records(9)->set_on_date("2020-01-01");
  ASSERT_OK_AND_ASSIGN(const auto first, records_.BatchCreate(call_, request));
  EXPECT_EQ(first.created(), 47);
  ASSERT_EQ(first.failures_size(), 3);
  EXPECT_EQ(first.failures(0).field(), "fields.plan");
  EXPECT_EQ(first.failures(0).reason(), "REFERENCE_NOT_FOUND");
  EXPECT_EQ(first.failures(1).field(), "fields.heads");
  EXPECT_EQ(first.failures(1).reason(), "RULE_VIOLATED");
  EXPECT_EQ(first.failures(2).field(), "on_date");
  (*request.mutable_records(7)->mutable_fields())["plan"] = "P1";
  ASSERT_OK_AND_ASSIGN(const auto second, records_.BatchCreate(call_, request));
  EXPECT_EQ(second.created(), 1);
  EXPECT_EQ(second.existing(), 47);
  EXPECT_EQ(second.failures_size(), 2);
}

TEST_P(RecordsTest, MovesToAnotherParent) {
  ASSERT_THAT(Create(Plan("P1")), IsOk());
  Record high = Plan("P2");
  (*high.mutable_fields())["level"] = "high";
  ASSERT_THAT(Create(high), IsOk());
  ASSERT_OK_AND_ASSIGN(Record insured, Create(Insured("P1", "H1000001", "2")));
  ASSERT_THAT(Create(Insured("P2", "H1000002", "2")), IsOk());
  (*insured.mutable_fields())["plan"] = "P2";
  ASSERT_OK_AND_ASSIGN(const Record moved, Update(insured, "fields.plan"));
  EXPECT_EQ(moved.fields().at("plan"), "P2");
  (*insured.mutable_fields())["plan"] = "P9";
  insured.clear_etag();
  EXPECT_THAT(Update(insured, "fields.plan"),
              HasReasonAt(common::v1::REASON_REFERENCE_NOT_FOUND, "record.fields.plan"));
  (*insured.mutable_fields())["plan"] = "P2";
  (*insured.mutable_fields())["person"] = "H1000002";
  EXPECT_THAT(Update(insured, "fields.plan,fields.person"),
              HasReasonAt(common::v1::REASON_ALREADY_EXISTS, "record.fields.plan"));
}

}  // namespace
}  // namespace gonghui::records
