#include "services/reports/edition_changes.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "common/base/status.h"
#include "services/reports/figure_reader.h"

namespace gonghui::reports {
namespace {

constexpr sql::Query kListFactsOfMeasure{
    "reports.edition_list_facts",
    "SELECT organization, measure, on_date, dims, subject, delta, record, source, sequence "
    "FROM facts WHERE tenant=$1 AND organization=$2 AND measure=$3"};

constexpr sql::Query kListRecordsOfUnit{
    "reports.edition_list_records",
    "SELECT record, source, sequence FROM facts WHERE tenant=$1 AND organization=$2"};

constexpr size_t kRecordsMost = 20;

using RecordSet = std::set<std::string, std::less<>>;

// What the edition before knew of a fact.
enum class Known {
  kYes,     // The fact.
  kRecord,  // Not the fact, but others of its record: a correction.
  kNo,      // Nothing: a late record.
};
constexpr size_t kKnownKinds = 3;

// What may be a change: the sums behind a figure differ, or only one of the two has it.
struct Difference {
  EditionKey key;
  const EditionFigure* before;  // nullptr: it had none.
  const EditionFigure* after;
};

// The number of records may differ while the figure does not.
bool IsSame(const EditionFigure& a, const EditionFigure& b) {
  const auto over = [](const EditionFigure& figure) {
    return figure.outcome.denominator.has_value() ? figure.outcome.denominator->value : 0;
  };
  return a.text == b.text && a.outcome.sum.value == b.outcome.sum.value && over(a) == over(b);
}

std::vector<Difference> Differences(const EditionFigures& before, const EditionFigures& after) {
  std::vector<Difference> differences;
  for (const auto& [key, figure] : after) {
    const auto old = before.find(key);
    if (old == before.end()) {
      differences.push_back({key, nullptr, &figure});
    } else if (!IsSame(old->second, figure)) {
      differences.push_back({key, &old->second, &figure});
    }
  }
  for (const auto& [key, figure] : before) {
    if (!after.contains(key)) differences.push_back({key, &figure, nullptr});
  }
  return differences;
}

// A measure as one of the two catalogues defines it.
struct Definition {
  const v1::Measure* measure = nullptr;     // nullptr: that catalogue has none.
  std::vector<const v1::Measure*> parts{};  // Of a ratio numerator and denominator, else itself.

  bool CountsAs(const Definition& other) const {
    if (measure == nullptr || other.measure == nullptr || parts.size() != other.parts.size()) {
      return false;
    }
    for (size_t i = 0; i < parts.size(); ++i) {
      if (Essence(*parts[i]) != Essence(*other.parts[i])) return false;
    }
    return Essence(*measure) == Essence(*other.measure);
  }

 private:
  // What its figures depend on.
  static std::string Essence(const v1::Measure& measure) {
    v1::Measure essence;
    essence.set_name(measure.name());
    essence.set_kind(measure.kind());
    essence.set_unit(measure.unit());
    *essence.mutable_dimensions() = measure.dimensions();
    essence.set_numerator(measure.numerator());
    essence.set_denominator(measure.denominator());
    return essence.SerializeAsString();
  }
};

Definition DefinitionIn(const v1::MeasureCatalog& catalog, const std::string& name) {
  const auto find = [&](const std::string& wanted) -> const v1::Measure* {
    for (const v1::Measure& measure : catalog.measures()) {
      if (measure.name() == wanted) return &measure;
    }
    return nullptr;
  };
  Definition definition{.measure = find(name)};
  if (definition.measure == nullptr) return definition;
  if (definition.measure->kind() != v1::MEASURE_KIND_RATIO) {
    definition.parts = {definition.measure};
  } else {
    definition.parts = {find(definition.measure->numerator()),
                        find(definition.measure->denominator())};
  }
  return definition;
}

// The facts of one part of a measure for one owner, by what the base knew of them.
struct PartFacts {
  struct Row {
    std::string subject;
    std::string dims;
    std::string month;
    int64_t value;
    int64_t records;
    std::string record;
  };
  std::array<std::vector<Row>, kKnownKinds> rows;

