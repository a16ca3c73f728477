// gonghui records, members, balances: what the services keep.
#include <map>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/money.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "gonghui/common/v1/record.pb.h"
#include "gonghui/funds/v1/ledger.pb.h"
#include "gonghui/membership/v1/member.pb.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "services/cli/kinds.h"
#include "services/cli/program.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

struct RecordOptions {
  std::string name;
  std::string kind;
  std::string organization;
  std::string state;
  std::string from;
  std::string to;
  std::string due_to;
  std::string book;
  std::string on_date;
  int limit = 50;
  bool all = false;
  bool notice = false;
  std::string step;
  std::string remark;
  std::vector<std::string> fields;
};

// Asks page after page until `limit` items were taken. `take` adds a page and returns the number of
// items so far.
template <typename Response, typename Request, typename Take>
absl::Status EachPage(Session& session, const std::string& method, Request& request,
                      const RecordOptions& options, Take take) {
  int taken = 0;
  do {
    request.set_page_size(options.all ? 1000 : std::min(1000, options.limit - taken));
    ASSIGN_OR_RETURN(const Response page, session.Invoke<Response>(method, request));
    if (session.json()) PrintJson(page);
    taken = take(page);
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty() && (options.all || taken < options.limit));
  if (!request.page_token().empty()) {
    PrintNote(session.Say("There are more: --all shows every one.", "还有更多：--all 显示全部。"));
  }
  return absl::OkStatus();
}

absl::StatusOr<int> ListRecords(Session& session, const RecordOptions& options) {
  common::v1::ListRecordsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  ASSIGN_OR_RETURN(const rpc::Client* client, session.Connect());
  ASSIGN_OR_RETURN(const Kinds kinds, Kinds::Fetch(*client));
  ASSIGN_OR_RETURN(const KindEntry* entry, kinds.Find(options.kind));
  request.set_kind(entry->kind().name());
  request.set_organization(options.organization);
  request.set_state(options.state);
  request.set_from_date(options.from);
  request.set_to_date(options.to);
  request.set_due_to(options.due_to);
  request.set_notice(options.notice);
  Table table({session.Say("number", "编号"), session.Say("organization", "组织"),
               session.Say("date", "日期"), session.Say("state", "状态"),
               session.Say("due", "时限"), session.Say("title", "名称"),
               session.Say("record", "记录")});
  int rows = 0;
  RETURN_IF_ERROR(EachPage<common::v1::ListRecordsResponse>(
      session, "/" + entry->service() + "/ListRecords", request, options, [&](const auto& page) {
        for (const auto& record : page.records()) {
          table.Add({record.number(), record.organization(), record.on_date(),
                     record.cancelled() ? session.Say("cancelled", "已撤销") : record.state(),
                     record.due_date(), record.title(), record.name()});
        }
        return rows += page.records_size();
      }));
  if (!session.json()) Print(table.Text());
  return kSuccess;
}

// The service that keeps records of this name; nullptr: the name is of something else.
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

// Takes one step of a record's life.
absl::StatusOr<int> StepRecord(Session& session, const RecordOptions& options) {
  const RecordService* service = ServiceOf(options.name);
  if (service == nullptr) return NoRecordName();
  common::v1::AdvanceRecordRequest request;
  request.set_name(options.name);
  request.set_transition(options.step);
  request.set_on_date(options.on_date);
  request.set_remark(options.remark);
  for (const std::string& field : options.fields) {
    const std::pair<std::string, std::string> named =
        absl::StrSplit(field, absl::MaxSplits('=', 1));
    (*request.mutable_fields())[named.first] = named.second;
  }
  ASSIGN_OR_RETURN(const auto record,
                   session.Invoke<common::v1::Record>(
                       "/" + std::string(service->name) + "/AdvanceRecord", request));
  if (session.json()) {
    PrintJson(record);
    return kSuccess;
  }
  Print(absl::StrCat(record.name(), ": ", record.state(), record.due_date().empty() ? "" : ", ",
                     record.due_date().empty() ? "" : session.Say("due ", "时限 "),
                     record.due_date(), "\n"));
  return kSuccess;
}

