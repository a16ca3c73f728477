// Copies of databases on every engine: whole, of one instant, into empty places only.
#include "common/sql/copy.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "absl/time/clock.h"
#include "common/base/id.h"
#include "common/base/text.h"
#include "common/sql/sql.h"
#include "common/testing/database.h"
#include "common/testing/matchers.h"

namespace gonghui::sql {
namespace {

namespace fs = std::filesystem;
using gonghui::testing::HasReason;
using gonghui::testing::IsOk;

constexpr Query kPut{"test.put_pair", "INSERT INTO pairs (tenant, id, side) VALUES ($1, $2, $3)"};
constexpr Query kCountPairs{"test.count_pairs",
                            "SELECT COUNT(*), COALESCE(SUM(side), 0) FROM pairs"};

// Databases of their own: a copy of PostgreSQL is of a whole database.
class CopyTest : public ::testing::TestWithParam<std::string> {
 protected:
  CopyTest() {
    std::string pattern = (fs::temp_directory_path() / "gonghui-copy-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~CopyTest() override {
    for (const std::string& name : made_) Server(StrCat("DROP DATABASE ", name));
    fs::remove_all(folder_);
  }

  // The URL of an empty database.
  std::string Make(const std::string& name) {
    if (GetParam() == "sqlite") return StrCat("sqlite:", (folder_ / name).string(), ".db");
    made_.push_back(StrCat("copy_", ContentId(StrCat(name, NewId(absl::Now()), getpid()))));
    Server(StrCat("CREATE DATABASE ", made_.back(), " LC_COLLATE 'C' TEMPLATE template0"));
    const std::string server = std::getenv("GONGHUI_TEST_PG");
    return StrCat(server.substr(0, server.rfind('/') + 1), made_.back());
  }
  static void Server(const std::string& statement) {
    const auto db = Database::Open({.url = std::getenv("GONGHUI_TEST_PG"), .connections = 1});
    ASSERT_THAT(db, IsOk());
    EXPECT_THAT((*db)->RunScript(statement), IsOk());
  }

  static std::unique_ptr<Database> Open(const std::string& url) {
    auto db = Database::Open({.url = url, .connections = 2});
    EXPECT_THAT(db, IsOk());
    return db.ok() ? *std::move(db) : nullptr;
  }
  // Two rows a transaction, whose sides cancel out.
  static absl::Status PutPair(Database& db, int64_t id) {
    return db.ReadWrite(absl::Now() + absl::Seconds(20), [&](Tx& tx) -> absl::Status {
      RETURN_IF_ERROR(tx.Run(kPut, {"t", 2 * id, int64_t{1}}).status());
      return tx.Run(kPut, {"t", 2 * id + 1, int64_t{-1}}).status();
    });
  }
  static std::pair<int64_t, int64_t> Count(const std::string& url) {
    std::pair<int64_t, int64_t> found;
    const auto db = Open(url);
    EXPECT_THAT(db->ReadOnly(absl::Now() + absl::Seconds(20),
                             [&](Tx& tx) -> absl::Status {
                               ASSIGN_OR_RETURN(const Rows rows, tx.Run(kCountPairs));
                               found = {rows[0].Get<int64_t>(0), rows[0].Get<int64_t>(1)};
                               return absl::OkStatus();
                             }),
                IsOk());
    return found;
  }

  fs::path folder_;
  std::vector<std::string> made_;
};

TEST_P(CopyTest, OfOneInstantWhileItIsWritten) {
  const std::string from = Make("from"), to = Make("to");
  const std::string file = folder_ / "copy";
  std::atomic<int64_t> put = 0;
  int64_t before = 0;
  {
    const auto db = Open(from);
    ASSERT_THAT(db->RunScript("CREATE TABLE pairs (tenant TEXT NOT NULL, id BIGINT NOT NULL, "
                              "side BIGINT NOT NULL, PRIMARY KEY (tenant, id))"),
                IsOk());
    std::atomic<bool> stop = false;
    std::thread writer([&] {
      while (!stop) {
        if (!PutPair(*db, put).ok()) break;
        ++put;
      }
    });
    while (put < 50) absl::SleepFor(absl::Milliseconds(1));
    before = put;
    EXPECT_THAT(CopyOut(from, file), IsOk());
    stop = true;
    writer.join();
  }
  ASSERT_THAT(CopyIn(file, to), IsOk());
  const auto [rows, sum] = Count(to);
  EXPECT_GE(rows, 2 * before);
  EXPECT_LE(rows, 2 * (put + 1));
  EXPECT_EQ(sum, 0) << "half a transaction was copied";
  EXPECT_THAT(CopyIn(file, to), HasReason(common::v1::REASON_STATE_FORBIDS));
  EXPECT_THAT(CheckEmpty(from), HasReason(common::v1::REASON_STATE_FORBIDS));
}

TEST_P(CopyTest, ADamagedCopyIsRefusedWhole) {
  const std::string from = Make("from"), to = Make("to");
  const std::string file = folder_ / "copy";
  {
    const auto db = Open(from);
    ASSERT_THAT(db->RunScript("CREATE TABLE pairs (tenant TEXT NOT NULL, id BIGINT NOT NULL, "
                              "side BIGINT NOT NULL, PRIMARY KEY (tenant, id))"),
                IsOk());
    for (int64_t i = 0; i < 300; ++i) ASSERT_THAT(PutPair(*db, i), IsOk());
  }
  ASSERT_THAT(CopyOut(from, file), IsOk());
  fs::resize_file(file, fs::file_size(file) / 2);
  EXPECT_FALSE(CopyIn(file, to).ok());
  EXPECT_THAT(CheckEmpty(to), IsOk()) << "nothing of it stays";
}

INSTANTIATE_TEST_SUITE_P(Engines, CopyTest, ::testing::ValuesIn(testing::Engines()),
                         [](const auto& engine) { return engine.param; });

}  // namespace
}  // namespace gonghui::sql
