#include "common/records/record_caps.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <set>
#include <tuple>
#include <utility>

#include "common/base/money.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/records/record_counts.h"

namespace gonghui::records {
namespace {

using catalog::FactSource;
using common::v1::Cap;
using common::v1::Kind;

constexpr int64_t kMost = 1'000'000;  // Records of one kind in one period.
constexpr std::string_view kSeparator = "\x1f";

std::string_view DateOf(const Cap& cap, const FactSource& source) {
  return catalog::ValueOf(source, cap.on().empty() ? "on_date" : cap.on());
}

// The part of the calendar in which the date lies, for example "2020-Q3".
std::string PeriodOf(const Cap& cap, std::string_view date) {
  if (cap.within() == "year") return std::string(date.substr(0, 4));
  if (cap.within() == "month") return std::string(date.substr(0, 7));
  if (cap.within() != "quarter") return "";
  int64_t month = 1;
  ParseInteger(date.substr(5, 2), &month);
  return StrCat(date.substr(0, 4), "-Q", (month + 2) / 3);
}

// The first and last day between which every on_date of the judged record's period lies.
std::pair<std::string, std::string> SpanOf(const Cap& cap, std::string_view date) {
  if (cap.within().empty() || !cap.on().empty()) return {"", ""};
  const std::string_view part = cap.within() == "month" ? date.substr(0, 7) : date.substr(0, 4);
  return {StrCat(part, part.size() == 7 ? "-01" : "-01-01"),
          StrCat(part, part.size() == 7 ? "-31" : "-12-31")};
}

bool IsPerson(const Kind& kind, std::string_view name) {
  const auto* field = FieldOfType(kind, common::v1::FIELD_TYPE_PERSON);
  return name == "subject" || (field != nullptr && field->name() == name);
}

bool IsPerPerson(const Kind& kind, const Cap& cap) {
  return std::any_of(cap.per().begin(), cap.per().end(),
                     [&](const std::string& name) { return IsPerson(kind, name); });
}

bool IsPer(const Cap& cap, std::string_view name) {
  return std::find(cap.per().begin(), cap.per().end(), name) != cap.per().end();
}

}  // namespace

bool Caps::Concerns(const Cap& cap, const FactSource& source) const {
  const std::string_view on_date = catalog::ValueOf(source, "on_date");
  const bool in_force = (cap.valid_from().empty() || cap.valid_from() <= on_date) &&
                        (cap.valid_to().empty() || on_date < cap.valid_to());
  if (!in_force || DateOf(cap, source).empty() || !catalog::Holds(cap.when(), source)) {
    return false;
  }
  return !Counts(cap, kind_) || catalog::Holds(cap.of(), source);
}

std::optional<std::string> Caps::GroupOf(const Cap& cap, const FactSource& source) const {
  const std::string_view date = DateOf(cap, source);
  if (date.empty() && !cap.within().empty()) return std::nullopt;
  std::string group = PeriodOf(cap, date);
  for (const std::string& name : cap.per()) {
    const std::string_view value = catalog::ValueOf(source, name);
    if (value.empty()) return std::nullopt;
    StrAppend(&group, kSeparator, value);
  }
  return group;
}

bool Caps::Counts(const Cap& cap, const Kind& kind) const {
  if (cap.kinds().empty()) return kind.name() == kind_.name();
  return std::find(cap.kinds().begin(), cap.kinds().end(), kind.name()) != cap.kinds().end();
}

std::string Caps::LockOf(const Cap& cap, const Judged& record, const std::string& group) const {
  if (IsPerPerson(kind_, cap)) return StrCat("person:", record.row->subject);
  std::set<std::string> kinds(cap.kinds().begin(), cap.kinds().end());
  if (kinds.empty()) kinds.insert(kind_.name());
  std::string lock = "cap:";
  for (const std::string& kind : kinds) StrAppend(&lock, kind, ":");
  return StrCat(lock, group);
}

absl::Status Caps::Load(sql::Tx& tx, const std::vector<Judged>& records, Purpose purpose) {
  std::set<std::string> locks;
  std::set<std::string> subjects;
  for (const Cap& cap : kind_.caps()) {
    for (const Judged& record : records) {
      if (!Concerns(cap, *record.source)) continue;
      const auto group = GroupOf(cap, *record.source);
      if (!group) continue;
      locks.insert(LockOf(cap, record, *group));
      if (IsPerPerson(kind_, cap)) subjects.insert(record.row->subject);
    }
  }
  if (purpose == Purpose::kWrite) RETURN_IF_ERROR(LockNames(tx, call_.federation, locks));
  for (const std::string& subject : subjects) stored_[StrCat("person:", subject)];
  ASSIGN_OR_RETURN(const auto rows, FindRowsOfPersons(tx, call_.federation, subjects));
  for (const Row& row : rows) {
    if (options_.catalog->FindKind(row.kind) == nullptr) continue;
    ASSIGN_OR_RETURN(Counted counted, Present(tx, row));
    stored_[StrCat("person:", row.subject)].push_back(std::move(counted));
  }
  return absl::OkStatus();
}

absl::Status Caps::Take(sql::Tx& tx, const Judged& record, std::string_view prefix, Faults& faults,
                        Faults& warnings) {
  const size_t before = faults.size();
  std::vector<std::string> groups;
  for (const Cap& cap : kind_.caps()) {
    if (!Concerns(cap, *record.source)) continue;
    const auto group = GroupOf(cap, *record.source);
    if (!group) continue;
    groups.push_back(StrCat(cap.name(), kSeparator, *group));
    ASSIGN_OR_RETURN(const Total total, TotalOf(tx, cap, record, *group));
    for (const auto& [relation, name] :
         {std::pair("<=", &cap.at_most()), std::pair(">=", &cap.at_least())}) {
      int64_t bound = 0;
      if (name->empty() || !ParseInteger(values_.Read(*name, *record.source), &bound)) continue;
      const bool holds = *relation == '<' ? total.value <= bound : total.value >= bound;
      if (holds) continue;
      (cap.warn() ? warnings : faults)
          .push_back(Broken(cap, total, relation, bound, cap.warn() ? "" : prefix));
    }
  }
  if (faults.size() > before) return absl::OkStatus();
  for (const std::string& group : groups) {
    taken_[group].push_back({record.row->id, &kind_, *record.source});
  }
  return absl::OkStatus();
}

void Caps::Add(const Cap& cap, const FactSource& source, Total& total) const {
  int64_t amount = 1;
  if (!cap.amount().empty()) {
    amount = 0;
    ParseInteger(catalog::ValueOf(source, cap.amount()), &amount);
  }
  if (__builtin_add_overflow(total.value, amount, &total.value)) total.value = INT64_MAX;
}

bool Caps::IsWithin(const Cap& cap, const FactSource& judged, const FactSource& counted) const {
  if (!catalog::Holds(cap.of(), counted) || GroupOf(cap, counted) != GroupOf(cap, judged)) {
    return false;
  }
  const std::string_view date = DateOf(cap, judged);
  const std::string_view since = catalog::ValueOf(counted, cap.since());
  const std::string_view until = catalog::ValueOf(counted, cap.until());
  if ((!since.empty() && date < since) || (!until.empty() && until < date)) return false;
  if (cap.above().empty()) return true;
  int64_t theirs = 0;
  int64_t ours = 0;
  return ParseInteger(catalog::ValueOf(counted, cap.above()), &theirs) &&
         ParseInteger(catalog::ValueOf(judged, cap.above()), &ours) && theirs > ours;
}

absl::StatusOr<Caps::Total> Caps::TotalOf(sql::Tx& tx, const Cap& cap, const Judged& record,
                                          const std::string& group) {
  Total total;
  const bool counts_itself = Counts(cap, kind_) && cap.above().empty();
  if (counts_itself) Add(cap, *record.source, total);
  ASSIGN_OR_RETURN(const auto* stored, Stored(tx, cap, record));
  std::vector<const std::vector<Counted>*> all = {stored};
  if (Counts(cap, kind_)) all.push_back(&taken_[StrCat(cap.name(), kSeparator, group)]);
  for (const auto* some : all) {
    for (const Counted& counted : *some) {
      if (counted.id == record.row->id || !Counts(cap, *counted.kind) ||
          !IsWithin(cap, *record.source, counted.source)) {
        continue;
      }
      Add(cap, counted.source, total);
      total.other = counted.id;
    }
  }
  return total;
}

absl::StatusOr<const std::vector<Caps::Counted>*> Caps::Stored(sql::Tx& tx, const Cap& cap,
                                                               const Judged& record) {
  std::string found_by = StrCat("person:", record.row->subject);
  if (!IsPerPerson(kind_, cap)) {
    const auto [from, to] = SpanOf(cap, DateOf(cap, *record.source));
    found_by = StrCat(cap.name(), kSeparator, record.row->parent_id, kSeparator,
                      record.row->organization, kSeparator, from);
  }
  const auto known = stored_.find(found_by);
  if (known != stored_.end()) return &known->second;
  ASSIGN_OR_RETURN(const auto rows, Fetch(tx, cap, record));
  std::vector<Counted> counted;
  for (const Row& row : rows) {
    if (row.cancelled) continue;
    ASSIGN_OR_RETURN(Counted one, Present(tx, row));
    counted.push_back(std::move(one));
  }
  return &stored_.emplace(std::move(found_by), std::move(counted)).first->second;
}

absl::StatusOr<std::vector<Row>> Caps::Fetch(sql::Tx& tx, const Cap& cap,
                                             const Judged& record) const {
  const auto* parent = FieldOfType(kind_, common::v1::FIELD_TYPE_RECORD);
  const bool own_only = cap.kinds().empty();
  if (own_only && parent != nullptr && IsPer(cap, parent->name())) {
    return AllChildren(tx, call_.federation, record.row->parent_id);
  }
  std::vector<std::string> kinds(cap.kinds().begin(), cap.kinds().end());
  if (own_only) kinds.push_back(kind_.name());
  std::vector<Row> found;
  for (const std::string& kind : kinds) {
    ListQuery query;
    query.kind = kind;
    if (IsPer(cap, "organization")) query.organizations = {record.row->organization};
    std::tie(query.from_date, query.to_date) = SpanOf(cap, DateOf(cap, *record.source));
    query.limit = kMost;
    ASSIGN_OR_RETURN(auto rows, ListRows(tx, call_.federation, query));
    std::move(rows.begin(), rows.end(), std::back_inserter(found));
  }
  return found;
}

absl::StatusOr<Caps::Counted> Caps::Present(sql::Tx& tx, const Row& row) {
  Parent parent;
  if (!row.parent_id.empty()) {
    const auto [it, is_new] = parents_.try_emplace(row.parent_id);
    if (is_new) {
      ASSIGN_OR_RETURN(it->second, FindRow(tx, call_.federation, row.parent_id));
    }
    if (it->second.has_value()) {
      parent = {options_.catalog->FindKind(it->second->kind), &*it->second};
    }
  }
  const Kind* kind = options_.catalog->FindKind(row.kind);
  return Counted{row.id, kind, ToSource(*options_.catalog, *kind, row, parent, tree_)};
}

absl::Status Caps::Broken(const Cap& cap, const Total& total, std::string_view relation,
                          int64_t bound, std::string_view prefix) const {
  const auto* amount = options_.catalog->FindField(kind_, cap.amount());
  const bool money = amount != nullptr && amount->type() == common::v1::FIELD_TYPE_MONEY;
  const auto shown = [&](int64_t value) { return money ? FormatYuan(value) : StrCat(value); };
  const std::string sums = StrCat(" [", shown(total.value), " ", relation, " ", shown(bound), "]");
  const std::string citation = cap.citation().empty() ? "" : StrCat(" (", cap.citation(), ")");
  std::string field = amount != nullptr ? amount->name() : cap.per().empty() ? "" : cap.per(0);
  if (IsPerson(kind_, field)) {
    field = FieldOfType(kind_, common::v1::FIELD_TYPE_PERSON)->name();
  }
  const bool is_field = options_.catalog->FindField(kind_, field) != nullptr;
  Error error(
      absl::StatusCode::kFailedPrecondition,
      relation == "<=" ? common::v1::REASON_LIMIT_EXCEEDED : common::v1::REASON_RULE_VIOLATED,
      StrCat(cap.message().en(), sums, citation), StrCat(cap.message().zh(), sums, citation));
  std::move(error).With("rule", cap.name());
  std::move(error).With("allowed", shown(bound));
  if (!total.other.empty()) {
    std::move(error).With("existing", NameOf(options_, call_, total.other));
  }
  return std::move(error).At(StrCat(prefix, is_field ? "fields." : "", field));
}

}  // namespace gonghui::records
