#include "common/base/clock.h"

#include "absl/time/clock.h"
#include "common/base/date.h"

namespace gonghui {
namespace {

class SystemClock : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }
};

}  // namespace

std::string Clock::Today() const {
  // China keeps UTC+8 all year, so no time zone files are needed.
  return FormatDate(absl::ToCivilDay(Now(), absl::FixedTimeZone(8 * 60 * 60)));
}

const Clock& Clock::System() {
  static const SystemClock clock;
  return clock;
}

}  // namespace gonghui
