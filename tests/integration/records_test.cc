// The record services over a real server: every RPC of each.
#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
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
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::UnorderedElementsAre;

// One record service, with the simplest kind it keeps.
struct Area {
  std::string service;
  std::string collection;
  std::string kind;
  std::map<std::string, std::string> fields;
  bool keyed_by_unit = false;  // Else by number.
};

void PrintTo(const Area& area, std::ostream* out) { *out << area.collection; }

// What holds for each of the four services.
class EveryServiceTest : public RecordsTest, public ::testing::WithParamInterface<Area> {
 protected:
  static Record Sample(const std::string& organization = "E01") {
    Record record;
    record.set_kind(GetParam().kind);
    record.set_organization(organization);
    record.set_title("第一项");
    record.set_on_date("2020-03-04");
    for (const auto& [name, value] : GetParam().fields) (*record.mutable_fields())[name] = value;
    const std::string key = NextId("K");
    record.set_number(key);
    if (GetParam().keyed_by_unit) (*record.mutable_fields())["unit"] = key;
    return record;
  }

  template <typename Response, typename Request>
  static absl::StatusOr<Response> Ask(const rpc::Client& client, const char* method,
                                      const Request& request) {
    return RecordsTest::Ask<Response>(client, GetParam().service, method, request);
  }

  static common::v1::CreateRecordRequest CreateRequest(Record record) {
    common::v1::CreateRecordRequest request;
    request.set_parent("federations/demo");
    *request.mutable_record() = std::move(record);
    request.set_request_id(NextId("request"));
    return request;
  }
  static absl::StatusOr<Record> Create(Record record, const rpc::Client& client = *admin_) {
    return Ask<Record>(client, "CreateRecord", CreateRequest(std::move(record)));
  }
  static absl::StatusOr<Record> Get(const std::string& name, const rpc::Client& client = *admin_) {
    common::v1::GetRecordRequest request;
    request.set_name(name);
    return Ask<Record>(client, "GetRecord", request);
  }
  static BatchCreateRecordsRequest BatchRequest(const std::vector<Record>& records) {
    BatchCreateRecordsRequest request;
    request.set_parent("federations/demo");
    for (const Record& record : records) *request.add_records() = record;
    request.set_request_id(NextId("batch"));
    return request;
  }
  static absl::StatusOr<BatchCreateRecordsResponse> Batch(const BatchCreateRecordsRequest& request,
                                                          const rpc::Client& client = *admin_) {
    return Ask<BatchCreateRecordsResponse>(client, "BatchCreateRecords", request);
  }
  static std::string KeyPath() { return GetParam().keyed_by_unit ? "fields.unit" : "number"; }

  // Each failure as "index field reason".
  static std::vector<std::string> Failures(const BatchCreateRecordsResponse& response) {
    std::vector<std::string> lines;
    for (const auto& failure : response.failures()) {
      lines.push_back(StrCat(failure.index(), " ", failure.field(), " ", failure.reason()));
      EXPECT_FALSE(failure.message().empty());
      EXPECT_FALSE(failure.message_zh().empty());
    }
    return lines;
  }
};

INSTANTIATE_TEST_SUITE_P(All, EveryServiceTest,
                         ::testing::Values(Area{"gonghui.activities.v1.ActivityService",
                                                "activities",
                                                "skills_contest",
                                                {{"host", "enterprise"}, {"trade", "welder"}}},
                                           Area{"gonghui.casework.v1.CaseService",
                                                "cases",
                                                "dispute_case",
                                                {{"amount", "1409.50"}}},
                                           Area{"gonghui.funds.v1.BenefitService",
                                                "benefits",
                                                "mutual_aid_plan",
                                                {{"target_persons", "5600"}}},
                                           Area{"gonghui.membership.v1.RegisterService",
                                                "registers",
                                                "open_affairs_enrolment",
                                                {{"unit_name", "某某机械有限公司"}},
                                                true}),
                         [](const auto& info) { return info.param.collection; });

TEST_P(EveryServiceTest, CreateAnswersTheStoredRecord) {
  const Record sample = Sample();
  ASSERT_OK_AND_ASSIGN(const Record created, Create(sample));
  EXPECT_THAT(created.name(), HasSubstr(StrCat("federations/demo/", GetParam().collection, "/")));
  EXPECT_EQ(created.number(), sample.number());
  EXPECT_EQ(created.organization(), "E01");
  for (const auto& [name, value] : sample.fields()) EXPECT_EQ(created.fields().at(name), value);
  ASSERT_OK_AND_ASSIGN(const Record read, Get(created.name()));
  EXPECT_EQ(read.SerializeAsString().size(), created.SerializeAsString().size());
  EXPECT_EQ(read.etag(), created.etag());
}

