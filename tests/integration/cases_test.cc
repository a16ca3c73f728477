// What the record engine does behind its RPCs: states, clocks, parents, persons, rules, facts.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gonghui/feed/v1/feed.pb.h"
#include "tests/integration/records_fixture.h"

namespace gonghui::records {
namespace {

using common::v1::BatchCreateRecordsRequest;
using common::v1::BatchCreateRecordsResponse;
using common::v1::ListRecordsRequest;
using common::v1::ListRecordsResponse;
using common::v1::Record;
using ::testing::ElementsAre;
using testing::HasReason;
using testing::HasReasonAt;
using ::testing::IsEmpty;
using testing::IsOk;

constexpr char kWorkerNumber[] = "11010519491231002X";

// Cases: states, clocks, parents, persons and facts.
class CasesTest : public RecordsTest {
 protected:
  template <typename Response, typename Request>
  static absl::StatusOr<Response> Ask(const char* method, const Request& request) {
    return RecordsTest::Ask<Response>(*admin_, "gonghui.casework.v1.CaseService", method, request);
  }

  static Record Dispute(const std::string& number, const std::string& on_date = "2020-03-04") {
    Record record;
    record.set_kind("dispute_case");
    record.set_number(number);
    record.set_organization("E01");
    record.set_on_date(on_date);
    (*record.mutable_fields())["amount"] = "1,409.5";
    (*record.mutable_fields())["channel"] = "来访";
    return record;
  }
  static Record Party(const std::string& dispute, const std::string& name,
                      const std::string& person) {
    Record record;
    record.set_kind("dispute_party");
    record.set_organization("E01");
    record.set_on_date("2020-03-06");
    auto& fields = *record.mutable_fields();
    fields["dispute"] = dispute;
    fields["role"] = "职工";
    fields["full_name"] = name;
    fields["person"] = person;
    return record;
  }
  static absl::StatusOr<Record> Create(const Record& record) {
    common::v1::CreateRecordRequest request;
    request.set_parent("federations/demo");
    *request.mutable_record() = record;
    request.set_request_id(NextId("request"));
    return Ask<Record>("CreateRecord", request);
  }
  static absl::StatusOr<Record> Advance(const std::string& name, const std::string& transition,
                                        const std::string& on_date) {
    common::v1::AdvanceRecordRequest request;
    request.set_name(name);
    request.set_transition(transition);
    request.set_on_date(on_date);
    request.set_remark("调解成功");
    request.set_request_id(NextId("advance"));
    return Ask<Record>("AdvanceRecord", request);
  }
  static absl::StatusOr<Record> Update(const Record& record, const std::string& mask) {
    common::v1::UpdateRecordRequest request;
    *request.mutable_record() = record;
    request.set_update_mask(mask);
    request.set_request_id(NextId("update"));
    return Ask<Record>("UpdateRecord", request);
  }

