// gonghui federation: create and read federations.
#include <memory>

#include "absl/time/clock.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "gonghui/membership/v1/federation.pb.h"
#include "services/cli/program.h"

namespace gonghui::cli {
namespace {

constexpr char kService[] = "/gonghui.membership.v1.FederationService/";

void Show(const Session& session, const membership::v1::Federation& federation) {
  if (session.json()) return PrintJson(federation);
  Print(federation.name() + "  " + federation.display_name() + "\n");
}

absl::StatusOr<int> Create(Session& session, const std::string& id, const std::string& name) {
  membership::v1::CreateFederationRequest request;
  request.set_federation_id(id);
  request.mutable_federation()->set_display_name(name);
  request.set_request_id(ContentId("federation\n" + id + "\n" + name));
  ASSIGN_OR_RETURN(const auto federation, session.Invoke<membership::v1::Federation>(
                                              std::string(kService) + "CreateFederation", request));
  Show(session, federation);
  return kSuccess;
}

absl::StatusOr<int> Get(Session& session, const std::string& id) {
  membership::v1::GetFederationRequest request;
  request.set_name("federations/" + id);
  ASSIGN_OR_RETURN(const auto federation, session.Invoke<membership::v1::Federation>(
                                              std::string(kService) + "GetFederation", request));
  Show(session, federation);
  return kSuccess;
}

}  // namespace

void AddFederationCommands(Program& program) {
  struct Options {
    std::string id;
    std::string name;
  };
  auto options = std::make_shared<Options>();
  CLI::App* group = AddCommand(program.app, "federation", "Create and read federations",
                               "gonghui federation get demo");
  group->require_subcommand(1);
  CLI::App* create = AddCommand(*group, "create", "Create a federation",
                                "gonghui federation create demo --name 示范区总工会");
  create->add_option("ID", options->id, "Id: lower case, digits, hyphens")->required();
  create->add_option("--name", options->name, "Name as people read it")->required();
  OnRun(create, program,
        [&program, options] { return Create(program.session, options->id, options->name); });
  CLI::App* get = AddCommand(*group, "get", "Read a federation", "gonghui federation get demo");
  get->add_option("ID", options->id, "Id of the federation")->required();
  OnRun(get, program, [&program, options] { return Get(program.session, options->id); });
}

}  // namespace gonghui::cli
