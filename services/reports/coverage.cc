#include "services/reports/coverage.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_format.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::reports {
namespace {

constexpr sql::Query kListCoverages{
    "reports.list_coverages_in_force",
    "SELECT coverage_id, organization, measures, first_month, last_month, form, whole "
    "FROM coverages WHERE tenant=$1 AND withdraw_time_us=0 ORDER BY coverage_id"};

constexpr std::string_view kReturnPrefix = "returns/";

std::string MonthAfter(const std::string& month) {
  int year = 0;
  int number = 0;
  if (!ParseInteger(month.substr(0, 4), &year) || !ParseInteger(month.substr(5), &number))
    return "";
  return number == 12 ? absl::StrFormat("%04d-01", year + 1)
                      : absl::StrFormat("%04d-%02d", year, number + 1);
}

}  // namespace

std::string ReturnSource(std::string_view form) { return StrCat(kReturnPrefix, form); }

bool IsReturnSource(std::string_view source) { return source.starts_with(kReturnPrefix); }

absl::StatusOr<Coverage> Coverage::Load(sql::Tx& tx, const std::string& tenant) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kListCoverages, {tenant}));
  std::vector<CoverageRule> rules;
  for (size_t i = 0; i < rows.size(); ++i) {
    std::set<std::string, std::less<>> measures;
    for (const std::string_view measure : Split(rows[i].Get<std::string_view>(2), ' ')) {
      if (!measure.empty()) measures.emplace(measure);
    }
    rules.push_back({.id = rows[i].Get<std::string>(0),
                     .organization = rows[i].Get<std::string>(1),
                     .measures = std::move(measures),
                     .first_month = rows[i].Get<std::string>(3),
                     .last_month = rows[i].Get<std::string>(4),
                     .form = rows[i].Get<std::string>(5),
                     .whole = rows[i].Get<bool>(6)});
  }
  return Coverage(std::move(rules));
}

bool Coverage::Counts(std::string_view source, const std::vector<std::string>& path,
                      std::string_view measure, std::string_view month) const {
  for (const std::string& organization : path) {
    for (const CoverageRule& rule : rules_) {
      if (rule.organization != organization || !rule.Concerns(measure)) continue;
      if (month < rule.first_month || month > rule.last_month) continue;
      if (rule.form.empty()) return !IsReturnSource(source);
      return source == ReturnSource(rule.form) && (!rule.whole || path.front() == organization);
    }
  }
  return !IsReturnSource(source);
}

const PathHistory& Coverage::Restrict(const PathHistory& history, std::string_view source,
                                      std::string_view measure, PathHistory& room) const {
  std::set<std::string> days;  // On which what counts may change.
  for (const CoverageRule& rule : rules_) {
    if (rule.form.empty() || !rule.Concerns(measure)) continue;
    const bool concerned = std::any_of(history.begin(), history.end(), [&](const PathSpan& span) {
      return IsOn(span.path, rule.organization);
    });
    if (!concerned) continue;
    days.insert(StrCat(rule.first_month, "-01"));
    if (rule.last_month < kNoLastMonth) days.insert(StrCat(MonthAfter(rule.last_month), "-01"));
  }
  if (days.empty() && !IsReturnSource(source)) return history;
  for (const PathSpan& span : history) days.insert(span.from);
  room.clear();
  for (const std::string& day : days) {
    const std::vector<std::string>& path = PathAt(history, day);
    const bool counts = Counts(source, path, measure, std::string_view(day).substr(0, 7));
    PathSpan span{day, counts ? path : std::vector<std::string>()};
    if (room.empty() || room.back().path != span.path) room.push_back(std::move(span));
  }
  return room;
}

std::set<std::string> Coverage::ChangeMonths(std::string_view measure) const {
  std::set<std::string> months;
  for (const CoverageRule& rule : rules_) {
    if (!rule.Concerns(measure)) continue;
    months.insert(rule.first_month);
    if (rule.last_month < kNoLastMonth) months.insert(MonthAfter(rule.last_month));
  }
  return months;
}

}  // namespace gonghui::reports
