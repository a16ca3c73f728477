// What records together may come to, who may take which step, what is locked, and products and
// spans in computed fields, on every SQL engine.
#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "common/base/text.h"
#include "gmock/gmock.h"
#include "tests/conformance/records_fixture.h"

namespace gonghui::records {
namespace {

using common::v1::Record;
using testing::HasReason;
using testing::HasReasonAt;
using ::testing::HasSubstr;
using testing::IsOk;

constexpr std::string_view kCatalog = R"(
version: "2020-01-01"
limits:
  - name: yearly
    label: 年度上限
    values: [{value: 10000, citation: a}, {value: 20000, place: E2, citation: b}]
  - name: chair
    label: 主席审批上限
    values: [{value: 5000, citation: a}]
kinds:
  - name: gift
    label: 慰问
    fields:
      - {name: person, type: person}
      - {name: amount, type: money}
      - {name: illness, type: text}
      - {name: round, type: text}
    states: [{name: asked}, {name: refused, final: true}]
    transitions: [{name: refuse, from: [asked], to: refused}]
    caps:
      - {name: per_year, of: [{field: state, in: [refused], not: true}], per: [subject], within: year, amount: amount, at_most: limit.yearly, message: {zh: 超限, en: too much in the year}, citation: 某号文}
      - {name: once_an_illness, when: [{field: illness}], per: [subject, illness], within: quarter, at_most: "1", message: {zh: 同病一次, en: once an illness}}
      - {name: seldom_so_much, per: [subject], within: month, amount: amount, at_most: "9000", warn: true, message: {zh: 当月较多, en: much in the month}}
      - {name: in_the_register, when: [{field: round}], kinds: [entry], per: [subject], since: on_date, until: ends_on, at_least: "1", message: {zh: 不在册, en: not in the register}}
  - name: entry
    label: 名册
    fields: [{name: person, type: person}]
  - name: contest
    label: 评比
    number_required: true
  - name: place
    label: 名次
    fields:
      - {name: contest, type: record, refers_to: contest, required: true}
      - {name: score, type: integer}
      - {name: rank, type: integer}
      - {name: before, type: integer, computed: {terms: [{value: rank}, {value: "1", times: -1}]}}
    caps:
      - {name: ranked_by_score, when: [{field: rank}], per: [contest], above: score, at_most: before, at_least: before, message: {zh: 名次不符, en: not its place}}
  - name: claim
    label: 报销
    fields:
      - {name: amount, type: money, required: true}
      - {name: note, type: text}
      - {name: days, type: integer, computed: {terms: [{value: entered.paid, since: on_date}]}}
      - {name: months, type: integer, computed: {terms: [{value: entered.paid, since: on_date, months: true}, {value: "1"}], at_most: "3"}}
      - {name: rate, type: money, computed: {terms: [{value: amount, by: ["3"]}, {value: amount, times: 2, when: [{field: note, in: [twice]}]}], divisors: ["10"], at_least: "100", at_most: limit.chair}}
    states: [{name: filed}, {name: checked, locked: true}, {name: paid, locked: true, final: true}]
    transitions:
      - {name: check, from: [filed], to: checked, other_than: [create]}
      - {name: back, from: [checked], to: filed, needs: [note]}
      - {name: pay, from: [checked], to: paid, other_than: [create, check], rules: [{name: chair_signs_up_to, left: amount, relation: "<=", right: limit.chair, message: {zh: 须集体研究, en: the committee decides}}]}
  - name: bill
    label: 单据
    fields: [{name: claim, type: record, refers_to: claim, required: true}]
)";

// A valid identity number for each n below 1000.
std::string IdNumber(int n) {
  constexpr int kWeights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  std::string number = StrCat("32040219700101", n / 100, n / 10 % 10, n % 10);
  int sum = 0;
  for (int i = 0; i < 17; ++i) sum += (number[i] - '0') * kWeights[i];
  return number + "10X98765432"[sum % 11];
}

class RecordCapsTest : public RecordsFixture {
 protected:
  RecordCapsTest() : RecordsFixture(kCatalog) {}

