// Restricted funds, budgets and holds: what may not be spent is not posted, whoever asks and
// however many at once.
#include <thread>

#include "tests/integration/ledger_suite.h"

namespace gonghui::funds {
namespace {

using testing::HasReason;
using testing::HasReasonAt;
using testing::IsOk;

constexpr std::string_view kHolds = "/gonghui.funds.v1.HoldService/";

class ControlsTest : public LedgerTest {
 protected:
  void SetUp() override {
    LedgerTest::SetUp();
    OpenBook("E01");
  }

  static v1::Voucher Granted(int64_t fen, const std::string& fund) {
    return VoucherOf("2024-02-01", {{"102", fen, 0}, {"40302", 0, fen, {{"fund", fund}}}});
  }
  static v1::Voucher Spent(int64_t fen, const std::string& fund,
                           const std::string& account = "50404",
                           std::string_view on_date = "2024-03-01") {
    return VoucherOf(on_date,
                     {{account, fen, 0, {{"fund", fund}, {"restricted", "yes"}}}, {"102", 0, fen}});
  }
  static v1::Voucher Paid(int64_t fen, const std::string& account = "50102",
                          std::string_view on_date = "2024-03-01") {
    return VoucherOf(on_date, {{account, fen, 0}, {"102", 0, fen}});
  }

