#include "services/reports/return_files.h"

#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/update.h"
#include "common/sheet/csv.h"
#include "common/sheet/reader.h"
#include "common/sheet/xlsx_writer.h"
#include "services/reports/return_sheet.h"
#include "services/reports/returns.h"

namespace gonghui::reports {
namespace {

// Puts what the file says into the return; the number of cells that got another value.
int Fill(const ReadReturnSheet& read, const Form& form, ReturnEdit& edit,
         const StoredReturn& stored) {
  int changed = 0;
  for (const FormPlace& place : form.places()) {
    const auto value = read.values.find(place.code());
    const auto wanted = value == read.values.end() ? std::nullopt : std::optional(value->second);
    const auto found = stored.cells.find(place.code());
    const auto now = found == stored.cells.end() ? std::nullopt : found->second.value;
    changed += now == wanted ? 0 : 1;
    edit.SetValue(place.code(), wanted);
    const auto reason = read.reasons.find(place.code());
    if (reason != read.reasons.end()) edit.SetReason(place.code(), reason->second);
  }
  return changed;
}

}  // namespace

absl::StatusOr<v1::ImportReturnResponse> ReturnFiles::Import(
    rpc::Call& call, const v1::ImportReturnRequest& request) {
  ASSIGN_OR_RETURN(const ReturnKey key,
                   ResolveReturn(call, *options_.forms, *options_.tree, request.name()));
  RETURN_IF_ERROR(call.CheckScope(key.organization));
  ASSIGN_OR_RETURN(const std::vector<sheet::Table> tables, sheet::ReadTables(request.content()));
  if (tables.empty()) {
    return InvalidArgument(common::v1::REASON_FILE_UNREADABLE, "the workbook has no visible sheet",
                           "工作簿没有可见的工作表")
        .At("content");
  }
  const ReadReturnSheet read = ParseReturnSheet(key, tables[0]);
  const auto body = [&](sql::Tx& tx) -> absl::StatusOr<v1::ImportReturnResponse> {
    v1::ImportReturnResponse response;
    ASSIGN_OR_RETURN(StoredReturn stored, LoadReturn(tx, key));
    RETURN_IF_ERROR(CheckEditable(stored.state));
    RETURN_IF_ERROR(rpc::CheckEtag(request.etag(), stored.version));
    *response.mutable_faults() = {read.faults.begin(), read.faults.end()};
    ReturnEdit edit(call, key, stored);
    if (stored.state == v1::RETURN_STATE_MISSING) edit.SetState(v1::RETURN_STATE_DRAFT, "");
    response.set_changed(Fill(read, *key.form, edit, stored));
    ASSIGN_OR_RETURN(const RuleInput input, LoadRuleInput(tx, *options_.forms, key, stored));
    *response.mutable_violations() = CheckRules(*key.form, input).violations();
    if (!read.faults.empty()) return response;
    if (!request.validate_only() && edit.changed()) RETURN_IF_ERROR(edit.Save(tx));
    *response.mutable_current() = ToProto(key, stored, call.Today(), true);
    return response;
  };
  if (!request.validate_only() && read.faults.empty()) {
    return rpc::WriteOnce<v1::ImportReturnResponse>(*options_.db, call, request, body);
  }
  v1::ImportReturnResponse response;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(response, body(tx));
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<v1::ExportFormResponse> ReturnFiles::Export(rpc::Call& call,
                                                           const v1::ExportFormRequest& request) {
  ASSIGN_OR_RETURN(const ReturnKey key,
                   ResolveReturn(call, *options_.forms, *options_.tree, request.name()));
  RETURN_IF_ERROR(call.CheckScope(key.organization));
  StoredReturn stored;
  if (!request.blank()) {
    RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
      ASSIGN_OR_RETURN(stored, LoadReturn(tx, key));
      return absl::OkStatus();
    }));
  }
  ASSIGN_OR_RETURN(const auto tree, options_.tree->Get(call.federation, key.organization));
  const tree::Version* unit = tree->Find(key.organization, key.period.last_day);
  const sheet::Sheet sheet =
      WriteReturnSheet(key, stored, unit == nullptr ? "" : unit->display_name);
  v1::ExportFormResponse response;
  const std::string stem = StrCat(key.form->name(), ".", key.period.text, ".", key.organization);
  if (request.format() == v1::SHEET_FORMAT_CSV) {
    response.set_content(sheet::WriteCsv(sheet));
    response.set_file_name(stem + ".csv");
    response.set_media_type("text/csv; charset=utf-8");
    return response;
  }
  ASSIGN_OR_RETURN(std::string bytes, sheet::WriteXlsx({sheet}));
  response.set_content(std::move(bytes));
  response.set_file_name(stem + ".xlsx");
  response.set_media_type("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
  return response;
}

}  // namespace gonghui::reports
