#include "services/reports/return_rows.h"

#include <algorithm>
#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/update.h"

namespace gonghui::reports {
namespace {

constexpr sql::Query kGetReturn{
    "reports.get_return",
    "SELECT state, approvals, version, filed_us, submitted_by, approved_by, remark, "
    "create_time_us, update_time_us FROM returns "
    "WHERE tenant=$1 AND form=$2 AND organization=$3 AND period=$4"};
constexpr sql::Query kListCells{"reports.list_return_cells",
                                "SELECT cell, value, reason, remark FROM return_cells "
                                "WHERE tenant=$1 AND form=$2 AND organization=$3 AND period=$4"};
constexpr sql::Query kPutReturn{
    "reports.put_return",
    "INSERT INTO returns (tenant, form, organization, period, period_end, state, approvals, "
    "version, filed_us, submitted_by, approved_by, remark, create_time_us, update_time_us) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) "
    "ON CONFLICT (tenant, form, organization, period) DO UPDATE SET state=excluded.state, "
    "approvals=excluded.approvals, version=excluded.version, filed_us=excluded.filed_us, "
    "submitted_by=excluded.submitted_by, approved_by=excluded.approved_by, "
    "remark=excluded.remark, update_time_us=excluded.update_time_us"};
constexpr sql::Query kPutCell{
    "reports.put_return_cell",
    "INSERT INTO return_cells (tenant, form, organization, period, cell, value, reason, remark) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
    "ON CONFLICT (tenant, form, organization, period, cell) DO UPDATE "
    "SET value=excluded.value, reason=excluded.reason, remark=excluded.remark"};
constexpr sql::Query kAddChange{
    "reports.add_return_change",
    "INSERT INTO return_changes (tenant, form, organization, period, version, ordinal, time_us, "
    "actor, kind, cell, old_value, new_value, remark) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"};
constexpr sql::Query kListOfUnit{
    "reports.list_values_ending",
    "SELECT c.cell, c.value FROM returns r JOIN return_cells c ON c.tenant=r.tenant "
    "AND c.form=r.form AND c.organization=r.organization AND c.period=r.period "
    "WHERE r.tenant=$1 AND r.form=$2 AND r.organization=$3 AND r.period_end=$4 "
    "AND r.filed_us>0"};
constexpr sql::Query kExists{
    "reports.return_exists_ending",
    "SELECT 1 FROM returns WHERE tenant=$1 AND form=$2 AND organization=$3 AND period_end=$4 "
    "AND filed_us>0"};

Error NameForm() {
  return InvalidArgument(
      common::v1::REASON_FIELD_INVALID,
      "a return's name is federations/{federation}/returns/{form}.{period}.{organization}, for "
      "example federations/demo/returns/district_half_year.2020H1.D01",
      "报表名称形如 federations/{federation}/returns/{form}.{period}.{organization}，例如 "
      "federations/demo/returns/district_half_year.2020H1.D01");
}

absl::Status DoesNotFile(const Form& form, const std::string& organization,
                         const std::string& kind) {
  std::string kinds;
  for (const v1::FormFiler& filer : form.message().filers()) {
    for (const std::string& one : filer.kinds()) {
      StrAppend(&kinds, kinds.empty() ? "" : ", ", one);
    }
  }
  return FailedPrecondition(common::v1::REASON_RULE_VIOLATED,
                            StrCat("the organisation '", organization, "' is of kind '", kind,
                                   "', which does not file '", form.name(), "'; these do: ", kinds),
                            StrCat("组织“", organization, "”的层级是 ", kind, "，不填报“",
                                   form.name(), "”；填报单位：", kinds))
      .With("organization", organization)
      .With("kinds", kinds)
      .At("name");
}

// The values of the unit's return of a form that ends on a day; nullopt where none was filed.
absl::StatusOr<std::optional<CellValues>> ValuesEnding(sql::Tx& tx, const ReturnKey& key,
                                                       const std::string& form,
                                                       const std::string& day) {
  const sql::Args args = {key.tenant, form, key.organization, day};
  ASSIGN_OR_RETURN(const sql::Rows exists, tx.Run(kExists, args));
  if (exists.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kListOfUnit, args));
  CellValues values;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].IsNull(1)) values.emplace(rows[i].Get<std::string>(0), rows[i].Get<int64_t>(1));
  }
  return values;
}

}  // namespace

