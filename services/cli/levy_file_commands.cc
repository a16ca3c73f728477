// gonghui levy payers, assess, import and what follows: files of payers, payrolls and receipts.
#include <algorithm>

#include "common/base/money.h"
#include "common/base/resource_name.h"
#include "services/cli/levy_commands.h"
#include "services/cli/levy_file.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

namespace v1 = funds::v1;

const std::vector<LevyColumn>& PayerColumns() {
  static const auto& columns =
      *new std::vector<LevyColumn>{{{"统一社会信用代码", "unit", "单位编码", "社会信用代码"}, true},
                                   {{"工会编码", "organization", "所属工会"}, true},
                                   {{"单位名称", "display_name", "name"}, true},
                                   {{"建会日期", "founded_on"}, false}};
  return columns;
}

const std::vector<LevyColumn>& PayrollColumns() {
  static const auto& columns =
      *new std::vector<LevyColumn>{{{"统一社会信用代码", "unit", "单位编码", "社会信用代码"}, true},
                                   {{"所属期", "period"}, true},
                                   {{"工资总额", "payroll"}, true},
                                   {{"减免", "relief", "减免金额"}, false},
                                   {{"减免原因", "relief_reason"}, false},
                                   {{"缓缴至", "deferred_to"}, false}};
  return columns;
}

const std::vector<LevyColumn>& ReceiptColumns() {
  static const auto& columns = *new std::vector<LevyColumn>{
      {{"登记序号", "serial"}, true},
      {{"统一社会信用代码", "unit", "社会信用代码", "纳税人识别号"}, true},
      {{"所属期起", "period_from", "税款所属期起"}, true},
      {{"所属期止", "period_to", "税款所属期止"}, true},
      {{"工资总额", "payroll"}, false},
      {{"费率", "rate"}, false},
      {{"应缴", "due", "应纳", "应缴金额"}, false},
      {{"减免", "relief", "减免金额"}, false},
      {{"已缴", "paid", "已缴金额", "实缴"}, true},
      {{"入库日期", "received_on"}, true},
      {{"票证号", "ticket", "票证号码"}, false},
      {{"征收品目", "item", "品目"}, false}};
  return columns;
}

absl::StatusOr<int> Rejected(const Session& session, const LevyFaults& faults) {
  faults.Show();
  PrintNote(session.Say("Nothing of these rows was written: correct the file and send it again.",
                        "以上行所在的一批未写入：请改正文件后重新导入。"));
  return kRejected;
}

void Told(const Session& session, const std::string& en, const std::string& zh) {
  if (!session.json()) Print(session.Say(en + "\n", zh + "\n"));
}

absl::StatusOr<int> SetPayers(Session& session, const LevyOptions& options) {
  ASSIGN_OR_RETURN(const LevyFile file, LevyFile::Read(options.file, PayerColumns()));
  LevyFaults faults(session);
  int64_t written = 0;
  for (size_t first = 0; first < file.size(); first += kLevyBatch) {
    v1::SetLevyPayersRequest request;
    ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
    for (size_t i = first; i < std::min(first + kLevyBatch, file.size()); ++i) {
      v1::LevyPayer& payer = *request.add_payers();
      payer.set_unit(file.Text(i, 0));
      payer.set_organization(file.Text(i, 1));
      payer.set_display_name(file.Text(i, 2));
      ASSIGN_OR_RETURN(*payer.mutable_founded_on(), file.Date(i, 3));
    }
    request.set_validate_only(options.check);
    request.set_request_id(NewRequest());
    ASSIGN_OR_RETURN(const auto answer,
                     AskLevy<v1::SetLevyPayersResponse>(session, "SetLevyPayers", request));
    written += answer.written();
    faults.Add(file, first, answer.failures());
  }
  if (!faults.empty()) return Rejected(session, faults);
  Told(session, StrCat(written, " payers new or changed"),
       StrCat("新增或变更缴费单位 ", written, " 个"));
  return kSuccess;
}

