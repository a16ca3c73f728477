#include "services/server/watchdog.h"

#include <sys/resource.h>

#include <utility>

#include "common/base/log.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui {
namespace {

constexpr rlim_t kDescriptorsLeast = 1024;

}  // namespace

Watchdog::Watchdog(Options options, std::function<absl::Status()> dial)
    : options_(std::move(options)), dial_(std::move(dial)), thread_([this] { Run(); }) {}

Watchdog::~Watchdog() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void Watchdog::Run() {
  int failures = 0;
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      if (mutex_.AwaitWithTimeout(absl::Condition(&stopping_), options_.every)) return;
    }
    const absl::Status status = dial_();
    failures = status.ok() ? 0 : failures + 1;
    if (status.ok()) continue;
    log::Error("self_dial_failed", {{"failures", int64_t{failures}},
                                    {"failures_most", int64_t{options_.failures_most}},
                                    {"cause", FromAbsl(status.message())}});
    if (failures < options_.failures_most) continue;
    options_.give_up(status);
    return;
  }
}

absl::Status RaiseDescriptorLimit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= kDescriptorsLeast) return absl::OkStatus();
  return FailedPrecondition(
      common::v1::REASON_UNAVAILABLE,
      StrCat("this process may open ", limit.rlim_cur,
             " files and connections, and needs at least ", kDescriptorsLeast,
             ": raise the limit (ulimit -Hn, LimitNOFILE= of systemd, --ulimit of the container)"),
      StrCat("本进程最多只能打开 ", limit.rlim_cur, " 个文件和连接，至少需要 ", kDescriptorsLeast,
             " 个：请提高限制（ulimit -Hn、systemd 的 LimitNOFILE= 或容器的 --ulimit）"));
}

}  // namespace gonghui
