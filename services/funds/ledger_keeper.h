// What the ledger does by the clock: seals books, ends holds.
#pragma once

#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/host/host.h"
#include "services/funds/heads.h"
#include "services/funds/holds.h"

namespace gonghui::funds {

class LedgerKeeper {
 public:
  LedgerKeeper(const Host& host, Heads* heads, Holds* holds)
      : every_(host.anchoring.every), heads_(heads), holds_(holds) {}
  ~LedgerKeeper() { Stop(); }

  void Start();
  void Stop();  // Idempotent.

 private:
  void Run();

  const absl::Duration every_;
  Heads* const heads_;
  Holds* const holds_;
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace gonghui::funds
