#include "services/reports/figures.h"

#include <algorithm>
#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"
#include "services/reports/figure_reader.h"

namespace gonghui::reports {
namespace {

std::string DimensionsText(const v1::Figure& figure) {
  std::string text;
  for (const common::v1::Dimension& d : figure.dimensions()) {
    StrAppend(&text, d.key(), "=", d.value(), ";");
  }
  return text;
}

// Figures of one measure; those that agree stay in order of their organisations.
void SortByDimensions(absl::Span<v1::Figure> figures) {
  std::vector<std::pair<std::string, v1::Figure>> sorted;
  for (v1::Figure& figure : figures) {
    std::string text = DimensionsText(figure);
    sorted.emplace_back(std::move(text), std::move(figure));
  }
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (size_t i = 0; i < sorted.size(); ++i) figures[i] = std::move(sorted[i].second);
}

absl::StatusOr<FigureReader::Comparisons> ComparisonsOf(const v1::QueryFiguresRequest& request) {
  FigureReader::Comparisons comparisons;
  for (int i = 0; i < request.comparisons_size(); ++i) {
    const v1::Comparison comparison = request.comparisons(i);
    const bool twice =
        std::find(comparisons.begin(), comparisons.end(), comparison) != comparisons.end();
    if (comparison == v1::COMPARISON_UNSPECIFIED || twice) {
      return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                             "name each comparison once: YEAR_ON_YEAR, PERIOD_ON_PERIOD",
                             "每种比较写一次：YEAR_ON_YEAR（同比）、PERIOD_ON_PERIOD（环比）")
          .At(StrCat("comparisons[", i, "]"));
    }
    comparisons.push_back(comparison);
  }
  return comparisons;
}

// The same error at the request's own field.
absl::Status At(const absl::Status& status, std::string_view field) {
  return InvalidArgument(ReasonOf(status), std::string(FromAbsl(status.message())),
                         MessageZhOf(status))
      .At(std::string(field));
}

}  // namespace

absl::StatusOr<FigureName> ParseFigureName(const Measures& measures, std::string_view name) {
  const std::vector<std::string_view> parts = Split(name, '/');
  if (parts.size() < 7 || parts[0] != "federations" || parts[2] != "organizations" ||
      parts[4] != "figures") {
    return InvalidArgument(
               common::v1::REASON_FIELD_INVALID,
               "a figure's name is federations/{federation}/organizations/{organization}/figures/"
               "{measure}/{period}, then @as_is or @2021-01-01 for another tree, then "
               "/{key=value;key=value} where it is restricted: take it from an answer of "
               "QueryFigures",
               "指标值名称形如 federations/{federation}/organizations/{organization}/figures/"
               "{measure}/{period}，另一组织树再加 @as_is 或 @2021-01-01，有限定时再加 "
               "/{key=value;key=value}：请取自 QueryFigures 的结果")
        .At("name");
  }
  FigureName figure;
  figure.scope.tenant = parts[1];
  figure.scope.organization = parts[3];
  figure.measure = measures.Find(parts[5]);
  if (figure.measure == nullptr) return MeasureUnknown(parts[5], "name");
  const size_t at = parts[6].find('@');
  ASSIGN_OR_RETURN(figure.scope.period, measures.periods().Parse(parts[6].substr(0, at), "name"));
  if (at != std::string_view::npos) {
    ASSIGN_OR_RETURN(figure.scope.basis, ParseBasis(parts[6].substr(at + 1)));
  }
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
  *response.mutable_period_kinds() = options_.measures->catalog().period_kinds();
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
  if (request.measures_size() > 0) {
    std::stable_sort(asked.begin(), asked.end(), [&](const Asked& a, const Asked& b) {
      return options_.measures->OrderOf(a.measure->name()) <
             options_.measures->OrderOf(b.measure->name());
    });
    return asked;
  }
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
    rpc::Call& call, const v1::QueryFiguresRequest& request, const std::string& day) const {
  RETURN_IF_ERROR(CheckOrganization(*options_.tree, call.federation, request.organization()));
  std::vector<std::string> organizations = {request.organization()};
  if (!request.children()) return organizations;
  ASSIGN_OR_RETURN(auto tree, options_.tree->Get(call.federation));
  for (std::string& child : tree->Children(request.organization(), day)) {
    RETURN_IF_ERROR(call.CheckScope(child));
    organizations.push_back(std::move(child));
  }
  return organizations;
}

absl::StatusOr<v1::QueryFiguresResponse> Figures::Query(rpc::Call& call,
                                                        const v1::QueryFiguresRequest& request) {
  ASSIGN_OR_RETURN(const Period period,
                   options_.measures->periods().Parse(request.period(), "period"));
  ASSIGN_OR_RETURN(Basis basis, BasisOf(request));
  RETURN_IF_ERROR(ResolveBasis(call, *options_.tree, basis));
  ASSIGN_OR_RETURN(const FigureReader::Comparisons comparisons, ComparisonsOf(request));
  ASSIGN_OR_RETURN(const std::vector<Asked> asked, Resolve(request, period));
  ASSIGN_OR_RETURN(const std::vector<std::string> organizations,
                   Organizations(call, request, basis.DayOf(period.last_day)));
  const bool combine = Strip(request.dimensions()).empty();
  v1::QueryFiguresResponse response;
  AddFreshness(call, options_.freshness, *response.mutable_freshness());
  std::vector<v1::Figure> figures;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    figures.clear();
    FigureReader reader(tx, *options_.measures, call.federation, &call, comparisons);
    for (const Asked& one : asked) {
      const size_t first = figures.size();
      FigureScope scope{call.federation, request.organization(), period, basis};
      RETURN_IF_ERROR(reader.Fetch(scope, *one.measure, organizations));
      for (const std::string& organization : organizations) {
        scope.organization = organization;
        RETURN_IF_ERROR(combine
                            ? reader.Combine(scope, *one.measure, one.named, figures)
                            : reader.Select(scope, *one.measure, one.filter, one.named, figures));
      }
      SortByDimensions(absl::MakeSpan(figures).subspan(first));
    }
    return absl::OkStatus();
  }));
  for (v1::Figure& figure : figures) *response.add_figures() = std::move(figure);
  return response;
}

void AddFreshness(const rpc::Call& call, const FreshnessOf& freshness,
                  google::protobuf::RepeatedPtrField<v1::Freshness>& to) {
  const bool whole = call.CheckScope("").ok();
  for (v1::Freshness& source : freshness(call.federation)) {
    if (!whole) {
      source.set_head(std::max<int64_t>(0, source.head() - source.applied()));
      source.set_applied(0);
    }
    *to.Add() = std::move(source);
  }
}

absl::StatusOr<v1::GetFreshnessResponse> Figures::GetFreshness(
    rpc::Call& call, const v1::GetFreshnessRequest& request) {
  v1::GetFreshnessResponse response;
  AddFreshness(call, options_.freshness, *response.mutable_sources());
  return response;
}

}  // namespace gonghui::reports
