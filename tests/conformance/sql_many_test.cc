// Many rows in few statements, on both engines.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/base/text.h"
#include "common/sql/insert.h"
#include "common/testing/database.h"
#include "common/testing/matchers.h"

namespace gonghui::sql {
namespace {

using testing::IsOk;

constexpr Query kFind{"many.find",
                      "SELECT tenant, key, amount FROM things WHERE tenant = $1 AND key >= $2 "
                      "ORDER BY key LIMIT 2"};
constexpr Query kSum{"many.sum",
                     "SELECT COUNT(*), COALESCE(CAST(SUM(amount) AS BIGINT), 0) FROM things"};

const Insert& Inserts() {
  static const auto& insert = *new Insert("many.insert", "things", {"tenant", "key", "amount"});
  return insert;
}

const Insert& Additions() {
  static const auto& insert = *new Insert(
      "many.add", "things", {"tenant", "key", "amount"},
      "ON CONFLICT (tenant, key) DO UPDATE SET amount = things.amount + excluded.amount");
  return insert;
}

std::vector<Args> Things(int count) {
  std::vector<Args> rows;
  for (int i = 0; i < count; ++i) rows.push_back({"demo", StrCat("k", 1000 + i), int64_t{i}});
  return rows;
}

class SqlManyTest : public ::testing::TestWithParam<std::string> {
 protected:
  SqlManyTest() : db_(GetParam()) {
    EXPECT_THAT(db_->RunScript("CREATE TABLE things (tenant TEXT NOT NULL, key TEXT NOT NULL, "
                               "amount BIGINT NOT NULL, PRIMARY KEY (tenant, key))"),
                IsOk());
  }

  absl::StatusOr<int64_t> Run(const Insert& insert, const std::vector<Args>& rows) {
    absl::StatusOr<int64_t> affected = 0;
    const absl::Status status = db_->ReadWrite(absl::InfiniteFuture(), [&](Tx& tx) {
      affected = insert.Run(tx, rows);
      return affected.status();
    });
    return status.ok() ? affected : status;
  }

  std::vector<int64_t> CountAndSum() {
    std::vector<int64_t> result;
    EXPECT_THAT(db_->ReadOnly(absl::InfiniteFuture(),
                              [&](Tx& tx) -> absl::Status {
                                ASSIGN_OR_RETURN(const Rows rows, tx.Run(kSum));
                                result = {rows[0].Get<int64_t>(0), rows[0].Get<int64_t>(1)};
                                return absl::OkStatus();
                              }),
                IsOk());
    return result;
  }

  testing::TempDatabase db_;
};

// Fewer rows than a block, whole blocks, blocks and a rest.
TEST_P(SqlManyTest, InsertTakesAnyNumberOfRows) {
  for (const int count : {1, 15, 16, 17, 48, 100}) {
    ASSERT_OK_AND_ASSIGN(const int64_t affected, Run(Additions(), Things(count)));
    EXPECT_EQ(affected, count);
  }
  EXPECT_EQ(CountAndSum()[0], 100);
  ASSERT_OK_AND_ASSIGN(const int64_t none, Run(Inserts(), {}));
  EXPECT_EQ(none, 0);
}

TEST_P(SqlManyTest, InsertAddsUpOnConflict) {
  ASSERT_THAT(Run(Inserts(), Things(20)), IsOk());
  ASSERT_THAT(Run(Additions(), Things(20)), IsOk());
  EXPECT_EQ(CountAndSum(), (std::vector<int64_t>{20, 380}));
}

TEST_P(SqlManyTest, InsertIsAllOrNothing) {
  std::vector<Args> rows = Things(40);
  rows.push_back(rows.front());
  EXPECT_THAT(Run(Inserts(), rows), testing::HasReason(common::v1::REASON_ALREADY_EXISTS));
  EXPECT_EQ(CountAndSum()[0], 0);
}

TEST_P(SqlManyTest, ReadManyShowsRowsInOrderOfKeys) {
  ASSERT_THAT(Run(Inserts(), Things(10)), IsOk());
  std::vector<std::string> seen;
  const auto read = [&](Tx& tx) {
    seen.clear();
    return tx.ReadMany(
        kFind, {{"demo", "k1008"}, {"other", "k1000"}, {"demo", "k1009"}, {"demo", "k1000"}},
        [&](const Rows::Row& row) { seen.push_back(row.Get<std::string>(1)); });
  };
  ASSERT_THAT(db_->ReadOnly(absl::InfiniteFuture(), read), IsOk());
  EXPECT_EQ(seen, (std::vector<std::string>{"k1008", "k1009", "k1009", "k1000", "k1001"}));
  ASSERT_THAT(db_->ReadWrite(absl::InfiniteFuture(), read), IsOk());
  EXPECT_EQ(seen.size(), 5);
}

INSTANTIATE_TEST_SUITE_P(Engines, SqlManyTest, ::testing::ValuesIn(testing::Engines()));

}  // namespace
}  // namespace gonghui::sql
