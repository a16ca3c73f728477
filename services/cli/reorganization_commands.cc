// gonghui reorganize: merging, splitting, moving, closing, correcting organisations, and taking
// that back.
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/base/id.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/catalog/yaml_message.h"
#include "gonghui/membership/v1/member.pb.h"
#include "gonghui/membership/v1/reorganization.pb.h"
#include "gonghui/reports/v1/report.pb.h"
#include "services/cli/csv.h"
#include "services/cli/program.h"
#include "services/cli/table.h"
#include "services/cli/text.h"

namespace gonghui::cli {
namespace {

using membership::v1::Reorganization;
using membership::v1::ReorganizationStep;

constexpr char kService[] = "/gonghui.membership.v1.ReorganizationService/";
constexpr int kShownFigures = 50;

struct Options {
  std::string organization;
  std::vector<std::string> sources;
  std::vector<std::string> targets;
  std::string to;
  std::string on;
  std::string until;
  std::string name;
  std::string kind;
  std::string state;
  std::string founded_on;
  std::string members_file;
  std::vector<std::string> rules;
  std::string rest;
  std::vector<std::string> children;
  std::string title;
  std::string file;
  std::string id;
  int limit = 50;
  bool dry_run = false;
};

Error Wrong(std::string message, std::string message_zh) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID, std::move(message),
                         std::move(message_zh));
}

// "ID", or a whole name.
absl::StatusOr<std::string> NameOf(const Session& session, const std::string& id) {
  ASSIGN_OR_RETURN(const std::string parent, session.Parent());
  return absl::StrCat(parent, "/reorganizations/", std::string(LeafOf(id)));
}

std::string StateWord(const Session& session, membership::v1::ReorganizationState state) {
  switch (state) {
    case membership::v1::REORGANIZATION_STATE_PLANNED:
      return session.Say("planned", "待实施");
    case membership::v1::REORGANIZATION_STATE_APPLIED:
      return session.Say("applied", "已实施");
    default:
      return session.Say("reverted", "已撤回");
  }
}

// "merge E01 E03 -> E02", one line a step.
std::string Sketch(const ReorganizationStep& step) {
  switch (step.step_case()) {
    case ReorganizationStep::kMerge:
      return absl::StrCat("merge ", absl::StrJoin(step.merge().sources(), " "), " -> ",
                          step.merge().target(), " ", step.merge().valid_from());
    case ReorganizationStep::kSplit:
      return absl::StrCat("split ", step.split().source(), " -> ",
                          absl::StrJoin(step.split().targets(), " "), " ",
                          step.split().valid_from());
    case ReorganizationStep::kMove:
      return absl::StrCat("move ", step.move().organization(), " -> ", step.move().new_parent(),
                          " ", step.move().valid_from());
    case ReorganizationStep::kRename:
      return absl::StrCat("rename ", step.rename().organization(), " ",
                          step.rename().display_name(), " ", step.rename().valid_from());
    case ReorganizationStep::kClose:
      return absl::StrCat("close ", step.close().organization(), " ", step.close().valid_from());
    case ReorganizationStep::kReopen:
      return absl::StrCat("reopen ", step.reopen().organization(), " ", step.reopen().valid_from());
    case ReorganizationStep::kCorrect:
      return absl::StrCat("correct ", step.correct().organization(), " ",
                          step.correct().valid_from());
    case ReorganizationStep::kFound:
      return absl::StrCat("found ", step.found().organization().id(), " ",
                          step.found().organization().founded_on());
    case ReorganizationStep::kAffiliate:
      return absl::StrCat("affiliate ", step.affiliate().organization(), " -> ",
                          step.affiliate().affiliated_to(), " ", step.affiliate().valid_from());
    default:
      return "";
  }
}

