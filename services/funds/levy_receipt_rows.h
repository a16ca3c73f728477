// Receipts and their batches as they lie in the database.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/sql/sql.h"
#include "gonghui/funds/v1/levy.pb.h"

namespace gonghui::funds {

struct ReceiptRow {
  std::string id;
  v1::LevyReceipt view;  // Without name; batch is an id.
  std::string owner;     // Organisation of the batch.
  std::string digest;    // Of the row as it came.
  std::string period;
  std::string settled_on;
};

#define RECEIPT_COLUMNS                                                                   \
  "receipt_id, batch_id, owner, channel, serial_no, digest, unit, first_day, last_day, "     \
  "period, payroll_fen, rate, due_fen, relief_fen, paid_fen, received_on, ticket, item, " \
  "state, exception, organization, collector, rule, voucher, settled_on"
ReceiptRow ToReceipt(const sql::Rows::Row& row);
v1::LevyReceipt ReceiptView(std::string_view tenant, const ReceiptRow& row);

// The same channel and serial number give the same id.
std::string ReceiptId(std::string_view channel, std::string_view serial);
// Of what the caller gave.
std::string DigestOf(const v1::LevyReceipt& receipt);
std::string ReceiptName(std::string_view tenant, std::string_view id);
std::string BatchName(std::string_view tenant, std::string_view id);

absl::Status NoSuchReceipt(std::string_view id, std::string_view field);

absl::Status InsertReceipts(sql::Tx& tx, const std::string& tenant,
                            const std::vector<ReceiptRow>& rows);
// Writes what matching, confirming and settling change.
absl::Status UpdateReceipts(sql::Tx& tx, const std::string& tenant,
                            const std::vector<ReceiptRow>& rows);
absl::StatusOr<std::optional<ReceiptRow>> FindReceipt(sql::Tx& tx, const std::string& tenant,
                                                      const std::string& id);
absl::StatusOr<std::vector<ReceiptRow>> FindReceipts(sql::Tx& tx, const std::string& tenant,
                                                     const std::vector<std::string>& ids);

// A batch with its counts. NOT_FOUND at `field`.
absl::StatusOr<v1::LevyBatch> FindBatch(sql::Tx& tx, const std::string& tenant,
                                        const std::string& id, std::string_view field);
absl::Status InsertBatch(sql::Tx& tx, const std::string& tenant, const std::string& id,
                         const v1::LevyBatch& batch);

}  // namespace gonghui::funds
