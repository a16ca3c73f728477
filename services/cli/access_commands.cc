// gonghui access: personal data in clear, who saw whom, and why a call is allowed.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/china_time.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "gonghui/membership/v1/access.pb.h"
#include "services/cli/program.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

namespace v1 = membership::v1;

constexpr char kService[] = "/gonghui.membership.v1.AccessService/";

struct AccessOptions {
  std::string member;
  std::string field;
  std::string purpose;
  std::string remark;
  std::string actor;
  std::string from;
  std::string to;
  std::string permission;
  std::string organization;
  int limit = 50;
};

template <typename Response, typename Request>
absl::StatusOr<Response> Ask(Session& session, const char* method, const Request& request) {
  return session.Invoke<Response>(absl::StrCat(kService, method), request);
}

absl::StatusOr<std::string> MemberOf(const Session& session, const std::string& id) {
  ASSIGN_OR_RETURN(const std::string parent, session.Parent());
  return StrCat(parent, "/members/", LeafOf(id));
}

absl::StatusOr<int> Reveal(Session& session, const AccessOptions& options) {
  v1::RevealFieldRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), MemberOf(session, options.member));
  request.set_field(options.field);
  request.set_purpose(options.purpose);
  request.set_remark(options.remark);
  ASSIGN_OR_RETURN(const auto answer,
                   Ask<v1::RevealFieldResponse>(session, "RevealField", request));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  Print(answer.value() + "\n");
  const std::string sequence = absl::StrCat(answer.sequence());
  PrintNote(
      session.Say("Logged as access " + sequence + ".", "已记入查阅日志第 " + sequence + " 号。"));
  return kSuccess;
}

std::string KindWord(const Session& session, v1::AccessKind kind) {
  switch (kind) {
    case v1::ACCESS_KIND_READ:
      return session.Say("read", "查看");
    case v1::ACCESS_KIND_LIST:
      return session.Say("list", "列表");
    case v1::ACCESS_KIND_REVEAL:
      return session.Say("reveal", "明文");
    default:
      return session.Say("export", "导出");
  }
}

absl::StatusOr<int> Log(Session& session, const AccessOptions& options) {
  v1::ListAccessesRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  if (!options.member.empty()) {
    ASSIGN_OR_RETURN(*request.mutable_member(), MemberOf(session, options.member));
  }
  request.set_actor(options.actor);
  request.set_from_date(options.from);
  request.set_to_date(options.to);
  request.set_page_size(options.limit);
  ASSIGN_OR_RETURN(const auto answer,
                   Ask<v1::ListAccessesResponse>(session, "ListAccesses", request));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  Table table({session.Say(">no.", ">序号"), session.Say("at", "时间"), session.Say("how", "方式"),
               session.Say("who", "查阅人"), session.Say("member", "会员编号"),
               session.Say("field", "字段"), session.Say("purpose", "目的"),
               session.Say("remark", "备注"), session.Say(">times", ">次数")});
  for (const v1::Access& access : answer.accesses()) {
    table.Add({absl::StrCat(access.sequence()), ChinaTimeText(access.at_us()),
               KindWord(session, access.kind()), access.actor(),
               std::string(LeafOf(access.member())), access.field(), access.purpose(),
               access.remark(), absl::StrCat(access.times())});
  }
  Print(table.Text());
  if (!answer.next_page_token().empty()) {
    PrintNote(session.Say("There are more: --limit shows them.", "还有更多：用 --limit 显示。"));
  }
  return kSuccess;
}

absl::StatusOr<int> Verify(Session& session, const AccessOptions&) {
  v1::VerifyAccessesRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  int64_t entries = 0;
  v1::VerifyAccessesResponse answer;
  do {
    ASSIGN_OR_RETURN(answer, Ask<v1::VerifyAccessesResponse>(session, "VerifyAccesses", request));
    entries += answer.entries();
    request.set_from_sequence(answer.next_sequence());
  } while (answer.next_sequence() != 0);
  const bool good = answer.first_bad() == 0;
  if (session.json()) {
    PrintJson(answer);
  } else if (good) {
    const std::string count = absl::StrCat(entries);
    Print(session.Say(count + " entries, none changed; digest " + answer.digest() + "\n",
                      "日志 " + count + " 条，未被改动；摘要 " + answer.digest() + "\n"));
  } else {
    const std::string bad = absl::StrCat(answer.first_bad());
    Print(session.Say("entry " + bad + " is " + answer.fault() + "\n",
                      "第 " + bad + " 条异常：" + answer.fault() + "\n"));
  }
  return good ? kSuccess : kRejected;
}

