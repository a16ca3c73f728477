// gonghui levy share, remit, receive, refund, settle, forms: what happens to the money.
#include "common/base/money.h"
#include "common/base/resource_name.h"
#include "services/cli/levy_commands.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

namespace v1 = funds::v1;

void ShowShares(const Session& session, const std::vector<v1::LevyShare>& shares) {
  Table table({session.Say("level", "层级"), session.Say("organisation", "工会"),
               session.Say(">share", ">比例"), session.Say(">amount", ">金额"),
               session.Say("held by", "资金所在")});
  for (const v1::LevyShare& share : shares) {
    table.Add({share.level(), share.organization(), StrCat(FormatYuan(share.share()), "%"),
               FormatYuan(share.amount_fen()), share.holder()});
  }
  Print(table.Text());
}

absl::StatusOr<int> Share(Session& session, const LevyOptions& options) {
  if (!options.id.empty()) {
    v1::ListLevySharesRequest request;
    ASSIGN_OR_RETURN(*request.mutable_name(), LevyName(session, "levyReceipts", options.id));
    ASSIGN_OR_RETURN(const auto answer,
                     AskLevy<v1::ListLevySharesResponse>(session, "ListLevyShares", request));
    if (!session.json()) ShowShares(session, {answer.shares().begin(), answer.shares().end()});
    return kSuccess;
  }
  v1::PreviewSharingRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  ASSIGN_OR_RETURN(const int64_t fen, ParseYuan(options.amount));
  request.set_amount_fen(fen);
  request.set_item(options.item);
  request.set_channel(options.channel);
  request.set_period(options.period);
  request.set_received_on(options.on);
  ASSIGN_OR_RETURN(const auto answer,
                   AskLevy<v1::PreviewSharingResponse>(session, "PreviewSharing", request));
  if (session.json()) return kSuccess;
  ShowShares(session, {answer.shares().begin(), answer.shares().end()});
  Print(StrCat(answer.rule(), ": ", answer.citation(), "\n"));
  return kSuccess;
}

void ShowRemittances(const Session& session, const std::vector<v1::Remittance>& remittances) {
  Table table({session.Say("remittance", "编号"), session.Say("from", "付款工会"),
               session.Say("to", "收款工会"), session.Say("cycle", "周期"),
               session.Say("state", "状态"), session.Say(">amount", ">金额"),
               session.Say(">lines", ">笔数"), session.Say("sent", "付出"),
               session.Say("received", "收到")});
  for (const v1::Remittance& r : remittances) {
    table.Add({std::string(LeafOf(r.name())), r.payer(),
               r.payee().empty() ? session.Say("(above)", "（上级）") : r.payee(), r.period(),
               EnumWord(*v1::RemittanceState_descriptor(), r.state()), FormatYuan(r.amount_fen()),
               StrCat(r.line_count()), r.sent_on(), r.received_on()});
  }
  Print(table.Text());
}

absl::StatusOr<int> Remit(Session& session, const LevyOptions& options) {
  if (options.up == options.down) {
    return InvalidArgument(common::v1::REASON_FIELD_REQUIRED, "give either --up or --down",
                           "请给出 --up（上解）或 --down（下拨）");
  }
  v1::CreateRemittancesRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_direction(options.up ? v1::REMITTANCE_DIRECTION_UP : v1::REMITTANCE_DIRECTION_DOWN);
  request.set_period(options.period);
  request.set_sent_on(options.on);
  request.set_validate_only(options.check);
  v1::CreateRemittancesResponse answer;
  do {
    request.set_request_id(NewRequest());
    ASSIGN_OR_RETURN(answer,
                     AskLevy<v1::CreateRemittancesResponse>(session, "CreateRemittances", request));
    if (!session.json()) {
      ShowRemittances(session, {answer.remittances().begin(), answer.remittances().end()});
    }
  } while (answer.more() && !options.check);
  return kSuccess;
}

absl::StatusOr<int> Receive(Session& session, const LevyOptions& options) {
  v1::ReceiveRemittanceRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), LevyName(session, "remittances", options.id));
  request.set_received_on(options.on);
  request.set_request_id(NewRequest());
  ASSIGN_OR_RETURN(const auto answer,
                   AskLevy<v1::Remittance>(session, "ReceiveRemittance", request));
  if (!session.json()) ShowRemittances(session, {answer});
  return kSuccess;
}

absl::StatusOr<int> Remittances(Session& session, const LevyOptions& options) {
  v1::ListRemittancesRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_page_size(options.limit);
  ASSIGN_OR_RETURN(const auto answer,
                   AskLevy<v1::ListRemittancesResponse>(session, "ListRemittances", request));
  if (!session.json()) {
    ShowRemittances(session, {answer.remittances().begin(), answer.remittances().end()});
  }
  return kSuccess;
}

