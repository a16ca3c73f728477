// A running suite for the acceptance tests of spending, benefits, assets, audit and control:
// several persons, and the books.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "gonghui/funds/v1/ledger.pb.h"
#include "tests/acceptance/registry.h"

namespace gonghui::district {

// Refused by this rule or cap, with a field at fault and a text in both languages.
MATCHER_P(Refused, rule, absl::StrCat("refused by ", rule)) {
  const absl::Status& status = ::gonghui::testing::StatusOf(arg);
  *result_listener << status.ToString();
  std::string broken;
  for (const auto& [key, value] : MetadataOf(status)) {
    if (key == "rule") broken = value;
  }
  return broken == rule && !FieldOf(status).empty() && !MessageZhOf(status).empty();
}

class FundsRegistry : public Registry {
 protected:
  void SetUp() override {
    Registry::SetUp();
    service_ = "gonghui.funds.v1.BenefitService";
  }
  void TearDown() override {
    people_by_name_.clear();
    Registry::TearDown();
  }

  // Somebody with rights at an organisation and below it, known by a name.
  const rpc::Client& Person(const std::string& name, const std::string& organization = "*",
                            const std::string& role = "admin") {
    std::unique_ptr<rpc::Client>& client = people_by_name_[name];
    if (client == nullptr) {
      auth::Actor actor;
      actor.subject = name;
      actor.federation = "demo";
      common::v1::Grant& grant = actor.grants.emplace_back();
      grant.set_role(role);
      grant.set_organization(organization);
      grant.set_below(true);
      auto token = suite_->DevToken(actor);
      EXPECT_THAT(token, IsOk());
      client = suite_->NewClient(*token);
    }
    return *client;
  }
  // A step that somebody takes.
  absl::StatusOr<Record> By(const std::string& who, const std::string& name,
                            const std::string& transition, const std::string& on_date,
                            const Fields& fields = {}) {
    return StepBy(Person(who), name, transition, on_date, fields);
  }

  // Account -> balance on its normal side in fen at the end of 2021; only what is not zero.
  std::map<std::string, int64_t> Balances(const std::string& book,
                                          const std::string& on_date = "2021-12-31") {
    funds::v1::ListBalancesRequest request;
    request.set_parent(absl::StrCat("federations/demo/books/", book));
    request.set_on_date(on_date);
    auto answer = admin_->Invoke<funds::v1::ListBalancesResponse>(
        "/gonghui.funds.v1.LedgerService/ListBalances", request);
    EXPECT_THAT(answer, IsOk());
    std::map<std::string, int64_t> balances;
    if (!answer.ok()) return balances;
    EXPECT_EQ(answer->debit_fen(), answer->credit_fen());
    for (const auto& balance : answer->balances()) {
      if (balance.balance_fen() != 0) balances[balance.account()] = balance.balance_fen();
    }
    return balances;
  }

  void OpenBook(const std::string& organization, const std::string& chart) {
    funds::v1::CreateBookRequest request;
    request.set_parent("federations/demo");
    request.mutable_book()->set_organization(organization);
    request.mutable_book()->set_chart(chart);
    request.mutable_book()->set_opened_on("2021-01-01");
    EXPECT_THAT(
        admin_->Invoke<funds::v1::Book>("/gonghui.funds.v1.LedgerService/CreateBook", request),
        IsOk());
  }
  // A restricted fund in use in the book of an organisation.
  void RegisterFund(const std::string& organization, const std::string& code,
                    const std::string& purposes) {
    const std::string fund = New("restricted_fund", organization, "2021-01-01",
                                 {{"title", "专项资金"},
                                  {"book", organization},
                                  {"code", code},
                                  {"purposes", purposes},
                                  {"valid_from", "2021-01-01"},
                                  {"valid_to", "2021-12-31"},
                                  {"source", "市总"},
                                  {"approval_no", "1号"}});
    EXPECT_THAT(By("upper", fund, "approve", "2021-01-02"), IsOk());
  }

  std::map<std::string, std::unique_ptr<rpc::Client>> people_by_name_;
};

}  // namespace gonghui::district
