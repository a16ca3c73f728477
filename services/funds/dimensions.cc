#include "services/funds/dimensions.h"

#include <algorithm>
#include <set>

#include "common/base/date.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::funds {
namespace {

absl::Status Fault(const v1::Dimension& dimension, std::string_view what,
                   std::string_view what_zh) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat("dimension '", dimension.key(), "': ", what),
                         StrCat("辅助核算项“", dimension.key(), "”：", what_zh));
}

bool IsNeeded(const v1::Needed& needed, std::string_view chart, std::string_view account) {
  const auto& charts = needed.charts();
  return IsUnder(account, needed.accounts()) &&
         (charts.empty() || std::find(charts.begin(), charts.end(), chart) != charts.end());
}

absl::Status Missing(const v1::Dimension& dimension, const v1::Entry& entry, std::string_view at) {
  return InvalidArgument(common::v1::REASON_DIMENSION_MISSING,
                         StrCat("Entries on account ", entry.account(),
                                " must have the dimension '", dimension.key(), "' (",
                                dimension.label().en(), "); add it. ", dimension.citation()),
                         StrCat("科目 ", entry.account(), " 的分录须填辅助核算“",
                                dimension.label().zh(), "”，请补填。", dimension.citation()))
      .With("dimension", dimension.key())
      .With("account", entry.account())
      .At(StrCat(at, ".dimensions"));
}

}  // namespace

std::string DimensionText(const DimensionMap& dimensions) {
  std::string text;
  for (const auto& [key, value] : dimensions) {
    StrAppend(&text, text.empty() ? "" : ";", key, "=", value);
  }
  return text;
}

DimensionMap ParseDimensions(std::string_view text) {
  DimensionMap dimensions;
  while (!text.empty()) {
    const size_t end = std::min(text.find(';'), text.size());
    const std::string_view pair = text.substr(0, end);
    const size_t equals = pair.find('=');
    if (equals != std::string_view::npos) {
      dimensions.emplace(pair.substr(0, equals), pair.substr(equals + 1));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return dimensions;
}

DimensionMap DimensionsOf(const v1::Entry& entry) {
  DimensionMap dimensions;
  for (const auto& [key, value] : entry.dimensions()) {
    if (!value.empty()) dimensions.emplace(key, value);
  }
  return dimensions;
}

std::string_view ValueOf(const DimensionMap& dimensions, std::string_view key) {
  const auto it = dimensions.find(key);
  return it == dimensions.end() ? std::string_view() : std::string_view(it->second);
}

bool HasAll(const DimensionMap& dimensions, const DimensionMap& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& pair) {
    return ValueOf(dimensions, pair.first) == pair.second;
  });
}

bool HoldsFor(const DimensionMap& dimensions,
              const google::protobuf::RepeatedPtrField<v1::EntryCondition>& conditions) {
  return std::all_of(conditions.begin(), conditions.end(), [&](const v1::EntryCondition& wanted) {
    const std::string_view value = ValueOf(dimensions, wanted.key());
    return std::find(wanted.in().begin(), wanted.in().end(), value) != wanted.in().end();
  });
}

absl::StatusOr<Dimensions> Dimensions::Load(const v1::ChartCatalog& catalog,
                                            const std::vector<std::string>& charts) {
  Dimensions loaded;
  std::set<std::string> keys;
  for (const v1::Dimension& dimension : catalog.dimensions()) {
    if (dimension.key().empty() || dimension.key() == kClosingKey ||
        !keys.insert(dimension.key()).second) {
      return Fault(dimension, "the key is empty, reserved or stands twice", "键为空、保留或重复");
    }
    for (const v1::Needed& needed : dimension.needed()) {
      if (needed.accounts().empty()) {
        return Fault(dimension, "'needed' names no accounts", "needed 未写科目");
      }
      for (const std::string& chart : needed.charts()) {
        if (std::find(charts.begin(), charts.end(), chart) == charts.end()) {
          return Fault(dimension, StrCat("no chart '", chart, "'"),
                       StrCat("没有科目表“", chart, "”"));
        }
      }
      if (!needed.valid_from().empty()) RETURN_IF_ERROR(ParseDate(needed.valid_from()).status());
    }
    loaded.dimensions_.push_back(dimension);
  }
  for (const v1::Dimension& dimension : catalog.dimensions()) {
    for (const v1::Needed& needed : dimension.needed()) {
      if (needed.default_value().empty()) continue;
      RETURN_IF_ERROR(loaded.CheckValue(dimension.key(), needed.default_value(), "default_value"));
    }
  }
  return loaded;
}

