#include "common/catalog/catalog.h"

#include <string>
#include <utility>

#include "common/base/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gonghui::catalog {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kLists = R"(
version: "2020-01-01"
code_lists:
  - name: level
    codes:
      - {code: district, label: {zh: 区级, en: District level}, aliases: [区]}
      - {code: city, label: 市级}
  - name: anything
    open: true
)";
constexpr std::string_view kKinds = R"(
version: "2020-06-01"
kinds:
  - name: attendance
    label: 签到
    import_order: 20
    fields:
      - {name: contest, type: record, refers_to: contest, required: true}
      - {name: person, type: person}
      - {name: heads, type: integer}
    facts:
      - {measure: heads, amount: heads, subject: subject, dimensions: [{key: level, value: {field: parent.level}}]}
  - name: contest
    label: 竞赛
    import_order: 10
    fields: [{name: level, type: code, codes: level}]
    states: [{name: open}, {name: closed, final: true}]
    transitions: [{name: close, from: [open], to: closed}]
    facts: [{measure: contests, in_state: closed}]
)";

absl::StatusOr<Catalog> LoadKind(std::string_view kind) {
  const std::string file = StrCat("kinds:\n  - name: k\n    label: K\n", kind);
  return Catalog::Load("activities", {{"lists.yaml", kLists}, {"k.yaml", file}});
}

TEST(CatalogTest, LoadsAndFinds) {
  auto loaded = Catalog::Load("activities", {{"a.yaml", kLists}, {"b.yaml", kKinds}});
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const Catalog catalog = *std::move(loaded);
  EXPECT_EQ(catalog.message().version(), "2020-06-01");
  EXPECT_EQ(catalog.area(), "activities");
  ASSERT_NE(catalog.FindKind("contest"), nullptr);
  EXPECT_EQ(catalog.FindKind("contest")->area(), "activities");
  EXPECT_TRUE(catalog.FindKind("contest")->number_required());
  EXPECT_FALSE(catalog.FindKind("attendance")->number_required());
  EXPECT_EQ(catalog.FindKind("nothing"), nullptr);
  EXPECT_NE(catalog.FindField(*catalog.FindKind("attendance"), "heads"), nullptr);
  EXPECT_THAT(catalog.Kinds(),
              ElementsAre(catalog.FindKind("contest"), catalog.FindKind("attendance")));
}

TEST(CatalogTest, FindsCodesByEverySpelling) {
  auto catalog = Catalog::Load("activities", {{"a.yaml", kLists}});
  ASSERT_TRUE(catalog.ok());
  for (const char* text : {"district", "区级", "区", " DISTRICT ", "district level"}) {
    const auto* code = catalog->FindCode("level", text);
    ASSERT_NE(code, nullptr) << text;
    EXPECT_EQ(code->code(), "district");
  }
  EXPECT_EQ(catalog->FindCode("level", "nation"), nullptr);
  EXPECT_EQ(catalog->FindCode("nothing", "district"), nullptr);
}

TEST(CatalogTest, TypedNounsHoldTheirColumnsAsFields) {
  const auto loaded = LoadKind(R"(
    noun: organization
    fields: [{name: number}, {name: title}, {name: state}, {name: founded_on, type: date}]
    facts: [{measure: unions, on: founded_on}]
)");
  EXPECT_TRUE(loaded.ok()) << loaded.status();
}

TEST(CatalogTest, RefusesTwoKindsOfOneName) {
  const auto loaded = Catalog::Load(
      "activities",
      {{"lists.yaml", kLists}, {"a.yaml", "kinds: [{name: k}]"}, {"b.yaml", "kinds: [{name: k}]"}});
  ASSERT_FALSE(loaded.ok());
  EXPECT_THAT(std::string(loaded.status().message()), HasSubstr("b.yaml: kind 'k'"));
}

TEST(CatalogTest, RefusesASpellingOfTwoCodes) {
  const auto loaded = Catalog::Load(
      "a",
      {{"l.yaml", "code_lists: [{name: l, codes: [{code: a, label: 甲}, {code: b, label: 甲}]}]"}});
  ASSERT_FALSE(loaded.ok());
  EXPECT_THAT(std::string(loaded.status().message()), HasSubstr("names two codes"));
}

