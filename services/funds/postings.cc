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
#include "services/funds/admission.h"
#include "services/funds/book_states.h"
#include "services/funds/canonical.h"

namespace gonghui::funds {
namespace {

constexpr sql::Query kLinkReversal{
    "funds.link_reversal",
    "UPDATE vouchers SET reversed_by = $5 WHERE tenant = $1 AND book_id = $2 AND month = $3 "
    "AND number = $4 AND reversed_by = ''"};

const sql::Insert& InsertVoucherRows() {
  static const auto& insert = *new sql::Insert(
      "funds.insert_vouchers", "vouchers",
      {"tenant",         "book_id",  "month",     "number", "on_date",     "memo",
       "source",         "part",     "revision",  "digest", "reverses",    "reversed_by",
       "create_time_us", "sequence", "canonical", "hash",   "attachments", "restates",
       "closing",        "maker",    "checker",   "poster"});
  return insert;
}

const sql::Insert& InsertEntryRows() {
  static const auto& insert =
      *new sql::Insert("funds.insert_entries", "entries",
                       {"tenant", "book_id", "month", "number", "line", "account", "debit_fen",
                        "credit_fen", "on_date", "memo", "dimensions"});
  return insert;
}

const sql::Insert& AddToSumRows() {
  static const auto& insert = *new sql::Insert(
      "funds.add_to_sums", "account_sums",
      {"tenant", "book_id", "account", "month", "dimensions", "debit_fen", "credit_fen"},
      "ON CONFLICT (tenant, book_id, account, month, dimensions) DO UPDATE SET "
      "debit_fen = account_sums.debit_fen + excluded.debit_fen, "
      "credit_fen = account_sums.credit_fen + excluded.credit_fen");
  return insert;
}

constexpr sql::Query kFindSource{
    "funds.find_source",
    "SELECT book_id, source, month, number, digest, reversed_by, create_time_us, sequence, hash, "
    "maker, checker, poster FROM vouchers "
    "WHERE tenant = $1 AND book_id = $2 AND source = $3 AND source <> '' AND part = 0 "
    "AND revision = 0"};

std::string DigestOf(const Draft& draft) {
  const v1::Voucher& voucher = *draft.voucher;
  std::string content = StrCat(voucher.on_date(), "\x1f", voucher.memo());
  for (int line = 0; line < voucher.entries_size(); ++line) {
    const v1::Entry& entry = voucher.entries(line);
    StrAppend(&content, "\x1e", entry.account(), "\x1f", entry.debit_fen(), "\x1f",
              entry.credit_fen(), "\x1f", entry.memo(), "\x1f",
              DimensionText(draft.dimensions[static_cast<size_t>(line)]));
  }
  for (const v1::Attachment& attachment : voucher.attachments()) {
    StrAppend(&content, "\x1d", attachment.digest());
  }
  if (!voucher.restates().empty()) StrAppend(&content, "\x1c", voucher.restates());
  return ContentId(content);
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

// The draft as it is stored. Its number and sequence are set.
SealedVoucher ToSealed(const std::string& tenant, const Draft& draft) {
  const v1::Voucher& v = *draft.voucher;
  SealedVoucher sealed{.tenant = tenant,
                       .book = draft.book->id,
                       .sequence = draft.sequence,
                       .month = draft.key.month,
                       .number = draft.key.number,
                       .on_date = v.on_date(),
                       .memo = v.memo(),
                       .source = v.source(),
                       .part = draft.part,
                       .revision = draft.revision,
                       .reverses = draft.reverses,
                       .restates = v.restates(),
                       .closing = draft.closing,
                       .maker = draft.maker,
                       .checker = draft.checker,
                       .poster = draft.poster,
                       .create_time_us = draft.create_time_us,
                       .attachments = {},
                       .entries = {}};
  for (const v1::Attachment& attachment : v.attachments()) {
    StrAppend(&sealed.attachments, sealed.attachments.empty() ? "" : ",", attachment.digest());
  }
  sealed.entries.reserve(static_cast<size_t>(v.entries_size()));
  for (int line = 0; line < v.entries_size(); ++line) {
    const v1::Entry& entry = v.entries(line);
    sealed.entries.push_back({entry.account(), entry.debit_fen(), entry.credit_fen(), entry.memo(),
                              DimensionText(draft.dimensions[static_cast<size_t>(line)])});
  }
  return sealed;
}

// Gives the draft its number and its place in the chain.
void Number(BookState& state, int64_t now_us, Draft& draft) {
  const std::string_view month = MonthOf(*draft.voucher);
  draft.key = {std::string(month), state.next_number.find(month)->second++};
  draft.sequence = ++state.sequence;
  draft.create_time_us = now_us;
}

// The rows of a posting round.
struct NewRows {
  std::vector<sql::Args> vouchers;
  std::vector<sql::Args> entries;
};

void AddRows(SealedVoucher sealed, Draft& draft, BookState& state, NewRows& rows) {
  std::string canonical = Canonical(sealed);
  draft.hash = state.hash = ChainHash(state.hash, canonical);
  int64_t line = 0;
  for (SealedVoucher::Entry& entry : sealed.entries) {
    rows.entries.push_back({sealed.tenant, sealed.book, sealed.month, sealed.number, ++line,
                            std::move(entry.account), entry.debit_fen, entry.credit_fen,
                            sealed.on_date, std::move(entry.memo), std::move(entry.dimensions)});
  }
  std::string digest = sealed.source.empty() ? std::string() : DigestOf(draft);
  rows.vouchers.push_back({std::move(sealed.tenant),
                           std::move(sealed.book),
                           std::move(sealed.month),
                           sealed.number,
                           std::move(sealed.on_date),
                           std::move(sealed.memo),
                           std::move(sealed.source),
                           sealed.part,
                           sealed.revision,
                           std::move(digest),
                           std::move(sealed.reverses),
                           std::string(),
                           sealed.create_time_us,
                           sealed.sequence,
                           sql::Bytes{std::move(canonical)},
                           draft.hash,
                           std::move(sealed.attachments),
                           std::move(sealed.restates),
                           sealed.closing,
                           std::move(sealed.maker),
                           std::move(sealed.checker),
                           std::move(sealed.poster)});
}

absl::Status InsertVouchers(sql::Tx& tx, const std::string& tenant, int64_t now_us,
                            BookStates& states, absl::Span<Draft* const> drafts) {
  NewRows rows;
  rows.vouchers.reserve(drafts.size());
  rows.entries.reserve(2 * drafts.size());
  for (Draft* draft : drafts) {
    if (!IsToPost(*draft)) continue;
    BookState& state = states.find(draft->book->id)->second;
    Number(state, now_us, *draft);
    AddRows(ToSealed(tenant, *draft), *draft, state, rows);
  }
  RETURN_IF_ERROR(InsertVoucherRows().Run(tx, std::move(rows.vouchers)));
  return InsertEntryRows().Run(tx, std::move(rows.entries));
}

// Adds the entries up in memory, so that each sum is written once; in order of key, so that
// transactions take the rows in the same order.
absl::Status AddToSums(sql::Tx& tx, const std::string& tenant, absl::Span<Draft* const> drafts) {
  struct Sums {
    int64_t debit = 0;
    int64_t credit = 0;
  };
  std::map<std::tuple<std::string_view, std::string_view, std::string_view, std::string>, Sums>
      months;
  for (const Draft* draft : drafts) {
    if (!IsToPost(*draft)) continue;
    for (int line = 0; line < draft->voucher->entries_size(); ++line) {
      const v1::Entry& entry = draft->voucher->entries(line);
      Sums& sums = months[{draft->book->id, entry.account(), draft->key.month,
                           DimensionText(draft->dimensions[static_cast<size_t>(line)])}];
      ASSIGN_OR_RETURN(sums.debit, AddChecked(sums.debit, entry.debit_fen()));
      ASSIGN_OR_RETURN(sums.credit, AddChecked(sums.credit, entry.credit_fen()));
    }
  }
  std::vector<sql::Args> rows;
  rows.reserve(months.size());
  for (const auto& [key, sums] : months) {
    const auto& [book, account, month, dimensions] = key;
    rows.push_back({tenant, std::string(book), std::string(account), std::string(month), dimensions,
                    sums.debit, sums.credit});
  }
  return AddToSumRows().Run(tx, std::move(rows));
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

absl::Status CompleteDimensions(Draft& draft, std::string_view at) {
  draft.dimensions.clear();
  for (int i = 0; i < draft.voucher->entries_size(); ++i) {
    const v1::Entry& entry = draft.voucher->entries(i);
    if (draft.closing) {
      draft.dimensions.push_back(DimensionsOf(entry));
      continue;
    }
    ASSIGN_OR_RETURN(DimensionMap dimensions,
                     draft.book->chart->Complete(entry, draft.voucher->on_date(),
                                                 StrCat(at, "entries[", i, "]")));
    draft.dimensions.push_back(std::move(dimensions));
  }
  return absl::OkStatus();
}

absl::Status FindPosted(sql::Tx& tx, const std::string& tenant, absl::Span<Draft* const> drafts,
                        std::string_view at) {
  std::map<std::pair<std::string_view, std::string_view>, Draft*> by_source;
  std::vector<sql::Args> keys;
  for (Draft* draft : drafts) {
    const std::string& source = draft->voucher->source();
    if (source.empty() || !draft->status.ok()) continue;
    draft->status = CompleteDimensions(*draft, at);
    if (!draft->status.ok()) continue;
    by_source[{draft->book->id, source}] = draft;
    keys.push_back({tenant, draft->book->id, source});
  }
  RETURN_IF_ERROR(tx.ReadMany(kFindSource, keys, [&](const sql::Rows::Row& row) {
    const auto it = by_source.find({row.Get<std::string_view>(0), row.Get<std::string_view>(1)});
    if (it == by_source.end()) return;
    Draft& draft = *it->second;
    draft.key = {row.Get<std::string>(2), row.Get<int64_t>(3)};
    draft.existing = row.Get<std::string>(4) == DigestOf(draft);
    draft.reversed_by = row.Get<std::string>(5);
    draft.create_time_us = row.Get<int64_t>(6);
    draft.sequence = row.Get<int64_t>(7);
    draft.hash = row.Get<std::string>(8);
    draft.maker = row.Get<std::string>(9);
    draft.checker = row.Get<std::string>(10);
    draft.poster = row.Get<std::string>(11);
    if (!draft.existing) draft.status = AlreadyPosted(draft, at);
  }));
  return absl::OkStatus();
}

absl::Status PostEach(sql::Tx& tx, const rpc::Call& call, absl::Span<Draft* const> drafts,
                      std::string_view at) {
  for (Draft* draft : drafts) {
    if (draft->call == nullptr) draft->call = &call;
    const std::string& caller = draft->call->actor.subject;
    if (draft->maker.empty()) draft->maker = caller;
    if (draft->poster.empty()) draft->poster = caller;
  }
  const std::string& tenant = call.federation;
  ASSIGN_OR_RETURN(BookStates states, Admit(tx, tenant, drafts, at));
  if (std::none_of(drafts.begin(), drafts.end(), [](const Draft* d) { return IsToPost(*d); })) {
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(InsertVouchers(tx, tenant, call.clock->NowMicros(), states, drafts));
  RETURN_IF_ERROR(AddToSums(tx, tenant, drafts));
  RETURN_IF_ERROR(WriteStates(tx, tenant, states));
  return LinkReversals(tx, tenant, drafts);
}

absl::Status Post(sql::Tx& tx, const rpc::Call& call, absl::Span<Draft* const> drafts) {
  RETURN_IF_ERROR(PostEach(tx, call, drafts, ""));
  for (const Draft* draft : drafts) RETURN_IF_ERROR(draft->status);
  return absl::OkStatus();
}

std::string VoucherName(std::string_view tenant, std::string_view book, std::string_view id) {
  return StrCat("federations/", tenant, "/books/", book, "/vouchers/", id);
}

void ShowDimensions(const Draft& draft, v1::Voucher& voucher) {
  for (size_t line = 0; line < draft.dimensions.size(); ++line) {
    auto& dimensions = *voucher.mutable_entries(static_cast<int>(line))->mutable_dimensions();
    for (const auto& [key, value] : draft.dimensions[line]) dimensions[key] = value;
  }
}

v1::Voucher ToVoucher(std::string_view tenant, const Draft& draft) {
  v1::Voucher voucher = *draft.voucher;
  const std::string& book = draft.book->id;
  voucher.set_name(VoucherName(tenant, book, draft.key.Id()));
  voucher.set_book(book);
  voucher.set_number(draft.key.number);
  voucher.set_create_time_us(draft.create_time_us);
  voucher.set_sequence(draft.sequence);
  voucher.set_hash(draft.hash);
  voucher.set_maker(draft.maker);
  voucher.set_checker(draft.checker);
  voucher.set_poster(draft.poster);
  voucher.set_closing(draft.closing);
  ShowDimensions(draft, voucher);
  voucher.mutable_warnings()->Assign(draft.warnings.begin(), draft.warnings.end());
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
