// What the record engine knows beyond the single record, on every SQL engine: limits by place and
// date, computed fields, series without gaps, one record a person, boards, notices.
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
using ::testing::ElementsAre;
using testing::HasReason;
using testing::HasReasonAt;
using ::testing::HasSubstr;
using testing::IsOk;

constexpr std::string_view kCatalog = R"(
version: "2020-01-01"
limits:
  - name: line
    label: 线
    values:
      - {value: 100, citation: a}
      - {value: 120, valid_from: "2020-07-01", citation: b}
      - {value: 150, place: E1, citation: c}
  - name: size
    label: 人数
    by: members
    values: [{value: 3, citation: a}, {value: 7, at_least: 200, citation: a}]
  - name: days
    label: 天
    values: [{value: 10, citation: a}, {value: 5, place: E2, citation: a}]
code_lists:
  - name: item
    codes:
      - {code: a, points: 10, must_pass: true, group: x}
      - {code: b, points: 5, group: y}
      - {code: old, points: 5, group: y, valid_to: "2020-01-01"}
kinds:
  - name: file
    label: 档案
    title_required: false
    fields:
      - {name: quota, type: integer}
      - {name: members, type: integer}
      - {name: size, type: integer}
      - {name: income, type: money}
      - {name: until, type: date}
      - {name: secret, type: text, pii: true, notice: true}
      - {name: rest, type: text}
      - {name: parts, type: integer, computed: {terms: [{children: part}]}}
      - {name: sum, type: integer, computed: {terms: [{children: part, value: points, when: [{field: item.group, in: [x]}]}, {value: "1", times: 2}]}}
      - {name: missing, type: integer, computed: {terms: [{codes: item, when: [{field: must_pass, in: ["true"]}]}, {children: part, times: -1, when: [{field: item.must_pass, in: ["true"]}]}]}}
      - {name: monthly, type: money, computed: {terms: [{value: income}], divisors: [members, "12"]}}
    states:
      - {name: open, limit: days}
      - {name: notice, notice: true, limit_from: until, limit_days: 2, alert_months: [3, 1]}
      - {name: closed, final: true}
    transitions:
      - {name: publish, from: [open], to: notice}
      - {name: close, from: [notice], to: closed, by_upper: true}
    facts:
      - {measure: parts, amount: parts}
    rules:
      - {name: within_quota, left: parts, relation: "<=", right: quota, message: {zh: 超额, en: too many}}
      - {name: below_line, left: monthly, relation: "<", right: limit.line, message: {zh: 超线, en: above the line}}
      - {name: big_enough, left: size, left_times: 2, relation: ">", right: limit.size, right_times: 2, plus: "-1", message: {zh: 太小, en: too small}}
      - {name: notice_runs, when: [{field: state, in: [closed]}], left: entered.closed, relation: ">=", right: entered.notice, plus_months: 1, plus: "1", message: {zh: 未满, en: not over}}
      - {name: no_rest, when: [{field: rest}, {field: rest, same_as: secret}], left: rest, message: {zh: 相同, en: the same}}
  - name: part
    label: 部分
    key: [file, item]
    fields:
      - {name: file, type: record, refers_to: file, required: true}
      - {name: item, type: code, codes: item, required: true}
      - {name: points, type: integer, required: true}
  - name: stay
    label: 在册
    one_per_person_in: [stay, guest]
    fields: [{name: person, type: person}]
    states: [{name: in}, {name: out, final: true}]
    transitions: [{name: leave, from: [in], to: out}]
  - name: guest
    label: 同住
    one_per_person_in: [stay, guest]
    fields: [{name: person, type: person}, {name: stay, type: record, refers_to: stay}]
  - name: session
    label: 会议
    key: [organization, term, no]
    gap_free: no
    fields: [{name: term, type: integer, required: true}, {name: no, type: integer}]
  - name: minute
    label: 纪要
    fields: [{name: session, type: record, refers_to: session}]
)";

class RecordRulesTest : public RecordsFixture {
 protected:
  RecordRulesTest() : RecordsFixture(kCatalog) {}

