#include "common/records/record_store.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "common/base/money.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/crypto/personal.h"
#include "common/records/record_clocks.h"
#include "common/rpc/update.h"
#include "nlohmann/json.hpp"

namespace gonghui::records {
namespace {

using common::v1::Kind;
using common::v1::KindField;

constexpr std::string_view kKeySeparator = "\x1f";
constexpr size_t kListed = 20;  // Values of one IN list below.

#define RECORD_COLUMNS                                                                       \
  "record_id, kind, organization, number, natural_key, parent_id, title, on_date, ends_on, " \
  "state, due_date, subject, person_mask, fields, entered, version, cancelled, actor, "      \
  "create_time_us, update_time_us, created_by"

constexpr sql::Query kFind{
    "records.find", "SELECT " RECORD_COLUMNS " FROM records WHERE tenant=$1 AND record_id=$2"};
constexpr sql::Query kFindByKey{
    "records.find_by_key",
    "SELECT " RECORD_COLUMNS
    " FROM records WHERE tenant=$1 AND kind=$2 AND natural_key IN ($3,$4,$5,$6,$7,$8,$9,$10,$11,"
    "$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22)"};
constexpr sql::Query kFindByNumber{
    "records.find_by_number",
    "SELECT " RECORD_COLUMNS
    " FROM records WHERE tenant=$1 AND kind=$2 AND number <> '' AND cancelled=FALSE AND number IN "
    "($3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22)"};
constexpr sql::Query kFindByPerson{
    "records.find_by_person",
    "SELECT " RECORD_COLUMNS
    " FROM records WHERE tenant=$1 AND subject <> '' AND cancelled=FALSE AND subject IN ($2,$3,$4,"
    "$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21)"};
constexpr sql::Query kChildren{
    "records.children",
    "SELECT " RECORD_COLUMNS
    " FROM records WHERE tenant=$1 AND parent_id=$2 AND parent_id <> '' AND record_id > $3 AND "
    "cancelled=FALSE ORDER BY record_id LIMIT $4"};

#define RECORD_LIST                                                                \
  "SELECT " RECORD_COLUMNS                                                         \
  " FROM records WHERE tenant=$1 AND kind=$2 AND (on_date, record_id) < ($3, $4) " \
  "AND on_date >= $5 AND on_date <= $6 AND ($7='' OR state=$7) "                   \
  "AND ($8='' OR (due_date <> '' AND due_date < $8 AND cancelled=FALSE)) "         \
  "AND ($10='' OR due_date >= $10) "                                               \
  "AND ($11='' OR (due_date <> '' AND due_date <= $11)) "
#define RECORD_LIST_END "ORDER BY on_date DESC, record_id DESC LIMIT $9"

constexpr sql::Query kList{"records.list", RECORD_LIST RECORD_LIST_END};
constexpr sql::Query kListNumber{"records.list_number",
                                 RECORD_LIST "AND number=$12 AND number <> '' " RECORD_LIST_END};
constexpr sql::Query kListOrganizations{
    "records.list_organizations", RECORD_LIST
    "AND organization IN ($12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26,$27,$28,$29,"
    "$30,$31) " RECORD_LIST_END};
constexpr sql::Query kStandings{
    "records.standings",
    "SELECT organization, state, due_date, COUNT(*) FROM records WHERE tenant=$1 AND kind=$2 AND "
    "cancelled=FALSE GROUP BY organization, state, due_date"};
constexpr sql::Query kLock{
    "records.lock",
    "INSERT INTO record_locks (tenant, name, uses) VALUES ($1,$2,1) ON CONFLICT (tenant, name) DO "
    "UPDATE SET uses = record_locks.uses + 1"};

constexpr sql::Query kInsert{
    "records.insert",
    "INSERT INTO records (tenant, " RECORD_COLUMNS
    ") VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22)"};
constexpr sql::Query kUpdate{
    "records.update",
    "UPDATE records SET natural_key=$3, parent_id=$4, title=$5, on_date=$6, ends_on=$7, state=$8, "
    "due_date=$9, subject=$10, person_mask=$11, fields=$12, entered=$13, version=$14, "
    "cancelled=$15, actor=$16, update_time_us=$17 WHERE tenant=$1 AND record_id=$2"};
constexpr sql::Query kSteps{
    "records.steps",
    "SELECT transition, from_state, to_state, on_date, remark, actor, create_time_us FROM "
    "record_steps WHERE tenant=$1 AND record_id=$2 ORDER BY seq"};
constexpr sql::Query kInsertStep{
    "records.insert_step",
    "INSERT INTO record_steps (tenant, record_id, seq, transition, from_state, to_state, on_date, "
    "remark, actor, create_time_us) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)"};

std::string ToJson(const Texts& texts) {
  // Keys come sorted from the map; texts were checked to be UTF-8 on their way in.
  return nlohmann::json(texts).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Texts FromJson(std::string_view text) {
  Texts texts;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  for (const auto& [key, value] : json.items()) texts[key] = value.get<std::string>();
  return texts;
}

Row ReadRow(const sql::Rows::Row& in) {
  Row row;
  size_t column = 0;
  for (std::string* text : {&row.id, &row.kind, &row.organization, &row.number, &row.natural_key,
                            &row.parent_id, &row.title, &row.on_date, &row.ends_on, &row.state,
                            &row.due_date, &row.subject, &row.person_mask}) {
    *text = in.Get<std::string>(column++);
  }
  row.fields = FromJson(in.Get<std::string_view>(column++));
  row.entered = FromJson(in.Get<std::string_view>(column++));
  row.version = in.Get<int64_t>(column++);
  row.cancelled = in.Get<bool>(column++);
  row.actor = in.Get<std::string>(column++);
  row.create_time_us = in.Get<int64_t>(column++);
  row.update_time_us = in.Get<int64_t>(column++);
  row.created_by = in.Get<std::string>(column++);
  return row;
}

std::vector<Row> ReadRows(const sql::Rows& in) {
  std::vector<Row> rows;
  rows.reserve(in.size());
  for (size_t i = 0; i < in.size(); ++i) rows.push_back(ReadRow(in[i]));
  return rows;
}

// Appends values for an IN list of kListed, repeating the last.
template <typename Iterator>
void AppendListed(Iterator from, Iterator to, sql::Args& args) {
  const size_t wanted = args.size() + kListed;
  for (Iterator it = from; it != to; ++it) args.push_back(*it);
  while (args.size() < wanted) args.push_back(args.back());
}

// The rows that a query with an IN list of kListed finds for all the values.
absl::StatusOr<std::vector<Row>> FindListed(sql::Tx& tx, const sql::Query& query,
                                            const sql::Args& first,
                                            const std::set<std::string>& values) {
  std::vector<Row> found;
  for (auto it = values.begin(); it != values.end();) {
    auto end = it;
    for (size_t i = 0; i < kListed && end != values.end(); ++i) ++end;
    sql::Args args = first;
    AppendListed(it, end, args);
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(query, std::move(args)));
    for (Row& row : ReadRows(rows)) found.push_back(std::move(row));
    it = end;
  }
  return found;
}

// A field as rules see it: money in fen.
std::string RuleValue(const KindField& field, const std::string& value) {
  if (field.type() != common::v1::FIELD_TYPE_MONEY) return value;
  const auto fen = ParseYuan(value);
  return fen.ok() ? StrCat(*fen) : value;
}

void AddFields(const std::string& prefix, const catalog::Catalog& catalog, const Kind& kind,
               const Row& row, const tree::OrganizationTree& tree, Texts& out) {
  const auto add = [&](std::string_view name, std::string value) {
    if (!value.empty()) out.insert_or_assign(StrCat(prefix, name), std::move(value));
  };
  add("number", row.number);
  add("organization", row.organization);
  add("title", row.title);
  add("state", row.state);
  add("on_date", row.on_date);
  add("ends_on", row.ends_on);
  add("subject", row.subject);
  if (const auto* version = tree.Find(row.organization, row.on_date)) add("tier", version->kind);
  for (const KindField& field : kind.fields()) {
    if (field.type() == common::v1::FIELD_TYPE_PERSON) {
      add(field.name(), row.subject);
    } else if (const auto it = row.fields.find(field.name()); it != row.fields.end()) {
      if (field.type() == common::v1::FIELD_TYPE_UNIT) add("unit", it->second);
      add(field.name(), RuleValue(field, it->second));
      if (field.codes().empty()) continue;
      const common::v1::Code* code = catalog.FindCode(field.codes(), it->second);
      if (code == nullptr || (code->points() == 0 && code->group().empty())) continue;
      add(StrCat(field.name(), ".points"), StrCat(code->points()));
      add(StrCat(field.name(), ".must_pass"), code->must_pass() ? "true" : "false");
      add(StrCat(field.name(), ".group"), code->group());
    }
  }
}

}  // namespace

const KindField* FieldOfType(const Kind& kind, common::v1::FieldType type) {
  for (const KindField& field : kind.fields()) {
    if (field.type() == type) return &field;
  }
  return nullptr;
}

std::string_view ValueOf(const Kind& kind, const Row& row, std::string_view name) {
  static const auto& columns = *new std::map<std::string_view, std::string Row::*>{
      {"number", &Row::number},  {"organization", &Row::organization}, {"title", &Row::title},
      {"state", &Row::state},    {"on_date", &Row::on_date},           {"ends_on", &Row::ends_on},
      {"subject", &Row::subject}};
  if (const auto it = columns.find(name); it != columns.end()) return row.*(it->second);
  const KindField* person = FieldOfType(kind, common::v1::FIELD_TYPE_PERSON);
  if (person != nullptr && person->name() == name) return row.subject;
  const auto it = row.fields.find(name);
  return it == row.fields.end() ? std::string_view() : std::string_view(it->second);
}

std::string NaturalKeyOf(const Kind& kind, const Row& row) {
  const std::string& by_number = row.number.empty() ? row.id : row.number;
  std::string key;
  for (const std::string& name : kind.key()) {
    const std::string_view value = ValueOf(kind, row, name);
    if (value.empty()) return by_number;  // A person without papers can be entered twice.
    if (!key.empty()) key += kKeySeparator;
    key += value;
  }
  return key.empty() ? by_number : key;
}

std::string Masked(std::string_view text) {
  const bool digits = text.find_first_not_of("0123456789-+ ") == std::string_view::npos;
  return digits ? crypto::MaskPhone(text) : crypto::MaskName(text);
}

common::v1::Record ToRecord(const Kind& kind, const Row& row, std::string_view name) {
  common::v1::Record record;
  record.set_name(std::string(name));
  record.set_kind(row.kind);
  record.set_number(row.number);
  record.set_organization(row.organization);
  record.set_title(row.title);
  record.set_on_date(row.on_date);
  record.set_ends_on(row.ends_on);
  record.set_state(row.state);
  record.set_due_date(row.due_date);
  record.set_etag(rpc::MakeEtag(row.version));
  record.set_create_time_us(row.create_time_us);
  record.set_update_time_us(row.update_time_us);
  record.set_cancelled(row.cancelled);
  auto& fields = *record.mutable_fields();
  for (const KindField& field : kind.fields()) {
    if (field.type() == common::v1::FIELD_TYPE_PERSON) {
      if (!row.person_mask.empty()) fields[field.name()] = row.person_mask;
    } else if (const auto it = row.fields.find(field.name()); it != row.fields.end()) {
      fields[field.name()] = field.pii() ? Masked(it->second) : it->second;
    }
  }
  return record;
}

common::v1::Record ToNotice(const Kind& kind, const Row& row) {
  common::v1::Record record;
  record.set_kind(row.kind);
  record.set_organization(row.organization);
  record.set_title(row.title);
  record.set_on_date(row.on_date);
  record.set_state(row.state);
  record.set_due_date(row.due_date);
  for (const KindField& field : kind.fields()) {
    const auto it = row.fields.find(field.name());
    if (!field.notice() || it == row.fields.end()) continue;
    (*record.mutable_fields())[field.name()] = field.pii() ? Masked(it->second) : it->second;
  }
  return record;
}

catalog::FactSource ToSource(const catalog::Catalog& catalog, const Kind& kind, const Row& row,
                             const Parent& parent, const tree::OrganizationTree& tree) {
  catalog::FactSource source;
  source.organization = row.organization;
  source.cancelled = row.cancelled;
  source.entered = row.entered;
  if (!kind.states().empty()) {
    source.entered.insert_or_assign(kind.states(0).name(), row.on_date);
  }
  AddFields("", catalog, kind, row, tree, source.fields);
  if (parent.row != nullptr) {
    AddFields("parent.", catalog, *parent.kind, *parent.row, tree, source.fields);
  }
  AddClockDates(catalog, tree, kind, source);
  return source;
}

absl::StatusOr<std::optional<Row>> FindRow(sql::Tx& tx, const std::string& tenant,
                                           const std::string& id) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFind, {tenant, id}));
  if (rows.empty()) return std::nullopt;
  return ReadRow(rows[0]);
}

