// Members stored before names were looked for by pinyin.
#include "services/membership/name_key_backfill.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/time/clock.h"
#include "common/sql/sql.h"
#include "tests/integration/membership.h"

namespace gonghui::membership {
namespace {

class NameKeyBackfillTest : public MembershipTest {
 protected:
  int Named(const std::string& typed) {
    v1::ListMembersRequest request;
    request.set_parent("federations/demo");
    request.mutable_filter()->set_name_query(typed);
    const auto answer = admin_->Invoke<v1::ListMembersResponse>(
        "/gonghui.membership.v1.MemberService/ListMembers", request);
    EXPECT_THAT(answer, IsOk());
    return answer.ok() ? answer->members_size() : -1;
  }
};

TEST_P(NameKeyBackfillTest, FillsWhatIsMissing) {
  MakeDistrict();
  for (int i = 1; i <= 3; ++i) {
    v1::CreateMemberRequest request;
    request.set_parent("federations/demo");
    *request.mutable_member() = Member("E01", i);
    ASSERT_THAT(
        admin_->Invoke<v1::Member>("/gonghui.membership.v1.MemberService/CreateMember", request),
        IsOk());
  }
  ASSERT_EQ(Named("zhangsan"), 3);
  const std::string url = GetParam() == "sqlite"
                              ? absl::StrCat("sqlite:", (folder_ / "membership.db").string())
                              : database_->url();
  auto db = sql::Database::Open({.url = url});
  ASSERT_TRUE(db.ok()) << db.status();
  static constexpr sql::Query kForget{"test.forget_name_keys", "UPDATE members SET name_key=''"};
  ASSERT_THAT((*db)->ReadWrite(absl::Now() + absl::Seconds(10),
                               [](sql::Tx& tx) { return tx.Run(kForget).status(); }),
              IsOk());
  ASSERT_EQ(Named("zhangsan"), 0);
  ASSERT_THAT(FillNameKeys(**db), IsOk());
  EXPECT_EQ(Named("zhangsan"), 3);
  ASSERT_THAT(FillNameKeys(**db), IsOk());  // Nothing is left to do.
}

INSTANTIATE_TEST_SUITE_P(Engines, NameKeyBackfillTest,
                         ::testing::ValuesIn(::gonghui::testing::Engines()));

}  // namespace
}  // namespace gonghui::membership
