// gonghui summary: work summaries written into files, and edited ones checked.
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "gonghui/reports/v1/summary.pb.h"
#include "services/cli/csv.h"
#include "services/cli/program.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

namespace v1 = reports::v1;

constexpr std::string_view kService = "/gonghui.reports.v1.SummaryService/";

struct SummaryOptions {
  std::string organization;
  std::string period;
  std::string folder;
  std::string formats = "md,csv";
  std::string chosen_template;
  std::string tree;
  std::string edition;
  std::string file;
};

v1::SummaryFormat FormatOf(std::string_view ending) {
  static const auto& formats = *new std::map<std::string, v1::SummaryFormat, std::less<>>{
      {"md", v1::SUMMARY_FORMAT_MARKDOWN}, {"html", v1::SUMMARY_FORMAT_HTML},
      {"htm", v1::SUMMARY_FORMAT_HTML},    {"docx", v1::SUMMARY_FORMAT_DOCX},
      {"xlsx", v1::SUMMARY_FORMAT_XLSX},   {"csv", v1::SUMMARY_FORMAT_CSV}};
  const auto found = formats.find(ToLower(ending));
  return found == formats.end() ? v1::SUMMARY_FORMAT_UNSPECIFIED : found->second;
}

absl::Status Missing(std::string_view option) {
  return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                         StrCat(option, " is missing; see gonghui summary --help"),
                         StrCat("缺少 ", option, "，用法见 gonghui summary --help"));
}

absl::Status FormatUnknown(std::string_view format, std::string_view known) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat("'", format, "' is no format: take ", known),
                         StrCat("没有格式“", format, "”，可用：", known));
}

absl::StatusOr<v1::GenerateSummaryRequest> RequestOf(Session& session,
                                                     const SummaryOptions& options) {
  if (options.organization.empty()) return Missing("--org");
  if (options.period.empty() && options.edition.empty()) return Missing("--period");
  if (options.folder.empty()) return Missing("--out");
  v1::GenerateSummaryRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_period(options.period);
  if (!options.edition.empty()) {
    // "2020H1.2" is the organisation's own; one of an organisation above it goes by its whole name.
    const bool own = options.edition.find('/') == std::string::npos;
    request.set_edition(own ? StrCat(request.parent(), "/organizations/", options.organization,
                                     "/editions/", options.edition)
                            : options.edition);
    const std::string_view id = LeafOf(request.edition());
    if (options.period.empty())
      request.set_period(std::string(id.substr(0, id.find_first_of("@."))));
  }
  request.set_template_(options.chosen_template);
  for (const std::string_view format : Split(options.formats, ',')) {
    const v1::SummaryFormat known = FormatOf(Strip(format));
    if (known == v1::SUMMARY_FORMAT_UNSPECIFIED) {
      return FormatUnknown(format, "md, html, docx, xlsx, csv");
    }
    request.add_formats(known);
  }
  if (options.tree == "as_is") {
    request.set_tree_mode(v1::TREE_MODE_AS_IS);
  } else if (!options.tree.empty() && options.tree != "as_was") {
    request.set_tree_mode(v1::TREE_MODE_AS_OF);
    request.set_tree_date(options.tree);
  }
  return request;
}

absl::StatusOr<int> Write(Session& session, const SummaryOptions& options) {
  ASSIGN_OR_RETURN(const v1::GenerateSummaryRequest request, RequestOf(session, options));
  ASSIGN_OR_RETURN(const auto answer, session.Invoke<v1::GenerateSummaryResponse>(
                                          StrCat(kService, "GenerateSummary"), request));
  std::error_code error;  // A folder that cannot be made shows at the first file.
  std::filesystem::create_directories(options.folder, error);
  for (const v1::SummaryFile& file : answer.files()) {
    const std::string path = StrCat(options.folder, "/", file.file_name());
    RETURN_IF_ERROR(WriteFile(path, file.content()));
    Print(path + "\n");
  }
  for (const common::v1::Label& note : answer.notes()) {
    PrintNote(session.Say(note.en(), note.zh()));
  }
  return kSuccess;
}

absl::StatusOr<int> Check(Session& session, const SummaryOptions& options) {
  v1::CheckSummaryRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  const std::string ending = std::filesystem::path(options.file).extension().string();
  request.set_format(FormatOf(ending.empty() ? ending : ending.substr(1)));
  if (request.format() == v1::SUMMARY_FORMAT_UNSPECIFIED) {
    return FormatUnknown(options.file, "*.docx, *.md, *.html");
  }
  ASSIGN_OR_RETURN(*request.mutable_content(), ReadFile(options.file));
  ASSIGN_OR_RETURN(const auto answer, session.Invoke<v1::CheckSummaryResponse>(
                                          StrCat(kService, "CheckSummary"), request));
  const int code = answer.findings().empty() ? kSuccess : kRejected;
  if (session.json()) {
    PrintJson(answer);
    return code;
  }
  Table table({session.Say(">paragraph", ">段落"), session.Say("found", "文中"),
               session.Say("expected", "应为"), session.Say("where", "上下文"),
               session.Say("what to do", "处理")});
  for (const v1::SummaryFinding& finding : answer.findings()) {
    table.Add({StrCat(finding.paragraph()), finding.found(), finding.expected(), finding.text(),
               session.Say(finding.hint().en(), finding.hint().zh())});
  }
  if (!table.empty()) Print(table.Text());
  const std::string numerals = StrCat(answer.numerals());
  const std::string citations = StrCat(answer.citations());
  const std::string findings = StrCat(answer.findings_size());
  Print(session.Say(
      numerals + " numerals, " + citations + " citations, " + findings + " to be looked at\n",
      "数字 " + numerals + " 处，引用 " + citations + " 处，需核实 " + findings + " 处\n"));
  return code;
}

}  // namespace

void AddSummaryCommands(Program& program) {
  auto options = std::make_shared<SummaryOptions>();
  Session& session = program.session;
  CLI::App* summary = AddCommand(
      program.app, "summary", "Write a work summary into files; 'check' examines an edited one",
      "gonghui summary --org D01 --period 2020H1 --out report --format docx,xlsx,md,html\n"
      "  gonghui summary check report/summary.docx");
  summary->add_option("--org", options->organization, "Organisation")->type_name("ID");
  summary->add_option("--period", options->period, "2020, 2020H1, 2020Q2 or 2020-05");
  summary->add_option("--out", options->folder, "Folder; made when missing")->type_name("DIR");
  summary->add_option("--format", options->formats, "Of md, html, docx, xlsx, csv")
      ->capture_default_str();
  summary->add_option("--template", options->chosen_template,
                      "Default: the one for the kind of organisation and period");
  summary->add_option("--tree", options->tree, "as_was (default), as_is, or a date");
  summary->add_option("--edition", options->edition,
                      "Take the figures that this edition froze: 2020H1.2, or its whole name");
  CLI::App* check = AddCommand(
      *summary, "check",
      "Compare every number with its source as of now; exit code 1 if one must be looked at",
      "gonghui summary check report/summary.docx");
  check->add_option("file", options->file, "DOCX, Markdown or HTML")->required()->type_name("FILE");
  OnRun(summary, program, [&session, options, check] {
    return check->parsed() ? Check(session, *options) : Write(session, *options);
  });
}

}  // namespace gonghui::cli
