// What the rows of a batch come to: new ones matched, exceptions settled. Writes nothing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/rpc/call.h"
#include "gonghui/funds/v1/levy.pb.h"
#include "services/funds/levies.h"
#include "services/funds/levy_matching.h"
#include "services/funds/levy_receipt_rows.h"

namespace gonghui::funds {

class LevyIntake {
 public:
  // For a batch of the organisation.
  static absl::StatusOr<LevyIntake> Begin(const Levies& levies, const rpc::Call& call,
                                          const std::string& organization);

  // Splits the rows into known ones, which are counted, new ones, which are matched, and faults.
  absl::Status Take(sql::Tx& tx, const std::vector<ReceiptRow>& rows, const std::string& batch,
                    v1::ImportLevyReceiptsResponse& response, std::vector<ReceiptRow>& added) const;
  // The exceptions that the request means, as they stand then, and obligations to be assessed.
  absl::Status Resolve(sql::Tx& tx, const v1::ResolveLevyReceiptsRequest& request,
                       std::vector<ReceiptRow>& rows, std::vector<ObligationRow>& assessed) const;

 private:
  using TreePtr = std::shared_ptr<const tree::OrganizationTree>;
  LevyIntake(const Levies& levies, const rpc::Call& call, TreePtr tree,
             std::vector<std::string> below)
      : levies_(levies), call_(call), tree_(std::move(tree)), below_(std::move(below)) {}
  absl::StatusOr<std::vector<ReceiptRow>> FindExceptions(
      sql::Tx& tx, const v1::ResolveLevyReceiptsRequest& request) const;
  absl::StatusOr<ObligationRow> AssessBy(sql::Tx& tx, const ReceiptRow& row,
                                         const v1::LevyPayer& payer) const;

  const Levies& levies_;
  const rpc::Call& call_;
  TreePtr tree_;
  std::vector<std::string> below_;
};

// ALREADY_EXISTS: the serial number is there with other content.
absl::Status SerialTaken(const v1::LevyReceipt& receipt);

}  // namespace gonghui::funds