class BadKindTest : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(BadKindTest, IsRefusedWithFileKindAndCause) {
  const auto loaded = LoadKind(StrCat("    ", GetParam().first, "\n"));
  ASSERT_FALSE(loaded.ok());
  EXPECT_THAT(std::string(loaded.status().message()), HasSubstr("k.yaml: kind 'k'"));
  EXPECT_THAT(std::string(loaded.status().message()), HasSubstr(GetParam().second));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadKindTest,
    ::testing::Values(
        std::pair("fields: [{name: Big}]", "lower_snake"),
        std::pair("fields: [{name: a}, {name: a}]", "stands twice"),
        std::pair("fields: [{name: on_date, type: date}]", "built-in"),
        std::pair("fields: [{name: a, type: code}]", "'codes' goes with"),
        std::pair("fields: [{name: a, type: code, codes: no}]", "no code list 'no'"),
        std::pair("fields: [{name: a, type: code, codes: level, default_value: x}]", "no code 'x'"),
        std::pair("fields: [{name: a, type: record}]", "'refers_to' goes with"),
        std::pair("fields: [{name: a, type: record, refers_to: z}]", "no kind of records 'z'"),
        std::pair("fields: [{name: a, type: person}, {name: b, type: person}]", "two fields"),
        std::pair("key: [z]", "no field 'z'"),
        std::pair("states: [{name: a}, {name: a}]", "stands twice"),
        std::pair("states: [{name: a}]\n    transitions: [{name: t, from: [a], to: b}]",
                  "no state 'b'"),
        std::pair("states: [{name: a}]\n    transitions: [{name: t, from: [b], to: a}]",
                  "no state 'b'"),
        std::pair("facts: [{measure: m, in_state: done}]", "no state 'done'"),
        std::pair("facts: [{measure: m, on: title}]", "wrong type"),
        std::pair("facts: [{measure: m, amount: title}]", "wrong type"),
        std::pair("facts: [{measure: m, subject: subject}]", "no field 'subject'"),
        std::pair("facts: [{measure: m, subject: parent.number}]", "no field 'parent.number'"),
        std::pair("facts: [{measure: m, dimensions: [{key: d, value: {}}]}]", "field or constant"),
        std::pair("facts: [{measure: m, dimensions: [{key: d, value: {field: z}}]}]",
                  "no field 'z'"),
        std::pair("fields: [{name: a, pii: true}]\n    facts: [{measure: m, subject: a}]",
                  "personal data"),
        std::pair("fields: [{name: a, type: code, codes: level}]\n"
                  "    facts: [{measure: m, when: [{field: a, in: [nation]}]}]",
                  "no code 'nation'"),
        std::pair("facts: [{measure: m, when: [{field: z}]}]", "no field 'z'"),
        std::pair("rules: [{name: r, left: title, relation: '!=', right: x, message: M}]",
                  "no relation '!='"),
        std::pair("rules: [{name: r, left: z, relation: '=', right: x, message: M}]",
                  "no field 'z'"),
        std::pair("postings: [{entries: [{account: '1', amount: title}]}]",
                  "fewer than two entries"),
        std::pair("fields: [{name: a, computed: {terms: [{value: '1'}]}}]", "are computed"),
        std::pair("fields: [{name: a, type: integer, computed: {}}]", "no terms"),
        std::pair("fields: [{name: a, type: integer, computed: {terms: [{children: k}]}}]",
                  "no kind that refers to this one 'k'"),
        std::pair("fields: [{name: a, type: integer, computed: {terms: [{value: title}]}}]",
                  "'title' is no number"),
        std::pair("fields: [{name: a, type: integer, computed: {terms: [{codes: no}]}}]",
                  "no code list 'no'"),
        std::pair(
            "fields: [{name: a, type: integer, computed: {terms: [{codes: level, value: z}]}}]",
            "no part of a code 'z'"),
        std::pair("fields: [{name: a, type: person, notice: true}]", "never shown"),
        std::pair("fields: [{name: a, type: integer}]\n    gap_free: a", "gap_free must be"),
        std::pair("one_per_person_in: [k]", "has no person"),
        std::pair("states: [{name: a, limit: days}]", "no limit 'days'"),
        std::pair("states: [{name: a, limit_from: title}]", "wrong type"),
        std::pair("states: [{name: a, notice: true}, {name: b, notice: true}]", "two states"),
        std::pair("rules: [{name: r, left: title, message: M}]", "without relation"),
        std::pair("rules: [{name: r, left: entered.gone, relation: '=', right: x, message: M}]",
                  "no field 'entered.gone'"),
        std::pair("rules: [{name: r, left: title, relation: '=', right: limit.z, message: M}]",
                  "no field 'limit.z'"),
        std::pair("rules: [{name: r, left: title, relation: '=', right: title, plus: title, "
                  "message: M}]",
                  "is no number")));