absl::StatusOr<std::map<std::string, Row>> FindRowsByKey(sql::Tx& tx, const std::string& tenant,
                                                         const std::string& kind,
                                                         const std::set<std::string>& keys) {
  std::map<std::string, Row> found;
  ASSIGN_OR_RETURN(auto rows, FindListed(tx, kFindByKey, {tenant, kind}, keys));
  for (Row& row : rows) found.emplace(row.natural_key, std::move(row));
  return found;
}

absl::StatusOr<std::map<std::string, Row>> FindRowsByNumber(sql::Tx& tx, const std::string& tenant,
                                                            const std::string& kind,
                                                            const std::set<std::string>& numbers) {
  std::map<std::string, Row> found;
  ASSIGN_OR_RETURN(auto rows, FindListed(tx, kFindByNumber, {tenant, kind}, numbers));
  for (Row& row : rows) found.emplace(row.number, std::move(row));
  return found;
}

bool IsNumberedBesideKey(const Kind& kind) { return kind.key_size() > 1 && kind.number_required(); }

absl::StatusOr<std::map<std::string, Row>> FindReferred(sql::Tx& tx, const std::string& tenant,
                                                        const Kind& kind,
                                                        const std::set<std::string>& references) {
  return IsNumberedBesideKey(kind) ? FindRowsByNumber(tx, tenant, kind.name(), references)
                                   : FindRowsByKey(tx, tenant, kind.name(), references);
}

