// Money is a whole number of fen in int64; there is no floating point anywhere near it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace gonghui {

// Parses yuan with at most two decimals ("1409.5", "-3", "1,409.50") into fen.
// REASON_AMOUNT_INVALID otherwise or when out of range.
absl::StatusOr<int64_t> ParseYuan(std::string_view text);

// "1409.50": always two decimals, no grouping.
std::string FormatYuan(int64_t fen);

// Checked sum; REASON_AMOUNT_INVALID on overflow.
absl::StatusOr<int64_t> AddChecked(int64_t a, int64_t b);

// `value` × numerator / denominator rounded half away from zero, at 128 bits. denominator > 0;
// overflow is an error.
absl::StatusOr<int64_t> MulDivRound(int64_t value, int64_t numerator, int64_t denominator);

// Prints value / 10^scale with `decimals` decimals, rounded half away from zero: (83310000, 6, 1)
// -> "83.3".
std::string FormatScaled(int64_t value, int scale, int decimals);

}  // namespace gonghui