void Show(const Session& session, const Reorganization& shown) {
  if (session.json()) {
    PrintJson(shown);
    return;
  }
  const auto& counts = shown.counts();
  std::string text = absl::StrCat(std::string(LeafOf(shown.name())), "  ",
                                  StateWord(session, shown.state()), "  ", shown.title(), "\n");
  for (const ReorganizationStep& step : shown.steps()) {
    if (Sketch(step) != shown.title()) absl::StrAppend(&text, "  ", Sketch(step), "\n");
  }
  absl::StrAppend(
      &text, session.Say("organisations changed ", "变动工会 "), counts.organizations_changed(),
      session.Say(", members transferred ", "，随转会员 "), counts.members_transferred(),
      session.Say(", terms of office ended ", "，终止任期 "), counts.posts_ended(),
      session.Say(", records left with the closed ", "，留存记录 "), counts.records_left(), "\n");
  Print(text);
}

// The figures that the plan changes, as reports foresees them.
absl::Status ShowFigures(Session& session, const std::string& name) {
  reports::v1::PreviewReorganizationRequest request;
  request.set_name(name);
  request.set_page_size(kShownFigures);
  ASSIGN_OR_RETURN(const auto preview,
                   session.Invoke<reports::v1::PreviewReorganizationResponse>(
                       "/gonghui.reports.v1.ReportService/PreviewReorganization", request));
  if (session.json()) {
    PrintJson(preview);
    return absl::OkStatus();
  }
  Table table({session.Say("measure", "指标"), session.Say("organization", "组织"),
               session.Say("period", "期间"), session.Say(">old", ">原值"),
               session.Say(">new", ">新值"), session.Say("unit", "单位")});
  for (const auto& change : preview.changes()) {
    table.Add({change.measure(), change.organization(), change.period(),
               change.old_text().empty() ? "-" : change.old_text(),
               change.new_text().empty() ? "-" : change.new_text(), change.unit()});
  }
  Print(table.Text());
  Print(session.Say(absl::StrCat(preview.total(), " figures change\n"),
                    absl::StrCat("共 ", preview.total(), " 个数字将变化\n")));
  return absl::OkStatus();
}

absl::StatusOr<Reorganization> Apply(Session& session, const std::string& name) {
  membership::v1::ApplyReorganizationRequest request;
  request.set_name(name);
  request.set_request_id(NewId(absl::Now()));
  return session.Invoke<Reorganization>(absl::StrCat(kService, "ApplyReorganization"), request);
}

// Plans; then shows what would change, or applies.
absl::StatusOr<int> PlanAndApply(Session& session, const Options& options,
                                 membership::v1::PlanReorganizationRequest request) {
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  if (!options.title.empty()) request.set_title(options.title);
  if (request.title().empty() && request.steps_size() > 0)
    request.set_title(Sketch(request.steps(0)));
  request.set_request_id(NewId(absl::Now()));
  ASSIGN_OR_RETURN(Reorganization plan, session.Invoke<Reorganization>(
                                            absl::StrCat(kService, "PlanReorganization"), request));
  if (options.dry_run) {
    Show(session, plan);
    RETURN_IF_ERROR(ShowFigures(session, plan.name()));
    PrintNote(
        session.Say(absl::StrCat("Nothing has changed yet. To do it: gonghui reorganize apply ",
                                 std::string(LeafOf(plan.name()))),
                    absl::StrCat("尚未改变任何内容。实施：gonghui reorganize apply ",
                                 std::string(LeafOf(plan.name())))));
    return kSuccess;
  }
  ASSIGN_OR_RETURN(const Reorganization applied, Apply(session, plan.name()));
  Show(session, applied);
  return kSuccess;
}

absl::StatusOr<int> OneStep(Session& session, const Options& options, ReorganizationStep step) {
  membership::v1::PlanReorganizationRequest request;
  *request.add_steps() = std::move(step);
  return PlanAndApply(session, options, std::move(request));
}

