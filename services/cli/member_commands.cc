// gonghui member: one member's life, lists, duplicates.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/id.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "gonghui/membership/v1/member.pb.h"
#include "gonghui/membership/v1/member_history.pb.h"
#include "gonghui/membership/v1/member_merge.pb.h"
#include "services/cli/member_filter_options.h"
#include "services/cli/paging.h"
#include "services/cli/program.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

namespace v1 = membership::v1;

constexpr char kMembers[] = "/gonghui.membership.v1.MemberService/";
constexpr char kHistory[] = "/gonghui.membership.v1.MemberHistoryService/";
constexpr char kMerges[] = "/gonghui.membership.v1.MemberMergeService/";

struct MemberOptions {
  std::string id;
  std::string other;
  std::string organization;
  std::string state;
  std::string as_of;
  std::string name;
  std::string saved;
  MemberFilterOptions filter;
  PageOptions page;
  std::string period;
  std::string on;
  std::string reason;
  std::string document;
  std::string number;
  std::string birth_date;
  std::vector<std::string> take;
  std::vector<std::string> keep;
  bool dry_run = false;
};

std::string StateWord(const Session& session, const std::string& state) {
  if (state == "active") return session.Say("active", "在会");
  if (state == "retained") return session.Say("retained", "保留会籍");
  if (state == "left") return session.Say("left", "已离会");
  if (state == "merged") return session.Say("merged", "已并入");
  return state;
}

void ShowMembers(const Session& session, const std::vector<v1::Member>& members) {
  Table table({session.Say("member", "会员编号"), session.Say("name", "姓名"),
               session.Say("organisation", "工会"), session.Say("state", "状态"),
               session.Say("joined", "入会"), session.Say("left", "离会"),
               session.Say("seniority from", "会龄起算"), session.Say("number", "证件号码")});
  for (const v1::Member& member : members) {
    table.Add({std::string(LeafOf(member.name())), member.full_name(), member.organization(),
               StateWord(session, member.state()), member.joined_on(), member.left_on(),
               member.seniority_from(), member.id_number()});
  }
  Print(table.Text());
}

absl::StatusOr<int> Shown(const Session& session, const absl::StatusOr<v1::Member>& member) {
  if (!member.ok()) return member.status();
  if (session.json()) {
    PrintJson(*member);
  } else {
    ShowMembers(session, {*member});
  }
  return kSuccess;
}

absl::StatusOr<int> Show(Session& session, const MemberOptions& options) {
  v1::GetMemberRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), session.NameOf("members", options.id));
  request.set_as_of(options.as_of);
  return Shown(session, session.Invoke<v1::Member>(absl::StrCat(kMembers, "GetMember"), request));
}

absl::StatusOr<int> List(Session& session, const MemberOptions& options) {
  v1::ListMembersRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_state(options.state);
  request.set_as_of(options.as_of);
  if (!options.saved.empty()) {
    ASSIGN_OR_RETURN(*request.mutable_saved_filter(),
                     session.NameOf("memberFilters", options.saved));
  }
  if (const v1::MemberFilter filter = options.filter.Filter(); filter.ByteSizeLong() > 0) {
    *request.mutable_filter() = filter;
  }
  std::vector<v1::Member> members;
  RETURN_IF_ERROR(EachPage<v1::ListMembersResponse>(
      session, absl::StrCat(kMembers, "ListMembers"), request, options.page, [&](const auto& page) {
        members.insert(members.end(), page.members().begin(), page.members().end());
        return static_cast<int>(members.size());
      }));
  if (!session.json()) ShowMembers(session, members);
  return kSuccess;
}

std::string KindWord(const Session& session, v1::MemberEventKind kind) {
  switch (kind) {
    case v1::MEMBER_EVENT_KIND_JOINED:
      return session.Say("joined", "入会");
    case v1::MEMBER_EVENT_KIND_LEFT:
      return session.Say("left", "离会");
    case v1::MEMBER_EVENT_KIND_TRANSFERRED:
      return session.Say("transferred", "转会");
    case v1::MEMBER_EVENT_KIND_REORGANISED:
      return session.Say("reorganised", "组织调整");
    case v1::MEMBER_EVENT_KIND_RETAINED:
      return session.Say("retained", "保留会籍");
    case v1::MEMBER_EVENT_KIND_RESUMED:
      return session.Say("resumed", "恢复");
    case v1::MEMBER_EVENT_KIND_CORRECTED:
      return session.Say("corrected", "更正");
    case v1::MEMBER_EVENT_KIND_MERGED:
      return session.Say("merged", "合并");
    default:
      return session.Say("unmerged", "撤回合并");
  }
}

