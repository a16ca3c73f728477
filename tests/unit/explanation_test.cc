#include "common/auth/explanation.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace gonghui::auth {
namespace {

using common::v1::Grant;

constexpr char kToday[] = "2021-06-30";

// Organisations o0 … o39, each below an earlier one; o0 is the root.
class RandomTree : public OrganizationScope {
 public:
  explicit RandomTree(std::mt19937& random) {
    for (int i = 1; i < 40; ++i) parent_[i] = static_cast<int>(random() % i);
  }
  absl::StatusOr<bool> IsAtOrBelow(std::string_view federation, std::string_view organization,
                                   std::string_view ancestor) const override {
    const int above = Number(ancestor);
    int at = Number(organization);
    if (at < 0) return NotFound(common::v1::REASON_NOT_FOUND, "unknown", "未知");
    while (at != above && at != 0) at = parent_.at(at);
    return at == above;
  }
  absl::StatusOr<std::string> RootOf(std::string_view) const override { return "o0"; }

 private:
  static int Number(std::string_view id) {
    return id.starts_with("o") ? std::stoi(std::string(id.substr(1))) : -1;
  }
  std::map<int, int> parent_;
};

template <size_t N>
std::string Pick(std::mt19937& random, const char* const (&from)[N]) {
  return from[random() % N];
}

TEST(Explanation, AgreesWithEnforcement) {
  std::mt19937 random(20210630);
  const RandomTree tree(random);
  const Roles& roles = Roles::Builtin();
  const auto organization = [&]() -> std::string {
    switch (random() % 12) {
      case 0:
        return "";
      case 1:
        return "elsewhere";
      default:
        return absl::StrCat("o", random() % 40);
    }
  };
  int allowed = 0;
  for (int n = 0; n < 100'000; ++n) {
    Actor actor{.subject = "u", .federation = "demo", .grants = {}};
    for (size_t g = random() % 4; g > 0; --g) {
      Grant& grant = actor.grants.emplace_back();
      grant.set_role(Pick(random, {"admin", "registrar", "clerk", "auditor", "nobody"}));
      grant.set_organization(random() % 15 == 0 ? "*" : organization());
      grant.set_below(random() % 2 == 0);
      if (random() % 4 == 0) grant.set_from(Pick(random, {"2021-06-30", "2021-07-01"}));
      if (random() % 4 == 0) grant.set_until(Pick(random, {"2021-06-30", "2021-07-01"}));
    }
    const std::string permission =
        Pick(random, {"membership.members.get", "membership.personal_fields.reveal",
                      "funds.vouchers.post", "reports.figures.query"});
    const std::string asked = organization();
    bool allows = false;
    for (const Grant& grant : actor.grants) {
      auto verdict = Judge(grant, roles, tree, "demo", permission, asked, kToday);
      ASSERT_TRUE(verdict.ok()) << verdict.status();
      allows = allows || *verdict == Verdict::kAllows;
    }
    ASSERT_EQ(allows, Check(actor, roles, tree, "demo", permission, asked, kToday).ok())
        << n << " " << permission << " " << asked;
    allowed += allows ? 1 : 0;
  }
  EXPECT_GT(allowed, 5'000);
  EXPECT_LT(allowed, 95'000);
}

TEST(Explanation, NamesTheRolesThatHoldAPermission) {
  const std::vector<std::string> roles = RolesHolding("membership.personal_fields.reveal");
  EXPECT_EQ(roles, (std::vector<std::string>{"admin", "registrar"}));
  EXPECT_EQ(RolesHolding("no.such.thing"), std::vector<std::string>{"admin"});
}

}  // namespace
}  // namespace gonghui::auth
