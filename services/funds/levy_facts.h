// What obligations and receipts contribute to the figures.
#pragma once

#include <string>
#include <vector>

#include "gonghui/common/v1/fact.pb.h"
#include "gonghui/feed/v1/feed.pb.h"
#include "services/funds/levy_receipt_rows.h"
#include "services/funds/levy_rows.h"
#include "services/funds/levy_rules.h"

namespace gonghui::funds {

common::v1::Fact NewFact(std::string_view measure, const std::string& organization,
                         const std::string& on_date, int64_t delta,
                         const std::vector<std::pair<std::string, std::string>>& dimensions = {});

// Payable and paid on the period's last day; arrears by age, which rise and fall with the days to
// come.
std::vector<common::v1::Fact> ObligationFacts(const LevyRules& rules, const ObligationRow& row,
                                              const std::vector<Paid>& paid);
// Income on the day on which it is one; nothing before it is confirmed. A year later it is what
// that year's income is compared with.
std::vector<common::v1::Fact> ReceiptFacts(const LevyRules& rules, const ReceiptRow& row);

// Adds what turns the old facts into the new ones.
void AddFacts(const std::string& record, const std::vector<common::v1::Fact>& before,
              const std::vector<common::v1::Fact>& after, feed::v1::Event& event);

}  // namespace gonghui::funds
