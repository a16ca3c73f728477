// Lines that libraries log, for those who count some of them.
#pragma once

#include <string_view>

namespace gonghui::log {

// `observer` is told every line of gRPC's at level error, also those left out of the log, on the
// thread that wrote it. One at most; works once CaptureLibraryLogs was called.
void ObserveLibraryLines(void (*observer)(std::string_view message));

}  // namespace gonghui::log
