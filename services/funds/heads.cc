#include "services/funds/heads.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "common/base/log.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/crypto/personal.h"
#include "common/rpc/idempotency.h"
#include "common/rpc/page.h"
#include "services/funds/byte_fields.h"
#include "services/funds/canonical.h"
#include "services/funds/merkle.h"
#include "services/funds/voucher_rows.h"

namespace gonghui::funds {
namespace {

constexpr std::string_view kBookName = "federations/{federation}/books/{book}";
constexpr std::string_view kVoucherName =
    "federations/{federation}/books/{book}/vouchers/{voucher}";
constexpr std::string_view kHeadMagic = "gonghui ledger head 1";
constexpr std::string_view kReceiptMagic = "gonghui receipt 1";
constexpr int kMostUnderHead = 4096;
constexpr int kBooksAtOnce = 500;
constexpr int kAnchoredAtOnce = 500;

constexpr sql::Query kLastHead{
    "funds.last_head",
    "SELECT head, content FROM ledger_heads WHERE tenant = $1 AND book_id = $2 "
    "ORDER BY head DESC LIMIT 1"};
constexpr sql::Query kHeadOf{
    "funds.head_of_voucher",
    "SELECT content, signature FROM ledger_heads WHERE tenant = $1 AND book_id = $2 "
    "AND first_sequence <= $3 AND last_sequence >= $3 ORDER BY last_sequence LIMIT 1"};
constexpr sql::Query kListHeads{
    "funds.list_heads",
    "SELECT content, signature FROM ledger_heads WHERE tenant = $1 AND book_id = $2 AND head > $3 "
    "ORDER BY head LIMIT $4"};
constexpr sql::Query kInsertHead{
    "funds.insert_head",
    "INSERT INTO ledger_heads (tenant, book_id, head, first_sequence, last_sequence, content, "
    "signature, anchored) VALUES ($1, $2, $3, $4, $5, $6, $7, FALSE)"};
constexpr sql::Query kChain{
    "funds.read_chain",
    "SELECT sequence, canonical, hash FROM vouchers WHERE tenant = $1 AND book_id = $2 "
    "AND sequence >= $3 AND sequence <= $4 AND sequence > 0 ORDER BY sequence"};
// Over all federations: the service itself seals.
constexpr sql::Query kUnsealed{
    "funds.unsealed_books",
    "SELECT s.tenant, s.book_id FROM book_states s WHERE s.sequence > COALESCE("
    "(SELECT h.last_sequence FROM ledger_heads h WHERE h.tenant = s.tenant "
    "AND h.book_id = s.book_id ORDER BY h.head DESC LIMIT 1), 0) "
    "AND (s.tenant, s.book_id) > ($1, $2) ORDER BY s.tenant, s.book_id LIMIT $3"};
constexpr sql::Query kUnanchored{
    "funds.unanchored_heads",
    "SELECT tenant, book_id, head, content, signature FROM ledger_heads WHERE anchored = FALSE "
    "ORDER BY tenant, book_id, head LIMIT $1"};
constexpr sql::Query kSetAnchored{
    "funds.set_anchored",
    "UPDATE ledger_heads SET anchored = TRUE WHERE tenant = $1 AND book_id = $2 AND head = $3"};

// Vouchers of the book as they were chained; INTERNAL where they do not lead from one to the next.
struct Chained {
  std::vector<std::string> hashes;  // Raw.
  std::vector<std::string> canonical;
};
absl::StatusOr<Chained> ReadChain(sql::Tx& tx, const std::string& tenant, const std::string& book,
                                  int64_t first, int64_t last, std::string before) {
  Chained chained;
  int64_t expected = first;
  RETURN_IF_ERROR(tx.Stream(
      kChain, {tenant, book, first, last}, [&](const sql::Rows::Row& row) -> absl::Status {
        std::string canonical = row.Get<sql::Bytes>(1).data;
        before = ChainHash(before, canonical);
        if (row.Get<int64_t>(0) != expected++ || row.Get<std::string_view>(2) != before) {
          return Internal(StrCat("the chain of book ", tenant, "/", book, " is broken at ",
                                 expected - 1, "; run VerifyLedger"));
        }
        chained.hashes.push_back(absl::HexStringToBytes(before));
        chained.canonical.push_back(std::move(canonical));
        return absl::OkStatus();
      }));
  return chained;
}

std::string ReceiptBytes(const Chained& chained, size_t index, std::string_view before_first,
                         std::string_view head, std::string_view signature) {
  const std::string before = index > 0              ? chained.hashes[index - 1]
                             : before_first.empty() ? std::string(32, '\0')
                                                    : absl::HexStringToBytes(ToAbsl(before_first));
  const std::vector<std::string> path = MerklePath(chained.hashes, index);
  ByteWriter writer;
  writer << kReceiptMagic << chained.canonical[index];
  writer.Raw(before).Number(path.size(), 4);
  for (const std::string& node : path) writer.Raw(node);
  writer << head;
  return writer.Raw(signature).Take();
}

absl::StatusOr<auth::SigningKey> LoadKey(const std::string& path) {
  namespace fs = std::filesystem;
  if (fs::exists(path)) return auth::SigningKey::FromPemFile(path, "ledger");
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  ASSIGN_OR_RETURN(auth::SigningKey key, auth::SigningKey::Generate("ledger"));
  RETURN_IF_ERROR(key.WritePemFile(path));
  return key;
}

}  // namespace

std::string HeadBytes(const HeadContent& head) {
  ByteWriter writer;
  writer << kHeadMagic << head.tenant << head.book << head.index << head.first_sequence
         << head.last_sequence << head.root << head.chain_hash << head.previous
         << head.sign_time_us;
  return writer.Take();
}

HeadContent ParseHead(std::string_view bytes) {
  ByteReader reader(bytes);
  HeadContent head;
  std::string magic;
  reader >> magic >> head.tenant >> head.book >> head.index >> head.first_sequence >>
      head.last_sequence >> head.root >> head.chain_hash >> head.previous >> head.sign_time_us;
  return magic == kHeadMagic && reader.at_end() ? head : HeadContent();
}

Heads::Heads(const Host& host, Books* books, auth::SigningKey key, std::unique_ptr<Anchor> anchor)
    : host_(host),
      books_(books),
      key_(std::move(key)),
      anchor_(std::move(anchor)),
      sealed_us_(absl::ToUnixMicros(absl::Now())),
      anchored_us_(sealed_us_.load()),
      head_age_("gonghui_ledger_head_age_seconds",
                "Since every voucher was under a signed head, or the start."),
      anchor_age_("gonghui_ledger_anchor_age_seconds",
                  "Since every signed head stood outside the database, or the start."),
      section_("ledger", [this] { return Tell(); }) {}

std::string Heads::Tell() const {
  const absl::Time now = absl::Now();
  const absl::Duration head = now - absl::FromUnixMicros(sealed_us_);
  const absl::Duration anchor = now - absl::FromUnixMicros(anchored_us_);
  head_age_.Set(absl::ToDoubleSeconds(head));
  anchor_age_.Set(absl::ToDoubleSeconds(anchor));
  return StrCat("all vouchers sealed ", absl::ToInt64Seconds(head), " s ago, all heads anchored ",
                absl::ToInt64Seconds(anchor), " s ago in ", host_.anchoring.target);
}

absl::StatusOr<std::unique_ptr<Heads>> Heads::Open(const Host& host, Books* books) {
  ASSIGN_OR_RETURN(auth::SigningKey key, LoadKey(host.anchoring.key_file));
  ASSIGN_OR_RETURN(std::unique_ptr<Anchor> anchor, OpenAnchor(host.anchoring.target));
  return std::unique_ptr<Heads>(new Heads(host, books, std::move(key), std::move(anchor)));
}

v1::Head Heads::Describe(const HeadContent& content, std::string bytes,
                         std::string signature) const {
  v1::Head head;
  head.set_book(StrCat("federations/", content.tenant, "/books/", content.book));
  head.set_index(content.index);
  head.set_first_sequence(content.first_sequence);
  head.set_last_sequence(content.last_sequence);
  head.set_root(content.root);
  head.set_chain_hash(content.chain_hash);
  head.set_previous(content.previous);
  head.set_sign_time_us(content.sign_time_us);
  head.set_content(std::move(bytes));
  head.set_signature(std::move(signature));
  head.set_key_id(crypto::Sm3Hex(key_.raw_public_key()).substr(0, 16));
  return head;
}

absl::Status Heads::SealBook(sql::Tx& tx, const std::string& tenant, const std::string& book) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kLastHead, {tenant, book}));
  HeadContent last;
  if (!rows.empty()) {
    const std::string bytes = rows[0].Get<sql::Bytes>(1).data;
    last = ParseHead(bytes);
    if (last.tenant.empty()) return Internal("a stored head is unreadable");
    last.previous = crypto::Sm3Hex(bytes);
  }
  while (true) {
    const int64_t first = last.last_sequence + 1;
    ASSIGN_OR_RETURN(const Chained chained, ReadChain(tx, tenant, book, first,
                                                      first + kMostUnderHead - 1, last.chain_hash));
    if (chained.hashes.empty()) return absl::OkStatus();
    HeadContent head{.tenant = tenant,
                     .book = book,
                     .index = last.index + 1,
                     .first_sequence = first,
                     .last_sequence = first + static_cast<int64_t>(chained.hashes.size()) - 1,
                     .root = absl::BytesToHexString(MerkleRoot(chained.hashes)),
                     .chain_hash = absl::BytesToHexString(chained.hashes.back()),
                     .previous = last.previous,
                     .sign_time_us = host_.clock->NowMicros()};
    std::string bytes = HeadBytes(head);
    ASSIGN_OR_RETURN(std::string signature, key_.SignBytes(bytes));
    RETURN_IF_ERROR(
        tx.Run(kInsertHead, {tenant, book, head.index, head.first_sequence, head.last_sequence,
                             sql::Bytes{bytes}, sql::Bytes{std::move(signature)}})
            .status());
    last = std::move(head);
    last.previous = crypto::Sm3Hex(bytes);
  }
}

