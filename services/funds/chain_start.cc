#include "services/funds/chain_start.h"

#include <string>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/base/text.h"
#include "services/funds/book_states.h"
#include "services/funds/canonical.h"
#include "services/funds/voucher_rows.h"

namespace gonghui::funds {
namespace {

constexpr int kAtOnce = 1000;

// A book with a chain has a place in it, one with heads had a chain.
constexpr sql::Query kUnchainedBook{
    "funds.unchained_book",
    "SELECT s.tenant, s.book_id FROM book_states s WHERE s.sequence = 0 AND EXISTS (SELECT 1 FROM "
    "vouchers v WHERE v.tenant = s.tenant AND v.book_id = s.book_id) AND NOT EXISTS (SELECT 1 FROM "
    "ledger_heads h WHERE h.tenant = s.tenant AND h.book_id = s.book_id) LIMIT 1"};
constexpr sql::Query kParts{
    "funds.voucher_part",
    "SELECT part, revision FROM vouchers WHERE tenant = $1 AND book_id = $2 AND month = $3 "
    "AND number = $4"};
constexpr sql::Query kChain{
    "funds.chain_voucher",
    "UPDATE vouchers SET sequence = $5, canonical = $6, hash = $7 WHERE tenant = $1 "
    "AND book_id = $2 AND month = $3 AND number = $4"};

absl::StatusOr<SealedVoucher> SealedOf(sql::Tx& tx, const std::string& tenant,
                                       const v1::Voucher& voucher, const VoucherKey& key) {
  ASSIGN_OR_RETURN(const sql::Rows rows,
                   tx.Run(kParts, {tenant, voucher.book(), key.month, key.number}));
  SealedVoucher sealed;
  sealed.tenant = tenant;
  sealed.book = voucher.book();
  sealed.month = key.month;
  sealed.number = key.number;
  sealed.on_date = voucher.on_date();
  sealed.memo = voucher.memo();
  sealed.source = voucher.source();
  sealed.part = rows[0].Get<int64_t>(0);
  sealed.revision = rows[0].Get<int64_t>(1);
  const std::string& reverses = voucher.reverses();
  if (!reverses.empty()) sealed.reverses = reverses.substr(reverses.rfind('/') + 1);
  sealed.restates = voucher.restates();
  sealed.closing = voucher.closing();
  sealed.maker = voucher.maker();
  sealed.checker = voucher.checker();
  sealed.poster = voucher.poster();
  sealed.create_time_us = voucher.create_time_us();
  for (const v1::Attachment& attachment : voucher.attachments()) {
    StrAppend(&sealed.attachments, sealed.attachments.empty() ? "" : ",", attachment.digest());
  }
  for (const v1::Entry& entry : voucher.entries()) {
    sealed.entries.push_back({entry.account(), entry.debit_fen(), entry.credit_fen(), entry.memo(),
                              DimensionText(DimensionsOf(entry))});
  }
  return sealed;
}

absl::Status ChainBook(sql::Tx& tx, const std::string& tenant, const std::string& book) {
  const BookMonth at{book, ""};
  ASSIGN_OR_RETURN(BookStates states, ReadStates(tx, tenant, {&at, 1}));
  BookState& state = states.at(book);
  VoucherRange range;
  range.limit = kAtOnce;
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<v1::Voucher> vouchers,
                     LoadVouchers(tx, tenant, book, range));
    std::vector<sql::Args> rows;
    for (const v1::Voucher& voucher : vouchers) {
      range.after = {voucher.on_date().substr(0, 7), voucher.number()};
      ASSIGN_OR_RETURN(SealedVoucher sealed, SealedOf(tx, tenant, voucher, range.after));
      sealed.sequence = ++state.sequence;
      std::string canonical = Canonical(sealed);
      state.hash = ChainHash(state.hash, canonical);
      rows.push_back({tenant, book, range.after.month, range.after.number, sealed.sequence,
                      sql::Bytes{std::move(canonical)}, state.hash});
    }
    if (rows.empty()) return WriteStates(tx, tenant, states);
    RETURN_IF_ERROR(tx.RunMany(kChain, rows).status());
  }
}

}  // namespace

absl::Status ChainOldVouchers(sql::Database& db) {
  bool more = true;
  while (more) {
    RETURN_IF_ERROR(db.ReadWrite(absl::InfiniteFuture(), [&](sql::Tx& tx) -> absl::Status {
      ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kUnchainedBook));
      more = !rows.empty();
      if (!more) return absl::OkStatus();
      return ChainBook(tx, rows[0].Get<std::string>(0), rows[0].Get<std::string>(1));
    }));
  }
  return absl::OkStatus();
}

}  // namespace gonghui::funds
