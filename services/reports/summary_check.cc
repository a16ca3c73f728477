#include "services/reports/summary_check.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"

namespace gonghui::reports {
namespace {

constexpr int kFindingsMost = 1000;
constexpr int kContext = 12;  // Characters on each side of a finding.

// A numeral in digits, or in Chinese with at least one of 十百千万亿 beside another numeral.
const re2::RE2& Numeral() {
  static const auto& pattern = *new re2::RE2(
      "("
      "[0-9０-９]+(?:[,，][0-9０-９]{3})*(?:[.．][0-9０-９]+)?|"
      "[零〇一二三四五六七八九两]+[十百千万亿][零〇一二三四五六七八九十百千万亿]*|"
      "[十百千万亿][零〇一二三四五六七八九十百千万亿]+"
      ")");
  return pattern;
}

// The number that ends a text, with the words that belong to it.
const re2::RE2& LastNumber() {
  static const auto& pattern = *new re2::RE2(
      "((?:增长|增加|上升|提高|提升|下降|减少|降低|近|约)?"
      "[0-9０-９][0-9０-９,，]*(?:[.．][0-9０-９]+)?(?:[%％]|个百分点|[万亿]?余?)?|持平|若干|—)$");
  return pattern;
}

bool EndsWithAny(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return text.ends_with(word); });
}

bool StartsWithAny(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return text.starts_with(word); });
}

// A word before an exact number that makes it approximate.
bool MakesApproximate(std::string_view before) {
  if (before.ends_with("约")) {
    return !EndsWithAny(before, {"节约", "签约", "合约", "预约", "契约", "公约", "条约"});
  }
  if (before.ends_with("近")) return !EndsWithAny(before, {"附近", "邻近", "最近", "就近"});
  return EndsWithAny(before, {"超过", "超", "逾", "不足", "不到"});
}

// A word after a number that changes its size, given the unit in which the number is printed.
bool ChangesSize(std::string_view after, std::string_view unit) {
  if (unit == "wan_yuan") return !after.starts_with("万");
  if (unit == "%") return !StartsWithAny(after, {"%", "％"});
  return StartsWithAny(after, {"余", "多", "十", "百", "千", "万", "亿", "%", "％", "‰", "倍"});
}

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

std::string Around(std::string_view text, size_t begin, size_t end) {
  for (int left = kContext; left > 0 && begin > 0; --left) {
    do {
      --begin;
    } while (begin > 0 && IsContinuation(text[begin]));
  }
  for (int left = kContext; left > 0 && end < text.size(); --left) {
    do {
      ++end;
    } while (end < text.size() && IsContinuation(text[end]));
  }
  return std::string(text.substr(begin, end - begin));
}

void SetHint(v1::SummaryFinding& finding, std::string en, std::string zh) {
  finding.mutable_hint()->set_en(std::move(en));
  finding.mutable_hint()->set_zh(std::move(zh));
}

void Explain(v1::SummaryFinding& finding, std::string_view exact) {
  switch (finding.fault()) {
    case v1::SUMMARY_FAULT_DIFFERS:
      SetHint(finding, StrCat("write ", finding.expected(), ", or correct the records behind it"),
              StrCat("应为", finding.expected(), "；如记录有误请先更正记录"));
      break;
    case v1::SUMMARY_FAULT_OUTDATED:
      SetHint(finding,
              StrCat("the figure has changed since this was written; it is now ", exact, ": write ",
                     finding.expected()),
              StrCat("成文后指标已变化，现为", exact, "，应改为", finding.expected()));
      break;
    case v1::SUMMARY_FAULT_UNCITED:
      SetHint(finding,
              "this number has no source: copy it with its link from a generated summary, or say "
              "it without a number",
              "该数字没有出处：请从生成的总结中连同链接一并复制，或改为不含数字的表述");
      break;
    case v1::SUMMARY_FAULT_WORDS:
      SetHint(finding, StrCat("the words beside the number change it; the figure is ", exact),
              StrCat("数字前后的词改变了其大小，准确值为", exact));
      break;
    default:
      break;
  }
}

}  // namespace

v1::CheckSummaryResponse SummaryCheck::Check(const CitedText& text) {
  response_.Clear();
  int number = 0;
  for (const CitedParagraph& paragraph : text) CheckParagraph(++number, paragraph);
  response_.set_paragraphs(number);
  return std::move(response_);
}

void SummaryCheck::CheckParagraph(int number, const CitedParagraph& paragraph) {
  paragraph_number_ = number;
  found_.clear();
  std::vector<CitedSpan> spans = paragraph.spans;
  for (CitedSpan& span : spans) CheckSpan(paragraph, span);
  CheckNumerals(paragraph, spans);
  std::stable_sort(found_.begin(), found_.end(),
                   [](const Found& a, const Found& b) { return a.at < b.at; });
  for (Found& found : found_) {
    if (response_.findings_size() == kFindingsMost) break;
    *response_.add_findings() = std::move(found.finding);
  }
}

