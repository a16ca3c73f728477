// gonghui member change: the same for all members that a filter selects.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/id.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "gonghui/membership/v1/member_filter.pb.h"
#include "services/cli/job_commands.h"
#include "services/cli/member_filter_options.h"
#include "services/cli/program.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

namespace v1 = membership::v1;

constexpr char kMethod[] = "/gonghui.membership.v1.MemberFilterService/ChangeMembers";
constexpr char kJobs[] = "gonghui.membership.v1.JobService";

struct ChangeOptions {
  std::string organization;
  std::string saved;
  MemberFilterOptions filter;
  std::string add_tag;
  std::string remove_tag;
  std::string transfer_to;
  bool retain = false;
  bool leave = false;
  std::string on;
  std::string reason;
  std::string document;
  int64_t expected = 0;
  bool dry_run = false;
  bool background = false;
};

absl::Status WhatToDo() {
  return InvalidArgument(
      common::v1::REASON_FIELD_REQUIRED,
      "Say one thing to do: --add-tag, --remove-tag, --retain, --leave or --transfer-to; the last "
      "three want --reason, and --retain and --leave want --on.",
      "请指定一项操作：--add-tag、--remove-tag、--retain、--leave 或 --transfer-to；后三项须填 "
      "--reason，保留会籍和离会还须填 --on。");
}

absl::StatusOr<v1::MemberChange> ChangeOf(const ChangeOptions& options) {
  const int things = !options.add_tag.empty() + !options.remove_tag.empty() + options.retain +
                     options.leave + !options.transfer_to.empty();
  const bool dated = options.retain || options.leave;
  const bool reasoned = dated || !options.transfer_to.empty();
  if (things != 1 || (dated && options.on.empty()) || (reasoned && options.reason.empty())) {
    return WhatToDo();
  }
  v1::MemberChange change;
  if (!options.add_tag.empty()) {
    change.set_add_tag(options.add_tag);
  } else if (!options.remove_tag.empty()) {
    change.set_remove_tag(options.remove_tag);
  } else if (options.retain) {
    change.mutable_retain()->set_retained_from(options.on);
    change.mutable_retain()->set_reason(options.reason);
  } else if (options.leave) {
    change.mutable_leave()->set_left_on(options.on);
    change.mutable_leave()->set_reason(options.reason);
    change.mutable_leave()->set_document(options.document);
  } else {
    change.mutable_transfer()->set_target(options.transfer_to);
    change.mutable_transfer()->set_effective_on(options.on);
    change.mutable_transfer()->set_reason(options.reason);
  }
  return change;
}

void ShowPreview(const Session& session, const v1::ChangeMembersResponse& answer) {
  Table table({session.Say("member", "会员编号"), session.Say("name", "姓名"),
               session.Say("organisation", "工会"), session.Say("joined", "入会")});
  for (const v1::Member& member : answer.members()) {
    table.Add({std::string(LeafOf(member.name())), member.full_name(), member.organization(),
               member.joined_on()});
  }
  if (!table.empty()) Print(table.Text());
  const std::string count = absl::StrCat(answer.selected());
  Print(session.Say(count + " members selected; nothing was changed. Do it with --expected " +
                        count + " in place of --dry-run.\n",
                    "选中会员 " + count + " 人，未作改动。确认后将 --dry-run 换成 --expected " +
                        count + " 执行。\n"));
}

int ShowDone(const Session& session, const v1::ChangeMembersResponse& answer) {
  Table table({session.Say("member", "会员编号"), session.Say("not changed because", "未改原因")});
  for (const v1::MemberFailure& failure : answer.failures()) {
    table.Add({std::string(LeafOf(failure.member())),
               session.Say(failure.message(), failure.message_zh())});
  }
  if (!table.empty()) Print(table.Text());
  const std::string selected = absl::StrCat(answer.selected());
  const std::string changed = absl::StrCat(answer.changed());
  Print(session.Say(selected + " members selected, " + changed + " changed\n",
                    "选中 " + selected + " 人，已改 " + changed + " 人\n"));
  return answer.failures().empty() ? kSuccess : kRejected;
}

absl::StatusOr<int> Change(Session& session, const ChangeOptions& options) {
  v1::ChangeMembersRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  ASSIGN_OR_RETURN(*request.mutable_change(), ChangeOf(options));
  request.set_organization(options.organization);
  if (options.saved.empty()) {
    *request.mutable_filter() = options.filter.Filter();
  } else {
    ASSIGN_OR_RETURN(*request.mutable_saved_filter(),
                     session.NameOf("memberFilters", options.saved));
  }
  request.set_validate_only(options.dry_run);
  request.set_expected(options.expected);
  if (!options.dry_run) request.set_request_id(NewId(absl::Now()));
  ASSIGN_OR_RETURN(auto answer, session.Invoke<v1::ChangeMembersResponse>(kMethod, request));
  if (answer.has_job()) {
    if (options.background) return JobStarted(session, answer.job());
    ASSIGN_OR_RETURN(const common::v1::Job job, AwaitJob(session, answer.job(), kJobs));
    ASSIGN_OR_RETURN(answer, ResultOf<v1::ChangeMembersResponse>(job));
  }
  if (session.json()) {
    PrintJson(answer);
    return answer.failures().empty() ? kSuccess : kRejected;
  }
  if (!options.dry_run) return ShowDone(session, answer);
  ShowPreview(session, answer);
  return kSuccess;
}

}  // namespace

void AddMemberChange(Program& program, CLI::App& member) {
  auto options = std::make_shared<ChangeOptions>();
  CLI::App* change = AddCommand(
      member, "change", "Do the same with all members that a filter selects; look first",
      "gonghui member change --org T01 --sex female --tag courier --add-tag domestic --dry-run\n"
      "  gonghui member change --org E02 --transfer-to E03 --reason 调动 --expected 120\n"
      "  gonghui member change --org T01 --filter ID --retain --on 2020-05-01 --reason 失业");
  change->add_option("--org", options->organization, "With everything below it")
      ->type_name("ID")
      ->required();
  change->add_option("--filter", options->saved, "A kept selection, as 'gonghui filter list' shows")
      ->type_name("ID");
  options->filter.AddStatesTo(change);
  options->filter.AddTo(change);
  options->filter.AddNameTo(change);
  change->add_option("--add-tag", options->add_tag, "Add this group of workers");
  change->add_option("--remove-tag", options->remove_tag, "Take this group away");
  change->add_flag("--retain", options->retain, "Keep the memberships without dues and vote");
  change->add_flag("--leave", options->leave, "End the memberships");
  change->add_option("--transfer-to", options->transfer_to, "Propose transfers there")
      ->type_name("ID");
  change->add_option("--on", options->on, "Day of it")->type_name("DATE");
  change->add_option("--reason", options->reason, "Code or label of the reason");
  change->add_option("--document", options->document, "Number of the resolution, to expel");
  change->add_flag("--dry-run", options->dry_run, "Tell how many and who; change nothing");
  change->add_option("--expected", options->expected, "As many as the dry run told, else refuse")
      ->check(CLI::NonNegativeNumber);
  change->add_flag("--background", options->background, "Do not wait for the end");
  OnRun(change, program,
        [&session = program.session, options] { return Change(session, *options); });
}

}  // namespace gonghui::cli
