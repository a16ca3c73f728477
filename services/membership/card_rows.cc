#include "services/membership/card_rows.h"

#include <openssl/rand.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/catalog/fact_rules.h"
#include "common/rpc/update.h"
#include "google/protobuf/stubs/logging.h"

namespace gonghui::membership {
namespace {

using common::v1::Fact;

constexpr int kDigits = 16;

constexpr sql::Query kInsert{
    "membership.insert_card",
    "INSERT INTO cards (tenant, " CARD_COLUMNS
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)"};
constexpr sql::Query kUpdate{
    "membership.update_card",
    "UPDATE cards SET organization=$3, held_from=$4, state=$5, ended_on=$6, reason=$7, "
    "replaced_by=$8, version=$9 WHERE tenant=$1 AND card_id=$2 AND version=$9-1"};
constexpr sql::Query kFind{"membership.find_card",
                           "SELECT " CARD_COLUMNS " FROM cards WHERE tenant=$1 AND card_id=$2"};
constexpr sql::Query kFindLive{"membership.find_live_cards",
                               "SELECT " CARD_COLUMNS
                               " FROM cards WHERE tenant=$1 AND member_id=$2 AND state IN (1, 2) "
                               "ORDER BY card_id"};

// What must follow the digits for their sum, doubling every second from the right, to be a multiple
// of ten.
char CheckDigit(std::string_view digits) {
  int sum = 0;
  bool twice = true;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, twice = !twice) {
    const int value = (*digit - '0') * (twice ? 2 : 1);
    sum += value / 10 + value % 10;
  }
  return static_cast<char>('0' + (10 - sum % 10) % 10);
}

}  // namespace

std::string NewCardNumber() {
  std::string number;
  while (number.size() < kDigits - 1) {
    unsigned char byte = 0;
    GOOGLE_CHECK(RAND_bytes(&byte, 1) == 1) << "no random numbers";
    if (byte >= 250) continue;  // Each digit is as likely as any other.
    const char digit = static_cast<char>('0' + byte % 10);
    if (!number.empty() || digit != '0') number += digit;
  }
  return number + CheckDigit(number);
}

bool ReadCardNumber(std::string_view text, std::string& number) {
  number.clear();
  for (char c : text) {
    if (c == ' ' || c == '-') continue;
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return false;
    number += c;
  }
  return number.size() == kDigits &&
         number.back() == CheckDigit(std::string_view(number).substr(0, kDigits - 1));
}

absl::Status InsertCard(sql::Tx& tx, const std::string& federation, const CardRow& row) {
  const v1::Card& card = row.card;
  return tx
      .Run(kInsert,
           {federation, row.id, card.member(), row.subject, row.sex, card.organization(),
            row.held_from, card.number(), card.medium(), static_cast<int64_t>(card.state()),
            card.applied_on(), card.issued_on(), card.ended_on(), card.reason(), card.replaces(),
            card.replaced_by(), card.create_time_us(), row.version})
      .status();
}

absl::Status UpdateCard(sql::Tx& tx, const std::string& federation, const CardRow& row) {
  const v1::Card& card = row.card;
  ASSIGN_OR_RETURN(const sql::Rows written,
                   tx.Run(kUpdate, {federation, row.id, card.organization(), row.held_from,
                                    static_cast<int64_t>(card.state()), card.ended_on(),
                                    card.reason(), card.replaced_by(), row.version}));
  if (written.affected() == 1) return absl::OkStatus();
  return Aborted(common::v1::REASON_CONFLICT,
                 "the card was changed by another call at the same moment; try again",
                 "该会员卡同时被其他操作修改，请重试");
}

CardRow ToCardRow(const sql::Rows::Row& row) {
  CardRow result;
  v1::Card& card = result.card;
  result.id = row.Get<std::string>(0);
  card.set_member(row.Get<std::string>(1));
  result.subject = row.Get<std::string>(2);
  result.sex = row.Get<std::string>(3);
  card.set_organization(row.Get<std::string>(4));
  result.held_from = row.Get<std::string>(5);
  card.set_number(row.Get<std::string>(6));
  card.set_medium(row.Get<std::string>(7));
  card.set_state(static_cast<v1::CardState>(row.Get<int64_t>(8)));
  card.set_applied_on(row.Get<std::string>(9));
  card.set_issued_on(row.Get<std::string>(10));
  card.set_ended_on(row.Get<std::string>(11));
  card.set_reason(row.Get<std::string>(12));
  card.set_replaces(row.Get<std::string>(13));
  card.set_replaced_by(row.Get<std::string>(14));
  card.set_create_time_us(row.Get<int64_t>(15));
  result.version = row.Get<int64_t>(16);
  return result;
}

