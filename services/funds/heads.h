// Signed heads of books: what stood in a book up to a moment, and proofs that a voucher is among
// it.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/auth/token.h"
#include "common/host/host.h"
#include "common/ops/metrics.h"
#include "common/ops/section.h"
#include "gonghui/funds/v1/proof.pb.h"
#include "services/funds/anchors.h"
#include "services/funds/books.h"

namespace gonghui::funds {

// What is signed. As bytes: "gonghui ledger head 1", then the fields in this order (byte_fields.h).
struct HeadContent {
  std::string tenant;
  std::string book;
  int64_t index = 0;           // From 1.
  int64_t first_sequence = 0;  // Vouchers under the root: [first_sequence, last_sequence].
  int64_t last_sequence = 0;
  std::string root;        // Merkle root of their chain hashes; SM3 in hex, as all hashes here.
  std::string chain_hash;  // Of the last voucher.
  std::string previous;    // SM3 of the content of the head before; empty for the first.
  int64_t sign_time_us = 0;
};
std::string HeadBytes(const HeadContent& head);
// An empty tenant where the bytes are no head.
HeadContent ParseHead(std::string_view bytes);

// Thread-safe.
class Heads {
 public:
  // Reads the key, or makes one where the file is missing.
  static absl::StatusOr<std::unique_ptr<Heads>> Open(const Host& host, Books* books);

  absl::StatusOr<v1::Head> Seal(rpc::Call& call, const v1::SealBookRequest& request);
  absl::StatusOr<v1::ListHeadsResponse> List(rpc::Call& call, const v1::ListHeadsRequest& request);
  // FAILED_PRECONDITION while no head covers the voucher yet.
  absl::StatusOr<v1::ReceiptProof> Prove(rpc::Call& call,
                                         const v1::GetReceiptProofRequest& request);

  // Signs what was posted in any book since its last head, and anchors what is not anchored yet.
  absl::Status SealAll(absl::Time deadline);

  Anchor& anchor() { return *anchor_; }
  const std::string& public_key() const { return key_.raw_public_key(); }

 private:
  Heads(const Host& host, Books* books, auth::SigningKey key, std::unique_ptr<Anchor> anchor);
  // Adds heads up to the book's end. Some thousand vouchers a head.
  absl::Status SealBook(sql::Tx& tx, const std::string& tenant, const std::string& book);
  absl::Status AnchorAll(absl::Time deadline);
  std::string Tell() const;
  v1::Head Describe(const HeadContent& head, std::string content, std::string signature) const;

  const Host host_;
  Books* const books_;
  const auth::SigningKey key_;
  const std::unique_ptr<Anchor> anchor_;
  // When all books were last sealed, and all heads anchored; the start of the process before.
  std::atomic<int64_t> sealed_us_;
  std::atomic<int64_t> anchored_us_;
  const ops::Gauge head_age_;
  const ops::Gauge anchor_age_;
  const ops::Section section_;
};

}  // namespace gonghui::funds
