// What vouchers contribute to the figures: how they change the money at hand.
#pragma once

#include <string>

#include "absl/types/span.h"
#include "gonghui/feed/v1/feed.pb.h"
#include "services/funds/postings.h"

namespace gonghui::funds {

// Adds to the event of their transaction, for each of the drafts that was posted and changes the
// sum of its chart's cash accounts, one fact of that change by the book's organisation and the
// voucher's day. A reversal takes back what its voucher contributed.
void AddCashFacts(const std::string& tenant, absl::Span<Draft* const> drafts,
                  feed::v1::Event& event);

}  // namespace gonghui::funds
