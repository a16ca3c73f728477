// gonghui edition: closing periods, reading and publishing what was frozen.
#include <map>
#include <memory>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "gonghui/reports/v1/edition.pb.h"
#include "services/cli/job_commands.h"
#include "services/cli/program.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

namespace v1 = reports::v1;

constexpr char kService[] = "/gonghui.reports.v1.EditionService/";

struct EditionOptions {
  std::string organization;
  std::string period;
  std::string tree = "as_was";
  std::string remark;
  std::string id;
  std::string measure;
  std::string only;
  bool background = false;
};

std::string StateText(const Session& session, v1::EditionState state) {
  switch (state) {
    case v1::EDITION_STATE_PUBLISHED:
      return session.Say("published", "已发布");
    case v1::EDITION_STATE_SUPERSEDED:
      return session.Say("superseded", "已被替代");
    default:
      return session.Say("frozen", "已封存");
  }
}

std::string CauseText(const Session& session, v1::ChangeCause cause) {
  switch (cause) {
    case v1::CHANGE_CAUSE_LATE:
      return session.Say("late", "迟报");
    case v1::CHANGE_CAUSE_CORRECTED:
      return session.Say("corrected", "更正");
    case v1::CHANGE_CAUSE_REORGANISED:
      return session.Say("reorganised", "组织调整");
    default:
      return session.Say("redefined", "口径变化");
  }
}

absl::StatusOr<std::string> NameOf(const Session& session, const EditionOptions& options) {
  ASSIGN_OR_RETURN(const std::string parent, session.Parent());
  return StrCat(parent, "/organizations/", options.organization, "/editions/", options.id);
}

void PrintEdition(Session& session, const v1::Edition& edition) {
  if (session.json()) return PrintJson(edition);
  const std::string id = edition.name().substr(edition.name().rfind('/') + 1);
  Print(session.Say(
      absl::StrCat(id, " of ", edition.organization(), ": ", StateText(session, edition.state()),
                   ", ", edition.figures(), " figures, ", edition.changes(), " changed, SM3 ",
                   edition.digest(), "\n"),
      absl::StrCat(edition.organization(), " 的 ", id, "：", StateText(session, edition.state()),
                   "，指标值 ", edition.figures(), " 个，变动 ", edition.changes(), " 个，SM3 ",
                   edition.digest(), "\n")));
}

absl::StatusOr<int> Close(Session& session, const EditionOptions& options) {
  v1::ClosePeriodRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_period(options.period);
  request.set_remark(options.remark);
  if (options.tree == "as_is") {
    request.set_tree_mode(v1::TREE_MODE_AS_IS);
  } else if (options.tree != "as_was") {
    request.set_tree_mode(v1::TREE_MODE_AS_OF);
    request.set_tree_date(options.tree);
  }
  ASSIGN_OR_RETURN(common::v1::Job job,
                   session.Invoke<common::v1::Job>(std::string(kService) + "ClosePeriod", request));
  if (options.background) return JobStarted(session, job);
  ASSIGN_OR_RETURN(job, AwaitJob(session, std::move(job)));
  ASSIGN_OR_RETURN(const auto edition, ResultOf<v1::Edition>(job));
  PrintEdition(session, edition);
  return kSuccess;
}

absl::StatusOr<int> List(Session& session, const EditionOptions& options) {
  v1::ListEditionsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_period(options.period);
  Table table({session.Say("edition", "版本"), session.Say("state", "状态"),
               session.Say(">figures", ">指标值"), session.Say(">changed", ">变动"),
               session.Say("closed by", "封存人"), session.Say("remark", "备注")});
  do {
    ASSIGN_OR_RETURN(const auto page, session.Invoke<v1::ListEditionsResponse>(
                                          std::string(kService) + "ListEditions", request));
    if (session.json()) PrintJson(page);
    for (const v1::Edition& edition : page.editions()) {
      table.Add({edition.name().substr(edition.name().rfind('/') + 1),
                 StateText(session, edition.state()), absl::StrCat(edition.figures()),
                 absl::StrCat(edition.changes()), edition.caller(), edition.remark()});
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  if (!session.json()) Print(table.Text());
  return kSuccess;
}

absl::StatusOr<int> Show(Session& session, const EditionOptions& options) {
  v1::GetEditionRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), NameOf(session, options));
  ASSIGN_OR_RETURN(const auto edition,
                   session.Invoke<v1::Edition>(std::string(kService) + "GetEdition", request));
  PrintEdition(session, edition);
  return kSuccess;
}

