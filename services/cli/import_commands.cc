// gonghui import, import-dir: files into the platform.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/base/status.h"
#include "re2/re2.h"
#include "services/cli/import_report.h"
#include "services/cli/import_rows.h"
#include "services/cli/import_send.h"
#include "services/cli/program.h"
#include "services/cli/template.h"

namespace gonghui::cli {
namespace {

namespace fs = std::filesystem;

constexpr char kRejectSuffix[] = ".rejects.csv";

struct ImportOptions {
  std::string kind;
  std::string file;
  std::string folder;
  bool dry_run = false;
  int batch = 1000;
  std::string rejects;
  std::string receipt;
  bool list = false;
  bool make_template = false;
  bool describe = false;
  bool english = false;
  std::string out;
};

// Where rejected rows go: where the caller says, else beside the file; a dry run writes only where
// told.
std::string RejectPath(const ImportOptions& options) {
  if (!options.rejects.empty() || options.dry_run) return options.rejects;
  return fs::path(options.file).replace_extension().string() + kRejectSuffix;
}

absl::StatusOr<Outcome> Send(Session& session, const ImportFile& file,
                             const ImportOptions& options) {
  ASSIGN_OR_RETURN(const rpc::Client* client, session.Connect());
  ASSIGN_OR_RETURN(const std::string parent, session.Parent());
  Progress progress(file.entry().kind().name(), file.rows(), isatty(STDERR_FILENO) == 1);
  progress.Add(static_cast<int>(file.broken().size()));
  Sender::Options send;
  send.batch = options.batch;
  send.dry_run = options.dry_run;
  send.waiting =
      session.Say("The server does not answer; trying again …", "服务器没有应答，正在重试……");
  Sender sender(*client, session.federation(), file, std::move(send), progress);
  auto outcome = sender.Run();
  if (!outcome.ok()) {
    progress.Note(
        session.Say("The import of " + options.file +
                        " stopped. What was written stays; run the same command again to go on.",
                    options.file + " 导入中止。已写入的内容保留；再次运行同一命令即可继续。"));
  }
  return outcome;
}

absl::Status WriteReports(Session& session, const ImportOptions& options, const ImportFile& file,
                          const Outcome& outcome, Receipt& receipt) {
  const std::string path = RejectPath(options);
  if (!outcome.rejected.empty() && !path.empty()) {
    RETURN_IF_ERROR(WriteFile(path, RejectText(session, file, outcome.rejected, outcome.errors)));
    receipt.reject_file = path;
  }
  if (!options.receipt.empty()) RETURN_IF_ERROR(WriteFile(options.receipt, receipt.Json()));
  if (session.json()) {
    Print("{\"receipt\": " + receipt.Json() + ", \"errors\": " + ErrorsJson(outcome.errors) +
          ", \"warnings\": " + ErrorsJson(outcome.warnings) + "}\n");
  } else {
    Print(ErrorTable(session, outcome.errors) + WarningTable(session, outcome.warnings) +
          receipt.Text(session));
  }
  return absl::OkStatus();
}

// Imports one file. Returns the exit code.
absl::StatusOr<int> ImportOne(Session& session, const KindEntry& entry,
                              const ImportOptions& options) {
  RETURN_IF_ERROR(session.Parent().status());
  const absl::Time start = absl::Now();
  ASSIGN_OR_RETURN(const ImportFile file, ImportFile::Open(entry, options.file));
  ASSIGN_OR_RETURN(Outcome outcome, Send(session, file, options));
  outcome.errors.insert(outcome.errors.end(), file.errors().begin(), file.errors().end());
  outcome.rejected.insert(file.broken().begin(), file.broken().end());
  for (std::vector<RowError>* list : {&outcome.errors, &outcome.warnings}) {
    std::stable_sort(list->begin(), list->end(),
                     [](const RowError& a, const RowError& b) { return a.row < b.row; });
  }
  Receipt receipt;
  receipt.file = options.file;
  receipt.digest = file.file().digest;
  receipt.kind = entry.kind().name();
  receipt.federation = session.federation();
  receipt.server = session.server();
  receipt.time = absl::FormatTime(absl::RFC3339_sec, absl::Now(), absl::UTCTimeZone());
  receipt.seconds = absl::ToDoubleSeconds(absl::Now() - start);
  receipt.rows = file.rows();
  receipt.skipped = file.skipped();
  receipt.items = static_cast<int>(file.items().size());
  receipt.created = outcome.created;
  receipt.existing = outcome.existing;
  receipt.failed = static_cast<int>(outcome.rejected.size());
  receipt.dry_run = options.dry_run;
  RETURN_IF_ERROR(WriteReports(session, options, file, outcome, receipt));
  return outcome.rejected.empty() ? kSuccess : kRejected;
}

absl::StatusOr<int> Template(Session& session, const KindEntry& entry,
                             const ImportOptions& options) {
  if (options.describe) {
    ASSIGN_OR_RETURN(const std::string columns, DescribeColumns(session, entry));
    Print(columns);
    return kSuccess;
  }
  ASSIGN_OR_RETURN(const std::string text, TemplateText(entry, options.english));
  ASSIGN_OR_RETURN(const std::string columns, DescribeColumns(session, entry));
  if (options.out.empty()) {
    Print(text);
  } else {
    RETURN_IF_ERROR(WriteFile(options.out, "\xEF\xBB\xBF" + text));
  }
  PrintNote(columns);
  return kSuccess;
}

absl::StatusOr<int> Import(Session& session, const ImportOptions& options) {
  ASSIGN_OR_RETURN(const rpc::Client* client, session.Connect());
  ASSIGN_OR_RETURN(const Kinds kinds, Kinds::Fetch(*client));
  if (options.list) {
    Print(DescribeKinds(session, kinds));
    return kSuccess;
  }
  if (options.kind.empty()) {
    return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                           "Name the kind to import; gonghui import --list shows all.",
                           "请指定要导入的类别；gonghui import --list 列出全部。");
  }
  ASSIGN_OR_RETURN(const KindEntry* entry, kinds.Find(options.kind));
  if (options.make_template || options.describe) return Template(session, *entry, options);
  if (options.file.empty()) {
    return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                           "Name the file to import: gonghui import " + options.kind + " FILE.csv",
                           "请指定要导入的文件：gonghui import " + options.kind + " 文件.csv");
  }
  return ImportOne(session, *entry, options);
}

