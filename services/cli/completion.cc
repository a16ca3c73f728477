// gonghui completion: scripts for shells, made from the command tree.
#include <functional>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "services/cli/program.h"

namespace gonghui::cli {
namespace {

// A command with everything that may follow it.
struct Node {
  std::string path;  // "" for the program, "/import", "/federation/create".
  std::vector<std::string> commands;
  std::vector<std::string> flags;
};

void Walk(const CLI::App& app, const std::string& path, std::vector<Node>& nodes) {
  Node node;
  node.path = path;
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* command : commands) node.commands.push_back(command->get_name());
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      const bool every = !path.empty() && name == "help";  // The program's options come with all.
      if (!every) node.flags.push_back("--" + name);
    }
  }
  nodes.push_back(std::move(node));
  for (const CLI::App* command : commands) Walk(*command, path + "/" + command->get_name(), nodes);
}

// The lines of a case statement that answer the words after each command.
std::string WordCases(const std::vector<Node>& nodes) {
  std::string cases;
  for (const Node& node : nodes) {
    absl::StrAppend(&cases, "    \"", node.path, "\") candidates=\"",
                    absl::StrJoin(node.commands, " "), node.commands.empty() ? "" : " ",
                    absl::StrJoin(node.flags, " "), " ",
                    node.path.empty() ? "" : absl::StrJoin(nodes.front().flags, " "), "\" ;;\n");
  }
  return cases;
}

// All paths below the program as alternatives of one case pattern.
std::string Paths(const std::vector<Node>& nodes) {
  std::vector<std::string> paths;
  for (const Node& node : nodes) {
    if (!node.path.empty()) paths.push_back(node.path);
  }
  return absl::StrJoin(paths, "|");
}

constexpr char kBash[] = R"sh(# gonghui completion for bash: source <(gonghui completion bash)
_gonghui() {
  local path="" candidates="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path/${COMP_WORDS[i]}" in
      @PATHS@) path="$path/${COMP_WORDS[i]}" ;;
    esac
  done
  case "$path" in
@WORDS@  esac
  mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "${COMP_WORDS[COMP_CWORD]}")
}
complete -o default -F _gonghui gonghui
)sh";

constexpr char kZsh[] = R"sh(#compdef gonghui
# gonghui completion for zsh: gonghui completion zsh > "${fpath[1]}/_gonghui"
_gonghui() {
  local path_="" candidates="" i
  for ((i = 2; i < CURRENT; i++)); do
    case "$path_/${words[i]}" in
      @PATHS@) path_="$path_/${words[i]}" ;;
    esac
  done
  case "$path_" in
@WORDS@  esac
  compadd -- ${=candidates}
  _files
}
compdef _gonghui gonghui
)sh";

constexpr char kFish[] = R"sh(# gonghui completion for fish: gonghui completion fish | source
function __gonghui_words
  set -l path ""
  for word in (commandline -opc)[2..-1]
    switch "$path/$word"
      case @FISH_PATHS@
        set path "$path/$word"
    end
  end
  switch "$path"
@FISH_WORDS@  end
end
complete -c gonghui -a "(__gonghui_words)"
)sh";

std::string FishWords(const std::vector<Node>& nodes) {
  std::string cases;
  for (const Node& node : nodes) {
    std::vector<std::string> words = node.commands;
    words.insert(words.end(), node.flags.begin(), node.flags.end());
    absl::StrAppend(&cases, "    case \"", node.path, "\"\n      printf '%s\\n' ",
                    absl::StrJoin(words, " "), "\n");
  }
  return cases;
}

std::string Script(const std::string& shell, const CLI::App& app) {
  std::vector<Node> nodes;
  Walk(app, "", nodes);
  const char* text = shell == "bash" ? kBash : shell == "zsh" ? kZsh : kFish;
  const std::string paths = Paths(nodes);
  return absl::StrReplaceAll(text, {{"@PATHS@", paths},
                                    {"@WORDS@", WordCases(nodes)},
                                    {"@FISH_PATHS@", absl::StrReplaceAll(paths, {{"|", " "}})},
                                    {"@FISH_WORDS@", FishWords(nodes)}});
}

}  // namespace

void AddCompletionCommands(Program& program) {
  auto shell = std::make_shared<std::string>();
  CLI::App* completion =
      AddCommand(program.app, "completion", "Print a completion script for a shell",
                 "source <(gonghui completion bash)");
  completion->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  OnRun(completion, program, [&program, shell]() -> absl::StatusOr<int> {
    Print(Script(*shell, program.app));
    return kSuccess;
  });
}

}  // namespace gonghui::cli
