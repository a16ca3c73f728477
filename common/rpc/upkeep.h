// Small work that a process does again and again beside its calls.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace gonghui::rpc {

// One thread does all of it, one after the other: at once when it starts, and then every so often.
// What fails is logged under its name and tried again the next time.
class Upkeep {
 public:
  explicit Upkeep(absl::Duration every) : every_(every) {}
  ~Upkeep() { Stop(); }

  void Add(std::string_view name, std::function<absl::Status()> work) {
    works_.emplace_back(name, std::move(work));
  }
  void Start();  // After everything is added.
  void Stop();   // Waits for the work at hand. Idempotent.

 private:
  const absl::Duration every_;
  std::vector<std::pair<std::string, std::function<absl::Status()>>> works_;
  absl::Notification stopping_;
  std::thread thread_;
};

}  // namespace gonghui::rpc
