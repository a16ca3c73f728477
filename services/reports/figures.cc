#include "services/reports/figures.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::reports {
namespace {

constexpr size_t kFiguresMost = 20000;  // An answer stays within one message.

absl::Status TooMany() {
  return InvalidArgument(
      common::v1::REASON_TOO_MANY_ITEMS,
      StrCat("the answer would hold more than ", kFiguresMost, " figures: name fewer measures"),
      StrCat("结果超过 ", kFiguresMost, " 个指标值，请减少所查指标"));
}

// Adds the outcomes of one split; dimensions that the measure totals and the split does not use
// also stand under the total's name ("level=all").
void AddSplit(const FigureScope& scope, const v1::Measure& measure, const Outcomes& outcomes,
              const std::set<std::string>& split, std::vector<v1::Figure>& figures) {
  std::vector<const v1::MeasureDimension*> totals;
  for (const v1::MeasureDimension& dimension : measure.dimensions()) {
    if (!dimension.total().empty() && !split.contains(dimension.key())) {
      totals.push_back(&dimension);
    }
  }
  for (const auto& [group, outcome] : outcomes) {
    for (size_t named = 0; named < (size_t{1} << totals.size()); ++named) {
      DimensionMap dimensions = group;
      for (size_t i = 0; i < totals.size(); ++i) {
        if ((named >> i) & 1) dimensions.emplace(totals[i]->key(), totals[i]->total());
      }
      figures.push_back(MakeFigure(scope, measure, dimensions, outcome));
    }
  }
}

// The total and every combination of the measure's dimensions.
void AddCombinations(const FigureScope& scope, const LoadedMeasure& loaded, bool even_without_facts,
                     std::vector<v1::Figure>& figures) {
  const DimensionFilter all;
  const v1::Measure& measure = loaded.measure();
  std::vector<std::string> keys;
  for (const v1::MeasureDimension& dimension : measure.dimensions()) {
    if (!dimension.remark()) keys.push_back(dimension.key());
  }
  Outcomes total = loaded.Split(all, {});
  if (total.empty() && !even_without_facts) return;
  if (total.empty()) total.emplace(DimensionMap{}, loaded.Total(all));
  AddSplit(scope, measure, total, {}, figures);
  for (size_t mask = 1; mask < (size_t{1} << keys.size()); ++mask) {
    std::set<std::string> split;
    for (size_t i = 0; i < keys.size(); ++i) {
      if ((mask >> i) & 1) split.insert(keys[i]);
    }
    AddSplit(scope, measure, loaded.Split(all, split), split, figures);
  }
}

// What the request's dimensions select.
void AddSelected(const FigureScope& scope, const LoadedMeasure& loaded,
                 const DimensionFilter& filter, bool even_without_facts,
                 std::vector<v1::Figure>& figures) {
  Outcomes outcomes = loaded.Split(filter, filter.split);
  if (outcomes.empty() && filter.split.empty() && even_without_facts) {
    outcomes.emplace(DimensionMap{}, loaded.Total(filter));
  }
  for (auto& [group, outcome] : outcomes) {
    DimensionMap dimensions = filter.shown;
    dimensions.insert(group.begin(), group.end());
    figures.push_back(MakeFigure(scope, loaded.measure(), dimensions, outcome));
  }
}

std::string DimensionsText(const v1::Figure& figure) {
  std::string text;
  for (const common::v1::Dimension& d : figure.dimensions()) {
    StrAppend(&text, d.key(), "=", d.value(), ";");
  }
  return text;
}

// The same error at the request's own field.
absl::Status At(const absl::Status& status, std::string_view field) {
  return InvalidArgument(ReasonOf(status), std::string(FromAbsl(status.message())),
                         MessageZhOf(status))
      .At(std::string(field));
}

}  // namespace

absl::StatusOr<Period> ReadPeriod(std::string_view text, std::string_view field) {
  auto period = ParsePeriod(text);
  if (!period.ok()) return At(period.status(), field);
  return period;
}

absl::StatusOr<FigureName> ParseFigureName(const Measures& measures, std::string_view name) {
  const std::vector<std::string_view> parts = Split(name, '/');
  if (parts.size() < 7 || parts[0] != "federations" || parts[2] != "organizations" ||
      parts[4] != "figures") {
    return InvalidArgument(
               common::v1::REASON_FIELD_INVALID,
               "a figure's name is federations/{federation}/organizations/{organization}/figures/"
               "{measure}/{period}, then /{key=value;key=value} where it is restricted: take it "
               "from an answer of QueryFigures",
               "指标值名称形如 federations/{federation}/organizations/{organization}/figures/"
               "{measure}/{period}，有限定时再加 /{key=value;key=value}：请取自 QueryFigures "
               "的结果")
        .At("name");
  }
  FigureName figure;
  figure.scope.tenant = parts[1];
  figure.scope.organization = parts[3];
  figure.measure = measures.Find(parts[5]);
  if (figure.measure == nullptr) return MeasureUnknown(parts[5], "name");
  ASSIGN_OR_RETURN(figure.scope.period, ReadPeriod(parts[6], "name"));
  std::string dimensions;
  for (size_t i = 7; i < parts.size(); ++i) {  // A value may hold "/".
    StrAppend(&dimensions, i == 7 ? "" : "/", parts[i]);
  }
  auto filter = ParseFilter(measures, *figure.measure, figure.scope.period, dimensions);
  if (!filter.ok()) return At(filter.status(), "name");
  if (!filter->split.empty()) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           "a name stands for one figure: write a value instead of '*'",
                           "名称只对应一个指标值：请用具体值代替“*”")
        .At("name");
  }
  figure.filter = *std::move(filter);
  return figure;
}

