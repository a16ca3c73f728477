// gonghui job, verify, rebuild.
#include "services/cli/job_commands.h"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "gonghui/common/v1/job.pb.h"
#include "gonghui/reports/v1/report.pb.h"
#include "services/cli/program.h"
#include "services/cli/progress.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

using common::v1::Job;

constexpr char kReports[] = "/gonghui.reports.v1.ReportService/";
// Services that do long work.
constexpr std::string_view kJobServices[] = {"gonghui.reports.v1.JobService",
                                             "gonghui.membership.v1.JobService"};
constexpr absl::Duration kPollEvery = absl::Milliseconds(100);

struct JobOptions {
  std::string id;
  std::string organization;
  bool background = false;
};

std::string StateText(const Session& session, const Job& job) {
  switch (job.state()) {
    case common::v1::JOB_STATE_QUEUED:
      return session.Say("queued", "排队");
    case common::v1::JOB_STATE_RUNNING:
      return session.Say("running", "进行中");
    case common::v1::JOB_STATE_SUCCEEDED:
      return session.Say("succeeded", "完成");
    case common::v1::JOB_STATE_FAILED:
      return session.Say("failed", "失败");
    default:
      return session.Say("cancelled", "已取消");
  }
}

std::string PercentText(const Job& job) {
  if (job.end_time_us() != 0 || job.total() == 0) return "";
  return absl::StrCat(100 * job.done() / job.total(), "%");
}

// A job and the service that does it.
struct Found {
  Job job;
  std::string_view service;
};

// True where the answer says nothing of the others: the server does not host this service, it knows
// no such job, or the caller has no right there.
bool AskOthers(const absl::Status& status) {
  return absl::IsUnimplemented(status) || absl::IsNotFound(status) ||
         absl::IsPermissionDenied(status);
}

// Asks one service after the other; the last answer where none knows it.
absl::StatusOr<Found> Find(Session& session, const std::string& id) {
  common::v1::GetJobRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), session.NameOf("jobs", id));
  absl::Status unknown;
  for (const std::string_view service : kJobServices) {
    auto job = session.Invoke<Job>(StrCat("/", service, "/GetJob"), request);
    if (job.ok()) return Found{*std::move(job), service};
    if (!AskOthers(job.status())) return job.status();
    if (unknown.ok() || !absl::IsUnimplemented(job.status())) unknown = job.status();
  }
  return unknown;
}

absl::StatusOr<int> VerifyRollups(Session& session, const JobOptions& options) {
  reports::v1::VerifyRollupsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  ASSIGN_OR_RETURN(Job job, session.Invoke<Job>(std::string(kReports) + "VerifyRollups", request));
  if (options.background) return JobStarted(session, job);
  ASSIGN_OR_RETURN(job, AwaitJob(session, std::move(job)));
  ASSIGN_OR_RETURN(const auto answer, ResultOf<reports::v1::VerifyRollupsResult>(job));
  const int code = answer.divergent() == 0 ? kSuccess : kRejected;
  if (session.json()) {
    PrintJson(answer);
    return code;
  }
  const std::string facts = absl::StrCat(answer.facts());
  const std::string cells = absl::StrCat(answer.cells());
  const std::string divergent = absl::StrCat(answer.divergent());
  Print(session.Say(
      facts + " facts read, " + cells + " cells compared, " + divergent + " divergent\n",
      "读取事实 " + facts + " 条，核对单元格 " + cells + " 个，不一致 " + divergent + " 个\n"));
  Table table({session.Say("organization", "组织"), session.Say("measure", "指标代码"),
               session.Say("month", "月份"), session.Say("dimensions", "维度"),
               session.Say(">stored", ">存储值"), session.Say(">recounted", ">重算值")});
  for (const auto& cell : answer.examples()) {
    table.Add({cell.organization(), cell.measure(), cell.month(), cell.dimensions(),
               absl::StrCat(cell.stored()), absl::StrCat(cell.recounted())});
  }
  if (!table.empty()) Print(table.Text());
  return code;
}

absl::StatusOr<int> RebuildRollups(Session& session, const JobOptions& options) {
  reports::v1::RebuildRollupsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  ASSIGN_OR_RETURN(Job job, session.Invoke<Job>(std::string(kReports) + "RebuildRollups", request));
  if (options.background) return JobStarted(session, job);
  ASSIGN_OR_RETURN(job, AwaitJob(session, std::move(job)));
  ASSIGN_OR_RETURN(const auto answer, ResultOf<reports::v1::RebuildRollupsResult>(job));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  const std::string facts = absl::StrCat(answer.facts());
  const std::string cells = absl::StrCat(answer.cells());
  Print(session.Say(cells + " cells made anew from " + facts + " facts\n",
                    "由 " + facts + " 条事实重建单元格 " + cells + " 个\n"));
  return kSuccess;
}

void PrintJob(Session& session, const Job& job) {
  if (session.json()) return PrintJson(job);
  Print(StrCat(LeafOf(job.name()), "  ", job.kind(), "  ", StateText(session, job), "  ",
               PercentText(job), "\n"));
  if (!job.failure().message().empty()) {
    Print(session.Say(job.failure().message(), job.failure().message_zh()) + "\n");
  }
}

