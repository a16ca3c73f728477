// gonghui ledger: books, balances, vouchers, months, funds and budgets.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/id.h"
#include "common/base/money.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "gonghui/funds/v1/control.pb.h"
#include "gonghui/funds/v1/hold.pb.h"
#include "gonghui/funds/v1/ledger.pb.h"
#include "services/cli/program.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

namespace v1 = funds::v1;

constexpr char kLedger[] = "/gonghui.funds.v1.LedgerService/";
constexpr char kHolds[] = "/gonghui.funds.v1.HoldService/";
constexpr char kControls[] = "/gonghui.funds.v1.ControlService/";

struct LedgerOptions {
  std::string book;
  std::string organization;
  std::string account;
  std::string from;
  std::string to;
  std::string on;
  std::string known_on;
  std::string month;
  std::string reason;
  std::string text;
  std::string id;
  std::vector<std::string> by;
  int year = 0;
  int people = 0;
  int limit = 50;
  bool hard = false;
  bool dry_run = false;
};

void MoreNote(const Session& session, const std::string& next) {
  if (next.empty()) return;
  PrintNote(session.Say("There are more: --limit shows them.", "还有更多：用 --limit 显示。"));
}

absl::StatusOr<int> ShowBooks(Session& session, const LedgerOptions& options) {
  v1::ListBooksRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_page_size(options.limit);
  ASSIGN_OR_RETURN(const auto answer, session.Invoke<v1::ListBooksResponse>(
                                          absl::StrCat(kLedger, "ListBooks"), request));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  Table table({session.Say("book", "账套"), session.Say("organisation", "工会"),
               session.Say("chart", "科目表"), session.Say("opened", "启用"),
               session.Say("closed", "结账至"), session.Say("for good", "终结至"),
               session.Say(">people", ">经办人数"), session.Say("name", "名称")});
  for (const v1::Book& book : answer.books()) {
    table.Add({book.id(), book.organization(), book.chart(), book.opened_on(),
               book.soft_closed_through(), book.hard_closed_through(), absl::StrCat(book.people()),
               book.display_name()});
  }
  Print(table.Text());
  MoreNote(session, answer.next_page_token());
  return kSuccess;
}

absl::StatusOr<int> SetPeople(Session& session, const LedgerOptions& options) {
  v1::UpdateBookRequest request;
  ASSIGN_OR_RETURN(*request.mutable_book()->mutable_name(), session.NameOf("books", options.book));
  request.mutable_book()->set_people(options.people);
  request.set_update_mask("people");
  request.set_request_id(NewId(absl::Now()));
  ASSIGN_OR_RETURN(const auto book,
                   session.Invoke<v1::Book>(absl::StrCat(kLedger, "UpdateBook"), request));
  const std::string people = absl::StrCat(book.people());
  Print(session.Say("a voucher needs " + people + " people\n", "凭证须 " + people + " 人办理\n"));
  return kSuccess;
}

absl::StatusOr<int> ShowBalances(Session& session, const LedgerOptions& options) {
  v1::ListBalancesRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.NameOf("books", options.book));
  request.set_from_date(options.from);
  request.set_on_date(options.on);
  request.set_known_on(options.known_on);
  for (const std::string& key : options.by) request.add_by(key);
  ASSIGN_OR_RETURN(const auto answer, session.Invoke<v1::ListBalancesResponse>(
                                          absl::StrCat(kLedger, "ListBalances"), request));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  std::vector<std::string> heads = {session.Say("account", "科目"), session.Say("name", "名称")};
  heads.insert(heads.end(), options.by.begin(), options.by.end());
  for (const std::string& head : {session.Say(">debit", ">借方"), session.Say(">credit", ">贷方"),
                                  session.Say(">balance", ">余额")}) {
    heads.push_back(head);
  }
  Table table(heads);
  for (const v1::Balance& b : answer.balances()) {
    std::vector<std::string> row = {b.account(), b.display_name()};
    for (const std::string& key : options.by) row.push_back(b.dimensions().at(key));
    row.push_back(FormatYuan(b.debit_fen()));
    row.push_back(FormatYuan(b.credit_fen()));
    row.push_back(FormatYuan(b.balance_fen()));
    table.Add(row);
  }
  Print(table.Text());
  return kSuccess;
}