std::string ReturnName(std::string_view tenant, std::string_view form, std::string_view period,
                       std::string_view organization) {
  return StrCat("federations/", tenant, "/returns/", form, ".", period, ".", organization);
}

std::string ReturnKey::Name() const {
  return ReturnName(tenant, form->name(), period.text, organization);
}

sql::Args ReturnKey::Columns() const { return {tenant, form->name(), organization, period.text}; }

absl::Status CheckKnown(const tree::OrganizationTree& tree, const std::string& organization,
                        std::string_view field) {
  if (tree.Exists(organization)) return absl::OkStatus();
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("there is no organisation '", organization,
                         "': ListOrganizations shows the known ones"),
                  StrCat("没有组织“", organization, "”：请用 ListOrganizations 查看"))
      .With("organization", organization)
      .At(std::string(field));
}

std::string DueDate(const Period& period, const v1::FormFiler& filer) {
  const auto last = ParseDate(period.last_day);
  return last.ok() ? FormatDate(*last + filer.due_days()) : period.last_day;
}

std::string DayOf(int64_t time_us) {
  return time_us == 0 ? "" : ManualClock(absl::FromUnixMicros(time_us)).Today();
}

int DaysBetween(std::string_view from, std::string_view to) {
  const auto first = ParseDate(from);
  const auto last = ParseDate(to);
  return first.ok() && last.ok() ? static_cast<int>(*last - *first) : 0;
}

absl::StatusOr<ReturnKey> ResolveReturn(const rpc::Call& call, const Forms& forms,
                                        const tree::TreeCache& tree, std::string_view name) {
  const std::string_view leaf = name.substr(name.rfind('/') + 1);
  const size_t first = leaf.find('.');
  const size_t second = first == std::string_view::npos ? first : leaf.find('.', first + 1);
  if (second == std::string_view::npos) return NameForm().At("name");
  ReturnKey key;
  key.tenant = call.federation;
  key.organization = leaf.substr(second + 1);
  ASSIGN_OR_RETURN(key.period, forms.measures().periods().Parse(
                                   leaf.substr(first + 1, second - first - 1), "name"));
  key.form = forms.Find(leaf.substr(0, first), key.period.last_day);
  if (key.form == nullptr) return FormUnknown(leaf.substr(0, first), "name");
  if (!key.form->IsPeriod(key.period, forms.measures())) {
    return InvalidArgument(
               common::v1::REASON_PERIOD_INVALID,
               StrCat("'", key.period.text, "' is no period of the form '", key.form->name(),
                      "', which is filed by ",
                      ToLower(v1::FormPeriod_Name(key.form->message().period()).substr(12))),
               StrCat("报表“", key.form->name(), "”没有报告期“", key.period.text, "”"))
        .At("name");
  }
  ASSIGN_OR_RETURN(const auto now, tree.Get(call.federation, key.organization));
  const tree::Version* unit = now->Find(key.organization, key.period.last_day);
  if (unit == nullptr || unit->state == "closed") {
    return NotFound(common::v1::REASON_NOT_FOUND,
                    StrCat("there was no organisation '", key.organization, "' on ",
                           key.period.last_day, ": ListOrganizations shows the known ones"),
                    StrCat(key.period.last_day, " 没有组织“", key.organization,
                           "”：请用 ListOrganizations 查看"))
        .With("organization", key.organization)
        .At("name");
  }
  const v1::FormFiler* filer = key.form->FilerOf(unit->kind);
  if (filer == nullptr) return DoesNotFile(*key.form, key.organization, unit->kind);
  key.due_date = DueDate(key.period, *filer);
  key.path = now->Path(key.organization, call.Today());
  return key;
}

CellValues StoredReturn::Values() const {
  CellValues values;
  for (const auto& [code, cell] : cells) {
    if (cell.value.has_value()) values.emplace(code, *cell.value);
  }
  return values;
}

bool StoredReturn::IsLate(const std::string& due_date, const std::string& today) const {
  return (filed_us == 0 ? today : DayOf(filed_us)) > due_date;
}