absl::StatusOr<v1::Head> Heads::Seal(rpc::Call& call, const v1::SealBookRequest& request) {
  ASSIGN_OR_RETURN(const auto name, ParseName(kBookName, request.name()));
  ASSIGN_OR_RETURN(const BookPtr book, books_->FindForCaller(call, name.at("book")));
  std::optional<v1::Head> head;
  const auto seal = [&](sql::Tx& tx) -> absl::Status {
    head.reset();
    RETURN_IF_ERROR(SealBook(tx, call.federation, book->id));
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kLastHead, {call.federation, book->id}));
    if (rows.empty()) return absl::OkStatus();
    const std::string bytes = rows[0].Get<sql::Bytes>(1).data;
    const HeadContent content = ParseHead(bytes);
    ASSIGN_OR_RETURN(const sql::Rows found,
                     tx.Run(kHeadOf, {call.federation, book->id, content.last_sequence}));
    head = Describe(content, bytes, found[0].Get<sql::Bytes>(1).data);
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(host_.db->ReadWrite(call.deadline, seal));
  if (!head.has_value()) {
    return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                              StrCat("Nothing is posted in book '", book->id, "' yet."),
                              StrCat("账套“", book->id, "”尚无凭证。"));
  }
  RETURN_IF_ERROR(AnchorAll(call.deadline));
  return *std::move(head);
}

