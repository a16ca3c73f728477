// gonghui target: targets of units, their split, letters and progress.
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "gonghui/reports/v1/target.pb.h"
#include "services/cli/csv.h"
#include "services/cli/program.h"
#include "services/cli/table.h"
#include "services/cli/text.h"

namespace gonghui::cli {
namespace {

namespace v1 = reports::v1;

constexpr char kService[] = "/gonghui.reports.v1.TargetService/";
constexpr size_t kBatch = 1000;

struct TargetOptions {
  std::string file;
  std::string organization;
  std::string period;
  std::string measure;
  std::string name;
  std::string method;
  std::string as_of;
  std::string signer;
  std::string on;
  std::string reason;
  std::vector<std::string> parts;
  bool below = false;
  bool children = false;
  bool dry_run = false;
  bool apply = false;
  bool take_back = false;
};

template <typename Response, typename Request>
absl::StatusOr<Response> Ask(Session& session, std::string_view method, const Request& request) {
  return session.Invoke<Response>(StrCat(kService, method), request);
}

std::string NewRequestId() { return NewId(absl::Now()); }

absl::Status Unusable(std::string en, std::string zh) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID, std::move(en), std::move(zh));
}

std::string ShortName(const std::string& name) { return name.substr(name.rfind('/') + 1); }

absl::StatusOr<std::string> TargetOf(const Session& session, const std::string& name) {
  if (name.starts_with("federations/")) return name;
  ASSIGN_OR_RETURN(const std::string parent, session.Parent());
  return StrCat(parent, "/targets/", name);
}

std::string ValueText(const v1::Target& target) {
  return StrCat(target.direction() == v1::TARGET_DIRECTION_AT_MOST ? "≤ " : "≥ ", target.text(),
                " ", target.unit());
}

void PrintTargets(const Session& session, const std::vector<v1::Target>& targets) {
  Table table({session.Say("unit", "单位"), session.Say("measure", "指标"),
               session.Say("dimensions", "维度"), session.Say("period", "期间"),
               session.Say(">target", ">目标"), session.Say("given by", "下达单位"),
               session.Say("id", "编号")});
  for (const v1::Target& target : targets) {
    table.Add({target.organization(), session.Say(target.label().en(), target.label().zh()),
               target.dimensions(), target.period(), ValueText(target), target.given_by(),
               ShortName(target.name())});
  }
  Print(table.Text());
}

// A column of the file and what it fills.
struct Column {
  const char* en;
  const char* zh;
};
constexpr Column kColumns[] = {
    {"organization", "单位"}, {"measure", "指标"}, {"dimensions", "维度"},
    {"period", "期间"},       {"target", "目标"},  {"direction", "方向"},
    {"given_by", "下达单位"}, {"weight", "权重"},  {"remark", "备注"}};

absl::StatusOr<std::vector<int>> ReadHeadings(const Cells& headings) {
  std::vector<int> places(std::size(kColumns), -1);
  for (size_t i = 0; i < headings.size(); ++i) {
    const std::string key = HeadingKey(headings[i]);
    if (key.empty()) continue;
    const auto found = std::find_if(std::begin(kColumns), std::end(kColumns), [&](const Column& c) {
      return key == HeadingKey(c.en) || key == HeadingKey(c.zh);
    });
    if (found == std::end(kColumns)) {
      return Unusable(StrCat("the heading '", headings[i],
                             "' is unknown: use organization, measure, dimensions, period, "
                             "target, direction, given_by, weight, remark"),
                      StrCat("列名“", headings[i],
                             "”无法识别：可用 单位、指标、维度、期间、目标、方向、下达单位、权重、"
                             "备注"));
    }
    places[static_cast<size_t>(found - kColumns)] = static_cast<int>(i);
  }
  return places;
}

