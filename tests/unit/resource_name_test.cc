#include "common/base/resource_name.h"

#include "common/base/text.h"
#include "common/testing/matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gonghui {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

constexpr std::string_view kMember = "federations/{federation}/members/{member}";

TEST(ResourceNameTest, YieldsTheIds) {
  ASSERT_OK_AND_ASSIGN(const auto ids, ParseName(kMember, "federations/demo/members/A-1.b_~"));
  EXPECT_THAT(ids, ElementsAre(Pair("federation", "demo"), Pair("member", "A-1.b_~")));
}

TEST(ResourceNameTest, RefusesOtherForms) {
  const std::string long_id(129, 'x');
  for (const std::string& name :
       {std::string(), std::string("federations/demo"), std::string("federations/demo/members/"),
        std::string("federations/demo/members/1/x"), std::string("federations/demo/cases/1"),
        std::string("federations//members/1"), std::string("federations/demo/members/张三"),
        StrCat("federations/demo/members/", long_id)}) {
    EXPECT_THAT(ParseName(kMember, name), testing::HasReason(common::v1::REASON_FIELD_INVALID));
  }
}

TEST(ResourceNameTest, FindsFederationAndLeaf) {
  EXPECT_EQ(FederationOf("federations/demo/members/7"), "demo");
  EXPECT_EQ(FederationOf("federations/demo"), "demo");
  EXPECT_EQ(FederationOf("members/7"), "");
  EXPECT_EQ(LeafOf("federations/demo/members/7"), "7");
  EXPECT_EQ(LeafOf("7"), "7");
}

TEST(TextTest, SplitsReplacesAndJoins) {
  EXPECT_THAT(Split("a,,b", ','), ElementsAre("a", "", "b"));
  EXPECT_THAT(Split("", ','), ElementsAre(""));
  EXPECT_EQ(Replace("a--b--", "--", "+"), "a+b+");
  EXPECT_EQ(StrCat("n=", 3, std::string_view(" x"), std::string("y")), "n=3 xy");
  EXPECT_EQ(Strip("\t a b \n"), "a b");
}

}  // namespace
}  // namespace gonghui