TEST_P(EveryServiceTest, CreateReplays) {
  const auto request = CreateRequest(Sample());
  ASSERT_OK_AND_ASSIGN(const Record first, Ask<Record>(*admin_, "CreateRecord", request));
  ASSERT_OK_AND_ASSIGN(const Record second, Ask<Record>(*admin_, "CreateRecord", request));
  EXPECT_EQ(first.name(), second.name());
  auto other = request;
  other.mutable_record()->set_title("另一项");
  EXPECT_THAT(Ask<Record>(*admin_, "CreateRecord", other),
              HasReason(common::v1::REASON_REQUEST_ID_REUSED));
}

TEST_P(EveryServiceTest, CreateOfTheSameKey) {
  Record record = Sample();
  ASSERT_OK_AND_ASSIGN(const Record created, Create(record));
  ASSERT_OK_AND_ASSIGN(const Record again, Create(record));
  EXPECT_EQ(again.name(), created.name());
  record.set_title("另一项");
  EXPECT_THAT(Create(record),
              HasReasonAt(common::v1::REASON_ALREADY_EXISTS, StrCat("record.", KeyPath())));
}

TEST_P(EveryServiceTest, CreateValidatesOnly) {
  auto request = CreateRequest(Sample());
  request.set_validate_only(true);
  ASSERT_OK_AND_ASSIGN(const Record checked, Ask<Record>(*admin_, "CreateRecord", request));
  EXPECT_EQ(checked.name(), "");
  request.mutable_record()->set_organization("E99");
  EXPECT_THAT(Ask<Record>(*admin_, "CreateRecord", request),
              HasReasonAt(common::v1::REASON_REFERENCE_NOT_FOUND, "record.organization"));
}

TEST_P(EveryServiceTest, CreateRefusesBadRecords) {
  Record unknown_kind = Sample();
  unknown_kind.set_kind("nothing");
  EXPECT_THAT(Create(unknown_kind), HasReasonAt(common::v1::REASON_KIND_UNKNOWN, "record.kind"));
  Record unknown_field = Sample();
  (*unknown_field.mutable_fields())["colour"] = "red";
  EXPECT_THAT(Create(unknown_field),
              HasReasonAt(common::v1::REASON_FIELD_UNKNOWN, "record.fields.colour"));
  Record too_early = Sample();
  too_early.set_on_date("2018-12-31");
  EXPECT_THAT(Create(too_early),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "record.organization"));
  EXPECT_THAT(std::string(Create(too_early).status().message()), HasSubstr("2019-01-01"));
  Record backwards = Sample();
  backwards.set_ends_on("2020-03-03");
  EXPECT_THAT(Create(backwards), HasReasonAt(common::v1::REASON_FIELD_INVALID, "record.ends_on"));
}

TEST_P(EveryServiceTest, BatchWritesAllOrNothing) {
  std::vector<Record> records = {Sample(), Sample("E02")};
  records[1].set_organization("E99");
  ASSERT_OK_AND_ASSIGN(const auto refused, Batch(BatchRequest(records)));
  EXPECT_EQ(refused.created(), 0);
  EXPECT_THAT(Failures(refused), ElementsAre("1 organization REFERENCE_NOT_FOUND"));
  records[1].set_organization("E02");
  const auto request = BatchRequest(records);
  ASSERT_OK_AND_ASSIGN(const auto written, Batch(request));
  EXPECT_EQ(written.created(), 2);
  EXPECT_THAT(Failures(written), IsEmpty());
  EXPECT_THAT(Get(written.items(1).name()), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto replayed, Batch(request));
  EXPECT_EQ(replayed.SerializeAsString(), written.SerializeAsString());
}

