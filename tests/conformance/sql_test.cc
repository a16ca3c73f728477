// The same behaviour on every engine (common/sql/sql.h).
#include "common/sql/sql.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/base/text.h"
#include "common/sql/migrate.h"
#include "common/testing/database.h"
#include "common/testing/matchers.h"
#include "gtest/gtest.h"

namespace gonghui::sql {
namespace {

using common::v1::REASON_ALREADY_EXISTS;
using gonghui::testing::HasReason;
using gonghui::testing::IsOk;
using gonghui::testing::StatusIs;

constexpr Query kInsert{"test.insert_item",
                        "INSERT INTO items (tenant, id, amount, ratio, live, photo, note) "
                        "VALUES ($1, $2, $3, $4, $5, $6, $7)"};
constexpr Query kGet{"test.get_item",
                     "SELECT id, amount, ratio, live, photo, note FROM items "
                     "WHERE id = $2 AND tenant = $1"};
constexpr Query kCount{"test.count_items", "SELECT COUNT(*) FROM items WHERE tenant = $1"};
constexpr Query kList{"test.list_items",
                      "SELECT id, amount FROM items WHERE tenant = $1 ORDER BY id"};
constexpr Query kAdd{"test.add_amount",
                     "UPDATE items SET amount = amount + $3 WHERE tenant = $1 AND id = $2"};
constexpr Query kAmount{"test.get_amount",
                        "SELECT amount FROM items WHERE tenant = $1 AND id = $2"};

Args Item(const std::string& id, int64_t amount) {
  return {"t", id, amount, 0.5, true, Bytes{"\x01"}, std::monostate()};
}

class SqlTest : public ::testing::TestWithParam<std::string> {
 protected:
  SqlTest() {
    EXPECT_THAT(db_->RunScript("CREATE TABLE items ("
                               "  tenant TEXT NOT NULL, id TEXT NOT NULL, amount BIGINT NOT NULL,"
                               "  ratio DOUBLE PRECISION NOT NULL, live BOOLEAN NOT NULL,"
                               "  photo BYTEA, note TEXT, PRIMARY KEY (tenant, id));"
                               "CREATE INDEX items_ix_amount ON items (tenant, amount);"),
                IsOk());
  }

  absl::Time Soon() { return absl::Now() + absl::Seconds(20); }
  absl::Status Insert(const std::string& id, int64_t amount) {
    return db_->ReadWrite(Soon(),
                          [&](Tx& tx) { return tx.Run(kInsert, Item(id, amount)).status(); });
  }
  int64_t Count() { return Single(kCount, {"t"}); }
  int64_t Single(const Query& query, const Args& args) {
    int64_t value = -1;
    EXPECT_THAT(db_->ReadOnly(Soon(),
                              [&](Tx& tx) -> absl::Status {
                                ASSIGN_OR_RETURN(const Rows rows, tx.Run(query, args));
                                value = rows[0].Get<int64_t>(0);
                                return absl::OkStatus();
                              }),
                IsOk());
    return value;
  }