void SummaryCheck::CheckSpan(const CitedParagraph& paragraph, CitedSpan& span) {
  response_.set_citations(response_.citations() + 1);
  const Citation citation = Citation::Parse(span.citation);
  const Said said = source_.said(citation);
  if (span.open) Narrow(paragraph.text, citation, said, span);
  const std::string_view found =
      std::string_view(paragraph.text).substr(span.begin, span.end - span.begin);
  const Range range{span.begin, span.end};
  if (!said.unreadable.zh().empty()) {
    v1::SummaryFinding& finding = Add(v1::SUMMARY_FAULT_UNREADABLE, paragraph, range);
    finding.set_citation(span.citation);
    *finding.mutable_hint() = said.unreadable;
    return;
  }
  const bool figure = citation.IsFigure();
  const auto says = [&](std::string_view exact) {
    return figure ? wording_.Says(found, said.unit, citation.aspect, exact) : found == exact;
  };
  if (says(said.exact)) {
    if (figure) CheckWordsBeside(paragraph, span, citation, said);
    return;
  }
  const bool outdated = span.exact != said.exact && says(span.exact);
  v1::SummaryFinding& finding =
      Add(outdated ? v1::SUMMARY_FAULT_OUTDATED : v1::SUMMARY_FAULT_DIFFERS, paragraph, range);
  finding.set_citation(span.citation);
  finding.set_expected(figure ? wording_.Words(said.unit, citation.aspect, said.exact)
                              : said.exact);
  Explain(finding, said.exact);
}

void SummaryCheck::Narrow(std::string_view text, const Citation& citation, const Said& said,
                          CitedSpan& span) const {
  const std::string_view region = text.substr(span.begin, span.end - span.begin);
  span.open = false;
  std::vector<std::string> forms = {said.exact, span.exact};
  if (citation.IsFigure()) {
    forms.clear();
    for (const std::string& exact : {said.exact, span.exact}) {
      forms.push_back(wording_.Words(said.unit, citation.aspect, exact));
    }
  }
  for (const std::string& form : forms) {
    if (!form.empty() && region.ends_with(form)) {
      span.begin = span.end - form.size();
      return;
    }
  }
  if (!citation.IsFigure()) return;
  re2::StringPiece number;
  const re2::StringPiece piece(region.data(), region.size());
  if (re2::RE2::PartialMatch(piece, LastNumber(), &number)) {
    span.begin = span.end - number.size();
  } else {
    span.begin = span.end;
  }
}

void SummaryCheck::CheckWordsBeside(const CitedParagraph& paragraph, const CitedSpan& span,
                                    const Citation& citation, const Said& said) {
  const std::string_view text(paragraph.text);
  if (citation.aspect == Aspect::kYoy || citation.aspect == Aspect::kPop) return;
  const std::string_view found = text.substr(span.begin, span.end - span.begin);
  const bool is_number =
      !found.empty() && absl::ascii_isdigit(static_cast<unsigned char>(PlainNumber(found).back()));
  const bool before = MakesApproximate(text.substr(0, span.begin));
  const bool after = is_number && ChangesSize(text.substr(span.end), said.unit);
  if (!before && !after) return;
  v1::SummaryFinding& finding = Add(v1::SUMMARY_FAULT_WORDS, paragraph, {span.begin, span.end});
  finding.set_citation(span.citation);
  finding.set_expected(wording_.Words(said.unit, citation.aspect, said.exact));
  Explain(finding, said.exact);
}

void SummaryCheck::CheckNumerals(const CitedParagraph& paragraph,
                                 const std::vector<CitedSpan>& spans) {
  const std::string_view text(paragraph.text);
  const std::vector<Range> allowed = AllowedRanges(text);
  re2::StringPiece rest(text.data(), text.size());
  re2::StringPiece numeral;
  while (re2::RE2::FindAndConsume(&rest, Numeral(), &numeral)) {
    response_.set_numerals(response_.numerals() + 1);
    const auto begin = static_cast<size_t>(numeral.data() - text.data());
    const size_t end = begin + numeral.size();
    const auto within = [&](const auto& range) { return range.begin <= begin && end <= range.end; };
    if (std::any_of(spans.begin(), spans.end(), within)) continue;
    // A digit typed beside a citation makes another number of it.
    const auto touched = std::find_if(spans.begin(), spans.end(), [&](const CitedSpan& span) {
      return begin < span.end && span.begin < end;
    });
    if (touched != spans.end()) {
      v1::SummaryFinding& finding = Add(v1::SUMMARY_FAULT_DIFFERS, paragraph, {begin, end});
      finding.set_citation(touched->citation);
      finding.set_expected(paragraph.text.substr(touched->begin, touched->end - touched->begin));
      Explain(finding, finding.expected());
    } else if (std::none_of(allowed.begin(), allowed.end(), within)) {
      Explain(Add(v1::SUMMARY_FAULT_UNCITED, paragraph, {begin, end}), "");
    }
  }
}

std::vector<SummaryCheck::Range> SummaryCheck::AllowedRanges(std::string_view text) const {
  std::vector<Range> ranges;
  for (const auto& pattern : forms_.allowed()) {
    const re2::StringPiece whole(text.data(), text.size());
    re2::StringPiece match;
    for (size_t at = 0; at <= text.size();) {
      // Match over the whole paragraph, so that ^ stands for its beginning alone.
      if (!pattern->Match(whole, at, text.size(), re2::RE2::UNANCHORED, &match, 1)) break;
      const auto begin = static_cast<size_t>(match.data() - text.data());
      ranges.push_back({begin, begin + match.size()});
      at = begin + std::max<size_t>(match.size(), 1);
    }
  }
  for (const std::string& name : source_.names) {
    for (size_t at = text.find(name); at != std::string_view::npos;
         at = text.find(name, at + name.size())) {
      ranges.push_back({at, at + name.size()});
    }
  }
  return ranges;
}

v1::SummaryFinding& SummaryCheck::Add(v1::SummaryFault fault, const CitedParagraph& paragraph,
                                      Range range) {
  v1::SummaryFinding& finding = found_.emplace_back(Found{range.begin, {}}).finding;
  finding.set_fault(fault);
  finding.set_paragraph(paragraph_number_);
  finding.set_found(paragraph.text.substr(range.begin, range.end - range.begin));
  finding.set_text(Around(paragraph.text, range.begin, range.end));
  return finding;
}

}  // namespace gonghui::reports
