// gonghui return: forms, returns, their review, and what of them counts.
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/base/china_time.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "gonghui/reports/v1/return.pb.h"
#include "services/cli/csv.h"
#include "services/cli/program.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

namespace v1 = reports::v1;

constexpr char kService[] = "/gonghui.reports.v1.ReturnService/";

struct ReturnOptions {
  std::string name;  // form.period.organization, or the full name.
  std::string file;
  std::string organization;
  std::string form;
  std::string period;
  std::string to_period;
  std::string state;
  std::string remark;
  std::string id;
  std::vector<std::string> cells;
  std::vector<std::string> measures;
  bool late = false;
  bool csv = false;
  bool filled = false;
  bool dry_run = false;
  bool approve = false;
  bool remind = false;
  bool facts = false;
  bool withdrawn = false;
};

template <typename Response, typename Request>
absl::StatusOr<Response> Ask(Session& session, std::string_view method, const Request& request) {
  return session.Invoke<Response>(StrCat(kService, method), request);
}

std::string NewRequestId() { return NewId(absl::Now()); }

absl::StatusOr<std::string> NameOf(const Session& session, const std::string& name) {
  if (name.starts_with("federations/")) return name;
  ASSIGN_OR_RETURN(const std::string parent, session.Parent());
  return StrCat(parent, "/returns/", name);
}

std::string StateText(const Session& session, v1::ReturnState state) {
  switch (state) {
    case v1::RETURN_STATE_MISSING:
      return session.Say("missing", "未填");
    case v1::RETURN_STATE_DRAFT:
      return session.Say("draft", "草稿");
    case v1::RETURN_STATE_SUBMITTED:
      return session.Say("submitted", "已提交");
    case v1::RETURN_STATE_ENDORSED:
      return session.Say("endorsed", "一级已审");
    case v1::RETURN_STATE_APPROVED:
      return session.Say("approved", "已审定");
    case v1::RETURN_STATE_SENT_BACK:
      return session.Say("sent back", "已退回");
    case v1::RETURN_STATE_LOCKED:
      return session.Say("locked", "已锁定");
    default:
      return "";
  }
}

std::string ShortName(const std::string& name) { return name.substr(name.rfind('/') + 1); }

void PrintState(const Session& session, const v1::Return& answer) {
  Print(StrCat(ShortName(answer.name()), "  ", StateText(session, answer.state()),
               answer.late() ? session.Say("  late", "  逾期") : "",
               session.Say("  due ", "  期限 "), answer.due_date(),
               answer.remark().empty() ? "" : "  ", answer.remark(), "\n"));
}

void PrintViolations(const Session& session,
                     const google::protobuf::RepeatedPtrField<v1::RuleViolation>& violations) {
  Table table({session.Say("rule", "规则"), session.Say("what to do", "处理"),
               session.Say("what does not hold", "问题")});
  for (const v1::RuleViolation& violation : violations) {
    const bool blocks = violation.severity() == v1::RULE_SEVERITY_BLOCK;
    table.Add({violation.rule(),
               blocks                ? session.Say("correct", "改正")
               : violation.excused() ? session.Say("explained", "已说明")
                                     : session.Say("give a reason", "说明原因"),
               session.Say(violation.message(), violation.message_zh())});
  }
  if (!table.empty()) Print(table.Text());
}

absl::StatusOr<int> ShowForms(Session& session) {
  ASSIGN_OR_RETURN(const auto answer,
                   Ask<v1::ListFormsResponse>(session, "ListForms", v1::ListFormsRequest()));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  Table table({session.Say("form", "报表"), session.Say("label", "名称"),
               session.Say("valid from", "启用"), session.Say("period", "报告期"),
               session.Say(">approvals", ">审批级数"), session.Say("citation", "依据")});
  for (const v1::Form& form : answer.forms()) {
    table.Add({form.name(), session.Say(form.label().en(), form.label().zh()), form.valid_from(),
               ToLower(v1::FormPeriod_Name(form.period()).substr(sizeof("FORM_PERIOD"))),
               absl::StrCat(form.approvals()), form.citation()});
  }
  Print(table.Text());
  return kSuccess;
}