INSTANTIATE_TEST_SUITE_P(
    CapsAndSteps, BadKindTest,
    ::testing::Values(
        std::pair("caps: [{name: c, message: M}]", "neither at_most nor at_least"),
        std::pair("caps: [{name: c, at_most: '1'}]", "'message' is empty"),
        std::pair("caps: [{name: c, at_most: '1', within: week, message: M}]",
                  "no part of the calendar 'week'"),
        std::pair("caps: [{name: c, at_most: '1', per: [z], message: M}]", "no field of k 'z'"),
        std::pair("caps: [{name: c, at_most: '1', kinds: [z], message: M}]",
                  "no kind of records 'z'"),
        std::pair("caps: [{name: c, at_most: '1', amount: title, message: M}]", "wrong type"),
        std::pair("caps: [{name: c, at_most: '1', on: title, message: M}]", "wrong type"),
        std::pair("caps: [{name: c, at_most: z, message: M}]", "no field or limit 'z'"),
        std::pair("states: [{name: a}]\n    transitions: [{name: t, from: [a], to: a, "
                  "other_than: [z]}]",
                  "no step 'z'"),
        std::pair("states: [{name: a}]\n    transitions: [{name: t, from: [a], to: a, "
                  "rules: [{name: r, left: z, message: M}]}]",
                  "no field 'z'"),
        std::pair("fields: [{name: a, type: integer, computed: {terms: [{value: '1', by: [z]}]}}]",
                  "no field or limit 'z'"),
        std::pair("fields: [{name: a, type: integer, computed: {terms: [{value: on_date, since: "
                  "title}]}}]",
                  "wrong type"),
        std::pair("fields: [{name: a, type: integer, computed: {terms: [{value: '1'}], at_most: "
                  "z}}]",
                  "no field or limit 'z'"),
        std::pair("fields: [{name: a, type: money}]\n    postings: [{entries: [{amount: a}, "
                  "{account: '1', amount: a}]}]",
                  "account or account_from"),
        std::pair("fields: [{name: a, type: money}]\n    postings: [{organization: title, entries: "
                  "[{account: '1', amount: a}, {account: '2', amount: a}]}]",
                  "wrong type")));

TEST(CatalogTest, RefusesLimitsThatCiteNothing) {
  const auto fault = [](std::string_view limit) {
    return std::string(
        Catalog::Load("a", {{"l.yaml", StrCat("limits: [", limit, "]")}}).status().message());
  };
  EXPECT_THAT(fault("{name: a, values: [{value: 1}]}"), HasSubstr("cites nothing"));
  EXPECT_THAT(fault("{name: a}"), HasSubstr("no values"));
  EXPECT_THAT(fault("{name: a, values: [{value: 1, at_least: 2, citation: c}]}"),
              HasSubstr("'at_least' goes with 'by'"));
  EXPECT_THAT(fault("{name: a, values: [{value: 1, citation: c}]}, {name: a, values: [{value: 1, "
                    "citation: c}]}"),
              HasSubstr("stands twice"));
}

}  // namespace
}  // namespace gonghui::catalog
