#include "services/funds/ledger_check.h"

#include <algorithm>
#include <utility>

#include "common/auth/token.h"
#include "common/base/money.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/crypto/personal.h"
#include "services/funds/heads.h"
#include "services/funds/postings.h"

namespace gonghui::funds {
namespace {

constexpr int64_t kAtOnce = 2000;  // Places read at a time.

constexpr sql::Query kReadRows{
    "funds.verify_vouchers",
    "SELECT v.sequence, v.month, v.number, v.on_date, v.memo, v.source, v.part, v.revision, "
    "v.reverses, v.restates, v.closing, v.maker, v.checker, v.poster, v.create_time_us, "
    "v.attachments, v.canonical, v.hash, e.account, e.debit_fen, e.credit_fen, e.memo, "
    "e.dimensions, e.on_date FROM vouchers v LEFT JOIN entries e ON e.tenant = v.tenant "
    "AND e.book_id = v.book_id AND e.month = v.month AND e.number = v.number "
    "WHERE v.tenant = $1 AND v.book_id = $2 AND v.sequence > $3 AND v.sequence <= $4 "
    "AND v.sequence > 0 ORDER BY v.sequence, e.line"};
constexpr sql::Query kNextSequence{
    "funds.verify_next",
    "SELECT sequence FROM vouchers WHERE tenant = $1 AND book_id = $2 AND sequence > $3 "
    "AND sequence > 0 ORDER BY sequence LIMIT 1"};
constexpr sql::Query kSealedRows{
    "funds.verify_sealed",
    "SELECT sequence, canonical FROM vouchers WHERE tenant = $1 AND book_id = $2 "
    "AND canonical IS NOT NULL ORDER BY sequence"};
constexpr sql::Query kHeadRows{
    "funds.verify_heads",
    "SELECT content, signature FROM ledger_heads WHERE tenant = $1 AND book_id = $2 "
    "ORDER BY head"};
constexpr sql::Query kBookEnd{
    "funds.verify_end",
    "SELECT sequence, hash FROM book_states WHERE tenant = $1 AND book_id = $2"};
constexpr sql::Query kNumbersMissing{
    "funds.verify_numbers",
    "SELECT n.month, n.next FROM voucher_numbers n WHERE n.tenant = $1 AND n.book_id = $2 "
    "AND n.next > 1 + COALESCE((SELECT MAX(v.number) FROM vouchers v WHERE v.tenant = n.tenant "
    "AND v.book_id = n.book_id AND v.month = n.month), 0) ORDER BY n.month LIMIT 1"};
constexpr sql::Query kStrayEntries{
    "funds.verify_stray_entries",
    "SELECT e.month, e.number FROM entries e LEFT JOIN vouchers v ON v.tenant = e.tenant "
    "AND v.book_id = e.book_id AND v.month = e.month AND v.number = e.number "
    "WHERE e.tenant = $1 AND e.book_id = $2 AND v.number IS NULL ORDER BY e.month, e.number "
    "LIMIT 1"};
constexpr sql::Query kUnchained{
    "funds.verify_unchained",
    "SELECT month, number FROM vouchers WHERE tenant = $1 AND book_id = $2 AND sequence <= 0 "
    "ORDER BY month, number LIMIT 1"};
constexpr sql::Query kWrongSums{
    "funds.verify_sums",
    "SELECT account, month, dimensions, CAST(SUM(debit_fen) AS BIGINT), "
    "CAST(SUM(credit_fen) AS BIGINT) FROM ("
    "SELECT account, month, dimensions, debit_fen, credit_fen FROM account_sums "
    "WHERE tenant = $1 AND book_id = $2 UNION ALL "
    "SELECT account, month, dimensions, -debit_fen, -credit_fen FROM entries "
    "WHERE tenant = $1 AND book_id = $2) both_sides GROUP BY account, month, dimensions "
    "HAVING SUM(debit_fen) <> 0 OR SUM(credit_fen) <> 0 ORDER BY account, month LIMIT 1"};

std::string AmountsOf(const SealedVoucher::Entry& entry) {
  return StrCat(entry.account, " Dr ", FormatYuan(entry.debit_fen), " Cr ",
                FormatYuan(entry.credit_fen), entry.dimensions.empty() ? "" : " ",
                entry.dimensions);
}

}  // namespace

absl::StatusOr<AnchoredHeads> ReadAnchor(Anchor& anchor, std::string_view public_key) {
  AnchoredHeads read;
  RETURN_IF_ERROR(anchor.Read([&](const SignedHead& line) {
    const HeadContent head = ParseHead(line.content);
    if (head.tenant.empty()) {
      ++read.unreadable;
      return;
    }
    ++read.heads;
    AnchoredBook& book = read.books[{head.tenant, head.book}];
    if (book.edited) return;
    const std::string digest = crypto::Sm3Hex(line.content);
    const auto again = book.chain_hashes.find(head.last_sequence);
    if (again != book.chain_hashes.end() && again->second == head.chain_hash &&
        auth::IsSignedWith(public_key, line.content, line.signature)) {
      return;  // Written twice.
    }
    if (!auth::IsSignedWith(public_key, line.content, line.signature) ||
        head.index != book.last_index + 1 || head.previous != book.last_digest) {
      book.edited = true;
      book.edited_after = book.chain_hashes.empty() ? 0 : book.chain_hashes.rbegin()->first;
      return;
    }
    book.last_index = head.index;
    book.last_digest = digest;
    book.chain_hashes[head.last_sequence] = head.chain_hash;
  }));
  return read;
}

void LedgerCheck::Found(v1::LedgerFault fault, int64_t sequence, const SealedVoucher* voucher,
                        std::string detail, std::string detail_zh) {
  fault_.set_book(book_);
  fault_.set_fault(fault);
  fault_.set_sequence(sequence);
  if (voucher != nullptr) {
    const VoucherKey key{voucher->month, voucher->number};
    fault_.set_voucher(VoucherName(tenant_, book_, key.Id()));
  }
  fault_.set_detail(std::move(detail));
  fault_.set_detail_zh(std::move(detail_zh));
}

absl::Status LedgerCheck::ReadHeads(sql::Tx& tx) {
  heads_.clear();
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kHeadRows, {tenant_, book_}));
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string content = rows[i].Get<sql::Bytes>(0).data;
    const HeadContent head = ParseHead(content);
    if (head.tenant != tenant_ || head.book != book_ ||
        !auth::IsSignedWith(public_key_, content, rows[i].Get<sql::Bytes>(1).data)) {
      forged_head_ = true;
      continue;
    }
    heads_[head.last_sequence] = head.chain_hash;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<LedgerCheck::Stored>> LedgerCheck::Load(sql::Tx& tx, int64_t after,
                                                                   int64_t to) const {
  std::vector<Stored> loaded;
  RETURN_IF_ERROR(tx.Stream(
      kReadRows, {tenant_, book_, after, to}, [&](const sql::Rows::Row& row) -> absl::Status {
        if (loaded.empty() || loaded.back().row.sequence != row.Get<int64_t>(0)) {
          Stored& stored = loaded.emplace_back();
          SealedVoucher& v = stored.row;
          v.tenant = tenant_;
          v.book = book_;
          v.sequence = row.Get<int64_t>(0);
          v.month = row.Get<std::string>(1);
          v.number = row.Get<int64_t>(2);
          v.on_date = row.Get<std::string>(3);
          v.memo = row.Get<std::string>(4);
          v.source = row.Get<std::string>(5);
          v.part = row.Get<int64_t>(6);
          v.revision = row.Get<int64_t>(7);
          v.reverses = row.Get<std::string>(8);
          v.restates = row.Get<std::string>(9);
          v.closing = row.Get<bool>(10);
          v.maker = row.Get<std::string>(11);
          v.checker = row.Get<std::string>(12);
          v.poster = row.Get<std::string>(13);
          v.create_time_us = row.Get<int64_t>(14);
          v.attachments = row.Get<std::string>(15);
          if (!row.IsNull(16)) stored.canonical = row.Get<sql::Bytes>(16).data;
          stored.hash = row.Get<std::string>(17);
        }
        if (row.IsNull(18)) return absl::OkStatus();
        Stored& stored = loaded.back();
        stored.row.entries.push_back({row.Get<std::string>(18), row.Get<int64_t>(19),
                                      row.Get<int64_t>(20), row.Get<std::string>(21),
                                      row.Get<std::string>(22)});
        stored.other_date |= row.Get<std::string_view>(23) != stored.row.on_date;
        return absl::OkStatus();
      }));
  return loaded;
}

