// gonghui member-import, member-export: files of members that the server reads and writes.
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/id.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "gonghui/membership/v1/member_export.pb.h"
#include "gonghui/membership/v1/member_import.pb.h"
#include "services/cli/csv.h"
#include "services/cli/job_commands.h"
#include "services/cli/program.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

using common::v1::Job;
using membership::v1::MemberExport;
using membership::v1::MemberImport;
using membership::v1::MemberImportFault;

constexpr char kImports[] = "/gonghui.membership.v1.MemberImportService/";
constexpr char kExports[] = "/gonghui.membership.v1.MemberExportService/";
constexpr char kJobs[] = "gonghui.membership.v1.JobService";
constexpr size_t kPiece = 2 << 20;
constexpr int kFaultsShown = 20;

struct FileOptions {
  std::string file;
  std::string organization;
  std::string import;
  std::string state;
  std::string purpose;
  std::string remark;
  std::string out;
  std::vector<std::string> tags;
  bool check = false;
  bool all_or_nothing = false;
  bool csv = false;
  bool clear = false;
};

absl::StatusOr<std::string> Upload(Session& session, const FileOptions& options,
                                   const std::string& bytes) {
  membership::v1::CreateMemberImportRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.mutable_member_import()->set_organization(options.organization);
  request.set_request_id(NewId(absl::Now()));
  ASSIGN_OR_RETURN(
      const MemberImport begun,
      session.Invoke<MemberImport>(absl::StrCat(kImports, "CreateMemberImport"), request));
  for (size_t at = 0; at < bytes.size(); at += kPiece) {
    membership::v1::AppendMemberImportRequest append;
    append.set_name(begun.name());
    append.set_offset(static_cast<int64_t>(at));
    append.set_content(bytes.substr(at, kPiece));
    RETURN_IF_ERROR(
        session.Invoke<MemberImport>(absl::StrCat(kImports, "AppendMemberImport"), append)
            .status());
  }
  return begun.name();
}

absl::StatusOr<std::vector<MemberImportFault>> FirstFaults(Session& session,
                                                           const std::string& name, bool kept) {
  membership::v1::ListMemberImportFaultsRequest request;
  request.set_name(name);
  request.set_kept(kept);
  request.set_page_size(kFaultsShown);
  ASSIGN_OR_RETURN(const auto page, session.Invoke<membership::v1::ListMemberImportFaultsResponse>(
                                        absl::StrCat(kImports, "ListMemberImportFaults"), request));
  return std::vector<MemberImportFault>(page.faults().begin(), page.faults().end());
}

void ShowFaults(Session& session, const std::vector<MemberImportFault>& faults) {
  Table table({session.Say(">row", ">行"), session.Say("column", "列"),
               session.Say("heading", "表头"), session.Say("reason", "原因"),
               session.Say("value like", "值形如"), session.Say("what to do", "说明")});
  for (const MemberImportFault& fault : faults) {
    std::string text = session.Say(fault.message(), fault.message_zh());
    if (!fault.suggestion().empty()) {
      absl::StrAppend(&text, session.Say(" Did you mean ", " 是否指 "), fault.suggestion(), "?");
    }
    table.Add({absl::StrCat(fault.row()), fault.column(), fault.heading(), fault.reason(),
               fault.value_hint(), text});
  }
  if (!table.empty()) Print(table.Text());
}

// Writes the rejected rows beside the file; its name.
absl::StatusOr<std::string> SaveRejects(Session& session, const FileOptions& options,
                                        const std::string& name) {
  std::string bytes;
  std::string file_name;
  for (bool more = true; more;) {
    membership::v1::GetMemberImportRejectsRequest request;
    request.set_name(name);
    request.set_offset(static_cast<int64_t>(bytes.size()));
    ASSIGN_OR_RETURN(const auto piece,
                     session.Invoke<membership::v1::MemberImportRejects>(
                         absl::StrCat(kImports, "GetMemberImportRejects"), request));
    more = !piece.content().empty();
    bytes += piece.content();
    file_name = piece.file_name();
  }
  const std::string path = absl::StrCat(options.file, ".", file_name);
  RETURN_IF_ERROR(WriteFile(path, bytes));
  return path;
}

