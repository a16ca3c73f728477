// gonghui tree: the organisations in their places.
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/china_time.h"
#include "common/base/date.h"
#include "common/base/status.h"
#include "gonghui/membership/v1/organization.pb.h"
#include "services/cli/program.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

struct TreeOptions {
  std::string organization;
  std::string at;
  std::string known_at;
  int depth = 0;
};

// An instant as RFC 3339, or the end of a civil day where the federations are.
absl::StatusOr<int64_t> ParseInstant(const std::string& text) {
  if (text.empty()) return 0;
  absl::Time time;
  std::string error;
  if (absl::ParseTime(absl::RFC3339_full, text, &time, &error)) return absl::ToUnixMicros(time);
  ASSIGN_OR_RETURN(const absl::CivilDay day, ParseDate(text));
  return DayBeginsMicros(day + 1) - 1;
}

absl::StatusOr<int> Tree(Session& session, const TreeOptions& options) {
  membership::v1::GetTreeRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_valid_at(options.at);
  request.set_depth(options.depth);
  ASSIGN_OR_RETURN(const int64_t known_at_us, ParseInstant(options.known_at));
  request.set_known_at_us(known_at_us);
  ASSIGN_OR_RETURN(const auto answer,
                   session.Invoke<membership::v1::GetTreeResponse>(
                       "/gonghui.membership.v1.OrganizationService/GetTree", request));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  Table table({session.Say("organization", "组织"), session.Say("name", "名称"),
               session.Say("kind", "类型"), session.Say("state", "状态"),
               session.Say(">below", ">下级数")});
  for (const auto& node : answer.nodes()) {
    const auto& organization = node.organization();
    table.Add({std::string(2 * node.depth(), ' ') + organization.id(), organization.display_name(),
               organization.kind(), organization.state(), absl::StrCat(node.descendants())});
  }
  Print(table.Text());
  return kSuccess;
}

}  // namespace

void AddTreeCommands(Program& program) {
  auto options = std::make_shared<TreeOptions>();
  CLI::App* tree = AddCommand(program.app, "tree", "The organisation tree, today or at any date",
                              "gonghui tree --org D01 --at 2020-03-31 --depth 1");
  tree->add_option("--org", options->organization, "Top; default: the root")->type_name("ID");
  tree->add_option("--at", options->at, "As it was on this date; default: today")
      ->type_name("DATE");
  tree->add_option("--known-at", options->known_at, "As it was known then; default: now")
      ->type_name("TIME");
  tree->add_option("--depth", options->depth, "Levels below the top; 0: all")
      ->check(CLI::Range(0, 100));
  OnRun(tree, program, [&program, options] { return Tree(program.session, *options); });
}

}  // namespace gonghui::cli
