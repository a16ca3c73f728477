// What an import leaves behind: the table of errors, the reject file, the receipt.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "services/cli/import_rows.h"
#include "services/cli/session.h"

namespace gonghui::cli {

// Proof of an import.
struct Receipt {
  std::string file;
  std::string digest;  // SHA-256 of the file.
  std::string kind;
  std::string federation;
  std::string server;
  std::string time;  // RFC 3339, UTC, of the end.
  double seconds = 0;
  int rows = 0;     // With data.
  int skipped = 0;  // Blank, totals, explanations.
  int items = 0;    // Sent: records, organisations, members, books, vouchers.
  int created = 0;
  int existing = 0;
  int failed = 0;  // Rows.
  bool dry_run = false;
  std::string reject_file;  // Empty where none was written.

  std::string Json() const;
  std::string Text(const Session& session) const;  // One paragraph.
};

// The first errors, by row. Says how many more there are.
std::string ErrorTable(const Session& session, const std::vector<RowError>& errors);
// The rows that were taken all the same; likewise.
std::string WarningTable(const Session& session, const std::vector<RowError>& warnings);
std::string ErrorsJson(const std::vector<RowError>& errors);

// The rejected rows as they stand in the file, with a column that says why: UTF-8 with byte order
// mark. Imports again after correction.
std::string RejectText(const Session& session, const ImportFile& file, const std::set<int>& rows,
                       const std::vector<RowError>& errors);

}  // namespace gonghui::cli