TEST_P(EveryServiceTest, BatchTellsEveryFaultAtOnce) {
  const Record there = Sample();
  ASSERT_THAT(Create(there), IsOk());
  Record changed = there;
  changed.set_title("另一项");
  Record twice = Sample();
  Record bad = Sample();
  bad.set_organization("E99");
  bad.set_on_date("2020-02-30");
  (*bad.mutable_fields())["colour"] = "red";
  Record nowhere = Sample();
  nowhere.set_organization("E99");
  ASSERT_OK_AND_ASSIGN(const auto refused,
                       Batch(BatchRequest({there, changed, twice, twice, bad, nowhere})));
  EXPECT_EQ(refused.created(), 0);
  EXPECT_EQ(refused.existing(), 1);
  EXPECT_THAT(Failures(refused),
              UnorderedElementsAre(StrCat("1 ", KeyPath(), " DUPLICATE_IN_REQUEST"),
                                   StrCat("3 ", KeyPath(), " DUPLICATE_IN_REQUEST"),
                                   "4 on_date FIELD_INVALID", "4 fields.colour FIELD_UNKNOWN",
                                   "5 organization REFERENCE_NOT_FOUND"));
}

TEST_P(EveryServiceTest, PartialBatchWritesTheGoodOnce) {
  Record other = Sample();
  ASSERT_THAT(Create(other), IsOk());
  other.set_title("另一项");
  const Record good = Sample();
  auto request = BatchRequest({good, other});
  request.set_partial(true);
  ASSERT_OK_AND_ASSIGN(const auto first, Batch(request));
  EXPECT_EQ(first.created(), 1);
  EXPECT_THAT(Failures(first), ElementsAre(StrCat("1 ", KeyPath(), " ALREADY_EXISTS")));
  request.set_request_id(NextId("batch"));
  ASSERT_OK_AND_ASSIGN(const auto second, Batch(request));
  EXPECT_EQ(second.created(), 0);
  EXPECT_EQ(second.existing(), 1);
  EXPECT_TRUE(second.items(0).existing());
  EXPECT_EQ(second.items(0).name(), first.items(0).name());
}

TEST_P(EveryServiceTest, BatchValidatesOnly) {
  auto request = BatchRequest({Sample()});
  request.set_validate_only(true);
  ASSERT_OK_AND_ASSIGN(const auto checked, Batch(request));
  EXPECT_EQ(checked.created(), 1);
  EXPECT_EQ(checked.items(0).name(), "");
  request.set_validate_only(false);
  ASSERT_OK_AND_ASSIGN(const auto written, Batch(request));
  EXPECT_EQ(written.created(), 1);
}

TEST_P(EveryServiceTest, BatchRefusesUnknownKindsAndSizes) {
  Record record = Sample();
  record.set_kind("nothing");
  EXPECT_THAT(Batch(BatchRequest({record})),
              HasReasonAt(common::v1::REASON_KIND_UNKNOWN, "records[0].kind"));
  EXPECT_THAT(Batch(BatchRequest(std::vector<Record>(1001, Sample()))),
              HasReasonAt(common::v1::REASON_TOO_MANY_ITEMS, "records"));
}

TEST_P(EveryServiceTest, GetTellsWhatIsNotThere) {
  EXPECT_THAT(Get(StrCat("federations/demo/", GetParam().collection, "/none")),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "name"));
  EXPECT_THAT(Get("federations/demo/houses/none"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "name"));
}

TEST_P(EveryServiceTest, ListPagesThroughASubtree) {
  std::vector<std::string> names;
  for (const char* organization : {"T01", "E01", "E01", "T02"}) {
    Record record = Sample(organization);
    record.set_on_date("2021-11-11");
    ASSERT_OK_AND_ASSIGN(const Record created, Create(record));
    if (record.organization() != "T02") names.push_back(created.name());
  }
  ListRecordsRequest request;
  request.set_parent("federations/demo");
  request.set_kind(GetParam().kind);
  request.set_organization("T01");
  request.set_from_date("2021-11-11");
  request.set_to_date("2021-11-11");
  request.set_page_size(2);
  std::vector<std::string> listed;
  do {
    ASSERT_OK_AND_ASSIGN(const auto page,
                         Ask<ListRecordsResponse>(*admin_, "ListRecords", request));
    EXPECT_LE(page.records_size(), 2);
    for (const Record& record : page.records()) listed.push_back(record.name());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(listed, ::testing::UnorderedElementsAreArray(names));
  request.set_organization("E02");
  ASSERT_OK_AND_ASSIGN(const auto none, Ask<ListRecordsResponse>(*admin_, "ListRecords", request));
  EXPECT_EQ(none.records_size(), 0);
}

TEST_P(EveryServiceTest, ListFindsNumbersAndRefusesBadQueries) {
  const Record sample = Sample();
  ASSERT_THAT(Create(sample), IsOk());
  ListRecordsRequest request;
  request.set_parent("federations/demo");
  request.set_kind(GetParam().kind);
  request.set_number(sample.number());
  ASSERT_OK_AND_ASSIGN(const auto found, Ask<ListRecordsResponse>(*admin_, "ListRecords", request));
  ASSERT_EQ(found.records_size(), 1);
  EXPECT_EQ(found.records(0).number(), sample.number());
  request.set_page_token("nonsense");
  EXPECT_THAT(Ask<ListRecordsResponse>(*admin_, "ListRecords", request),
              HasReason(common::v1::REASON_PAGE_TOKEN_INVALID));
  request.clear_page_token();
  request.set_page_size(-1);
  EXPECT_THAT(Ask<ListRecordsResponse>(*admin_, "ListRecords", request),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "page_size"));
  request.clear_page_size();
  request.set_kind("nothing");
  EXPECT_THAT(Ask<ListRecordsResponse>(*admin_, "ListRecords", request),
              HasReasonAt(common::v1::REASON_KIND_UNKNOWN, "kind"));
}

