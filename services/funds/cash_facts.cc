#include "services/funds/cash_facts.h"

#include <cstdint>

#include "services/funds/admission.h"

namespace gonghui::funds {
namespace {

constexpr char kCashBalance[] = "cash_balance";

int64_t CashOf(const Draft& draft) {
  const v1::Voucher& voucher = *draft.voucher;
  int64_t fen = 0;
  for (const v1::Entry& entry : voucher.entries()) {
    if (draft.book->chart->IsCash(entry.account(), voucher.on_date())) {
      fen += entry.debit_fen() - entry.credit_fen();
    }
  }
  return fen;
}

}  // namespace

void AddCashFacts(const std::string& tenant, absl::Span<Draft* const> drafts,
                  feed::v1::Event& event) {
  for (const Draft* draft : drafts) {
    if (!IsToPost(*draft)) continue;
    const int64_t fen = CashOf(*draft);
    if (fen == 0) continue;
    common::v1::RecordFacts& facts = *event.add_facts();
    facts.set_record(VoucherName(tenant, draft->book->id, draft->key.Id()));
    common::v1::Fact& fact = *facts.add_facts();
    fact.set_measure(kCashBalance);
    fact.set_organization(draft->book->organization);
    fact.set_on_date(draft->voucher->on_date());
    fact.set_delta(fen);
  }
}

}  // namespace gonghui::funds