  static Record Draft(const std::string& kind, const std::string& organization,
                      const std::map<std::string, std::string>& fields,
                      const std::string& number = "", const std::string& on_date = "2020-03-01") {
    Record record;
    record.set_kind(kind);
    record.set_organization(organization);
    static int made = 0;
    record.set_number(number.empty() ? StrCat("N", ++made) : number);
    record.set_on_date(on_date);
    record.mutable_fields()->insert(fields.begin(), fields.end());
    return record;
  }
  absl::StatusOr<Record> Step(const Record& record, const std::string& transition,
                              const std::string& on_date) {
    common::v1::AdvanceRecordRequest request;
    request.set_name(record.name());
    request.set_transition(transition);
    request.set_on_date(on_date);
    rpc::Call call = call_;
    return records_.Advance(call, request);
  }
  std::string Field(const Record& record, const std::string& field) {
    common::v1::GetRecordRequest request;
    request.set_name(record.name());
    auto read = records_.Get(call_, request);
    EXPECT_THAT(read, IsOk());
    const auto found = read->fields().find(field);
    return found == read->fields().end() ? "" : found->second;
  }
  // Creates them all at once, in threads; how many came to be.
  int CreateTogether(const std::vector<Record>& drafts) {
    std::atomic<int> made = 0;
    std::vector<std::thread> threads;
    for (const Record& draft : drafts) {
      threads.emplace_back([&] { made += Create(draft).ok() ? 1 : 0; });
    }
    for (std::thread& thread : threads) thread.join();
    return made;
  }
};

INSTANTIATE_TEST_SUITE_P(Engines, RecordRulesTest, ::testing::ValuesIn(testing::Engines()));

TEST_P(RecordRulesTest, LimitsGoByPlaceDateAndBand) {
  const auto with_income = [&](const char* organization, const char* income, const char* on_date) {
    return Create(Draft("file", organization, {{"income", income}, {"members", "1"}}, "", on_date));
  };
  // 12 × 1.00 yuan is the line.
  EXPECT_THAT(with_income("E3", "11.93", "2020-03-01"), IsOk());
  EXPECT_THAT(with_income("E3", "11.94", "2020-03-01"),  // 0.995 is 1.00.
              HasReasonAt(common::v1::REASON_RULE_VIOLATED, "record.fields.monthly"));
  EXPECT_THAT(with_income("E3", "14", "2020-07-01"), IsOk());
  EXPECT_THAT(with_income("E35", "17", "2020-03-01"), IsOk());  // Below E1.
  EXPECT_THAT(with_income("E2", "17", "2020-03-01"), HasReason(common::v1::REASON_RULE_VIOLATED));
  const absl::Status above = with_income("E3", "24", "2020-03-01").status();
  EXPECT_THAT(std::string(above.message()), HasSubstr("[monthly < 1.00]"));
  const auto sized = [&](const char* members, const char* size) {
    return Create(Draft("file", "E3", {{"members", members}, {"size", size}}));
  };
  EXPECT_THAT(sized("199", "3"), IsOk());
  EXPECT_THAT(sized("200", "6"),
              HasReasonAt(common::v1::REASON_RULE_VIOLATED, "record.fields.size"));
  EXPECT_THAT(sized("200", "7"), IsOk());
  EXPECT_THAT(Create(Draft("file", "E3", {{"secret", "甲"}, {"rest", "甲"}})),
              HasReasonAt(common::v1::REASON_RULE_VIOLATED, "record.fields.rest"));
}

TEST_P(RecordRulesTest, SumsFollowTheRecordsBelow) {
  ASSERT_OK_AND_ASSIGN(const Record file,
                       Create(Draft("file", "E3", {{"quota", "2"}, {"parts", "9"}}, "F1")));
  EXPECT_EQ(file.fields().at("parts"), "0");  // Not what the caller writes.
  EXPECT_EQ(file.fields().at("sum"), "2");
  EXPECT_EQ(file.fields().at("missing"), "1");
  const auto part = [](const char* item, const char* points) {
    return Draft("part", "E3", {{"file", "F1"}, {"item", item}, {"points", points}}, item);
  };
  ASSERT_OK_AND_ASSIGN(Record first, Create(part("a", "8")));
  ASSERT_OK_AND_ASSIGN(const Record second, Create(part("b", "3")));
  EXPECT_EQ(Field(file, "parts"), "2");
  EXPECT_EQ(Field(file, "sum"), "10");
  EXPECT_EQ(Field(file, "missing"), "0");
  (*first.mutable_fields())["points"] = "9";
  first.clear_etag();
  ASSERT_THAT(Update(first, "fields.points"), IsOk());
  EXPECT_EQ(Field(file, "sum"), "11");
  // What the file may not become, its parts may not make of it: each item of a batch is told.
  common::v1::BatchCreateRecordsRequest batch;
  batch.set_parent("federations/demo");
  ASSERT_OK_AND_ASSIGN(const Record other, Create(Draft("file", "E3", {{"quota", "0"}}, "F2")));
  *batch.add_records() = Draft("part", "E3", {{"file", "F2"}, {"item", "a"}, {"points", "1"}});
  *batch.add_records() = part("a", "9");  // There already.
  ASSERT_OK_AND_ASSIGN(const auto answer, records_.BatchCreate(call_, batch));
  ASSERT_EQ(answer.failures_size(), 1);
  EXPECT_EQ(answer.failures(0).field(), "fields.file");
  EXPECT_EQ(answer.existing(), 1);
  common::v1::CancelRecordRequest cancel;
  cancel.set_name(second.name());
  cancel.set_remark("误录");
  ASSERT_THAT(records_.Cancel(call_, cancel), IsOk());
  EXPECT_EQ(Field(file, "parts"), "1");
  // Writers at the same time count each other's.
  ASSERT_OK_AND_ASSIGN(const Record wide, Create(Draft("file", "E3", {{"quota", "1"}}, "F3")));
  EXPECT_EQ(CreateTogether({Draft("part", "E3", {{"file", "F3"}, {"item", "a"}, {"points", "1"}}),
                            Draft("part", "E4", {{"file", "F3"}, {"item", "b"}, {"points", "1"}})}),
            1);
  EXPECT_EQ(Field(wide, "parts"), "1");
}

