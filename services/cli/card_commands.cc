// gonghui card: membership cards.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/id.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "gonghui/membership/v1/card.pb.h"
#include "services/cli/program.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

namespace v1 = membership::v1;

constexpr char kService[] = "/gonghui.membership.v1.CardService/";

struct CardOptions {
  std::string id;
  std::string organization;
  std::string medium = "electronic";
  std::string on;
  std::string reason;
  std::string number;
  int limit = 50;
};

std::string StateWord(const Session& session, v1::CardState state) {
  switch (state) {
    case v1::CARD_STATE_VALID:
      return session.Say("valid", "有效");
    case v1::CARD_STATE_LOST:
      return session.Say("lost", "挂失");
    case v1::CARD_STATE_REPLACED:
      return session.Say("replaced", "已补办");
    default:
      return session.Say("cancelled", "已注销");
  }
}

void ShowAll(const Session& session, const std::vector<v1::Card>& cards) {
  Table table({session.Say("card", "卡编号"), session.Say("number", "卡号"),
               session.Say("kind", "介质"), session.Say("state", "状态"),
               session.Say("organisation", "工会"), session.Say("issued", "发卡"),
               session.Say("ended", "失效"), session.Say("member", "会员编号")});
  for (const v1::Card& card : cards) {
    table.Add({std::string(LeafOf(card.name())), card.number(), card.medium(),
               StateWord(session, card.state()), card.organization(), card.issued_on(),
               card.ended_on(), std::string(LeafOf(card.member()))});
  }
  Print(table.Text());
}

// Sends the request and shows the card.
template <typename Request>
absl::StatusOr<int> Do(Session& session, const char* method, Request request) {
  request.set_request_id(NewId(absl::Now()));
  ASSIGN_OR_RETURN(const auto card,
                   session.Invoke<v1::Card>(absl::StrCat(kService, method), request));
  if (session.json()) {
    PrintJson(card);
  } else {
    ShowAll(session, {card});
  }
  return kSuccess;
}

template <typename Request>
absl::StatusOr<Request> About(const Session& session, const CardOptions& options) {
  Request request;
  ASSIGN_OR_RETURN(const std::string parent, session.Parent());
  request.set_name(StrCat(parent, "/cards/", LeafOf(options.id)));
  return request;
}

absl::StatusOr<int> Issue(Session& session, const CardOptions& options) {
  v1::IssueCardRequest request;
  ASSIGN_OR_RETURN(const std::string parent, session.Parent());
  request.set_parent(parent);
  request.set_member(StrCat(parent, "/members/", LeafOf(options.id)));
  request.set_medium(options.medium);
  request.set_issued_on(options.on);
  return Do(session, "IssueCard", std::move(request));
}

absl::StatusOr<int> IssueAll(Session& session, const CardOptions& options) {
  v1::BatchIssueCardsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_medium(options.medium);
  request.set_issued_on(options.on);
  int64_t issued = 0;
  v1::BatchIssueCardsResponse answer;
  do {
    request.set_request_id(NewId(absl::Now()));
    ASSIGN_OR_RETURN(answer, session.Invoke<v1::BatchIssueCardsResponse>(
                                 absl::StrCat(kService, "BatchIssueCards"), request));
    issued += answer.issued();
  } while (answer.issued() > 0 && answer.without_card() > 0);
  const std::string count = absl::StrCat(issued);
  Print(session.Say(count + " cards issued\n", "发卡 " + count + " 张\n"));
  return kSuccess;
}

absl::StatusOr<int> Lose(Session& session, const CardOptions& options) {
  ASSIGN_OR_RETURN(auto request, About<v1::ReportCardLossRequest>(session, options));
  request.set_lost_on(options.on);
  return Do(session, "ReportCardLoss", std::move(request));
}

absl::StatusOr<int> Replace(Session& session, const CardOptions& options) {
  ASSIGN_OR_RETURN(auto request, About<v1::ReplaceCardRequest>(session, options));
  request.set_replaced_on(options.on);
  request.set_reason(options.reason);
  return Do(session, "ReplaceCard", std::move(request));
}

absl::StatusOr<int> Cancel(Session& session, const CardOptions& options) {
  ASSIGN_OR_RETURN(auto request, About<v1::CancelCardRequest>(session, options));
  request.set_cancelled_on(options.on);
  request.set_reason(options.reason);
  return Do(session, "CancelCard", std::move(request));
}

