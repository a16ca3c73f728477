// The vouchers of benefit records: what a kind's posting rules say is posted with the record.
#pragma once

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/records/records.h"
#include "common/rpc/call.h"
#include "common/sql/sql.h"
#include "services/funds/books.h"

namespace gonghui::funds {

// Thread-safe.
class BenefitPostings {
 public:
  explicit BenefitPostings(Books* books) : books_(books) {}

  // In the transaction that wrote the records: posts the vouchers that they now call for and
  // reverses, on their own day, those that they no longer call for. The source of a voucher is the
  // record's name. The event gets the vouchers' facts.
  absl::Status OnChange(const rpc::Call& call, sql::Tx& tx,
                        absl::Span<const records::Change> changes, feed::v1::Event& event) const;

 private:
  Books* const books_;
};

}  // namespace gonghui::funds
