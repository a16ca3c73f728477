// Templates: what a file of a kind looks like.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "services/cli/kinds.h"
#include "services/cli/session.h"

namespace gonghui::cli {

// A heading row and a sample row; headings in Chinese, or the fields' names.
absl::StatusOr<std::string> TemplateText(const KindEntry& entry, bool english);
// What each column takes: name, heading, type, whether it must be filled, codes, hint.
absl::StatusOr<std::string> DescribeColumns(const Session& session, const KindEntry& entry);
// All kinds in import order.
std::string DescribeKinds(const Session& session, const Kinds& kinds);

}  // namespace gonghui::cli
