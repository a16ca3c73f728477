// DuckDB as a peer, in a process of its own (duck.mjs, from npm).
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <string>
#include <vector>

#include "tests/bench/city.h"

namespace gonghui::bench {

class Duck {
 public:
  struct Answer {
    double seconds = 0;
    std::vector<std::string> row;  // The first.
  };

  // With the city's facts in three tables: `text` (organization, measure, on_date, dims, subject,
  // delta), `series` (of each combination but the date a number), and `coded` (series, month, day,
  // delta: numbers only, in the order of the series).
  explicit Duck(const City& city);
  ~Duck();
  Duck(const Duck&) = delete;
  Duck& operator=(const Duck&) = delete;

  // Node and the package are there.
  bool ready() const { return ready_; }
  // Ends the program when DuckDB does not answer.
  Answer Run(const std::string& sql);

 private:
  pid_t pid_ = 0;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
  bool ready_ = false;
};

}  // namespace gonghui::bench
