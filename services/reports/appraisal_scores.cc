#include "services/reports/appraisal_scores.h"

#include <algorithm>
#include <map>
#include <utility>

#include "common/base/money.h"
#include "common/base/text.h"
#include "services/reports/evaluation.h"
#include "services/reports/target_values.h"

namespace gonghui::reports {
namespace {

std::string Points(int64_t hundredths) { return TrimmedDecimal(hundredths, 2); }

// The part of `points` by a share of num / den, between 0 and `most`; den is not zero.
int64_t Scaled(int64_t points, int64_t num, int64_t den, int64_t most) {
  if (den < 0) {
    num = -num;
    den = -den;
  }
  if (num <= 0) return 0;
  const auto share = MulDivRound(points, num, den);
  return share.ok() ? std::min(*share, most) : most;
}

int64_t ScoreLinear(const SchemeItem& item, int64_t value, v1::ItemScore& score) {
  const auto text = [&](int64_t number) { return TrimmedDecimal(number, item.scale); };
  score.set_formula(StrCat(Points(item.points), " × (", text(value), " − ", text(item.floor),
                           ") ÷ (", text(item.full), " − ", text(item.floor), "), 0–",
                           Points(item.cap)));
  return Scaled(item.points, value - item.floor, item.full - item.floor, item.cap);
}

int64_t ScoreSteps(const SchemeItem& item, int64_t value, v1::ItemScore& score) {
  for (const SchemeItem::Step& step : item.steps) {
    if (value < step.at_least) continue;
    score.set_formula(
        StrCat("≥ ", TrimmedDecimal(step.at_least, item.scale), " → ", Points(step.points)));
    return step.points;
  }
  score.set_formula(StrCat("< ", TrimmedDecimal(item.steps.back().at_least, item.scale), " → 0"));
  return 0;
}

int64_t ScoreValue(const SchemeItem& item, const ItemInput& input, v1::ItemScore& score) {
  score.set_figure(input.figure);
  score.set_target(input.target);
  if (!input.value.has_value()) {
    const bool full = item.message->when_missing() == "full";
    score.set_missing(true);
    score.set_formula(StrCat("— → ", full ? Points(item.points) : "0"));
    return full ? item.points : 0;
  }
  score.set_input_text(TrimmedDecimal(*input.value, item.scale));
  return item.steps.empty() ? ScoreLinear(item, *input.value, score)
                            : ScoreSteps(item, *input.value, score);
}

// What nobody has scored counts as nothing, and is told.
int64_t ScoreAssessed(const SchemeItem& item, const ItemInput& input, v1::ItemScore& score) {
  const int64_t self_percent = item.message->self_percent();
  const int64_t panel_percent = 100 - self_percent;
  const bool self_lacks = self_percent > 0 && !input.self.has_value();
  const bool panel_lacks = panel_percent > 0 && !input.panel.has_value();
  score.set_missing(self_lacks || panel_lacks);
  std::string formula;
  std::string texts;
  int64_t weighted = 0;
  const auto add = [&](const std::optional<int64_t>& points, int64_t percent) {
    if (percent == 0) return;
    const std::string text = points.has_value() ? Points(*points) : "—";
    StrAppend(&formula, formula.empty() ? "" : " + ", text, " × ", percent, "%");
    StrAppend(&texts, texts.empty() ? "" : ", ", text);
    weighted += points.value_or(0) * percent;
  };
  add(input.self, self_percent);
  add(input.panel, panel_percent);
  score.set_formula(formula);
  score.set_input_text(texts);
  return *MulDivRound(weighted, 1, 100);
}

// Of equal totals all or none get into a grade with a quota; who does not, goes one lower.
void ApplyQuotas(const Scheme& scheme, std::vector<v1::UnitAppraisal>& units,
                 std::vector<size_t>& grades) {
  for (size_t grade = 0; grade < scheme.thresholds().size(); ++grade) {
    const int64_t percent = scheme.message().grades(static_cast<int>(grade)).quota_percent();
    if (percent == 0) continue;
    size_t left = units.size() * static_cast<size_t>(percent) / 100;
    for (size_t i = 0; i < units.size();) {
      size_t end = i;
      size_t members = 0;
      for (; end < units.size() && units[end].rank() == units[i].rank(); ++end) {
        members += grades[end] == grade ? 1 : 0;
      }
      if (members > left) left = 0;  // Nobody overtakes those who did not fit in.
      const bool fits = members <= left;
      if (fits) left -= members;
      for (; i < end; ++i) {
        if (fits || grades[i] != grade) continue;
        ++grades[i];
        units[i].set_grade_reason("quota");
      }
    }
  }
}

}  // namespace

v1::ItemScore ScoreItem(const SchemeItem& item, const ItemInput& input) {
  v1::ItemScore score;
  score.set_item(item.message->name());
  score.set_kind(item.kind() == v1::APPRAISAL_ITEM_KIND_UNSPECIFIED ? v1::APPRAISAL_ITEM_KIND_SCORED
                                                                    : item.kind());
  int64_t points = 0;
  if (item.IsVeto()) {
    score.set_marked(input.marked);
  } else if (item.IsAssessed()) {
    points = ScoreAssessed(item, input, score);
  } else {
    points = ScoreValue(item, input, score);
  }
  if (item.kind() == v1::APPRAISAL_ITEM_KIND_PENALTY) points = -points;
  score.set_score_hundredths(points);
  score.set_score_text(HundredthsText(points));
  return score;
}

void RankUnits(const Scheme& scheme, std::vector<v1::UnitAppraisal>& units) {
  struct Vetoed {
    bool zero = false;
    size_t cap = 0;  // Best grade left.
  };
  std::map<std::string, Vetoed> vetoes;  // By unit.
  for (v1::UnitAppraisal& unit : units) {
    int64_t total = 0;
    Vetoed& veto = vetoes[unit.organization()];
    for (size_t i = 0; i < scheme.items().size(); ++i) {
      const v1::ItemScore& score = unit.items(static_cast<int>(i));
      total += score.score_hundredths();
      if (!score.marked()) continue;
      const v1::AppraisalItem& item = *scheme.items()[i].message;
      if (item.veto() == v1::VETO_EFFECT_CAP) {
        veto.cap = std::max(veto.cap, scheme.GradeIndex(item.grade_cap()));
      } else {
        veto.zero = true;
      }
      unit.set_vetoed(true);
    }
    unit.set_total_hundredths(veto.zero ? 0 : std::max<int64_t>(total, 0));
    unit.set_total_text(HundredthsText(unit.total_hundredths()));
  }
  std::sort(units.begin(), units.end(), [](const auto& a, const auto& b) {
    return std::pair(-a.total_hundredths(), a.organization()) <
           std::pair(-b.total_hundredths(), b.organization());
  });
  std::vector<size_t> grades;
  for (size_t i = 0; i < units.size(); ++i) {
    v1::UnitAppraisal& unit = units[i];
    const bool ties = i > 0 && units[i - 1].total_hundredths() == unit.total_hundredths();
    unit.set_rank(ties ? units[i - 1].rank() : static_cast<int32_t>(i) + 1);
    unit.set_tied(ties);
    if (ties) units[i - 1].set_tied(true);
    size_t grade = 0;
    while (unit.total_hundredths() < scheme.thresholds()[grade]) ++grade;  // The last begins at 0.
    const Vetoed& veto = vetoes[unit.organization()];
    if (veto.zero || veto.cap > grade) unit.set_grade_reason("veto");
    grades.push_back(std::max(grade, veto.cap));
  }
  ApplyQuotas(scheme, units, grades);
  for (size_t i = 0; i < units.size(); ++i) {
    units[i].set_grade(scheme.message().grades(static_cast<int>(grades[i])).name());
  }
}

}  // namespace gonghui::reports
