// Sharing of receipts: examples, the catalogue, and random rules against a plain reckoning.
// GONGHUI_SEED repeats a run; GONGHUI_FULL=1: a million receipts.
#include "services/funds/levy_sharing.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "common/base/text.h"
#include "common/testing/matchers.h"
#include "common/testing/settings.h"
#include "services/funds/catalog.embedded.h"
#include "services/funds/dues_bills.h"
#include "services/funds/levy_facts.h"
#include "services/funds/levy_obligations.h"

namespace gonghui::funds {
namespace {

using testing::HasReason;
using testing::IsOk;

EmbeddedFile LevyFile() {
  for (const EmbeddedFile& file : embedded::services_funds_catalog()) {
    if (file.name == "levy.yaml") return file;
  }
  ADD_FAILURE() << "no levy.yaml";
  return {};
}

const LevyRules& Builtin() {
  static const auto& rules = *new absl::StatusOr<LevyRules>(LevyRules::Load(LevyFile()));
  EXPECT_THAT(rules, IsOk());
  return *rules;
}

tree::OrganizationTree TreeOf(const std::vector<std::array<const char*, 3>>& organizations) {
  tree::OrganizationTree tree;
  for (const auto& [id, parent, kind] : organizations) {
    tree.Apply({.version_id = id,
                .id = id,
                .parent = parent,
                .display_name = id,
                .kind = kind,
                .state = "open",
                .valid_from = "2000-01-01",
                .valid_to = "9999-12-31"});
  }
  return tree;
}

// A city over districts; one of them has a street, the other has enterprises of its own.
const tree::OrganizationTree& Tree() {
  static const auto& tree = *new tree::OrganizationTree(TreeOf({{"C", "", "city"},
                                                                {"D1", "C", "district"},
                                                                {"D2", "C", "district"},
                                                                {"S", "D1", "town_street"},
                                                                {"E1", "S", "enterprise"},
                                                                {"E2", "D2", "enterprise"}}));
  return tree;
}

// "level organisation amount way" of each level.
std::vector<std::string> Lines(const Shared& shared) {
  std::vector<std::string> lines;
  for (const LevelShare& level : shared.levels) {
    lines.push_back(StrCat(level.level, " ", level.organization, " ", level.amount_fen, " ",
                           static_cast<int64_t>(level.way)));
  }
  return lines;
}

using Texts = std::vector<std::string>;

TEST(LevySharingTest, PartsAddUpAndAreNeverNegative) {
  const auto split = [](int64_t amount, std::vector<int32_t> shares, size_t rest) {
    return SplitAmount(amount, shares, rest);
  };
  using Parts = std::vector<int64_t>;
  EXPECT_EQ(split(10000, {6000, 1500, 1000, 1000, 500}, 0), (Parts{6000, 1500, 1000, 1000, 500}));
  EXPECT_EQ(split(1, {5000, 5000, 0}, 2), (Parts{1, 0, 0}));
  EXPECT_EQ(split(3, {3333, 3333, 3334}, 2), (Parts{1, 1, 1}));
  EXPECT_EQ(split(101, {6000, 4000}, 0), (Parts{61, 40}));
  EXPECT_EQ(split(0, {6000, 4000}, 1), (Parts{0, 0}));
  EXPECT_EQ(split(1'000'000'000'000'000, {10000}, 0), (Parts{1'000'000'000'000'000}));
}

TEST(LevySharingTest, LevelsAboveTheRootAndAbsentOnes) {
  const LevyRules& rules = Builtin();
  const Standing payer(rules, Tree(), "E1", "2024-05-10");
  const auto collector = CollectorOf(rules, payer, "tax_agency", "2024-05-10", "channel");
  ASSERT_THAT(collector, IsOk());
  EXPECT_EQ(*collector, "D1");
  const SharingCase receipt{"levy", "tax_agency", "2024-04-01", "2024-05-10", 10001};
  const auto shared = Share(rules, payer, *collector, receipt);
  ASSERT_THAT(shared, IsOk());
  EXPECT_EQ(Lines(*shared), (Texts{"grassroots E1 6001 2", "district D1 1500 0", "city C 1000 1",
                                   "province  1000 1", "national  500 1"}));
  // Seen from the street there is no grassroots union: its part is the rest, and stays.
  const Standing street(rules, Tree(), "S", "2024-05-10");
  const auto held = Share(rules, street, "D1", receipt);
  ASSERT_THAT(held, IsOk());
  EXPECT_EQ(Lines(*held)[0], "grassroots D1 6001 0");
  // Collected by the unit's own union.
  const auto direct = CollectorOf(rules, payer, "direct", "2024-05-10", "channel");
  ASSERT_THAT(direct, IsOk());
  const auto own = Share(rules, payer, *direct, receipt);
  ASSERT_THAT(own, IsOk());
  EXPECT_EQ(Lines(*own)[0], "grassroots E1 6001 0");
  EXPECT_EQ(Lines(*own)[1], "district D1 1500 1");
  EXPECT_THAT(Share(rules, payer, "E1", {"fees", "direct", "2024-04-01", "2024-05-10", 1}),
              HasReason(common::v1::REASON_RULE_VIOLATED));
  EXPECT_THAT(CollectorOf(rules, payer, "post", "2024-05-10", "channel"),
              HasReason(common::v1::REASON_CODE_UNKNOWN));
}

TEST(LevySharingTest, DuesByTheFormula) {
  const v1::DuesFormula* formula = Builtin().Dues({"E1"}, "2024-05-31");
  ASSERT_NE(formula, nullptr);
  const auto dues = [&](int64_t wage) { return *DuesOf(*formula, wage); };
  EXPECT_EQ(dues(345678), 1725);  // 3456.78 yuan: 3450 count.
  EXPECT_EQ(dues(999), 0);
  EXPECT_EQ(dues(1000), 5);
  EXPECT_EQ(dues(0), 0);
}

TEST(LevySharingTest, LateFeesByThePlace) {
  ObligationRow row;
  row.view.set_payable_fen(100000);
  row.view.set_due_on("2024-05-15");
  const std::vector<Paid> paid = {{"2024-05-10", 20000}, {"2024-05-25", 30000}};
  const auto fee = [&](const char* place, const char* as_of) {
    return PositionAt(row, paid, as_of, Builtin().LateFee({"E1", place}, "2024-05-15"))
        .late_fee_fen;
  };
  EXPECT_EQ(fee("", "2024-06-14"), 0);
  EXPECT_EQ(fee("310000", "2024-06-14"), 0);
  EXPECT_EQ(fee("110000", "2024-05-15"), 0);
  // 300 yuan for 10 days and 500 for 30, 5 per mille a day.
  EXPECT_EQ(fee("110000", "2024-06-14"), 1500 + 7500);
  EXPECT_EQ(fee("110000", "2026-05-15"), 1500 + 182500);
  EXPECT_EQ(fee("500000", "2026-05-15"), 100000);  // Never more than the principal.
  const Position at = PositionAt(row, paid, "2024-06-14", nullptr);
  EXPECT_EQ(at.outstanding_fen, 50000);
  EXPECT_EQ(at.overdue_days, 30);
}

TEST(LevySharingTest, ArrearsAgeByThemselves) {
  ObligationRow row;
  row.view.set_organization("E1");
  row.view.set_item("levy");
  row.view.set_payable_fen(1000);
  row.view.set_due_on("2024-05-15");
  row.last_day = "2024-04-30";
  const auto at = [&](const std::vector<Paid>& paid, const std::string& day) {
    std::map<std::string, int64_t> ages;
    for (const auto& fact : ObligationFacts(Builtin(), row, paid)) {
      if (fact.measure() != "fund_arrears" || fact.on_date() > day) continue;
      ages[fact.dimensions(0).value()] += fact.delta();
    }
    std::erase_if(ages, [](const auto& age) { return age.second == 0; });
    return ages;
  };
  using Ages = std::map<std::string, int64_t>;
  EXPECT_EQ(at({}, "2024-05-15"), (Ages{}));
  EXPECT_EQ(at({}, "2024-05-16"), (Ages{{"1-30", 1000}}));
  EXPECT_EQ(at({}, "2024-06-14"), (Ages{{"1-30", 1000}}));
  EXPECT_EQ(at({}, "2024-06-15"), (Ages{{"31-90", 1000}}));
  EXPECT_EQ(at({}, "2030-01-01"), (Ages{{"over-365", 1000}}));
  const std::vector<Paid> paid = {{"2024-05-01", 100}, {"2024-06-20", 300}, {"2025-09-01", 700}};
  EXPECT_EQ(at(paid, "2024-06-19"), (Ages{{"31-90", 900}}));
  EXPECT_EQ(at(paid, "2024-06-20"), (Ages{{"31-90", 600}}));
  EXPECT_EQ(at(paid, "2025-08-31"), (Ages{{"over-365", 600}}));
  EXPECT_EQ(at(paid, "2025-09-01"), (Ages{}));
}

TEST(LevySharingTest, AssessedByUnionDueDayAndRelief) {
  v1::LevyPayer payer;
  payer.set_unit("U");
  payer.set_organization("E1");
  payer.set_founded_on("2024-03-10");
  v1::LevyObligation given;
  given.set_period("2024-02");
  given.set_payroll_fen(12345);
  auto row = Assess(Builtin(), Tree(), payer, given);
  ASSERT_THAT(row, IsOk());
  EXPECT_EQ(row->view.item(), "preparatory");
  EXPECT_EQ(row->view.payable_fen(), 247);  // 246.9 fen.
  EXPECT_EQ(row->view.due_on(), "2024-03-15");
  given.set_period("2024q1");
  given.set_relief_fen(100);
  EXPECT_THAT(Assess(Builtin(), Tree(), payer, given),
              HasReason(common::v1::REASON_FIELD_REQUIRED));
  given.set_relief_reason("停产");
  given.set_deferred_to("2024-06-30");
  row = Assess(Builtin(), Tree(), payer, given);
  ASSERT_THAT(row, IsOk());
  EXPECT_EQ(row->view.period(), "2024Q1");
  EXPECT_EQ(row->view.item(), "levy");
  EXPECT_EQ(row->view.payable_fen(), 147);
  EXPECT_EQ(row->view.due_on(), "2024-06-30");
  given.set_period("2024");
  EXPECT_THAT(Assess(Builtin(), Tree(), payer, given),
              HasReason(common::v1::REASON_PERIOD_INVALID));
}

TEST(LevySharingTest, BrokenCataloguesAreRefused) {
  const std::string good(LevyFile().text);
  const auto load = [&](const std::string& from, const std::string& to) {
    EXPECT_NE(good.find(from), std::string::npos) << from;
    const std::string text = Replace(good, from, to);
    return LevyRules::Load({"levy.yaml", text}).status();
  };
  EXPECT_THAT(load("version", "version"), IsOk());
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"{level: city, share: 1000}", "{level: city, share: 1001}"},
           {"{level: city, share: 1000}", "{level: moon, share: 1000}"},
           {"rest: grassroots", "rest: town_street"},
           {"instalments: [6000, 4000]", "instalments: [6000, 3000]"},
           {"collector: grassroots", "collector: moon"},
           {"valid_from: \"2023-01-01\"", "valid_from: \"2023-13-01\""},
           {"months: 3", "months: 5"},
           {"step_fen: 1000", "step_fen: 0"},
           {"held: true", "held: false"},
           {"from_days: 31", "from_days: 1"},
           {"day: 15", "day: 32"}}) {
    EXPECT_THAT(load(from, to), HasReason(common::v1::REASON_FIELD_INVALID)) << to;
  }
}

