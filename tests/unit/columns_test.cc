// Sums of columns against a plain count of the same facts.
#include "services/reports/columns.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/testing/matchers.h"

namespace gonghui::reports {
namespace {

constexpr std::string_view kCatalogue = R"(
measures:
  - {name: visits, kind: flow, unit: visit, dimensions: [{key: topic}, {key: names, remark: true}]}
  - {name: members, kind: heads, unit: person, dimensions: [{key: sex}]}
)";

struct Fact final : sql::RowView {
  // organization, measure, on_date, dims, subject, delta, record, source.
  std::string texts[8];
  int64_t delta = 0;
  std::string_view Text(size_t column) const override { return texts[column]; }
  int64_t Integer(size_t) const override { return delta; }
};

// organization, source, measure, subject, dims, day.
using Key =
    std::tuple<std::string, std::string, std::string, std::string, std::string, std::string>;

std::map<Key, std::pair<int64_t, int64_t>> SumsOf(const FactColumns& facts,
                                                  const std::set<std::string>& daily) {
  std::vector<bool> by_day;
  for (uint32_t i = 0; i < facts.organizations().size(); ++i) {
    by_day.push_back(daily.contains(facts.organizations()[i]));
  }
  std::map<Key, std::pair<int64_t, int64_t>> sums;
  std::pair<uint32_t, uint32_t> last;
  for (const FactColumns::Group& group : facts.Sum(by_day)) {
    const FactColumns::Series& series = facts.series()[group.series];
    const FactColumns::Item& item = facts.items()[series.item];
    const std::pair here(group.series, group.day);
    EXPECT_TRUE(sums.empty() || last.first <= here.first) << "not in order";
    last = here;
    auto& [value, records] =
        sums[{facts.organizations()[series.organization], facts.sources()[series.source],
              facts.measures()[item.measure], facts.subjects()[item.subject],
              facts.dims()[item.dims], facts.days()[group.day]}];
    value += group.sums.value;
    records += group.sums.records;
  }
  std::erase_if(sums, [](const auto& sum) { return sum.second == std::pair<int64_t, int64_t>{}; });
  return sums;
}

// `subjects`: few make the table full, many make it sparse.
void CompareWithCount(int count, int subjects) {
  ASSERT_OK_AND_ASSIGN(const Measures measures, Measures::Load({{"test.yaml", kCatalogue}}));
  const std::set<std::string> daily = {"E2"};
  std::mt19937 random(7);
  FactColumns facts(measures);
  std::map<Key, std::pair<int64_t, int64_t>> expected;
  int kept = 0;
  for (int i = 0; i < count; ++i) {
    Fact fact;
    const std::string measure = random() % 3 == 0    ? "members"
                                : random() % 10 == 0 ? "unheard_of"
                                                     : "visits";
    const bool heads = measure == "members";
    const std::string topic = absl::StrCat(heads ? "sex=" : "topic=", random() % 3);
    fact.texts[0] = absl::StrCat("E", random() % 4);
    fact.texts[1] = measure;
    fact.texts[2] = absl::StrFormat("2020-%02d-%02d", random() % 12 + 1, random() % 28 + 1);
    fact.texts[3] = heads ? topic : absl::StrCat("names=", random() % 5, ";", topic);
    fact.texts[4] = random() % 4 == 0 ? "" : absl::StrCat("s", random() % subjects);
    fact.texts[6] = absl::StrCat("record", i);
    fact.texts[7] = random() % 5 == 0 ? "returns/form" : "activities";
    fact.delta = static_cast<int64_t>(random() % 5) - 2;
    facts.Add(fact);
    if (measure == "unheard_of") continue;
    ++kept;
    const bool of_record = fact.texts[4].empty() && fact.texts[7] == "activities";
    const std::string day =
        daily.contains(fact.texts[0]) ? fact.texts[2] : fact.texts[2].substr(0, 7) + "-01";
    auto& [value, records] = expected[{fact.texts[0], fact.texts[7], measure,
                                       !heads      ? ""
                                       : of_record ? fact.texts[6]
                                                   : fact.texts[4],
                                       topic, day}];
    value += fact.delta;
    records += fact.delta > 0 ? 1 : fact.delta < 0 ? -1 : 0;
  }
  EXPECT_EQ(facts.size(), static_cast<size_t>(kept));
  std::erase_if(expected,
                [](const auto& sum) { return sum.second == std::pair<int64_t, int64_t>{}; });
  EXPECT_EQ(SumsOf(facts, daily), expected);
}

TEST(ColumnsTest, SumsInPlace) { CompareWithCount(20'000, 2); }
TEST(ColumnsTest, SumsByTable) { CompareWithCount(5'000, 4'000); }
TEST(ColumnsTest, SumsNothing) { CompareWithCount(0, 1); }

TEST(ColumnsTest, NumbersTextsOnce) {
  Dictionary texts;
  EXPECT_EQ(texts.Code("b"), 0U);
  EXPECT_EQ(texts.Code("c"), 1U);
  EXPECT_EQ(texts.Code("b"), 0U);
  EXPECT_EQ(texts.Code(""), 2U);
  EXPECT_EQ(texts.Code("a"), 3U);
  EXPECT_EQ(texts[1], "c");
  EXPECT_EQ(texts.Ranks(), (std::vector<uint32_t>{2, 3, 0, 1}));
}

}  // namespace
}  // namespace gonghui::reports
