// Forms are checked when they are loaded; their rules judge returns.
#include "services/reports/return_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/testing/matchers.h"
#include "services/reports/catalog.embedded.h"
#include "services/reports/forms.h"
#include "services/reports/measures.h"

namespace gonghui::reports {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kMeasures[] = R"(
measures:
  - {name: heads, kind: heads, unit: person, dimensions: [{key: sex}, {key: group}]}
  - {name: share, kind: ratio, unit: "%", numerator: heads, denominator: heads}
)";

std::string FormYaml(const std::string& rows, const std::string& rules) {
  return absl::StrCat(R"(
forms:
  - name: other
    citation: 文号
    valid_from: "2020-01-01"
    period: quarter
    extent: unit
    approvals: 1
    filers: [{kinds: [enterprise], due_days: 1}]
    columns: [{key: value, label: 数}]
    rows: [{code: "1", label: 甲, cells: [{}]}]
  - name: form
    citation: 文号
    valid_from: "2020-01-01"
    period: quarter
    extent: unit
    approvals: 1
    filers: [{kinds: [enterprise], due_days: 1}]
    columns: [{key: value, label: 数}]
    rows:
)",
                      rows, rules.empty() ? "" : "\n    rules:\n", rules);
}

constexpr char kRows[] = R"(
      - {code: "1", label: 甲, cells: [{measure: heads}]}
      - {code: "2", label: 乙, cells: [{measure: heads, dimensions: sex=female}]}
      - {code: "3", label: 丙, decimals: 2, cells: [{}]})";

class ReturnRulesTest : public ::testing::Test {
 protected:
  static std::string LoadError(const std::string& rows, const std::string& rules) {
    const std::string yaml = FormYaml(rows, rules);
    return std::string(Forms::Load({{"forms.yaml", yaml}}, Catalogue()).status().message());
  }
  static const Measures& Catalogue() {
    static const Measures& measures = *new Measures(*Measures::Load({{"m.yaml", kMeasures}}));
    return measures;
  }
  // "rule: message" of each violation.
  static std::vector<std::string> Violations(const std::string& rules, RuleInput input) {
    const std::string yaml = FormYaml(kRows, rules);
    const auto forms = Forms::Load({{"forms.yaml", yaml}}, Catalogue());
    EXPECT_THAT(forms, testing::IsOk());
    if (!forms.ok()) return {};
    if (const auto other = input.others.find("other"); other != input.others.end()) {
      other->second.form = forms->Find("other", "2020-12-31");
    }
    std::vector<std::string> lines;
    const auto checked = CheckRules(*forms->Find("form", "2020-12-31"), input);
    for (const v1::RuleViolation& one : checked.violations()) {
      lines.push_back(absl::StrCat(one.rule(), ": ", one.message(), one.excused() ? " !" : ""));
    }
    return lines;
  }
  static RuleInput With(CellValues values) {
    RuleInput input;
    input.values = std::move(values);
    return input;
  }
};

TEST_F(ReturnRulesTest, TheBuiltInFormsLoad) {
  const auto measures = Measures::Load(embedded::services_reports_catalog());
  ASSERT_THAT(measures, testing::IsOk());
  const auto forms = Forms::Load(embedded::services_reports_catalog(), *measures);
  ASSERT_THAT(forms, testing::IsOk());
  EXPECT_EQ(forms->InForce("2020-12-31").size(), 3);
  EXPECT_EQ(forms->Find("district_half_year", "2019-12-31"), nullptr);
}

