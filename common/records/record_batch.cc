#include "common/records/record_batch.h"

#include <algorithm>
#include <set>
#include <utility>

#include "common/base/date.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/records/record_caps.h"
#include "common/records/record_values.h"
#include "common/rpc/validate.h"

namespace gonghui::records {
namespace {

using common::v1::Kind;

// What callers write of the fields.
Texts Given(const Kind& kind, Texts fields) {
  for (const auto& field : kind.fields()) {
    if (field.has_computed()) fields.erase(field.name());
  }
  return fields;
}

// What makes a record already there the same as the one sent. `advanced`: steps were sent too.
bool SameContent(const Kind& kind, const Row& stored, const Row& sent, bool advanced) {
  return stored.organization == sent.organization && stored.number == sent.number &&
         stored.title == sent.title && stored.on_date == sent.on_date &&
         stored.ends_on == sent.ends_on && Given(kind, stored.fields) == Given(kind, sent.fields) &&
         stored.parent_id == sent.parent_id && stored.subject == sent.subject &&
         (!advanced || (stored.state == sent.state && stored.entered == sent.entered));
}

// The import column that holds the date of a step.
std::string StepColumn(const Kind& kind, std::string_view transition) {
  for (const auto& step : kind.transitions()) {
    if (step.name() == transition) return StrCat(step.to(), "_on");
  }
  return "advances";
}

// What the pipeline would have found: it leaves the items of batches to us so that all faults are
// told. Not added where the checks of the kind have told it in their own words.
void AddShapeFault(const common::v1::Record& record, const std::string& prefix, Faults& faults) {
  const absl::Status shape = rpc::Validate(record);
  if (shape.ok()) return;
  const std::string path = StrCat(prefix, FieldOf(shape));
  const bool told = std::any_of(faults.begin(), faults.end(),
                                [&](const absl::Status& f) { return FieldOf(f) == path; });
  if (!told) faults.push_back(AtField(shape, path));
}

absl::Status Duplicate(std::string path, int first) {
  return InvalidArgument(common::v1::REASON_DUPLICATE_IN_REQUEST,
                         StrCat("item ", first, " of the request has the same key; remove one"),
                         StrCat("与请求中第 ", first + 1, " 条的键相同，请删去一条"))
      .With("first", StrCat(first))
      .At(std::move(path));
}

}  // namespace

RecordBatch::RecordBatch(const Records::Options& options, rpc::Call& call,
                         const common::v1::BatchCreateRecordsRequest& request, std::string prefix)
    : options_(options), call_(call), request_(request), prefix_(std::move(prefix)) {}

absl::Status RecordBatch::Prepare() {
  ASSIGN_OR_RETURN(kind_, KindNamed(options_, request_.records(0).kind(),
                                    StrCat(prefix_.empty() ? "records[0]." : prefix_, "kind")));
  parent_field_ = FieldOfType(*kind_, common::v1::FIELD_TYPE_RECORD);
  ASSIGN_OR_RETURN(tree_, options_.tree->Get(call_.federation));
  for (const auto& record : request_.records()) {
    const TreePtr known = tree_;
    RETURN_IF_ERROR(SeeOrganizations(options_, call_, *kind_, record, tree_));
    if (tree_ != known) break;
  }
  items_.resize(request_.records_size());
  RETURN_IF_ERROR(CheckScopes());
  const RecordChecks checks = ChecksFor(options_, call_, *kind_, *tree_, prefix_);
  for (int i = 0; i < request_.records_size(); ++i) PrepareItem(checks, i);
  RETURN_IF_ERROR(TakeSteps(checks));
  FindDuplicates();
  return absl::OkStatus();
}

absl::Status RecordBatch::CheckScopes() {
  std::map<std::string_view, absl::Status> rights;
  for (int i = 0; i < request_.records_size(); ++i) {
    const std::string& organization = request_.records(i).organization();
    if (!tree_->Exists(organization)) continue;  // Reported as unknown.
    const auto [it, added] = rights.try_emplace(organization);
    if (added) it->second = call_.CheckScope(organization);
    if (it->second.ok()) continue;
    if (it->second.code() != absl::StatusCode::kPermissionDenied) return it->second;
    items_[i].faults.push_back(PermissionDenied(ReasonOf(it->second),
                                                std::string(it->second.message()),
                                                MessageZhOf(it->second))
                                   .At(StrCat(prefix_, "organization")));
  }
  return absl::OkStatus();
}

void RecordBatch::PrepareItem(const RecordChecks& checks, int index) {
  const auto& record = request_.records(index);
  Item& item = items_[index];
  if (record.kind() != kind_->name()) {
    item.faults.push_back(InvalidArgument(common::v1::REASON_FIELD_INVALID,
                                          StrCat("a batch holds one kind, here '", kind_->name(),
                                                 "'; send the others by themselves"),
                                          StrCat("一批只能有一种记录，本批为“", kind_->name(), "”"))
                              .At(StrCat(prefix_, "kind")));
    return;
  }
  Row& row = item.row;
  row.id = NewId(call_.clock->Now());
  row.actor = call_.actor.subject;
  row.created_by = row.actor;
  row.create_time_us = call_.clock->NowMicros();
  row.update_time_us = row.create_time_us;
  checks.Read(record, nullptr, row, item.faults);
  AddShapeFault(record, prefix_, item.faults);
  checks.Begin(row);
  if (parent_field_ != nullptr) {
    const auto number = row.fields.find(parent_field_->name());
    if (number != row.fields.end()) item.parent_number = number->second;
  }
}

absl::Status RecordBatch::TakeSteps(const RecordChecks& checks) {
  for (int i = 0; i < request_.advances_size(); ++i) {
    const auto& advance = request_.advances(i);
    if (advance.index() < 0 || advance.index() >= request_.records_size()) {
      return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                             StrCat("advance ", i, " points at record ", advance.index(),
                                    ", which the request does not hold"),
                             StrCat("第 ", i + 1, " 个步骤所指的记录不在本批中"))
          .At(StrCat("advances[", i, "].index"));
    }
    Item& item = items_[advance.index()];
    if (!item.faults.empty()) continue;
    const std::string path = StepColumn(*kind_, advance.transition());
    const auto on_date = NormalizeDate(advance.on_date());
    auto step = on_date.ok() ? checks.Step(advance.transition(), *on_date, path, path, item.row)
                             : AtField(on_date.status(), path);
    if (step.ok()) {
      const absl::Status upper =
          CheckUpper(call_, *tree_, *kind_, *step, item.row.organization, path);
      const absl::Status duties =
          CheckDuties(call_, *kind_, *step, item.steps, item.row.created_by, path);
      if (!duties.ok()) step = duties;
      if (!upper.ok()) step = upper;
    }
    if (!step.ok()) {
      item.faults.push_back(step.status());
      continue;
    }
    step->set_actor(item.row.actor);
    step->set_create_time_us(item.row.create_time_us);
    item.steps.push_back(*std::move(step));
  }
  return absl::OkStatus();
}

