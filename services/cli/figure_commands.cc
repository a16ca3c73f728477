// gonghui figures, explain, measures: figures and how they came about.
#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/money.h"
#include "common/base/status.h"
#include "gonghui/reports/v1/report.pb.h"
#include "services/cli/csv.h"
#include "services/cli/program.h"
#include "services/cli/table.h"
#include "services/cli/text.h"

namespace gonghui::cli {
namespace {

namespace v1 = reports::v1;

constexpr char kService[] = "/gonghui.reports.v1.ReportService/";

struct FigureOptions {
  std::string name;  // Of a figure.
  std::string organization;
  std::string period;
  std::vector<std::string> measures;
  std::string dimensions;
  std::string tree;
  std::string line;
  std::vector<std::string> comparisons;
  bool children = false;
  bool csv = false;
  int page_size = 20;
  bool all = false;
};

std::string DimensionsText(const google::protobuf::RepeatedPtrField<common::v1::Dimension>& all) {
  std::vector<std::string> parts;
  for (const auto& dimension : all) parts.push_back(dimension.key() + "=" + dimension.value());
  std::sort(parts.begin(), parts.end());
  return absl::StrJoin(parts, ";");
}

std::string LabelText(const Session& session, const common::v1::Label& label,
                      const std::string& name) {
  const std::string& text = session.Say(label.en(), label.zh());
  return text.empty() ? name : text;
}

std::string ValueText(const v1::Figure& figure) {
  return figure.suppressed() ? "*" : figure.has_value() ? figure.text() : "";
}

std::string ShownText(const v1::Figure& figure) {
  const std::string text = ValueText(figure);
  return text.empty() ? "-" : text;
}

std::string RecordsText(const v1::Figure& figure) {
  return figure.suppressed() ? "*" : absl::StrCat(figure.records());
}

absl::Status UnknownWord(const std::string& option, const std::string& word,
                         const std::string& known) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         absl::StrCat(option, " takes ", known, "; '", word, "' is none of these."),
                         absl::StrCat(option, " 可用 ", known, "，没有“", word, "”。"));
}

// --tree, --line and --compare as the request has them.
absl::Status SetBasis(const FigureOptions& options, v1::QueryFiguresRequest& request) {
  constexpr char kAsOf[] = "as_of:";
  if (options.tree == "as_is") {
    request.set_tree_mode(v1::TREE_MODE_AS_IS);
  } else if (absl::StartsWith(options.tree, kAsOf)) {
    request.set_tree_mode(v1::TREE_MODE_AS_OF);
    request.set_tree_date(options.tree.substr(sizeof(kAsOf) - 1));
  } else if (!options.tree.empty() && options.tree != "as_was") {
    return UnknownWord("--tree", options.tree, "as_was, as_is, as_of:DATE");
  }
  if (options.line == "affiliated") {
    request.set_line(v1::LINE_AFFILIATED);
  } else if (!options.line.empty() && options.line != "primary") {
    return UnknownWord("--line", options.line, "primary, affiliated");
  }
  for (const std::string& word : options.comparisons) {
    if (word != "yoy" && word != "pop") return UnknownWord("--compare", word, "yoy, pop");
    request.add_comparisons(word == "yoy" ? v1::COMPARISON_YEAR_ON_YEAR
                                          : v1::COMPARISON_PERIOD_ON_PERIOD);
  }
  return absl::OkStatus();
}

// The change, or what the comparison says instead: "12.5", "-" where there is none.
std::string ChangeText(const v1::Figure& figure, int at) {
  if (at >= figure.comparisons_size()) return "";
  return figure.comparisons(at).has_change() ? figure.comparisons(at).change_text() : "";
}

std::string BaseText(const v1::Figure& figure, int at) {
  return at < figure.comparisons_size() ? figure.comparisons(at).base_text() : "";
}

