// gonghui dues: members' dues.
#include <algorithm>
#include <memory>

#include "common/base/money.h"
#include "services/cli/levy_commands.h"
#include "services/cli/levy_file.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

namespace v1 = funds::v1;

struct DuesOptions {
  std::string file;
  std::string organization;
  std::string month;
  std::string to_month;
  std::string member;
  std::string on;
  int limit = 50;
  bool outstanding = false;
  bool check = false;
};

template <typename Response, typename Request>
absl::StatusOr<Response> Ask(Session& session, std::string_view method, const Request& request) {
  ASSIGN_OR_RETURN(
      Response response,
      session.Invoke<Response>(StrCat("/gonghui.funds.v1.DuesService/", method), request));
  if (session.json()) PrintJson(response);
  return response;
}

const std::vector<LevyColumn>& BillColumns() {
  static const auto& columns = *new std::vector<LevyColumn>{{{"会员编号", "member"}, true},
                                                            {{"月工资", "wage", "工资"}, true},
                                                            {{"缴费状态", "standing"}, false},
                                                            {{"免缴原因", "reason"}, false}};
  return columns;
}

const std::vector<LevyColumn>& PaymentColumns() {
  static const auto& columns = *new std::vector<LevyColumn>{
      {{"会员编号", "member"}, true}, {{"月份", "month"}, true}, {{"金额", "amount"}, false}};
  return columns;
}

absl::StatusOr<v1::DuesStanding> StandingOf(const std::string& text) {
  if (text == "保留会籍") return v1::DUES_STANDING_RETAINED;
  if (text == "免缴") return v1::DUES_STANDING_WAIVED;
  if (text == "正常") return v1::DUES_STANDING_PAYING;
  ASSIGN_OR_RETURN(const int value, EnumOf(*v1::DuesStanding_descriptor(), text, "standing"));
  return static_cast<v1::DuesStanding>(value);
}

// Sends the rows, a thousand at a time: `fill` adds one, `sent` sees each answer. `once`: a file
// sent again has no further effect.
template <typename Request, typename Response>
absl::StatusOr<int> Send(Session& session, const DuesOptions& options, const LevyFile& file,
                         std::string_view method, bool once, Request request,
                         const std::function<absl::Status(size_t, Request&)>& fill,
                         const std::function<void(const Response&)>& sent) {
  LevyFaults faults(session);
  for (size_t first = 0; first < file.size(); first += kLevyBatch) {
    Request part = request;
    for (size_t i = first; i < std::min(first + kLevyBatch, file.size()); ++i) {
      RETURN_IF_ERROR(fill(i, part));
    }
    part.set_validate_only(options.check);
    part.set_request_id(once && !options.check ? ContentId(part.SerializeAsString())
                                               : NewRequest());
    ASSIGN_OR_RETURN(const auto answer, Ask<Response>(session, method, part));
    faults.Add(file, first, answer.failures());
    sent(answer);
  }
  if (faults.empty()) return kSuccess;
  faults.Show();
  PrintNote(session.Say("Nothing of these rows was written: correct the file and send it again.",
                        "以上行所在的一批未写入：请改正文件后重新导入。"));
  return kRejected;
}

void Told(const Session& session, const char* en, const char* zh, int64_t count, int64_t fen) {
  if (session.json()) return;
  Print(session.Say(StrCat(count, en, FormatYuan(fen), "\n"),
                    StrCat(zh, count, " 笔，", FormatYuan(fen), " 元\n")));
}

absl::StatusOr<int> Bill(Session& session, const DuesOptions& options) {
  ASSIGN_OR_RETURN(const LevyFile file, LevyFile::Read(options.file, BillColumns()));
  v1::BillDuesRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_month(options.month);
  int64_t count = 0;
  int64_t fen = 0;
  ASSIGN_OR_RETURN(const int code, (Send<v1::BillDuesRequest, v1::BillDuesResponse>(
                                       session, options, file, "BillDues", false, request,
                                       [&](size_t i, v1::BillDuesRequest& part) -> absl::Status {
                                         v1::DuesBill& bill = *part.add_bills();
                                         bill.set_member(file.Text(i, 0));
                                         ASSIGN_OR_RETURN(const int64_t wage, file.Fen(i, 1));
                                         bill.set_wage_fen(wage);
                                         ASSIGN_OR_RETURN(const v1::DuesStanding standing,
                                                          StandingOf(file.Text(i, 2)));
                                         bill.set_standing(standing);
                                         bill.set_reason(file.Text(i, 3));
                                         return absl::OkStatus();
                                       },
                                       [&](const v1::BillDuesResponse& answer) {
                                         count += answer.billed();
                                         fen += answer.payable_fen();
                                       })));
  Told(session, " bills, payable ", "核定会费 ", count, fen);
  return code;
}

absl::StatusOr<int> Pay(Session& session, const DuesOptions& options) {
  ASSIGN_OR_RETURN(const LevyFile file, LevyFile::Read(options.file, PaymentColumns()));
  v1::PayDuesRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_paid_on(options.on);
  int64_t count = 0;
  int64_t fen = 0;
  ASSIGN_OR_RETURN(const int code, (Send<v1::PayDuesRequest, v1::PayDuesResponse>(
                                       session, options, file, "PayDues", true, request,
                                       [&](size_t i, v1::PayDuesRequest& part) -> absl::Status {
                                         v1::DuesPayment& payment = *part.add_payments();
                                         payment.set_member(file.Text(i, 0));
                                         payment.set_month(file.Text(i, 1));
                                         ASSIGN_OR_RETURN(const int64_t amount, file.Fen(i, 2));
                                         payment.set_amount_fen(amount);
                                         return absl::OkStatus();
                                       },
                                       [&](const v1::PayDuesResponse& answer) {
                                         count += answer.paid();
                                         fen += answer.amount_fen();
                                       })));
  Told(session, " payments, ", "收会费 ", count, fen);
  return code;
}

