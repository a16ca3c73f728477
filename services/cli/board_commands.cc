// gonghui board and rules: how the records of a kind stand, and what governs them.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "gonghui/common/v1/record.pb.h"
#include "services/cli/kinds.h"
#include "services/cli/program.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

struct BoardOptions {
  std::string kind;
  std::string organization;
  std::string on_date;
};

std::string Said(const Session& session, const common::v1::Label& label,
                 const std::string& otherwise) {
  const std::string text = session.Say(label.en(), label.zh());
  return text.empty() ? otherwise : text;
}

absl::StatusOr<int> ShowBoard(Session& session, const BoardOptions& options) {
  common::v1::GetBoardRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  ASSIGN_OR_RETURN(const KindEntry entry, FetchKind(session, options.kind));
  request.set_kind(entry.kind().name());
  request.set_organization(options.organization);
  request.set_on_date(options.on_date);
  ASSIGN_OR_RETURN(const auto board, session.Invoke<common::v1::GetBoardResponse>(
                                         "/" + entry.service() + "/GetBoard", request));
  if (session.json()) {
    PrintJson(board);
    return kSuccess;
  }
  Table table({session.Say("tier", "层级"), session.Say("state", "状态"),
               session.Say(">records", ">件数"), session.Say(">overdue", ">超期"),
               session.Say("soon due", "即将到期")});
  for (const auto& row : board.rows()) {
    std::vector<std::string> alerts;
    for (const auto& alert : row.alerts()) {
      if (alert.count() == 0) continue;
      alerts.push_back(session.Say(absl::StrCat(alert.count(), " in ", alert.months(), " months"),
                                   absl::StrCat(alert.months(), "个月内 ", alert.count())));
    }
    table.Add({row.tier().empty() ? session.Say("all", "合计") : row.tier(),
               Said(session, row.label(), row.state()), absl::StrCat(row.count()),
               absl::StrCat(row.overdue()), absl::StrJoin(alerts, session.Say(", ", "，"))});
  }
  Print(table.Text());
  return kSuccess;
}

// The days of a state's clock, where it has one.
std::string ClockOf(const Session& session, const common::v1::State& state) {
  std::vector<std::string> parts;
  if (!state.limit().empty()) parts.push_back(absl::StrCat("limit.", state.limit()));
  if (state.limit_days() > 0) {
    parts.push_back(absl::StrCat(state.limit_days(), session.Say(" days", " 天")));
  }
  if (!state.limit_from().empty()) {
    parts.push_back(absl::StrCat(session.Say("by ", "按 "), state.limit_from()));
  }
  return absl::StrJoin(parts, " ");
}

void PrintLife(const Session& session, const common::v1::Kind& kind) {
  Table states({session.Say("state", "状态"), session.Say("label", "名称"),
                session.Say("clock", "时限"), session.Say("steps", "可办步骤")});
  for (const auto& state : kind.states()) {
    std::vector<std::string> steps;
    for (const auto& step : kind.transitions()) {
      bool leaves = false;
      for (const auto& from : step.from()) leaves = leaves || from == state.name();
      if (!leaves) continue;
      std::string text = absl::StrCat(step.name(), " → ", step.to());
      if (step.by_upper()) text += session.Say(" (upper organisation)", "（上级办理）");
      steps.push_back(std::move(text));
    }
    states.Add({state.name(), Said(session, state.label(), ""), ClockOf(session, state),
                absl::StrJoin(steps, ", ")});
  }
  if (!states.empty()) Print(states.Text());
}

absl::StatusOr<int> ShowRules(Session& session, const BoardOptions& options) {
  ASSIGN_OR_RETURN(const KindEntry entry, FetchKind(session, options.kind));
  const common::v1::Kind& kind = entry.kind();
  if (session.json()) {
    PrintJson(kind);
    return kSuccess;
  }
  Print(absl::StrCat(Said(session, kind.help(), kind.name()), "\n"));
  PrintLife(session, kind);
  Table rules({session.Say("field", "字段"), session.Say("what is refused", "不予受理的情形"),
               session.Say("by", "依据")});
  for (const auto& rule : kind.rules()) {
    const std::string only = rule.warn() ? session.Say("only a warning: ", "仅提醒：") : "";
    rules.Add({rule.left(), only + Said(session, rule.message(), rule.name()), rule.citation()});
  }
  if (!rules.empty()) Print(rules.Text());
  return kSuccess;
}

}  // namespace

void AddBoardCommands(Program& program) {
  auto options = std::make_shared<BoardOptions>();
  Session& session = program.session;
  CLI::App* board = AddCommand(program.app, "board",
                               "Count the records of a kind by tier and state: overdue, soon due",
                               "gonghui board --kind committee_term --org T03");
  board->add_option("--kind", options->kind, "Kind; gonghui import --list shows all")->required();
  board->add_option("--org", options->organization, "Organisation, with everything below it")
      ->type_name("ID");
  board->add_option("--at", options->on_date, "Day by which clocks are judged; default: today")
      ->type_name("DATE");
  OnRun(board, program, [&session, options] { return ShowBoard(session, *options); });
  CLI::App* rules =
      AddCommand(program.app, "rules", "Show the states, steps, clocks and rules of a kind",
                 "gonghui rules --kind election");
  rules->add_option("--kind", options->kind, "Kind; gonghui import --list shows all")->required();
  OnRun(rules, program, [&session, options] { return ShowRules(session, *options); });
}

}  // namespace gonghui::cli
