#include "common/catalog/fact_rules.h"

#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/catalog/yaml_message.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gonghui::catalog {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

common::v1::Kind KindOf(std::string_view facts) {
  common::v1::Kind kind;
  const absl::Status status = ParseYaml("k.yaml", StrCat("name: k\nfacts: [", facts, "]"), kind);
  EXPECT_TRUE(status.ok()) << status;
  return kind;
}

// measure@organization date {dimensions} subject delta
std::vector<std::string> Lines(const std::vector<common::v1::Fact>& facts) {
  std::vector<std::string> lines;
  for (const auto& fact : facts) {
    std::string line = StrCat(fact.measure(), "@", fact.organization(), " ", fact.on_date(), " {");
    for (const auto& d : fact.dimensions()) StrAppend(&line, d.key(), "=", d.value(), ";");
    StrAppend(&line, "} ", fact.subject(), " ", fact.delta());
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> LinesOf(std::string_view facts, const FactSource& source) {
  const auto yielded = FactsOf(KindOf(facts), source);
  EXPECT_TRUE(yielded.ok()) << yielded.status();
  return yielded.ok() ? Lines(*yielded) : std::vector<std::string>();
}

FactSource Sample() {
  FactSource source;
  source.organization = "T03";
  source.fields = {{"on_date", "2020-03-04"},       {"amount", "140950"}, {"host", "town"},
                   {"ends_on", "2020-05-01"},       {"subject", "ab12"},  {"parent.level", "city"},
                   {"parent.on_date", "2019-11-30"}};
  source.entered = {{"open", "2020-03-04"}, {"closed", "2020-04-02"}};
  return source;
}

TEST(FactsOfTest, CountsFromTheDate) {
  EXPECT_THAT(LinesOf("{measure: m}", Sample()), ElementsAre("m@T03 2020-03-04 {}  1"));
}

TEST(FactsOfTest, SumsAnAmountAndSkipsNothing) {
  EXPECT_THAT(LinesOf("{measure: m, amount: amount}", Sample()),
              ElementsAre("m@T03 2020-03-04 {}  140950"));
  EXPECT_THAT(LinesOf("{measure: m, amount: premium}", Sample()), IsEmpty());
}

TEST(FactsOfTest, RefusesAnAmountThatIsNoNumber) {
  const auto facts = FactsOf(KindOf("{measure: m, amount: host}"), Sample());
  ASSERT_FALSE(facts.ok());
  EXPECT_EQ(ReasonOf(facts.status()), common::v1::REASON_FIELD_INVALID);
}

TEST(FactsOfTest, SortsDimensionsAndDropsEmptyOnes) {
  EXPECT_THAT(LinesOf("{measure: m, subject: subject, dimensions: [{key: z, value: {field: host}}, "
                      "{key: a, value: {field: parent.level}}, {key: c, value: {constant: x}}, "
                      "{key: e, value: {field: none}}]}",
                      Sample()),
              ElementsAre("m@T03 2020-03-04 {a=city;c=x;z=town;} ab12 1"));
}

TEST(FactsOfTest, KnowsYearMonthAndOrganization) {
  EXPECT_THAT(LinesOf("{measure: m, dimensions: [{key: y, value: {field: year}}, "
                      "{key: m, value: {field: month}}, {key: p, value: {field: parent.year}}, "
                      "{key: o, value: {field: organization}}]}",
                      Sample()),
              ElementsAre("m@T03 2020-03-04 {m=2020-03;o=T03;p=2019;y=2020;}  1"));
}

TEST(FactsOfTest, WaitsForTheState) {
  EXPECT_THAT(LinesOf("{measure: m, in_state: closed}", Sample()),
              ElementsAre("m@T03 2020-04-02 {}  1"));
  EXPECT_THAT(LinesOf("{measure: m, in_state: closed, on: ends_on}", Sample()),
              ElementsAre("m@T03 2020-05-01 {}  1"));
  EXPECT_THAT(LinesOf("{measure: m, in_state: paid}", Sample()), IsEmpty());
}

TEST(FactsOfTest, LeavesTheStockOnce) {
  EXPECT_THAT(LinesOf("{measure: m, until_state: closed}", Sample()),
              ElementsAre("m@T03 2020-03-04 {}  1", "m@T03 2020-04-02 {}  -1"));
  EXPECT_THAT(LinesOf("{measure: m, until: ends_on}", Sample()),
              ElementsAre("m@T03 2020-03-04 {}  1", "m@T03 2020-05-02 {}  -1"));
  EXPECT_THAT(LinesOf("{measure: m, until: ends_on, until_state: closed}", Sample()),
              ElementsAre("m@T03 2020-03-04 {}  1", "m@T03 2020-04-02 {}  -1"));
}

TEST(FactsOfTest, NeedsADate) {
  FactSource source = Sample();
  source.fields.erase("ends_on");
  EXPECT_THAT(LinesOf("{measure: m, on: ends_on}", source), IsEmpty());
}

TEST(FactsOfTest, CancelledYieldsNothing) {
  FactSource source = Sample();
  source.cancelled = true;
  EXPECT_THAT(LinesOf("{measure: m}", source), IsEmpty());
}

TEST(FactsOfTest, JudgesConditions) {
  EXPECT_THAT(LinesOf("{measure: m, when: [{field: host, in: [town, street]}]}", Sample()),
              ElementsAre("m@T03 2020-03-04 {}  1"));
  EXPECT_THAT(LinesOf("{measure: m, when: [{field: host, in: [street]}]}", Sample()), IsEmpty());
  EXPECT_THAT(LinesOf("{measure: m, when: [{field: host, in: [town], not: true}]}", Sample()),
              IsEmpty());
  EXPECT_THAT(LinesOf("{measure: m, when: [{field: host}, {field: none, not: true}]}", Sample()),
              ElementsAre("m@T03 2020-03-04 {}  1"));
}

TEST(FactChangesTest, IsTheDifferenceOfMultisets) {
  const auto kind = KindOf("{measure: m}, {measure: m}, {measure: n, amount: amount}");
  FactSource source = Sample();
  const auto before = FactsOf(kind, source);
  source.fields["amount"] = "5";
  const auto after = FactsOf(kind, source);
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_THAT(FactChanges(*before, *before), IsEmpty());
  EXPECT_THAT(Lines(FactChanges(*before, *after)),
              ElementsAre("n@T03 2020-03-04 {}  -140950", "n@T03 2020-03-04 {}  5"));
  EXPECT_THAT(Lines(FactChanges(*before, {before->front()})),
              ElementsAre("m@T03 2020-03-04 {}  -1", "n@T03 2020-03-04 {}  -140950"));
}

}  // namespace
}  // namespace gonghui::catalog