StoredReturn ReadReturn(const sql::Rows::Row& row, size_t first_column) {
  StoredReturn stored;
  size_t at = first_column;
  stored.state = static_cast<v1::ReturnState>(row.Get<int64_t>(at++));
  stored.approvals = row.Get<int64_t>(at++);
  stored.version = row.Get<int64_t>(at++);
  stored.filed_us = row.Get<int64_t>(at++);
  stored.submitted_by = row.Get<std::string>(at++);
  stored.approved_by = row.Get<std::string>(at++);
  stored.remark = row.Get<std::string>(at++);
  stored.create_time_us = row.Get<int64_t>(at++);
  stored.update_time_us = row.Get<int64_t>(at++);
  return stored;
}

absl::StatusOr<StoredReturn> LoadReturn(sql::Tx& tx, const ReturnKey& key) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kGetReturn, key.Columns()));
  if (rows.empty()) return StoredReturn();
  StoredReturn stored = ReadReturn(rows[0], 0);
  ASSIGN_OR_RETURN(const sql::Rows cells, tx.Run(kListCells, key.Columns()));
  for (size_t i = 0; i < cells.size(); ++i) {
    stored.cells[cells[i].Get<std::string>(0)] = {.value = cells[i].Get<std::optional<int64_t>>(1),
                                                  .reason = cells[i].Get<std::string>(2),
                                                  .remark = cells[i].Get<std::string>(3)};
  }
  return stored;
}

void ReturnEdit::Add(v1::ReturnChangeKind kind, const std::string& cell, std::string before,
                     std::string after, const std::string& remark) {
  v1::ReturnChange& change = changes_.emplace_back();
  change.set_kind(kind);
  change.set_cell(cell);
  change.set_old_value(std::move(before));
  change.set_new_value(std::move(after));
  change.set_remark(remark);
  if (!cell.empty()) cells_.push_back(cell);
}

void ReturnEdit::SetValue(const std::string& code, std::optional<int64_t> value) {
  const FormPlace* place = key_.form->Find(code);
  StoredCell& cell = stored_.cells[code];
  if (place == nullptr || cell.value == value) return;
  const auto text = [&](const std::optional<int64_t>& one) {
    return one.has_value() ? FormatCell(*place->row, *one) : "";
  };
  Add(v1::RETURN_CHANGE_KIND_VALUE, code, text(cell.value), text(value));
  cell.value = value;
}

void ReturnEdit::SetReason(const std::string& code, const std::string& reason) {
  StoredCell& cell = stored_.cells[code];
  if (cell.reason == reason) return;
  Add(v1::RETURN_CHANGE_KIND_REASON, code, cell.reason, reason);
  cell.reason = reason;
}

void ReturnEdit::SetRemark(const std::string& code, const std::string& remark) {
  StoredCell& cell = stored_.cells[code];
  if (cell.remark == remark) return;
  Add(v1::RETURN_CHANGE_KIND_REMARK, code, cell.remark, remark);
  cell.remark = remark;
}

void ReturnEdit::SetState(v1::ReturnState state, const std::string& remark) {
  Add(v1::RETURN_CHANGE_KIND_STATE, "", StateName(stored_.state), StateName(state), remark);
  stored_.state = state;
  stored_.remark = remark;
}

absl::Status ReturnEdit::Save(sql::Tx& tx) {
  const int64_t now = call_.clock->NowMicros();
  ++stored_.version;
  stored_.update_time_us = now;
  if (stored_.create_time_us == 0) stored_.create_time_us = now;
  sql::Args row = key_.Columns();
  row.insert(row.end(),
             {key_.period.last_day, int64_t{stored_.state}, stored_.approvals, stored_.version,
              stored_.filed_us, stored_.submitted_by, stored_.approved_by, stored_.remark,
              stored_.create_time_us, stored_.update_time_us});
  RETURN_IF_ERROR(tx.Run(kPutReturn, std::move(row)).status());
  std::sort(cells_.begin(), cells_.end());
  cells_.erase(std::unique(cells_.begin(), cells_.end()), cells_.end());
  std::vector<sql::Args> cells;
  for (const std::string& code : cells_) {
    const StoredCell& cell = stored_.cells[code];
    sql::Args& args = cells.emplace_back(key_.Columns());
    args.push_back(code);
    args.push_back(cell.value.has_value() ? sql::Value(*cell.value) : sql::Value());
    args.push_back(cell.reason);
    args.push_back(cell.remark);
  }
  RETURN_IF_ERROR(tx.RunMany(kPutCell, cells).status());
  std::vector<sql::Args> changes;
  for (const v1::ReturnChange& change : changes_) {
    sql::Args& args = changes.emplace_back(key_.Columns());
    args.insert(args.end(), {stored_.version, static_cast<int64_t>(changes.size()), now,
                             call_.actor.subject, int64_t{change.kind()}, change.cell(),
                             change.old_value(), change.new_value(), change.remark()});
  }
  changes_.clear();
  cells_.clear();
  return tx.RunMany(kAddChange, changes).status();
}