  CellRows Cells(const v1::Measure& part, std::initializer_list<Known> known) const {
    CellRows cells;
    for (const Known kind : known) {
      for (const Row& row : rows[static_cast<size_t>(kind)]) {
        cells.Add(row.subject, row.dims, row.month, row.value, row.records);
      }
    }
    if (CountsSubjects(part.kind())) cells.SortBySubject();
    return cells;
  }
};

// Finds the causes for the differing figures of one measure.
class Causes {
 public:
  Causes(sql::Tx& tx, const FigureScope& scope, const EditionBase& base, const EditionNow& now,
         const RecordSet& corrected, Standpoint& standpoint, Definition before, Definition after)
      : tx_(tx),
        scope_(scope),
        base_(base),
        now_(now),
        corrected_(corrected),
        standpoint_(standpoint),
        before_(std::move(before)),
        after_(std::move(after)),
        redefined_(!before_.CountsAs(after_)) {}

  absl::Status Load(const std::set<std::string>& owners) {
    for (const Definition* definition : {&before_, &after_}) {
      if (definition == &before_ && !redefined_) continue;
      for (const v1::Measure* part : definition->parts) RETURN_IF_ERROR(LoadPart(*part, owners));
    }
    return absl::OkStatus();
  }

  v1::EditionChange Explain(const Difference& difference) const {
    v1::EditionChange change;
    change.set_organization(difference.key.organization);
    change.set_measure(difference.key.measure);
    change.set_dimensions(difference.key.dimensions);
    const Definition& shown = after_.measure != nullptr ? after_ : before_;
    change.set_unit(shown.measure->unit());
    if (difference.before != nullptr) {
      change.set_old_text(difference.before->text);
      change.set_old_value(ValueOf(before_, difference.key, difference.before->outcome));
    }
    if (difference.after != nullptr) {
      change.set_new_text(difference.after->text);
      change.set_new_value(ValueOf(after_, difference.key, difference.after->outcome));
    }
    change.set_delta(change.new_value() - change.old_value());
    int64_t reached = change.old_value();
    const auto step = [&](v1::ChangeCause cause, int64_t value) {
      if (value != reached) {
        v1::CausedDelta& delta = *change.add_causes();
        delta.set_cause(cause);
        delta.set_delta(value - reached);
      }
      reached = value;
    };
    if (before_.measure != nullptr) {
      step(v1::CHANGE_CAUSE_REORGANISED,
           Again(redefined_ ? before_ : after_, difference.key, {Known::kYes}));
    }
    if (after_.measure == nullptr) {
      step(v1::CHANGE_CAUSE_REDEFINED, 0);
      return change;
    }
    step(v1::CHANGE_CAUSE_REDEFINED, Again(after_, difference.key, {Known::kYes}));
    step(v1::CHANGE_CAUSE_LATE, Again(after_, difference.key, {Known::kYes, Known::kNo}));
    step(v1::CHANGE_CAUSE_CORRECTED, change.new_value());
    for (v1::CausedDelta& delta : *change.mutable_causes()) NameRecords(difference.key, delta);
    return change;
  }

 private:
  using FactsOfOwners = std::map<std::string, PartFacts>;

  Known KnownOf(const sql::Rows::Row& row) const {
    if (base_.Knows(row.Get<std::string_view>(7), row.Get<int64_t>(8))) return Known::kYes;
    return corrected_.contains(row.Get<std::string_view>(6)) ? Known::kRecord : Known::kNo;
  }

