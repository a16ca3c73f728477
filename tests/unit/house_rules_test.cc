// Rules of the house that no compiler checks.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "common/base/text.h"
#include "common/rpc/api_services.h"
#include "common/sql/dialect.h"
#include "common/testing/matchers.h"
#include "gtest/gtest.h"

namespace gonghui {
namespace {

namespace fs = std::filesystem;

const fs::path& Root() {
  static const auto& root = *new fs::path(GONGHUI_SOURCE_DIR);
  return root;
}

std::string Read(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

// Files below the folders whose names end in one of `endings`.
std::vector<fs::path> Sources(const std::vector<std::string>& endings,
                              const std::vector<std::string>& folders = {"common", "services"}) {
  std::vector<fs::path> files;
  for (const std::string& folder : folders) {
    for (const auto& entry : fs::recursive_directory_iterator(Root() / folder)) {
      const std::string name = entry.path().filename().string();
      for (const std::string& ending : endings) {
        if (name.ends_with(ending)) files.push_back(entry.path());
      }
    }
  }
  EXPECT_GT(files.size(), 3u);
  return files;
}

// The adjacent C++ string literals from `at` on, joined.
std::string Literals(const std::string& text, size_t at) {
  std::string joined;
  while (at < text.size() && text[at] == '"') {
    for (++at; at < text.size() && text[at] != '"'; ++at) {
      if (text[at] == '\\') ++at;
      joined += text[at];
    }
    at = std::min(text.find_first_not_of(" \t\n", at + 1), text.size());
  }
  return joined;
}

TEST(HouseRulesTest, EveryQueryKeepsToTheDialect) {
  const std::regex query("Query\\s+k\\w+\\s*\\{\\s*\"([^\"]*)\",\\s*(?=\")");
  int queries = 0;
  for (const fs::path& file : Sources({".cc", ".h"})) {
    if (file.filename() == "postgres.cc" || file.parent_path().filename() == "sql") continue;
    const std::string text = Read(file);
    for (std::sregex_iterator it(text.begin(), text.end(), query), end; it != end; ++it) {
      const std::string name = (*it)[1];
      const std::string sql = Literals(text, it->position() + it->length());
      EXPECT_THAT(sql::CheckDialect({name, sql}), testing::IsOk()) << file;
      ++queries;
    }
  }
  EXPECT_GT(queries, 0);
}

// The gateway and the command line offer every service but the feed.
TEST(HouseRulesTest, EveryServiceIsOfTheApi) {
  const std::set<std::string> offered(std::begin(rpc::kApiServices), std::end(rpc::kApiServices));
  const std::regex package("\\npackage ([\\w.]+);"), service("\\nservice (\\w+) ");
  std::set<std::string> declared;
  for (const fs::path& file : Sources({".proto"}, {"proto"})) {
    const std::string text = Read(file);
    std::smatch in;
    if (!std::regex_search(text, in, package)) continue;
    for (std::sregex_iterator it(text.begin(), text.end(), service), end; it != end; ++it) {
      declared.insert(in[1].str() + "." + (*it)[1].str());
    }
  }
  declared.erase("gonghui.feed.v1.FeedService");
  EXPECT_EQ(declared, offered);
}

TEST(HouseRulesTest, QueryNamesAreUnique) {
  const std::regex query("Query\\s+k\\w+\\s*\\{\\s*\"([^\"]*)\"");
  std::map<std::string, fs::path> seen;
  for (const fs::path& file : Sources({".cc", ".h"})) {
    const std::string text = Read(file);
    for (std::sregex_iterator it(text.begin(), text.end(), query), end; it != end; ++it) {
      const auto [twin, fresh] = seen.emplace((*it)[1], file);
      EXPECT_TRUE(fresh) << (*it)[1] << " in " << file << " and " << twin->second;
    }
  }
}

TEST(HouseRulesTest, EveryKeyStartsWithTheTenant) {
  const std::regex key("(PRIMARY KEY|UNIQUE|FOREIGN KEY)\\s*\\(\\s*(\\w+)");
  const std::regex column_key("^\\s*\\w+\\s+\\w+[^,(]*\\b(PRIMARY KEY|UNIQUE)\\b(?!\\s*\\()");
  const std::regex index("CREATE\\s+UNIQUE\\s+INDEX[^(]*\\(\\s*(\\w+)");
  const std::regex forbidden_type(
      "\\b(TIMESTAMPTZ|TIMESTAMP|NUMERIC|SERIAL|REAL|FLOAT|JSONB?|UUID)\\b");
  for (const fs::path& file : Sources({".sql"})) {
    const std::string text = std::regex_replace(Read(file), std::regex("--[^\n]*"), "");
    for (std::sregex_iterator it(text.begin(), text.end(), key), end; it != end; ++it) {
      EXPECT_EQ((*it)[2], "tenant") << it->str() << " in " << file;
    }
    for (std::sregex_iterator it(text.begin(), text.end(), index), end; it != end; ++it) {
      EXPECT_EQ((*it)[1], "tenant") << it->str() << " in " << file;
    }
    for (std::string_view line : Split(text, '\n')) {
      const std::string row(line);
      if (std::regex_search(row, column_key)) {
        // The key of a table with one row a federation.
        EXPECT_EQ(Strip(line).substr(0, 7), "tenant ") << row << " in " << file;
      }
      EXPECT_FALSE(std::regex_search(row, forbidden_type)) << row << " in " << file;
    }
    EXPECT_EQ(text.find("CREATE TRIGGER"), std::string::npos) << file;
  }
}

// A distributed PostgreSQL sends a statement to the one node that has the federation: what writes
// names it, and every table can be spread by it.
TEST(HouseRulesTest, WritesNameTheTenant) {
  const std::regex query("Query\\s+(k\\w+)\\s*\\{([^;]*)\\};");
  const std::regex literal("\"((?:[^\"\\\\]|\\\\.)*)\"");
  int writes = 0;
  for (const fs::path& file : Sources({".cc", ".h"})) {
    const std::string text = Read(file);
    for (std::sregex_iterator it(text.begin(), text.end(), query), end; it != end; ++it) {
      const std::string pieces = (*it)[2];
      std::string sql;
      for (std::sregex_iterator piece(pieces.begin(), pieces.end(), literal); piece != end;
           ++piece) {
        sql += (*piece)[1];
      }
      const bool writes_rows =
          sql.find("UPDATE ") != std::string::npos || sql.find("DELETE FROM ") != std::string::npos;
      if (!writes_rows || sql.find("INSERT INTO ") != std::string::npos) continue;
      // Conditions that several statements share are macros.
      const bool shared = std::regex_search(pieces, std::regex("\"\\s*[A-Z_]{3,}"));
      EXPECT_TRUE(shared || std::regex_search(sql, std::regex("\\btenant ?= ?\\$")))
          << (*it)[1] << " in " << file;
      ++writes;
    }
  }
  EXPECT_GT(writes, 50);
}

TEST(HouseRulesTest, EveryTableHasItsTenant) {
  const std::regex table("CREATE TABLE (?:IF NOT EXISTS )?(\\w+)\\s*\\(([^;]*)\\);");
  int tables = 0;
  for (const fs::path& file : Sources({".sql"})) {
    const std::string text = std::regex_replace(Read(file), std::regex("--[^\n]*"), "");
    for (std::sregex_iterator it(text.begin(), text.end(), table), end; it != end; ++it) {
      EXPECT_TRUE(std::regex_search((*it)[2].str(), std::regex("\\n\\s*tenant TEXT NOT NULL")))
          << (*it)[1] << " in " << file;
      ++tables;
    }
    for (const char* refused : {"ON DELETE SET NULL", "NEXTVAL", "GENERATED BY DEFAULT"}) {
      EXPECT_EQ(text.find(refused), std::string::npos) << file;
    }
  }
  EXPECT_GT(tables, 60);
}

TEST(HouseRulesTest, FilesStayShort) {
  for (const fs::path& file : Sources({".cc", ".h"})) {
    const std::string text = Read(file);
    EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 600) << file;
  }
}

TEST(HouseRulesTest, TypesSayWhatTheyAre) {
  const std::regex vague(
      "\\b(class|struct|namespace)\\s+(\\w*(Impl|Manager|Helper|Util|Utils))\\b");
  for (const fs::path& file : Sources({".cc", ".h"})) {
    const std::string text = Read(file);
    std::smatch found;
    EXPECT_FALSE(std::regex_search(text, found, vague)) << found.str() << " in " << file;
  }
}

TEST(HouseRulesTest, NothingIsLeftForLater) {
  const std::regex later("\\b(TO[D]O|FIX[M]E|XX[X]|HAC[K])\\b");
  for (const fs::path& file : Sources({".cc", ".h", ".sql", ".yaml"})) {
    const std::string text = Read(file);
    std::smatch found;
    EXPECT_FALSE(std::regex_search(text, found, later)) << found.str() << " in " << file;
  }
}

TEST(DialectTest, SeesForbiddenConstructsOnly) {
  const auto check = [](std::string_view text) { return sql::CheckDialect({"test.x", text}); };
  for (std::string_view text :
       {"SELECT NOW()", "SELECT a::text FROM t", "SELECT 1 FROM t WHERE a ilike 'x'",
        "SELECT DISTINCT  ON (a) b FROM t", "SELECT a FROM t FOR\nUPDATE", "SELECT GREATEST(a, b)",
        "SELECT a->'b' FROM t", "INSERT OR IGNORE INTO t VALUES (1)", "SELECT rowid FROM t",
        "SELECT a FROM t WHERE b = ANY($1)", "SELECT CURRENT_TIMESTAMP"}) {
    EXPECT_THAT(check(text), testing::StatusIs(absl::StatusCode::kInternal)) << text;
  }
  for (std::string_view text :
       {"SELECT known_now, a FROM nowhere", "SELECT 'NOW() ::' FROM t", "SELECT a FROM company",
        "INSERT INTO t (a) VALUES ($1) RETURNING a", "SELECT a -- NOW()\n FROM t",
        "INSERT INTO t (a) VALUES ($1) ON CONFLICT (a) DO UPDATE SET a = excluded.a"}) {
    EXPECT_THAT(check(text), testing::IsOk()) << text;
  }
}

}  // namespace
}  // namespace gonghui
