// Whether one book is as it was posted and signed.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/sql/sql.h"
#include "gonghui/funds/v1/proof.pb.h"
#include "services/funds/anchors.h"
#include "services/funds/canonical.h"

namespace gonghui::funds {

// What an anchor says of one book.
struct AnchoredBook {
  std::map<int64_t, std::string> chain_hashes;  // Where the chain stood, by place.
  int64_t last_index = 0;                       // Of the last sound head.
  std::string last_digest;
  bool edited = false;       // A head is not signed by us, or does not follow the one before it.
  int64_t edited_after = 0;  // Place of the last sound head before.
};

// By tenant and book.
struct AnchoredHeads {
  std::map<std::pair<std::string, std::string>, AnchoredBook> books;
  int64_t heads = 0;
  int64_t unreadable = 0;  // Lines that are no head of any book.
};
absl::StatusOr<AnchoredHeads> ReadAnchor(Anchor& anchor, std::string_view public_key);

// Checks a book piece by piece; what is found first counts.
class LedgerCheck {
 public:
  // `anchored` may be nullptr: the anchor knows nothing of the book. `must_be_anchored` is the
  // place up to which it was anchored when the anchor was read.
  LedgerCheck(std::string tenant, std::string book, std::string public_key,
              const AnchoredBook* anchored, int64_t must_be_anchored)
      : tenant_(std::move(tenant)),
        book_(std::move(book)),
        public_key_(std::move(public_key)),
        anchored_(anchored),
        must_be_anchored_(must_be_anchored) {}

  // Reads the signed heads in the database. First.
  absl::Status ReadHeads(sql::Tx& tx);
  // Reads the next vouchers. False when there are no more or a fault is found.
  absl::StatusOr<bool> ReadMore(sql::Tx& tx);
  // After the last voucher: the book's end, stray rows, sums, anchors.
  absl::Status Finish(sql::Tx& tx);

  const v1::BookFault& fault() const { return fault_; }
  bool found() const { return fault_.fault() != v1::LEDGER_FAULT_UNSPECIFIED; }
  int64_t vouchers() const { return vouchers_; }
  int64_t entries() const { return entries_; }
  int64_t heads() const { return static_cast<int64_t>(heads_.size()); }

 private:
  // A voucher as its rows are, and what was sealed.
  struct Stored {
    SealedVoucher row;
    std::string canonical;
    std::string hash;
    bool other_date = false;  // An entry's date is not the voucher's.
  };

  absl::StatusOr<std::vector<Stored>> Load(sql::Tx& tx, int64_t from, int64_t to) const;
  absl::Status Check(sql::Tx& tx, const Stored& stored);
  absl::Status Missing(sql::Tx& tx, int64_t sequence);
  // The rows are not what the bytes say.
  absl::Status Compare(sql::Tx& tx, const Stored& stored, const SealedVoucher& sealed);
  absl::Status Broken(sql::Tx& tx, const Stored& stored, const SealedVoucher& sealed);
  void CompareEntries(const Stored& stored, const SealedVoucher& sealed);
  // Where the voucher sealed for that place stands now; 0: nowhere.
  absl::StatusOr<int64_t> PlaceOf(sql::Tx& tx, int64_t sealed_sequence) const;
  void CheckHead(const Stored& stored);
  absl::Status CheckTail(sql::Tx& tx);
  absl::Status CheckStrays(sql::Tx& tx);
  absl::Status CheckSums(sql::Tx& tx);
  void Found(v1::LedgerFault fault, int64_t sequence, const SealedVoucher* voucher,
             std::string detail, std::string detail_zh);

  const std::string tenant_;
  const std::string book_;
  const std::string public_key_;
  const AnchoredBook* const anchored_;
  const int64_t must_be_anchored_;
  int64_t last_ = 0;                      // Place of the last voucher that is right.
  std::string hash_;                      // Of the chain up to it.
  int64_t last_head_ = 0;                 // Place of the last head that the chain leads to.
  std::map<int64_t, std::string> heads_;  // Signed heads in the database: place -> chain hash.
  bool forged_head_ = false;              // A head in the database is not signed by us.
  int64_t vouchers_ = 0;
  int64_t entries_ = 0;
  v1::BookFault fault_;
};

}  // namespace gonghui::funds
