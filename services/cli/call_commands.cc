// Any RPC by name, with its request as JSON: what has no command of its own.
#include <google/protobuf/util/json_util.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/rpc/api_services.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "services/cli/program.h"

namespace gonghui::cli {
namespace {

using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

std::vector<const MethodDescriptor*> Methods() {
  std::vector<const MethodDescriptor*> methods;
  for (const std::string_view name : rpc::kApiServices) {
    const auto* service =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(std::string(name));
    for (int i = 0; service != nullptr && i < service->method_count(); ++i) {
      methods.push_back(service->method(i));
    }
  }
  return methods;
}

std::string ShortName(const MethodDescriptor& method) {
  return absl::StrCat(method.service()->name(), ".", method.name());
}

absl::StatusOr<const MethodDescriptor*> Find(const std::string& name) {
  for (const MethodDescriptor* method : Methods()) {
    if (ShortName(*method) == name || method->full_name() == name) return method;
  }
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         absl::StrCat("No method '", name, "'. gonghui call --list shows them."),
                         absl::StrCat("没有方法“", name, "”，用 gonghui call --list 查看。"))
      .With("method", name);
}

// Lists the methods, each with the fields of its request.
int List() {
  for (const MethodDescriptor* method : Methods()) {
    std::string line = ShortName(*method);
    for (int i = 0; i < method->input_type()->field_count(); ++i) {
      absl::StrAppend(&line, i == 0 ? "  " : ", ", method->input_type()->field(i)->name());
    }
    Print(line + "\n");
  }
  return kSuccess;
}

absl::StatusOr<int> Call(Session& session, const std::string& name, const std::string& json) {
  ASSIGN_OR_RETURN(const MethodDescriptor* method, Find(name));
  auto* factory = google::protobuf::MessageFactory::generated_factory();
  const std::unique_ptr<Message> request(factory->GetPrototype(method->input_type())->New());
  const std::unique_ptr<Message> answer(factory->GetPrototype(method->output_type())->New());
  const auto parsed = google::protobuf::util::JsonStringToMessage(json, request.get());
  if (!parsed.ok()) {
    return InvalidArgument(
        common::v1::REASON_FIELD_INVALID,
        absl::StrCat("The request is not the JSON of ", method->input_type()->name(), ": ",
                     std::string(parsed.message())),
        absl::StrCat("请求不是 ", method->input_type()->name(), " 的 JSON。"));
  }
  const auto* parent = method->input_type()->FindFieldByName("parent");
  if (parent != nullptr && request->GetReflection()->GetString(*request, parent).empty()) {
    ASSIGN_OR_RETURN(std::string federation, session.Parent());
    request->GetReflection()->SetString(request.get(), parent, std::move(federation));
  }
  ASSIGN_OR_RETURN(const rpc::Client* client, session.Connect());
  RETURN_IF_ERROR(
      client->InvokeMessage(absl::StrCat("/", method->service()->full_name(), "/", method->name()),
                            *request, *answer, nullptr));
  PrintJson(*answer);
  return kSuccess;
}

}  // namespace

void AddCallCommands(Program& program) {
  struct Options {
    std::string method;
    std::string json = "{}";
    bool list = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* call = AddCommand(program.app, "call", "Any call of the API, with its request as JSON",
                              "gonghui call MemberService.LeaveMember\n"
                              "    "
                              "'{\"name\":\"federations/demo/members/"
                              "ID\",\"left_on\":\"2020-05-01\",\"reason\":\"retired\"}'");
  call->add_option("method", options->method, "Service.Method");
  call->add_option("json", options->json, "The request; an empty parent means --federation");
  call->add_flag("--list", options->list, "List the methods and the fields of their requests");
  OnRun(call, program, [&program, options]() -> absl::StatusOr<int> {
    if (options->list || options->method.empty()) return List();
    return Call(program.session, options->method, options->json);
  });
}

}  // namespace gonghui::cli
