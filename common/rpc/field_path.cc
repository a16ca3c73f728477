#include "common/rpc/field_path.h"

#include "common/base/text.h"

namespace gonghui::rpc {

using google::protobuf::FieldDescriptor;

std::optional<FieldPath> FieldPath::Resolve(const google::protobuf::Descriptor* message,
                                            std::string_view path) {
  FieldPath result;
  for (std::string_view step : Split(path, '.')) {
    if (message == nullptr) return std::nullopt;
    const FieldDescriptor* field = message->FindFieldByName(std::string(step));
    if (field == nullptr || field->is_repeated()) return std::nullopt;
    result.steps_.push_back(field);
    message = field->message_type();  // nullptr after a scalar: nothing may follow it.
  }
  if (result.steps_.back()->type() != FieldDescriptor::TYPE_STRING) return std::nullopt;
  return result;
}

std::string FieldPath::Get(const google::protobuf::Message& message) const {
  const google::protobuf::Message* at = &message;
  for (const FieldDescriptor* field : steps_) {
    const google::protobuf::Reflection* reflection = at->GetReflection();
    if (field->message_type() == nullptr) {
      std::string scratch;
      return reflection->GetStringReference(*at, field, &scratch);
    }
    if (!reflection->HasField(*at, field)) return "";
    at = &reflection->GetMessage(*at, field);
  }
  return "";
}

}  // namespace gonghui::rpc
