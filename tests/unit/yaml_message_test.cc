#include "common/catalog/yaml_message.h"

#include <string>

#include "common/base/status.h"
#include "gmock/gmock.h"
#include "gonghui/common/v1/catalog.pb.h"
#include "gtest/gtest.h"

namespace gonghui::catalog {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(ParseYamlTest, FillsTheMessage) {
  common::v1::Kind kind;
  ASSERT_TRUE(ParseYaml("k.yaml", R"(
name: contest
label: {zh: 竞赛, en: Contest}
help: 一句话
title_required: true
import_order: 20
key: [number, title]
fields:
  - {name: host, type: code, codes: level, min: -3, max: 9}
states:
  - name: open
)",
                        kind)
                  .ok());
  EXPECT_EQ(kind.label().zh(), "竞赛");
  EXPECT_EQ(kind.label().en(), "Contest");
  EXPECT_EQ(kind.help().zh(), "一句话");
  EXPECT_EQ(kind.help().en(), "一句话");
  EXPECT_TRUE(kind.title_required());
  EXPECT_EQ(kind.import_order(), 20);
  ASSERT_EQ(kind.key_size(), 2);
  EXPECT_EQ(kind.key(1), "title");
  ASSERT_EQ(kind.fields_size(), 1);
  EXPECT_EQ(kind.fields(0).type(), common::v1::FIELD_TYPE_CODE);
  EXPECT_EQ(kind.fields(0).min(), -3);
  EXPECT_EQ(kind.states(0).name(), "open");
}

struct Bad {
  std::string yaml;
  std::string position;
  std::string says;
};

class BadYamlTest : public ::testing::TestWithParam<Bad> {};

TEST_P(BadYamlTest, NamesPositionAndCause) {
  common::v1::Kind kind;
  const absl::Status status = ParseYaml("k.yaml", GetParam().yaml, kind);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(ReasonOf(status), common::v1::REASON_FIELD_INVALID);
  EXPECT_THAT(std::string(status.message()), StartsWith(GetParam().position));
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().says));
  EXPECT_THAT(MessageZhOf(status), StartsWith(GetParam().position.substr(0, 8)));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadYamlTest,
    ::testing::Values(
        Bad{"name: a\nnoum: x\n", "k.yaml:2: ", "unknown key 'noum' of Kind"},
        Bad{"name: a\nname: b\n", "k.yaml:2: ", "stands twice"},
        Bad{"name: [a]\n", "k.yaml:1: ", "wants one value"},
        Bad{"key: number\n", "k.yaml:1: ", "wants a list"},
        Bad{"import_order: ten\n", "k.yaml:1: ", "'ten'"},
        Bad{"import_order: '10'\n", "k.yaml:1: ", "'10'"},
        Bad{"title_required: yes\n", "k.yaml:1: ", "'yes'"},
        Bad{"label: [a]\n", "k.yaml:1: ", "a map of Label"},
        Bad{"fields:\n- name: a\n  type: colour\n", "k.yaml:3: ", "text date integer"},
        Bad{"fields:\n- name: a\n  type: unspecified\n", "k.yaml:3: ", "'unspecified'"},
        Bad{"name:\n", "k.yaml:", "wants one value"}, Bad{"a: [\n", "k.yaml:", ""},
        Bad{"", "k.yaml:", "a map of Kind"}));

}  // namespace
}  // namespace gonghui::catalog
