#include "services/reports/summary_composer.h"

#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::reports {
namespace {

bool IsZero(const v1::Figure& figure) {
  return !figure.suppressed() && (!figure.has_value() || figure.value() == 0);
}

void Append(std::vector<SummaryRun> more, std::vector<SummaryRun>& runs) {
  for (SummaryRun& run : more) {
    const bool joins = !runs.empty() && run.citation < 0 && runs.back().citation < 0;
    if (joins) {
      runs.back().text += run.text;
    } else {
      runs.push_back(std::move(run));
    }
  }
}

}  // namespace

absl::StatusOr<SummaryDocument> SummaryComposer::Compose(const SummaryForm& form,
                                                         const Frame& frame) {
  document_ = {};
  numbers_.clear();
  document_.organization = frame.organization;
  document_.title = Replace(Replace(form.source->title(), "{organization}", frame.organization),
                            "{period}", frame.period);
  document_.paragraphs.push_back({ParagraphStyle::kTitle, {{document_.title}}});
  ASSIGN_OR_RETURN(Runs opening, Paragraph(form.opening));
  if (!opening.empty()) {
    document_.paragraphs.push_back({ParagraphStyle::kBody, std::move(opening)});
  }
  int number = 1;
  for (const SummarySectionForm& section : form.sections) {
    const size_t before = document_.paragraphs.size();
    RETURN_IF_ERROR(
        Section(section, ParagraphStyle::kHeading1, StrCat(ChineseNumber(number), "、")));
    if (document_.paragraphs.size() > before) ++number;
  }
  Close(frame);
  return std::move(document_);
}

absl::Status SummaryComposer::Section(const SummarySectionForm& section, ParagraphStyle style,
                                      std::string number) {
  const size_t heading = document_.paragraphs.size();
  document_.paragraphs.push_back({style, {{number + section.heading}}});
  RETURN_IF_ERROR(Body(section));
  if (document_.paragraphs.size() == heading + 1) document_.paragraphs.pop_back();
  return absl::OkStatus();
}

absl::Status SummaryComposer::Body(const SummarySectionForm& section) {
  ASSIGN_OR_RETURN(Runs runs, Paragraph(section.sentences));
  if (!runs.empty()) document_.paragraphs.push_back({ParagraphStyle::kBody, std::move(runs)});
  if (section.items.has_value()) Items(*section.items);
  int number = 1;
  for (const SummarySectionForm& below : section.sections) {
    const size_t before = document_.paragraphs.size();
    RETURN_IF_ERROR(
        Section(below, ParagraphStyle::kHeading2, StrCat("（", ChineseNumber(number), "）")));
    if (document_.paragraphs.size() > before) ++number;
  }
  return absl::OkStatus();
}

absl::StatusOr<SummaryComposer::Runs> SummaryComposer::Paragraph(
    const std::vector<SummarySentenceForm>& sentences) {
  Runs runs;
  for (const SummarySentenceForm& sentence : sentences) {
    ASSIGN_OR_RETURN(Runs said, Sentence(sentence));
    Append(std::move(said), runs);
  }
  return runs;
}

absl::StatusOr<SummaryComposer::Runs> SummaryComposer::Sentence(
    const SummarySentenceForm& sentence) {
  for (const SummaryCondition& condition : sentence.when) {
    ASSIGN_OR_RETURN(const bool holds, Holds(condition));
    if (!holds) return Runs();
  }
  // Judged before anything is cited: what is left out must leave no citation.
  bool has_figures = false;
  bool says_something = false;
  for (const SentencePiece& piece : sentence.pieces) {
    if (piece.kind != SentencePiece::Kind::kFigure) continue;
    has_figures = true;
    ASSIGN_OR_RETURN(const StatedFigure* stated, FigureOf(piece.figure));
    says_something = says_something || !IsZero(stated->figure);
  }
  Runs runs;
  if (has_figures && !says_something) return runs;
  for (const SentencePiece& piece : sentence.pieces) {
    switch (piece.kind) {
      case SentencePiece::Kind::kWords:
        Append({{piece.words}}, runs);
        break;
      case SentencePiece::Kind::kGroup: {
        ASSIGN_OR_RETURN(Runs group, Group(piece.group));
        Append(std::move(group), runs);
        break;
      }
      case SentencePiece::Kind::kFigure: {
        ASSIGN_OR_RETURN(const StatedFigure* stated, FigureOf(piece.figure));
        const auto exact = wording_.Exact(*stated, piece.figure.aspect);
        runs.push_back(
            CiteFigure(stated->figure, piece.figure.aspect, exact.value_or(std::string(kNone))));
      }
    }
  }
  return runs;
}