TEST_F(ReturnRulesTest, FaultsOfACatalogueAreNamed) {
  EXPECT_EQ(LoadError(kRows, ""), "");
  EXPECT_THAT(LoadError(R"(      - {code: "1", label: 甲, cells: [{measure: share}]})", ""),
              HasSubstr("no measure that is counted"));
  EXPECT_THAT(
      LoadError(R"(      - {code: "1", label: 甲, cells: [{measure: heads, dimensions: a=b}]})",
                ""),
      HasSubstr("has no dimensions 'a=b'"));
  EXPECT_THAT(LoadError(R"(
      - {code: "1", label: 甲, cells: [{measure: heads, dimensions: sex=female}]}
      - {code: "2", label: 乙, cells: [{measure: heads, dimensions: group=migrant}]})",
                        ""),
              HasSubstr("overlap"));
  EXPECT_THAT(LoadError(R"(
      - {code: "1", label: 甲, cells: [{}]}
      - {code: "1", label: 乙, cells: [{}]})",
                        ""),
              HasSubstr("stands twice"));
  EXPECT_THAT(LoadError(kRows, "      - {name: r, severity: block, check: 1 = x}"),
              HasSubstr("unknown cell 'x'"));
  EXPECT_THAT(LoadError(kRows, "      - {name: r, severity: block, check: '1 = other:9'}"),
              HasSubstr("unknown cell other:9"));
  EXPECT_THAT(LoadError(kRows, "      - {name: r, severity: block, check: 1 2}"),
              HasSubstr("is not like"));
}

TEST_F(ReturnRulesTest, ChecksCompareAcrossDecimals) {
  const std::string rule = "      - {name: r, label: 规则, severity: block, check: 1 - 1 + 2 = 3}";
  EXPECT_THAT(Violations(rule, With({{"1", 9}, {"2", 5}, {"3", 500}})), IsEmpty());
  EXPECT_THAT(Violations(rule, With({{"1", 9}, {"2", 5}, {"3", 550}})),
              ElementsAre("r: 规则: 1 (9) - 1 (9) + 2 (5) = 3 (5.5) does not hold"));
  EXPECT_THAT(Violations(rule, With({})), IsEmpty());
}

TEST_F(ReturnRulesTest, AnOrderNeedsBothSides) {
  const std::string rule = "      - {name: r, label: 规则, severity: warn, check: 3 < 2}";
  EXPECT_THAT(Violations(rule, With({{"3", 100}})), IsEmpty());
  RuleInput input = With({{"1", 5}, {"2", 1}, {"3", 100}});
  EXPECT_THAT(Violations(rule, input), ElementsAre("r: 规则: 3 (1) < 2 (1) does not hold"));
  input.reasons.insert("3");
  EXPECT_THAT(Violations(rule, input), ElementsAre("r: 规则: 3 (1) < 2 (1) does not hold !"));
}

TEST_F(ReturnRulesTest, PartsAreNoMoreThanTheWholeAndNothingIsBelowZero) {
  EXPECT_THAT(Violations("", With({{"1", 5}, {"2", 6}})),
              ElementsAre("parts: 2 = 6 is more than the whole 1 = 5"));
  EXPECT_THAT(Violations("", With({{"2", 6}})),
              ElementsAre("parts: 2 = 6 is more than the whole 1 = blank"));
  EXPECT_THAT(Violations("", With({{"3", -150}})), ElementsAre("sign: 3 = -1.5 is below zero"));
}

TEST_F(ReturnRulesTest, OtherFormsAndLastYearAreAsked) {
  const std::string equal = "      - {name: r, label: 规则, severity: block, check: '1 = other:1'}";
  RuleInput input = With({{"1", 5}});
  EXPECT_THAT(Violations(equal, input), IsEmpty());  // No such return.
  input.others["other"].values = {{"1", 6}};
  EXPECT_THAT(Violations(equal, input), ElementsAre("r: 规则: 1 (5) = other:1 (6) does not hold"));

  const std::string range =
      "      - {name: r, label: 规则, severity: warn, range: {cell: '1', from_percent: -10, "
      "to_percent: 10}}";
  input = With({{"1", 111}});
  EXPECT_THAT(Violations(range, input), IsEmpty());
  input.year_before = {{"1", 100}};
  EXPECT_THAT(Violations(range, input),
              ElementsAre("r: 规则: 1 was 100 a year ago and is 111 (+11.0 %), outside -10 % … "
                          "+10 %"));
  input.values["1"] = 110;
  EXPECT_THAT(Violations(range, input), IsEmpty());
  input.year_before = {{"1", 0}};
  EXPECT_THAT(Violations(range, input), IsEmpty());
}

}  // namespace
}  // namespace gonghui::reports
