#include "services/cli/program.h"

#include <cstdio>

#include "common/base/log.h"
#include "common/base/status.h"

namespace gonghui::cli {

Program::Program()
    : app("gonghui: a trade-union federation's registry, funds, activities, cases and figures",
          "gonghui"),
      session(&globals) {
  app.fallthrough();
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("gonghui ") + kVersion);
  app.add_option("--server", globals.server, "Server (HOST:PORT, https://HOST:PORT or unix:/path)")
      ->type_name("ADDRESS");
  app.add_flag("--tls", globals.tls, "Speak TLS; so do https:// and --ca-file");
  app.add_option("--ca-file", globals.ca_file,
                 "Certificates (PEM) that verify the server; default: the system's")
      ->type_name("FILE");
  app.add_option("--token-file", globals.token_file, "File with your token")->type_name("FILE");
  app.add_option("--federation", globals.federation, "Federation to work in")->type_name("ID");
  app.add_option("--config", globals.config,
                 "Profile: server, token_file, federation, tls, ca_file")
      ->type_name("FILE");
  app.add_option("--lang", globals.language, "Language of messages; default: that of the shell")
      ->type_name("en|zh");
  app.add_flag("--json", globals.json, "Answer in JSON");
  app.footer(
      "Environment: GONGHUI_SERVER, GONGHUI_TOKEN_FILE, GONGHUI_FEDERATION, GONGHUI_CA_FILE,\n"
      "GONGHUI_PROFILE.\n"
      "Profile: .gonghui.yaml or ~/.config/gonghui.yaml. Flags win over the environment, the\n"
      "environment over the profile.\n"
      "Exit codes: 0 done; 1 rows rejected or figures divergent; 2 wrong usage, file or request;\n"
      "3 no connection or no right; 4 another answer of the server.\n\n"
      "Example:\n  gonghui figures --org D01 --period 2020H1");
  AddFederationCommands(*this);
  AddImportCommands(*this);
  AddFigureCommands(*this);
  AddReportCommands(*this);
  AddReturnCommands(*this);
  AddJobCommands(*this);
  AddEditionCommands(*this);
  AddSummaryCommands(*this);
  AddTargetCommands(*this);
  AddAppraisalCommands(*this);
  AddTreeCommands(*this);
  AddReorganizationCommands(*this);
  AddMemberCommands(*this);
  AddMemberFileCommands(*this);
  AddApplicationCommands(*this);
  AddEmploymentCommands(*this);
  AddFilterCommands(*this);
  AddTransferCommands(*this);
  AddCardCommands(*this);
  AddLedgerCommands(*this);
  AddAccessCommands(*this);
  AddRecordCommands(*this);
  AddAssetCommands(*this);
  AddBoardCommands(*this);
  AddLevyCommands(*this);
  AddBankCommands(*this);
  AddDuesCommands(*this);
  AddKeyCommands(*this);
  AddBackupCommands(*this);
  AddMigrateCommands(*this);
  AddDoctorCommands(*this);
  AddCallCommands(*this);
  AddTokenCommands(*this);
  AddCompletionCommands(*this);
}

CLI::App* AddCommand(CLI::App& parent, const std::string& name, const std::string& description,
                     const std::string& example) {
  CLI::App* command = parent.add_subcommand(name, description);
  command->footer("Example:\n  " + example +
                  "\n\nOptions of every command (server, token, federation): gonghui --help");
  return command;
}

void OnRun(CLI::App* command, Program& program, Action action) {
  command->callback([&program, action = std::move(action)] { program.action = action; });
}

namespace {

absl::StatusOr<int> Run(Program& program) {
  RETURN_IF_ERROR(program.session.Resolve());
  return program.action();
}

}  // namespace

int Main(int argc, char** argv) {
  log::CaptureLibraryLogs();
  log::SetLevel(log::Level::kError);
  Program program;
  try {
    program.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {  // How CLI11 reports --help and wrong usage.
    return program.app.exit(error) == 0 ? kSuccess : kUsage;
  }
  const absl::StatusOr<int> code = Run(program);
  if (!code.ok()) {
    PrintNote("gonghui: " + Explanation(program.session, code.status()));
    return ExitCodeOf(code.status());
  }
  if (std::fflush(stdout) != 0) return kUsage;
  return *code;
}

}  // namespace gonghui::cli