// A rule as drawn; what the catalogue text is written from, and what the reckoning reads.
struct Drawn {
  std::string name, place, channel, from, to, received_from, received_to;
  int priority = 0;
  std::vector<std::pair<int, int64_t>> parts;  // Level, share.
  int rest = 0;                                // Level.
};

constexpr const char* kLevels[] = {"grassroots", "town_street", "district",
                                   "city",       "province",    "national"};
constexpr const char* kChannels[] = {"direct", "tax_agency", "fiscal"};

class RandomRules {
 public:
  explicit RandomRules(uint64_t seed) : random_(seed) {
    // One that fits always, so that every receipt is shared.
    for (int i = 0; i < 40; ++i) rules_.push_back(Draw(i));
  }
  int64_t Below(int64_t n) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(n)); }
  std::string Day() {
    const auto month = 1 + Below(12);
    return StrCat(2018 + Below(8), month < 10 ? "-0" : "-", month, "-", 10 + Below(18));
  }
  const std::vector<Drawn>& rules() const { return rules_; }

  std::string Yaml() const {
    const std::string good(LevyFile().text);
    const size_t begin = good.find("sharing:\n");
    const size_t end = good.find("cycles:\n");
    std::string text = good.substr(0, begin) + "sharing:\n";
    for (const Drawn& rule : rules_) {
      StrAppend(&text, "  - name: ", rule.name, "\n    item: levy\n    priority: ", rule.priority,
                "\n    valid: {citation: test");
      if (!rule.place.empty()) StrAppend(&text, ", place: ", rule.place);
      if (!rule.from.empty()) StrAppend(&text, ", valid_from: \"", rule.from, "\"");
      if (!rule.to.empty()) StrAppend(&text, ", valid_to: \"", rule.to, "\"");
      text += "}\n";
      if (!rule.channel.empty()) StrAppend(&text, "    channels: [", rule.channel, "]\n");
      if (!rule.received_from.empty()) {
        StrAppend(&text, "    received_from: \"", rule.received_from, "\"\n");
      }
      if (!rule.received_to.empty()) {
        StrAppend(&text, "    received_to: \"", rule.received_to, "\"\n");
      }
      text += "    parts:\n";
      for (const auto& [level, share] : rule.parts) {
        StrAppend(&text, "      - {level: ", kLevels[level], ", share: ", share, "}\n");
      }
      StrAppend(&text, "    rest: ", kLevels[rule.rest], "\n");
    }
    return text + good.substr(end);
  }

 private:
  Drawn Draw(int number) {
    Drawn rule;
    rule.name = StrCat("r", number);
    std::vector<int> levels;
    while (levels.empty()) {
      for (int i = 0; i < 6; ++i) {
        if (Below(3) > 0) levels.push_back(i);
      }
    }
    int64_t left = 10'000;
    for (size_t i = 0; i < levels.size(); ++i) {
      const int64_t share = i + 1 == levels.size() ? left : Below(left + 1);
      rule.parts.emplace_back(levels[i], share);
      left -= share;
    }
    rule.rest = levels[static_cast<size_t>(Below(static_cast<int64_t>(levels.size())))];
    if (number == 0) return rule;
    constexpr const char* kPlaces[] = {"", "C", "D1", "D2", "S", "E1"};
    rule.place = kPlaces[Below(6)];
    if (Below(2) == 0) rule.channel = kChannels[Below(3)];
    if (Below(2) == 0) rule.from = Day();
    if (Below(3) == 0) rule.to = Day();
    if (Below(3) == 0) rule.received_from = Day();
    if (Below(3) == 0) rule.received_to = Day();
    rule.priority = static_cast<int>(Below(3));
    return rule;
  }

  std::mt19937_64 random_;
  std::vector<Drawn> rules_;
};

