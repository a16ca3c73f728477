// What must hold in a return: the rules of its form and those of every form.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "gonghui/reports/v1/return.pb.h"
#include "services/reports/forms.h"

namespace gonghui::reports {

// Values by cell code, in the smallest unit of each; absent: blank.
using CellValues = std::map<std::string, int64_t, std::less<>>;

// A return as its rules see it.
struct RuleInput {
  // A return of another form by the same unit for a period that ends on the same day.
  struct Other {
    const Form* form = nullptr;
    CellValues values;
  };
  CellValues values;
  std::set<std::string, std::less<>> reasons;  // Cells that have one.
  std::optional<CellValues> year_before;       // Of the same period; nullopt: no return.
  std::map<std::string, Other, std::less<>> others;
};

// The forms that rules of `form` ask besides it.
std::set<std::string> OtherFormsOf(const Form& form);

// Runs all rules.
v1::ValidateReturnResponse CheckRules(const Form& form, const RuleInput& input);

// CELL_INVALID that tells every violation (the first twenty in full); OK when it can be submitted.
absl::Status RuleStatus(const v1::ValidateReturnResponse& checked);

}  // namespace gonghui::reports
