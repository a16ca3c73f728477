// A made-up city of any size: districts, organisations, indicators and two years of facts. The same
// seed makes the same city.
#pragma once

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "common/sql/sql.h"

namespace gonghui::bench {

class City {
 public:
  static constexpr int kDistricts = 10;
  static constexpr int kIndicators = 200;
  static constexpr int kMonths = 24;            // Of 2020 and 2021.
  static constexpr int kFactsOfUnion = 1000;    // Of 10 indicators.
  static constexpr const char* kRoot = "CITY";  // Also the federation, in small letters.
  static constexpr const char* kFederation = "city";

  struct Options {
    uint64_t seed = 2020;
    int unions = 200;  // 10,000: the full size, ten million facts.
  };
  struct Fact {
    std::string organization, measure, on_date, dims, subject, record;
    int64_t sequence = 0;
    int64_t delta = 0;
  };

  explicit City(Options options) : options_(options) {}

  int unions() const { return options_.unions; }
  int64_t facts() const { return int64_t{options_.unions} * kFactsOfUnion; }
  static std::string District(int n);  // Of n < kDistricts.
  std::string Union(int n) const;      // Begins with the id of its district.
  // The indicators, as a catalogue file of reports: sums, money, balances, persons; every second
  // one with a dimension.
  static std::string Catalogue();
  static std::string Indicator(int n);

  // In the order of the key of the table facts.
  void ForEachFact(absl::FunctionRef<void(const Fact&)> visit) const;
  // Writes all facts into a database of the reports service, as of a source of its own ("archive").
  absl::Status Load(sql::Database& reports) const;

 private:
  const Options options_;
};

}  // namespace gonghui::bench
