#include "services/reports/summary_citation.h"

#include <cstdint>
#include <utility>

#include "common/base/money.h"
#include "common/base/text.h"

namespace gonghui::reports {
namespace {

constexpr std::string_view kScheme = "gonghui:";
constexpr std::string_view kHidden = "若干";  // Said of a suppressed figure.

constexpr std::pair<std::string_view, Aspect> kAspects[] = {{"", Aspect::kValue},
                                                            {"approx", Aspect::kApprox},
                                                            {"near", Aspect::kNear},
                                                            {"about", Aspect::kAbout},
                                                            {"yoy", Aspect::kYoy},
                                                            {"pop", Aspect::kPop},
                                                            {"yoy_base", Aspect::kYoyBase},
                                                            {"target", Aspect::kTarget},
                                                            {"year_target", Aspect::kYearTarget}};

std::string Escape(std::string_view text) {
  constexpr std::string_view kKept = "-_.~/=;,@";
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
        kKept.find(c) != std::string_view::npos) {
      escaped += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      escaped += '%';
      escaped += kHex[byte >> 4];
      escaped += kHex[byte & 15];
    }
  }
  return escaped;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::string Unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
        HexDigit(text[i + 2]) >= 0) {
      plain += static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]));
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

const v1::ComparedFigure* FindComparison(const v1::Figure& figure, v1::Comparison comparison) {
  for (const v1::ComparedFigure& compared : figure.comparisons()) {
    if (compared.comparison() == comparison) return &compared;
  }
  return nullptr;
}

std::string ChangeWords(std::string_view unit, std::string_view exact) {
  const bool points = unit == "%";  // Shares differ by percentage points.
  const bool falls = exact.starts_with('-');
  const std::string_view size = falls ? exact.substr(1) : exact;
  if (size == "0") return "持平";
  if (points) return StrCat(falls ? "下降" : "提高", size, "个百分点");
  return StrCat(falls ? "下降" : "增长", size, "%");
}

// With one word for every rise and one for every fall.
std::string CommonWords(std::string_view change) {
  std::string common(change);
  for (const char* rise : {"增加", "上升", "提高", "提升"}) common = Replace(common, rise, "增长");
  for (const char* fall : {"减少", "降低"}) common = Replace(common, fall, "下降");
  return common;
}