absl::StatusOr<std::optional<CardRow>> FindCard(sql::Tx& tx, const std::string& federation,
                                                const std::string& id) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFind, {federation, id}));
  if (rows.empty()) return std::nullopt;
  return ToCardRow(rows[0]);
}

absl::StatusOr<std::vector<CardRow>> FindLiveCards(sql::Tx& tx, const std::string& federation,
                                                   const std::string& member_id) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kFindLive, {federation, member_id}));
  std::vector<CardRow> cards;
  for (size_t i = 0; i < rows.size(); ++i) cards.push_back(ToCardRow(rows[i]));
  return cards;
}

std::string CardName(std::string_view federation, std::string_view id) {
  return StrCat("federations/", federation, "/cards/", id);
}

v1::Card CardView(const std::string& federation, const CardRow& row) {
  v1::Card view = row.card;
  view.set_name(CardName(federation, row.id));
  view.set_member(MemberName(federation, row.card.member()));
  if (!view.replaces().empty()) view.set_replaces(CardName(federation, view.replaces()));
  if (!view.replaced_by().empty()) view.set_replaced_by(CardName(federation, view.replaced_by()));
  view.set_etag(rpc::MakeEtag(row.version));
  return view;
}

absl::StatusOr<std::vector<Fact>> CardFacts(const common::v1::Kind& kind, const CardRow& row) {
  const v1::Card& card = row.card;
  catalog::FactSource source;
  source.organization = card.organization();
  source.fields = {
      {"number", row.id},           {"subject", row.subject},   {"sex", row.sex},
      {"medium", card.medium()},    {"on_date", row.held_from}, {"held_from", row.held_from},
      {"ended_on", card.ended_on()}};
  // A card that came along by a transfer was not issued there.
  if (!card.replaces().empty() && row.held_from == card.issued_on()) {
    source.fields["replaced_on"] = card.issued_on();
  }
  return catalog::FactsOf(kind, source);
}

void AddCardFacts(const std::string& federation, const std::string& id,
                  const std::vector<Fact>& before, const std::vector<Fact>& after,
                  feed::v1::Event& event) {
  const std::string name = CardName(federation, id);
  event.add_resources(name);
  const std::vector<Fact> changes = catalog::FactChanges(before, after);
  if (changes.empty()) return;
  common::v1::RecordFacts& record = *event.add_facts();
  record.set_record(name);
  record.mutable_facts()->Assign(changes.begin(), changes.end());
}

absl::Status EndCard(sql::Tx& tx, const std::string& federation, const common::v1::Kind& kind,
                     CardRow& row, v1::CardState state, const std::string& day,
                     const std::string& reason, feed::v1::Event& event) {
  ASSIGN_OR_RETURN(const std::vector<Fact> before, CardFacts(kind, row));
  // A lost card ended when it was reported.
  if (row.card.ended_on().empty()) row.card.set_ended_on(std::max(day, row.held_from));
  row.card.set_state(state);
  row.card.set_reason(reason);
  ++row.version;
  ASSIGN_OR_RETURN(const std::vector<Fact> after, CardFacts(kind, row));
  RETURN_IF_ERROR(UpdateCard(tx, federation, row));
  AddCardFacts(federation, row.id, before, after, event);
  return absl::OkStatus();
}

absl::Status MoveCards(sql::Tx& tx, const std::string& federation, const common::v1::Kind& kind,
                       const MemberRow& before, const MemberRow& after, feed::v1::Event& event) {
  const bool left = after.member.state() != "active" && before.member.state() == "active";
  const bool moved = after.member.organization() != before.member.organization() &&
                     before.member.state() == "active";
  if (!left && !moved) return absl::OkStatus();
  ASSIGN_OR_RETURN(std::vector<CardRow> cards, FindLiveCards(tx, federation, after.id));
  for (CardRow& row : cards) {
    if (left) {
      RETURN_IF_ERROR(EndCard(tx, federation, kind, row, v1::CARD_STATE_CANCELLED,
                              after.member.left_on(), "left", event));
      continue;
    }
    if (row.card.state() != v1::CARD_STATE_VALID) continue;
    ASSIGN_OR_RETURN(const std::vector<Fact> was, CardFacts(kind, row));
    const std::string day = std::max(after.member.joined_on(), row.held_from);
    CardRow there = row;
    there.card.set_ended_on(day);
    ASSIGN_OR_RETURN(std::vector<Fact> is, CardFacts(kind, there));
    row.card.set_organization(after.member.organization());
    row.held_from = day;
    ++row.version;
    ASSIGN_OR_RETURN(const std::vector<Fact> here, CardFacts(kind, row));
    is.insert(is.end(), here.begin(), here.end());
    RETURN_IF_ERROR(UpdateCard(tx, federation, row));
    AddCardFacts(federation, row.id, was, is, event);
  }
  return absl::OkStatus();
}

}  // namespace gonghui::membership
