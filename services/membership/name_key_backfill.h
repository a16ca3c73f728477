// Names stored before they were looked for by pinyin.
#pragma once

#include "absl/status/status.h"
#include "common/sql/sql.h"

namespace gonghui::membership {

// Fills the name keys that are missing, a thousand members a transaction; quick where none is.
absl::Status FillNameKeys(sql::Database& db);

}  // namespace gonghui::membership
