// By which tree, and along which line of parents, a figure adds up.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/rpc/call.h"
#include "common/tree/organization_tree.h"
#include "common/tree/tree_cache.h"
#include "gonghui/reports/v1/report.pb.h"

namespace gonghui::reports {

// The default is the one that cells are kept by: the tree as it was, along the primary line.
struct Basis {
  v1::TreeMode mode = v1::TREE_MODE_AS_WAS;
  v1::Line line = v1::LINE_PRIMARY;
  // Day of the tree: of AS_OF as asked; of AS_IS today, set by ResolveBasis.
  std::string date;
  std::shared_ptr<const tree::OrganizationTree> tree;  // Set by ResolveBasis; not for the default.

  bool IsDefault() const { return mode == v1::TREE_MODE_AS_WAS && line == v1::LINE_PRIMARY; }
  // One tree for all facts, whenever they happened.
  bool IsConstant() const { return mode != v1::TREE_MODE_AS_WAS; }
  // Day whose tree says who lies directly below whom, for figures up to `last_day`.
  const std::string& DayOf(const std::string& last_day) const {
    return IsConstant() ? date : last_day;
  }
  // As it stands in a figure's name: "", "as_is", "2021-01-01", "affiliated", "as_is,affiliated".
  std::string Text() const;
};

// The inverse of Text; FIELD_INVALID at `name`.
absl::StatusOr<Basis> ParseBasis(std::string_view text);
// What a query asks. FIELD_REQUIRED or FIELD_INVALID at `tree_date`, which goes with AS_OF only.
absl::StatusOr<Basis> BasisOf(const v1::QueryFiguresRequest& request);
// Fills in what the call knows: today and the tree. To be called before figures are read.
absl::Status ResolveBasis(const rpc::Call& call, const tree::TreeCache& tree, Basis& basis);

}  // namespace gonghui::reports
