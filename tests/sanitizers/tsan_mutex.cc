// Tells ThreadSanitizer about the locks of abseil. Debian's abseil is compiled without the
// sanitizer, and its locks are futexes that no interceptor sees, so that without this file every
// guarded variable would be reported. The linker
// (--wrap, see CMakeLists.txt) sends the product's calls here; calls inside abseil and gRPC are not
// seen.
//
// From __tsan_mutex_pre_lock to __tsan_mutex_post_lock ThreadSanitizer ignores what the thread
// does. Await evaluates its condition there, so races inside such conditions are not found.
#include <sanitizer/tsan_interface.h>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

// Declares Real##name, abseil's function of that symbol, and name, which takes its place.
#define GONGHUI_WRAP(result, name, symbol, ...)             \
  result Real##name(__VA_ARGS__) __asm__("__real_" symbol); \
  result name(__VA_ARGS__) __asm__("__wrap_" symbol)

namespace gonghui::sanitizers {

using absl::Condition;
using absl::CondVar;
using absl::Duration;
using absl::Mutex;
using absl::Notification;
using absl::Time;

GONGHUI_WRAP(void, Lock, "_ZN4absl7debian35Mutex4LockEv", Mutex*);
GONGHUI_WRAP(void, Unlock, "_ZN4absl7debian35Mutex6UnlockEv", Mutex*);
GONGHUI_WRAP(bool, TryLock, "_ZN4absl7debian35Mutex7TryLockEv", Mutex*);
GONGHUI_WRAP(void, ReaderLock, "_ZN4absl7debian35Mutex10ReaderLockEv", Mutex*);
GONGHUI_WRAP(void, ReaderUnlock, "_ZN4absl7debian35Mutex12ReaderUnlockEv", Mutex*);
GONGHUI_WRAP(void, DestroyMutex, "_ZN4absl7debian35MutexD1Ev", Mutex*);
GONGHUI_WRAP(void, Await, "_ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE", Mutex*,
             const Condition&);
GONGHUI_WRAP(bool, AwaitWithTimeout,
             "_ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE", Mutex*,
             const Condition&, Duration);
GONGHUI_WRAP(bool, AwaitWithDeadline,
             "_ZN4absl7debian35Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE", Mutex*,
             const Condition&, Time);
GONGHUI_WRAP(void, Wait, "_ZN4absl7debian37CondVar4WaitEPNS0_5MutexE", CondVar*, Mutex*);
GONGHUI_WRAP(bool, WaitWithTimeout,
             "_ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE", CondVar*,
             Mutex*, Duration);
GONGHUI_WRAP(bool, WaitWithDeadline,
             "_ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE", CondVar*, Mutex*,
             Time);
GONGHUI_WRAP(void, Notify, "_ZN4absl7debian312Notification6NotifyEv", Notification*);
GONGHUI_WRAP(void, WaitForNotification, "_ZNK4absl7debian312Notification19WaitForNotificationEv",
             Notification*);
GONGHUI_WRAP(bool, WaitForNotificationWithTimeout,
             "_ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE",
             Notification*, Duration);

namespace {

constexpr unsigned kWriter = 0;
constexpr unsigned kReader = __tsan_mutex_read_lock;

// The calling thread does not hold the lock while this lives: it waits for something and gets the
// lock back.
class Released {
 public:
  explicit Released(Mutex* mutex) : mutex_(mutex) {
    __tsan_mutex_pre_unlock(mutex, kWriter);
    __tsan_mutex_post_unlock(mutex, kWriter);
    __tsan_mutex_pre_lock(mutex, kWriter);
  }
  ~Released() { __tsan_mutex_post_lock(mutex_, kWriter, 0); }
  Released(const Released&) = delete;
  Released& operator=(const Released&) = delete;

 private:
  Mutex* const mutex_;
};

}  // namespace

void Lock(Mutex* mutex) {
  __tsan_mutex_pre_lock(mutex, kWriter);
  RealLock(mutex);
  __tsan_mutex_post_lock(mutex, kWriter, 0);
}

void Unlock(Mutex* mutex) {
  __tsan_mutex_pre_unlock(mutex, kWriter);
  RealUnlock(mutex);
  __tsan_mutex_post_unlock(mutex, kWriter);
}

bool TryLock(Mutex* mutex) {
  __tsan_mutex_pre_lock(mutex, __tsan_mutex_try_lock);
  const bool locked = RealTryLock(mutex);
  __tsan_mutex_post_lock(
      mutex, locked ? __tsan_mutex_try_lock : __tsan_mutex_try_lock | __tsan_mutex_try_lock_failed,
      0);
  return locked;
}

void ReaderLock(Mutex* mutex) {
  __tsan_mutex_pre_lock(mutex, kReader);
  RealReaderLock(mutex);
  __tsan_mutex_post_lock(mutex, kReader, 0);
}

void ReaderUnlock(Mutex* mutex) {
  __tsan_mutex_pre_unlock(mutex, kReader);
  RealReaderUnlock(mutex);
  __tsan_mutex_post_unlock(mutex, kReader);
}

void DestroyMutex(Mutex* mutex) {
  __tsan_mutex_destroy(mutex, kWriter);
  RealDestroyMutex(mutex);
}

void Await(Mutex* mutex, const Condition& condition) {
  const Released released(mutex);
  RealAwait(mutex, condition);
}

bool AwaitWithTimeout(Mutex* mutex, const Condition& condition, Duration timeout) {
  const Released released(mutex);
  return RealAwaitWithTimeout(mutex, condition, timeout);
}

bool AwaitWithDeadline(Mutex* mutex, const Condition& condition, Time deadline) {
  const Released released(mutex);
  return RealAwaitWithDeadline(mutex, condition, deadline);
}

void Wait(CondVar* changed, Mutex* mutex) {
  const Released released(mutex);
  RealWait(changed, mutex);
}

bool WaitWithTimeout(CondVar* changed, Mutex* mutex, Duration timeout) {
  const Released released(mutex);
  return RealWaitWithTimeout(changed, mutex, timeout);
}

bool WaitWithDeadline(CondVar* changed, Mutex* mutex, Time deadline) {
  const Released released(mutex);
  return RealWaitWithDeadline(changed, mutex, deadline);
}

void Notify(Notification* notification) {
  __tsan_release(notification);
  RealNotify(notification);
}

void WaitForNotification(Notification* notification) {
  RealWaitForNotification(notification);
  __tsan_acquire(notification);
}

bool WaitForNotificationWithTimeout(Notification* notification, Duration timeout) {
  const bool notified = RealWaitForNotificationWithTimeout(notification, timeout);
  if (notified) __tsan_acquire(notification);
  return notified;
}

}  // namespace gonghui::sanitizers
