#include "services/reports/explanations.h"

#include <algorithm>
#include <map>
#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/page.h"
#include "services/reports/figure_reader.h"
#include "services/reports/rollups.h"

namespace gonghui::reports {
namespace {

constexpr sql::Query kListFacts{
    "reports.list_facts_behind",
    "SELECT organization, measure, on_date, dims, subject, delta, record, source, sequence, "
    "ordinal FROM facts WHERE tenant=$1 AND organization=$2 AND measure=$3 AND on_date>=$4 "
    "AND on_date<=$5 AND (on_date, source, sequence, ordinal) > ($6, $7, $8, $9) "
    "ORDER BY on_date, source, sequence, ordinal LIMIT $10"};

constexpr int kChunk = 1000;
constexpr std::string_view kHidden = "*";

// Where a fact stands in the order of records: by organisation, then date.
struct Position {
  std::string organization;
  std::string on_date;
  std::string source;
  int64_t sequence = 0;
  int64_t ordinal = 0;
};

// The first and last day of the facts behind a figure.
struct Days {
  std::string first;
  std::string last;
};

Days DaysOf(const FigureName& name) {
  std::string first = name.scope.period.first_month;
  std::string last = name.scope.period.last_month;
  if (!name.filter.months.empty()) {
    first = *name.filter.months.begin();
    last = *name.filter.months.rbegin();
  }
  return {IsBalance(name.measure->kind()) ? "" : first, EndOfMonth(last)};
}

// Reads the facts behind one figure of a counted measure.
class FactReader {
 public:
  FactReader(sql::Tx& tx, const FigureName& name, Standpoint& standpoint)
      : tx_(tx), name_(name), standpoint_(standpoint), days_(DaysOf(name)) {}

  // Calls `take` for every fact after `from`, in order, until it returns false. `below` is the
  // direct child through which the fact reaches the figure's organisation (along the second line:
  // the affiliated organisation); empty for its own facts.
  using Take = std::function<bool(const StoredFact& fact, const std::string& below,
                                  const Position& position)>;
  absl::Status Read(const Position& from, const Take& take) {
    const auto& placed = standpoint_.placed();
    for (auto unit = placed.lower_bound(from.organization); unit != placed.end(); ++unit) {
      if (!standpoint_.Reaches(unit->first, name_.scope.organization)) continue;
      Position start;
      start.organization = unit->first;
      const bool resumed = unit->first == from.organization;
      RETURN_IF_ERROR(standpoint_.Prepare(tx_, unit->first));
      ASSIGN_OR_RETURN(const bool more, ReadUnit(resumed ? from : start, take));
      if (!more) return absl::OkStatus();
    }
    return absl::OkStatus();
  }

 private:
  // False when `take` has had enough.
  absl::StatusOr<bool> ReadUnit(Position at, const Take& take) {
    while (true) {
      ASSIGN_OR_RETURN(
          sql::Rows rows,
          tx_.Run(kListFacts,
                  {name_.scope.tenant, at.organization, name_.measure->name(), days_.first,
                   days_.last, at.on_date, at.source, at.sequence, at.ordinal, int64_t{kChunk}}));
      for (size_t i = 0; i < rows.size(); ++i) {
        const StoredFact fact = ReadFact(rows[i]);
        at = {fact.organization, fact.on_date, fact.source, rows[i].Get<int64_t>(8),
              rows[i].Get<int64_t>(9)};
        std::string below;
        if (!Counts(fact, &below)) continue;
        if (!take(fact, below, at)) return false;
      }
      if (rows.size() < kChunk) return true;
    }
  }

  bool Counts(const StoredFact& fact, std::string* below) {
    const std::string month = fact.on_date.substr(0, 7);
    const bool balance = IsBalance(name_.measure->kind());
    if (!balance && !name_.filter.months.empty() && !name_.filter.months.contains(month)) {
      return false;
    }
    if (!name_.filter.Admits(CellDimensions(*name_.measure, fact.dimensions))) return false;
    const std::string& owner = name_.scope.organization;
    const std::vector<std::string>& path =
        PathAt(standpoint_.PathsOf(fact, owner), balance ? days_.last : fact.on_date);
    auto found = std::find(path.begin(), path.end(), owner);
    if (found == path.end()) return false;
    *below = found == path.begin() ? "" : *(found - 1);
    return true;
  }

