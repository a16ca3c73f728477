#include "services/reports/appraisal_schemes.h"

#include <algorithm>
#include <set>
#include <utility>

#include "common/base/date.h"
#include "common/base/money.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/catalog/catalog_checks.h"
#include "common/catalog/yaml_message.h"
#include "services/reports/suppression.h"
#include "services/reports/target_values.h"

namespace gonghui::reports {
namespace {

constexpr int kPointDecimals = 2;

absl::Status CatalogFault(std::string_view what, std::string_view what_zh) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat(kAppraisalsFile, ": ", what, "; correct the catalogue"),
                         StrCat(kAppraisalsFile, "：", what_zh, "，请改正目录"));
}

}  // namespace

absl::Status Scheme::Fault(std::string_view what, std::string_view what_zh) const {
  return CatalogFault(
      StrCat("scheme '", message_->name(), "' of ", message_->valid_from(), ": ", what),
      StrCat("方案“", message_->name(), "”（", message_->valid_from(), "起）：", what_zh));
}

absl::StatusOr<int64_t> Scheme::Number(std::string_view text, int scale,
                                       std::string_view place) const {
  auto number = ReadDecimal(text, scale, place);
  if (number.ok()) return number;
  return Fault(StrCat(place, ": ", number.status().message()),
               StrCat(place, "：", MessageZhOf(number.status())));
}

absl::StatusOr<Scheme> Scheme::Make(v1::AppraisalScheme message, const Measures& measures) {
  Scheme scheme;
  scheme.message_ = std::make_unique<v1::AppraisalScheme>(std::move(message));
  const v1::AppraisalScheme& made = *scheme.message_;
  if (!catalog::IsSnake(made.name())) {
    return scheme.Fault("the name is not lower_snake", "名称不合规");
  }
  if (!ParseDate(made.valid_from()).ok() || made.citation().empty()) {
    return scheme.Fault("valid_from is no date, or it cites no document",
                        "valid_from 不是日期，或缺少依据");
  }
  if (made.months() < 1 || made.months() > 12 || made.kinds().empty() || made.items().empty()) {
    return scheme.Fault("months are 1-12; kinds and items must not be empty",
                        "months 应为 1-12，kinds、items 不能为空");
  }
  RETURN_IF_ERROR(scheme.ReadGrades());
  for (const v1::AppraisalItem& item : made.items()) {
    RETURN_IF_ERROR(scheme.AddItem(item, measures));
  }
  return scheme;
}

