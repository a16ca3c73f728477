// Dimensions in Chinese, from what the services say of their kinds.
#include "services/reports/dimension_labels.h"

#include <gtest/gtest.h>

#include "google/protobuf/text_format.h"

namespace gonghui::reports {
namespace {

constexpr std::string_view kMeasures = R"(
measures:
  - {name: held, kind: flow, unit: session, dimensions: [{key: host}, {key: tier}]}
  - {name: persons, kind: distinct, unit: person, dimensions: [{key: host}]}
  - {name: persons_each, kind: ratio, unit: person, numerator: persons, denominator: held,
     dimensions: [{key: host}]}
)";

constexpr char kContests[] = R"(
kinds {
  name: "contest"
  fields { name: "host" label { zh: "主办" } codes: "host" }
  facts {
    measure: "held"
    dimensions { key: "host" value { field: "host" } }
    dimensions { key: "tier" value { field: "tier" } }
  }
}
kinds {
  name: "entry"
  fields { name: "contest" refers_to: "contest" }
  facts { measure: "persons" dimensions { key: "host" value { field: "parent.host" } } }
}
code_lists { name: "host" codes { code: "town" label { zh: "镇街" } } })";

constexpr char kOrganizations[] = R"(
kinds {
  name: "organization"
  noun: "organization"
  fields { name: "kind" label { zh: "类型" } codes: "organization_kind" }
}
code_lists { name: "organization_kind" codes { code: "district" label { zh: "区总工会" } } })";

common::v1::ListKindsResponse Kinds(const char* text) {
  common::v1::ListKindsResponse kinds;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &kinds));
  return kinds;
}

v1::Figure FigureOf(const char* measure,
                    const std::vector<std::pair<std::string, std::string>>& dimensions) {
  v1::Figure figure;
  figure.set_measure(measure);
  for (const auto& [key, value] : dimensions) {
    common::v1::Dimension& dimension = *figure.add_dimensions();
    dimension.set_key(key);
    dimension.set_value(value);
  }
  return figure;
}

TEST(DimensionLabels, ComeFromTheFieldThatFillsTheDimension) {
  const auto measures = Measures::Load({{"test.yaml", kMeasures}});
  ASSERT_TRUE(measures.ok()) << measures.status();
  DimensionLabels labels(*measures);
  labels.Add(Kinds(kContests));
  EXPECT_EQ(labels.Of(FigureOf("held", {})), "");
  EXPECT_EQ(labels.Of(FigureOf("held", {{"host", "town"}})), "主办=镇街");
  EXPECT_EQ(labels.Of(FigureOf("persons", {{"host", "town"}})), "主办=镇街") << "of the parent";
  EXPECT_EQ(labels.Of(FigureOf("persons_each", {{"host", "town"}})), "主办=镇街") << "of a part";
  EXPECT_EQ(labels.Of(FigureOf("held", {{"host", "other"}})), "主办=other") << "not on the list";
  EXPECT_EQ(labels.Of(FigureOf("held", {{"month", "2020-05"}})), "month=2020-05");
  EXPECT_EQ(labels.Of(FigureOf("unknown", {{"host", "town"}})), "host=town");
  labels.Add(Kinds(kOrganizations));
  EXPECT_EQ(labels.Of(FigureOf("held", {{"host", "town"}, {"tier", "district"}})),
            "主办=镇街;类型=区总工会");
}

}  // namespace
}  // namespace gonghui::reports