  sql::Tx& tx_;
  const FigureName& name_;
  Standpoint& standpoint_;
  const Days days_;
};

// What the caller may not see of a cell is said with "*"; a hidden zero stands there as well.
absl::Status AddCells(FactReader& facts, FigureReader& figures, const FigureName& name,
                      const std::vector<std::string>& children,
                      v1::ExplainFigureResponse& response) {
  std::map<std::string, CellRows> by_child;
  RETURN_IF_ERROR(
      facts.Read({}, [&](const StoredFact& fact, const std::string& below, const Position&) {
        const std::string dims = FormatDimensions(CellDimensions(*name.measure, fact.dimensions));
        by_child[below].Add(CountsSubjects(name.measure->kind()) ? SubjectOf(fact) : "", dims,
                            fact.on_date.substr(0, 7), fact.delta, RecordsIn(fact));
        return true;
      }));
  if (!figures.SeesAll(name.scope.organization)) {
    for (const std::string& child : children) by_child[child];
  }
  for (auto& [child, rows] : by_child) {
    rows.SortBySubject();
    const SumsByGroup sums = Evaluate(*name.measure, rows, name.filter, {}, name.scope.period);
    const Sum sum = sums.empty() ? Sum{} : sums.begin()->second;
    FigureScope scope = name.scope;
    if (!child.empty()) scope.organization = child;
    ASSIGN_OR_RETURN(const bool hides,
                     figures.Hides(scope, *name.measure, name.filter,
                                   {.sum = sum, .denominator = {}}, child.empty()));
    if (!hides && sum.empty()) continue;
    v1::Cell& cell = *response.add_cells();
    cell.set_organization(child);
    cell.set_text(hides ? std::string(kHidden) : FormatValue(*name.measure, sum.value));
    if (hides) continue;
    cell.set_value(sum.value);
    cell.set_records(sum.records);
  }
  return absl::OkStatus();
}

absl::StatusOr<Position> ReadToken(const v1::ExplainFigureRequest& request) {
  ASSIGN_OR_RETURN(const std::vector<std::string> key,
                   rpc::ReadPageToken(request, request.page_token(), 5));
  Position position;
  if (key.empty()) return position;
  position = {.organization = key[0], .on_date = key[1], .source = key[2]};
  if (!ParseInteger(key[3], &position.sequence) || !ParseInteger(key[4], &position.ordinal)) {
    return InvalidArgument(common::v1::REASON_PAGE_TOKEN_INVALID,
                           "the page token is damaged: start from the first page",
                           "翻页标记已损坏：请从第一页开始")
        .At("page_token");
  }
  return position;
}

absl::Status AddRecords(FactReader& reader, const rpc::Call& call,
                        const v1::ExplainFigureRequest& request, const Position& from,
                        v1::ExplainFigureResponse& response) {
  ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  // Those of organisations that lay here once, or lie on the second line, may be another's to show.
  std::map<std::string, bool> in_scope;
  Position last;
  return reader.Read(
      from, [&](const StoredFact& fact, const std::string&, const Position& position) {
        const auto [scope, fresh] = in_scope.try_emplace(fact.organization);
        if (fresh) scope->second = call.CheckScope(fact.organization).ok();
        if (!scope->second) return true;
        if (response.records_size() == page_size) {
          response.set_next_page_token(
              rpc::MakePageToken(request, {last.organization, last.on_date, last.source,
                                           StrCat(last.sequence), StrCat(last.ordinal)}));
          return false;
        }
        last = position;
        v1::RecordContribution& record = *response.add_records();
        record.set_record(fact.record);
        record.set_organization(fact.organization);
        record.set_on_date(fact.on_date);
        record.set_delta(fact.delta);
        for (const auto& [key, value] : fact.dimensions) {
          common::v1::Dimension& dimension = *record.add_dimensions();
          dimension.set_key(key);
          dimension.set_value(value);
        }
        return true;
      });
}

std::string BasisText(const Basis& basis) {
  std::string text;
  if (basis.IsConstant()) {
    const bool today = basis.date.empty();
    StrAppend(&text, "; 按", today ? "今日" : basis.date.c_str(), "的组织树; by the tree of ",
              today ? "today" : basis.date.c_str());
  }
  if (basis.line == v1::LINE_AFFILIATED) {
    StrAppend(&text, "; 含第二线所属组织; with affiliated organisations");
  }
  return text;
}

}  // namespace

std::string FormulaOf(const FigureName& name) {
  const v1::Measure& measure = *name.measure;
  const std::string& label = measure.label().zh();
  if (measure.kind() == v1::MEASURE_KIND_RATIO) {
    return StrCat(label, " = ", measure.numerator(), " ÷ ", measure.denominator(), "; null over 0",
                  BasisText(name.scope.basis));
  }
  const Days days = DaysOf(name);
  const std::string last = days.last.substr(0, 7);
  const std::string dims = FormatDimensions(name.filter.shown);
  const std::string what = StrCat(measure.name(), dims.empty() ? "" : " ", dims);
  const std::string by = BasisText(name.scope.basis);
  switch (measure.kind()) {
    case v1::MEASURE_KIND_STOCK:
      return StrCat(label, " = 截至", last, "末增减之和; sum of delta of facts ", what,
                    " up to the end of ", last, by);
    case v1::MEASURE_KIND_HEADS:
      return StrCat(label, " = ", last, "末在册的不同对象数; different subjects of facts ", what,
                    " whose sum is positive at the end of ", last, by);
    case v1::MEASURE_KIND_DISTINCT:
      return StrCat(label, " = ", days.first, "至", last,
                    "不同对象数; different subjects of facts ", what, " from ", days.first, " to ",
                    last, by);
    default:
      return StrCat(label, " = ", days.first, "至", last, "之和; sum of delta of facts ", what,
                    " from ", days.first, " to ", last, by);
  }
}

absl::StatusOr<v1::ExplainFigureResponse> Explanations::Explain(
    rpc::Call& call, const v1::ExplainFigureRequest& request) {
  const Measures& measures = *options_.measures;
  ASSIGN_OR_RETURN(FigureName name, ParseFigureName(measures, request.name()));
  RETURN_IF_ERROR(call.CheckScope(name.scope.organization));
  RETURN_IF_ERROR(CheckOrganization(*options_.tree, call.federation, name.scope.organization));
  RETURN_IF_ERROR(ResolveBasis(call, *options_.tree, name.scope.basis));
  ASSIGN_OR_RETURN(const Position from, ReadToken(request));
  ASSIGN_OR_RETURN(const auto tree, options_.tree->Get(call.federation));
  const std::vector<std::string> children =
      tree->Children(name.scope.organization, name.scope.basis.DayOf(name.scope.period.last_day));
  v1::ExplainFigureResponse response;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    FigureReader figures(tx, measures, call.federation, &call);
    ASSIGN_OR_RETURN(*response.mutable_figure(),
                     figures.Read(name.scope, *name.measure, name.filter));
    if (name.measure->kind() == v1::MEASURE_KIND_RATIO) {
      for (const v1::Measure* measure : measures.PartsOf(*name.measure)) {
        DimensionFilter filter = name.filter;
        std::erase_if(filter.shown, [&](const auto& term) {
          return term.first != kMonthKey && FindDimension(*measure, term.first) == nullptr;
        });
        ASSIGN_OR_RETURN(*response.add_parts(), figures.Read(name.scope, *measure, filter));
      }
      return absl::OkStatus();
    }
    if (response.figure().suppressed()) return absl::OkStatus();
    ASSIGN_OR_RETURN(Standpoint standpoint,
                     Standpoint::Load(tx, name.scope.tenant, name.scope.basis, true));
    FactReader reader(tx, name, standpoint);
    if (request.page_token().empty()) {
      RETURN_IF_ERROR(AddCells(reader, figures, name, children, response));
    }
    // Single records would tell what the cells hide.
    if (IsSensitive(measures, *name.measure) && !figures.SeesAll(name.scope.organization)) {
      return absl::OkStatus();
    }
    return AddRecords(reader, call, request, from, response);
  }));
  *response.mutable_measure() = *name.measure;
  response.set_formula(FormulaOf(name));
  response.set_additive(!CountsSubjects(name.measure->kind()) &&
                        name.measure->kind() != v1::MEASURE_KIND_RATIO);
  AddFreshness(call, options_.freshness, *response.mutable_freshness());
  return response;
}

}  // namespace gonghui::reports
