#include "services/reports/frozen_figures.h"

#include <algorithm>
#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"
#include "services/reports/comparisons.h"
#include "services/reports/figure_reader.h"

namespace gonghui::reports {
namespace {

constexpr size_t kNameParts = 9;  // With figures/{organization}/{measure}.

const Outcome& Nothing(bool ratio) {
  static const Outcome& zero = *new Outcome();
  static const Outcome& over_zero = *new Outcome{.sum = {}, .denominator = Sum{}};
  return ratio ? over_zero : zero;
}

absl::Status NothingOf(const EditionId& id, const std::string& organization) {
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("the edition ", id.Name(), " holds no figures of '", organization,
                         "': take an edition of an organisation above it"),
                  StrCat("版本 ", id.Name(), " 中没有“", organization,
                         "”的指标：请使用其上级组织的版本"))
      .At("edition");
}

}  // namespace

std::string EditionFigureName::Text() const {
  const std::string dimensions = FormatDimensions(filter.shown);
  return StrCat(edition.Name(), "/figures/", organization, "/", measure->name(),
                dimensions.empty() ? "" : "/", dimensions);
}

bool IsEditionFigure(std::string_view name) {
  const std::vector<std::string_view> parts = Split(name, '/');
  return parts.size() >= kNameParts && parts[4] == "editions" && parts[6] == "figures";
}

absl::StatusOr<EditionFigureName> ParseEditionFigureName(const Measures& measures,
                                                         std::string_view name) {
  const std::vector<std::string_view> parts = Split(name, '/');
  if (!IsEditionFigure(name)) return NoEdition(name);
  EditionFigureName figure;
  ASSIGN_OR_RETURN(figure.edition, ParseEdition(name.substr(0, parts[6].data() - name.data() - 1)));
  figure.organization = parts[7];
  figure.measure = measures.Find(parts[8]);
  if (figure.measure == nullptr) return MeasureUnknown(parts[8], "name");
  ASSIGN_OR_RETURN(const Period period, measures.periods().Parse(figure.edition.period, "name"));
  std::string_view dimensions;  // A value may hold "/".
  if (parts.size() > kNameParts) dimensions = name.substr(parts[kNameParts].data() - name.data());
  ASSIGN_OR_RETURN(figure.filter, ParseFilter(measures, *figure.measure, period, dimensions));
  if (!figure.filter.split.empty()) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           "a name stands for one figure: write a value instead of '*'",
                           "名称只对应一个指标值：请用具体值代替“*”")
        .At("name");
  }
  return figure;
}

absl::StatusOr<FrozenFigures> FrozenFigures::Load(sql::Tx& tx, const Measures& measures,
                                                  const EditionId& id,
                                                  const std::string& organization) {
  FrozenFigures frozen(measures, id, organization);
  const auto edition = LoadEdition(tx, id);
  if (absl::IsNotFound(edition.status())) return NoEdition(id.Name(), "edition");
  if (!edition.ok()) return edition.status();
  ASSIGN_OR_RETURN(frozen.period_, measures.periods().Parse(id.period, "edition"));
  frozen.closed_us_ = edition->create_time_us();
  ASSIGN_OR_RETURN(frozen.definitions_, ReadEditionDefinitions(tx, id));
  ASSIGN_OR_RETURN(frozen.figures_, ReadEditionFigures(tx, id, organization));
  if (frozen.figures_.empty()) return NothingOf(id, organization);
  RETURN_IF_ERROR(frozen.LoadBeside(tx, *edition));
  return frozen;
}

absl::Status FrozenFigures::LoadBeside(sql::Tx& tx, const v1::Edition& edition) {
  for (const v1::Comparison comparison :
       {v1::COMPARISON_YEAR_ON_YEAR, v1::COMPARISON_PERIOD_ON_PERIOD}) {
    const auto base = BaseOf(measures_->periods(), comparison, period_, {});
    if (!base.has_value()) continue;
    EditionId id = id_;
    id.period = base->period.text;
    ASSIGN_OR_RETURN(const std::vector<v1::Edition> all, EditionsOfPeriod(tx, id));
    const auto stood = std::find_if(all.begin(), all.end(), [&](const v1::Edition& other) {
      return other.create_time_us() <= edition.create_time_us();
    });
    if (stood == all.end()) continue;
    id.number = stood->number();
    Beside& beside = beside_[comparison];
    beside.period = base->period;
    ASSIGN_OR_RETURN(beside.figures, ReadEditionFigures(tx, id, organization_));
  }
  return absl::OkStatus();
}

const v1::Measure* FrozenFigures::Defined(std::string_view measure) const {
  for (const v1::Measure& defined : definitions_.measures()) {
    if (defined.name() == measure) return &defined;
  }
  return nullptr;
}

v1::Figure FrozenFigures::Make(const v1::Measure& defined, const DimensionMap& shown,
                               const DimensionMap& dimensions) const {
  const EditionKey key{organization_, defined.name(), FormatDimensions(dimensions)};
  const Outcome& nothing = Nothing(defined.kind() == v1::MEASURE_KIND_RATIO);
  const auto found = figures_.find(key);
  const Outcome& outcome = found == figures_.end() ? nothing : found->second.outcome;
  v1::Figure figure = MakeFigure({id_.tenant, organization_, period_, {}}, defined, shown, outcome);
  if (found != figures_.end()) figure.set_text(found->second.text);
  for (const auto& [comparison, beside] : beside_) {
    const auto base = beside.figures.find(key);
    *figure.add_comparisons() =
        Compare(comparison, defined, beside.period, outcome,
                base == beside.figures.end() ? nothing : base->second.outcome);
  }
  return figure;
}

v1::Figure FrozenFigures::Read(const v1::Measure& measure, const DimensionFilter& filter) const {
  const v1::Measure* defined = Defined(measure.name());
  bool tells = defined != nullptr && filter.months.empty();
  DimensionMap dimensions;
  for (const auto& [key, values] : filter.allowed) {
    tells = tells && values.size() == 1 && FindDimension(*defined, key) != nullptr;
    dimensions[key] = *values.begin();
  }
  v1::Figure figure;
  if (tells) {
    figure = Make(*defined, filter.shown, dimensions);
  } else {
    figure.set_measure(measure.name());
    figure.set_unit(measure.unit());
    figure.set_period(period_.text);
    figure.set_organization(organization_);
    *figure.mutable_label() = measure.label();
  }
  figure.set_name(EditionFigureName{id_, organization_, &measure, filter}.Text());
  return figure;
}

std::vector<v1::Figure> FrozenFigures::All() const {
  std::vector<v1::Figure> figures;
  for (const v1::Measure& measure : measures_->catalog().measures()) {
    const auto of_measure = figures_.lower_bound({organization_, measure.name(), ""});
    for (auto at = of_measure; at != figures_.end() && at->first.measure == measure.name(); ++at) {
      figures.push_back(Read(measure, FilterOf({}, ParseDimensions(at->first.dimensions))));
    }
  }
  return figures;
}

}  // namespace gonghui::reports
