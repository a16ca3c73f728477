#include "common/catalog/fact_rules.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/base/date.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::catalog {
namespace {

using common::v1::Dimension;
using common::v1::Fact;
using common::v1::FactRule;

constexpr std::string_view kEntered = "entered.";

std::string_view Lookup(const std::map<std::string, std::string, std::less<>>& values,
                        std::string_view name) {
  const auto it = values.find(name);
  return it == values.end() ? std::string_view() : std::string_view(it->second);
}

// "year" and "month" are the beginnings of the on_date beside them.
std::string_view DatePart(const FactSource& source, std::string_view name, std::string_view part,
                          size_t size) {
  if (!name.ends_with(part)) return {};
  const std::string prefix(name.substr(0, name.size() - part.size()));
  if (!prefix.empty() && !prefix.ends_with('.')) return {};
  return Lookup(source.fields, prefix + "on_date").substr(0, size);
}

// Where the fact stands: nullopt when the record yields none (yet).
std::optional<std::string> DateOf(const FactRule& rule, const FactSource& source) {
  std::string_view date = ValueOf(source, "on_date");
  if (!rule.in_state().empty()) {
    date = Lookup(source.entered, rule.in_state());
    if (date.empty()) return std::nullopt;
  }
  if (!rule.on().empty()) date = ValueOf(source, rule.on());
  if (date.empty()) return std::nullopt;
  return std::string(date);
}

// The day on which the record leaves the stock; empty while it stays.
std::string LeavingDate(const FactRule& rule, const FactSource& source) {
  const std::string_view by_state =
      rule.until_state().empty() ? "" : Lookup(source.entered, rule.until_state());
  std::string by_date(rule.until().empty() ? "" : ValueOf(source, rule.until()));
  // ends_on is the last day in the stock, other dates are the first day out of it.
  if (rule.until() == "ends_on" && !by_date.empty()) {
    if (const auto last = ParseDate(by_date); last.ok()) by_date = FormatDate(*last + 1);
  }
  if (by_state.empty() || by_date.empty()) return StrCat(by_state, by_date);
  return std::min(std::string(by_state), by_date);
}

absl::StatusOr<int64_t> AmountOf(const FactRule& rule, const FactSource& source) {
  if (rule.amount().empty()) return 1;
  const std::string_view text = ValueOf(source, rule.amount());
  int64_t amount = 0;
  if (text.empty() || ParseInteger(text, &amount)) return amount;
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat("'", rule.amount(), "' must be a whole number to count in '",
                                rule.measure(), "'"),
                         StrCat("“", rule.amount(), "”应为整数，才能计入“", rule.measure(), "”"))
      .At(rule.amount());
}

void AddDimensions(const FactRule& rule, const FactSource& source, Fact& fact) {
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  for (const auto& dimension : rule.dimensions()) {
    const std::string_view value = dimension.value().field().empty()
                                       ? std::string_view(dimension.value().constant())
                                       : ValueOf(source, dimension.value().field());
    if (!value.empty()) pairs.emplace_back(dimension.key(), value);
  }
  std::sort(pairs.begin(), pairs.end());
  for (const auto& [key, value] : pairs) {
    Dimension& dimension = *fact.add_dimensions();
    dimension.set_key(std::string(key));
    dimension.set_value(std::string(value));
  }
}

// Orders and identifies facts.
std::string KeyOf(const Fact& fact) {
  std::string key = StrCat(fact.measure(), "\x1f", fact.organization(), "\x1f", fact.on_date());
  for (const Dimension& dimension : fact.dimensions()) {
    StrAppend(&key, "\x1f", dimension.key(), "=", dimension.value());
  }
  StrAppend(&key, "\x1e", fact.subject(), "\x1f", fact.delta());
  return key;
}

void SortFacts(std::vector<Fact>& facts) {
  if (facts.size() < 2) return;
  std::sort(facts.begin(), facts.end(),
            [](const Fact& a, const Fact& b) { return KeyOf(a) < KeyOf(b); });
}

}  // namespace

std::string_view ValueOf(const FactSource& source, std::string_view name) {
  if (const std::string_view value = Lookup(source.fields, name); !value.empty()) return value;
  if (name == "organization") return source.organization;
  if (name.starts_with(kEntered)) return Lookup(source.entered, name.substr(kEntered.size()));
  if (const std::string_view year = DatePart(source, name, "year", 4); !year.empty()) return year;
  return DatePart(source, name, "month", 7);
}

bool Holds(const google::protobuf::RepeatedPtrField<common::v1::Condition>& conditions,
           const FactSource& source) {
  return std::all_of(conditions.begin(), conditions.end(), [&](const auto& condition) {
    const std::string_view value = ValueOf(source, condition.field());
    const auto& in = condition.in();
    const bool met = !condition.same_as().empty() ? value == ValueOf(source, condition.same_as())
                     : in.empty()                 ? !value.empty()
                                  : std::find(in.begin(), in.end(), value) != in.end();
    return met != condition.not_();
  });
}

absl::StatusOr<std::vector<Fact>> FactsOf(const common::v1::Kind& kind, const FactSource& source) {
  std::vector<Fact> facts;
  if (source.cancelled) return facts;
  for (const FactRule& rule : kind.facts()) {
    if (!Holds(rule.when(), source)) continue;
    const std::optional<std::string> date = DateOf(rule, source);
    if (!date) continue;
    ASSIGN_OR_RETURN(const int64_t amount, AmountOf(rule, source));
    if (amount == 0) continue;
    Fact fact;
    fact.set_measure(rule.measure());
    fact.set_organization(source.organization);
    fact.set_on_date(*date);
    fact.set_delta(amount);
    if (!rule.subject().empty()) fact.set_subject(std::string(ValueOf(source, rule.subject())));
    AddDimensions(rule, source, fact);
    facts.push_back(std::move(fact));
    if (std::string left = LeavingDate(rule, source); !left.empty()) {
      if (left <= *date) {
        facts.pop_back();  // Never in the stock.
        continue;
      }
      facts.push_back(facts.back());
      facts.back().set_on_date(std::move(left));
      facts.back().set_delta(-amount);
    }
  }
  SortFacts(facts);
  return facts;
}

std::vector<Fact> FactChanges(const std::vector<Fact>& before, const std::vector<Fact>& after) {
  std::multimap<std::string, const Fact*> old;
  for (const Fact& fact : before) old.emplace(KeyOf(fact), &fact);
  std::vector<Fact> added;
  for (const Fact& fact : after) {
    if (const auto it = old.find(KeyOf(fact)); it != old.end()) {
      old.erase(it);
    } else {
      added.push_back(fact);
    }
  }
  std::vector<Fact> changes;
  for (const auto& [key, fact] : old) {
    changes.push_back(*fact);
    changes.back().set_delta(-fact->delta());
  }
  changes.insert(changes.end(), added.begin(), added.end());
  return changes;
}

}  // namespace gonghui::catalog