TEST_P(RecordRulesTest, SeriesHaveNoGaps) {
  const auto session = [](const char* organization, const char* term, const char* no,
                          const std::string& number) {
    return Draft("session", organization, {{"term", term}, {"no", no}}, number);
  };
  ASSERT_THAT(Create(session("E3", "1", "4", "S1")), IsOk());  // The register begins here.
  EXPECT_THAT(Create(session("E3", "1", "6", "S2")),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "record.fields.no"));
  std::vector<Record> drafts;
  for (int i = 0; i < 6; ++i) drafts.push_back(session("E3", "1", "", StrCat("T", i)));
  EXPECT_EQ(CreateTogether(drafts), 6);
  ASSERT_OK_AND_ASSIGN(const Record last, Create(session("E3", "1", "", "S9")));
  EXPECT_EQ(last.fields().at("no"), "11");
  ASSERT_OK_AND_ASSIGN(const Record other, Create(session("E4", "1", "", "S10")));
  EXPECT_EQ(other.fields().at("no"), "1");
  // Others refer to a session by its number, which is therefore unique, too.
  EXPECT_THAT(Create(session("E5", "1", "", "S10")),
              HasReasonAt(common::v1::REASON_ALREADY_EXISTS, "record.number"));
  ASSERT_THAT(Create(Draft("minute", "E4", {{"session", "S10"}})), IsOk());
  EXPECT_THAT(Create(Draft("minute", "E4", {{"session", "S11"}})),
              HasReason(common::v1::REASON_REFERENCE_NOT_FOUND));
  // Sent again without its number it is the same record; with other content it is refused.
  ASSERT_OK_AND_ASSIGN(const Record again, Create(session("E4", "1", "", "S10")));
  EXPECT_EQ(again.name(), other.name());
  Record changed = session("E4", "1", "", "S10");
  changed.set_title("别的");
  EXPECT_THAT(Create(changed), HasReason(common::v1::REASON_ALREADY_EXISTS));
  // A dry run says the number and takes none.
  common::v1::CreateRecordRequest dry;
  dry.set_parent("federations/demo");
  *dry.mutable_record() = session("E3", "1", "", "S12");
  dry.set_validate_only(true);
  ASSERT_OK_AND_ASSIGN(const Record would, records_.Create(call_, dry));
  EXPECT_EQ(would.fields().at("no"), "12");
  // A batch numbers its items in order.
  common::v1::BatchCreateRecordsRequest batch;
  batch.set_parent("federations/demo");
  *batch.add_records() = session("E6", "1", "", "B1");
  *batch.add_records() = session("E6", "2", "7", "B2");
  *batch.add_records() = session("E6", "1", "2", "B3");
  *batch.add_records() = session("E6", "2", "", "B4");
  ASSERT_OK_AND_ASSIGN(const auto answer, records_.BatchCreate(call_, batch));
  EXPECT_EQ(answer.created(), 4) << answer.ShortDebugString();
}

