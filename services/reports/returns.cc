#include "services/reports/returns.h"

#include <set>
#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/page.h"
#include "common/rpc/update.h"

namespace gonghui::reports {
namespace {

constexpr sql::Query kListReturns{
    "reports.list_returns",
    "SELECT form, organization, period, state, approvals, version, filed_us, submitted_by, "
    "approved_by, remark, create_time_us, update_time_us FROM returns WHERE tenant=$1 "
    "AND (form, organization, period) > ($2, $3, $4) AND ($5='' OR form=$5) "
    "AND ($6='' OR period=$6) AND (CAST($7 AS BIGINT)=0 OR state=$7) "
    "ORDER BY form, organization, period LIMIT $8"};
constexpr sql::Query kListChanges{
    "reports.list_return_changes",
    "SELECT version, ordinal, time_us, actor, kind, cell, old_value, new_value, remark "
    "FROM return_changes WHERE tenant=$1 AND form=$2 AND organization=$3 AND period=$4 "
    "AND (version, ordinal) > ($5, $6) ORDER BY version, ordinal LIMIT $7"};
constexpr sql::Query kLastWriter{
    "reports.last_writer_of_cell",
    "SELECT actor FROM return_changes WHERE tenant=$1 AND form=$2 AND organization=$3 "
    "AND period=$4 AND cell=$5 AND kind=1 ORDER BY version DESC, ordinal DESC LIMIT 1"};

constexpr int64_t kValueMost = 1'000'000'000'000'000;  // Sums stay far from overflow.

// Every edit names one cell of the form, once, with a value that fits.
absl::Status CheckEdits(const Form& form, const v1::UpdateReturnRequest& request) {
  std::set<std::string> seen;
  for (int i = 0; i < request.edits_size(); ++i) {
    const v1::CellEdit& edit = request.edits(i);
    const std::string at = StrCat("edits[", i, "]");
    if (form.Find(edit.code()) == nullptr) {
      return InvalidArgument(
                 common::v1::REASON_FIELD_INVALID,
                 StrCat("the form '", form.name(), "' has no cell '", edit.code(),
                        "': GetForm shows its cells"),
                 StrCat("报表“", form.name(), "”没有单元格“", edit.code(), "”：请用 GetForm 查看"))
          .With("cell", edit.code())
          .At(at + ".code");
    }
    if (!seen.insert(edit.code()).second) {
      return InvalidArgument(common::v1::REASON_DUPLICATE_IN_REQUEST,
                             StrCat("the cell ", edit.code(), " stands twice: send it once"),
                             StrCat("单元格 ", edit.code(), " 重复，请只写一次"))
          .At(at + ".code");
    }
    if (edit.has_value() && !IsCellValue(edit.value())) {
      return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                             StrCat("the value of ", edit.code(), " is out of range"),
                             StrCat("单元格 ", edit.code(), " 的数值超出范围"))
          .At(at + ".value");
    }
  }
  return absl::OkStatus();
}

std::string ValueText(const FormPlace& place, const std::optional<int64_t>& value) {
  return value.has_value() ? FormatCell(*place.row, *value) : "";
}

// Whether the editor saw something else than what the cell holds now, and wants something else.
bool InConflict(const v1::CellEdit& edit, const std::optional<int64_t>& now) {
  const auto base = edit.has_base_value() ? std::optional(edit.base_value()) : std::nullopt;
  const auto wanted = edit.has_value() ? std::optional(edit.value()) : std::nullopt;
  return now != base && now != wanted;
}

// CONFLICT that shows, for each such cell, what was seen, what stands there now, by whom, and what
// was to be written.
absl::Status CheckConflicts(sql::Tx& tx, const ReturnKey& key, const StoredReturn& stored,
                            const v1::UpdateReturnRequest& request) {
  constexpr int kShownMost = 20;  // Errors travel in headers, which are short.
  int count = 0;
  std::string en;
  std::string zh;
  std::string cells;
  std::vector<std::pair<std::string, std::string>> metadata;
  for (const v1::CellEdit& edit : request.edits()) {
    const auto found = stored.cells.find(edit.code());
    const auto now = found == stored.cells.end() ? std::nullopt : found->second.value;
    if (!InConflict(edit, now)) continue;
    StrAppend(&cells, cells.empty() ? "" : ",", edit.code());
    if (++count > kShownMost) continue;
    const FormPlace& place = *key.form->Find(edit.code());
    const std::string theirs = ValueText(place, now);
    const std::string yours =
        ValueText(place, edit.has_value() ? std::optional(edit.value()) : std::nullopt);
    sql::Args args = key.Columns();
    args.push_back(edit.code());
    ASSIGN_OR_RETURN(const sql::Rows writer, tx.Run(kLastWriter, std::move(args)));
    const std::string by = writer.empty() ? "" : writer[0].Get<std::string>(0);
    StrAppend(&en, "\n  ", edit.code(), ": now '", theirs, "' (", by, "), yours '", yours, "'");
    StrAppend(&zh, "\n  ", edit.code(), "：现为“", theirs, "”（", by, "），您要写入“", yours, "”");
    metadata.emplace_back(edit.code() + ".stored", theirs);
    metadata.emplace_back(edit.code() + ".yours", yours);
    metadata.emplace_back(edit.code() + ".by", by);
  }
  if (cells.empty()) return absl::OkStatus();
  Error error = Aborted(
      common::v1::REASON_CONFLICT,
      StrCat("Somebody changed these cells since you read them; nothing was written. Choose, then "
             "send what stands there now as base_value:",
             en),
      StrCat("您读取之后这些单元格已被他人修改，未写入任何内容。请核对后以现值为 base_value "
             "重新提交：",
             zh));
  for (auto& [name, value] : metadata) std::move(error).With(name, value);
  return std::move(error).With("cells", cells);
}

}  // namespace

