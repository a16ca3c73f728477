#include "common/auth/grants.h"

#include <gtest/gtest.h>

#include <set>

#include "common/base/status.h"

namespace gonghui::auth {
namespace {

constexpr char kToday[] = "2020-06-30";

// D01 is the root; T01 and T02 lie below it, E01 below T01.
class SmallTree : public OrganizationScope {
 public:
  absl::StatusOr<bool> IsAtOrBelow(std::string_view federation, std::string_view organization,
                                   std::string_view ancestor) const override {
    ++questions;
    EXPECT_EQ(federation, "demo");
    if (!known_.contains(std::string(organization))) {
      return NotFound(common::v1::REASON_NOT_FOUND, "unknown", "未知");
    }
    return organization == ancestor || ancestor == "D01" ||
           (ancestor == "T01" && organization == "E01");
  }
  absl::StatusOr<std::string> RootOf(std::string_view) const override { return "D01"; }

  mutable int questions = 0;

 private:
  const std::set<std::string> known_ = {"D01", "T01", "T02", "E01"};
};

common::v1::Grant MakeGrant(const std::string& role, const std::string& organization,
                            bool below = false, const std::string& from = "",
                            const std::string& until = "") {
  common::v1::Grant grant;
  grant.set_role(role);
  grant.set_organization(organization);
  grant.set_below(below);
  grant.set_from(from);
  grant.set_until(until);
  return grant;
}

class GrantsTest : public ::testing::Test {
 protected:
  Reason Check(const common::v1::Grant& grant, const std::string& permission,
               const std::string& organization) {
    const Actor actor{.subject = "u", .federation = "demo", .grants = {grant}};
    const absl::Status status =
        auth::Check(actor, Roles::Builtin(), tree_, "demo", permission, organization, kToday);
    if (!status.ok()) {
      EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
    }
    return ReasonOf(status);  // REASON_UNSPECIFIED when allowed.
  }

  static constexpr Reason kAllowed = common::v1::REASON_UNSPECIFIED;
  SmallTree tree_;
};

TEST_F(GrantsTest, CoversTheOrganisationItselfWithoutTheTree) {
  EXPECT_EQ(Check(MakeGrant("clerk", "T01"), "membership.members.get", "T01"), kAllowed);
  EXPECT_EQ(tree_.questions, 0);
  EXPECT_EQ(Check(MakeGrant("clerk", "T01"), "membership.members.get", "E01"),
            common::v1::REASON_OUT_OF_SCOPE);
}

TEST_F(GrantsTest, CoversWhatLiesBelowWhenItSaysSo) {
  const common::v1::Grant grant = MakeGrant("clerk", "T01", true);
  EXPECT_EQ(Check(grant, "membership.members.get", "E01"), kAllowed);
  EXPECT_EQ(Check(grant, "membership.members.get", "T02"), common::v1::REASON_OUT_OF_SCOPE);
  EXPECT_EQ(Check(grant, "membership.members.get", "X99"), common::v1::REASON_OUT_OF_SCOPE);
}

TEST_F(GrantsTest, WholeFederationNeedsTheRootOrEverywhere) {
  EXPECT_EQ(Check(MakeGrant("clerk", "D01", true), "membership.members.list", ""), kAllowed);
  EXPECT_EQ(Check(MakeGrant("clerk", "*"), "membership.members.list", ""), kAllowed);
  EXPECT_EQ(Check(MakeGrant("clerk", "D01"), "membership.members.list", ""),
            common::v1::REASON_OUT_OF_SCOPE);
  EXPECT_EQ(Check(MakeGrant("clerk", "T01", true), "membership.members.list", ""),
            common::v1::REASON_OUT_OF_SCOPE);
}

TEST_F(GrantsTest, EverywhereCoversUnknownOrganisationsToo) {
  EXPECT_EQ(Check(MakeGrant("admin", "*"), "funds.vouchers.post", "X99"), kAllowed);
}

TEST_F(GrantsTest, NeedsAPermission) {
  EXPECT_EQ(Check(MakeGrant("auditor", "*"), "funds.vouchers.post", "T01"),
            common::v1::REASON_PERMISSION_MISSING);
  EXPECT_EQ(Check(MakeGrant("no_such_role", "*"), "funds.vouchers.get", "T01"),
            common::v1::REASON_PERMISSION_MISSING);
}

TEST_F(GrantsTest, CountsOnlyGrantsInForce) {
  const auto check = [&](const std::string& from, const std::string& until) {
    return Check(MakeGrant("clerk", "T01", false, from, until), "membership.members.get", "T01");
  };
  EXPECT_EQ(check("2020-06-30", ""), kAllowed);
  EXPECT_EQ(check("2020-07-01", ""), common::v1::REASON_PERMISSION_MISSING);
  EXPECT_EQ(check("", "2020-07-01"), kAllowed);
  EXPECT_EQ(check("", "2020-06-30"), common::v1::REASON_PERMISSION_MISSING);
}

TEST_F(GrantsTest, AnyGrantSuffices) {
  const Actor actor{.subject = "u",
                    .federation = "demo",
                    .grants = {MakeGrant("auditor", "T02"), MakeGrant("clerk", "T01", true)}};
  EXPECT_TRUE(auth::Check(actor, Roles::Builtin(), tree_, "demo", "membership.members.create",
                          "E01", kToday)
                  .ok());
  EXPECT_TRUE(CheckPermission(actor, Roles::Builtin(), "membership.members.create", kToday).ok());
  EXPECT_EQ(ReasonOf(CheckPermission(actor, Roles::Builtin(), "funds.vouchers.post", kToday)),
            common::v1::REASON_PERMISSION_MISSING);
}

TEST(RolesTest, WildcardsMatchEveryEnding) {
  const Roles& roles = Roles::Builtin();
  EXPECT_TRUE(roles.Permits("admin", "anything.at.all"));
  EXPECT_TRUE(roles.Permits("registrar", "membership.members.create"));
  EXPECT_FALSE(roles.Permits("registrar", "funds.books.create"));
  EXPECT_TRUE(roles.Permits("service", "feed.events.list"));
  EXPECT_FALSE(roles.Permits("service", "membership.members.get"));
  EXPECT_FALSE(roles.Permits("auditor", "membership.members.update"));
}

TEST(RolesTest, RefusesBadFiles) {
  EXPECT_FALSE(Roles::FromYaml("roles: [{name: a, permisions: [x]}]").ok());
  EXPECT_FALSE(Roles::FromYaml("roles: [{name: a}, {name: a}]").ok());
  EXPECT_TRUE(Roles::FromYaml("roles: [{name: a, permissions: [x.y.z]}]").ok());
}

}  // namespace
}  // namespace gonghui::auth
