// How far two texts are apart: for "did you mean …?".
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace gonghui {

// Levenshtein distance of two sequences of the same kind (std::string_view, std::u32string).
template <typename Text>
size_t EditDistance(const Text& a, const Text& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace gonghui