// "left=right".
absl::StatusOr<std::pair<std::string, std::string>> Parted(const std::string& text, char separator,
                                                           const char* flag, const char* form) {
  const size_t at = text.find(separator);
  if (at == std::string::npos || at == 0 || at + 1 == text.size()) {
    return Wrong(absl::StrCat("'", text, "' is no value of ", flag, "; write ", form),
                 absl::StrCat("“", text, "”不是 ", flag, " 的有效取值，应写作 ", form));
  }
  return std::pair(text.substr(0, at), text.substr(at + 1));
}

// "job=焊工|钳工:E11" or "sex=female:E11".
absl::Status AddRule(const std::string& text, membership::v1::SplitStep& split) {
  constexpr char kForm[] = "FIELD=VALUE|VALUE:TARGET";
  ASSIGN_OR_RETURN(const auto sides, Parted(text, ':', "--rule", kForm));
  ASSIGN_OR_RETURN(const auto rule, Parted(sides.first, '=', "--rule", kForm));
  membership::v1::SplitRule& added = *split.add_rules();
  added.set_field(rule.first);
  added.set_target(sides.second);
  for (std::string_view value : Split(rule.second, '|')) added.add_values(std::string(value));
  return absl::OkStatus();
}

// The member whom an identity number belongs to.
absl::StatusOr<std::string> MemberByNumber(Session& session, const std::string& number,
                                           size_t row) {
  membership::v1::ListMembersRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_id_number(number);
  ASSIGN_OR_RETURN(const auto found,
                   session.Invoke<membership::v1::ListMembersResponse>(
                       "/gonghui.membership.v1.MemberService/ListMembers", request));
  if (found.members_size() == 1) return std::string(LeafOf(found.members(0).name()));
  return Wrong(absl::StrCat("row ", row, ": no active member has this identity number"),
               absl::StrCat("第 ", row, " 行：没有此证件号码的在册会员"));
}

// A file with a column member (id) or id_number, and a column target.
absl::Status ReadMembers(Session& session, const std::string& path,
                         membership::v1::SplitStep& split) {
  ASSIGN_OR_RETURN(const CsvFile file, ReadCsvFile(path));
  static const auto& headings = *new std::map<std::string, std::string>{
      {"member", "member"},      {"id", "member"},          {"会员", "member"},
      {"会员编号", "member"},    {"number", "member"},      {"id_number", "id_number"},
      {"证件号码", "id_number"}, {"身份证号", "id_number"}, {"身份证号码", "id_number"},
      {"target", "target"},      {"去向", "target"},        {"转入工会", "target"}};
  std::map<std::string, size_t> columns;
  bool read_heading = false;
  for (size_t i = 0; i < file.rows.size(); ++i) {
    const Cells& row = file.rows[i];
    if (IsBlank(row)) continue;
    if (!read_heading) {
      for (size_t k = 0; k < row.size(); ++k) {
        const auto known = headings.find(HeadingKey(row[k]));
        if (known != headings.end()) columns.emplace(known->second, k);
      }
      read_heading = true;
      if (columns.contains("target") && columns.size() > 1) continue;
      return Wrong(absl::StrCat(path, " needs the columns member (or id_number) and target"),
                   absl::StrCat(path, " 应有“会员编号”（或“证件号码”）和“去向”两列"));
    }
    const auto cell = [&](const char* column) {
      const auto at = columns.find(column);
      return at == columns.end() || at->second >= row.size() ? "" : Trimmed(row[at->second]);
    };
    std::string member(LeafOf(cell("member")));
    if (member.empty() && !cell("id_number").empty()) {
      ASSIGN_OR_RETURN(member, MemberByNumber(session, cell("id_number"), i + 1));
    }
    if (member.empty() || cell("target").empty()) {
      return Wrong(absl::StrCat(path, " row ", i + 1, " lacks the member or the target"),
                   absl::StrCat(path, " 第 ", i + 1, " 行缺少会员或去向"));
    }
    (*split.mutable_members())[member] = cell("target");
  }
  return absl::OkStatus();
}