void RecordBatch::FindDuplicates() {
  std::map<std::string_view, int> first;
  for (size_t i = 0; i < items_.size(); ++i) {
    Item& item = items_[i];
    if (item.row.id.empty()) continue;  // Of another kind.
    item.row.natural_key = NaturalKeyOf(*kind_, item.row);
    const auto [it, added] = first.emplace(item.row.natural_key, static_cast<int>(i));
    if (added) continue;
    const std::string& name = kind_->key().empty() ? "number" : kind_->key(0);
    const bool is_field = options_.catalog->FindField(*kind_, name) != nullptr;
    item.faults.push_back(Duplicate(StrCat(prefix_, is_field ? "fields." : "", name), it->second));
  }
}

absl::Status RecordBatch::Resolve(sql::Tx& tx, Purpose purpose) {
  purpose_ = purpose;
  for (Item& item : items_) {
    item.late_faults.clear();
    item.warnings.clear();
    item.existing = false;
    if (!item.numbered) continue;
    item.numbered = false;
    item.row.fields.erase(kind_->gap_free());
    item.row.natural_key = NaturalKeyOf(*kind_, item.row);
  }
  RETURN_IF_ERROR(FindParents(tx));
  RETURN_IF_ERROR(RecallNumbers(tx));
  RETURN_IF_ERROR(FindExisting(tx));
  RETURN_IF_ERROR(CheckNumbers(tx));
  RETURN_IF_ERROR(TakeNumbers(tx));
  const RecordChecks checks = ChecksFor(options_, call_, *kind_, *tree_, prefix_);
  const Values values(*options_.catalog, *tree_);
  for (Item& item : items_) {
    if (!item.is_new()) continue;
    item.source = values.Compute(*kind_, ParentOf(item), {}, item.row);
    checks.SetClock(item.source,
                    item.steps.empty() ? item.row.on_date : item.steps.back().on_date(), item.row);
    checks.CheckSteps(item.steps, item.source, item.late_faults);
    checks.CheckRules(item.source, item.late_faults);
    item.warnings = ChecksFor(options_, call_, *kind_, *tree_, "").Warnings(item.source);
    const absl::Status locked = CheckUnlockedAbove(*kind_, ParentOf(item), prefix_);
    if (!locked.ok()) item.late_faults.push_back(locked);
  }
  RETURN_IF_ERROR(TakePersons(tx));
  RETURN_IF_ERROR(TakeCaps(tx));
  return CountParents(tx);
}

