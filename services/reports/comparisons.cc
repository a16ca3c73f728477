#include "services/reports/comparisons.h"

#include <string>

#include "common/base/money.h"
#include "common/base/text.h"

namespace gonghui::reports {
namespace {

using Wide = __int128;

// numerator × scale / denominator, rounded half away from zero; nothing when it does not fit.
std::optional<int64_t> Rounded(Wide numerator, int64_t scale, Wide denominator) {
  Wide scaled = 0;
  if (denominator == 0 || __builtin_mul_overflow(numerator, Wide{scale}, &scaled)) {
    return std::nullopt;
  }
  const bool negative = (scaled < 0) != (denominator < 0);
  const Wide magnitude = scaled < 0 ? -scaled : scaled;
  const Wide divisor = denominator < 0 ? -denominator : denominator;
  const Wide quotient = magnitude / divisor + (magnitude % divisor * 2 >= divisor ? 1 : 0);
  if (quotient > Wide{INT64_MAX}) return std::nullopt;
  const int64_t value = static_cast<int64_t>(quotient);
  return negative ? -value : value;
}

constexpr int64_t kHundredths = 100;

// Percent, or the difference of two ratios, in hundredths.
std::optional<int64_t> ChangeOf(const v1::Measure& measure, const Outcome& outcome,
                                const Outcome& base) {
  if (!outcome.denominator.has_value()) {
    const Wide difference = Wide{outcome.sum.value} - base.sum.value;
    const Wide size = base.sum.value < 0 ? -Wide{base.sum.value} : Wide{base.sum.value};
    return Rounded(difference, 100 * kHundredths, size);
  }
  const Wide below = outcome.denominator->value;
  const Wide base_below = base.denominator->value;
  if (below <= 0 || base_below <= 0) return std::nullopt;
  Wide first = 0;
  Wide second = 0;
  Wide product = 0;
  if (__builtin_mul_overflow(Wide{outcome.sum.value}, base_below, &first) ||
      __builtin_mul_overflow(Wide{base.sum.value}, below, &second) ||
      __builtin_mul_overflow(below, base_below, &product)) {
    return std::nullopt;
  }
  return Rounded(first - second, (measure.unit() == "%" ? 100 : 1) * kHundredths, product);
}

// The month a year before, or just before.
std::string MonthBefore(const Periods& periods, v1::Comparison comparison,
                        const std::string& month) {
  const auto parsed = ParsePeriod(month);
  if (!parsed.ok()) return "";
  const auto before = comparison == v1::COMPARISON_YEAR_ON_YEAR ? periods.YearBefore(*parsed)
                                                                : periods.JustBefore(*parsed);
  return before ? before->text : "";
}

}  // namespace

std::optional<Base> BaseOf(const Periods& periods, v1::Comparison comparison, const Period& period,
                           const DimensionFilter& filter) {
  const bool year_on_year = comparison == v1::COMPARISON_YEAR_ON_YEAR;
  Base base{.period = {}, .filter = filter};
  base.filter.months.clear();
  if (filter.months.size() == 1) {
    auto month = ParsePeriod(MonthBefore(periods, comparison, *filter.months.begin()));
    if (!month.ok()) return std::nullopt;
    base.period = *std::move(month);
    return base;
  }
  if (!filter.months.empty() && !year_on_year) return std::nullopt;
  for (const std::string& month : filter.months) {
    base.filter.months.insert(MonthBefore(periods, comparison, month));
  }
  auto before = year_on_year ? periods.YearBefore(period) : periods.JustBefore(period);
  if (!before) return std::nullopt;
  base.period = *std::move(before);
  return base;
}

v1::ComparedFigure Compare(v1::Comparison comparison, const v1::Measure& measure,
                           const Period& base_period, const Outcome& outcome, const Outcome& base) {
  v1::ComparedFigure compared;
  compared.set_comparison(comparison);
  compared.set_base_period(base_period.text);
  const bool ratio = outcome.denominator.has_value();
  if (ratio ? base.denominator->value <= 0 : base.sum.empty()) return compared;
  compared.set_base_text(MakeFigure({}, measure, {}, base).text());
  const std::optional<int64_t> change = ChangeOf(measure, outcome, base);
  if (change.has_value()) {
    compared.set_has_change(true);
    compared.set_change_text(TrimmedDecimal(*change, 2));
  }
  if (!ratio) {
    compared.set_difference_text(FormatValue(measure, outcome.sum.value - base.sum.value));
  } else if (change.has_value()) {
    compared.set_difference_text(compared.change_text());
  }
  return compared;
}

}  // namespace gonghui::reports
