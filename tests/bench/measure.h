// Interleaved repetitions, medians, and one JSON line a measurement.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace gonghui::bench {

// One thing to measure: a rate (per second), taken anew at each repetition.
struct Subject {
  std::string name;
  std::function<double()> rate;
};

// Runs all subjects in turn, `repetitions` times, and returns the median rate of each.
std::vector<double> Interleave(const std::vector<Subject>& subjects, int repetitions);

// {"name":…,"value":…,"unit":…,"baseline":…,"ratio":…,"goal":…}; goal 0: none set.
void Print(const std::string& name, double value, const std::string& unit, double baseline,
           double goal);

}  // namespace gonghui::bench
