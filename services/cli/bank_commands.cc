// gonghui bank: statement lines, which entries they are, monthly reconciliation.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "common/base/id.h"
#include "common/base/money.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "gonghui/funds/v1/bank.pb.h"
#include "services/cli/levy_commands.h"
#include "services/cli/levy_file.h"
#include "services/cli/program.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

namespace v1 = funds::v1;

constexpr std::string_view kVoucherName =
    "federations/{federation}/books/{book}/vouchers/{voucher}";
constexpr size_t kReference = 0;
constexpr size_t kDate = 1;
constexpr size_t kIn = 2;
constexpr size_t kOut = 3;
constexpr size_t kAmount = 4;
constexpr size_t kMemo = 5;
constexpr size_t kCounterparty = 6;

struct BankOptions {
  std::string account;
  std::string organization;
  std::string file;
  std::string line;
  std::string month;
  std::string from;
  std::string to;
  std::string state;
  std::string amount;
  std::string balance;
  std::string on;
  std::string reason;
  std::vector<std::string> entries;
  int limit = 50;
  bool check = false;
};

const std::vector<LevyColumn>& LineColumns() {
  static const auto& columns =
      *new std::vector<LevyColumn>{{{"流水号", "reference", "交易流水号", "凭证号"}, true},
                                   {{"交易日期", "on_date", "日期", "记账日期"}, true},
                                   {{"收入", "in", "贷方发生额", "贷方金额", "收入金额"}, false},
                                   {{"支出", "out", "借方发生额", "借方金额", "支出金额"}, false},
                                   {{"金额", "amount", "交易金额"}, false},
                                   {{"摘要", "memo", "用途"}, false},
                                   {{"对方户名", "counterparty", "对方名称"}, false}};
  return columns;
}

template <typename Response, typename Request>
absl::StatusOr<Response> AskBank(Session& session, std::string_view method,
                                 const Request& request) {
  ASSIGN_OR_RETURN(
      Response response,
      session.Invoke<Response>(StrCat("/gonghui.funds.v1.BankService/", method), request));
  if (session.json()) PrintJson(response);
  return response;
}

absl::StatusOr<std::string> AccountOf(const Session& session, const BankOptions& options) {
  return session.NameOf("bankAccounts", options.account);
}

absl::StatusOr<std::string> LineOf(const Session& session, const BankOptions& options) {
  ASSIGN_OR_RETURN(const std::string account, AccountOf(session, options));
  return StrCat(account, "/lines/", LeafOf(options.line));
}

// E01/202405-17:2.
std::string EntryText(const v1::BankEntry& entry) {
  const auto name = ParseName(kVoucherName, entry.voucher());
  if (!name.ok()) return entry.voucher();
  return StrCat(name->at("book"), "/", name->at("voucher"), ":", entry.line());
}

void ShowLines(const Session& session,
               const google::protobuf::RepeatedPtrField<v1::BankLine>& lines) {
  Table table({session.Say("line", "流水编号"), session.Say("reference", "流水号"),
               session.Say("date", "日期"), session.Say(">amount", ">金额"),
               session.Say("memo", "摘要"), session.Say("state", "状态"),
               session.Say("entries", "分录")});
  for (const v1::BankLine& line : lines) {
    std::string entries;
    for (const v1::BankEntry& entry : line.entries()) {
      StrAppend(&entries, entries.empty() ? "" : " ", EntryText(entry));
    }
    const bool open = line.state() == v1::BANK_LINE_STATE_OPEN;
    table.Add({std::string(LeafOf(line.name())), line.reference(), line.on_date(),
               FormatYuan(line.amount_fen()), line.memo(),
               open ? session.Say("open", "未勾对") : session.Say("matched", "已勾对"), entries});
  }
  Print(table.Text());
}

