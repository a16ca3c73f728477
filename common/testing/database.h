// Empty databases for tests, on every engine of the environment.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/sql/sql.h"

namespace gonghui::testing {

// "sqlite" always; "postgres" too when GONGHUI_TEST_PG holds a libpq URL.
std::vector<std::string> Engines();

// A database of its own: a file in a fresh folder, or a fresh schema in the server of
// GONGHUI_TEST_PG. Removed at the end. Aborts when it cannot be made.
class TempDatabase {
 public:
  explicit TempDatabase(const std::string& engine = "sqlite");
  ~TempDatabase();
  TempDatabase(const TempDatabase&) = delete;
  TempDatabase& operator=(const TempDatabase&) = delete;

  sql::Database& operator*() { return *database_; }
  sql::Database* operator->() { return database_.get(); }
  sql::Database* get() { return database_.get(); }
  const std::string& url() const { return url_; }

  // Closes the database and opens it again, as a restart does.
  void Reopen();
  // Closes and hands over the URL, for a program that opens the database itself.
  const std::string& Close();

 private:
  std::string folder_;  // SQLite.
  std::string schema_;  // PostgreSQL.
  std::string url_;
  std::unique_ptr<sql::Database> database_;
};

}  // namespace gonghui::testing
