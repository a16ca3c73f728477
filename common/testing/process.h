// A program that a test starts, disturbs and ends.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace gonghui::testing {

// Killed at the end, also when the test itself dies.
class Process {
 public:
  Process() = default;  // None.
  // Runs command[0], found on PATH, with its output appended to a file.
  Process(const std::vector<std::string>& command, const std::string& output);
  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;

  bool Running();
  pid_t pid() const { return pid_; }  // 0: none runs.
  void Signal(int signal);
  // Sends the signal and waits for the end. Exit status; 128 + signal where a signal ended it.
  int Stop(int signal);

 private:
  pid_t pid_ = 0;
};

}  // namespace gonghui::testing
