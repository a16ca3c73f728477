// Finds for receipts the unit and the obligation that they pay.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "services/funds/levies.h"
#include "services/funds/levy_receipt_rows.h"
#include "services/funds/levy_rows.h"
#include "services/funds/levy_sharing.h"

namespace gonghui::funds {

// Matches the receipts of one transaction, one after the other: each sees those before it.
class LevyMatching {
 public:
  // `owner` is the organisation of the batch: payers lie at or below it. `below` holds it and
  // those.
  LevyMatching(const Levies& levies, const rpc::Call& call,
               std::shared_ptr<const tree::OrganizationTree> tree, std::vector<std::string> below)
      : levies_(levies), call_(call), tree_(std::move(tree)), below_(below.begin(), below.end()) {}

  // Reads what the receipts need, but for those among `rows` that are in the database.
  absl::Status Load(sql::Tx& tx, const std::vector<ReceiptRow>& rows);
  // Sets state, exception, organisation, collector and, where it is empty, the item. `accept` takes
  // amount, ticket and item as they are. Errors: the collector is out of the caller's scope, or
  // there is no such channel there.
  absl::Status Match(ReceiptRow& row, bool accept = false);
  // Adds an obligation of the payer that is not written yet.
  void Add(const ObligationRow& obligation);
  // nullptr where there is none at or below the owner.
  const v1::LevyPayer* PayerOf(const ReceiptRow& row) const;

 private:
  v1::LevyException ExceptionOf(ReceiptRow& row, bool accept);

  const Levies& levies_;
  const rpc::Call& call_;
  const std::shared_ptr<const tree::OrganizationTree> tree_;
  const std::set<std::string> below_;
  std::map<std::string, v1::LevyPayer> payers_;
  std::map<UnitPeriod, ObligationRow> obligations_;
  std::map<UnitPeriod, int64_t> paid_;  // Matched and confirmed.
  std::map<std::pair<std::string, std::string>, std::string>
      tickets_;  // Channel, ticket -> receipt id.
};

}  // namespace gonghui::funds
