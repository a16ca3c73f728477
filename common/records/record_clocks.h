// The clocks of a record's states: when they warn and when they run out.
#pragma once

#include <string>
#include <string_view>

#include "common/catalog/catalog.h"
#include "common/catalog/fact_rules.h"
#include "common/tree/organization_tree.h"

namespace gonghui::records {

// The last day that the clock of a state, entered on `since`, allows; empty: the state has none, or
// what it runs from is not known.
std::string DueDate(const catalog::Catalog& catalog, const tree::OrganizationTree& tree,
                    const common::v1::State& state, const catalog::FactSource& source,
                    std::string_view since);

// Adds the dates that the fact rules of the kind take from clocks, of the states that were entered:
// "alert.STATE", the first day on which a board warns, and "overdue.STATE", the first day past the
// clock; neither lies before the state was entered.
void AddClockDates(const catalog::Catalog& catalog, const tree::OrganizationTree& tree,
                   const common::v1::Kind& kind, catalog::FactSource& source);

}  // namespace gonghui::records
