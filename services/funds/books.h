// Books: which organisation keeps one, on which chart, from which day.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/host/host.h"
#include "gonghui/funds/v1/ledger.pb.h"
#include "services/funds/charts.h"

namespace gonghui::funds {

// A book as postings need it. Immutable.
struct OpenBook {
  std::string id;
  std::string organization;
  std::string opened_on;  // ISO.
  const Chart* chart = nullptr;
};
using BookPtr = std::shared_ptr<const OpenBook>;

// BOOK_MISSING: `tenant` keeps no book `id`.
absl::Status NoSuchBook(std::string_view id);

// Thread-safe. Committed books are remembered: they never change, except for an earlier opening
// day.
class Books {
 public:
  Books(const Host& host, const Charts* charts) : host_(host), charts_(charts) {}

  absl::StatusOr<v1::Book> Create(rpc::Call& call, const v1::CreateBookRequest& request);
  absl::StatusOr<v1::Book> Get(rpc::Call& call, const v1::GetBookRequest& request);
  absl::StatusOr<v1::Book> Update(rpc::Call& call, const v1::UpdateBookRequest& request);
  absl::StatusOr<v1::ListBooksResponse> List(rpc::Call& call, const v1::ListBooksRequest& request);
  absl::StatusOr<v1::ListAccountsResponse> ListAccounts(rpc::Call& call,
                                                        const v1::ListAccountsRequest& request);

  // As stored. NOT_FOUND.
  static absl::StatusOr<v1::Book> Read(sql::Tx& tx, const rpc::Call& call, std::string_view id);

  // The book for a voucher of that day (empty: any). Errors: BOOK_MISSING. Not inside a
  // transaction.
  absl::StatusOr<BookPtr> Find(const rpc::Call& call, std::string_view id,
                               std::string_view on_date = "");
  // The same, with the right of this call's method checked at the book's organisation.
  absl::StatusOr<BookPtr> FindForCaller(const rpc::Call& call, std::string_view id,
                                        std::string_view on_date = "");

  // Organisation -> first day on which it must be able to post.
  using Needs = std::map<std::string, std::string>;
  // Inside a transaction: the book of each organisation. Where it keeps none, one is opened under
  // its own id on the chart for its kind, from the first day of that year; a book that was opened
  // this way moves its opening back when needed.
  absl::StatusOr<std::map<std::string, BookPtr>> ForOrganizations(const rpc::Call& call,
                                                                  sql::Tx& tx, const Needs& needs);

 private:
  struct Row;
  absl::Status Check(const rpc::Call& call, v1::Book& book) const;
  absl::StatusOr<BookPtr> Open(const rpc::Call& call, sql::Tx& tx, const std::string& organization,
                               std::string_view on_date);

  const Host host_;
  const Charts* const charts_;
  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, BookPtr> known_ ABSL_GUARDED_BY(mutex_);  // "tenant/book"
};

}  // namespace gonghui::funds
