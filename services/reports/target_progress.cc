#include "services/reports/target_progress.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "common/base/date.h"
#include "common/base/money.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "services/reports/figures.h"
#include "services/reports/return_rows.h"
#include "services/reports/target_values.h"

namespace gonghui::reports {
namespace {

constexpr int64_t kWhole = 10000;  // 100.00 %.

// Whether the figure grows over the period, so that time elapsed says how far it should be.
bool Grows(v1::MeasureKind kind) {
  return kind == v1::MEASURE_KIND_FLOW || kind == v1::MEASURE_KIND_MONEY ||
         kind == v1::MEASURE_KIND_DISTINCT;
}

// "month=2020-07,2020-08" up to the day; of balances the last of them. Empty for a ratio of a
// balance and something that is none: there are no common months, so its whole period counts.
std::string MonthsUpTo(const Measures& measures, const v1::Measure& measure,
                       const PeriodDay& when) {
  const std::string last = when.day.substr(0, 7);
  const std::vector<const v1::Measure*> parts = measures.PartsOf(measure);
  const auto balances = std::count_if(parts.begin(), parts.end(),
                                      [](const auto* part) { return IsBalance(part->kind()); });
  if (balances == static_cast<int64_t>(parts.size())) return StrCat(kMonthKey, "=", last);
  if (balances > 0) return "";
  std::string months;
  for (const std::string& month : MonthsOf(when.period)) {
    if (month <= last) StrAppend(&months, months.empty() ? "" : ",", month);
  }
  return StrCat(kMonthKey, "=", months);
}

}  // namespace

absl::StatusOr<PeriodDay> PeriodDay::Make(const Period& period, const std::string& as_of) {
  if (as_of < period.first_day) {
    return InvalidArgument(
               common::v1::REASON_FIELD_INVALID,
               StrCat("the period ", period.text, " begins on ", period.first_day,
                      ": ask from that day on"),
               StrCat("期间 ", period.text, " 从 ", period.first_day, " 开始，请查询此后的日期"))
        .At("as_of");
  }
  PeriodDay when{period, std::min(as_of, period.last_day)};
  const int64_t days = DaysBetween(period.first_day, period.last_day) + 1;
  ASSIGN_OR_RETURN(when.elapsed,
                   MulDivRound(DaysBetween(period.first_day, when.day) + 1, kWhole, days));
  return when;
}

absl::StatusOr<v1::Figure> ReadAchieved(FigureReader& reader, const Measures& measures,
                                        const std::string& tenant, const v1::Target& target,
                                        const PeriodDay& when) {
  const v1::Measure* measure = measures.Find(target.measure());
  if (measure == nullptr) return MeasureUnknown(target.measure(), "measure");
  FigureScope scope{tenant, target.organization(), when.period, {}};
  std::string dimensions = target.dimensions();
  if (when.day.substr(0, 7) != when.period.last_month) {
    if (when.period.first_month.ends_with("-01")) {
      ASSIGN_OR_RETURN(scope.period,
                       measures.periods().Parse(when.day.substr(0, 7) + "YTD", "period"));
    } else if (const std::string months = MonthsUpTo(measures, *measure, when); !months.empty()) {
      StrAppend(&dimensions, dimensions.empty() ? "" : ";", months);
    }
  }
  ASSIGN_OR_RETURN(const DimensionFilter filter,
                   ParseFilter(measures, *measure, scope.period, dimensions));
  return reader.Read(scope, *measure, filter);
}

std::optional<int64_t> CompletionOf(const v1::Target& target, const v1::Figure& achieved) {
  if (!achieved.has_value() || target.value() <= 0) return std::nullopt;
  const auto done = MulDivRound(achieved.value(), kWhole, target.value());
  return done.ok() ? std::optional(*done) : std::nullopt;
}

void SetStanding(const v1::Measure& measure, const PeriodDay& when, int64_t tolerance_hundredths,
                 v1::TargetProgress& progress) {
  const v1::Target& target = progress.target();
  const v1::Figure& achieved = progress.achieved();
  if (!achieved.has_value()) {
    progress.set_standing(v1::TARGET_STANDING_UNKNOWN);
    return;
  }
  const std::optional<int64_t> done = CompletionOf(target, achieved);
  const int64_t completion = done.value_or(0);
  progress.set_has_completion(done.has_value());
  progress.set_completion_hundredths(completion);
  if (done.has_value()) progress.set_completion_text(HundredthsText(completion));
  const bool most = target.direction() == v1::TARGET_DIRECTION_AT_MOST;
  const bool met = most ? achieved.value() <= target.value() : achieved.value() >= target.value();
  const bool behind = most ? Grows(measure.kind()) && target.value() > 0 &&
                                 completion > when.elapsed + tolerance_hundredths
                           : completion < when.elapsed - tolerance_hundredths;
  if (when.IsOver() || met != most) {
    // At the end; before it, a least number may be reached and a most number exceeded already.
    progress.set_standing(met ? v1::TARGET_STANDING_REACHED : v1::TARGET_STANDING_MISSED);
  } else {
    progress.set_standing(behind ? v1::TARGET_STANDING_BEHIND : v1::TARGET_STANDING_ON_COURSE);
  }
}

absl::StatusOr<v1::GetProgressResponse> TargetsProgress::Get(
    rpc::Call& call, const v1::GetProgressRequest& request) {
  ASSIGN_OR_RETURN(const Period period,
                   options_.measures->periods().Parse(request.period(), "period"));
  ASSIGN_OR_RETURN(
      const PeriodDay when,
      PeriodDay::Make(period, request.as_of().empty() ? call.Today() : request.as_of()));
  RETURN_IF_ERROR(CheckOrganization(*options_.tree, call.federation, request.organization()));
  std::vector<std::string> children;
  if (request.children()) {
    ASSIGN_OR_RETURN(const auto tree, options_.tree->Get(call.federation));
    children = tree->Children(request.organization(), period.last_day);
    for (const std::string& child : children) RETURN_IF_ERROR(call.CheckScope(child));
  }
  const int64_t tolerance = options_.schemes->tolerance_hundredths();
  v1::GetProgressResponse response;
  response.set_as_of(when.day);
  response.set_elapsed_hundredths(when.elapsed);
  response.set_elapsed_text(HundredthsText(when.elapsed));
  response.set_tolerance_text(HundredthsText(tolerance));
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.clear_progress();
    FigureReader reader(tx, *options_.measures, call.federation, &call);
    const auto judge = [&](const v1::Target& target, v1::TargetProgress& progress) -> absl::Status {
      *progress.mutable_target() = target;
      ASSIGN_OR_RETURN(*progress.mutable_achieved(),
                       ReadAchieved(reader, *options_.measures, call.federation, target, when));
      SetStanding(*options_.measures->Find(target.measure()), when, tolerance, progress);
      return absl::OkStatus();
    };
    ASSIGN_OR_RETURN(
        const std::vector<v1::Target> targets,
        TargetsOfYear(tx, call.federation, request.organization(), YearOf(period.text)));
    for (const v1::Target& target : targets) {
      if (target.period() != period.text) continue;
      v1::TargetProgress& progress = *response.add_progress();
      RETURN_IF_ERROR(judge(target, progress));
      std::set<std::string> ids;
      for (const std::string& child : children) {
        v1::Target same = target;
        same.set_organization(child);
        ids.insert(TargetId(same));
      }
      ASSIGN_OR_RETURN(const TargetVersions below, ReadLast(tx, call.federation, ids));
      std::map<std::string, v1::Target> by_unit;
      for (const auto& [id, version] : below) {
        if (!version.deleted) by_unit[version.target.organization()] = version.target;
      }
      for (const auto& [unit, one] : by_unit) {
        RETURN_IF_ERROR(judge(one, *progress.add_children()));
      }
    }
    return absl::OkStatus();
  }));
  return response;
}

}  // namespace gonghui::reports
