// Identifiers made by us.
#pragma once

#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace gonghui {

// UUIDv7 text (RFC 9562): sorts by time, monotonic within a process. Thread-safe.
std::string NewId(absl::Time now);

// A request_id derived from content, so that a replay of the same content has the same key: 32 hex
// digits of SHA-256.
std::string ContentId(std::string_view content);

// SHA-256 of `bytes`, 64 lower-case hex digits.
std::string Sha256Hex(std::string_view bytes);

}  // namespace gonghui
