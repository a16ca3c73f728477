// Books, vouchers and records for the tests of the ledger.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gonghui/funds/v1/control.pb.h"
#include "gonghui/funds/v1/hold.pb.h"
#include "tests/integration/funds_suite.h"

namespace gonghui::funds {

class LedgerTest : public FundsTest {
 protected:
  struct Line {
    std::string account;
    int64_t debit = 0;
    int64_t credit = 0;
    std::map<std::string, std::string> dimensions = {};
  };

  static std::string BookName(std::string_view book) { return StrCat(kDemo, "/books/", book); }
  static std::string NextId() { return StrCat("id-", ++ids_); }

  static v1::Voucher VoucherOf(std::string_view on_date, const std::vector<Line>& lines,
                               std::string_view memo = "记账") {
    v1::Voucher voucher;
    voucher.set_on_date(std::string(on_date));
    voucher.set_memo(std::string(memo));
    for (const Line& line : lines) {
      v1::Entry& entry = *voucher.add_entries();
      entry.set_account(line.account);
      entry.set_debit_fen(line.debit);
      entry.set_credit_fen(line.credit);
      for (const auto& [key, value] : line.dimensions) (*entry.mutable_dimensions())[key] = value;
    }
    return voucher;
  }

  static absl::StatusOr<v1::Voucher> Post(std::string_view book, const v1::Voucher& voucher,
                                          const rpc::Client& client) {
    v1::PostVoucherRequest request;
    request.set_parent(BookName(book));
    *request.mutable_voucher() = voucher;
    request.set_request_id(NextId());
    return client.Invoke<v1::Voucher>(StrCat(kLedger, "PostVoucher"), request);
  }
  static absl::StatusOr<v1::Voucher> Post(std::string_view book, const v1::Voucher& voucher) {
    return Post(book, voucher, *Accountant());
  }

  static absl::StatusOr<v1::CloseMonthResponse> Close(std::string_view book, std::string_view month,
                                                      bool hard = false,
                                                      bool validate_only = false) {
    v1::CloseMonthRequest request;
    request.set_name(BookName(book));
    request.set_month(std::string(month));
    request.set_hard(hard);
    request.set_validate_only(validate_only);
    request.set_request_id(NextId());
    return Accountant()->Invoke<v1::CloseMonthResponse>(StrCat(kLedger, "CloseMonth"), request);
  }

  static void SetPeople(std::string_view book, int people) {
    v1::UpdateBookRequest request;
    request.mutable_book()->set_name(BookName(book));
    request.mutable_book()->set_people(people);
    request.set_update_mask("people");
    ASSERT_THAT(Accountant()->Invoke<v1::Book>(StrCat(kLedger, "UpdateBook"), request),
                testing::IsOk());
  }

  // A record of a kind; its name.
  static std::string Record(const rpc::Client& client, std::string_view kind,
                            std::string_view organization, std::string_view number,
                            std::string_view on_date,
                            const std::map<std::string, std::string>& fields,
                            std::string_view title = "") {
    common::v1::CreateRecordRequest request;
    request.set_parent(std::string(kDemo));
    common::v1::Record& record = *request.mutable_record();
    record.set_kind(std::string(kind));
    record.set_organization(std::string(organization));
    record.set_number(std::string(number));
    record.set_title(std::string(title));
    record.set_on_date(std::string(on_date));
    for (const auto& [key, value] : fields) (*record.mutable_fields())[key] = value;
    request.set_request_id(NextId());
    auto created = client.Invoke<common::v1::Record>(StrCat(kBenefits, "CreateRecord"), request);
    EXPECT_THAT(created, testing::IsOk());
    return created.ok() ? created->name() : "";
  }

  static absl::StatusOr<common::v1::Record> Step(
      const rpc::Client& client, const std::string& name, std::string_view transition,
      std::string_view on_date, const std::map<std::string, std::string>& fields = {}) {
    common::v1::AdvanceRecordRequest request;
    request.set_name(name);
    request.set_transition(std::string(transition));
    request.set_on_date(std::string(on_date));
    for (const auto& [key, value] : fields) (*request.mutable_fields())[key] = value;
    request.set_request_id(NextId());
    return client.Invoke<common::v1::Record>(StrCat(kBenefits, "AdvanceRecord"), request);
  }