absl::StatusOr<int> Events(Session& session, const MemberOptions& options) {
  v1::ListMemberEventsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.NameOf("members", options.id));
  request.set_page_size(1000);
  ASSIGN_OR_RETURN(const auto answer, session.Invoke<v1::ListMemberEventsResponse>(
                                          absl::StrCat(kHistory, "ListMemberEvents"), request));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  Table table({session.Say("date", "日期"), session.Say("event", "事项"),
               session.Say("organisation", "工会"), session.Say("from", "来自"),
               session.Say("reason", "原因"), session.Say("document", "文号"),
               session.Say("by", "经办")});
  for (const v1::MemberEvent& event : answer.events()) {
    std::string reason = event.reason();
    for (const std::string& field : event.fields()) {
      StrAppend(&reason, reason.empty() ? "" : " ", field);
    }
    table.Add({event.on_date(), KindWord(session, event.kind()), event.organization(),
               event.from_organization(), reason, event.document(), event.actor()});
  }
  Print(table.Text());
  return kSuccess;
}

absl::StatusOr<int> Flow(Session& session, const MemberOptions& options) {
  v1::GetMemberFlowRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_period(options.period);
  ASSIGN_OR_RETURN(const auto flow, session.Invoke<v1::MemberFlow>(
                                        absl::StrCat(kHistory, "GetMemberFlow"), request));
  if (session.json()) {
    PrintJson(flow);
    return kSuccess;
  }
  Table table({session.Say("members of ", "会员 ") + flow.organization(), ">"});
  const auto line = [&](const std::string& en, const std::string& zh, int64_t value) {
    table.Add({session.Say(en, zh), absl::StrCat(value)});
  };
  line("opening " + flow.first_day(), "期初 " + flow.first_day(), flow.opening());
  line("+ joined", "＋ 入会", flow.joined());
  line("+ transferred in", "＋ 转入", flow.transferred_in());
  line("+ in by reorganisations", "＋ 组织调整转入", flow.carried_in());
  line("- transferred out", "－ 转出", flow.transferred_out());
  line("- out by reorganisations", "－ 组织调整转出", flow.carried_out());
  line("- left", "－ 离会", flow.left());
  line("= closing " + flow.last_day(), "＝ 期末 " + flow.last_day(), flow.closing());
  line("(transferred within)", "（内部转会）", flow.transferred_within());
  Print(table.Text());
  return kSuccess;
}

// A change of one member: `fill` sets what the request holds beside name and request_id.
template <typename Request, typename Fill>
absl::StatusOr<int> Change(Session& session, const MemberOptions& options, const char* method,
                           Fill fill) {
  Request request;
  ASSIGN_OR_RETURN(*request.mutable_name(), session.NameOf("members", options.id));
  request.set_request_id(NewId(absl::Now()));
  fill(request);
  return Shown(session, session.Invoke<v1::Member>(absl::StrCat(kMembers, method), request));
}

absl::StatusOr<int> Leave(Session& session, const MemberOptions& options) {
  return Change<v1::LeaveMemberRequest>(session, options, "LeaveMember", [&](auto& request) {
    request.set_left_on(options.on);
    request.set_reason(options.reason);
    request.set_document(options.document);
  });
}

absl::StatusOr<int> Join(Session& session, const MemberOptions& options) {
  return Change<v1::JoinMemberRequest>(session, options, "JoinMember", [&](auto& request) {
    request.set_joined_on(options.on);
    request.set_organization(options.organization);
  });
}

absl::StatusOr<int> Retain(Session& session, const MemberOptions& options) {
  return Change<v1::RetainMemberRequest>(session, options, "RetainMember", [&](auto& request) {
    request.set_retained_from(options.on);
    request.set_reason(options.reason);
  });
}

absl::StatusOr<int> Resume(Session& session, const MemberOptions& options) {
  return Change<v1::ResumeMemberRequest>(
      session, options, "ResumeMember", [&](auto& request) { request.set_resumed_on(options.on); });
}