absl::StatusOr<int> List(Session& session, const ReturnOptions& options) {
  v1::ListReturnsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_form(options.form);
  request.set_period(options.period);
  request.set_late(options.late);
  request.set_page_size(1000);
  if (!options.state.empty()) {
    v1::ReturnState state;
    if (!v1::ReturnState_Parse("RETURN_STATE_" + ToUpper(options.state), &state)) {
      return InvalidArgument(
          common::v1::REASON_FIELD_INVALID,
          "--state is draft, submitted, endorsed, approved, sent_back or locked.",
          "--state 为 draft、submitted、endorsed、approved、sent_back 或 "
          "locked。");
    }
    request.set_state(state);
  }
  Table table({session.Say("return", "报表"), session.Say("state", "状态"),
               session.Say("due", "期限"), session.Say("late", "逾期"),
               session.Say("submitted by", "提交人"), session.Say("remark", "意见")});
  do {
    ASSIGN_OR_RETURN(const auto answer,
                     Ask<v1::ListReturnsResponse>(session, "ListReturns", request));
    if (session.json()) PrintJson(answer);
    for (const v1::Return& one : answer.returns()) {
      table.Add({ShortName(one.name()), StateText(session, one.state()), one.due_date(),
                 one.late() ? session.Say("late", "逾期") : "", one.submitted_by(), one.remark()});
    }
    request.set_page_token(answer.next_page_token());
  } while (!request.page_token().empty());
  if (!session.json()) Print(table.Text());
  return kSuccess;
}

absl::StatusOr<int> Show(Session& session, const ReturnOptions& options) {
  v1::GetReturnRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), NameOf(session, options.name));
  ASSIGN_OR_RETURN(const auto answer, Ask<v1::Return>(session, "GetReturn", request));
  v1::ValidateReturnRequest validate;
  validate.set_name(request.name());
  ASSIGN_OR_RETURN(const auto checked,
                   Ask<v1::ValidateReturnResponse>(session, "ValidateReturn", validate));
  if (session.json()) {
    PrintJson(answer);
    PrintJson(checked);
    return kSuccess;
  }
  PrintState(session, answer);
  Table table({session.Say("cell", "单元格"), session.Say(">value", ">数值"),
               session.Say("reason", "说明"), session.Say("reviewer's remark", "审核意见")});
  for (const v1::ReturnCell& cell : answer.cells()) {
    table.Add({cell.code(), cell.has_value() ? cell.text() : "-", cell.reason(), cell.remark()});
  }
  Print(table.Text());
  PrintViolations(session, checked.violations());
  return kSuccess;
}

absl::StatusOr<int> History(Session& session, const ReturnOptions& options) {
  v1::ListReturnChangesRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), NameOf(session, options.name));
  request.set_page_size(1000);
  Table table({session.Say("time", "时间"), session.Say("by", "操作人"),
               session.Say("cell", "单元格"), session.Say("old", "原值"),
               session.Say("new", "新值"), session.Say("remark", "意见")});
  do {
    ASSIGN_OR_RETURN(const auto answer,
                     Ask<v1::ListReturnChangesResponse>(session, "ListReturnChanges", request));
    if (session.json()) PrintJson(answer);
    for (const v1::ReturnChange& change : answer.changes()) {
      table.Add({ChinaTimeText(change.time_us()), change.actor(), change.cell(), change.old_value(),
                 change.new_value(), change.remark()});
    }
    request.set_page_token(answer.next_page_token());
  } while (!request.page_token().empty());
  if (!session.json()) Print(table.Text());
  return kSuccess;
}

absl::StatusOr<int> Template(Session& session, const ReturnOptions& options) {
  v1::ExportFormRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), NameOf(session, options.name));
  request.set_blank(!options.filled);
  request.set_format(options.csv ? v1::SHEET_FORMAT_CSV : v1::SHEET_FORMAT_XLSX);
  ASSIGN_OR_RETURN(const auto answer, Ask<v1::ExportFormResponse>(session, "ExportForm", request));
  const std::string path = options.file.empty() ? answer.file_name() : options.file;
  RETURN_IF_ERROR(WriteFile(path, answer.content()));
  Print(path + "\n");
  return kSuccess;
}

