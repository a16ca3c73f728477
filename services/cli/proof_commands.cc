// gonghui ledger verify|seal|heads|receipt|statement|export: what auditors ask of a book.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/id.h"
#include "common/base/money.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "gonghui/funds/v1/proof.pb.h"
#include "gonghui/funds/v1/statement.pb.h"
#include "services/cli/csv.h"
#include "services/cli/job_commands.h"
#include "services/cli/program.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

namespace v1 = funds::v1;

constexpr char kProofs[] = "/gonghui.funds.v1.ProofService/";
constexpr char kProofJobs[] = "gonghui.funds.v1.ProofService";
constexpr char kStatements[] = "/gonghui.funds.v1.StatementService/";

struct ProofOptions {
  std::string book;
  std::string organization;
  std::string voucher;
  std::string form;
  std::string period;
  std::string known_on;
  std::string from;
  std::string to;
  std::string out;
  int limit = 50;
};

absl::StatusOr<int> Verify(Session& session, const ProofOptions& options) {
  v1::VerifyLedgerRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_book(options.book);
  request.set_request_id(NewId(absl::Now()));
  ASSIGN_OR_RETURN(auto job,
                   session.Invoke<common::v1::Job>(absl::StrCat(kProofs, "VerifyLedger"), request));
  ASSIGN_OR_RETURN(job, AwaitJob(session, std::move(job), kProofJobs));
  ASSIGN_OR_RETURN(const auto result, ResultOf<v1::VerifyLedgerResult>(job));
  if (session.json()) {
    PrintJson(result);
    return result.faults_size() == 0 ? kSuccess : kRejected;
  }
  const std::string books = absl::StrCat(result.books());
  const std::string vouchers = absl::StrCat(result.vouchers());
  const std::string heads = absl::StrCat(result.heads());
  const std::string faults = absl::StrCat(result.faults_size());
  Print(session.Say(books + " books, " + vouchers + " vouchers, " + heads +
                        " signed heads: " + faults + " faults\n",
                    books + " 个账套、" + vouchers + " 张凭证、" + heads + " 个签名：发现 " +
                        faults + " 处问题\n"));
  for (const v1::BookFault& fault : result.faults()) {
    Print(StrCat("  ", fault.book(), " ",
                 v1::LedgerFault_Name(fault.fault()).substr(sizeof("LEDGER_FAULT_") - 1), " ",
                 LeafOf(fault.voucher()), " [", fault.sequence(), "] ",
                 session.Say(fault.detail(), fault.detail_zh()), "\n"));
  }
  return result.faults_size() == 0 ? kSuccess : kRejected;
}

absl::StatusOr<int> Seal(Session& session, const ProofOptions& options) {
  v1::SealBookRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), session.NameOf("books", options.book));
  request.set_request_id(NewId(absl::Now()));
  ASSIGN_OR_RETURN(const auto head,
                   session.Invoke<v1::Head>(absl::StrCat(kProofs, "SealBook"), request));
  if (session.json()) {
    PrintJson(head);
  } else {
    Print(StrCat(head.index(), ": ", head.first_sequence(), "-", head.last_sequence(), " ",
                 head.root(), "\n"));
  }
  return kSuccess;
}

absl::StatusOr<int> ShowHeads(Session& session, const ProofOptions& options) {
  v1::ListHeadsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.NameOf("books", options.book));
  request.set_page_size(options.limit);
  ASSIGN_OR_RETURN(const auto answer, session.Invoke<v1::ListHeadsResponse>(
                                          absl::StrCat(kProofs, "ListHeads"), request));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  Table table({session.Say(">head", ">封存"), session.Say(">from", ">自"),
               session.Say(">to", ">至"), session.Say("root", "根")});
  for (const v1::Head& head : answer.heads()) {
    table.Add({absl::StrCat(head.index()), absl::StrCat(head.first_sequence()),
               absl::StrCat(head.last_sequence()), head.root()});
  }
  Print(table.Text());
  PrintNote(session.Say("public key ", "公钥 ") + absl::BytesToHexString(answer.public_key()));
  if (!answer.next_page_token().empty()) {
    PrintNote(session.Say("There are more: --limit shows them.", "还有更多：用 --limit 显示。"));
  }
  return kSuccess;
}

absl::StatusOr<int> WriteReceipt(Session& session, const ProofOptions& options) {
  v1::GetReceiptProofRequest request;
  ASSIGN_OR_RETURN(const std::string book, session.NameOf("books", options.book));
  request.set_name(StrCat(book, "/vouchers/", LeafOf(options.voucher)));
  ASSIGN_OR_RETURN(const auto proof, session.Invoke<v1::ReceiptProof>(
                                         absl::StrCat(kProofs, "GetReceiptProof"), request));
  if (session.json()) {
    PrintJson(proof);
    return kSuccess;
  }
  const std::string path =
      options.out.empty() ? StrCat(LeafOf(options.voucher), ".receipt") : options.out;
  RETURN_IF_ERROR(WriteFile(path, proof.receipt()));
  Print(StrCat(path, "\n"));
  PrintNote(session.Say("public key ", "公钥 ") + absl::BytesToHexString(proof.public_key()));
  return kSuccess;
}

