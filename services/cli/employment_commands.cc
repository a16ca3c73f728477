// gonghui employment: where and as what members worked.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/base/id.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "gonghui/membership/v1/employment.pb.h"
#include "services/cli/program.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

namespace v1 = membership::v1;

constexpr char kService[] = "/gonghui.membership.v1.EmploymentService/";

struct EmploymentOptions {
  std::string member;
  std::string id;
  std::string employer;
  std::string job;
  std::string employment;
  std::string from;
  std::string to;
};

void ShowAll(const Session& session, const std::vector<v1::Employment>& employments) {
  Table table({session.Say("stretch", "履历编号"), session.Say("from", "起"),
               session.Say("to", "止"), session.Say("employer", "单位"), session.Say("job", "岗位"),
               session.Say("employment", "就业状况")});
  for (const v1::Employment& one : employments) {
    table.Add({std::string(LeafOf(one.name())), one.began_on(), one.ended_on(), one.employer(),
               one.job(), one.employment()});
  }
  Print(table.Text());
}

absl::StatusOr<int> Shown(const Session& session,
                          const absl::StatusOr<v1::Employment>& employment) {
  if (!employment.ok()) return employment.status();
  if (session.json()) {
    PrintJson(*employment);
  } else {
    ShowAll(session, {*employment});
  }
  return kSuccess;
}

absl::StatusOr<std::string> NameOf(const Session& session, const EmploymentOptions& options) {
  ASSIGN_OR_RETURN(const std::string member, session.NameOf("members", options.member));
  return StrCat(member, "/employments/", LeafOf(options.id));
}

v1::Employment Given(const EmploymentOptions& options) {
  v1::Employment employment;
  employment.set_employer(options.employer);
  employment.set_job(options.job);
  employment.set_employment(options.employment);
  employment.set_began_on(options.from);
  employment.set_ended_on(options.to);
  return employment;
}

absl::StatusOr<int> Add(Session& session, const EmploymentOptions& options) {
  v1::CreateEmploymentRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.NameOf("members", options.member));
  *request.mutable_employment() = Given(options);
  request.set_request_id(NewId(absl::Now()));
  return Shown(session,
               session.Invoke<v1::Employment>(absl::StrCat(kService, "CreateEmployment"), request));
}

absl::StatusOr<int> Change(Session& session, const EmploymentOptions& options) {
  v1::UpdateEmploymentRequest request;
  *request.mutable_employment() = Given(options);
  ASSIGN_OR_RETURN(*request.mutable_employment()->mutable_name(), NameOf(session, options));
  std::vector<std::string> paths;
  const auto add = [&](const char* path, const std::string& value) {
    if (!value.empty()) paths.push_back(path);
  };
  add("employer", options.employer);
  add("job", options.job);
  add("employment", options.employment);
  add("began_on", options.from);
  add("ended_on", options.to);
  request.set_update_mask(absl::StrJoin(paths, ","));
  request.set_request_id(NewId(absl::Now()));
  return Shown(session,
               session.Invoke<v1::Employment>(absl::StrCat(kService, "UpdateEmployment"), request));
}

absl::StatusOr<int> Remove(Session& session, const EmploymentOptions& options) {
  v1::DeleteEmploymentRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), NameOf(session, options));
  request.set_request_id(NewId(absl::Now()));
  return Shown(session,
               session.Invoke<v1::Employment>(absl::StrCat(kService, "DeleteEmployment"), request));
}

absl::StatusOr<int> List(Session& session, const EmploymentOptions& options) {
  v1::ListEmploymentsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.NameOf("members", options.member));
  ASSIGN_OR_RETURN(const auto answer, session.Invoke<v1::ListEmploymentsResponse>(
                                          absl::StrCat(kService, "ListEmployments"), request));
  if (session.json()) {
    PrintJson(answer);
  } else {
    ShowAll(session, {answer.employments().begin(), answer.employments().end()});
  }
  return kSuccess;
}

}  // namespace

void AddEmploymentCommands(Program& program) {
  auto options = std::make_shared<EmploymentOptions>();
  CLI::App* employment = AddCommand(program.app, "employment", "Where and as what members worked",
                                    "gonghui employment list MEMBER");
  employment->require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& description,
                       const std::string& example,
                       absl::StatusOr<int> (*run)(Session&, const EmploymentOptions&)) {
    CLI::App* command = AddCommand(*employment, name, description, example);
    command->add_option("MEMBER", options->member, "As 'gonghui member list' shows it")
        ->type_name("ID")
        ->required();
    OnRun(command, program,
          [&session = program.session, options, run] { return run(session, *options); });
    return command;
  };
  const auto with_id = [&](CLI::App* command) {
    command->add_option("STRETCH", options->id, "As 'gonghui employment list' shows it")
        ->type_name("ID")
        ->required();
    return command;
  };
  const auto with_fields = [&](CLI::App* command, bool is_new) {
    command->add_option("--employer", options->employer, "Employer, site or platform")
        ->required(is_new);
    command->add_option("--from", options->from, "First day")->type_name("DATE")->required(is_new);
    command->add_option("--to", options->to, "Last day; none while it lasts")->type_name("DATE");
    command->add_option("--job", options->job, "As what");
    command->add_option("--employment", options->employment, "Code or label, e.g. on_post");
  };
  with_fields(
      add("add", "Add a stretch of work",
          "gonghui employment add MEMBER --employer 某某物流 --from 2018-03-01 --job 司机", Add),
      /*is_new=*/true);
  with_fields(with_id(add("change", "Change what is given",
                          "gonghui employment change MEMBER STRETCH --to 2020-05-31", Change)),
              /*is_new=*/false);
  with_id(add("remove", "Take out what was entered by mistake",
              "gonghui employment remove MEMBER STRETCH", Remove));
  add("list", "A member's history of work, oldest first", "gonghui employment list MEMBER", List);
}

}  // namespace gonghui::cli
