#include "services/reports/measures.h"

#include <set>

#include "common/base/id.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/catalog/yaml_message.h"

namespace gonghui::reports {
namespace {

using common::v1::REASON_FIELD_INVALID;

absl::Status Fault(const v1::Measure& measure, std::string_view what, std::string_view what_zh) {
  return InvalidArgument(
      REASON_FIELD_INVALID,
      StrCat("measure '", measure.name(), "': ", what, "; correct the catalogue"),
      StrCat("指标“", measure.name(), "”：", what_zh, "，请改正目录"));
}

absl::Status CheckMeasure(const v1::Measure& measure) {
  if (measure.name().empty()) return Fault(measure, "it has no name", "缺少名称");
  if (measure.kind() == v1::MEASURE_KIND_UNSPECIFIED) {
    return Fault(measure, "it has no kind", "缺少类型");
  }
  if (measure.kind() == v1::MEASURE_KIND_MONEY && measure.unit() != "yuan" &&
      measure.unit() != "wan_yuan") {
    return Fault(measure, "money is answered in yuan or wan_yuan", "金额单位应为 yuan 或 wan_yuan");
  }
  if (measure.suppress_below() < 0 ||
      (measure.suppress_below() > 0 &&
       (measure.kind() == v1::MEASURE_KIND_MONEY || measure.kind() == v1::MEASURE_KIND_RATIO))) {
    return Fault(measure, "suppress_below is a number of persons, of a measure that counts them",
                 "suppress_below 是人数下限，只用于计数指标");
  }
  std::set<std::string_view> keys;
  for (const v1::MeasureDimension& dimension : measure.dimensions()) {
    if (!keys.insert(dimension.key()).second) {
      return Fault(measure, StrCat("dimension '", dimension.key(), "' stands twice"),
                   StrCat("维度“", dimension.key(), "”重复"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

bool CountsSubjects(v1::MeasureKind kind) {
  return kind == v1::MEASURE_KIND_DISTINCT || kind == v1::MEASURE_KIND_HEADS;
}

bool IsBalance(v1::MeasureKind kind) {
  return kind == v1::MEASURE_KIND_STOCK || kind == v1::MEASURE_KIND_HEADS;
}

std::string KindName(v1::MeasureKind kind) {
  return ToLower(v1::MeasureKind_Name(kind).substr(sizeof("MEASURE_KIND")));
}

const v1::MeasureDimension* FindDimension(const v1::Measure& measure, std::string_view key) {
  for (const v1::MeasureDimension& dimension : measure.dimensions()) {
    if (dimension.key() == key) return &dimension;
  }
  return nullptr;
}

absl::Status MeasureUnknown(std::string_view name, std::string_view field) {
  return InvalidArgument(
             common::v1::REASON_MEASURE_UNKNOWN,
             StrCat("there is no measure '", name, "': ListMeasures shows the known ones"),
             StrCat("没有指标“", name, "”：请用 ListMeasures 查看已有指标"))
      .With("measure", std::string(name))
      .At(std::string(field));
}

absl::StatusOr<Measures> Measures::Load(const std::vector<EmbeddedFile>& files) {
  Measures measures;
  for (const EmbeddedFile& file : files) {
    if (file.name == kFormsFile || file.name == kAppraisalsFile ||
        file.name.starts_with(kSummaryFiles)) {
      continue;
    }
    v1::MeasureCatalog part;
    RETURN_IF_ERROR(catalog::ParseYaml(file.name, file.text, part));
    measures.catalog_.MergeFrom(part);
  }
  RETURN_IF_ERROR(measures.Index());
  const auto& kinds = measures.catalog_.period_kinds();
  ASSIGN_OR_RETURN(measures.periods_, Periods::Load({kinds.begin(), kinds.end()}));
  return measures;
}

absl::Status Measures::Index() {
  std::string made_from;
  for (int i = 0; i < catalog_.measures_size(); ++i) {
    const v1::Measure& measure = catalog_.measures(i);
    RETURN_IF_ERROR(CheckMeasure(measure));
    if (!index_.emplace(measure.name(), i).second) {
      return Fault(measure, "the name stands twice", "名称重复");
    }
    if (measure.kind() == v1::MEASURE_KIND_RATIO) continue;
    StrAppend(&made_from, measure.name(), " ", static_cast<int>(measure.kind()));
    for (const v1::MeasureDimension& dimension : measure.dimensions()) {
      if (!dimension.remark()) StrAppend(&made_from, " ", dimension.key());
    }
    made_from += '\n';
  }
  fingerprint_ = Sha256Hex(made_from).substr(0, 16);
  for (const v1::Measure& measure : catalog_.measures()) {
    if (measure.kind() != v1::MEASURE_KIND_RATIO) continue;
    for (const std::string& name : {measure.numerator(), measure.denominator()}) {
      const v1::Measure* part = FindCounted(name);
      if (part == nullptr) {
        return Fault(measure, StrCat("its part '", name, "' is no measure that is counted"),
                     StrCat("组成部分“", name, "”不是可计数的指标"));
      }
      for (const v1::MeasureDimension& dimension : measure.dimensions()) {
        if (!dimension.remark() && FindDimension(*part, dimension.key()) == nullptr) {
          return Fault(measure,
                       StrCat("its part '", name, "' lacks dimension '", dimension.key(), "'"),
                       StrCat("组成部分“", name, "”没有维度“", dimension.key(), "”"));
        }
      }
    }
  }
  return absl::OkStatus();
}

const v1::Measure* Measures::Find(std::string_view name) const {
  auto found = index_.find(name);
  return found == index_.end() ? nullptr : &catalog_.measures(found->second);
}

const v1::Measure* Measures::FindCounted(std::string_view name) const {
  const v1::Measure* measure = Find(name);
  return measure == nullptr || measure->kind() == v1::MEASURE_KIND_RATIO ? nullptr : measure;
}

int Measures::OrderOf(std::string_view name) const {
  auto found = index_.find(name);
  return found == index_.end() ? catalog_.measures_size() : found->second;
}

std::vector<const v1::Measure*> Measures::PartsOf(const v1::Measure& measure) const {
  if (measure.kind() != v1::MEASURE_KIND_RATIO) return {&measure};
  return {Find(measure.numerator()), Find(measure.denominator())};
}

}  // namespace gonghui::reports