// The rule for a receipt, by going through all of them.
const Drawn& RuleOf(const std::vector<Drawn>& rules, const std::vector<std::string>& path,
                    const std::string& channel, const std::string& period,
                    const std::string& received) {
  const Drawn* best = nullptr;
  size_t best_near = 0;
  for (const Drawn& rule : rules) {
    size_t near = 0;
    while (near < path.size() && path[near] != rule.place) ++near;
    if (near == path.size() && !rule.place.empty()) continue;
    if (!rule.channel.empty() && rule.channel != channel) continue;
    if (period < rule.from || (!rule.to.empty() && period >= rule.to)) continue;
    if (received < rule.received_from) continue;
    if (!rule.received_to.empty() && received >= rule.received_to) continue;
    const bool better = best == nullptr || rule.priority > best->priority ||
                        (rule.priority == best->priority &&
                         (near < best_near || (near == best_near && rule.from > best->from)));
    if (!better) continue;
    best = &rule;
    best_near = near;
  }
  return *best;
}

TEST(LevySharingTest, RandomReceiptsAddUpToThePlainReckoning) {
  const uint64_t seed = testing::Seed();
  RandomRules drawn(seed);
  const std::string yaml = drawn.Yaml();
  const auto rules = LevyRules::Load({"levy.yaml", yaml});
  ASSERT_THAT(rules, IsOk());
  // Where each level of a payer is: level -> organisation; levels above the city have none.
  const std::vector<std::pair<std::vector<std::string>, std::map<int, std::string>>> payers = {
      {{"E1", "S", "D1", "C"}, {{0, "E1"}, {1, "S"}, {2, "D1"}, {3, "C"}}},
      {{"E2", "D2", "C"}, {{0, "E2"}, {2, "D2"}, {3, "C"}}},
      {{"S", "D1", "C"}, {{1, "S"}, {2, "D1"}, {3, "C"}}}};
  std::map<std::string, __int128> ours;
  std::map<std::string, __int128> reckoned;
  const int receipts = testing::FullSize() ? 1'000'000 : 100'000;
  for (int i = 0; i < receipts; ++i) {
    const auto& [path, at] = payers[static_cast<size_t>(drawn.Below(3))];
    const std::string channel = kChannels[drawn.Below(3)];
    const std::string period = drawn.Day().substr(0, 8) + "01";
    const std::string received = drawn.Day();
    const int64_t amount = 1 + drawn.Below(drawn.Below(2) == 0 ? 20 : 1'000'000'000);
    const Standing payer(*rules, Tree(), path.front(), received);
    const auto collector = CollectorOf(*rules, payer, channel, received, "channel");
    ASSERT_THAT(collector, IsOk());
    const auto shared =
        Share(*rules, payer, *collector, {"levy", channel, period, received, amount});
    ASSERT_THAT(shared, IsOk());
    const std::string year = received.substr(0, 4);
    int64_t sum = 0;
    for (const LevelShare& level : shared->levels) {
      ASSERT_GE(level.amount_fen, 0);
      sum += level.amount_fen;
      ours[StrCat(year, " ", level.level, " ", level.organization)] += level.amount_fen;
    }
    ASSERT_EQ(sum, amount);
    // The reckoning: every part but the rest rounded on its own while there is money.
    const Drawn& rule = RuleOf(drawn.rules(), path, channel, period, received);
    ASSERT_EQ(shared->rule->name(), rule.name);
    int64_t left = amount;
    for (const auto& [level, share] : rule.parts) {
      const bool there = level > 3 || at.contains(level);
      if (level == rule.rest || !there) continue;
      const auto exact =
          static_cast<int64_t>((static_cast<__int128>(2) * amount * share + 10'000) / 20'000);
      const int64_t part = exact < left ? exact : left;
      left -= part;
      reckoned[StrCat(year, " ", kLevels[level], " ", level > 3 ? "" : at.at(level))] += part;
    }
    const std::string owner = rule.rest > 3            ? ""
                              : at.contains(rule.rest) ? at.at(rule.rest)
                                                       : *collector;
    reckoned[StrCat(year, " ", kLevels[rule.rest], " ", owner)] += left;
  }
  EXPECT_TRUE(ours == reckoned);
  EXPECT_GT(ours.size(), 50u);
}

}  // namespace
}  // namespace gonghui::funds