absl::StatusOr<int> Accounts(Session& session, const BankOptions& options) {
  v1::ListBankAccountsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_page_size(options.limit);
  ASSIGN_OR_RETURN(const auto answer,
                   AskBank<v1::ListBankAccountsResponse>(session, "ListBankAccounts", request));
  if (session.json()) return kSuccess;
  Table table({session.Say("account", "账户"), session.Say("organisation", "工会"),
               session.Say("book", "账套"), session.Say("ledger account", "科目"),
               session.Say("opened", "开户"), session.Say("closed", "销户"),
               session.Say("reconciled", "对账至"), session.Say(">open lines", ">未勾对")});
  for (const v1::BankAccount& account : answer.accounts()) {
    std::string ledger = account.account();
    if (!account.dimension().empty()) {
      StrAppend(&ledger, " ", account.dimension(), "=", account.dimension_value());
    }
    table.Add({std::string(LeafOf(account.name())), account.organization(), account.book(), ledger,
               account.opened_on(), account.closed_on(), account.reconciled_through(),
               StrCat(account.open_lines())});
  }
  Print(table.Text());
  return kSuccess;
}

// One row of the file; an amount stands in one of three columns.
absl::Status ReadLine(const LevyFile& file, size_t row, v1::BankLine& line) {
  line.set_reference(file.Text(row, kReference));
  ASSIGN_OR_RETURN(*line.mutable_on_date(), file.Date(row, kDate));
  ASSIGN_OR_RETURN(const int64_t in, file.Fen(row, kIn));
  ASSIGN_OR_RETURN(const int64_t out, file.Fen(row, kOut));
  ASSIGN_OR_RETURN(const int64_t amount, file.Fen(row, kAmount));
  line.set_memo(file.Text(row, kMemo));
  line.set_counterparty(file.Text(row, kCounterparty));
  const int given = (in != 0 ? 1 : 0) + (out != 0 ? 1 : 0) + (amount != 0 ? 1 : 0);
  line.set_amount_fen(amount + in - out);
  if (given <= 1) return absl::OkStatus();
  return InvalidArgument(
      common::v1::REASON_FIELD_INVALID,
      StrCat("row ", file.line(row), ": give the amount in one column, 收入, 支出 or 金额"),
      StrCat("第 ", file.line(row), " 行：金额只能填在“收入”“支出”“金额”之一"));
}

absl::Status AddBalance(const BankOptions& options, v1::ImportBankLinesRequest& request) {
  if (options.balance.empty()) return absl::OkStatus();
  v1::BankBalance& balance = *request.add_balances();
  balance.set_on_date(options.on);
  ASSIGN_OR_RETURN(const int64_t fen, ParseYuan(options.balance));
  balance.set_balance_fen(fen);
  return absl::OkStatus();
}

absl::StatusOr<int> Import(Session& session, const BankOptions& options) {
  ASSIGN_OR_RETURN(const LevyFile file, LevyFile::Read(options.file, LineColumns()));
  LevyFaults faults(session);
  int64_t added = 0;
  int64_t known = 0;
  for (size_t first = 0; first < file.size() || first == 0; first += kLevyBatch) {
    const size_t end = std::min(first + kLevyBatch, file.size());
    v1::ImportBankLinesRequest request;
    ASSIGN_OR_RETURN(*request.mutable_parent(), AccountOf(session, options));
    for (size_t i = first; i < end; ++i) {
      RETURN_IF_ERROR(ReadLine(file, i, *request.add_lines()));
    }
    if (end == file.size()) RETURN_IF_ERROR(AddBalance(options, request));
    request.set_validate_only(options.check);
    request.set_request_id(NewRequest());
    ASSIGN_OR_RETURN(const auto answer,
                     AskBank<v1::ImportBankLinesResponse>(session, "ImportBankLines", request));
    added += answer.added();
    known += answer.known();
    faults.Add(file, first, answer.failures());
  }
  if (!faults.empty()) {
    faults.Show();
    PrintNote(session.Say("Nothing of these rows was written: correct the file and send it again.",
                          "以上行所在的一批未写入：请改正文件后重新导入。"));
    return kRejected;
  }
  if (!session.json()) {
    Print(session.Say(StrCat(added, " lines, ", known, " known before\n"),
                      StrCat("流水 ", added, " 笔，已有 ", known, " 笔\n")));
  }
  return kSuccess;
}

