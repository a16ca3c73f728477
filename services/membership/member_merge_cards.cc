#include "services/membership/member_merge_cards.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/base/text.h"
#include "services/membership/card_rows.h"

namespace gonghui::membership {
namespace {

using nlohmann::json;

constexpr sql::Query kHand{
    "membership.hand_card",
    "UPDATE cards SET member_id=$3, subject=$4, sex=$5, organization=$6, held_from=$7, state=$8, "
    "ended_on=$9, reason=$10, version=$11 WHERE tenant=$1 AND card_id=$2 AND version=$11-1"};

absl::Status Hand(sql::Tx& tx, const std::string& federation, const CardRow& row) {
  const v1::Card& card = row.card;
  ASSIGN_OR_RETURN(
      const sql::Rows written,
      tx.Run(kHand, {federation, row.id, card.member(), row.subject, row.sex, card.organization(),
                     row.held_from, static_cast<int64_t>(card.state()), card.ended_on(),
                     card.reason(), row.version}));
  if (written.affected() == 1) return absl::OkStatus();
  return Aborted(common::v1::REASON_CONFLICT,
                 "a card was changed by another call at the same moment; try again",
                 "会员卡同时被其他操作修改，请重试");
}

json ToJson(const CardRow& row) {
  const v1::Card& card = row.card;
  return json::array({row.id, card.member(), row.subject, row.sex, row.held_from,
                      card.organization(), card.ended_on(), card.reason(),
                      static_cast<int64_t>(card.state())});
}

void FromJson(const json& from, CardRow& row) {
  row.card.set_member(from.at(1).get<std::string>());
  row.subject = from.at(2);
  row.sex = from.at(3);
  row.held_from = from.at(4);
  row.card.set_organization(from.at(5).get<std::string>());
  row.card.set_ended_on(from.at(6).get<std::string>());
  row.card.set_reason(from.at(7).get<std::string>());
  row.card.set_state(static_cast<v1::CardState>(from.at(8).get<int64_t>()));
}

bool HoldsMedium(const std::vector<CardRow>& cards, const std::string& medium) {
  return std::any_of(cards.begin(), cards.end(),
                     [&](const CardRow& row) { return row.card.medium() == medium; });
}

// What a card that went on as `after` contributes in all: also where it was until it went.
absl::StatusOr<std::vector<common::v1::Fact>> FactsAfter(const common::v1::Kind& kind,
                                                         const CardRow& before,
                                                         const CardRow& after) {
  ASSIGN_OR_RETURN(std::vector<common::v1::Fact> facts, CardFacts(kind, after));
  if (before.card.organization() == after.card.organization()) return facts;
  CardRow there = after;
  there.card.set_organization(before.card.organization());
  there.held_from = before.held_from;
  there.card.set_ended_on(after.held_from);
  ASSIGN_OR_RETURN(const std::vector<common::v1::Fact> earlier, CardFacts(kind, there));
  facts.insert(facts.end(), earlier.begin(), earlier.end());
  return facts;
}

// The card goes on as the survivor's, from today on where the survivor is.
absl::Status Carry(sql::Tx& tx, const rpc::Call& call, const common::v1::Kind& kind,
                   const MemberEdit& survivor, CardRow& row, feed::v1::Event& event) {
  const CardRow before = row;
  row.card.set_member(survivor.id());
  row.subject = survivor.row().id_index;
  row.sex = survivor.member().sex();
  const bool valid = row.card.state() == v1::CARD_STATE_VALID;
  if (valid && row.card.organization() != survivor.member().organization()) {
    row.card.set_organization(survivor.member().organization());
    row.held_from = std::max(call.Today(), row.held_from);
  }
  ++row.version;
  ASSIGN_OR_RETURN(const auto was, CardFacts(kind, before));
  ASSIGN_OR_RETURN(const auto is, FactsAfter(kind, before, row));
  RETURN_IF_ERROR(Hand(tx, call.federation, row));
  AddCardFacts(call.federation, row.id, was, is, event);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<json> CarryCards(sql::Tx& tx, const rpc::Call& call, const common::v1::Kind& kind,
                                const MemberEdit& survivor, const std::string& absorbed_id,
                                feed::v1::Event& event) {
  ASSIGN_OR_RETURN(std::vector<CardRow> cards, FindLiveCards(tx, call.federation, absorbed_id));
  ASSIGN_OR_RETURN(const std::vector<CardRow> held,
                   FindLiveCards(tx, call.federation, survivor.id()));
  const bool active = survivor.member().state() == "active";
  json carried = json::array();
  for (CardRow& row : cards) {
    json before = ToJson(row);
    if (active && !HoldsMedium(held, row.card.medium())) {
      RETURN_IF_ERROR(Carry(tx, call, kind, survivor, row, event));
    } else {
      RETURN_IF_ERROR(EndCard(tx, call.federation, kind, row, v1::CARD_STATE_CANCELLED,
                              call.Today(), "merged", event));
    }
    carried.push_back({{"card", std::move(before)}, {"version", row.version}});
  }
  return carried;
}

absl::Status GiveCardsBack(sql::Tx& tx, const std::string& federation, const common::v1::Kind& kind,
                           const json& carried, feed::v1::Event& event) {
  for (const json& one : carried) {
    const std::string id = one.at("card").at(0);
    ASSIGN_OR_RETURN(const std::optional<CardRow> now, FindCard(tx, federation, id));
    if (!now.has_value() || now->version != one.at("version").get<int64_t>()) {
      return FailedPrecondition(common::v1::REASON_REVERT_BLOCKED,
                                "a card of the absorbed member was changed since the merger; the "
                                "merger stays",
                                "合并后被并会员的会员卡又有变动，不能撤回合并")
          .With("card", CardName(federation, id))
          .At("name");
    }
    CardRow row = *now;
    FromJson(one.at("card"), row);
    ++row.version;
    ASSIGN_OR_RETURN(const auto was, FactsAfter(kind, row, *now));
    ASSIGN_OR_RETURN(const auto is, CardFacts(kind, row));
    RETURN_IF_ERROR(Hand(tx, federation, row));
    AddCardFacts(federation, id, was, is, event);
  }
  return absl::OkStatus();
}

}  // namespace gonghui::membership