v1::Return ToProto(const ReturnKey& key, const StoredReturn& stored, const std::string& today,
                   bool with_cells) {
  v1::Return message;
  message.set_name(key.Name());
  message.set_form(key.form->name());
  message.set_form_valid_from(key.form->message().valid_from());
  message.set_organization(key.organization);
  message.set_period(key.period.text);
  message.set_state(stored.state);
  message.set_due_date(key.due_date);
  message.set_late(stored.IsLate(key.due_date, today));
  message.set_approvals(static_cast<int32_t>(stored.approvals));
  message.set_filed_time_us(stored.filed_us);
  message.set_submitted_by(stored.submitted_by);
  for (const std::string_view actor : Split(stored.approved_by, '\n')) {
    if (!actor.empty()) message.add_approved_by(std::string(actor));
  }
  message.set_remark(stored.remark);
  message.set_etag(rpc::MakeEtag(stored.version));
  message.set_create_time_us(stored.create_time_us);
  message.set_update_time_us(stored.update_time_us);
  if (!with_cells) return message;
  for (const FormPlace& place : key.form->places()) {
    v1::ReturnCell& cell = *message.add_cells();
    cell.set_code(place.code());
    const auto found = stored.cells.find(place.code());
    if (found == stored.cells.end()) continue;
    if (found->second.value.has_value()) {
      cell.set_value(*found->second.value);
      cell.set_text(FormatCell(*place.row, *found->second.value));
    }
    cell.set_reason(found->second.reason);
    cell.set_remark(found->second.remark);
  }
  return message;
}

std::string StateName(v1::ReturnState state) {
  return v1::ReturnState_Name(state).substr(sizeof("RETURN_STATE"));
}

absl::Status CheckState(v1::ReturnState state, std::initializer_list<v1::ReturnState> allowed,
                        std::string_view step, std::string_view step_zh) {
  if (std::find(allowed.begin(), allowed.end(), state) != allowed.end()) return absl::OkStatus();
  std::string names;
  for (const v1::ReturnState one : allowed)
    StrAppend(&names, names.empty() ? "" : ", ", StateName(one));
  return FailedPrecondition(
             common::v1::REASON_STATE_FORBIDS,
             StrCat("The return is ", StateName(state), "; to ", step, " it must be ", names),
             StrCat("报表状态为 ", StateName(state), "，", step_zh, "须为 ", names))
      .With("state", StateName(state))
      .With("allowed", names);
}

absl::StatusOr<RuleInput> LoadRuleInput(sql::Tx& tx, const Forms& forms, const ReturnKey& key,
                                        const StoredReturn& stored) {
  RuleInput input;
  input.values = stored.Values();
  for (const auto& [code, cell] : stored.cells) {
    if (!cell.reason.empty()) input.reasons.insert(code);
  }
  if (const auto before = forms.measures().periods().YearBefore(key.period); before.has_value()) {
    ASSIGN_OR_RETURN(input.year_before, ValuesEnding(tx, key, key.form->name(), before->last_day));
  }
  for (const std::string& name : OtherFormsOf(*key.form)) {
    const Form* other = forms.Find(name, key.period.last_day);
    if (other == nullptr) continue;
    ASSIGN_OR_RETURN(auto values, ValuesEnding(tx, key, name, key.period.last_day));
    if (values.has_value()) input.others[name] = {other, *std::move(values)};
  }
  return input;
}

}  // namespace gonghui::reports
