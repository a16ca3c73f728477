// Membership cards as they lie in the database, and what they contribute to the figures.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/catalog/catalog.h"
#include "common/sql/sql.h"
#include "gonghui/feed/v1/feed.pb.h"
#include "gonghui/membership/v1/card.pb.h"
#include "services/membership/member_rows.h"

namespace gonghui::membership {

struct CardRow {
  std::string id;
  v1::Card card;  // Without name and etag; member, replaces and replaced_by are ids.
  std::string subject;
  std::string sex;
  std::string held_from;  // Since when the card counts at its organisation.
  int64_t version = 1;
};

// A fresh number: 15 random digits and the check digit of ISO/IEC 7812.
std::string NewCardNumber();
// Whether the check digit fits; blanks and hyphens do not matter. Sets the bare digits.
bool ReadCardNumber(std::string_view text, std::string& number);

absl::Status InsertCard(sql::Tx& tx, const std::string& federation, const CardRow& row);
// REASON_CONFLICT when the row is not at `row.version` - 1.
absl::Status UpdateCard(sql::Tx& tx, const std::string& federation, const CardRow& row);
absl::StatusOr<std::optional<CardRow>> FindCard(sql::Tx& tx, const std::string& federation,
                                                const std::string& id);
// Cards of a member that are valid or lost.
absl::StatusOr<std::vector<CardRow>> FindLiveCards(sql::Tx& tx, const std::string& federation,
                                                   const std::string& member_id);
CardRow ToCardRow(const sql::Rows::Row& row);
// The columns that ToCardRow takes, in its order.
#define CARD_COLUMNS                                                                   \
  "card_id, member_id, subject, sex, organization, held_from, number, medium, state, " \
  "applied_on, issued_on, ended_on, reason, replaces, replaced_by, create_time_us, version"

std::string CardName(std::string_view federation, std::string_view id);
v1::Card CardView(const std::string& federation, const CardRow& row);

// What the card contributes where it counts now. `replaced_on` where it takes the place of another,
// for `reason`.
absl::StatusOr<std::vector<common::v1::Fact>> CardFacts(const common::v1::Kind& kind,
                                                        const CardRow& row);
// Adds the change from `before` to `after` to the event.
void AddCardFacts(const std::string& federation, const std::string& id,
                  const std::vector<common::v1::Fact>& before,
                  const std::vector<common::v1::Fact>& after, feed::v1::Event& event);

// Ends the card on a day: its first without. Writes it and adds the facts.
absl::Status EndCard(sql::Tx& tx, const std::string& federation, const common::v1::Kind& kind,
                     CardRow& row, v1::CardState state, const std::string& day,
                     const std::string& reason, feed::v1::Event& event);
// Lets the cards of a member go where the member went: with a transfer from the day on, and to an
// end where the member left.
absl::Status MoveCards(sql::Tx& tx, const std::string& federation, const common::v1::Kind& kind,
                       const MemberRow& before, const MemberRow& after, feed::v1::Event& event);

}  // namespace gonghui::membership
