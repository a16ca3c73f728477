// Which facts a record yields, by the rules of its kind.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gonghui/common/v1/catalog.pb.h"
#include "gonghui/common/v1/fact.pb.h"

namespace gonghui::catalog {

// A record as the rules see it. Typed nouns (members, organisations) present themselves the same
// way.
struct FactSource {
  std::string organization;
  bool cancelled = false;  // Yields nothing.
  // Built-in and catalogue fields as text: number, title, state, on_date, ends_on, subject, unit,
  // "parent.x" …; money in fen, dates ISO, codes as codes.
  std::map<std::string, std::string, std::less<>> fields;
  // State -> first date on which it was entered; "STATE.again" -> last date, where there were more.
  std::map<std::string, std::string, std::less<>> entered;
};

// A built-in or catalogue field as text; "year" and "month" are those of on_date, "entered.STATE"
// is the date of a state, "entered.STATE.again" that of its last entry after the first. Empty where
// there is none.
std::string_view ValueOf(const FactSource& source, std::string_view name);

// The facts of `source` under the rules of `kind`, in a canonical order.
absl::StatusOr<std::vector<common::v1::Fact>> FactsOf(const common::v1::Kind& kind,
                                                      const FactSource& source);

// What must be appended to turn the old facts into the new ones: negations of the vanished, then
// the added.
std::vector<common::v1::Fact> FactChanges(const std::vector<common::v1::Fact>& before,
                                          const std::vector<common::v1::Fact>& after);

// True when all conditions hold for the source.
bool Holds(const google::protobuf::RepeatedPtrField<common::v1::Condition>& conditions,
           const FactSource& source);

}  // namespace gonghui::catalog
