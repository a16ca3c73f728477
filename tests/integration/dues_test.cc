// Members' dues through the public RPCs.
#include "tests/integration/levy_suite.h"

namespace gonghui::funds {
namespace {

using testing::HasReason;
using testing::HasReasonAt;
using testing::IsOk;

class DuesTest : public LevyTest {
 protected:
  static v1::BillDuesRequest Billing(const std::string& month = "2024-03") {
    auto request = New<v1::BillDuesRequest>();
    request.set_organization("E01");
    request.set_month(month);
    Add(request, "m1", 345'678, {});
    Add(request, "m2", 500'000, v1::DUES_STANDING_RETAINED);
    Add(request, "m3", 200'000, {});
    return request;
  }
  static v1::DuesBill& Add(v1::BillDuesRequest& request, const std::string& member, int64_t wage,
                           v1::DuesStanding standing) {
    v1::DuesBill& bill = *request.add_bills();
    bill.set_member(member);
    bill.set_wage_fen(wage);
    bill.set_standing(standing);
    return bill;
  }
  static absl::StatusOr<v1::BillDuesResponse> Bill(const v1::BillDuesRequest& request) {
    return Dues<v1::BillDuesResponse>(*Accountant(), "BillDues", request);
  }
  static v1::PayDuesRequest Payment(
      const std::vector<std::tuple<std::string, std::string, int64_t>>& payments) {
    auto request = New<v1::PayDuesRequest>();
    request.set_organization("E01");
    request.set_paid_on("2024-04-05");
    for (const auto& [member, month, fen] : payments) {
      v1::DuesPayment& payment = *request.add_payments();
      payment.set_member(member);
      payment.set_month(month);
      payment.set_amount_fen(fen);
    }
    return request;
  }
  static absl::StatusOr<v1::PayDuesResponse> Pay(const v1::PayDuesRequest& request) {
    return Dues<v1::PayDuesResponse>(*Accountant(), "PayDues", request);
  }
  template <typename Response, typename Request>
  static absl::StatusOr<Response> Dues(const rpc::Client& client, std::string_view method,
                                       const Request& request) {
    return client.Invoke<Response>(StrCat(kDues, method), request);
  }
};

TEST_P(DuesTest, BillsFollowTheFormula) {
  const auto request = Billing();
  ASSERT_OK_AND_ASSIGN(const auto billed, Bill(request));
  EXPECT_EQ(billed.billed(), 3);
  EXPECT_EQ(billed.payable_fen(), 1725 + 1000);
  EXPECT_FALSE(billed.citation().empty());
  ASSERT_OK_AND_ASSIGN(const auto again, Bill(request));
  EXPECT_EQ(again.SerializeAsString(), billed.SerializeAsString());
  v1::ListDuesBillsRequest list;
  list.set_parent(std::string(kDemo));
  list.set_organization("E01");
  list.set_month("2024-03");
  list.set_page_size(2);
  ASSERT_OK_AND_ASSIGN(const auto page,
                       Dues<v1::ListDuesBillsResponse>(*Accountant(), "ListDuesBills", list));
  ASSERT_EQ(page.bills_size(), 2);
  EXPECT_EQ(page.bills(0).payable_fen(), 1725);
  EXPECT_EQ(page.bills(0).wage_fen(), 0);  // Not shown.
  EXPECT_EQ(page.bills(1).payable_fen(), 0);
  list.set_page_token(page.next_page_token());
  ASSERT_OK_AND_ASSIGN(const auto rest,
                       Dues<v1::ListDuesBillsResponse>(*Accountant(), "ListDuesBills", list));
  EXPECT_EQ(rest.bills_size(), 1);

  auto bad = Billing("2024Q1");
  EXPECT_THAT(Bill(bad), HasReasonAt(common::v1::REASON_PERIOD_INVALID, "month"));
  bad.set_month("2024-03");
  bad.clear_bills();
  Add(bad, "", 1, {});
  Add(bad, "m4", -1, {});
  Add(bad, "m5", 1, v1::DUES_STANDING_WAIVED);
  Add(bad, "m1", 100'000, {});
  Add(bad, "m1", 100'000, {});
  ASSERT_OK_AND_ASSIGN(const auto failed, Bill(bad));
  ASSERT_EQ(failed.failures_size(), 4) << failed.DebugString();
  EXPECT_EQ(failed.failures(0).field(), "member");
  EXPECT_EQ(failed.failures(1).field(), "wage_fen");
  EXPECT_EQ(failed.failures(2).field(), "reason");
  EXPECT_EQ(failed.failures(3).reason(), "DUPLICATE_IN_REQUEST");
  EXPECT_EQ(failed.billed(), 0);
  EXPECT_THAT(Dues<v1::BillDuesResponse>(*As("accountant", "T02"), "BillDues", Billing()),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Dues<v1::BillDuesResponse>(*As("accountant", "*", "other"), "BillDues", Billing()),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
}

TEST_P(DuesTest, PaymentsArePostedOnce) {
  ASSERT_THAT(Bill(Billing()), IsOk());
  const auto request = Payment({{"m1", "2024-03", 0}, {"m3", "2024-03", 400}});
  ASSERT_OK_AND_ASSIGN(const auto paid, Pay(request));
  EXPECT_EQ(paid.paid(), 2);
  EXPECT_EQ(paid.amount_fen(), 2125);
  EXPECT_EQ(paid.voucher(), "federations/demo/books/E01/vouchers/202404-1");
  ASSERT_OK_AND_ASSIGN(const auto again, Pay(request));
  EXPECT_EQ(again.SerializeAsString(), paid.SerializeAsString());
  EXPECT_EQ(Balances("E01"), (std::map<std::string, int64_t>{{"102", 2125}, {"401", 2125}}));
  ASSERT_OK_AND_ASSIGN(const auto failed, Pay(Payment({{"m1", "2024-03", 0},  // Paid.
                                                       {"m2", "2024-03", 5},  // Owes nothing.
                                                       {"m3", "2024-02", 5},  // Not billed.
                                                       {"m3", "2024-03", 601}})));
  ASSERT_EQ(failed.failures_size(), 4) << failed.DebugString();
  EXPECT_EQ(failed.failures(0).reason(), "AMOUNT_INVALID");
  EXPECT_EQ(failed.failures(1).reason(), "AMOUNT_INVALID");
  EXPECT_EQ(failed.failures(2).reason(), "REFERENCE_NOT_FOUND");
  EXPECT_EQ(failed.failures(3).field(), "amount_fen");
  // Billed anew for less than is paid.
  auto lower = Billing();
  lower.mutable_bills(0)->set_wage_fen(100'000);
  ASSERT_OK_AND_ASSIGN(const auto refused, Bill(lower));
  ASSERT_EQ(refused.failures_size(), 1);
  EXPECT_EQ(refused.failures(0).reason(), "STATE_FORBIDS");
  EXPECT_THAT(Dues<v1::PayDuesResponse>(*As("accountant", "T02"), "PayDues",
                                        Payment({{"m3", "2024-03", 5}})),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Dues<v1::PayDuesResponse>(*As("statistician", "D01"), "PayDues",
                                        Payment({{"m3", "2024-03", 5}})),
              HasReason(common::v1::REASON_PERMISSION_MISSING));
}

TEST_P(DuesTest, StatementsOfMemberAndUnit) {
  ASSERT_THAT(Bill(Billing()), IsOk());
  auto april = Billing("2024-04");
  april.mutable_bills(2)->set_standing(v1::DUES_STANDING_WAIVED);
  april.mutable_bills(2)->set_reason("困难");
  ASSERT_THAT(Bill(april), IsOk());
  ASSERT_THAT(Pay(Payment({{"m1", "2024-03", 0}, {"m1", "2024-04", 1000}})), IsOk());
  v1::GetMemberDuesStatementRequest member;
  member.set_parent(std::string(kDemo));
  member.set_organization("E01");
  member.set_member("m1");
  ASSERT_OK_AND_ASSIGN(const auto own, Dues<v1::GetMemberDuesStatementResponse>(
                                           *Accountant(), "GetMemberDuesStatement", member));
  EXPECT_EQ(own.bills_size(), 2);
  EXPECT_EQ(own.outstanding_fen(), 725);
  member.set_from_month("2024-4");
  EXPECT_THAT(
      Dues<v1::GetMemberDuesStatementResponse>(*Accountant(), "GetMemberDuesStatement", member),
      HasReasonAt(common::v1::REASON_PERIOD_INVALID, "from_month"));
  EXPECT_THAT(Dues<v1::GetMemberDuesStatementResponse>(*As("accountant", "T02"),
                                                       "GetMemberDuesStatement", member),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  v1::GetUnitDuesStatementRequest unit;
  unit.set_parent(std::string(kDemo));
  unit.set_organization("E01");
  unit.set_from_month("2024-01");
  unit.set_to_month("2024-12");
  ASSERT_OK_AND_ASSIGN(const auto whole, Dues<v1::GetUnitDuesStatementResponse>(
                                             *Accountant(), "GetUnitDuesStatement", unit));
  ASSERT_EQ(whole.months_size(), 2);
  EXPECT_EQ(whole.months(0).paying(), 2);
  EXPECT_EQ(whole.months(1).paying(), 1);
  EXPECT_EQ(whole.months(1).in_arrears(), 1);
  EXPECT_EQ(whole.payable_fen(), 1725 * 2 + 1000);
  EXPECT_EQ(whole.paid_fen(), 2725);
  EXPECT_THAT(Dues<v1::GetUnitDuesStatementResponse>(*As("accountant", "T02"),
                                                     "GetUnitDuesStatement", unit),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
}

INSTANTIATE_TEST_SUITE_P(Engines, DuesTest, ::testing::ValuesIn(testing::Engines()));

}  // namespace
}  // namespace gonghui::funds
