#include "common/base/id.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"

namespace gonghui {
namespace {

// Fetched in blocks: one call per id would cost more than all the rest of the id.
uint64_t RandomBits() {
  thread_local std::array<uint64_t, 64> block;
  thread_local size_t used = block.size();
  if (used == block.size()) {
    if (RAND_bytes(reinterpret_cast<unsigned char*>(block.data()), sizeof(block)) != 1) {
      std::abort();  // Without a random source no id is unique.
    }
    used = 0;
  }
  return block[used++];
}

// 48 bits of milliseconds and 12 bits of 1/4096 milliseconds, always larger than the one before.
uint64_t NextStamp(absl::Time now) {
  static std::atomic<uint64_t> last{0};
  const auto micros = static_cast<uint64_t>(std::max<int64_t>(0, absl::ToUnixMicros(now)));
  const uint64_t wanted = ((micros / 1000) << 12) | ((micros % 1000) * 4096 / 1000);
  uint64_t previous = last.load(std::memory_order_relaxed);
  uint64_t next;
  do {
    next = std::max(wanted, previous + 1);
  } while (!last.compare_exchange_weak(previous, next, std::memory_order_relaxed));
  return next;
}

}  // namespace

std::string NewId(absl::Time now) {
  const uint64_t stamp = NextStamp(now);
  const uint64_t high = (stamp >> 12 << 16) | 0x7000 | (stamp & 0xfff);
  const uint64_t low = (RandomBits() >> 2) | (uint64_t{1} << 63);
  return absl::StrFormat("%08x-%04x-%04x-%04x-%012x", high >> 32, (high >> 16) & 0xffff,
                         high & 0xffff, low >> 48, low & 0xffffffffffff);
}

std::string ContentId(std::string_view content) { return Sha256Hex(content).substr(0, 32); }

std::string Sha256Hex(std::string_view bytes) {
  std::array<unsigned char, 32> digest;
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    std::abort();  // Only when memory is exhausted.
  }
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

}  // namespace gonghui