absl::StatusOr<int> List(Session& session, const JobOptions& options) {
  common::v1::ListJobsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  common::v1::ListJobsResponse answer;
  absl::Status refused;
  for (const std::string_view service : kJobServices) {
    const auto some =
        session.Invoke<common::v1::ListJobsResponse>(StrCat("/", service, "/ListJobs"), request);
    if (some.ok()) {
      answer.MergeFrom(*some);
    } else if (AskOthers(some.status())) {
      refused = some.status();
    } else {
      return some.status();
    }
  }
  if (answer.jobs().empty() && absl::IsPermissionDenied(refused)) return refused;
  auto& jobs = *answer.mutable_jobs();
  std::stable_sort(jobs.begin(), jobs.end(), [](const Job& a, const Job& b) {
    return a.create_time_us() > b.create_time_us();
  });
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  Table table({session.Say("job", "作业"), session.Say("kind", "种类"),
               session.Say("organization", "组织"), session.Say("state", "状态"),
               session.Say(">done", ">进度"), session.Say("begun by", "发起人")});
  for (const Job& job : answer.jobs()) {
    table.Add({std::string(LeafOf(job.name())), job.kind(), job.organization(),
               StateText(session, job), PercentText(job), job.caller()});
  }
  Print(table.Text());
  return kSuccess;
}

absl::StatusOr<int> Show(Session& session, const JobOptions& options, bool wait) {
  ASSIGN_OR_RETURN(Found found, Find(session, options.id));
  Job& job = found.job;
  if (wait) {
    ASSIGN_OR_RETURN(job, AwaitJob(session, std::move(job), found.service));
  }
  PrintJob(session, job);
  return job.state() == common::v1::JOB_STATE_FAILED ? kServerError : kSuccess;
}

absl::StatusOr<int> Cancel(Session& session, const JobOptions& options) {
  ASSIGN_OR_RETURN(const Found found, Find(session, options.id));
  common::v1::CancelJobRequest request;
  request.set_name(found.job.name());
  ASSIGN_OR_RETURN(const Job job,
                   session.Invoke<Job>(StrCat("/", found.service, "/CancelJob"), request));
  PrintJob(session, job);
  return kSuccess;
}

}  // namespace

absl::StatusOr<Job> AwaitJob(Session& session, Job job, std::string_view service) {
  constexpr int kHundred = 100;
  Progress progress(job.kind(), kHundred, isatty(STDERR_FILENO) == 1);
  int shown = 0;
  while (job.end_time_us() == 0) {
    absl::SleepFor(kPollEvery);
    common::v1::GetJobRequest request;
    request.set_name(job.name());
    ASSIGN_OR_RETURN(job, session.Invoke<Job>(StrCat("/", service, "/GetJob"), request));
    if (job.total() == 0) continue;
    const int now = static_cast<int>(kHundred * job.done() / job.total());
    progress.Add(now - shown);
    shown = now;
  }
  progress.Add(kHundred - shown);
  return job;
}

absl::Status JobFailed(const Job& job) {
  if (job.state() == common::v1::JOB_STATE_CANCELLED) {
    return FailedPrecondition(common::v1::REASON_CANCELLED, "The job was cancelled.",
                              "作业已被取消。");
  }
  return FailedPrecondition(job.failure().reason(), job.failure().message(),
                            job.failure().message_zh());
}

absl::StatusOr<int> JobStarted(Session& session, const Job& job) {
  if (session.json()) {
    PrintJson(job);
    return kSuccess;
  }
  const std::string id(LeafOf(job.name()));
  Print(session.Say("Job " + id + " goes on without you: gonghui job wait " + id + "\n",
                    "作业 " + id + " 在后台进行：可用 gonghui job wait " + id + " 等待\n"));
  return kSuccess;
}

void AddJobCommands(Program& program) {
  auto options = std::make_shared<JobOptions>();
  Session& session = program.session;
  const auto add_background = [&](CLI::App* command) {
    command->add_flag("--background", options->background, "Do not wait for the end");
  };
  CLI::App* verify =
      AddCommand(program.app, "verify", "Prove what is stored", "gonghui verify rollups");
  verify->require_subcommand(1);
  CLI::App* rollups = AddCommand(*verify, "rollups",
                                 "Recount every cell from the facts; exit code 1 if one differs",
                                 "gonghui verify rollups --org T01");
  rollups->add_option("--org", options->organization, "Organisation, with all below it")
      ->type_name("ID");
  add_background(rollups);
  OnRun(rollups, program, [&session, options] { return VerifyRollups(session, *options); });

  CLI::App* rebuild = AddCommand(program.app, "rebuild", "Make anew what can be made from records",
                                 "gonghui rebuild rollups");
  rebuild->require_subcommand(1);
  CLI::App* cells = AddCommand(*rebuild, "rollups", "All cells of the federation from its facts",
                               "gonghui rebuild rollups --background");
  add_background(cells);
  OnRun(cells, program, [&session, options] { return RebuildRollups(session, *options); });

  CLI::App* job = AddCommand(program.app, "job", "Long work on the server", "gonghui job list");
  job->require_subcommand(1);
  CLI::App* list = AddCommand(*job, "list", "Jobs, newest first", "gonghui job list");
  list->add_option("--org", options->organization, "Only jobs of this organisation")
      ->type_name("ID");
  OnRun(list, program, [&session, options] { return List(session, *options); });
  const auto add_id = [&](CLI::App* command) {
    command->add_option("job", options->id, "As 'gonghui job list' shows it")
        ->required()
        ->type_name("ID");
  };
  CLI::App* show = AddCommand(*job, "show", "One job", "gonghui job show ID");
  add_id(show);
  OnRun(show, program, [&session, options] { return Show(session, *options, false); });
  CLI::App* wait = AddCommand(*job, "wait", "Wait for its end", "gonghui job wait ID");
  add_id(wait);
  OnRun(wait, program, [&session, options] { return Show(session, *options, true); });
  CLI::App* cancel = AddCommand(*job, "cancel", "Ask it to stop", "gonghui job cancel ID");
  add_id(cancel);
  OnRun(cancel, program, [&session, options] { return Cancel(session, *options); });
}

}  // namespace gonghui::cli