const v1::Dimension* Dimensions::Find(std::string_view key) const {
  for (const v1::Dimension& dimension : dimensions_) {
    if (dimension.key() == key) return &dimension;
  }
  return nullptr;
}

std::string Dimensions::Keys() const {
  std::string keys;
  for (const v1::Dimension& dimension : dimensions_) {
    StrAppend(&keys, keys.empty() ? "" : ", ", dimension.key());
  }
  return keys;
}

absl::Status Dimensions::CheckValue(std::string_view key, const std::string& value,
                                    std::string_view at) const {
  const v1::Dimension* dimension = Find(key);
  if (dimension == nullptr) {
    return InvalidArgument(common::v1::REASON_DIMENSION_INVALID,
                           StrCat("There is no dimension '", key, "'; known are: ", Keys(), "."),
                           StrCat("没有辅助核算项“", key, "”；可用：", Keys(), "。"))
        .With("dimension", std::string(key))
        .At(StrCat(at, ".dimensions"));
  }
  const auto& codes = dimension->codes();
  const bool listed =
      codes.empty() || std::any_of(codes.begin(), codes.end(),
                                   [&](const auto& code) { return code.code() == value; });
  const bool clean = std::none_of(value.begin(), value.end(), [](char c) {
    return c == ';' || static_cast<unsigned char>(c) < ' ';
  });
  if (listed && clean) return absl::OkStatus();
  std::string known;
  for (const auto& code : codes) {
    StrAppend(&known, known.empty() ? "" : ", ", code.code(), " ", code.label().zh());
  }
  if (known.empty()) known = "text without ';' and control characters";
  return InvalidArgument(
             common::v1::REASON_DIMENSION_INVALID,
             StrCat("The dimension '", key, "' cannot be '", value, "'; use: ", known, "."),
             StrCat("辅助核算“", dimension->label().zh(), "”的值“", value, "”无效；可用：", known,
                    "。"))
      .With("dimension", std::string(key))
      .At(StrCat(at, ".dimensions"));
}

absl::StatusOr<DimensionMap> Dimensions::Complete(std::string_view chart, const v1::Entry& entry,
                                                  std::string_view on_date,
                                                  std::string_view at) const {
  DimensionMap dimensions = DimensionsOf(entry);
  for (const auto& [key, value] : dimensions) RETURN_IF_ERROR(CheckValue(key, value, at));
  for (const v1::Dimension& dimension : dimensions_) {
    for (const v1::Needed& needed : dimension.needed()) {
      if (dimensions.contains(dimension.key())) break;
      if (!IsNeeded(needed, chart, entry.account()) || on_date < needed.valid_from() ||
          !HoldsFor(dimensions, needed.when())) {
        continue;
      }
      if (needed.default_value().empty()) return Missing(dimension, entry, at);
      dimensions.emplace(dimension.key(), needed.default_value());
    }
  }
  return dimensions;
}

std::vector<std::string> Dimensions::NeededBy(std::string_view chart,
                                              std::string_view account) const {
  std::vector<std::string> keys;
  for (const v1::Dimension& dimension : dimensions_) {
    // The first entry that fits decides, as in Complete.
    for (const v1::Needed& needed : dimension.needed()) {
      if (!IsNeeded(needed, chart, account) || !needed.when().empty()) continue;
      if (needed.default_value().empty()) keys.push_back(dimension.key());
      break;
    }
  }
  return keys;
}

}  // namespace gonghui::funds
