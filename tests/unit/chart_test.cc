// The charts of accounts of the catalogue, and what a broken one is told.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "common/catalog/catalog.h"
#include "common/testing/matchers.h"
#include "services/funds/catalog.embedded.h"
#include "services/funds/charts.h"

namespace gonghui::funds {
namespace {

using testing::HasReason;
using testing::HasReasonAt;
using testing::IsOk;

EmbeddedFile FileOf(std::string_view name) {
  for (const EmbeddedFile& file : embedded::services_funds_catalog()) {
    if (file.name == name) return file;
  }
  ADD_FAILURE() << "no " << name;
  return {};
}

const Charts& Loaded() {
  static const auto& charts =
      *new absl::StatusOr<Charts>(Charts::Load(FileOf("chart.yaml"), FileOf("statements.yaml")));
  EXPECT_THAT(charts, IsOk());
  return *charts;
}

std::string CodeOf(std::string_view chart, std::string_view code) {
  auto account = Loaded().Find(chart)->Resolve(code, "entries[0].account");
  if (account.ok()) return (*account)->code();
  EXPECT_THAT(account, HasReasonAt(common::v1::REASON_ACCOUNT_UNKNOWN, "entries[0].account"));
  return "";
}

TEST(Charts, HoldThePrescribedAccounts) {
  const std::map<std::string, int> level_one = {{"grassroots-2022", 24}, {"county-2022", 45}};
  for (const auto& [name, count] : level_one) {
    const Chart* chart = Loaded().Find(name);
    ASSERT_NE(chart, nullptr) << name;
    EXPECT_EQ(chart->message().accounts_size(), count) << name;
    for (const v1::Account& account : chart->accounts()) {
      EXPECT_FALSE(account.citation().empty()) << account.code();
      EXPECT_FALSE(account.side().empty()) << account.code();
    }
  }
  EXPECT_EQ(Loaded().Find("grassroots-2009"), nullptr);
}

TEST(Charts, CountyUnionsHaveNoDuesAndNoOwnActivities) {
  for (const char* code : {"401", "405", "50102"}) {
    EXPECT_EQ(CodeOf("county-2022", code), "") << code;
    EXPECT_EQ(CodeOf("grassroots-2022", code), code);
  }
}

TEST(Charts, GrassrootsUnionsMayBorrowCountyAccounts) {
  for (const char* code : {"151", "171", "221", "21202"}) {
    EXPECT_EQ(CodeOf("grassroots-2022", code), code);
  }
}

TEST(Charts, PrescribedDetailsMustBeUsed) {
  EXPECT_EQ(CodeOf("grassroots-2022", "504"), "");
  EXPECT_EQ(CodeOf("grassroots-2022", "50499"), "");
  EXPECT_EQ(CodeOf("grassroots-2022", "50404"), "50404");
  auto refused = Loaded().Find("grassroots-2022")->Resolve("212");
  ASSERT_THAT(refused, HasReason(common::v1::REASON_ACCOUNT_UNKNOWN));
  EXPECT_NE(refused.status().message().find("21201"), absl::string_view::npos);
  EXPECT_NE(MessageZhOf(refused.status()).find("21202"), std::string::npos);
}

TEST(Charts, OwnDetailsExtendAccountsWithoutPrescribedOnes) {
  EXPECT_EQ(CodeOf("grassroots-2022", "10201"), "102");
  EXPECT_EQ(CodeOf("grassroots-2022", "5040401"), "50404");
  EXPECT_EQ(CodeOf("county-2022", "50203"), "502");
  for (const char* code : {"", "1", "10", "999", "102a", "10 2", "-102", "１０２"}) {
    EXPECT_EQ(CodeOf("grassroots-2022", code), "") << code;
  }
}

TEST(Charts, DefaultChartGoesByTheKindOfTheOrganisation) {
  for (const char* kind : {"district", "city", "town_street"}) {
    EXPECT_EQ(Loaded().DefaultFor(kind).message().name(), "county-2022") << kind;
  }
  for (const char* kind : {"enterprise", "industry_joint", ""}) {
    EXPECT_EQ(Loaded().DefaultFor(kind).message().name(), "grassroots-2022") << kind;
  }
}

// Loads one chart of the given accounts.
absl::Status Load(const std::string& accounts,
                  const std::string& rest = "default_chart: [{chart: c}]") {
  const std::string yaml = "charts:\n  - name: c\n    valid_from: '2022-01-01'\n    accounts: [" +
                           accounts + "]\n" + rest + "\n";
  return Charts::Load({"c.yaml", yaml}, {"s.yaml", "version: x"}).status();
}

TEST(Charts, FaultsStopTheStart) {
  EXPECT_THAT(Load("{code: '102', name: 银行存款, side: debit}"), IsOk());
  for (const char* accounts : {
           "{code: '1x2', name: 银行存款, side: debit}",
           "{code: '102', side: debit}",
           "{code: '102', name: 银行存款}",
           "{code: '102', name: 银行存款, side: left}",
           "{code: '102', name: 银行存款, side: debit}, {code: '102', name: 现金, side: debit}",
           "{code: '504', name: 维权, side: debit, children: [{code: '50', name: 帮扶}]}",
           "{code: '102', name: 银行存款, side: debit, colour: red}",
       }) {
    EXPECT_THAT(Load(accounts), HasReason(common::v1::REASON_FIELD_INVALID)) << accounts;
  }
  const std::string good = "{code: '102', name: 银行存款, side: debit}";
  for (const char* rest :
       {"", "default_chart: [{chart: d}]", "default_chart: [{kind: city, chart: c}]",
        "default_chart: [{chart: c}]\ncash: [{accounts: ['101']}]",
        "default_chart: [{chart: c}]\ncash: [{accounts: ['102'], valid_from: '2022'}]"}) {
    EXPECT_THAT(Load(good, rest), HasReason(common::v1::REASON_FIELD_INVALID)) << rest;
  }
}

TEST(Charts, KnowWhatIsMoneyAtHand) {
  const Chart& chart = *Loaded().Find("grassroots-2022");
  for (const char* code : {"101", "102", "10201"}) EXPECT_TRUE(chart.IsCash(code, "2024-01-01"));
  for (const char* code : {"135", "402", "1"}) EXPECT_FALSE(chart.IsCash(code, "2024-01-01"));
  const auto charts = Charts::Load(
      {"c.yaml",
       "charts:\n  - name: c\n    valid_from: '2022-01-01'\n    accounts: [{code: '102', name: "
       "银行存款, side: debit}]\ndefault_chart: [{chart: c}]\ncash: [{charts: [c], accounts: "
       "['102'], valid_from: '2023-01-01', valid_to: '2024-01-01'}]\n"},
      {"s.yaml", "version: x"});
  ASSERT_THAT(charts, IsOk());
  EXPECT_FALSE(charts->Find("c")->IsCash("102", "2022-12-31"));
  EXPECT_TRUE(charts->Find("c")->IsCash("102", "2023-01-01"));
  EXPECT_FALSE(charts->Find("c")->IsCash("102", "2024-01-01"));
}

// Every account that a benefit posts to exists in the charts.
TEST(Charts, HoldTheAccountsOfBenefitPostings) {
  std::vector<EmbeddedFile> kinds;
  for (const EmbeddedFile& file : embedded::services_funds_catalog()) {
    const bool holds_kinds =
        file.name != "chart.yaml" && file.name != "statements.yaml" && file.name != "levy.yaml";
    if (holds_kinds) kinds.push_back(file);
  }
  ASSERT_OK_AND_ASSIGN(const auto catalog, catalog::Catalog::Load("funds", kinds));
  int postings = 0;
  for (const common::v1::Kind* kind : catalog.Kinds()) {
    for (const auto& rule : kind->postings()) {
      for (const auto& entry : rule.entries()) {
        if (!entry.account_from().empty()) continue;
        ++postings;
        // Grassroots unions have accounts that those above them have not, and rules for each.
        const bool known = Loaded().Find("grassroots-2022")->Resolve(entry.account()).ok() ||
                           Loaded().Find("county-2022")->Resolve(entry.account()).ok();
        EXPECT_TRUE(known) << kind->name() << " " << entry.account();
      }
    }
  }
  EXPECT_GE(postings, 8);
}

}  // namespace
}  // namespace gonghui::funds
