// Random messages to every method of every service. Whatever comes in, the answer is a proper one:
// no defect shows, no error tells of the inside or repeats an identity number, and the next call is
// served as ever.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/base/text.h"
#include "common/rpc/status_map.h"
#include "common/testing/jobs.h"
#include "common/testing/matchers.h"
#include "common/testing/settings.h"
#include "gonghui/funds/v1/ledger.pb.h"
#include "gonghui/membership/v1/federation.pb.h"
#include "gonghui/membership/v1/member.pb.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "gonghui/reports/v1/report.pb.h"
#include "google/protobuf/descriptor_database.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/impl/client_unary_call.h"
#include "grpcpp/impl/rpc_method.h"
#include "grpcpp/support/byte_buffer.h"
#include "re2/re2.h"
#include "services/server/suite.h"
#include "tests/fuzz/mutator.h"

namespace gonghui::fuzz {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::MessageFactory;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;
using testing::IsOk;

// Every service of the linked protos.
std::vector<const ServiceDescriptor*> Services() {
  std::vector<std::string> files;
  DescriptorPool::internal_generated_database()->FindAllFileNames(&files);
  std::vector<const ServiceDescriptor*> services;
  for (const std::string& name : files) {
    if (!name.starts_with("gonghui/")) continue;
    const auto* file = DescriptorPool::generated_pool()->FindFileByName(name);
    for (int i = 0; i < file->service_count(); ++i) services.push_back(file->service(i));
  }
  return services;
}

std::string PathOf(const MethodDescriptor& method) {
  return StrCat("/", method.service()->full_name(), "/", method.name());
}

std::unique_ptr<Message> New(const google::protobuf::Descriptor* type) {
  return std::unique_ptr<Message>(MessageFactory::generated_factory()->GetPrototype(type)->New());
}

// What an error may not say.
std::string Indiscretion(const std::string& text) {
  static const RE2& inside = *new RE2(
      R"((SELECT |INSERT INTO |UPDATE |(?i:sqlite|constraint failed|libpq)|/tmp/|/home/|/usr/|\.cc\b|\.h:\d|\b\d{17}[\dXx]\b))");
  std::string found;
  return RE2::PartialMatch(text, inside, &found) ? found : "";
}

class MessagesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "gonghui-fuzz-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    Suite::Options options;
    options.data_dir = folder_;
    options.dev = true;
    options.log_calls = false;
    auto suite = Suite::Start(std::move(options));
    ASSERT_THAT(suite, IsOk());
    suite_ = *std::move(suite);
    auth::Actor actor{.subject = "fuzzer", .federation = "demo", .grants = {}};
    common::v1::Grant& grant = actor.grants.emplace_back();
    grant.set_role("admin");
    grant.set_organization("*");
    ASSERT_OK_AND_ASSIGN(token_, suite_->DevToken(actor));
    client_ = suite_->NewClient(token_);
    channel_ = grpc::CreateChannel(StrCat("127.0.0.1:", suite_->port()),
                                   grpc::InsecureChannelCredentials());
    // The server's parser would log each text that is no UTF-8.
    google::protobuf::SetLogHandler(nullptr);
    ASSERT_NO_FATAL_FAILURE(MakeDistrict());
  }

  void TearDown() override {
    client_.reset();
    suite_.reset();
    std::filesystem::remove_all(folder_);
  }

  template <typename Response, typename Request>
  void Make(std::string_view method, const Request& request) {
    ASSERT_OK_AND_ASSIGN(const auto made,
                         client_->Invoke<Response>(StrCat("/gonghui.", method), request));
    mutator_.Learn(made);
  }

  void MakeDistrict() {
    membership::v1::CreateFederationRequest federation;
    federation.set_federation_id("demo");
    federation.mutable_federation()->set_display_name("示范区总工会");
    Make<membership::v1::Federation>("membership.v1.FederationService/CreateFederation",
                                     federation);
    for (const auto& [id, kind] : std::vector<std::pair<std::string, std::string>>{
             {"D01", "district"}, {"T01", "town_street"}, {"T02", "town_street"}}) {
      membership::v1::CreateOrganizationRequest organization;
      organization.set_parent("federations/demo");
      organization.mutable_organization()->set_id(id);
      organization.mutable_organization()->set_parent(id == "D01" ? "" : "D01");
      organization.mutable_organization()->set_kind(kind);
      organization.mutable_organization()->set_display_name(StrCat(id, "工会"));
      organization.mutable_organization()->set_founded_on("2015-01-01");
      Make<membership::v1::Organization>("membership.v1.OrganizationService/CreateOrganization",
                                         organization);
      funds::v1::CreateBookRequest book;
      book.set_parent("federations/demo");
      book.mutable_book()->set_organization(id);
      book.mutable_book()->set_chart("grassroots-2022");
      book.mutable_book()->set_opened_on("2019-01-01");
      Make<funds::v1::Book>("funds.v1.LedgerService/CreateBook", book);
      mutator_.Learn("organization", id);
    }
    for (const auto& [field, value] :
         std::vector<std::pair<std::string, std::string>>{{"federation", "demo"},
                                                          {"federation_id", "demo"},
                                                          {"source", "membership"},
                                                          {"source", "funds"},
                                                          {"account", "102"},
                                                          {"account", "402"},
                                                          {"update_mask", "title"},
                                                          {"update_mask", "job"},
                                                          {"update_mask", "on_date"},
                                                          {"update_mask", "full_name"},
                                                          {"period", "2020H1"},
                                                          {"period", "2020-05"},
                                                          {"id_type", "passport"},
                                                          {"id_number", "E1234567"},
                                                          {"state", "all"},
                                                          {"id_number", "E7654321"},
                                                          {"dimensions", "sex=*"},
                                                          {"period", "2020"}}) {
      mutator_.Learn(field, value);
    }
  }

  struct Answer {
    absl::Status status;
    std::string bytes;
  };

  Answer Call(const std::string& path, const std::string& wire, bool with_token) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    if (with_token) context.AddMetadata("authorization", StrCat("Bearer ", token_));
    const grpc::Slice slice(wire);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    const grpc::Status status = grpc::internal::BlockingUnaryCall(
        channel_.get(),
        grpc::internal::RpcMethod(path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC), &context,
        request, &response);
    Answer answer{rpc::FromGrpc(status), ""};
    grpc::Slice whole;
    if (status.ok() && response.DumpToSingleSlice(&whole).ok()) {
      answer.bytes.assign(reinterpret_cast<const char*>(whole.begin()), whole.size());
    }
    return answer;
  }

  // Why the answer is not a proper one; empty where it is.
  static std::string Fault(const absl::Status& status) {
    switch (status.code()) {
      case absl::StatusCode::kOk:
        return "";
      case absl::StatusCode::kInvalidArgument:
      case absl::StatusCode::kNotFound:
      case absl::StatusCode::kAlreadyExists:
      case absl::StatusCode::kPermissionDenied:
      case absl::StatusCode::kUnauthenticated:
      case absl::StatusCode::kFailedPrecondition:
      case absl::StatusCode::kAborted:
      case absl::StatusCode::kOutOfRange:
        break;
      default:
        return "a message may not lead to this code";
    }
    std::vector<std::string> texts = {std::string(status.message()), MessageZhOf(status),
                                      FieldOf(status)};
    for (const auto& [key, value] : MetadataOf(status)) {
      if (key != "trace_id") texts.push_back(value);
    }
    for (const std::string& text : texts) {
      if (const std::string found = Indiscretion(text); !found.empty()) {
        return StrCat("the error says '", found, "' in: ", text);
      }
    }
    return MessageZhOf(status).empty() ? "no Chinese message" : "";
  }

  // The failures that a batch lists are errors like any other.
  static std::string FaultOfItems(const Message& response) {
    const auto* failures = response.GetDescriptor()->FindFieldByName("failures");
    if (failures == nullptr) return "";
    const auto& reflection = *response.GetReflection();
    for (int i = 0; i < reflection.FieldSize(response, failures); ++i) {
      const std::string text =
          reflection.GetRepeatedMessage(response, failures, i).Utf8DebugString();
      if (const std::string found = Indiscretion(text); !found.empty()) {
        return StrCat("a failure says '", found, "' in: ", text);
      }
    }
    return "";
  }

  std::string Try(const MethodDescriptor& method, const std::string& wire) {
    const Answer answer = Call(PathOf(method), wire, /*with_token=*/true);
    ++answers_[answer.status.code()];
    if (!answer.status.ok()) return Fault(answer.status);
    const std::unique_ptr<Message> response = New(method.output_type());
    if (!response->ParseFromString(answer.bytes)) return "unreadable answer";
    mutator_.Learn(*response);
    if (method.name() == "ListKinds") {
      mutator_.SetKinds(
          *google::protobuf::DynamicCastToGenerated<common::v1::ListKindsResponse>(response.get()));
    }
    return FaultOfItems(*response);
  }

  void TryWithoutToken(const MethodDescriptor& method, const std::string& wire) {
    const absl::Status status = Call(PathOf(method), wire, /*with_token=*/false).status;
    const auto& policy = method.options().GetExtension(common::v1::policy);
    EXPECT_EQ(Fault(status), "") << status;
    if (policy.permission() != "public") {
      EXPECT_TRUE(absl::IsUnauthenticated(status)) << status;
    }
  }

  void Fuzz(const MethodDescriptor& method, int messages) {
    SCOPED_TRACE(method.full_name());
    const std::unique_ptr<Message> prototype = New(method.input_type());
    int faults = 0;
    for (int i = 0; i < messages && faults < 3; ++i) {
      const std::string wire = mutator_.Next(*prototype);
      if (const std::string fault = Try(method, wire); !fault.empty()) {
        ++faults;
        ADD_FAILURE() << fault << "\nmessage " << i << ": " << absl::CEscape(wire.substr(0, 1500));
      }
      if (i % 10 == 0) TryWithoutToken(method, wire);
    }
    membership::v1::GetFederationRequest good;
    good.set_name("federations/demo");
    ASSERT_THAT(client_->Invoke<membership::v1::Federation>(
                    "/gonghui.membership.v1.FederationService/GetFederation", good),
                IsOk());
  }

  std::filesystem::path folder_;
  Mutator mutator_{testing::Seed()};
  std::unique_ptr<Suite> suite_;
  std::unique_ptr<rpc::Client> client_;
  std::shared_ptr<grpc::Channel> channel_;
  std::string token_;
  std::map<absl::StatusCode, int64_t> answers_;
};

