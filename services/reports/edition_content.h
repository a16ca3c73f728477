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
#include <utility>

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

// Reads the figures of what WriteEdition wrote, piece by piece.
class EditionReader {
 public:
  // Keeps only the figures of one organisation; all where `only` is empty.
  explicit EditionReader(std::string_view only) : only_(only) {}

  // INTERNAL for anything that WriteEdition does not write.
  absl::Status Add(std::string_view piece);
  EditionFigures Figures() && { return std::move(figures_); }

 private:
  absl::Status AddLine(std::string_view line);

  const std::string only_;
  bool begun_ = false;
  std::string rest_;  // Of the last piece, a line without its end.
  EditionFigures figures_;
};

}  // namespace gonghui::reports
