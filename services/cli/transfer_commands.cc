// gonghui transfer: memberships that move between organisations.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/id.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "gonghui/membership/v1/transfer.pb.h"
#include "services/cli/program.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

namespace v1 = membership::v1;

constexpr char kService[] = "/gonghui.membership.v1.TransferService/";

struct TransferOptions {
  std::string id;
  std::string number;
  std::string id_type;
  std::string target;
  std::string on;
  std::string reason;
  std::string note;
  std::string organization;
  std::string due;
  bool incoming = false;
  bool outgoing = false;
  bool pending = false;
  bool lapsed = false;
  int limit = 50;
};

std::string StateWord(const Session& session, v1::TransferState state) {
  switch (state) {
    case v1::TRANSFER_STATE_PENDING:
      return session.Say("waits", "待确认");
    case v1::TRANSFER_STATE_ACCEPTED:
      return session.Say("accepted", "已接转");
    case v1::TRANSFER_STATE_REJECTED:
      return session.Say("rejected", "已拒绝");
    case v1::TRANSFER_STATE_CANCELLED:
      return session.Say("cancelled", "已撤销");
    default:
      return session.Say("lapsed", "已逾期");
  }
}

void ShowAll(const Session& session, const std::vector<v1::Transfer>& transfers) {
  Table table({session.Say("transfer", "转会编号"), session.Say("state", "状态"),
               session.Say("from", "转出"), session.Say("to", "转入"),
               session.Say("first day", "转入首日"), session.Say("answer by", "确认期限"),
               session.Say("reason", "原因"), session.Say("note", "说明"),
               session.Say("member", "会员编号")});
  for (const v1::Transfer& transfer : transfers) {
    const bool from_source = transfer.started_by() == v1::TRANSFER_SIDE_SOURCE;
    table.Add({std::string(LeafOf(transfer.name())), StateWord(session, transfer.state()),
               StrCat(transfer.source(), from_source ? " *" : ""),
               StrCat(transfer.target(), from_source ? "" : " *"), transfer.effective_on(),
               transfer.answer_by(), transfer.reason(), transfer.note(),
               std::string(LeafOf(transfer.member()))});
  }
  Print(table.Text());
}

absl::StatusOr<int> Shown(const Session& session, const absl::StatusOr<v1::Transfer>& transfer) {
  if (!transfer.ok()) return transfer.status();
  if (session.json()) {
    PrintJson(*transfer);
  } else {
    ShowAll(session, {*transfer});
  }
  return kSuccess;
}

absl::StatusOr<int> Start(Session& session, const TransferOptions& options, v1::TransferSide side) {
  v1::StartTransferRequest request;
  ASSIGN_OR_RETURN(const std::string parent, session.Parent());
  request.set_parent(parent);
  request.set_side(side);
  if (!options.id.empty()) request.set_member(StrCat(parent, "/members/", LeafOf(options.id)));
  request.set_id_number(options.number);
  request.set_id_type(options.id_type);
  request.set_target(options.target);
  request.set_effective_on(options.on);
  request.set_reason(options.reason);
  request.set_request_id(NewId(absl::Now()));
  return Shown(session,
               session.Invoke<v1::Transfer>(absl::StrCat(kService, "StartTransfer"), request));
}

absl::StatusOr<int> Out(Session& session, const TransferOptions& options) {
  return Start(session, options, v1::TRANSFER_SIDE_SOURCE);
}

absl::StatusOr<int> In(Session& session, const TransferOptions& options) {
  return Start(session, options, v1::TRANSFER_SIDE_TARGET);
}

template <typename Request>
absl::StatusOr<Request> About(const Session& session, const TransferOptions& options) {
  Request request;
  ASSIGN_OR_RETURN(const std::string parent, session.Parent());
  request.set_name(StrCat(parent, "/transfers/", LeafOf(options.id)));
  return request;
}

absl::StatusOr<int> Accept(Session& session, const TransferOptions& options) {
  ASSIGN_OR_RETURN(auto request, About<v1::AcceptTransferRequest>(session, options));
  request.set_request_id(NewId(absl::Now()));
  return Shown(session,
               session.Invoke<v1::Transfer>(absl::StrCat(kService, "AcceptTransfer"), request));
}

absl::StatusOr<int> Reject(Session& session, const TransferOptions& options) {
  ASSIGN_OR_RETURN(auto request, About<v1::RejectTransferRequest>(session, options));
  request.set_note(options.note);
  request.set_request_id(NewId(absl::Now()));
  return Shown(session,
               session.Invoke<v1::Transfer>(absl::StrCat(kService, "RejectTransfer"), request));
}

