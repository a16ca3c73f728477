// The time of day where the federations are.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace gonghui {

// China keeps UTC+8 all year, so no time zone files are needed.
inline absl::TimeZone ChinaTime() { return absl::FixedTimeZone(8 * 60 * 60); }

// The instant at which a day begins there, in microseconds UTC.
inline int64_t DayBeginsMicros(absl::CivilDay day) {
  return absl::ToUnixMicros(absl::FromCivil(day, ChinaTime()));
}

// "2020-05-01 08:30:00" there.
inline std::string ChinaTimeText(int64_t micros) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixMicros(micros), ChinaTime());
}

}  // namespace gonghui