absl::StatusOr<int> FillFrom(Session& session, const ReturnOptions& options) {
  v1::ImportReturnRequest request;
  // Exported files carry the return's name.
  const std::string stem = std::filesystem::path(options.file).stem().string();
  ASSIGN_OR_RETURN(*request.mutable_name(),
                   NameOf(session, options.name.empty() ? stem : options.name));
  ASSIGN_OR_RETURN(*request.mutable_content(), ReadFile(options.file));
  request.set_validate_only(options.dry_run);
  request.set_request_id(NewRequestId());
  ASSIGN_OR_RETURN(const auto answer,
                   Ask<v1::ImportReturnResponse>(session, "ImportReturn", request));
  const int code = answer.faults().empty() ? kSuccess : kRejected;
  if (session.json()) {
    PrintJson(answer);
    return code;
  }
  Table table({session.Say("place", "位置"), session.Say("cell", "单元格"),
               session.Say("fault", "错误"), session.Say("what to do", "处理")});
  for (const v1::SheetFault& fault : answer.faults()) {
    table.Add({StrCat(fault.column(), fault.row()), fault.code(),
               session.Say(fault.message(), fault.message_zh()),
               session.Say(fault.hint(), fault.hint_zh())});
  }
  if (!table.empty()) Print(table.Text());
  PrintViolations(session, answer.violations());
  const std::string changed = absl::StrCat(answer.changed());
  if (code != kSuccess) {
    PrintNote(session.Say("Nothing was written: correct the file and fill again.",
                          "未写入任何内容：请改正文件后重试。"));
  } else if (options.dry_run) {
    Print(session.Say(changed + " cells would change\n", "将改变 " + changed + " 个单元格\n"));
  } else {
    Print(session.Say(changed + " cells changed\n", "已改变 " + changed + " 个单元格\n"));
  }
  return code;
}

absl::StatusOr<int> Step(Session& session, absl::StatusOr<v1::Return> answer) {
  if (!answer.ok()) return std::move(answer).status();
  if (session.json()) {
    PrintJson(*answer);
  } else {
    PrintState(session, *answer);
  }
  return kSuccess;
}

absl::StatusOr<int> Submit(Session& session, const ReturnOptions& options) {
  v1::SubmitReturnRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), NameOf(session, options.name));
  request.set_request_id(NewRequestId());
  return Step(session, Ask<v1::Return>(session, "SubmitReturn", request));
}

absl::StatusOr<int> Review(Session& session, const ReturnOptions& options) {
  v1::ReviewReturnRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), NameOf(session, options.name));
  request.set_approve(options.approve);
  request.set_remark(options.remark);
  for (const std::string& cell : options.cells) {
    const size_t equals = cell.find('=');
    if (equals == std::string::npos) {
      return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                             "--cell is CODE=REMARK, for example --cell 102=核对.",
                             "--cell 的写法是 代码=意见，例如 --cell 102=请核对。");
    }
    v1::CellRemark& remark = *request.add_cell_remarks();
    remark.set_code(cell.substr(0, equals));
    remark.set_remark(cell.substr(equals + 1));
  }
  request.set_request_id(NewRequestId());
  return Step(session, Ask<v1::Return>(session, "ReviewReturn", request));
}

absl::StatusOr<int> Lock(Session& session, const ReturnOptions& options) {
  v1::LockReturnRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), NameOf(session, options.name));
  request.set_request_id(NewRequestId());
  return Step(session, Ask<v1::Return>(session, "LockReturn", request));
}

absl::StatusOr<int> Reopen(Session& session, const ReturnOptions& options) {
  v1::ReopenReturnRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), NameOf(session, options.name));
  request.set_reason(options.remark);
  request.set_request_id(NewRequestId());
  return Step(session, Ask<v1::Return>(session, "ReopenReturn", request));
}

