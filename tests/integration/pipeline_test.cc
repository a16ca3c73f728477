// The request pipeline over a real server and client, with the operations of a small case service.
#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/impl/rpc_method.h>
#include <grpcpp/support/byte_buffer.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "absl/synchronization/notification.h"
#include "common/auth/trusted_issuers.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/ops/metrics.h"
#include "common/rpc/client.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/schema.embedded.h"
#include "common/rpc/server.h"
#include "common/rpc/service.h"
#include "common/sql/migrate.h"
#include "common/testing/database.h"
#include "common/testing/matchers.h"
#include "gonghui/common/v1/record.pb.h"

namespace gonghui::rpc {
namespace {

using common::v1::AdvanceRecordRequest;
using common::v1::BatchCreateRecordsRequest;
using common::v1::BatchCreateRecordsResponse;
using common::v1::CancelRecordRequest;
using common::v1::CreateRecordRequest;
using common::v1::GetRecordRequest;
using common::v1::ListKindsRequest;
using common::v1::ListKindsResponse;
using common::v1::ListRecordsRequest;
using common::v1::ListRecordsResponse;
using common::v1::Record;
using common::v1::UpdateRecordRequest;
using gonghui::testing::HasReason;
using gonghui::testing::HasReasonAt;
using gonghui::testing::IsOk;
using gonghui::testing::StatusIs;
using ::testing::HasSubstr;

constexpr char kService[] = "gonghui.casework.v1.CaseService";

std::string PathOf(std::string_view method) { return StrCat("/", kService, "/", method); }

// T01 has E01 below it; D01 is the root.
class Tree : public auth::OrganizationScope {
 public:
  absl::StatusOr<bool> IsAtOrBelow(std::string_view, std::string_view organization,
                                   std::string_view ancestor) const override {
    return organization == ancestor || ancestor == "D01" ||
           (ancestor == "T01" && organization == "E01");
  }
  absl::StatusOr<std::string> RootOf(std::string_view) const override { return "D01"; }
};

// What the pipeline calls. Titles of records say what happens.
class Cases {
 public:
  explicit Cases(sql::Database& db) : db_(db) {}

  absl::StatusOr<Record> Create(Call& call, const CreateRecordRequest& request) {
    return WriteOnce<Record>(db_, call, request, [&](sql::Tx&) -> absl::StatusOr<Record> {
      Record record = request.record();
      record.set_name(StrCat(request.parent(), "/cases/", ++writes));
      record.set_state(call.trace_id());
      return record;
    });
  }

  std::optional<absl::StatusOr<Record>> PeekAt(Call& call, const GetRecordRequest& request) {
    if (!request.name().ends_with("/cached")) return std::nullopt;
    if (absl::Status scope = call.CheckScope("E01"); !scope.ok()) return scope;
    return Named(request.name(), "peeked");
  }
  absl::StatusOr<Record> Get(Call& call, const GetRecordRequest& request) {
    RETURN_IF_ERROR(call.CheckScope("E01"));
    deadline_us = absl::ToUnixMicros(call.deadline);
    return Named(request.name(), StrCat("read in ", call.federation));
  }

  absl::StatusOr<ListRecordsResponse> List(Call&, const ListRecordsRequest&) {
    if (failures_to_come > 0) {
      --failures_to_come;
      return Unavailable(common::v1::REASON_UNAVAILABLE, "away", "不可用");
    }
    return ListRecordsResponse();
  }

  absl::StatusOr<common::v1::GetBoardResponse> Board(Call&, const common::v1::GetBoardRequest&) {
    return common::v1::GetBoardResponse();
  }

  absl::StatusOr<Record> Update(Call&, const UpdateRecordRequest&) {
    return Internal("SELECT secret FROM cases");
  }

  absl::StatusOr<Record> Cancel(Call& call, const CancelRecordRequest& request) {
    ++running;
    gate.WaitForNotification();
    return Named(request.name(), call.is_cancelled() ? "cancelled" : "in time");
  }

  absl::StatusOr<BatchCreateRecordsResponse> BatchCreate(Call&,
                                                         const BatchCreateRecordsRequest& request) {
    BatchCreateRecordsResponse response;
    response.set_created(request.records_size());
    return response;
  }

