// YAML into protobuf messages: the message is the schema.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace gonghui::catalog {

// Fills `message` from YAML. Keys are field names, enums are value names without the type's prefix
// in lower case
// ("flow" for MEASURE_KIND_FLOW), a Label may be written as one string (zh = en = it). An unknown
// key, a wrong type or a bad enum value is an error "file:line: …".
absl::Status ParseYaml(std::string_view file_name, std::string_view yaml,
                       google::protobuf::Message& message);

}  // namespace gonghui::catalog
