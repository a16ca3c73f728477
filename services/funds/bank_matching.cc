#include "services/funds/bank_matching.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "common/base/date.h"
#include "common/base/money.h"
#include "common/base/resource_name.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/feed/outbox.h"
#include "common/rpc/idempotency.h"
#include "services/funds/levies.h"

namespace gonghui::funds {
namespace {

constexpr std::string_view kLineName =
    "federations/{federation}/bankAccounts/{account}/lines/{line}";
constexpr std::string_view kVoucherName =
    "federations/{federation}/books/{book}/vouchers/{voucher}";
constexpr int kMostAtOnce = 1000;
constexpr size_t kMostShown = 10;  // Entries that an ambiguous line might be.

constexpr sql::Query kOpenLines{
    "funds.list_open_bank_lines",
    "SELECT " BANK_LINE_COLUMNS
    " FROM bank_lines WHERE tenant = $1 AND account_id = $2 AND matched_on = '' AND on_date <= $3 "
    "ORDER BY on_date, reference LIMIT $4"};

// Days since the civil epoch; the rows hold checked dates.
int64_t DayNumber(const std::string& date) {
  const auto day = ParseDate(date);
  return day.ok() ? *day - absl::CivilDay() : 0;
}

std::string DaysOff(const std::string& date, int64_t days) {
  const auto day = ParseDate(date);
  return day.ok() ? FormatDate(*day + days) : date;
}

// Lines and entries of one amount, each by day.
class Amount {
 public:
  struct Item {
    size_t at;  // Among all lines or entries.
    int64_t day;
    bool taken = false;
  };
  using Items = std::vector<Item>;

  Items lines;
  Items entries;

  // Tells of each pair as it is found.
  template <typename Take>
  void Pair(int64_t days, Take take) {
    for (bool found = true; found;) {
      found = false;
      for (Item& line : lines) {
        if (line.taken) continue;
        Item* entry = Nearest(entries, line.day, days);
        if (entry == nullptr || Nearest(lines, entry->day, days) != &line) continue;
        line.taken = entry->taken = found = true;
        take(line.at, entry->at);
      }
    }
  }

  // The first of `items` within the days, as an iterator into it.
  static Items::iterator FirstNear(Items& items, int64_t day, int64_t days) {
    return std::lower_bound(items.begin(), items.end(), day - days,
                            [](const Item& item, int64_t from) { return item.day < from; });
  }

 private:
  // The one that is nearest; nullptr where there is none, or two are as near.
  static Item* Nearest(Items& items, int64_t day, int64_t days) {
    Item* nearest = nullptr;
    bool alone = true;
    int64_t least = days + 1;
    for (auto it = FirstNear(items, day, days); it != items.end() && it->day <= day + days; ++it) {
      if (it->taken) continue;
      const int64_t away = std::abs(it->day - day);
      if (away < least) {
        nearest = &*it;
        least = away;
        alone = true;
      } else if (away == least) {
        alone = false;
      }
    }
    return alone ? nearest : nullptr;
  }
};

absl::Status NotOpen(const BankLineRow& line) {
  return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                            StrCat("line ", line.view.reference(),
                                   " is matched already; undo that with UnmatchBankLine first"),
                            StrCat("流水 ", line.view.reference(), " 已勾对；请先取消勾对"))
      .With("allowed", "UnmatchBankLine")
      .At("name");
}

absl::Status NoSuchEntry(const BankAccountRow& account, const std::string& voucher,
                         std::string_view field) {
  return NotFound(common::v1::REASON_REFERENCE_NOT_FOUND,
                  StrCat("voucher ", voucher, " has no such entry on account ", account.account,
                         " of bank account '", account.id, "'; ListEntries shows them"),
                  StrCat("凭证 ", voucher, " 没有银行账户“", account.id, "”所对应科目 ",
                         account.account, " 的该笔分录；请用 ListEntries 查看"))
      .With("voucher", voucher)
      .At(std::string(field));
}

absl::Status WhichEntry(const std::string& voucher, size_t count, std::string_view field) {
  return InvalidArgument(common::v1::REASON_FIELD_REQUIRED,
                         StrCat("voucher ", voucher, " has ", count,
                                " entries on the account; tell the line of the one that is meant"),
                         StrCat("凭证 ", voucher, " 在该科目有 ", count, " 笔分录，请填行号"))
      .At(std::string(field));
}

absl::Status EntryTaken(const BankEntryRow& entry, std::string_view field) {
  return FailedPrecondition(
             common::v1::REASON_STATE_FORBIDS,
             StrCat("line ", entry.line, " of voucher ", entry.key.Id(),
                    " is matched with another bank line; undo that first"),
             StrCat("凭证 ", entry.key.Id(), " 第 ", entry.line, " 行已与其他流水勾对，请先取消"))
      .With("line", entry.matched)
      .With("allowed", "UnmatchBankLine")
      .At(std::string(field));
}

absl::Status SumsDiffer(int64_t line, int64_t entries) {
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         StrCat("the line is ", FormatYuan(line), " and the entries together are ",
                                FormatYuan(entries), "; choose entries that come to the line"),
                         StrCat("流水为 ", FormatYuan(line), " 元，所选分录合计 ",
                                FormatYuan(entries), " 元；请选择合计相等的分录"))
      .With("line_fen", StrCat(line))
      .With("entries_fen", StrCat(entries))
      .At("entries");
}

