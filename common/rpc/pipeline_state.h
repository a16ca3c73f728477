// The worker pools and process-wide meters behind a Pipeline.
#pragma once

#include <atomic>
#include <functional>
#include <string_view>

#include "common/base/executor.h"
#include "common/ops/metrics.h"
#include "common/ops/section.h"

namespace gonghui::rpc::internal {

// A bounded worker pool that reports its depth and what it sheds.
class WorkerPool {
 public:
  WorkerPool(std::string_view name, int workers);
  // False when the queue is full: the task was not taken.
  bool TrySubmit(std::function<void()> task);
  void Started() {  // Called by each task first.
    depth_.Set(--waiting_);
    busy_gauge_.Set(++busy_);
  }
  void Ended() { busy_gauge_.Set(--busy_); }  // Called by each task last.
  void Stop() { executor_.Stop(); }

 private:
  std::atomic<int> waiting_ = 0;
  std::atomic<int> busy_ = 0;
  const ops::Gauge depth_;
  const ops::Gauge busy_gauge_;
  const ops::Counter shed_;
  const ops::Section section_;
  Executor executor_;
};

struct PipelineState {
  PipelineState(int interactive_workers, int bulk_workers)
      : interactive("interactive", interactive_workers), bulk("bulk", bulk_workers) {}

  void CallStarted() { active_gauge.Set(++active); }
  void CallEnded() { active_gauge.Set(--active); }

  const ops::Gauge active_gauge{"gonghui_rpc_active", "Calls received and not yet answered."};
  const ops::Counter batched_shed{"gonghui_queue_shed_total",
                                  "Calls refused because the queue was full.",
                                  {{"pool", "batched"}}};
  std::atomic<int> active = 0;
  WorkerPool interactive;
  WorkerPool bulk;
};

}  // namespace gonghui::rpc::internal