absl::StatusOr<v1::ListHeadsResponse> Heads::List(rpc::Call& call,
                                                  const v1::ListHeadsRequest& request) {
  ASSIGN_OR_RETURN(const auto name, ParseName(kBookName, request.parent()));
  ASSIGN_OR_RETURN(const BookPtr book, books_->FindForCaller(call, name.at("book")));
  ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const auto last, rpc::ReadPageToken(request, request.page_token(), 1));
  int64_t after = 0;
  if (!last.empty() && !ParseInteger(last[0], &after)) return Internal("page token without number");
  v1::ListHeadsResponse response;
  response.set_public_key(key_.raw_public_key());
  RETURN_IF_ERROR(host_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    response.clear_heads();
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kListHeads, {call.federation, book->id, after,
                                                               int64_t{page_size} + 1}));
    const size_t count = std::min(rows.size(), static_cast<size_t>(page_size));
    for (size_t i = 0; i < count; ++i) {
      std::string bytes = rows[i].Get<sql::Bytes>(0).data;
      const HeadContent content = ParseHead(bytes);
      *response.add_heads() = Describe(content, std::move(bytes), rows[i].Get<sql::Bytes>(1).data);
    }
    if (rows.size() > count) {
      const int64_t end = response.heads(response.heads_size() - 1).index();
      response.set_next_page_token(rpc::MakePageToken(request, {StrCat(end)}));
    }
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<v1::ReceiptProof> Heads::Prove(rpc::Call& call,
                                              const v1::GetReceiptProofRequest& request) {
  ASSIGN_OR_RETURN(const auto name, ParseName(kVoucherName, request.name()));
  ASSIGN_OR_RETURN(const BookPtr book, books_->FindForCaller(call, name.at("book")));
  ASSIGN_OR_RETURN(const VoucherKey key, VoucherKey::FromId(name.at("voucher")));
  v1::ReceiptProof proof;
  RETURN_IF_ERROR(host_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
    const std::string& tenant = call.federation;
    ASSIGN_OR_RETURN(*proof.mutable_voucher(), LoadVoucher(tx, tenant, book->id, key));
    const int64_t sequence = proof.voucher().sequence();
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kHeadOf, {tenant, book->id, sequence}));
    if (rows.empty()) {
      return FailedPrecondition(
          common::v1::REASON_STATE_FORBIDS,
          StrCat("No signed head covers voucher ", key.Id(), " yet; ask again in ",
                 absl::FormatDuration(host_.anchoring.every), ", or call SealBook."),
          StrCat("凭证 ", key.Id(), " 尚未封存；请稍后再试，或先调用 SealBook。"));
    }
    const std::string bytes = rows[0].Get<sql::Bytes>(0).data;
    const std::string signature = rows[0].Get<sql::Bytes>(1).data;
    const HeadContent head = ParseHead(bytes);
    std::string before;
    if (head.first_sequence > 1) {
      const int64_t at = head.first_sequence - 1;
      ASSIGN_OR_RETURN(const sql::Rows row, tx.Run(kChain, {tenant, book->id, at, at}));
      if (row.empty()) return Internal("the chain is broken; run VerifyLedger");
      before = row[0].Get<std::string>(2);
    }
    ASSIGN_OR_RETURN(const Chained chained, ReadChain(tx, tenant, book->id, head.first_sequence,
                                                      head.last_sequence, before));
    const auto index = static_cast<size_t>(sequence - head.first_sequence);
    if (absl::BytesToHexString(MerkleRoot(chained.hashes)) != head.root) {
      return Internal("the chain does not lead to its head; run VerifyLedger");
    }
    proof.set_receipt(ReceiptBytes(chained, index, before, bytes, signature));
    *proof.mutable_head() = Describe(head, bytes, signature);
    return absl::OkStatus();
  }));
  proof.set_public_key(key_.raw_public_key());
  return proof;
}

