#include "common/ops/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "common/base/text.h"
#include "common/base/version.h"
#include "common/ops/metrics.h"

namespace gonghui::ops {
namespace {

namespace fs = std::filesystem;

// Field 22 of /proc/self/stat counts ticks from the machine's start to the process's.
absl::Time StartTime() {
  std::ifstream stat("/proc/self/stat");
  std::string text;
  std::getline(stat, text);
  // The second field, a name in brackets, may hold spaces.
  const auto fields = Split(std::string_view(text).substr(text.rfind(')') + 1), ' ');
  double up = 0;
  std::ifstream("/proc/uptime") >> up;
  int64_t ticks = 0;
  constexpr size_t kStartAfterName = 20;
  if (up == 0 || fields.size() <= kStartAfterName ||
      !absl::SimpleAtoi(ToAbsl(fields[kStartAfterName]), &ticks)) {
    return absl::Now();
  }
  const double age = up - static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
  return absl::Now() - absl::Seconds(age);
}

int64_t OpenFiles() {
  std::error_code error;
  int64_t count = 0;
  for (fs::directory_iterator it("/proc/self/fd", error), end; !error && it != end;
       it.increment(error)) {
    ++count;
  }
  return count > 0 ? count - 1 : 0;  // But for the one that reads the folder.
}

}  // namespace

ProcessFacts ReadProcess() {
  static const absl::Time started = StartTime();
  ProcessFacts facts{.started = started};
  int64_t pages = 0;
  int64_t resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  facts.resident_bytes = resident * sysconf(_SC_PAGESIZE);
  facts.open_fds = OpenFiles();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) facts.max_fds = static_cast<int64_t>(limit.rlim_cur);
  return facts;
}

void SetProcessMetrics() {
  static const Gauge build("gonghui_build_info", "The version that runs; always 1.",
                           {{"version", kVersion}});
  static const Gauge started("process_start_time_seconds", "Start, in seconds since 1970.");
  static const Gauge resident("process_resident_memory_bytes", "Memory in use.");
  static const Gauge open("process_open_fds", "Open file descriptors.");
  static const Gauge most("process_max_fds", "Most open file descriptors.");
  const ProcessFacts facts = ReadProcess();
  build.Set(1);
  started.Set(absl::ToDoubleSeconds(facts.started - absl::UnixEpoch()));
  resident.Set(static_cast<double>(facts.resident_bytes));
  open.Set(static_cast<double>(facts.open_fds));
  most.Set(static_cast<double>(facts.max_fds));
}

std::string BuildText() {
  return StrCat("gonghui ", kVersion, ", built by GCC ", __VERSION__, ", ", __DATE__);
}

}  // namespace gonghui::ops
