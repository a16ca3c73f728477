// gonghui migrate against databases that are there, half there and not there.
#include <gmock/gmock.h>

#include <string>

#include "common/sql/sql.h"
#include "tests/integration/cli_suite.h"

namespace gonghui {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST_F(CliTest, SchemasArePlannedAndApplied) {
  suite_.reset();
  const std::string data = " -- --data '" + (folder_ / "data").string() + "'";
  EXPECT_THAT(Gonghui("migrate --dry-run" + data).out,
              AllOf(HasSubstr("membership: "), HasSubstr("funds: "), HasSubstr("nothing to do")));
  {
    auto db = sql::Database::Open({.url = "sqlite:" + (folder_ / "data/funds.db").string()});
    ASSERT_TRUE(db.ok());
    ASSERT_TRUE((*db)
                    ->RunScript("DELETE FROM schema_migrations WHERE name = '202_bank.sql';"
                                "DROP TABLE bank_accounts; DROP TABLE bank_lines;"
                                "DROP TABLE bank_matches; DROP TABLE bank_balances;"
                                "DROP TABLE bank_reconciliations;")
                    .ok());
  }
  const Result plan = Gonghui("migrate --dry-run" + data);
  EXPECT_EQ(plan.code, 0) << plan.err;
  EXPECT_THAT(plan.out, HasSubstr("to apply: 202_bank.sql"));
  EXPECT_EQ(Gonghui("migrate" + data).code, 0);
  EXPECT_THAT(Gonghui("migrate --dry-run" + data).out, ::testing::Not(HasSubstr("to apply")));
  const std::string fresh = " -- --data '" + (folder_ / "fresh").string() + "'";
  EXPECT_THAT(Gonghui("migrate --dry-run" + fresh).out, HasSubstr("funds: a new database"));
  EXPECT_FALSE(fs::exists(folder_ / "fresh/funds.db"));
  EXPECT_EQ(Gonghui("migrate" + fresh).code, 0);
  EXPECT_TRUE(fs::exists(folder_ / "fresh/funds.db"));
  EXPECT_NE(Gonghui("migrate -- --migrate sideways").code, 0);
}

}  // namespace
}  // namespace gonghui