absl::StatusOr<v1::Target> ReadRow(const Cells& row, const std::vector<int>& places, size_t line) {
  const auto at = [&](size_t column) {
    const int place = places[column];
    return place < 0 || static_cast<size_t>(place) >= row.size()
               ? std::string()
               : Trimmed(Halfwidth(row[static_cast<size_t>(place)]));
  };
  v1::Target target;
  target.set_organization(at(0));
  target.set_measure(at(1));
  target.set_dimensions(at(2));
  target.set_period(at(3));
  target.set_text(at(4));
  const std::string direction = at(5);
  if (direction == "at_most" || direction == "不高于") {
    target.set_direction(v1::TARGET_DIRECTION_AT_MOST);
  } else if (!direction.empty() && direction != "at_least" && direction != "不低于") {
    return Unusable(StrCat("row ", line, ": the direction is at_least or at_most"),
                    StrCat("第 ", line, " 行：方向应为 不低于 或 不高于"));
  }
  target.set_given_by(at(6));
  double weight = 0;
  if (!at(7).empty() && (!absl::SimpleAtod(at(7), &weight) || weight < 0 || weight > 1000)) {
    return Unusable(StrCat("row ", line, ": the weight lies within 0-1000"),
                    StrCat("第 ", line, " 行：权重应为 0-1000"));
  }
  target.set_weight_hundredths(static_cast<int32_t>(weight * 100 + 0.5));
  target.set_remark(at(8));
  return target;
}

// Sends all targets, a thousand at a time; prints what is wrong. True when nothing is.
absl::StatusOr<bool> Send(Session& session, const std::vector<v1::Target>& targets,
                          const std::vector<size_t>& lines, bool dry_run) {
  Table table(
      {session.Say(">row", ">行"), session.Say("field", "字段"), session.Say("fault", "错误")});
  for (size_t first = 0; first < targets.size(); first += kBatch) {
    v1::SetTargetsRequest request;
    ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
    const size_t end = std::min(first + kBatch, targets.size());
    for (size_t i = first; i < end; ++i) *request.add_targets() = targets[i];
    request.set_validate_only(dry_run);
    request.set_request_id(NewRequestId());
    ASSIGN_OR_RETURN(const auto answer,
                     Ask<v1::SetTargetsResponse>(session, "SetTargets", request));
    if (session.json()) PrintJson(answer);
    for (const common::v1::ItemFailure& failure : answer.failures()) {
      table.Add({absl::StrCat(lines[first + static_cast<size_t>(failure.index())]), failure.field(),
                 session.Say(failure.message(), failure.message_zh())});
    }
  }
  if (table.empty()) return true;
  if (!session.json()) Print(table.Text());
  return false;
}

absl::StatusOr<int> SetFrom(Session& session, const TargetOptions& options) {
  ASSIGN_OR_RETURN(const CsvFile file, ReadCsvFile(options.file));
  std::vector<v1::Target> targets;
  std::vector<size_t> lines;
  std::optional<std::vector<int>> places;
  for (size_t i = 0; i < file.rows.size(); ++i) {
    if (IsBlank(file.rows[i])) continue;
    if (!places.has_value()) {
      ASSIGN_OR_RETURN(places, ReadHeadings(file.rows[i]));
      continue;
    }
    ASSIGN_OR_RETURN(targets.emplace_back(), ReadRow(file.rows[i], *places, i + 1));
    lines.push_back(i + 1);
  }
  if (targets.empty()) return Unusable("the file holds no targets", "文件中没有目标");
  // Of a file beyond one request, nothing is written before all of it was judged.
  const bool judge_first = options.dry_run || targets.size() > kBatch;
  for (const bool dry_run : {true, false}) {
    if (dry_run ? !judge_first : options.dry_run) continue;
    ASSIGN_OR_RETURN(const bool good, Send(session, targets, lines, dry_run));
    if (good) continue;
    PrintNote(session.Say("Nothing was written: correct the file and set again.",
                          "未写入任何内容：请改正文件后重试。"));
    return kRejected;
  }
  const std::string count = absl::StrCat(targets.size());
  if (!session.json()) {
    Print(options.dry_run
              ? session.Say(count + " targets would be set\n", "将设定 " + count + " 个目标\n")
              : session.Say(count + " targets set\n", "已设定 " + count + " 个目标\n"));
  }
  return kSuccess;
}