absl::StatusOr<v1::Figure> ReadFigure(sql::Tx& tx, const Measures& measures,
                                      const FigureName& name) {
  ASSIGN_OR_RETURN(LoadedMeasure loaded,
                   LoadedMeasure::Load(tx, measures, name.scope, *name.measure));
  return MakeFigure(name.scope, *name.measure, name.filter.shown, loaded.Total(name.filter));
}

absl::StatusOr<std::vector<v1::Figure>> AllFigures(sql::Tx& tx, const Measures& measures,
                                                   const FigureScope& scope) {
  std::vector<v1::Figure> figures;
  for (const v1::Measure& measure : measures.catalog().measures()) {
    ASSIGN_OR_RETURN(LoadedMeasure loaded, LoadedMeasure::Load(tx, measures, scope, measure));
    if (!loaded.empty()) AddCombinations(scope, loaded, false, figures);
    if (figures.size() > kFiguresMost) return TooMany();
  }
  return figures;
}

absl::Status CheckOrganization(const tree::TreeCache& tree, const std::string& federation,
                               const std::string& organization) {
  ASSIGN_OR_RETURN(auto now, tree.Get(federation, organization));
  if (now->Exists(organization)) return absl::OkStatus();
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("there is no organisation '", organization,
                         "' in this federation: ListOrganizations shows the known ones"),
                  StrCat("本联合会没有组织“", organization, "”：请用 ListOrganizations 查看"))
      .With("organization", organization)
      .At("organization");
}

absl::StatusOr<v1::ListMeasuresResponse> Figures::ListMeasures(
    rpc::Call& call, const v1::ListMeasuresRequest& request) {
  v1::ListMeasuresResponse response;
  *response.mutable_measures() = options_.measures->catalog().measures();
  response.set_version(options_.measures->catalog().version());
  return response;
}

absl::StatusOr<std::vector<Figures::Asked>> Figures::Resolve(const v1::QueryFiguresRequest& request,
                                                             const Period& period) const {
  std::vector<Asked> asked;
  for (int i = 0; i < request.measures_size(); ++i) {
    const v1::Measure* measure = options_.measures->Find(request.measures(i));
    if (measure == nullptr) {
      return MeasureUnknown(request.measures(i), StrCat("measures[", i, "]"));
    }
    ASSIGN_OR_RETURN(DimensionFilter filter,
                     ParseFilter(*options_.measures, *measure, period, request.dimensions()));
    asked.push_back({measure, std::move(filter), true});
  }
  if (request.measures_size() > 0) return asked;
  // All measures that know the dimensions asked for.
  absl::Status refused;
  for (const v1::Measure& measure : options_.measures->catalog().measures()) {
    auto filter = ParseFilter(*options_.measures, measure, period, request.dimensions());
    if (filter.ok()) {
      asked.push_back({&measure, *std::move(filter), false});
    } else if (refused.ok() || ReasonOf(filter.status()) != common::v1::REASON_DIMENSION_UNKNOWN) {
      refused = filter.status();
    }
  }
  if (asked.empty()) return refused;
  return asked;
}

absl::StatusOr<std::vector<std::string>> Figures::Organizations(
    rpc::Call& call, const v1::QueryFiguresRequest& request, const Period& period) const {
  RETURN_IF_ERROR(CheckOrganization(*options_.tree, call.federation, request.organization()));
  std::vector<std::string> organizations = {request.organization()};
  if (!request.children()) return organizations;
  ASSIGN_OR_RETURN(auto tree, options_.tree->Get(call.federation));
  for (std::string& child : tree->Children(request.organization(), period.last_day)) {
    RETURN_IF_ERROR(call.CheckScope(child));
    organizations.push_back(std::move(child));
  }
  return organizations;
}

absl::StatusOr<v1::QueryFiguresResponse> Figures::Query(rpc::Call& call,
                                                        const v1::QueryFiguresRequest& request) {
  ASSIGN_OR_RETURN(const Period period, ReadPeriod(request.period(), "period"));
  ASSIGN_OR_RETURN(const std::vector<Asked> asked, Resolve(request, period));
  ASSIGN_OR_RETURN(const std::vector<std::string> organizations,
                   Organizations(call, request, period));
  v1::QueryFiguresResponse response;
  for (v1::Freshness& source : options_.freshness(call.federation)) {
    *response.add_freshness() = std::move(source);
  }
  std::vector<v1::Figure> figures;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    figures.clear();
    for (const std::string& organization : organizations) {
      const FigureScope scope{call.federation, organization, period};
      for (const Asked& one : asked) {
        ASSIGN_OR_RETURN(LoadedMeasure loaded,
                         LoadedMeasure::Load(tx, *options_.measures, scope, *one.measure));
        if (loaded.empty() && !one.named) continue;
        if (Strip(request.dimensions()).empty()) {
          AddCombinations(scope, loaded, one.named, figures);
        } else {
          AddSelected(scope, loaded, one.filter, one.named, figures);
        }
        if (figures.size() > kFiguresMost) return TooMany();
      }
    }
    return absl::OkStatus();
  }));
  std::stable_sort(figures.begin(), figures.end(), [&](const v1::Figure& a, const v1::Figure& b) {
    return std::make_tuple(options_.measures->OrderOf(a.measure()), DimensionsText(a)) <
           std::make_tuple(options_.measures->OrderOf(b.measure()), DimensionsText(b));
  });
  for (v1::Figure& figure : figures) *response.add_figures() = std::move(figure);
  return response;
}

absl::StatusOr<v1::GetFreshnessResponse> Figures::GetFreshness(
    rpc::Call& call, const v1::GetFreshnessRequest& request) {
  v1::GetFreshnessResponse response;
  for (v1::Freshness& source : options_.freshness(call.federation)) {
    *response.add_sources() = std::move(source);
  }
  return response;
}

}  // namespace gonghui::reports
