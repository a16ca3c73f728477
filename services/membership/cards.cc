#include "services/membership/cards.h"

#include <algorithm>
#include <utility>

#include "common/base/id.h"
#include "common/base/resource_name.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/page.h"
#include "common/rpc/update.h"
#include "services/membership/codes.h"

namespace gonghui::membership {
namespace {

constexpr int kBatch = 1000;

constexpr sql::Query kWithoutCard{
    "membership.members_without_card",
    "SELECT member_id, id_index, sex FROM members AS m WHERE tenant=$1 AND organization=$2 AND "
    "state='active' AND joined_on<=$4 AND NOT EXISTS (SELECT 1 FROM cards AS c WHERE c.tenant=$1 "
    "AND c.member_id=m.member_id AND c.medium=$3 AND c.state=1) ORDER BY member_id LIMIT $5"};
constexpr sql::Query kCountWithoutCard{
    "membership.count_members_without_card",
    "SELECT COUNT(*) FROM members AS m WHERE tenant=$1 AND organization=$2 AND state='active' AND "
    "joined_on<=$4 AND NOT EXISTS (SELECT 1 FROM cards AS c WHERE c.tenant=$1 AND "
    "c.member_id=m.member_id AND c.medium=$3 AND c.state=1)"};
constexpr sql::Query kList{
    "membership.list_cards",
    "SELECT " CARD_COLUMNS
    " FROM cards WHERE tenant=$1 AND organization=$2 AND card_id>$3 AND (CAST($4 AS BIGINT)=0 OR "
    "state=$4) ORDER BY card_id LIMIT $5"};
constexpr sql::Query kListOfMember{
    "membership.list_cards_of_member",
    "SELECT " CARD_COLUMNS
    " FROM cards WHERE tenant=$1 AND member_id=$2 AND card_id>$3 AND (CAST($4 AS BIGINT)=0 OR "
    "state=$4) ORDER BY card_id LIMIT $5"};
constexpr sql::Query kCount{
    "membership.count_cards",
    "SELECT organization, medium, state, COUNT(*) FROM cards WHERE tenant=$1 AND organization=$2 "
    "GROUP BY organization, medium, state ORDER BY medium, state"};
constexpr sql::Query kVerify{
    "membership.verify_card",
    "SELECT COUNT(*) FROM cards WHERE tenant=$1 AND number=$2 AND state=1 AND issued_on<=$3"};

Error UnknownCard(std::string_view name) {
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("there is no card '", LeafOf(name), "'; ListCards finds them"),
                  StrCat("没有会员卡“", LeafOf(name), "”，可用 ListCards 查找"))
      .At("name");
}

absl::Status ExpectLive(const v1::Card& card, bool lost_too) {
  if (card.state() == v1::CARD_STATE_VALID) return absl::OkStatus();
  if (lost_too && card.state() == v1::CARD_STATE_LOST) return absl::OkStatus();
  const bool lost = card.state() == v1::CARD_STATE_LOST;
  return FailedPrecondition(
             common::v1::REASON_STATE_FORBIDS,
             StrCat("the card is not valid since ", card.ended_on(),
                    lost ? "; ReplaceCard gives a new one" : "; IssueCard gives a new one"),
             StrCat("该会员卡自 ", card.ended_on(),
                    lost ? " 起挂失，可补办（ReplaceCard）" : " 起失效，可另行发卡（IssueCard）"))
      .With("state", v1::CardState_Name(card.state()))
      .With("allowed", lost ? "ReplaceCard, CancelCard" : "IssueCard")
      .At("name");
}

CardRow NewCard(const rpc::Call& call, const std::string& member_id, const std::string& subject,
                const std::string& sex, const std::string& organization, const std::string& medium,
                const std::string& issued_on) {
  CardRow row;
  row.id = NewId(call.clock->Now());
  row.subject = subject;
  row.sex = sex;
  row.held_from = issued_on;
  row.card.set_member(member_id);
  row.card.set_organization(organization);
  row.card.set_number(NewCardNumber());
  row.card.set_medium(medium);
  row.card.set_state(v1::CARD_STATE_VALID);
  row.card.set_issued_on(issued_on);
  row.card.set_create_time_us(call.clock->NowMicros());
  return row;
}

}  // namespace