  static Record Draft(const std::string& kind, const std::string& organization,
                      const std::map<std::string, std::string>& fields,
                      const std::string& on_date = "2020-03-01") {
    static std::atomic<int> made = 0;
    Record record;
    record.set_kind(kind);
    record.set_organization(organization);
    record.set_number(StrCat("N", ++made));
    record.set_on_date(on_date);
    record.mutable_fields()->insert(fields.begin(), fields.end());
    return record;
  }
  absl::StatusOr<Record> Step(const std::string& actor, const Record& record,
                              const std::string& transition, const std::string& on_date,
                              const std::map<std::string, std::string>& fields = {}) {
    common::v1::AdvanceRecordRequest request;
    request.set_name(record.name());
    request.set_transition(transition);
    request.set_on_date(on_date);
    request.mutable_fields()->insert(fields.begin(), fields.end());
    rpc::Call call = call_;
    call.actor.subject = actor;
    return records_.Advance(call, request);
  }
  absl::Status Cancel(const Record& record) {
    common::v1::CancelRecordRequest request;
    request.set_name(record.name());
    request.set_remark("误录");
    return records_.Cancel(call_, request).status();
  }
  absl::StatusOr<Record> Gift(const std::string& organization, int person,
                              const std::string& amount, const std::string& on_date = "2020-03-01",
                              const std::string& illness = "") {
    std::map<std::string, std::string> fields = {{"person", IdNumber(person)}, {"amount", amount}};
    if (!illness.empty()) fields["illness"] = illness;
    return Create(Draft("gift", organization, fields, on_date));
  }
};

TEST_P(RecordCapsTest, APersonsYearIsBoundedAcrossUnits) {
  ASSERT_OK_AND_ASSIGN(const Record first, Gift("E1", 1, "60"));
  const auto more = Gift("E3", 1, "40.01");
  EXPECT_THAT(more, HasReasonAt(common::v1::REASON_LIMIT_EXCEEDED, "record.fields.amount"));
  EXPECT_THAT(more.status().message(), HasSubstr("[100.01 <= 100.00] (某号文)"));
  EXPECT_TRUE(first.warnings().empty());
  ASSERT_OK_AND_ASSIGN(const Record second, Gift("E2", 1, "140"));  // There the limit is 200.
  ASSERT_EQ(second.warnings_size(), 1);
  EXPECT_EQ(second.warnings(0).rule(), "seldom_so_much");
  EXPECT_EQ(second.warnings(0).field(), "fields.amount");
  EXPECT_THAT(Gift("E3", 2, "100"), IsOk());
  EXPECT_THAT(Gift("E3", 1, "100", "2021-01-01"), IsOk());
  // What is refused, or cancelled, counts no longer.
  ASSERT_OK_AND_ASSIGN(const Record other, Gift("E1", 3, "100"));
  EXPECT_THAT(Gift("E1", 3, "1"), HasReason(common::v1::REASON_LIMIT_EXCEEDED));
  ASSERT_THAT(Step("a", other, "refuse", "2020-03-02"), IsOk());
  ASSERT_OK_AND_ASSIGN(const Record third, Gift("E1", 3, "100"));
  ASSERT_THAT(Cancel(third), IsOk());
  EXPECT_THAT(Gift("E1", 3, "100"), IsOk());
  // An update is judged as well, beside the others and not beside itself.
  Record changed = first;
  (*changed.mutable_fields())["amount"] = "60.01";
  EXPECT_THAT(Update(changed, "fields.amount"), HasReason(common::v1::REASON_LIMIT_EXCEEDED));
}

TEST_P(RecordCapsTest, ItemsOfABatchCountTogether) {
  common::v1::BatchCreateRecordsRequest request;
  request.set_parent("federations/demo");
  for (int i = 0; i < 3; ++i) {
    *request.add_records() = Draft("gift", "E1", {{"person", IdNumber(1)}, {"amount", "50"}});
  }
  request.set_partial(true);
  ASSERT_OK_AND_ASSIGN(const auto answer, records_.BatchCreate(call_, request));
  EXPECT_EQ(answer.created(), 2);
  ASSERT_EQ(answer.failures_size(), 1);
  EXPECT_EQ(answer.failures(0).index(), 2);
}

TEST_P(RecordCapsTest, OnceInAQuarter) {
  ASSERT_THAT(Gift("E1", 1, "10", "2020-01-31", "x"), IsOk());
  EXPECT_THAT(Gift("E3", 1, "10", "2020-03-31", "x"), HasReason(common::v1::REASON_LIMIT_EXCEEDED));
  EXPECT_THAT(Gift("E3", 1, "10", "2020-03-31", "y"), IsOk());
  EXPECT_THAT(Gift("E3", 1, "10", "2020-04-01", "x"), IsOk());
}

TEST_P(RecordCapsTest, ThePersonStandsInTheRegisterThatDay) {
  Record entry = Draft("entry", "E5", {{"person", IdNumber(7)}}, "2020-02-01");
  entry.set_ends_on("2020-02-29");
  ASSERT_THAT(Create(entry), IsOk());
  const auto gift = [&](const std::string& on_date) {
    return Create(Draft("gift", "E1", {{"person", IdNumber(7)}, {"round", "a"}}, on_date));
  };
  EXPECT_THAT(gift("2020-01-31"), HasReason(common::v1::REASON_RULE_VIOLATED));
  EXPECT_THAT(gift("2020-03-01"), HasReason(common::v1::REASON_RULE_VIOLATED));
  EXPECT_THAT(gift("2020-02-29"), IsOk());
}

TEST_P(RecordCapsTest, PlacesFollowScores) {
  Record contest = Draft("contest", "D01", {});
  ASSERT_THAT(Create(contest), IsOk());
  const auto enter = [&](const std::string& score) {
    return Create(Draft("place", "E1", {{"contest", contest.number()}, {"score", score}}));
  };
  ASSERT_OK_AND_ASSIGN(Record best, enter("90"));
  ASSERT_OK_AND_ASSIGN(Record second, enter("80"));
  ASSERT_OK_AND_ASSIGN(Record equal, enter("80"));
  const auto rank = [&](Record record, const std::string& place) {
    (*record.mutable_fields())["rank"] = place;
    return Update(record, "fields.rank");
  };
  EXPECT_THAT(rank(second, "1"), HasReason(common::v1::REASON_LIMIT_EXCEEDED));
  EXPECT_THAT(rank(second, "3"), HasReason(common::v1::REASON_RULE_VIOLATED));
  EXPECT_THAT(rank(second, "2"), IsOk());
  EXPECT_THAT(rank(equal, "2"), IsOk());
  EXPECT_THAT(rank(best, "1"), IsOk());
}

// Whoever comes later is repeated and sees what the earlier wrote.
TEST_P(RecordCapsTest, TwoAtOnceDoNotBothPass) {
  std::atomic<int> granted = 0;
  std::vector<std::thread> units;
  for (int i = 0; i < 8; ++i) {
    units.emplace_back([&, i] {
      if (Gift(StrCat("E", i + 3), 1, "50").ok()) ++granted;
    });
  }
  for (std::thread& unit : units) unit.join();
  EXPECT_EQ(granted, 2);
}

TEST_P(RecordCapsTest, DutiesAreApartAndStepsHaveRules) {
  ASSERT_OK_AND_ASSIGN(const Record claim, Create(Draft("claim", "E1", {{"amount", "50.01"}})));
  EXPECT_THAT(Step("tester", claim, "check", "2020-03-02"),
              HasReasonAt(common::v1::REASON_DUTIES_NOT_SEPARATED, "transition"));
  ASSERT_THAT(Step("checker", claim, "check", "2020-03-02"), IsOk());
  EXPECT_THAT(Step("checker", claim, "pay", "2020-03-03"),
              HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  EXPECT_THAT(Step("payer", claim, "pay", "2020-03-03"),
              HasReason(common::v1::REASON_RULE_VIOLATED));
  // Locked: nothing but what the step needs.
  Record changed = claim;
  changed.clear_etag();
  (*changed.mutable_fields())["amount"] = "40";
  EXPECT_THAT(Update(changed, "fields.amount"),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "update_mask"));
  EXPECT_THAT(Cancel(claim), HasReason(common::v1::REASON_STATE_FORBIDS));
  EXPECT_THAT(Step("a", claim, "back", "2020-03-03", {{"note", "twice"}, {"amount", "1"}}),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "fields.amount"));
  EXPECT_THAT(Create(Draft("bill", "E1", {{"claim", claim.number()}})),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "record.fields.claim"));
  ASSERT_THAT(Step("a", claim, "back", "2020-03-03", {{"note", "twice"}}), IsOk());
  ASSERT_OK_AND_ASSIGN(const Record bill, Create(Draft("bill", "E1", {{"claim", claim.number()}})));
  ASSERT_OK_AND_ASSIGN(const Record lower, Update(changed, "fields.amount"));
  ASSERT_THAT(Step("checker", lower, "check", "2020-03-04"), IsOk());
  EXPECT_THAT(Cancel(bill), HasReason(common::v1::REASON_STATE_FORBIDS));
  ASSERT_OK_AND_ASSIGN(const Record paid, Step("payer", lower, "pay", "2020-05-05"));
  EXPECT_EQ(paid.fields().at("days"), "65");
  EXPECT_EQ(paid.fields().at("months"), "3");
  EXPECT_EQ(paid.fields().at("rate"), "20.00");  // 40 × 3 ÷ 10 + 40 × 2 ÷ 10.
}

TEST_P(RecordCapsTest, ComputedValuesKeepWithinBounds) {
  ASSERT_OK_AND_ASSIGN(const Record small, Create(Draft("claim", "E1", {{"amount", "1"}})));
  EXPECT_EQ(small.fields().at("rate"), "1.00");
  ASSERT_OK_AND_ASSIGN(const Record large, Create(Draft("claim", "E1", {{"amount", "1000"}})));
  EXPECT_EQ(large.fields().at("rate"), "50.00");
}

INSTANTIATE_TEST_SUITE_P(Engines, RecordCapsTest, ::testing::ValuesIn(testing::Engines()),
                         [](const auto& engine) { return engine.param; });

}  // namespace
}  // namespace gonghui::records