absl::StatusOr<int> FindDuplicates(Session& session, const MemberOptions& options) {
  v1::FindDuplicatesRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  if (!options.id.empty()) {
    ASSIGN_OR_RETURN(*request.mutable_member_name(), session.NameOf("members", options.id));
  }
  request.mutable_member()->set_full_name(options.name);
  request.mutable_member()->set_id_number(options.number);
  request.mutable_member()->set_birth_date(options.birth_date);
  ASSIGN_OR_RETURN(const auto answer, session.Invoke<v1::FindDuplicatesResponse>(
                                          absl::StrCat(kMerges, "FindDuplicates"), request));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  Table table({session.Say(">likeness", ">相似度"), session.Say("member", "会员编号"),
               session.Say("name", "姓名"), session.Say("organisation", "工会"),
               session.Say("number", "证件号码")});
  for (const v1::Duplicate& found : answer.duplicates()) {
    const v1::Member& member = found.member();
    table.Add({absl::StrCat(found.score()), std::string(LeafOf(member.name())), member.full_name(),
               member.organization(), member.id_number()});
  }
  if (table.empty()) {
    PrintNote(session.Say("Nobody who may be the same person.", "未发现疑似同一人。"));
  } else {
    Print(table.Text());
  }
  return kSuccess;
}

absl::StatusOr<int> Merge(Session& session, const MemberOptions& options) {
  v1::MergeMembersRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  ASSIGN_OR_RETURN(*request.mutable_survivor(), session.NameOf("members", options.id));
  ASSIGN_OR_RETURN(*request.mutable_absorbed(), session.NameOf("members", options.other));
  request.mutable_take_absorbed()->Assign(options.take.begin(), options.take.end());
  request.mutable_keep_survivor()->Assign(options.keep.begin(), options.keep.end());
  request.set_validate_only(options.dry_run);
  if (!options.dry_run) request.set_request_id(NewId(absl::Now()));
  ASSIGN_OR_RETURN(const auto merge,
                   session.Invoke<v1::MemberMerge>(absl::StrCat(kMerges, "MergeMembers"), request));
  if (session.json()) {
    PrintJson(merge);
    return kSuccess;
  }
  Table table({session.Say("differs in", "不一致项"), session.Say("survivor", "保留方"),
               session.Say("absorbed", "被并方")});
  for (const v1::MergeConflict& conflict : merge.conflicts()) {
    table.Add({conflict.field(), conflict.survivor(), conflict.absorbed()});
  }
  if (!table.empty()) Print(table.Text());
  ShowMembers(session, {merge.merged()});
  if (!options.dry_run) {
    const std::string undo = StrCat("gonghui member unmerge ", LeafOf(merge.name()));
    PrintNote(session.Say("Taken back by: " + undo, "如需撤回：" + undo));
  }
  return kSuccess;
}

absl::StatusOr<int> Unmerge(Session& session, const MemberOptions& options) {
  v1::UnmergeMembersRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), session.NameOf("memberMerges", options.id));
  request.set_request_id(NewId(absl::Now()));
  ASSIGN_OR_RETURN(const auto merge, session.Invoke<v1::MemberMerge>(
                                         absl::StrCat(kMerges, "UnmergeMembers"), request));
  if (session.json()) {
    PrintJson(merge);
  } else {
    ShowMembers(session, {merge.merged()});
  }
  return kSuccess;
}

struct Group {
  Program& program;
  CLI::App& app;
  std::shared_ptr<MemberOptions> options = std::make_shared<MemberOptions>();

  CLI::App* Add(const std::string& name, const std::string& description, const std::string& example,
                absl::StatusOr<int> (*run)(Session&, const MemberOptions&)) {
    CLI::App* command = AddCommand(app, name, description, example);
    OnRun(command, program,
          [&session = program.session, options = options, run] { return run(session, *options); });
    return command;
  }
  CLI::App* OfOne(const std::string& name, const std::string& description,
                  const std::string& example,
                  absl::StatusOr<int> (*run)(Session&, const MemberOptions&)) {
    CLI::App* command = Add(name, description, example, run);
    command->add_option("MEMBER", options->id, "As 'gonghui member list' shows it")
        ->type_name("ID")
        ->required();
    return command;
  }
  void Date(CLI::App* command, const std::string& description) {
    command->add_option("--on", options->on, description)->type_name("DATE")->required();
  }
  void Reason(CLI::App* command) {
    command->add_option("--reason", options->reason, "Code or label of the reason")->required();
  }
  void Organization(CLI::App* command, const std::string& description) {
    command->add_option("--org", options->organization, description)->type_name("ID");
  }
};

