// gonghui records, balances: what the services keep.
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
#include "services/cli/paging.h"
#include "services/cli/program.h"
#include "services/cli/record_lines.h"
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
  PageOptions page;
  bool notice = false;
};

absl::StatusOr<int> ListRecords(Session& session, const RecordOptions& options) {
  common::v1::ListRecordsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  ASSIGN_OR_RETURN(const KindEntry entry, FetchKind(session, options.kind));
  request.set_kind(entry.kind().name());
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
      session, "/" + entry.service() + "/ListRecords", request, options.page,
      [&](const auto& page) {
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
      NoteWarnings(session, resource);
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
  list->add_option("--org", options->organization, "Organisation, with everything below it")
      ->type_name("ID");
  list->add_option("--state", options->state, "Only those in this state");
  options->page.AddTo(list);
  list->add_option("--from", options->from, "First date")->type_name("DATE");
  list->add_option("--to", options->to, "Last date")->type_name("DATE");
  list->add_option("--due-to", options->due_to, "Only those due on this day or earlier")
      ->type_name("DATE");
  list->add_flag(
      "--notice", options->notice,
      "Only those under public notice, without names and numbers (--json for all fields)");
  OnRun(list, program, [&session, options] { return ListRecords(session, *options); });
  CLI::App* get = AddCommand(*records, "get", "Read one record, member, organisation or voucher",
                             "gonghui records get federations/demo/organizations/D01");
  get->add_option("NAME", options->name, "Resource name")->required();
  OnRun(get, program, [&session, options] { return GetResource(session, options->name); });

  AddRecordWrites(program, *records);

  CLI::App* balances = AddCommand(program.app, "balances", "Balances of a book's accounts",
                                  "gonghui balances --book D01 --at 2020-06-30");
  balances->add_option("--book", options->book, "Book")->required()->type_name("ID");
  balances->add_option("--at", options->on_date, "End of this day; default: everything posted")
      ->type_name("DATE");
  OnRun(balances, program, [&session, options] { return Balances(session, *options); });
}

}  // namespace gonghui::cli
