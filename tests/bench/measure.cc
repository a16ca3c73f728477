#include "tests/bench/measure.h"

#include <algorithm>
#include <cstdio>

namespace gonghui::bench {

std::vector<double> Interleave(const std::vector<Subject>& subjects, int repetitions) {
  std::vector<std::vector<double>> rates(subjects.size());
  for (int r = 0; r < repetitions; ++r) {
    for (size_t i = 0; i < subjects.size(); ++i) {
      rates[i].push_back(subjects[i].rate());
      std::fprintf(stderr, "  %-36s %12.0f /s\n", subjects[i].name.c_str(), rates[i].back());
    }
  }
  std::vector<double> medians;
  for (std::vector<double>& all : rates) {
    std::sort(all.begin(), all.end());
    medians.push_back(all[all.size() / 2]);
  }
  return medians;
}

void Print(const std::string& name, double value, const std::string& unit, double baseline,
           double goal) {
  std::printf(
      "{\"name\":\"%s\",\"value\":%.1f,\"unit\":\"%s\",\"baseline\":%.1f,\"ratio\":%.3f,\"goal\":%."
      "2f}\n",
      name.c_str(), value, unit.c_str(), baseline, baseline > 0 ? value / baseline : 0, goal);
  std::fflush(stdout);
}

}  // namespace gonghui::bench
