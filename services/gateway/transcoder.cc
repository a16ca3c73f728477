#include "services/gateway/transcoder.h"

#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/util/json_util.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/base/trace.h"
#include "common/rpc/api_services.h"
#include "common/rpc/status_map.h"
#include "common/rpc/traceparent.h"
#include "gonghui/activities/v1/activity.pb.h"
#include "gonghui/casework/v1/case.pb.h"
#include "gonghui/funds/v1/benefit.pb.h"
#include "gonghui/funds/v1/ledger.pb.h"
#include "gonghui/membership/v1/federation.pb.h"
#include "gonghui/membership/v1/member.pb.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "gonghui/membership/v1/register.pb.h"
#include "gonghui/reports/v1/report.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace gonghui::gateway {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The calling thread's token; clients ask for it while they start a call on this thread.
thread_local std::string bearer_token;  // NOLINT(*-avoid-non-const-global-variables)

int HttpStatus(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return 409;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kCancelled:
      return 499;
    case absl::StatusCode::kUnimplemented:
      return 501;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

google::protobuf::util::JsonPrintOptions PrintOptions() {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  return options;
}

HttpResponse ErrorResponse(const absl::Status& status, std::string_view trace) {
  google::rpc::Status body;
  const grpc::Status mapped = rpc::ToGrpc(status, trace);
  if (!body.ParseFromString(mapped.error_details()) || body.code() == 0) {
    body.set_code(static_cast<int>(mapped.error_code()));
    body.set_message(mapped.error_message());
  }
  HttpResponse response;
  response.status = HttpStatus(status.code());
  (void)google::protobuf::util::MessageToJsonString(body, &response.body, PrintOptions());
  return response;
}

Error BadField(const std::string& field, const std::string& what, const std::string& what_zh) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID, absl::StrCat(field, ": ", what),
                         absl::StrCat(field, "：", what_zh))
      .At(field);
}

const FieldDescriptor* FindField(const google::protobuf::Descriptor* type,
                                 const std::string& name) {
  const FieldDescriptor* field = type->FindFieldByName(name);
  return field != nullptr ? field : type->FindFieldByCamelcaseName(name);
}

absl::Status SetScalar(Message& message, const FieldDescriptor* field, const std::string& text,
                       const std::string& path) {
  const google::protobuf::Reflection* reflection = message.GetReflection();
  const auto store = [&](auto value, auto set, auto add) {
    if (field->is_repeated()) {
      (reflection->*add)(&message, field, value);
    } else {
      (reflection->*set)(&message, field, value);
    }
    return absl::OkStatus();
  };
  using Reflection = google::protobuf::Reflection;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return store(text, &Reflection::SetString, &Reflection::AddString);
    case FieldDescriptor::CPPTYPE_INT32:
      if (int32_t v = 0; absl::SimpleAtoi(text, &v))
        return store(v, &Reflection::SetInt32, &Reflection::AddInt32);
      return BadField(path, "a whole number is wanted", "需要整数");
    case FieldDescriptor::CPPTYPE_INT64:
      if (int64_t v = 0; absl::SimpleAtoi(text, &v))
        return store(v, &Reflection::SetInt64, &Reflection::AddInt64);
      return BadField(path, "a whole number is wanted", "需要整数");
    case FieldDescriptor::CPPTYPE_BOOL:
      if (bool v = false; absl::SimpleAtob(text, &v))
        return store(v, &Reflection::SetBool, &Reflection::AddBool);
      return BadField(path, "true or false is wanted", "需要 true 或 false");
    case FieldDescriptor::CPPTYPE_ENUM:
      if (const auto* value = field->enum_type()->FindValueByName(text)) {
        return store(value->number(), &Reflection::SetEnumValue, &Reflection::AddEnumValue);
      }
      return BadField(path, "no such value", "没有这个取值");
    default:
      return BadField(path, "cannot stand in the address; send it in the body",
                      "不能写在地址里，请放在请求体中");
  }
}

// Sets "record.name" or "pageSize" in the message.
absl::Status SetPath(Message& root, const std::string& path, const std::string& text) {
  Message* message = &root;
  const std::vector<std::string> steps = absl::StrSplit(path, '.');
  for (size_t i = 0; i < steps.size(); ++i) {
    const FieldDescriptor* field = FindField(message->GetDescriptor(), steps[i]);
    if (field == nullptr)
      return BadField(path, "this request has no such field", "请求没有这个字段");
    if (i + 1 == steps.size()) return SetScalar(*message, field, text, path);
    if (field->is_repeated() || field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      return BadField(path, "this request has no such field", "请求没有这个字段");
    }
    message = message->GetReflection()->MutableMessage(message, field);
  }
  return absl::OkStatus();
}

