#include "services/reports/dimension_labels.h"

#include <algorithm>

#include "common/base/text.h"

namespace gonghui::reports {
namespace {

using common::v1::Kind;
using common::v1::KindField;
using common::v1::ListKindsResponse;

constexpr std::string_view kOfParent = "parent.";
constexpr std::string_view kTier = "tier";
constexpr std::string_view kOrganization = "organization";

const Kind* FindKind(const ListKindsResponse& kinds, std::string_view name) {
  const auto found = std::find_if(kinds.kinds().begin(), kinds.kinds().end(),
                                  [&](const Kind& kind) { return kind.name() == name; });
  return found == kinds.kinds().end() ? nullptr : &*found;
}

const KindField* FindField(const ListKindsResponse& kinds, const Kind& kind,
                           std::string_view name) {
  if (!name.starts_with(kOfParent)) {
    const auto found = std::find_if(kind.fields().begin(), kind.fields().end(),
                                    [&](const KindField& field) { return field.name() == name; });
    return found == kind.fields().end() ? nullptr : &*found;
  }
  name.remove_prefix(kOfParent.size());
  for (const KindField& field : kind.fields()) {
    const Kind* parent = field.refers_to().empty() ? nullptr : FindKind(kinds, field.refers_to());
    if (parent == nullptr) continue;
    if (const KindField* found = FindField(kinds, *parent, name); found != nullptr) return found;
  }
  return nullptr;
}

}  // namespace

void DimensionLabels::Add(const ListKindsResponse& kinds) {
  for (const Kind& kind : kinds.kinds()) {
    for (const common::v1::FactRule& rule : kind.facts()) {
      for (const common::v1::DimensionRule& dimension : rule.dimensions()) {
        const std::string& name = dimension.value().field();
        const KindField* field = FindField(kinds, kind, name);
        if (field != nullptr) {
          words_[{rule.measure(), dimension.key()}] = WordsOf(kinds, *field);
        } else if (name == kTier) {
          of_tier_.emplace(rule.measure(), dimension.key());
        }
      }
    }
    if (kind.noun() != kOrganization) continue;
    if (const KindField* field = FindField(kinds, kind, "kind"); field != nullptr) {
      tier_ = WordsOf(kinds, *field);
    }
  }
}

DimensionLabels::Words DimensionLabels::WordsOf(const ListKindsResponse& kinds,
                                                const KindField& field) {
  Words words{.key = field.label().zh(), .values = {}};
  for (const common::v1::CodeList& list : kinds.code_lists()) {
    if (list.name() != field.codes()) continue;
    for (const common::v1::Code& code : list.codes()) {
      words.values[code.code()] = code.label().zh();
    }
  }
  return words;
}

const DimensionLabels::Words* DimensionLabels::Find(std::string_view measure,
                                                    std::string_view key) const {
  const v1::Measure* known = measures_->Find(measure);
  if (known == nullptr) return nullptr;
  for (const v1::Measure* part : measures_->PartsOf(*known)) {
    const std::pair<std::string, std::string> name(part->name(), key);
    if (const auto found = words_.find(name); found != words_.end()) return &found->second;
    if (of_tier_.contains(name)) return &tier_;
  }
  return nullptr;
}

std::string DimensionLabels::Of(const v1::Figure& figure) const {
  std::string text;
  for (const common::v1::Dimension& dimension : figure.dimensions()) {
    std::string_view key = dimension.key();
    std::string_view value = dimension.value();
    if (const Words* words = Find(figure.measure(), key); words != nullptr) {
      if (!words->key.empty()) key = words->key;
      const auto found = words->values.find(value);
      if (found != words->values.end() && !found->second.empty()) value = found->second;
    }
    StrAppend(&text, text.empty() ? "" : ";", key, "=", value);
  }
  return text;
}

}  // namespace gonghui::reports