std::string VerdictWord(const Session& session, v1::GrantVerdict verdict) {
  switch (verdict) {
    case v1::GRANT_VERDICT_ALLOWS:
      return session.Say("allows", "允许");
    case v1::GRANT_VERDICT_NOT_IN_FORCE:
      return session.Say("not in force", "不在有效期");
    case v1::GRANT_VERDICT_ROLE_LACKS_PERMISSION:
      return session.Say("role lacks the permission", "角色不含此权限");
    default:
      return session.Say("elsewhere", "范围不含该组织");
  }
}

absl::StatusOr<int> Explain(Session& session, const AccessOptions& options) {
  v1::ExplainAccessRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_permission(options.permission);
  request.set_organization(options.organization);
  ASSIGN_OR_RETURN(const auto answer,
                   Ask<v1::ExplainAccessResponse>(session, "ExplainAccess", request));
  const int code = answer.allowed() ? kSuccess : kRejected;
  if (session.json()) {
    PrintJson(answer);
    return code;
  }
  Print(answer.allowed() ? session.Say("allowed\n", "允许\n")
                         : session.Say("refused\n", "不允许\n"));
  Table table({session.Say("role", "角色"), session.Say("at", "组织"),
               session.Say("below", "含下级"), session.Say("verdict", "结论")});
  for (const v1::ExplainedGrant& one : answer.grants()) {
    table.Add({one.grant().role(), one.grant().organization(), one.grant().below() ? "✓" : "",
               VerdictWord(session, one.verdict())});
  }
  Print(table.Text());
  std::string roles;
  for (const std::string& role : answer.roles()) StrAppend(&roles, " ", role);
  PrintNote(session.Say("Roles with this permission:" + roles, "含此权限的角色：" + roles));
  return code;
}

}  // namespace

void AddAccessCommands(Program& program) {
  auto options = std::make_shared<AccessOptions>();
  CLI::App* access =
      AddCommand(program.app, "access", "Personal data in clear, and the log of who saw it",
                 "gonghui access reveal MEMBER id_number --purpose verification");
  access->require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& description,
                       const std::string& example,
                       absl::StatusOr<int> (*run)(Session&, const AccessOptions&)) {
    CLI::App* command = AddCommand(*access, name, description, example);
    OnRun(command, program,
          [&session = program.session, options, run] { return run(session, *options); });
    return command;
  };
  CLI::App* reveal =
      add("reveal", "Show a masked field of a member; the access is logged with its purpose",
          "gonghui access reveal MEMBER phone --purpose contact", Reveal);
  reveal->add_option("MEMBER", options->member, "As the list shows it")
      ->type_name("ID")
      ->required();
  reveal->add_option("FIELD", options->field, "id_number, phone or birth_date")->required();
  reveal->add_option("--purpose", options->purpose, "What for: verification, contact, …")
      ->required();
  reveal->add_option("--remark", options->remark, "Needed with the purpose other");
  CLI::App* log = add("log", "List who saw which member, newest first",
                      "gonghui access log --member ID --from 2021-01-01", Log);
  log->add_option("--member", options->member, "Only of this member");
  log->add_option("--actor", options->actor, "Only by this caller");
  log->add_option("--from", options->from, "First day");
  log->add_option("--to", options->to, "Last day");
  log->add_option("--limit", options->limit, "At most so many");
  add("verify", "Compute the digests of the whole log again", "gonghui access verify", Verify);
  CLI::App* explain = add("explain", "Say why your grants allow a permission or do not",
                          "gonghui access explain membership.members.get --org T01", Explain);
  explain->add_option("PERMISSION", options->permission, "As refusals name it")->required();
  explain->add_option("--org", options->organization, "Organisation; none: the whole federation");
}

}  // namespace gonghui::cli