absl::Status Cards::Add(sql::Tx& tx, const std::string& federation, const CardRow& row,
                        feed::v1::Event& event) const {
  RETURN_IF_ERROR(InsertCard(tx, federation, row));
  ASSIGN_OR_RETURN(const auto facts, CardFacts(*register_.card_kind, row));
  AddCardFacts(federation, row.id, {}, facts, event);
  return absl::OkStatus();
}

absl::StatusOr<v1::Card> Cards::Issue(rpc::Call& call, const v1::IssueCardRequest& request) {
  std::string medium = request.medium();
  RETURN_IF_ERROR(ToCode(*register_.catalog, "card_medium", "medium", medium));
  RETURN_IF_ERROR(NotInFuture(call, "issued_on", request.issued_on()));
  if (!request.applied_on().empty() && request.issued_on() < request.applied_on()) {
    return DateBefore("issued_on", request.issued_on(), "day of applying", request.applied_on());
  }
  const std::string member_id(LeafOf(request.member()));
  std::string organization;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const MemberEdit member,
                     MemberEdit::Begin(tx, register_, call.federation, member_id, "member"));
    organization = member.member().organization();
    return absl::OkStatus();
  }));
  RETURN_IF_ERROR(call.CheckScope(organization));
  return rpc::WriteOnce<v1::Card>(db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Card> {
    ASSIGN_OR_RETURN(const MemberEdit edit,
                     MemberEdit::Begin(tx, register_, call.federation, member_id, "member"));
    RETURN_IF_ERROR(edit.ExpectState("active"));
    const v1::Member& member = edit.member();
    if (request.issued_on() < member.joined_on()) {
      return DateBefore("issued_on", request.issued_on(), "day of joining", member.joined_on());
    }
    ASSIGN_OR_RETURN(const std::vector<CardRow> held,
                     FindLiveCards(tx, call.federation, member_id));
    for (const CardRow& other : held) {
      if (other.card.medium() != medium) continue;
      return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                                "the member has a card of this kind already; ReplaceCard "
                                "gives a new one in its place",
                                "该会员已有此类会员卡，如需换发请补办（ReplaceCard）")
          .With("card", CardName(call.federation, other.id))
          .With("allowed", "ReplaceCard, ReportCardLoss, CancelCard")
          .At("member");
    }
    CardRow row = NewCard(call, member_id, edit.row().id_index, member.sex(), member.organization(),
                          medium, request.issued_on());
    row.card.set_applied_on(request.applied_on());
    feed::v1::Event event;
    event.set_type("gonghui.membership.v1.CardIssued");
    RETURN_IF_ERROR(Add(tx, call.federation, row, event));
    RETURN_IF_ERROR(feed::Append(tx, call, std::move(event)));
    return CardView(call.federation, row);
  });
}

absl::StatusOr<v1::BatchIssueCardsResponse> Cards::BatchIssue(
    rpc::Call& call, const v1::BatchIssueCardsRequest& request) {
  std::string medium = request.medium();
  RETURN_IF_ERROR(ToCode(*register_.catalog, "card_medium", "medium", medium));
  RETURN_IF_ERROR(NotInFuture(call, "issued_on", request.issued_on()));
  ASSIGN_OR_RETURN(const int limit, rpc::PageSize(request.limit(), kBatch, kBatch));
  using Response = v1::BatchIssueCardsResponse;
  return rpc::WriteOnce<Response>(db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Response> {
    const sql::Args key = {call.federation, request.organization(), medium, request.issued_on()};
    sql::Args limited = key;
    limited.emplace_back(int64_t{limit});
    ASSIGN_OR_RETURN(const sql::Rows members, tx.Run(kWithoutCard, limited));
    Response response;
    feed::v1::Event event;
    event.set_type("gonghui.membership.v1.CardsIssued");
    for (size_t i = 0; i < members.size(); ++i) {
      const CardRow row = NewCard(call, members[i].Get<std::string>(0),
                                  members[i].Get<std::string>(1), members[i].Get<std::string>(2),
                                  request.organization(), medium, request.issued_on());
      RETURN_IF_ERROR(Add(tx, call.federation, row, event));
    }
    response.set_issued(static_cast<int32_t>(members.size()));
    ASSIGN_OR_RETURN(const sql::Rows rest, tx.Run(kCountWithoutCard, key));
    response.set_without_card(rest[0].Get<int64_t>(0));
    if (response.issued() > 0) RETURN_IF_ERROR(feed::Append(tx, call, std::move(event)));
    return response;
  });
}

