#include "common/base/executor.h"

#include <pthread.h>

#include <utility>

namespace gonghui {

Executor::Executor(Options options) : options_(std::move(options)) {
  for (int i = 0; i < options_.workers; ++i) {
    workers_.emplace_back([this] { Work(); });
    // The kernel keeps 15 characters.
    pthread_setname_np(workers_.back().native_handle(), options_.name.substr(0, 15).c_str());
  }
}

Executor::~Executor() { Stop(); }

bool Executor::TrySubmit(std::function<void()> task) {
  absl::MutexLock lock(&mutex_);
  if (stopping_ || queue_.size() >= options_.queue_limit) return false;
  queue_.push_back(std::move(task));
  return true;
}

size_t Executor::depth() const {
  absl::MutexLock lock(&mutex_);
  return queue_.size();
}

void Executor::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  for (std::thread& worker : workers_) {
    if (worker.joinable()) worker.join();
  }
}

void Executor::Work() {
  const auto ready = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return stopping_ || !queue_.empty();
  };
  while (true) {
    std::function<void()> task;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(&ready));
      if (queue_.empty()) return;  // Stopping, and all that was queued has been taken.
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    task();
  }
}

}  // namespace gonghui