absl::Status RestsOnIt(const BankAccountRow& account, const BankLineRow& line) {
  return FailedPrecondition(
             common::v1::REASON_STATE_FORBIDS,
             StrCat("line ", line.view.reference(), " counts as matched from ",
                    line.view.matched_on(), " on, and the account is reconciled through ",
                    account.reconciled_through, "; put it right by a voucher"),
             StrCat("流水 ", line.view.reference(), " 的勾对自 ", line.view.matched_on(),
                    " 起计入，而账户已对账至 ", account.reconciled_through, "；请以凭证更正"))
      .With("reconciled_through", account.reconciled_through)
      .With("allowed", "none")
      .At("name");
}

// The entry that is meant.
absl::StatusOr<BankEntryRow> FindEntry(sql::Tx& tx, const rpc::Call& call,
                                       const BankAccountRow& account, const v1::BankEntry& meant,
                                       std::string_view field) {
  ASSIGN_OR_RETURN(const auto name, ParseName(kVoucherName, meant.voucher()));
  const std::string& id = name.at("voucher");
  const auto key = VoucherKey::FromId(id);
  if (name.at("federation") != call.federation || name.at("book") != account.book || !key.ok()) {
    return NoSuchEntry(account, id, field);
  }
  ASSIGN_OR_RETURN(std::vector<BankEntryRow> entries,
                   EntriesOfVoucher(tx, call.federation, account, *key));
  if (meant.line() == 0 && entries.size() > 1) return WhichEntry(id, entries.size(), field);
  for (BankEntryRow& entry : entries) {
    if (meant.line() != 0 && entry.line != meant.line()) continue;
    if (!entry.matched.empty()) return EntryTaken(entry, field);
    return std::move(entry);
  }
  return NoSuchEntry(account, id, field);
}

absl::Status Tell(sql::Tx& tx, const rpc::Call& call, std::string_view type,
                  const std::vector<std::string>& names) {
  feed::v1::Event event;
  event.set_type(StrCat("gonghui.funds.v1.", type));
  for (const std::string& name : names) event.add_resources(name);
  return feed::Append(tx, call, event);
}

v1::MatchBankLinesResponse Answer(const rpc::Call& call, const BankAccountRow& account,
                                  const BankPairs& pairs) {
  v1::MatchBankLinesResponse response;
  for (const BankMatch& match : pairs.matched) {
    *response.add_matched() = BankLineView(call.federation, account, match.line, match.entries);
  }
  for (const BankMatch& match : pairs.ambiguous) {
    *response.add_ambiguous() = BankLineView(call.federation, account, match.line, match.entries);
  }
  response.set_unmatched(pairs.unmatched);
  return response;
}

}  // namespace

BankPairs PairByAmount(const std::vector<BankLineRow>& lines,
                       const std::vector<BankEntryRow>& entries, int64_t days) {
  std::map<int64_t, Amount> amounts;
  for (size_t i = 0; i < lines.size(); ++i) {
    const v1::BankLine& line = lines[i].view;
    amounts[line.amount_fen()].lines.push_back({i, DayNumber(line.on_date())});
  }
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto amount = amounts.find(entries[i].fen);
    if (amount != amounts.end()) {
      amount->second.entries.push_back({i, DayNumber(entries[i].on_date)});
    }
  }
  BankPairs pairs;
  for (auto& [fen, amount] : amounts) {
    amount.Pair(days, [&](size_t line, size_t entry) {
      pairs.matched.push_back({lines[line], {entries[entry]}});
    });
    for (const Amount::Item& line : amount.lines) {
      if (line.taken) continue;
      BankMatch open{lines[line.at], {}};
      for (auto it = Amount::FirstNear(amount.entries, line.day, days);
           it != amount.entries.end() && it->day <= line.day + days &&
           open.entries.size() < kMostShown;
           ++it) {
        if (!it->taken) open.entries.push_back(entries[it->at]);
      }
      if (open.entries.empty()) {
        ++pairs.unmatched;
      } else {
        pairs.ambiguous.push_back(std::move(open));
      }
    }
  }
  return pairs;
}

absl::StatusOr<BankPairs> BankMatching::Pair(sql::Tx& tx, const rpc::Call& call,
                                             const BankAccountRow& account,
                                             const v1::MatchBankLinesRequest& request) const {
  const std::string to = request.to_date().empty() ? std::string(kForever) : request.to_date();
  ASSIGN_OR_RETURN(const sql::Rows rows,
                   tx.Run(kOpenLines, {call.federation, account.id, to, int64_t{kMostAtOnce}}));
  if (rows.empty()) return BankPairs();
  std::vector<BankLineRow> lines;
  for (size_t i = 0; i < rows.size(); ++i) lines.push_back(ToBankLine(rows[i]));
  ASSIGN_OR_RETURN(const int64_t days,
                   BankLimit(banking_, call, account, "bank_match_days", call.Today()));
  ASSIGN_OR_RETURN(
      std::vector<BankEntryRow> entries,
      OpenEntries(tx, call.federation, account, DaysOff(lines.front().view.on_date(), -days),
                  DaysOff(lines.back().view.on_date(), days), std::string(kForever)));
  std::erase_if(entries, [](const BankEntryRow& entry) {
    return !entry.reverses.empty() || !entry.reversed_by.empty();
  });
  return PairByAmount(lines, entries, days);
}

