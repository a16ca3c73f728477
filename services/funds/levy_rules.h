// The rules of levies and dues, read from the catalogue (levy.yaml): what holds at a place on a
// day.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/embedded.h"
#include "gonghui/funds/v1/levy.pb.h"

namespace gonghui::funds {

// An organisation and its ancestors, nearest first.
using Path = std::vector<std::string>;

// Immutable; thread-safe.
class LevyRules {
 public:
  // Checks names, dates, shares and references; the error names file and row.
  static absl::StatusOr<LevyRules> Load(const EmbeddedFile& file);

  const v1::LevyCatalog& message() const { return catalog_; }
  const v1::LevyAccounts& accounts() const { return catalog_.accounts(); }

  // Position of the level of organisations of a kind, the lowest is 0.
  int LevelOfKind(std::string_view kind) const;
  int FindLevel(std::string_view name) const;  // -1 where unknown.
  // By code, label or alias; CODE_UNKNOWN at `field`.
  absl::StatusOr<const v1::LevyItem*> FindItem(std::string_view text, std::string_view field) const;
  // What is owed: by units with a union, and by others.
  const v1::LevyItem& OwedItem(bool has_union) const;

  // The rows that hold at the place on the day; nullptr where none does.
  const v1::LevyChannel* Channel(std::string_view code, const Path& path,
                                 std::string_view on_date) const;
  const v1::LevyRate* Rate(std::string_view item, const Path& path, std::string_view on_date) const;
  const v1::LevyDueDay* DueDay(const Path& path, std::string_view on_date) const;
  const v1::LevyLateFee* LateFee(const Path& path, std::string_view on_date) const;
  const v1::RemittanceCycle* Cycle(v1::RemittanceDirection direction, const Path& path,
                                   std::string_view on_date) const;
  const v1::RefundRule* Refund(const Path& path, std::string_view on_date) const;
  const v1::DuesFormula* Dues(const Path& path, std::string_view on_date) const;
  // The rule for a receipt of an item and channel: `period_day` is the first day of its period.
  const v1::SharingRule* Sharing(std::string_view item, std::string_view channel, const Path& path,
                                 std::string_view period_day, std::string_view received_on) const;
  // The bucket of arrears so many days old (from 1).
  const v1::AgeBucket& Age(int64_t days) const;
  bool HasChannel(std::string_view code) const;

 private:
  absl::Status Check(std::string_view file) const;
  absl::Status CheckSharing(const v1::SharingRule& rule, const std::string& where) const;

  v1::LevyCatalog catalog_;
};

// How far away the place is: 0 for the first of the path, one more than all where it is everywhere,
// -1 where the row does not hold at the path on the day.
int DistanceOf(const v1::LevyValidity& valid, const Path& path, std::string_view on_date);

// The row of the nearest place, then of the latest beginning, among those that fit.
template <typename Rows, typename Fits>
const typename Rows::value_type* PickRow(const Rows& rows, const Path& path,
                                         std::string_view on_date, Fits fits) {
  const typename Rows::value_type* best = nullptr;
  int best_distance = 0;
  for (const auto& row : rows) {
    if (!fits(row)) continue;
    const int distance = DistanceOf(row.valid(), path, on_date);
    if (distance < 0) continue;
    if (best == nullptr || distance < best_distance ||
        (distance == best_distance && row.valid().valid_from() > best->valid().valid_from())) {
      best = &row;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace gonghui::funds
