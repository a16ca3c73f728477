#include "services/reports/figure_reader.h"

#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"
#include "services/reports/comparisons.h"

namespace gonghui::reports {
namespace {

constexpr size_t kFiguresMost = 20000;  // An answer stays within one message.

absl::Status TooMany() {
  return InvalidArgument(
      common::v1::REASON_TOO_MANY_ITEMS,
      StrCat("the answer would hold more than ", kFiguresMost, " figures: name fewer measures"),
      StrCat("结果超过 ", kFiguresMost, " 个指标值，请减少所查指标"));
}

void Hide(v1::Figure& figure) {
  figure.set_suppressed(true);
  figure.clear_has_value();
  figure.clear_value();
  figure.clear_text();
  figure.clear_records();
}

// The filter as a part of a ratio takes it.
DimensionFilter ForPart(const v1::Measure& part, DimensionFilter filter) {
  std::erase_if(filter.allowed,
                [&](const auto& term) { return FindDimension(part, term.first) == nullptr; });
  return filter;
}

}  // namespace

DimensionFilter FilterOf(const DimensionFilter& filter, const DimensionMap& group) {
  DimensionFilter one = filter;
  one.split.clear();
  for (const auto& [key, value] : group) {
    one.shown[key] = value;
    if (key == kMonthKey) {
      one.months = {value};
    } else {
      one.allowed[key] = {value};
    }
  }
  return one;
}

FigureReader::FigureReader(sql::Tx& tx, const Measures& measures, std::string tenant,
                           const rpc::Call* call, Comparisons comparisons)
    : tx_(tx),
      measures_(measures),
      tenant_(std::move(tenant)),
      call_(call),
      comparisons_(std::move(comparisons)),
      suppression_(tx, tenant_) {}

absl::StatusOr<v1::Figure> FigureReader::Read(const FigureScope& scope, const v1::Measure& measure,
                                              const DimensionFilter& filter) {
  Begin(scope, measure);
  ASSIGN_OR_RETURN(const LoadedPtr loaded, Load(scope, measure));
  return Make(scope, measure, filter, loaded->Total(filter));
}

absl::Status FigureReader::Select(const FigureScope& scope, const v1::Measure& measure,
                                  const DimensionFilter& filter, bool named,
                                  std::vector<v1::Figure>& figures) {
  Begin(scope, measure);
  ASSIGN_OR_RETURN(const LoadedPtr loaded, Load(scope, measure));
  if (!named && SaysNothing(scope, *loaded)) return absl::OkStatus();
  ASSIGN_OR_RETURN(Outcomes outcomes, SplitFor(scope, *loaded, filter, filter.split));
  if (outcomes.empty() && filter.split.empty() && named) {
    outcomes.emplace(DimensionMap{}, loaded->Total(filter));
  }
  for (const auto& [group, outcome] : outcomes) {
    ASSIGN_OR_RETURN(figures.emplace_back(),
                     Make(scope, measure, FilterOf(filter, group), outcome));
  }
  return figures.size() > kFiguresMost ? TooMany() : absl::OkStatus();
}

absl::Status FigureReader::Combine(const FigureScope& scope, const v1::Measure& measure, bool named,
                                   std::vector<v1::Figure>& figures) {
  Begin(scope, measure);
  ASSIGN_OR_RETURN(const LoadedPtr loaded, Load(scope, measure));
  const DimensionFilter all;
  std::vector<std::string> keys;
  for (const v1::MeasureDimension& dimension : measure.dimensions()) {
    if (!dimension.remark()) keys.push_back(dimension.key());
  }
  if (!named) {
    if (SaysNothing(scope, *loaded)) return absl::OkStatus();
    ASSIGN_OR_RETURN(const Outcomes total, SplitFor(scope, *loaded, all, {}));
    if (total.empty()) return absl::OkStatus();
  }
  for (size_t mask = 0; mask < (size_t{1} << keys.size()); ++mask) {
    std::set<std::string> split;
    for (size_t i = 0; i < keys.size(); ++i) {
      if ((mask >> i) & 1) split.insert(keys[i]);
    }
    RETURN_IF_ERROR(AddSplit(scope, *loaded, split, figures));
  }
  return figures.size() > kFiguresMost ? TooMany() : absl::OkStatus();
}

// Dimensions that the measure totals and the split does not use also stand under the total's name
// ("level=all").
absl::Status FigureReader::AddSplit(const FigureScope& scope, const LoadedMeasure& loaded,
                                    const std::set<std::string>& split,
                                    std::vector<v1::Figure>& figures) {
  const v1::Measure& measure = loaded.measure();
  std::vector<const v1::MeasureDimension*> totals;
  for (const v1::MeasureDimension& dimension : measure.dimensions()) {
    if (!dimension.total().empty() && !split.contains(dimension.key())) {
      totals.push_back(&dimension);
    }
  }
  const DimensionFilter all;
  ASSIGN_OR_RETURN(Outcomes outcomes, SplitFor(scope, loaded, all, split));
  if (split.empty() && outcomes.empty()) outcomes.emplace(DimensionMap{}, loaded.Total(all));
  for (const auto& [group, outcome] : outcomes) {
    for (size_t chosen = 0; chosen < (size_t{1} << totals.size()); ++chosen) {
      DimensionFilter filter = FilterOf(all, group);
      for (size_t i = 0; i < totals.size(); ++i) {
        if ((chosen >> i) & 1) filter.shown[totals[i]->key()] = totals[i]->total();
      }
      ASSIGN_OR_RETURN(figures.emplace_back(), Make(scope, measure, filter, outcome));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<v1::Figure>> FigureReader::All(const FigureScope& scope) {
  std::vector<v1::Figure> figures;
  for (const v1::Measure& measure : measures_.catalog().measures()) {
    RETURN_IF_ERROR(Combine(scope, measure, false, figures));
  }
  return figures;
}

void FigureReader::Begin(const FigureScope& scope, const v1::Measure& measure) {
  const bool other = at_hand_ != &measure;
  if (other || (!fetched_ && organization_at_hand_ != scope.organization)) loaded_.clear();
  if (other) fetched_ = false;
  at_hand_ = &measure;
  organization_at_hand_ = scope.organization;
}

absl::Status FigureReader::Fetch(const FigureScope& scope, const v1::Measure& measure,
                                 absl::Span<const std::string> organizations) {
  Begin(scope, measure);
  for (const v1::Measure* part : measures_.PartsOf(measure)) {
    if (CountsSubjects(part->kind())) return absl::OkStatus();
  }
  if (!scope.basis.IsDefault() || organizations.size() < 2) return absl::OkStatus();
  ASSIGN_OR_RETURN(std::vector<LoadedMeasure> all,
                   LoadedMeasure::LoadAll(tx_, measures_, scope, organizations, measure));
  for (size_t i = 0; i < all.size(); ++i) {
    loaded_[{organizations[i], measure.name(), scope.period.text, scope.basis.Text()}] =
        std::make_shared<const LoadedMeasure>(std::move(all[i]));
  }
  fetched_ = true;
  return absl::OkStatus();
}

bool FigureReader::SaysNothing(const FigureScope& scope, const LoadedMeasure& loaded) {
  return loaded.empty() &&
         (!IsSensitive(measures_, loaded.measure()) || SeesAll(scope.organization));
}

bool FigureReader::SeesAll(const std::string& organization) {
  if (call_ == nullptr) return true;
  const auto [found, fresh] = sees_all_.try_emplace(organization);
  if (fresh) found->second = call_->CheckScope(kUnsuppressed, organization).ok();
  return found->second;
}

absl::StatusOr<bool> FigureReader::Hides(const FigureScope& scope, const v1::Measure& measure,
                                         const DimensionFilter& filter, const Outcome& outcome,
                                         bool own) {
  if (!IsSensitive(measures_, measure) || SeesAll(scope.organization)) return false;
  const std::vector<const v1::Measure*> parts = measures_.PartsOf(measure);
  for (size_t i = 0; i < parts.size(); ++i) {
    const v1::Measure& part = *parts[i];
    const Sum& sum = i == 0 ? outcome.sum : *outcome.denominator;
    if (sum.value != 0 && sum.value < part.suppress_below()) return true;
    const DimensionFilter part_filter = ForPart(part, filter);
    if (!scope.basis.IsDefault() && part.suppress_below() > 0) {
      // By another tree it must be the figure as it was: their difference would tell of those who
      // moved.
      FigureScope as_was = scope;
      as_was.basis = {};
      ASSIGN_OR_RETURN(const LoadedPtr loaded, Load(as_was, part));
      if (loaded->Total(part_filter).sum.value != sum.value) return true;
    }
    ASSIGN_OR_RETURN(const bool hides, suppression_.Hides({.measure = &part,
                                                           .organization = scope.organization,
                                                           .period = scope.period,
                                                           .filter = part_filter,
                                                           .own = own}));
    if (hides) return true;
  }
  return false;
}

absl::StatusOr<Standpoint*> FigureReader::StandpointOf(const Basis& basis) {
  if (basis.IsDefault()) return nullptr;
  std::unique_ptr<Standpoint>& standpoint = standpoints_[basis.Text()];
  if (standpoint == nullptr) {
    ASSIGN_OR_RETURN(Standpoint loaded, Standpoint::Load(tx_, tenant_, basis, false));
    standpoint = std::make_unique<Standpoint>(std::move(loaded));
  }
  return standpoint.get();
}

absl::StatusOr<FigureReader::LoadedPtr> FigureReader::Load(const FigureScope& scope,
                                                           const v1::Measure& measure) {
  LoadedPtr& loaded =
      loaded_[{scope.organization, measure.name(), scope.period.text, scope.basis.Text()}];
  if (loaded == nullptr) {
    ASSIGN_OR_RETURN(Standpoint * standpoint, StandpointOf(scope.basis));
    ASSIGN_OR_RETURN(LoadedMeasure rows,
                     LoadedMeasure::Load(tx_, measures_, scope, measure, standpoint));
    loaded = std::make_shared<const LoadedMeasure>(std::move(rows));
  }
  return loaded;
}

absl::StatusOr<Outcomes> FigureReader::SplitFor(const FigureScope& scope,
                                                const LoadedMeasure& loaded,
                                                const DimensionFilter& filter,
                                                const std::set<std::string>& split) {
  Outcomes outcomes = loaded.Split(filter, split);
  const v1::Measure& measure = loaded.measure();
  if (!IsSensitive(measures_, measure) || SeesAll(scope.organization)) return outcomes;
  FigureScope root = scope;
  ASSIGN_OR_RETURN(root.organization, suppression_.Root());
  ASSIGN_OR_RETURN(const LoadedPtr everything, Load(root, measure));
  const bool ratio = measure.kind() == v1::MEASURE_KIND_RATIO;
  for (const auto& [group, unused] : everything->Split(filter, split)) {
    if (outcomes.contains(group)) continue;
    const Outcome nothing{.sum = {},
                          .denominator = ratio ? std::optional<Sum>(Sum{}) : std::nullopt};
    ASSIGN_OR_RETURN(const bool hides, Hides(scope, measure, FilterOf(filter, group), nothing));
    if (hides) outcomes.emplace(group, nothing);
  }
  return outcomes;
}

absl::StatusOr<v1::Figure> FigureReader::Make(const FigureScope& scope, const v1::Measure& measure,
                                              const DimensionFilter& filter,
                                              const Outcome& outcome) {
  v1::Figure figure = MakeFigure(scope, measure, filter.shown, outcome);
  ASSIGN_OR_RETURN(const bool hides, Hides(scope, measure, filter, outcome));
  if (hides) {
    Hide(figure);
  } else {
    RETURN_IF_ERROR(AddComparisons(scope, measure, filter, outcome, figure));
  }
  return figure;
}

absl::Status FigureReader::AddComparisons(const FigureScope& scope, const v1::Measure& measure,
                                          const DimensionFilter& filter, const Outcome& outcome,
                                          v1::Figure& figure) {
  for (const v1::Comparison comparison : comparisons_) {
    v1::ComparedFigure& compared = *figure.add_comparisons();
    compared.set_comparison(comparison);
    const auto base = BaseOf(measures_.periods(), comparison, scope.period, filter);
    if (!base) continue;
    compared.set_base_period(base->period.text);
    FigureScope base_scope = scope;
    base_scope.period = base->period;
    ASSIGN_OR_RETURN(const LoadedPtr loaded, Load(base_scope, measure));
    const Outcome base_outcome = loaded->Total(base->filter);
    ASSIGN_OR_RETURN(const bool hides, Hides(base_scope, measure, base->filter, base_outcome));
    if (!hides) compared = Compare(comparison, measure, base->period, outcome, base_outcome);
  }
  return absl::OkStatus();
}

}  // namespace gonghui::reports
