// What entries are told apart by: money kind, project, fund, counterparty … as the chart catalogue
// declares them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gonghui/funds/v1/chart.pb.h"
#include "gonghui/funds/v1/ledger.pb.h"

namespace gonghui::funds {

// Of one entry, by key. As text: "key=value;key=value".
using DimensionMap = std::map<std::string, std::string, std::less<>>;
std::string DimensionText(const DimensionMap& dimensions);
DimensionMap ParseDimensions(std::string_view text);
// Of an entry as it was sent; nothing is checked or added.
DimensionMap DimensionsOf(const v1::Entry& entry);
// "" where there is none.
std::string_view ValueOf(const DimensionMap& dimensions, std::string_view key);
// Has every one of `wanted`; an empty value asks for none.
bool HasAll(const DimensionMap& dimensions, const DimensionMap& wanted);
bool HoldsFor(const DimensionMap& dimensions,
              const google::protobuf::RepeatedPtrField<v1::EntryCondition>& conditions);

// `account` is `prefix` or a detail of it; `accounts` holds such a prefix.
template <typename Accounts>
bool IsUnder(std::string_view account, const Accounts& accounts) {
  for (const auto& prefix : accounts) {
    if (account.starts_with(std::string_view(prefix))) return true;
  }
  return false;
}

// Keys of dimensions with a meaning of their own.
inline constexpr std::string_view kFundKey = "fund";  // Restricted fund.
inline constexpr std::string_view kUnitKey = "unit";  // Part of the union that spends.
inline constexpr std::string_view kCounterpartyKey =
    "counterparty";  // Organisation of another level.
inline constexpr std::string_view kClosingKey =
    "closing";  // Only of what carries a period forward.

// The dimensions of the catalogue. Immutable; thread-safe.
class Dimensions {
 public:
  // Checks keys, codes and where they are needed; `charts` are the names of the charts.
  static absl::StatusOr<Dimensions> Load(const v1::ChartCatalog& catalog,
                                         const std::vector<std::string>& charts);

  // The entry's dimensions with defaults. DIMENSION_INVALID, DIMENSION_MISSING; `at` is the entry's
  // field path.
  absl::StatusOr<DimensionMap> Complete(std::string_view chart, const v1::Entry& entry,
                                        std::string_view on_date, std::string_view at) const;
  // Keys that entries of the account must have themselves, for lists of accounts.
  std::vector<std::string> NeededBy(std::string_view chart, std::string_view account) const;

 private:
  const v1::Dimension* Find(std::string_view key) const;
  absl::Status CheckValue(std::string_view key, const std::string& value,
                          std::string_view at) const;
  std::string Keys() const;

  std::vector<v1::Dimension> dimensions_;
};

}  // namespace gonghui::funds