absl::StatusOr<int> Cancel(Session& session, const TransferOptions& options) {
  ASSIGN_OR_RETURN(auto request, About<v1::CancelTransferRequest>(session, options));
  request.set_note(options.note);
  request.set_request_id(NewId(absl::Now()));
  return Shown(session,
               session.Invoke<v1::Transfer>(absl::StrCat(kService, "CancelTransfer"), request));
}

absl::StatusOr<int> Show(Session& session, const TransferOptions& options) {
  ASSIGN_OR_RETURN(const auto request, About<v1::GetTransferRequest>(session, options));
  return Shown(session,
               session.Invoke<v1::Transfer>(absl::StrCat(kService, "GetTransfer"), request));
}

absl::StatusOr<int> List(Session& session, const TransferOptions& options) {
  v1::ListTransfersRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  if (options.incoming) request.set_side(v1::TRANSFER_SIDE_TARGET);
  if (options.outgoing) request.set_side(v1::TRANSFER_SIDE_SOURCE);
  if (options.pending) request.set_state(v1::TRANSFER_STATE_PENDING);
  if (options.lapsed) request.set_state(v1::TRANSFER_STATE_LAPSED);
  request.set_answer_by(options.due);
  request.set_page_size(options.limit);
  ASSIGN_OR_RETURN(const auto answer, session.Invoke<v1::ListTransfersResponse>(
                                          absl::StrCat(kService, "ListTransfers"), request));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  ShowAll(session, {answer.transfers().begin(), answer.transfers().end()});
  if (!answer.next_page_token().empty()) {
    PrintNote(session.Say("There are more: --limit shows them.", "还有更多：用 --limit 显示。"));
  }
  return kSuccess;
}

}  // namespace

void AddTransferCommands(Program& program) {
  auto options = std::make_shared<TransferOptions>();
  CLI::App* transfer =
      AddCommand(program.app, "transfer",
                 "Memberships that move to another organisation; a star marks who started",
                 "gonghui transfer list --org T01 --incoming --pending");
  transfer->require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& description,
                       const std::string& example,
                       absl::StatusOr<int> (*run)(Session&, const TransferOptions&)) {
    CLI::App* command = AddCommand(*transfer, name, description, example);
    OnRun(command, program,
          [&session = program.session, options, run] { return run(session, *options); });
    return command;
  };
  CLI::App* out = add("out", "Propose a transfer, by where the person is a member",
                      "gonghui transfer out MEMBER --to E02 --on 2020-05-01 --reason 调动", Out);
  out->add_option("MEMBER", options->id, "As 'gonghui member list' shows it")
      ->type_name("ID")
      ->required();
  CLI::App* in = add("in", "Propose a transfer, by where the person goes",
                     "gonghui transfer in --number 11010519491231002X --to E02 --reason 调动", In);
  in->add_option("--number", options->number, "Identity number or that of another paper")
      ->required();
  in->add_option("--paper", options->id_type, "Kind of paper, unless an identity card");
  for (CLI::App* command : {out, in}) {
    command->add_option("--to", options->target, "Organisation")->type_name("ID")->required();
    command->add_option("--on", options->on, "First day there; else the day of acceptance")
        ->type_name("DATE");
    command->add_option("--reason", options->reason, "Code or label of the reason")->required();
  }
  const auto with_id = [&](CLI::App* command) {
    command->add_option("TRANSFER", options->id, "As 'gonghui transfer list' shows it")
        ->type_name("ID")
        ->required();
    return command;
  };
  with_id(add("accept", "Agree: the membership moves", "gonghui transfer accept ID", Accept));
  with_id(add("reject", "Decline", "gonghui transfer reject ID --note 非本单位职工", Reject))
      ->add_option("--note", options->note, "Why")
      ->required();
  with_id(add("cancel", "Take a proposal back", "gonghui transfer cancel ID", Cancel))
      ->add_option("--note", options->note, "Why");
  with_id(add("show", "One transfer", "gonghui transfer show ID", Show));
  CLI::App* list = add("list", "Transfers, newest first",
                       "gonghui transfer list --org T01 --incoming --pending", List);
  list->add_option("--org", options->organization, "With everything below it")->type_name("ID");
  list->add_flag("--incoming", options->incoming, "Those that come here");
  list->add_flag("--outgoing", options->outgoing, "Those that go away");
  list->add_flag("--pending", options->pending, "Those that wait for an answer");
  list->add_flag("--lapsed", options->lapsed, "Those not answered in time");
  list->add_option("--due", options->due, "Those to be answered by that day")->type_name("DATE");
  list->add_option("--limit", options->limit, "At most this many")->check(CLI::Range(1, 1000));
}

}  // namespace gonghui::cli
