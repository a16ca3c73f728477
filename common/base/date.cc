#include "common/base/date.h"

#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui {
namespace {

// `text` as a number of `min_digits` to `max_digits` digits and nothing else.
std::optional<int> Number(std::string_view text, size_t min_digits, size_t max_digits) {
  if (text.size() < min_digits || text.size() > max_digits) return std::nullopt;
  int value = 0;
  for (char c : text) {
    if (!absl::ascii_isdigit(c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<absl::CivilDay> Day(std::optional<int> year, std::optional<int> month,
                                  std::optional<int> day) {
  if (!year || !month || !day || *year < 1) return std::nullopt;
  const absl::CivilDay civil(*year, *month, *day);
  // CivilDay turns February 30 into March 1: that is no date to us.
  if (civil.month() != *month || civil.day() != *day) return std::nullopt;
  return civil;
}

// What stands between the parts of a date in spreadsheets.
constexpr std::pair<std::string_view, std::string_view> kDateMarks[] = {
    {"年", "-"}, {"月", "-"}, {"日", ""}, {"/", "-"}, {".", "-"}};

Error DateForm() {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         "the value is not a calendar date; write it like 2020-05-13",
                         "不是有效日期，请写成 2020-05-13 这样的形式");
}

std::string FormatMonth(absl::CivilMonth month) {
  return absl::StrFormat("%04d-%02d", month.year(), month.month());
}

}  // namespace

absl::StatusOr<absl::CivilDay> ParseDate(std::string_view text) {
  if (text.size() == 10 && text[4] == '-' && text[7] == '-') {
    const auto day = Day(Number(text.substr(0, 4), 4, 4), Number(text.substr(5, 2), 2, 2),
                         Number(text.substr(8, 2), 2, 2));
    if (day) return *day;
  }
  return DateForm();
}

std::string FormatDate(absl::CivilDay day) {
  return absl::StrFormat("%04d-%02d-%02d", day.year(), day.month(), day.day());
}

absl::StatusOr<std::string> NormalizeDate(std::string_view text) {
  text = Strip(text);
  // What spreadsheets append to a date that they keep as an instant.
  for (const std::string_view midnight : {" 00:00:00", " 0:00:00", " 0:00", "T00:00:00"}) {
    if (text.ends_with(midnight)) text.remove_suffix(midnight.size());
  }
  std::optional<absl::CivilDay> day;
  if (text.size() == 8 && text.find_first_not_of("0123456789") == std::string_view::npos) {
    day = Day(Number(text.substr(0, 4), 4, 4), Number(text.substr(4, 2), 2, 2),
              Number(text.substr(6, 2), 2, 2));
  } else {
    std::string dashed(text);
    for (const auto& [mark, dash] : kDateMarks) dashed = Replace(dashed, mark, dash);
    const std::vector<std::string_view> parts = Split(dashed, '-');
    if (parts.size() == 3) {
      day = Day(Number(parts[0], 4, 4), Number(parts[1], 1, 2), Number(parts[2], 1, 2));
    }
  }
  if (!day) return DateForm();
  return FormatDate(*day);
}

absl::StatusOr<Period> ParsePeriod(std::string_view text) {
  const auto year = Number(text.substr(0, 4), 4, 4);
  std::string_view rest = text.size() > 4 ? text.substr(4) : std::string_view();
  const auto months = [&](int first, int last) {
    return PeriodOf(ToUpper(text), absl::CivilMonth(*year, first), last - first + 1);
  };
  if (year && *year >= 1) {
    if (rest.empty()) return months(1, 12);
    const bool to_date = rest.size() == 6 && ToUpper(rest.substr(3)) == "YTD";
    if (to_date) rest = rest.substr(0, 3);
    const int ordinal = Number(rest.substr(1), 1, 2).value_or(0);
    const char unit = absl::ascii_toupper(rest[0]);
    if (unit == 'H' && rest.size() == 2 && ordinal >= 1 && ordinal <= 2) {
      return months(ordinal * 6 - 5, ordinal * 6);
    }
    if (unit == 'Q' && rest.size() == 2 && ordinal >= 1 && ordinal <= 4) {
      return months(ordinal * 3 - 2, ordinal * 3);
    }
    if (unit == '-' && rest.size() == 3 && ordinal >= 1 && ordinal <= 12) {
      return months(to_date ? 1 : ordinal, ordinal);
    }
  }
  return InvalidArgument(
      common::v1::REASON_PERIOD_INVALID,
      "the value is not a period; write 2020, 2020H1, 2020Q2, 2020-05 or 2020-05YTD",
      "不是有效的报告期，请写成 2020、2020H1、2020Q2、2020-05 或 2020-05YTD");
}

Period PeriodOf(std::string_view text, absl::CivilMonth first, int months) {
  const absl::CivilMonth last = first + (months - 1);
  return {.text = std::string(text),
          .first_day = FormatDate(absl::CivilDay(first)),
          .last_day = FormatDate(absl::CivilDay(last + 1) - 1),
          .first_month = FormatMonth(first),
          .last_month = FormatMonth(last)};
}

std::vector<std::string> MonthsOf(const Period& period) {
  std::vector<std::string> months;
  const int year = Number(period.first_month.substr(0, 4), 4, 4).value_or(1);
  const int month = Number(period.first_month.substr(5), 2, 2).value_or(1);
  for (absl::CivilMonth at(year, month);; ++at) {
    months.push_back(FormatMonth(at));
    if (months.back() >= period.last_month) return months;
  }
}

}  // namespace gonghui
