// Vouchers and balances through the public RPCs.
#include <thread>

#include "tests/integration/funds_suite.h"

namespace gonghui::funds {
namespace {

using testing::HasReason;
using testing::HasReasonAt;
using testing::IsOk;

void AddEntry(v1::Voucher& voucher, std::string_view account, int64_t debit, int64_t credit) {
  v1::Entry& entry = *voucher.add_entries();
  entry.set_account(std::string(account));
  entry.set_debit_fen(debit);
  entry.set_credit_fen(credit);
}

v1::Voucher Received(int64_t fen, std::string_view on_date = "2020-05-13",
                     std::string_view source = "") {
  v1::Voucher voucher;
  voucher.set_on_date(std::string(on_date));
  voucher.set_memo("收到拨缴经费");
  voucher.set_source(std::string(source));
  AddEntry(voucher, "102", fen, 0);
  AddEntry(voucher, "402", 0, fen);
  return voucher;
}

class VouchersTest : public FundsTest {
 protected:
  void SetUp() override {
    FundsTest::SetUp();
    for (const char* organization : {"T01", "E01", "E02"}) OpenBook(organization);
  }

  static v1::PostVoucherRequest Request(const v1::Voucher& voucher, std::string_view request_id,
                                        std::string_view book = "T01") {
    v1::PostVoucherRequest request;
    request.set_parent(StrCat(kDemo, "/books/", book));
    *request.mutable_voucher() = voucher;
    request.set_request_id(std::string(request_id));
    return request;
  }
  static absl::StatusOr<v1::Voucher> Post(const rpc::Client& client,
                                          const v1::PostVoucherRequest& request) {
    return client.Invoke<v1::Voucher>(StrCat(kLedger, "PostVoucher"), request);
  }
  static absl::StatusOr<v1::BatchPostVouchersResponse> PostBatch(
      const rpc::Client& client, const v1::BatchPostVouchersRequest& request) {
    return client.Invoke<v1::BatchPostVouchersResponse>(StrCat(kLedger, "BatchPostVouchers"),
                                                        request);
  }
  static absl::StatusOr<v1::Voucher> Reverse(const rpc::Client& client, const std::string& name,
                                             std::string_view request_id,
                                             std::string_view on_date = "2020-06-01") {
    v1::ReverseVoucherRequest request;
    request.set_name(name);
    request.set_on_date(std::string(on_date));
    request.set_reason("重复记账");
    request.set_request_id(std::string(request_id));
    return client.Invoke<v1::Voucher>(StrCat(kLedger, "ReverseVoucher"), request);
  }
  static absl::StatusOr<v1::Voucher> Get(const rpc::Client& client, const std::string& name) {
    v1::GetVoucherRequest request;
    request.set_name(name);
    return client.Invoke<v1::Voucher>(StrCat(kLedger, "GetVoucher"), request);
  }

