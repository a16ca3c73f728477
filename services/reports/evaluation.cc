#include "services/reports/evaluation.h"

#include <algorithm>

#include "common/base/money.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::reports {
namespace {

constexpr sql::Query kListCells{
    "reports.list_cells",
    "SELECT subject, dims, month, value, records, organization FROM cells WHERE tenant=$1 AND "
    "organization=$2 AND measure=$3 AND month>=$4 AND month<=$5 ORDER BY subject"};

constexpr sql::Query kListFactsOfMeasure{
    "reports.list_differing_facts",
    "SELECT organization, measure, on_date, dims, subject, delta, record, source FROM facts "
    "WHERE tenant=$1 AND organization=$2 AND measure=$3 AND on_date>=$4 AND on_date<=$5"};

// Months of which rows count.
struct Months {
  std::string first;  // Empty: from the beginning.
  std::string last;
  const std::set<std::string>* only = nullptr;

  bool Holds(const std::string& month) const {
    return month >= first && month <= last &&
           (only == nullptr || only->empty() || only->contains(month));
  }
};

// A balance stands at the end of the last month; everything before belongs to it.
Months CountedMonths(v1::MeasureKind kind, const DimensionFilter& filter, const Period& period) {
  if (!IsBalance(kind)) return {period.first_month, period.last_month, &filter.months};
  return {"", filter.months.empty() ? period.last_month : *filter.months.rbegin(), nullptr};
}

// Per distinct dimension text: the group its rows belong to, or none.
std::vector<std::optional<DimensionMap>> GroupsOf(const CellRows& rows,
                                                  const DimensionFilter& filter,
                                                  const std::set<std::string>& split) {
  std::vector<std::optional<DimensionMap>> groups;
  for (const DimensionMap& dims : rows.dims()) {
    std::optional<DimensionMap> group;
    if (filter.Admits(dims)) {
      group.emplace();
      for (const std::string& key : split) {
        auto found = dims.find(key);
        if (found == dims.end()) {
          group.reset();
          break;
        }
        group->emplace(key, found->second);
      }
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

SumsByGroup SumRows(v1::MeasureKind kind, const CellRows& rows, const DimensionFilter& filter,
                    const std::set<std::string>& split, const Months& months) {
  const auto groups = GroupsOf(rows, filter, split);
  SumsByGroup sums;
  std::vector<Sum*> targets;  // Beside groups.
  for (const auto& group : groups) {
    targets.push_back(group.has_value() ? &sums[*group] : nullptr);
  }
  const bool subjects = CountsSubjects(kind);
  std::map<Sum*, int64_t> nets;  // Of the subject at hand, by group.
  const std::string* subject = nullptr;
  const auto count_subject = [&] {
    for (const auto& [target, net] : nets) {
      target->value += subject->empty() ? net : net > 0 ? 1 : 0;  // Empty: stated by a return.
    }
    nets.clear();
  };
  for (const CellRows::Row& row : rows.rows()) {
    if (subjects && (subject == nullptr || row.subject != *subject)) {
      count_subject();
      subject = &row.subject;
    }
    Sum* target = targets[row.dims];
    if (target == nullptr || !months.Holds(row.month)) continue;
    target->records += row.records;
    if (subjects) {
      nets[target] += row.value;
    } else {
      target->value += row.value;
    }
  }
  count_subject();
  std::erase_if(sums, [](const auto& entry) { return entry.second.empty(); });
  return sums;
}

// Decimal places between the smallest unit and the printed one.
int ScaleOf(const v1::Measure& measure) {
  if (measure.unit() == "wan_yuan") return 6;
  return measure.unit() == "yuan" ? 2 : 0;
}

constexpr int kRatioDecimals = 2;
constexpr int64_t kRatioUnits = 100;

// Sets value and text of a ratio; leaves them empty over zero.
void SetRatio(const v1::Measure& measure, const Outcome& outcome, v1::Figure& figure) {
  int64_t denominator = outcome.denominator->value;
  if (denominator <= 0) return;
  const bool per_head = measure.unit() == "yuan";  // Of a sum in fen.
  if (per_head && __builtin_mul_overflow(denominator, 100, &denominator)) return;
  auto millionths = MulDivRound(outcome.sum.value, 1'000'000, denominator);
  const bool percent = measure.unit() == "%";
  auto printed = MulDivRound(outcome.sum.value, (percent ? 100 : 1) * kRatioUnits, denominator);
  if (!millionths.ok() || !printed.ok()) return;
  figure.set_has_value(true);
  figure.set_value(*millionths);
  figure.set_text(TrimmedDecimal(*printed, kRatioDecimals));
}

// Takes facts that count differently under the basis out of the cells and puts them in again.
absl::Status Correct(sql::Tx& tx, const FigureScope& scope, const v1::Measure& measure,
                     Standpoint& standpoint, CellRows& cells) {
  const std::string first = IsBalance(measure.kind()) ? "" : scope.period.first_month;
  const std::vector<std::string>& differing = standpoint.Differing(scope.organization);
  for (const std::string& organization : differing) {
    RETURN_IF_ERROR(standpoint.Prepare(tx, organization));
    RETURN_IF_ERROR(tx.Stream(
        kListFactsOfMeasure,
        {scope.tenant, organization, measure.name(), first, EndOfMonth(scope.period.last_month)},
        [&](const sql::Rows::Row& row) {
          const StoredFact fact = ReadFact(row);
          const std::string dims = FormatDimensions(CellDimensions(measure, fact.dimensions));
          const auto count = [&](const PathHistory& paths, int sign) {
            ForEachShare(measure.kind(), paths, fact.on_date,
                         [&](const std::string& owner, const std::string& month, int share) {
                           if (owner != scope.organization) return;
                           cells.Add(CountsSubjects(measure.kind()) ? SubjectOf(fact) : "", dims,
                                     month, sign * share * fact.delta,
                                     sign * share * RecordsIn(fact));
                         });
          };
          count(standpoint.CellPaths(fact), -1);
          count(standpoint.PathsOf(fact, scope.organization), 1);
          return absl::OkStatus();
        }));
  }
  if (!differing.empty()) cells.SortBySubject();
  return absl::OkStatus();
}

sql::Args CellsKey(const FigureScope& scope, const std::string& organization,
                   const v1::Measure& measure) {
  const std::string first = IsBalance(measure.kind()) ? "" : scope.period.first_month;
  return {scope.tenant, organization, measure.name(), first, scope.period.last_month};
}

}  // namespace

void CellRows::Add(const sql::Rows::Row& row) {
  Add(row.Get<std::string>(0), row.Get<std::string_view>(1), row.Get<std::string>(2),
      row.Get<int64_t>(3), row.Get<int64_t>(4));
}

void CellRows::Add(std::string subject, std::string_view dims, std::string month, int64_t value,
                   int64_t records) {
  auto found = dims_index_.find(dims);
  if (found == dims_index_.end()) {
    found = dims_index_.emplace(std::string(dims), dims_.size()).first;
    dims_.push_back(ParseDimensions(dims));
  }
  rows_.push_back({std::move(subject), found->second, std::move(month), value, records});
}

void CellRows::SortBySubject() {
  std::sort(rows_.begin(), rows_.end(),
            [](const Row& a, const Row& b) { return a.subject < b.subject; });
}

absl::StatusOr<CellRows> LoadCells(sql::Tx& tx, const FigureScope& scope,
                                   const v1::Measure& measure, Standpoint* standpoint) {
  CellRows cells;
  RETURN_IF_ERROR(tx.Stream(kListCells, CellsKey(scope, scope.organization, measure),
                            [&](const sql::Rows::Row& row) {
                              cells.Add(row);
                              return absl::OkStatus();
                            }));
  if (standpoint != nullptr) RETURN_IF_ERROR(Correct(tx, scope, measure, *standpoint, cells));
  return cells;
}

SumsByGroup Evaluate(const v1::Measure& measure, const CellRows& rows,
                     const DimensionFilter& filter, const std::set<std::string>& split,
                     const Period& period) {
  const Months months = CountedMonths(measure.kind(), filter, period);
  if (!split.contains(std::string(kMonthKey))) {
    return SumRows(measure.kind(), rows, filter, split, months);
  }
  std::set<std::string> keys = split;
  keys.erase(std::string(kMonthKey));
  SumsByGroup sums;
  for (const std::string& month : MonthsOf(period)) {
    const Months one{IsBalance(measure.kind()) ? "" : month, month, nullptr};
    for (auto& [group, sum] : SumRows(measure.kind(), rows, filter, keys, one)) {
      DimensionMap dated = group;
      dated.emplace(kMonthKey, month);
      sums.emplace(std::move(dated), sum);
    }
  }
  return sums;
}

absl::StatusOr<LoadedMeasure> LoadedMeasure::Load(sql::Tx& tx, const Measures& measures,
                                                  const FigureScope& scope,
                                                  const v1::Measure& measure,
                                                  Standpoint* standpoint) {
  LoadedMeasure loaded;
  loaded.measure_ = &measure;
  loaded.period_ = scope.period;
  loaded.parts_ = measures.PartsOf(measure);
  for (const v1::Measure* part : loaded.parts_) {
    ASSIGN_OR_RETURN(CellRows rows, LoadCells(tx, scope, *part, standpoint));
    loaded.rows_.push_back(std::move(rows));
  }
  return loaded;
}

absl::StatusOr<std::vector<LoadedMeasure>> LoadedMeasure::LoadAll(
    sql::Tx& tx, const Measures& measures, const FigureScope& scope,
    absl::Span<const std::string> organizations, const v1::Measure& measure) {
  LoadedMeasure empty;
  empty.measure_ = &measure;
  empty.period_ = scope.period;
  empty.parts_ = measures.PartsOf(measure);
  empty.rows_.resize(empty.parts_.size());
  std::vector<LoadedMeasure> all(organizations.size(), empty);
  for (size_t part = 0; part < empty.parts_.size(); ++part) {
    std::vector<sql::Args> keys;
    for (const std::string& organization : organizations) {
      keys.push_back(CellsKey(scope, organization, *empty.parts_[part]));
    }
    size_t at = 0;  // Rows come in the order of the keys.
    RETURN_IF_ERROR(tx.ReadMany(kListCells, keys, [&](const sql::Rows::Row& row) {
      while (row.Get<std::string_view>(5) != organizations[at]) ++at;
      all[at].rows_[part].Add(row);
    }));
  }
  return all;
}

bool LoadedMeasure::empty() const {
  // A ratio without denominator says nothing.
  return rows_.back().empty();
}

Outcomes LoadedMeasure::Split(const DimensionFilter& filter,
                              const std::set<std::string>& split) const {
  Outcomes outcomes;
  for (auto& [group, sum] : Evaluate(*parts_[0], rows_[0], filter, split, period_)) {
    outcomes[group].sum = sum;
  }
  if (parts_.size() == 1) return outcomes;
  for (auto& [group, sum] : Evaluate(*parts_[1], rows_[1], filter, split, period_)) {
    outcomes[group].denominator = sum;
  }
  for (auto& [group, outcome] : outcomes) {
    if (!outcome.denominator.has_value()) outcome.denominator.emplace();
  }
  return outcomes;
}

Outcome LoadedMeasure::Total(const DimensionFilter& filter) const {
  Outcomes outcomes = Split(filter, {});
  if (!outcomes.empty()) return outcomes.begin()->second;
  return {.sum = {}, .denominator = parts_.size() == 2 ? std::optional<Sum>(Sum{}) : std::nullopt};
}

std::string FormatValue(const v1::Measure& measure, int64_t value) {
  return TrimmedDecimal(value, ScaleOf(measure));
}

std::string TrimmedDecimal(int64_t value, int scale) {
  std::string text = FormatScaled(value, scale, scale);
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

v1::Figure MakeFigure(const FigureScope& scope, const v1::Measure& measure,
                      const DimensionMap& dimensions, const Outcome& outcome) {
  v1::Figure figure;
  const std::string dims = FormatDimensions(dimensions);
  const std::string basis = scope.basis.Text();
  figure.set_name(StrCat("federations/", scope.tenant, "/organizations/", scope.organization,
                         "/figures/", measure.name(), "/", scope.period.text,
                         basis.empty() ? "" : "@", basis, dims.empty() ? "" : "/", dims));
  figure.set_measure(measure.name());
  for (const auto& [key, value] : dimensions) {
    common::v1::Dimension& dimension = *figure.add_dimensions();
    dimension.set_key(key);
    dimension.set_value(value);
  }
  figure.set_period(scope.period.text);
  figure.set_organization(scope.organization);
  figure.set_unit(measure.unit());
  *figure.mutable_label() = measure.label();
  figure.set_records(outcome.sum.records);
  if (outcome.denominator.has_value()) {
    SetRatio(measure, outcome, figure);
  } else {
    figure.set_has_value(true);
    figure.set_value(outcome.sum.value);
    figure.set_text(FormatValue(measure, outcome.sum.value));
  }
  return figure;
}

}  // namespace gonghui::reports
