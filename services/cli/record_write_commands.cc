// gonghui records create, change, step, cancel: what becomes of records of any kind.
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "gonghui/common/v1/record.pb.h"
#include "services/cli/kinds.h"
#include "services/cli/program.h"
#include "services/cli/record_lines.h"

namespace gonghui::cli {
namespace {

using common::v1::Record;

struct WriteOptions {
  std::string name;
  std::string kind;
  std::string organization;
  std::string number;
  std::string title;
  std::string on_date;
  std::string ends_on;
  std::string step;
  std::string remark;
  std::vector<std::string> fields;
  bool dry_run = false;
};

// Field -> value of what --set names.
std::map<std::string, std::string> FieldsOf(const WriteOptions& options) {
  std::map<std::string, std::string> fields;
  for (const std::string& field : options.fields) {
    const std::pair<std::string, std::string> named =
        absl::StrSplit(field, absl::MaxSplits('=', 1));
    fields[named.first] = named.second;
  }
  return fields;
}

absl::StatusOr<int> Shown(const Session& session, const absl::StatusOr<Record>& record) {
  if (!record.ok()) return record.status();
  if (session.json()) {
    PrintJson(*record);
    return kSuccess;
  }
  std::vector<std::string> parts;
  for (const std::string& part :
       {record->number(),
        record->cancelled() ? session.Say("cancelled", "已撤销") : record->state(),
        record->due_date().empty() ? "" : session.Say("due ", "时限 ") + record->due_date()}) {
    if (!part.empty()) parts.push_back(part);
  }
  const std::string name = record->name().empty() ? record->kind() : record->name();
  Print(absl::StrCat(name, parts.empty() ? "" : ": ", absl::StrJoin(parts, ", "), "\n"));
  NoteWarnings(session, *record);
  return kSuccess;
}

// Sends a request about the record that the options name.
template <typename Request>
absl::StatusOr<int> Send(Session& session, const std::string& name, const char* method,
                         Request request) {
  const RecordService* service = ServiceOf(name);
  if (service == nullptr) return NoRecordName();
  request.set_request_id(NewId(absl::Now()));
  return Shown(session, session.Invoke<Record>(
                            absl::StrCat("/", std::string(service->name), "/", method), request));
}

absl::StatusOr<int> Create(Session& session, const WriteOptions& options) {
  common::v1::CreateRecordRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  ASSIGN_OR_RETURN(const KindEntry entry, FetchKind(session, options.kind));
  Record& record = *request.mutable_record();
  record.set_kind(entry.kind().name());
  record.set_organization(options.organization);
  record.set_number(options.number);
  record.set_title(options.title);
  record.set_on_date(options.on_date);
  record.set_ends_on(options.ends_on);
  for (const auto& [field, value] : FieldsOf(options)) (*record.mutable_fields())[field] = value;
  request.set_validate_only(options.dry_run);
  if (!options.dry_run) request.set_request_id(NewId(absl::Now()));
  return Shown(session, session.Invoke<Record>("/" + entry.service() + "/CreateRecord", request));
}

absl::StatusOr<int> Change(Session& session, const WriteOptions& options) {
  common::v1::UpdateRecordRequest request;
  Record& record = *request.mutable_record();
  record.set_name(options.name);
  std::vector<std::string> paths;
  const auto set = [&](const char* path, const std::string& value, std::string& out) {
    if (value.empty()) return;
    out = value;
    paths.push_back(path);
  };
  set("title", options.title, *record.mutable_title());
  set("on_date", options.on_date, *record.mutable_on_date());
  set("ends_on", options.ends_on, *record.mutable_ends_on());
  for (const auto& [field, value] : FieldsOf(options)) {
    (*record.mutable_fields())[field] = value;
    paths.push_back("fields." + field);
  }
  request.set_update_mask(absl::StrJoin(paths, ","));
  return Send(session, options.name, "UpdateRecord", std::move(request));
}

absl::StatusOr<int> Step(Session& session, const WriteOptions& options) {
  common::v1::AdvanceRecordRequest request;
  request.set_name(options.name);
  request.set_transition(options.step);
  request.set_on_date(options.on_date);
  request.set_remark(options.remark);
  for (const auto& [field, value] : FieldsOf(options)) (*request.mutable_fields())[field] = value;
  return Send(session, options.name, "AdvanceRecord", std::move(request));
}

absl::StatusOr<int> Cancel(Session& session, const WriteOptions& options) {
  common::v1::CancelRecordRequest request;
  request.set_name(options.name);
  request.set_remark(options.remark);
  return Send(session, options.name, "CancelRecord", std::move(request));
}

void AddColumns(CLI::App* command, WriteOptions& options, bool is_new) {
  command->add_option("--on", options.on_date, "Its date")->type_name("DATE")->required(is_new);
  command->add_option("--ends-on", options.ends_on, "Its last day, where it lasts")
      ->type_name("DATE");
  command->add_option("--title", options.title, "Its title");
  command->add_option("--set", options.fields, "Field; gonghui import --describe KIND shows them")
      ->type_name("FIELD=VALUE");
}

}  // namespace

const RecordService* ServiceOf(const std::string& name) {
  const std::vector<std::string> parts = absl::StrSplit(name, '/');
  const std::string collection = parts.size() < 2 ? "" : parts[parts.size() - 2];
  for (const RecordService& service : kRecordServices) {
    if (service.collection == collection) return &service;
  }
  return nullptr;
}

absl::Status NoRecordName() {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         "This is no name of a record: write federations/ID/COLLECTION/ID, as "
                         "gonghui explain and gonghui records list print it.",
                         "这不是记录名称：应为 federations/…/…，见 gonghui explain 或 gonghui "
                         "records list 的输出。");
}