absl::StatusOr<int> Remind(Session& session, const ReturnOptions& options) {
  v1::ListRemindersRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_form(options.form);
  request.set_period(options.period);
  request.set_page_size(1000);
  Table table({session.Say(">days late", ">逾期天数"), session.Say("form", "报表"),
               session.Say("period", "报告期"), session.Say("unit", "单位"),
               session.Say("name", "名称"), session.Say("state", "状态"),
               session.Say("worked on by", "经办人"), session.Say("superior", "上级")});
  do {
    ASSIGN_OR_RETURN(const auto answer,
                     Ask<v1::ListRemindersResponse>(session, "ListReminders", request));
    if (session.json()) PrintJson(answer);
    for (const v1::Reminder& one : answer.reminders()) {
      table.Add({absl::StrCat(one.days_late()), one.form(), one.period(), one.organization(),
                 one.display_name(), StateText(session, one.state()), one.last_editor(),
                 one.superior()});
    }
    request.set_page_token(answer.next_page_token());
  } while (!request.page_token().empty());
  if (!session.json()) Print(table.Text());
  return kSuccess;
}

absl::StatusOr<int> Status(Session& session, const ReturnOptions& options) {
  if (options.remind) return Remind(session, options);
  if (options.form.empty() || options.period.empty()) {
    return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                           "Name --form and --period, or ask for the late units with --remind.",
                           "请指定 --form 和 --period，或用 --remind 列出逾期单位。");
  }
  v1::GetCompletenessRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_form(options.form);
  request.set_period(options.period);
  request.set_page_size(1000);
  ASSIGN_OR_RETURN(auto answer,
                   Ask<v1::GetCompletenessResponse>(session, "GetCompleteness", request));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  Table counts({session.Say("organization", "组织"), session.Say(">due", ">应报"),
                session.Say(">received", ">已报"), session.Say(">on time", ">按时"),
                session.Say(">late", ">迟报"), session.Say(">sent back", ">退回"),
                session.Say(">approved", ">审定"), session.Say(">overdue", ">逾期未报")});
  *answer.add_children() = answer.total();
  answer.mutable_children(answer.children_size() - 1)
      ->set_organization(session.Say("total", "合计"));
  for (const v1::CompletenessCount& one : answer.children()) {
    counts.Add({one.organization(), absl::StrCat(one.due()), absl::StrCat(one.received()),
                absl::StrCat(one.on_time()), absl::StrCat(one.late()),
                absl::StrCat(one.sent_back()), absl::StrCat(one.approved()),
                absl::StrCat(one.overdue())});
  }
  Print(counts.Text() + "\n");
  Table units({session.Say("unit", "单位"), session.Say("name", "名称"),
               session.Say("state", "状态"), session.Say("due", "期限"),
               session.Say("filed", "报送"), session.Say(">days late", ">逾期天数")});
  while (true) {
    for (const v1::UnitStatus& unit : answer.units()) {
      units.Add({unit.organization(), unit.display_name(), StateText(session, unit.state()),
                 unit.due_date(), unit.filed_on(), absl::StrCat(unit.days_late())});
    }
    if (answer.next_page_token().empty()) break;
    request.set_page_token(answer.next_page_token());
    ASSIGN_OR_RETURN(answer, Ask<v1::GetCompletenessResponse>(session, "GetCompleteness", request));
  }
  Print(units.Text());
  return kSuccess;
}

void ShowCoverages(const Session& session, const std::vector<v1::Coverage>& coverages) {
  Table table({session.Say("id", "编号"), session.Say("organization", "组织"),
               session.Say("what counts", "以何为准"), session.Say("months", "月份"),
               session.Say("measures", "指标"), session.Say("by", "声明人"),
               session.Say("remark", "备注")});
  for (const v1::Coverage& one : coverages) {
    table.Add(
        {ShortName(one.name()), one.organization(),
         one.form().empty() ? session.Say("records", "业务记录") : one.form(),
         StrCat(one.first_month(), " … ", one.last_month()),
         one.measures().empty() ? session.Say("all", "全部") : absl::StrJoin(one.measures(), " "),
         one.withdrawn_by().empty() ? one.declared_by()
                                    : session.Say("withdrawn by ", "已撤回：") + one.withdrawn_by(),
         one.remark()});
  }
  Print(table.Text());
}

