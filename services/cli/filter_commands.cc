// gonghui filter: selections of members that are kept and shared.
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
#include "gonghui/membership/v1/member_filter.pb.h"
#include "services/cli/member_filter_options.h"
#include "services/cli/paging.h"
#include "services/cli/program.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

namespace v1 = membership::v1;

constexpr char kService[] = "/gonghui.membership.v1.MemberFilterService/";

struct FilterOptions {
  std::string id;
  std::string organization;
  std::string title;
  MemberFilterOptions filter;
  PageOptions page;
};

// What a filter selects, in one line.
std::string Selection(const v1::MemberFilter& filter) {
  std::vector<std::string> parts;
  const auto add = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) parts.push_back(absl::StrCat(name, "=", value));
  };
  add("state", absl::StrJoin(filter.states(), ","));
  add("tag", absl::StrJoin(filter.group_tags(), ","));
  add("sex", filter.sex());
  add("employment", filter.employment());
  add("joined-from", filter.joined_from());
  add("joined-to", filter.joined_to());
  return absl::StrJoin(parts, " ");
}

void ShowAll(const Session& session, const std::vector<v1::SavedMemberFilter>& filters) {
  Table table({session.Say("filter", "筛选编号"), session.Say("title", "名称"),
               session.Say("organisation", "工会"), session.Say("selects", "条件"),
               session.Say("by", "保存人")});
  for (const v1::SavedMemberFilter& filter : filters) {
    table.Add({std::string(LeafOf(filter.name())), filter.title(), filter.organization(),
               Selection(filter.filter()), filter.actor()});
  }
  Print(table.Text());
}

absl::StatusOr<int> Shown(const Session& session,
                          const absl::StatusOr<v1::SavedMemberFilter>& filter) {
  if (!filter.ok()) return filter.status();
  if (session.json()) {
    PrintJson(*filter);
  } else {
    ShowAll(session, {*filter});
  }
  return kSuccess;
}

absl::StatusOr<int> Save(Session& session, const FilterOptions& options) {
  v1::CreateMemberFilterRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.mutable_filter()->set_organization(options.organization);
  request.mutable_filter()->set_title(options.title);
  *request.mutable_filter()->mutable_filter() = options.filter.Filter();
  request.set_request_id(NewId(absl::Now()));
  return Shown(session, session.Invoke<v1::SavedMemberFilter>(
                            absl::StrCat(kService, "CreateMemberFilter"), request));
}

absl::StatusOr<int> Show(Session& session, const FilterOptions& options) {
  v1::GetMemberFilterRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), session.NameOf("memberFilters", options.id));
  return Shown(session, session.Invoke<v1::SavedMemberFilter>(
                            absl::StrCat(kService, "GetMemberFilter"), request));
}

absl::StatusOr<int> Forget(Session& session, const FilterOptions& options) {
  v1::DeleteMemberFilterRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), session.NameOf("memberFilters", options.id));
  request.set_request_id(NewId(absl::Now()));
  return Shown(session, session.Invoke<v1::SavedMemberFilter>(
                            absl::StrCat(kService, "DeleteMemberFilter"), request));
}

absl::StatusOr<int> List(Session& session, const FilterOptions& options) {
  v1::ListMemberFiltersRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  std::vector<v1::SavedMemberFilter> filters;
  RETURN_IF_ERROR(EachPage<v1::ListMemberFiltersResponse>(
      session, absl::StrCat(kService, "ListMemberFilters"), request, options.page,
      [&](const auto& page) {
        filters.insert(filters.end(), page.filters().begin(), page.filters().end());
        return static_cast<int>(filters.size());
      }));
  if (!session.json()) ShowAll(session, filters);
  return kSuccess;
}

}  // namespace

void AddFilterCommands(Program& program) {
  auto options = std::make_shared<FilterOptions>();
  CLI::App* filter =
      AddCommand(program.app, "filter", "Selections of members that are kept and shared at a level",
                 "gonghui filter list --org T01");
  filter->require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& description,
                       const std::string& example,
                       absl::StatusOr<int> (*run)(Session&, const FilterOptions&)) {
    CLI::App* command = AddCommand(*filter, name, description, example);
    OnRun(command, program,
          [&session = program.session, options, run] { return run(session, *options); });
    return command;
  };
  const auto with_id = [&](CLI::App* command) {
    command->add_option("FILTER", options->id, "As 'gonghui filter list' shows it")
        ->type_name("ID")
        ->required();
  };
  CLI::App* save =
      add("save", "Keep a selection for everybody who works for an organisation",
          "gonghui filter save --org T01 --title 女快递员 --tag courier --sex female", Save);
  save->add_option("--org", options->organization, "Where it is shared")
      ->type_name("ID")
      ->required();
  save->add_option("--title", options->title, "What people call it")->required();
  options->filter.AddStatesTo(save);
  options->filter.AddTo(save);
  CLI::App* list = add("list", "Selections of an organisation and those above it",
                       "gonghui filter list --org T01", List);
  list->add_option("--org", options->organization, "Default: the whole federation's")
      ->type_name("ID");
  options->page.AddTo(list);
  with_id(add("show", "One selection", "gonghui filter show ID", Show));
  with_id(add("forget", "Keep it no longer", "gonghui filter forget ID", Forget));
}

}  // namespace gonghui::cli
