#include "services/reports/summaries.h"

#include <map>
#include <string_view>
#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"
#include "services/reports/figure_reader.h"

namespace gonghui::reports {
namespace {

absl::Status BadSentence(std::string_view text, std::string_view why, std::string_view why_zh) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat("summary sentence '", text, "': ", why, "; correct the catalogue"),
                         StrCat("工作总结句子“", text, "”：", why_zh, "，请改正目录"));
}

absl::StatusOr<SummaryTemplate::Sentence> ReadSentence(const Measures& measures,
                                                       std::string_view text) {
  ASSIGN_OR_RETURN(const Period any_period, ParsePeriod("2020"));
  SummaryTemplate::Sentence sentence;
  std::string_view rest = text;
  for (size_t open = rest.find('{'); open != std::string_view::npos; open = rest.find('{')) {
    const size_t close = rest.find('}', open);
    if (close == std::string_view::npos) {
      return BadSentence(text, "a brace is not closed", "花括号没有闭合");
    }
    const std::string_view inside = rest.substr(open + 1, close - open - 1);
    const size_t space = inside.find(' ');
    SummaryTemplate::Slot slot{.words = std::string(rest.substr(0, open)),
                               .measure = std::string(inside.substr(0, space)),
                               .dimensions = space == std::string_view::npos
                                                 ? ""
                                                 : std::string(Strip(inside.substr(space)))};
    const v1::Measure* measure = measures.Find(slot.measure);
    if (measure == nullptr) {
      return BadSentence(text, StrCat("unknown measure '", slot.measure, "'"),
                         StrCat("没有指标“", slot.measure, "”"));
    }
    ASSIGN_OR_RETURN(const DimensionFilter filter,
                     ParseFilter(measures, *measure, any_period, slot.dimensions));
    if (!filter.split.empty()) {
      return BadSentence(text, "a sentence cites single figures: write a value instead of '*'",
                         "句子只引用单个指标值，不能用“*”");
    }
    sentence.slots.push_back(std::move(slot));
    rest.remove_prefix(close + 1);
  }
  sentence.ending = rest;
  return sentence;
}

// 2020年上半年.
std::string PeriodInChinese(const Period& period) {
  const std::string year = StrCat(period.first_month.substr(0, 4), "年");
  const std::string first = period.first_month.substr(5);
  const std::string last = period.last_month.substr(5);
  if (first == "01" && last == "12") return year;
  if (first == "01" && last == "06") return year + "上半年";
  if (first == "07" && last == "12") return year + "下半年";
  if (first == last) return StrCat(year, first[0] == '0' ? first.substr(1) : first, "月");
  static constexpr const char* kQuarters[] = {"第一季度", "第二季度", "第三季度", "第四季度"};
  return year + kQuarters[((first[0] - '0') * 10 + (first[1] - '0') - 1) / 3];
}

// Figures cited so far and the numbers of their footnotes.
class Citations {
 public:
  // "350[^1]"; a figure cited twice has one footnote. Without value: "—".
  std::string Cite(const v1::Figure& figure) {
    auto [found, fresh] = numbers_.emplace(figure.name(), figures_.size() + 1);
    if (fresh) figures_.push_back(figure);
    return StrCat(figure.suppressed()  ? "若干"
                  : figure.has_value() ? figure.text()
                                       : "—",
                  "[^", found->second, "]");
  }
  const std::vector<v1::Figure>& figures() const { return figures_; }
  std::string Footnotes() const {
    std::string text;
    for (size_t i = 0; i < figures_.size(); ++i) {
      StrAppend(&text, "[^", i + 1, "]: ", figures_[i].name(), "\n");
    }
    return text;
  }

 private:
  std::map<std::string, size_t> numbers_;
  std::vector<v1::Figure> figures_;
};

// One sentence; empty when none of its figures says anything.
absl::StatusOr<std::string> WriteSentence(FigureReader& reader, const Measures& measures,
                                          const FigureScope& scope,
                                          const SummaryTemplate::Sentence& sentence,
                                          Citations& citations) {
  std::vector<v1::Figure> figures;
  bool says_something = sentence.slots.empty();
  for (const SummaryTemplate::Slot& slot : sentence.slots) {
    FigureName name{.scope = scope, .measure = measures.Find(slot.measure), .filter = {}};
    ASSIGN_OR_RETURN(name.filter,
                     ParseFilter(measures, *name.measure, scope.period, slot.dimensions));
    ASSIGN_OR_RETURN(v1::Figure figure, reader.Read(scope, *name.measure, name.filter));
    says_something = says_something || (figure.has_value() && figure.value() != 0);
    figures.push_back(std::move(figure));
  }
  std::string text;
  if (!says_something) return text;
  for (size_t i = 0; i < figures.size(); ++i) {
    StrAppend(&text, sentence.slots[i].words, citations.Cite(figures[i]));
  }
  return text + sentence.ending;
}