absl::StatusOr<int> Lines(Session& session, const BankOptions& options) {
  v1::ListBankLinesRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), AccountOf(session, options));
  request.set_from_date(options.from);
  request.set_to_date(options.to);
  ASSIGN_OR_RETURN(const int state,
                   EnumOf(*v1::BankLineState_descriptor(), options.state, "--state"));
  request.set_state(static_cast<v1::BankLineState>(state));
  if (!options.amount.empty()) {
    ASSIGN_OR_RETURN(const int64_t fen, ParseYuan(options.amount));
    request.set_amount_fen(fen);
  }
  request.set_page_size(options.limit);
  ASSIGN_OR_RETURN(const auto answer,
                   AskBank<v1::ListBankLinesResponse>(session, "ListBankLines", request));
  if (session.json()) return kSuccess;
  ShowLines(session, answer.lines());
  if (!answer.next_page_token().empty()) {
    PrintNote(session.Say("There are more: --limit shows them.", "还有更多：用 --limit 显示。"));
  }
  return kSuccess;
}

absl::StatusOr<int> MatchAll(Session& session, const BankOptions& options) {
  v1::MatchBankLinesRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), AccountOf(session, options));
  request.set_to_date(options.to);
  request.set_validate_only(options.check);
  request.set_request_id(NewRequest());
  ASSIGN_OR_RETURN(const auto answer,
                   AskBank<v1::MatchBankLinesResponse>(session, "MatchBankLines", request));
  if (session.json()) return kSuccess;
  if (answer.ambiguous_size() > 0) ShowLines(session, answer.ambiguous());
  Print(
      session.Say(StrCat(answer.matched_size(), " matched, ", answer.ambiguous_size(),
                         " ambiguous, ", answer.unmatched(), " without an entry\n"),
                  StrCat("勾对 ", answer.matched_size(), " 笔，不能确定 ", answer.ambiguous_size(),
                         " 笔，无对应分录 ", answer.unmatched(), " 笔\n")));
  return kSuccess;
}

// E01/202405-17 or E01/202405-17:2.
absl::StatusOr<v1::BankEntry> EntryOf(const Session& session, std::string_view text) {
  const size_t slash = text.find('/');
  const size_t colon = text.find(':');
  int64_t line = 0;
  if (slash == std::string_view::npos ||
      (colon != std::string_view::npos && !ParseInteger(text.substr(colon + 1), &line))) {
    return InvalidArgument(
        common::v1::REASON_FIELD_INVALID,
        StrCat("--entry '", text, "' is written like E01/202405-17 or E01/202405-17:2"),
        StrCat("--entry“", text, "”应写成 E01/202405-17 或 E01/202405-17:2"));
  }
  v1::BankEntry entry;
  ASSIGN_OR_RETURN(const std::string book, session.NameOf("books", text.substr(0, slash)));
  entry.set_voucher(StrCat(book, "/vouchers/", text.substr(slash + 1, colon - slash - 1)));
  entry.set_line(static_cast<int32_t>(line));
  return entry;
}

absl::StatusOr<int> MatchOne(Session& session, const BankOptions& options) {
  v1::MatchBankLineRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), LineOf(session, options));
  for (const std::string& text : options.entries) {
    ASSIGN_OR_RETURN(*request.add_entries(), EntryOf(session, text));
  }
  request.set_request_id(NewRequest());
  ASSIGN_OR_RETURN(const auto line, AskBank<v1::BankLine>(session, "MatchBankLine", request));
  google::protobuf::RepeatedPtrField<v1::BankLine> lines;
  *lines.Add() = line;
  if (!session.json()) ShowLines(session, lines);
  return kSuccess;
}

absl::StatusOr<int> Unmatch(Session& session, const BankOptions& options) {
  v1::UnmatchBankLineRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), LineOf(session, options));
  request.set_reason(options.reason);
  request.set_request_id(NewRequest());
  ASSIGN_OR_RETURN(const auto line, AskBank<v1::BankLine>(session, "UnmatchBankLine", request));
  google::protobuf::RepeatedPtrField<v1::BankLine> lines;
  *lines.Add() = line;
  if (!session.json()) ShowLines(session, lines);
  return kSuccess;
}

