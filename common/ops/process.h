// The process as the kernel sees it.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace gonghui::ops {

struct ProcessFacts {
  absl::Time started;
  int64_t resident_bytes = 0;
  int64_t open_fds = 0;
  int64_t max_fds = 0;
};
// From /proc; what cannot be read is 0.
ProcessFacts ReadProcess();
// Sets process_* and gonghui_build_info.
void SetProcessMetrics();
// "gonghui 0.1.0, built by GCC 12.2.0".
std::string BuildText();

}  // namespace gonghui::ops
