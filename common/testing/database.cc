#include "common/testing/database.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/id.h"
#include "common/base/text.h"

namespace gonghui::testing {
namespace {

std::string TestServer() {
  const char* url = std::getenv("GONGHUI_TEST_PG");
  return url == nullptr ? "" : url;
}

std::unique_ptr<sql::Database> OpenOrDie(const std::string& url) {
  auto database = sql::Database::Open({.url = url, .connections = 4});
  if (!database.ok()) {
    std::fprintf(stderr, "test database: %s\n", database.status().ToString().c_str());
    std::abort();
  }
  return *std::move(database);
}

}  // namespace

std::vector<std::string> Engines() {
  std::vector<std::string> engines = {"sqlite"};
  if (!TestServer().empty()) engines.emplace_back("postgres");
  return engines;
}

TempDatabase::TempDatabase(const std::string& engine) {
  if (engine == "postgres") {
    const std::string server = TestServer();
    schema_ = StrCat("t", ContentId(StrCat(NewId(absl::Now()), getpid())));
    if (!OpenOrDie(server)->RunScript(StrCat("CREATE SCHEMA ", schema_)).ok()) std::abort();
    const bool has_query = server.find('?') != std::string::npos;
    url_ = StrCat(server, has_query ? "&" : "?", "options=-csearch_path%3D", schema_);
  } else {
    std::string pattern = (std::filesystem::temp_directory_path() / "gonghui-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    folder_ = pattern;
    url_ = StrCat("sqlite:", folder_, "/test.db");
  }
  database_ = OpenOrDie(url_);
}

TempDatabase::~TempDatabase() {
  database_.reset();
  if (!schema_.empty()) {
    // A schema that stays behind harms nobody: the server belongs to the tests.
    OpenOrDie(TestServer())->RunScript(StrCat("DROP SCHEMA ", schema_, " CASCADE")).IgnoreError();
  }
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

void TempDatabase::Reopen() { database_ = OpenOrDie(Close()); }

const std::string& TempDatabase::Close() {
  database_.reset();
  return url_;
}

}  // namespace gonghui::testing
