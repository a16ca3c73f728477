// The bytes of an edition. A text in UTF-8, lines ended by LF, fields parted by tabs:
//
//   gonghui-edition 1
//   federation, organization, period, first day, last day, basis, catalogue, fingerprint; one a
//   line: name TAB value source TAB name TAB last event counted          one a source, by name
//   figure TAB organization TAB measure TAB dimensions TAB value TAB denominator TAB records TAB
//   printed
//
// The figures stand by organization, measure, dimensions, each in the order of its bytes. `value`
// is that of Sum, `denominator` empty but for ratios, `printed` as Figure.text.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "absl/status/statusor.h"
#include "services/reports/evaluation.h"

namespace gonghui::reports {

// Names a figure within an edition.
struct EditionKey {
  std::string organization;
  std::string measure;
  std::string dimensions;  // "key=value;key=value".
  auto operator<=>(const EditionKey&) const = default;
};

struct EditionFigure {
  Outcome outcome;
  std::string text;  // Empty for a ratio over zero.
};

using EditionFigures = std::map<EditionKey, EditionFigure>;

// What stands above the figures.
struct EditionHead {
  FigureScope scope;
  std::string catalogue;
  std::string fingerprint;
  std::map<std::string, int64_t> followed;
};

std::string WriteEdition(const EditionHead& head, const EditionFigures& figures);

// The figures of what WriteEdition wrote; INTERNAL for anything else.
absl::StatusOr<EditionFigures> ReadEditionFigures(std::string_view content);

}  // namespace gonghui::reports
