#include "common/base/money.h"

#include <limits>
#include <vector>

#include "absl/strings/ascii.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui {
namespace {

Error AmountForm() {
  return InvalidArgument(common::v1::REASON_AMOUNT_INVALID,
                         "the amount is not yuan with at most two decimals; write it like 1409.50",
                         "金额不是最多两位小数的元数，请写成 1409.50 这样的形式");
}

Error AmountRange() {
  return InvalidArgument(common::v1::REASON_AMOUNT_INVALID,
                         "the amount leaves the range of 92 quadrillion yuan; check its digits",
                         "金额超出可表示的范围，请检查位数");
}

bool AllDigits(std::string_view text) {
  for (char c : text) {
    if (!absl::ascii_isdigit(c)) return false;
  }
  return !text.empty();
}

// "1,409" -> "1409"; false when the commas do not separate thousands.
bool Ungroup(std::string_view whole, std::string& digits) {
  const std::vector<std::string_view> groups = Split(whole, ',');
  for (size_t i = 0; i < groups.size(); ++i) {
    if (!AllDigits(groups[i])) return false;
    if (i > 0 && groups[i].size() != 3) return false;
    if (i == 0 && groups.size() > 1 && groups[i].size() > 3) return false;
    StrAppend(&digits, groups[i]);
  }
  return true;
}

__int128 PowerOfTen(int exponent) {
  __int128 power = 1;
  while (exponent-- > 0) power *= 10;
  return power;
}

__int128 DivideHalfAway(__int128 value, __int128 divisor) {
  const __int128 half = divisor / 2 + divisor % 2;  // Smallest remainder that rounds away.
  const __int128 quotient = value / divisor;
  const __int128 remainder = value % divisor;
  if (remainder >= half) return quotient + 1;
  if (-remainder >= half) return quotient - 1;
  return quotient;
}

bool FitsInt64(__int128 value) {
  return value >= std::numeric_limits<int64_t>::min() &&
         value <= std::numeric_limits<int64_t>::max();
}

}  // namespace

absl::StatusOr<int64_t> ParseYuan(std::string_view text) {
  text = Strip(text);
  std::string digits;
  if (!text.empty() && text.front() == '-') {
    digits = "-";
    text.remove_prefix(1);
  }
  const size_t point = text.find('.');
  if (!Ungroup(text.substr(0, point), digits)) return AmountForm();
  std::string_view fraction;
  if (point != std::string_view::npos) {
    fraction = text.substr(point + 1);
    if (!AllDigits(fraction) || fraction.size() > 2) return AmountForm();
  }
  StrAppend(&digits, fraction, std::string(2 - fraction.size(), '0'));
  int64_t fen = 0;
  if (!ParseInteger(digits, &fen)) return AmountRange();
  return fen;
}

std::string FormatYuan(int64_t fen) { return FormatScaled(fen, 2, 2); }

absl::StatusOr<int64_t> AddChecked(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return AmountRange();
  return sum;
}

absl::StatusOr<int64_t> MulDivRound(int64_t value, int64_t numerator, int64_t denominator) {
  if (denominator <= 0) return AmountRange();
  const __int128 result = DivideHalfAway(static_cast<__int128>(value) * numerator, denominator);
  if (!FitsInt64(result)) return AmountRange();
  return static_cast<int64_t>(result);
}

std::string FormatScaled(int64_t value, int scale, int decimals) {
  __int128 shown = value;
  if (decimals < scale) {
    shown = DivideHalfAway(shown, PowerOfTen(scale - decimals));
  } else {
    shown *= PowerOfTen(decimals - scale);
  }
  const bool negative = shown < 0;
  if (negative) shown = -shown;
  std::string digits;
  for (int i = 0; shown > 0 || i <= decimals; ++i, shown /= 10) {
    if (i == decimals && decimals > 0) digits.push_back('.');
    digits.push_back(static_cast<char>('0' + static_cast<int>(shown % 10)));
  }
  if (negative) digits.push_back('-');
  return {digits.rbegin(), digits.rend()};
}

}  // namespace gonghui