absl::StatusOr<int> SplitUp(Session& session, const Options& options) {
  ReorganizationStep step;
  membership::v1::SplitStep& split = *step.mutable_split();
  split.set_source(options.organization);
  split.mutable_targets()->Assign(options.targets.begin(), options.targets.end());
  split.set_valid_from(options.on);
  for (const std::string& rule : options.rules) RETURN_IF_ERROR(AddRule(rule, split));
  if (!options.rest.empty()) split.add_rules()->set_target(options.rest);
  for (const std::string& child : options.children) {
    ASSIGN_OR_RETURN(const auto sides, Parted(child, '=', "--child", "ID=TARGET"));
    (*split.mutable_children())[sides.first] = sides.second;
  }
  if (!options.members_file.empty()) {
    RETURN_IF_ERROR(ReadMembers(session, options.members_file, split));
  }
  return OneStep(session, options, std::move(step));
}

absl::StatusOr<int> PlanFile(Session& session, const Options& options) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(options.file));
  membership::v1::PlanReorganizationRequest request;
  RETURN_IF_ERROR(catalog::ParseYaml(options.file, text, request));
  Options planning = options;
  planning.dry_run = true;
  return PlanAndApply(session, planning, std::move(request));
}

absl::StatusOr<int> Revert(Session& session, const Options& options) {
  membership::v1::RevertReorganizationRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), NameOf(session, options.id));
  request.set_request_id(NewId(absl::Now()));
  ASSIGN_OR_RETURN(
      const auto reverted,
      session.Invoke<Reorganization>(absl::StrCat(kService, "RevertReorganization"), request));
  Show(session, reverted);
  return kSuccess;
}

absl::StatusOr<int> ShowOne(Session& session, const Options& options) {
  membership::v1::GetReorganizationRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), NameOf(session, options.id));
  ASSIGN_OR_RETURN(const auto shown, session.Invoke<Reorganization>(
                                         absl::StrCat(kService, "GetReorganization"), request));
  Show(session, shown);
  if (shown.state() == membership::v1::REORGANIZATION_STATE_PLANNED) {
    RETURN_IF_ERROR(ShowFigures(session, shown.name()));
  }
  return kSuccess;
}

absl::StatusOr<int> ListAll(Session& session, const Options& options) {
  membership::v1::ListReorganizationsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_page_size(options.limit);
  ASSIGN_OR_RETURN(const auto answer, session.Invoke<membership::v1::ListReorganizationsResponse>(
                                          absl::StrCat(kService, "ListReorganizations"), request));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  Table table({session.Say("id", "编号"), session.Say("state", "状态"),
               session.Say(">organisations", ">工会"), session.Say(">members", ">会员"),
               session.Say("steps", "步骤")});
  for (const Reorganization& r : answer.reorganizations()) {
    std::string steps = r.steps_size() > 0 ? Sketch(r.steps(0)) : "";
    if (r.steps_size() > 1) absl::StrAppend(&steps, " … (", r.steps_size(), ")");
    table.Add({std::string(LeafOf(r.name())), StateWord(session, r.state()),
               absl::StrCat(r.counts().organizations_changed()),
               absl::StrCat(r.counts().members_transferred()), steps});
  }
  Print(table.Text());
  if (!answer.next_page_token().empty()) {
    PrintNote(session.Say("There are more: --limit shows them.", "还有更多：用 --limit 显示。"));
  }
  return kSuccess;
}

// What the commands that do one thing share.
struct Group {
  Program& program;
  CLI::App& app;
  std::shared_ptr<Options> options = std::make_shared<Options>();

  CLI::App* Step(const std::string& name, const std::string& description,
                 const std::string& example) {
    CLI::App* command = AddCommand(app, name, description, example);
    command->add_option("--on", options->on, "First day on which it holds")
        ->type_name("DATE")
        ->required();
    command->add_option("--title", options->title, "What it is called in lists");
    command->add_flag("--dry-run", options->dry_run,
                      "Plan only: shows what changes, figures included");
    return command;
  }
  void Organization(CLI::App* command) {
    command->add_option("ORGANIZATION", options->organization, "Organisation")
        ->type_name("ID")
        ->required();
  }
  void Runs(CLI::App* command, std::function<ReorganizationStep(const Options&)> make) {
    OnRun(command, program, [program = &program, options = options, make = std::move(make)] {
      return OneStep(program->session, *options, make(*options));
    });
  }
  void RunsWith(CLI::App* command, absl::StatusOr<int> (*run)(Session&, const Options&)) {
    OnRun(command, program,
          [program = &program, options = options, run] { return run(program->session, *options); });
  }
};