absl::StatusOr<int> ShowEntries(Session& session, const LedgerOptions& options) {
  v1::ListEntriesRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.NameOf("books", options.book));
  request.set_account(options.account);
  request.set_from_date(options.from);
  request.set_to_date(options.to);
  request.set_page_size(options.limit);
  ASSIGN_OR_RETURN(const auto answer, session.Invoke<v1::ListEntriesResponse>(
                                          absl::StrCat(kLedger, "ListEntries"), request));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  Table table({session.Say("date", "日期"), session.Say("voucher", "凭证"),
               session.Say("account", "科目"), session.Say(">debit", ">借方"),
               session.Say(">credit", ">贷方"), session.Say(">balance", ">余额"),
               session.Say("memo", "摘要")});
  table.Add({"", "", session.Say("opening", "期初"), "", "", FormatYuan(answer.opening_fen()), ""});
  for (const v1::AccountEntry& e : answer.entries()) {
    table.Add({e.on_date(), std::string(LeafOf(e.voucher())), e.entry().account(),
               FormatYuan(e.entry().debit_fen()), FormatYuan(e.entry().credit_fen()),
               FormatYuan(e.balance_fen()), e.memo()});
  }
  Print(table.Text());
  MoreNote(session, answer.next_page_token());
  return kSuccess;
}

absl::StatusOr<int> ShowVouchers(Session& session, const LedgerOptions& options) {
  v1::ListVouchersRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.NameOf("books", options.book));
  request.set_from_date(options.from);
  request.set_to_date(options.to);
  request.set_account(options.account);
  request.set_text(options.text);
  request.set_page_size(options.limit);
  ASSIGN_OR_RETURN(const auto answer, session.Invoke<v1::ListVouchersResponse>(
                                          absl::StrCat(kLedger, "ListVouchers"), request));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  Table table({session.Say("voucher", "凭证"), session.Say("date", "日期"),
               session.Say("account", "科目"), session.Say(">debit", ">借方"),
               session.Say(">credit", ">贷方"), session.Say("memo", "摘要"),
               session.Say("maker", "制单"), session.Say("checker", "复核"),
               session.Say("poster", "记账")});
  for (const v1::Voucher& voucher : answer.vouchers()) {
    bool first = true;
    for (const v1::Entry& e : voucher.entries()) {
      table.Add({first ? std::string(LeafOf(voucher.name())) : "", first ? voucher.on_date() : "",
                 e.account(), FormatYuan(e.debit_fen()), FormatYuan(e.credit_fen()),
                 e.memo().empty() ? voucher.memo() : e.memo(), first ? voucher.maker() : "",
                 first ? voucher.checker() : "", first ? voucher.poster() : ""});
      first = false;
    }
  }
  Print(table.Text());
  MoreNote(session, answer.next_page_token());
  return kSuccess;
}

void TellClosed(const Session& session, const v1::CloseMonthResponse& answer, bool dry_run) {
  const std::string count = absl::StrCat(answer.vouchers_size());
  const std::string& through = answer.book().soft_closed_through();
  if (dry_run) {
    Print(session.Say(count + " vouchers would be posted:\n", "将生成 " + count + " 张凭证：\n"));
  } else {
    Print(session.Say(count + " vouchers posted; closed through " + through + "\n",
                      "生成 " + count + " 张凭证；已结账至 " + through + "\n"));
  }
  for (const v1::Voucher& voucher : answer.vouchers()) {
    Print(StrCat("  ", voucher.on_date(), " ", voucher.memo(), "\n"));
  }
}

absl::StatusOr<int> Close(Session& session, const LedgerOptions& options) {
  v1::CloseMonthRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), session.NameOf("books", options.book));
  request.set_month(options.month);
  request.set_hard(options.hard);
  request.set_validate_only(options.dry_run);
  request.set_request_id(NewId(absl::Now()));
  ASSIGN_OR_RETURN(const auto answer, session.Invoke<v1::CloseMonthResponse>(
                                          absl::StrCat(kLedger, "CloseMonth"), request));
  if (session.json()) {
    PrintJson(answer);
  } else {
    TellClosed(session, answer, options.dry_run);
  }
  return kSuccess;
}

absl::StatusOr<int> Reopen(Session& session, const LedgerOptions& options) {
  v1::ReopenMonthRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), session.NameOf("books", options.book));
  request.set_month(options.month);
  request.set_reason(options.reason);
  request.set_request_id(NewId(absl::Now()));
  ASSIGN_OR_RETURN(const auto answer, session.Invoke<v1::CloseMonthResponse>(
                                          absl::StrCat(kLedger, "ReopenMonth"), request));
  if (session.json()) {
    PrintJson(answer);
  } else {
    TellClosed(session, answer, false);
  }
  return kSuccess;
}

