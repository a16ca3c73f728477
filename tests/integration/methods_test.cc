// What every method of the membership service refuses, walked by descriptors: whoever has no token,
// comes from another federation, names an organisation outside their rights, or sends nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gonghui/common/v1/options.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/dynamic_message.h"
#include "tests/integration/membership.h"

namespace gonghui::membership {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::FileDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::MethodDescriptor;

constexpr char kProtos[] = "gonghui/membership/v1";

const common::v1::MethodPolicy& PolicyOf(const MethodDescriptor& method) {
  return method.options().GetExtension(common::v1::policy);
}

// Every method but those that anybody may call.
std::vector<const MethodDescriptor*> Methods() {
  std::vector<const MethodDescriptor*> methods;
  const auto folder = std::filesystem::path(GONGHUI_SOURCE_DIR) / "proto" / kProtos;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    const FileDescriptor* proto =
        google::protobuf::DescriptorPool::generated_pool()->FindFileByName(
            absl::StrCat(kProtos, "/", file.path().filename().string()));
    for (int i = 0; proto != nullptr && i < proto->service_count(); ++i) {
      for (int j = 0; j < proto->service(i)->method_count(); ++j) {
        const MethodDescriptor* method = proto->service(i)->method(j);
        if (PolicyOf(*method).permission() != "public") methods.push_back(method);
      }
    }
  }
  return methods;
}

class MethodsTest : public MembershipTest {
 protected:
  static std::unique_ptr<Message> NewMessage(const Descriptor* type) {
    return std::unique_ptr<Message>(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
  }
  // Names of the federation demo wherever the request holds one.
  static std::unique_ptr<Message> RequestOf(const MethodDescriptor& method) {
    auto request = NewMessage(method.input_type());
    Fill(*request);
    return request;
  }
  static void Fill(Message& message) {
    static const auto& variable = *new std::regex("\\{[a-z_]+\\}");
    const Descriptor* type = message.GetDescriptor();
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* field = type->field(i);
      if (field->is_repeated()) continue;
      const auto& policy = field->options().GetExtension(common::v1::field);
      if (!policy.resource_type().empty() && policy.required()) {
        const std::string pattern =
            std::regex_replace(policy.resource_type(), std::regex("\\{federation\\}"), "demo");
        message.GetReflection()->SetString(&message, field,
                                           std::regex_replace(pattern, variable, "x"));
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && policy.required()) {
        Message* inner = message.GetReflection()->MutableMessage(&message, field);
        const FieldDescriptor* name = inner->GetDescriptor()->FindFieldByName("name");
        if (name != nullptr) {
          inner->GetReflection()->SetString(inner, name, "federations/demo/things/x");
        }
      }
    }
  }
  // Fills what is required besides, so that nothing else is told before the rights.
  static void FillRequired(Message& message) {
    const Descriptor* type = message.GetDescriptor();
    const auto* reflection = message.GetReflection();
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* field = type->field(i);
      const auto& policy = field->options().GetExtension(common::v1::field);
      if (field->is_repeated() || !policy.required()) continue;
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        FillRequired(*reflection->MutableMessage(&message, field));
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
        reflection->SetEnumValue(&message, field, 1);
      } else if (reflection->GetString(message, field).empty()) {
        reflection->SetString(&message, field, policy.date() ? "2020-01-01" : "x");
      }
    }
  }
  // Sets the field at a path like "member.organization".
  static void Put(Message& message, const std::string& path, const std::string& value) {
    Message* at = &message;
    const std::vector<std::string> names = absl::StrSplit(path, '.');
    for (size_t i = 0; i < names.size(); ++i) {
      const FieldDescriptor* field = at->GetDescriptor()->FindFieldByName(names[i]);
      ASSERT_NE(field, nullptr) << path;
      if (i + 1 == names.size()) {
        at->GetReflection()->SetString(at, field, value);
      } else {
        at = at->GetReflection()->MutableMessage(at, field);
      }
    }
  }
  absl::Status Call(const rpc::Client& client, const MethodDescriptor& method,
                    const Message& request) {
    auto response = NewMessage(method.output_type());
    return client.InvokeMessage(
        absl::StrCat("/", method.service()->full_name(), "/", method.name()), request, *response,
        nullptr);
  }
};

TEST_P(MethodsTest, RefuseWhoHasNoToken) {
  const auto nobody = suite_->NewClient("");
  for (const MethodDescriptor* method : Methods()) {
    EXPECT_EQ(Call(*nobody, *method, *RequestOf(*method)).code(),
              absl::StatusCode::kUnauthenticated)
        << method->full_name();
  }
}

TEST_P(MethodsTest, RefuseAnotherFederation) {
  MakeDistrict();
  int asked = 0;
  for (const MethodDescriptor* method : Methods()) {
    const auto request = RequestOf(*method);
    if (request->ByteSizeLong() == 0) continue;  // Names nothing of a federation.
    ++asked;
    EXPECT_THAT(Call(*stranger_, *method, *request), HasReason(common::v1::REASON_WRONG_FEDERATION))
        << method->full_name();
  }
  EXPECT_GE(asked, 70);
}

TEST_P(MethodsTest, RefuseOrganizationsOutsideTheRights) {
  MakeDistrict();
  const auto narrow = ClientOf("demo", "admin", "T01", true);
  int asked = 0;
  for (const MethodDescriptor* method : Methods()) {
    const std::string& scope = PolicyOf(*method).scope();
    if (scope.empty()) continue;
    ++asked;
    const auto request = RequestOf(*method);
    FillRequired(*request);
    Put(*request, scope, "E02");
    EXPECT_THAT(Call(*narrow, *method, *request), HasReason(common::v1::REASON_OUT_OF_SCOPE))
        << method->full_name();
  }
  EXPECT_GE(asked, 15);
}

TEST_P(MethodsTest, TellWhatIsMissing) {
  MakeDistrict();
  for (const MethodDescriptor* method : Methods()) {
    bool wants = false;
    for (int i = 0; i < method->input_type()->field_count(); ++i) {
      const FieldDescriptor* field = method->input_type()->field(i);
      wants = wants || field->options().GetExtension(common::v1::field).required();
    }
    if (!wants) continue;
    const auto nothing = NewMessage(method->input_type());
    const absl::Status status = Call(*admin_, *method, *nothing);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << method->full_name();
    EXPECT_FALSE(FieldOf(status).empty()) << method->full_name();
    EXPECT_FALSE(MessageZhOf(status).empty()) << method->full_name();
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, MethodsTest, ::testing::Values("sqlite"));

}  // namespace
}  // namespace gonghui::membership