absl::StatusOr<bool> LedgerCheck::ReadMore(sql::Tx& tx) {
  ASSIGN_OR_RETURN(const std::vector<Stored> loaded, Load(tx, last_, last_ + kAtOnce));
  if (loaded.empty()) {
    ASSIGN_OR_RETURN(const sql::Rows next, tx.Run(kNextSequence, {tenant_, book_, last_}));
    if (!next.empty()) RETURN_IF_ERROR(Missing(tx, last_ + 1));
    return false;
  }
  for (const Stored& stored : loaded) {
    RETURN_IF_ERROR(Check(tx, stored));
    if (found()) return false;
    last_ = stored.row.sequence;
    hash_ = stored.hash;
    ++vouchers_;
    entries_ += static_cast<int64_t>(stored.row.entries.size());
    CheckHead(stored);
    if (found()) return false;
  }
  return true;
}

absl::StatusOr<int64_t> LedgerCheck::PlaceOf(sql::Tx& tx, int64_t sealed_sequence) const {
  int64_t place = 0;
  RETURN_IF_ERROR(
      tx.Stream(kSealedRows, {tenant_, book_}, [&](const sql::Rows::Row& row) -> absl::Status {
        const auto sealed = ParseCanonical(row.Get<sql::Bytes>(1).data);
        if (sealed.ok() && sealed->sequence == sealed_sequence && place == 0) {
          place = row.Get<int64_t>(0);
        }
        return absl::OkStatus();
      }));
  return place;
}