void ShowBills(const Session& session, const std::vector<v1::DuesBill>& bills) {
  Table table({session.Say("member", "会员编号"), session.Say("month", "月份"),
               session.Say("standing", "缴费状态"), session.Say(">payable", ">应缴"),
               session.Say(">paid", ">已缴"), session.Say(">outstanding", ">欠缴")});
  for (const v1::DuesBill& bill : bills) {
    table.Add({bill.member(), bill.month(),
               EnumWord(*v1::DuesStanding_descriptor(), bill.standing()),
               FormatYuan(bill.payable_fen()), FormatYuan(bill.paid_fen()),
               FormatYuan(bill.outstanding_fen())});
  }
  Print(table.Text());
}

absl::StatusOr<int> List(Session& session, const DuesOptions& options) {
  v1::ListDuesBillsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_month(options.month);
  request.set_outstanding(options.outstanding);
  request.set_page_size(options.limit);
  ASSIGN_OR_RETURN(const auto answer,
                   Ask<v1::ListDuesBillsResponse>(session, "ListDuesBills", request));
  if (!session.json()) ShowBills(session, {answer.bills().begin(), answer.bills().end()});
  return kSuccess;
}

absl::StatusOr<int> Statement(Session& session, const DuesOptions& options) {
  if (!options.member.empty()) {
    v1::GetMemberDuesStatementRequest request;
    ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
    request.set_organization(options.organization);
    request.set_member(options.member);
    request.set_from_month(options.month);
    request.set_to_month(options.to_month);
    ASSIGN_OR_RETURN(const auto answer, Ask<v1::GetMemberDuesStatementResponse>(
                                            session, "GetMemberDuesStatement", request));
    if (!session.json()) ShowBills(session, {answer.bills().begin(), answer.bills().end()});
    return kSuccess;
  }
  v1::GetUnitDuesStatementRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_from_month(options.month);
  request.set_to_month(options.to_month);
  ASSIGN_OR_RETURN(const auto answer,
                   Ask<v1::GetUnitDuesStatementResponse>(session, "GetUnitDuesStatement", request));
  if (session.json()) return kSuccess;
  Table table({session.Say("month", "月份"), session.Say(">members", ">会员"),
               session.Say(">paying", ">应缴人数"), session.Say(">in arrears", ">欠缴人数"),
               session.Say(">payable", ">应缴"), session.Say(">paid", ">已缴"),
               session.Say(">outstanding", ">欠缴")});
  for (const v1::DuesMonth& month : answer.months()) {
    table.Add({month.month(), StrCat(month.members()), StrCat(month.paying()),
               StrCat(month.in_arrears()), FormatYuan(month.payable_fen()),
               FormatYuan(month.paid_fen()), FormatYuan(month.outstanding_fen())});
  }
  Print(table.Text());
  return kSuccess;
}

}  // namespace

void AddDuesCommands(Program& program) {
  auto options = std::make_shared<DuesOptions>();
  CLI::App* dues = AddCommand(program.app, "dues", "Members' dues: bills, payments, statements",
                              "gonghui dues bill wages.csv --org E01 --month 2024-05");
  dues->require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& description,
                       const std::string& example,
                       absl::StatusOr<int> (*run)(Session&, const DuesOptions&)) {
    CLI::App* command = AddCommand(*dues, name, description, example);
    OnRun(command, program,
          [&session = program.session, options, run] { return run(session, *options); });
    command->add_option("--org", options->organization, "The members' union")
        ->type_name("ID")
        ->required();
    return command;
  };
  CLI::App* bill = add("bill", "Bill members for a month by their wages",
                       "gonghui dues bill wages.csv --org E01 --month 2024-05", Bill);
  bill->add_option("FILE", options->file, "CSV or XLSX: 会员编号, 月工资, 缴费状态, 免缴原因")
      ->required();
  CLI::App* pay = add("pay", "Enter payments; one voucher for each thousand",
                      "gonghui dues pay paid.csv --org E01 --on 2024-06-05", Pay);
  pay->add_option("FILE", options->file,
                  "CSV or XLSX: 会员编号, 月份, 金额 (empty: all that is owed)")
      ->required();
  pay->add_option("--on", options->on, "Day of payment")->type_name("DATE")->required();
  CLI::App* list =
      add("list", "Bills of a month", "gonghui dues list --org E01 --month 2024-05", List);
  list->add_flag("--outstanding", options->outstanding, "Only with something outstanding");
  list->add_option("--limit", options->limit, "At most this many")->check(CLI::Range(1, 1000));
  for (CLI::App* command : {bill, list}) {
    command->add_option("--month", options->month, "2024-05")->required();
  }
  for (CLI::App* command : {bill, pay}) {
    command->add_flag("--check", options->check, "Show what it would come to, write nothing");
  }
  CLI::App* statement =
      add("statement", "What the union's members, or one of them, were billed and paid",
          "gonghui dues statement --org E01 --from 2024-01 --to 2024-06", Statement);
  statement->add_option("--member", options->member, "Only of this member");
  statement->add_option("--from", options->month, "First month")->required();
  statement->add_option("--to", options->to_month, "Last month")->required();
}

}  // namespace gonghui::cli
