// How the records of a kind stand: by tier and state, what is overdue and what soon due.
#pragma once

#include <string>
#include <vector>

#include "common/records/record_store.h"
#include "common/tree/organization_tree.h"
#include "gonghui/common/v1/record.pb.h"

namespace gonghui::records {

// `organizations`: those that count, sorted; empty: all. `on_date`: ISO.
common::v1::GetBoardResponse BoardOf(const common::v1::Kind& kind,
                                     const std::vector<Standing>& standings,
                                     const std::vector<std::string>& organizations,
                                     const tree::OrganizationTree& tree,
                                     const std::string& on_date);

}  // namespace gonghui::records
