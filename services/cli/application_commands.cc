// gonghui application: people who ask to join.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/id.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "gonghui/membership/v1/application.pb.h"
#include "services/cli/paging.h"
#include "services/cli/program.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

namespace v1 = membership::v1;

constexpr char kService[] = "/gonghui.membership.v1.ApplicationService/";

struct ApplicationOptions {
  std::string id;
  std::string organization;
  std::string name;
  std::string paper;
  std::string number;
  std::string on;
  std::string phone;
  std::string job;
  std::string birth_date;
  std::vector<std::string> tags;
  std::string note;
  bool waiting = false;
  PageOptions page;
};

std::string StateWord(const Session& session, v1::ApplicationState state) {
  switch (state) {
    case v1::APPLICATION_STATE_SUBMITTED:
      return session.Say("submitted", "待审");
    case v1::APPLICATION_STATE_APPROVED:
      return session.Say("approved", "已批准");
    case v1::APPLICATION_STATE_REFUSED:
      return session.Say("refused", "不予批准");
    default:
      return session.Say("withdrawn", "已撤回");
  }
}

void ShowAll(const Session& session, const std::vector<v1::Application>& applications) {
  Table table({session.Say("application", "申请编号"), session.Say("name", "姓名"),
               session.Say("organisation", "工会"), session.Say("applied", "申请日期"),
               session.Say("state", "状态"), session.Say("note", "说明"),
               session.Say("member", "会员编号")});
  for (const v1::Application& one : applications) {
    table.Add({std::string(LeafOf(one.name())), one.member().full_name(),
               one.member().organization(), one.applied_on(), StateWord(session, one.state()),
               one.note(), std::string(LeafOf(one.member_name()))});
  }
  Print(table.Text());
}

absl::StatusOr<int> Shown(const Session& session,
                          const absl::StatusOr<v1::Application>& application) {
  if (!application.ok()) return application.status();
  if (session.json()) {
    PrintJson(*application);
  } else {
    ShowAll(session, {*application});
  }
  return kSuccess;
}

absl::StatusOr<int> Submit(Session& session, const ApplicationOptions& options) {
  v1::SubmitApplicationRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  v1::Member& member = *request.mutable_member();
  member.set_organization(options.organization);
  member.set_full_name(options.name);
  member.set_id_type(options.paper);
  member.set_id_number(options.number);
  member.set_birth_date(options.birth_date);
  member.set_phone(options.phone);
  member.set_job(options.job);
  member.mutable_group_tags()->Assign(options.tags.begin(), options.tags.end());
  member.set_joined_on(options.on);
  request.set_request_id(NewId(absl::Now()));
  return Shown(session, session.Invoke<v1::Application>(absl::StrCat(kService, "SubmitApplication"),
                                                        request));
}

// A step of one application: `fill` sets what the request holds beside name and request_id.
template <typename Request, typename Fill>
absl::StatusOr<int> Answer(Session& session, const ApplicationOptions& options, const char* method,
                           Fill fill) {
  Request request;
  ASSIGN_OR_RETURN(*request.mutable_name(), session.NameOf("applications", options.id));
  request.set_request_id(NewId(absl::Now()));
  fill(request);
  return Shown(session, session.Invoke<v1::Application>(absl::StrCat(kService, method), request));
}

absl::StatusOr<int> Approve(Session& session, const ApplicationOptions& options) {
  return Answer<v1::ApproveApplicationRequest>(
      session, options, "ApproveApplication",
      [&](auto& request) { request.set_joined_on(options.on); });
}

absl::StatusOr<int> Refuse(Session& session, const ApplicationOptions& options) {
  return Answer<v1::RefuseApplicationRequest>(
      session, options, "RefuseApplication",
      [&](auto& request) { request.set_note(options.note); });
}

absl::StatusOr<int> Withdraw(Session& session, const ApplicationOptions& options) {
  return Answer<v1::WithdrawApplicationRequest>(
      session, options, "WithdrawApplication",
      [&](auto& request) { request.set_note(options.note); });
}

absl::StatusOr<int> Show(Session& session, const ApplicationOptions& options) {
  v1::GetApplicationRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), session.NameOf("applications", options.id));
  return Shown(session,
               session.Invoke<v1::Application>(absl::StrCat(kService, "GetApplication"), request));
}

absl::StatusOr<int> List(Session& session, const ApplicationOptions& options) {
  v1::ListApplicationsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  if (options.waiting) request.set_state(v1::APPLICATION_STATE_SUBMITTED);
  std::vector<v1::Application> applications;
  RETURN_IF_ERROR(EachPage<v1::ListApplicationsResponse>(
      session, absl::StrCat(kService, "ListApplications"), request, options.page,
      [&](const auto& page) {
        applications.insert(applications.end(), page.applications().begin(),
                            page.applications().end());
        return static_cast<int>(applications.size());
      }));
  if (!session.json()) ShowAll(session, applications);
  return kSuccess;
}

void AddSubmitOptions(CLI::App* submit, ApplicationOptions& options) {
  submit->add_option("--org", options.organization, "Where the person wants to join")
      ->type_name("ID")
      ->required();
  submit->add_option("--name", options.name, "Full name")->required();
  submit->add_option("--number", options.number, "Identity number or that of another paper")
      ->required();
  submit->add_option("--on", options.on, "Day of applying")->type_name("DATE")->required();
  submit->add_option("--paper", options.paper, "Kind of paper, unless an identity card");
  submit->add_option("--birth", options.birth_date, "Birth date, beside other papers")
      ->type_name("DATE");
  submit->add_option("--phone", options.phone, "Phone");
  submit->add_option("--job", options.job, "Job");
  submit->add_option("--tag", options.tags, "Group of workers, also several")->delimiter(',');
}

}  // namespace

void AddApplicationCommands(Program& program) {
  auto options = std::make_shared<ApplicationOptions>();
  CLI::App* application =
      AddCommand(program.app, "application", "People who ask to join, and the committee's answer",
                 "gonghui application list --org T01 --waiting");
  application->require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& description,
                       const std::string& example,
                       absl::StatusOr<int> (*run)(Session&, const ApplicationOptions&)) {
    CLI::App* command = AddCommand(*application, name, description, example);
    OnRun(command, program,
          [&session = program.session, options, run] { return run(session, *options); });
    return command;
  };
  const auto with_id = [&](CLI::App* command) {
    command->add_option("APPLICATION", options->id, "As 'gonghui application list' shows it")
        ->type_name("ID")
        ->required();
    return command;
  };
  AddSubmitOptions(add("submit", "Hand an application in",
                       "gonghui application submit --org E02 --name 张三 --number "
                       "11010519491231002X --on 2020-05-01",
                       Submit),
                   *options);
  with_id(add("approve", "Take the person in", "gonghui application approve ID --on 2020-05-10",
              Approve))
      ->add_option("--on", options->on, "First day of membership")
      ->type_name("DATE")
      ->required();
  with_id(add("refuse", "Decline", "gonghui application refuse ID --note 非本单位职工", Refuse))
      ->add_option("--note", options->note, "Why, without personal data")
      ->required();
  with_id(add("withdraw", "Take it back", "gonghui application withdraw ID", Withdraw))
      ->add_option("--note", options->note, "Why, without personal data");
  with_id(add("show", "One application", "gonghui application show ID", Show));
  CLI::App* list = add("list", "Applications, oldest first",
                       "gonghui application list --org T01 --waiting", List);
  list->add_option("--org", options->organization, "With everything below it")->type_name("ID");
  list->add_flag("--waiting", options->waiting, "Those that wait for an answer");
  options->page.AddTo(list);
}

}  // namespace gonghui::cli