  // Where the feed of casework ends now.
  static int64_t Head() { return Events(0).empty() ? 0 : Events(0).back().sequence(); }
  static std::vector<feed::v1::Event> Events(int64_t after) {
    std::vector<feed::v1::Event> events;
    feed::v1::ListEventsRequest request;
    request.set_source("casework");
    request.set_federation("demo");
    request.set_page_size(1000);
    while (true) {
      request.set_after_sequence(events.empty() ? after : events.back().sequence());
      const auto page = admin_->Invoke<feed::v1::ListEventsResponse>(
          "/gonghui.feed.v1.FeedService/ListEvents", request);
      EXPECT_THAT(page, IsOk());
      if (!page.ok() || page->events().empty()) return events;
      events.insert(events.end(), page->events().begin(), page->events().end());
    }
  }
  // Facts published after a sequence number: "type: measure@organization date delta".
  static std::vector<std::string> FactsAfter(int64_t after) {
    std::vector<std::string> lines;
    for (const feed::v1::Event& event : Events(after)) {
      for (const auto& record : event.facts()) {
        for (const auto& fact : record.facts()) {
          lines.push_back(StrCat(event.type().substr(event.type().rfind('.') + 1), ": ",
                                 fact.measure(), "@", fact.organization(), " ", fact.on_date(), " ",
                                 fact.delta()));
        }
      }
    }
    return lines;
  }
};

TEST_F(CasesTest, NormalisesFields) {
  ASSERT_OK_AND_ASSIGN(const Record created, Create(Dispute(NextId("ZY"))));
  EXPECT_EQ(created.fields().at("amount"), "1409.50");
  EXPECT_EQ(created.fields().at("channel"), "union_visit");
  EXPECT_EQ(created.state(), "accepted");
  EXPECT_EQ(created.due_date(), "2020-03-19");
}

TEST_F(CasesTest, RefusesBadFields) {
  const std::string number = NextId("ZY");
  ASSERT_THAT(Create(Dispute(number)), IsOk());
  const std::string worker = "张三";
  struct Case {
    std::string field;
    std::string value;
    Reason reason;
  };
  for (const Case& bad :
       std::vector<Case>{{"dispute", "ZY-none", common::v1::REASON_REFERENCE_NOT_FOUND},
                         {"dispute", "", common::v1::REASON_FIELD_REQUIRED},
                         {"role", "judge", common::v1::REASON_CODE_UNKNOWN},
                         {"person", "110105194912310021", common::v1::REASON_ID_NUMBER_INVALID},
                         {"person", "1101051949123100", common::v1::REASON_ID_NUMBER_INVALID},
                         {"person", "??", common::v1::REASON_ID_NUMBER_INVALID}}) {
    Record party = Party(number, worker, kWorkerNumber);
    (*party.mutable_fields())[bad.field] = bad.value;
    const auto created = Create(party);
    EXPECT_THAT(created, HasReasonAt(bad.reason, StrCat("record.fields.", bad.field)));
    if (bad.field == "person") {
      EXPECT_EQ(created.status().ToString().find(bad.value), std::string::npos);
    }
  }
  Record dispute = Dispute(NextId("ZY"));
  (*dispute.mutable_fields())["amount"] = "12.345";
  EXPECT_THAT(Create(dispute),
              HasReasonAt(common::v1::REASON_AMOUNT_INVALID, "record.fields.amount"));
  (*dispute.mutable_fields())["amount"] = "-1";
  EXPECT_THAT(Create(dispute),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "record.fields.amount"));
  dispute = Dispute("");
  EXPECT_THAT(Create(dispute), HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "record.number"));
}

TEST_F(CasesTest, MasksPersonsAndKeepsThemThroughUpdates) {
  const std::string number = NextId("ZY");
  ASSERT_THAT(Create(Dispute(number)), IsOk());
  ASSERT_OK_AND_ASSIGN(const Record party, Create(Party(number, "张三丰", kWorkerNumber)));
  EXPECT_EQ(party.fields().at("person"), "110105********002X");
  EXPECT_EQ(party.fields().at("full_name"), "张**");
  Record changed = party;
  changed.set_title("补充");
  ASSERT_OK_AND_ASSIGN(const Record updated, Update(changed, "*"));
  EXPECT_EQ(updated.title(), "补充");
  EXPECT_EQ(updated.fields().at("full_name"), "张**");
  // The same person and name as before: found by the key.
  EXPECT_THAT(Create(Party(number, "张三丰", kWorkerNumber)),
              HasReason(common::v1::REASON_ALREADY_EXISTS));
  EXPECT_THAT(Create(Party(number, "张三丰", "E12345678")), IsOk());
}

TEST_F(CasesTest, StepsFollowTheStates) {
  ASSERT_OK_AND_ASSIGN(const Record created, Create(Dispute(NextId("ZY"))));
  EXPECT_THAT(Advance(created.name(), "close", "2020-03-03"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "on_date"));
  const int64_t head = Head();
  ASSERT_OK_AND_ASSIGN(const Record closed, Advance(created.name(), "close", "2020-03-10"));
  EXPECT_EQ(closed.state(), "closed");
  EXPECT_EQ(closed.due_date(), "");
  EXPECT_THAT(FactsAfter(head), ElementsAre("RecordAdvanced: disputes_closed@E01 2020-03-10 1"));
  EXPECT_THAT(Advance(created.name(), "refer", "2020-03-11"),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "transition"));
  common::v1::GetRecordRequest get;
  get.set_name(created.name());
  ASSERT_OK_AND_ASSIGN(const Record read, Ask<Record>("GetRecord", get));
  ASSERT_EQ(read.steps_size(), 1);
  EXPECT_EQ(read.steps(0).transition(), "close");
  EXPECT_EQ(read.steps(0).from_state(), "accepted");
  EXPECT_EQ(read.steps(0).to_state(), "closed");
  EXPECT_EQ(read.steps(0).actor(), "tester-*");
  // The record cannot begin after it was closed.
  Record later = read;
  later.set_on_date("2020-03-11");
  EXPECT_THAT(Update(later, "on_date"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "record.on_date"));
}

