// From what is known of a unit to its score, and from all units' scores to ranks and grades. No
// floating point: scores are hundredths of a point, each item rounded half away from zero.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gonghui/reports/v1/appraisal.pb.h"
#include "services/reports/appraisal_schemes.h"

namespace gonghui::reports {

// What an item is scored by.
struct ItemInput {
  std::optional<int64_t> value;  // Of TARGET and FIGURE, with the item's scale.
  std::optional<int64_t> self;   // Hundredths of a point.
  std::optional<int64_t> panel;
  bool marked = false;
  std::string figure;  // Names.
  std::string target;
};

v1::ItemScore ScoreItem(const SchemeItem& item, const ItemInput& input);

// Sets totals, vetoes, ranks (1, 2, 2, 4) and grades of units whose items are scored in the
// scheme's order, and sorts them by rank, then organisation.
void RankUnits(const Scheme& scheme, std::vector<v1::UnitAppraisal>& units);

}  // namespace gonghui::reports