void Show(const Session& session, const v1::Statement& statement) {
  std::vector<std::string> heads = {StrCat(statement.title(), " ", statement.unit_name())};
  for (const std::string& column : statement.columns()) heads.push_back(StrCat(">", column));
  Table table(heads);
  for (const v1::StatementLine& line : statement.lines()) {
    std::vector<std::string> row = {std::string(2 * static_cast<size_t>(line.indent()), ' ') +
                                    line.label()};
    for (const int64_t fen : line.amounts_fen()) row.push_back(FormatYuan(fen));
    row.resize(heads.size());
    table.Add(row);
  }
  Print(table.Text());
  for (const v1::Elimination& e : statement.eliminations()) {
    Print(StrCat(session.Say("left out ", "抵销 "), e.payer_accounts(), " / ",
                 e.receiver_accounts(), ": ", FormatYuan(e.payer_fen()), " / ",
                 FormatYuan(e.receiver_fen()), "\n"));
  }
  for (const v1::StatementCheck& check : statement.checks()) {
    if (check.holds()) continue;
    PrintNote(StrCat(session.Say("does not hold: ", "不符："), check.label(), " (",
                     FormatYuan(check.left_fen()), " / ", FormatYuan(check.right_fen()), ")"));
  }
}

absl::StatusOr<int> MakeStatement(Session& session, const ProofOptions& options) {
  v1::GetStatementRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_form(options.form);
  request.set_period(options.period);
  request.set_book(options.book);
  request.set_organization(options.organization);
  request.set_known_on(options.known_on);
  if (options.out.empty()) {
    ASSIGN_OR_RETURN(const auto statement, session.Invoke<v1::Statement>(
                                               absl::StrCat(kStatements, "GetStatement"), request));
    if (session.json()) {
      PrintJson(statement);
    } else {
      Show(session, statement);
    }
    return kSuccess;
  }
  v1::ExportStatementRequest exporting;
  *exporting.mutable_statement() = request;
  exporting.set_format(options.out.ends_with(".pdf") ? "pdf" : "xlsx");
  ASSIGN_OR_RETURN(const auto file, session.Invoke<v1::ExportStatementResponse>(
                                        absl::StrCat(kStatements, "ExportStatement"), exporting));
  RETURN_IF_ERROR(WriteFile(options.out, file.content()));
  Print(StrCat(options.out, "\n"));
  return kSuccess;
}

absl::StatusOr<int> Export(Session& session, const ProofOptions& options) {
  v1::ExportBookRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.NameOf("books", options.book));
  request.set_from_date(options.from);
  request.set_to_date(options.to);
  std::string journal;
  do {
    ASSIGN_OR_RETURN(const auto piece, session.Invoke<v1::ExportBookResponse>(
                                           absl::StrCat(kStatements, "ExportBook"), request));
    journal += piece.journal();
    request.set_page_token(piece.next_page_token());
  } while (!request.page_token().empty());
  if (options.out.empty()) {
    Print(journal);
    return kSuccess;
  }
  RETURN_IF_ERROR(WriteFile(options.out, journal));
  Print(StrCat(options.out, "\n"));
  return kSuccess;
}

}  // namespace

void AddProofCommands(Program& program, CLI::App& ledger) {
  auto options = std::make_shared<ProofOptions>();
  const auto add = [&](const std::string& name, const std::string& description,
                       const std::string& example,
                       absl::StatusOr<int> (*run)(Session&, const ProofOptions&)) {
    CLI::App* command = AddCommand(ledger, name, description, example);
    OnRun(command, program,
          [&session = program.session, options, run] { return run(session, *options); });
    return command;
  };
  const auto of_book = [&](CLI::App* command) {
    command->add_option("BOOK", options->book, "As `ledger books` shows it")->required();
    return command;
  };
  add("verify", "Compare every voucher with its chain, heads and anchor; exit code 1 on a fault",
      "gonghui ledger verify --book T01", Verify)
      ->add_option("--book", options->book, "Only this book");
  of_book(add("seal", "Sign what was posted since the last head", "gonghui ledger seal T01", Seal));
  of_book(add("heads", "Signed heads of a book", "gonghui ledger heads T01", ShowHeads))
      ->add_option("--limit", options->limit, "At most this many")
      ->check(CLI::Range(1, 1000));
  CLI::App* receipt = of_book(add("receipt", "A proof that a voucher stands in its book, as a file",
                                  "gonghui ledger receipt T01 202405-17", WriteReceipt));
  receipt->add_option("VOUCHER", options->voucher, "Like 202405-17")->required();
  CLI::App* statement =
      add("statement", "A prescribed statement, also consolidated: 01, 02, a01, a02, a03",
          "gonghui ledger statement 01 2024-05 --org D01 --out 01.pdf", MakeStatement);
  statement->add_option("FORM", options->form, "01, 02, a01, a02 or a03")->required();
  statement->add_option("PERIOD", options->period, "A month (2024-05) or a year")->required();
  statement->add_option("--book", options->book, "Of one book");
  statement->add_option("--org", options->organization,
                        "Of all books of an organisation and below it, consolidated");
  statement->add_option("--known-on", options->known_on, "As posted by the end of this day")
      ->type_name("DATE");
  CLI::App* journal = of_book(add("export", "The whole book in hledger's format",
                                  "gonghui ledger export T01 --out T01.journal", Export));
  journal->add_option("--from", options->from, "First day")->type_name("DATE");
  journal->add_option("--to", options->to, "Last day")->type_name("DATE");
  for (CLI::App* command : {receipt, statement, journal}) {
    command->add_option("--out", options->out, "File to write; of a statement .pdf or .xlsx")
        ->type_name("FILE");
  }
}

}  // namespace gonghui::cli