  void Advance(absl::Span<BatchedCall<AdvanceRecordRequest, Record>> calls) {
    absl::SleepFor(absl::Milliseconds(20));  // So that others gather.
    largest_round = std::max(largest_round.load(), calls.size());
    for (auto& call : calls) {
      if (call.request->transition() == "bad") {
        call.result = FailedPrecondition(common::v1::REASON_TRANSITION_UNKNOWN, "no", "否");
      } else {
        call.result = Named(call.request->name(), call.call->actor.subject);
      }
    }
  }

  absl::StatusOr<ListKindsResponse> ListKinds(Call&, const ListKindsRequest&) {
    return ListKindsResponse();
  }

  std::atomic<int> writes = 0;
  std::atomic<int> running = 0;
  std::atomic<int> failures_to_come = 0;
  std::atomic<size_t> largest_round = 0;
  std::atomic<int64_t> deadline_us = 0;
  absl::Notification gate;  // Lets Cancel go on.

 private:
  static Record Named(const std::string& name, const std::string& title) {
    Record record;
    record.set_name(name);
    record.set_title(title);
    return record;
  }

  sql::Database& db_;
};

auth::Actor ActorWith(const std::string& subject, const std::string& federation,
                      const std::string& role, const std::string& organization) {
  common::v1::Grant grant;
  grant.set_role(role);
  grant.set_organization(organization);
  grant.set_below(true);
  return {.subject = subject, .federation = federation, .grants = {grant}};
}

class PipelineTest : public ::testing::Test {
 protected:
  PipelineTest()
      : key_(*auth::SigningKey::Generate("test")),
        issuers_({}),
        cases_(*db_),
        pipeline_({.clock = &clock_,
                   .issuers = &issuers_,
                   .scope = &tree_,
                   .interactive_workers = 2,
                   .bulk_workers = 1,
                   .log_calls = false}),
        service_(kService, pipeline_) {
    issuers_.Add(*auth::KeySet::FromJson(key_.PublicJwks()));
    EXPECT_THAT(sql::Migrate(*db_, embedded::common_rpc_schema(), clock_.NowMicros()), IsOk());
    service_.Handle("CreateRecord", &cases_, &Cases::Create);
    service_.HandleWithPeek<GetRecordRequest, Record>(
        "GetRecord", [this](Call& c, const GetRecordRequest& r) { return cases_.PeekAt(c, r); },
        [this](Call& c, const GetRecordRequest& r) { return cases_.Get(c, r); });
    service_.Handle("ListRecords", &cases_, &Cases::List);
    service_.Handle("GetBoard", &cases_, &Cases::Board);
    service_.Handle("UpdateRecord", &cases_, &Cases::Update);
    service_.Handle("CancelRecord", &cases_, &Cases::Cancel);
    service_.Handle("BatchCreateRecords", &cases_, &Cases::BatchCreate);
    service_.HandleBatched<AdvanceRecordRequest, Record>(
        "AdvanceRecord", [this](auto calls) { cases_.Advance(calls); });
    EXPECT_THAT(service_.Missing(), ::testing::ElementsAre(StrCat(kService, ".ListKinds")));
    service_.Handle("ListKinds", &cases_, &Cases::ListKinds);
    auto server = Server::Start({.listen = {"127.0.0.1:0"}, .reflection = true}, {&service_});
    EXPECT_THAT(server, IsOk());
    server_ = *std::move(server);
  }

  ~PipelineTest() override {
    if (!cases_.gate.HasBeenNotified()) cases_.gate.Notify();
    server_.reset();
    pipeline_.Stop();
  }

  std::string TokenFor(const auth::Actor& actor) {
    return *key_.Sign({.issuer = std::string(auth::kIssuer),
                       .audience = std::string(auth::kAudience),
                       .actor = actor,
                       .expires = clock_.Now() + absl::Hours(1)},
                      clock_.Now());
  }

  std::string Address() const { return StrCat("127.0.0.1:", server_->port()); }

  Client ClientWith(const std::string& token, absl::Duration timeout = absl::Seconds(20)) {
    return Client({.address = Address(), .token = [token] { return token; }, .timeout = timeout});
  }
  Client ClientOf(const std::string& role, const std::string& organization,
                  const std::string& federation = "demo", const std::string& subject = "u1") {
    return ClientWith(TokenFor(ActorWith(subject, federation, role, organization)));
  }