absl::StatusOr<std::string> WriteSections(FigureReader& reader, const Measures& measures,
                                          const FigureScope& scope, const SummaryTemplate& sections,
                                          Citations& citations) {
  std::string markdown;
  for (const SummaryTemplate::Section& section : sections.sections()) {
    std::string body;
    for (const SummaryTemplate::Sentence& sentence : section.sentences) {
      ASSIGN_OR_RETURN(const std::string text,
                       WriteSentence(reader, measures, scope, sentence, citations));
      body += text;
    }
    if (!body.empty()) StrAppend(&markdown, "## ", section.heading, "\n\n", body, "\n\n");
  }
  return markdown;
}

// A cell of a CSV file that opens as text in a spreadsheet: what would be a formula gets a leading
// '.
std::string CsvText(std::string_view text) {
  std::string cell(text);
  if (!cell.empty() && std::string_view("=+-@").find(cell[0]) != std::string_view::npos) {
    cell.insert(0, "'");
  }
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  return StrCat("\"", Replace(cell, "\"", "\"\""), "\"");
}

std::string WriteCsv(const std::vector<v1::Figure>& figures) {
  std::string csv = "measure,dimensions,period,organization,value,unit,records\n";
  for (const v1::Figure& figure : figures) {
    DimensionMap dimensions;
    for (const common::v1::Dimension& d : figure.dimensions()) {
      dimensions.emplace(d.key(), d.value());
    }
    // The value is a number that we print ourselves: its minus sign is no formula.
    StrAppend(&csv, CsvText(figure.measure()), ",", CsvText(FormatDimensions(dimensions)), ",",
              CsvText(figure.period()), ",", CsvText(figure.organization()), ",",
              figure.suppressed() ? "*" : figure.text(), ",", CsvText(figure.unit()), ",",
              figure.records(), "\n");
  }
  return csv;
}

}  // namespace

absl::StatusOr<SummaryTemplate> SummaryTemplate::Load(const Measures& measures) {
  SummaryTemplate sections;
  for (const v1::SummarySection& from : measures.catalog().sections()) {
    Section section{.heading = from.heading(), .sentences = {}};
    for (const v1::SummarySentence& sentence : from.sentences()) {
      ASSIGN_OR_RETURN(Sentence read, ReadSentence(measures, sentence.text()));
      section.sentences.push_back(std::move(read));
    }
    sections.sections_.push_back(std::move(section));
  }
  return sections;
}

absl::StatusOr<v1::GetWorkSummaryResponse> Summaries::Get(
    rpc::Call& call, const v1::GetWorkSummaryRequest& request) {
  ASSIGN_OR_RETURN(Period period, options_.measures->periods().Parse(request.period(), "period"));
  RETURN_IF_ERROR(CheckOrganization(*options_.tree, call.federation, request.organization()));
  const FigureScope scope{call.federation, request.organization(), std::move(period), {}};
  ASSIGN_OR_RETURN(auto tree, options_.tree->Get(call.federation));
  const tree::Version* organization = tree->Find(scope.organization, scope.period.last_day);
  v1::GetWorkSummaryResponse response;
  RETURN_IF_ERROR(options_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    Citations citations;
    FigureReader reader(tx, *options_.measures, call.federation, &call);
    ASSIGN_OR_RETURN(const std::string sections, WriteSections(reader, *options_.measures, scope,
                                                               *options_.sections, citations));
    response.set_markdown(
        StrCat("# ", organization == nullptr ? scope.organization : organization->display_name,
               PeriodInChinese(scope.period), "工作总结\n\n", sections, citations.Footnotes()));
    ASSIGN_OR_RETURN(const std::vector<v1::Figure> all, reader.All(scope));
    response.set_csv(WriteCsv(all));
    for (const v1::Figure& figure : citations.figures()) *response.add_figures() = figure;
    return absl::OkStatus();
  }));
  return response;
}

}  // namespace gonghui::reports