  testing::TempDatabase db_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Engines, SqlTest, ::testing::ValuesIn(testing::Engines()),
                         [](const auto& engine) { return engine.param; });

TEST_P(SqlTest, KeepsEveryType) {
  const std::string bytes("\x00\xff'\\", 4);
  ASSERT_THAT(db_->ReadWrite(Soon(),
                             [&](Tx& tx) -> absl::Status {
                               ASSIGN_OR_RETURN(const Rows inserted,
                                                tx.Run(kInsert, {"t", "a", int64_t{-5}, 0.1, true,
                                                                 Bytes{bytes}, "工会'\"\\"}));
                               EXPECT_EQ(inserted.affected(), 1);
                               return tx
                                   .Run(kInsert, {"t", "b", INT64_MAX, -2.0, false,
                                                  std::monostate(), std::monostate()})
                                   .status();
                             }),
              IsOk());
  ASSERT_THAT(db_->ReadOnly(Soon(),
                            [&](Tx& tx) -> absl::Status {
                              ASSIGN_OR_RETURN(const Rows a, tx.Run(kGet, {"t", "a"}));
                              EXPECT_EQ(a.size(), 1u);
                              EXPECT_EQ(a.affected(), 0);
                              EXPECT_EQ(a[0].Get<std::string_view>(0), "a");
                              EXPECT_EQ(a[0].Get<int64_t>(1), -5);
                              EXPECT_EQ(a[0].Get<int>(1), -5);
                              EXPECT_EQ(a[0].Get<double>(2), 0.1);
                              EXPECT_TRUE(a[0].Get<bool>(3));
                              EXPECT_EQ(a[0].Get<Bytes>(4).data, bytes);
                              EXPECT_EQ(a[0].Get<std::string>(5), "工会'\"\\");
                              ASSIGN_OR_RETURN(const Rows b, tx.Run(kGet, {"t", "b"}));
                              EXPECT_EQ(b[0].Get<int64_t>(1), INT64_MAX);
                              EXPECT_FALSE(b[0].Get<bool>(3));
                              EXPECT_TRUE(b[0].IsNull(4));
                              EXPECT_EQ(b[0].Get<std::optional<std::string>>(5), std::nullopt);
                              ASSIGN_OR_RETURN(const Rows none, tx.Run(kGet, {"t", "none"}));
                              EXPECT_TRUE(none.empty());
                              return absl::OkStatus();
                            }),
              IsOk());
}

TEST_P(SqlTest, SumsAndNullsKeepTheirTypes) {
  constexpr Query kSum{"test.sum_items",
                       "SELECT SUM(amount), MAX(note), COUNT(*) FILTER (WHERE live), "
                       "SUM(CASE WHEN live THEN 1 ELSE 0 END) FROM items WHERE tenant = $1"};
  constexpr Query kOptional{
      "test.list_filtered",
      "SELECT id FROM items WHERE tenant = $1 AND "
      "(CAST($2 AS TEXT) IS NULL OR id = $2) AND ($3 OR NOT live) ORDER BY 1"};
  ASSERT_THAT(Insert("a", 2'000'000'000'000), IsOk());
  ASSERT_THAT(Insert("b", 3), IsOk());
  ASSERT_THAT(
      db_->ReadOnly(
          Soon(),
          [&](Tx& tx) -> absl::Status {
            ASSIGN_OR_RETURN(const Rows sums, tx.Run(kSum, {"t"}));
            EXPECT_EQ(sums[0].Get<int64_t>(0), 2'000'000'000'003);
            EXPECT_TRUE(sums[0].IsNull(1));
            EXPECT_EQ(sums[0].Get<int64_t>(2), 2);
            EXPECT_EQ(sums[0].Get<int64_t>(3), 2);
            ASSIGN_OR_RETURN(const Rows nothing, tx.Run(kSum, {"other"}));
            EXPECT_TRUE(nothing[0].IsNull(0));
            ASSIGN_OR_RETURN(const Rows all, tx.Run(kOptional, {"t", std::monostate(), true}));
            EXPECT_EQ(all.size(), 2u);
            ASSIGN_OR_RETURN(const Rows one, tx.Run(kOptional, {"t", "b", true}));
            EXPECT_EQ(one.size(), 1u);
            return absl::OkStatus();
          }),
      IsOk());
}

TEST_P(SqlTest, PlaceholdersGoByNumberAndMayRepeat) {
  constexpr Query kSwap{"test.swap", "SELECT CAST($2 AS TEXT), CAST($1 AS TEXT), CAST($2 AS TEXT)"};
  ASSERT_THAT(db_->ReadOnly(Soon(),
                            [&](Tx& tx) -> absl::Status {
                              ASSIGN_OR_RETURN(const Rows rows, tx.Run(kSwap, {"one", "two"}));
                              EXPECT_EQ(rows[0].Get<std::string>(0), "two");
                              EXPECT_EQ(rows[0].Get<std::string>(1), "one");
                              EXPECT_EQ(rows[0].Get<std::string>(2), "two");
                              return absl::OkStatus();
                            }),
              IsOk());
}

TEST_P(SqlTest, ReturningUpsertAndRowComparison) {
  constexpr Query kUpsert{"test.upsert_item",
                          "INSERT INTO items (tenant, id, amount, ratio, live) "
                          "VALUES ($1, $2, $3, 0, TRUE) ON CONFLICT (tenant, id) DO UPDATE "
                          "SET amount = items.amount + excluded.amount RETURNING amount"};
  constexpr Query kAfter{"test.list_after",
                         "SELECT id FROM items WHERE (tenant, id) > ($1, $2) ORDER BY tenant, id "
                         "LIMIT $3"};
  ASSERT_THAT(Insert("a", 1), IsOk());
  ASSERT_THAT(
      db_->ReadWrite(Soon(),
                     [&](Tx& tx) -> absl::Status {
                       ASSIGN_OR_RETURN(const Rows rows, tx.Run(kUpsert, {"t", "a", int64_t{41}}));
                       EXPECT_EQ(rows[0].Get<int64_t>(0), 42);
                       EXPECT_EQ(rows.affected(), 1);
                       RETURN_IF_ERROR(tx.Run(kUpsert, {"t", "b", int64_t{7}}).status());
                       ASSIGN_OR_RETURN(const Rows after, tx.Run(kAfter, {"t", "a", int64_t{10}}));
                       EXPECT_EQ(after.size(), 1u);
                       return absl::OkStatus();
                     }),
      IsOk());
}

TEST_P(SqlTest, FailedClosureLeavesNothing) {
  EXPECT_THAT(db_->ReadWrite(Soon(),
                             [&](Tx& tx) -> absl::Status {
                               RETURN_IF_ERROR(tx.Run(kInsert, Item("a", 1)).status());
                               return absl::NotFoundError("changed its mind");
                             }),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(Count(), 0);
}

TEST_P(SqlTest, AUniqueKeyHasItsReasonAndNoDriverText) {
  ASSERT_THAT(Insert("secret-key", 1), IsOk());
  const absl::Status again = Insert("secret-key", 2);
  EXPECT_THAT(again, StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(again, HasReason(REASON_ALREADY_EXISTS));
  EXPECT_THAT(std::string(again.message()), ::testing::Not(::testing::HasSubstr("secret")));
  EXPECT_THAT(std::string(again.message()), ::testing::Not(::testing::HasSubstr("items")));
}

TEST_P(SqlTest, AFailedStatementIsFinalEvenWhenTheClosureGoesOn) {
  ASSERT_THAT(Insert("a", 1), IsOk());
  EXPECT_THAT(
      db_->ReadWrite(Soon(),
                     [&](Tx& tx) {
                       EXPECT_THAT(tx.Run(kInsert, Item("b", 1)), IsOk());
                       EXPECT_THAT(tx.Run(kInsert, Item("a", 1)), HasReason(REASON_ALREADY_EXISTS));
                       EXPECT_THAT(tx.Run(kInsert, Item("c", 1)), HasReason(REASON_ALREADY_EXISTS));
                       return absl::OkStatus();
                     }),
      HasReason(REASON_ALREADY_EXISTS));
  EXPECT_EQ(Count(), 1);
}

TEST_P(SqlTest, DefectsAreInternal) {
  constexpr Query kBroken{"test.broken", "SELECT nothing FROM nowhere"};
  constexpr Query kDialect{"test.dialect", "SELECT NOW()"};
  constexpr Query kOther{"test.count_items", "SELECT 1"};
  for (const Query& query : {kBroken, kDialect}) {
    EXPECT_THAT(db_->ReadOnly(Soon(), [&](Tx& tx) { return tx.Run(query).status(); }),
                StatusIs(absl::StatusCode::kInternal));
  }
  EXPECT_THAT(db_->ReadOnly(Soon(),
                            [&](Tx& tx) -> absl::Status {
                              RETURN_IF_ERROR(tx.Run(kCount, {"t"}).status());
                              return tx.Run(kOther).status();
                            }),
              StatusIs(absl::StatusCode::kInternal));
  EXPECT_THAT(db_->ReadOnly(Soon(), [&](Tx& tx) { return tx.Run(kCount, {}).status(); }),
              StatusIs(absl::StatusCode::kInternal));
  EXPECT_THAT(db_->ReadOnly(Soon(), [&](Tx& tx) { return tx.Run(kInsert, Item("a", 1)).status(); }),
              StatusIs(absl::StatusCode::kInternal));
  EXPECT_EQ(Count(), 0);
}

TEST_P(SqlTest, TextWithNulIsRefused) {
  EXPECT_THAT(Insert(std::string("a\0b", 3), 1), HasReason(common::v1::REASON_FIELD_INVALID));
}

TEST_P(SqlTest, RunManyWritesAllOrNothing) {
  std::vector<Args> rows;
  for (int i = 0; i < 2345; ++i) rows.push_back(Item(StrCat("id", i), i));
  ASSERT_THAT(db_->ReadWrite(Soon(),
                             [&](Tx& tx) -> absl::Status {
                               ASSIGN_OR_RETURN(const int64_t changed, tx.RunMany(kInsert, rows));
                               EXPECT_EQ(changed, 2345);
                               ASSIGN_OR_RETURN(const int64_t none, tx.RunMany(kInsert, {}));
                               EXPECT_EQ(none, 0);
                               return absl::OkStatus();
                             }),
              IsOk());
  EXPECT_EQ(Count(), 2345);
  for (Args& row : rows) row[0] = "u";
  rows[1700] = Item("id3", 3);  // Exists.
  EXPECT_THAT(db_->ReadWrite(Soon(), [&](Tx& tx) { return tx.RunMany(kInsert, rows).status(); }),
              HasReason(REASON_ALREADY_EXISTS));
  EXPECT_EQ(Single(kCount, {"u"}), 0);
}

TEST_P(SqlTest, StreamsAndStops) {
  std::vector<Args> rows;
  for (int i = 0; i < 5000; ++i) rows.push_back(Item(StrCat("id", 10000 + i), i));
  ASSERT_THAT(db_->ReadWrite(Soon(), [&](Tx& tx) { return tx.RunMany(kInsert, rows).status(); }),
              IsOk());
  int64_t sum = 0, seen = 0;
  EXPECT_THAT(db_->ReadOnly(Soon(),
                            [&](Tx& tx) -> absl::Status {
                              RETURN_IF_ERROR(tx.Stream(kList, {"t"}, [&](const Rows::Row& row) {
                                sum += row.Get<int64_t>(1);
                                return absl::OkStatus();
                              }));
                              // Its own error stops the stream, not the transaction.
                              EXPECT_THAT(tx.Stream(kList, {"t"},
                                                    [&](const Rows::Row&) {
                                                      return ++seen == 10
                                                                 ? absl::CancelledError("enough")
                                                                 : absl::OkStatus();
                                                    }),
                                          StatusIs(absl::StatusCode::kCancelled));
                              // Other statements may run inside.
                              return tx.Stream(kList, {"t"}, [&](const Rows::Row& row) {
                                if (row.Get<int64_t>(1) > 0) return absl::OkStatus();
                                return tx.Run(kCount, {"t"}).status();
                              });
                            }),
              IsOk());
  EXPECT_EQ(sum, int64_t{5000} * 4999 / 2);
  EXPECT_EQ(seen, 10);
}

TEST_P(SqlTest, ScansWithoutCopies) {
  constexpr int kRows = 25'000;  // More than the server is asked for at once.
  std::vector<Args> rows;
  for (int i = 0; i < kRows; ++i) rows.push_back(Item(StrCat("id", 100000 + i), i - 5));
  ASSERT_THAT(db_->ReadWrite(Soon(), [&](Tx& tx) { return tx.RunMany(kInsert, rows).status(); }),
              IsOk());
  int seen = 0;
  EXPECT_THAT(db_->ReadOnly(Soon(),
                            [&](Tx& tx) -> absl::Status {
                              seen = 0;
                              RETURN_IF_ERROR(tx.Scan(kList, {"t"}, [&](const RowView& row) {
                                EXPECT_EQ(row.Text(0), StrCat("id", 100000 + seen));
                                EXPECT_EQ(row.Integer(1), seen - 5);
                                ++seen;
                                return absl::OkStatus();
                              }));
                              EXPECT_EQ(seen, kRows);
                              // Its own error stops the scan, not the transaction.
                              for (const int last : {1, 9'999, 10'000, 10'001}) {
                                seen = 0;
                                EXPECT_THAT(tx.Scan(kList, {"t"},
                                                    [&](const RowView&) {
                                                      return ++seen == last
                                                                 ? absl::CancelledError("enough")
                                                                 : absl::OkStatus();
                                                    }),
                                            StatusIs(absl::StatusCode::kCancelled));
                                EXPECT_EQ(seen, last);
                              }
                              RETURN_IF_ERROR(tx.Scan(kList, {"nobody"}, [&](const RowView&) {
                                ADD_FAILURE() << "a row of nobody";
                                return absl::OkStatus();
                              }));
                              return tx.Run(kCount, {"t"}).status();
                            }),
              IsOk());
}

TEST_P(SqlTest, ReadsSeeOneSnapshot) {
  ASSERT_THAT(Insert("a", 1), IsOk());
  ASSERT_THAT(db_->ReadOnly(Soon(),
                            [&](Tx& tx) -> absl::Status {
                              RETURN_IF_ERROR(tx.Run(kCount, {"t"}).status());
                              std::thread([&] { EXPECT_THAT(Insert("b", 1), IsOk()); }).join();
                              ASSIGN_OR_RETURN(const Rows rows, tx.Run(kCount, {"t"}));
                              EXPECT_EQ(rows[0].Get<int64_t>(0), 1);
                              return absl::OkStatus();
                            }),
              IsOk());
  EXPECT_EQ(Count(), 2);
}

TEST_P(SqlTest, ConcurrentReadModifyWritesAllCount) {
  ASSERT_THAT(Insert("a", 0), IsOk());
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        const absl::Status status = db_->ReadWrite(Soon(), [&](Tx& tx) -> absl::Status {
          ASSIGN_OR_RETURN(const Rows rows, tx.Run(kAmount, {"t", "a"}));
          EXPECT_EQ(rows.size(), 1u);
          return tx.Run(kAdd, {"t", "a", int64_t{1}}).status();
        });
        EXPECT_THAT(status, IsOk());
        const int written = ++done;  // An acknowledged write is seen at once.
        EXPECT_GE(Single(kAmount, {"t", "a"}), written);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Single(kAmount, {"t", "a"}), 200);
}

TEST_P(SqlTest, ARejectedClosureDoesNotFailItsNeighbours) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&, t] {
      const absl::Status status = db_->ReadWrite(Soon(), [&](Tx& tx) -> absl::Status {
        RETURN_IF_ERROR(tx.Run(kInsert, Item(StrCat("id", t), t)).status());
        return t % 2 == 0 ? absl::OkStatus() : absl::AbortedError("odd");
      });
      EXPECT_EQ(status.ok(), t % 2 == 0);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Count(), 8);
}

TEST_P(SqlTest, WaitingEndsAtTheDeadline) {
  absl::Notification entered, release;
  std::vector<std::thread> holders;
  std::atomic<int> held{0};
  for (int i = 0; i < 4; ++i) {  // As many as TempDatabase has connections.
    holders.emplace_back([&] {
      EXPECT_THAT(db_->ReadOnly(Soon(),
                                [&](Tx& tx) {
                                  if (++held == 4) entered.Notify();
                                  release.WaitForNotification();
                                  return absl::OkStatus();
                                }),
                  IsOk());
    });
  }
  entered.WaitForNotification();
  const absl::Time start = absl::Now();
  bool ran = false;
  EXPECT_THAT(db_->ReadOnly(start + absl::Milliseconds(100),
                            [&](Tx&) {
                              ran = true;
                              return absl::OkStatus();
                            }),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_FALSE(ran);
  EXPECT_LT(absl::Now() - start, absl::Seconds(2));
  release.Notify();
  for (std::thread& holder : holders) holder.join();
  EXPECT_EQ(Count(), 0);
}

TEST_P(SqlTest, AWriterThatDidNotStartInTimeNeverStarts) {
  if (GetParam() != "sqlite") GTEST_SKIP() << "only SQLite queues writers";
  absl::Notification entered, release;
  std::thread holder([&] {
    EXPECT_THAT(db_->ReadWrite(Soon(),
                               [&](Tx&) {
                                 entered.Notify();
                                 release.WaitForNotification();
                                 return absl::OkStatus();
                               }),
                IsOk());
  });
  entered.WaitForNotification();
  std::atomic<bool> ran{false};
  EXPECT_THAT(db_->ReadWrite(absl::Now() + absl::Milliseconds(50),
                             [&](Tx&) {
                               ran = true;
                               return absl::OkStatus();
                             }),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  release.Notify();
  holder.join();
  EXPECT_THAT(Insert("a", 1), IsOk());
  EXPECT_FALSE(ran);
}

TEST_P(SqlTest, LongStatementsEndAtTheDeadline) {
  constexpr Query kLong{"test.count_long",
                        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                        "WHERE i < 2000000000) SELECT COUNT(*) FROM n"};
  const auto run = [&](Tx& tx) { return tx.Run(kLong).status(); };
  EXPECT_THAT(db_->ReadOnly(absl::Now() + absl::Milliseconds(200), run),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_THAT(db_->ReadWrite(absl::Now() + absl::Milliseconds(200), run),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_THAT(Insert("a", 1), IsOk());
}

// Time runs out before, in and after statements; whatever the server answers then, the next
// transaction finds a sound connection.
TEST_P(SqlTest, TheDeadlineMayPassAnywhere) {
  ASSERT_THAT(Insert("a", 0), IsOk());
  std::vector<Args> rows(20, Args{"t", "a", int64_t{1}});
  int64_t committed = 0;
  for (int i = 0; i < 3000; ++i) {
    const absl::Status status =
        db_->ReadWrite(absl::Now() + absl::Microseconds(300 + i % 1500),
                       [&](Tx& tx) { return tx.RunMany(kAdd, rows).status(); });
    if (status.ok()) {
      committed += 20;
    } else {
      // UNAVAILABLE: a connection could not be opened in so short a time.
      EXPECT_THAT(status.code(), ::testing::AnyOf(absl::StatusCode::kDeadlineExceeded,
                                                  absl::StatusCode::kUnavailable));
    }
  }
  EXPECT_EQ(Single(kAmount, {"t", "a"}), committed);
}

TEST_P(SqlTest, AFullStoreRefusesWritesAndServesReads) {
  if (GetParam() != "sqlite") GTEST_SKIP() << "a PostgreSQL server's disk is not ours to fill";
  ASSERT_THAT(Insert("before", 1), IsOk());
  ASSERT_THAT(db_->RunScript("PRAGMA max_page_count=24"), IsOk());
  absl::Status status;
  int64_t written = 1;
  while (status.ok()) {
    status = db_->ReadWrite(Soon(), [&](Tx& tx) {
      Args row = Item(StrCat("row", written), 1);
      row[6] = std::string(10000, 'x');
      return tx.Run(kInsert, row).status();
    });
    if (status.ok()) ++written;
    ASSERT_LT(written, 100);
  }
  EXPECT_THAT(status, HasReason(common::v1::REASON_STORAGE_FULL));
  EXPECT_EQ(Count(), written);
  ASSERT_THAT(db_->RunScript("PRAGMA max_page_count=100000"), IsOk());
  EXPECT_THAT(Insert("after", 1), IsOk());
  EXPECT_EQ(Count(), written + 1);
}

TEST_P(SqlTest, ConnectionsThatDiedAreReplaced) {
  if (GetParam() != "postgres") GTEST_SKIP() << "SQLite has no server";
  constexpr Query kKill{"test.kill",
                        "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity "
                        "WHERE application_name = $1 AND pid <> pg_backend_pid()"};
  const std::string name = db_.url().substr(db_.url().size() - 16);
  ASSERT_OK_AND_ASSIGN(
      const auto victim,
      Database::Open({.url = StrCat(db_.url(), "&application_name=", name), .connections = 4}));
  const auto count = [](Tx& tx) { return tx.Run(kCount, {"t"}).status(); };
  std::vector<std::thread> threads;  // So that several connections idle.
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { EXPECT_THAT(victim->ReadOnly(Soon(), count), IsOk()); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(Single(kKill, {name}), 1);
  EXPECT_THAT(victim->ReadOnly(Soon(), count), IsOk());
  // In the middle of a transaction, too: nothing was committed, so it runs again.
  int runs = 0;
  EXPECT_THAT(victim->ReadWrite(Soon(),
                                [&](Tx& tx) -> absl::Status {
                                  RETURN_IF_ERROR(tx.Run(kInsert, Item("a", 1)).status());
                                  if (++runs == 1) {
                                    EXPECT_EQ(Single(kKill, {name}), 1);
                                  }
                                  return tx.Run(kCount, {"t"}).status();
                                }),
              IsOk());
  EXPECT_EQ(runs, 2);
  // At COMMIT nobody can tell.
  EXPECT_THAT(victim->ReadWrite(Soon(),
                                [&](Tx& tx) -> absl::Status {
                                  RETURN_IF_ERROR(tx.Run(kInsert, Item("b", 1)).status());
                                  EXPECT_EQ(Single(kKill, {name}), 1);
                                  return absl::OkStatus();
                                }),
              HasReason(common::v1::REASON_OUTCOME_UNKNOWN));
  EXPECT_EQ(Count(), 1);
}

TEST_P(SqlTest, AnAbsentServerIsUnavailable) {
  if (GetParam() != "postgres") GTEST_SKIP() << "SQLite has no server";
  EXPECT_THAT(Database::Open({.url = "postgres://nobody@127.0.0.1:1/none"}),
              HasReason(common::v1::REASON_UNAVAILABLE));
}

TEST_P(SqlTest, SurvivesReopening) {
  ASSERT_THAT(Insert("a", 9), IsOk());
  db_.Reopen();
  EXPECT_EQ(Single(kAmount, {"t", "a"}), 9);
}

TEST_P(SqlTest, MigratesOnceInOrderAndRefusesChanges) {
  constexpr Query kRead{"test.read_notes", "SELECT COUNT(*) FROM notes"};
  const EmbeddedFile first{"001_notes.sql", "CREATE TABLE notes (tenant TEXT PRIMARY KEY);"};
  const EmbeddedFile pg{"002_x.postgres.sql", "INSERT INTO notes VALUES ('postgres');"};
  const EmbeddedFile lite{"002_x.sqlite.sql", "INSERT INTO notes VALUES ('sqlite');"};
  const EmbeddedFile broken{"003_y.sql", "INSERT INTO notes VALUES ('y'); SELECT * FROM gone;"};
  ASSERT_THAT(Migrate(*db_, {lite, pg, first}, 1), IsOk());
  ASSERT_THAT(Migrate(*db_, {first, pg, lite}, 2), IsOk());
  EXPECT_EQ(Single(kRead, {}), 1);
  EXPECT_FALSE(Migrate(*db_, {first, pg, lite, broken}, 3).ok());
  EXPECT_EQ(Single(kRead, {}), 1);
  const EmbeddedFile changed{"001_notes.sql", "CREATE TABLE notes (id TEXT PRIMARY KEY);"};
  EXPECT_THAT(Migrate(*db_, {changed, pg, lite}, 4),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  // The program of the release before runs on; what took something away keeps it out.
  EXPECT_THAT(Migrate(*db_, {first}, 5), IsOk());
  const EmbeddedFile contract{"004_z.contract.sql", "DELETE FROM notes;"};
  ASSERT_THAT(Migrate(*db_, {first, pg, lite, contract}, 5), IsOk());
  EXPECT_THAT(Migrate(*db_, {first, pg, lite}, 5), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Migrate(*db_, {first, first}, 6), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_P(SqlTest, AMigrationIsPlannedBeforeItIsDone) {
  const EmbeddedFile first{"001_notes.sql", "CREATE TABLE notes (tenant TEXT PRIMARY KEY);"};
  const EmbeddedFile second{"002_more.sql", "CREATE TABLE more (tenant TEXT PRIMARY KEY);"};
  ASSERT_OK_AND_ASSIGN(const MigrationPlan fresh, PlanMigration(*db_, {second, first}));
  EXPECT_EQ(fresh.applied, 0);
  EXPECT_EQ(fresh.pending, (std::vector<std::string>{"001_notes.sql", "002_more.sql"}));
  ASSERT_THAT(Migrate(*db_, {first}, 1), IsOk());
  ASSERT_OK_AND_ASSIGN(const MigrationPlan half, PlanMigration(*db_, {first, second}));
  EXPECT_EQ(half.applied, 1);
  EXPECT_EQ(half.pending, std::vector<std::string>{"002_more.sql"});
  ASSERT_THAT(Migrate(*db_, {first, second}, 2), IsOk());
  ASSERT_OK_AND_ASSIGN(const MigrationPlan older, PlanMigration(*db_, {first}));
  EXPECT_EQ(older.newer, std::vector<std::string>{"002_more.sql"});
  const EmbeddedFile changed{"001_notes.sql", "CREATE TABLE notes (id TEXT PRIMARY KEY);"};
  EXPECT_THAT(PlanMigration(*db_, {changed, second}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_P(SqlTest, ConcurrentMigrationsAgree) {
  const EmbeddedFile first{"001_notes.sql", "CREATE TABLE notes (tenant TEXT PRIMARY KEY);"};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { EXPECT_THAT(Migrate(*db_, {first}, 1), IsOk()); });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace gonghui::sql