absl::Status RecordBatch::RecallNumbers(sql::Tx& tx) {
  const std::string& field = kind_->gap_free();
  if (field.empty()) return absl::OkStatus();
  std::map<std::string, Item*> unplaced;
  std::set<std::string> numbers;
  for (Item& item : items_) {
    if (!item.good() || item.row.number.empty() || item.row.fields.contains(field)) continue;
    unplaced.emplace(item.row.number, &item);
    numbers.insert(item.row.number);
  }
  ASSIGN_OR_RETURN(const auto stored,
                   FindRowsByNumber(tx, call_.federation, kind_->name(), numbers));
  for (const auto& [number, known] : stored) {
    Row as_known = unplaced[number]->row;
    as_known.fields[field] = ValueOf(*kind_, known, field);
    as_known.natural_key = NaturalKeyOf(*kind_, as_known);
    if (as_known.natural_key != known.natural_key) continue;  // Another series: another record.
    unplaced[number]->row = std::move(as_known);
    unplaced[number]->numbered = true;
  }
  return absl::OkStatus();
}

absl::Status RecordBatch::CheckNumbers(sql::Tx& tx) {
  if (!IsNumberedBesideKey(*kind_)) return absl::OkStatus();
  std::map<std::string, Item*> numbers;
  std::set<std::string> locks;
  const std::string path = StrCat(prefix_, "number");
  for (size_t i = 0; i < items_.size(); ++i) {
    Item& item = items_[i];
    if (!item.is_new()) continue;
    const auto [it, added] = numbers.emplace(item.row.number, &item);
    if (!added) {
      item.late_faults.push_back(Duplicate(path, static_cast<int>(it->second - items_.data())));
    }
    locks.insert(StrCat("number:", kind_->name(), ":", item.row.number));
  }
  if (purpose_ == Purpose::kWrite) RETURN_IF_ERROR(LockNames(tx, call_.federation, locks));
  std::set<std::string> asked;
  for (const auto& [number, item] : numbers) asked.insert(number);
  ASSIGN_OR_RETURN(const auto taken, FindRowsByNumber(tx, call_.federation, kind_->name(), asked));
  for (const auto& [number, row] : taken) {
    numbers[number]->late_faults.push_back(NumberTaken(NameOf(options_, call_, row.id), prefix_));
  }
  return absl::OkStatus();
}