  static CreateRecordRequest CreateRequest(const std::string& organization) {
    CreateRecordRequest request;
    request.set_parent("federations/demo");
    request.mutable_record()->set_kind("dispute");
    request.mutable_record()->set_organization(organization);
    request.mutable_record()->set_on_date("2020-05-13");
    return request;
  }
  static absl::StatusOr<Record> Create(const Client& client, const CreateRecordRequest& request) {
    return client.Invoke<Record>(PathOf("CreateRecord"), request);
  }
  static absl::StatusOr<Record> Get(const Client& client, const std::string& name) {
    GetRecordRequest request;
    request.set_name(name);
    return client.Invoke<Record>(PathOf("GetRecord"), request);
  }
  static absl::StatusOr<Record> Cancel(const Client& client) {
    CancelRecordRequest request;
    request.set_name("federations/demo/cases/1");
    request.set_remark("r");
    return client.Invoke<Record>(PathOf("CancelRecord"), request);
  }
  static absl::StatusOr<Record> Advance(const Client& client, const std::string& transition) {
    AdvanceRecordRequest request;
    request.set_name("federations/demo/cases/1");
    request.set_transition(transition);
    request.set_on_date("2020-05-13");
    return client.Invoke<Record>(PathOf("AdvanceRecord"), request);
  }

  // A call of any path with any bytes.
  grpc::Status InvokeRaw(const std::string& path, const std::string& bytes, std::string* answer) {
    const auto channel = grpc::CreateChannel(Address(), grpc::InsecureChannelCredentials());
    grpc::ClientContext context;
    context.AddMetadata("authorization",
                        "Bearer " + TokenFor(ActorWith("u1", "demo", "admin", "*")));
    const grpc::Slice slice(bytes);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    const grpc::Status status = grpc::internal::BlockingUnaryCall(
        channel.get(),
        grpc::internal::RpcMethod(path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC), &context,
        request, &response);
    grpc::Slice whole;
    if (status.ok() && response.DumpToSingleSlice(&whole).ok()) {
      answer->assign(reinterpret_cast<const char*>(whole.begin()), whole.size());
    }
    return status;
  }

