// Many rows in few statements, on both engines.
#include <gtest/gtest.h>

#include <map>
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
constexpr Query kInsert{"many.insert_one",
                        "INSERT INTO things (tenant, key, amount) VALUES ($1, $2, $3)"};
constexpr Query kSet{"many.set", "UPDATE things SET amount = $3 WHERE tenant = $1 AND key = $2"};
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

  absl::Status Run(const Insert& insert, const std::vector<Args>& rows) {
    return db_->ReadWrite(absl::InfiniteFuture(), [&](Tx& tx) { return insert.Run(tx, rows); });
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
  int64_t sum = 0;
  for (const int count : {0, 1, 15, 16, 17, 48, 100}) {
    ASSERT_THAT(Run(Additions(), Things(count)), IsOk());
    sum += count * (count - 1) / 2;
    EXPECT_EQ(CountAndSum(), (std::vector<int64_t>{count, sum}));
  }
}

TEST_P(SqlManyTest, InsertShowsWhatItReturns) {
  static const auto& additions = *new Insert(
      "many.add_and_return", "things", {"tenant", "key", "amount"},
      "ON CONFLICT (tenant, key) DO UPDATE SET amount = things.amount + excluded.amount "
      "RETURNING key, amount");
  for (const int64_t times : {1, 2}) {
    std::map<std::string, int64_t> returned;
    ASSERT_THAT(db_->ReadWrite(absl::InfiniteFuture(),
                               [&](Tx& tx) {
                                 returned.clear();
                                 return additions.Read(tx, Things(23), [&](const Rows::Row& row) {
                                   returned[row.Get<std::string>(0)] = row.Get<int64_t>(1);
                                 });
                               }),
                IsOk());
    ASSERT_EQ(returned.size(), 23);
    EXPECT_EQ(returned["k1022"], 22 * times);
  }
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

// More rows than a statement takes, among them some that are there.
TEST_P(SqlManyTest, InsertManyCountsWhatIsNew) {
  constexpr InsertQuery kLoad{"many.load", "INSERT INTO things (tenant, key, amount)",
                              "ON CONFLICT (tenant, key) DO NOTHING"};
  ASSERT_THAT(Run(Inserts(), Things(20)), IsOk());
  int64_t inserted = 0;
  const auto load = [&](const std::vector<Args>& rows) {
    return db_->ReadWrite(absl::InfiniteFuture(), [&](Tx& tx) -> absl::Status {
      ASSIGN_OR_RETURN(inserted, tx.InsertMany(kLoad, rows));
      return absl::OkStatus();
    });
  };
  ASSERT_THAT(load(Things(2500)), IsOk());
  EXPECT_EQ(inserted, 2480);
  EXPECT_EQ(CountAndSum(), (std::vector<int64_t>{2500, 2500 * 2499 / 2}));
  ASSERT_THAT(load({}), IsOk());
  EXPECT_EQ(inserted, 0);
}

TEST_P(SqlManyTest, InsertManyKeepsEveryTypeOfValue) {
  constexpr InsertQuery kLoad{"many.load_values", "INSERT INTO wide (n, t, b, d, f)", ""};
  constexpr Query kRead{"many.read_values", "SELECT n, t, b, d, f FROM wide ORDER BY n"};
  ASSERT_THAT(db_->RunScript("CREATE TABLE wide (n BIGINT, t TEXT, b BYTEA, d DOUBLE PRECISION, "
                             "f BOOLEAN)"),
              IsOk());
  const std::string zero("a\0b\xff", 4);
  ASSERT_THAT(
      db_->ReadWrite(absl::InfiniteFuture(),
                     [&](Tx& tx) -> absl::Status {
                       const std::vector<Args> rows = {
                           {int64_t{-1}, std::monostate(), Bytes{zero}, 0.5, true},
                           {int64_t{1} << 40, "工会, {\"}'", std::monostate(), -1e300, false},
                           {int64_t{1} << 41, "", Bytes{}, std::monostate(), std::monostate()}};
                       RETURN_IF_ERROR(tx.InsertMany(kLoad, rows).status());
                       ASSIGN_OR_RETURN(const Rows read, tx.Run(kRead));
                       EXPECT_EQ(read.size(), 3);
                       EXPECT_EQ(read[0].Get<int64_t>(0), -1);
                       EXPECT_TRUE(read[0].IsNull(1));
                       EXPECT_EQ(read[0].Get<Bytes>(2).data, zero);
                       EXPECT_EQ(read[0].Get<double>(3), 0.5);
                       EXPECT_TRUE(read[0].Get<bool>(4));
                       EXPECT_EQ(read[1].Get<int64_t>(0), int64_t{1} << 40);
                       EXPECT_EQ(read[1].Get<std::string>(1), "工会, {\"}'");
                       EXPECT_TRUE(read[1].IsNull(2));
                       EXPECT_EQ(read[1].Get<double>(3), -1e300);
                       EXPECT_FALSE(read[1].Get<bool>(4));
                       EXPECT_EQ(read[2].Get<std::string>(1), "");
                       EXPECT_EQ(read[2].Get<Bytes>(2).data, "");
                       EXPECT_TRUE(read[2].IsNull(3) && read[2].IsNull(4));
                       return absl::OkStatus();
                     }),
      IsOk());
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

TEST_P(SqlManyTest, WhatRunsLaterRunsInItsTurn) {
  const std::vector<Args> first = Things(1200);
  const std::vector<Args> then = {{"demo", "k1000", int64_t{7}}, {"demo", "k1001", int64_t{7}}};
  ASSERT_THAT(db_->ReadWrite(absl::InfiniteFuture(),
                             [&](Tx& tx) -> absl::Status {
                               RETURN_IF_ERROR(tx.RunLater(kInsert, first));
                               RETURN_IF_ERROR(tx.RunLater(kSet, then));
                               ASSIGN_OR_RETURN(const Rows rows, tx.Run(kFind, {"demo", "k1000"}));
                               EXPECT_EQ(rows[0].Get<int64_t>(2), 7);
                               RETURN_IF_ERROR(tx.RunLater(kSet, {}));
                               return tx.RunLater(kSet, {{"demo", "k1002", int64_t{9}}});
                             }),
              IsOk());
  EXPECT_EQ(CountAndSum(), (std::vector<int64_t>{1200, 1200 * 1199 / 2 - 3 + 7 + 7 + 9}));
}

// The last statements travel with COMMIT; where one fails, nothing is committed, and the connection
// serves the next transaction, statements that were to be prepared among it.
TEST_P(SqlManyTest, WhatFailsLaterCommitsNothing) {
  constexpr Query kAlso{"many.also",
                        "INSERT INTO things (tenant, key, amount) VALUES ($1, $2, $3 + 1)"};
  const std::vector<Args> one = Things(1);
  const std::vector<Args> two = {{"demo", "other", int64_t{1}}};
  for (int attempt = 0; attempt < 2; ++attempt) {
    EXPECT_THAT(db_->ReadWrite(absl::InfiniteFuture(),
                               [&](Tx& tx) -> absl::Status {
                                 RETURN_IF_ERROR(tx.Run(kSum).status());
                                 RETURN_IF_ERROR(tx.RunLater(kInsert, one));
                                 RETURN_IF_ERROR(tx.RunLater(kInsert, one));
                                 return tx.RunLater(kAlso, two);
                               }),
                testing::HasReason(common::v1::REASON_ALREADY_EXISTS));
    EXPECT_EQ(CountAndSum()[0], 0);
  }
  EXPECT_THAT(db_->ReadWrite(absl::InfiniteFuture(),
                             [&](Tx& tx) -> absl::Status {
                               RETURN_IF_ERROR(tx.Run(kSum).status());
                               RETURN_IF_ERROR(tx.RunLater(kAlso, two));
                               return tx.RunLater(kAlso, two);
                             }),
              testing::HasReason(common::v1::REASON_ALREADY_EXISTS));
  EXPECT_THAT(
      db_->ReadWrite(absl::InfiniteFuture(), [&](Tx& tx) { return tx.RunLater(kAlso, two); }),
      IsOk());
  EXPECT_EQ(CountAndSum(), (std::vector<int64_t>{1, 2}));
}

// What the closure itself fails with counts, whatever becomes of the statements on the way.
TEST_P(SqlManyTest, AClosureMayFailWithStatementsOnTheWay) {
  const std::vector<Args> one = Things(1);
  EXPECT_THAT(db_->ReadWrite(absl::InfiniteFuture(),
                             [&](Tx& tx) -> absl::Status {
                               RETURN_IF_ERROR(tx.Run(kSum).status());
                               tx.RunLater(kInsert, one).IgnoreError();
                               tx.RunLater(kInsert, one).IgnoreError();
                               return absl::CancelledError("changed its mind");
                             }),
              testing::StatusIs(absl::StatusCode::kCancelled));
  ASSERT_THAT(
      db_->ReadWrite(absl::InfiniteFuture(), [&](Tx& tx) { return tx.RunLater(kInsert, one); }),
      IsOk());
  EXPECT_EQ(CountAndSum()[0], 1);
}

INSTANTIATE_TEST_SUITE_P(Engines, SqlManyTest, ::testing::ValuesIn(testing::Engines()));

}  // namespace
}  // namespace gonghui::sql
