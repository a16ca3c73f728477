// gonghui levy: what units owe, arrears and reminders; the commands of files and money join it.
#include "services/cli/levy_commands.h"

#include "common/base/money.h"
#include "common/base/resource_name.h"
#include "google/protobuf/descriptor.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

namespace v1 = funds::v1;
using google::protobuf::EnumDescriptor;

// LEVY_RECEIPT_STATE_ of LevyReceiptState.
size_t PrefixOf(const EnumDescriptor& type) {
  const std::string& zero = type.value(0)->name();
  return zero.size() - sizeof("UNSPECIFIED") + 1;
}

void ShowObligations(const Session& session, const std::vector<v1::LevyObligation>& obligations) {
  Table table({session.Say("unit", "单位"), session.Say("period", "所属期"),
               session.Say("item", "品目"), session.Say(">payable", ">应缴"),
               session.Say(">received", ">已缴"), session.Say(">outstanding", ">欠缴"),
               session.Say("due", "应缴日期"), session.Say("age", "账龄"),
               session.Say(">late fee", ">滞纳金")});
  for (const v1::LevyObligation& o : obligations) {
    table.Add({o.unit(), o.period(), o.item(), FormatYuan(o.payable_fen()),
               FormatYuan(o.received_fen()), FormatYuan(o.outstanding_fen()), o.due_on(), o.age(),
               FormatYuan(o.late_fee_fen())});
  }
  Print(table.Text());
}

absl::StatusOr<int> Owed(Session& session, const LevyOptions& options) {
  v1::ListLevyObligationsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_period(options.period);
  request.set_as_of(options.on);
  request.set_overdue(options.overdue);
  request.set_page_size(options.limit);
  ASSIGN_OR_RETURN(const auto answer, AskLevy<v1::ListLevyObligationsResponse>(
                                          session, "ListLevyObligations", request));
  if (session.json()) return kSuccess;
  ShowObligations(session, {answer.obligations().begin(), answer.obligations().end()});
  if (!answer.next_page_token().empty()) {
    PrintNote(session.Say("There are more: --limit shows them.", "还有更多：用 --limit 显示。"));
  }
  return kSuccess;
}

absl::StatusOr<int> Ageing(Session& session, const LevyOptions& options) {
  v1::GetLevyAgeingRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_as_of(options.on);
  ASSIGN_OR_RETURN(const auto answer,
                   AskLevy<v1::GetLevyAgeingResponse>(session, "GetLevyAgeing", request));
  if (session.json()) return kSuccess;
  Table table({session.Say("age in days", "账龄（天）"), session.Say(">obligations", ">笔数"),
               session.Say(">outstanding", ">欠缴")});
  for (const v1::LevyAge& age : answer.ages()) {
    table.Add({age.age(), StrCat(age.obligations()), FormatYuan(age.outstanding_fen())});
  }
  Print(table.Text());
  const std::string payable = FormatYuan(answer.payable_fen());
  const std::string received = FormatYuan(answer.received_fen());
  Print(session.Say("payable " + payable + ", received " + received + "\n",
                    "应缴 " + payable + "，已缴 " + received + "\n"));
  return kSuccess;
}

absl::StatusOr<int> Statement(Session& session, const LevyOptions& options) {
  v1::GetLevyStatementRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), LevyName(session, "levyPayers", options.unit));
  request.set_from_period(options.period);
  request.set_to_period(options.to_period);
  request.set_as_of(options.on);
  ASSIGN_OR_RETURN(const auto answer,
                   AskLevy<v1::GetLevyStatementResponse>(session, "GetLevyStatement", request));
  if (session.json()) return kSuccess;
  Print(StrCat(answer.payer().unit(), " ", answer.payer().display_name(), "\n"));
  ShowObligations(session, {answer.obligations().begin(), answer.obligations().end()});
  ShowReceipts(session, {answer.receipts().begin(), answer.receipts().end()});
  const std::string owed = FormatYuan(answer.outstanding_fen());
  const std::string fee = FormatYuan(answer.late_fee_fen());
  Print(session.Say("outstanding " + owed + ", late fee " + fee + "\n",
                    "欠缴 " + owed + "，滞纳金 " + fee + "\n"));
  return kSuccess;
}