void AddMergeAndSplit(Group& group) {
  Options& options = *group.options;
  CLI::App* merge =
      group.Step("merge", "Merge organisations into another, with members, children and history",
                 "gonghui reorganize merge --from E01,E03 --into E02 --on 2020-07-01 --dry-run");
  merge->add_option("--from", options.sources, "Organisations that close")
      ->delimiter(',')
      ->type_name("ID,ID")
      ->required();
  merge->add_option("--into", options.to, "Organisation that takes them in")
      ->type_name("ID")
      ->required();
  group.Runs(merge, [](const Options& o) {
    ReorganizationStep step;
    step.mutable_merge()->mutable_sources()->Assign(o.sources.begin(), o.sources.end());
    step.mutable_merge()->set_target(o.to);
    step.mutable_merge()->set_valid_from(o.on);
    return step;
  });
  CLI::App* split = group.Step(
      "split", "Split an organisation; each member goes to one target",
      "gonghui reorganize split E01 --into E11,E12 --on 2020-07-01 --rule 'job=焊工|钳工:E11' "
      "--rest E12");
  group.Organization(split);
  split->add_option("--into", options.targets, "Open organisations that its members go to")
      ->delimiter(',')
      ->type_name("ID,ID")
      ->required();
  split
      ->add_option("--members", options.members_file,
                   "CSV: columns member (or id_number) and target")
      ->type_name("FILE");
  split->add_option("--rule", options.rules, "Members whose field has one of the values")
      ->type_name("FIELD=VALUE|VALUE:TARGET");
  split->add_option("--rest", options.rest, "Target of all members that are left")->type_name("ID");
  split->add_option("--child", options.children, "Where an organisation below it goes")
      ->type_name("ID=TARGET");
  group.RunsWith(split, SplitUp);
}

void AddMoves(Group& group) {
  Options& options = *group.options;
  CLI::App* move = group.Step("move", "Put an organisation, with everything below it, elsewhere",
                              "gonghui reorganize move E01 --to T02 --on 2020-07-01");
  group.Organization(move);
  move->add_option("--to", options.to, "New upper organisation")->type_name("ID")->required();
  group.Runs(move, [](const Options& o) {
    ReorganizationStep step;
    step.mutable_move()->set_organization(o.organization);
    step.mutable_move()->set_new_parent(o.to);
    step.mutable_move()->set_valid_from(o.on);
    return step;
  });
  CLI::App* close = group.Step("close", "Close an organisation without children and members",
                               "gonghui reorganize close E01 --on 2020-07-01");
  group.Organization(close);
  group.Runs(close, [](const Options& o) {
    ReorganizationStep step;
    step.mutable_close()->set_organization(o.organization);
    step.mutable_close()->set_valid_from(o.on);
    return step;
  });
  CLI::App* reopen = group.Step("reopen", "Let a closed organisation live again",
                                "gonghui reorganize reopen E01 --on 2021-01-01");
  group.Organization(reopen);
  reopen->add_option("--to", options.to, "Upper organisation; default: where it stood")
      ->type_name("ID");
  group.Runs(reopen, [](const Options& o) {
    ReorganizationStep step;
    step.mutable_reopen()->set_organization(o.organization);
    step.mutable_reopen()->set_parent(o.to);
    step.mutable_reopen()->set_valid_from(o.on);
    return step;
  });
  CLI::App* affiliate =
      group.Step("affiliate", "Put an organisation on the second line of an industry union",
                 "gonghui reorganize affiliate E01 --to I01 --on 2020-07-01");
  group.Organization(affiliate);
  affiliate->add_option("--to", options.to, "Industry union; leave out to take it off the line")
      ->type_name("ID");
  group.Runs(affiliate, [](const Options& o) {
    ReorganizationStep step;
    step.mutable_affiliate()->set_organization(o.organization);
    step.mutable_affiliate()->set_affiliated_to(o.to);
    step.mutable_affiliate()->set_valid_from(o.on);
    return step;
  });
}