absl::StatusOr<std::vector<Row>> FindRowsOfPersons(sql::Tx& tx, const std::string& tenant,
                                                   const std::set<std::string>& subjects) {
  return FindListed(tx, kFindByPerson, {tenant}, subjects);
}

absl::StatusOr<std::vector<Row>> FindChildren(sql::Tx& tx, const std::string& tenant,
                                              const std::string& parent_id,
                                              const std::string& after_id, int64_t limit) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kChildren, {tenant, parent_id, after_id, limit}));
  return ReadRows(rows);
}

absl::StatusOr<std::vector<common::v1::RecordStep>> FindSteps(sql::Tx& tx,
                                                              const std::string& tenant,
                                                              const std::string& id) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kSteps, {tenant, id}));
  std::vector<common::v1::RecordStep> steps(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    steps[i].set_transition(rows[i].Get<std::string>(0));
    steps[i].set_from_state(rows[i].Get<std::string>(1));
    steps[i].set_to_state(rows[i].Get<std::string>(2));
    steps[i].set_on_date(rows[i].Get<std::string>(3));
    steps[i].set_remark(rows[i].Get<std::string>(4));
    steps[i].set_actor(rows[i].Get<std::string>(5));
    steps[i].set_create_time_us(rows[i].Get<int64_t>(6));
  }
  return steps;
}

