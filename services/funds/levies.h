// What the parts of the levy share.
#pragma once

#include <string>
#include <string_view>

#include "common/base/status.h"
#include "common/host/host.h"
#include "services/funds/books.h"
#include "services/funds/levy_rules.h"

namespace gonghui::funds {

// Everything outlives whoever holds it.
struct Levies {
  sql::Database* db = nullptr;
  tree::TreeCache* tree = nullptr;
  const LevyRules* rules = nullptr;
  Books* books = nullptr;
};

// REFERENCE_NOT_FOUND: no payer has the code.
absl::Status NoSuchPayer(const std::string& unit, std::string_view field);
// FIELD_REQUIRED.
absl::Status Missing(std::string_view field);
// AMOUNT_INVALID at `field` unless 0 <= fen <= the largest amount; `positive`: unless above 0.
absl::Status CheckFen(int64_t fen, std::string_view field, bool positive = false);
// DUPLICATE_IN_REQUEST.
absl::Status Twice(std::string_view what, std::string_view field);
// RULE_VIOLATED: the catalogue has no row of the list for place and day.
absl::Status NoRow(std::string_view list, std::string_view organization, std::string_view on_date);

}  // namespace gonghui::funds
