#include "common/base/clock.h"

#include "absl/time/clock.h"
#include "common/base/china_time.h"
#include "common/base/date.h"

namespace gonghui {
namespace {

class SystemClock : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }
};

}  // namespace

std::string Clock::Today() const {
  return FormatDate(absl::ToCivilDay(Now(), ChinaTime()));
}

const Clock& Clock::System() {
  static const SystemClock clock;
  return clock;
}

}  // namespace gonghui
