#include "services/reports/return_facts.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "gonghui/feed/v1/feed.pb.h"
#include "services/reports/coverage.h"

namespace gonghui::reports {
namespace {

// The postings of a form are a source of their own, followed as soon as they are made.
constexpr sql::Query kNextPosting{
    "reports.next_return_posting",
    "INSERT INTO feed_cursor (tenant, source, sequence) VALUES ($1, $2, 1) "
    "ON CONFLICT (tenant, source) DO UPDATE SET sequence = feed_cursor.sequence + 1 "
    "RETURNING sequence"};
constexpr sql::Query kSumUpTo{
    "reports.sum_return_facts",
    "SELECT on_date, dims, CAST(SUM(delta) AS BIGINT) FROM facts WHERE tenant=$1 "
    "AND organization=$2 AND measure=$3 AND source=$4 AND on_date<=$5 GROUP BY on_date, dims"};
constexpr sql::Query kNextStated{
    "reports.next_return_facts",
    "SELECT on_date, record FROM facts WHERE tenant=$1 AND organization=$2 AND measure=$3 "
    "AND source=$4 AND on_date>$5 ORDER BY on_date, sequence LIMIT 1"};

using Amounts = std::map<std::string, int64_t>;  // By dimensions.

// Facts of one record on one day.
class FactList {
 public:
  FactList(std::string record, std::string organization, std::string on_date)
      : organization_(std::move(organization)), on_date_(std::move(on_date)) {
    facts_.set_record(std::move(record));
  }
  void Add(const std::string& measure, const std::string& dims, int64_t delta) {
    common::v1::Fact& fact = *facts_.add_facts();
    fact.set_measure(measure);
    fact.set_organization(organization_);
    fact.set_on_date(on_date_);
    fact.set_delta(delta);
    for (const auto& [name, value] : ParseDimensions(dims)) {
      common::v1::Dimension& dimension = *fact.add_dimensions();
      dimension.set_key(name);
      dimension.set_value(value);
    }
  }
  bool Has(const std::string& measure) const {
    return std::any_of(facts_.facts().begin(), facts_.facts().end(),
                       [&](const common::v1::Fact& fact) { return fact.measure() == measure; });
  }
  const common::v1::RecordFacts& facts() const { return facts_; }

 private:
  std::string organization_;
  std::string on_date_;
  common::v1::RecordFacts facts_;
};

// What the cells state of a measure; nullopt where all of them are blank.
std::optional<Amounts> StatedOf(const Form& form, const v1::Measure& measure,
                                const CellValues& values) {
  Amounts stated;
  bool filled = false;
  for (size_t i = 0; i < form.places().size(); ++i) {
    const FormPlace& place = form.places()[i];
    if (place.measure != &measure) continue;
    const auto value = values.find(place.code());
    int64_t rest = value == values.end() ? 0 : value->second;
    filled = filled || value != values.end();
    for (const size_t part : form.PartsOf(i)) {
      const auto within = values.find(form.places()[part].code());
      if (within != values.end()) rest -= within->second;
    }
    stated[FormatDimensions(place.dimensions)] += rest * place.factor();
  }
  if (!filled) return std::nullopt;
  return stated;
}

class Posting {
 public:
  Posting(sql::Tx& tx, const ReturnKey& key)
      : tx_(tx),
        key_(key),
        source_(ReturnSource(key.form->name())),
        own_(key.Name(), key.organization, key.period.last_day) {}

  absl::Status Take(const v1::Measure& measure, const CellValues& values) {
    RETURN_IF_ERROR(Read(measure));
    const std::optional<Amounts> stated = StatedOf(*key_.form, measure, values);
    const bool balance = IsBalance(measure.kind());
    // Blank throughout: as if there were no such return.
    Amounts wanted = stated.has_value() ? *stated : balance ? before_ : Amounts();
    std::set<std::string> groups;
    for (Amounts* amounts : {&before_, &now_, &wanted}) {
      for (const auto& [dims, amount] : *amounts) groups.insert(dims);
    }
    Amounts changed;  // What stood there, where something else is wanted.
    bool said = posted_ || !stated.has_value() || !balance;
    for (const std::string& dims : groups) {
      const int64_t was = balance ? before_[dims] + now_[dims] : now_[dims];
      const int64_t is = wanted[dims];
      // A balance is stated anew though it be the same.
      if (was == is && (said || is == 0)) continue;
      if (was != 0) own_.Add(measure.name(), dims, -was);
      if (is != 0) own_.Add(measure.name(), dims, is);
      if (was != is) changed[dims] = was;
    }
    said = said || own_.Has(measure.name());
    if (!said) own_.Add(measure.name(), "", 0);  // Nothing there before, and none now.
    return balance ? KeepNext(measure, changed, wanted) : absl::OkStatus();
  }

  absl::Status Apply(Rollups& rollups) {
    feed::v1::Event event;
    event.set_federation(key_.tenant);
    event.set_type("gonghui.reports.v1.ReturnApproved");
    if (!own_.facts().facts().empty()) *event.add_facts() = own_.facts();
    for (const FactList& list : next_) *event.add_facts() = list.facts();
    if (event.facts().empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const sql::Rows rows, tx_.Run(kNextPosting, {key_.tenant, source_}));
    event.set_sequence(rows[0].Get<int64_t>(0));
    return rollups.Apply(tx_, source_, {event});
  }

 private:
  // What earlier returns, and this one until now, made of the measure.
  absl::Status Read(const v1::Measure& measure) {
    before_.clear();
    now_.clear();
    posted_ = false;
    ASSIGN_OR_RETURN(const sql::Rows rows,
                     tx_.Run(kSumUpTo, {key_.tenant, key_.organization, measure.name(), source_,
                                        key_.period.last_day}));
    for (size_t i = 0; i < rows.size(); ++i) {
      const bool own = rows[i].Get<std::string_view>(0) == key_.period.last_day;
      (own ? now_ : before_)[rows[i].Get<std::string>(1)] += rows[i].Get<int64_t>(2);
      posted_ = posted_ || own;
    }
    return absl::OkStatus();
  }

  // The next return that stated the balance keeps it: it takes back there what changes here.
  absl::Status KeepNext(const v1::Measure& measure, const Amounts& changed, Amounts& wanted) {
    if (changed.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const sql::Rows rows,
                     tx_.Run(kNextStated, {key_.tenant, key_.organization, measure.name(), source_,
                                           key_.period.last_day}));
    if (rows.empty()) return absl::OkStatus();
    FactList& list = next_.emplace_back(rows[0].Get<std::string>(1), key_.organization,
                                        rows[0].Get<std::string>(0));
    for (const auto& [dims, was] : changed) {
      if (wanted[dims] != 0) list.Add(measure.name(), dims, -wanted[dims]);
      if (was != 0) list.Add(measure.name(), dims, was);
    }
    return absl::OkStatus();
  }

  sql::Tx& tx_;
  const ReturnKey& key_;
  const std::string source_;
  FactList own_;
  std::vector<FactList> next_;
  Amounts before_;
  Amounts now_;
  bool posted_ = false;
};

}  // namespace

absl::Status PostReturn(sql::Tx& tx, const ReturnKey& key, const StoredReturn& stored,
                        Rollups& rollups) {
  Posting posting(tx, key);
  const CellValues values = stored.Values();
  std::set<const v1::Measure*> taken;
  for (const FormPlace& place : key.form->places()) {
    if (place.measure == nullptr || !taken.insert(place.measure).second) continue;
    RETURN_IF_ERROR(posting.Take(*place.measure, values));
  }
  return posting.Apply(rollups);
}

}  // namespace gonghui::reports