absl::Status LedgerCheck::Missing(sql::Tx& tx, int64_t sequence) {
  ASSIGN_OR_RETURN(const int64_t place, PlaceOf(tx, sequence));
  if (place != 0) {
    Found(v1::LEDGER_FAULT_RENUMBERED, sequence, nullptr,
          StrCat("The voucher sealed as ", sequence, " stands at ", place, "."),
          StrCat("封存时序号为 ", sequence, " 的凭证现为 ", place, "。"));
  } else {
    Found(v1::LEDGER_FAULT_DELETED, sequence, nullptr,
          StrCat("There is no voucher ", sequence, ", but there are later ones."),
          StrCat("缺少第 ", sequence, " 号记录，其后仍有凭证。"));
  }
  return absl::OkStatus();
}

absl::Status LedgerCheck::Check(sql::Tx& tx, const Stored& stored) {
  const int64_t sequence = stored.row.sequence;
  if (sequence != last_ + 1) return Missing(tx, last_ + 1);
  const auto sealed = ParseCanonical(stored.canonical);
  if (!sealed.ok()) {
    Found(v1::LEDGER_FAULT_FIELD_EDITED, sequence, &stored.row,
          "Its sealed bytes are damaged or missing.", "封存内容已损坏或缺失。");
    return absl::OkStatus();
  }
  if (sealed->sequence != sequence || ChainHash(hash_, stored.canonical) != stored.hash) {
    return Broken(tx, stored, *sealed);
  }
  return Compare(tx, stored, *sealed);
}

