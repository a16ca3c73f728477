// What went wrong or took long of late, for /statusz. No personal data: names and counts only.
#pragma once

#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace gonghui::ops {

// An error of a call. Both names are of closed sets; the newest trace of each pair is kept.
void NoteError(std::string_view method, std::string_view reason, std::string_view trace);
// A statement that took long, by its name. The last twenty are kept.
void NoteSlowStatement(std::string_view query, absl::Duration took, std::string_view trace);

// Lines, the newest first: time, how often since the start, method, reason, trace.
std::string RecentErrors();
// Lines, the newest first: time, milliseconds, name, trace.
std::string RecentSlowStatements();

}  // namespace gonghui::ops