void NoteWarnings(const Session& session, const Record& record) {
  for (const auto& warning : record.warnings()) {
    PrintNote(session.Say("Warning: ", "提醒：") + warning.field() + ": " +
              session.Say(warning.message(), warning.message_zh()));
  }
}

void AddRecordWrites(Program& program, CLI::App& records) {
  auto options = std::make_shared<WriteOptions>();
  const auto add = [&](const std::string& name, const std::string& description,
                       const std::string& example,
                       absl::StatusOr<int> (*run)(Session&, const WriteOptions&)) {
    CLI::App* command = AddCommand(records, name, description, example);
    OnRun(command, program,
          [&session = program.session, options, run] { return run(session, *options); });
    return command;
  };
  const auto with_name = [&](CLI::App* command) {
    command->add_option("NAME", options->name, "As 'gonghui records list' shows it")->required();
    return command;
  };
  CLI::App* create = add("create", "Enter one record; many come by gonghui import",
                         "gonghui records create --kind election --org E01 --on 2020-01-10 --set "
                         "deadline=2020-05-31 --dry-run",
                         Create);
  create->add_option("--kind", options->kind, "Kind; gonghui import --list shows all")->required();
  create->add_option("--org", options->organization, "Organisation")->type_name("ID")->required();
  create->add_option("--number", options->number, "Number; needed where other records refer to it");
  AddColumns(create, *options, /*is_new=*/true);
  create->add_flag("--dry-run", options->dry_run, "Check everything, write nothing");
  AddColumns(
      with_name(add("change", "Correct a record",
                    "gonghui records change federations/demo/registers/ID --set seats=9", Change)),
      *options, /*is_new=*/false);
  CLI::App* step = with_name(add("step", "Take a step with a record; gonghui rules shows them",
                                 "gonghui records step federations/demo/registers/ID vote --on "
                                 "2020-04-01 --set eligible=120 --set attended=90",
                                 Step));
  step->add_option("STEP", options->step, "Step, for example approve")->required();
  step->add_option("--on", options->on_date, "Its date")->required()->type_name("DATE");
  step->add_option("--set", options->fields, "Field filled at this step")->type_name("FIELD=VALUE");
  step->add_option("--remark", options->remark, "Why");
  with_name(add("cancel", "Withdraw a record entered by mistake: it counts nowhere",
                "gonghui records cancel federations/demo/registers/ID --remark 误录", Cancel))
      ->add_option("--remark", options->remark, "Why")
      ->required();
}

}  // namespace gonghui::cli
