#include "common/rpc/batch_queue.h"

#include <utility>

#include "common/base/trace.h"
#include "common/rpc/pipeline_state.h"

namespace gonghui::rpc::internal {
namespace {

constexpr size_t kLongestQueue = 4096;

}  // namespace

BatchQueue::BatchQueue(BatchOperation operation, size_t limit, PipelineState& pipeline)
    : operation_(std::move(operation)), limit_(limit), pipeline_(pipeline) {
  for (std::thread& thread : threads_) thread = std::thread([this] { Work(); });
}

BatchQueue::~BatchQueue() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

void BatchQueue::Push(std::unique_ptr<Invocation> invocation) {
  {
    absl::MutexLock lock(&mutex_);
    if (waiting_.size() < kLongestQueue) {
      waiting_.push_back(std::move(invocation));
      return;
    }
  }
  pipeline_.batched_shed.Add();
  Invocation::Finish(std::move(invocation), Overloaded());
}

BatchQueue::Round BatchQueue::Take() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(
      +[](BatchQueue* queue) {
        queue->mutex_.AssertHeld();
        return queue->stopping_ || !queue->waiting_.empty();
      },
      this));
  Round round;
  while (!waiting_.empty() && round.size() < limit_) {
    round.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return round;
}

void BatchQueue::Work() {
  while (true) {
    Round round;
    std::vector<BatchItem> items;
    {
      absl::MutexLock turn(&turn_);
      round = Take();
      if (round.empty()) return;  // The sign to stop.
      items = Run(round);
    }
    for (size_t i = 0; i < items.size(); ++i) {
      Invocation::Finish(std::move(round[i]), std::move(items[i].answer));
    }
  }
}

// Answers the calls that may no longer run and takes them out of the round.
std::vector<BatchItem> BatchQueue::Run(Round& round) const {
  Round taking_part;
  std::vector<BatchItem> items;
  for (std::unique_ptr<Invocation>& invocation : round) {
    if (absl::Status status = invocation->LeaveQueue(); !status.ok()) {
      Invocation::Finish(std::move(invocation), std::move(status));
      continue;
    }
    items.push_back({&invocation->call(), &invocation->request(), nullptr});
    taking_part.push_back(std::move(invocation));
  }
  round = std::move(taking_part);
  if (!items.empty()) {
    // What takes long takes long for all; the first stands for them.
    const TraceScope scope(TraceOf(items.front().call->traceparent));
    operation_(absl::MakeSpan(items));
  }
  return items;
}

}  // namespace gonghui::rpc::internal