absl::Status Heads::AnchorAll(absl::Time deadline) {
  while (true) {
    std::vector<sql::Args> keys;
    std::vector<SignedHead> heads;
    RETURN_IF_ERROR(host_.db->ReadOnly(deadline, [&](sql::Tx& tx) -> absl::Status {
      keys.clear();
      heads.clear();
      ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kUnanchored, {int64_t{kAnchoredAtOnce}}));
      for (size_t i = 0; i < rows.size(); ++i) {
        keys.push_back(
            {rows[i].Get<std::string>(0), rows[i].Get<std::string>(1), rows[i].Get<int64_t>(2)});
        heads.push_back({rows[i].Get<sql::Bytes>(3).data, rows[i].Get<sql::Bytes>(4).data});
      }
      return absl::OkStatus();
    }));
    if (keys.empty()) {
      anchored_us_ = absl::ToUnixMicros(absl::Now());
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(anchor_->Write(heads));
    RETURN_IF_ERROR(host_.db->ReadWrite(
        deadline, [&](sql::Tx& tx) { return tx.RunMany(kSetAnchored, keys).status(); }));
  }
}

absl::Status Heads::SealAll(absl::Time deadline) {
  std::string after_tenant;
  std::string after_book;
  bool all = true;
  while (true) {
    std::vector<std::pair<std::string, std::string>> books;
    RETURN_IF_ERROR(host_.db->ReadOnly(deadline, [&](sql::Tx& tx) -> absl::Status {
      books.clear();
      ASSIGN_OR_RETURN(const sql::Rows rows,
                       tx.Run(kUnsealed, {after_tenant, after_book, int64_t{kBooksAtOnce}}));
      for (size_t i = 0; i < rows.size(); ++i) {
        books.emplace_back(rows[i].Get<std::string>(0), rows[i].Get<std::string>(1));
      }
      return absl::OkStatus();
    }));
    if (books.empty()) {
      if (all) sealed_us_ = absl::ToUnixMicros(absl::Now());
      return AnchorAll(deadline);
    }
    for (const auto& [tenant, book] : books) {
      const absl::Status status = host_.db->ReadWrite(
          deadline,
          [&, &tenant = tenant, &book = book](sql::Tx& tx) { return SealBook(tx, tenant, book); });
      // A broken book is told and left; the others are sealed.
      if (status.ok()) continue;
      all = false;
      log::Error("ledger_head",
                 {{"book", std::string_view(book)}, {"cause", FromAbsl(status.message())}});
    }
    std::tie(after_tenant, after_book) = books.back();
  }
}

}  // namespace gonghui::funds