  // A restricted fund of E01's book, in use.
  static void MakeFund(std::string_view code, std::string_view purposes,
                       std::string_view valid_to = "", std::string_view payer = "") {
    std::map<std::string, std::string> fields = {{"book", "E01"},
                                                 {"code", std::string(code)},
                                                 {"purposes", std::string(purposes)},
                                                 {"valid_from", "2024-01-01"},
                                                 {"source", "市总专项"}};
    if (!valid_to.empty()) fields["valid_to"] = std::string(valid_to);
    if (!payer.empty()) fields["payer"] = std::string(payer);
    const std::string name = Record(*As("accountant", "E01"), "restricted_fund", "E01", "",
                                    "2024-01-01", fields, "困难帮扶专项");
    ASSERT_THAT(Step(*As("admin", "D01"), name, "approve", "2024-01-02", {{"approval_no", "1号"}}),
                testing::IsOk());
  }

  static std::map<std::string, v1::Fund> Funds() {
    v1::ListFundsRequest request;
    request.set_parent(BookName("E01"));
    auto listed = Accountant()->Invoke<v1::ListFundsResponse>(
        "/gonghui.funds.v1.ControlService/ListFunds", request);
    EXPECT_THAT(listed, testing::IsOk());
    std::map<std::string, v1::Fund> funds;
    if (listed.ok()) {
      for (const v1::Fund& fund : listed->funds()) funds[fund.code()] = fund;
    }
    return funds;
  }

  struct BudgetLine {
    std::string item;
    std::string yuan;
    std::string control = "block";
    std::string fund = "";
    std::string unit = "";
  };
  // A version of E01's budget, approved on the way it has to go.
  static void ApproveBudget(std::string_view year, int version,
                            const std::vector<BudgetLine>& lines) {
    const auto maker = As("accountant", "E01");
    const std::string number = StrCat("YS-", year, "-", version);
    std::map<std::string, std::string> fields = {
        {"book", "E01"}, {"year", std::string(year)}, {"brought_forward", "1000000"}};
    if (version > 1) fields["reason"] = "增拨";
    const std::string on_date = StrCat(year, "-01-05");
    const std::string budget = Record(*maker, "budget", "E01", number, on_date, fields);
    int n = 0;
    for (const BudgetLine& line : lines) {
      Record(*maker, "budget_line", "E01", "", on_date,
             {{"budget", number},
              {"line", StrCat(++n)},
              {"item", line.item},
              {"amount", line.yuan},
              {"control", line.control},
              {"fund", line.fund},
              {"unit", line.unit}});
    }
    ASSERT_THAT(Step(*maker, budget, "submit", on_date), testing::IsOk());
    ASSERT_THAT(
        Step(*As("accountant", "T01"), budget, "pass", on_date, {{"committee_minutes", "纪要1号"}}),
        testing::IsOk());
    ASSERT_THAT(Step(*Accountant(), budget, "review", on_date, {{"audit_opinion", "同意"}}),
                testing::IsOk());
    ASSERT_THAT(Step(*As("admin", "D01"), budget, "approve", on_date, {{"reply_no", "复1号"}}),
                testing::IsOk());
  }

  static std::map<std::string, v1::BudgetLine> Lines(int year) {
    v1::ListBudgetLinesRequest request;
    request.set_parent(BookName("E01"));
    request.set_year(year);
    auto listed = Accountant()->Invoke<v1::ListBudgetLinesResponse>(
        "/gonghui.funds.v1.ControlService/ListBudgetLines", request);
    EXPECT_THAT(listed, testing::IsOk());
    std::map<std::string, v1::BudgetLine> lines;
    if (listed.ok()) {
      for (const v1::BudgetLine& line : listed->lines()) lines[line.item()] = line;
    }
    return lines;
  }

 private:
  static inline int ids_ = 0;
};

}  // namespace gonghui::funds
