// Bank accounts as statements and reconciliations need them, from records of the kind bank_account.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/catalog/catalog.h"
#include "common/records/records.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "common/tree/tree_cache.h"
#include "gonghui/funds/v1/bank.pb.h"
#include "services/funds/charts.h"

namespace gonghui::funds {

// What the parts of banking share. Everything outlives whoever holds it.
struct Banking {
  sql::Database* db = nullptr;
  tree::TreeCache* tree = nullptr;
  const catalog::Catalog* catalog = nullptr;
  const Charts* charts = nullptr;
};

struct BankAccountRow {
  std::string id;  // Number of the record.
  std::string organization;
  std::string book;
  std::string account;  // With its details.
  std::string dimension;
  std::string dimension_value;
  std::string opened_on;
  std::string closed_on;           // Empty: open.
  std::string reconciled_through;  // Month; empty: none.

  // Entries of the account have these.
  DimensionMap dimensions() const;
  // Last day on which entries are this account's.
  std::string last_day() const;
  // True where the day lies in a reconciled month.
  bool IsReconciled(std::string_view day) const;
  // The first day that is not.
  std::string FirstOpenDay() const;
};

std::string BankAccountName(std::string_view tenant, std::string_view id);

// The account, with the right of this call's method checked at its organisation. NOT_FOUND at
// `field`.
absl::StatusOr<BankAccountRow> FindBankAccount(sql::Tx& tx, const rpc::Call& call,
                                               const std::string& id, std::string_view field);
// The same before a change: whoever changes the account at this moment is repeated.
absl::StatusOr<BankAccountRow> LockBankAccount(sql::Tx& tx, const rpc::Call& call,
                                               const std::string& id, std::string_view field);
// Sets the last confirmed month.
absl::Status SetReconciled(sql::Tx& tx, const std::string& tenant, const BankAccountRow& account);

// The limit of the catalogue that holds at the account's organisation on a day.
absl::StatusOr<int64_t> BankLimit(const Banking& banking, const rpc::Call& call,
                                  const BankAccountRow& account, std::string_view name,
                                  std::string_view on_date);

// Thread-safe.
class BankAccounts {
 public:
  explicit BankAccounts(const Banking& banking) : banking_(banking) {}

  // Inside the records' transaction. What the account is in the ledger cannot change, nor the
  // record be cancelled, once it has lines. Errors: FIELD_INVALID, REFERENCE_NOT_FOUND (book),
  // ACCOUNT_UNKNOWN, DIMENSION_INVALID, ALREADY_EXISTS (another account of the book has the same
  // entries), STATE_FORBIDS.
  absl::Status OnChange(const rpc::Call& call, sql::Tx& tx,
                        absl::Span<const records::Change> changes) const;

  absl::StatusOr<v1::ListBankAccountsResponse> List(rpc::Call& call,
                                                    const v1::ListBankAccountsRequest& request);

 private:
  absl::Status Take(const rpc::Call& call, sql::Tx& tx, const records::Change& change) const;
  absl::Status CheckLedger(const rpc::Call& call, sql::Tx& tx, const catalog::FactSource& record,
                           const BankAccountRow& account) const;

  const Banking banking_;
};

}  // namespace gonghui::funds
