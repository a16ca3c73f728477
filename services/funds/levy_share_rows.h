// Shares of receipts as they lie in the database.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/sql/sql.h"
#include "gonghui/funds/v1/levy.pb.h"
#include "services/funds/levy_sharing.h"

namespace gonghui::funds {

struct ShareRow {
  std::string receipt_id;
  int64_t position = 0;
  LevelShare share;
  std::string received_on;
  std::string holder;
};

#define SHARE_COLUMNS \
  "receipt_id, position, level, organization, share, rest, amount_fen, received_on, holder, way"
ShareRow ToShare(const sql::Rows::Row& row);
v1::LevyShare ShareView(std::string_view tenant, const ShareRow& row);

// The shares of a receipt, held where it was collected.
std::vector<ShareRow> RowsOf(const std::string& receipt_id, const std::string& received_on,
                             const Shared& shared);
absl::Status InsertShares(sql::Tx& tx, const std::string& tenant,
                          const std::vector<ShareRow>& rows);
absl::StatusOr<std::vector<ShareRow>> FindShares(sql::Tx& tx, const std::string& tenant,
                                                 const std::vector<std::string>& receipt_ids);

// Adds the amounts to the sums by level, in the order of first appearance by level.
void AddToLevels(const std::vector<LevelShare>& shares,
                 google::protobuf::RepeatedPtrField<v1::LevyShare>& levels);

}  // namespace gonghui::funds
