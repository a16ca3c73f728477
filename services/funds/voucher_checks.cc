// What may be said of a voucher by itself, without what else is posted.
#include "common/base/money.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "services/funds/postings.h"

namespace gonghui::funds {
namespace {

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

}  // namespace

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
    RETURN_IF_ERROR(book.chart->Complete(voucher.entries(i), voucher.on_date(), place).status());
  }
  return CheckBalance(voucher, at);
}

}  // namespace gonghui::funds
