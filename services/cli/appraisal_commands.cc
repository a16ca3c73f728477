// gonghui appraisal: scores, marks and results of appraisals.
#include <memory>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "gonghui/reports/v1/appraisal.pb.h"
#include "services/cli/program.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

namespace v1 = reports::v1;

constexpr char kService[] = "/gonghui.reports.v1.AppraisalService/";

struct AppraisalOptions {
  std::string organization;
  std::string scheme;
  std::string period;
  std::string unit;
  std::string item;
  std::string kind;
  std::string score;
  std::string evidence;
  std::string remark;
  bool withdraw = false;
};

template <typename Response, typename Request>
absl::StatusOr<Response> Ask(Session& session, std::string_view method, const Request& request) {
  return session.Invoke<Response>(StrCat(kService, method), request);
}

absl::StatusOr<std::string> NameOf(const Session& session, const AppraisalOptions& options) {
  ASSIGN_OR_RETURN(const std::string parent, session.Parent());
  return StrCat(parent, "/organizations/", options.organization, "/appraisals/", options.scheme,
                ".", options.period);
}

std::string LabelOf(const Session& session, const v1::AppraisalScheme& scheme,
                    const std::string& grade) {
  for (const v1::AppraisalGrade& one : scheme.grades()) {
    if (one.name() == grade) return session.Say(one.label().en(), one.label().zh());
  }
  return grade;
}

// The items of one unit: what was scored, how, and to which score.
std::string ItemsText(const Session& session, const v1::Appraisal& appraisal,
                      const v1::UnitAppraisal& unit) {
  Table table({session.Say("item", "项目"), session.Say(">score", ">得分"),
               session.Say("formula", "算法"), session.Say("source", "数据来源")});
  for (int i = 0; i < unit.items_size(); ++i) {
    const v1::ItemScore& score = unit.items(i);
    const common::v1::Label& label = appraisal.scheme().items(i).label();
    const bool veto = score.kind() == v1::APPRAISAL_ITEM_KIND_VETO;
    const std::string mark = score.marked() ? session.Say("marked", "否决") : "—";
    table.Add({session.Say(label.en(), label.zh()), veto ? mark : score.score_text(),
               score.formula(), score.figure()});
  }
  return StrCat("\n", unit.organization(), "\n", table.Text());
}

absl::StatusOr<int> Show(Session& session, const AppraisalOptions& options) {
  v1::GetAppraisalRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), NameOf(session, options));
  request.set_page_size(1000);
  Table table({session.Say(">rank", ">名次"), session.Say("unit", "单位"),
               session.Say(">total", ">总分"), session.Say("grade", "等次"),
               session.Say("remark", "说明")});
  std::string heading;
  std::string items;
  do {
    ASSIGN_OR_RETURN(const auto page, Ask<v1::Appraisal>(session, "GetAppraisal", request));
    request.set_page_token(page.next_page_token());
    if (session.json()) {
      PrintJson(page);
      continue;
    }
    heading = StrCat(
        session.Say(page.scheme().label().en(), page.scheme().label().zh()), "  ", page.period(),
        page.frozen() ? session.Say("  frozen, SM3 ", "  已固化，SM3 ") : "", page.digest(), "\n");
    for (const v1::UnitAppraisal& unit : page.units()) {
      const std::string reason =
          unit.grade_reason() == "quota" ? session.Say("quota", "超出比例") : "";
      table.Add({absl::StrCat(unit.rank(), unit.tied() ? session.Say("=", "（并列）") : ""),
                 unit.organization(), unit.total_text(),
                 LabelOf(session, page.scheme(), unit.grade()),
                 unit.vetoed() ? session.Say("veto", "一票否决") : reason});
      if (unit.organization() == options.unit) items = ItemsText(session, page, unit);
    }
  } while (!request.page_token().empty());
  if (!session.json()) Print(heading + table.Text() + items);
  return kSuccess;
}