absl::StatusOr<int> List(Session& session, const TargetOptions& options) {
  v1::ListTargetsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_below(options.below);
  request.set_period(options.period);
  request.set_measure(options.measure);
  request.set_page_size(1000);
  std::vector<v1::Target> targets;
  do {
    ASSIGN_OR_RETURN(const auto page,
                     Ask<v1::ListTargetsResponse>(session, "ListTargets", request));
    if (session.json()) PrintJson(page);
    targets.insert(targets.end(), page.targets().begin(), page.targets().end());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  if (!session.json()) PrintTargets(session, targets);
  return kSuccess;
}

absl::StatusOr<v1::SplitTargetRequest> PartsOf(const TargetOptions& options) {
  v1::SplitTargetRequest request;
  for (const std::string& text : options.parts) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos) {
      return Unusable("--part is UNIT=VALUE, for example --part T01=600",
                      "--part 的写法是 单位=数值，例如 --part T01=600");
    }
    v1::TargetPart& part = *request.add_parts();
    part.set_organization(text.substr(0, equals));
    part.set_text(text.substr(equals + 1));
  }
  return request;
}

absl::StatusOr<v1::SplitTargetRequest> Proposed(Session& session, const std::string& name,
                                                const std::string& method) {
  v1::ProposeSplitRequest propose;
  propose.set_name(name);
  v1::SplitMethod read = v1::SPLIT_METHOD_UNSPECIFIED;
  if (!v1::SplitMethod_Parse("SPLIT_METHOD_" + ToUpper(method), &read)) {
    return Unusable("--method is equal, last_year or members",
                    "--method 可用 equal（平均）、last_year（上年）、members（会员数）");
  }
  propose.set_method(read);
  ASSIGN_OR_RETURN(const auto proposal,
                   Ask<v1::ProposeSplitResponse>(session, "ProposeSplit", propose));
  if (session.json()) PrintJson(proposal);
  Table table({session.Say("unit", "单位"), session.Say(">part", ">分解值"),
               session.Say(">in proportion to", ">依据")});
  v1::SplitTargetRequest request;
  for (const v1::TargetPart& part : proposal.parts()) {
    table.Add({part.organization(), part.text(), part.basis_text()});
    *request.add_parts() = part;
  }
  if (!session.json()) Print(table.Text());
  return request;
}

absl::StatusOr<int> Split(Session& session, const TargetOptions& options) {
  ASSIGN_OR_RETURN(const std::string name, TargetOf(session, options.name));
  if ((options.method.empty() ? 0 : 1) + (options.parts.empty() ? 0 : 1) +
          (options.take_back ? 1 : 0) !=
      1) {
    return Unusable("give one of --method, --part or --take-back",
                    "请给出 --method、--part、--take-back 之一");
  }
  v1::SplitTargetRequest request;
  if (options.method.empty()) {
    ASSIGN_OR_RETURN(request, PartsOf(options));
  } else {
    ASSIGN_OR_RETURN(request, Proposed(session, name, options.method));
    if (!options.apply) {
      PrintNote(session.Say("Nothing was written: repeat with --apply to split like this.",
                            "未写入：如需按此分解，请加 --apply。"));
      return kSuccess;
    }
  }
  request.set_name(name);
  request.set_request_id(NewRequestId());
  ASSIGN_OR_RETURN(const auto answer,
                   Ask<v1::SplitTargetResponse>(session, "SplitTarget", request));
  if (session.json()) {
    PrintJson(answer);
  } else {
    PrintTargets(session, {answer.parts().begin(), answer.parts().end()});
  }
  return kSuccess;
}

