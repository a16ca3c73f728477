// Restricted funds and budget lines, and how posting is held against them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/sql/sql.h"
#include "gonghui/funds/v1/control.pb.h"
#include "gonghui/funds/v1/ledger.pb.h"
#include "services/funds/books.h"
#include "services/funds/dimensions.h"

namespace gonghui::funds {

// 财会〔2021〕7号 numbers assets 1xx and income 4xx.
inline bool IsAsset(std::string_view account) { return account.starts_with('1'); }
inline bool IsIncome(std::string_view account) { return account.starts_with('4'); }

// A voucher as controls see it.
struct Spending {
  const OpenBook* book = nullptr;
  const v1::Voucher* voucher = nullptr;
  absl::Span<const DimensionMap> dimensions;  // Of its entries.
  bool controlled = false;                    // The book has budget lines.
};

// The funds and lines that the vouchers of a transaction touch. Make, Read, then Take voucher by
// voucher, then Write.
class Controls {
 public:
  // Where an amount goes: into the book, or to a hold.
  enum class As { kPosted, kHeld };

  Controls(sql::Tx& tx, std::string tenant) : tx_(tx), tenant_(std::move(tenant)) {}

  // Reads what the vouchers touch.
  absl::Status Read(absl::Span<const Spending> spendings);
  // Takes the voucher's amounts, or nothing where it is refused: FUND_RESTRICTED, BUDGET_EXCEEDED,
  // DIMENSION_INVALID; `at` ("voucher." or "") begins the field. Adds warnings.
  absl::Status Take(const Spending& spending, As as, std::string_view at,
                    std::vector<v1::PostingWarning>& warnings);
  // Gives back what a hold took.
  void GiveBack(const Spending& spending);
  // Writes what changed. Does not wait for the outcome.
  absl::Status Write();

 private:
  struct FundRow {
    v1::Fund fund;
    bool changed = false;
  };
  struct LineRow {
    v1::BudgetLine line;
    bool changed = false;
  };
  using LineMap = std::map<std::pair<std::string, int>, std::vector<LineRow>>;  // Book and year.

  absl::Status CheckFund(const Spending& spending, int entry, const v1::Fund& fund,
                         std::string_view at) const;
  // Adds the voucher's amounts, times `sign`.
  void Add(const Spending& spending, As as, int sign);
  template <typename Use>
  void ForLines(const Spending& spending, Use use);

  sql::Tx& tx_;
  const std::string tenant_;
  std::map<std::pair<std::string, std::string>, FundRow> funds_;  // Book and code.
  LineMap lines_;
};

// What the RPCs show.
absl::StatusOr<std::vector<v1::Fund>> ListFunds(sql::Tx& tx, const std::string& tenant,
                                                const std::string& book, const std::string& after,
                                                int limit);
absl::StatusOr<std::vector<v1::BudgetLine>> ListLines(sql::Tx& tx, const std::string& tenant,
                                                      const std::string& book, int year);

}  // namespace gonghui::funds
