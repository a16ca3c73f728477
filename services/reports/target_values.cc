#include "services/reports/target_values.h"

#include <algorithm>
#include <numeric>

#include "common/base/money.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::reports {
namespace {

constexpr int64_t kMost = 1'000'000'000'000'000;  // Sums of a thousand stay far from overflow.

bool AllDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

}  // namespace

int ValueScale(const v1::Measure& measure) {
  switch (measure.kind()) {
    case v1::MEASURE_KIND_MONEY:
      return measure.unit() == "wan_yuan" ? 6 : 2;
    case v1::MEASURE_KIND_RATIO:
      return measure.unit() == "%" ? 4 : 6;
    case v1::MEASURE_KIND_STOCK:  // Of money or of things.
      return measure.unit() == "wan_yuan" ? 6 : measure.unit() == "yuan" ? 2 : 0;
    default:
      return 0;
  }
}

absl::StatusOr<int64_t> ReadDecimal(std::string_view text, int scale, std::string_view field) {
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction =
      point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  const bool good = AllDigits(whole) && (point == std::string_view::npos || AllDigits(fraction)) &&
                    fraction.size() <= static_cast<size_t>(scale);
  int64_t value = 0;
  if (good &&
      ParseInteger(StrCat(whole, fraction, std::string(scale - fraction.size(), '0')), &value) &&
      value <= kMost) {
    return value;
  }
  return InvalidArgument(
             common::v1::REASON_FIELD_INVALID,
             StrCat("'", text, "' is no number from 0 on with at most ", scale,
                    " decimals, or too large: write it like ", scale == 0 ? "1200" : "83.5"),
             StrCat("“", text, "”不是非负且至多 ", scale, " 位小数的数，或过大：写法如 ",
                    scale == 0 ? "1200" : "83.5"))
      .At(std::string(field));
}

std::string HundredthsText(int64_t hundredths) { return FormatScaled(hundredths, 2, 2); }

bool IsAdditive(v1::MeasureKind kind) {
  return kind == v1::MEASURE_KIND_FLOW || kind == v1::MEASURE_KIND_STOCK ||
         kind == v1::MEASURE_KIND_MONEY;
}

std::vector<int64_t> ShareOut(int64_t whole, const std::vector<int64_t>& weights) {
  const __int128 sum = std::accumulate(weights.begin(), weights.end(), __int128{0});
  std::vector<int64_t> parts;
  std::vector<__int128> remainders;
  int64_t rest = whole;
  for (const int64_t weight : weights) {
    const __int128 share = static_cast<__int128>(whole) * weight;
    parts.push_back(static_cast<int64_t>(share / sum));
    remainders.push_back(share % sum);
    rest -= parts.back();
  }
  std::vector<size_t> order(parts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return remainders[a] > remainders[b]; });
  for (int64_t i = 0; i < rest; ++i) ++parts[order[static_cast<size_t>(i)]];
  return parts;
}

}  // namespace gonghui::reports