absl::StatusOr<std::vector<Row>> ListRows(sql::Tx& tx, const std::string& tenant,
                                          const ListQuery& query) {
  const std::unordered_set<std::string> organizations(query.organizations.begin(),
                                                      query.organizations.end());
  const bool listed = !organizations.empty() && organizations.size() <= kListed;
  // Beginnings and ends that lie outside all dates.
  std::vector<std::string> after =
      query.after.empty() ? std::vector<std::string>{"9999-99-99", ""} : query.after;
  const std::string to_date = query.to_date.empty() ? "9999-12-31" : query.to_date;
  std::vector<Row> found;
  while (true) {
    sql::Args args = {tenant,          query.kind,     after[0],    after[1],
                      query.from_date, to_date,        query.state, query.overdue_at,
                      query.limit,     query.due_from, query.due_to};
    if (!query.number.empty()) {
      args.push_back(query.number);
    } else if (listed) {
      AppendListed(query.organizations.begin(), query.organizations.end(), args);
    }
    const sql::Query& text = !query.number.empty() ? kListNumber
                             : listed              ? kListOrganizations
                                                   : kList;
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(text, std::move(args)));
    for (Row& row : ReadRows(rows)) {
      after = {row.on_date, row.id};
      if (!organizations.empty() && !organizations.contains(row.organization)) continue;
      found.push_back(std::move(row));
      if (static_cast<int64_t>(found.size()) == query.limit) return found;
    }
    if (static_cast<int64_t>(rows.size()) < query.limit) return found;
  }
}