absl::StatusOr<int> Refund(Session& session, const LevyOptions& options) {
  v1::RefundSmallPayersRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_year(options.year);
  request.set_instalment(options.instalment);
  request.set_on_date(options.on);
  request.set_validate_only(options.check);
  request.set_request_id(NewRequest());
  ASSIGN_OR_RETURN(const auto answer,
                   AskLevy<v1::RefundSmallPayersResponse>(session, "RefundSmallPayers", request));
  if (session.json()) return kSuccess;
  Table table({session.Say("unit", "单位"), session.Say("organisation", "工会"),
               session.Say(">paid in the year", ">年缴金额"), session.Say(">refund", ">返还")});
  for (const v1::LevyRefund& refund : answer.refunds()) {
    table.Add({refund.unit(), refund.organization(), FormatYuan(refund.paid_fen()),
               FormatYuan(refund.refund_fen())});
  }
  Print(table.Text());
  Print(StrCat(FormatYuan(answer.refund_fen()), "  ", answer.citation(), "\n"));
  return kSuccess;
}

absl::StatusOr<int> Settle(Session& session, const LevyOptions& options) {
  v1::SettlePreparatoryFundsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), LevyName(session, "levyPayers", options.unit));
  request.set_organization(options.organization);
  request.set_founded_on(options.period);
  request.set_on_date(options.on);
  v1::SettlePreparatoryFundsResponse answer;
  do {
    request.set_request_id(NewRequest());
    ASSIGN_OR_RETURN(answer, AskLevy<v1::SettlePreparatoryFundsResponse>(
                                 session, "SettlePreparatoryFunds", request));
    if (!session.json()) ShowShares(session, {answer.levels().begin(), answer.levels().end()});
  } while (answer.left() > 0);
  return kSuccess;
}

void ShowPapers(const Session& session, const std::vector<v1::PaperReceipt>& papers) {
  Table table({session.Say("series", "系列"), session.Say(">number", ">号码"),
               session.Say("state", "状态"), session.Say("issued", "领用"),
               session.Say("changed", "变动"), session.Say("payer", "缴款单位"),
               session.Say(">amount", ">金额"), session.Say("remark", "备注")});
  for (const v1::PaperReceipt& paper : papers) {
    table.Add({paper.series(), StrCat(paper.number()),
               EnumWord(*v1::PaperReceiptState_descriptor(), paper.state()), paper.issued_on(),
               paper.changed_on(), paper.payer(), FormatYuan(paper.amount_fen()), paper.remark()});
  }
  Print(table.Text());
}

absl::StatusOr<int> IssueForms(Session& session, const LevyOptions& options) {
  v1::IssuePaperReceiptsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_series(options.series);
  request.set_first(options.number);
  request.set_count(options.count);
  request.set_issued_on(options.on);
  request.set_request_id(NewRequest());
  ASSIGN_OR_RETURN(const auto answer,
                   AskLevy<v1::IssuePaperReceiptsResponse>(session, "IssuePaperReceipts", request));
  if (!session.json()) {
    Print(StrCat(options.series, " ", answer.first(), "-", answer.last(), "\n"));
  }
  return kSuccess;
}

absl::StatusOr<int> AdvanceForm(Session& session, const LevyOptions& options,
                                v1::PaperReceiptState state) {
  v1::AdvancePaperReceiptRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_series(options.series);
  request.set_number(options.number);
  request.set_state(state);
  request.set_on_date(options.on);
  request.set_payer(options.unit);
  if (!options.amount.empty()) {
    ASSIGN_OR_RETURN(const int64_t fen, ParseYuan(options.amount));
    request.set_amount_fen(fen);
  }
  request.set_remark(options.remark);
  request.set_request_id(NewRequest());
  ASSIGN_OR_RETURN(const auto answer,
                   AskLevy<v1::PaperReceipt>(session, "AdvancePaperReceipt", request));
  if (!session.json()) ShowPapers(session, {answer});
  return kSuccess;
}

absl::StatusOr<int> UseForm(Session& session, const LevyOptions& options) {
  return AdvanceForm(session, options, v1::PAPER_RECEIPT_STATE_USED);
}
absl::StatusOr<int> VoidForm(Session& session, const LevyOptions& options) {
  return AdvanceForm(session, options, v1::PAPER_RECEIPT_STATE_VOIDED);
}
absl::StatusOr<int> WriteOffForm(Session& session, const LevyOptions& options) {
  return AdvanceForm(session, options, v1::PAPER_RECEIPT_STATE_WRITTEN_OFF);
}

absl::StatusOr<int> ListForms(Session& session, const LevyOptions& options) {
  v1::ListPaperReceiptsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_page_size(options.limit);
  ASSIGN_OR_RETURN(const auto answer,
                   AskLevy<v1::ListPaperReceiptsResponse>(session, "ListPaperReceipts", request));
  if (!session.json()) {
    ShowPapers(session, {answer.paper_receipts().begin(), answer.paper_receipts().end()});
  }
  return kSuccess;
}

