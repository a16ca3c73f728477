#include "services/reports/preview.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/page.h"
#include "services/reports/figure_reader.h"
#include "services/reports/rollups.h"
#include "services/reports/standpoint.h"

namespace gonghui::reports {
namespace {

using membership::v1::ListReorganizationEffectsResponse;

constexpr char kMembership[] = "/gonghui.membership.v1.ReorganizationService/";
constexpr int kEffectsPage = 1000;

constexpr sql::Query kListFactsOfUnit{
    "reports.preview_list_facts",
    "SELECT organization, measure, on_date, dims, subject, delta, record, source FROM facts "
    "WHERE tenant=$1 AND organization=$2"};

// The tree as it will be believed.
std::shared_ptr<const tree::OrganizationTree> PlannedTree(
    const tree::OrganizationTree& now, const ListReorganizationEffectsResponse& effects) {
  auto planned = std::make_shared<tree::OrganizationTree>(now);
  int number = 0;
  const auto apply = [&](const membership::v1::OrganizationVersion& version, bool believed) {
    planned->Apply({.version_id = believed ? StrCat("planned-", ++number) : version.version_id(),
                    .id = version.id(),
                    .parent = version.parent(),
                    .display_name = version.display_name(),
                    .kind = version.kind(),
                    .state = version.state(),
                    .valid_from = version.valid_from(),
                    .valid_to = version.valid_to(),
                    .recorded_from_us = version.recorded_from_us(),
                    .recorded_to_us = believed ? tree::kNow : version.recorded_from_us(),
                    .affiliated_to = version.affiliated_to()});
  };
  for (const auto& version : effects.ended()) apply(version, false);
  for (const auto& version : effects.begun()) apply(version, true);
  return planned;
}

// What the totals of one measure and organisation gain and lose.
using Gains = std::map<std::pair<std::string, std::string>, Sum>;  // By subject and month.

// Gathers what each total gains and loses.
class Difference {
 public:
  Difference(const Measures& measures, Standpoint& before, Standpoint& after)
      : measures_(measures), before_(before), after_(after) {}

  // The facts of all organisations that stand or pass on their persons otherwise than before.
  absl::Status AddStored(sql::Tx& tx, const std::string& tenant) {
    for (const auto& [organization, unused] : before_.placed()) {
      if (!Changes(organization)) continue;
      RETURN_IF_ERROR(before_.Prepare(tx, organization));
      RETURN_IF_ERROR(after_.Prepare(tx, organization));
      RETURN_IF_ERROR(
          tx.Stream(kListFactsOfUnit, {tenant, organization}, [&](const sql::Rows::Row& row) {
            const StoredFact fact = ReadFact(row);
            const v1::Measure* measure = measures_.FindCounted(fact.measure);
            if (measure == nullptr) return absl::OkStatus();
            Add(*measure, fact, before_.PathsOf(fact, ""), -1);
            Add(*measure, fact, after_.PathsOf(fact, ""), 1);
            return absl::OkStatus();
          }));
    }
    return absl::OkStatus();
  }

  // Facts that the reorganisation itself brings.
  absl::Status AddNew(sql::Tx& tx, const ListReorganizationEffectsResponse& effects) {
    for (const common::v1::RecordFacts& record : effects.facts()) {
      for (const common::v1::Fact& proto : record.facts()) {
        const v1::Measure* measure = measures_.FindCounted(proto.measure());
        if (measure == nullptr) continue;
        const StoredFact fact{.organization = proto.organization(),
                              .measure = proto.measure(),
                              .on_date = proto.on_date(),
                              .dimensions = DimensionsOf(proto),
                              .subject = proto.subject(),
                              .delta = proto.delta(),
                              .record = record.record(),
                              .source = "membership"};
        RETURN_IF_ERROR(after_.Prepare(tx, fact.organization));
        Add(*measure, fact, after_.PathsOf(fact, ""), 1);
      }
    }
    return absl::OkStatus();
  }

  // By measure and organisation; without those that stay as they are.
  std::map<std::pair<std::string, std::string>, Gains> Take() {
    for (auto& [total, gains] : gains_) {
      std::erase_if(gains, [](const auto& gain) { return gain.second.empty(); });
    }
    std::erase_if(gains_, [](const auto& total) { return total.second.empty(); });
    return std::move(gains_);
  }

