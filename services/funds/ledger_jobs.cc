#include "services/funds/ledger_jobs.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/base/text.h"
#include "services/funds/ledger_check.h"

namespace gonghui::funds {
namespace {

constexpr int kMostFaults = 1000;
constexpr int kSavedEvery = 100;  // Books.

// A book may be gone from one of the tables.
constexpr sql::Query kAllBooks{
    "funds.verify_books",
    "SELECT book_id FROM books WHERE tenant = $1 UNION SELECT book_id FROM book_states "
    "WHERE tenant = $1 UNION SELECT DISTINCT book_id FROM ledger_heads WHERE tenant = $1 "
    "ORDER BY book_id"};
constexpr sql::Query kAnchoredTo{
    "funds.anchored_to",
    "SELECT book_id, MAX(last_sequence) FROM ledger_heads WHERE tenant = $1 AND anchored = TRUE "
    "GROUP BY book_id"};
constexpr sql::Query kBookRow{"funds.verify_book",
                              "SELECT book_id FROM books WHERE tenant = $1 AND book_id = $2"};

v1::BookFault Deleted(const std::string& book) {
  v1::BookFault fault;
  fault.set_book(book);
  fault.set_fault(v1::LEDGER_FAULT_BOOK_DELETED);
  fault.set_detail("Heads or states of the book exist, the book does not.");
  fault.set_detail_zh("存在该账套的封存记录，账套本身已被删除。");
  return fault;
}

}  // namespace

LedgerJobs::LedgerJobs(const Host& host, Books* books, Heads* heads)
    : host_(host), books_(books), heads_(heads), jobs_({.db = host.db, .clock = host.clock}) {
  jobs_.Register<v1::VerifyLedgerRequest, v1::VerifyLedgerResult>(
      "VerifyLedger", [this](rpc::JobRun& run, const v1::VerifyLedgerRequest& request) {
        return Run(run, request);
      });
}

absl::StatusOr<common::v1::Job> LedgerJobs::Verify(rpc::Call& call,
                                                   const v1::VerifyLedgerRequest& request) {
  std::string organization;
  if (!request.book().empty()) {
    const auto book = books_->FindForCaller(call, request.book());
    // A book that was deleted can be verified by whoever answers for the federation.
    if (book.ok()) organization = (*book)->organization;
    if (!book.ok() && !absl::IsNotFound(book.status())) return book.status();
  }
  if (organization.empty()) RETURN_IF_ERROR(call.CheckScope(""));
  return jobs_.Start(call, organization, request);
}

absl::StatusOr<v1::VerifyLedgerResult> LedgerJobs::Run(rpc::JobRun& run,
                                                       const v1::VerifyLedgerRequest& request) {
  const std::string& tenant = run.federation();
  // What is anchored while the anchor is read need not be found in it.
  std::map<std::string, int64_t> must_be_anchored;
  RETURN_IF_ERROR(host_.db->ReadOnly(absl::InfiniteFuture(), [&](sql::Tx& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kAnchoredTo, {tenant}));
    for (size_t i = 0; i < rows.size(); ++i) {
      must_be_anchored[rows[i].Get<std::string>(0)] = rows[i].Get<int64_t>(1);
    }
    return absl::OkStatus();
  }));
  ASSIGN_OR_RETURN(const AnchoredHeads anchored,
                   ReadAnchor(heads_->anchor(), heads_->public_key()));
  std::set<std::string> books;
  if (!request.book().empty()) {
    books.insert(request.book());
  } else {
    RETURN_IF_ERROR(host_.db->ReadOnly(absl::InfiniteFuture(), [&](sql::Tx& tx) -> absl::Status {
      ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kAllBooks, {tenant}));
      for (size_t i = 0; i < rows.size(); ++i) books.insert(rows[i].Get<std::string>(0));
      return absl::OkStatus();
    }));
    for (const auto& [key, book] : anchored.books) {
      if (key.first == tenant) books.insert(key.second);
    }
  }
  v1::VerifyLedgerResult result;
  rpc::JobProgress progress = run.progress();
  progress.total = static_cast<int64_t>(books.size());
  progress.done = 0;
  for (const std::string& book : books) {
    const auto it = anchored.books.find({tenant, book});
    LedgerCheck check(tenant, book, heads_->public_key(),
                      it == anchored.books.end() ? nullptr : &it->second, must_be_anchored[book]);
    bool exists = true;
    bool more = true;
    RETURN_IF_ERROR(host_.db->ReadOnly(absl::InfiniteFuture(), [&](sql::Tx& tx) -> absl::Status {
      ASSIGN_OR_RETURN(const sql::Rows rows, tx.Run(kBookRow, {tenant, book}));
      exists = !rows.empty();
      return exists ? check.ReadHeads(tx) : absl::OkStatus();
    }));
    while (exists && more) {
      RETURN_IF_ERROR(host_.db->ReadOnly(absl::InfiniteFuture(), [&](sql::Tx& tx) -> absl::Status {
        ASSIGN_OR_RETURN(more, check.ReadMore(tx));
        return more ? absl::OkStatus() : check.Finish(tx);
      }));
    }
    if (!exists) *result.add_faults() = Deleted(book);
    if (check.found()) *result.add_faults() = check.fault();
    result.set_books(result.books() + 1);
    result.set_vouchers(result.vouchers() + check.vouchers());
    result.set_entries(result.entries() + check.entries());
    result.set_heads(result.heads() + check.heads());
    ++progress.done;
    progress.note = StrCat(result.vouchers(), " vouchers, ", result.faults_size(), " faults");
    if (result.faults_size() >= kMostFaults) break;
    if (progress.done % kSavedEvery == 0) RETURN_IF_ERROR(run.Save(progress));
  }
  if (anchored.unreadable > 0 && result.faults_size() < kMostFaults) {
    v1::BookFault& fault = *result.add_faults();
    fault.set_fault(v1::LEDGER_FAULT_ANCHOR_EDITED);
    fault.set_detail(StrCat("Lines of the anchor that are no head: ", anchored.unreadable, "."));
    fault.set_detail_zh(StrCat("锚点中有 ", anchored.unreadable, " 行不是封存记录。"));
  }
  RETURN_IF_ERROR(run.Save(progress));
  return result;
}

}  // namespace gonghui::funds
