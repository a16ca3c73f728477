// ZIP archives in memory: what office documents are made of.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace gonghui::archive {

struct File {
  std::string name;  // With folders: "word/document.xml".
  std::string bytes;
};

// The archive's bytes. Files stand in the order given and carry no time, so equal files give equal
// bytes. Errors: INTERNAL.
absl::StatusOr<std::string> WriteZip(const std::vector<File>& files);

// All files by name. Errors: FIELD_INVALID for bytes that are no archive, a damaged or encrypted
// file, or more than `most_bytes` unpacked.
absl::StatusOr<std::map<std::string, std::string>> ReadZip(std::string_view bytes,
                                                           uint64_t most_bytes = 64 << 20);

}  // namespace gonghui::archive
