// Statements as files.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "gonghui/funds/v1/statement.pb.h"

namespace gonghui::funds {

// The bytes of the file: title, unit, period, unit of money (元), lines in order, checks, places
// for signatures.
absl::StatusOr<std::string> StatementXlsx(const v1::Statement& statement);
// A4, upright with up to three columns of amounts, else across; fonts of the system, embedded.
absl::StatusOr<std::string> StatementPdf(const v1::Statement& statement);

}  // namespace gonghui::funds
