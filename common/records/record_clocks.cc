#include "common/records/record_clocks.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>

#include "absl/time/civil_time.h"
#include "common/base/date.h"
#include "common/base/text.h"
#include "common/records/record_values.h"

namespace gonghui::records {
namespace {

using catalog::FactSource;
using common::v1::Kind;
using common::v1::State;

constexpr std::string_view kAlert = "alert.";
constexpr std::string_view kOverdue = "overdue.";

const State* StateNamed(const Kind& kind, std::string_view name) {
  for (const State& state : kind.states()) {
    if (state.name() == name) return &state;
  }
  return nullptr;
}

// The first day from which `due` lies within so many months; where a month is shorter, the first of
// the next.
absl::CivilDay AlertDay(absl::CivilDay due, int months) {
  const absl::CivilMonth month = absl::CivilMonth(due) - months;
  const absl::CivilDay next(month + 1);
  return std::min(absl::CivilDay(month) + (due.day() - 1), next);
}

// The date named `name`, which begins with `prefix`; empty where there is none.
std::string ClockDate(const catalog::Catalog& catalog, const tree::OrganizationTree& tree,
                      const Kind& kind, std::string_view prefix, std::string_view name,
                      const FactSource& source) {
  const State* state = StateNamed(kind, name.substr(prefix.size()));
  if (state == nullptr) return "";
  const auto entered = source.entered.find(state->name());
  if (entered == source.entered.end()) return "";
  const auto due = ParseDate(DueDate(catalog, tree, *state, source, entered->second));
  if (!due.ok()) return "";
  absl::CivilDay day = *due + 1;
  if (prefix == kAlert && state->alert_months_size() > 0) {
    const auto& months = state->alert_months();
    day = AlertDay(*due, *std::max_element(months.begin(), months.end()));
  }
  return std::max(FormatDate(day), entered->second);
}

}  // namespace

std::string DueDate(const catalog::Catalog& catalog, const tree::OrganizationTree& tree,
                    const State& state, const FactSource& source, std::string_view since) {
  if (state.final()) return "";
  std::string_view from = catalog::ValueOf(source, state.limit_from());
  const bool from_field = !from.empty();
  if (!from_field) from = since;
  int64_t days = state.limit_days();
  const bool has_limit =
      !state.limit().empty() &&
      ParseInteger(Values(catalog, tree).Read(StrCat("limit.", state.limit()), source), &days);
  // A field's own date is the last day; without a field, days are what makes a clock.
  if (days == 0 && !has_limit && !from_field) return "";
  const auto day = ParseDate(from);
  return day.ok() ? FormatDate(*day + days) : "";
}

void AddClockDates(const catalog::Catalog& catalog, const tree::OrganizationTree& tree,
                   const Kind& kind, FactSource& source) {
  for (const auto& rule : kind.facts()) {
    for (const std::string* name : {&rule.on(), &rule.until()}) {
      for (const std::string_view prefix : {kAlert, kOverdue}) {
        if (!name->starts_with(prefix)) continue;
        source.fields[*name] = ClockDate(catalog, tree, kind, prefix, *name, source);
      }
    }
  }
}

}  // namespace gonghui::records