void AddItems(const Session& session, const std::string& label, const v1::OutstandingItems& items,
              Table& table) {
  table.Add({label, "", "", FormatYuan(items.amount_fen()), ""});
  for (const v1::BankLine& line : items.lines()) {
    table.Add({"", line.on_date(), line.reference(), FormatYuan(line.amount_fen()), line.memo()});
  }
  for (const v1::BankEntry& entry : items.entries()) {
    table.Add(
        {"", entry.on_date(), EntryText(entry), FormatYuan(entry.amount_fen()), entry.memo()});
  }
  const int64_t hidden = items.count() - items.lines_size() - items.entries_size();
  if (hidden > 0) {
    table.Add({"", "", session.Say(StrCat("and ", hidden, " more"), StrCat("另有 ", hidden, " 笔")),
               "", ""});
  }
}

void ShowReconciliation(const Session& session, const v1::Reconciliation& result) {
  Print(StrCat(session.Say("bank reconciliation ", "银行存款余额调节表 "), LeafOf(result.name()),
               " ", result.month(), "\n"));
  Table table({session.Say("item", "项目"), session.Say("date", "日期"),
               session.Say("line or entry", "流水或分录"), session.Say(">amount", ">金额"),
               session.Say("memo", "摘要")});
  const auto sum = [&](const std::string& label, int64_t fen) {
    table.Add({label, "", "", FormatYuan(fen), ""});
  };
  sum(session.Say("balance by the book", "账面余额"), result.book_balance_fen());
  AddItems(session, session.Say("received by the bank, not booked", "银行已收、工会未收"),
           result.bank_received(), table);
  AddItems(session, session.Say("paid by the bank, not booked", "银行已付、工会未付"),
           result.bank_paid(), table);
  sum(session.Say("adjusted balance of the book", "调节后账面余额"), result.adjusted_book_fen());
  sum(result.stated() ? session.Say("balance by the bank", "银行对账单余额")
                      : session.Say("balance by the bank's lines", "银行余额（按流水推算）"),
      result.bank_balance_fen());
  AddItems(session, session.Say("booked as received, not by the bank", "工会已收、银行未收"),
           result.book_received(), table);
  AddItems(session, session.Say("booked as paid, not by the bank", "工会已付、银行未付"),
           result.book_paid(), table);
  sum(session.Say("adjusted balance of the bank", "调节后银行余额"), result.adjusted_bank_fen());
  Print(table.Text());
  Print(result.agrees() ? session.Say("The adjusted balances agree.\n", "调节后余额相符。\n")
                        : session.Say("The adjusted balances differ.\n", "调节后余额不符。\n"));
  if (result.confirmed()) {
    Print(session.Say(StrCat("Confirmed by ", result.confirmed_by(), ".\n"),
                      StrCat("确认人：", result.confirmed_by(), "。\n")));
  }
  if (result.overdue().count() > 0) {
    PrintNote(session.Say(StrCat(result.overdue().count(), " items are older than ",
                                 result.overdue_months(), " months: look into them."),
                          StrCat("有 ", result.overdue().count(), " 笔未达账项超过 ",
                                 result.overdue_months(), " 个月，请查明原因。")));
  }
}

absl::StatusOr<int> Reconcile(Session& session, const BankOptions& options) {
  v1::GetReconciliationRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), AccountOf(session, options));
  request.set_month(options.month);
  ASSIGN_OR_RETURN(const auto answer,
                   AskBank<v1::Reconciliation>(session, "GetReconciliation", request));
  if (!session.json()) ShowReconciliation(session, answer);
  return answer.agrees() ? kSuccess : kRejected;
}

absl::StatusOr<int> Confirm(Session& session, const BankOptions& options) {
  v1::ConfirmReconciliationRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), AccountOf(session, options));
  request.set_month(options.month);
  request.set_request_id(NewRequest());
  ASSIGN_OR_RETURN(const auto answer,
                   AskBank<v1::Reconciliation>(session, "ConfirmReconciliation", request));
  if (!session.json()) ShowReconciliation(session, answer);
  return kSuccess;
}

using BankRun = absl::StatusOr<int> (*)(Session&, const BankOptions&);
using AddBank = std::function<CLI::App*(const std::string& name, const std::string& description,
                                        const std::string& example, BankRun run)>;

