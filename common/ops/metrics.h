// Metrics of the process, on prometheus-cpp core. Handles are made once at start-up; labels come
// from closed sets only.
#pragma once

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

class Gauge {
 public:
  Gauge(std::string_view name, std::string_view help, Labels labels = {});
  void Set(double value) const;

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

// All metrics in the Prometheus text format.
std::string ExportMetrics();

}  // namespace gonghui::ops