bool IsCellValue(int64_t value) { return value >= -kValueMost && value <= kValueMost; }

absl::Status CheckEditable(v1::ReturnState state) {
  return CheckState(state,
                    {v1::RETURN_STATE_MISSING, v1::RETURN_STATE_DRAFT, v1::RETURN_STATE_SENT_BACK},
                    "edit it", "编辑");
}

absl::StatusOr<ReturnKey> Returns::Resolve(const rpc::Call& call, std::string_view name) const {
  ASSIGN_OR_RETURN(ReturnKey key, ResolveReturn(call, *options_.forms, *options_.tree, name));
  RETURN_IF_ERROR(call.CheckScope(key.organization));
  return key;
}

absl::StatusOr<v1::Return> Returns::Get(rpc::Call& call, const v1::GetReturnRequest& request) {
  ASSIGN_OR_RETURN(const ReturnKey key, Resolve(call, request.name()));
  v1::Return answer;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const StoredReturn stored, LoadReturn(tx, key));
    answer = ToProto(key, stored, call.Today(), true);
    return absl::OkStatus();
  }));
  return answer;
}

absl::StatusOr<v1::ListReturnsResponse> Returns::List(rpc::Call& call,
                                                      const v1::ListReturnsRequest& request) {
  ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(std::vector<std::string> after,
                   rpc::ReadPageToken(request, request.page_token(), 3));
  if (after.empty()) after.resize(3);
  ASSIGN_OR_RETURN(const auto tree, options_.tree->Get(call.federation, request.organization()));
  const std::string today = call.Today();
  v1::ListReturnsResponse response;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    std::vector<std::string> at = after;
    while (true) {
      ASSIGN_OR_RETURN(
          const sql::Rows rows,
          tx.Run(kListReturns, {call.federation, at[0], at[1], at[2], request.form(),
                                request.period(), int64_t{request.state()}, int64_t{size}}));
      for (size_t i = 0; i < rows.size(); ++i) {
        std::vector<std::string> row = {rows[i].Get<std::string>(0), rows[i].Get<std::string>(1),
                                        rows[i].Get<std::string>(2)};
        if (response.returns_size() == size) {
          response.set_next_page_token(rpc::MakePageToken(request, at));
          return absl::OkStatus();
        }
        at = row;
        if (!request.organization().empty() &&
            !tree->IsAtOrBelow(row[1], request.organization(), today)) {
          continue;
        }
        const auto key = ResolveReturn(call, *options_.forms, *options_.tree,
                                       ReturnName(call.federation, row[0], row[2], row[1]));
        if (!key.ok()) continue;  // Of a form or unit that the catalogue or tree no longer has.
        v1::Return listed = ToProto(*key, ReadReturn(rows[i], 3), today, false);
        if (!request.late() || listed.late()) *response.add_returns() = std::move(listed);
      }
      if (rows.size() < static_cast<size_t>(size)) return absl::OkStatus();
    }
  }));
  return response;
}

absl::StatusOr<v1::Return> Returns::Update(rpc::Call& call,
                                           const v1::UpdateReturnRequest& request) {
  ASSIGN_OR_RETURN(const ReturnKey key, Resolve(call, request.name()));
  RETURN_IF_ERROR(CheckEdits(*key.form, request));
  return rpc::WriteOnce<v1::Return>(
      *options_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Return> {
        ASSIGN_OR_RETURN(StoredReturn stored, LoadReturn(tx, key));
        RETURN_IF_ERROR(CheckEditable(stored.state));
        RETURN_IF_ERROR(rpc::CheckEtag(request.etag(), stored.version));
        RETURN_IF_ERROR(CheckConflicts(tx, key, stored, request));
        ReturnEdit edit(call, key, stored);
        if (stored.state == v1::RETURN_STATE_MISSING) edit.SetState(v1::RETURN_STATE_DRAFT, "");
        for (const v1::CellEdit& one : request.edits()) {
          edit.SetValue(one.code(), one.has_value() ? std::optional(one.value()) : std::nullopt);
          if (one.has_reason()) edit.SetReason(one.code(), one.reason());
        }
        if (edit.changed()) RETURN_IF_ERROR(edit.Save(tx));
        return ToProto(key, stored, call.Today(), true);
      });
}

