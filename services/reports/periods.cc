#include "services/reports/periods.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_format.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::reports {
namespace {

constexpr int kLastYear = 9999;

absl::Status Fault(const v1::PeriodKind& kind, std::string_view what, std::string_view what_zh) {
  return InvalidArgument(
      common::v1::REASON_FIELD_INVALID,
      StrCat("period kind '", kind.suffix(), "': ", what, "; correct the catalogue"),
      StrCat("报告期类型“", kind.suffix(), "”：", what_zh, "，请改正目录"));
}

absl::Status Check(const v1::PeriodKind& kind) {
  const bool letters = std::all_of(kind.suffix().begin(), kind.suffix().end(),
                                   [](char c) { return c >= 'A' && c <= 'Z'; });
  if (kind.suffix().empty() || kind.suffix().size() > 4 || !letters) {
    return Fault(kind, "its suffix is not one to four capital letters", "后缀应为一至四个大写字母");
  }
  // A longer one would hold a whole year, from which another could be told (see suppression.h).
  if (kind.months() < 1 || kind.months() > 12 || kind.first_month() < 1 ||
      kind.first_month() > 12) {
    return Fault(kind, "first_month and months lie within 1-12", "first_month、months 应为 1-12");
  }
  if (kind.first_year() < -1 || kind.first_year() > 1) {
    return Fault(kind, "first_year is -1, 0 or 1", "first_year 应为 -1、0 或 1");
  }
  if (kind.citation().empty()) return Fault(kind, "it has no citation", "缺少依据");
  return absl::OkStatus();
}

std::string Dated(int year, std::string_view rest) { return absl::StrFormat("%04d%s", year, rest); }

}  // namespace

absl::StatusOr<Periods> Periods::Load(std::vector<v1::PeriodKind> kinds) {
  std::set<std::string> suffixes;
  for (const v1::PeriodKind& kind : kinds) {
    RETURN_IF_ERROR(Check(kind));
    if (!suffixes.insert(kind.suffix()).second) {
      return Fault(kind, "the suffix stands twice", "后缀重复");
    }
  }
  Periods periods;
  periods.kinds_ = std::move(kinds);
  return periods;
}

std::optional<Period> Periods::Read(std::string_view text) const {
  if (auto calendar = ParsePeriod(text); calendar.ok()) return *std::move(calendar);
  int year = 0;
  if (text.size() < 5 || !std::all_of(text.begin(), text.begin() + 4, absl::ascii_isdigit) ||
      !ParseInteger(text.substr(0, 4), &year)) {
    return std::nullopt;
  }
  const std::string suffix = ToUpper(text.substr(4));
  for (const v1::PeriodKind& kind : kinds_) {
    if (kind.suffix() != suffix) continue;
    const absl::CivilMonth first(year + kind.first_year(), kind.first_month());
    if (first.year() < 1 || (first + (kind.months() - 1)).year() > kLastYear) return std::nullopt;
    return PeriodOf(Dated(year, suffix), first, kind.months());
  }
  return std::nullopt;
}

absl::StatusOr<Period> Periods::Parse(std::string_view text, std::string_view field) const {
  if (auto period = Read(text)) return *std::move(period);
  std::string forms;
  std::string forms_zh;
  for (const v1::PeriodKind& kind : kinds_) {
    StrAppend(&forms, ", 2020", kind.suffix(), " (", kind.label().en(), ")");
    StrAppend(&forms_zh, "、2020", kind.suffix(), "（", kind.label().zh(), "）");
  }
  return InvalidArgument(
             common::v1::REASON_PERIOD_INVALID,
             StrCat("the value is not a period; write 2020, 2020H1, 2020Q2, 2020-05, 2020-05YTD "
                    "(January to May)",
                    forms),
             StrCat(
                 "不是有效的报告期，请写成 2020、2020H1、2020Q2、2020-05、2020-05YTD（1—5月累计）",
                 forms_zh))
      .At(std::string(field));
}

std::optional<Period> Periods::YearBefore(const Period& period) const {
  int year = 0;
  if (!ParseInteger(period.text.substr(0, 4), &year) || year < 2) return std::nullopt;
  return Read(Dated(year - 1, period.text.substr(4)));
}

std::optional<Period> Periods::JustBefore(const Period& period) const {
  int year = 0;
  if (!ParseInteger(period.text.substr(0, 4), &year) || period.text.ends_with("YTD")) {
    return std::nullopt;
  }
  const std::string rest = period.text.substr(4);
  const size_t months = MonthsOf(period).size();
  if (months == 12) return YearBefore(period);
  // H1, Q3, -05: the number before, or the last of the year before.
  int number = 0;
  if (rest.empty() || !ParseInteger(rest.substr(1), &number)) return std::nullopt;
  const int most = static_cast<int>(12 / months);
  const bool wraps = number == 1;
  const int before = wraps ? most : number - 1;
  if (wraps && year < 2) return std::nullopt;
  return Read(Dated(wraps ? year - 1 : year, rest[0] == '-'
                                                 ? absl::StrFormat("-%02d", before)
                                                 : absl::StrFormat("%c%d", rest[0], before)));
}

}  // namespace gonghui::reports