void AddLines(const AddBank& add, BankOptions& options) {
  CLI::App* import = add("import", "Enter the lines of a statement (对账单)",
                         "gonghui bank import may.csv --account ZH-1 --balance 5230.10 --on "
                         "2024-05-31",
                         Import);
  import
      ->add_option("FILE", options.file,
                   "CSV or XLSX: 流水号, 交易日期, 收入 and 支出 (or 金额 with its sign), 摘要, "
                   "对方户名")
      ->required();
  CLI::Option* balance = import->add_option("--balance", options.balance,
                                            "Balance that the bank states, in yuan (对账单余额)");
  import->add_option("--on", options.on, "Day at whose end it is the balance")
      ->type_name("DATE")
      ->needs(balance);
  CLI::App* lines = add("lines", "Lines of an account and their entries (流水)",
                        "gonghui bank lines --account ZH-1 --state open", Lines);
  lines->add_option("--from", options.from, "From this day on")->type_name("DATE");
  lines->add_option("--state", options.state, "open, matched");
  lines->add_option("--amount", options.amount, "Exactly this, in yuan; below 0: went out");
  lines->add_option("--limit", options.limit, "At most this many")->check(CLI::Range(1, 1000));
  CLI::App* match = add("match", "Match lines with entries where that is certain (自动勾对)",
                        "gonghui bank match --account ZH-1 --check", MatchAll);
  for (CLI::App* command : {lines, match}) {
    command->add_option("--to", options.to, "Up to this day")->type_name("DATE");
  }
  for (CLI::App* command : {import, match}) {
    command->add_flag("--check", options.check, "Show what it would come to, write nothing");
  }
  CLI::App* one =
      add("match-line", "Match a line with entries that come to its amount (手工勾对)",
          "gonghui bank match-line LINE --account ZH-1 --entry E01/202405-17", MatchOne);
  one->add_option("--entry", options.entries,
                  "BOOK/VOUCHER, with :LINE where it has several entries on the account")
      ->required();
  CLI::App* unmatch = add("unmatch", "Open a matched line again (取消勾对)",
                          "gonghui bank unmatch LINE --account ZH-1 --reason 勾错", Unmatch);
  unmatch->add_option("--reason", options.reason, "Why")->required();
  for (CLI::App* command : {one, unmatch}) {
    command->add_option("LINE", options.line, "As the list shows it")->required();
  }
  for (CLI::App* command : {import, lines, match, one, unmatch}) {
    command->add_option("--account", options.account, "Number of the bank account")->required();
  }
}

}  // namespace

void AddBankCommands(Program& program) {
  auto options = std::make_shared<BankOptions>();
  CLI::App* bank = AddCommand(program.app, "bank",
                              "Bank statements beside the books: import, match, reconcile (对账)",
                              "gonghui bank reconcile 2024-05 --account ZH-1");
  bank->require_subcommand(1);
  const AddBank add = [&program, bank, options](const std::string& name,
                                                const std::string& description,
                                                const std::string& example, BankRun run) {
    CLI::App* command = AddCommand(*bank, name, description, example);
    OnRun(command, program,
          [&session = program.session, options, run] { return run(session, *options); });
    return command;
  };
  CLI::App* accounts =
      add("accounts", "Bank accounts, and up to which month they are reconciled (银行账户)",
          "gonghui bank accounts --org T01", Accounts);
  accounts->add_option("--org", options->organization, "With everything below it")->type_name("ID");
  accounts->add_option("--limit", options->limit, "At most this many")->check(CLI::Range(1, 1000));
  AddLines(add, *options);
  CLI::App* reconcile = add("reconcile", "The reconciliation at a month's end (银行存款余额调节表)",
                            "gonghui bank reconcile 2024-05 --account ZH-1", Reconcile);
  CLI::App* confirm =
      add("confirm", "Confirm a month's reconciliation: its matches stay (确认对账)",
          "gonghui bank confirm 2024-05 --account ZH-1", Confirm);
  for (CLI::App* command : {reconcile, confirm}) {
    command->add_option("MONTH", options->month, "Like 2024-05")->required();
    command->add_option("--account", options->account, "Number of the bank account")->required();
  }
}

}  // namespace gonghui::cli
