#include "services/funds/postings.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "absl/strings/str_format.h"
#include "common/base/date.h"
#include "common/base/id.h"
#include "common/base/money.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/sql/insert.h"

namespace gonghui::funds {
namespace {

constexpr sql::Query kLinkReversal{
    "funds.link_reversal",
    "UPDATE vouchers SET reversed_by = $5 WHERE tenant = $1 AND book_id = $2 AND month = $3 "
    "AND number = $4 AND reversed_by = ''"};

const sql::Insert& InsertVoucherRows() {
  static const auto& insert =
      *new sql::Insert("funds.insert_vouchers", "vouchers",
                       {"tenant", "book_id", "month", "number", "on_date", "memo", "source", "part",
                        "revision", "digest", "reverses", "reversed_by", "create_time_us"});
  return insert;
}

const sql::Insert& InsertEntryRows() {
  static const auto& insert =
      *new sql::Insert("funds.insert_entries", "entries",
                       {"tenant", "book_id", "month", "number", "line", "account", "debit_fen",
                        "credit_fen", "on_date", "memo"});
  return insert;
}

// The row's `next` is the count of numbers to take, and one.
const sql::Insert& TakeNumbers() {
  static const auto& insert = *new sql::Insert("funds.take_numbers", "voucher_numbers",
                                               {"tenant", "book_id", "month", "next"},
                                               "ON CONFLICT (tenant, book_id, month) DO UPDATE SET "
                                               "next = voucher_numbers.next + excluded.next - 1 "
                                               "RETURNING book_id, month, next");
  return insert;
}

const sql::Insert& AddToMonthRows() {
  static const auto& insert =
      *new sql::Insert("funds.add_to_months", "account_months",
                       {"tenant", "book_id", "account", "month", "debit_fen", "credit_fen"},
                       "ON CONFLICT (tenant, book_id, account, month) DO UPDATE SET "
                       "debit_fen = account_months.debit_fen + excluded.debit_fen, "
                       "credit_fen = account_months.credit_fen + excluded.credit_fen");
  return insert;
}

constexpr sql::Query kFindSource{
    "funds.find_source",
    "SELECT book_id, source, month, number, digest, reversed_by, create_time_us FROM vouchers "
    "WHERE tenant = $1 AND book_id = $2 AND source = $3 AND source <> '' AND part = 0 "
    "AND revision = 0"};

std::string_view MonthOf(const v1::Voucher& voucher) {
  return std::string_view(voucher.on_date()).substr(0, 7);
}

std::string DigestOf(const v1::Voucher& voucher) {
  std::string content = StrCat(voucher.on_date(), "\x1f", voucher.memo());
  for (const v1::Entry& entry : voucher.entries()) {
    StrAppend(&content, "\x1e", entry.account(), "\x1f", entry.debit_fen(), "\x1f",
              entry.credit_fen(), "\x1f", entry.memo());
  }
  return ContentId(content);
}

bool IsAmount(int64_t fen) { return fen > 0 && fen <= kLargestAmount; }

absl::Status CheckAmounts(const v1::Entry& entry, const std::string& at) {
  const bool debit = entry.debit_fen() != 0;
  if (debit != (entry.credit_fen() != 0) &&
      IsAmount(debit ? entry.debit_fen() : entry.credit_fen())) {
    return absl::OkStatus();
  }
  return InvalidArgument(
             common::v1::REASON_AMOUNT_INVALID,
             StrCat(
                 "An entry has either a debit or a credit, a positive whole number of fen up to ",
                 kLargestAmount, "; this one has debit ", entry.debit_fen(), " and credit ",
                 entry.credit_fen(), ". A mistake is undone with ReverseVoucher."),
             StrCat("每条分录只填借方或贷方，金额为不超过 ", kLargestAmount,
                    " 的正整数（分）；此条借方 ", entry.debit_fen(), "、贷方 ", entry.credit_fen(),
                    "。更正错误请冲销凭证。"))
      .With("debit_fen", StrCat(entry.debit_fen()))
      .With("credit_fen", StrCat(entry.credit_fen()))
      .At(StrCat(at, debit ? ".debit_fen" : ".credit_fen"));
}

absl::Status CheckBalance(const v1::Voucher& voucher, std::string_view at) {
  int64_t debit = 0;
  int64_t credit = 0;
  for (const v1::Entry& entry : voucher.entries()) {
    ASSIGN_OR_RETURN(debit, AddChecked(debit, entry.debit_fen()));
    ASSIGN_OR_RETURN(credit, AddChecked(credit, entry.credit_fen()));
  }
  if (debit == credit) return absl::OkStatus();
  return InvalidArgument(common::v1::REASON_VOUCHER_UNBALANCED,
                         StrCat("Debits of ", FormatYuan(debit), " and credits of ",
                                FormatYuan(credit), " yuan differ; make them equal."),
                         StrCat("借方合计 ", FormatYuan(debit), " 元与贷方合计 ",
                                FormatYuan(credit), " 元不相等，请核对。"))
      .With("debit_fen", StrCat(debit))
      .With("credit_fen", StrCat(credit))
      .At(StrCat(at, "entries"));
}

absl::Status AlreadyPosted(const Draft& draft, std::string_view at) {
  return AlreadyExists(common::v1::REASON_ALREADY_EXISTS,
                       StrCat("Voucher ", draft.key.Id(), " of book '", draft.book->id,
                              "' has the same source with other content; reverse it, or give this ",
                              "voucher another source."),
                       StrCat("账套“", draft.book->id, "”的凭证 ", draft.key.Id(),
                              " 来源相同而内容不同；请冲销该凭证，或换用其他来源编号。"))
      .With("voucher", draft.key.Id())
      .At(StrCat(at, "source"));
}

absl::Status AlreadyReversed(std::string_view id) {
  return FailedPrecondition(
             common::v1::REASON_STATE_FORBIDS,
             StrCat("Voucher ", id, " is reversed already; post a new voucher instead."),
             StrCat("凭证 ", id, " 已冲销；请另行填制凭证。"))
      .With("voucher", std::string(id));
}

bool IsToPost(const Draft& draft) { return draft.status.ok() && !draft.existing; }

// Sets key and create time of the drafts to post.
absl::Status Number(sql::Tx& tx, const std::string& tenant, int64_t now_us,
                    absl::Span<Draft* const> drafts) {
  struct Numbers {
    int64_t count = 0;
    int64_t next = 0;
  };
  std::map<std::pair<std::string_view, std::string_view>, Numbers> months;
  for (const Draft* draft : drafts) {
    if (IsToPost(*draft)) ++months[{draft->book->id, MonthOf(*draft->voucher)}].count;
  }
  std::vector<sql::Args> rows;
  rows.reserve(months.size());
  for (const auto& [key, numbers] : months) {
    rows.push_back({tenant, std::string(key.first), std::string(key.second), numbers.count + 1});
  }
  RETURN_IF_ERROR(TakeNumbers().Read(tx, std::move(rows), [&](const sql::Rows::Row& row) {
    Numbers& numbers = months.at({row.Get<std::string_view>(0), row.Get<std::string_view>(1)});
    numbers.next = row.Get<int64_t>(2) - numbers.count;
  }));
  for (Draft* draft : drafts) {
    if (!IsToPost(*draft)) continue;
    const std::string_view month = MonthOf(*draft->voucher);
    draft->key = {std::string(month), months.at({draft->book->id, month}).next++};
    draft->create_time_us = now_us;
  }
  return absl::OkStatus();
}

absl::Status InsertVouchers(sql::Tx& tx, const std::string& tenant,
                            absl::Span<Draft* const> drafts) {
  std::vector<sql::Args> vouchers;
  std::vector<sql::Args> entries;
  vouchers.reserve(drafts.size());
  entries.reserve(2 * drafts.size());
  for (const Draft* draft : drafts) {
    if (!IsToPost(*draft)) continue;
    const v1::Voucher& v = *draft->voucher;
    vouchers.push_back({tenant, draft->book->id, draft->key.month, draft->key.number, v.on_date(),
                        v.memo(), v.source(), draft->part, draft->revision,
                        v.source().empty() ? std::string() : DigestOf(v), draft->reverses,
                        std::string(), draft->create_time_us});
    for (int line = 0; line < v.entries_size(); ++line) {
      const v1::Entry& entry = v.entries(line);
      entries.push_back({tenant, draft->book->id, draft->key.month, draft->key.number,
                         int64_t{line} + 1, entry.account(), entry.debit_fen(), entry.credit_fen(),
                         v.on_date(), entry.memo()});
    }
  }
  RETURN_IF_ERROR(InsertVoucherRows().Run(tx, std::move(vouchers)));
  return InsertEntryRows().Run(tx, std::move(entries));
}

// Adds the entries up in memory, so that each sum is written once; in order of key, so that
// transactions take the rows in the same order.
absl::Status AddToMonths(sql::Tx& tx, const std::string& tenant, absl::Span<Draft* const> drafts) {
  struct Sums {
    int64_t debit = 0;
    int64_t credit = 0;
  };
  std::map<std::tuple<std::string_view, std::string_view, std::string_view>, Sums> months;
  for (const Draft* draft : drafts) {
    if (!IsToPost(*draft)) continue;
    for (const v1::Entry& entry : draft->voucher->entries()) {
      Sums& sums = months[{draft->book->id, entry.account(), draft->key.month}];
      ASSIGN_OR_RETURN(sums.debit, AddChecked(sums.debit, entry.debit_fen()));
      ASSIGN_OR_RETURN(sums.credit, AddChecked(sums.credit, entry.credit_fen()));
    }
  }
  std::vector<sql::Args> rows;
  rows.reserve(months.size());
  for (const auto& [key, sums] : months) {
    const auto& [book, account, month] = key;
    rows.push_back({tenant, std::string(book), std::string(account), std::string(month), sums.debit,
                    sums.credit});
  }
  return AddToMonthRows().Run(tx, std::move(rows));
}

absl::Status LinkReversals(sql::Tx& tx, const std::string& tenant,
                           absl::Span<Draft* const> drafts) {
  for (const Draft* draft : drafts) {
    if (draft->reverses.empty() || !IsToPost(*draft)) continue;
    ASSIGN_OR_RETURN(const VoucherKey reversed, VoucherKey::FromId(draft->reverses));
    ASSIGN_OR_RETURN(const sql::Rows rows,
                     tx.Run(kLinkReversal, {tenant, draft->book->id, reversed.month,
                                            reversed.number, draft->key.Id()}));
    if (rows.affected() != 1) return AlreadyReversed(draft->reverses);
  }
  return absl::OkStatus();
}

}  // namespace

std::string VoucherKey::Id() const {
  return StrCat(month.substr(0, 4), month.substr(5, 2), "-", number);
}

absl::StatusOr<VoucherKey> VoucherKey::FromId(std::string_view id) {
  VoucherKey key;
  if (id.size() > 7 && id[6] == '-') {
    key.month = StrCat(id.substr(0, 4), "-", id.substr(4, 2));
    if (ParseDate(key.month + "-01").ok() && ParseInteger(id.substr(7), &key.number) &&
        key.number > 0 && key.Id() == id) {
      return key;
    }
  }
  return NoSuchVoucher(id);
}

absl::Status NoSuchVoucher(std::string_view id) {
  return NotFound(common::v1::REASON_NOT_FOUND,
                  StrCat("There is no voucher '", id, "'; ListVouchers shows the vouchers."),
                  StrCat("没有凭证“", id, "”；请用 ListVouchers 查看。"))
      .With("voucher", std::string(id));
}

absl::Status CheckVoucher(const OpenBook& book, const v1::Voucher& voucher, std::string_view at) {
  if (voucher.on_date() < book.opened_on) {
    return FailedPrecondition(
               common::v1::REASON_BOOK_MISSING,
               StrCat("Book '", book.id, "' opens on ", book.opened_on, " and takes no voucher of ",
                      voucher.on_date(), "; date it later or use another book."),
               StrCat("账套“", book.id, "”自 ", book.opened_on, " 启用，不能记 ", voucher.on_date(),
                      " 的凭证；请改日期或换账套。"))
        .With("book", book.id)
        .With("opened_on", book.opened_on)
        .At(StrCat(at, "on_date"));
  }
  if (voucher.entries_size() < 2) {
    return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                           "A voucher has at least two entries, a debit and a credit; add what is "
                           "missing.",
                           "一张凭证至少有借贷两条分录，请补全。")
        .At(StrCat(at, "entries"));
  }
  for (int i = 0; i < voucher.entries_size(); ++i) {
    const std::string place = StrCat(at, "entries[", i, "]");
    RETURN_IF_ERROR(CheckAmounts(voucher.entries(i), place));
    RETURN_IF_ERROR(
        book.chart->Resolve(voucher.entries(i).account(), StrCat(place, ".account")).status());
  }
  return CheckBalance(voucher, at);
}