absl::Status RecordBatch::TakeNumbers(sql::Tx& tx) {
  if (kind_->gap_free().empty()) return absl::OkStatus();
  std::set<std::string> organizations;
  for (const Item& item : items_) {
    if (item.is_new()) organizations.insert(item.row.organization);
  }
  NumberSeries series(options_, call_, *kind_);
  RETURN_IF_ERROR(series.Load(tx, organizations, purpose_));
  for (Item& item : items_) {
    if (!item.is_new()) continue;
    item.numbered = item.numbered || !item.row.fields.contains(kind_->gap_free());
    const absl::Status taken = series.Take(item.row, prefix_);
    if (!taken.ok()) item.late_faults.push_back(taken);
  }
  return absl::OkStatus();
}

absl::Status RecordBatch::TakePersons(sql::Tx& tx) {
  StandingPersons persons(options_, call_, *kind_);
  std::set<std::string> subjects;
  for (const Item& item : items_) {
    if (item.is_new() && persons.Concerns(item.row, ParentOf(item))) {
      subjects.insert(item.row.subject);
    }
  }
  RETURN_IF_ERROR(persons.Load(tx, subjects, purpose_));
  for (Item& item : items_) {
    if (!item.is_new() || !persons.Concerns(item.row, ParentOf(item))) continue;
    const absl::Status taken = persons.Take(item.row, prefix_);
    if (!taken.ok()) item.late_faults.push_back(taken);
  }
  return absl::OkStatus();
}

absl::Status RecordBatch::TakeCaps(sql::Tx& tx) {
  if (kind_->caps().empty()) return absl::OkStatus();
  std::vector<Caps::Judged> judged;
  for (const Item& item : items_) {
    if (item.is_new()) judged.push_back({&item.row, &item.source});
  }
  Caps caps(options_, call_, *kind_, *tree_);
  RETURN_IF_ERROR(caps.Load(tx, judged, purpose_));
  for (Item& item : items_) {
    if (!item.is_new()) continue;
    RETURN_IF_ERROR(
        caps.Take(tx, {&item.row, &item.source}, prefix_, item.late_faults, item.warnings));
  }
  return absl::OkStatus();
}

