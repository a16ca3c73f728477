// gonghui wait: until the figures hold everything.
#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/base/status.h"
#include "gonghui/reports/v1/report.pb.h"
#include "services/cli/program.h"

namespace gonghui::cli {
namespace {

namespace v1 = reports::v1;

constexpr char kService[] = "/gonghui.reports.v1.ReportService/";
constexpr absl::Duration kPollEvery = absl::Milliseconds(100);
constexpr absl::Duration kFreshFor = absl::Seconds(1);  // Several polls of a follower.

struct ReportOptions {
  int timeout_seconds = 120;
};

// True when reports has taken over everything. STATE_FORBIDS when a source stands still.
absl::StatusOr<bool> IsFresh(Session& session, const v1::GetFreshnessRequest& request) {
  ASSIGN_OR_RETURN(const auto answer, session.Invoke<v1::GetFreshnessResponse>(
                                          std::string(kService) + "GetFreshness", request));
  bool fresh = true;
  for (const v1::Freshness& source : answer.sources()) {
    if (!source.error().empty()) {
      return FailedPrecondition(
          common::v1::REASON_STATE_FORBIDS,
          absl::StrCat("Reports cannot read change ", source.applied() + 1, " of ", source.source(),
                       ": ", source.error(), ". The server's log names the cause."),
          absl::StrCat("报表无法读取 ", source.source(), " 的第 ", source.applied() + 1,
                       " 项变更：", source.error(), "。原因见服务器日志。"));
    }
    fresh &= source.applied() >= source.head();
  }
  return fresh;
}

absl::StatusOr<int> Wait(Session& session, const ReportOptions& options) {
  v1::GetFreshnessRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  const absl::Time start = absl::Now();
  const absl::Time limit = start + absl::Seconds(options.timeout_seconds);
  // A source's head is as old as the follower's last look at it, so one good answer proves nothing.
  absl::Time fresh_since = absl::InfiniteFuture();
  while (true) {
    ASSIGN_OR_RETURN(const bool fresh, IsFresh(session, request));
    const absl::Time now = absl::Now();
    fresh_since = fresh ? std::min(fresh_since, now) : absl::InfiniteFuture();
    if (now - fresh_since >= kFreshFor) break;
    if (now > limit) {
      return DeadlineExceeded(
          absl::StrCat("Reports has not taken over every change within ", options.timeout_seconds,
                       " s. Wait longer with --timeout."),
          absl::StrCat("报表在 ", options.timeout_seconds,
                       " 秒内未跟上全部变更，请用 --timeout 延长等待。"));
    }
    absl::SleepFor(kPollEvery);
  }
  const std::string seconds = absl::StrCat(absl::ToInt64Milliseconds(absl::Now() - start), " ms");
  Print(session.Say("Reports holds every change (waited " + seconds + ")\n",
                    "报表已包含全部变更（等待 " + seconds + "）\n"));
  return kSuccess;
}

}  // namespace

void AddReportCommands(Program& program) {
  auto options = std::make_shared<ReportOptions>();
  Session& session = program.session;
  CLI::App* wait =
      AddCommand(program.app, "wait", "Wait until figures hold everything that was written",
                 "gonghui wait --timeout 300");
  wait->add_option("--timeout", options->timeout_seconds, "Seconds")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str();
  OnRun(wait, program, [&session, options] { return Wait(session, *options); });
}

}  // namespace gonghui::cli
