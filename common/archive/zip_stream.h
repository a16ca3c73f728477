// ZIP archives written from front to back, without holding them in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace gonghui::archive {

// Archives of at most 4 GiB, packed and unpacked. Parts carry no time, so equal parts give equal
// bytes. What is packed waits in `out` until the caller takes it away. Used by one thread.
class ZipStream {
 public:
  explicit ZipStream(std::string& out);
  ~ZipStream();

  void Begin(std::string name);  // Ends the part before.
  void Write(std::string_view bytes);
  // Ends the archive. STORAGE_FULL where it has become larger than the format takes.
  absl::Status Finish();

 private:
  struct Packer;
  struct Entry {
    std::string name;
    uint64_t offset = 0;
    uint64_t packed = 0;
    uint64_t size = 0;
    uint32_t checksum = 0;
  };

  void Pack(std::string_view bytes, bool last);
  void EndPart();
  void Put(std::string_view bytes);

  std::string& out_;
  uint64_t written_ = 0;
  std::vector<Entry> entries_;
  std::unique_ptr<Packer> packer_;  // While a part is open.
};

}  // namespace gonghui::archive