void AddCorrect(Group& group) {
  Options& options = *group.options;
  CLI::App* correct =
      group.Step("correct", "Put right what was recorded wrongly of an organisation's past",
                 "gonghui reorganize correct E01 --on 2015-01-01 --until 2016-01-01 --parent T02");
  group.Organization(correct);
  correct->add_option("--until", options.until, "First day on which it no longer holds")
      ->type_name("DATE");
  correct->add_option("--parent", options.to, "Upper organisation")->type_name("ID");
  correct->add_option("--name", options.name, "Name");
  correct->add_option("--kind", options.kind, "Kind of organisation");
  correct->add_option("--state", options.state, "open or closed")
      ->check(CLI::IsMember({"open", "closed"}));
  correct->add_option("--founded-on", options.founded_on, "The right founding date")
      ->type_name("DATE");
  group.Runs(correct, [](const Options& o) {
    ReorganizationStep step;
    membership::v1::CorrectStep& correct = *step.mutable_correct();
    correct.set_organization(o.organization);
    correct.set_valid_from(o.on);
    correct.set_valid_to(o.until);
    correct.set_parent(o.to);
    correct.set_display_name(o.name);
    correct.set_kind(o.kind);
    correct.set_state(o.state);
    correct.set_founded_on(o.founded_on);
    return step;
  });
}

void AddKept(Group& group) {
  Options& options = *group.options;
  CLI::App* plan = AddCommand(group.app, "plan", "Plan several steps from a file; changes nothing",
                              "gonghui reorganize plan merger-of-streets.yaml");
  plan->add_option("FILE", options.file, "YAML: title, steps (as in PlanReorganization)")
      ->required();
  group.RunsWith(plan, PlanFile);
  const auto named = [&](CLI::App* command) {
    command->add_option("ID", options.id, "Reorganisation")->required();
    return command;
  };
  group.RunsWith(
      named(AddCommand(group.app, "apply", "Carry a plan out", "gonghui reorganize apply ID")),
      [](Session& session, const Options& o) -> absl::StatusOr<int> {
        ASSIGN_OR_RETURN(const std::string name, NameOf(session, o.id));
        ASSIGN_OR_RETURN(const Reorganization applied, Apply(session, name));
        Show(session, applied);
        return kSuccess;
      });
  group.RunsWith(named(AddCommand(group.app, "revert", "Take a reorganisation back",
                                  "gonghui reorganize revert ID")),
                 Revert);
  group.RunsWith(named(AddCommand(group.app, "show",
                                  "Show a reorganisation; of a plan also the figures it changes",
                                  "gonghui reorganize show ID")),
                 ShowOne);
  CLI::App* list = AddCommand(group.app, "list", "The reorganisations so far, newest first",
                              "gonghui reorganize list --org E01");
  list->add_option("--org", options.organization, "Only those that changed it")->type_name("ID");
  list->add_option("--limit", options.limit, "At most so many")->check(CLI::Range(1, 1000));
  group.RunsWith(list, ListAll);
}

}  // namespace

void AddReorganizationCommands(Program& program) {
  CLI::App* app = AddCommand(program.app, "reorganize",
                             "Merge, split, move, close, correct organisations; take it back",
                             "gonghui reorganize merge --from E01 --into E02 --on 2020-07-01");
  app->require_subcommand(1);
  Group group{program, *app};
  AddMergeAndSplit(group);
  AddMoves(group);
  AddCorrect(group);
  AddKept(group);
}

}  // namespace gonghui::cli