void ShowReminders(const Session& session, const std::vector<v1::LevyReminder>& reminders) {
  Table table({session.Say("reminder", "通知编号"), session.Say("unit", "单位"),
               session.Say("period", "所属期"), session.Say("state", "状态"),
               session.Say("issued", "发出"), session.Say(">outstanding", ">欠缴"),
               session.Say(">late fee", ">滞纳金")});
  for (const v1::LevyReminder& r : reminders) {
    table.Add({std::string(LeafOf(r.name())), r.unit(), r.period(),
               EnumWord(*v1::LevyReminderState_descriptor(), r.state()), r.issued_on(),
               FormatYuan(r.outstanding_fen()), FormatYuan(r.late_fee_fen())});
  }
  Print(table.Text());
}

absl::StatusOr<int> Remind(Session& session, const LevyOptions& options) {
  v1::RemindLevyPayersRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_issued_on(options.on);
  request.set_overdue_days(options.days);
  request.set_validate_only(options.check);
  request.set_request_id(NewRequest());
  ASSIGN_OR_RETURN(const auto answer,
                   AskLevy<v1::RemindLevyPayersResponse>(session, "RemindLevyPayers", request));
  if (!session.json()) {
    ShowReminders(session, {answer.reminders().begin(), answer.reminders().end()});
  }
  return kSuccess;
}

absl::StatusOr<int> Reminders(Session& session, const LevyOptions& options) {
  v1::ListLevyRemindersRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_page_size(options.limit);
  ASSIGN_OR_RETURN(const int state,
                   EnumOf(*v1::LevyReminderState_descriptor(), options.state, "--state"));
  request.set_state(static_cast<v1::LevyReminderState>(state));
  ASSIGN_OR_RETURN(const auto answer,
                   AskLevy<v1::ListLevyRemindersResponse>(session, "ListLevyReminders", request));
  if (!session.json()) {
    ShowReminders(session, {answer.reminders().begin(), answer.reminders().end()});
  }
  return kSuccess;
}

absl::StatusOr<int> Advance(Session& session, const LevyOptions& options) {
  v1::AdvanceLevyReminderRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), LevyName(session, "levyReminders", options.id));
  ASSIGN_OR_RETURN(const int state,
                   EnumOf(*v1::LevyReminderState_descriptor(), options.state, "--state"));
  request.set_state(static_cast<v1::LevyReminderState>(state));
  request.set_on_date(options.on);
  request.set_remark(options.remark);
  request.set_request_id(NewRequest());
  ASSIGN_OR_RETURN(const auto answer,
                   AskLevy<v1::LevyReminder>(session, "AdvanceLevyReminder", request));
  if (!session.json()) ShowReminders(session, {answer});
  return kSuccess;
}

