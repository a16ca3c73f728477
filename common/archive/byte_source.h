// Bytes that need not be in memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "absl/status/statusor.h"

namespace gonghui::archive {

// Used by one thread.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual uint64_t size() const = 0;
  // Copies bytes from the offset on; fewer than `most` only at the end.
  virtual absl::StatusOr<size_t> Read(uint64_t offset, char* to, size_t most) = 0;
};

// Over bytes that outlive it.
class BytesInMemory : public ByteSource {
 public:
  explicit BytesInMemory(std::string_view bytes) : bytes_(bytes) {}
  uint64_t size() const override { return bytes_.size(); }
  absl::StatusOr<size_t> Read(uint64_t offset, char* to, size_t most) override {
    if (offset >= bytes_.size()) return size_t{0};
    const std::string_view piece = bytes_.substr(offset, most);
    std::memcpy(to, piece.data(), piece.size());
    return piece.size();
  }

 private:
  const std::string_view bytes_;
};

}  // namespace gonghui::archive