TEST_F(CasesTest, AdvanceReplaysAndSetsFields) {
  ASSERT_OK_AND_ASSIGN(const Record created, Create(Dispute(NextId("ZY"))));
  common::v1::AdvanceRecordRequest request;
  request.set_name(created.name());
  request.set_transition("close");
  request.set_on_date("2020-03-10");
  request.set_request_id(NextId("advance"));
  request.set_etag(created.etag());
  (*request.mutable_fields())["agencies"] = "人社、司法";
  ASSERT_OK_AND_ASSIGN(const Record closed, Ask<Record>("AdvanceRecord", request));
  EXPECT_EQ(closed.fields().at("agencies"), "人社、司法");
  ASSERT_OK_AND_ASSIGN(const Record replayed, Ask<Record>("AdvanceRecord", request));
  EXPECT_EQ(replayed.etag(), closed.etag());
  request.set_request_id(NextId("advance"));
  EXPECT_THAT(Ask<Record>("AdvanceRecord", request), HasReason(common::v1::REASON_ETAG_MISMATCH));
}

TEST_F(CasesTest, OverdueListsWhatTheClockHasPassed) {
  ASSERT_OK_AND_ASSIGN(const Record open, Create(Dispute(NextId("ZY"), "2020-10-01")));
  ASSERT_OK_AND_ASSIGN(const Record closed, Create(Dispute(NextId("ZY"), "2020-10-02")));
  ASSERT_THAT(Advance(closed.name(), "close", "2020-10-03"), IsOk());
  ListRecordsRequest request;
  request.set_parent("federations/demo");
  request.set_kind("dispute_case");
  request.set_from_date("2020-10-01");
  request.set_to_date("2020-10-31");
  request.set_overdue(true);
  ASSERT_OK_AND_ASSIGN(const auto late, Ask<ListRecordsResponse>("ListRecords", request));
  ASSERT_EQ(late.records_size(), 1);
  EXPECT_EQ(late.records(0).name(), open.name());
  request.set_overdue(false);
  request.set_state("closed");
  ASSERT_OK_AND_ASSIGN(const auto done, Ask<ListRecordsResponse>("ListRecords", request));
  ASSERT_EQ(done.records_size(), 1);
  EXPECT_EQ(done.records(0).name(), closed.name());
}

TEST_F(CasesTest, FactsFollowEveryChange) {
  const std::string number = NextId("ZY");
  int64_t head = Head();
  ASSERT_OK_AND_ASSIGN(const Record dispute, Create(Dispute(number)));
  ASSERT_THAT(Create(Party(number, "张三", kWorkerNumber)), IsOk());
  EXPECT_THAT(FactsAfter(head),
              ElementsAre("RecordsCreated: dispute_amount@E01 2020-03-04 140950",
                          "RecordsCreated: disputes_accepted@E01 2020-03-04 1",
                          "RecordsCreated: dispute_workers_involved@E01 2020-03-04 1"));
  // The date of the case moves the facts of its parties with it.
  head = Head();
  Record changed = dispute;
  changed.set_on_date("2020-02-28");
  (*changed.mutable_fields())["amount"] = "10";
  ASSERT_THAT(Update(changed, "on_date,fields.amount"), IsOk());
  EXPECT_THAT(FactsAfter(head),
              ElementsAre("RecordUpdated: dispute_amount@E01 2020-03-04 -140950",
                          "RecordUpdated: disputes_accepted@E01 2020-03-04 -1",
                          "RecordUpdated: dispute_amount@E01 2020-02-28 1000",
                          "RecordUpdated: disputes_accepted@E01 2020-02-28 1",
                          "RecordUpdated: dispute_workers_involved@E01 2020-03-04 -1",
                          "RecordUpdated: dispute_workers_involved@E01 2020-02-28 1"));
}

