#include "services/reports/dimensions.h"

#include <algorithm>

#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::reports {
namespace {

constexpr std::string_view kField = "dimensions";

absl::Status Malformed(std::string_view term) {
  return InvalidArgument(
             common::v1::REASON_FIELD_INVALID,
             StrCat("'", term,
                    "' is no dimension: write key=value, key=a,b or key=*, "
                    "each key once, joined by ';'"),
             StrCat("“", term, "”不是维度：请写 键=值、键=甲,乙 或 键=*，每键一次，用“;”连接"))
      .With("term", std::string(term))
      .At(std::string(kField));
}

absl::Status Unknown(const v1::Measure& measure, std::string_view key) {
  std::string known(kMonthKey);
  for (const v1::MeasureDimension& dimension : measure.dimensions()) {
    if (dimension.key() != kMonthKey) StrAppend(&known, ", ", dimension.key());
  }
  return InvalidArgument(
             common::v1::REASON_DIMENSION_UNKNOWN,
             StrCat("measure '", measure.name(), "' has no dimension '", key, "'; it has ", known),
             StrCat("指标“", measure.name(), "”没有维度“", key, "”，可用：", known))
      .With("dimension", std::string(key))
      .With("known", known)
      .At(std::string(kField));
}

absl::Status AddMonths(const Period& period, const std::vector<std::string_view>& values,
                       DimensionFilter& filter) {
  const std::vector<std::string> months = MonthsOf(period);
  for (std::string_view value : values) {
    if (std::find(months.begin(), months.end(), value) == months.end()) {
      return InvalidArgument(common::v1::REASON_PERIOD_INVALID,
                             StrCat("'", value, "' is no month of ", period.text,
                                    "; write it like ", period.first_month),
                             StrCat("“", value, "”不是 ", period.text, " 内的月份，写法如 ",
                                    period.first_month))
          .With("month", std::string(value))
          .At(std::string(kField));
    }
    filter.months.insert(std::string(value));
  }
  return absl::OkStatus();
}

absl::Status AddTerm(const v1::Measure& measure, const Period& period, std::string_view term,
                     DimensionFilter& filter) {
  const size_t equals = term.find('=');
  if (equals == std::string_view::npos || equals == 0) return Malformed(term);
  const std::string key(Strip(term.substr(0, equals)));
  const std::string_view text = Strip(term.substr(equals + 1));
  if (text.empty() || filter.shown.contains(key) || filter.split.contains(key)) {
    return Malformed(term);
  }
  const v1::MeasureDimension* dimension = FindDimension(measure, key);
  if (dimension == nullptr && key != kMonthKey) return Unknown(measure, key);
  const bool remark = dimension != nullptr && dimension->remark();
  if (text == "*" && !remark) {
    filter.split.insert(key);
    return absl::OkStatus();
  }
  filter.shown.emplace(key, text);
  const std::vector<std::string_view> values = Split(text, ',');
  if (key == kMonthKey) return AddMonths(period, values, filter);
  if (remark || (!dimension->total().empty() && text == dimension->total())) {
    return absl::OkStatus();
  }
  filter.allowed[key].insert(values.begin(), values.end());
  return absl::OkStatus();
}

}  // namespace

std::string FormatDimensions(const DimensionMap& dimensions) {
  std::string text;
  for (const auto& [key, value] : dimensions) {
    StrAppend(&text, text.empty() ? "" : ";", key, "=", value);
  }
  return text;
}

DimensionMap ParseDimensions(std::string_view text) {
  DimensionMap dimensions;
  if (text.empty()) return dimensions;
  for (std::string_view term : Split(text, ';')) {
    const size_t equals = term.find('=');
    if (equals == std::string_view::npos) continue;
    dimensions.emplace(term.substr(0, equals), term.substr(equals + 1));
  }
  return dimensions;
}

DimensionMap DimensionsOf(const common::v1::Fact& fact) {
  DimensionMap dimensions;
  for (const common::v1::Dimension& dimension : fact.dimensions()) {
    std::string value = dimension.value();
    std::replace_if(
        value.begin(), value.end(), [](char c) { return c == ';' || c == ',' || c == '*'; }, '_');
    dimensions.emplace(dimension.key(), std::move(value));
  }
  return dimensions;
}

DimensionMap CellDimensions(const v1::Measure& measure, const DimensionMap& dimensions) {
  DimensionMap kept;
  for (const auto& [key, value] : dimensions) {
    const v1::MeasureDimension* dimension = FindDimension(measure, key);
    if (dimension != nullptr && !dimension->remark() && !value.empty()) kept.emplace(key, value);
  }
  return kept;
}

bool DimensionFilter::Admits(const DimensionMap& dimensions) const {
  for (const auto& [key, values] : allowed) {
    auto found = dimensions.find(key);
    if (found == dimensions.end() || !values.contains(found->second)) return false;
  }
  return true;
}

absl::StatusOr<DimensionFilter> ParseFilter(const Measures& measures, const v1::Measure& measure,
                                            const Period& period, std::string_view text) {
  DimensionFilter filter;
  if (Strip(text).empty()) return filter;
  for (std::string_view term : Split(text, ';')) {
    RETURN_IF_ERROR(AddTerm(measure, period, Strip(term), filter));
  }
  for (const v1::Measure* part : measures.PartsOf(measure)) {
    if (filter.months.size() > 1 && IsBalance(part->kind())) {
      return InvalidArgument(
                 common::v1::REASON_NOT_ADDITIVE,
                 StrCat("'", part->name(), "' is of kind ", KindName(part->kind()),
                        ", a balance at a month's end: balances of several months "
                        "cannot be added; ask month=*"),
                 StrCat("“", part->name(), "”属于 ", KindName(part->kind()),
                        " 类，是期末数，多个月份的期末数不能相加，请用 month=* 逐月查询"))
          .With("measure", part->name())
          .With("kind", KindName(part->kind()))
          .At(std::string(kField));
    }
  }
  return filter;
}

}  // namespace gonghui::reports