// Reads one resource and prints it; records as a list of fields.
template <typename Request, typename Response>
absl::StatusOr<int> Show(Session& session, const std::string& method, const std::string& name) {
  Request request;
  request.set_name(name);
  ASSIGN_OR_RETURN(const Response resource, session.Invoke<Response>(method, request));
  if constexpr (std::is_same_v<Response, common::v1::Record>) {
    if (!session.json()) {
      Table table({session.Say("field", "字段"), session.Say("value", "值")});
      table.Add({"name", resource.name()});
      table.Add({"kind", resource.kind()});
      table.Add({"number", resource.number()});
      table.Add({"organization", resource.organization()});
      table.Add({"title", resource.title()});
      table.Add({"on_date", resource.on_date()});
      table.Add({"ends_on", resource.ends_on()});
      table.Add({"state", resource.state()});
      table.Add({"due_date", resource.due_date()});
      const std::map<std::string, std::string> fields(resource.fields().begin(),
                                                      resource.fields().end());
      for (const auto& [key, value] : fields) table.Add({key, value});
      for (const auto& step : resource.steps()) {
        table.Add({step.transition(),
                   absl::StrCat(step.on_date(), "  ", step.from_state(), " -> ", step.to_state())});
      }
      Print(table.Text());
      return kSuccess;
    }
  }
  PrintJson(resource);
  return kSuccess;
}

absl::StatusOr<int> GetResource(Session& session, const std::string& name) {
  const std::vector<std::string> parts = absl::StrSplit(name, '/');
  const std::string collection = parts.size() < 2 ? "" : parts[parts.size() - 2];
  if (const RecordService* service = ServiceOf(name); service != nullptr) {
    return Show<common::v1::GetRecordRequest, common::v1::Record>(
        session, "/" + std::string(service->name) + "/GetRecord", name);
  }
  if (collection == "members") {
    return Show<membership::v1::GetMemberRequest, membership::v1::Member>(
        session, "/gonghui.membership.v1.MemberService/GetMember", name);
  }
  if (collection == "organizations") {
    return Show<membership::v1::GetOrganizationRequest, membership::v1::Organization>(
        session, "/gonghui.membership.v1.OrganizationService/GetOrganization", name);
  }
  if (collection == "books") {
    return Show<funds::v1::GetBookRequest, funds::v1::Book>(
        session, "/gonghui.funds.v1.LedgerService/GetBook", name);
  }
  if (collection == "vouchers") {
    return Show<funds::v1::GetVoucherRequest, funds::v1::Voucher>(
        session, "/gonghui.funds.v1.LedgerService/GetVoucher", name);
  }
  return NoRecordName();
}

absl::StatusOr<int> ListMembers(Session& session, const RecordOptions& options) {
  membership::v1::ListMembersRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_state(options.state);
  Table table({session.Say("member", "会员"), session.Say("organization", "组织"),
               session.Say("name", "姓名"), session.Say("identity number", "证件号码"),
               session.Say("joined", "入会日期"), session.Say("state", "状态")});
  int rows = 0;
  RETURN_IF_ERROR(EachPage<membership::v1::ListMembersResponse>(
      session, "/gonghui.membership.v1.MemberService/ListMembers", request, options,
      [&](const auto& page) {
        for (const auto& member : page.members()) {
          table.Add({std::string(LeafOf(member.name())), member.organization(), member.full_name(),
                     member.id_number(), member.joined_on(), member.state()});
        }
        return rows += page.members_size();
      }));
  if (!session.json()) Print(table.Text());
  return kSuccess;
}