void AddReads(Group& group) {
  MemberOptions& options = *group.options;
  CLI::App* show = group.OfOne("show", "One member, now or as of a day",
                               "gonghui member show ID --as-of 2020-05-01", Show);
  show->add_option("--as-of", options.as_of, "Organisation and state of that day")
      ->type_name("DATE");
  CLI::App* list = group.Add("list", "Members, by organisation and filter",
                             "gonghui member list --org T01 --name zhang --tag courier", List);
  group.Organization(list, "With everything below it");
  list->add_option("--state", options.state, "active, retained, left or all");
  list->add_option("--as-of", options.as_of, "Who was a member on that day")->type_name("DATE");
  list->add_option("--filter", options.saved, "A kept selection, as 'gonghui filter list' shows it")
      ->type_name("ID");
  options.filter.AddNameTo(list);
  options.filter.AddTo(list);
  options.page.AddTo(list);
  group.OfOne("events", "What happened to a member, with date, reason and who recorded it",
              "gonghui member events ID", Events);
  CLI::App* flow = group.Add("flow", "Opening + joined + in - out - left = closing",
                             "gonghui member flow --org T01 --period 2020H1", Flow);
  group.Organization(flow, "With everything below it");
  flow->add_option("--period", options.period, "2020, 2020H1, 2020Q2 or 2020-05")->required();
}

void AddChanges(Group& group) {
  MemberOptions& options = *group.options;
  CLI::App* leave = group.OfOne("leave", "End a membership",
                                "gonghui member leave ID --on 2020-05-01 --reason retired", Leave);
  group.Date(leave, "First day without membership");
  group.Reason(leave);
  leave->add_option("--document", options.document, "Number of the resolution, to expel");
  CLI::App* join = group.OfOne("join", "Take a former member in again",
                               "gonghui member join ID --org E02 --on 2020-08-01", Join);
  group.Organization(join, "Where the person joins");
  group.Date(join, "First day of membership");
  CLI::App* retain =
      group.OfOne("retain", "Keep a membership without dues and vote",
                  "gonghui member retain ID --on 2020-05-01 --reason unemployed", Retain);
  group.Date(retain, "First day of it");
  group.Reason(retain);
  CLI::App* resume = group.OfOne("resume", "End the retention",
                                 "gonghui member resume ID --on 2020-09-01", Resume);
  group.Date(resume, "First day as an active member again");
}

void AddMerging(Group& group) {
  MemberOptions& options = *group.options;
  CLI::App* find =
      group.Add("duplicates", "Who may be the same person",
                "gonghui member duplicates --name 张三 --birth 1980-01-01", FindDuplicates);
  find->add_option("--member", options.id, "A registered member")->type_name("ID");
  find->add_option("--name", options.name, "Name");
  find->add_option("--number", options.number, "Identity number, also a damaged or old one");
  find->add_option("--birth", options.birth_date, "Birth date")->type_name("DATE");
  CLI::App* merge =
      group.Add("merge", "Make one member of two records of one person",
                "gonghui member merge SURVIVOR ABSORBED --take phone --keep '*' --dry-run", Merge);
  merge->add_option("SURVIVOR", options.id, "Record that goes on")->type_name("ID")->required();
  merge->add_option("ABSORBED", options.other, "Record that ends")->type_name("ID")->required();
  merge->add_option("--take", options.take, "Fields whose absorbed value holds")->delimiter(',');
  merge->add_option("--keep", options.keep, "Fields whose survivor's value holds; '*': the others")
      ->delimiter(',');
  merge->add_flag("--dry-run", options.dry_run, "Show in what they differ");
  CLI::App* unmerge =
      group.Add("unmerge", "Take a merger back", "gonghui member unmerge ID", Unmerge);
  unmerge->add_option("MERGER", options.id, "As 'member merge' answered it")
      ->type_name("ID")
      ->required();
}

}  // namespace

void AddMemberCommands(Program& program) {
  CLI::App* member =
      AddCommand(program.app, "member", "Members and what becomes of them", "gonghui member list");
  member->require_subcommand(1);
  Group group{program, *member};
  AddReads(group);
  AddChanges(group);
  AddMerging(group);
  AddMemberChange(program, *member);
}

}  // namespace gonghui::cli