absl::Status FindPosted(sql::Tx& tx, const std::string& tenant, absl::Span<Draft* const> drafts,
                        std::string_view at) {
  std::map<std::pair<std::string_view, std::string_view>, Draft*> by_source;
  std::vector<sql::Args> keys;
  for (Draft* draft : drafts) {
    const std::string& source = draft->voucher->source();
    if (source.empty() || !draft->status.ok()) continue;
    by_source[{draft->book->id, source}] = draft;
    keys.push_back({tenant, draft->book->id, source});
  }
  RETURN_IF_ERROR(tx.ReadMany(kFindSource, keys, [&](const sql::Rows::Row& row) {
    const auto it = by_source.find({row.Get<std::string_view>(0), row.Get<std::string_view>(1)});
    if (it == by_source.end()) return;
    Draft& draft = *it->second;
    draft.key = {row.Get<std::string>(2), row.Get<int64_t>(3)};
    draft.existing = row.Get<std::string>(4) == DigestOf(*draft.voucher);
    draft.reversed_by = row.Get<std::string>(5);
    draft.create_time_us = row.Get<int64_t>(6);
    if (!draft.existing) draft.status = AlreadyPosted(draft, at);
  }));
  return absl::OkStatus();
}

absl::Status Post(sql::Tx& tx, const std::string& tenant, int64_t now_us,
                  absl::Span<Draft* const> drafts) {
  if (std::none_of(drafts.begin(), drafts.end(), [](const Draft* d) { return IsToPost(*d); })) {
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(Number(tx, tenant, now_us, drafts));
  RETURN_IF_ERROR(InsertVouchers(tx, tenant, drafts));
  RETURN_IF_ERROR(AddToMonths(tx, tenant, drafts));
  return LinkReversals(tx, tenant, drafts);
}

std::string VoucherName(std::string_view tenant, std::string_view book, std::string_view id) {
  return StrCat("federations/", tenant, "/books/", book, "/vouchers/", id);
}

v1::Voucher ToVoucher(std::string_view tenant, const Draft& draft) {
  v1::Voucher voucher = *draft.voucher;
  const std::string& book = draft.book->id;
  voucher.set_name(VoucherName(tenant, book, draft.key.Id()));
  voucher.set_book(book);
  voucher.set_number(draft.key.number);
  voucher.set_create_time_us(draft.create_time_us);
  voucher.clear_reverses();
  voucher.clear_reversed_by();
  if (!draft.reverses.empty()) voucher.set_reverses(VoucherName(tenant, book, draft.reverses));
  if (!draft.reversed_by.empty()) {
    voucher.set_reversed_by(VoucherName(tenant, book, draft.reversed_by));
  }
  return voucher;
}

v1::Voucher RedLetter(const v1::Voucher& voucher, std::string_view on_date, std::string_view memo) {
  v1::Voucher red;
  red.set_on_date(std::string(on_date));
  red.set_memo(std::string(memo));
  for (const v1::Entry& entry : voucher.entries()) {
    v1::Entry& negated = *red.add_entries();
    negated = entry;
    negated.set_debit_fen(-entry.debit_fen());
    negated.set_credit_fen(-entry.credit_fen());
  }
  return red;
}

}  // namespace gonghui::funds