absl::StatusOr<int> ListCoverages(Session& session, const ReturnOptions& options) {
  v1::ListCoveragesRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_withdrawn(options.withdrawn);
  request.set_page_size(1000);
  std::vector<v1::Coverage> coverages;
  do {
    ASSIGN_OR_RETURN(const auto answer,
                     Ask<v1::ListCoveragesResponse>(session, "ListCoverages", request));
    if (session.json()) PrintJson(answer);
    coverages.insert(coverages.end(), answer.coverages().begin(), answer.coverages().end());
    request.set_page_token(answer.next_page_token());
  } while (!request.page_token().empty());
  if (!session.json()) ShowCoverages(session, coverages);
  return kSuccess;
}

absl::StatusOr<int> Declare(Session& session, const ReturnOptions& options) {
  if (options.facts == !options.form.empty()) {
    return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                           "Say what counts: --form FORM for its returns, or --facts for records.",
                           "请说明以何为准：--form 报表，或 --facts 业务记录。");
  }
  v1::DeclareCoverageRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  v1::Coverage& coverage = *request.mutable_coverage();
  coverage.set_organization(options.organization);
  coverage.set_form(options.form);
  coverage.set_from_period(options.period);
  coverage.set_to_period(options.to_period);
  for (const std::string& measure : options.measures) coverage.add_measures(measure);
  coverage.set_remark(options.remark);
  request.set_request_id(NewRequestId());
  ASSIGN_OR_RETURN(const auto answer, Ask<v1::Coverage>(session, "DeclareCoverage", request));
  if (session.json()) {
    PrintJson(answer);
  } else {
    ShowCoverages(session, {answer});
  }
  return kSuccess;
}

absl::StatusOr<int> Withdraw(Session& session, const ReturnOptions& options) {
  v1::WithdrawCoverageRequest request;
  ASSIGN_OR_RETURN(const std::string parent, session.Parent());
  request.set_name(options.id.starts_with("federations/")
                       ? options.id
                       : StrCat(parent, "/coverages/", options.id));
  request.set_request_id(NewRequestId());
  ASSIGN_OR_RETURN(const auto answer, Ask<v1::Coverage>(session, "WithdrawCoverage", request));
  if (session.json()) {
    PrintJson(answer);
  } else {
    ShowCoverages(session, {answer});
  }
  return kSuccess;
}

using Operation = absl::StatusOr<int> (*)(Session&, const ReturnOptions&);

CLI::App* Add(CLI::App& group, Program& program, const std::shared_ptr<ReturnOptions>& options,
              const std::string& name, const std::string& description, const std::string& example,
              Operation operation) {
  CLI::App* command = AddCommand(group, name, description, example);
  OnRun(command, program,
        [&session = program.session, options, operation] { return operation(session, *options); });
  return command;
}

void AddName(CLI::App* command, ReturnOptions& options) {
  command->add_option("RETURN", options.name, "form.period.organization")->required();
}

void AddFilters(CLI::App* command, ReturnOptions& options, bool organization_needed) {
  command->add_option("--org", options.organization, "Organisation, with everything below it")
      ->required(organization_needed)
      ->type_name("ID");
  command->add_option("--form", options.form, "Form; gonghui return forms lists them");
  command->add_option("--period", options.period, "For example 2020H1");
}

void AddReadingCommands(CLI::App& group, Program& program,
                        const std::shared_ptr<ReturnOptions>& options) {
  CLI::App* forms = AddCommand(group, "forms", "The forms that are filed", "gonghui return forms");
  OnRun(forms, program, [&session = program.session] { return ShowForms(session); });
  CLI::App* list = Add(group, program, options, "list", "Returns that somebody has begun",
                       "gonghui return list --org D01 --period 2020H1 --state submitted", &List);
  AddFilters(list, *options, false);
  list->add_option("--state", options->state,
                   "draft, submitted, endorsed, approved, sent_back, locked");
  list->add_flag("--late", options->late, "Only late ones");
  AddName(Add(group, program, options, "show", "A return with its cells and what does not hold",
              "gonghui return show district_half_year.2020H1.D01", &Show),
          *options);
  AddName(Add(group, program, options, "history", "Every edit and step of a return",
              "gonghui return history district_half_year.2020H1.D01", &History),
          *options);
  CLI::App* status =
      Add(group, program, options, "status", "Who has filed, and who is late",
          "gonghui return status --org D01 --form district_half_year --period 2020H1", &Status);
  AddFilters(status, *options, true);
  status->add_flag("--remind", options->remind, "The late units and on whom they wait");
}

