// Charts of accounts, read from the catalogue.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "common/base/embedded.h"
#include "gonghui/funds/v1/chart.pb.h"
#include "gonghui/funds/v1/ledger.pb.h"
#include "services/funds/dimensions.h"

namespace gonghui::funds {

// One chart. Immutable.
class Chart {
 public:
  const v1::Chart& message() const { return message_; }
  const std::vector<v1::Account>& accounts() const { return accounts_; }  // Own ones, by code.

  // The account that a voucher means by the code: a listed one, or the listed one that the union's
  // own detail extends. ACCOUNT_UNKNOWN when there is none or when a prescribed detail must be
  // used; `at` is the field at fault.
  absl::StatusOr<const v1::Account*> Resolve(std::string_view code, std::string_view at = "") const;
  // The entry's dimensions, see Dimensions::Complete.
  absl::StatusOr<DimensionMap> Complete(const v1::Entry& entry, std::string_view on_date,
                                        std::string_view at) const {
    return dimensions_->Complete(message_.name(), entry, on_date, at);
  }
  // Whether the account's balance is money at hand on that day.
  bool IsCash(std::string_view account, std::string_view on_date) const;

 private:
  friend class Charts;
  absl::Status Add(const v1::ChartAccount& account, const v1::Account* parent);
  void Index();
  const v1::Account* FindListed(std::string_view code) const;  // Here, else in the borrowed chart.
  absl::Status MustUseDetail(const v1::Account& account, std::string_view code,
                             std::string_view at) const;

  v1::Chart message_;
  std::vector<v1::Account> accounts_;
  absl::flat_hash_map<std::string, const v1::Account*> by_code_;
  const Chart* borrows_ = nullptr;
  const Dimensions* dimensions_ = nullptr;
  std::vector<v1::CashAccounts> cash_;
};

// All charts of the catalogue. Immutable; thread-safe.
class Charts {
 public:
  // Checks codes, sides, names and references; the error names file and account.
  // `statements` is the file of statements and eliminations.
  static absl::StatusOr<Charts> Load(const EmbeddedFile& file, const EmbeddedFile& statements);

  const Chart* Find(std::string_view name) const;  // nullptr when unknown.
  // Chart of a book opened for an organisation of this kind.
  const Chart& DefaultFor(std::string_view organization_kind) const;
  std::string Names() const;                                    // "county-2022, grassroots-2022"
  const v1::ChartCatalog& catalog() const { return catalog_; }  // Without the charts.

 private:
  v1::ChartCatalog catalog_;
  std::unique_ptr<const Dimensions> dimensions_;      // Stays where it is: charts point to it.
  std::map<std::string, Chart, std::less<>> charts_;  // Nodes stay where they are.
  std::vector<v1::DefaultChart> defaults_;
};

}  // namespace gonghui::funds