absl::StatusOr<int> ListPayers(Session& session, const LevyOptions& options) {
  if (!options.file.empty()) return SetPayers(session, options);
  v1::ListLevyPayersRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_page_size(options.limit);
  ASSIGN_OR_RETURN(const auto answer,
                   AskLevy<v1::ListLevyPayersResponse>(session, "ListLevyPayers", request));
  if (session.json()) return kSuccess;
  Table table({session.Say("unit", "单位"), session.Say("organisation", "工会"),
               session.Say("name", "单位名称"), session.Say("union founded", "建会日期")});
  for (const v1::LevyPayer& payer : answer.payers()) {
    table.Add({payer.unit(), payer.organization(), payer.display_name(), payer.founded_on()});
  }
  Print(table.Text());
  return kSuccess;
}

absl::StatusOr<int> Assess(Session& session, const LevyOptions& options) {
  ASSIGN_OR_RETURN(const LevyFile file, LevyFile::Read(options.file, PayrollColumns()));
  LevyFaults faults(session);
  int64_t count = 0;
  int64_t payable = 0;
  for (size_t first = 0; first < file.size(); first += kLevyBatch) {
    v1::AssessLeviesRequest request;
    ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
    for (size_t i = first; i < std::min(first + kLevyBatch, file.size()); ++i) {
      v1::LevyObligation& given = *request.add_obligations();
      given.set_unit(file.Text(i, 0));
      given.set_period(file.Text(i, 1));
      ASSIGN_OR_RETURN(const int64_t payroll, file.Fen(i, 2));
      given.set_payroll_fen(payroll);
      ASSIGN_OR_RETURN(const int64_t relief, file.Fen(i, 3));
      given.set_relief_fen(relief);
      given.set_relief_reason(file.Text(i, 4));
      ASSIGN_OR_RETURN(*given.mutable_deferred_to(), file.Date(i, 5));
    }
    request.set_validate_only(options.check);
    request.set_request_id(NewRequest());
    ASSIGN_OR_RETURN(const auto answer,
                     AskLevy<v1::AssessLeviesResponse>(session, "AssessLevies", request));
    for (const auto& o : answer.obligations()) payable += o.payable_fen();
    count += answer.obligations_size();
    faults.Add(file, first, answer.failures());
  }
  if (!faults.empty()) return Rejected(session, faults);
  Told(session, StrCat(count, " obligations, payable ", FormatYuan(payable)),
       StrCat("核定 ", count, " 笔，应缴 ", FormatYuan(payable), " 元"));
  return kSuccess;
}

absl::Status Fill(const LevyFile& file, size_t i, v1::LevyReceipt& receipt) {
  receipt.set_serial(file.Text(i, 0));
  receipt.set_unit(file.Text(i, 1));
  ASSIGN_OR_RETURN(*receipt.mutable_period_from(), file.Date(i, 2));
  ASSIGN_OR_RETURN(*receipt.mutable_period_to(), file.Date(i, 3));
  ASSIGN_OR_RETURN(const int64_t payroll, file.Fen(i, 4));
  receipt.set_payroll_fen(payroll);
  ASSIGN_OR_RETURN(const int32_t rate, file.Rate(i, 5));
  receipt.set_rate(rate);
  ASSIGN_OR_RETURN(const int64_t due, file.Fen(i, 6));
  receipt.set_due_fen(due);
  ASSIGN_OR_RETURN(const int64_t relief, file.Fen(i, 7));
  receipt.set_relief_fen(relief);
  ASSIGN_OR_RETURN(const int64_t paid, file.Fen(i, 8));
  receipt.set_paid_fen(paid);
  ASSIGN_OR_RETURN(*receipt.mutable_received_on(), file.Date(i, 9));
  receipt.set_ticket(file.Text(i, 10));
  receipt.set_item(file.Text(i, 11));
  return absl::OkStatus();
}