void WarnWhenBehind(const Session& session,
                    const google::protobuf::RepeatedPtrField<v1::Freshness>& sources) {
  for (const v1::Freshness& source : sources) {
    if (source.error().empty() && source.applied() >= source.head()) continue;
    const std::string events = absl::StrCat(source.head() - source.applied());
    PrintNote(session.Say("Note: these figures do not hold the newest " + events + " changes of " +
                              source.source() +
                              (source.error().empty() ? "" : ", which can no longer be read") +
                              ". Run gonghui wait, then ask again.",
                          "注意：以下数字尚未包含 " + source.source() + " 最新的 " + events +
                              " 项变更" + (source.error().empty() ? "" : "，且该来源已无法读取") +
                              "。请先运行 gonghui wait，再查询。"));
  }
}

absl::StatusOr<int> Figures(Session& session, const FigureOptions& options) {
  v1::QueryFiguresRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  request.set_organization(options.organization);
  request.set_period(options.period);
  for (const std::string& measure : options.measures) request.add_measures(measure);
  request.set_dimensions(options.dimensions);
  request.set_children(options.children);
  RETURN_IF_ERROR(SetBasis(options, request));
  ASSIGN_OR_RETURN(const auto answer, session.Invoke<v1::QueryFiguresResponse>(
                                          std::string(kService) + "QueryFigures", request));
  WarnWhenBehind(session, answer.freshness());
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  Cells csv_heading = {"measure", "dimensions", "period", "organization",
                       "value",   "unit",       "records"};
  Cells heading = {session.Say("figure", "指标"),     session.Say("measure", "指标代码"),
                   session.Say("dimensions", "维度"), session.Say("organization", "组织"),
                   session.Say(">value", ">数值"),    session.Say("unit", "单位"),
                   session.Say(">records", ">记录数")};
  for (const std::string& word : options.comparisons) {
    csv_heading.insert(csv_heading.end(), {word + "_base", word + "_change"});
    const bool yoy = word == "yoy";
    heading.push_back(session.Say(yoy ? ">year before" : ">before", yoy ? ">上年同期" : ">上期"));
    heading.push_back(session.Say(">change", yoy ? ">同比" : ">环比"));
  }
  std::string csv = CsvLine(csv_heading);
  Table table(heading);
  for (const v1::Figure& figure : answer.figures()) {
    const std::string dimensions = DimensionsText(figure.dimensions());
    Cells csv_row = {figure.measure(),  dimensions,    figure.period(),    figure.organization(),
                     ValueText(figure), figure.unit(), RecordsText(figure)};
    Cells row = {LabelText(session, figure.label(), figure.measure()),
                 figure.measure(),
                 dimensions,
                 figure.organization(),
                 ShownText(figure),
                 figure.unit(),
                 RecordsText(figure)};
    for (int i = 0; i < static_cast<int>(options.comparisons.size()); ++i) {
      for (const std::string& text : {BaseText(figure, i), ChangeText(figure, i)}) {
        csv_row.push_back(text);
        row.push_back(text.empty() ? "-" : text);
      }
    }
    csv += CsvLine(csv_row);
    table.Add(row);
  }
  Print(options.csv ? csv : table.Text());
  if (!options.csv && table.empty()) {
    PrintNote(session.Say("No figures: nothing was recorded there in that period.",
                          "没有数字：该组织在该期间没有记录。"));
  }
  return kSuccess;
}

