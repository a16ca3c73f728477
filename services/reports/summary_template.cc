#include "services/reports/summary_template.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/catalog/yaml_message.h"
#include "services/reports/dimensions.h"

namespace gonghui::reports {
namespace {

absl::Status Bad(std::string_view text, std::string_view why, std::string_view why_zh) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat("work summary '", text, "': ", why, "; correct the catalogue"),
                         StrCat("工作总结“", text, "”：", why_zh, "，请改正目录"));
}

// Reads one sentence of the catalogue.
class SentenceReader {
 public:
  SentenceReader(const Measures& measures, std::string_view text)
      : measures_(measures), text_(text) {}

  absl::StatusOr<std::vector<SentencePiece>> Read() {
    std::string_view rest = text_;
    return Pieces(rest, false);
  }

  // "measure key=value aspect".
  absl::StatusOr<FigureSlot> Slot(std::string_view inside) const {
    FigureSlot slot;
    std::vector<std::string_view> words;
    for (std::string_view word : Split(inside, ' ')) {
      if (!word.empty()) words.push_back(word);
    }
    if (words.empty()) return Bad(text_, "empty braces", "花括号内为空");
    slot.measure = words[0];
    if (measures_.Find(slot.measure) == nullptr) {
      return Bad(text_, StrCat("unknown measure '", words[0], "'"),
                 StrCat("没有指标“", words[0], "”"));
    }
    for (size_t i = 1; i < words.size(); ++i) {
      if (words[i].find('=') != std::string_view::npos) {
        slot.dimensions = words[i];
        continue;
      }
      const std::optional<Aspect> aspect = ParseAspect(words[i]);
      if (!aspect.has_value()) {
        return Bad(text_, StrCat("'", words[i], "' is no aspect of a figure"),
                   StrCat("“", words[i], "”不是指标的表述方式"));
      }
      slot.aspect = *aspect;
    }
    RETURN_IF_ERROR(CheckSlot(slot));
    return slot;
  }

 private:
  absl::Status CheckSlot(const FigureSlot& slot) const {
    const v1::Measure& measure = *measures_.Find(slot.measure);
    ASSIGN_OR_RETURN(const Period any_period, ParsePeriod("2020"));
    ASSIGN_OR_RETURN(const DimensionFilter filter,
                     ParseFilter(measures_, measure, any_period, slot.dimensions));
    if (!filter.split.empty()) {
      return Bad(text_, "a sentence cites single figures: write a value instead of '*'",
                 "句子只引用单个指标值，不能用“*”");
    }
    const bool approximate = slot.aspect == Aspect::kApprox || slot.aspect == Aspect::kNear ||
                             slot.aspect == Aspect::kAbout;
    if (approximate && measure.kind() == v1::MEASURE_KIND_RATIO) {
      return Bad(text_, "a ratio is not said approximately", "比率不能用概数");
    }
    return absl::OkStatus();
  }

  // Up to the end, or within a group up to its closing bracket.
  absl::StatusOr<std::vector<SentencePiece>> Pieces(std::string_view& rest, bool in_group) {
    std::vector<SentencePiece> pieces;
    while (!rest.empty()) {
      const size_t mark = rest.find_first_of("{}[]");
      if (mark != 0) {
        pieces.push_back({.words = std::string(rest.substr(0, mark))});
        if (mark == std::string_view::npos) break;
        rest.remove_prefix(mark);
      }
      if (rest[0] == ']' && in_group) return pieces;
      if (rest[0] == '{') {
        ASSIGN_OR_RETURN(SentencePiece piece, Figure(rest));
        pieces.push_back(std::move(piece));
      } else if (rest[0] == '[' && !in_group) {
        rest.remove_prefix(1);
        SentencePiece piece{.kind = SentencePiece::Kind::kGroup};
        ASSIGN_OR_RETURN(piece.group, Pieces(rest, true));
        if (rest.empty()) return Bad(text_, "a bracket is not closed", "方括号没有闭合");
        rest.remove_prefix(1);
        pieces.push_back(std::move(piece));
      } else {
        return Bad(text_, StrCat("'", rest.substr(0, 1), "' stands in the wrong place"),
                   StrCat("“", rest.substr(0, 1), "”位置不对"));
      }
    }
    return pieces;
  }