void AddArrears(const AddLevy& add, LevyOptions& options) {
  CLI::App* owed = add("owed", "What units owe, with age and late fee",
                       "gonghui levy owed --org T01 --overdue --on 2024-06-30", Owed);
  owed->add_option("--period", options.period, "Only of a month or quarter: 2024-05, 2024Q2");
  owed->add_flag("--overdue", options.overdue, "Only what is past its due day and not paid");
  CLI::App* ageing = add("ageing", "Arrears by age", "gonghui levy ageing --org D01", Ageing);
  CLI::App* statement =
      add("statement", "What one unit owed and paid", "gonghui levy statement UNIT", Statement);
  statement->add_option("UNIT", options.unit, "Unified social credit code")->required();
  statement->add_option("--from", options.period, "First period");
  statement->add_option("--to", options.to_period, "Last period");
  for (CLI::App* command : {owed, ageing, statement}) {
    command->add_option("--on", options.on, "As of this day; today if not given")
        ->type_name("DATE");
  }
  CLI::App* remind = add("remind", "Write a reminder for each overdue obligation without one",
                         "gonghui levy remind --org T01 --on 2024-06-30 --days 30", Remind);
  remind->add_option("--on", options.on, "Day of issue")->type_name("DATE")->required();
  remind->add_option("--days", options.days, "Only what is overdue for so many days");
  remind->add_flag("--check", options.check, "Show them, write nothing");
  CLI::App* reminders =
      add("reminders", "Reminders and their states", "gonghui levy reminders --org T01", Reminders);
  CLI::App* advance = add("advance", "Take a reminder on: delivered, answered, in_court",
                          "gonghui levy advance ID --state delivered --on 2024-07-02", Advance);
  advance->add_option("REMINDER", options.id, "As the list shows it")->required();
  advance->add_option("--on", options.on, "Day of the step")->type_name("DATE")->required();
  advance->add_option("--remark", options.remark, "What was said or done");
  for (CLI::App* command : {reminders, advance}) {
    command->add_option("--state", options.state, "issued, delivered, answered, in_court, settled");
  }
  for (CLI::App* command : {owed, ageing, remind, reminders}) {
    command->add_option("--org", options.organization, "With everything below it")->type_name("ID");
  }
  for (CLI::App* command : {owed, reminders}) {
    command->add_option("--limit", options.limit, "At most this many")->check(CLI::Range(1, 1000));
  }
}

}  // namespace

absl::StatusOr<std::string> LevyName(const Session& session, std::string_view collection,
                                     std::string_view id) {
  ASSIGN_OR_RETURN(const std::string parent, session.Parent());
  return StrCat(parent, "/", collection, "/", LeafOf(id));
}

absl::StatusOr<int> EnumOf(const EnumDescriptor& type, std::string_view text,
                           std::string_view option) {
  if (text.empty()) return 0;
  std::string known;
  for (int i = 1; i < type.value_count(); ++i) {
    const std::string word = EnumWord(type, type.value(i)->number());
    if (word == text) return type.value(i)->number();
    StrAppend(&known, known.empty() ? "" : ", ", word);
  }
  return InvalidArgument(common::v1::REASON_FIELD_INVALID, StrCat(option, " is one of: ", known),
                         StrCat(option, " 可取：", known));
}

std::string EnumWord(const EnumDescriptor& type, int value) {
  const auto* found = type.FindValueByNumber(value);
  if (found == nullptr || value == 0) return "";
  return ToLower(std::string_view(found->name()).substr(PrefixOf(type)));
}

void ShowReceipts(const Session& session, const std::vector<v1::LevyReceipt>& receipts) {
  Table table({session.Say("receipt", "收款编号"), session.Say("serial", "登记序号"),
               session.Say("unit", "单位"), session.Say("period", "所属期起"),
               session.Say(">paid", ">已缴"), session.Say("received", "入库日期"),
               session.Say("state", "状态"), session.Say("reason", "异常原因"),
               session.Say("rule", "分成规则")});
  for (const v1::LevyReceipt& r : receipts) {
    table.Add({std::string(LeafOf(r.name())), r.serial(), r.unit(), r.period_from(),
               FormatYuan(r.paid_fen()), r.received_on(),
               EnumWord(*v1::LevyReceiptState_descriptor(), r.state()),
               EnumWord(*v1::LevyException_descriptor(), r.exception()), r.rule()});
  }
  Print(table.Text());
}

void AddLevyCommands(Program& program) {
  auto options = std::make_shared<LevyOptions>();
  CLI::App* levy = AddCommand(program.app, "levy", "Union funds: owed, received, shared, remitted",
                              "gonghui levy import tax-2024-05.xlsx --org D01");
  levy->require_subcommand(1);
  const AddLevy add = [&program, levy, options](const std::string& name,
                                                const std::string& description,
                                                const std::string& example, LevyRun run) {
    CLI::App* command = AddCommand(*levy, name, description, example);
    OnRun(command, program,
          [&session = program.session, options, run] { return run(session, *options); });
    return command;
  };
  AddLevyFiles(add, *options);
  AddArrears(add, *options);
  AddLevyMoney(add, *options);
}

}  // namespace gonghui::cli
