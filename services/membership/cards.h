// Membership cards.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "common/host/host.h"
#include "gonghui/membership/v1/card.pb.h"
#include "services/membership/card_rows.h"
#include "services/membership/member_edit.h"

namespace gonghui::membership {

// Thread-safe.
class Cards {
 public:
  Cards(const Host& host, const catalog::Catalog& catalog)
      : db_(*host.db), tree_(*host.tree), register_(catalog, *host.personal) {}

  absl::StatusOr<v1::Card> Issue(rpc::Call& call, const v1::IssueCardRequest& request);
  absl::StatusOr<v1::BatchIssueCardsResponse> BatchIssue(rpc::Call& call,
                                                         const v1::BatchIssueCardsRequest& request);
  absl::StatusOr<v1::Card> ReportLoss(rpc::Call& call, const v1::ReportCardLossRequest& request);
  absl::StatusOr<v1::Card> Replace(rpc::Call& call, const v1::ReplaceCardRequest& request);
  absl::StatusOr<v1::Card> Cancel(rpc::Call& call, const v1::CancelCardRequest& request);
  absl::StatusOr<v1::Card> Get(rpc::Call& call, const v1::GetCardRequest& request);
  absl::StatusOr<v1::ListCardsResponse> List(rpc::Call& call, const v1::ListCardsRequest& request);
  absl::StatusOr<v1::CountCardsResponse> Count(rpc::Call& call,
                                               const v1::CountCardsRequest& request);
  absl::StatusOr<v1::VerifyCardResponse> Verify(rpc::Call& call,
                                                const v1::VerifyCardRequest& request);

 private:
  absl::StatusOr<CardRow> Read(const rpc::Call& call, const std::string& name) const;
  // Changes a card that is in one of two states; `change` answers the card to show.
  template <typename Request>
  absl::StatusOr<v1::Card> Change(
      rpc::Call& call, const Request& request, std::string_view event_type, bool lost_too,
      const std::function<absl::StatusOr<v1::Card>(sql::Tx&, CardRow&, feed::v1::Event&)>& change);
  absl::Status Add(sql::Tx& tx, const std::string& federation, const CardRow& row,
                   feed::v1::Event& event) const;
  std::vector<std::string> Below(const tree::OrganizationTree& tree, const std::string& top,
                                 const std::string& today) const;

  sql::Database& db_;
  tree::TreeCache& tree_;
  const MemberRegister register_;
};

}  // namespace gonghui::membership