TEST_F(CasesTest, CancelTakesFactsBackChildrenFirst) {
  const std::string number = NextId("ZY");
  ASSERT_OK_AND_ASSIGN(const Record dispute, Create(Dispute(number)));
  ASSERT_OK_AND_ASSIGN(const Record party, Create(Party(number, "张三", kWorkerNumber)));
  common::v1::CancelRecordRequest request;
  request.set_name(dispute.name());
  request.set_remark("误录");
  request.set_request_id(NextId("cancel"));
  EXPECT_THAT(Ask<Record>("CancelRecord", request), HasReason(common::v1::REASON_STATE_FORBIDS));
  const int64_t head = Head();
  request.set_name(party.name());
  ASSERT_THAT(Ask<Record>("CancelRecord", request), IsOk());
  request.set_name(dispute.name());
  request.set_request_id(NextId("cancel"));
  ASSERT_THAT(Ask<Record>("CancelRecord", request), IsOk());
  EXPECT_THAT(FactsAfter(head),
              ElementsAre("RecordCancelled: dispute_workers_involved@E01 2020-03-04 -1",
                          "RecordCancelled: dispute_amount@E01 2020-03-04 -140950",
                          "RecordCancelled: disputes_accepted@E01 2020-03-04 -1"));
}

TEST_F(CasesTest, BatchLoadsRecordsThatAreFurtherOn) {
  BatchCreateRecordsRequest request;
  request.set_parent("federations/demo");
  for (int i = 0; i < 3; ++i) *request.add_records() = Dispute(NextId("ZY"));
  request.set_request_id(NextId("batch"));
  const auto advance = [&](int index, const char* transition, const char* on_date) {
    auto& step = *request.add_advances();
    step.set_index(index);
    step.set_transition(transition);
    step.set_on_date(on_date);
  };
  advance(0, "close", "2020-03-09");
  advance(1, "close", "2020-03-01");
  advance(2, "fly", "2020-03-09");
  const int64_t head = Head();
  ASSERT_OK_AND_ASSIGN(const auto refused,
                       Ask<BatchCreateRecordsResponse>("BatchCreateRecords", request));
  ASSERT_EQ(refused.failures_size(), 2);
  EXPECT_EQ(refused.failures(0).index(), 1);
  EXPECT_EQ(refused.failures(0).field(), "closed_on");
  EXPECT_EQ(refused.failures(0).reason(), "FIELD_INVALID");
  EXPECT_EQ(refused.failures(1).reason(), "TRANSITION_UNKNOWN");
  EXPECT_THAT(Events(head), IsEmpty());
  request.mutable_records()->RemoveLast();
  request.mutable_advances()->RemoveLast();
  request.mutable_advances(1)->set_on_date("2020-03-12");
  ASSERT_OK_AND_ASSIGN(const auto written,
                       Ask<BatchCreateRecordsResponse>("BatchCreateRecords", request));
  EXPECT_EQ(written.created(), 2);
  EXPECT_EQ(Events(head).size(), 1U);
  EXPECT_THAT(FactsAfter(head),
              ::testing::Contains("RecordsCreated: disputes_closed@E01 2020-03-12 1"));
  advance(7, "close", "2020-03-09");
  request.set_request_id(NextId("batch"));
  EXPECT_THAT(Ask<BatchCreateRecordsResponse>("BatchCreateRecords", request),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "advances[2].index"));
}

TEST_F(CasesTest, RulesOfTheCatalogueAreEnforced) {
  common::v1::CreateRecordRequest request;
  request.set_parent("federations/demo");
  Record& record = *request.mutable_record();
  record.set_kind("ankang_enrolment");
  record.set_organization("E01");
  record.set_on_date("2020-04-01");
  auto& fields = *record.mutable_fields();
  fields["unit"] = "91110000MA0000001X";
  fields["participants"] = "131";
  fields["workers"] = "130";
  EXPECT_THAT(RecordsTest::Ask<Record>(*admin_, "gonghui.activities.v1.ActivityService",
                                       "CreateRecord", request),
              HasReasonAt(common::v1::REASON_RULE_VIOLATED, "record.fields.participants"));
  fields["participants"] = "130";
  EXPECT_THAT(RecordsTest::Ask<Record>(*admin_, "gonghui.activities.v1.ActivityService",
                                       "CreateRecord", request),
              IsOk());
}

}  // namespace
}  // namespace gonghui::records