  absl::Status LoadPart(const v1::Measure& part, const std::set<std::string>& owners) {
    FactsOfOwners& facts = facts_[&part];
    std::vector<std::string> organizations;
    for (const auto& [organization, history] : standpoint_.placed()) {
      organizations.push_back(organization);
    }
    for (const std::string& organization : organizations) {
      std::vector<std::string> reached;
      for (const std::string& owner : owners) {
        if (standpoint_.Reaches(organization, owner)) reached.push_back(owner);
      }
      if (reached.empty()) continue;
      RETURN_IF_ERROR(standpoint_.Prepare(tx_, organization));
      RETURN_IF_ERROR(tx_.Stream(kListFactsOfMeasure, {scope_.tenant, organization, part.name()},
                                 [&](const sql::Rows::Row& row) {
                                   AddFact(part, ReadFact(row), KnownOf(row), reached, facts);
                                   return absl::OkStatus();
                                 }));
    }
    return absl::OkStatus();
  }

  void AddFact(const v1::Measure& part, const StoredFact& fact, Known known,
               const std::vector<std::string>& owners, FactsOfOwners& facts) {
    const std::string dims = FormatDimensions(CellDimensions(part, fact.dimensions));
    const std::string subject = CountsSubjects(part.kind()) ? SubjectOf(fact) : "";
    for (const std::string& owner : owners) {
      ForEachShare(
          part.kind(), standpoint_.PathsOf(fact, owner), fact.on_date,
          [&](const std::string& ancestor, const std::string& month, int sign) {
            if (ancestor != owner) return;
            facts[owner].rows[static_cast<size_t>(known)].push_back(
                {subject, dims, month, sign * fact.delta, sign * RecordsIn(fact), fact.record});
          });
    }
  }

  DimensionFilter FilterFor(const EditionKey& key) const {
    return FilterOf(DimensionFilter{}, ParseDimensions(key.dimensions));
  }

  int64_t ValueOf(const Definition& definition, const EditionKey& key,
                  const Outcome& outcome) const {
    if (definition.measure == nullptr) return 0;
    const FigureScope scope{scope_.tenant, key.organization, scope_.period, scope_.basis};
    return MakeFigure(scope, *definition.measure, {}, outcome).value();
  }

  // The figure made again from some of the facts. Nothing counts for an organisation that the
  // edition is no longer about.
  int64_t Again(const Definition& definition, const EditionKey& key,
                std::initializer_list<Known> known) const {
    if (!now_.organizations.contains(key.organization)) return 0;
    std::vector<Sum> sums;
    for (const v1::Measure* part : definition.parts) {
      Sum& sum = sums.emplace_back();
      const auto facts = facts_.find(part);
      if (facts == facts_.end()) continue;
      const auto of_owner = facts->second.find(key.organization);
      if (of_owner == facts->second.end()) continue;
      const SumsByGroup evaluated =
          Evaluate(*part, of_owner->second.Cells(*part, known), FilterFor(key), {}, scope_.period);
      if (!evaluated.empty()) sum = evaluated.begin()->second;
    }
    Outcome outcome{.sum = sums[0],
                    .denominator = sums.size() == 2 ? std::optional<Sum>(sums[1]) : std::nullopt};
    return ValueOf(definition, key, outcome);
  }

  void NameRecords(const EditionKey& key, v1::CausedDelta& delta) const {
    const bool late = delta.cause() == v1::CHANGE_CAUSE_LATE;
    if (!late && delta.cause() != v1::CHANGE_CAUSE_CORRECTED) return;
    const Known known = late ? Known::kNo : Known::kRecord;
    const DimensionFilter filter = FilterFor(key);
    std::set<std::string> names;
    for (const v1::Measure* part : after_.parts) {
      const auto of_owner = facts_.at(part).find(key.organization);
      if (of_owner == facts_.at(part).end()) continue;
      for (const PartFacts::Row& row : of_owner->second.rows[static_cast<size_t>(known)]) {
        if (names.size() == kRecordsMost) break;
        const bool within = row.month <= scope_.period.last_month &&
                            (IsBalance(part->kind()) || row.month >= scope_.period.first_month);
        if (within && filter.Admits(ParseDimensions(row.dims))) names.insert(row.record);
      }
    }
    for (const std::string& name : names) delta.add_records(name);
  }