  absl::StatusOr<SentencePiece> Figure(std::string_view& rest) const {
    const size_t close = rest.find('}');
    if (close == std::string_view::npos) {
      return Bad(text_, "a brace is not closed", "花括号没有闭合");
    }
    SentencePiece piece{.kind = SentencePiece::Kind::kFigure};
    ASSIGN_OR_RETURN(piece.figure, Slot(rest.substr(1, close - 1)));
    rest.remove_prefix(close + 1);
    return piece;
  }

  const Measures& measures_;
  const std::string_view text_;
};

absl::StatusOr<std::optional<double>> ReadBound(std::string_view sentence,
                                                const std::string& text) {
  if (text.empty()) return std::optional<double>();
  double bound = 0;
  if (!absl::SimpleAtod(text, &bound)) {
    return Bad(sentence, StrCat("'", text, "' is no number"), StrCat("“", text, "”不是数字"));
  }
  return std::optional(bound);
}

absl::StatusOr<std::vector<SummarySentenceForm>> ReadSentences(
    const Measures& measures,
    const google::protobuf::RepeatedPtrField<v1::TemplateSentence>& sentences) {
  std::vector<SummarySentenceForm> forms;
  for (const v1::TemplateSentence& sentence : sentences) {
    SentenceReader reader(measures, sentence.text());
    SummarySentenceForm form;
    ASSIGN_OR_RETURN(form.pieces, reader.Read());
    for (const v1::TemplateCondition& from : sentence.when()) {
      SummaryCondition condition;
      ASSIGN_OR_RETURN(condition.figure, reader.Slot(from.figure()));
      ASSIGN_OR_RETURN(condition.at_least, ReadBound(sentence.text(), from.at_least()));
      ASSIGN_OR_RETURN(condition.below, ReadBound(sentence.text(), from.below()));
      form.when.push_back(std::move(condition));
    }
    forms.push_back(std::move(form));
  }
  return forms;
}

absl::StatusOr<SummarySectionForm> ReadSection(const Measures& measures,
                                               const v1::TemplateSection& section) {
  SummarySectionForm form{.heading = section.heading()};
  ASSIGN_OR_RETURN(form.sentences, ReadSentences(measures, section.sentences()));
  if (section.has_items()) form.items = section.items();
  for (const v1::TemplateSection& below : section.sections()) {
    if (below.sections_size() > 0) {
      return Bad(below.heading(), "sections nest one level deep", "章节只能有两级");
    }
    ASSIGN_OR_RETURN(SummarySectionForm read, ReadSection(measures, below));
    form.sections.push_back(std::move(read));
  }
  return form;
}

absl::Status CheckScales(const v1::SummaryCatalog& catalog) {
  int64_t above = std::numeric_limits<int64_t>::max();
  for (const v1::ApproximationScale& scale : catalog.approximations()) {
    const bool fits = scale.unit() > 0 && scale.step() > 0 &&
                      (scale.step() % scale.unit() == 0 || scale.unit() % scale.step() == 0);
    if (!fits || scale.at_least() >= above || scale.at_least() < scale.step()) {
      return Bad(StrCat("approximations ", scale.at_least()),
                 "scales fall in size, at least one step each, and step and unit divide",
                 "概数标度须由大到小，起点不小于步长，步长与单位可整除");
    }
    above = scale.at_least();
  }
  return absl::OkStatus();
}

int MonthOf(std::string_view year_month) {
  return (year_month[5] - '0') * 10 + (year_month[6] - '0');
}

int YearOf(std::string_view year_month) {
  int year = 0;
  ParseInteger(year_month.substr(0, 4), &year);
  return year;
}

