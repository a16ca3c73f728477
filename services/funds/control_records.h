// Where controls come from, and how they are shown: records of the kinds `budget` with its lines
// and `restricted_fund`.
#pragma once

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/host/host.h"
#include "common/records/records.h"
#include "gonghui/funds/v1/control.pb.h"
#include "services/funds/books.h"

namespace gonghui::funds {

// The book that the record's field "book" names, which must be its organisation's.
// REFERENCE_NOT_FOUND at fields.book.
absl::StatusOr<v1::Book> BookOfRecord(const rpc::Call& call, sql::Tx& tx,
                                      const catalog::FactSource& source);

// Thread-safe.
class ControlRecords {
 public:
  ControlRecords(const Host& host, Books* books) : host_(host), books_(books) {}

  // Inside the records' transaction. A budget that enters `executing` puts its lines in the place
  // of those of its book and year, with what is spent and held already. A restricted fund that
  // enters `active` can be spent, one that enters `closed` no longer. REFERENCE_NOT_FOUND where the
  // record's organisation has no such book.
  absl::Status OnChange(const rpc::Call& call, sql::Tx& tx,
                        absl::Span<const records::Change> changes) const;

  absl::StatusOr<v1::ListFundsResponse> ListFunds(rpc::Call& call,
                                                  const v1::ListFundsRequest& request);
  absl::StatusOr<v1::ListBudgetLinesResponse> ListBudgetLines(
      rpc::Call& call, const v1::ListBudgetLinesRequest& request);

 private:
  const Host host_;
  Books* const books_;
};

}  // namespace gonghui::funds
