#include "common/ops/metrics.h"

#include "common/ops/process.h"
#include "common/ops/section.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"
#include "prometheus/text_serializer.h"

namespace gonghui::ops {
namespace {

// Never destroyed: threads may count until the process ends.
prometheus::Registry& TheRegistry() {
  static prometheus::Registry& registry = *new prometheus::Registry;
  return registry;
}

prometheus::Labels ToMap(Labels labels) {
  prometheus::Labels map;
  for (const auto& [key, value] : labels) map.emplace(key, value);
  return map;
}

// The metric of that name and these labels; the same one each time.
template <typename Builder, typename... Arguments>
void* Make(Builder builder, std::string_view name, std::string_view help, Labels labels,
           Arguments... arguments) {
  auto& family = builder.Name(std::string(name)).Help(std::string(help)).Register(TheRegistry());
  return &family.Add(ToMap(labels), arguments...);
}

const prometheus::Histogram::BucketBoundaries& SecondsBuckets() {
  static const auto& buckets = *new prometheus::Histogram::BucketBoundaries{
      0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
      0.1,    0.25,    0.5,    1,     2.5,    5,     10,   30,    60};
  return buckets;
}

}  // namespace

Counter::Counter(std::string_view name, std::string_view help, Labels labels)
    : handle_(Make(prometheus::BuildCounter(), name, help, labels)) {}

void Counter::Add(double by) const { static_cast<prometheus::Counter*>(handle_)->Increment(by); }

Gauge::Gauge(std::string_view name, std::string_view help, Labels labels)
    : handle_(Make(prometheus::BuildGauge(), name, help, labels)) {}

void Gauge::Set(double value) const { static_cast<prometheus::Gauge*>(handle_)->Set(value); }

void Gauge::Add(double by) const { static_cast<prometheus::Gauge*>(handle_)->Increment(by); }

Histogram::Histogram(std::string_view name, std::string_view help, Labels labels)
    : handle_(Make(prometheus::BuildHistogram(), name, help, labels, SecondsBuckets())) {}

void Histogram::Observe(double seconds) const {
  static_cast<prometheus::Histogram*>(handle_)->Observe(seconds);
}

std::string ExportMetrics() {
  SetProcessMetrics();
  TellSections();
  return prometheus::TextSerializer().Serialize(TheRegistry().Collect());
}

}  // namespace gonghui::ops
