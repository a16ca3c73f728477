// ZIP archives read part by part, without holding them in memory.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/archive/byte_source.h"

namespace gonghui::archive {

// Errors: FIELD_INVALID for bytes that are no archive and for damaged or encrypted parts; those of
// the source as they are. Used by one thread; the source outlives it.
class ZipReader {
 public:
  static absl::StatusOr<std::unique_ptr<ZipReader>> Open(ByteSource& source);
  virtual ~ZipReader() = default;

  // One part as it is unpacked.
  class Part {
   public:
    virtual ~Part() = default;
    // Copies the next bytes; 0 at the end.
    virtual absl::StatusOr<size_t> Read(char* to, size_t most) = 0;
  };

  virtual const std::map<std::string, uint64_t>& sizes() const = 0;  // Of the parts, unpacked.
  // NOT_FOUND where there is no such part.
  virtual absl::StatusOr<std::unique_ptr<Part>> OpenPart(const std::string& name) = 0;
};

}  // namespace gonghui::archive
