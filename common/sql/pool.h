// A bounded set of reusable things, handed out in the order of asking.
#pragma once

#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/sql/engine.h"

namespace gonghui::sql {

// How the places of a pool are used.
struct PoolUse {
  int busy = 0;
  int idle = 0;     // Ready for the next taker; the rest is not made yet.
  int waiting = 0;  // Takers.
};

// Thread-safe. Holds `size` places; the thing of a place is made by the taker when it comes empty.
template <typename T>
class Pool {
 public:
  explicit Pool(int size) : size_(size), free_(size) {}

  // Waits for a place until `deadline`. A null pointer is a place without a thing in it.
  absl::StatusOr<std::unique_ptr<T>> Acquire(absl::Time deadline) {
    absl::MutexLock lock(&mutex_);
    if (free_ > 0) {  // Then nobody waits.
      --free_;
      if (idle_.empty()) return std::unique_ptr<T>();
      std::unique_ptr<T> thing = std::move(idle_.back());
      idle_.pop_back();
      return thing;
    }
    Waiter waiter;
    waiters_.push_back(&waiter);
    while (!waiter.served) {
      if (waiter.ready.WaitWithDeadline(&mutex_, deadline) && !waiter.served) {
        std::erase(waiters_, &waiter);
        return DeadlinePassed();
      }
    }
    return std::move(waiter.thing);
  }

  // Gives a place back, null when its thing is no longer good.
  void Release(std::unique_ptr<T> thing) {
    absl::MutexLock lock(&mutex_);
    if (!waiters_.empty()) {
      Waiter& first = *waiters_.front();
      waiters_.pop_front();
      first.thing = std::move(thing);
      first.served = true;
      first.ready.Signal();
      return;
    }
    ++free_;
    if (thing != nullptr) idle_.push_back(std::move(thing));
  }

  // Forgets the things that nobody holds: they are likely as dead as the one just seen.
  void DropIdle() {
    std::vector<std::unique_ptr<T>> dropped;
    absl::MutexLock lock(&mutex_);
    dropped.swap(idle_);
  }

  PoolUse use() const {
    absl::MutexLock lock(&mutex_);
    return {.busy = size_ - free_,
            .idle = static_cast<int>(idle_.size()),
            .waiting = static_cast<int>(waiters_.size())};
  }

 private:
  struct Waiter {
    absl::CondVar ready;
    bool served = false;
    std::unique_ptr<T> thing;
  };

  const int size_;
  mutable absl::Mutex mutex_;
  int free_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<T>> idle_ ABSL_GUARDED_BY(mutex_);
  std::deque<Waiter*> waiters_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace gonghui::sql