  static v1::BatchPostVouchersRequest Batch(const std::vector<v1::Voucher>& vouchers,
                                            std::string_view request_id) {
    v1::BatchPostVouchersRequest request;
    request.set_parent(std::string(kDemo));
    for (const v1::Voucher& voucher : vouchers) {
      *request.add_vouchers() = voucher;
      if (voucher.book().empty()) request.mutable_vouchers()->rbegin()->set_book("T01");
    }
    request.set_request_id(std::string(request_id));
    return request;
  }
};

TEST_P(VouchersTest, PostedVoucherIsNumberedAndRead) {
  const auto client = Accountant();
  ASSERT_OK_AND_ASSIGN(const auto first, Post(*client, Request(Received(1200), "a")));
  EXPECT_EQ(first.name(), "federations/demo/books/T01/vouchers/202005-1");
  EXPECT_EQ(first.number(), 1);
  ASSERT_OK_AND_ASSIGN(const auto second, Post(*client, Request(Received(1), "b")));
  EXPECT_EQ(second.number(), 2);
  ASSERT_OK_AND_ASSIGN(const auto june, Post(*client, Request(Received(1, "2020-06-30"), "c")));
  EXPECT_EQ(june.number(), 1);
  ASSERT_OK_AND_ASSIGN(const auto read, Get(*client, first.name()));
  EXPECT_EQ(read.SerializeAsString(), first.SerializeAsString());
  EXPECT_EQ(Balances("T01"), (std::map<std::string, int64_t>{{"102", 1202}, {"402", 1202}}));
  EXPECT_EQ(Balances("T01", "2020-05-31").at("102"), 1201);
  EXPECT_TRUE(Balances("T01", "2020-05-12").empty());
}

TEST_P(VouchersTest, PostVoucherNamesTheFieldAtFault) {
  const auto client = Accountant();
  int n = 0;
  const auto post = [&](const v1::Voucher& voucher, std::string_view book = "T01") {
    return Post(*client, Request(voucher, StrCat("bad-", ++n), book));
  };
  v1::Voucher voucher = Received(100);
  voucher.mutable_entries(1)->set_credit_fen(99);
  const auto unbalanced = post(voucher);
  EXPECT_THAT(unbalanced, HasReasonAt(common::v1::REASON_VOUCHER_UNBALANCED, "voucher.entries"));
  EXPECT_NE(MessageZhOf(unbalanced.status()).find("0.99"), std::string::npos);
  voucher = Received(-100);
  EXPECT_THAT(post(voucher),
              HasReasonAt(common::v1::REASON_AMOUNT_INVALID, "voucher.entries[0].debit_fen"));
  voucher = Received(0);
  EXPECT_THAT(post(voucher), HasReason(common::v1::REASON_AMOUNT_INVALID));
  voucher = Received(1'000'000'000'000'001);
  EXPECT_THAT(post(voucher), HasReason(common::v1::REASON_AMOUNT_INVALID));
  voucher = Received(100);
  voucher.mutable_entries(0)->set_credit_fen(100);
  EXPECT_THAT(post(voucher), HasReason(common::v1::REASON_AMOUNT_INVALID));
  voucher = Received(100);
  voucher.mutable_entries(1)->set_account("504");
  EXPECT_THAT(post(voucher),
              HasReasonAt(common::v1::REASON_ACCOUNT_UNKNOWN, "voucher.entries[1].account"));
  voucher = Received(100);
  voucher.mutable_entries()->RemoveLast();
  EXPECT_THAT(post(voucher), HasReasonAt(common::v1::REASON_FIELD_INVALID, "voucher.entries"));
  EXPECT_THAT(post(Received(100, "2019-12-31")),
              HasReasonAt(common::v1::REASON_BOOK_MISSING, "voucher.on_date"));
  EXPECT_THAT(post(Received(100), "T02"), HasReason(common::v1::REASON_BOOK_MISSING));
  voucher = Received(100);
  voucher.set_book("E01");
  EXPECT_THAT(post(voucher), HasReasonAt(common::v1::REASON_FIELD_INVALID, "voucher.book"));
  EXPECT_THAT(Post(*client, Request(Received(100), "")),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "request_id"));
  EXPECT_TRUE(Vouchers("T01").empty());
}

TEST_P(VouchersTest, RepeatedVoucherIsPostedOnce) {
  const auto client = Accountant();
  const auto request = Request(Received(500, "2020-05-13", "JZ-1"), "once");
  ASSERT_OK_AND_ASSIGN(const auto posted, Post(*client, request));
  ASSERT_OK_AND_ASSIGN(const auto again, Post(*client, request));
  EXPECT_EQ(again.SerializeAsString(), posted.SerializeAsString());
  EXPECT_THAT(Post(*client, Request(Received(501), "once")),
              HasReason(common::v1::REASON_REQUEST_ID_REUSED));
  // The caller's own number stands for the voucher, whatever the request_id.
  ASSERT_OK_AND_ASSIGN(const auto imported,
                       Post(*client, Request(Received(500, "2020-05-13", "JZ-1"), "twice")));
  EXPECT_EQ(imported.name(), posted.name());
  EXPECT_THAT(Post(*client, Request(Received(501, "2020-05-13", "JZ-1"), "thrice")),
              HasReasonAt(common::v1::REASON_ALREADY_EXISTS, "voucher.source"));
  EXPECT_THAT(Post(*client, Request(Received(501, "2020-05-13", "JZ-1"), "e01", "E01")), IsOk());
  EXPECT_EQ(Vouchers("T01").size(), 1);
}

TEST_P(VouchersTest, ScopeAndFederationAreChecked) {
  const auto client = Accountant();
  ASSERT_OK_AND_ASSIGN(const auto posted, Post(*client, Request(Received(500), "own", "E02")));
  const auto street = As("accountant", "T01");
  EXPECT_THAT(Post(*street, Request(Received(1), "x", "E02")),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Get(*street, posted.name()), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Reverse(*street, posted.name(), "x"), HasReason(common::v1::REASON_OUT_OF_SCOPE));
  v1::ListVouchersRequest list;
  list.set_parent("federations/demo/books/E02");
  EXPECT_THAT(street->Invoke<v1::ListVouchersResponse>(StrCat(kLedger, "ListVouchers"), list),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  v1::ListBalancesRequest balances;
  balances.set_parent("federations/demo/books/E02");
  EXPECT_THAT(street->Invoke<v1::ListBalancesResponse>(StrCat(kLedger, "ListBalances"), balances),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  const auto stranger = As("accountant", "*", "other");
  EXPECT_THAT(Post(*stranger, Request(Received(1), "x")),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  EXPECT_THAT(Get(*stranger, posted.name()), HasReason(common::v1::REASON_WRONG_FEDERATION));
  EXPECT_THAT(Post(*As("statistician", "D01"), Request(Received(1), "x")),
              HasReason(common::v1::REASON_PERMISSION_MISSING));
  EXPECT_EQ(Vouchers("E02").size(), 1);
}

TEST_P(VouchersTest, CallsThatWaitTogetherAreAllAnswered) {
  constexpr int kThreads = 8;
  constexpr int kEach = 25;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([t] {
      const auto client = Accountant();
      for (int i = 0; i < kEach; ++i) {
        const bool bad = i % 5 == 4;
        v1::Voucher voucher = Received(100);
        if (bad) voucher.mutable_entries(0)->set_account("999");
        const auto result = Post(*client, Request(voucher, StrCat("w-", t, "-", i)));
        EXPECT_EQ(result.ok(), !bad) << result.status();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<v1::Voucher> vouchers = Vouchers("T01");
  ASSERT_EQ(vouchers.size(), kThreads * kEach * 4 / 5);
  for (size_t i = 0; i < vouchers.size(); ++i) {
    EXPECT_EQ(vouchers[i].number(), static_cast<int64_t>(i) + 1);
  }
}

// Repeated and new calls that wait together: each voucher is posted once, and numbers have no gaps.
TEST_P(VouchersTest, RepeatedCallsDoNotHoldUpNewOnes) {
  constexpr int kThreads = 8;
  constexpr int kEach = 20;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([t] {
      const auto client = Accountant();
      for (int i = 0; i < kEach; ++i) {
        // Two threads post the same; some vouchers have a source.
        const std::string id = StrCat("twin-", t / 2, "-", i);
        const std::string source = i % 3 == 0 ? id : "";
        const auto first = Post(*client, Request(Received(100, "2020-05-13", source), id));
        const auto again = Post(*client, Request(Received(100, "2020-05-13", source), id));
        ASSERT_THAT(first, IsOk());
        ASSERT_THAT(again, IsOk());
        EXPECT_EQ(first->SerializeAsString(), again->SerializeAsString());
        EXPECT_THAT(Post(*client, Request(Received(101), id)),
                    HasReason(common::v1::REASON_REQUEST_ID_REUSED));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<v1::Voucher> vouchers = Vouchers("T01");
  ASSERT_EQ(vouchers.size(), kThreads / 2 * kEach);
  for (size_t i = 0; i < vouchers.size(); ++i) {
    EXPECT_EQ(vouchers[i].number(), static_cast<int64_t>(i) + 1);
  }
  EXPECT_EQ(Balances("T01").at("102"), 100 * kThreads / 2 * kEach);
}

TEST_P(VouchersTest, BatchIsAllOrNothing) {
  const auto client = Accountant();
  v1::Voucher bad = Received(100);
  bad.mutable_entries(1)->set_credit_fen(99);
  v1::Voucher homeless = Received(100);
  homeless.set_book("X99");
  auto request = Batch({Received(100), bad, homeless}, "batch");
  request.mutable_vouchers(0)->set_source("Z-1");
  ASSERT_OK_AND_ASSIGN(const auto refused, PostBatch(*client, request));
  EXPECT_EQ(refused.posted(), 0);
  ASSERT_EQ(refused.failures_size(), 2);
  EXPECT_EQ(refused.failures(0).index(), 1);
  EXPECT_EQ(refused.failures(0).field(), "entries");
  EXPECT_EQ(refused.failures(0).reason(), "VOUCHER_UNBALANCED");
  EXPECT_FALSE(refused.failures(0).message_zh().empty());
  EXPECT_EQ(refused.failures(1).reason(), "BOOK_MISSING");
  EXPECT_TRUE(Vouchers("T01").empty());

  request.set_partial(true);
  request.set_request_id("partial");
  ASSERT_OK_AND_ASSIGN(const auto partial, PostBatch(*client, request));
  EXPECT_EQ(partial.posted(), 1);
  EXPECT_EQ(partial.failures_size(), 2);
  EXPECT_EQ(partial.names(0), "federations/demo/books/T01/vouchers/202005-1");
  EXPECT_EQ(partial.names(1), "");
  ASSERT_OK_AND_ASSIGN(const auto replayed, PostBatch(*client, request));
  EXPECT_EQ(replayed.SerializeAsString(), partial.SerializeAsString());
  // An import repeated under another request_id posts nothing twice.
  request.set_request_id("partial-again");
  ASSERT_OK_AND_ASSIGN(const auto again, PostBatch(*client, request));
  EXPECT_EQ(again.posted(), 0);
  EXPECT_EQ(again.names(0), partial.names(0));
  EXPECT_EQ(Vouchers("T01").size(), 1);
}

TEST_P(VouchersTest, BatchChecksItemsOneByOne) {
  const auto client = As("accountant", "T01");
  v1::Voucher elsewhere = Received(100);
  elsewhere.set_book("E02");
  auto request =
      Batch({Received(1, "2020-05-13", "S"), Received(1, "2020-05-13", "S"), elsewhere}, "mixed");
  request.add_vouchers()->CopyFrom(Received(1));
  ASSERT_OK_AND_ASSIGN(const auto response, PostBatch(*client, request));
  ASSERT_EQ(response.failures_size(), 3);
  EXPECT_EQ(response.failures(0).reason(), "DUPLICATE_IN_REQUEST");
  EXPECT_EQ(response.failures(1).reason(), "OUT_OF_SCOPE");
  EXPECT_EQ(response.failures(2).reason(), "FIELD_REQUIRED");
  EXPECT_EQ(response.failures(2).field(), "book");
  request = Batch({Received(1)}, "check");
  request.set_validate_only(true);
  ASSERT_OK_AND_ASSIGN(const auto checked, PostBatch(*client, request));
  EXPECT_EQ(checked.failures_size(), 0);
  EXPECT_EQ(checked.posted(), 0);
  EXPECT_TRUE(Vouchers("T01").empty());
  EXPECT_THAT(PostBatch(*As("accountant", "*", "other"), request),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  request.clear_request_id();
  EXPECT_THAT(PostBatch(*client, request),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "request_id"));
}

TEST_P(VouchersTest, ReversalCancelsAVoucherOnce) {
  const auto client = Accountant();
  ASSERT_OK_AND_ASSIGN(const auto posted, Post(*client, Request(Received(700), "p")));
  EXPECT_THAT(Reverse(*client, posted.name(), "early", "2020-05-12"),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "on_date"));
  ASSERT_OK_AND_ASSIGN(const auto red, Reverse(*client, posted.name(), "r"));
  EXPECT_EQ(red.reverses(), posted.name());
  EXPECT_EQ(red.entries(0).debit_fen(), -700);
  ASSERT_OK_AND_ASSIGN(const auto original, Get(*client, posted.name()));
  EXPECT_EQ(original.reversed_by(), red.name());
  ASSERT_OK_AND_ASSIGN(const auto again, Reverse(*client, posted.name(), "r"));
  EXPECT_EQ(again.name(), red.name());
  EXPECT_THAT(Reverse(*client, posted.name(), "r2"), HasReason(common::v1::REASON_STATE_FORBIDS));
  EXPECT_THAT(Reverse(*client, red.name(), "r3"), HasReason(common::v1::REASON_STATE_FORBIDS));
  EXPECT_THAT(Reverse(*client, "federations/demo/books/T01/vouchers/202005-9", "r4"),
              HasReason(common::v1::REASON_NOT_FOUND));
  EXPECT_EQ(Balances("T01").at("102"), 0);
  EXPECT_EQ(Balances("T01", "2020-05-31").at("102"), 700);
}

TEST_P(VouchersTest, ListVouchersPagesByNumberWithinDates) {
  const auto client = Accountant();
  std::vector<v1::Voucher> vouchers;
  for (int day = 1; day <= 9; ++day) vouchers.push_back(Received(day, StrCat("2020-05-0", day)));
  vouchers.push_back(Received(1, "2020-06-01"));
  ASSERT_THAT(PostBatch(*client, Batch(vouchers, "ten")), IsOk());
  v1::ListVouchersRequest request;
  request.set_parent("federations/demo/books/T01");
  request.set_from_date("2020-05-03");
  request.set_to_date("2020-05-31");
  request.set_page_size(3);
  std::vector<int64_t> amounts;
  do {
    ASSERT_OK_AND_ASSIGN(const auto page, client->Invoke<v1::ListVouchersResponse>(
                                              StrCat(kLedger, "ListVouchers"), request));
    for (const auto& voucher : page.vouchers()) amounts.push_back(voucher.entries(0).debit_fen());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(amounts, (std::vector<int64_t>{3, 4, 5, 6, 7, 8, 9}));
}

TEST_P(VouchersTest, UnknownVouchersAreNotFound) {
  const auto client = Accountant();
  for (const char* id : {"202005-1", "202013-1", "1", "202005-01", "202005--1"}) {
    EXPECT_THAT(Get(*client, StrCat("federations/demo/books/T01/vouchers/", id)),
                HasReason(common::v1::REASON_NOT_FOUND))
        << id;
  }
  EXPECT_THAT(Get(*client, "federations/demo/books/X99/vouchers/202005-1"),
              HasReason(common::v1::REASON_BOOK_MISSING));
}

INSTANTIATE_TEST_SUITE_P(Engines, VouchersTest, ::testing::ValuesIn(testing::Engines()));

}  // namespace
}  // namespace gonghui::funds