  sql::Tx& tx_;
  const FigureScope& scope_;
  const EditionBase& base_;
  const EditionNow& now_;
  const RecordSet& corrected_;
  Standpoint& standpoint_;
  const Definition before_;
  const Definition after_;
  const bool redefined_;
  std::map<const v1::Measure*, FactsOfOwners> facts_;
};

// Records that the base knew, and of which facts came later.
absl::StatusOr<RecordSet> CorrectedRecords(sql::Tx& tx, const FigureScope& scope,
                                           const EditionBase& base, Standpoint& standpoint) {
  std::vector<std::string> placed;
  for (const auto& [organization, history] : standpoint.placed()) placed.push_back(organization);
  std::erase_if(placed, [&](const std::string& organization) {
    return !standpoint.Reaches(organization, scope.organization);
  });
  const auto each = [&](bool known, const std::function<void(std::string_view)>& take) {
    for (const std::string& organization : placed) {
      RETURN_IF_ERROR(tx.Stream(
          kListRecordsOfUnit, {scope.tenant, organization}, [&](const sql::Rows::Row& row) {
            if (base.Knows(row.Get<std::string_view>(1), row.Get<int64_t>(2)) == known) {
              take(row.Get<std::string_view>(0));
            }
            return absl::OkStatus();
          }));
    }
    return absl::OkStatus();
  };
  RecordSet later;
  RecordSet corrected;
  RETURN_IF_ERROR(each(false, [&](std::string_view record) { later.emplace(record); }));
  RETURN_IF_ERROR(each(true, [&](std::string_view record) {
    if (later.contains(record)) corrected.emplace(record);
  }));
  return corrected;
}

// False where the figure has the value that it had, and is printed alike. One that is missing
// counts as 0; a ratio is missing where it is over zero.
bool IsChange(const v1::EditionChange& change, const Difference& difference) {
  if (change.delta() != 0) return true;
  const bool ratio = (difference.after != nullptr ? difference.after : difference.before)
                         ->outcome.denominator.has_value();
  const std::string_view none = ratio ? "" : "0";
  const auto text = [&](const EditionFigure* figure) {
    return figure == nullptr ? none : std::string_view(figure->text);
  };
  return text(difference.before) != text(difference.after);
}

}  // namespace

absl::StatusOr<std::vector<v1::EditionChange>> ChangesBetween(sql::Tx& tx, const Measures& measures,
                                                              const FigureScope& scope,
                                                              const EditionBase& base,
                                                              const EditionNow& now,
                                                              Standpoint& standpoint) {
  std::map<std::string, std::vector<Difference>> by_measure;
  for (Difference& difference : Differences(base.figures, now.figures)) {
    by_measure[difference.key.measure].push_back(std::move(difference));
  }
  if (by_measure.empty()) return std::vector<v1::EditionChange>();
  ASSIGN_OR_RETURN(const RecordSet corrected, CorrectedRecords(tx, scope, base, standpoint));
  std::map<EditionKey, v1::EditionChange> changes;
  for (const auto& [name, differences] : by_measure) {
    Causes causes(tx, scope, base, now, corrected, standpoint, DefinitionIn(base.definitions, name),
                  DefinitionIn(measures.catalog(), name));
    std::set<std::string> owners;
    for (const Difference& difference : differences) owners.insert(difference.key.organization);
    RETURN_IF_ERROR(causes.Load(owners));
    for (const Difference& difference : differences) {
      v1::EditionChange change = causes.Explain(difference);
      if (IsChange(change, difference)) changes.emplace(difference.key, std::move(change));
    }
  }
  std::vector<v1::EditionChange> in_order;
  for (auto& [key, change] : changes) in_order.push_back(std::move(change));
  return in_order;
}

}  // namespace gonghui::reports
