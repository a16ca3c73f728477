// Reproducible random choices: the same seed and topic give the same choices on every machine.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace gonghui::district {

class Random {
 public:
  // Topics are independent of each other: more choices in one do not change another.
  Random(uint64_t seed, absl::string_view topic);

  uint64_t Next();
  int64_t Below(int64_t bound);                // 0 ≤ value < bound, bound > 0.
  int64_t Between(int64_t low, int64_t high);  // Both inclusive.
  bool Percent(int percent) { return Below(100) < percent; }

  template <typename T>
  const T& Pick(const std::vector<T>& from) {
    return from[static_cast<size_t>(Below(static_cast<int64_t>(from.size())))];
  }

  // `count` different elements; all of them when there are fewer.
  template <typename T>
  std::vector<T> Sample(std::vector<T> from, size_t count) {
    count = std::min(count, from.size());
    for (size_t i = 0; i < count; ++i) {
      std::swap(from[i],
                from[i + static_cast<size_t>(Below(static_cast<int64_t>(from.size() - i)))]);
    }
    from.resize(count);
    return from;
  }

  // Uneven parts, each at least `least`, that add up to `total`.
  std::vector<int64_t> Split(int64_t total, size_t parts, int64_t least);

 private:
  uint64_t state_;
};

}  // namespace gonghui::district
