#include "common/rpc/upkeep.h"

#include "common/base/log.h"
#include "common/base/status.h"

namespace gonghui::rpc {

void Upkeep::Start() {
  thread_ = std::thread([this] {
    do {
      for (const auto& [name, work] : works_) {
        const absl::Status status = work();
        if (status.ok()) continue;
        log::Warning("upkeep_failed",
                     {{"work", std::string_view(name)}, {"reason", ReasonName(ReasonOf(status))}});
      }
    } while (!stopping_.WaitForNotificationWithTimeout(every_));
  });
}

void Upkeep::Stop() {
  if (!thread_.joinable()) return;
  stopping_.Notify();
  thread_.join();
}

}  // namespace gonghui::rpc
