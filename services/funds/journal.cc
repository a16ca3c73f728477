#include "services/funds/journal.h"

#include <algorithm>

#include "absl/strings/str_replace.h"
#include "common/base/money.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "services/funds/dimensions.h"

namespace gonghui::funds {
namespace {

constexpr size_t kLevelOne = 3;  // Digits of an account of level one.

// Comments begin with ";", descriptions end at "|": neither may come from a memo.
std::string Clean(const std::string& text) {
  std::string clean =
      absl::StrReplaceAll(text, {{";", "；"}, {"|", "｜"}, {"(", "（"}, {")", "）"}});
  std::replace_if(
      clean.begin(), clean.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return clean;
}

// "102 银行存款" or "504 维权支出:50404 困难职工帮扶". One space parts code and name: two would end
// the account.
absl::StatusOr<std::string> NameOf(const OpenBook& book, const std::string& code) {
  ASSIGN_OR_RETURN(const v1::Account* account, book.chart->Resolve(code));
  const std::string own = StrCat(code, " ", account->display_name());
  if (code.size() <= kLevelOne) return own;
  const std::string top = code.substr(0, kLevelOne);
  for (const v1::Account& listed : book.chart->accounts()) {
    if (listed.code() == top) return StrCat(top, " ", listed.display_name(), ":", own);
  }
  return StrCat(top, ":", own);
}

}  // namespace

absl::StatusOr<std::string> JournalHead(const OpenBook& book) {
  std::string head = StrCat("; book: ", book.id, "\n; organization: ", book.organization,
                            "\n; chart: ", book.chart->message().name(),
                            "\n\ncommodity 1000.00 CNY\ndecimal-mark .\n\n");
  for (const v1::Account& account : book.chart->accounts()) {
    if (account.code().size() != kLevelOne) continue;
    const char type = account.code()[0] == '1'   ? 'A'
                      : account.code()[0] == '2' ? 'L'
                      : account.code()[0] == '3' ? 'E'
                      : account.code()[0] == '4' ? 'R'
                                                 : 'X';
    StrAppend(&head, "account ", account.code(), " ", account.display_name(),
              "  ; type: ", std::string(1, type), "\n");
  }
  StrAppend(&head, "\n");
  return head;
}

absl::Status AppendToJournal(const OpenBook& book, const v1::Voucher& voucher,
                             std::string& journal) {
  StrAppend(&journal, voucher.on_date(), " * (", LeafOf(voucher.name()), ") ",
            Clean(voucher.memo()), "\n");
  for (const v1::Entry& entry : voucher.entries()) {
    ASSIGN_OR_RETURN(const std::string account, NameOf(book, entry.account()));
    StrAppend(&journal, "    ", account, "  ", FormatYuan(entry.debit_fen() - entry.credit_fen()),
              " CNY");
    std::string tags;
    for (const auto& [key, value] : DimensionsOf(entry)) {
      StrAppend(&tags, tags.empty() ? "" : ", ", key, ":",
                absl::StrReplaceAll(Clean(value), {{",", "，"}}));
    }
    if (!entry.memo().empty() || !tags.empty()) {
      StrAppend(&journal, "  ; ", Clean(entry.memo()),
                tags.empty() || entry.memo().empty() ? "" : ", ", tags);
    }
    StrAppend(&journal, "\n");
  }
  StrAppend(&journal, "\n");
  return absl::OkStatus();
}

}  // namespace gonghui::funds