 private:
  bool Changes(const std::string& organization) {
    return before_.Placed(organization) != after_.Placed(organization) ||
           after_.HoldersOf(organization).size() > 1;
  }

  void Add(const v1::Measure& measure, const StoredFact& fact, const PathHistory& paths, int sign) {
    const std::string subject = CountsSubjects(measure.kind()) ? SubjectOf(fact) : "";
    ForEachShare(measure.kind(), paths, fact.on_date,
                 [&](const std::string& owner, const std::string& month, int share) {
                   Sum& gain = gains_[{fact.measure, owner}][{subject, month}];
                   gain.value += sign * share * fact.delta;
                   gain.records += sign * share * RecordsIn(fact);
                 });
  }

  const Measures& measures_;
  Standpoint& before_;
  Standpoint& after_;
  std::map<std::pair<std::string, std::string>, Gains> gains_;
};

// Compares the totals of one organisation.
class Totals {
 public:
  Totals(sql::Tx& tx, const Measures& measures, FigureReader& reader, Standpoint* before,
         FigureScope scope, std::vector<Period> periods, std::string present)
      : tx_(tx),
        measures_(measures),
        reader_(reader),
        before_(before),
        scope_(std::move(scope)),
        periods_(std::move(periods)),
        present_(std::move(present)) {}

  // `gains`: of each part of the measure, or nullptr.
  absl::Status Compare(const v1::Measure& measure, const std::vector<const Gains*>& gains,
                       std::vector<v1::FigureChange>& changes) {
    const std::vector<const v1::Measure*> parts = measures_.PartsOf(measure);
    const std::vector<Period> periods = PeriodsFor(parts, gains);
    if (periods.empty()) return absl::OkStatus();
    FigureScope whole = scope_;
    whole.period = periods.front();
    for (const Period& period : periods) {
      whole.period.first_month = std::min(whole.period.first_month, period.first_month);
      whole.period.last_month = std::max(whole.period.last_month, period.last_month);
    }
    std::vector<CellRows> old_rows;
    std::vector<CellRows> new_rows;
    for (size_t i = 0; i < parts.size(); ++i) {
      ASSIGN_OR_RETURN(old_rows.emplace_back(), LoadCells(tx_, whole, *parts[i], before_));
      CellRows& changed = new_rows.emplace_back(old_rows.back());
      if (gains[i] == nullptr) continue;
      for (const auto& [place, gain] : *gains[i]) {
        changed.Add(place.first, "", place.second, gain.value, gain.records);
      }
      changed.SortBySubject();
    }
    const bool hidden = IsSensitive(measures_, measure) && !reader_.SeesAll(scope_.organization);
    for (const Period& period : periods) {
      const v1::Figure old_figure = FigureOf(measure, parts, old_rows, period);
      const v1::Figure new_figure = FigureOf(measure, parts, new_rows, period);
      if (old_figure.has_value() == new_figure.has_value() &&
          old_figure.value() == new_figure.value()) {
        continue;
      }
      v1::FigureChange& change = changes.emplace_back();
      change.set_measure(measure.name());
      change.set_organization(scope_.organization);
      change.set_period(period.text);
      change.set_old_text(hidden ? "*" : old_figure.text());
      change.set_new_text(hidden ? "*" : new_figure.text());
      change.set_unit(measure.unit());
    }
    return absl::OkStatus();
  }

 private:
  std::vector<Period> PeriodsFor(const std::vector<const v1::Measure*>& parts,
                                 const std::vector<const Gains*>& gains) const {
    if (!periods_.empty()) return periods_;
    std::set<std::string> months;
    for (size_t i = 0; i < parts.size(); ++i) {
      if (gains[i] == nullptr) continue;
      const bool balance = IsBalance(parts[i]->kind());
      std::string first = "9999-12";
      for (const auto& [place, gain] : *gains[i]) {
        if (!balance) months.insert(place.second);
        first = std::min(first, place.second);
      }
      if (!balance || first > present_) continue;
      Period since;
      since.first_month = first;
      since.last_month = present_;
      const std::vector<std::string> all = MonthsOf(since);
      months.insert(all.begin(), all.end());
    }
    std::vector<Period> periods;
    for (const std::string& month : months) {
      if (auto period = ParsePeriod(month); period.ok()) periods.push_back(*std::move(period));
    }
    return periods;
  }