absl::StatusOr<CardRow> Cards::Read(const rpc::Call& call, const std::string& name) const {
  std::optional<CardRow> row;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(row, FindCard(tx, call.federation, std::string(LeafOf(name))));
    return absl::OkStatus();
  }));
  if (!row.has_value()) return UnknownCard(name);
  return *std::move(row);
}

template <typename Request>
absl::StatusOr<v1::Card> Cards::Change(
    rpc::Call& call, const Request& request, std::string_view event_type, bool lost_too,
    const std::function<absl::StatusOr<v1::Card>(sql::Tx&, CardRow&, feed::v1::Event&)>& change) {
  ASSIGN_OR_RETURN(const CardRow seen, Read(call, request.name()));
  RETURN_IF_ERROR(call.CheckScope(seen.card.organization()));
  return rpc::WriteOnce<v1::Card>(db_, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::Card> {
    ASSIGN_OR_RETURN(std::optional<CardRow> row, FindCard(tx, call.federation, seen.id));
    if (!row.has_value()) return UnknownCard(request.name());
    RETURN_IF_ERROR(rpc::CheckEtag(request.etag(), row->version));
    RETURN_IF_ERROR(ExpectLive(row->card, lost_too));
    feed::v1::Event event;
    event.set_type(StrCat("gonghui.membership.v1.", event_type));
    ASSIGN_OR_RETURN(v1::Card shown, change(tx, *row, event));
    RETURN_IF_ERROR(feed::Append(tx, call, std::move(event)));
    return shown;
  });
}

absl::StatusOr<v1::Card> Cards::ReportLoss(rpc::Call& call,
                                           const v1::ReportCardLossRequest& request) {
  RETURN_IF_ERROR(NotInFuture(call, "lost_on", request.lost_on()));
  return Change(call, request, "CardLost", /*lost_too=*/false,
                [&](sql::Tx& tx, CardRow& row, feed::v1::Event& event) -> absl::StatusOr<v1::Card> {
                  if (request.lost_on() < row.held_from) {
                    return DateBefore("lost_on", request.lost_on(), "first day of the card",
                                      row.held_from);
                  }
                  RETURN_IF_ERROR(EndCard(tx, call.federation, *register_.card_kind, row,
                                          v1::CARD_STATE_LOST, request.lost_on(), "lost", event));
                  return CardView(call.federation, row);
                });
}

absl::StatusOr<v1::Card> Cards::Replace(rpc::Call& call, const v1::ReplaceCardRequest& request) {
  std::string reason = request.reason();
  RETURN_IF_ERROR(ToCode(*register_.catalog, "card_end_reason", "reason", reason));
  RETURN_IF_ERROR(NotInFuture(call, "replaced_on", request.replaced_on()));
  return Change(
      call, request, "CardReplaced", /*lost_too=*/true,
      [&](sql::Tx& tx, CardRow& row, feed::v1::Event& event) -> absl::StatusOr<v1::Card> {
        const std::string since = std::max(row.held_from, row.card.ended_on());
        if (request.replaced_on() < since) {
          return DateBefore("replaced_on", request.replaced_on(), "first day or loss of the card",
                            since);
        }
        // A card that was lost in the meantime of a transfer is replaced where the member is.
        ASSIGN_OR_RETURN(const MemberEdit edit, MemberEdit::Begin(tx, register_, call.federation,
                                                                  row.card.member(), "name"));
        RETURN_IF_ERROR(edit.ExpectState("active"));
        CardRow fresh =
            NewCard(call, row.card.member(), row.subject, row.sex, edit.member().organization(),
                    row.card.medium(), request.replaced_on());
        fresh.card.set_replaces(row.id);
        row.card.set_replaced_by(fresh.id);
        RETURN_IF_ERROR(EndCard(tx, call.federation, *register_.card_kind, row,
                                v1::CARD_STATE_REPLACED, request.replaced_on(), reason, event));
        RETURN_IF_ERROR(Add(tx, call.federation, fresh, event));
        return CardView(call.federation, fresh);
      });
}

