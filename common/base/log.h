// JSON lines on stderr, one object a line. No personal data: callers pass ids, counts and reasons
// only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"

namespace gonghui::log {

enum class Level { kDebug, kInfo, kWarning, kError };

using Field = std::pair<std::string_view, std::variant<std::string_view, int64_t, double, bool>>;

void SetLevel(Level level);
// {"time":"…Z","level":"info","event":"rpc", fields…}. Thread-safe, one write per line.
void Write(Level level, std::string_view event, const std::vector<Field>& fields = {});

inline void Info(std::string_view event, const std::vector<Field>& fields = {}) {
  Write(Level::kInfo, event, fields);
}
inline void Warning(std::string_view event, const std::vector<Field>& fields = {}) {
  Write(Level::kWarning, event, fields);
}
inline void Error(std::string_view event, const std::vector<Field>& fields = {}) {
  Write(Level::kError, event, fields);
}

// Routes gRPC's, absl's and protobuf's own log lines into this log (levels warning and above, rate
// limited).
void CaptureLibraryLogs();

}  // namespace gonghui::log