// The chain breaks here: the voucher was moved, added, or its sealed bytes or hash were changed.
absl::Status LedgerCheck::Broken(sql::Tx& tx, const Stored& stored, const SealedVoucher& sealed) {
  const int64_t sequence = stored.row.sequence;
  if (sealed.sequence != sequence || sealed.tenant != tenant_ || sealed.book != book_) {
    ASSIGN_OR_RETURN(const int64_t place, PlaceOf(tx, sequence));
    const bool ours = sealed.tenant == tenant_ && sealed.book == book_;
    const std::string detail =
        StrCat("It was sealed as ", sealed.book, "/", sealed.sequence, "; the voucher sealed as ",
               sequence, " stands at ", place, " (0: nowhere).");
    const std::string detail_zh =
        StrCat("封存时为 ", sealed.book, "/", sealed.sequence, "；封存序号 ", sequence,
               " 的凭证现在第 ", place, " 位（0 为不存在）。");
    const v1::LedgerFault fault = place == 0                         ? v1::LEDGER_FAULT_DELETED
                                  : ours && place == sealed.sequence ? v1::LEDGER_FAULT_SWAPPED
                                  : place == sequence + 1            ? v1::LEDGER_FAULT_INSERTED
                                                                     : v1::LEDGER_FAULT_RENUMBERED;
    Found(fault, sequence, &stored.row, detail, detail_zh);
    return absl::OkStatus();
  }
  // Rows that differ from the bytes tell what was changed.
  RETURN_IF_ERROR(Compare(tx, stored, sealed));
  if (found()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<Stored> next, Load(tx, sequence, sequence + 1));
  const std::string computed = ChainHash(hash_, stored.canonical);
  const bool hash_only =
      next.empty() ? false : ChainHash(computed, next.front().canonical) == next.front().hash;
  ASSIGN_OR_RETURN(const sql::Rows end, tx.Run(kBookEnd, {tenant_, book_}));
  const bool last_hash_only =
      next.empty() && !end.empty() && end[0].Get<std::string>(1) == computed;
  if (hash_only || last_hash_only) {
    Found(v1::LEDGER_FAULT_HASH_EDITED, sequence, &stored.row, "Only its stored hash was changed.",
          "仅所存哈希值被改动。");
    return absl::OkStatus();
  }
  // Entry and bytes were changed alike. Sums that were not changed with them tell an amount.
  const bool later =
      !next.empty() && ChainHash(stored.hash, next.front().canonical) == next.front().hash;
  RETURN_IF_ERROR(CheckSums(tx));
  if (found()) {
    Found(v1::LEDGER_FAULT_AMOUNT_EDITED, sequence, &stored.row,
          StrCat("Amount and sealed bytes were changed alike. ", fault_.detail()),
          StrCat("金额与封存内容被一并改动。", fault_.detail_zh()));
  } else if (later || !end.empty()) {
    Found(v1::LEDGER_FAULT_FIELD_EDITED, sequence, &stored.row,
          "Its rows and sealed bytes were changed alike; the hash is of other bytes.",
          "凭证与封存内容被一并改动，与所存哈希不符。");
  }
  return absl::OkStatus();
}

void LedgerCheck::CompareEntries(const Stored& stored, const SealedVoucher& sealed) {
  const auto& now = stored.row.entries;
  const auto& then = sealed.entries;
  const int64_t sequence = stored.row.sequence;
  if (now.size() != then.size()) {
    const bool more = now.size() > then.size();
    Found(more ? v1::LEDGER_FAULT_INSERTED : v1::LEDGER_FAULT_DELETED, sequence, &stored.row,
          StrCat("It was sealed with ", then.size(), " entries and has ", now.size(), "."),
          StrCat("封存时有 ", then.size(), " 条分录，现有 ", now.size(), " 条。"));
    return;
  }
  for (size_t i = 0; i < now.size(); ++i) {
    if (now[i] == then[i]) continue;
    const bool memo = AmountsOf(now[i]) == AmountsOf(then[i]);
    const std::string was = memo ? then[i].memo : AmountsOf(then[i]);
    const std::string is = memo ? now[i].memo : AmountsOf(now[i]);
    Found(memo ? v1::LEDGER_FAULT_MEMO_EDITED : v1::LEDGER_FAULT_AMOUNT_EDITED, sequence,
          &stored.row, StrCat("Entry ", i + 1, " was sealed as '", was, "' and is '", is, "'."),
          StrCat("第 ", i + 1, " 条分录封存时为“", was, "”，现为“", is, "”。"));
    return;
  }
}

