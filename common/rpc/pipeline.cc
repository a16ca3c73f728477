#include "common/base/text.h"
#include "common/rpc/pipeline_state.h"
#include "common/rpc/security_log.h"
#include "common/rpc/service.h"

namespace gonghui::rpc {
namespace internal {
namespace {

// Longer queues only make callers wait for what will be late anyway.
constexpr size_t kWaitingPerWorker = 8;

}  // namespace

WorkerPool::WorkerPool(std::string_view name, int workers)
    : depth_("gonghui_queue_depth", "Calls waiting for a worker.", {{"pool", name}}),
      busy_gauge_("gonghui_pool_busy", "Workers with a call.", {{"pool", name}}),
      shed_("gonghui_queue_shed_total", "Calls refused because the queue was full.",
            {{"pool", name}}),
      section_("pools",
               [this, name = std::string(name), workers] {
                 return StrCat(name, ": ", busy_.load(), " of ", workers, " workers busy, ",
                               waiting_.load(), " calls waiting");
               }),
      executor_({.name = std::string(name),
                 .workers = workers,
                 .queue_limit = kWaitingPerWorker * static_cast<size_t>(workers)}) {
  ops::Gauge("gonghui_pool_workers", "Workers of the pool.", {{"pool", name}}).Set(workers);
}

bool WorkerPool::TrySubmit(std::function<void()> task) {
  depth_.Set(++waiting_);
  if (executor_.TrySubmit(std::move(task))) return true;
  depth_.Set(--waiting_);
  shed_.Add();
  return false;
}

}  // namespace internal

Pipeline::Pipeline(Options options)
    : options_(std::move(options)),
      state_(std::make_unique<internal::PipelineState>(options_.interactive_workers,
                                                       options_.bulk_workers)) {
  WatchSecurity();
}

Pipeline::~Pipeline() { Stop(); }

void Pipeline::Stop() {
  state_->interactive.Stop();
  state_->bulk.Stop();
}

}  // namespace gonghui::rpc
