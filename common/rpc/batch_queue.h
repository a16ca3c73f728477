// The queue of a batched method: calls that wait together run together.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/rpc/invocation.h"

namespace gonghui::rpc::internal {

// A thread takes whatever waits (at most `limit` calls), runs it as one batch, and answers all
// while a second thread does the same with what has come since. Batches run one at a time.
// Thread-safe. The destructor runs what waits, then joins.
class BatchQueue {
 public:
  BatchQueue(BatchOperation operation, size_t limit, PipelineState& pipeline);
  ~BatchQueue();
  // Answers RESOURCE_EXHAUSTED when 4096 calls wait.
  void Push(std::unique_ptr<Invocation> invocation);

 private:
  using Round = std::vector<std::unique_ptr<Invocation>>;
  void Work();
  Round Take();
  std::vector<BatchItem> Run(Round& round) const;

  const BatchOperation operation_;
  const size_t limit_;
  PipelineState& pipeline_;
  absl::Mutex mutex_;
  std::deque<std::unique_ptr<Invocation>> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Mutex turn_;  // Held from taking a batch until it has run.
  std::array<std::thread, 2> threads_;
};

}  // namespace gonghui::rpc::internal