absl::Status Scheme::AddItem(const v1::AppraisalItem& message, const Measures& measures) {
  const std::string where = StrCat("item '", message.name(), "' ");
  const std::string where_zh = StrCat("项目“", message.name(), "”");
  if (!catalog::IsSnake(message.name()) || Find(message.name()) != nullptr) {
    return Fault(StrCat(where, "has no name, or one that stands twice"),
                 StrCat(where_zh, "名称缺失或重复"));
  }
  SchemeItem item;
  item.message = &message;
  if (item.IsVeto()) {
    const bool cap = message.veto() == v1::VETO_EFFECT_CAP;
    if (message.veto() == v1::VETO_EFFECT_UNSPECIFIED || cap == message.grade_cap().empty() ||
        (cap && GradeIndex(message.grade_cap()) == thresholds_.size())) {
      return Fault(StrCat(where, "has no effect, or caps at a grade that there is not"),
                   StrCat(where_zh, "缺少后果，或封顶等次不存在"));
    }
    items_.push_back(std::move(item));
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(item.points, Number(message.points(), kPointDecimals, where + "points"));
  if (message.source() == v1::APPRAISAL_SOURCE_UNSPECIFIED) {
    return Fault(StrCat(where, "has no source"), StrCat(where_zh, "缺少评分来源"));
  }
  if (item.IsAssessed()) {
    if (message.self_percent() < 0 || message.self_percent() > 100) {
      return Fault(StrCat(where, "has a self_percent outside 0-100"),
                   StrCat(where_zh, "的 self_percent 应为 0-100"));
    }
  } else {
    RETURN_IF_ERROR(ReadFormula(item, measures));
  }
  items_.push_back(std::move(item));
  return absl::OkStatus();
}

absl::Status Scheme::ReadFormula(SchemeItem& item, const Measures& measures) {
  const v1::AppraisalItem& message = *item.message;
  const std::string where = StrCat("item '", message.name(), "' ");
  const std::string where_zh = StrCat("项目“", message.name(), "”");
  item.measure = measures.Find(message.measure());
  if (item.measure == nullptr || IsSensitive(measures, *item.measure)) {
    return Fault(StrCat(where, "names no measure, or one whose small numbers are hidden"),
                 StrCat(where_zh, "的指标不存在，或属于须隐藏小数的指标"));
  }
  const auto period = ParsePeriod("2020");
  const auto filter = ParseFilter(measures, *item.measure, *period, message.dimensions());
  if (!filter.ok() || !filter->split.empty() || !filter->months.empty() ||
      FormatDimensions(filter->shown) != message.dimensions()) {
    return Fault(StrCat(where, "has dimensions that its measure has not, or not sorted"),
                 StrCat(where_zh, "的维度不属于该指标，或未按序书写"));
  }
  if (message.has_linear() == !message.steps().empty() ||
      (!message.when_missing().empty() && message.when_missing() != "full")) {
    return Fault(StrCat(where, "needs linear or steps; when_missing is empty or 'full'"),
                 StrCat(where_zh, "须有 linear 或 steps 之一；when_missing 为空或 full"));
  }
  if (message.source() == v1::APPRAISAL_SOURCE_FIGURE) item.scale = ValueScale(*item.measure);
  for (const v1::StepScore& step : message.steps()) {
    SchemeItem::Step& read = item.steps.emplace_back();
    ASSIGN_OR_RETURN(read.at_least, Number(step.at_least(), item.scale, where + "at_least"));
    ASSIGN_OR_RETURN(read.points, Number(step.points(), kPointDecimals, where + "points"));
    const size_t count = item.steps.size();
    if (read.points > item.points ||
        (count > 1 && read.at_least >= item.steps[count - 2].at_least)) {
      return Fault(StrCat(where, "has a step above its points, or steps that do not fall"),
                   StrCat(where_zh, "的分档超过满分，或未从高到低"));
    }
  }
  if (!item.steps.empty()) return absl::OkStatus();
  const v1::LinearScore& linear = message.linear();
  if (!linear.floor().empty()) {
    ASSIGN_OR_RETURN(item.floor, Number(linear.floor(), item.scale, where + "floor"));
  }
  ASSIGN_OR_RETURN(item.full, Number(linear.full(), item.scale, where + "full"));
  int64_t cap_percent = 10000;
  if (!linear.cap_percent().empty()) {
    ASSIGN_OR_RETURN(cap_percent, Number(linear.cap_percent(), 2, where + "cap_percent"));
  }
  ASSIGN_OR_RETURN(item.cap, MulDivRound(item.points, cap_percent, 10000));
  if (item.full == item.floor) {
    return Fault(StrCat(where, "has floor and full in one place"),
                 StrCat(where_zh, "的 floor 与 full 相同"));
  }
  return absl::OkStatus();
}

absl::Status Scheme::ReadGrades() {
  std::set<std::string> names;
  for (const v1::AppraisalGrade& grade : message_->grades()) {
    ASSIGN_OR_RETURN(const int64_t least,
                     Number(grade.at_least(), kPointDecimals, StrCat("grade ", grade.name())));
    if (!catalog::IsSnake(grade.name()) || !names.insert(grade.name()).second ||
        (!thresholds_.empty() && least >= thresholds_.back()) || grade.quota_percent() < 0 ||
        grade.quota_percent() > 100) {
      return Fault(StrCat("grade '", grade.name(), "' has a wrong name, order or quota"),
                   StrCat("等次“", grade.name(), "”的名称、顺序或比例有误"));
    }
    thresholds_.push_back(least);
  }
  if (thresholds_.empty() || thresholds_.back() != 0 ||
      message_->grades().rbegin()->quota_percent() != 0) {
    return Fault("the last grade begins at 0 and has no quota", "末等应从 0 分起且不设比例");
  }
  return absl::OkStatus();
}

const SchemeItem* Scheme::Find(std::string_view item) const {
  const auto found = std::find_if(items_.begin(), items_.end(), [&](const SchemeItem& one) {
    return one.message->name() == item;
  });
  return found == items_.end() ? nullptr : &*found;
}

size_t Scheme::GradeIndex(std::string_view name) const {
  const auto& grades = message_->grades();
  const auto found = std::find_if(grades.begin(), grades.end(),
                                  [&](const auto& grade) { return grade.name() == name; });
  return static_cast<size_t>(found - grades.begin());
}

bool Scheme::Appraises(std::string_view kind) const {
  return std::find(message_->kinds().begin(), message_->kinds().end(), kind) !=
         message_->kinds().end();
}

absl::StatusOr<AppraisalSchemes> AppraisalSchemes::Load(const std::vector<EmbeddedFile>& files,
                                                        const Measures& measures) {
  v1::AppraisalCatalog catalog;
  for (const EmbeddedFile& file : files) {
    if (file.name != kAppraisalsFile) continue;
    RETURN_IF_ERROR(catalog::ParseYaml(file.name, file.text, catalog));
  }
  AppraisalSchemes schemes;
  schemes.version_ = catalog.version();
  schemes.rules_ = catalog.targets();
  const v1::TargetRules& rules = schemes.rules_;
  auto tolerance = ReadDecimal(rules.tolerance(), 2, "targets.tolerance");
  if (!tolerance.ok() || rules.citation().empty() ||
      measures.FindCounted(rules.members_measure()) == nullptr ||
      measures.FindCounted(rules.letters_measure()) == nullptr) {
    return CatalogFault("targets need tolerance, members_measure, letters_measure and a citation",
                        "targets 须有 tolerance、members_measure、letters_measure 和依据");
  }
  schemes.tolerance_ = *tolerance;
  for (v1::AppraisalScheme& message : *catalog.mutable_schemes()) {
    const std::string name = message.name();
    const std::string valid_from = message.valid_from();
    ASSIGN_OR_RETURN(Scheme scheme, Scheme::Make(std::move(message), measures));
    if (!schemes.schemes_[name].emplace(valid_from, std::move(scheme)).second) {
      return CatalogFault(StrCat("scheme '", name, "' of ", valid_from, " stands twice"),
                          StrCat("方案“", name, "”（", valid_from, "起）重复"));
    }
  }
  return schemes;
}

const Scheme* AppraisalSchemes::Find(std::string_view name, std::string_view on_date) const {
  const auto found = schemes_.find(name);
  if (found == schemes_.end()) return nullptr;
  const auto after = found->second.upper_bound(on_date);
  return after == found->second.begin() ? nullptr : &std::prev(after)->second;
}

v1::ListAppraisalSchemesResponse AppraisalSchemes::List() const {
  v1::ListAppraisalSchemesResponse response;
  response.set_version(version_);
  for (const auto& [name, entries] : schemes_) {
    for (const auto& [valid_from, scheme] : entries) *response.add_schemes() = scheme.message();
  }
  return response;
}

}  // namespace gonghui::reports