// value / unit without zeros at the end; `step` tells how many decimals may matter.
std::string InUnit(int64_t value, int64_t unit, int64_t step) {
  int scale = 0;
  for (int64_t u = unit; u > 1 && step < unit; u /= 10) ++scale;
  if (scale == 0) return StrCat(value / unit);
  std::string text = FormatScaled(value, scale, scale);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace

std::optional<Aspect> ParseAspect(std::string_view word) {
  for (const auto& [name, aspect] : kAspects) {
    if (name == word) return aspect;
  }
  return std::nullopt;
}

std::string_view AspectWord(Aspect aspect) {
  for (const auto& [name, value] : kAspects) {
    if (value == aspect) return name;
  }
  return "";
}

v1::Comparison ComparisonFor(Aspect aspect) {
  switch (aspect) {
    case Aspect::kYoy:
    case Aspect::kYoyBase:
      return v1::COMPARISON_YEAR_ON_YEAR;
    case Aspect::kPop:
      return v1::COMPARISON_PERIOD_ON_PERIOD;
    default:
      return v1::COMPARISON_UNSPECIFIED;
  }
}

bool SaysValue(Aspect aspect) {
  return ComparisonFor(aspect) == v1::COMPARISON_UNSPECIFIED && !IsOfTarget(aspect);
}

bool IsOfTarget(Aspect aspect) {
  return aspect == Aspect::kTarget || aspect == Aspect::kYearTarget;
}

std::string Citation::Text() const {
  return aspect == Aspect::kValue ? name : StrCat(name, "#", AspectWord(aspect));
}

Citation Citation::Parse(std::string_view text) {
  const size_t mark = text.rfind('#');
  if (mark != std::string_view::npos && mark + 1 < text.size()) {
    const std::optional<Aspect> aspect = ParseAspect(text.substr(mark + 1));
    if (aspect.has_value()) return {std::string(text.substr(0, mark)), *aspect};
  }
  return {std::string(text), Aspect::kValue};
}

std::string CitationUri(std::string_view citation, std::string_view exact) {
  return StrCat(kScheme, Escape(citation), "?", Escape(exact));
}

std::optional<CitedValue> ParseCitationUri(std::string_view uri) {
  if (!uri.starts_with(kScheme)) return std::nullopt;
  uri.remove_prefix(kScheme.size());
  const size_t mark = uri.find('?');
  CitedValue cited{.citation = Unescape(uri.substr(0, mark)), .exact = ""};
  if (mark != std::string_view::npos) cited.exact = Unescape(uri.substr(mark + 1));
  return cited;
}

std::optional<std::string> Wording::Exact(const StatedFigure& stated, Aspect aspect) const {
  const v1::Figure& figure = stated.figure;
  if (IsOfTarget(aspect)) {
    return stated.completion.empty() ? std::nullopt : std::optional(stated.completion);
  }
  const v1::Comparison comparison = ComparisonFor(aspect);
  if (comparison == v1::COMPARISON_UNSPECIFIED) {
    if (figure.suppressed()) return std::string(kHidden);
    return figure.has_value() ? std::optional(figure.text()) : std::nullopt;
  }
  const v1::ComparedFigure* compared = FindComparison(figure, comparison);
  if (compared == nullptr || figure.suppressed()) return std::nullopt;
  if (aspect == Aspect::kYoyBase) {
    return compared->base_text().empty() ? std::nullopt : std::optional(compared->base_text());
  }
  return compared->has_change() ? std::optional(compared->change_text()) : std::nullopt;
}

std::string Wording::Words(std::string_view unit, Aspect aspect, std::string_view exact) const {
  if (exact == kHidden || exact == kNone) return std::string(exact);
  switch (aspect) {
    case Aspect::kValue:
    case Aspect::kYoyBase:
      return std::string(exact);
    case Aspect::kYoy:
    case Aspect::kPop:
      return ChangeWords(unit, exact);
    case Aspect::kTarget:
    case Aspect::kYearTarget:
      return StrCat(exact, "%");
    default:
      return Approximate(unit, aspect, exact);
  }
}

bool Wording::Says(std::string_view text, std::string_view unit, Aspect aspect,
                   std::string_view exact) const {
  const std::string said = PlainNumber(text);
  if (aspect == Aspect::kYoy || aspect == Aspect::kPop) {
    return CommonWords(said) == CommonWords(Words(unit, aspect, exact));
  }
  if (said == Words(unit, aspect, exact)) return true;
  if (aspect == Aspect::kYoyBase || IsOfTarget(aspect)) return false;
  for (const Aspect form : {Aspect::kValue, Aspect::kApprox, Aspect::kNear, Aspect::kAbout}) {
    if (said == Words(unit, form, exact)) return true;
  }
  return false;
}

std::string Wording::Approximate(std::string_view unit, Aspect aspect,
                                 std::string_view exact) const {
  const size_t point = exact.find('.');
  const bool fraction = point != std::string_view::npos;
  int64_t whole = 0;
  if (!ParseInteger(exact.substr(0, point), &whole)) return std::string(exact);
  for (const v1::ApproximationScale& scale : catalog_.approximations()) {
    if (whole < scale.at_least()) continue;
    // "1.2万余万元" is no Chinese: what is printed in 万元 keeps its unit.
    if (unit == "wan_yuan" && scale.unit() > 1) continue;
    const int64_t lower = whole / scale.step() * scale.step();
    const int64_t rest = scale.step() - (whole - lower);
    const auto say = [&](int64_t value) {
      return StrCat(InUnit(value, scale.unit(), scale.step()), scale.word());
    };
    if (lower == whole && !fraction) return say(lower);
    if (aspect == Aspect::kAbout) {
      return "约" + say(rest * 2 <= scale.step() ? lower + scale.step() : lower);
    }
    if (aspect == Aspect::kNear && rest * 100 <= scale.step() * scale.near_percent()) {
      return "近" + say(lower + scale.step());
    }
    return say(lower) + "余";
  }
  return std::string(exact);
}

std::string PlainNumber(std::string_view text) {
  constexpr std::pair<std::string_view, char> kWide[] = {
      {"０", '0'}, {"１", '1'}, {"２", '2'}, {"３", '3'}, {"４", '4'}, {"５", '5'}, {"６", '6'},
      {"７", '7'}, {"８", '8'}, {"９", '9'}, {"．", '.'}, {"％", '%'}, {"－", '-'}};
  std::string plain;
  while (!text.empty()) {
    size_t taken = 0;
    for (const auto& [wide, narrow] : kWide) {
      if (!text.starts_with(wide)) continue;
      plain += narrow;
      taken = wide.size();
      break;
    }
    if (taken == 0 && (text.starts_with("，") || text.starts_with("　"))) {
      taken = std::string_view("，").size();
    }
    if (taken == 0) {
      if (text[0] != ',' && text[0] != ' ') plain += text[0];
      taken = 1;
    }
    text.remove_prefix(taken);
  }
  return plain;
}

}  // namespace gonghui::reports
