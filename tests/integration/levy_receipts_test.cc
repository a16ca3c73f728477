// Receipts by channel, their sharing, remittances, refunds and receipt forms, through the public
// RPCs.
#include <atomic>
#include <functional>
#include <thread>

#include "tests/integration/levy_suite.h"

namespace gonghui::funds {
namespace {

using testing::HasReason;
using testing::HasReasonAt;
using testing::IsOk;
using Accounts = std::map<std::string, int64_t>;

class LevyReceiptsTest : public LevyTest {
 protected:
  void SetUp() override {
    LevyTest::SetUp();
    SetPayers();
    Assess("U1", "2024-01", 500'000);
    Assess("U1", "2024-02", 500'000);
    Assess("U2", "2024-01", 1'000'050);
  }
  // Seven rows: three that match, one of each exception but the item.
  static std::vector<v1::LevyReceipt> Rows() {
    return {Receipt("S1", "U1", 1, 10'000, "2024-02-10"),
            Receipt("S2", "U2", 1, 20'001, "2024-02-11"), Receipt("S3", "U7", 1, 500, "2024-02-11"),
            Receipt("S4", "U1", 3, 700, "2024-04-11"), Receipt("S5", "U1", 2, 9'999, "2024-03-11")};
  }
  static v1::ResolveLevyReceiptsRequest Resolution(v1::LevyResolution resolution,
                                                   v1::LevyException exception) {
    auto request = Named<v1::ResolveLevyReceiptsRequest>("federations/demo/levyBatches/B1");
    request.set_resolution(resolution);
    request.set_exception(exception);
    return request;
  }
  static absl::StatusOr<v1::ResolveLevyReceiptsResponse> Resolve(
      const v1::ResolveLevyReceiptsRequest& request) {
    return Ask<v1::ResolveLevyReceiptsResponse>("ResolveLevyReceipts", request);
  }
  static absl::StatusOr<v1::PaperReceipt> Paper(v1::PaperReceiptState state, int64_t number,
                                                const std::string& remark = "") {
    auto request = New<v1::AdvancePaperReceiptRequest>();
    request.set_organization("E01");
    request.set_series("A");
    request.set_number(number);
    request.set_state(state);
    request.set_on_date("2024-03-01");
    request.set_remark(remark);
    if (state == v1::PAPER_RECEIPT_STATE_USED) request.set_amount_fen(100);
    return Ask<v1::PaperReceipt>("AdvancePaperReceipt", request);
  }
};

TEST_P(LevyReceiptsTest, FileIsImportedOnceAndMatched) {
  const auto request = File(Rows());
  ASSERT_OK_AND_ASSIGN(const auto imported, Import(request));
  EXPECT_EQ(imported.added(), 5);
  EXPECT_EQ(imported.batch().matched(), 2);
  ASSERT_EQ(imported.exceptions_size(), 3) << imported.DebugString();
  EXPECT_EQ(imported.exceptions(0).exception(), v1::LEVY_EXCEPTION_UNKNOWN_UNIT);
  EXPECT_EQ(imported.exceptions(1).exception(), v1::LEVY_EXCEPTION_NO_PAYROLL);
  EXPECT_EQ(imported.exceptions(2).exception(), v1::LEVY_EXCEPTION_AMOUNT_DIFFERS);
  ASSERT_OK_AND_ASSIGN(const auto replayed, Import(request));
  EXPECT_EQ(replayed.SerializeAsString(), imported.SerializeAsString());
  // The same file again, under another request and batch.
  ASSERT_OK_AND_ASSIGN(const auto again, Import(File(Rows(), "B2")));
  EXPECT_EQ(again.added(), 0);
  EXPECT_EQ(again.known(), 5);
  EXPECT_EQ(Receipts().size(), 5u);
  // Another content under a known number, a ticket used before, and what cannot be read.
  auto changed = File({Receipt("S1", "U1", 1, 10'001, "2024-02-10")}, "B3");
  ASSERT_OK_AND_ASSIGN(const auto refused, Import(changed));
  ASSERT_EQ(refused.failures_size(), 1);
  EXPECT_EQ(refused.failures(0).reason(), "ALREADY_EXISTS");
  v1::LevyReceipt twin = Receipt("S8", "U1", 2, 10'000, "2024-03-12");
  twin.set_ticket("PS1");
  ASSERT_OK_AND_ASSIGN(const auto ticket, Import(File({twin}, "B3")));
  ASSERT_EQ(ticket.exceptions_size(), 1);
  EXPECT_EQ(ticket.exceptions(0).exception(), v1::LEVY_EXCEPTION_DUPLICATE_TICKET);
  v1::LevyReceipt bad = Receipt("S9", "U1", 2, 0, "2024-03-12");
  v1::LevyReceipt period = Receipt("S10", "U1", 2, 5, "2024-03-12");
  period.set_period_to("2024-02-28");
  v1::LevyReceipt item = Receipt("S11", "U1", 2, 5, "2024-03-12");
  item.set_item("车船税");
  ASSERT_OK_AND_ASSIGN(const auto failed, Import(File({bad, period, item, item}, "B4")));
  ASSERT_EQ(failed.failures_size(), 4);
  EXPECT_EQ(failed.failures(0).field(), "paid_fen");
  EXPECT_EQ(failed.failures(1).reason(), "PERIOD_INVALID");
  EXPECT_EQ(failed.failures(2).reason(), "CODE_UNKNOWN");
  EXPECT_THAT(Import(File(Rows(), "B5", "post")),
              HasReasonAt(common::v1::REASON_CODE_UNKNOWN, "channel"));
}

TEST_P(LevyReceiptsTest, ImportsAndBatchesKeepToTheirScope) {
  const auto street = As("accountant", "T01");
  EXPECT_THAT(Ask<v1::ImportLevyReceiptsResponse>(*street, "ImportLevyReceipts", File(Rows())),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  // A street may not enter what came into the district's account.
  EXPECT_THAT(Ask<v1::ImportLevyReceiptsResponse>(*street, "ImportLevyReceipts",
                                                  File(Rows(), "B1", "tax_agency", "T01")),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  ASSERT_OK_AND_ASSIGN(const auto own,
                       Ask<v1::ImportLevyReceiptsResponse>(*street, "ImportLevyReceipts",
                                                           File(Rows(), "B1", "direct", "T01")));
  EXPECT_EQ(own.batch().matched(), 1);  // U2 belongs to another street.
  EXPECT_THAT(Ask<v1::ImportLevyReceiptsResponse>(*As("accountant", "*", "other"),
                                                  "ImportLevyReceipts", File(Rows())),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  const std::string name = "federations/demo/levyBatches/B1";
  const auto elsewhere = As("accountant", "T02");
  EXPECT_THAT(Ask<v1::ConfirmLevyReceiptsResponse>(*elsewhere, "ConfirmLevyReceipts",
                                                   Named<v1::ConfirmLevyReceiptsRequest>(name)),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(
      Ask<v1::LevyBatch>(*elsewhere, "UndoLevyBatch", Named<v1::UndoLevyBatchRequest>(name)),
      HasReason(common::v1::REASON_OUT_OF_SCOPE));
  auto resolution = Resolution(v1::LEVY_RESOLUTION_REJECT, {});
  EXPECT_THAT(Ask<v1::ResolveLevyReceiptsResponse>(*elsewhere, "ResolveLevyReceipts", resolution),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  resolution.set_name("federations/demo/levyBatches/B9");
  EXPECT_THAT(Resolve(resolution), HasReasonAt(common::v1::REASON_NOT_FOUND, "name"));
  EXPECT_THAT(Confirm("B9"), HasReasonAt(common::v1::REASON_NOT_FOUND, "name"));
  v1::ListLevyReceiptsRequest list;
  list.set_parent(std::string(kDemo));
  list.set_organization("T01");
  EXPECT_THAT(Ask<v1::ListLevyReceiptsResponse>(*elsewhere, "ListLevyReceipts", list),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  v1::ListLevyBatchesRequest batches;
  batches.set_parent(std::string(kDemo));
  batches.set_organization("T01");
  ASSERT_OK_AND_ASSIGN(const auto listed,
                       Ask<v1::ListLevyBatchesResponse>("ListLevyBatches", batches));
  EXPECT_EQ(listed.batches_size(), 1);
}

TEST_P(LevyReceiptsTest, ConfirmedReceiptsAreSharedAndPosted) {
  ASSERT_THAT(Import(File(Rows())), IsOk());
  auto preview = Named<v1::ConfirmLevyReceiptsRequest>("federations/demo/levyBatches/B1");
  preview.set_validate_only(true);
  ASSERT_OK_AND_ASSIGN(const auto seen,
                       Ask<v1::ConfirmLevyReceiptsResponse>("ConfirmLevyReceipts", preview));
  EXPECT_EQ(seen.confirmed(), 2);
  EXPECT_EQ(seen.matched(), 2);
  EXPECT_TRUE(Receipts(v1::LEVY_RECEIPT_STATE_CONFIRMED).empty());
  ASSERT_OK_AND_ASSIGN(const auto confirmed, Confirm());
  EXPECT_EQ(confirmed.confirmed(), 2);
  EXPECT_EQ(confirmed.amount_fen(), 30'001);
  EXPECT_EQ(confirmed.exceptions(), 3);
  int64_t sum = 0;
  for (const auto& level : confirmed.levels()) sum += level.amount_fen();
  EXPECT_EQ(sum, 30'001);
  // 60 % down, 15 % own, 25 % up.
  EXPECT_EQ(Balances("D01"),
            (Accounts{{"102", 30'001}, {"402", 4'500}, {"211", 7'500}, {"21202", 18'001}}));
  ASSERT_OK_AND_ASSIGN(const auto none, Confirm());
  EXPECT_EQ(none.confirmed(), 0);

  const auto receipts = Receipts(v1::LEVY_RECEIPT_STATE_CONFIRMED);
  ASSERT_EQ(receipts.size(), 2u);
  v1::ListLevySharesRequest request;
  request.set_name(receipts[1].name());
  ASSERT_OK_AND_ASSIGN(const auto shares,
                       Ask<v1::ListLevySharesResponse>("ListLevyShares", request));
  ASSERT_EQ(shares.shares_size(), 5);
  EXPECT_EQ(shares.shares(0).organization(), "E02");
  EXPECT_EQ(shares.shares(0).amount_fen(), 12'001);
  EXPECT_EQ(shares.shares(4).level(), "national");
  EXPECT_EQ(shares.shares(4).organization(), "");
  EXPECT_EQ(shares.shares(4).holder(), "D01");
  EXPECT_THAT(Ask<v1::ListLevySharesResponse>(*As("accountant", "T01"), "ListLevyShares", request),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Ask<v1::LevyBatch>("UndoLevyBatch", Named<v1::UndoLevyBatchRequest>(
                                                      "federations/demo/levyBatches/B1")),
              HasReason(common::v1::REASON_STATE_FORBIDS));

  v1::PreviewSharingRequest sharing;
  sharing.set_parent(std::string(kDemo));
  sharing.set_organization("E01");
  sharing.set_amount_fen(333);
  sharing.set_channel("direct");
  sharing.set_period("2024Q1");
  sharing.set_received_on("2024-04-10");
  ASSERT_OK_AND_ASSIGN(const auto shown,
                       Ask<v1::PreviewSharingResponse>("PreviewSharing", sharing));
  EXPECT_EQ(shown.rule(), "levy-60-40");
  EXPECT_EQ(shown.collector(), "E01");
  EXPECT_EQ(shown.shares(0).amount_fen(), 200);  // 333 - 50 - 33 - 33 - 17.
  sharing.set_amount_fen(0);
  EXPECT_THAT(Ask<v1::PreviewSharingResponse>("PreviewSharing", sharing),
              HasReasonAt(common::v1::REASON_AMOUNT_INVALID, "amount_fen"));
  EXPECT_THAT(Ask<v1::PreviewSharingResponse>(*As("accountant", "T02"), "PreviewSharing", sharing),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
}

TEST_P(LevyReceiptsTest, ExceptionsAreResolvedOrTheBatchUndone) {
  ASSERT_THAT(Import(File(Rows())), IsOk());
  const auto stays =
      Resolve(Resolution(v1::LEVY_RESOLUTION_REMATCH, v1::LEVY_EXCEPTION_UNKNOWN_UNIT));
  ASSERT_THAT(stays, IsOk());
  ASSERT_EQ(stays->receipts_size(), 1);
  EXPECT_EQ(stays->receipts(0).state(), v1::LEVY_RECEIPT_STATE_EXCEPTION);
  // The unit that was meant is assessed for nothing in January beyond what it paid.
  auto meant = Resolution(v1::LEVY_RESOLUTION_REMATCH, {});
  meant.add_receipts(stays->receipts(0).name());
  meant.set_unit("U1");
  meant.set_validate_only(true);
  const auto would = Resolve(meant);
  ASSERT_THAT(would, IsOk());
  EXPECT_EQ(would->receipts(0).exception(), v1::LEVY_EXCEPTION_AMOUNT_DIFFERS);
  ASSERT_THAT(Resolve(Resolution(v1::LEVY_RESOLUTION_REJECT, v1::LEVY_EXCEPTION_UNKNOWN_UNIT)),
              IsOk());
  // March is assessed by the payroll of the receipt: 350 yuan come to 7.
  auto rows = Receipts(v1::LEVY_RECEIPT_STATE_EXCEPTION);
  ASSERT_EQ(rows.size(), 2u);
  auto assessed = Resolve(Resolution(v1::LEVY_RESOLUTION_ASSESS, v1::LEVY_EXCEPTION_NO_PAYROLL));
  ASSERT_THAT(assessed, IsOk());
  EXPECT_EQ(assessed->receipts(0).exception(), v1::LEVY_EXCEPTION_AMOUNT_DIFFERS);
  const auto accept = Resolution(v1::LEVY_RESOLUTION_ACCEPT, v1::LEVY_EXCEPTION_AMOUNT_DIFFERS);
  const auto accepted = Resolve(accept);
  ASSERT_THAT(accepted, IsOk());
  EXPECT_EQ(accepted->receipts_size(), 2);
  const auto replayed = Resolve(accept);
  ASSERT_THAT(replayed, IsOk());
  EXPECT_EQ(replayed->SerializeAsString(), accepted->SerializeAsString());
  auto gone = Resolution(v1::LEVY_RESOLUTION_ACCEPT, {});
  gone.add_receipts(rows[0].name());
  EXPECT_THAT(Resolve(gone), HasReasonAt(common::v1::REASON_STATE_FORBIDS, "receipts"));
  gone.set_resolution(v1::LEVY_RESOLUTION_UNSPECIFIED);
  EXPECT_THAT(Resolve(gone), HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "resolution"));

  const auto undo = Named<v1::UndoLevyBatchRequest>("federations/demo/levyBatches/B1");
  ASSERT_OK_AND_ASSIGN(const auto undone, Ask<v1::LevyBatch>("UndoLevyBatch", undo));
  EXPECT_TRUE(undone.undone());
  EXPECT_TRUE(Receipts().empty());
  ASSERT_THAT(Ask<v1::LevyBatch>("UndoLevyBatch", undo), IsOk());
  EXPECT_THAT(Import(File(Rows())), HasReason(common::v1::REASON_STATE_FORBIDS));
  ASSERT_OK_AND_ASSIGN(const auto anew, Import(File(Rows(), "B2")));
  EXPECT_EQ(anew.added(), 5);
}

TEST_P(LevyReceiptsTest, AConfirmationIsTakenBackAndGivenAgain) {
  ASSERT_THAT(Import(File(Rows())), IsOk());
  ASSERT_THAT(Confirm(), IsOk());
  const Accounts confirmed = {{"102", 30'001}, {"402", 4'500}, {"211", 7'500}, {"21202", 18'001}};
  ASSERT_EQ(Balances("D01"), confirmed);
  const v1::LevyReceipt receipt = Receipts(v1::LEVY_RECEIPT_STATE_CONFIRMED)[1];
  const auto statement = Statement(receipt.unit(), "2024-12-31");
  const auto reverse = [&](const std::string& name, const std::string& on_date) {
    auto request = Named<v1::ReverseLevyReceiptRequest>(name);
    request.set_on_date(on_date);
    request.set_reason("入错单位");
    return request;
  };
  const auto request = reverse(receipt.name(), "2024-06-03");
  EXPECT_THAT(Ask<v1::LevyReceipt>(*As("accountant", "T01"), "ReverseLevyReceipt", request),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  EXPECT_THAT(Ask<v1::LevyReceipt>("ReverseLevyReceipt", reverse(receipt.name(), "2023-06-03")),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "on_date"));
  EXPECT_THAT(Ask<v1::LevyReceipt>("ReverseLevyReceipt",
                                   reverse(StrCat(kDemo, "/levyReceipts/no"), "2024-06-03")),
              HasReasonAt(common::v1::REASON_NOT_FOUND, "name"));
  ASSERT_OK_AND_ASSIGN(const auto reversed, Ask<v1::LevyReceipt>("ReverseLevyReceipt", request));
  EXPECT_EQ(reversed.exception(), v1::LEVY_EXCEPTION_REVERSED);
  EXPECT_NE(reversed.voucher(), receipt.voucher());
  EXPECT_EQ(Balances("D01").at("102"), 30'001 - receipt.paid_fen());
  EXPECT_EQ(Statement(receipt.unit(), "2024-12-31").received_fen(),
            statement.received_fen() - receipt.paid_fen());
  v1::ListLevySharesRequest shares;
  shares.set_name(receipt.name());
  ASSERT_OK_AND_ASSIGN(const auto none, Ask<v1::ListLevySharesResponse>("ListLevyShares", shares));
  EXPECT_EQ(none.shares_size(), 0);
  EXPECT_THAT(Ask<v1::LevyReceipt>("ReverseLevyReceipt", reverse(receipt.name(), "2024-06-04")),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "name"));

  ASSERT_THAT(Resolve(Resolution(v1::LEVY_RESOLUTION_REMATCH, v1::LEVY_EXCEPTION_REVERSED)),
              IsOk());
  ASSERT_OK_AND_ASSIGN(const auto again, Confirm());
  EXPECT_EQ(again.confirmed(), 1);
  EXPECT_EQ(Balances("D01"), confirmed);
  EXPECT_EQ(Statement(receipt.unit(), "2024-12-31").received_fen(), statement.received_fen());

  ASSERT_THAT(Remit("D01", v1::REMITTANCE_DIRECTION_DOWN, "2024Q2", "2024-07-05"), IsOk());
  EXPECT_THAT(Ask<v1::LevyReceipt>("ReverseLevyReceipt", reverse(receipt.name(), "2024-12-31")),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "name"));
}

TEST_P(LevyReceiptsTest, PreparatoryFundsAreHeldUntilTheUnionIsFounded) {
  Assess("U9", "2024-01", 500'000);
  ASSERT_THAT(Import(File({Receipt("S1", "U9", 1, 10'000, "2024-02-10")})), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto held, Confirm());
  EXPECT_EQ(held.held_fen(), 10'000);
  EXPECT_EQ(Balances("D01"), (Accounts{{"102", 10'000}, {"215", 10'000}}));
  auto settle = Named<v1::SettlePreparatoryFundsRequest>("federations/demo/levyPayers/U9");
  settle.set_organization("E01");
  settle.set_founded_on("2024-05-01");
  settle.set_on_date("2024-04-30");
  EXPECT_THAT(Ask<v1::SettlePreparatoryFundsResponse>("SettlePreparatoryFunds", settle),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "on_date"));
  settle.set_on_date("2024-05-20");
  EXPECT_THAT(Ask<v1::SettlePreparatoryFundsResponse>(*As("accountant", "T02"),
                                                      "SettlePreparatoryFunds", settle),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  // The money lies with the district.
  EXPECT_THAT(Ask<v1::SettlePreparatoryFundsResponse>(*As("accountant", "T01"),
                                                      "SettlePreparatoryFunds", settle),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  ASSERT_OK_AND_ASSIGN(const auto settled,
                       Ask<v1::SettlePreparatoryFundsResponse>("SettlePreparatoryFunds", settle));
  EXPECT_EQ(settled.receipts(), 1);
  ASSERT_OK_AND_ASSIGN(const auto again,
                       Ask<v1::SettlePreparatoryFundsResponse>("SettlePreparatoryFunds", settle));
  EXPECT_EQ(again.SerializeAsString(), settled.SerializeAsString());
  EXPECT_EQ(
      Balances("D01"),
      (Accounts{{"102", 10'000}, {"215", 0}, {"402", 1'500}, {"211", 2'500}, {"21202", 6'000}}));
  settle.set_name("federations/demo/levyPayers/U7");
  settle.set_request_id("unknown");
  EXPECT_THAT(Ask<v1::SettlePreparatoryFundsResponse>("SettlePreparatoryFunds", settle),
              HasReasonAt(common::v1::REASON_REFERENCE_NOT_FOUND, "name"));
}

TEST_P(LevyReceiptsTest, SharesAreRemittedUpAndDown) {
  ASSERT_THAT(Import(File(Rows())), IsOk());
  ASSERT_THAT(Confirm(), IsOk());
  const auto up = v1::REMITTANCE_DIRECTION_UP;
  const auto down = v1::REMITTANCE_DIRECTION_DOWN;
  EXPECT_THAT(Remit("D01", up, "2024Q1", "2024-04-10"),
              HasReasonAt(common::v1::REASON_PERIOD_INVALID, "period"));
  EXPECT_THAT(Remit("D01", up, "2024-02", "2024-02-29"),
              HasReasonAt(common::v1::REASON_PERIOD_NOT_OVER, "sent_on"));
  EXPECT_THAT(Remit("D01", {}, "2024-02", "2024-03-05"),
              HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "direction"));
  ASSERT_OK_AND_ASSIGN(const auto sent, Remit("D01", up, "2024-02", "2024-03-05"));
  ASSERT_EQ(sent.remittances_size(), 1);
  EXPECT_EQ(sent.remittances(0).amount_fen(), 7'500);
  EXPECT_EQ(sent.remittances(0).payee(), "");
  EXPECT_EQ(sent.remittances(0).state(), v1::REMITTANCE_STATE_RECEIVED);
  ASSERT_OK_AND_ASSIGN(const auto nothing, Remit("D01", up, "2024-02", "2024-03-06"));
  EXPECT_EQ(nothing.remittances_size(), 0);
  ASSERT_OK_AND_ASSIGN(const auto given, Remit("D01", down, "2024Q1", "2024-04-05"));
  ASSERT_EQ(given.remittances_size(), 2);
  EXPECT_EQ(given.remittances(0).payee(), "E01");
  EXPECT_EQ(given.remittances(0).amount_fen(), 6'000);
  EXPECT_EQ(Balances("D01"), (Accounts{{"102", 4'500}, {"402", 4'500}, {"211", 0}, {"21202", 0}}));

  auto receive = Named<v1::ReceiveRemittanceRequest>(given.remittances(0).name());
  receive.set_received_on("2024-04-01");
  EXPECT_THAT(Ask<v1::Remittance>("ReceiveRemittance", receive),
              HasReasonAt(common::v1::REASON_PERIOD_NOT_OVER, "received_on"));
  receive.set_received_on("2024-04-08");
  EXPECT_THAT(Ask<v1::Remittance>(*As("accountant", "T02"), "ReceiveRemittance", receive),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  const auto unit = As("accountant", "E01");
  ASSERT_OK_AND_ASSIGN(const auto received,
                       Ask<v1::Remittance>(*unit, "ReceiveRemittance", receive));
  EXPECT_EQ(received.lines_size(), 1);
  EXPECT_EQ(Balances("E01"), (Accounts{{"102", 6'000}, {"402", 6'000}}));
  ASSERT_OK_AND_ASSIGN(const auto again, Ask<v1::Remittance>(*unit, "ReceiveRemittance", receive));
  EXPECT_EQ(again.SerializeAsString(), received.SerializeAsString());
  receive.set_request_id("twice");
  EXPECT_THAT(Ask<v1::Remittance>("ReceiveRemittance", receive),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "name"));
  v1::GetRemittanceRequest get;
  get.set_name(received.name());
  ASSERT_OK_AND_ASSIGN(const auto read, Ask<v1::Remittance>(*unit, "GetRemittance", get));
  EXPECT_EQ(read.SerializeAsString(), received.SerializeAsString());
  EXPECT_THAT(Ask<v1::Remittance>(*As("accountant", "T02"), "GetRemittance", get),
              HasReason(common::v1::REASON_OUT_OF_SCOPE));
  get.set_name("federations/other/remittances/x");
  EXPECT_THAT(Ask<v1::Remittance>("GetRemittance", get),
              HasReason(common::v1::REASON_WRONG_FEDERATION));
  v1::ListRemittancesRequest list;
  list.set_parent(std::string(kDemo));
  list.set_organization("D01");
  list.set_page_size(2);
  ASSERT_OK_AND_ASSIGN(const auto page, Ask<v1::ListRemittancesResponse>("ListRemittances", list));
  EXPECT_EQ(page.remittances_size(), 2);
  list.set_page_token(page.next_page_token());
  ASSERT_OK_AND_ASSIGN(const auto rest, Ask<v1::ListRemittancesResponse>("ListRemittances", list));
  EXPECT_EQ(rest.remittances_size(), 1);
}

// A unit's own union collects and passes 40 % on; the levels between take the money as it passes.
TEST_P(LevyReceiptsTest, MoneyPassesLevelByLevel) {
  ASSERT_THAT(Import(File({Receipt("S1", "U1", 1, 10'000, "2024-02-10")}, "B1", "direct", "E01")),
              IsOk());
  ASSERT_THAT(Confirm(), IsOk());
  EXPECT_EQ(Balances("E01"), (Accounts{{"102", 10'000}, {"402", 6'000}, {"211", 4'000}}));
  for (const auto& [payer, payee, day] : std::vector<std::array<std::string, 3>>{
           {"E01", "T01", "2024-03-05"}, {"T01", "D01", "2024-03-06"}, {"D01", "", "2024-03-07"}}) {
    ASSERT_OK_AND_ASSIGN(const auto sent,
                         Remit(payer, v1::REMITTANCE_DIRECTION_UP, "2024-02", day));
    ASSERT_EQ(sent.remittances_size(), 1) << payer;
    EXPECT_EQ(sent.remittances(0).payee(), payee);
    if (payee.empty()) break;
    auto receive = Named<v1::ReceiveRemittanceRequest>(sent.remittances(0).name());
    receive.set_received_on(day);
    ASSERT_THAT(Ask<v1::Remittance>("ReceiveRemittance", receive), IsOk());
  }
  EXPECT_EQ(Balances("T01"), (Accounts{{"102", 0}, {"211", 0}}));
  EXPECT_EQ(Balances("D01"), (Accounts{{"102", 1'500}, {"402", 1'500}, {"211", 0}}));
}

TEST_P(LevyReceiptsTest, SmallPayersAreRefundedOnce) {
  auto payroll = New<v1::AssessLeviesRequest>();
  for (const char* unit : {"U1", "U2"}) {
    auto& given = *payroll.add_obligations();
    given.set_unit(unit);
    given.set_period("2024-03");
    given.set_payroll_fen(std::string(unit) == "U1" ? 500'000 : 60'000'000);
  }
  ASSERT_THAT(Ask<v1::AssessLeviesResponse>("AssessLevies", payroll), IsOk());
  ASSERT_THAT(Import(File({Receipt("S1", "U1", 3, 10'000, "2024-04-10"),
                           Receipt("S2", "U2", 3, 1'200'000, "2024-04-10")})),
              IsOk());
  ASSERT_THAT(Confirm(), IsOk());
  auto request = New<v1::RefundSmallPayersRequest>();
  request.set_organization("D01");
  request.set_year(2024);
  request.set_on_date("2024-12-31");
  EXPECT_THAT(Ask<v1::RefundSmallPayersResponse>("RefundSmallPayers", request),
              HasReasonAt(common::v1::REASON_PERIOD_NOT_OVER, "on_date"));
  request.set_on_date("2025-02-01");
  request.set_instalment(2);
  EXPECT_THAT(Ask<v1::RefundSmallPayersResponse>("RefundSmallPayers", request),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "instalment"));
  request.set_instalment(0);
  EXPECT_THAT(
      Ask<v1::RefundSmallPayersResponse>(*As("accountant", "T01"), "RefundSmallPayers", request),
      HasReason(common::v1::REASON_OUT_OF_SCOPE));
  ASSERT_OK_AND_ASSIGN(const auto refunded,
                       Ask<v1::RefundSmallPayersResponse>("RefundSmallPayers", request));
  ASSERT_EQ(refunded.refunds_size(), 1) << refunded.DebugString();
  EXPECT_EQ(refunded.refunds(0).unit(), "U1");
  EXPECT_EQ(refunded.refunds(0).refund_fen(), 4'000);
  EXPECT_EQ(Balances("E01"), (Accounts{{"102", 4'000}, {"40301", 4'000}}));
  ASSERT_OK_AND_ASSIGN(const auto replayed,
                       Ask<v1::RefundSmallPayersResponse>("RefundSmallPayers", request));
  EXPECT_EQ(replayed.SerializeAsString(), refunded.SerializeAsString());
  request.set_request_id("later");
  ASSERT_OK_AND_ASSIGN(const auto none,
                       Ask<v1::RefundSmallPayersResponse>("RefundSmallPayers", request));
  EXPECT_EQ(none.refunds_size(), 0);
  request.set_request_id("no rule");
  request.set_year(2022);
  EXPECT_THAT(Ask<v1::RefundSmallPayersResponse>("RefundSmallPayers", request),
              HasReason(common::v1::REASON_RULE_VIOLATED));
}

TEST_P(LevyReceiptsTest, ReceiptFormsRunWithoutGaps) {
  auto issue = New<v1::IssuePaperReceiptsRequest>();
  issue.set_organization("E01");
  issue.set_series("A");
  issue.set_first(101);
  issue.set_count(3);
  issue.set_issued_on("2024-02-01");
  ASSERT_OK_AND_ASSIGN(const auto first,
                       Ask<v1::IssuePaperReceiptsResponse>("IssuePaperReceipts", issue));
  EXPECT_EQ(first.last(), 103);
  ASSERT_THAT(Ask<v1::IssuePaperReceiptsResponse>("IssuePaperReceipts", issue), IsOk());
  issue.set_request_id("gap");
  issue.set_first(105);
  EXPECT_THAT(Ask<v1::IssuePaperReceiptsResponse>("IssuePaperReceipts", issue),
              HasReasonAt(common::v1::REASON_STATE_FORBIDS, "first"));
  issue.set_first(0);
  issue.set_count(0);
  EXPECT_THAT(Ask<v1::IssuePaperReceiptsResponse>("IssuePaperReceipts", issue),
              HasReasonAt(common::v1::REASON_FIELD_INVALID, "count"));
  issue.set_count(1);
  EXPECT_THAT(
      Ask<v1::IssuePaperReceiptsResponse>(*As("accountant", "T02"), "IssuePaperReceipts", issue),
      HasReason(common::v1::REASON_OUT_OF_SCOPE));
  issue.set_organization("E02");
  ASSERT_OK_AND_ASSIGN(const auto next,
                       Ask<v1::IssuePaperReceiptsResponse>("IssuePaperReceipts", issue));
  EXPECT_EQ(next.first(), 104);

  const auto used = v1::PAPER_RECEIPT_STATE_USED;
  const auto voided = v1::PAPER_RECEIPT_STATE_VOIDED;
  const auto off = v1::PAPER_RECEIPT_STATE_WRITTEN_OFF;
  ASSERT_OK_AND_ASSIGN(const auto one, Paper(used, 0));
  EXPECT_EQ(one.number(), 101);
  EXPECT_THAT(Paper(used, 101), HasReasonAt(common::v1::REASON_STATE_FORBIDS, "number"));
  EXPECT_THAT(Paper(used, 103), HasReasonAt(common::v1::REASON_STATE_FORBIDS, "number"));
  EXPECT_THAT(Paper(used, 104), HasReasonAt(common::v1::REASON_NOT_FOUND, "number"));
  EXPECT_THAT(Paper(voided, 102), HasReasonAt(common::v1::REASON_FIELD_REQUIRED, "remark"));
  EXPECT_THAT(Paper(voided, 102, "写错"), IsOk());
  EXPECT_THAT(Paper(off, 103), HasReasonAt(common::v1::REASON_STATE_FORBIDS, "number"));
  EXPECT_THAT(Paper(off, 101), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto last, Paper(used, 0));
  EXPECT_EQ(last.number(), 103);
  EXPECT_THAT(Paper(used, 0), HasReasonAt(common::v1::REASON_NOT_FOUND, "number"));
  v1::ListPaperReceiptsRequest list;
  list.set_parent(std::string(kDemo));
  list.set_organization("E01");
  ASSERT_OK_AND_ASSIGN(const auto listed,
                       Ask<v1::ListPaperReceiptsResponse>("ListPaperReceipts", list));
  ASSERT_EQ(listed.paper_receipts_size(), 3);
  EXPECT_EQ(listed.paper_receipts(0).state(), off);
  EXPECT_EQ(listed.paper_receipts(1).remark(), "写错");
}

TEST_P(LevyReceiptsTest, AThousandReceiptsAtOnce) {
  auto payers = New<v1::SetLevyPayersRequest>();
  auto payrolls = New<v1::AssessLeviesRequest>();
  std::vector<v1::LevyReceipt> rows;
  for (int i = 0; i < 1000; ++i) {
    const std::string unit = StrCat("V", i);
    *payers.add_payers() = Payer(unit, i % 2 == 0 ? "E01" : "E02", "2015-01-01");
    auto& given = *payrolls.add_obligations();
    given.set_unit(unit);
    given.set_period("2024-01");
    given.set_payroll_fen(50'000 + i * 50);
    rows.push_back(Receipt(StrCat("R", i), unit, 1, 1'000 + i, "2024-02-10"));
  }
  ASSERT_THAT(Ask<v1::SetLevyPayersResponse>("SetLevyPayers", payers), IsOk());
  ASSERT_THAT(Ask<v1::AssessLeviesResponse>("AssessLevies", payrolls), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto imported, Import(File(rows)));
  EXPECT_EQ(imported.batch().matched(), 1000) << imported.exceptions_size();
  ASSERT_OK_AND_ASSIGN(const auto confirmed, Confirm());
  EXPECT_EQ(confirmed.confirmed(), 1000);
  EXPECT_EQ(confirmed.amount_fen(), 1'499'500);
  int64_t sum = 0;
  for (const auto& level : confirmed.levels()) sum += level.amount_fen();
  EXPECT_EQ(sum, confirmed.amount_fen());
  ASSERT_OK_AND_ASSIGN(const auto sent,
                       Remit("D01", v1::REMITTANCE_DIRECTION_DOWN, "2024Q1", "2024-04-05"));
  EXPECT_EQ(sent.remittances_size(), 2);
  EXPECT_FALSE(sent.more());
  rows.push_back(Receipt("R1000", "V0", 2, 1, "2024-02-10"));
  EXPECT_THAT(Import(File(rows)), HasReasonAt(common::v1::REASON_TOO_MANY_ITEMS, "receipts"));
}

// Whoever confirms and remits at the same moment: each receipt is posted once, each share goes
// once.
TEST_P(LevyReceiptsTest, MoneyMovesOnceUnderConcurrentCalls) {
  std::vector<v1::LevyReceipt> rows;
  auto payers = New<v1::SetLevyPayersRequest>();
  auto payrolls = New<v1::AssessLeviesRequest>();
  for (int i = 0; i < 40; ++i) {
    const std::string unit = StrCat("W", i);
    *payers.add_payers() = Payer(unit, "E01", "2015-01-01");
    auto& given = *payrolls.add_obligations();
    given.set_unit(unit);
    given.set_period("2024-01");
    given.set_payroll_fen(50'000);
    rows.push_back(Receipt(StrCat("W", i), unit, 1, 1'000, "2024-02-10"));
  }
  ASSERT_THAT(Ask<v1::SetLevyPayersResponse>("SetLevyPayers", payers), IsOk());
  ASSERT_THAT(Ask<v1::AssessLeviesResponse>("AssessLevies", payrolls), IsOk());
  ASSERT_THAT(Import(File(rows)), IsOk());
  const auto at_once = [](const std::function<int64_t(int)>& one) {
    std::vector<std::thread> threads;
    std::atomic<int64_t> sum = 0;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&, i] { sum += one(i); });
    for (std::thread& thread : threads) thread.join();
    return sum.load();
  };
  EXPECT_EQ(at_once([](int i) -> int64_t {
              v1::ConfirmLevyReceiptsRequest request;
              request.set_name("federations/demo/levyBatches/B1");
              request.set_request_id(StrCat("at-once-", i));
              const auto answer =
                  Ask<v1::ConfirmLevyReceiptsResponse>("ConfirmLevyReceipts", request);
              EXPECT_THAT(answer, IsOk());
              return answer.ok() ? answer->confirmed() : 0;
            }),
            40);
  EXPECT_EQ(Balances("D01"),
            (Accounts{{"102", 40'000}, {"402", 6'000}, {"211", 10'000}, {"21202", 24'000}}));
  EXPECT_EQ(Vouchers("D01").size(), 40u);
  EXPECT_EQ(at_once([](int i) -> int64_t {
              v1::CreateRemittancesRequest request;
              request.set_parent(std::string(kDemo));
              request.set_organization("D01");
              request.set_direction(v1::REMITTANCE_DIRECTION_UP);
              request.set_period("2024-02");
              request.set_sent_on("2024-03-05");
              request.set_request_id(StrCat("remit-", i));
              const auto answer = Ask<v1::CreateRemittancesResponse>("CreateRemittances", request);
              EXPECT_THAT(answer, IsOk());
              int64_t fen = 0;
              if (answer.ok()) {
                for (const auto& sent : answer->remittances()) fen += sent.amount_fen();
              }
              return fen;
            }),
            10'000);
  EXPECT_EQ(Balances("D01").at("211"), 0);
}

INSTANTIATE_TEST_SUITE_P(Engines, LevyReceiptsTest, ::testing::ValuesIn(testing::Engines()));

}  // namespace
}  // namespace gonghui::funds