// A file of a folder with the kind that its name tells.
struct NamedFile {
  std::string path;
  const KindEntry* entry;
};

// The files of a folder in import order: "03-member.csv", "03_member.part2.csv" and "member.csv"
// are of kind member.
absl::StatusOr<std::vector<NamedFile>> FilesOf(const std::string& folder, const Kinds& kinds) {
  static const re2::RE2& pattern = *new re2::RE2(R"((?:\d+[-_ ]?)?([^.]+)(?:\..*)?\.csv)");
  std::vector<NamedFile> files;
  std::vector<std::string> unknown;
  std::error_code error;
  for (const fs::directory_entry& file : fs::directory_iterator(folder, error)) {
    const std::string name = file.path().filename().string();
    std::string kind;
    if (name.ends_with(kRejectSuffix) || !re2::RE2::FullMatch(name, pattern, &kind)) continue;
    auto entry = kinds.Find(kind);
    if (entry.ok()) {
      files.push_back({file.path().string(), *entry});
    } else {
      unknown.push_back(name);
    }
  }
  if (!unknown.empty() || files.empty()) {
    std::sort(unknown.begin(), unknown.end());
    const std::string names = absl::StrJoin(unknown, ", ");
    return InvalidArgument(
        common::v1::REASON_KIND_UNKNOWN,
        unknown.empty() ? "There is no CSV file in " + folder + "."
                        : "These files' names tell no kind: " + names +
                              ". Name a file 03-KIND.csv; gonghui import --list shows the kinds.",
        unknown.empty() ? folder + " 中没有 CSV 文件。"
                        : "以下文件名不含类别：" + names +
                              "。请命名为 03-类别.csv；gonghui import --list 列出类别。");
  }
  const auto key = [](const NamedFile& file) {
    return std::make_tuple(file.entry->kind().import_order(), fs::path(file.path).filename());
  };
  std::sort(files.begin(), files.end(),
            [&](const NamedFile& a, const NamedFile& b) { return key(a) < key(b); });
  return files;
}