absl::StatusOr<int> Read(Session& session, const EditionOptions& options) {
  v1::ReadEditionRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), NameOf(session, options));
  for (int parts = 1; request.part() < parts; request.set_part(request.part() + 1)) {
    ASSIGN_OR_RETURN(const auto part, session.Invoke<v1::ReadEditionResponse>(
                                          std::string(kService) + "ReadEdition", request));
    parts = part.parts();
    Print(part.content());
  }
  return kSuccess;
}

absl::StatusOr<int> Changes(Session& session, const EditionOptions& options) {
  v1::ListEditionChangesRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), NameOf(session, options));
  request.set_measure(options.measure);
  request.set_only(options.only);
  Table table({session.Say("organization", "组织"), session.Say("measure", "指标代码"),
               session.Say("dimensions", "维度"), session.Say(">before", ">原值"),
               session.Say(">now", ">现值"), session.Say("causes", "原因")});
  do {
    ASSIGN_OR_RETURN(const auto page, session.Invoke<v1::ListEditionChangesResponse>(
                                          std::string(kService) + "ListEditionChanges", request));
    if (session.json()) PrintJson(page);
    for (const v1::EditionChange& change : page.changes()) {
      std::string causes;
      for (const v1::CausedDelta& delta : change.causes()) {
        absl::StrAppend(&causes, causes.empty() ? "" : ", ", CauseText(session, delta.cause()),
                        delta.delta() > 0 ? " +" : " ", delta.delta());
      }
      table.Add({change.organization(), change.measure(), change.dimensions(), change.old_text(),
                 change.new_text(), causes});
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  if (!session.json()) Print(table.Text());
  return kSuccess;
}

absl::StatusOr<int> Publish(Session& session, const EditionOptions& options) {
  v1::PublishEditionRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), NameOf(session, options));
  ASSIGN_OR_RETURN(const auto edition,
                   session.Invoke<v1::Edition>(std::string(kService) + "PublishEdition", request));
  PrintEdition(session, edition);
  return kSuccess;
}

}  // namespace

void AddEditionCommands(Program& program) {
  auto options = std::make_shared<EditionOptions>();
  Session& session = program.session;
  CLI::App* edition = AddCommand(program.app, "edition", "Figures frozen when a period was closed",
                                 "gonghui edition close --org D01 --period 2020H1");
  edition->require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& description,
                       const std::string& example, bool one) {
    CLI::App* command = AddCommand(*edition, name, description, "gonghui edition " + example);
    command->add_option("--org", options->organization, "Organisation")
        ->required()
        ->type_name("ID");
    if (one) {
      command->add_option("edition", options->id, "As 'gonghui edition list' shows it")
          ->required()
          ->type_name("EDITION");
    }
    return command;
  };
  CLI::App* close = add("close", "Freeze the figures of a period that is over, with all below",
                        "close --org D01 --period 2020H1", false);
  close->add_option("--period", options->period, "2020, 2020H1, 2020Q2, 2020-05 …")->required();
  close->add_option("--tree", options->tree, "as_was, as_is or a date")->capture_default_str();
  close->add_option("--remark", options->remark, "Kept with the edition");
  close->add_flag("--background", options->background, "Do not wait for the end");
  OnRun(close, program, [&session, options] { return Close(session, *options); });
  CLI::App* list = add("list", "Editions, newest first", "list --org D01", false);
  list->add_option("--period", options->period, "Only of this period");
  OnRun(list, program, [&session, options] { return List(session, *options); });
  CLI::App* show = add("show", "One edition", "show --org D01 2020H1.1", true);
  OnRun(show, program, [&session, options] { return Show(session, *options); });
  CLI::App* read = add("read", "Its bytes, the same for ever", "read --org D01 2020H1.1", true);
  OnRun(read, program, [&session, options] { return Read(session, *options); });
  CLI::App* changes = add("changes", "What differs from the edition before, and why",
                          "changes --org D01 2020H1.2", true);
  changes->add_option("--measure", options->measure, "Only this measure");
  changes->add_option("--unit", options->only, "Only figures of this organisation")
      ->type_name("ID");
  OnRun(changes, program, [&session, options] { return Changes(session, *options); });
  CLI::App* publish =
      add("publish", "Make it the official one of its period", "publish --org D01 2020H1.1", true);
  OnRun(publish, program, [&session, options] { return Publish(session, *options); });
}

}  // namespace gonghui::cli