absl::Status FillBody(const Route& route, const std::string& body, Message& message) {
  if (body.empty()) return absl::OkStatus();
  if (route.body.empty()) return BadField("body", "this call takes no body", "该调用不接受请求体");
  Message* target = &message;
  if (route.body != "*") {
    target = message.GetReflection()->MutableMessage(
        &message, FindField(message.GetDescriptor(), route.body));
  }
  const auto parsed = google::protobuf::util::JsonStringToMessage(body, target);
  if (parsed.ok()) return absl::OkStatus();
  // The parser's text may quote the input, which may hold personal data.
  return BadField("body",
                  "not the JSON of this request: a syntax error, an unknown field or a wrong type",
                  "不是该请求的 JSON：语法错误、未知字段或类型不符");
}

std::string AreaOf(const google::protobuf::MethodDescriptor& method) {
  return std::vector<std::string>(absl::StrSplit(method.full_name(), '.'))[1];
}

}  // namespace

absl::StatusOr<Transcoder> Transcoder::Make(
    const std::function<std::string(const std::string& area)>& address,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  Transcoder transcoder;
  for (const std::string_view name : rpc::kApiServices) {
    const auto* service =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(std::string(name));
    if (service == nullptr)
      return Internal(absl::StrCat("service ", ToAbsl(name), " is not linked"));
    ASSIGN_OR_RETURN(std::vector<Route> routes, RoutesOf(*service));
    for (Route& route : routes) {
      const std::string area = AreaOf(*route.method);
      if (!transcoder.clients_.contains(area)) {
        transcoder.clients_[area] =
            std::make_unique<rpc::Client>(rpc::Client::Options{.address = address(area),
                                                               .token = [] { return bearer_token; },
                                                               .credentials = credentials,
                                                               .forwards = true});
      }
      transcoder.routes_.push_back(std::move(route));
    }
  }
  return transcoder;
}

HttpResponse Transcoder::Handle(const HttpRequest& http) const {
  const std::string traceparent = rpc::ContinueTrace(http.traceparent);
  const TraceScope scope(TraceOf(traceparent));
  HttpResponse response = Answer(http, traceparent);
  response.traceparent = traceparent;
  return response;
}

HttpResponse Transcoder::Answer(const HttpRequest& http, const std::string& traceparent) const {
  const std::string_view trace = TraceOf(traceparent);
  bool path_known = false;
  for (const Route& route : routes_) {
    const auto variables = route.path.Match(http.path);
    if (!variables.has_value()) continue;
    path_known = true;
    if (route.verb != http.verb) continue;
    auto* factory = google::protobuf::MessageFactory::generated_factory();
    std::unique_ptr<Message> request(factory->GetPrototype(route.method->input_type())->New());
    std::unique_ptr<Message> response(factory->GetPrototype(route.method->output_type())->New());
    absl::Status status = FillBody(route, http.body, *request);
    for (auto it = http.query.begin(); status.ok() && it != http.query.end(); ++it) {
      status = SetPath(*request, it->first, it->second);
    }
    for (auto it = variables->begin(); status.ok() && it != variables->end(); ++it) {
      status = SetPath(*request, it->first, it->second);
    }
    if (!status.ok()) return ErrorResponse(status, trace);
    bearer_token =
        absl::StartsWith(http.authorization, "Bearer ") ? http.authorization.substr(7) : "";
    rpc::Call call;
    call.traceparent = traceparent;
    const std::string method =
        absl::StrCat("/", route.method->service()->full_name(), "/", route.method->name());
    status = clients_.at(AreaOf(*route.method))->InvokeMessage(method, *request, *response, &call);
    if (!status.ok()) return ErrorResponse(status, trace);
    HttpResponse answer;
    (void)google::protobuf::util::MessageToJsonString(*response, &answer.body, PrintOptions());
    return answer;
  }
  HttpResponse answer = ErrorResponse(
      NotFound(common::v1::REASON_NOT_FOUND,
               path_known ? "this address does not take this HTTP method" : "no such address",
               path_known ? "该地址不支持此 HTTP 方法" : "没有这个地址"),
      trace);
  if (path_known) answer.status = 405;
  return answer;
}

}  // namespace gonghui::gateway