absl::StatusOr<int> ImportFolder(Session& session, const ImportOptions& options) {
  ASSIGN_OR_RETURN(const rpc::Client* client, session.Connect());
  ASSIGN_OR_RETURN(const Kinds kinds, Kinds::Fetch(*client));
  ASSIGN_OR_RETURN(const auto files, FilesOf(options.folder, kinds));
  std::error_code error;
  for (const std::string& out : {options.receipt, options.rejects}) {
    if (!out.empty()) fs::create_directories(out, error);
  }
  int code = kSuccess;
  for (const NamedFile& file : files) {
    ImportOptions one = options;
    one.file = file.path;
    const std::string stem = fs::path(file.path).stem().string();
    if (!options.receipt.empty()) one.receipt = options.receipt + "/" + stem + ".json";
    if (!options.rejects.empty()) one.rejects = options.rejects + "/" + stem + kRejectSuffix;
    ASSIGN_OR_RETURN(const int result, ImportOne(session, *file.entry, one));
    std::fflush(stdout);
    code = std::max(code, result);
  }
  return code;
}

void AddSendOptions(CLI::App* command, ImportOptions& options, const std::string& place) {
  command->add_flag("--dry-run", options.dry_run, "Check on the server, write nothing");
  command
      ->add_option("--batch", options.batch,
                   "Items a request; keep it when a file is imported again")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--rejects", options.rejects, "Rejected rows; default: beside the file")
      ->type_name(place);
  command->add_option("--receipt", options.receipt, "Receipt in JSON")->type_name(place);
}

}  // namespace

void AddImportCommands(Program& program) {
  auto options = std::make_shared<ImportOptions>();
  Session& session = program.session;
  CLI::App* import =
      AddCommand(program.app, "import", "Load a CSV file, or show what a file must look like",
                 "gonghui import member members.csv --dry-run\n"
                 "  gonghui import --template member --out members.csv\n"
                 "  gonghui import --list");
  import->add_option("KIND", options->kind, "Kind, by name or label");
  import->add_option("FILE", options->file, "CSV: UTF-8 or GB18030, headings Chinese or English");
  AddSendOptions(import, *options, "FILE");
  import->add_flag("--list", options->list, "List the kinds in import order");
  import->add_flag("--template", options->make_template, "Print headings and a sample row");
  import->add_flag("--describe", options->describe, "Print what each column takes");
  import->add_flag("--english", options->english, "Template with English field names");
  import->add_option("--out", options->out, "Write the template to this file")->type_name("FILE");
  OnRun(import, program, [&session, options] { return Import(session, *options); });

  auto folder_options = std::make_shared<ImportOptions>();
  CLI::App* folder =
      AddCommand(program.app, "import-dir", "Load every NN-KIND.csv of a folder, in import order",
                 "gonghui import-dir var/demo/import --receipt var/demo/receipts");
  folder->add_option("DIR", folder_options->folder, "Folder")
      ->required()
      ->check(CLI::ExistingDirectory);
  AddSendOptions(folder, *folder_options, "DIR");
  OnRun(folder, program,
        [&session, folder_options] { return ImportFolder(session, *folder_options); });
}

}  // namespace gonghui::cli
