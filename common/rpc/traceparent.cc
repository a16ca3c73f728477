#include "common/rpc/traceparent.h"

#include <cstdint>
#include <random>

#include "common/base/text.h"

namespace gonghui::rpc {
namespace {

bool IsLowerHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == text.npos;
}

bool IsZero(std::string_view text) { return text.find_first_not_of('0') == text.npos; }

// 00-<32 hex trace>-<16 hex span>-<2 hex flags>
bool IsValid(std::string_view text) {
  if (text.size() != 55 || text.substr(0, 3) != "00-" || text[35] != '-' || text[52] != '-')
    return false;
  const std::string_view trace = text.substr(3, 32), span = text.substr(36, 16);
  return IsLowerHex(trace) && IsLowerHex(span) && IsLowerHex(text.substr(53)) && !IsZero(trace) &&
         !IsZero(span);
}

std::string RandomHex64() {
  thread_local std::mt19937_64 generator = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  return StrCat(absl::Hex(generator() | 1, absl::kZeroPad16));
}

}  // namespace

std::string ContinueTrace(std::string_view received) {
  if (!IsValid(received)) {
    return StrCat("00-", RandomHex64(), RandomHex64(), "-", RandomHex64(), "-01");
  }
  return StrCat(received.substr(0, 36), RandomHex64(), received.substr(52));
}

}  // namespace gonghui::rpc