absl::Status LedgerCheck::Compare(sql::Tx& tx, const Stored& stored, const SealedVoucher& sealed) {
  const SealedVoucher& row = stored.row;
  const auto differs = [&](v1::LedgerFault fault, std::string_view field, std::string_view was,
                           std::string_view is) {
    if (was == is || found()) return;
    Found(fault, row.sequence, &row,
          StrCat("Its ", field, " was sealed as '", was, "' and is '", is, "'."),
          StrCat("字段 ", field, " 封存时为“", was, "”，现为“", is, "”。"));
  };
  if (row.month != sealed.month || row.number != sealed.number) {
    const VoucherKey was{sealed.month, sealed.number};
    const VoucherKey is{row.month, row.number};
    // Two that took each other's number stand in each other's place.
    bool swapped = false;
    RETURN_IF_ERROR(
        tx.Stream(kSealedRows, {tenant_, book_}, [&](const sql::Rows::Row& other) -> absl::Status {
          const auto theirs = ParseCanonical(other.Get<sql::Bytes>(1).data);
          swapped |= theirs.ok() && theirs->month == row.month && theirs->number == row.number &&
                     other.Get<int64_t>(0) != row.sequence;
          return absl::OkStatus();
        }));
    differs(swapped ? v1::LEDGER_FAULT_SWAPPED : v1::LEDGER_FAULT_RENUMBERED, "number", was.Id(),
            is.Id());
    return absl::OkStatus();
  }
  differs(v1::LEDGER_FAULT_DATE_EDITED, "date", sealed.on_date, row.on_date);
  differs(v1::LEDGER_FAULT_MEMO_EDITED, "memo", sealed.memo, row.memo);
  if (!found()) CompareEntries(stored, sealed);
  if (stored.other_date) {
    differs(v1::LEDGER_FAULT_DATE_EDITED, "entries' date", sealed.on_date, "another");
  }
  constexpr auto kOther = v1::LEDGER_FAULT_FIELD_EDITED;
  differs(kOther, "source", StrCat(sealed.source, "/", sealed.part, "/", sealed.revision),
          StrCat(row.source, "/", row.part, "/", row.revision));
  differs(kOther, "reverses", sealed.reverses, row.reverses);
  differs(kOther, "restates", sealed.restates, row.restates);
  differs(kOther, "closing", sealed.closing ? "true" : "false", row.closing ? "true" : "false");
  differs(kOther, "maker", sealed.maker, row.maker);
  differs(kOther, "checker", sealed.checker, row.checker);
  differs(kOther, "poster", sealed.poster, row.poster);
  differs(kOther, "attachments", sealed.attachments, row.attachments);
  differs(kOther, "create_time", StrCat(sealed.create_time_us), StrCat(row.create_time_us));
  return absl::OkStatus();
}

void LedgerCheck::CheckHead(const Stored& stored) {
  const int64_t sequence = stored.row.sequence;
  bool known = false;
  const std::map<int64_t, std::string> none;
  for (const auto* heads :
       {&std::as_const(heads_), anchored_ == nullptr ? &none : &anchored_->chain_hashes}) {
    const auto it = heads->find(sequence);
    if (it == heads->end()) continue;
    known = true;
    if (it->second == hash_) continue;
    Found(v1::LEDGER_FAULT_FORGED_FORWARD, last_head_ + 1, nullptr,
          StrCat("The chain is whole, but does not lead to the head signed at ", sequence,
                 "; a voucher from ", last_head_ + 1, " to ", sequence, " was changed."),
          StrCat("链条完整，但与第 ", sequence, " 位的签名不符；第 ", last_head_ + 1, " 至 ",
                 sequence, " 位中有凭证被改动。"));
    return;
  }
  if (known) last_head_ = sequence;
}