absl::StatusOr<int> Balances(Session& session, const RecordOptions& options) {
  funds::v1::ListBalancesRequest request;
  ASSIGN_OR_RETURN(const std::string parent, session.Parent());
  request.set_parent(parent + "/books/" + options.book);
  request.set_on_date(options.on_date);
  ASSIGN_OR_RETURN(const auto answer, session.Invoke<funds::v1::ListBalancesResponse>(
                                          "/gonghui.funds.v1.LedgerService/ListBalances", request));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  Table table({session.Say("account", "科目"), session.Say("name", "名称"),
               session.Say(">debit", ">借方"), session.Say(">credit", ">贷方"),
               session.Say(">balance", ">余额")});
  for (const auto& balance : answer.balances()) {
    table.Add({balance.account(), balance.display_name(), FormatYuan(balance.debit_fen()),
               FormatYuan(balance.credit_fen()), FormatYuan(balance.balance_fen())});
  }
  table.Add({"", session.Say("total", "合计"), FormatYuan(answer.debit_fen()),
             FormatYuan(answer.credit_fen()), ""});
  Print(table.Text());
  return kSuccess;
}

void AddListOptions(CLI::App* command, RecordOptions& options) {
  command->add_option("--org", options.organization, "Organisation, with everything below it")
      ->type_name("ID");
  command->add_option("--state", options.state, "Only those in this state");
  command->add_option("--limit", options.limit, "How many to show")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command->add_flag("--all", options.all, "Every one");
}

}  // namespace

void AddRecordCommands(Program& program) {
  auto options = std::make_shared<RecordOptions>();
  Session& session = program.session;
  CLI::App* records =
      AddCommand(program.app, "records", "Read the records of any kind, take their steps",
                 "gonghui records list --kind dispute_case --state closed");
  records->require_subcommand(1);
  CLI::App* list = AddCommand(*records, "list", "List records of a kind, newest first",
                              "gonghui records list --kind dispute_case --org T03");
  list->add_option("--kind", options->kind, "Kind; gonghui import --list shows all")->required();
  AddListOptions(list, *options);
  list->add_option("--from", options->from, "First date")->type_name("DATE");
  list->add_option("--to", options->to, "Last date")->type_name("DATE");
  list->add_option("--due-to", options->due_to, "Only those due on this day or earlier")
      ->type_name("DATE");
  list->add_flag(
      "--notice", options->notice,
      "Only those under public notice, without names and numbers (--json for all fields)");
  OnRun(list, program, [&session, options] { return ListRecords(session, *options); });
  CLI::App* step =
      AddCommand(*records, "step", "Take a step with a record; gonghui rules shows them",
                 "gonghui records step federations/demo/registers/ID vote --on "
                 "2020-04-01 --set eligible=120 --set attended=90");
  step->add_option("NAME", options->name, "Name of the record")->required();
  step->add_option("STEP", options->step, "Step, for example approve")->required();
  step->add_option("--on", options->on_date, "Its date")->required()->type_name("DATE");
  step->add_option("--set", options->fields, "Field filled at this step")->type_name("FIELD=VALUE");
  step->add_option("--remark", options->remark, "Why");
  OnRun(step, program, [&session, options] { return StepRecord(session, *options); });
  CLI::App* get = AddCommand(*records, "get", "Read one record, member, organisation or voucher",
                             "gonghui records get federations/demo/organizations/D01");
  get->add_option("NAME", options->name, "Resource name")->required();
  OnRun(get, program, [&session, options] { return GetResource(session, options->name); });

  CLI::App* members = AddCommand(program.app, "members", "Read the membership register",
                                 "gonghui members list --org T03");
  members->require_subcommand(1);
  CLI::App* list_members =
      AddCommand(*members, "list", "List members of an organisation and everything below it",
                 "gonghui members list --org T03 --limit 20");
  AddListOptions(list_members, *options);
  OnRun(list_members, program, [&session, options] { return ListMembers(session, *options); });

  CLI::App* balances = AddCommand(program.app, "balances", "Balances of a book's accounts",
                                  "gonghui balances --book D01 --at 2020-06-30");
  balances->add_option("--book", options->book, "Book")->required()->type_name("ID");
  balances->add_option("--at", options->on_date, "End of this day; default: everything posted")
      ->type_name("DATE");
  OnRun(balances, program, [&session, options] { return Balances(session, *options); });
}

}  // namespace gonghui::cli
