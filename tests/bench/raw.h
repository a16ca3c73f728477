// The bare engines: the limits of what the suite's SQL layer can reach.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/sql/sql.h"

namespace gonghui::bench {

// A connection of the sqlite3 or the libpq API to the database of a URL (as sql::Database takes).
class RawEngine {
 public:
  explicit RawEngine(const std::string& url);
  ~RawEngine();

  // Rows a second of a query of which every value is looked at: stepped through on SQLite, copied
  // out in binary on PostgreSQL. Eight texts but for columns 5, 8 and 9, which are numbers.
  double ScanRate(const std::string& query);
  // Rows a second that are added to the emptied table rebuilt_cells in one transaction: one
  // prepared statement a row on SQLite, a thousand rows a statement (unnest) on PostgreSQL.
  double UpsertRate(const std::vector<sql::Args>& rows);

 private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

}  // namespace gonghui::bench