absl::Status LedgerCheck::CheckTail(sql::Tx& tx) {
  ASSIGN_OR_RETURN(const sql::Rows end, tx.Run(kBookEnd, {tenant_, book_}));
  ASSIGN_OR_RETURN(const sql::Rows numbers, tx.Run(kNumbersMissing, {tenant_, book_}));
  const int64_t counted = end.empty() ? 0 : end[0].Get<int64_t>(0);
  const int64_t signed_to = heads_.empty() ? 0 : heads_.rbegin()->first;
  const int64_t anchored_to = anchored_ == nullptr || anchored_->chain_hashes.empty()
                                  ? 0
                                  : anchored_->chain_hashes.rbegin()->first;
  if (last_ == 0 && std::max({counted, signed_to, anchored_to}) > 0) {
    Found(v1::LEDGER_FAULT_BOOK_DELETED, 1, nullptr, "All of its vouchers are gone.",
          "账套凭证已全部被删除。");
  } else if (counted > last_ || signed_to > last_ || !numbers.empty()) {
    Found(v1::LEDGER_FAULT_TAIL_DELETED, last_ + 1, nullptr,
          StrCat("It ends at ", last_, "; the database counts ", std::max(counted, signed_to),
                 numbers.empty() ? "." : " and numbers beyond its last voucher."),
          StrCat("凭证止于第 ", last_, " 位，而数据库记载至 ", std::max(counted, signed_to),
                 " 位。"));
  } else if (anchored_to > last_) {
    Found(v1::LEDGER_FAULT_ROLLED_BACK, last_ + 1, nullptr,
          StrCat("It ends at ", last_, " by every record of the database, and the anchor at ",
                 anchored_to, ": an older state was restored."),
          StrCat("数据库各处均止于第 ", last_, " 位，锚点为 ", anchored_to, " 位：恢复了旧备份。"));
  } else if (counted < last_) {
    Found(v1::LEDGER_FAULT_INSERTED, counted + 1, nullptr,
          StrCat("The book was posted to ", counted, " vouchers and holds ", last_, "."),
          StrCat("账套记账至第 ", counted, " 位，现有 ", last_, " 位。"));
  } else if (!end.empty() && end[0].Get<std::string>(1) != hash_) {
    Found(v1::LEDGER_FAULT_HASH_EDITED, last_, nullptr,
          "The book's stored hash is not that of its last voucher.",
          "账套所存哈希与末张凭证不符。");
  }
  return absl::OkStatus();
}

absl::Status LedgerCheck::CheckStrays(sql::Tx& tx) {
  for (const sql::Query* query : {&kUnchained, &kStrayEntries}) {
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(*query, {tenant_, book_}));
    if (rows.empty() || found()) continue;
    SealedVoucher at;
    at.month = rows[0].Get<std::string>(0);
    at.number = rows[0].Get<int64_t>(1);
    Found(v1::LEDGER_FAULT_INSERTED, 0, &at, "It has rows that are in no chain.",
          "存在不在链条中的记录。");
  }
  return absl::OkStatus();
}

absl::Status LedgerCheck::CheckSums(sql::Tx& tx) {
  ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kWrongSums, {tenant_, book_}));
  if (rows.empty()) return absl::OkStatus();
  const std::string where = StrCat(rows[0].Get<std::string>(0), " ", rows[0].Get<std::string>(1),
                                   " ", rows[0].Get<std::string>(2));
  const std::string debit = FormatYuan(rows[0].Get<int64_t>(3));
  const std::string credit = FormatYuan(rows[0].Get<int64_t>(4));
  Found(v1::LEDGER_FAULT_SUMS_EDITED, 0, nullptr,
        StrCat("Sums of account ", where, " exceed the entries by ", debit, " and ", credit, "."),
        StrCat("科目汇总 ", where, " 与分录相差 ", debit, "、", credit, "。"));
  return absl::OkStatus();
}

absl::Status LedgerCheck::Finish(sql::Tx& tx) {
  if (!found()) RETURN_IF_ERROR(CheckTail(tx));
  if (!found()) RETURN_IF_ERROR(CheckStrays(tx));
  if (!found()) RETURN_IF_ERROR(CheckSums(tx));
  if (found()) return absl::OkStatus();
  const int64_t anchored_to = anchored_ == nullptr || anchored_->chain_hashes.empty()
                                  ? 0
                                  : anchored_->chain_hashes.rbegin()->first;
  if ((anchored_ != nullptr && anchored_->edited) || anchored_to < must_be_anchored_) {
    const int64_t after =
        anchored_ != nullptr && anchored_->edited ? anchored_->edited_after : anchored_to;
    Found(v1::LEDGER_FAULT_ANCHOR_EDITED, after, nullptr,
          StrCat("After the head at ", after, " the anchor lacks a head, or holds one that we did ",
                 "not sign; the book itself is right."),
          StrCat("锚点在第 ", after, " 位之后缺少或含有非本系统签名的记录；账本本身无误。"));
  } else if (forged_head_) {
    Found(v1::LEDGER_FAULT_ANCHOR_EDITED, last_head_, nullptr,
          "A head in the database is not signed by us; the book itself is right.",
          "数据库中有非本系统签名的封存记录；账本本身无误。");
  }
  return absl::OkStatus();
}

}  // namespace gonghui::funds