TEST_P(RecordRulesTest, APersonStandsInOneRecordAtATime) {
  constexpr char kPerson[] = "11010519491231002X";
  constexpr char kOther[] = "440524188001010014";
  ASSERT_OK_AND_ASSIGN(const Record stay, Create(Draft("stay", "E3", {{"person", kPerson}}, "S1")));
  EXPECT_THAT(Create(Draft("stay", "E4", {{"person", kPerson}}, "S2")),
              HasReasonAt(common::v1::REASON_ALREADY_EXISTS, "record.fields.person"));
  ASSERT_THAT(Create(Draft("guest", "E3", {{"person", kOther}, {"stay", "S1"}}, "G1")), IsOk());
  EXPECT_THAT(Create(Draft("stay", "E4", {{"person", kOther}}, "S2")),
              HasReason(common::v1::REASON_ALREADY_EXISTS));
  ASSERT_THAT(Step(stay, "leave", "2020-04-01"), IsOk());
  // Both are free now; of several at once one comes to be.
  std::vector<Record> drafts;
  for (int i = 0; i < 5; ++i) {
    drafts.push_back(Draft("stay", StrCat("E", 3 + i), {{"person", kOther}}, StrCat("T", i)));
  }
  EXPECT_EQ(CreateTogether(drafts), 1);
  common::v1::BatchCreateRecordsRequest batch;
  batch.set_parent("federations/demo");
  *batch.add_records() = Draft("stay", "E3", {{"person", kPerson}}, "U1");
  *batch.add_records() = Draft("stay", "E3", {{"person", kPerson}}, "U2");
  batch.set_validate_only(true);
  ASSERT_OK_AND_ASSIGN(const auto dry, records_.BatchCreate(call_, batch));
  EXPECT_EQ(dry.failures_size(), 1);
  batch.set_validate_only(false);
  ASSERT_OK_AND_ASSIGN(const auto answer, records_.BatchCreate(call_, batch));
  ASSERT_EQ(answer.failures_size(), 1);
  EXPECT_EQ(answer.failures(0).index(), 1);
}

TEST_P(RecordRulesTest, ClocksBoardsAndNotices) {
  const auto file = [&](const char* organization, const char* until, const char* number) {
    auto made =
        Create(Draft("file", organization, {{"until", until}, {"secret", "王小明"}}, number));
    EXPECT_THAT(made, IsOk());
    return *made;
  };
  const Record late = file("E2", "2020-05-01", "F1");
  EXPECT_EQ(late.due_date(), "2020-03-06");  // The place's own 5 days.
  const Record soon = file("E3", "2020-08-20", "F2");
  EXPECT_EQ(soon.due_date(), "2020-03-11");
  file("E30", "", "F3");
  for (const Record* record : {&late, &soon}) {
    ASSERT_THAT(Step(*record, "publish", "2020-04-15"), IsOk());
  }
  common::v1::GetBoardRequest board;
  board.set_kind("file");
  const auto rows = [&] {
    std::vector<std::string> texts;
    auto answer = records_.GetBoard(call_, board);
    EXPECT_THAT(answer, IsOk());
    for (const auto& row : answer->rows()) {
      texts.push_back(StrCat(row.tier(), " ", row.state(), " ", row.count(), " ", row.overdue()));
      for (const auto& alert : row.alerts()) {
        texts.back() += StrCat(" ", alert.months(), ":", alert.count());
      }
    }
    return texts;
  };
  EXPECT_THAT(rows(), ElementsAre("enterprise open 1 1", "enterprise notice 2 1 1:0 3:1",
                                  " open 1 1", " notice 2 1 1:0 3:1"));
  board.set_organization("E1");
  EXPECT_THAT(rows(), ElementsAre("enterprise open 1 1", " open 1 1"));
  common::v1::ListRecordsRequest list;
  list.set_kind("file");
  list.set_due_from("2020-05-01");
  list.set_due_to("2020-08-22");
  ASSERT_OK_AND_ASSIGN(const auto due, records_.List(call_, list));
  EXPECT_EQ(due.records_size(), 2);
  list.Clear();
  list.set_kind("file");
  list.set_notice(true);
  ASSERT_OK_AND_ASSIGN(const auto notices, records_.List(call_, list));
  ASSERT_EQ(notices.records_size(), 2);
  EXPECT_EQ(notices.records(0).name(), "");
  EXPECT_EQ(notices.records(0).fields_size(), 1);
  EXPECT_EQ(notices.records(0).fields().at("secret"), "王**");
  list.set_kind("stay");
  EXPECT_THAT(records_.List(call_, list), HasReasonAt(common::v1::REASON_FIELD_INVALID, "notice"));

  EXPECT_THAT(Step(soon, "close", "2020-05-15"),
              HasReasonAt(common::v1::REASON_RULE_VIOLATED, "entered.closed"));
  call_.actor.grants[0].set_organization("E3");
  EXPECT_THAT(Step(soon, "close", "2020-05-16"),
              HasReasonAt(common::v1::REASON_OUT_OF_SCOPE, "transition"));
  call_.actor.grants[0].set_organization("D01");
  call_.actor.grants[0].set_below(true);
  EXPECT_THAT(Step(soon, "close", "2020-05-16"), IsOk());
}

}  // namespace
}  // namespace gonghui::records