absl::StatusOr<int> Import(Session& session, const LevyOptions& options) {
  ASSIGN_OR_RETURN(const LevyFile file, LevyFile::Read(options.file, ReceiptColumns()));
  const std::string batch = options.batch.empty() ? NewRequest() : options.batch;
  LevyFaults faults(session);
  std::vector<v1::LevyReceipt> exceptions;
  int64_t added = 0;
  int64_t known = 0;
  for (size_t first = 0; first < file.size(); first += kLevyBatch) {
    v1::ImportLevyReceiptsRequest request;
    ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
    request.set_organization(options.organization);
    request.set_channel(options.channel);
    request.set_batch_id(batch);
    request.set_source(options.file.substr(options.file.rfind('/') + 1));
    request.set_validate_only(options.check);
    request.set_request_id(NewRequest());
    for (size_t i = first; i < std::min(first + kLevyBatch, file.size()); ++i) {
      RETURN_IF_ERROR(Fill(file, i, *request.add_receipts()));
    }
    ASSIGN_OR_RETURN(const auto answer, AskLevy<v1::ImportLevyReceiptsResponse>(
                                            session, "ImportLevyReceipts", request));
    faults.Add(file, first, answer.failures());
    exceptions.insert(exceptions.end(), answer.exceptions().begin(), answer.exceptions().end());
    added += answer.added();
    known += answer.known();
  }
  if (!session.json() && !exceptions.empty()) ShowReceipts(session, exceptions);
  if (!faults.empty()) return Rejected(session, faults);
  Told(session,
       StrCat("batch ", batch, ": ", added, " receipts, ", exceptions.size(), " exceptions, ",
              known, " known before"),
       StrCat("批次 ", batch, "：收款 ", added, " 笔，异常 ", exceptions.size(), " 笔，此前已导入 ",
              known, " 笔"));
  return kSuccess;
}

absl::StatusOr<int> Receipts(Session& session, const LevyOptions& options) {
  v1::ListLevyReceiptsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  if (!options.batch.empty()) {
    ASSIGN_OR_RETURN(*request.mutable_batch(), LevyName(session, "levyBatches", options.batch));
  }
  ASSIGN_OR_RETURN(const int state,
                   EnumOf(*v1::LevyReceiptState_descriptor(), options.state, "--state"));
  request.set_state(static_cast<v1::LevyReceiptState>(state));
  request.set_page_size(options.limit);
  ASSIGN_OR_RETURN(const auto answer,
                   AskLevy<v1::ListLevyReceiptsResponse>(session, "ListLevyReceipts", request));
  if (!session.json()) {
    ShowReceipts(session, {answer.receipts().begin(), answer.receipts().end()});
  }
  return kSuccess;
}

absl::StatusOr<int> Resolve(Session& session, const LevyOptions& options) {
  v1::ResolveLevyReceiptsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), LevyName(session, "levyBatches", options.batch));
  for (const std::string& receipt : options.receipts) {
    ASSIGN_OR_RETURN(*request.add_receipts(), LevyName(session, "levyReceipts", receipt));
  }
  ASSIGN_OR_RETURN(const int exception,
                   EnumOf(*v1::LevyException_descriptor(), options.exception, "--reason"));
  request.set_exception(static_cast<v1::LevyException>(exception));
  ASSIGN_OR_RETURN(const int resolution,
                   EnumOf(*v1::LevyResolution_descriptor(), options.resolution, "--as"));
  request.set_resolution(static_cast<v1::LevyResolution>(resolution));
  request.set_unit(options.unit);
  request.set_validate_only(options.check);
  request.set_request_id(NewRequest());
  ASSIGN_OR_RETURN(const auto answer, AskLevy<v1::ResolveLevyReceiptsResponse>(
                                          session, "ResolveLevyReceipts", request));
  if (!session.json()) {
    ShowReceipts(session, {answer.receipts().begin(), answer.receipts().end()});
  }
  return kSuccess;
}