std::string StandingText(const Session& session, v1::TargetStanding standing) {
  switch (standing) {
    case v1::TARGET_STANDING_ON_COURSE:
      return session.Say("on course", "正常");
    case v1::TARGET_STANDING_BEHIND:
      return session.Say("behind", "滞后");
    case v1::TARGET_STANDING_REACHED:
      return session.Say("reached", "完成");
    case v1::TARGET_STANDING_MISSED:
      return session.Say("missed", "未完成");
    default:
      return session.Say("unknown", "无法判断");
  }
}

void AddProgress(const Session& session, const v1::TargetProgress& progress,
                 const std::string& indent, Table& table) {
  const v1::Target& target = progress.target();
  table.Add({indent + target.organization(), session.Say(target.label().en(), target.label().zh()),
             target.dimensions(), ValueText(target), progress.achieved().text(),
             progress.has_completion() ? progress.completion_text() + "%" : "—",
             StandingText(session, progress.standing())});
  for (const v1::TargetProgress& child : progress.children()) {
    AddProgress(session, child, indent + "  ", table);
  }
}

absl::StatusOr<int> Progress(Session& session, const TargetOptions& options) {
  v1::GetProgressRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_period(options.period);
  request.set_as_of(options.as_of);
  request.set_children(options.children);
  ASSIGN_OR_RETURN(const auto answer,
                   Ask<v1::GetProgressResponse>(session, "GetProgress", request));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  Table table({session.Say("unit", "单位"), session.Say("measure", "指标"),
               session.Say("dimensions", "维度"), session.Say(">target", ">目标"),
               session.Say(">achieved", ">完成数"), session.Say(">completion", ">完成率"),
               session.Say("standing", "进度")});
  for (const v1::TargetProgress& progress : answer.progress()) {
    AddProgress(session, progress, "", table);
  }
  Print(table.Text());
  Print(session.Say(
      StrCat("as of ", answer.as_of(), ": ", answer.elapsed_text(), "% of the time is over\n"),
      StrCat("截至 ", answer.as_of(), "：时间进度 ", answer.elapsed_text(), "%\n")));
  return kSuccess;
}

absl::StatusOr<std::string> LetterOf(const Session& session, const TargetOptions& options) {
  ASSIGN_OR_RETURN(const std::string parent, session.Parent());
  return StrCat(parent, "/organizations/", options.organization, "/letters/", options.name);
}

absl::StatusOr<int> Show(const Session& session, const absl::StatusOr<v1::Letter>& letter) {
  if (!letter.ok()) return letter.status();
  if (session.json()) {
    PrintJson(*letter);
  } else {
    Print(letter->text());
  }
  return kSuccess;
}

absl::StatusOr<int> ShowLetter(Session& session, const TargetOptions& options) {
  v1::GetLetterRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), LetterOf(session, options));
  return Show(session, Ask<v1::Letter>(session, "GetLetter", request));
}

absl::StatusOr<int> IssueLetter(Session& session, const TargetOptions& options) {
  v1::IssueLetterRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_year(options.name);
  request.set_request_id(NewRequestId());
  return Show(session, Ask<v1::Letter>(session, "IssueLetter", request));
}

absl::StatusOr<int> SignLetter(Session& session, const TargetOptions& options) {
  v1::SignLetterRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), LetterOf(session, options));
  request.set_signer(options.signer);
  request.set_signed_on(options.on);
  request.set_request_id(NewRequestId());
  return Show(session, Ask<v1::Letter>(session, "SignLetter", request));
}

absl::StatusOr<int> AmendLetter(Session& session, const TargetOptions& options) {
  v1::AmendLetterRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), LetterOf(session, options));
  request.set_reason(options.reason);
  request.set_request_id(NewRequestId());
  return Show(session, Ask<v1::Letter>(session, "AmendLetter", request));
}

