// The record services over a real server: every RPC of each, and what the engine does behind them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/text.h"
#include "common/testing/matchers.h"
#include "gmock/gmock.h"
#include "gonghui/common/v1/record.pb.h"
#include "gonghui/feed/v1/feed.pb.h"
#include "gonghui/membership/v1/federation.pb.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "services/server/suite.h"

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

constexpr char kWorkerNumber[] = "11010519491231002X";

// One record service, with the simplest kind it keeps.
struct Area {
  std::string service;
  std::string collection;
  std::string kind;
  std::map<std::string, std::string> fields;
  bool keyed_by_unit = false;  // Else by number.
};

void PrintTo(const Area& area, std::ostream* out) { *out << area.collection; }

common::v1::Grant GrantOf(std::string organization, bool below) {
  common::v1::Grant grant;
  grant.set_role("admin");
  grant.set_organization(std::move(organization));
  grant.set_below(below);
  return grant;
}

// A suite with the federation "demo": D01 above T01 and T02, E01 below T01, E02 below T02.
class RecordsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::filesystem::temp_directory_path() / StrCat("gonghui-records-", ::getpid());
    std::filesystem::create_directories(folder_);
    Suite::Options options;
    options.data_dir = folder_;
    options.dev = true;
    options.log_calls = false;
    auto suite = Suite::Start(std::move(options));
    ASSERT_THAT(suite, IsOk());
    suite_ = std::move(*suite).release();
    admin_ = Client("demo", GrantOf("*", true)).release();
    town2_ = Client("demo", GrantOf("T02", true)).release();
    stranger_ = Client("other", GrantOf("*", true)).release();
    membership::v1::CreateFederationRequest federation;
    federation.set_federation_id("demo");
    federation.mutable_federation()->set_display_name("示范区总工会");
    ASSERT_THAT(admin_->Invoke<membership::v1::Federation>(
                    "/gonghui.membership.v1.FederationService/CreateFederation", federation),
                IsOk());
    AddOrganization("D01", "", "district_federation");
    AddOrganization("T01", "D01", "town_street");
    AddOrganization("T02", "D01", "town_street");
    AddOrganization("E01", "T01", "enterprise");
    AddOrganization("E02", "T02", "enterprise");
  }

  static void TearDownTestSuite() {
    delete admin_;
    delete town2_;
    delete stranger_;
    delete suite_;
    std::filesystem::remove_all(folder_);
  }

  static std::unique_ptr<rpc::Client> Client(const std::string& federation,
                                             common::v1::Grant grant) {
    auth::Actor actor;
    actor.subject = StrCat("tester-", grant.organization());
    actor.federation = federation;
    actor.grants.push_back(std::move(grant));
    auto token = suite_->DevToken(actor);
    EXPECT_THAT(token, IsOk());
    return suite_->NewClient(*token);
  }

  static void AddOrganization(const std::string& id, const std::string& parent,
                              const std::string& kind) {
    membership::v1::CreateOrganizationRequest request;
    request.set_parent("federations/demo");
    auto& organization = *request.mutable_organization();
    organization.set_id(id);
    organization.set_parent(parent);
    organization.set_display_name(StrCat(id, "工会"));
    organization.set_kind(kind);
    organization.set_founded_on("2019-01-01");
    ASSERT_THAT(admin_->Invoke<membership::v1::Organization>(
                    "/gonghui.membership.v1.OrganizationService/CreateOrganization", request),
                IsOk());
  }

  template <typename Response, typename Request>
  static absl::StatusOr<Response> Ask(const rpc::Client& client, const std::string& service,
                                      const char* method, const Request& request) {
    return client.Invoke<Response>(StrCat("/", service, "/", method), request);
  }

  static std::string NextId(std::string_view prefix) {
    static int count = 0;
    return StrCat(prefix, "-", ++count);
  }

  static inline std::filesystem::path folder_;
  static inline Suite* suite_ = nullptr;
  static inline const rpc::Client* admin_ = nullptr;
  static inline const rpc::Client* town2_ = nullptr;  // Only T02 and below.
  static inline const rpc::Client* stranger_ = nullptr;
};

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

TEST_F(RecordsTest, RulesOfTheCatalogueAreEnforced) {
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
  EXPECT_THAT(
      Ask<Record>(*admin_, "gonghui.activities.v1.ActivityService", "CreateRecord", request),
      HasReasonAt(common::v1::REASON_RULE_VIOLATED, "record.fields.participants"));
  fields["participants"] = "130";
  EXPECT_THAT(
      Ask<Record>(*admin_, "gonghui.activities.v1.ActivityService", "CreateRecord", request),
      IsOk());
}

}  // namespace
}  // namespace gonghui::records