absl::StatusOr<int> ShowFunds(Session& session, const LedgerOptions& options) {
  v1::ListFundsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.NameOf("books", options.book));
  request.set_page_size(options.limit);
  ASSIGN_OR_RETURN(const auto answer, session.Invoke<v1::ListFundsResponse>(
                                          absl::StrCat(kControls, "ListFunds"), request));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  Table table({session.Say("fund", "资金"), session.Say("name", "名称"),
               session.Say(">received", ">收入"), session.Say(">spent", ">支出"),
               session.Say(">held", ">冻结"), session.Say(">left", ">可用"),
               session.Say("until", "截止")});
  for (const v1::Fund& fund : answer.funds()) {
    table.Add({fund.code(), fund.display_name(), FormatYuan(fund.received_fen()),
               FormatYuan(fund.spent_fen()), FormatYuan(fund.held_fen()),
               FormatYuan(fund.available_fen()), fund.valid_to()});
  }
  Print(table.Text());
  MoreNote(session, answer.next_page_token());
  return kSuccess;
}

absl::StatusOr<int> ShowBudget(Session& session, const LedgerOptions& options) {
  v1::ListBudgetLinesRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.NameOf("books", options.book));
  request.set_year(options.year);
  request.set_page_size(options.limit);
  ASSIGN_OR_RETURN(const auto answer, session.Invoke<v1::ListBudgetLinesResponse>(
                                          absl::StrCat(kControls, "ListBudgetLines"), request));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  Table table({session.Say("item", "科目"), session.Say("fund", "资金"),
               session.Say("unit", "部门"), session.Say(">budget", ">预算"),
               session.Say(">used", ">已用"), session.Say(">held", ">冻结"),
               session.Say(">left", ">可用"), session.Say("beyond", "超出")});
  for (const v1::BudgetLine& line : answer.lines()) {
    table.Add({line.item(), line.fund(), line.unit(), FormatYuan(line.amount_fen()),
               FormatYuan(line.used_fen()), FormatYuan(line.held_fen()),
               FormatYuan(line.available_fen()),
               line.block() ? session.Say("refused", "拒绝") : session.Say("warned", "提示")});
  }
  Print(table.Text());
  MoreNote(session, answer.next_page_token());
  return kSuccess;
}

absl::StatusOr<int> ShowHolds(Session& session, const LedgerOptions& options) {
  v1::ListHoldsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.NameOf("books", options.book));
  request.set_page_size(options.limit);
  ASSIGN_OR_RETURN(const auto answer, session.Invoke<v1::ListHoldsResponse>(
                                          absl::StrCat(kHolds, "ListHolds"), request));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  Table table({session.Say("hold", "编号"), session.Say("state", "状态"),
               session.Say("date", "日期"), session.Say("memo", "摘要"),
               session.Say("maker", "制单"), session.Say("checker", "复核"),
               session.Say("posted", "凭证")});
  for (const v1::Hold& hold : answer.holds()) {
    table.Add({std::string(LeafOf(hold.name())),
               v1::HoldState_Name(hold.state()).substr(sizeof("HOLD_STATE_") - 1),
               hold.voucher().on_date(), hold.voucher().memo(), hold.maker(), hold.checker(),
               std::string(LeafOf(hold.posted()))});
  }
  Print(table.Text());
  MoreNote(session, answer.next_page_token());
  return kSuccess;
}

template <typename Request>
absl::StatusOr<int> OnHold(Session& session, const LedgerOptions& options, const char* method,
                           Request request) {
  ASSIGN_OR_RETURN(const std::string book, session.NameOf("books", options.book));
  request.set_name(StrCat(book, "/holds/", LeafOf(options.id)));
  request.set_request_id(NewId(absl::Now()));
  ASSIGN_OR_RETURN(const auto hold,
                   session.Invoke<v1::Hold>(absl::StrCat(kHolds, method), request));
  if (session.json()) {
    PrintJson(hold);
  } else {
    Print(StrCat(v1::HoldState_Name(hold.state()).substr(sizeof("HOLD_STATE_") - 1), " ",
                 hold.posted(), "\n"));
  }
  return kSuccess;
}

absl::StatusOr<int> CheckHold(Session& session, const LedgerOptions& options) {
  return OnHold(session, options, "CheckHold", v1::CheckHoldRequest());
}

absl::StatusOr<int> ConfirmHold(Session& session, const LedgerOptions& options) {
  return OnHold(session, options, "ConfirmHold", v1::ConfirmHoldRequest());
}

absl::StatusOr<int> ReleaseHold(Session& session, const LedgerOptions& options) {
  v1::ReleaseHoldRequest request;
  request.set_reason(options.reason);
  return OnHold(session, options, "ReleaseHold", std::move(request));
}

}  // namespace