void AddWritingCommands(CLI::App& group, Program& program,
                        const std::shared_ptr<ReturnOptions>& options) {
  CLI::App* blank = Add(group, program, options, "template", "The form as a file to fill in",
                        "gonghui return template district_half_year.2020H1.D01", &Template);
  AddName(blank, *options);
  blank->add_option("--out", options->file, "File to write; default: the return's name");
  blank->add_flag("--csv", options->csv, "CSV instead of XLSX");
  blank->add_flag("--filled", options->filled, "With the values as they stand");
  CLI::App* fill = Add(group, program, options, "fill", "Fill a draft from a file (XLSX or CSV)",
                       "gonghui return fill district_half_year.2020H1.D01.xlsx", &FillFrom);
  fill->add_option("FILE", options->file, "As written by gonghui return template")->required();
  fill->add_option("--return", options->name, "form.period.organization; default: the file's name");
  fill->add_flag("--dry-run", options->dry_run, "Only tell all that is wrong");
  AddName(Add(group, program, options, "submit", "Hand a return over for review",
              "gonghui return submit district_half_year.2020H1.D01", &Submit),
          *options);
  CLI::App* review =
      Add(group, program, options, "review", "Approve a return or send it back",
          "gonghui return review district_half_year.2020H1.D01 --cell 102=请核对", &Review);
  AddName(review, *options);
  review->add_flag("--approve", options->approve, "Approve; otherwise it is sent back");
  review->add_option("--remark", options->remark, "Remark on the whole");
  review->add_option("--cell", options->cells, "Remark on a cell")
      ->type_name("CODE=REMARK")
      ->allow_extra_args(false);
  AddName(Add(group, program, options, "lock", "Lock an approved return",
              "gonghui return lock district_half_year.2020H1.D01", &Lock),
          *options);
  CLI::App* reopen =
      Add(group, program, options, "reopen", "Make a return a draft again",
          "gonghui return reopen district_half_year.2020H1.D01 --reason 更正会员数", &Reopen);
  AddName(reopen, *options);
  reopen->add_option("--reason", options->remark, "Why")->required();
}

void AddCoverageCommands(CLI::App& group, Program& program,
                         const std::shared_ptr<ReturnOptions>& options) {
  CLI::App* coverage = AddCommand(group, "coverage", "What counts where: records or returns",
                                  "gonghui return coverage list");
  coverage->require_subcommand(1);
  CLI::App* list = Add(*coverage, program, options, "list", "Declarations in force",
                       "gonghui return coverage list --org D02", &ListCoverages);
  list->add_option("--org", options->organization, "Organisation, with everything below it");
  list->add_flag("--withdrawn", options->withdrawn, "Also those taken back");
  CLI::App* declare =
      Add(*coverage, program, options, "declare", "Declare what counts",
          "gonghui return coverage declare --org D02 --form district_half_year --from 2020H1",
          &Declare);
  declare->add_option("--org", options->organization, "Organisation, with everything below it")
      ->required();
  declare->add_option("--form", options->form, "Returns of this form count");
  declare->add_flag("--facts", options->facts, "Records count");
  declare->add_option("--from", options->period, "First period")->required();
  declare->add_option("--to", options->to_period, "Last period; default: without end");
  declare->add_option("-m,--measure", options->measures, "Measure; default: all of the form")
      ->allow_extra_args(false);
  declare->add_option("--remark", options->remark, "Why");
  CLI::App* withdraw = Add(*coverage, program, options, "withdraw", "Take a declaration back",
                           "gonghui return coverage withdraw ID", &Withdraw);
  withdraw->add_option("ID", options->id, "As gonghui return coverage list prints it")->required();
}

}  // namespace

void AddReturnCommands(Program& program) {
  auto options = std::make_shared<ReturnOptions>();
  CLI::App* group = AddCommand(program.app, "return",
                               "Returns of units that keep no single records on the platform",
                               "gonghui return show district_half_year.2020H1.D01");
  group->require_subcommand(1);
  AddReadingCommands(*group, program, options);
  AddWritingCommands(*group, program, options);
  AddCoverageCommands(*group, program, options);
}

}  // namespace gonghui::cli
