#include "common/base/executor.h"

#include <atomic>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"

namespace gonghui {
namespace {

TEST(ExecutorTest, RunsInOrderAndFinishesWhatIsQueued) {
  std::vector<int> order;
  Executor executor({.name = "test", .workers = 1, .queue_limit = 100});
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(executor.TrySubmit([&order, i] { order.push_back(i); }));
  }
  executor.Stop();
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[i], i);
  EXPECT_FALSE(executor.TrySubmit([] {}));
  executor.Stop();
}

TEST(ExecutorTest, RefusesWhenTheQueueIsFull) {
  absl::Notification started, release;
  Executor executor({.name = "test", .workers = 1, .queue_limit = 2});
  ASSERT_TRUE(executor.TrySubmit([&] {
    started.Notify();
    release.WaitForNotification();
  }));
  started.WaitForNotification();  // The running task is not in the queue.
  EXPECT_TRUE(executor.TrySubmit([] {}));
  EXPECT_TRUE(executor.TrySubmit([] {}));
  EXPECT_EQ(executor.depth(), 2u);
  EXPECT_FALSE(executor.TrySubmit([] {}));
  release.Notify();
}

TEST(ExecutorTest, WorkersRunSideBySide) {
  std::atomic<int> running{0};
  absl::Notification both;
  Executor executor({.name = "test", .workers = 2});
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(executor.TrySubmit([&] {
      if (++running == 2) both.Notify();
      both.WaitForNotification();
    }));
  }
  executor.Stop();
  EXPECT_EQ(running, 2);
}

}  // namespace
}  // namespace gonghui
