// Hides figures that would tell of few persons, and those from which these could be computed.
//
// The cells of a measure form a table: organisations × values of each dimension × months. Along
// each of these axes there is a hierarchy whose nodes are sets: months, quarters, halves, the year;
// the organisation tree, where siblings are halved again and again in the order of their size; the
// values of a dimension, halved in the same way. A cell of the table takes one node of each axis.
//
// Rule: for each cell with a value above zero and below the measure's limit, look at its
// surroundings, which is the cell of the parents of its nodes. A figure is hidden when on every
// axis it holds a part of the surroundings but not all (an axis on which the cell takes everything
// forbids nothing).
//
// Why that is enough: let a figure f be small. Take a record in it and climb on each axis while the
// parent node lies within f. What is reached is a cell within f, hence small; on each axis there is
// a value y of its surroundings that is not in f, beside the record's x. Add one at x, take one off
// at y, on all axes at once (a product of differences). Every figure that is shown either holds x
// and y or neither on some axis, so it stays as it is; f changes by one. So no combination of sums
// and differences of shown figures, whatever was asked, gives f.
// tests/unit/suppression_test.cc proves it again on random tables by elimination.
//
// It holds for measures whose cells add up. Those that count different subjects are treated as if
// they did. Where an organisation moved, each tree of the year is looked at.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "common/sql/sql.h"
#include "services/reports/dimensions.h"
#include "services/reports/measures.h"
#include "services/reports/placements.h"

namespace gonghui::reports {

// True for measures, and ratios of such, that have a limit.
bool IsSensitive(const Measures& measures, const v1::Measure& measure);

// Used within one transaction by one thread. What is hidden depends on the stored facts only, not
// on what is asked together.
class Suppression {
 public:
  Suppression(sql::Tx& tx, std::string tenant) : tx_(tx), tenant_(std::move(tenant)) {}

  // A figure of a counted measure as it was (TREE_MODE_AS_WAS), without split. With `own` only what
  // the organisation has itself, without those below it.
  struct Asked {
    const v1::Measure* measure = nullptr;
    std::string organization;
    Period period;
    DimensionFilter filter;
    bool own = false;
  };
  absl::StatusOr<bool> Hides(const Asked& asked);
  // The organisation above all that have facts; empty while there are none.
  absl::StatusOr<std::string> Root();

 private:
  // Months of a year, or of a balance the first place alone.
  using Months = std::array<int64_t, 12>;
  // Values by the values of the measure's dimensions, in their order; "" where there is none.
  using Table = std::map<std::vector<std::string>, Months>;
  using TablePtr = std::shared_ptr<const Table>;
  // A year, or of a balance a month.
  struct Span {
    const v1::Measure* measure;
    std::string text;  // "2020" or "2020-05".
    auto operator<=>(const Span&) const = default;
  };
  // Who lies directly below whom on a day.
  struct Tree {
    std::map<std::string, std::string> parents;
    std::map<std::string, std::set<std::string>> children;
  };

  absl::StatusOr<bool> HidesWithin(const Asked& asked, const Span& span, uint32_t months);
  absl::StatusOr<const Tree*> TreeOn(const std::string& day);
  absl::StatusOr<std::vector<std::string>> Days(const Span& span);
  absl::StatusOr<TablePtr> TableOf(const Span& span, const std::string& organization);
  // Tables of the nodes of the organisations' axis whose parents the figure holds a part of.
  absl::StatusOr<std::vector<TablePtr>> Nodes(const Asked& asked, const Span& span,
                                              const Tree& tree);
  absl::Status AddSiblings(const Span& span, const Tree& tree, const std::string& parent,
                           const std::string& element, std::vector<TablePtr>& nodes);
  absl::Status LoadPlacements();

  sql::Tx& tx_;
  const std::string tenant_;
  bool placements_loaded_ = false;
  std::map<std::string, PathHistory> placed_;
  std::string root_;
  std::map<std::string, Tree> trees_;
  std::map<std::pair<Span, std::string>, TablePtr> tables_;
};

}  // namespace gonghui::reports
