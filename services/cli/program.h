// The command tree: one function per group adds its commands.
#pragma once

#include <functional>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "services/cli/session.h"

namespace gonghui::cli {

// What a command does when it was chosen; returns the exit code.
using Action = std::function<absl::StatusOr<int>()>;

struct Program {
  Program();

  CLI::App app;
  Globals globals;
  Session session;
  Action action;  // Of the command chosen.
};

// A command below `parent` whose --help ends with an example.
CLI::App* AddCommand(CLI::App& parent, const std::string& name, const std::string& description,
                     const std::string& example);
// Runs `action` when the command is chosen.
void OnRun(CLI::App* command, Program& program, Action action);

void AddFederationCommands(Program& program);
void AddImportCommands(Program& program);
void AddFigureCommands(Program& program);
void AddReportCommands(Program& program);
void AddReturnCommands(Program& program);
void AddJobCommands(Program& program);
void AddEditionCommands(Program& program);
void AddSummaryCommands(Program& program);
void AddTargetCommands(Program& program);
void AddAppraisalCommands(Program& program);
void AddTreeCommands(Program& program);
void AddReorganizationCommands(Program& program);
void AddMemberCommands(Program& program);
void AddMemberChange(Program& program, CLI::App& member);  // Below gonghui member.
void AddApplicationCommands(Program& program);
void AddEmploymentCommands(Program& program);
void AddFilterCommands(Program& program);
void AddMemberFileCommands(Program& program);
void AddTransferCommands(Program& program);
void AddCardCommands(Program& program);
void AddLedgerCommands(Program& program);
void AddProofCommands(Program& program, CLI::App& ledger);  // Below gonghui ledger.
void AddAccessCommands(Program& program);
void AddAssetCommands(Program& program);
void AddRecordCommands(Program& program);
void AddRecordWrites(Program& program, CLI::App& records);  // Below gonghui records.
void AddBoardCommands(Program& program);
void AddLevyCommands(Program& program);
void AddBankCommands(Program& program);
void AddDuesCommands(Program& program);
void AddKeyCommands(Program& program);
void AddBackupCommands(Program& program);
void AddMigrateCommands(Program& program);
void AddDoctorCommands(Program& program);
void AddCallCommands(Program& program);
void AddTokenCommands(Program& program);
void AddCompletionCommands(Program& program);

// Parses, runs, explains errors on stderr. Returns the exit code.
int Main(int argc, char** argv);

}  // namespace gonghui::cli
