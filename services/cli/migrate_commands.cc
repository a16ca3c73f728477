// gonghui migrate: the databases' schemas, by the server's own program on the machine that has
// them.
#include <spawn.h>
#include <sys/wait.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "services/cli/program.h"

extern char** environ;

namespace gonghui::cli {
namespace {

struct MigrateOptions {
  std::vector<std::string> server_options;
  bool dry_run = false;
};

absl::StatusOr<int> Migrate(const MigrateOptions& options) {
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  std::vector<std::string> words = {program.parent_path() / "gonghuid", "--migrate",
                                    options.dry_run ? "plan" : "apply"};
  words.insert(words.end(), options.server_options.begin(), options.server_options.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawn(&child, argv[0], nullptr, nullptr, argv.data(), environ) != 0) {
    return FailedPrecondition(common::v1::REASON_NOT_FOUND,
                              "gonghuid does not lie beside this program; run it where the server "
                              "is installed",
                              "gonghuid 不在本程序所在文件夹；请在安装服务器的机器上执行");
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : static_cast<int>(kServerError);
}

}  // namespace

void AddMigrateCommands(Program& program) {
  auto options = std::make_shared<MigrateOptions>();
  CLI::App* migrate =
      AddCommand(program.app, "migrate",
                 "Bring the databases to this version's schema, or show what that would change",
                 "gonghui migrate --dry-run -- --data var/data");
  migrate->add_flag("--dry-run", options->dry_run, "Only tell which scripts are missing");
  migrate->add_option("OPTIONS", options->server_options,
                      "After --: the server's options that say where the databases are (--config, "
                      "--data, --funds-database-url-file …); its environment counts too");
  OnRun(migrate, program, [options] { return Migrate(*options); });
}

}  // namespace gonghui::cli
