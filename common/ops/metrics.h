// Metrics of the process, on prometheus-cpp core. Handles are made once at start-up; labels come
// from closed sets only.
#pragma once

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace gonghui::ops {

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

class Counter {
 public:
  Counter(std::string_view name, std::string_view help, Labels labels = {});
  void Add(double by = 1) const;

 private:
  void* handle_;
};

// One of a name and labels for the process, however many things hold it: those that are several of
// a kind (pools, followers of tests) count themselves in with Add.
class Gauge {
 public:
  Gauge(std::string_view name, std::string_view help, Labels labels = {});
  void Set(double value) const;
  void Add(double by) const;  // Less than 0 takes away.

 private:
  void* handle_;
};

// Seconds; buckets from 100 µs to 60 s.
class Histogram {
 public:
  Histogram(std::string_view name, std::string_view help, Labels labels = {});
  void Observe(double seconds) const;

 private:
  void* handle_;
};

// Observes the seconds from its making to its end.
class Timer {
 public:
  explicit Timer(const Histogram& histogram) : histogram_(histogram) {}
  ~Timer() {
    histogram_.Observe(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count());
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  const Histogram& histogram_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// All metrics in the Prometheus text format, with those of the process.
std::string ExportMetrics();

}  // namespace gonghui::ops
