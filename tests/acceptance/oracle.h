// Figures counted anew from the files that the services leave, by the plain SQL of oracle.sql.
// Shares no code with the services.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace gonghui::district {

// What a figure is of.
struct FigureName {
  std::string measure;
  std::string dimensions;  // "key=value;key=value", ordered by key.
  std::string period;
  std::string organization;

  bool operator<(const FigureName& other) const {
    return std::tie(measure, dimensions, period, organization) <
           std::tie(other.measure, other.dimensions, other.period, other.organization);
  }
};

// Values as printed. A figure that is absent is zero; a ratio without a denominator is absent.
using Figures = std::map<FigureName, std::string>;

// A period and its days, both inclusive.
struct Days {
  std::string period;
  std::string first;
  std::string last;
};

// A measure of oracle.sql, which says what the parts are.
struct Count {
  struct Key {
    std::string name;
    std::string total;  // The value that restricts nothing; empty when there is none.
  };
  std::string measure;
  std::string expression;
  std::string divisor;  // 1 where none is given.
  int decimals = 0;     // At most; zeros at the end are not printed.
  std::vector<Key> keys;
  std::string query;
};

// The content of oracle.sql.
struct Oracle {
  std::vector<std::string> views;  // To be made once.
  std::vector<Count> counts;
};

absl::StatusOr<Oracle> ReadOracle(const std::string& path);

// Every figure of the district and of each town and street, from the databases in a folder. Only
// reads them; no program may be writing.
absl::StatusOr<Figures> Recount(const Oracle& oracle, const std::string& folder,
                                const std::vector<Days>& periods);

// What gonghui figures --csv printed.
Figures ParseFigures(absl::string_view csv);

// `dimensions` without the keys that the measure does not know and those that name its total.
std::string Restricting(const Count& count, const std::string& dimensions);

// `part` by `whole`, which is not negative, with at most so many decimals, halves away from zero: "8.7".
std::string Rounded(int64_t part, int64_t whole, int decimals);

// One line a figure that is not the same: measure, dimensions, period, organisation, both values.
std::vector<std::string> Differences(const Figures& recounted, const Figures& answered);

}  // namespace gonghui::district
