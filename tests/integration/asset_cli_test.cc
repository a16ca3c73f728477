// gonghui asset against a running suite.
#include <gmock/gmock.h>

#include <string>

#include "tests/integration/cli_suite.h"

namespace gonghui {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class AssetCliTest : public CliTest {
 protected:
  void Buy(const std::string& number, const std::string& on_date, int months,
           const std::string& asset_class = "computer") {
    const Result bought = Gonghui(
        absl::StrCat("records create --kind asset --org E1 --number ", number,
                     " --title 电脑 --on ", on_date, " --set class=", asset_class,
                     " --set source=bought --set value=7200 --set holder=办公室 --set place=301"
                     " --set acceptance=YS-1 --set life_months=",
                     months));
    ASSERT_EQ(bought.code, 0) << bought.err;
    const std::string name = bought.out.substr(0, bought.out.find(':'));
    const Result accepted =
        Gonghui("records step " + name + " accept --on " + on_date, "GONGHUI_TOKEN_FILE=second");
    ASSERT_EQ(accepted.code, 0) << accepted.err;
  }
};

TEST_F(AssetCliTest, AMonthsDepreciationInOneGo) {
  ImportOrganizations();
  ASSERT_EQ(Gonghui("token --dev --role admin --subject second --data '" +
                    (folder_ / "data").string() + "' --out second")
                .code,
            0);
  Buy("Z-1", "2021-03-05", 72);
  Buy("Z-2", "2021-03-20", 100);
  Buy("Z-3", "2021-03-20", 0, "book");
  Buy("Z-4", "2021-04-02", 72);
  const std::string march = "asset depreciate --month 2021-03 --lang en";
  const Result dry = Gonghui(march + " --dry-run");
  EXPECT_EQ(dry.code, 0) << dry.err;
  EXPECT_THAT(dry.out, HasSubstr("would be charged 2, charged before 0, nothing left to charge 1"));
  const Result charged = Gonghui(march);
  EXPECT_EQ(charged.code, 0) << charged.err;
  EXPECT_THAT(charged.out, HasSubstr("2021-03-31: charged 2, charged before 0"));
  EXPECT_THAT(Gonghui("balances --book E1").out, HasSubstr("172.00"));  // 100 and 72.
  EXPECT_THAT(Gonghui(march).out, HasSubstr("charged 0, charged before 2"));
  // May before April is refused, asset by asset, and says so.
  const Result early = Gonghui("asset depreciate --month 2021-05 --org T1");
  EXPECT_EQ(early.code, 1);
  EXPECT_THAT(early.out, AllOf(HasSubstr("refused 3"), HasSubstr("Z-1"), HasSubstr("every month once, in order")));
  EXPECT_EQ(Gonghui("asset depreciate --month 2021-04").code, 0);
  EXPECT_EQ(Gonghui("asset depreciate --month 2021-05").code, 0);
  EXPECT_THAT(Gonghui("balances --book E1").out, HasSubstr("716.00"));  // 3 × 172 and 2 × 100.
  EXPECT_EQ(Gonghui("asset depreciate --month 2021H1").code, 2);
}

}  // namespace
}  // namespace gonghui
