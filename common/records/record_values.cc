#include "common/records/record_values.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/time/civil_time.h"
#include "common/base/date.h"
#include "common/base/money.h"
#include "common/base/text.h"
#include "common/records/record_clocks.h"

namespace gonghui::records {
namespace {

using catalog::FactSource;
using common::v1::Kind;
using common::v1::RecordRule;
using common::v1::Term;

constexpr std::string_view kLimit = "limit.";
constexpr std::string_view kParent = "parent.";

// Sums and products that leave 64 bits.
__extension__ using Wide = __int128;

std::optional<int64_t> Narrow(Wide value) {
  if (value > std::numeric_limits<int64_t>::max() || value < std::numeric_limits<int64_t>::min()) {
    return std::nullopt;
  }
  return static_cast<int64_t>(value);
}

Wide Times(int64_t value, int64_t times) { return Wide{value} * (times == 0 ? 1 : times); }

// Days, or calendar months, from one date to another; nullopt where one is none.
std::optional<int64_t> Between(std::string_view from, std::string_view to, bool months) {
  const auto first = ParseDate(from);
  const auto last = ParseDate(to);
  if (!first.ok() || !last.ok()) return std::nullopt;
  return months ? absl::CivilMonth(*last) - absl::CivilMonth(*first) : *last - *first;
}

// Halves away from zero; divisor > 0.
Wide Divided(Wide value, Wide divisor) {
  const Wide half = divisor / 2;
  return (value < 0 ? value - half : value + half) / divisor;
}

// `months` later, on the same day or, where the month is shorter, its last.
absl::CivilDay MonthsLater(absl::CivilDay day, int months) {
  const absl::CivilMonth month = absl::CivilMonth(day) + months;
  const absl::CivilDay last = absl::CivilDay(month + 1) - 1;
  return std::min(absl::CivilDay(month) + (day.day() - 1), last);
}

bool InForce(const std::string& from, const std::string& to, std::string_view on_date) {
  return (from.empty() || from <= on_date) && (to.empty() || on_date < to);
}

// Whole numbers by value, anything else (dates) as text.
bool Stands(std::string_view left, std::string_view relation, std::string_view right) {
  int64_t a = 0;
  int64_t b = 0;
  const bool numbers = ParseInteger(left, &a) && ParseInteger(right, &b);
  const int order = numbers ? (a < b ? -1 : a > b) : left.compare(right);
  if (relation == "<=") return order <= 0;
  if (relation == "<") return order < 0;
  if (relation == ">=") return order >= 0;
  if (relation == ">") return order > 0;
  return order == 0;
}

// A code of a checklist as conditions see it, beside the record that it is counted for.
FactSource CodeSource(const common::v1::Code& code, const FactSource& record) {
  FactSource source;
  for (const auto& [name, value] : record.fields) {
    source.fields.emplace(StrCat(kParent, name), value);
  }
  source.fields["code"] = code.code();
  source.fields["points"] = StrCat(code.points());
  source.fields["must_pass"] = code.must_pass() ? "true" : "false";
  if (!code.group().empty()) source.fields["group"] = code.group();
  return source;
}

}  // namespace

bool SumsOver(const Kind& parent, const Kind& child) {
  for (const auto& field : parent.fields()) {
    for (const Term& term : field.computed().terms()) {
      if (term.children() == child.name()) return true;
    }
  }
  return false;
}

bool SumsOverAny(const Kind& kind) {
  return std::any_of(kind.fields().begin(), kind.fields().end(), [](const auto& field) {
    const auto& terms = field.computed().terms();
    return std::any_of(terms.begin(), terms.end(),
                       [](const Term& term) { return !term.children().empty(); });
  });
}

std::string Values::Read(std::string_view name, const FactSource& source) const {
  if (name.empty() || !absl::ascii_islower(static_cast<unsigned char>(name.front()))) {
    return std::string(name);  // Names begin with a letter; numbers and dates stand for themselves.
  }
  if (name.starts_with(kLimit)) return LimitOf(name.substr(kLimit.size()), source);
  return std::string(catalog::ValueOf(source, name));
}

std::string Values::LimitOf(std::string_view name, const FactSource& source) const {
  const common::v1::Limit* limit = catalog_.FindLimit(name);
  if (limit == nullptr) return "";
  int64_t band = 0;
  if (!limit->by().empty() && !ParseInteger(catalog::ValueOf(source, limit->by()), &band)) {
    return "";
  }
  const std::string_view on_date = catalog::ValueOf(source, "on_date");
  std::vector<std::string> places = tree_.Path(source.organization, on_date);
  places.emplace_back();  // Everywhere.
  for (const std::string& place : places) {
    const common::v1::LimitValue* best = nullptr;
    for (const auto& value : limit->values()) {
      if (value.place() != place || value.at_least() > band ||
          !InForce(value.valid_from(), value.valid_to(), on_date)) {
        continue;
      }
      if (best == nullptr || value.at_least() >= best->at_least()) best = &value;
    }
    if (best != nullptr) return StrCat(best->value());
  }
  return "";
}

std::string Values::RightOf(const RecordRule& rule, const FactSource& source) const {
  const std::string right = Read(rule.right(), source);
  if (right.empty()) return "";
  int64_t plus = 0;
  if (!rule.plus().empty() && !ParseInteger(Read(rule.plus(), source), &plus)) return "";
  int64_t number = 0;
  if (ParseInteger(right, &number)) {
    const auto sum = Narrow(Times(number, rule.right_times()) + plus);
    return sum ? StrCat(*sum) : "";
  }
  const auto day = ParseDate(right);
  if (!day.ok() || (plus == 0 && rule.plus_months() == 0)) return right;
  return FormatDate(MonthsLater(*day, rule.plus_months()) + plus);
}

bool Values::Breaks(const RecordRule& rule, const FactSource& source) const {
  std::string left = Read(rule.left(), source);
  const std::string right = RightOf(rule, source);
  if (left.empty() || right.empty()) return false;
  if (int64_t number = 0; rule.left_times() != 0 && ParseInteger(left, &number)) {
    const auto product = Narrow(Times(number, rule.left_times()));
    if (!product) return true;
    left = StrCat(*product);
  }
  return !Stands(left, rule.relation(), right);
}

std::optional<int64_t> Values::NumberOf(std::string_view name, const FactSource& source) const {
  int64_t number = 0;
  return ParseInteger(Read(name, source), &number) ? std::optional(number) : std::nullopt;
}

std::optional<Wide> Values::Product(const Term& term, const FactSource& source) const {
  std::optional<int64_t> value = 1;
  if (!term.since().empty()) {
    value = Between(catalog::ValueOf(source, term.since()), catalog::ValueOf(source, term.value()),
                    term.months());
  } else if (!term.value().empty()) {
    value = NumberOf(term.value(), source);
  }
  if (!value) return std::nullopt;
  Wide product = *value;
  for (const std::string& factor : term.by()) {
    const auto number = NumberOf(factor, source);
    if (!number || __builtin_mul_overflow(product, Wide{*number}, &product)) return std::nullopt;
  }
  return product;
}

Wide Values::SumOfCodes(const Term& term, const FactSource& source) const {
  const common::v1::CodeList* list = catalog_.FindCodes(term.codes());
  const std::string_view on_date = catalog::ValueOf(source, "on_date");
  Wide sum = 0;
  if (list == nullptr) return sum;
  for (const common::v1::Code& code : list->codes()) {
    if (!InForce(code.valid_from(), code.valid_to(), on_date)) continue;
    const FactSource item = CodeSource(code, source);
    if (!catalog::Holds(term.when(), item)) continue;
    sum += Product(term, item).value_or(0);
  }
  return sum;
}

std::optional<Wide> Values::Sum(const Term& term, const Kind& kind, const Row& row,
                                const std::vector<Row>& children, const FactSource& source) const {
  if (!term.codes().empty()) return SumOfCodes(term, source);
  if (term.children().empty()) {
    return catalog::Holds(term.when(), source) ? Product(term, source) : 0;
  }
  const Kind* child_kind = catalog_.FindKind(term.children());
  Wide sum = 0;
  for (const Row& child : children) {
    if (child.kind != term.children() || child.cancelled) continue;
    const FactSource item = ToSource(catalog_, *child_kind, child, {&kind, &row}, tree_);
    if (!catalog::Holds(term.when(), item)) continue;
    sum += Product(term, item).value_or(0);
  }
  return sum;
}

int64_t Values::Bounded(const common::v1::Computation& computation, int64_t value,
                        const FactSource& source) const {
  if (!computation.at_least().empty()) {
    value = std::max(value, NumberOf(computation.at_least(), source).value_or(value));
  }
  if (!computation.at_most().empty()) {
    value = std::min(value, NumberOf(computation.at_most(), source).value_or(value));
  }
  return value;
}

std::optional<int64_t> Values::Result(const common::v1::Computation& computation, const Kind& kind,
                                      const Row& row, const std::vector<Row>& children,
                                      const FactSource& source) const {
  Wide sum = 0;
  for (const Term& term : computation.terms()) {
    std::optional<Wide> value = Sum(term, kind, row, children, source);
    const Wide times = term.times() == 0 ? 1 : term.times();
    if (!value || __builtin_mul_overflow(*value, times, &*value) ||
        __builtin_add_overflow(sum, *value, &sum)) {
      return std::nullopt;
    }
  }
  Wide product = 1;  // One after the other would round more than once.
  for (const std::string& divisor : computation.divisors()) {
    const auto value = NumberOf(divisor, source);
    if (!value || *value <= 0) return std::nullopt;
    product *= *value;
  }
  const auto quotient = Narrow(Divided(sum, product));
  if (!quotient) return std::nullopt;
  return Bounded(computation, *quotient, source);
}

FactSource Values::Compute(const Kind& kind, const Parent& parent, const std::vector<Row>& children,
                           Row& row) const {
  FactSource source = ToSource(catalog_, kind, row, parent, tree_);
  for (const auto& field : kind.fields()) {
    if (!field.has_computed()) continue;
    row.fields.erase(field.name());
    source.fields.erase(field.name());
    const auto value = Result(field.computed(), kind, row, children, source);
    if (!value) continue;
    const bool money = field.type() == common::v1::FIELD_TYPE_MONEY;
    row.fields[field.name()] = money ? FormatYuan(*value) : StrCat(*value);
    source.fields[field.name()] = StrCat(*value);
  }
  AddClockDates(catalog_, tree_, kind, source);  // A limit may go by a computed field.
  return source;
}

}  // namespace gonghui::records