  ManualClock clock_{absl::FromUnixSeconds(1'593'500'000)};  // 2020-06-30.
  gonghui::testing::TempDatabase db_;
  auth::SigningKey key_;
  auth::TrustedIssuers issuers_;
  Tree tree_;
  Cases cases_;
  Pipeline pipeline_;
  Service service_;
  std::unique_ptr<Server> server_;
};

TEST_F(PipelineTest, AnswersAndReplays) {
  const Client client = ClientOf("caseworker", "T01");
  CreateRecordRequest request = CreateRequest("E01");
  request.set_request_id("r1");
  const auto first = Create(client, request);
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(first->state().size(), 32u);  // The trace id.
  const auto again = Create(client, request);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
  EXPECT_EQ(cases_.writes, 1);

  // Another caller's key is another key.
  EXPECT_THAT(Create(ClientOf("caseworker", "T01", "demo", "u2"), request), IsOk());
  EXPECT_EQ(cases_.writes, 2);
  request.mutable_record()->set_title("changed");
  EXPECT_THAT(Create(client, request),
              HasReasonAt(common::v1::REASON_REQUEST_ID_REUSED, "request_id"));
  EXPECT_EQ(cases_.writes, 2);
}

TEST_F(PipelineTest, OneEffectForTheSameRequestAtOnce) {
  const Client client = ClientOf("caseworker", "T01");
  CreateRecordRequest request = CreateRequest("E01");
  request.set_request_id("r1");
  std::mutex mutex;
  std::set<std::string> answers;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const auto record = Create(client, request);
      ASSERT_THAT(record, IsOk());
      const std::lock_guard lock(mutex);
      answers.insert(record->name());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answers.size(), 1u);
}

TEST_F(PipelineTest, NeedsAToken) {
  EXPECT_THAT(Create(ClientWith(""), CreateRequest("E01")),
              HasReason(common::v1::REASON_TOKEN_MISSING));
  EXPECT_THAT(Create(ClientWith("nonsense"), CreateRequest("E01")),
              HasReason(common::v1::REASON_TOKEN_INVALID));
  const Client client = ClientOf("caseworker", "T01");
  EXPECT_THAT(Create(client, CreateRequest("E01")), IsOk());
  clock_.Advance(absl::Hours(2));
  EXPECT_THAT(Create(client, CreateRequest("E01")), HasReason(common::v1::REASON_TOKEN_INVALID));
  // Even methods that any caller may use.
  EXPECT_THAT(ClientWith("").Invoke<ListKindsResponse>(PathOf("ListKinds"), ListKindsRequest()),
              HasReason(common::v1::REASON_TOKEN_MISSING));
}

TEST_F(PipelineTest, KeepsFederationsApart) {
  const Client stranger = ClientOf("admin", "*", "other");
  EXPECT_THAT(Create(stranger, CreateRequest("E01")),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  EXPECT_THAT(Get(stranger, "federations/demo/cases/1"),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  UpdateRecordRequest update;  // Names its federation inside the record.
  update.mutable_record()->set_name("federations/demo/cases/1");
  EXPECT_THAT(stranger.Invoke<Record>(PathOf("UpdateRecord"), update),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  const auto record = Get(ClientOf("admin", "*", "*"), "federations/demo/cases/1");
  ASSERT_THAT(record, IsOk());
  EXPECT_EQ(record->title(), "read in demo");
}

TEST_F(PipelineTest, ChecksPermissionAndScope) {
  EXPECT_THAT(Create(ClientOf("accountant", "*"), CreateRequest("E01")),
              HasReason(common::v1::REASON_PERMISSION_MISSING));
  EXPECT_THAT(Create(ClientOf("caseworker", "T02"), CreateRequest("E01")),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_EQ(cases_.writes, 0);
  EXPECT_THAT(Get(ClientOf("caseworker", "T02"), "federations/demo/cases/1"),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));

  // No organisation named: the whole federation.
  ListRecordsRequest list;
  list.set_parent("federations/demo");
  list.set_kind("dispute");
  const std::string path = PathOf("ListRecords");
  EXPECT_THAT(ClientOf("caseworker", "D01").Invoke<ListRecordsResponse>(path, list), IsOk());
  EXPECT_THAT(ClientOf("caseworker", "T01").Invoke<ListRecordsResponse>(path, list),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  list.set_organization("E01");
  EXPECT_THAT(ClientOf("caseworker", "T01").Invoke<ListRecordsResponse>(path, list), IsOk());
}

TEST_F(PipelineTest, Validates) {
  CreateRecordRequest request = CreateRequest("E01");
  request.mutable_record()->set_on_date("13.5.2020");
  const auto result = Create(ClientOf("admin", "*"), request);
  EXPECT_THAT(result, HasReasonAt(common::v1::REASON_FIELD_INVALID, "record.on_date"));
  EXPECT_FALSE(MessageZhOf(result.status()).empty());
}

TEST_F(PipelineTest, HidesDefects) {
  UpdateRecordRequest update;
  update.mutable_record()->set_name("federations/demo/cases/1");
  update.mutable_record()->set_kind("dispute");
  update.mutable_record()->set_organization("E01");
  update.mutable_record()->set_on_date("2020-05-13");
  update.set_update_mask("title");
  const auto result = ClientOf("admin", "*").Invoke<Record>(PathOf("UpdateRecord"), update);
  EXPECT_THAT(result, HasReason(common::v1::REASON_INTERNAL));
  EXPECT_EQ(result.status().ToString().find("SELECT"), std::string::npos);
}

TEST_F(PipelineTest, RefusesWhatDoesNotParse) {
  std::string answer;
  const grpc::Status garbage = InvokeRaw(PathOf("GetRecord"), "\x0a\xff", &answer);
  EXPECT_EQ(garbage.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const grpc::Status no_text = InvokeRaw(PathOf("GetRecord"), "\x0a\x02\xc0\xaf", &answer);
  EXPECT_EQ(no_text.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(InvokeRaw(PathOf("NoSuchMethod"), "", &answer).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(PipelineTest, PeeksBeforeTheQueue) {
  const Client client = ClientOf("caseworker", "T01");
  EXPECT_EQ(Get(client, "federations/demo/cases/cached")->title(), "peeked");
  EXPECT_EQ(Get(client, "federations/demo/cases/1")->title(), "read in demo");
  EXPECT_THAT(Get(ClientOf("caseworker", "T02"), "federations/demo/cases/cached"),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
}

TEST_F(PipelineTest, BoundsTheDeadline) {
  const std::string token = TokenFor(ActorWith("u1", "demo", "admin", "*"));
  const absl::Time start = absl::Now();
  ASSERT_THAT(Get(ClientWith(token, absl::Seconds(3)), "federations/demo/cases/1"), IsOk());
  EXPECT_LT(cases_.deadline_us, absl::ToUnixMicros(start + absl::Seconds(4)));
  ASSERT_THAT(Get(ClientWith(token, absl::Hours(3)), "federations/demo/cases/1"), IsOk());
  EXPECT_LT(cases_.deadline_us, absl::ToUnixMicros(start + absl::Seconds(125)));
}

TEST_F(PipelineTest, HandsDeadlineAndTraceOn) {
  const Client client = ClientOf("admin", "*");
  Call parent;
  parent.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  parent.deadline = absl::Now() + absl::Seconds(2);
  const auto record = client.Invoke<Record>(PathOf("CreateRecord"), CreateRequest("E01"), &parent);
  ASSERT_THAT(record, IsOk());
  EXPECT_EQ(record->state(), "0af7651916cd43dd8448eb211c80319c");
  parent.deadline = absl::Now();
  EXPECT_THAT(client.Invoke<Record>(PathOf("CreateRecord"), CreateRequest("E01"), &parent),
              HasReason(common::v1::REASON_DEADLINE_EXCEEDED));
}

TEST_F(PipelineTest, ShedsWhenTheQueueIsFull) {
  const Client client = ClientOf("admin", "*");
  std::atomic<int> done = 0, shed = 0;
  std::vector<std::thread> threads;
  const auto call = [&] {
    threads.emplace_back([&] {
      const auto result = Cancel(client);
      if (result.ok()) {
        ++done;
      } else {
        EXPECT_THAT(result, HasReason(common::v1::REASON_OVERLOADED));
        EXPECT_THAT(result, StatusIs(absl::StatusCode::kResourceExhausted));
        ++shed;
      }
    });
  };
  // Two workers, each with eight places in the queue: 18 of 30 find room.
  for (int i = 0; i < 2; ++i) call();
  while (cases_.running < 2) absl::SleepFor(absl::Milliseconds(5));
  for (int i = 0; i < 28; ++i) call();
  const absl::Time limit = absl::Now() + absl::Seconds(10);
  while (shed < 12 && absl::Now() < limit) absl::SleepFor(absl::Milliseconds(5));
  EXPECT_EQ(cases_.running, 2);
  // The bulk pool and answers from memory are not held up.
  BatchCreateRecordsRequest batch;
  batch.set_parent("federations/demo");
  *batch.add_records() = CreateRequest("E01").record();
  EXPECT_THAT(client.Invoke<BatchCreateRecordsResponse>(PathOf("BatchCreateRecords"), batch),
              IsOk());
  EXPECT_THAT(Get(client, "federations/demo/cases/cached"), IsOk());
  cases_.gate.Notify();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done, 18);
  EXPECT_EQ(shed, 12);
  EXPECT_THAT(ops::ExportMetrics(), HasSubstr("gonghui_queue_shed_total{pool=\"interactive\"} "));
}

TEST_F(PipelineTest, DropsWhatNobodyWaitsFor) {
  const std::string token = TokenFor(ActorWith("u1", "demo", "admin", "*"));
  const Client patient = ClientWith(token), hasty = ClientWith(token, absl::Milliseconds(200));
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] { EXPECT_THAT(Cancel(patient), IsOk()); });
  }
  while (cases_.running < 2) absl::SleepFor(absl::Milliseconds(5));
  EXPECT_THAT(Cancel(hasty), StatusIs(absl::StatusCode::kDeadlineExceeded));
  cases_.gate.Notify();
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(Cancel(patient), IsOk());  // The queue has been emptied before.
  EXPECT_EQ(cases_.running, 3);
}

TEST_F(PipelineTest, BatchesWhatWaitsTogether) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      const std::string subject = StrCat("u", i);
      const Client client = ClientOf("admin", "*", "demo", subject);
      const auto record = Advance(client, i % 4 == 0 ? "bad" : "close");
      if (i % 4 == 0) {
        EXPECT_THAT(record, HasReason(common::v1::REASON_TRANSITION_UNKNOWN));
      } else {
        ASSERT_THAT(record, IsOk());
        EXPECT_EQ(record->title(), subject);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(cases_.largest_round, 1u);
}

TEST_F(PipelineTest, ClientRetriesWhatMayBeRepeated) {
  const Client client = ClientOf("admin", "*");
  ListRecordsRequest list;
  list.set_parent("federations/demo");
  list.set_kind("dispute");
  cases_.failures_to_come = 2;
  EXPECT_THAT(client.Invoke<ListRecordsResponse>(PathOf("ListRecords"), list), IsOk());
  cases_.failures_to_come = 3;
  EXPECT_THAT(client.Invoke<ListRecordsResponse>(PathOf("ListRecords"), list),
              HasReason(common::v1::REASON_UNAVAILABLE));
  EXPECT_EQ(cases_.failures_to_come, 0);
}

TEST_F(PipelineTest, CountsCalls) {
  ASSERT_THAT(Get(ClientOf("admin", "*"), "federations/demo/cases/1"), IsOk());
  const std::string metrics = ops::ExportMetrics();
  EXPECT_THAT(metrics, HasSubstr("gonghui_rpc_seconds_count{code=\"OK\",method=\"GetRecord\","
                                 "service=\"gonghui.casework.v1.CaseService\"}"));
  EXPECT_THAT(metrics, HasSubstr("gonghui_rpc_active 0"));
}

TEST_F(PipelineTest, TellsItsHealth) {
  std::string answer;
  const std::string request = StrCat("\x0a", std::string(1, sizeof(kService) - 1), kService);
  ASSERT_TRUE(InvokeRaw("/grpc.health.v1.Health/Check", request, &answer).ok());
  EXPECT_EQ(answer, "\x08\x01");  // SERVING
  server_->SetServing(false);
  ASSERT_TRUE(InvokeRaw("/grpc.health.v1.Health/Check", request, &answer).ok());
  EXPECT_EQ(answer, "\x08\x02");  // NOT_SERVING
}

TEST_F(PipelineTest, DrainLetsRunningCallsEnd) {
  const Client client = ClientOf("admin", "*");
  std::thread caller([&] {
    const auto result = Cancel(client);
    ASSERT_THAT(result, IsOk());
    EXPECT_EQ(result->title(), "in time");
  });
  while (cases_.running < 1) absl::SleepFor(absl::Milliseconds(5));
  std::thread release([&] {
    absl::SleepFor(absl::Milliseconds(200));
    cases_.gate.Notify();
  });
  server_->Drain(absl::ZeroDuration(), absl::Seconds(10));
  caller.join();
  release.join();
  EXPECT_THAT(Get(ClientOf("admin", "*"), "federations/demo/cases/1"),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(PipelineTest, RefusesABusyPort) {
  const auto second = Server::Start({.listen = {Address()}}, {});
  EXPECT_THAT(second, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(Address()));
}

TEST(ServiceTest, EveryServiceHasItsPolicies) {
  Pipeline pipeline({.log_calls = false});
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  int services = 0;
  for (const char* name :
       {"gonghui.membership.v1.FederationService", "gonghui.membership.v1.OrganizationService",
        "gonghui.membership.v1.MemberService", "gonghui.membership.v1.RegisterService",
        "gonghui.membership.v1.ReorganizationService", "gonghui.funds.v1.LedgerService",
        "gonghui.funds.v1.BenefitService", "gonghui.activities.v1.ActivityService",
        "gonghui.casework.v1.CaseService", "gonghui.reports.v1.ReportService",
        "gonghui.feed.v1.FeedService"}) {
    ASSERT_NE(pool->FindServiceByName(name), nullptr) << name;
    const Service service(name, pipeline);  // Checks permissions and scope paths.
    services += static_cast<int>(!service.Missing().empty());
  }
  EXPECT_EQ(services, 11);
}

}  // namespace
}  // namespace gonghui::rpc