absl::StatusOr<std::vector<Standing>> CountStandings(sql::Tx& tx, const std::string& tenant,
                                                     const std::string& kind) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kStandings, {tenant, kind}));
  std::vector<Standing> standings;
  standings.reserve(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    standings.push_back({rows[i].Get<std::string>(0), rows[i].Get<std::string>(1),
                         rows[i].Get<std::string>(2), rows[i].Get<int64_t>(3)});
  }
  return standings;
}

absl::Status LockNames(sql::Tx& tx, const std::string& tenant, const std::set<std::string>& names) {
  std::vector<sql::Args> args;
  for (const std::string& name : names) args.push_back({tenant, name});
  return args.empty() ? absl::OkStatus() : tx.RunMany(kLock, args).status();
}

absl::Status InsertRows(sql::Tx& tx, const std::string& tenant, absl::Span<const Row* const> rows) {
  std::vector<sql::Args> args;
  args.reserve(rows.size());
  for (const Row* row : rows) {
    args.push_back({tenant,
                    row->id,
                    row->kind,
                    row->organization,
                    row->number,
                    row->natural_key,
                    row->parent_id,
                    row->title,
                    row->on_date,
                    row->ends_on,
                    row->state,
                    row->due_date,
                    row->subject,
                    row->person_mask,
                    ToJson(row->fields),
                    ToJson(row->entered),
                    row->version,
                    row->cancelled,
                    row->actor,
                    row->create_time_us,
                    row->update_time_us,
                    row->created_by});
  }
  return tx.RunMany(kInsert, args).status();
}

absl::Status UpdateRow(sql::Tx& tx, const std::string& tenant, const Row& row) {
  return tx
      .Run(kUpdate,
           {tenant, row.id, row.natural_key, row.parent_id, row.title, row.on_date, row.ends_on,
            row.state, row.due_date, row.subject, row.person_mask, ToJson(row.fields),
            ToJson(row.entered), row.version, row.cancelled, row.actor, row.update_time_us})
      .status();
}

absl::Status InsertSteps(sql::Tx& tx, const std::string& tenant,
                         absl::Span<const StepsOf> records) {
  std::vector<sql::Args> args;
  for (const StepsOf& record : records) {
    int64_t seq = record.first_seq;
    for (const auto& step : *record.steps) {
      args.push_back({tenant, *record.id, seq++, step.transition(), step.from_state(),
                      step.to_state(), step.on_date(), step.remark(), step.actor(),
                      step.create_time_us()});
    }
  }
  if (args.empty()) return absl::OkStatus();
  return tx.RunMany(kInsertStep, args).status();
}

}  // namespace gonghui::records
