#include "services/reports/basis.h"

#include "common/base/date.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace gonghui::reports {
namespace {

constexpr std::string_view kAsIs = "as_is";
constexpr std::string_view kAffiliated = "affiliated";

}  // namespace

std::string Basis::Text() const {
  std::string text(mode == v1::TREE_MODE_AS_IS   ? kAsIs
                   : mode == v1::TREE_MODE_AS_OF ? std::string_view(date)
                                                 : std::string_view());
  if (line == v1::LINE_AFFILIATED) StrAppend(&text, text.empty() ? "" : ",", kAffiliated);
  return text;
}

absl::StatusOr<Basis> ParseBasis(std::string_view text) {
  Basis basis;
  bool good = true;
  for (const std::string_view part : Split(text, ',')) {
    const bool first = part.data() == text.data();
    if (part == kAffiliated && basis.line == v1::LINE_PRIMARY) {
      basis.line = v1::LINE_AFFILIATED;
    } else if (first && part == kAsIs) {
      basis.mode = v1::TREE_MODE_AS_IS;
    } else if (first && ParseDate(part).ok()) {
      basis.mode = v1::TREE_MODE_AS_OF;
      basis.date = part;
    } else {
      good = false;
    }
  }
  if (good) return basis;
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat("'", text,
                                "' after '@' names no tree: write as_is or a date like 2021-01-01, "
                                "then ,affiliated for that line; nothing stands for as it was"),
                         StrCat("“@”后的“", text,
                                "”无效：请写 as_is 或 2021-01-01 这样的日期，第二线再加 "
                                ",affiliated；不写表示当时的组织树"))
      .At("name");
}

absl::StatusOr<Basis> BasisOf(const v1::QueryFiguresRequest& request) {
  Basis basis;
  if (request.tree_mode() != v1::TREE_MODE_UNSPECIFIED) basis.mode = request.tree_mode();
  if (request.line() != v1::LINE_UNSPECIFIED) basis.line = request.line();
  basis.date = request.tree_date();
  const bool dated = basis.mode == v1::TREE_MODE_AS_OF;
  if (dated && basis.date.empty()) {
    return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                           "AS_OF needs the day of the tree, like 2021-01-01",
                           "AS_OF 需要组织树的日期，如 2021-01-01")
        .At("tree_date");
  }
  if (!dated && !basis.date.empty()) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           "tree_date goes with tree_mode AS_OF only: choose it or leave the date",
                           "tree_date 只用于 tree_mode AS_OF：请改用该方式或去掉日期")
        .At("tree_date");
  }
  return basis;
}

absl::Status ResolveBasis(const rpc::Call& call, const tree::TreeCache& tree, Basis& basis) {
  if (basis.IsDefault()) return absl::OkStatus();
  if (basis.mode == v1::TREE_MODE_AS_IS) basis.date = call.Today();
  ASSIGN_OR_RETURN(basis.tree, tree.Get(call.federation));
  return absl::OkStatus();
}

}  // namespace gonghui::reports