template <typename List>
bool Holds(const List& list, std::string_view value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

absl::StatusOr<SummaryForms> SummaryForms::Load(const Measures& measures,
                                                const std::vector<EmbeddedFile>& files) {
  SummaryForms forms;
  forms.catalog_ = std::make_unique<v1::SummaryCatalog>();
  for (const EmbeddedFile& file : files) {
    if (!file.name.starts_with(kSummaryFiles)) continue;
    v1::SummaryCatalog read;
    RETURN_IF_ERROR(catalog::ParseYaml(file.name, file.text, read));
    forms.catalog_->MergeFrom(read);
  }
  RETURN_IF_ERROR(CheckScales(*forms.catalog_));
  for (const v1::SummaryTemplate& source : forms.catalog_->templates()) {
    if (source.name().empty() || source.sections().empty()) {
      return Bad(source.name(), "a template needs a name and sections", "模板须有名称和章节");
    }
    SummaryForm form{.source = &source};
    ASSIGN_OR_RETURN(form.opening, ReadSentences(measures, source.opening()));
    for (const v1::TemplateSection& section : source.sections()) {
      ASSIGN_OR_RETURN(SummarySectionForm read, ReadSection(measures, section));
      form.sections.push_back(std::move(read));
    }
    forms.forms_.push_back(std::move(form));
  }
  for (const v1::AllowedNumeral& allowed : forms.catalog_->allowed_numerals()) {
    auto pattern = std::make_unique<re2::RE2>("(" + allowed.pattern() + ")", re2::RE2::Quiet);
    if (!pattern->ok()) return Bad(allowed.name(), pattern->error(), "表达式不正确");
    forms.allowed_.push_back(std::move(pattern));
  }
  return forms;
}

absl::StatusOr<const SummaryForm*> SummaryForms::Choose(std::string_view name,
                                                        std::string_view organization_kind,
                                                        const Period& period) const {
  const SummaryForm* fits_period = nullptr;
  std::string names;
  for (const SummaryForm& form : forms_) {
    const v1::SummaryTemplate& source = *form.source;
    StrAppend(&names, names.empty() ? "" : ", ", source.name());
    if (name.empty()) {
      const auto& kinds = source.period_kinds();
      if (!kinds.empty() && !Holds(kinds, PeriodKindOf(period))) continue;
      if (Holds(source.organization_kinds(), organization_kind)) return &form;
      if (fits_period == nullptr) fits_period = &form;
    } else if (source.name() == name) {
      return &form;
    }
  }
  if (fits_period != nullptr) return fits_period;
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("no template '", name, "' fits this period: name one of ", names),
                  StrCat("没有适合该期间的模板“", name, "”，可用：", names))
      .At("template");
}

std::string_view PeriodKindOf(const Period& period) {
  const int months = (YearOf(period.last_month) - YearOf(period.first_month)) * 12 +
                     MonthOf(period.last_month) - MonthOf(period.first_month) + 1;
  switch (months) {
    case 12:
      return "year";
    case 6:
      return "half_year";
    case 3:
      return "quarter";
    case 1:
      return "month";
    default:
      return "";
  }
}

std::string PeriodInChinese(const Period& period) {
  const std::string year = StrCat(YearOf(period.first_month), "年");
  const int first = MonthOf(period.first_month);
  const int last = MonthOf(period.last_month);
  const int last_year = YearOf(period.last_month);
  if (last_year != YearOf(period.first_month)) {
    return StrCat(year, first, "月至", last_year, "年", last, "月");
  }
  if (first == last) return StrCat(year, first, "月");
  if (first == 1 && last == 12) return year;
  if (first == 1 && last == 6) return year + "上半年";
  if (first == 7 && last == 12) return year + "下半年";
  static constexpr const char* kQuarters[] = {"第一季度", "第二季度", "第三季度", "第四季度"};
  if (last - first == 2 && first % 3 == 1) return year + kQuarters[first / 3];
  return StrCat(year, first, "至", last, "月");
}

}  // namespace gonghui::reports