absl::StatusOr<int> Confirm(Session& session, const LevyOptions& options) {
  v1::ConfirmLevyReceiptsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), LevyName(session, "levyBatches", options.batch));
  request.set_validate_only(options.check);
  Table table({session.Say("level", "层级"), session.Say(">amount", ">金额")});
  int64_t confirmed = 0;
  v1::ConfirmLevyReceiptsResponse answer;
  do {
    request.set_request_id(NewRequest());
    ASSIGN_OR_RETURN(
        answer, AskLevy<v1::ConfirmLevyReceiptsResponse>(session, "ConfirmLevyReceipts", request));
    confirmed += answer.confirmed();
    for (const v1::LevyShare& level : answer.levels()) {
      table.Add({level.level(), FormatYuan(level.amount_fen())});
    }
    if (answer.held_fen() > 0) {
      table.Add({session.Say("held", "暂存（筹备金）"), FormatYuan(answer.held_fen())});
    }
  } while (!options.check && answer.confirmed() > 0 && answer.matched() > 0);
  if (session.json()) return kSuccess;
  Print(table.Text());
  const std::string left = StrCat(answer.exceptions());
  const std::string count = StrCat(confirmed);
  Told(session,
       count + (options.check ? " would be confirmed, " : " confirmed, ") + left +
           " exceptions left",
       (options.check ? "将确认 " : "已确认 ") + count + " 笔，尚有异常 " + left + " 笔");
  return kSuccess;
}

void ShowBatches(const Session& session, const std::vector<v1::LevyBatch>& batches) {
  Table table({session.Say("batch", "批次"), session.Say("channel", "渠道"),
               session.Say("source", "来源"), session.Say(">receipts", ">笔数"),
               session.Say(">amount", ">金额"), session.Say(">matched", ">待确认"),
               session.Say(">exceptions", ">异常"), session.Say(">confirmed", ">已确认"),
               session.Say("undone", "撤销")});
  for (const v1::LevyBatch& batch : batches) {
    table.Add({std::string(LeafOf(batch.name())), batch.channel(), batch.source(),
               StrCat(batch.receipts()), FormatYuan(batch.paid_fen()), StrCat(batch.matched()),
               StrCat(batch.exceptions()), StrCat(batch.confirmed()),
               batch.undone() ? session.Say("yes", "是") : ""});
  }
  Print(table.Text());
}

absl::StatusOr<int> Undo(Session& session, const LevyOptions& options) {
  v1::UndoLevyBatchRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), LevyName(session, "levyBatches", options.batch));
  request.set_request_id(NewRequest());
  ASSIGN_OR_RETURN(const auto answer, AskLevy<v1::LevyBatch>(session, "UndoLevyBatch", request));
  if (!session.json()) ShowBatches(session, {answer});
  return kSuccess;
}

absl::StatusOr<int> Reverse(Session& session, const LevyOptions& options) {
  v1::ReverseLevyReceiptRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), LevyName(session, "levyReceipts", options.id));
  request.set_on_date(options.on);
  request.set_reason(options.remark);
  request.set_request_id(NewRequest());
  ASSIGN_OR_RETURN(const auto answer,
                   AskLevy<v1::LevyReceipt>(session, "ReverseLevyReceipt", request));
  if (!session.json()) ShowReceipts(session, {answer});
  return kSuccess;
}

absl::StatusOr<int> Batches(Session& session, const LevyOptions& options) {
  v1::ListLevyBatchesRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_page_size(options.limit);
  ASSIGN_OR_RETURN(const auto answer,
                   AskLevy<v1::ListLevyBatchesResponse>(session, "ListLevyBatches", request));
  if (!session.json()) {
    ShowBatches(session, {answer.batches().begin(), answer.batches().end()});
  }
  return kSuccess;
}

}  // namespace

