// Books in the plain-text format of hledger (https://hledger.org/hledger.html#journal), so that
// another program can balance them again.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "gonghui/funds/v1/ledger.pb.h"
#include "services/funds/books.h"

namespace gonghui::funds {

// Begins a journal: the book, its money, its accounts with their types.
absl::StatusOr<std::string> JournalHead(const OpenBook& book);
// A transaction: date, number as code, memo as description, entries with dimensions as tags.
// Accounts are "name of level one:name of the detail code", so that hledger adds details up.
absl::Status AppendToJournal(const OpenBook& book, const v1::Voucher& voucher,
                             std::string& journal);

}  // namespace gonghui::funds