  v1::Figure FigureOf(const v1::Measure& measure, const std::vector<const v1::Measure*>& parts,
                      const std::vector<CellRows>& rows, const Period& period) const {
    std::vector<Sum> sums;
    for (size_t i = 0; i < parts.size(); ++i) {
      const SumsByGroup evaluated = Evaluate(*parts[i], rows[i], {}, {}, period);
      sums.push_back(evaluated.empty() ? Sum{} : evaluated.begin()->second);
    }
    Outcome outcome{.sum = sums.front(), .denominator = {}};
    if (sums.size() > 1) outcome.denominator = sums.back();
    return MakeFigure(scope_, measure, {}, outcome);
  }

  sql::Tx& tx_;
  const Measures& measures_;
  FigureReader& reader_;
  Standpoint* before_;
  const FigureScope scope_;
  const std::vector<Period> periods_;
  const std::string present_;
};

// One that is only planned belongs to whoever has the organisation above it.
bool IsInScope(const rpc::Call& call, const tree::OrganizationTree& now,
               const tree::OrganizationTree& planned, const std::string& organization) {
  for (const std::string& id : planned.Path(organization, call.Today())) {
    if (now.Exists(id)) return call.CheckScope(id).ok();
  }
  return false;
}

// What the request asks of the catalogue, in its order.
absl::StatusOr<std::vector<const v1::Measure*>> AskedMeasures(
    const Measures& measures, const v1::PreviewReorganizationRequest& request) {
  std::set<int> places;
  for (int i = 0; i < request.measures_size(); ++i) {
    if (measures.Find(request.measures(i)) == nullptr) {
      return MeasureUnknown(request.measures(i), StrCat("measures[", i, "]"));
    }
    places.insert(measures.OrderOf(request.measures(i)));
  }
  std::vector<const v1::Measure*> asked;
  for (int i = 0; i < measures.catalog().measures_size(); ++i) {
    if (places.empty() || places.contains(i)) asked.push_back(&measures.catalog().measures(i));
  }
  return asked;
}

absl::StatusOr<std::vector<Period>> AskedPeriods(const Measures& measures,
                                                 const v1::PreviewReorganizationRequest& request) {
  std::map<std::string, Period> periods;
  for (int i = 0; i < request.periods_size(); ++i) {
    ASSIGN_OR_RETURN(Period period,
                     measures.periods().Parse(request.periods(i), StrCat("periods[", i, "]")));
    periods.emplace(period.text, std::move(period));
  }
  std::vector<Period> asked;
  for (auto& [text, period] : periods) asked.push_back(std::move(period));
  return asked;
}

}  // namespace

absl::StatusOr<std::vector<v1::FigureChange>> ChangesBy(
    sql::Tx& tx, const rpc::Call& call, const Measures& measures, const Basis& as_is,
    const ListReorganizationEffectsResponse& effects, const std::vector<const v1::Measure*>& asked,
    const std::vector<Period>& periods) {
  const auto planned = PlannedTree(*as_is.tree, effects);
  ASSIGN_OR_RETURN(Standpoint before, Standpoint::Load(tx, call.federation, as_is, true));
  ASSIGN_OR_RETURN(Standpoint then, Standpoint::LoadPlanned(tx, call.federation, as_is, planned,
                                                            {effects.successions().begin(),
                                                             effects.successions().end()}));
  Difference difference(measures, before, then);
  RETURN_IF_ERROR(difference.AddStored(tx, call.federation));
  RETURN_IF_ERROR(difference.AddNew(tx, effects));
  const auto gains = difference.Take();
  FigureReader reader(tx, measures, call.federation, &call);
  ASSIGN_OR_RETURN(Standpoint * moved, reader.StandpointOf(as_is));
  std::vector<v1::FigureChange> changes;
  for (const v1::Measure* measure : asked) {
    const std::vector<const v1::Measure*> parts = measures.PartsOf(*measure);
    std::map<std::string, std::vector<const Gains*>> owners;
    for (size_t i = 0; i < parts.size(); ++i) {
      for (auto at = gains.lower_bound({parts[i]->name(), ""});
           at != gains.end() && at->first.first == parts[i]->name(); ++at) {
        owners.try_emplace(at->first.second, parts.size(), nullptr).first->second[i] = &at->second;
      }
    }
    for (const auto& [owner, of_parts] : owners) {
      if (!IsInScope(call, *as_is.tree, *planned, owner)) continue;
      Totals totals(tx, measures, reader, moved, {call.federation, owner, {}, as_is}, periods,
                    as_is.date.substr(0, 7));
      RETURN_IF_ERROR(totals.Compare(*measure, of_parts, changes));
    }
  }
  return changes;
}

absl::StatusOr<ListReorganizationEffectsResponse> Preview::Effects(const rpc::Call& call,
                                                                   const std::string& name) const {
  membership::v1::GetReorganizationRequest get;
  get.set_name(name);
  ASSIGN_OR_RETURN(const auto plan, options_.membership->InvokeFor<membership::v1::Reorganization>(
                                        call, StrCat(kMembership, "GetReorganization"), get));
  if (plan.state() != membership::v1::REORGANIZATION_STATE_PLANNED) {
    return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                              "only a plan has a preview, and this reorganisation was carried out: "
                              "ask figures by tree_mode AS_OF the days before and after",
                              "只有尚未实施的方案可以预览，本调整已实施：请用 tree_mode AS_OF "
                              "查询调整前后的数字")
        .With("state", membership::v1::ReorganizationState_Name(plan.state()))
        .At("name");
  }
  membership::v1::ListReorganizationEffectsRequest list;
  list.set_name(name);
  list.set_page_size(kEffectsPage);
  ListReorganizationEffectsResponse effects;
  do {
    ASSIGN_OR_RETURN(auto page, options_.membership->InvokeFor<ListReorganizationEffectsResponse>(
                                    call, StrCat(kMembership, "ListReorganizationEffects"), list));
    list.set_page_token(page.next_page_token());
    effects.MergeFrom(page);
  } while (!list.page_token().empty());
  return effects;
}