absl::StatusOr<v1::ValidateReturnResponse> Returns::Validate(
    rpc::Call& call, const v1::ValidateReturnRequest& request) {
  ASSIGN_OR_RETURN(const ReturnKey key, Resolve(call, request.name()));
  v1::ValidateReturnResponse response;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const StoredReturn stored, LoadReturn(tx, key));
    ASSIGN_OR_RETURN(const RuleInput input, LoadRuleInput(tx, *options_.forms, key, stored));
    response = CheckRules(*key.form, input);
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<v1::Return> Returns::Submit(rpc::Call& call,
                                           const v1::SubmitReturnRequest& request) {
  ASSIGN_OR_RETURN(const ReturnKey key, Resolve(call, request.name()));
  if (call.Today() < key.period.last_day) {
    return FailedPrecondition(common::v1::REASON_PERIOD_NOT_OVER,
                              StrCat("The period ", key.period.text, " ends on ",
                                     key.period.last_day, ": submit on that day or later"),
                              StrCat("报告期 ", key.period.text, " 于 ", key.period.last_day,
                                     " 结束，请届时再提交"))
        .With("period_end", key.period.last_day);
  }
  return rpc::WriteOnce<v1::Return>(
      *options_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Return> {
        ASSIGN_OR_RETURN(StoredReturn stored, LoadReturn(tx, key));
        RETURN_IF_ERROR(CheckState(stored.state,
                                   {v1::RETURN_STATE_DRAFT, v1::RETURN_STATE_SENT_BACK},
                                   "submit it", "提交"));
        RETURN_IF_ERROR(rpc::CheckEtag(request.etag(), stored.version));
        ASSIGN_OR_RETURN(const RuleInput input, LoadRuleInput(tx, *options_.forms, key, stored));
        RETURN_IF_ERROR(RuleStatus(CheckRules(*key.form, input)));
        ReturnEdit edit(call, key, stored);
        for (const FormPlace& place : key.form->places()) edit.SetRemark(place.code(), "");
        edit.SetState(v1::RETURN_STATE_SUBMITTED, "");
        stored.submitted_by = call.actor.subject;
        stored.approved_by.clear();
        stored.approvals = 0;
        if (stored.filed_us == 0) stored.filed_us = call.clock->NowMicros();
        RETURN_IF_ERROR(edit.Save(tx));
        return ToProto(key, stored, call.Today(), true);
      });
}

absl::StatusOr<v1::ListReturnChangesResponse> Returns::ListChanges(
    rpc::Call& call, const v1::ListReturnChangesRequest& request) {
  ASSIGN_OR_RETURN(const ReturnKey key, Resolve(call, request.name()));
  ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const std::vector<std::string> after,
                   rpc::ReadPageToken(request, request.page_token(), 2));
  int64_t version = 0;
  int64_t ordinal = -1;
  if (!after.empty() && (!ParseInteger(after[0], &version) || !ParseInteger(after[1], &ordinal))) {
    return InvalidArgument(common::v1::REASON_PAGE_TOKEN_INVALID,
                           "the page token is damaged: start from the first page",
                           "分页标记已损坏：请从第一页开始")
        .At("page_token");
  }
  v1::ListReturnChangesResponse response;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    sql::Args args = key.Columns();
    args.insert(args.end(), {version, ordinal, int64_t{size} + 1});
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kListChanges, std::move(args)));
    for (size_t i = 0; i < rows.size(); ++i) {
      if (response.changes_size() == size) {
        response.set_next_page_token(rpc::MakePageToken(
            request, {StrCat(rows[i - 1].Get<int64_t>(0)), StrCat(rows[i - 1].Get<int64_t>(1))}));
        break;
      }
      v1::ReturnChange& change = *response.add_changes();
      change.set_time_us(rows[i].Get<int64_t>(2));
      change.set_actor(rows[i].Get<std::string>(3));
      change.set_kind(static_cast<v1::ReturnChangeKind>(rows[i].Get<int64_t>(4)));
      change.set_cell(rows[i].Get<std::string>(5));
      change.set_old_value(rows[i].Get<std::string>(6));
      change.set_new_value(rows[i].Get<std::string>(7));
      change.set_remark(rows[i].Get<std::string>(8));
    }
    return absl::OkStatus();
  }));
  return response;
}

}  // namespace gonghui::reports