absl::StatusOr<SummaryComposer::Runs> SummaryComposer::Group(
    const std::vector<SentencePiece>& group) {
  for (const SentencePiece& piece : group) {
    if (piece.kind != SentencePiece::Kind::kFigure) continue;
    ASSIGN_OR_RETURN(const StatedFigure* stated, FigureOf(piece.figure));
    const bool silent = !wording_.Exact(*stated, piece.figure.aspect).has_value();
    if (silent || (SaysValue(piece.figure.aspect) && IsZero(stated->figure))) return Runs();
  }
  Runs runs;
  for (const SentencePiece& piece : group) {
    if (piece.kind == SentencePiece::Kind::kWords) {
      Append({{piece.words}}, runs);
      continue;
    }
    ASSIGN_OR_RETURN(const StatedFigure* stated, FigureOf(piece.figure));
    runs.push_back(CiteFigure(stated->figure, piece.figure.aspect,
                              *wording_.Exact(*stated, piece.figure.aspect)));
  }
  return runs;
}

absl::StatusOr<bool> SummaryComposer::Holds(const SummaryCondition& condition) {
  ASSIGN_OR_RETURN(const StatedFigure* stated, FigureOf(condition.figure));
  const auto exact = wording_.Exact(*stated, condition.figure.aspect);
  double value = 0;
  if (!exact.has_value() || !absl::SimpleAtod(*exact, &value)) return false;
  if (condition.at_least.has_value() && value < *condition.at_least) return false;
  return !condition.below.has_value() || value < *condition.below;
}

void SummaryComposer::Items(const v1::PlanItems& wanted) {
  const auto found = source_.items.find({wanted.item_type(), wanted.dated()});
  if (found == source_.items.end()) return;
  int number = 1;
  for (const SummaryItem& item : found->second) {
    v1::SummaryCitation citation;
    citation.set_name(item.record);
    citation.set_text(item.text);
    citation.set_exact(item.text);
    Runs runs = {{StrCat(number++, ".")}};
    runs.push_back(Cite(std::move(citation)));
    std::string remark = item.owner;
    if (!item.due_on.empty()) {
      StrAppend(&remark, remark.empty() ? "" : "，", DateInChinese(item.due_on), "前完成");
    }
    runs.push_back({remark.empty() ? "。" : StrCat("（", remark, "）。")});
    document_.paragraphs.push_back({ParagraphStyle::kBody, std::move(runs)});
  }
}

void SummaryComposer::Close(const Frame& frame) {
  if (!frame.attachment.empty()) {
    document_.paragraphs.push_back(
        {ParagraphStyle::kAttachment, {{StrCat("附件：", frame.attachment)}}});
  }
  document_.paragraphs.push_back({ParagraphStyle::kSigner, {{frame.organization}}});
  document_.paragraphs.push_back({ParagraphStyle::kDate, {{DateInChinese(frame.written_on)}}});
}

absl::StatusOr<const StatedFigure*> SummaryComposer::FigureOf(const FigureSlot& slot) {
  const std::string key =
      StrCat(slot.measure, " ", slot.dimensions, " ", static_cast<int>(ComparisonFor(slot.aspect)),
             IsOfTarget(slot.aspect) ? AspectWord(slot.aspect) : "");
  auto found = figures_.find(key);
  if (found == figures_.end()) {
    ASSIGN_OR_RETURN(StatedFigure stated, source_.figure(slot));
    found = figures_.emplace(key, std::move(stated)).first;
  }
  return &found->second;
}

SummaryRun SummaryComposer::Cite(v1::SummaryCitation citation) {
  const auto [found, fresh] =
      numbers_.emplace(citation.name(), static_cast<int>(document_.citations.size()));
  SummaryRun run{citation.text(), found->second};
  if (fresh) document_.citations.push_back(std::move(citation));
  return run;
}

SummaryRun SummaryComposer::CiteFigure(const v1::Figure& figure, Aspect aspect,
                                       const std::string& exact) {
  v1::SummaryCitation citation;
  citation.set_name(Citation{figure.name(), aspect}.Text());
  citation.set_text(wording_.Words(figure.unit(), aspect, exact));
  citation.set_exact(exact);
  *citation.mutable_figure() = figure;
  return Cite(std::move(citation));
}

std::string ChineseNumber(int number) {
  static constexpr const char* kDigits[] = {"",   "一", "二", "三", "四",
                                            "五", "六", "七", "八", "九"};
  const int tens = number / 10 % 10;
  return StrCat(tens > 1 ? kDigits[tens] : "", tens > 0 ? "十" : "", kDigits[number % 10]);
}

std::string DateInChinese(std::string_view iso) {
  if (iso.size() != 10) return std::string(iso);
  const auto number = [&](size_t at) {
    return iso.substr(iso[at] == '0' ? at + 1 : at, iso[at] == '0' ? 1 : 2);
  };
  return StrCat(iso.substr(0, 4), "年", number(5), "月", number(8), "日");
}

}  // namespace gonghui::reports
