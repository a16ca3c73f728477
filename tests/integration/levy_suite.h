// Payers, obligations and receipts of the funds suite, for the tests of levies. U1 is the unit of
// E01 and U2 that of E02; U9 has no union, T01 answers for it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gonghui/funds/v1/levy.pb.h"
#include "tests/integration/funds_suite.h"

namespace gonghui::funds {

inline constexpr std::string_view kLevies = "/gonghui.funds.v1.LevyService/";
inline constexpr std::string_view kDues = "/gonghui.funds.v1.DuesService/";

class LevyTest : public FundsTest {
 protected:
  template <typename Response, typename Request>
  static absl::StatusOr<Response> Ask(const rpc::Client& client, std::string_view method,
                                      const Request& request) {
    return client.Invoke<Response>(StrCat(kLevies, method), request);
  }
  template <typename Response, typename Request>
  static absl::StatusOr<Response> Ask(std::string_view method, const Request& request) {
    return Ask<Response>(*Accountant(), method, request);
  }
  // With parent "federations/demo" and a request id of its own.
  template <typename Request>
  static Request New() {
    static int serial = 0;
    Request request;
    request.set_parent(std::string(kDemo));
    request.set_request_id(StrCat("levy-", ++serial));
    return request;
  }
  template <typename Request>
  static Request Named(const std::string& name) {
    static int serial = 0;
    Request request;
    request.set_name(name);
    request.set_request_id(StrCat("named-", ++serial));
    return request;
  }

  static v1::LevyPayer Payer(const std::string& unit, const std::string& organization,
                             const std::string& founded_on) {
    v1::LevyPayer payer;
    payer.set_unit(unit);
    payer.set_organization(organization);
    payer.set_display_name(unit + "公司");
    payer.set_founded_on(founded_on);
    return payer;
  }
  static void SetPayers() {
    auto request = New<v1::SetLevyPayersRequest>();
    *request.add_payers() = Payer("U1", "E01", "2015-01-01");
    *request.add_payers() = Payer("U2", "E02", "2015-01-01");
    *request.add_payers() = Payer("U9", "T01", "");
    ASSERT_OK_AND_ASSIGN(const auto set, Ask<v1::SetLevyPayersResponse>("SetLevyPayers", request));
    ASSERT_EQ(set.written(), 3) << set.DebugString();
  }

  static v1::AssessLeviesRequest Payroll(const std::string& unit, const std::string& period,
                                         int64_t payroll_fen) {
    auto request = New<v1::AssessLeviesRequest>();
    auto& given = *request.add_obligations();
    given.set_unit(unit);
    given.set_period(period);
    given.set_payroll_fen(payroll_fen);
    return request;
  }
  static void Assess(const std::string& unit, const std::string& period, int64_t payroll_fen) {
    ASSERT_OK_AND_ASSIGN(
        const auto assessed,
        Ask<v1::AssessLeviesResponse>("AssessLevies", Payroll(unit, period, payroll_fen)));
    ASSERT_EQ(assessed.obligations_size(), 1) << assessed.DebugString();
  }

  // A receipt of a month of 2024.
  static v1::LevyReceipt Receipt(const std::string& serial, const std::string& unit, int month,
                                 int64_t paid_fen, const std::string& received_on) {
    constexpr int kDays[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const std::string year_month = StrCat("2024-", month < 10 ? "0" : "", month);
    v1::LevyReceipt receipt;
    receipt.set_serial(serial);
    receipt.set_unit(unit);
    receipt.set_period_from(year_month + "-01");
    receipt.set_period_to(StrCat(year_month, "-", kDays[month - 1]));
    receipt.set_paid_fen(paid_fen);
    receipt.set_received_on(received_on);
    receipt.set_ticket("P" + serial);
    return receipt;
  }
  static v1::ImportLevyReceiptsRequest File(const std::vector<v1::LevyReceipt>& receipts,
                                            const std::string& batch = "B1",
                                            const std::string& channel = "tax_agency",
                                            const std::string& organization = "D01") {
    auto request = New<v1::ImportLevyReceiptsRequest>();
    request.set_organization(organization);
    request.set_channel(channel);
    request.set_batch_id(batch);
    for (const v1::LevyReceipt& receipt : receipts) *request.add_receipts() = receipt;
    return request;
  }
  static absl::StatusOr<v1::ImportLevyReceiptsResponse> Import(
      const v1::ImportLevyReceiptsRequest& request) {
    return Ask<v1::ImportLevyReceiptsResponse>("ImportLevyReceipts", request);
  }
  static absl::StatusOr<v1::ConfirmLevyReceiptsResponse> Confirm(const std::string& batch = "B1") {
    return Ask<v1::ConfirmLevyReceiptsResponse>(
        "ConfirmLevyReceipts",
        Named<v1::ConfirmLevyReceiptsRequest>(StrCat(kDemo, "/levyBatches/", batch)));
  }
  static std::vector<v1::LevyReceipt> Receipts(v1::LevyReceiptState state = {}) {
    v1::ListLevyReceiptsRequest request;
    request.set_parent(std::string(kDemo));
    request.set_organization("D01");
    request.set_state(state);
    auto listed = Ask<v1::ListLevyReceiptsResponse>("ListLevyReceipts", request);
    EXPECT_THAT(listed, testing::IsOk());
    if (!listed.ok()) return {};
    return {listed->receipts().begin(), listed->receipts().end()};
  }
  static v1::GetLevyStatementResponse Statement(const std::string& unit, const std::string& as_of) {
    v1::GetLevyStatementRequest request;
    request.set_name(StrCat(kDemo, "/levyPayers/", unit));
    request.set_as_of(as_of);
    auto statement = Ask<v1::GetLevyStatementResponse>("GetLevyStatement", request);
    EXPECT_THAT(statement, testing::IsOk());
    return statement.ok() ? *statement : v1::GetLevyStatementResponse();
  }
  static absl::StatusOr<v1::CreateRemittancesResponse> Remit(const std::string& organization,
                                                             v1::RemittanceDirection direction,
                                                             const std::string& period,
                                                             const std::string& sent_on) {
    auto request = New<v1::CreateRemittancesRequest>();
    request.set_organization(organization);
    request.set_direction(direction);
    request.set_period(period);
    request.set_sent_on(sent_on);
    return Ask<v1::CreateRemittancesResponse>("CreateRemittances", request);
  }
};

}  // namespace gonghui::funds