TEST_P(EveryServiceTest, UpdateChangesWhatTheMaskNames) {
  ASSERT_OK_AND_ASSIGN(const Record created, Create(Sample()));
  common::v1::UpdateRecordRequest request;
  *request.mutable_record() = created;
  request.mutable_record()->set_title("改名");
  request.mutable_record()->set_on_date("2020-03-05");
  request.set_update_mask("title");
  request.set_request_id(NextId("update"));
  ASSERT_OK_AND_ASSIGN(const Record updated, Ask<Record>(*admin_, "UpdateRecord", request));
  EXPECT_EQ(updated.title(), "改名");
  EXPECT_EQ(updated.on_date(), "2020-03-04");
  EXPECT_NE(updated.etag(), created.etag());
  ASSERT_OK_AND_ASSIGN(const Record replayed, Ask<Record>(*admin_, "UpdateRecord", request));
  EXPECT_EQ(replayed.etag(), updated.etag());
  request.set_request_id(NextId("update"));
  EXPECT_THAT(Ask<Record>(*admin_, "UpdateRecord", request),
              HasReason(common::v1::REASON_ETAG_MISMATCH));
  request.mutable_record()->set_etag(updated.etag());
  for (const char* mask : {"colour", "name", "state"}) {
    request.set_update_mask(mask);
    EXPECT_THAT(Ask<Record>(*admin_, "UpdateRecord", request),
                HasReasonAt(common::v1::REASON_UPDATE_MASK_INVALID, "update_mask"));
  }
  request.set_update_mask("organization");
  request.mutable_record()->set_organization("E02");
  EXPECT_THAT(Ask<Record>(*admin_, "UpdateRecord", request),
              HasReasonAt(common::v1::REASON_UPDATE_MASK_INVALID, "update_mask"));
  request.set_update_mask("fields.colour");
  (*request.mutable_record()->mutable_fields())["colour"] = "red";
  EXPECT_THAT(Ask<Record>(*admin_, "UpdateRecord", request),
              HasReasonAt(common::v1::REASON_FIELD_UNKNOWN, "record.fields.colour"));
}

TEST_P(EveryServiceTest, AdvanceRefusesUnknownSteps) {
  ASSERT_OK_AND_ASSIGN(const Record created, Create(Sample()));
  common::v1::AdvanceRecordRequest request;
  request.set_name(created.name());
  request.set_transition("fly");
  request.set_on_date("2020-03-05");
  request.set_request_id(NextId("advance"));
  EXPECT_THAT(Ask<Record>(*admin_, "AdvanceRecord", request),
              HasReasonAt(common::v1::REASON_TRANSITION_UNKNOWN, "transition"));
}

TEST_P(EveryServiceTest, CancelWithdrawsAndFreesTheKey) {
  const Record sample = Sample();
  ASSERT_OK_AND_ASSIGN(const Record created, Create(sample));
  common::v1::CancelRecordRequest request;
  request.set_name(created.name());
  request.set_remark("重复录入");
  request.set_request_id(NextId("cancel"));
  ASSERT_OK_AND_ASSIGN(const Record cancelled, Ask<Record>(*admin_, "CancelRecord", request));
  EXPECT_TRUE(cancelled.cancelled());
  ASSERT_OK_AND_ASSIGN(const Record replayed, Ask<Record>(*admin_, "CancelRecord", request));
  EXPECT_EQ(replayed.etag(), cancelled.etag());
  request.set_request_id(NextId("cancel"));
  EXPECT_THAT(Ask<Record>(*admin_, "CancelRecord", request),
              HasReason(common::v1::REASON_STATE_FORBIDS));
  ASSERT_OK_AND_ASSIGN(const Record read, Get(created.name()));
  ASSERT_EQ(read.steps_size(), 1);
  EXPECT_EQ(read.steps(0).remark(), "重复录入");
  ASSERT_OK_AND_ASSIGN(const Record anew, Create(sample));
  EXPECT_NE(anew.name(), created.name());
  request.clear_remark();
  EXPECT_THAT(Ask<Record>(*admin_, "CancelRecord", request),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "remark"));
}