void AddLevyFiles(const AddLevy& add, LevyOptions& options) {
  CLI::App* payers = add("payers", "List the paying units, or enter those of a file",
                         "gonghui levy payers units.csv", ListPayers);
  payers->add_option("FILE", options.file,
                     "CSV or XLSX: 统一社会信用代码, 工会编码, 单位名称, 建会日期");
  CLI::App* assess = add("assess", "Assess units by their payrolls",
                         "gonghui levy assess payroll-2024-05.xlsx --check", Assess);
  assess
      ->add_option("FILE", options.file,
                   "CSV or XLSX: 统一社会信用代码, 所属期, 工资总额, 减免, 减免原因, 缓缴至")
      ->required();
  CLI::App* import =
      add("import", "Enter the receipts of a channel and match them",
          "gonghui levy import tax-2024-05.xlsx --org D01 --channel tax_agency", Import);
  import
      ->add_option("FILE", options.file,
                   "CSV or XLSX: 登记序号, 统一社会信用代码, 所属期起, 所属期止, 工资总额, 费率, "
                   "应缴, 减免, 已缴, 入库日期, 票证号, 征收品目")
      ->required();
  import->add_option("--channel", options.channel, "direct, tax_agency, fiscal")
      ->capture_default_str();
  import->add_option("--batch", options.batch, "Add to this batch; a new one if not given");
  CLI::App* receipts = add("receipts", "Receipts and their states",
                           "gonghui levy receipts --org D01 --state exception", Receipts);
  receipts->add_option("--batch", options.batch, "Only of this batch");
  receipts->add_option("--state", options.state, "matched, exception, confirmed, held, rejected");
  CLI::App* resolve =
      add("resolve", "Settle exceptions: of one reason, or some receipts",
          "gonghui levy resolve BATCH --reason amount_differs --as accept", Resolve);
  resolve->add_option("--reason", options.exception,
                      "unknown_unit, no_payroll, amount_differs, duplicate_ticket, item_differs, "
                      "reversed");
  resolve->add_option("--receipt", options.receipts, "Only these");
  resolve->add_option("--as", options.resolution, "rematch, assess, accept, reject")->required();
  resolve->add_option("--unit", options.unit, "With rematch: the unit that was meant");
  CLI::App* confirm =
      add("confirm", "Share and post what matches", "gonghui levy confirm BATCH --check", Confirm);
  CLI::App* undo = add("undo", "Take back a batch of which nothing is confirmed",
                       "gonghui levy undo BATCH", Undo);
  for (CLI::App* command : {resolve, confirm, undo}) {
    command->add_option("BATCH", options.batch, "As the list shows it")->required();
  }
  CLI::App* reverse =
      add("reverse", "Take back the confirmation of a receipt, in red letters",
          "gonghui levy reverse RECEIPT --on 2024-06-03 --remark '入错单位'", Reverse);
  reverse->add_option("RECEIPT", options.id, "As 'gonghui levy receipts' shows it")->required();
  reverse->add_option("--on", options.on, "Date of the red letters")->type_name("DATE")->required();
  reverse->add_option("--remark", options.remark, "Why")->required();
  CLI::App* batches =
      add("batches", "Batches of receipts", "gonghui levy batches --org D01", Batches);
  for (CLI::App* command : {payers, assess, import, resolve, confirm}) {
    command->add_flag("--check", options.check, "Show what it would come to, write nothing");
  }
  import->add_option("--org", options.organization, "Whose file it is")
      ->type_name("ID")
      ->required();
  for (CLI::App* command : {payers, receipts, batches}) {
    command->add_option("--org", options.organization, "The organisation; the root if not given")
        ->type_name("ID");
    command->add_option("--limit", options.limit, "At most this many")->check(CLI::Range(1, 1000));
  }
}

}  // namespace gonghui::cli