absl::StatusOr<int> Record(Session& session, const AppraisalOptions& options) {
  v1::RecordAssessmentRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  v1::Assessment& assessment = *request.mutable_assessment();
  assessment.set_scheme(options.scheme);
  assessment.set_organization(options.organization);
  assessment.set_period(options.period);
  assessment.set_item(options.item);
  v1::AssessmentKind kind = v1::ASSESSMENT_KIND_UNSPECIFIED;
  if (!v1::AssessmentKind_Parse("ASSESSMENT_KIND_" + ToUpper(options.kind), &kind)) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID, "--kind is self, panel or veto",
                           "--kind 可用 self（自评）、panel（考核组）、veto（一票否决）");
  }
  assessment.set_kind(kind);
  assessment.set_score_text(options.score);
  assessment.set_evidence(options.evidence);
  assessment.set_remark(options.remark);
  assessment.set_withdrawn(options.withdraw);
  request.set_request_id(NewId(absl::Now()));
  ASSIGN_OR_RETURN(const auto answer, Ask<v1::Assessment>(session, "RecordAssessment", request));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  const std::string version = absl::StrCat(answer.version());
  Print(session.Say(StrCat("recorded as version ", version, "\n"),
                    StrCat("已记录，第 ", version, " 版\n")));
  return kSuccess;
}

absl::StatusOr<int> Freeze(Session& session, const AppraisalOptions& options) {
  v1::FreezeAppraisalRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), NameOf(session, options));
  request.set_request_id(NewId(absl::Now()));
  ASSIGN_OR_RETURN(const auto answer, Ask<v1::Appraisal>(session, "FreezeAppraisal", request));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  const std::string count = absl::StrCat(answer.units_total());
  Print(session.Say(StrCat("frozen: ", count, " units, SM3 ", answer.digest(), "\n"),
                    StrCat("已固化：单位 ", count, " 个，SM3 ", answer.digest(), "\n")));
  return kSuccess;
}

absl::StatusOr<int> ListSchemes(Session& session, const AppraisalOptions&) {
  ASSIGN_OR_RETURN(const auto answer,
                   Ask<v1::ListAppraisalSchemesResponse>(session, "ListAppraisalSchemes",
                                                         v1::ListAppraisalSchemesRequest()));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  Table table({session.Say("scheme", "方案"), session.Say("label", "名称"),
               session.Say("valid from", "启用"), session.Say("citation", "依据")});
  for (const v1::AppraisalScheme& scheme : answer.schemes()) {
    table.Add({scheme.name(), session.Say(scheme.label().en(), scheme.label().zh()),
               scheme.valid_from(), scheme.citation()});
  }
  Print(table.Text());
  return kSuccess;
}

}  // namespace

void AddAppraisalCommands(Program& program) {
  auto options = std::make_shared<AppraisalOptions>();
  Session& session = program.session;
  CLI::App* appraisal =
      AddCommand(program.app, "appraisal", "Units scored, ranked and graded by a scheme",
                 "gonghui appraisal show --org D01 --scheme basic_union_year --period 2020");
  appraisal->require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& description,
                       const std::string& example, const std::string& whose, auto run) {
    CLI::App* command = AddCommand(*appraisal, name, description, "gonghui appraisal " + example);
    OnRun(command, program, [&session, options, run] { return run(session, *options); });
    if (whose.empty()) return command;
    command->add_option("--org", options->organization, whose)->required()->type_name("ID");
    command->add_option("--scheme", options->scheme, "As 'gonghui appraisal schemes' lists them")
        ->required();
    command->add_option("--period", options->period, "2020")->required();
    return command;
  };
  add("schemes", "The schemes of the catalogue", "schemes", "", ListSchemes);
  CLI::App* show = add("show", "Ranks, totals and grades of the units directly below",
                       "show --org D01 --scheme basic_union_year --period 2020", "Appraiser", Show);
  show->add_option("--unit", options->unit, "Also the items of this unit")->type_name("ID");
  CLI::App* record = add("record", "A self score, a panel's score or a veto mark",
                         "record --org T01 --scheme basic_union_year --period 2020 --item "
                         "daily_work --kind panel --score 36.5",
                         "Unit", Record);
  record->add_option("--item", options->item, "Item of the scheme")->required();
  record->add_option("--kind", options->kind, "self, panel or veto")->required();
  record->add_option("--score", options->score, "Points, at most two decimals");
  record->add_option("--evidence", options->evidence, "Document or record");
  record->add_option("--remark", options->remark, "Kept with it");
  record->add_flag("--withdraw", options->withdraw, "The score or mark no longer holds");
  add("freeze", "Store the result unchangeable",
      "freeze --org D01 --scheme basic_union_year --period 2020", "Appraiser", Freeze);
}

}  // namespace gonghui::cli
