// A path of singular fields through a message, resolved once.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/message.h"

namespace gonghui::rpc {

// "record.organization" of a CreateRecordRequest. Ends at a string field.
class FieldPath {
 public:
  // nullopt when a step names no singular message field or the last no string field.
  static std::optional<FieldPath> Resolve(const google::protobuf::Descriptor* message,
                                          std::string_view path);
  // The value; empty when unset.
  std::string Get(const google::protobuf::Message& message) const;

 private:
  std::vector<const google::protobuf::FieldDescriptor*> steps_;
};

}  // namespace gonghui::rpc