absl::StatusOr<int> Import(Session& session, const FileOptions& options) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(options.file));
  ASSIGN_OR_RETURN(const std::string name, Upload(session, options, bytes));
  membership::v1::StartMemberImportRequest request;
  request.set_name(name);
  request.set_mode(options.check            ? membership::v1::MEMBER_IMPORT_MODE_VALIDATE_ONLY
                   : options.all_or_nothing ? membership::v1::MEMBER_IMPORT_MODE_ALL_OR_NOTHING
                                            : membership::v1::MEMBER_IMPORT_MODE_PARTIAL);
  request.set_request_id(NewId(absl::Now()));
  ASSIGN_OR_RETURN(Job job,
                   session.Invoke<Job>(absl::StrCat(kImports, "StartMemberImport"), request));
  ASSIGN_OR_RETURN(job, AwaitJob(session, std::move(job), kJobs));
  ASSIGN_OR_RETURN(const auto made, ResultOf<MemberImport>(job));
  const int code = made.rejected() == 0 ? kSuccess : kRejected;
  if (session.json()) {
    PrintJson(made);
    return code;
  }
  const std::string id(LeafOf(made.name()));
  Print(session.Say(absl::StrCat("import ", id, ": ", made.rows(), " rows, ", made.created(),
                                 " created, ", made.existing(), " there already, ", made.rejected(),
                                 " rejected with ", made.faults(), " faults\n"),
                    absl::StrCat("导入 ", id, "：", made.rows(), " 行，新建 ", made.created(),
                                 "，已有 ", made.existing(), "，退回 ", made.rejected(), " 行（",
                                 made.faults(), " 处问题）\n")));
  for (const std::string& heading : made.ignored_columns()) {
    PrintNote(session.Say("not kept: ", "不登记的列：") + heading);
  }
  if (made.rejected() == 0) return code;
  ASSIGN_OR_RETURN(const auto faults, FirstFaults(session, name, false));
  ShowFaults(session, faults);
  ASSIGN_OR_RETURN(const std::string path, SaveRejects(session, options, name));
  PrintNote(session.Say("All rejected rows lie in " + path + ": correct and import that file.",
                        "全部退回行已存入 " + path + "，更正后导入该文件即可。"));
  return code;
}

absl::StatusOr<int> Undo(Session& session, const FileOptions& options) {
  membership::v1::UndoMemberImportRequest request;
  ASSIGN_OR_RETURN(const std::string parent, session.Parent());
  request.set_name(absl::StrCat(parent, "/memberImports/", options.import));
  request.set_request_id(NewId(absl::Now()));
  ASSIGN_OR_RETURN(Job job,
                   session.Invoke<Job>(absl::StrCat(kImports, "UndoMemberImport"), request));
  ASSIGN_OR_RETURN(job, AwaitJob(session, std::move(job), kJobs));
  ASSIGN_OR_RETURN(const auto made, ResultOf<MemberImport>(job));
  if (session.json()) {
    PrintJson(made);
    return kSuccess;
  }
  Print(session.Say(
      absl::StrCat(made.undone(), " members taken back, ", made.kept(),
                   " kept because they were touched since\n"),
      absl::StrCat("撤回会员 ", made.undone(), " 人，因后续变动保留 ", made.kept(), " 人\n")));
  ASSIGN_OR_RETURN(const auto kept, FirstFaults(session, made.name(), true));
  ShowFaults(session, kept);
  return made.kept() == 0 ? kSuccess : kRejected;
}

absl::StatusOr<int> ImportOrUndo(Session& session, const FileOptions& options) {
  if (!options.import.empty()) return Undo(session, options);
  if (!options.file.empty() && !options.organization.empty()) return Import(session, options);
  return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                         "Name the file and, by --org, the organisation of its members; or give "
                         "--undo with the id of an import.",
                         "请给出文件和所属工会（--org），或用 --undo 指明要撤回的导入。");
}

