#include "services/funds/levy_postings.h"

#include <algorithm>
#include <utility>

#include "common/base/status.h"
#include "services/funds/cash_facts.h"
#include "services/funds/postings.h"

namespace gonghui::funds {
namespace {

v1::Voucher ToVoucher(const LevyVoucher& levy) {
  v1::Voucher voucher;
  voucher.set_on_date(levy.on_date);
  voucher.set_memo(levy.memo);
  voucher.set_source(levy.source);
  for (const LevyEntry& part : levy.entries) {
    if (part.fen == 0) continue;
    v1::Entry& entry = *voucher.add_entries();
    entry.set_account(part.account);
    (part.debit ? entry.set_debit_fen(part.fen) : entry.set_credit_fen(part.fen));
    if (!part.counterparty.empty()) {
      (*entry.mutable_dimensions())["counterparty"] = part.counterparty;
    }
    if (!levy.channel.empty()) (*entry.mutable_dimensions())["channel"] = levy.channel;
  }
  return voucher;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> PostLevyVouchers(const rpc::Call& call, sql::Tx& tx,
                                                          Books& books,
                                                          const std::vector<LevyVoucher>& vouchers,
                                                          feed::v1::Event& event) {
  std::vector<std::string> names;
  if (vouchers.empty()) return names;
  Books::Needs needs;
  for (const LevyVoucher& levy : vouchers) {
    const auto [it, added] = needs.try_emplace(levy.organization, levy.on_date);
    if (!added) it->second = std::min(it->second, levy.on_date);
  }
  ASSIGN_OR_RETURN(const auto found, books.ForOrganizations(call, tx, needs));
  std::vector<v1::Voucher> posted;
  posted.reserve(vouchers.size());  // Drafts point to them.
  std::vector<Draft> drafts(vouchers.size());
  std::vector<Draft*> pointers;
  for (size_t i = 0; i < vouchers.size(); ++i) {
    posted.push_back(ToVoucher(vouchers[i]));
    drafts[i].book = found.at(vouchers[i].organization);
    drafts[i].voucher = &posted.back();
    RETURN_IF_ERROR(CheckVoucher(*drafts[i].book, posted.back(), ""));
    pointers.push_back(&drafts[i]);
  }
  RETURN_IF_ERROR(FindPosted(tx, call.federation, pointers, ""));
  for (const Draft& draft : drafts) RETURN_IF_ERROR(draft.status);
  RETURN_IF_ERROR(Post(tx, call, pointers));
  AddCashFacts(call.federation, pointers, event);
  for (const Draft& draft : drafts) {
    names.push_back(VoucherName(call.federation, draft.book->id, draft.key.Id()));
  }
  return names;
}

std::vector<LevyEntry> ShareEntries(const v1::LevyAccounts& accounts,
                                    const std::vector<LevelShare>& shares) {
  std::vector<LevyEntry> entries;
  for (const LevelShare& share : shares) {
    const std::string& account = share.way == Way::kArrived ? accounts.income()
                                 : share.way == Way::kUp    ? accounts.upward()
                                                            : accounts.downward();
    const std::string counterparty = share.way == Way::kArrived ? "" : share.organization;
    const auto same = std::find_if(entries.begin(), entries.end(), [&](const LevyEntry& entry) {
      return entry.account == account && entry.counterparty == counterparty;
    });
    if (same != entries.end()) {
      same->fen += share.amount_fen;
    } else {
      entries.push_back({account, share.amount_fen, false, counterparty});
    }
  }
  return entries;
}

}  // namespace gonghui::funds