absl::StatusOr<std::string> FigureName(const Session& session, const FigureOptions& options) {
  if (!options.name.empty()) return options.name;
  if (options.organization.empty() || options.period.empty() || options.measures.size() != 1) {
    return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                           "Name one figure: --org, --period and one --measure, or the figure's "
                           "name as gonghui figures --json prints it.",
                           "请指定一个数字：--org、--period 和一个 --measure，或给出数字的名称。");
  }
  ASSIGN_OR_RETURN(const std::string parent, session.Parent());
  std::string name = absl::StrCat(parent, "/organizations/", options.organization, "/figures/",
                                  options.measures.front(), "/", options.period);
  v1::QueryFiguresRequest basis;
  RETURN_IF_ERROR(SetBasis(options, basis));
  std::string after = basis.tree_mode() == v1::TREE_MODE_AS_IS ? "as_is" : basis.tree_date();
  if (basis.line() == v1::LINE_AFFILIATED) {
    absl::StrAppend(&after, after.empty() ? "" : ",", "affiliated");
  }
  if (!after.empty()) absl::StrAppend(&name, "@", after);
  std::vector<std::string> parts = absl::StrSplit(options.dimensions, ';', absl::SkipWhitespace());
  for (std::string& part : parts) part = Trimmed(part);
  std::sort(parts.begin(), parts.end());
  if (!parts.empty()) absl::StrAppend(&name, "/", absl::StrJoin(parts, ";"));
  return name;
}

std::string DeltaText(const v1::Measure& measure, int64_t delta) {
  return measure.kind() == v1::MEASURE_KIND_MONEY ? FormatYuan(delta) : absl::StrCat(delta);
}

void ShowExplanation(const Session& session, const v1::ExplainFigureResponse& answer) {
  const v1::Figure& figure = answer.figure();
  const std::string dimensions = DimensionsText(figure.dimensions());
  Print(absl::StrCat(LabelText(session, figure.label(), figure.measure()), "  ", ShownText(figure),
                     " ", figure.unit(), "  (", figure.organization(), ", ", figure.period(),
                     dimensions.empty() ? "" : ", " + dimensions, ")\n", answer.formula(), "\n"));
  for (const v1::Figure& part : answer.parts()) {
    Print(absl::StrCat("  ", part.measure(), " = ", ValueText(part), " ", part.unit(), "  ",
                       part.name(), "\n"));
  }
  Table cells({session.Say("organization", "组织"), session.Say(">value", ">数值"),
               session.Say(">records", ">记录数")});
  for (const v1::Cell& cell : answer.cells()) {
    cells.Add(
        {cell.organization().empty() ? session.Say("(itself)", "（本级）") : cell.organization(),
         cell.text(), absl::StrCat(cell.records())});
  }
  if (!cells.empty()) Print("\n" + cells.Text());
  if (!answer.additive() && !cells.empty()) {
    Print(session.Say("The parts may overlap: each person or unit counts once in the whole.\n",
                      "各部分可能重叠：同一人或单位在合计中只计一次。\n"));
  }
}

absl::StatusOr<int> Explain(Session& session, const FigureOptions& options) {
  v1::ExplainFigureRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), FigureName(session, options));
  request.set_page_size(options.all ? 1000 : options.page_size);
  Table records({session.Say("record", "记录"), session.Say("organization", "组织"),
                 session.Say("date", "日期"), session.Say(">counts", ">计入"),
                 session.Say("dimensions", "维度")});
  v1::ExplainFigureResponse answer;
  bool first = true;
  do {
    ASSIGN_OR_RETURN(answer, session.Invoke<v1::ExplainFigureResponse>(
                                 std::string(kService) + "ExplainFigure", request));
    if (session.json()) {
      PrintJson(answer);
    } else if (first) {
      WarnWhenBehind(session, answer.freshness());
      ShowExplanation(session, answer);
    }
    first = false;
    for (const v1::RecordContribution& record : answer.records()) {
      records.Add({record.record(), record.organization(), record.on_date(),
                   DeltaText(answer.measure(), record.delta()),
                   DimensionsText(record.dimensions())});
    }
    request.set_page_token(answer.next_page_token());
  } while (options.all && !answer.next_page_token().empty());
  if (session.json()) return kSuccess;
  if (!records.empty()) Print("\n" + records.Text());
  if (!answer.next_page_token().empty()) {
    PrintNote(session.Say("There are more records: --all shows every one.",
                          "还有更多记录：--all 显示全部。"));
  }
  return kSuccess;
}