absl::StatusOr<int> Export(Session& session, const FileOptions& options) {
  membership::v1::ExportMembersRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_state(options.state);
  for (const std::string& tag : options.tags) request.mutable_filter()->add_group_tags(tag);
  request.set_format(options.csv ? membership::v1::MEMBER_EXPORT_FORMAT_CSV
                                 : membership::v1::MEMBER_EXPORT_FORMAT_XLSX);
  request.set_clear_numbers(options.clear);
  request.set_purpose(options.purpose);
  request.set_remark(options.remark);
  request.set_request_id(NewId(absl::Now()));
  ASSIGN_OR_RETURN(Job job, session.Invoke<Job>(absl::StrCat(kExports, "ExportMembers"), request));
  ASSIGN_OR_RETURN(job, AwaitJob(session, std::move(job), kJobs));
  ASSIGN_OR_RETURN(const auto made, ResultOf<MemberExport>(job));
  std::string bytes;
  while (static_cast<int64_t>(bytes.size()) < made.size_bytes()) {
    membership::v1::DownloadMemberExportRequest piece;
    piece.set_name(made.name());
    piece.set_offset(static_cast<int64_t>(bytes.size()));
    ASSIGN_OR_RETURN(const auto answer, session.Invoke<membership::v1::MemberExportPiece>(
                                            absl::StrCat(kExports, "DownloadMemberExport"), piece));
    bytes += answer.content();
  }
  const std::string path = options.out.empty() ? made.file_name() : options.out;
  RETURN_IF_ERROR(WriteFile(path, bytes));
  if (session.json()) {
    PrintJson(made);
    return kSuccess;
  }
  Print(session.Say(absl::StrCat(path, ": ", made.rows(), " members, SM3 ", made.digest(), "\n"),
                    absl::StrCat(path, "：会员 ", made.rows(), " 人，SM3 ", made.digest(), "\n")));
  return kSuccess;
}

}  // namespace

void AddMemberFileCommands(Program& program) {
  auto options = std::make_shared<FileOptions>();
  Session& session = program.session;
  CLI::App* import =
      AddCommand(program.app, "member-import",
                 "Let the server check and enter a file of members, or take an import back\n"
                 "由服务器核对并导入会员文件（官方采集表、CSV、XLSX），或撤回一次导入",
                 "gonghui member-import members.xlsx --org E0001 --check");
  import->add_option("FILE", options->file, "XLSX (the official form) or CSV, UTF-8 or GB18030")
      ->type_name("FILE");
  import
      ->add_option("--org", options->organization, "Whose members these are, or of those below it")
      ->type_name("ID");
  import->add_flag("--check", options->check, "Enter nothing: tell all faults / 只核对，不写入");
  import->add_flag("--all-or-nothing", options->all_or_nothing,
                   "Enter nothing where any row has a fault / 有任一问题则全部不写入");
  import->add_option("--undo", options->import, "Take this import back / 撤回该次导入")
      ->type_name("ID");
  OnRun(import, program, [&session, options] { return ImportOrUndo(session, *options); });

  CLI::App* exported = AddCommand(program.app, "member-export",
                                  "Write members to a file; numbers are masked unless --clear\n"
                                  "导出会员文件；号码默认脱敏",
                                  "gonghui member-export --org T01 --csv --out members.csv");
  exported->add_option("--org", options->organization, "With all below it; none: all")
      ->type_name("ID");
  exported->add_option("--state", options->state, "active (default), retained, left or all")
      ->type_name("STATE");
  exported->add_option("--tag", options->tags, "Only members of this group")->type_name("GROUP");
  exported->add_flag("--csv", options->csv, "CSV in place of XLSX");
  exported->add_flag("--clear", options->clear, "Numbers in clear; needs --purpose / 明文号码");
  exported->add_option("--purpose", options->purpose, "Why, kept in the log of accesses / 目的")
      ->type_name("CODE");
  exported->add_option("--remark", options->remark, "With the purpose other / 备注")
      ->type_name("TEXT");
  exported->add_option("--out", options->out, "File to write")->type_name("FILE");
  OnRun(exported, program, [&session, options] { return Export(session, *options); });
}

}  // namespace gonghui::cli