  static absl::StatusOr<v1::Hold> Hold(const v1::Voucher& voucher, const rpc::Client& client,
                                       int64_t expire_time_us = 0) {
    v1::CreateHoldRequest request;
    request.set_parent(BookName("E01"));
    *request.mutable_hold()->mutable_voucher() = voucher;
    request.mutable_hold()->set_expire_time_us(expire_time_us);
    request.set_request_id(NextId());
    return client.Invoke<v1::Hold>(StrCat(kHolds, "CreateHold"), request);
  }
  template <typename Request>
  static absl::StatusOr<v1::Hold> On(std::string_view method, const std::string& name,
                                     const rpc::Client& client, Request request = {}) {
    request.set_name(name);
    request.set_request_id(NextId());
    return client.Invoke<v1::Hold>(StrCat(kHolds, method), request);
  }
  static absl::StatusOr<v1::Hold> Check(const std::string& name, const rpc::Client& client) {
    return On<v1::CheckHoldRequest>("CheckHold", name, client);
  }
  static absl::StatusOr<v1::Hold> Confirm(const std::string& name, const rpc::Client& client) {
    return On<v1::ConfirmHoldRequest>("ConfirmHold", name, client);
  }
  static absl::StatusOr<v1::Hold> Release(const std::string& name, const rpc::Client& client) {
    v1::ReleaseHoldRequest request;
    request.set_reason("不再需要");
    return On("ReleaseHold", name, client, request);
  }
};

TEST_P(ControlsTest, RestrictedFundIsSpentForItsPurposeByItsPayerInItsTime) {
  MakeFund("ZX-01", "50404,50405", "2024-12-31");
  MakeFund("ZX-02", "50404", "", "T01");
  EXPECT_THAT(Post("E01", Granted(100, "ZX-99")),
              HasReasonAt(common::v1::REASON_DIMENSION_INVALID, "voucher.entries[1].dimensions"));
  ASSERT_THAT(Post("E01", Granted(50'000, "ZX-01")), IsOk());
  ASSERT_THAT(Post("E01", Granted(50'000, "ZX-02")), IsOk());
  EXPECT_THAT(Post("E01", Spent(10'000, "ZX-01", "50102")),
              HasReasonAt(common::v1::REASON_FUND_RESTRICTED, "voucher.entries[0].account"));
  EXPECT_THAT(Post("E01", Spent(10'000, "ZX-01", "50404", "2025-01-01")),
              HasReason(common::v1::REASON_FUND_RESTRICTED));
  EXPECT_THAT(Post("E01", Spent(10'000, "ZX-02")), HasReason(common::v1::REASON_FUND_RESTRICTED));
  ASSERT_OK_AND_ASSIGN(const auto spent, Post("E01", Spent(30'000, "ZX-01", "50405")));
  EXPECT_THAT(Post("E01", Spent(20'001, "ZX-01")),
              HasReasonAt(common::v1::REASON_FUND_RESTRICTED, "voucher.entries[0].debit_fen"));
  ASSERT_THAT(Post("E01", Spent(20'000, "ZX-01")), IsOk());
  EXPECT_EQ(Funds()["ZX-01"].available_fen(), 0);
  // What is reversed can be spent again.
  v1::ReverseVoucherRequest reverse;
  reverse.set_name(spent.name());
  reverse.set_on_date("2024-03-02");
  reverse.set_reason("退回");
  reverse.set_request_id("r");
  ASSERT_THAT(Accountant()->Invoke<v1::Voucher>(StrCat(kLedger, "ReverseVoucher"), reverse),
              IsOk());
  EXPECT_EQ(Funds()["ZX-01"].available_fen(), 30'000);
  // Of a batch that may be partly refused, only what exceeds is.
  v1::BatchPostVouchersRequest batch;
  batch.set_parent(std::string(kDemo));
  for (const int64_t fen : {20'000, 20'000, 10'000}) {
    *batch.add_vouchers() = Spent(fen, "ZX-01");
    batch.mutable_vouchers()->rbegin()->set_book("E01");
  }
  const auto post = [&] {
    batch.set_request_id(NextId());
    return Accountant()->Invoke<v1::BatchPostVouchersResponse>(StrCat(kLedger, "BatchPostVouchers"),
                                                               batch);
  };
  ASSERT_OK_AND_ASSIGN(const auto whole, post());
  EXPECT_EQ(whole.posted(), 0);
  ASSERT_EQ(whole.failures_size(), 1);
  EXPECT_EQ(whole.failures(0).index(), 1);
  EXPECT_EQ(whole.failures(0).reason(), "FUND_RESTRICTED");
  EXPECT_EQ(Funds()["ZX-01"].available_fen(), 30'000);
  batch.set_partial(true);
  ASSERT_OK_AND_ASSIGN(const auto partly, post());
  EXPECT_EQ(partly.posted(), 2);
  EXPECT_EQ(Funds()["ZX-01"].available_fen(), 0);
}

TEST_P(ControlsTest, BudgetLineWarnsOrBlocks) {
  ASSERT_THAT(Post("E01", Paid(5'000)), IsOk());  // Before there is a budget.
  ApproveBudget("2024", 1, {{"501", "100.00"}, {"503", "10.00", "warn"}});
  auto lines = Lines(2024);
  EXPECT_EQ(lines["501"].used_fen(), 5'000);
  EXPECT_EQ(lines["501"].available_fen(), 5'000);
  EXPECT_THAT(Post("E01", Paid(5'001)),
              HasReasonAt(common::v1::REASON_BUDGET_EXCEEDED, "voucher.entries"));
  ASSERT_THAT(Post("E01", Paid(5'000, "50106")), IsOk());
  EXPECT_THAT(Post("E01", Paid(1)), HasReason(common::v1::REASON_BUDGET_EXCEEDED));
  // Another year has a budget of its own, or none.
  ASSERT_THAT(Post("E01", Paid(9'999, "50102", "2025-01-02")), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto warned, Post("E01", Paid(2'000, "50301")));
  ASSERT_EQ(warned.warnings_size(), 1);
  EXPECT_EQ(warned.warnings(0).reason(), "BUDGET_EXCEEDED");
  EXPECT_EQ(Lines(2024)["503"].available_fen(), -1'000);
  // The adjusted budget takes over what is spent.
  ApproveBudget("2024", 2, {{"501", "150.00"}});
  lines = Lines(2024);
  EXPECT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines["501"].available_fen(), 5'000);
  ASSERT_THAT(Post("E01", Paid(5'000)), IsOk());
  EXPECT_THAT(Post("E01", Paid(1)), HasReason(common::v1::REASON_BUDGET_EXCEEDED));
}

TEST_P(ControlsTest, ManyAtOnceNeverSpendMoreThanThereIs) {
  MakeFund("ZX-01", "50404");
  ASSERT_THAT(Post("E01", Granted(1'000, "ZX-01")), IsOk());
  ApproveBudget("2024", 1, {{"50404", "7.00"}});
  std::atomic<int> posted = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      const auto client = Accountant();
      for (int i = 0; i < 5; ++i) {
        v1::PostVoucherRequest request;
        request.set_parent(BookName("E01"));
        *request.mutable_voucher() = Spent(100, "ZX-01");
        request.set_request_id(StrCat("many-", t, "-", i));
        const auto result = client->Invoke<v1::Voucher>(StrCat(kLedger, "PostVoucher"), request);
        if (result.ok()) {
          ++posted;
        } else {
          EXPECT_THAT(result, HasReason(common::v1::REASON_BUDGET_EXCEEDED));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(posted, 7);
  EXPECT_EQ(Funds()["ZX-01"].available_fen(), 300);
  EXPECT_EQ(Lines(2024)["50404"].available_fen(), 0);
}

TEST_P(ControlsTest, HoldTakesMoneyUntilItIsConfirmedOrReleased) {
  MakeFund("ZX-01", "50404");
  ASSERT_THAT(Post("E01", Granted(1'000, "ZX-01")), IsOk());
  const auto maker = As("accountant", "E01");
  ASSERT_OK_AND_ASSIGN(const auto held, Hold(Spent(800, "ZX-01"), *maker));
  EXPECT_EQ(held.state(), v1::HOLD_STATE_RESERVED);
  EXPECT_EQ(Funds()["ZX-01"].held_fen(), 800);
  EXPECT_EQ(Vouchers("E01").size(), 1u);
  EXPECT_THAT(Post("E01", Spent(201, "ZX-01")), HasReason(common::v1::REASON_FUND_RESTRICTED));
  EXPECT_THAT(Hold(Spent(201, "ZX-01"), *maker), HasReason(common::v1::REASON_FUND_RESTRICTED));
  ASSERT_OK_AND_ASSIGN(const auto confirmed, Confirm(held.name(), *Accountant()));
  EXPECT_EQ(confirmed.state(), v1::HOLD_STATE_CONFIRMED);
  EXPECT_EQ(Funds()["ZX-01"].held_fen(), 0);
  EXPECT_EQ(Funds()["ZX-01"].spent_fen(), 800);
  ASSERT_EQ(Vouchers("E01").size(), 2u);
  EXPECT_EQ(Vouchers("E01")[1].name(), confirmed.posted());
  EXPECT_EQ(Vouchers("E01")[1].maker(), "accountant-E01");
  EXPECT_EQ(Vouchers("E01")[1].poster(), "accountant-D01");
  EXPECT_THAT(Confirm(held.name(), *Accountant()), HasReason(common::v1::REASON_HOLD_ENDED));
  ASSERT_OK_AND_ASSIGN(const auto other, Hold(Spent(200, "ZX-01"), *maker));
  ASSERT_THAT(Release(other.name(), *maker), IsOk());
  EXPECT_EQ(Funds()["ZX-01"].available_fen(), 200);
  EXPECT_THAT(Release(other.name(), *maker), HasReason(common::v1::REASON_HOLD_ENDED));
}

TEST_P(ControlsTest, HoldExpiresByItself) {
  MakeFund("ZX-01", "50404");
  ASSERT_THAT(Post("E01", Granted(1'000, "ZX-01")), IsOk());
  const int64_t soon = absl::ToUnixMicros(absl::Now() + absl::Milliseconds(300));
  ASSERT_OK_AND_ASSIGN(const auto held, Hold(Spent(800, "ZX-01"), *Accountant(), soon));
  const absl::Time until = absl::Now() + absl::Seconds(30);
  while (Funds()["ZX-01"].held_fen() > 0 && absl::Now() < until)
    absl::SleepFor(absl::Milliseconds(50));
  EXPECT_EQ(Funds()["ZX-01"].held_fen(), 0);
  v1::GetHoldRequest get;
  get.set_name(held.name());
  ASSERT_OK_AND_ASSIGN(const auto read,
                       Accountant()->Invoke<v1::Hold>(StrCat(kHolds, "GetHold"), get));
  EXPECT_EQ(read.state(), v1::HOLD_STATE_EXPIRED);
  EXPECT_THAT(Confirm(held.name(), *As("admin", "D01")), HasReason(common::v1::REASON_HOLD_ENDED));
  EXPECT_THAT(Hold(Paid(1), *Accountant(), 1),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "hold.expire_time_us"));
}

TEST_P(ControlsTest, MakerCheckerAndPosterAreThreePeople) {
  SetPeople("E01", 3);
  const auto maker = As("accountant", "E01");
  const auto checker = As("accountant", "T01");
  const auto poster = Accountant();
  EXPECT_THAT(Post("E01", Paid(100)), HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  ASSERT_OK_AND_ASSIGN(const auto held, Hold(Paid(100), *maker));
  EXPECT_THAT(Confirm(held.name(), *poster), HasReason(common::v1::REASON_STATE_FORBIDS));
  EXPECT_THAT(Check(held.name(), *maker), HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  ASSERT_THAT(Check(held.name(), *checker), IsOk());
  EXPECT_THAT(Confirm(held.name(), *maker), HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  EXPECT_THAT(Confirm(held.name(), *checker), HasReason(common::v1::REASON_DUTIES_NOT_SEPARATED));
  ASSERT_THAT(Confirm(held.name(), *poster), IsOk());
  const auto vouchers = Vouchers("E01");
  ASSERT_EQ(vouchers.size(), 1u);
  EXPECT_EQ(vouchers[0].maker(), "accountant-E01");
  EXPECT_EQ(vouchers[0].checker(), "accountant-T01");
  EXPECT_EQ(vouchers[0].poster(), "accountant-D01");
  EXPECT_THAT(Hold(Paid(1), *As("accountant", "T02")), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Hold(Paid(1), *As("accountant", "D01", "other")),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
}

TEST_P(ControlsTest, HeldSourceIsHeldOnce) {
  v1::Voucher voucher = Paid(100);
  voucher.set_source("JZ-9");
  ASSERT_THAT(Hold(voucher, *Accountant()), IsOk());
  EXPECT_THAT(Hold(voucher, *Accountant()),
              HasReasonAt(common::v1::REASON_ALREADY_EXISTS, "hold.voucher.source"));
}

INSTANTIATE_TEST_SUITE_P(Engines, ControlsTest, ::testing::ValuesIn(testing::Engines()));

}  // namespace
}  // namespace gonghui::funds