void AddLedgerCommands(Program& program) {
  auto options = std::make_shared<LedgerOptions>();
  CLI::App* ledger =
      AddCommand(program.app, "ledger", "Books: balances, vouchers, months, statements, proofs",
                 "gonghui ledger balances T01 --on 2024-05-31");
  ledger->require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& description,
                       const std::string& example,
                       absl::StatusOr<int> (*run)(Session&, const LedgerOptions&)) {
    CLI::App* command = AddCommand(*ledger, name, description, example);
    OnRun(command, program,
          [&session = program.session, options, run] { return run(session, *options); });
    return command;
  };
  const auto of_book = [&](CLI::App* command) {
    command->add_option("BOOK", options->book, "As `ledger books` shows it")->required();
    return command;
  };
  const auto with_limit = [&](CLI::App* command) {
    command->add_option("--limit", options->limit, "At most this many")->check(CLI::Range(1, 1000));
    return command;
  };
  const auto with_dates = [&](CLI::App* command) {
    command->add_option("--from", options->from, "First day")->type_name("DATE");
    command->add_option("--to", options->to, "Last day")->type_name("DATE");
    return command;
  };
  CLI::App* books = with_limit(add("books", "Books and how far they are closed",
                                   "gonghui ledger books --org D01", ShowBooks));
  books->add_option("--org", options->organization, "With everything below it")->type_name("ID");
  CLI::App* people =
      of_book(add("people", "How many people a voucher needs: maker, checker, poster",
                  "gonghui ledger people T01 3", SetPeople));
  people->add_option("COUNT", options->people, "1, 2 or 3")->required()->check(CLI::Range(1, 3));
  CLI::App* balances =
      of_book(add("balances", "Balances of the accounts",
                  "gonghui ledger balances T01 --on 2024-05-31 --by project", ShowBalances));
  balances->add_option("--on", options->on, "At the end of this day")->type_name("DATE");
  balances->add_option("--from", options->from, "Only what was posted from this day on")
      ->type_name("DATE");
  balances->add_option("--known-on", options->known_on, "As posted by the end of this day")
      ->type_name("DATE");
  balances->add_option("--by", options->by, "Tell apart by this dimension; may be repeated");
  CLI::App* entries = with_dates(
      with_limit(of_book(add("entries", "Entries of an account with the balance after each",
                             "gonghui ledger entries T01 504 --from 2024-05-01", ShowEntries))));
  entries->add_option("ACCOUNT", options->account, "With its details")->required();
  CLI::App* vouchers = with_dates(with_limit(of_book(
      add("vouchers", "Vouchers", "gonghui ledger vouchers T01 --text 慰问", ShowVouchers))));
  vouchers->add_option("--account", options->account, "With an entry on it");
  vouchers->add_option("--text", options->text, "In the memo");
  CLI::App* close = of_book(
      add("close", "Close a month and those before it: carry forward, take no more vouchers",
          "gonghui ledger close T01 2024-05 --dry-run", Close));
  close->add_flag("--hard", options->hard, "For good");
  close->add_flag("--dry-run", options->dry_run, "Only show what would be posted");
  CLI::App* reopen = of_book(add("reopen", "Open the last closed month again",
                                 "gonghui ledger reopen T01 2024-05 --reason 更正", Reopen));
  for (CLI::App* command : {close, reopen}) {
    command->add_option("MONTH", options->month, "Like 2024-05")->required();
  }
  reopen->add_option("--reason", options->reason, "Why")->required();
  with_limit(of_book(
      add("funds", "Restricted funds and what is left", "gonghui ledger funds T01", ShowFunds)));
  CLI::App* budget =
      with_limit(of_book(add("budget", "Lines of the approved budget and what is left",
                             "gonghui ledger budget T01 2024", ShowBudget)));
  budget->add_option("YEAR", options->year, "Like 2024")->required();
  with_limit(of_book(
      add("holds", "Vouchers that wait for somebody", "gonghui ledger holds T01", ShowHolds)));
  CLI::App* check = of_book(add("check", "Say that a waiting voucher is right",
                                "gonghui ledger check T01 HOLD", CheckHold));
  CLI::App* confirm = of_book(
      add("confirm", "Post a waiting voucher", "gonghui ledger confirm T01 HOLD", ConfirmHold));
  CLI::App* release = of_book(add("release", "Give up a waiting voucher",
                                  "gonghui ledger release T01 HOLD --reason 重复", ReleaseHold));
  for (CLI::App* command : {check, confirm, release}) {
    command->add_option("HOLD", options->id, "As `ledger holds` shows it")->required();
  }
  release->add_option("--reason", options->reason, "Why")->required();
  AddProofCommands(program, *ledger);
}

}  // namespace gonghui::cli