using Options = std::shared_ptr<TargetOptions>;

void AddLetterCommands(CLI::App& target, Program& program, const Options& options) {
  Session& session = program.session;
  CLI::App* letter = AddCommand(target, "letter", "Responsibility letters of units",
                                "gonghui target letter show --org T01 2020");
  letter->require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& description,
                       const std::string& example, const std::string& what, auto run) {
    CLI::App* command = AddCommand(*letter, name, description, "gonghui target letter " + example);
    command->add_option("--org", options->organization, "Unit")->required()->type_name("ID");
    command->add_option("letter", options->name, what)->required();
    OnRun(command, program, [&session, options, run] { return run(session, *options); });
    return command;
  };
  add("issue", "Write the letter from the unit's targets of a year", "issue --org T01 2020", "Year",
      IssueLetter);
  add("show", "A letter's text", "show --org T01 2020", "Year, or year and version: 2020.1",
      ShowLetter);
  CLI::App* sign = add("sign", "Sign for the unit",
                       "sign --org T01 2020 --signer 王主席 --on 2020-01-15", "Year", SignLetter);
  sign->add_option("--signer", options->signer, "Who signs")->required();
  sign->add_option("--on", options->on, "Day")->required()->type_name("DATE");
  CLI::App* amend = add("amend", "Open a new version of a signed letter",
                        "amend --org T01 2020 --reason 任务调整", "Year", AmendLetter);
  amend->add_option("--reason", options->reason, "Why")->required();
}

}  // namespace

void AddTargetCommands(Program& program) {
  auto options = std::make_shared<TargetOptions>();
  Session& session = program.session;
  CLI::App* target = AddCommand(program.app, "target", "Targets, responsibility letters, progress",
                                "gonghui target progress --org D01 --period 2020");
  target->require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& description,
                       const std::string& example, auto run) {
    CLI::App* command = AddCommand(*target, name, description, "gonghui target " + example);
    OnRun(command, program, [&session, options, run] { return run(session, *options); });
    return command;
  };
  const auto of_unit = [&](CLI::App* command) {
    command->add_option("--org", options->organization, "Organisation")
        ->required()
        ->type_name("ID");
    return command->add_option("--period", options->period, "2020, 2020H1, 2020Q2, 2020-05 …");
  };
  CLI::App* set = add("set",
                      "Set targets from a CSV file: organization, measure, dimensions, period, "
                      "target, direction, given_by, weight, remark",
                      "set targets.csv", SetFrom);
  set->add_option("file", options->file, "CSV file")->required()->type_name("FILE");
  set->add_flag("--dry-run", options->dry_run, "Judge all rows, write nothing");
  CLI::App* list = add("list", "Targets of an organisation", "list --org D01 --below", List);
  of_unit(list);
  list->add_option("--measure", options->measure, "Only of this measure");
  list->add_flag("--below", options->below, "Also those of everything below it");
  CLI::App* split = add("split", "Hand a target down to the units directly below",
                        "split ID --method last_year --apply", Split);
  split->add_option("target", options->name, "As 'gonghui target list' shows it")
      ->required()
      ->type_name("ID");
  split->add_option("--method", options->method, "Propose: equal, last_year or members");
  split->add_flag("--apply", options->apply, "Split as proposed");
  split->add_option("--part", options->parts, "UNIT=VALUE, once a unit");
  split->add_flag("--take-back", options->take_back, "Take the split back");
  CLI::App* progress = add("progress", "How far an organisation has come with its targets",
                           "progress --org D01 --period 2020 --children", Progress);
  of_unit(progress)->required();
  progress->add_option("--as-of", options->as_of, "Day; default: today")->type_name("DATE");
  progress->add_flag("--children", options->children, "Also the units directly below");
  AddLetterCommands(*target, program, options);
}

}  // namespace gonghui::cli