TEST_P(EveryServiceTest, ListKindsAnswersTheCatalogue) {
  ASSERT_OK_AND_ASSIGN(
      const auto kinds,
      Ask<common::v1::ListKindsResponse>(*stranger_, "ListKinds", common::v1::ListKindsRequest()));
  EXPECT_TRUE(std::any_of(kinds.kinds().begin(), kinds.kinds().end(),
                          [](const auto& kind) { return kind.name() == GetParam().kind; }));
  EXPECT_FALSE(kinds.version().empty());
}

// Calls each method with a record of E01 as somebody who must not; returns the reasons.
std::map<std::string, Reason> ReasonsFor(
    const std::function<absl::Status(const char* method, const google::protobuf::Message&,
                                     google::protobuf::Message&)>& invoke,
    const Record& record) {
  std::map<std::string, Reason> reasons;
  const auto call = [&](const char* method, const auto& request, auto response) {
    reasons[method] = ReasonOf(invoke(method, request, response));
  };
  common::v1::CreateRecordRequest create;
  create.set_parent("federations/demo");
  *create.mutable_record() = record;
  call("CreateRecord", create, Record());
  common::v1::GetRecordRequest get;
  get.set_name(record.name());
  call("GetRecord", get, Record());
  ListRecordsRequest list;
  list.set_parent("federations/demo");
  list.set_kind(record.kind());
  list.set_organization(record.organization());
  call("ListRecords", list, ListRecordsResponse());
  common::v1::UpdateRecordRequest update;
  *update.mutable_record() = record;
  update.set_update_mask("title");
  call("UpdateRecord", update, Record());
  common::v1::AdvanceRecordRequest advance;
  advance.set_name(record.name());
  advance.set_transition("close");
  advance.set_on_date("2020-04-01");
  call("AdvanceRecord", advance, Record());
  common::v1::CancelRecordRequest cancel;
  cancel.set_name(record.name());
  cancel.set_remark("x");
  call("CancelRecord", cancel, Record());
  return reasons;
}

TEST_P(EveryServiceTest, OtherFederationsMayDoNothing) {
  ASSERT_OK_AND_ASSIGN(const Record record, Create(Sample()));
  const auto invoke = [&](const char* method, const google::protobuf::Message& request,
                          google::protobuf::Message& response) {
    return stranger_->InvokeMessage(StrCat("/", GetParam().service, "/", method), request, response,
                                    nullptr);
  };
  for (const auto& [method, reason] : ReasonsFor(invoke, record)) {
    EXPECT_EQ(reason, common::v1::REASON_WRONG_FEDERATION) << method;
  }
  EXPECT_THAT(Batch(BatchRequest({Sample()}), *stranger_),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
}

TEST_P(EveryServiceTest, OtherOrganisationsAreOutOfScope) {
  ASSERT_OK_AND_ASSIGN(const Record record, Create(Sample()));
  const auto invoke = [&](const char* method, const google::protobuf::Message& request,
                          google::protobuf::Message& response) {
    return town2_->InvokeMessage(StrCat("/", GetParam().service, "/", method), request, response,
                                 nullptr);
  };
  for (const auto& [method, reason] : ReasonsFor(invoke, record)) {
    EXPECT_EQ(reason, common::v1::REASON_OUT_OF_SCOPE) << method;
  }
  auto request = BatchRequest({Sample("E02"), Sample("E01")});
  request.set_partial(true);
  ASSERT_OK_AND_ASSIGN(const auto batch, Batch(request, *town2_));
  EXPECT_EQ(batch.created(), 1);
  EXPECT_THAT(Failures(batch), ElementsAre("1 organization OUT_OF_SCOPE"));
  EXPECT_THAT(Create(Sample("E02"), *town2_), IsOk());
}

}  // namespace
}  // namespace gonghui::records