absl::StatusOr<int> List(Session& session, const CardOptions& options) {
  v1::ListCardsRequest request;
  ASSIGN_OR_RETURN(const std::string parent, session.Parent());
  request.set_parent(parent);
  request.set_organization(options.organization);
  if (!options.id.empty()) request.set_member(StrCat(parent, "/members/", LeafOf(options.id)));
  request.set_page_size(options.limit);
  ASSIGN_OR_RETURN(const auto answer, session.Invoke<v1::ListCardsResponse>(
                                          absl::StrCat(kService, "ListCards"), request));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  ShowAll(session, {answer.cards().begin(), answer.cards().end()});
  if (!answer.next_page_token().empty()) {
    PrintNote(session.Say("There are more: --limit shows them.", "还有更多：用 --limit 显示。"));
  }
  return kSuccess;
}

absl::StatusOr<int> Count(Session& session, const CardOptions& options) {
  v1::CountCardsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  ASSIGN_OR_RETURN(const auto answer, session.Invoke<v1::CountCardsResponse>(
                                          absl::StrCat(kService, "CountCards"), request));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  Table table({session.Say("organisation", "工会"), session.Say("kind", "介质"),
               session.Say("state", "状态"), session.Say(">cards", ">张数")});
  for (const v1::CardCount& count : answer.counts()) {
    table.Add({count.organization(), count.medium(), StateWord(session, count.state()),
               absl::StrCat(count.cards())});
  }
  Print(table.Text());
  return kSuccess;
}

absl::StatusOr<int> Verify(Session& session, const CardOptions& options) {
  v1::VerifyCardRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_number(options.number);
  ASSIGN_OR_RETURN(const auto answer, session.Invoke<v1::VerifyCardResponse>(
                                          absl::StrCat(kService, "VerifyCard"), request));
  if (session.json()) {
    PrintJson(answer);
  } else {
    Print(answer.valid() ? session.Say("valid\n", "有效\n") : session.Say("not valid\n", "无效\n"));
  }
  return answer.valid() ? kSuccess : kRejected;
}

}  // namespace

void AddCardCommands(Program& program) {
  auto options = std::make_shared<CardOptions>();
  CLI::App* card = AddCommand(program.app, "card", "Membership cards and certificates",
                              "gonghui card count --org T01");
  card->require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& description,
                       const std::string& example,
                       absl::StatusOr<int> (*run)(Session&, const CardOptions&)) {
    CLI::App* command = AddCommand(*card, name, description, example);
    OnRun(command, program,
          [&session = program.session, options, run] { return run(session, *options); });
    return command;
  };
  const auto with_id = [&](CLI::App* command, const std::string& name) {
    command->add_option(name, options->id, "As the list shows it")->type_name("ID")->required();
    return command;
  };
  const auto with_date = [&](CLI::App* command, const std::string& description) {
    command->add_option("--on", options->on, description)->type_name("DATE")->required();
    return command;
  };
  const auto with_reason = [&](CLI::App* command) {
    command->add_option("--reason", options->reason, "Code or label of the reason")->required();
  };
  CLI::App* issue = add("issue", "Give a member a card",
                        "gonghui card issue MEMBER --on 2020-05-01 --medium paper", Issue);
  with_date(with_id(issue, "MEMBER"), "Day of issue");
  CLI::App* all = add("issue-all", "Give every member of an organisation a card",
                      "gonghui card issue-all --org E01 --on 2020-05-01", IssueAll);
  with_date(all, "Day of issue");
  all->add_option("--org", options->organization, "Without those below it")
      ->type_name("ID")
      ->required();
  for (CLI::App* command : {issue, all}) {
    command->add_option("--medium", options->medium, "electronic or paper");
  }
  with_date(with_id(add("lose", "Report a card lost", "gonghui card lose ID --on 2020-05-01", Lose),
                    "CARD"),
            "Day of the report");
  CLI::App* replace = add("replace", "Give a new card in place of another",
                          "gonghui card replace ID --on 2020-05-10 --reason lost", Replace);
  with_reason(with_date(with_id(replace, "CARD"), "First day of the new one"));
  CLI::App* cancel = add("cancel", "End a card for good",
                         "gonghui card cancel ID --on 2020-05-10 --reason other", Cancel);
  with_reason(with_date(with_id(cancel, "CARD"), "First day without"));
  CLI::App* list =
      add("list", "Cards of an organisation or a member", "gonghui card list --org T01", List);
  CLI::App* count =
      add("count", "Cards by organisation, kind and state", "gonghui card count --org T01", Count);
  for (CLI::App* command : {list, count}) {
    command->add_option("--org", options->organization, "With everything below it")
        ->type_name("ID");
  }
  list->add_option("--member", options->id, "Only of this member")->type_name("ID");
  list->add_option("--limit", options->limit, "At most this many")->check(CLI::Range(1, 1000));
  add("verify", "Whether a number is that of a valid card; exit code 1 if not",
      "gonghui card verify '6222 0210 0000 0000'", Verify)
      ->add_option("NUMBER", options->number, "As printed on the card")
      ->required();
}

}  // namespace gonghui::cli