void AddForms(const AddLevy& add, LevyOptions& options) {
  CLI::App* issue =
      add("issue-forms", "Hand out the next numbers of a series of receipt forms",
          "gonghui levy issue-forms --org E01 --series A --count 100 --on 2024-02-01", IssueForms);
  issue->add_option("--count", options.count, "How many numbers")->check(CLI::Range(1, 1000));
  CLI::App* use =
      add("use-form", "Use the next number of a series",
          "gonghui levy use-form --org E01 --unit UNIT --amount 1200 --on 2024-02-10", UseForm);
  use->add_option("--unit", options.unit, "Who gets it");
  use->add_option("--amount", options.amount, "In yuan")->required();
  CLI::App* voided =
      add("void-form", "Void a number",
          "gonghui levy void-form --org E01 --number 12 --remark 写错 --on 2024-02-10", VoidForm);
  voided->add_option("--remark", options.remark, "Why")->required();
  CLI::App* off =
      add("write-off-form", "Write a used or voided number off",
          "gonghui levy write-off-form --org E01 --number 12 --on 2024-12-31", WriteOffForm);
  CLI::App* forms =
      add("forms", "Receipt forms of an organisation", "gonghui levy forms --org E01", ListForms);
  forms->add_option("--limit", options.limit, "At most this many")->check(CLI::Range(1, 1000));
  for (CLI::App* command : {issue, use, voided, off}) {
    command->add_option("--series", options.series, "Letters of the series")->capture_default_str();
    command->add_option("--number", options.number, "The number; the next one if not given");
    command->add_option("--on", options.on, "Day of the step")->type_name("DATE")->required();
  }
  for (CLI::App* command : {issue, use, voided, off, forms}) {
    command->add_option("--org", options.organization, "Who has the forms")
        ->type_name("ID")
        ->required();
  }
}

}  // namespace

void AddLevyMoney(const AddLevy& add, LevyOptions& options) {
  CLI::App* share = add("share", "How a receipt is shared, or an amount would be",
                        "gonghui levy share --org E01 --amount 1000 --channel tax_agency --period "
                        "2024-05 --on 2024-06-10",
                        Share);
  share->add_option("RECEIPT", options.id, "A confirmed receipt; else the options say what");
  share->add_option("--org", options.organization, "Union of the payer")->type_name("ID");
  share->add_option("--amount", options.amount, "In yuan");
  share->add_option("--channel", options.channel, "direct, tax_agency, fiscal")
      ->capture_default_str();
  share->add_option("--item", options.item, "levy or preparatory");
  share->add_option("--period", options.period, "Period that is paid for: 2024-05, 2024Q2");
  share->add_option("--on", options.on, "Day of receipt")->type_name("DATE");
  CLI::App* remit =
      add("remit", "Send on what a union holds for others at the end of a cycle",
          "gonghui levy remit --org D01 --up --period 2024-05 --on 2024-06-05", Remit);
  remit->add_flag("--up", options.up, "To the upper level (上解)");
  remit->add_flag("--down", options.down, "To lower levels (下拨)");
  remit->add_option("--period", options.period, "The cycle: 2024-05, 2024Q2, 2024H1")->required();
  CLI::App* receive = add("receive", "Record that a remittance arrived",
                          "gonghui levy receive ID --on 2024-06-07", Receive);
  receive->add_option("REMITTANCE", options.id, "As the list shows it")->required();
  CLI::App* remittances = add("remittances", "Remittances sent and to be received",
                              "gonghui levy remittances --org D01", Remittances);
  remittances->add_option("--limit", options.limit, "At most this many")
      ->check(CLI::Range(1, 1000));
  CLI::App* refund =
      add("refund", "Refund a year's funds to small payers",
          "gonghui levy refund --org D01 --year 2024 --on 2025-02-01 --check", Refund);
  refund->add_option("--year", options.year, "In which the funds came in")->required();
  refund->add_option("--instalment", options.instalment, "From 1")->capture_default_str();
  CLI::App* settle =
      add("settle", "Share preparatory funds once a unit has its union",
          "gonghui levy settle UNIT --org E01 --founded 2024-05-01 --on 2024-05-20", Settle);
  settle->add_option("UNIT", options.unit, "Unified social credit code")->required();
  settle->add_option("--founded", options.period, "Day of founding")->type_name("DATE")->required();
  for (CLI::App* command : {remit, refund}) {
    command->add_flag("--check", options.check, "Show what it would come to, write nothing");
  }
  for (CLI::App* command : {remit, receive, refund, settle}) {
    command->add_option("--on", options.on, "Day of the vouchers")->type_name("DATE")->required();
  }
  for (CLI::App* command : {remit, remittances, refund, settle}) {
    command->add_option("--org", options.organization, "The union")->type_name("ID")->required();
  }
  AddForms(add, options);
}

}  // namespace gonghui::cli