absl::Status RecordBatch::CountParents(sql::Tx& tx) {
  recounts_.clear();
  if (parent_field_ == nullptr) return absl::OkStatus();
  const Kind& above = *options_.catalog->FindKind(parent_field_->refers_to());
  if (!SumsOver(above, *kind_)) return absl::OkStatus();
  for (const auto& [number, parent] : parents_) {
    std::vector<Item*> items;
    std::vector<const Row*> rows;
    for (Item& item : items_) {
      if (!item.is_new() || item.row.parent_id != parent.id) continue;
      items.push_back(&item);
      rows.push_back(&item.row);
    }
    if (items.empty()) continue;
    Faults faults;
    ASSIGN_OR_RETURN(auto recount,
                     Recounting(options_, call_, *tree_).Count(tx, above, parent, rows, faults));
    if (faults.empty()) recounts_.push_back(std::move(recount));
    for (Item* item : items) {
      for (const absl::Status& fault : faults) {
        item->late_faults.push_back(AboveBroken(*kind_, fault, prefix_));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status RecordBatch::FindParents(sql::Tx& tx) {
  if (parent_field_ == nullptr) return absl::OkStatus();
  std::set<std::string> numbers;
  for (const Item& item : items_) {
    if (!item.parent_number.empty()) numbers.insert(item.parent_number);
  }
  ASSIGN_OR_RETURN(parents_,
                   FindReferred(tx, call_.federation,
                                *options_.catalog->FindKind(parent_field_->refers_to()), numbers));
  for (Item& item : items_) {
    item.row.parent_id.clear();
    if (item.parent_number.empty()) continue;
    const auto parent = parents_.find(item.parent_number);
    if (parent != parents_.end()) {
      item.row.parent_id = parent->second.id;
      continue;
    }
    item.late_faults.push_back(ParentMissing(*parent_field_, item.parent_number, prefix_));
  }
  return absl::OkStatus();
}

absl::Status RecordBatch::FindExisting(sql::Tx& tx) {
  std::set<std::string> keys;
  for (const Item& item : items_) {
    if (item.good() && item.row.natural_key != item.row.id) keys.insert(item.row.natural_key);
  }
  ASSIGN_OR_RETURN(existing_, FindRowsByKey(tx, call_.federation, kind_->name(), keys));
  for (Item& item : items_) {
    if (!item.good()) continue;
    const auto stored = existing_.find(item.row.natural_key);
    if (stored == existing_.end()) continue;
    item.existing = SameContent(*kind_, stored->second, item.row, !item.steps.empty());
    if (!item.existing) {
      item.late_faults.push_back(
          KeyTaken(*kind_, NameOf(options_, call_, stored->second.id), prefix_));
    }
  }
  return absl::OkStatus();
}

Parent RecordBatch::ParentOf(const Item& item) const {
  const auto parent = parents_.find(item.parent_number);
  if (item.parent_number.empty() || parent == parents_.end()) return {};
  return {options_.catalog->FindKind(parent_field_->refers_to()), &parent->second};
}

absl::Status RecordBatch::Write(sql::Tx& tx) {
  std::vector<const Row*> rows;
  std::vector<StepsOf> steps;
  std::vector<Written> written;
  feed::v1::Event event = NewEvent(options_, "RecordsCreated");
  for (const Item& item : items_) {
    if (!item.is_new()) continue;
    rows.push_back(&item.row);
    steps.push_back({&item.row.id, &item.steps});
    written.push_back({&item.row, nullptr, &item.source});
    const std::string name = NameOf(options_, call_, item.row.id);
    event.add_resources(name);
    ASSIGN_OR_RETURN(auto facts, catalog::FactsOf(*kind_, item.source));
    AddFacts(name, std::move(facts), event);
  }
  RETURN_IF_ERROR(InsertRows(tx, call_.federation, rows));
  RETURN_IF_ERROR(InsertSteps(tx, call_.federation, steps));
  RETURN_IF_ERROR(CallHook(options_, call_, tx, *kind_, written, event));
  for (const Recount& recount : recounts_) {
    RETURN_IF_ERROR(Recounting(options_, call_, *tree_).Write(tx, recount, event));
  }
  return feed::Append(tx, call_, std::move(event));
}

common::v1::BatchCreateRecordsResponse RecordBatch::Answer() const {
  common::v1::BatchCreateRecordsResponse answer;
  for (size_t i = 0; i < items_.size(); ++i) {
    const Item& item = items_[i];
    for (const Faults* faults : {&item.faults, &item.late_faults}) {
      for (const absl::Status& fault : *faults) {
        *answer.add_failures() = ToItemFailure(static_cast<int>(i), fault);
      }
    }
    if (!item.is_new()) continue;
    for (const absl::Status& warning : item.warnings) {
      *answer.add_warnings() = ToItemFailure(static_cast<int>(i), warning);
    }
  }
  const bool writes = answer.failures().empty() || request_.partial();
  for (const Item& item : items_) {
    auto& out = *answer.add_items();
    out.set_existing(item.good() && item.existing);
    answer.set_existing(answer.existing() + (out.existing() ? 1 : 0));
    if (out.existing()) {
      out.set_name(NameOf(options_, call_, existing_.at(item.row.natural_key).id));
    } else if (writes && item.good()) {
      if (!request_.validate_only()) out.set_name(NameOf(options_, call_, item.row.id));
      answer.set_created(answer.created() + 1);
    }
  }
  return answer;
}

bool RecordBatch::HasNew() const {
  return std::any_of(items_.begin(), items_.end(), [](const Item& item) { return item.is_new(); });
}

absl::Status RecordBatch::FirstFault() const {
  for (const Faults* faults : {&items_[0].faults, &items_[0].late_faults}) {
    if (!faults->empty()) return faults->front();
  }
  return absl::OkStatus();
}

common::v1::Record RecordBatch::RecordAt(size_t index) const {
  const Item& item = items_[index];
  const Row& row = item.existing ? existing_.at(item.row.natural_key) : item.row;
  common::v1::Record record = ToRecord(*kind_, row, NameOf(options_, call_, row.id));
  AddWarnings(item.warnings, record);
  return record;
}

}  // namespace gonghui::records