absl::StatusOr<v1::Card> Cards::Cancel(rpc::Call& call, const v1::CancelCardRequest& request) {
  std::string reason = request.reason();
  RETURN_IF_ERROR(ToCode(*register_.catalog, "card_end_reason", "reason", reason));
  RETURN_IF_ERROR(NotInFuture(call, "cancelled_on", request.cancelled_on()));
  return Change(
      call, request, "CardCancelled", /*lost_too=*/true,
      [&](sql::Tx& tx, CardRow& row, feed::v1::Event& event) -> absl::StatusOr<v1::Card> {
        if (request.cancelled_on() < row.held_from) {
          return DateBefore("cancelled_on", request.cancelled_on(), "first day of the card",
                            row.held_from);
        }
        RETURN_IF_ERROR(EndCard(tx, call.federation, *register_.card_kind, row,
                                v1::CARD_STATE_CANCELLED, request.cancelled_on(), reason, event));
        return CardView(call.federation, row);
      });
}

absl::StatusOr<v1::Card> Cards::Get(rpc::Call& call, const v1::GetCardRequest& request) {
  ASSIGN_OR_RETURN(const CardRow row, Read(call, request.name()));
  RETURN_IF_ERROR(call.CheckScope(row.card.organization()));
  return CardView(call.federation, row);
}

std::vector<std::string> Cards::Below(const tree::OrganizationTree& tree, const std::string& top,
                                      const std::string& today) const {
  std::vector<std::string> below = tree.Subtree(top.empty() ? tree.Root() : top, today);
  std::sort(below.begin(), below.end());
  return below;
}

absl::StatusOr<v1::ListCardsResponse> Cards::List(rpc::Call& call,
                                                  const v1::ListCardsRequest& request) {
  ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(std::vector<std::string> after,
                   rpc::ReadPageToken(request, request.page_token(), 2));
  after.resize(2);
  ASSIGN_OR_RETURN(const auto tree, tree_.Get(call.federation, request.organization()));
  std::vector<std::string> owners = Below(*tree, request.organization(), call.Today());
  if (!request.member().empty()) owners = {std::string(LeafOf(request.member()))};
  const sql::Query& query = request.member().empty() ? kList : kListOfMember;
  v1::ListCardsResponse response;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.Clear();
    std::string last_owner, last_card;
    for (const std::string& owner : owners) {
      if (owner < after[0]) continue;
      ASSIGN_OR_RETURN(const sql::Rows rows,
                       tx.Run(query, {call.federation, owner, owner == after[0] ? after[1] : "",
                                      static_cast<int64_t>(request.state()),
                                      int64_t{page_size} + 1 - response.cards_size()}));
      for (size_t i = 0; i < rows.size(); ++i) {
        const CardRow row = ToCardRow(rows[i]);
        const bool inside =
            request.member().empty() || request.organization().empty() ||
            tree->IsAtOrBelow(row.card.organization(), request.organization(), call.Today());
        if (!inside) continue;
        if (response.cards_size() == page_size) {
          response.set_next_page_token(rpc::MakePageToken(request, {last_owner, last_card}));
          return absl::OkStatus();
        }
        *response.add_cards() = CardView(call.federation, row);
        last_owner = owner;
        last_card = row.id;
      }
    }
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<v1::CountCardsResponse> Cards::Count(rpc::Call& call,
                                                    const v1::CountCardsRequest& request) {
  ASSIGN_OR_RETURN(const auto tree, tree_.Get(call.federation, request.organization()));
  std::vector<sql::Args> keys;
  for (const std::string& organization : Below(*tree, request.organization(), call.Today())) {
    keys.push_back({call.federation, organization});
  }
  v1::CountCardsResponse response;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) {
    response.Clear();
    return tx.ReadMany(kCount, keys, [&](const sql::Rows::Row& row) {
      v1::CardCount& count = *response.add_counts();
      count.set_organization(row.Get<std::string>(0));
      count.set_medium(row.Get<std::string>(1));
      count.set_state(static_cast<v1::CardState>(row.Get<int64_t>(2)));
      count.set_cards(row.Get<int64_t>(3));
    });
  }));
  return response;
}

absl::StatusOr<v1::VerifyCardResponse> Cards::Verify(rpc::Call& call,
                                                     const v1::VerifyCardRequest& request) {
  v1::VerifyCardResponse response;
  std::string number;
  if (!ReadCardNumber(request.number(), number)) return response;
  RETURN_IF_ERROR(db_.ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const sql::Rows rows,
                     tx.Run(kVerify, {call.federation, number, call.Today()}));
    response.set_valid(rows[0].Get<int64_t>(0) == 1);
    return absl::OkStatus();
  }));
  return response;
}

}  // namespace gonghui::membership