absl::StatusOr<int> Measures(Session& session) {
  ASSIGN_OR_RETURN(const auto answer,
                   session.Invoke<v1::ListMeasuresResponse>(std::string(kService) + "ListMeasures",
                                                            v1::ListMeasuresRequest()));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  Table table({session.Say("measure", "指标代码"), session.Say("label", "名称"),
               session.Say("adds up as", "计算方式"), session.Say("unit", "单位"),
               session.Say("dimensions", "维度"), session.Say("system", "系统")});
  for (const v1::Measure& measure : answer.measures()) {
    std::vector<std::string> keys;
    for (const auto& dimension : measure.dimensions()) keys.push_back(dimension.key());
    const std::string kind = v1::MeasureKind_Name(measure.kind()).substr(sizeof("MEASURE_KIND"));
    table.Add({measure.name(), LabelText(session, measure.label(), measure.name()),
               absl::AsciiStrToLower(kind), measure.unit(), absl::StrJoin(keys, ", "),
               measure.system()});
  }
  Print(table.Text());
  for (const v1::PeriodKind& kind : answer.period_kinds()) {
    PrintNote(
        absl::StrCat("2020", kind.suffix(), ": ", LabelText(session, kind.label(), kind.suffix())));
  }
  return kSuccess;
}

void AddFigureOptions(CLI::App* command, FigureOptions& options, bool required) {
  command->add_option("--org", options.organization, "Organisation, with everything below it")
      ->required(required)
      ->type_name("ID");
  command
      ->add_option("--period", options.period,
                   "2020, 2020H1, 2020Q2, 2020-05, 2020-05YTD (January to May); 2020S and the like "
                   "as gonghui measures lists them")
      ->required(required);
  command
      ->add_option("--tree", options.tree,
                   "Tree: as_was (when it happened), as_is (today's) or as_of:2021-01-01")
      ->type_name("TREE");
  command
      ->add_option("--line", options.line,
                   "affiliated: with organisations on the second line, as of an industry union")
      ->type_name("LINE");
  command->add_option("-m,--measure", options.measures, "Measure; gonghui measures lists them")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command
      ->add_option("--dimensions", options.dimensions,
                   "Restrict (host=town_street;month=2020-05), choose (sex=male,female) or split "
                   "(sex=*)")
      ->type_name("K=V;K=V");
}

}  // namespace

void AddFigureCommands(Program& program) {
  auto options = std::make_shared<FigureOptions>();
  Session& session = program.session;
  CLI::App* figures = AddCommand(program.app, "figures", "Figures of an organisation and a period",
                                 "gonghui figures --org D01 --period 2020H1 --csv");
  AddFigureOptions(figures, *options, true);
  figures
      ->add_option("--compare", options->comparisons,
                   "yoy (a year before), pop (the period before), or both: yoy,pop")
      ->delimiter(',')
      ->type_name("WORD");
  figures->add_flag("--children", options->children, "Also those of each direct child");
  figures->add_flag("--csv", options->csv,
                    "measure,dimensions,period,organization,value,unit,records");
  OnRun(figures, program, [&session, options] { return Figures(session, *options); });

  CLI::App* explain =
      AddCommand(program.app, "explain", "How a figure came about: formula, parts, records",
                 "gonghui explain --org D01 --period 2020H1 --measure disputes_accepted --all");
  explain->add_option("FIGURE", options->name, "Name of the figure, instead of the options");
  AddFigureOptions(explain, *options, false);
  explain->add_option("--page-size", options->page_size, "Records to show")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  explain->add_flag("--all", options->all, "All records behind it");
  OnRun(explain, program, [&session, options] { return Explain(session, *options); });

  CLI::App* measures =
      AddCommand(program.app, "measures", "The measures that can be asked", "gonghui measures");
  OnRun(measures, program, [&session] { return Measures(session); });
}

}  // namespace gonghui::cli