absl::StatusOr<v1::MatchBankLinesResponse> BankMatching::MatchAll(
    rpc::Call& call, const v1::MatchBankLinesRequest& request) {
  using Response = v1::MatchBankLinesResponse;
  const std::string id(LeafOf(request.parent()));
  if (request.validate_only()) {
    Response seen;
    RETURN_IF_ERROR(banking_.db->ReadOnly(call.deadline, [&](sql::Tx& tx) -> absl::Status {
      ASSIGN_OR_RETURN(const BankAccountRow account, FindBankAccount(tx, call, id, "parent"));
      ASSIGN_OR_RETURN(const BankPairs pairs, Pair(tx, call, account, request));
      seen = Answer(call, account, pairs);
      return absl::OkStatus();
    }));
    return seen;
  }
  return rpc::WriteOnce<Response>(
      *banking_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<Response> {
        ASSIGN_OR_RETURN(const BankAccountRow account, LockBankAccount(tx, call, id, "parent"));
        ASSIGN_OR_RETURN(BankPairs pairs, Pair(tx, call, account, request));
        if (!pairs.matched.empty()) {
          RETURN_IF_ERROR(WriteMatches(tx, call, account, pairs.matched));
          RETURN_IF_ERROR(
              Tell(tx, call, "BankLinesMatched", {BankAccountName(call.federation, account.id)}));
        }
        return Answer(call, account, pairs);
      });
}

absl::StatusOr<v1::BankLine> BankMatching::Match(rpc::Call& call,
                                                 const v1::MatchBankLineRequest& request) {
  ASSIGN_OR_RETURN(const auto name, ParseName(kLineName, request.name()));
  return rpc::WriteOnce<v1::BankLine>(
      *banking_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::BankLine> {
        ASSIGN_OR_RETURN(const BankAccountRow account,
                         LockBankAccount(tx, call, name.at("account"), "name"));
        std::vector<BankMatch> matches(1);
        BankMatch& match = matches.front();
        ASSIGN_OR_RETURN(match.line, FindBankLine(tx, call.federation, account, name.at("line")));
        if (!match.line.view.matched_on().empty()) return NotOpen(match.line);
        int64_t sum = 0;
        std::set<std::pair<std::string, int64_t>> seen;
        for (int i = 0; i < request.entries_size(); ++i) {
          const std::string field = StrCat("entries[", i, "].voucher");
          ASSIGN_OR_RETURN(BankEntryRow entry,
                           FindEntry(tx, call, account, request.entries(i), field));
          if (!seen.emplace(entry.key.Id(), entry.line).second) {
            return Twice(entry.key.Id(), field);
          }
          ASSIGN_OR_RETURN(sum, AddChecked(sum, entry.fen));
          match.entries.push_back(std::move(entry));
        }
        if (sum != match.line.view.amount_fen()) {
          return SumsDiffer(match.line.view.amount_fen(), sum);
        }
        RETURN_IF_ERROR(WriteMatches(tx, call, account, matches));
        RETURN_IF_ERROR(Tell(tx, call, "BankLinesMatched", {request.name()}));
        return BankLineView(call.federation, account, match.line, match.entries);
      });
}

absl::StatusOr<v1::BankLine> BankMatching::Unmatch(rpc::Call& call,
                                                   const v1::UnmatchBankLineRequest& request) {
  ASSIGN_OR_RETURN(const auto name, ParseName(kLineName, request.name()));
  return rpc::WriteOnce<v1::BankLine>(
      *banking_.db, call, request, [&](sql::Tx& tx) -> absl::StatusOr<v1::BankLine> {
        ASSIGN_OR_RETURN(const BankAccountRow account,
                         LockBankAccount(tx, call, name.at("account"), "name"));
        ASSIGN_OR_RETURN(BankLineRow line,
                         FindBankLine(tx, call.federation, account, name.at("line")));
        if (line.view.matched_on().empty()) {
          return FailedPrecondition(common::v1::REASON_STATE_FORBIDS,
                                    StrCat("line ", line.view.reference(), " is not matched"),
                                    StrCat("流水 ", line.view.reference(), " 未勾对"))
              .With("allowed", "MatchBankLine")
              .At("name");
        }
        if (account.IsReconciled(line.view.matched_on())) return RestsOnIt(account, line);
        line.view.set_unmatched_by(call.actor.subject);
        line.view.set_unmatch_reason(request.reason());
        RETURN_IF_ERROR(DropMatch(tx, call.federation, account, line));
        RETURN_IF_ERROR(Tell(tx, call, "BankLineUnmatched", {request.name()}));
        return BankLineView(call.federation, account, line);
      });
}

}  // namespace gonghui::funds