absl::StatusOr<v1::PreviewReorganizationResponse> Preview::Get(
    rpc::Call& call, const v1::PreviewReorganizationRequest& request) {
  const Measures& measures = *options_.measures;
  ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const std::vector<std::string> after,
                   rpc::ReadPageToken(request, request.page_token(), 1));
  size_t skip = 0;
  if (!after.empty() && !ParseInteger(after[0], &skip)) {
    return InvalidArgument(common::v1::REASON_PAGE_TOKEN_INVALID,
                           "the page token is damaged: start from the first page",
                           "翻页标记已损坏：请从第一页开始")
        .At("page_token");
  }
  ASSIGN_OR_RETURN(const std::vector<const v1::Measure*> asked, AskedMeasures(measures, request));
  ASSIGN_OR_RETURN(const std::vector<Period> periods, AskedPeriods(measures, request));
  ASSIGN_OR_RETURN(const ListReorganizationEffectsResponse effects, Effects(call, request.name()));
  Basis basis;
  basis.mode = v1::TREE_MODE_AS_IS;
  RETURN_IF_ERROR(ResolveBasis(call, *options_.tree, basis));
  std::vector<v1::FigureChange> changes;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(changes, ChangesBy(tx, call, measures, basis, effects, asked, periods));
    return absl::OkStatus();
  }));
  v1::PreviewReorganizationResponse response;
  response.set_total(static_cast<int64_t>(changes.size()));
  const size_t end = std::min(changes.size(), skip + static_cast<size_t>(page_size));
  for (size_t i = skip; i < end; ++i) *response.add_changes() = std::move(changes[i]);
  if (end < changes.size()) {
    response.set_next_page_token(rpc::MakePageToken(request, {StrCat(end)}));
  }
  return response;
}

}  // namespace gonghui::reports
