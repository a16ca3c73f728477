// How vouchers enter the books: checks, numbers, entries, running sums. Used by the ledger's RPCs
// and by benefit records.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "gonghui/funds/v1/ledger.pb.h"
#include "services/funds/books.h"
#include "services/funds/dimensions.h"

namespace gonghui::funds {

inline constexpr int64_t kLargestAmount = 1'000'000'000'000'000;  // Fen, in one entry.

// Place of a voucher in its book. The id is the month and the number: "202005-17".
struct VoucherKey {
  std::string month;  // "2020-05".
  int64_t number = 0;

  std::string Id() const;
  static absl::StatusOr<VoucherKey> FromId(std::string_view id);  // NOT_FOUND when it is none.
};
absl::Status NoSuchVoucher(std::string_view id);
// "2020-05" of a voucher with a date.
inline std::string_view MonthOf(const v1::Voucher& voucher) {
  return std::string_view(voucher.on_date()).substr(0, 7);
}

// A checked voucher on its way into a book.
struct Draft {
  BookPtr book;
  const v1::Voucher* voucher = nullptr;  // Date, memo, entries, source, attachments, restates.
  int64_t part = 0;                      // Of the vouchers that the source causes.
  int64_t revision = 0;                  // Of that part.
  std::string reverses;                  // Id of the voucher of this book that it reverses.
  bool closing = false;                  // Carries a period forward: no control counts it.
  bool by_person = false;           // Sent by one who posts: a book of several people refuses it.
  const rpc::Call* call = nullptr;  // Whose it is; nullptr: the call given to Post.
  std::string maker;                // Empty: the caller, as is poster.
  std::string checker;
  std::string poster;

  // Set by FindPosted and Post.
  absl::Status status;    // Not posted for this reason.
  bool existing = false;  // The same voucher was posted before; it is described below.
  VoucherKey key;
  std::string reversed_by;
  int64_t create_time_us = 0;
  int64_t sequence = 0;
  std::string hash;
  std::vector<DimensionMap> dimensions;  // Of its entries, with defaults.
  std::vector<v1::PostingWarning> warnings;
};

// Whether the voucher may be posted in the book, but for what else is posted there. The error's
// field begins with `at` ("voucher." or ""). Errors: FIELD_INVALID, AMOUNT_INVALID,
// ACCOUNT_UNKNOWN, DIMENSION_INVALID, DIMENSION_MISSING, VOUCHER_UNBALANCED, BOOK_MISSING (the book
// opens later).
absl::Status CheckVoucher(const OpenBook& book, const v1::Voucher& voucher, std::string_view at);

// Sets the draft's dimensions: its entries' with defaults; of what carries a period forward as they
// are. DIMENSION_INVALID, DIMENSION_MISSING.
absl::Status CompleteDimensions(Draft& draft, std::string_view at);

// Marks the drafts whose source is posted: existing, or ALREADY_EXISTS where the content differs.
// `at` as above.
absl::Status FindPosted(sql::Tx& tx, const std::string& tenant, absl::Span<Draft* const> drafts,
                        std::string_view at);

// Posts the drafts that are neither marked nor failed, in the order given; no two may have the same
// source, part and revision. A draft that what the book knows forbids is marked: PERIOD_CLOSED,
// DUTIES_NOT_SEPARATED, FUND_RESTRICTED, BUDGET_EXCEEDED, REFERENCE_NOT_FOUND (attachment). `at` as
// above.
absl::Status PostEach(sql::Tx& tx, const rpc::Call& call, absl::Span<Draft* const> drafts,
                      std::string_view at);
// The same, or nothing: the first fault.
absl::Status Post(sql::Tx& tx, const rpc::Call& call, absl::Span<Draft* const> drafts);

// The posted voucher as callers see it.
v1::Voucher ToVoucher(std::string_view tenant, const Draft& draft);
// Sets the dimensions of its entries, with defaults.
void ShowDimensions(const Draft& draft, v1::Voucher& voucher);
std::string VoucherName(std::string_view tenant, std::string_view book, std::string_view id);

// The voucher with all amounts negated, of another day; its number and links are not set.
v1::Voucher RedLetter(const v1::Voucher& voucher, std::string_view on_date, std::string_view memo);

}  // namespace gonghui::funds