TEST_F(MessagesTest, EveryMethodAnswersProperly) {
  const int messages = testing::FullSize() ? 5000 : 200;
  for (const ServiceDescriptor* service : Services()) {
    if (const auto* kinds = service->FindMethodByName("ListKinds")) {
      EXPECT_EQ(Try(*kinds, ""), "");
    }
    for (int i = 0; i < service->method_count(); ++i) {
      ASSERT_NO_FATAL_FAILURE(Fuzz(*service->method(i), messages));
    }
  }
  for (const auto& [code, count] : answers_) {
    std::printf("%s %lld\n", absl::StatusCodeToString(code).c_str(), static_cast<long long>(count));
  }
  EXPECT_GT(answers_[absl::StatusCode::kOk], 500) << "the messages are too wild to get anywhere";

  // What was written along the way is digestible too.
  EXPECT_THAT(suite_->CatchUp(), IsOk());
  reports::v1::VerifyRollupsRequest verify;
  verify.set_parent("federations/demo");
  ASSERT_OK_AND_ASSIGN(const auto verified,
                       testing::RunJob<reports::v1::VerifyRollupsResult>(
                           *client_, "/gonghui.reports.v1.ReportService/VerifyRollups",
                           "gonghui.reports.v1.JobService", verify));
  EXPECT_EQ(verified.divergent(), 0);
}

}  // namespace
}  // namespace gonghui::fuzz
